//! Every throttle by resource and cause.

use serde::{Deserialize, Serialize};

use crate::units::Timestamp;

/// All throttles of a window, and what was looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Greatest first.
    pub throttles: Vec<Throttle>,
    /// Resources looked at, as `KIND/NAME`.
    pub looked_at: Vec<String>,
    /// What was not, or could not be, looked at, and why.
    pub not_looked_at: Vec<String>,
    /// Minutes up to here are complete.
    pub complete_to: Option<Timestamp>,
}

/// The throttles of one resource for one cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throttle {
    /// `lambda/hcg-demo-supervisor-agent`.
    pub resource: String,
    /// An index; empty otherwise.
    pub part: String,
    /// In all.
    pub count: f64,
    /// In the worst minute.
    pub peak: f64,
    /// The worst minute.
    pub peak_at: Timestamp,
    /// First and last minute with throttles.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// In words: `reserved limit 100`, `key range, write`, `provisioned units, write`.
    pub cause: String,
    /// Who says so.
    pub says: Says,
    /// By minute, for charts.
    pub minutes: Vec<(Timestamp, f64)>,
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// A metric or a reason of AWS names the cause.
    Aws,
    /// Concluded from other metrics of the same minute.
    Inferred,
}
