//! Moments for people, in UTC, because AWS, the client and the reader may all sit in different zones.

use crate::units::Timestamp;

/// `14:04`.
#[must_use]
pub fn minute(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}

/// `14:04:09`.
#[must_use]
pub fn second(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// `21 Nov`.
#[must_use]
pub fn day(at: Timestamp) -> String {
    at.strftime("%-d %b").to_string()
}

/// `21 Nov 2026`.
#[must_use]
pub fn date(at: Timestamp) -> String {
    at.strftime("%-d %b %Y").to_string()
}

/// `2026-11-21T14:04:09Z`, for data that programs read.
#[must_use]
pub fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `14:04`, or `22 Nov 14:04` when that is another day than the reference.
#[must_use]
pub fn near(at: Timestamp, reference: Timestamp) -> String {
    if day(at) == day(reference) {
        minute(at)
    } else {
        format!("{} {}", day(at), minute(at))
    }
}

/// Seconds since 1970, to calculate with.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^52")]
pub fn epoch(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1_000.0
}

/// The moment of so many seconds since 1970.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "moments of a run; what jiff cannot hold becomes 1970")]
pub fn at(epoch: f64) -> Timestamp {
    Timestamp::from_millisecond((epoch * 1_000.0).round() as i64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_in_utc_and_name_the_day_only_when_it_is_another() {
        let at_four: Timestamp = "2026-11-21T14:04:09Z".parse().unwrap();
        let next: Timestamp = "2026-11-22T00:10:00Z".parse().unwrap();
        assert_eq!(minute(at_four), "14:04");
        assert_eq!(date(at_four), "21 Nov 2026");
        assert_eq!(iso(at_four), "2026-11-21T14:04:09Z");
        assert_eq!(near(at_four, at_four), "14:04");
        assert_eq!(near(next, at_four), "22 Nov 00:10");
        assert_eq!(at(epoch(at_four)), at_four);
    }
}
