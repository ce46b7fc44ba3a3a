//! What came of one request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One ended request. All times count from the start of the load.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When it should have been sent. Open: by the schedule (first step) or the previous end plus think time.
    /// Closed: when the user was ready to send.
    pub due: Duration,
    /// When its first byte was handed to the socket; equal to `done` when it never was.
    pub sent: Duration,
    /// When its last byte came, or it failed.
    pub done: Duration,
    /// Index into the scenario's journeys.
    pub journey: u16,
    /// Index into the journey's steps.
    pub step: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes sent and received, bodies only.
    pub bytes: (u64, u64),
    /// Checks evaluated and held.
    pub checks: (u16, u16),
}

/// How a started request ended; each ends once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer came and every check held.
    Passed(u16),
    /// An answer came with this status, and a check did not hold.
    Failed(u16, Failure),
    /// No answer came.
    Lost(Failure),
    /// Stopped by us while in flight.
    Interrupted,
    /// Never sent: stopped by us before.
    Unsent,
}

/// Why a request counts as an error; the class that `errors` of a criterion names by `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// No complete answer within the timeout.
    Timeout,
    /// No connection: refused, unreachable, name not found.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The connection broke after the request was begun.
    Reset,
    /// The answer was no HTTP, or too large.
    Protocol,
    /// A check on the status did not hold.
    Status,
    /// Another check did not hold; its index in the step's `pass`.
    Check(u16),
    /// A value for a template or a save was not there.
    Data,
}

impl Failure {
    /// The word that reports and criteria use.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::Status => "status",
            Self::Check(_) => "check",
            Self::Data => "data",
        }
    }
}
