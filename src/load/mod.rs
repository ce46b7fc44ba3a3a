//! The load engine: when requests are due, who sends them, what came of them.
//!
//! One current-thread runtime a core, nothing shared on the hot path. Only `http` knows hyper; nothing here knows AWS
//! or reports.
//!
//! ```text
//! shape -due-> worker -> session -Request-> exchange (http) -Answer-> check
//!                                    |
//!                                 recorder (a log a thread) -Window-> collector -> Recording
//!                                                                        +-> progress, abort
//! ```

mod abort;
mod alarm;
mod check;
mod collector;
mod dice;
mod document;
mod engine;
#[cfg(test)]
mod engine_tests;
mod error;
mod errors;
mod exchange;
mod flight;
mod generator;
mod http;
mod limits;
mod moment;
mod path;
mod progress;
mod recorder;
pub mod recording;
mod render;
pub mod sample;
mod script;
pub mod select;
mod session;
pub mod shape;
pub mod sparse;
mod store;
#[cfg(test)]
mod testing;
mod worker;
#[cfg(test)]
mod worker_tests;

pub use engine::{Handle, Options, SLOTS, Stop, Stopper, start};
pub use error::LoadError;
pub use http::reach;
pub use progress::Progress;
pub use recording::{Bucket, Cell, Counts, EndReason, ErrorSeen, Generator, PhaseWindow, Recording, Selection, Slice};
pub use sample::{Failure, Outcome, Sample};
pub use sparse::Sparse;
