//! What the result means: pure functions of a scenario, a recording and series.
//!
//! No clock, no files, no AWS.

pub mod asks;
mod bands;
mod client;
mod cloudwatch;
#[cfg(test)]
pub(crate) mod fixture;
pub mod reconcile;
mod recovery;
mod scaling;
pub mod select;
mod subject;
pub mod tally;
pub mod verdict;
mod words;

pub use asks::asks;
pub use reconcile::{Explained, FrontDoor, Reconciliation, reconcile};
pub use verdict::{Evidence, Judged, Status, Verdict, exit, judge};
