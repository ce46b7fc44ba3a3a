//! The AWS metrics that criteria may name, as data: kind, name, CloudWatch's name, unit, statistics that make sense.
//!
//! Adding a metric is adding a row. Namespaces, dimensions and publishing delays are the metrics' catalogue's part.

/// A statistic of CloudWatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsStatistic {
    /// `Sum`.
    Sum,
    /// `Average`.
    Average,
    /// `Minimum`.
    Minimum,
    /// `Maximum`.
    Maximum,
    /// `SampleCount`.
    SampleCount,
    /// `pNN`.
    Percentile,
}

/// In which unit profiles give the limit; the metrics module converts what CloudWatch reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsUnit {
    /// A plain number.
    Number,
    /// A duration; CloudWatch reports seconds or milliseconds.
    Time,
    /// A percentage; CloudWatch reports 0 to 100.
    Percent,
    /// A plain number as a sum; as an average the share of the requests that were counted, which CloudWatch reports as
    /// 0 to 1.
    CountOrShare,
}

/// One metric of one kind of resource.
#[derive(Clone, Copy, Debug)]
pub struct AwsMetric {
    /// `lambda`, `dynamodb`, `alb`, `rest-api`, `ecs`.
    pub kind: &'static str,
    /// The name in profiles.
    pub name: &'static str,
    /// CloudWatch's name.
    pub cloudwatch: &'static str,
    /// The unit of limits.
    pub unit: AwsUnit,
    /// The statistics that mean something.
    pub statistics: &'static [AwsStatistic],
    /// One value a minute is published, so a percentile is over one-minute averages.
    pub pre_aggregated: bool,
}

/// The metric of a kind by its name in profiles.
#[must_use]
pub fn cloud_metric(kind: &str, name: &str) -> Option<&'static AwsMetric> {
    AWS_METRICS.iter().find(|metric| metric.kind == kind && metric.name == name)
}

use AwsStatistic::{Average, Maximum, Minimum, Percentile, SampleCount, Sum};
use AwsUnit::{CountOrShare, Number, Percent, Time};

const TOTAL: &[AwsStatistic] = &[Sum];
const TOTAL_OR_SHARE: &[AwsStatistic] = &[Sum, Average];
const LEVEL: &[AwsStatistic] = &[Average, Minimum, Maximum, Percentile];
const LATENCY: &[AwsStatistic] = &[Average, Minimum, Maximum, Percentile, SampleCount];
const LATENCY_WITHOUT_PERCENTILES: &[AwsStatistic] = &[Average, Minimum, Maximum, SampleCount];

const fn row(
    kind: &'static str,
    name: &'static str,
    cloudwatch: &'static str,
    unit: AwsUnit,
    statistics: &'static [AwsStatistic],
) -> AwsMetric {
    AwsMetric {
        kind,
        name,
        cloudwatch,
        unit,
        statistics,
        pre_aggregated: false,
    }
}

const fn minutely(kind: &'static str, name: &'static str, cloudwatch: &'static str, unit: AwsUnit) -> AwsMetric {
    AwsMetric {
        kind,
        name,
        cloudwatch,
        unit,
        statistics: LEVEL,
        pre_aggregated: true,
    }
}

/// Every metric that a criterion may name.
#[rustfmt::skip]
pub const AWS_METRICS: &[AwsMetric] = &[
    row("lambda", "invocations", "Invocations", Number, TOTAL),
    row("lambda", "errors", "Errors", Number, TOTAL),
    row("lambda", "throttles", "Throttles", Number, TOTAL),
    row("lambda", "duration", "Duration", Time, LATENCY),
    minutely("lambda", "concurrent_executions", "ConcurrentExecutions", Number),
    minutely("lambda", "iterator_age", "IteratorAge", Time),
    row("lambda", "dead_letter_errors", "DeadLetterErrors", Number, TOTAL),
    row("dynamodb", "consumed_read_capacity_units", "ConsumedReadCapacityUnits", Number, TOTAL),
    row("dynamodb", "consumed_write_capacity_units", "ConsumedWriteCapacityUnits", Number, TOTAL),
    minutely("dynamodb", "provisioned_read_capacity_units", "ProvisionedReadCapacityUnits", Number),
    minutely("dynamodb", "provisioned_write_capacity_units", "ProvisionedWriteCapacityUnits", Number),
    row("dynamodb", "read_throttle_events", "ReadThrottleEvents", Number, TOTAL),
    row("dynamodb", "write_throttle_events", "WriteThrottleEvents", Number, TOTAL),
    row("dynamodb", "read_provisioned_throughput_throttle_events", "ReadProvisionedThroughputThrottleEvents", Number, TOTAL),
    row("dynamodb", "write_provisioned_throughput_throttle_events", "WriteProvisionedThroughputThrottleEvents", Number, TOTAL),
    row("dynamodb", "read_key_range_throughput_throttle_events", "ReadKeyRangeThroughputThrottleEvents", Number, TOTAL),
    row("dynamodb", "write_key_range_throughput_throttle_events", "WriteKeyRangeThroughputThrottleEvents", Number, TOTAL),
    row("dynamodb", "read_account_limit_throttle_events", "ReadAccountLimitThrottleEvents", Number, TOTAL),
    row("dynamodb", "write_account_limit_throttle_events", "WriteAccountLimitThrottleEvents", Number, TOTAL),
    row("dynamodb", "read_max_on_demand_throughput_throttle_events", "ReadMaxOnDemandThroughputThrottleEvents", Number, TOTAL),
    row("dynamodb", "write_max_on_demand_throughput_throttle_events", "WriteMaxOnDemandThroughputThrottleEvents", Number, TOTAL),
    row("dynamodb", "throttled_requests", "ThrottledRequests", Number, TOTAL),
    row("dynamodb", "system_errors", "SystemErrors", Number, TOTAL),
    row("dynamodb", "user_errors", "UserErrors", Number, TOTAL),
    row("dynamodb", "conditional_check_failed_requests", "ConditionalCheckFailedRequests", Number, TOTAL),
    row("dynamodb", "transaction_conflict", "TransactionConflict", Number, TOTAL),
    row("dynamodb", "successful_request_latency", "SuccessfulRequestLatency", Time, LATENCY_WITHOUT_PERCENTILES),
    row("rest-api", "count", "Count", Number, TOTAL),
    row("rest-api", "4xx_error", "4XXError", CountOrShare, TOTAL_OR_SHARE),
    row("rest-api", "5xx_error", "5XXError", CountOrShare, TOTAL_OR_SHARE),
    row("rest-api", "latency", "Latency", Time, LATENCY),
    row("rest-api", "integration_latency", "IntegrationLatency", Time, LATENCY),
    row("alb", "request_count", "RequestCount", Number, TOTAL),
    row("alb", "request_count_per_target", "RequestCountPerTarget", Number, TOTAL),
    row("alb", "target_response_time", "TargetResponseTime", Time, LATENCY),
    row("alb", "http_code_target_2xx_count", "HTTPCode_Target_2XX_Count", Number, TOTAL),
    row("alb", "http_code_target_3xx_count", "HTTPCode_Target_3XX_Count", Number, TOTAL),
    row("alb", "http_code_target_4xx_count", "HTTPCode_Target_4XX_Count", Number, TOTAL),
    row("alb", "http_code_target_5xx_count", "HTTPCode_Target_5XX_Count", Number, TOTAL),
    row("alb", "http_code_elb_4xx_count", "HTTPCode_ELB_4XX_Count", Number, TOTAL),
    row("alb", "http_code_elb_5xx_count", "HTTPCode_ELB_5XX_Count", Number, TOTAL),
    row("alb", "http_code_elb_500_count", "HTTPCode_ELB_500_Count", Number, TOTAL),
    row("alb", "http_code_elb_502_count", "HTTPCode_ELB_502_Count", Number, TOTAL),
    row("alb", "http_code_elb_503_count", "HTTPCode_ELB_503_Count", Number, TOTAL),
    row("alb", "http_code_elb_504_count", "HTTPCode_ELB_504_Count", Number, TOTAL),
    row("alb", "rejected_connection_count", "RejectedConnectionCount", Number, TOTAL),
    row("alb", "target_connection_error_count", "TargetConnectionErrorCount", Number, TOTAL),
    row("alb", "client_tls_negotiation_error_count", "ClientTLSNegotiationErrorCount", Number, TOTAL),
    row("alb", "active_connection_count", "ActiveConnectionCount", Number, TOTAL),
    row("alb", "new_connection_count", "NewConnectionCount", Number, TOTAL),
    minutely("alb", "healthy_host_count", "HealthyHostCount", Number),
    minutely("alb", "un_healthy_host_count", "UnHealthyHostCount", Number),
    minutely("ecs", "cpu_utilization", "CPUUtilization", Percent),
    minutely("ecs", "memory_utilization", "MemoryUtilization", Percent),
    // These three need Container Insights.
    minutely("ecs", "running_task_count", "RunningTaskCount", Number),
    minutely("ecs", "desired_task_count", "DesiredTaskCount", Number),
    minutely("ecs", "pending_task_count", "PendingTaskCount", Number),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_cloudwatchs_own_without_case_and_underscores() {
        let folded = |text: &str| text.to_lowercase().replace('_', "");
        for metric in AWS_METRICS {
            assert_eq!(folded(metric.name), folded(metric.cloudwatch));
            assert!(!metric.statistics.is_empty(), "{}", metric.name);
        }
    }

    #[test]
    fn a_metric_stands_in_the_table_once() {
        let mut names: Vec<_> = AWS_METRICS.iter().map(|metric| (metric.kind, metric.name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), AWS_METRICS.len());
    }
}
