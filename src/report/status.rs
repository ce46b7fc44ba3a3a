//! How a status is shown, and which one is graver.

use crate::analysis::{Judged, Status};

/// The sign, the word and the class of a status.
#[must_use]
pub fn sign(status: Status) -> (&'static str, &'static str, &'static str) {
    match status {
        Status::Pass => ("✓", "PASS", "pass"),
        Status::Warn => ("!", "WARN", "warn"),
        Status::Fail => ("✗", "FAIL", "fail"),
        Status::Unknown => ("?", "UNKNOWN", "unknown"),
        Status::Invalid => ("✗", "INVALID", "invalid"),
    }
}

/// The gravest first, otherwise in the profile's order.
#[must_use]
pub fn gravest_first(criteria: &[Judged]) -> Vec<&Judged> {
    let mut sorted: Vec<&Judged> = criteria.iter().collect();
    sorted.sort_by_key(|judged| gravity(judged.status));
    sorted
}

/// 0 is the gravest.
#[must_use]
pub fn gravity(status: Status) -> u8 {
    match status {
        Status::Invalid => 0,
        Status::Fail => 1,
        Status::Unknown => 2,
        Status::Warn => 3,
        Status::Pass => 4,
    }
}
