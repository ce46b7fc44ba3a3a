//! The write-ahead journal: what was changed, from what, by whom, and what is still outstanding.
//!
//! Every intent is on disk before its call. It knows settings, and nothing of AWS or profiles.

pub mod record;

pub use record::{Outcome, Owner, Record, Started, VERSION, Way};
