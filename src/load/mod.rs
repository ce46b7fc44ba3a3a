//! The load engine: when requests are due, who sends them, what came of them.
//!
//! One current-thread runtime a core, nothing shared on the hot path. Only `http` knows hyper; nothing here knows AWS
//! or reports.

pub mod recording;
pub mod sample;

pub use recording::{Bucket, Cell, Counts, EndReason, ErrorSeen, Generator, PhaseWindow, Recording, Selection};
pub use sample::{Failure, Outcome, Sample};
