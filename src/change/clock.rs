//! Wall-clock time for records, under the tests' control.

use tokio::time::Instant;

use crate::units::Timestamp;

/// Where the time of a record comes from.
pub enum Clock {
    /// The system's.
    System,
    /// Moves with tokio's clock, which tests pause.
    Since(Timestamp, Instant),
}

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Since(base, start) => base.checked_add(start.elapsed()).unwrap_or(*base),
        }
    }
}
