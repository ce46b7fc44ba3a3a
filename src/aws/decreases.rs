//! When DynamoDB allows the next decrease.
//!
//! Four decreases a UTC day, then one an hour after the last; the day begins anew at 00:00 UTC. Table and each index
//! have budgets of their own.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::units::Timestamp;

/// Decreases of a day that need no pause.
const FREE: u32 = 4;
/// Between two decreases once the day's first four are spent.
const PAUSE: Duration = Duration::from_hours(1);

/// Whether a `LimitExceededException` is about decreases: the same code stands for unrelated limits.
pub(super) fn refused(message: &str) -> bool {
    message.to_ascii_lowercase().contains("decrease")
}

/// Whether a budget allows no decrease now.
pub(super) fn spent(used: u32, last: Option<Timestamp>, now: Timestamp) -> bool {
    used >= FREE && last.is_some_and(|last| by_rule(Some(last), now) > now)
}

/// The time that AWS names in the refusal. AWS formats it for people, in two ways so far.
pub(super) fn named(message: &str) -> Option<Timestamp> {
    let (_, tail) = message.split_once("Next decrease can be made at")?;
    // Newer Java runtimes put a narrow space before AM and PM.
    let tail = tail.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = ["AM", "PM"].into_iter().filter_map(|half| tail.find(half)).min()? + 2;
    let text = tail.get(..end)?;
    [
        "%A, %B %d, %Y at %I:%M:%S %p",
        "%A, %B %d, %Y %I:%M:%S %p",
        "%A, %B %d, %Y, %I:%M:%S %p",
    ]
    .into_iter()
    .find_map(|format| DateTime::strptime(format, text).ok())
    .and_then(|at| at.to_zoned(TimeZone::UTC).ok())
    .map(|at| at.timestamp())
}

/// By the rule, when AWS names no time: an hour after the last decrease, or midnight UTC if that is sooner.
pub(super) fn by_rule(last: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let pause_over = last.unwrap_or(now).saturating_add(PAUSE).unwrap_or(Timestamp::MAX);
    let midnight = now
        .to_zoned(TimeZone::UTC)
        .tomorrow()
        .and_then(|tomorrow| tomorrow.start_of_day())
        .map_or(Timestamp::MAX, |midnight| midnight.timestamp());
    pause_over.min(midnight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_time_that_aws_names_is_read_in_either_form() {
        let head = "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. Number of \
                    decreases today: 8. Last decrease at Monday, October 10, 2022 at 1:00:19 PM Coordinated Universal Time. ";
        for (tail, want) in [
            (
                "Next decrease can be made at Monday, October 10, 2022 at 2:00:19 PM Coordinated Universal Time",
                "2022-10-10T14:00:19Z",
            ),
            (
                "Next decrease can be made at Monday, October 10, 2022 2:00:19\u{202f}PM UTC",
                "2022-10-10T14:00:19Z",
            ),
            (
                "Next decrease can be made at Sunday, November 22, 2026 at 12:00:00 AM UTC.",
                "2026-11-22T00:00:00Z",
            ),
        ] {
            let message = format!("{head}{tail}");
            assert!(refused(&message));
            assert_eq!(named(&message), Some(at(want)), "{tail}");
        }
        assert_eq!(named("Next decrease can be made at some time"), None);
        assert_eq!(named("There is a limit of 500 concurrent table operations"), None);
    }

    #[test]
    fn the_rule_is_an_hour_after_the_last_or_midnight() {
        let now = at("2026-11-21T12:30:00Z");
        assert_eq!(by_rule(Some(at("2026-11-21T12:10:00Z")), now), at("2026-11-21T13:10:00Z"));
        assert_eq!(by_rule(None, now), at("2026-11-21T13:30:00Z"));
        let late = at("2026-11-21T23:30:00Z");
        assert_eq!(by_rule(Some(at("2026-11-21T23:20:00Z")), late), at("2026-11-22T00:00:00Z"));
    }
}
