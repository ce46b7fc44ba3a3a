//! What the client saw against what AWS counted, by front door.

use serde::{Deserialize, Serialize};

/// The client's failures, explained as far as the numbers allow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Requests that failed or were lost, as the client counted.
    pub client_failures: u64,
    /// 429 answers and 5xx answers among them.
    pub client_429: u64,
    /// See `client_429`.
    pub client_5xx: u64,
    /// What explains them, greatest first; counts never add up to more than the failures.
    pub explained: Vec<Explained>,
    /// What nothing explains.
    pub unexplained: u64,
    /// In one sentence: `519 client failures = 498 Lambda throttles + 12 timeouts + 9 unexplained`.
    pub sentence: String,
}

/// A part of the client's failures with its explanation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// How many.
    pub count: u64,
    /// `Lambda throttles`, `timeouts`.
    pub by: String,
    /// How it is known, in a sentence.
    pub how: String,
}
