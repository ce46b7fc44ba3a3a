//! The model's own clock value: a moment since the Unix epoch.
//!
//! Knows no real clock; whoever drives the model says what time it is.

use std::ops::Add;
use std::time::Duration;

/// A moment. Only its difference to others and its minute matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(Duration);

impl Time {
    pub(crate) const fn since_epoch(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    pub(crate) const fn elapsed(self) -> Duration {
        self.0
    }

    /// How long after `earlier` this is; nothing when it is not after.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The start of the minute this moment is in, in seconds since the epoch.
    pub(crate) const fn minute(self) -> u64 {
        self.0.as_secs() / 60 * 60
    }

    /// The next whole second, strictly after this moment.
    pub(crate) const fn next_second(self) -> Self {
        Self(Duration::from_secs(self.0.as_secs() + 1))
    }

    /// The last moment before this one: what is measured up to a minute's end belongs to that minute.
    pub(crate) fn just_before(self) -> Self {
        Self(self.0.saturating_sub(Duration::from_nanos(1)))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, more: Duration) -> Self {
        Self(self.0.saturating_add(more))
    }
}
