//! What the result means: pure functions of a scenario, a recording and series.
//!
//! No clock, no files, no AWS.

pub mod reconcile;
pub mod verdict;

pub use reconcile::{Explained, Reconciliation};
pub use verdict::{Judged, Status, Verdict};
