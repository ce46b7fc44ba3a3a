//! The metrics of `DynamoDB`.
//!
//! What has a table as its only dimension does not include the indexes.

use std::time::Duration;

use super::rows::{Service, counter, gauge, on, zero};
use super::{Pattern, Row, Unit};
use crate::metrics::Statistic::{Average, Maximum, SampleCount};

const DYNAMODB: Service = ("dynamodb", "AWS/DynamoDB", &[Pattern::Table]);

const TABLE_AND_INDEXES: &[Pattern] = &[Pattern::Table, Pattern::Index];
const OPERATION: &[Pattern] = &[Pattern::Operation];

pub(super) const ROWS: &[Row] = &[
    units(on(
        TABLE_AND_INDEXES,
        counter(
            DYNAMODB,
            "consumed_read_capacity_units",
            "ConsumedReadCapacityUnits",
            "Read units used.",
        ),
    )),
    units(on(
        TABLE_AND_INDEXES,
        counter(
            DYNAMODB,
            "consumed_write_capacity_units",
            "ConsumedWriteCapacityUnits",
            "Write units used.",
        ),
    )),
    five_minutes(units(on(
        TABLE_AND_INDEXES,
        gauge(
            DYNAMODB,
            "provisioned_read_capacity_units",
            "ProvisionedReadCapacityUnits",
            Unit::Count,
            &[Maximum, Average],
            "Read units a second that are paid for.",
        ),
    ))),
    five_minutes(units(on(
        TABLE_AND_INDEXES,
        gauge(
            DYNAMODB,
            "provisioned_write_capacity_units",
            "ProvisionedWriteCapacityUnits",
            Unit::Count,
            &[Maximum, Average],
            "Write units a second that are paid for.",
        ),
    ))),
    throttle_events(
        "read_throttle_events",
        "ReadThrottleEvents",
        "Reads refused; a request can be refused several times over.",
    ),
    throttle_events(
        "write_throttle_events",
        "WriteThrottleEvents",
        "Writes refused; a request can be refused several times over.",
    ),
    throttle_events(
        "read_provisioned_throughput_throttle_events",
        "ReadProvisionedThroughputThrottleEvents",
        "Reads refused: the provisioned units were used up.",
    ),
    throttle_events(
        "write_provisioned_throughput_throttle_events",
        "WriteProvisionedThroughputThrottleEvents",
        "Writes refused: the provisioned units were used up.",
    ),
    throttle_events(
        "read_key_range_throughput_throttle_events",
        "ReadKeyRangeThroughputThrottleEvents",
        "Reads refused: one key range was too hot.",
    ),
    throttle_events(
        "write_key_range_throughput_throttle_events",
        "WriteKeyRangeThroughputThrottleEvents",
        "Writes refused: one key range was too hot.",
    ),
    throttle_events(
        "read_account_limit_throttle_events",
        "ReadAccountLimitThrottleEvents",
        "Reads refused: the account's limit was reached.",
    ),
    throttle_events(
        "write_account_limit_throttle_events",
        "WriteAccountLimitThrottleEvents",
        "Writes refused: the account's limit was reached.",
    ),
    throttle_events(
        "read_max_on_demand_throughput_throttle_events",
        "ReadMaxOnDemandThroughputThrottleEvents",
        "Reads refused: the table's own on-demand maximum was reached.",
    ),
    throttle_events(
        "write_max_on_demand_throughput_throttle_events",
        "WriteMaxOnDemandThroughputThrottleEvents",
        "Writes refused: the table's own on-demand maximum was reached.",
    ),
    zero(on(
        OPERATION,
        counter(
            DYNAMODB,
            "throttled_requests",
            "ThrottledRequests",
            "Requests refused; a batch only when every item of it was.",
        ),
    )),
    zero(on(
        OPERATION,
        counter(DYNAMODB, "system_errors", "SystemErrors", "Requests that DynamoDB itself failed."),
    )),
    on(
        OPERATION,
        gauge(
            DYNAMODB,
            "successful_request_latency",
            "SuccessfulRequestLatency",
            Unit::Milliseconds,
            &[Average, Maximum, SampleCount],
            "How long successful requests took inside DynamoDB.",
        ),
    ),
    zero(counter(
        DYNAMODB,
        "conditional_check_failed_requests",
        "ConditionalCheckFailedRequests",
        "Writes whose condition did not hold.",
    )),
    zero(counter(
        DYNAMODB,
        "transaction_conflict",
        "TransactionConflict",
        "Items refused because another transaction held them.",
    )),
    zero(on(
        &[Pattern::Account],
        counter(
            DYNAMODB,
            "user_errors",
            "UserErrors",
            "Wrong requests of the whole account and region, whoever sent them.",
        ),
    )),
];

const fn throttle_events(name: &'static str, metric: &'static str, says: &'static str) -> Row {
    zero(on(TABLE_AND_INDEXES, counter(DYNAMODB, name, metric, says)))
}

const fn units(row: Row) -> Row {
    Row {
        unit: Unit::CapacityUnits,
        ..row
    }
}

/// Published every five minutes.
const fn five_minutes(row: Row) -> Row {
    Row {
        delay: Duration::from_mins(7),
        ..row
    }
}
