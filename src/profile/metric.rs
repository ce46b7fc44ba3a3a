//! Metrics by their names in profiles, and which statistics apply to which, in which unit.
//!
//! Owns the meaning of a name. Knows nothing of criteria or their scopes.

use super::condition::{Stat, Written};
use super::diagnose::Fault;
use super::suggest;
use crate::scenario::cloud_metrics::{AWS_METRICS, AwsMetric, AwsStatistic, AwsUnit, cloud_metric};
use crate::scenario::{Aggregation, Condition, Limit, Metric};
use crate::units::Quantity;

/// A metric as a profile names it.
#[derive(Clone, Debug)]
pub(super) struct Meaning {
    pub(super) metric: Metric,
    rule: Rule,
    /// k6's name: bare numbers of durations are milliseconds.
    k6: bool,
}

/// Which statistics apply.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// avg, min, max, med, p(N), growth; durations.
    Times,
    /// count, and rate as events a second or as a share of the attempts.
    Events,
    /// count, and rate as a share (a bare number too).
    Failures,
    /// rate as a share.
    Shares,
    /// avg, min, max, value; plain numbers.
    Levels,
    /// count.
    Count,
    /// What the table says.
    Aws(&'static AwsMetric),
    /// `time`, of a recovery.
    Recovery,
}

const CLIENT: &[(&str, Metric, Rule, bool)] = &[
    ("response_time", Metric::ResponseTime, Rule::Times, false),
    ("service_time", Metric::ServiceTime, Rule::Times, false),
    ("journey_time", Metric::JourneyTime, Rule::Times, false),
    ("requests", Metric::Requests, Rule::Events, false),
    ("successes", Metric::Successes, Rule::Events, false),
    ("responses", Metric::Responses { status: None }, Rule::Events, false),
    ("errors", Metric::Errors { kind: None }, Rule::Failures, false),
    ("checks", Metric::Checks, Rule::Shares, false),
    ("availability", Metric::Availability, Rule::Shares, false),
    ("dropped", Metric::Dropped, Rule::Events, false),
    ("users", Metric::Users, Rule::Levels, false),
    ("in_flight", Metric::InFlight, Rule::Levels, false),
    ("iterations", Metric::Iterations, Rule::Events, false),
    // k6's names. Its duration begins with the send.
    ("http_req_duration", Metric::ServiceTime, Rule::Times, true),
    ("http_req_failed", Metric::Errors { kind: None }, Rule::Failures, true),
    ("http_reqs", Metric::Requests, Rule::Events, true),
    ("vus", Metric::Users, Rule::Levels, true),
];

const UNBUILT: &[&str] = &[
    "poll_time",
    "fallback_time",
    "ttft",
    "tpot",
    "inter_chunk_latency",
    "tokens_per_second",
    "retries",
    "fallbacks",
    "output_tokens",
    "breaking_point",
    "aws.alarm.fired",
    "aws.ecs.tasks_stopped",
    "aws.ecs.network_rx_bytes",
    "aws.ecs.network_tx_bytes",
];

const UNBUILT_FAMILIES: &[&str] = &[
    "aws.rds.",
    "aws.elasticache.",
    "aws.sqs.",
    "aws.s3.",
    "aws.http-api.",
    "aws.cloudwatch.",
    "log.",
    "k8s.",
    "prom.",
];

/// The time of a recovery, which has no metric of its own.
pub(super) fn recovery() -> Meaning {
    Meaning {
        metric: Metric::ResponseTime,
        rule: Rule::Recovery,
        k6: false,
    }
}

/// What a name means.
pub(super) fn meaning(name: &str) -> Result<Meaning, Fault> {
    if let Some((_, metric, rule, k6)) = CLIENT.iter().find(|(known, ..)| *known == name) {
        return Ok(Meaning {
            metric: metric.clone(),
            rule: *rule,
            k6: *k6,
        });
    }
    if name == "aws.autoscaling.activities" {
        return Ok(Meaning {
            metric: Metric::ScalingActivities,
            rule: Rule::Count,
            k6: false,
        });
    }
    if UNBUILT.contains(&name) || UNBUILT_FAMILIES.iter().any(|family| name.starts_with(family)) {
        return Err(Fault::new(
            format!("the metric `{name}` is not supported by this version"),
            "leave the criterion out or comment it out; the rest of the profile works without it",
        ));
    }
    if let Some((kind, metric)) = name.strip_prefix("aws.").and_then(|rest| rest.split_once('.'))
        && let Some(row) = cloud_metric(kind, metric)
    {
        return Ok(Meaning {
            metric: Metric::Aws {
                kind: kind.to_owned(),
                metric: metric.to_owned(),
            },
            rule: Rule::Aws(row),
            k6: false,
        });
    }
    Err(Fault::new(format!("unknown metric `{name}`"), unknown_help(name)))
}

fn unknown_help(name: &str) -> String {
    let of_kind = |kind: &str| -> Vec<&str> {
        let rows = AWS_METRICS.iter().filter(|metric| metric.kind == kind);
        rows.map(|metric| metric.name).collect()
    };
    // Only the metric is compared where the kind is right: a long common beginning makes everything look alike.
    if let Some((kind, metric)) = name.strip_prefix("aws.").and_then(|rest| rest.split_once('.'))
        && !of_kind(kind).is_empty()
    {
        return match suggest::nearest(metric, of_kind(kind)) {
            Some(candidate) => format!("did you mean `aws.{kind}.{candidate}`?"),
            None => format!("known metrics of {kind}: {}", suggest::list(of_kind(kind))),
        };
    }
    let aws: Vec<String> = AWS_METRICS
        .iter()
        .map(|metric| format!("aws.{}.{}", metric.kind, metric.name))
        .collect();
    let client = CLIENT.iter().map(|(known, ..)| *known);
    let every = client
        .clone()
        .chain(aws.iter().map(String::as_str))
        .chain(["aws.autoscaling.activities"]);
    match suggest::nearest(name, every) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if name.starts_with("aws.") => {
            "write `aws.KIND.METRIC`; known kinds: `lambda`, `dynamodb`, `rest-api`, `alb`, `ecs`, `autoscaling`".to_owned()
        }
        None => format!("known metrics: {}, and `aws.KIND.METRIC`", suggest::list(client)),
    }
}

/// The unit in which a limit is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Seconds,
    Number,
    Share,
    PerSecond,
}

impl Meaning {
    /// Whether AWS measures it.
    pub(super) fn is_aws(&self) -> bool {
        matches!(self.metric, Metric::Aws { .. } | Metric::ScalingActivities)
    }

    /// Whether the client's time line has it; whole journeys are only counted by phase.
    pub(super) fn is_in_time_line(&self) -> bool {
        !self.is_aws() && !matches!(self.metric, Metric::JourneyTime | Metric::Iterations)
    }

    /// A written condition in the units of this metric.
    pub(super) fn condition(&self, text: &str, written: &Written) -> Result<Condition, Fault> {
        let (aggregation, unit) = self
            .aggregation(written.stat, &written.limit)
            .map_err(|fault| fault.within(written.stat_at.clone()))?;
        let limit = self
            .limit(&written.limit, unit)
            .map_err(|fault| fault.within(written.limit_at.clone()))?;
        Ok(Condition {
            text: text.trim().to_owned(),
            aggregation,
            limit,
        })
    }

    fn aggregation(&self, stat: Stat, limit: &Limit) -> Result<(Aggregation, Unit), Fault> {
        let found = match self.rule {
            Rule::Times if self.metric == Metric::JourneyTime && growth(stat).is_some() => None,
            Rule::Times => times(stat),
            Rule::Events => events(stat, limit),
            Rule::Failures => failures(stat, limit),
            Rule::Shares => (stat == Stat::Rate).then_some((Aggregation::Share, Unit::Share)),
            Rule::Levels => levels(stat),
            Rule::Count => (stat == Stat::Count).then_some((Aggregation::Count, Unit::Number)),
            Rule::Aws(row) => aws(row, stat),
            Rule::Recovery => (stat == Stat::Time).then_some((Aggregation::Time, Unit::Seconds)),
        };
        found.ok_or_else(|| self.inapplicable(stat))
    }

    fn inapplicable(&self, stat: Stat) -> Fault {
        let name = stat.name();
        if matches!(self.rule, Rule::Recovery) {
            return Fault::new(
                format!("`{name}` does not apply to a criterion with `from`"),
                "write it as `time < 30s`",
            );
        }
        let applicable = match self.rule {
            Rule::Times => "`avg`, `min`, `med`, `max`, `p(N)`, `growth(avg)`, `growth(p(N))`".to_owned(),
            Rule::Events | Rule::Failures => "`count`, `rate`".to_owned(),
            Rule::Shares => "`rate`".to_owned(),
            Rule::Levels => "`avg`, `min`, `max`, `value`".to_owned(),
            Rule::Count => "`count`".to_owned(),
            Rule::Recovery => "`time`".to_owned(),
            Rule::Aws(row) => suggest::list(row.statistics.iter().map(|statistic| statistic_name(*statistic))),
        };
        Fault::new(
            format!("`{name}` does not apply to `{}`", self.metric),
            format!("statistics of this metric: {applicable}"),
        )
    }

    fn limit(&self, limit: &Limit, unit: Unit) -> Result<Limit, Fault> {
        Ok(match limit {
            Limit::Compare(op, quantity) => Limit::Compare(*op, self.quantity(*quantity, unit)?),
            Limit::Range { from, to, not } => Limit::Range {
                from: self.quantity(*from, unit)?,
                to: self.quantity(*to, unit)?,
                not: *not,
            },
            Limit::Ask(op) => Limit::Ask(*op),
        })
    }

    fn quantity(&self, quantity: Quantity, unit: Unit) -> Result<Quantity, Fault> {
        let wrong = |message: &str, help: &str| Err(Fault::new(message, help));
        match (unit, quantity) {
            (Unit::Seconds, Quantity::Seconds(_))
            | (Unit::Number, Quantity::Number(_))
            | (Unit::Share, Quantity::Share(_))
            | (Unit::PerSecond, Quantity::PerSecond(_)) => Ok(quantity),
            (Unit::Seconds, Quantity::Number(millis)) if self.k6 => Ok(Quantity::Seconds(millis / 1e3)),
            (Unit::Seconds, Quantity::Number(0.0)) => Ok(Quantity::Seconds(0.0)),
            (Unit::Share, Quantity::Number(share)) if !matches!(self.rule, Rule::Aws(_)) => Ok(Quantity::Share(share)),
            (Unit::PerSecond, Quantity::Number(rate)) => Ok(Quantity::PerSecond(rate)),
            (Unit::Seconds, _) => wrong("the limit must be a duration", "give it a unit, such as `500ms` or `15s`"),
            (Unit::Number, _) => wrong("the limit must be a plain number", "write it without a unit"),
            (Unit::Share, _) => wrong("the limit must be a percentage", "give it the unit `%`, such as `1%`"),
            (Unit::PerSecond, _) => wrong("the limit must be a rate", "give it a unit, such as `500/s`"),
        }
    }
}

fn growth(stat: Stat) -> Option<(Aggregation, Unit)> {
    match stat {
        Stat::GrowthAvg => Some((Aggregation::GrowthAvg, Unit::Share)),
        Stat::GrowthPercentile(n) => Some((Aggregation::GrowthPercentile(n), Unit::Share)),
        _ => None,
    }
}

fn times(stat: Stat) -> Option<(Aggregation, Unit)> {
    let aggregation = match stat {
        Stat::Avg => Aggregation::Avg,
        Stat::Min => Aggregation::Min,
        Stat::Max => Aggregation::Max,
        Stat::Med => Aggregation::Med,
        Stat::Percentile(n) => Aggregation::Percentile(n),
        _ => return growth(stat),
    };
    Some((aggregation, Unit::Seconds))
}

fn is_share(limit: &Limit) -> bool {
    matches!(
        limit,
        Limit::Compare(_, Quantity::Share(_))
            | Limit::Range {
                from: Quantity::Share(_),
                ..
            }
    )
}

fn events(stat: Stat, limit: &Limit) -> Option<(Aggregation, Unit)> {
    match stat {
        Stat::Count => Some((Aggregation::Count, Unit::Number)),
        Stat::Rate if is_share(limit) => Some((Aggregation::Share, Unit::Share)),
        Stat::Rate => Some((Aggregation::PerSecond, Unit::PerSecond)),
        _ => None,
    }
}

fn failures(stat: Stat, limit: &Limit) -> Option<(Aggregation, Unit)> {
    let per_second = matches!(
        limit,
        Limit::Compare(_, Quantity::PerSecond(_))
            | Limit::Range {
                from: Quantity::PerSecond(_),
                ..
            }
    );
    match stat {
        Stat::Count => Some((Aggregation::Count, Unit::Number)),
        Stat::Rate if per_second => Some((Aggregation::PerSecond, Unit::PerSecond)),
        Stat::Rate => Some((Aggregation::Share, Unit::Share)),
        _ => None,
    }
}

fn levels(stat: Stat) -> Option<(Aggregation, Unit)> {
    let aggregation = match stat {
        Stat::Avg => Aggregation::Avg,
        Stat::Min => Aggregation::Min,
        Stat::Max => Aggregation::Max,
        Stat::Value => Aggregation::Value,
        _ => return None,
    };
    Some((aggregation, Unit::Number))
}

fn aws(row: &AwsMetric, stat: Stat) -> Option<(Aggregation, Unit)> {
    let unit = match row.unit {
        AwsUnit::Time => Unit::Seconds,
        AwsUnit::Percent => Unit::Share,
        AwsUnit::CountOrShare if stat == Stat::Avg => Unit::Share,
        AwsUnit::Number | AwsUnit::CountOrShare => Unit::Number,
    };
    let (statistic, aggregation, unit) = match stat {
        Stat::Sum => (AwsStatistic::Sum, Aggregation::Sum, unit),
        Stat::Avg => (AwsStatistic::Average, Aggregation::Avg, unit),
        Stat::Min => (AwsStatistic::Minimum, Aggregation::Min, unit),
        Stat::Max => (AwsStatistic::Maximum, Aggregation::Max, unit),
        Stat::Count => (AwsStatistic::SampleCount, Aggregation::Count, Unit::Number),
        Stat::Med => (AwsStatistic::Percentile, Aggregation::Med, unit),
        Stat::Percentile(n) => (AwsStatistic::Percentile, Aggregation::Percentile(n), unit),
        Stat::GrowthAvg if row.unit != AwsUnit::CountOrShare => (AwsStatistic::Average, Aggregation::GrowthAvg, Unit::Share),
        Stat::GrowthPercentile(n) => (AwsStatistic::Percentile, Aggregation::GrowthPercentile(n), Unit::Share),
        _ => return None,
    };
    row.statistics.contains(&statistic).then_some((aggregation, unit))
}

fn statistic_name(statistic: AwsStatistic) -> &'static str {
    match statistic {
        AwsStatistic::Sum => "sum",
        AwsStatistic::Average => "avg",
        AwsStatistic::Minimum => "min",
        AwsStatistic::Maximum => "max",
        AwsStatistic::SampleCount => "count",
        AwsStatistic::Percentile => "p(N)",
    }
}
