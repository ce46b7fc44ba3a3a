//! What the result is judged by.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use crate::units::Op;
use crate::units::Quantity;

/// A named judgement over one measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// Shown in every report.
    pub name: String,
    /// What is measured.
    pub measure: Measure,
    /// Where and when.
    pub scope: Scope,
    /// Missed = FAIL, or WARN when `fail` is given as well.
    pub pass: Option<Condition>,
    /// Holds = WARN.
    pub warn: Option<Condition>,
    /// Holds = FAIL.
    pub fail: Option<Condition>,
    /// Holds = the run proves nothing (exit 8).
    pub invalid: Option<Condition>,
    /// Only judged in this scenario.
    pub scenario: Option<String>,
    /// Every window of this length is judged and the worst decides; `None` is the whole scope.
    pub window: Option<Duration>,
    /// The load stops when the criterion has been failing this long. Client metrics only.
    pub abort_after: Option<Duration>,
}

/// What a criterion measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// A metric over the scope.
    Metric(Metric),
    /// The time from a moment until conditions hold.
    Recovery(Recovery),
}

/// The time from the end of a phase until all conditions hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// The phase after which the time is counted.
    pub after_phase: String,
    /// Client conditions, all of them.
    pub until: Vec<(Metric, Condition)>,
    /// And stay so for this long.
    pub hold: Duration,
}

/// A metric that a criterion may name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the schema reference explains each name")]
pub enum Metric {
    ResponseTime,
    ServiceTime,
    JourneyTime,
    Requests,
    Successes,
    /// Answers with this status, such as `429` or `5xx`.
    Responses {
        status: Option<String>,
    },
    /// Requests that failed, of this kind when given: timeout, connect, tls, reset, status, check.
    Errors {
        kind: Option<String>,
    },
    Checks,
    /// Not 5xx, timeout or refused.
    Availability,
    Dropped,
    Users,
    InFlight,
    Iterations,
    /// `aws.KIND.METRIC`.
    Aws {
        kind: String,
        metric: String,
    },
    /// `aws.autoscaling.activities`.
    ScalingActivities,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResponseTime => f.write_str("response_time"),
            Self::ServiceTime => f.write_str("service_time"),
            Self::JourneyTime => f.write_str("journey_time"),
            Self::Requests => f.write_str("requests"),
            Self::Successes => f.write_str("successes"),
            Self::Responses { .. } => f.write_str("responses"),
            Self::Errors { .. } => f.write_str("errors"),
            Self::Checks => f.write_str("checks"),
            Self::Availability => f.write_str("availability"),
            Self::Dropped => f.write_str("dropped"),
            Self::Users => f.write_str("users"),
            Self::InFlight => f.write_str("in_flight"),
            Self::Iterations => f.write_str("iterations"),
            Self::Aws { kind, metric } => write!(f, "aws.{kind}.{metric}"),
            Self::ScalingActivities => f.write_str("aws.autoscaling.activities"),
        }
    }
}

/// Which part of a run is looked at. Everything absent is the whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Phases by name; empty is all.
    pub phases: Vec<String>,
    /// Journeys by name; empty is all.
    pub journeys: Vec<String>,
    /// Steps by name; empty is all.
    pub steps: Vec<String>,
    /// Tags of journeys; empty is all.
    pub tags: Vec<String>,
    /// AWS resources as `KIND/NAME` with `*`; empty is each of the kind, the worst decides.
    pub on: Vec<String>,
}

/// An aggregation compared with a limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// As written, for reports.
    pub text: String,
    /// How the samples become one number.
    pub aggregation: Aggregation,
    /// What it is compared with.
    pub limit: Limit,
}

/// How samples become one number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Arithmetic mean.
    Avg,
    /// Least.
    Min,
    /// Median.
    Med,
    /// Greatest.
    Max,
    /// The Nth percentile, 0 to 100.
    Percentile(f64),
    /// Total.
    Sum,
    /// Number of them.
    Count,
    /// Events a second.
    PerSecond,
    /// Share of the attempts, between 0 and 1.
    Share,
    /// The newest.
    Value,
    /// The time of a recovery, in seconds.
    Time,
    /// The last tenth of the window against its first, as a share; of the mean or of the percentile (0 to 100).
    GrowthAvg,
    /// See `GrowthAvg`.
    GrowthPercentile(f64),
}

/// What an aggregation is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// One bound.
    Compare(Op, Quantity),
    /// Inside (or outside) both bounds, inclusive.
    Range {
        /// Lower bound.
        from: Quantity,
        /// Upper bound.
        to: Quantity,
        /// Outside instead of inside.
        not: bool,
    },
    /// `?`: only the profile's owner can know it; the verdict is UNKNOWN.
    Ask(Op),
}

impl Limit {
    /// Whether the value satisfies the limit; `None` when the limit is not known.
    #[must_use]
    pub fn holds(&self, value: f64) -> Option<bool> {
        match self {
            Self::Compare(op, bound) => Some(op.holds(value, bound.base())),
            Self::Range { from, to, not } => Some((value >= from.base() && value <= to.base()) != *not),
            Self::Ask(_) => None,
        }
    }
}
