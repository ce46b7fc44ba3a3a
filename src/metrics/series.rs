//! One metric of one resource over time.

use serde::{Deserialize, Serialize};

use crate::units::Timestamp;

/// One statistic of one metric of one resource, minute by minute. A minute without a point is a gap, never a zero,
/// unless `missing` says that AWS publishes nothing for zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// `lambda/hcg-demo-webhook-handler`, `dynamodb/conversations`, or the account's `lambda/*`.
    pub resource: String,
    /// Sub-resource: an index, an operation, a target group; empty otherwise.
    pub part: String,
    /// `aws.lambda.throttles`.
    pub metric: String,
    /// Which statistic the points are.
    pub statistic: Statistic,
    /// AWS's unit, as a name for people: `count`, `ms`, `s`, `%`, `units`.
    pub unit: String,
    /// Seconds of a point.
    pub period: u32,
    /// Start of the minute and value, ascending.
    pub points: Vec<(Timestamp, f64)>,
    /// What a gap means.
    pub missing: Missing,
    /// How complete the points are.
    pub completeness: Completeness,
}

/// A CloudWatch statistic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "CloudWatch's own names")]
pub enum Statistic {
    Sum,
    Average,
    Minimum,
    Maximum,
    SampleCount,
    /// 0 to 100.
    Percentile(f64),
}

/// What a missing point means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// AWS publishes nothing for zero.
    Zero,
    /// Nobody knows.
    Unknown,
}

/// How complete a series is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Completeness {
    /// Two pulls agreed after the publishing delay.
    Settled,
    /// Points may still come or change.
    Provisional,
    /// Nothing was ever published for these dimensions.
    Empty,
    /// AWS refused or failed.
    Failed {
        /// In words.
        error: String,
    },
}

impl Series {
    /// Whether a selector such as `lambda/orders` or `dynamodb/hcg-*` points at its resource.
    #[must_use]
    pub fn is_of(&self, selector: &str) -> bool {
        super::wildcard(selector, &self.resource)
    }

    /// The resource without its kind, with the part: `conversations/by-user`.
    #[must_use]
    pub fn short_name(&self) -> String {
        let name = self.resource.split_once('/').map_or(self.resource.as_str(), |(_, name)| name);
        if self.part.is_empty() {
            name.to_owned()
        } else {
            format!("{name}/{}", self.part)
        }
    }
}
