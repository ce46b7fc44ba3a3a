//! `run.json`: everything about a run that any format shows. Versioned; renderings look nothing else up.

use serde::{Deserialize, Serialize};

use crate::analysis::{Reconciliation, Verdict};
use crate::load::EndReason;
use crate::metrics::{Ledger, Series};
use crate::units::Timestamp;

/// The format's version.
pub const VERSION: u32 = 1;

/// A run, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of this format.
    pub version: u32,
    /// What ran, where and when.
    pub run: RunInfo,
    /// Why the load ended.
    pub end: EndReason,
    /// Criteria and overall.
    pub verdict: Verdict,
    /// When AWS's numbers are expected to be final; `None` when they are, or there are none.
    pub provisional_until: Option<Timestamp>,
    /// Whether the run counts at all.
    pub generator: GeneratorFigures,
    /// tidegate's own changes during the run.
    pub settings: SettingsFigures,
    /// The whole load.
    pub load: LoadFigures,
    /// By phase, in order.
    pub phases: Vec<PhaseLine>,
    /// By journey and step, in order.
    pub steps: Vec<StepLine>,
    /// Greatest first, bounded.
    pub errors: Vec<ErrorLine>,
    /// Throttles by cause.
    pub throttles: Ledger,
    /// Client against AWS.
    pub reconciliation: Reconciliation,
    /// The client's time line.
    pub timeline: Vec<TimePoint>,
    /// Seconds of a point of the time line.
    pub bucket_seconds: f64,
    /// AWS's time lines.
    pub series: Vec<Series>,
    /// What happened: phases, our changes, scaling.
    pub marks: Vec<Mark>,
}

/// What ran, where and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RunInfo {
    pub id: String,
    pub profile: String,
    pub scenario: String,
    pub description: String,
    /// Empty without AWS.
    pub account: String,
    pub region: String,
    /// Only when it is not AWS itself.
    pub endpoint: Option<String>,
    pub target: String,
    pub started: Timestamp,
    pub ended: Timestamp,
    /// Other than 1: a REHEARSAL.
    pub time_scale: f64,
    pub seed: u64,
    /// `tidegate 0.1.0`.
    pub tool: String,
    /// `500 users`, `100–500 users, 10/s`: the load in words.
    pub shape: String,
}

/// Whether the generator kept up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct GeneratorFigures {
    pub threads: u32,
    pub dropped: u64,
    pub imbalance: u64,
    /// Seconds, open arrivals: median, 99th percentile, greatest.
    pub lag: [f64; 3],
    /// Of one core: 1.0 is a whole one.
    pub cpu: f64,
    /// Empty when the run is valid.
    pub invalid: Vec<String>,
}

/// What tidegate has changed in the account while the run went on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SettingsFigures {
    /// Settings that the profile wishes.
    pub wished: usize,
    /// Of these, in force as observed before the load.
    pub in_force: usize,
    /// Settings that are changed and wait for `cleanup`.
    pub outstanding: Vec<ChangeLine>,
}

/// One setting that is changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ChangeLine {
    pub setting: String,
    pub before: String,
    pub now: String,
    pub at: Timestamp,
}

/// The whole load. Latencies are seconds; `None` where nothing was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LoadFigures {
    /// Attempts.
    pub requests: u64,
    pub answered: u64,
    pub passed: u64,
    /// Failed or lost.
    pub errors: u64,
    pub interrupted: u64,
    pub unsent: u64,
    pub dropped: u64,
    /// Attempts a second over the load.
    pub rate: f64,
    pub error_share: f64,
    pub statuses: std::collections::BTreeMap<u16, u64>,
    pub failures: std::collections::BTreeMap<String, u64>,
    /// From due (open) or send (closed), all that ended by themselves.
    pub response: Option<Percentiles>,
    /// From the send.
    pub service: Option<Percentiles>,
    pub seconds: f64,
}

/// Seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Percentiles {
    pub avg: f64,
    pub min: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

/// One phase. Offsets are seconds from the start of the load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PhaseLine {
    pub name: String,
    pub shape: String,
    pub from: f64,
    pub to: f64,
    pub requests: u64,
    pub rate: f64,
    pub error_share: f64,
    pub response: Option<Percentiles>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StepLine {
    pub journey: String,
    pub step: String,
    pub requests: u64,
    pub rate: f64,
    pub errors: u64,
    pub error_share: f64,
    pub response: Option<Percentiles>,
    /// Of the failed ones alone, when there are any.
    pub response_failed: Option<Percentiles>,
    pub service: Option<Percentiles>,
}

/// One distinct error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ErrorLine {
    pub journey: String,
    pub step: String,
    pub kind: String,
    pub status: Option<u16>,
    pub text: String,
    pub count: u64,
    /// Seconds from the start of the load.
    pub first: f64,
    pub last: f64,
}

/// One bucket of the client's time line. Latencies are seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TimePoint {
    /// Seconds from the start of the load.
    pub at: f64,
    pub users: u32,
    pub in_flight: u32,
    pub requests: u64,
    pub errors: u64,
    pub dropped: u64,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
}

/// Something that happened at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// What sort.
    pub kind: MarkKind,
    /// In words.
    pub text: String,
}

/// What sort of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// A phase began.
    Phase,
    /// tidegate changed a setting.
    Change,
    /// Application Auto Scaling did something.
    Scaling,
    /// The load was stopped early.
    Stop,
}
