//! Minutes: CloudWatch knows nothing finer, so every window is made of whole ones.

use std::time::Duration;

use jiff::SignedDuration;

use super::TimeWindow;
use crate::units::Timestamp;

/// Seconds of a minute.
pub const MINUTE: u32 = 60;

impl TimeWindow {
    /// The minutes that a stretch of time touches; at least one.
    #[must_use]
    pub fn covering(from: Timestamp, to: Timestamp) -> Self {
        Self::covering_by(from, to, MINUTE)
    }

    /// The same with periods other than a minute, as old metrics demand.
    #[must_use]
    pub fn covering_by(from: Timestamp, to: Timestamp, period: u32) -> Self {
        let from = floor(from, period);
        Self {
            from,
            to: ceil(to, period).max(after(from, Duration::from_secs(u64::from(period)))),
        }
    }

    /// How long it is, in seconds.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        u32::try_from(self.to.as_second() - self.from.as_second()).unwrap_or(0)
    }

    /// How many minutes it has.
    #[must_use]
    pub fn minutes(&self) -> u32 {
        self.seconds() / MINUTE
    }

    /// Whether a moment is in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        at >= self.from && at < self.to
    }

    /// The part of it that is in another one as well.
    #[must_use]
    pub fn clipped(&self, to: &Self) -> Option<Self> {
        let both = Self {
            from: self.from.max(to.from),
            to: self.to.min(to.to),
        };
        (both.from < both.to).then_some(both)
    }
}

/// The start of the period that a moment is in.
#[must_use]
pub fn floor(at: Timestamp, period: u32) -> Timestamp {
    let second = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
    let period = i64::from(period.max(1));
    Timestamp::from_second(second.div_euclid(period) * period).unwrap_or(at)
}

/// The start of the next period, or the moment itself when a period starts there.
#[must_use]
pub fn ceil(at: Timestamp, period: u32) -> Timestamp {
    let down = floor(at, period);
    if down == at {
        at
    } else {
        after(down, Duration::from_secs(u64::from(period)))
    }
}

/// A moment later.
#[must_use]
pub fn after(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// A moment some seconds after another, as offsets of a recording count them.
#[must_use]
pub fn offset(at: Timestamp, seconds: f64) -> Timestamp {
    after(at, Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

/// The finest period that CloudWatch still has of metrics that old, in seconds. A finer one answers nothing, without
/// an error.
#[must_use]
pub fn finest_period(age: Duration) -> u32 {
    const DAY: u64 = 86_400;
    match age.as_secs() {
        ..=1_295_999 => MINUTE,
        seconds if seconds < 63 * DAY => 300,
        _ => 3_600,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_covers_every_minute_that_it_touches() {
        let window = TimeWindow::covering(at("2026-11-21T14:04:00.5Z"), at("2026-11-21T14:09:00.1Z"));
        assert_eq!(window.from, at("2026-11-21T14:04:00Z"));
        assert_eq!(window.to, at("2026-11-21T14:10:00Z"));
        assert_eq!(window.minutes(), 6);
        assert!(!window.contains(window.to));
    }

    #[test]
    fn whole_minutes_stay_and_nothing_is_still_a_minute() {
        let sharp = at("2026-11-21T14:04:00Z");
        assert_eq!(TimeWindow::covering(sharp, at("2026-11-21T14:09:00Z")).minutes(), 5);
        assert_eq!(TimeWindow::covering(sharp, sharp).minutes(), 1);
    }

    #[test]
    fn moments_before_1970_round_down_as_well() {
        assert_eq!(floor(at("1969-12-31T23:59:59.5Z"), 60), at("1969-12-31T23:59:00Z"));
    }

    #[test]
    fn old_metrics_are_asked_for_with_coarse_periods() {
        let days = |n: u64| Duration::from_secs(n * 86_400);
        assert_eq!(finest_period(days(1)), 60);
        assert_eq!(finest_period(days(15)), 300);
        assert_eq!(finest_period(days(63)), 3_600);
    }
}
