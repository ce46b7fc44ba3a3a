//! The verbs over settings: plan, prepare, cleanup.
//!
//! It knows settings and the journal; AWS is behind the `Cloud` trait, profiles and screens are not known here.

pub mod apply;
pub mod cleanup;
pub mod clock;
pub mod cloud;
pub mod event;
#[cfg(test)]
mod fake;
pub mod force;
pub mod owned;
pub mod plan;
pub mod preflight;
pub mod prepare;
#[cfg(test)]
mod promise;
pub mod settle;

pub use cleanup::{Drift, Left, OnDrift, Restored};
pub use clock::Clock;
pub use cloud::{Caller, Cloud, CloudError, Concurrency, Observed, ScalingNow, Surroundings};
pub use event::{Event, Events};
pub use force::in_force;
pub use prepare::{Failure, Prepared};

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::journal::Journal;

/// What every verb needs: the account, the journal, the time, and somebody to tell.
pub struct Verb<'a, C> {
    /// The account.
    pub cloud: &'a C,
    /// Shared by the lanes; the lock is held only while a record is written.
    pub journal: &'a Mutex<Journal>,
    /// Wall-clock time for records.
    pub clock: &'a Clock,
    /// Who watches.
    pub events: &'a Events,
    /// Stops before the next call; what is in flight is waited for.
    pub stop: &'a CancellationToken,
}

impl<C> Verb<'_, C> {
    /// The journal, to write one record. A lane that panicked while it wrote left a whole record or a torn line, which
    /// the next reader cuts: the journal stays usable.
    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
