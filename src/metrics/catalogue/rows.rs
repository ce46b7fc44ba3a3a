//! The rows of the catalogue, by service.

use std::time::Duration;

use super::{Pattern, Row, Unit};
use crate::metrics::Missing;
use crate::metrics::Statistic::{Average, Maximum, Minimum, SampleCount, Sum};

/// Every metric that tidegate knows.
pub static CATALOGUE: &[Row] = &[
    // Lambda. A point carries the time at which its invocation started, and comes after the invocation ended.
    counter(
        LAMBDA,
        "invocations",
        "Invocations",
        "Runs of the function, throttled ones not among them.",
    ),
    counter(LAMBDA, "errors", "Errors", "Runs that ended in an error, timeouts among them."),
    zero(counter(LAMBDA, "throttles", "Throttles", "Runs refused for want of concurrency.")),
    raw(gauge(
        LAMBDA,
        "duration",
        "Duration",
        Unit::Milliseconds,
        &[Average, Maximum, SampleCount],
        "How long runs took, cold start aside.",
    )),
    on(
        &[Pattern::Function, Pattern::Account],
        gauge(
            LAMBDA,
            "concurrent_executions",
            "ConcurrentExecutions",
            Unit::Count,
            &[Maximum],
            "Runs at the same time.",
        ),
    ),
    on(
        &[Pattern::Account],
        gauge(
            LAMBDA,
            "unreserved_concurrent_executions",
            "UnreservedConcurrentExecutions",
            Unit::Count,
            &[Maximum],
            "Runs at the same time of functions without a reservation.",
        ),
    ),
    zero(counter(
        LAMBDA,
        "provisioned_concurrency_spillover_invocations",
        "ProvisionedConcurrencySpilloverInvocations",
        "Runs beyond the provisioned concurrency.",
    )),
    gauge(
        LAMBDA,
        "provisioned_concurrent_executions",
        "ProvisionedConcurrentExecutions",
        Unit::Count,
        &[Maximum],
        "Runs at the same time on provisioned concurrency.",
    ),
    gauge(
        LAMBDA,
        "iterator_age",
        "IteratorAge",
        Unit::Milliseconds,
        &[Maximum],
        "Age of the last record of a stream when it was handed over.",
    ),
    zero(counter(
        LAMBDA,
        "dead_letter_errors",
        "DeadLetterErrors",
        "Events that could not be sent to the dead-letter queue.",
    )),
    // DynamoDB. What has a table as its only dimension does not include the indexes.
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
    // Application Load Balancer.
    counter(ALB, "request_count", "RequestCount", "Requests for which a target was chosen."),
    raw(gauge(
        ALB,
        "target_response_time",
        "TargetResponseTime",
        Unit::Seconds,
        &[Average, Maximum, SampleCount],
        "How long targets took to begin their answer.",
    )),
    zero(counter(
        ALB,
        "http_code_target_2xx_count",
        "HTTPCode_Target_2XX_Count",
        "Answers of targets, 2xx.",
    )),
    zero(counter(
        ALB,
        "http_code_target_3xx_count",
        "HTTPCode_Target_3XX_Count",
        "Answers of targets, 3xx.",
    )),
    zero(counter(
        ALB,
        "http_code_target_4xx_count",
        "HTTPCode_Target_4XX_Count",
        "Answers of targets, 4xx.",
    )),
    zero(counter(
        ALB,
        "http_code_target_5xx_count",
        "HTTPCode_Target_5XX_Count",
        "Answers of targets, 5xx.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_4xx_count",
        "HTTPCode_ELB_4XX_Count",
        "Answers of the balancer itself, 4xx.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_5xx_count",
        "HTTPCode_ELB_5XX_Count",
        "Answers of the balancer itself, 5xx.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_500_count",
        "HTTPCode_ELB_500_Count",
        "Answers of the balancer itself, 500.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_502_count",
        "HTTPCode_ELB_502_Count",
        "Answers of the balancer itself: a target's answer was broken.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_503_count",
        "HTTPCode_ELB_503_Count",
        "Answers of the balancer itself: no target, or no room.",
    )),
    zero(counter(
        ALB,
        "http_code_elb_504_count",
        "HTTPCode_ELB_504_Count",
        "Answers of the balancer itself: a target did not answer in time.",
    )),
    zero(counter(
        ALB,
        "rejected_connection_count",
        "RejectedConnectionCount",
        "Connections refused: the balancer had its maximum.",
    )),
    zero(counter(
        ALB,
        "target_connection_error_count",
        "TargetConnectionErrorCount",
        "Connections to targets that failed.",
    )),
    zero(counter(
        ALB,
        "client_tls_negotiation_error_count",
        "ClientTLSNegotiationErrorCount",
        "TLS handshakes with clients that failed.",
    )),
    zero(counter(
        ALB,
        "active_connection_count",
        "ActiveConnectionCount",
        "Open connections of clients and targets.",
    )),
    zero(counter(
        ALB,
        "new_connection_count",
        "NewConnectionCount",
        "Connections opened by clients and to targets.",
    )),
    on(
        &[Pattern::TargetGroup],
        gauge(
            ALB,
            "healthy_host_count",
            "HealthyHostCount",
            Unit::Count,
            &[Minimum, Maximum, Average],
            "Targets that are healthy.",
        ),
    ),
    on(
        &[Pattern::TargetGroup],
        gauge(
            ALB,
            "un_healthy_host_count",
            "UnHealthyHostCount",
            Unit::Count,
            &[Maximum, Minimum, Average],
            "Targets that are not healthy.",
        ),
    ),
    on(
        &[Pattern::TargetGroup],
        counter(
            ALB,
            "request_count_per_target",
            "RequestCountPerTarget",
            "Requests divided by healthy targets.",
        ),
    ),
    // API Gateway, REST. Its own 429s are among 4XXError, when they are counted at all.
    counter(REST_API, "count", "Count", "Requests."),
    shares(counter(
        REST_API,
        "4xx_error",
        "4XXError",
        "Answers 4xx, 429s of the gateway among them; the average is their share.",
    )),
    shares(counter(
        REST_API,
        "5xx_error",
        "5XXError",
        "Answers 5xx; the average is their share.",
    )),
    raw(gauge(
        REST_API,
        "latency",
        "Latency",
        Unit::Milliseconds,
        &[Average, Maximum],
        "From the request's arrival at the gateway to the answer.",
    )),
    raw(gauge(
        REST_API,
        "integration_latency",
        "IntegrationLatency",
        Unit::Milliseconds,
        &[Average, Maximum],
        "What of it the backend took.",
    )),
    // ECS. Utilisation is aggregated before it is published, so there are no raw values.
    gauge(
        ECS,
        "cpu_utilization",
        "CPUUtilization",
        Unit::Percent,
        &[Average, Maximum, Minimum],
        "CPU of the service's tasks, of what they reserve.",
    ),
    gauge(
        ECS,
        "memory_utilization",
        "MemoryUtilization",
        Unit::Percent,
        &[Average, Maximum, Minimum],
        "Memory of the service's tasks, of what they reserve.",
    ),
    insights(gauge(
        ECS,
        "running_task_count",
        "RunningTaskCount",
        Unit::Count,
        &[Average, Maximum, Minimum],
        "Tasks that run (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "desired_task_count",
        "DesiredTaskCount",
        Unit::Count,
        &[Average, Maximum, Minimum],
        "Tasks that are wanted (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "pending_task_count",
        "PendingTaskCount",
        Unit::Count,
        &[Average, Maximum],
        "Tasks that are about to run (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "cpu_utilized",
        "CpuUtilized",
        Unit::CpuUnits,
        &[Average, Maximum],
        "CPU units in use (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "memory_utilized",
        "MemoryUtilized",
        Unit::Megabytes,
        &[Average, Maximum],
        "Memory in use (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "network_rx_bytes",
        "NetworkRxBytes",
        Unit::BytesPerSecond,
        &[Average, Maximum],
        "Bytes received a second (needs Container Insights).",
    )),
    insights(gauge(
        ECS,
        "network_tx_bytes",
        "NetworkTxBytes",
        Unit::BytesPerSecond,
        &[Average, Maximum],
        "Bytes sent a second (needs Container Insights).",
    )),
];

/// A service: kind, namespace, what its metrics usually have as dimensions.
type Service = (&'static str, &'static str, &'static [Pattern]);

const LAMBDA: Service = ("lambda", "AWS/Lambda", &[Pattern::Function]);
const DYNAMODB: Service = ("dynamodb", "AWS/DynamoDB", &[Pattern::Table]);
const ALB: Service = ("alb", "AWS/ApplicationELB", &[Pattern::LoadBalancer]);
const REST_API: Service = ("rest-api", "AWS/ApiGateway", &[Pattern::Stage]);
const ECS: Service = ("ecs", "AWS/ECS", &[Pattern::Service]);

const TABLE_AND_INDEXES: &[Pattern] = &[Pattern::Table, Pattern::Index];
const OPERATION: &[Pattern] = &[Pattern::Operation];

const fn counter(service: Service, name: &'static str, metric: &'static str, says: &'static str) -> Row {
    gauge(service, name, metric, Unit::Count, &[Sum], says)
}

const fn gauge(
    service: Service,
    name: &'static str,
    metric: &'static str,
    unit: Unit,
    statistics: &'static [super::Statistic],
    says: &'static str,
) -> Row {
    Row {
        kind: service.0,
        name,
        metric,
        namespace: service.1,
        patterns: service.2,
        statistics,
        raw: false,
        unit,
        missing: Missing::Unknown,
        delay: Duration::from_secs(180),
        says,
    }
}

const fn throttle_events(name: &'static str, metric: &'static str, says: &'static str) -> Row {
    zero(on(TABLE_AND_INDEXES, counter(DYNAMODB, name, metric, says)))
}

/// Published only when it is not zero.
const fn zero(row: Row) -> Row {
    Row {
        missing: Missing::Zero,
        ..row
    }
}

/// CloudWatch keeps every value.
const fn raw(row: Row) -> Row {
    Row { raw: true, ..row }
}

const fn on(patterns: &'static [Pattern], row: Row) -> Row {
    Row { patterns, ..row }
}

const fn units(row: Row) -> Row {
    Row {
        unit: Unit::CapacityUnits,
        ..row
    }
}

/// Every request counts 0 or 1, so that the average is the share.
const fn shares(row: Row) -> Row {
    Row {
        statistics: &[Sum, Average],
        ..row
    }
}

/// Published every five minutes.
const fn five_minutes(row: Row) -> Row {
    Row {
        delay: Duration::from_secs(420),
        ..row
    }
}

/// Derived from log events, a few minutes late.
const fn insights(row: Row) -> Row {
    Row {
        namespace: "ECS/ContainerInsights",
        delay: Duration::from_secs(300),
        ..row
    }
}
