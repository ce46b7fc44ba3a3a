//! Which metrics of which services exist, and how each is to be asked for and read.
//!
//! Rows only: a further service is further rows. It knows no values and no clock.

use std::time::Duration;

use super::{Missing, Statistic};

mod alb;
mod dynamodb;
mod ecs;
mod lambda;
mod rest_api;
mod rows;

/// The rows of every service.
const SERVICES: [&[Row]; 5] = [lambda::ROWS, dynamodb::ROWS, alb::ROWS, rest_api::ROWS, ecs::ROWS];

/// One metric of one kind of resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// As in `KIND/NAME`.
    pub kind: &'static str,
    /// As in `aws.KIND.NAME`.
    pub name: &'static str,
    /// CloudWatch's own name.
    pub metric: &'static str,
    /// CloudWatch's namespace.
    pub namespace: &'static str,
    /// The dimension sets that it is published under and that are collected.
    pub patterns: &'static [Pattern],
    /// What is collected minute by minute; the first is what a chart shows.
    pub statistics: &'static [Statistic],
    /// Whether CloudWatch can be asked for percentiles, because it keeps raw values.
    pub raw: bool,
    /// For people, and to convert into base units.
    pub unit: Unit,
    /// What a minute without a point means.
    pub missing: Missing,
    /// How late points usually are, counted from the end of their minute. AWS promises nothing.
    pub delay: Duration,
    /// What it counts, in a sentence.
    pub says: &'static str,
}

/// A set of dimensions, complete as AWS publishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `FunctionName`.
    Function,
    /// `TableName`: the table alone, without its indexes.
    Table,
    /// `TableName` and `GlobalSecondaryIndexName`, for every index.
    Index,
    /// `TableName` and `Operation`, for every operation.
    Operation,
    /// None: the whole account and region.
    Account,
    /// `LoadBalancer`.
    LoadBalancer,
    /// `LoadBalancer` and `TargetGroup`, for every target group.
    TargetGroup,
    /// `ApiName` and `Stage`.
    Stage,
    /// `ClusterName` and `ServiceName`.
    Service,
}

/// The operations of DynamoDB that have metrics of their own.
pub const OPERATIONS: [&str; 10] = [
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactGetItems",
    "TransactWriteItems",
];

/// The unit that CloudWatch publishes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Count,
    /// A count as a sum, a share as an average: every request counts 0 or 1.
    CountOrShare,
    CapacityUnits,
    Milliseconds,
    Seconds,
    Percent,
    Bytes,
    BytesPerSecond,
    Megabytes,
    /// ECS counts 1,024 to a vCPU.
    CpuUnits,
}

impl Unit {
    /// The word that a series carries.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Count | Self::CountOrShare => "count",
            Self::CapacityUnits => "units",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Percent => "%",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytes/s",
            Self::Megabytes => "MB",
            Self::CpuUnits => "cpu units",
        }
    }
}

/// How an aggregation of a metric is obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// CloudWatch answers it.
    CloudWatch,
    /// CloudWatch has no raw values: it is computed over one-minute averages, and printed so.
    MinuteAverages,
}

impl Row {
    /// Whether it counts events, so that totals make sense.
    #[must_use]
    pub fn is_counter(&self) -> bool {
        self.statistics.contains(&Statistic::Sum)
    }

    /// How a statistic over a window is obtained, or `None` when it says nothing about this metric: a total of a gauge.
    #[must_use]
    pub fn basis(&self, statistic: Statistic) -> Option<Basis> {
        match statistic {
            Statistic::Sum => self.is_counter().then_some(Basis::CloudWatch),
            Statistic::Percentile(_) if !self.raw => Some(Basis::MinuteAverages),
            _ => Some(Basis::CloudWatch),
        }
    }

    /// The name that criteria and series use.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("aws.{}.{}", self.kind, self.name)
    }
}

/// Every metric that tidegate knows.
pub fn all() -> impl Iterator<Item = &'static Row> {
    SERVICES.into_iter().flatten()
}

/// The row of `aws.KIND.NAME`.
#[must_use]
pub fn find(kind: &str, name: &str) -> Option<&'static Row> {
    let wanted = folded(name);
    all().find(|row| row.kind == kind && (row.name == name || folded(row.name) == wanted))
}

/// All rows of a kind.
pub fn of_kind(kind: &str) -> impl Iterator<Item = &'static Row> {
    all().filter(move |row| row.kind == kind)
}

/// A name without case and underscores: criteria may divide `UnHealthyHostCount` as they like.
fn folded(name: &str) -> String {
    name.to_lowercase().replace('_', "")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_cloudwatchs_own_in_snake_case() {
        for row in all() {
            assert_eq!(folded(row.name), folded(row.metric), "{}", row.metric);
            assert_eq!(find(row.kind, row.name), Some(row));
        }
        assert_eq!(find("alb", "un_healthy_host_count"), find("alb", "unhealthy_host_count"));
        assert_eq!(find("alb", "no_such_metric"), None);
    }

    #[test]
    fn every_row_can_be_asked_for_and_is_listed_once() {
        let mut seen = BTreeSet::new();
        for row in all() {
            assert!(seen.insert((row.kind, row.name)), "{} {} twice", row.kind, row.name);
            assert!(!row.patterns.is_empty() && !row.statistics.is_empty(), "{}", row.name);
            assert!(row.says.ends_with('.'), "{}", row.name);
        }
    }

    #[test]
    fn percentiles_come_from_cloudwatch_only_where_it_has_raw_values() {
        let basis = |kind, name| find(kind, name).unwrap().basis(Statistic::Percentile(99.0));
        assert_eq!(basis("lambda", "duration"), Some(Basis::CloudWatch));
        assert_eq!(basis("alb", "target_response_time"), Some(Basis::CloudWatch));
        assert_eq!(basis("rest-api", "latency"), Some(Basis::CloudWatch));
        assert_eq!(basis("ecs", "cpu_utilization"), Some(Basis::MinuteAverages));
    }

    #[test]
    fn a_gauge_has_no_total() {
        assert_eq!(find("ecs", "cpu_utilization").unwrap().basis(Statistic::Sum), None);
        assert!(find("lambda", "throttles").unwrap().basis(Statistic::Sum).is_some());
    }

    #[test]
    fn only_what_aws_leaves_out_when_it_is_zero_counts_as_zero() {
        let missing = |kind, name| find(kind, name).unwrap().missing;
        assert_eq!(missing("lambda", "throttles"), Missing::Zero);
        assert_eq!(missing("dynamodb", "throttled_requests"), Missing::Zero);
        assert_eq!(missing("alb", "http_code_elb_503_count"), Missing::Zero);
        assert_eq!(missing("lambda", "errors"), Missing::Unknown);
        assert_eq!(missing("rest-api", "5xx_error"), Missing::Unknown);
        assert_eq!(missing("ecs", "cpu_utilization"), Missing::Unknown);
    }
}
