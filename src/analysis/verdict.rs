//! Criteria, judged.

use serde::{Deserialize, Serialize};

/// How a criterion, or a run, came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the words are the report's own")]
pub enum Status {
    Pass,
    Warn,
    Fail,
    /// No data, not yet, or a limit that only the profile's owner can know.
    Unknown,
    /// The run proves nothing.
    Invalid,
}

/// One criterion with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The criterion's name.
    pub name: String,
    /// `response_time p(95)`, `aws.lambda.throttles sum`.
    pub measured: String,
    /// The target as written: `< 15s`.
    pub target: String,
    /// The value for people: `3.9s`; `–` when there is none.
    pub got: String,
    /// The bare value in its base unit.
    pub value: Option<f64>,
    /// How it came out.
    pub status: Status,
    /// The worst minute and its value, for people: `5.2s at 14:08`, or the resource that decided.
    pub worst: Option<String>,
    /// How many samples or points it rests on.
    pub samples: u64,
    /// Phase or other scope, for people; empty is everything.
    pub scope: String,
    /// Why UNKNOWN, or what the value is over (`one-minute averages`), in a sentence.
    pub note: Option<String>,
    /// An AWS number that may still change.
    pub provisional: bool,
}

/// All criteria and what follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The gravest: INVALID, FAIL, UNKNOWN, WARN, PASS.
    pub overall: Status,
    /// In the profile's order.
    pub criteria: Vec<Judged>,
}
