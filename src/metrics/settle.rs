//! When numbers that arrive late are final: two pulls in a row agree, or nobody waits any longer.
//!
//! A state machine over pulls; it asks no clock.

use std::time::Duration;

use super::align::{MINUTE, after, ceil, floor};
use super::source::NO_ANSWER;
use super::{Completeness, Series};
use crate::units::Timestamp;

/// How long to wait for CloudWatch. All counted from the end of the last minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Pulls before this prove nothing.
    pub first: Duration,
    /// From one pull to the next.
    pub every: Duration,
    /// After this the numbers stay provisional.
    pub give_up: Duration,
}

impl Patience {
    /// What AWS's delays demand. A point of Lambda appears when its invocation has ended, so the longest timeout of
    /// the functions is added.
    #[must_use]
    pub fn aws(longest_timeout: Duration) -> Self {
        Self {
            first: Duration::from_mins(5) + longest_timeout,
            every: Duration::from_mins(1),
            give_up: Duration::from_mins(20) + longest_timeout,
        }
    }

    /// For an endpoint that is not AWS itself and has no such delays.
    #[must_use]
    pub fn for_endpoint_override() -> Self {
        Self {
            first: Duration::from_secs(1),
            every: Duration::from_secs(1),
            give_up: Duration::from_secs(30),
        }
    }
}

/// What to do after a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Not yet: pull again then.
    PullAgainAt(Timestamp),
    /// Two pulls agreed.
    Settled,
    /// They never did; the numbers are provisional for good.
    GiveUp,
}

/// The settling of one window.
#[derive(Clone, Debug)]
pub struct Settling {
    closed: Timestamp,
    patience: Patience,
    last: Option<Vec<Series>>,
}

impl Settling {
    /// Of a window that ends here; its last minute closes first.
    #[must_use]
    pub fn new(end: Timestamp, patience: Patience) -> Self {
        Self {
            closed: ceil(end, MINUTE),
            patience,
            last: None,
        }
    }

    /// When the last minute is over.
    #[must_use]
    pub fn closed(&self) -> Timestamp {
        self.closed
    }

    /// Before this no pull counts.
    #[must_use]
    pub fn first_pull(&self) -> Timestamp {
        after(self.closed, self.patience.first)
    }

    /// When the numbers are final if nothing moves: what a report calls "final about".
    #[must_use]
    pub fn final_about(&self) -> Timestamp {
        after(self.first_pull(), self.patience.every)
    }

    /// Takes a pull, made at that time.
    pub fn next(&mut self, at: Timestamp, pull: &[Series]) -> Next {
        if at < self.first_pull() {
            return Next::PullAgainAt(self.first_pull());
        }
        if self.last.as_deref().is_some_and(|last| agree(last, pull)) {
            return Next::Settled;
        }
        self.last = Some(pull.to_vec());
        let again = after(at, self.patience.every);
        if again > after(self.closed, self.patience.give_up) {
            Next::GiveUp
        } else {
            Next::PullAgainAt(again)
        }
    }
}

/// Whether two pulls say the same. A series that got no answer agrees with nothing; one that AWS refused will be
/// refused again.
fn agree(left: &[Series], right: &[Series]) -> bool {
    let unanswered = |series: &Series| matches!(&series.completeness, Completeness::Failed { error } if error.starts_with(NO_ANSWER));
    left == right && !left.iter().any(unanswered)
}

/// Marks a pull that settled.
pub fn mark_settled(series: &mut [Series]) {
    for series in series {
        if series.completeness == Completeness::Provisional {
            series.completeness = Completeness::Settled;
        }
    }
}

/// Up to when minutes are complete, by what is known of the delays: everything once settled, else what is older than
/// `delay` at the time of the pull.
#[must_use]
pub fn complete_to(end: Timestamp, pulled: Timestamp, delay: Duration, settled: bool) -> Timestamp {
    if settled {
        return end;
    }
    let behind = jiff::SignedDuration::try_from(delay)
        .ok()
        .and_then(|delay| pulled.checked_sub(delay).ok())
        .unwrap_or(Timestamp::MIN);
    floor(behind, MINUTE).min(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Missing, Statistic};

    fn at(minute: &str) -> Timestamp {
        format!("2026-11-21T14:{minute}Z").parse().unwrap()
    }

    fn pull(count: f64) -> Vec<Series> {
        vec![Series {
            resource: "lambda/orders".to_owned(),
            part: String::new(),
            metric: "aws.lambda.throttles".to_owned(),
            statistic: Statistic::Sum,
            unit: "count".to_owned(),
            period: 60,
            points: vec![(at("05:00"), count)],
            missing: Missing::Zero,
            completeness: Completeness::Provisional,
        }]
    }

    fn failed(error: &str) -> Vec<Series> {
        let mut series = pull(0.0);
        series[0].points.clear();
        series[0].completeness = Completeness::Failed { error: error.to_owned() };
        series
    }

    fn settling() -> Settling {
        Settling::new(at("08:30"), Patience::aws(Duration::from_mins(1)))
    }

    #[test]
    fn the_last_minute_closes_before_anything_is_counted() {
        let settling = settling();
        assert_eq!(settling.closed(), at("09:00"));
        assert_eq!(settling.first_pull(), at("15:00"));
        assert_eq!(settling.final_about(), at("16:00"));
    }

    #[test]
    fn two_equal_pulls_settle_but_not_before_the_delay() {
        let mut settling = settling();
        assert_eq!(settling.next(at("09:00"), &pull(1.0)), Next::PullAgainAt(at("15:00")));
        assert_eq!(settling.next(at("10:00"), &pull(1.0)), Next::PullAgainAt(at("15:00")));
        assert_eq!(settling.next(at("15:00"), &pull(1.0)), Next::PullAgainAt(at("16:00")));
        assert_eq!(settling.next(at("16:00"), &pull(1.0)), Next::Settled);
    }

    #[test]
    fn numbers_that_keep_moving_stay_provisional() {
        let mut settling = settling();
        let mut now = at("15:00");
        for count in 0..100 {
            match settling.next(now, &pull(f64::from(count))) {
                Next::PullAgainAt(again) => now = again,
                Next::GiveUp => {
                    assert!(now >= at("29:00") && now <= at("30:00"), "{now}");
                    return;
                }
                Next::Settled => panic!("settled on moving numbers"),
            }
        }
        panic!("never gave up");
    }

    #[test]
    fn no_answer_twice_is_no_agreement_but_a_refusal_is() {
        let mut first = settling();
        assert_eq!(
            first.next(at("15:00"), &failed("no answer: timeout")),
            Next::PullAgainAt(at("16:00"))
        );
        assert_eq!(
            first.next(at("16:00"), &failed("no answer: timeout")),
            Next::PullAgainAt(at("17:00"))
        );
        let mut second = settling();
        assert_eq!(
            second.next(at("15:00"), &failed("AWS refused: denied")),
            Next::PullAgainAt(at("16:00"))
        );
        assert_eq!(second.next(at("16:00"), &failed("AWS refused: denied")), Next::Settled);
    }

    #[test]
    fn the_errors_word_tells_whether_to_try_again() {
        use crate::metrics::MetricError;
        assert!(MetricError::Failed("x".to_owned()).to_string().starts_with(NO_ANSWER));
        assert!(!MetricError::Refused("x".to_owned()).to_string().starts_with(NO_ANSWER));
    }

    #[test]
    fn settling_changes_only_what_was_provisional() {
        let mut series = failed("AWS refused: denied");
        series.extend(pull(1.0));
        mark_settled(&mut series);
        assert!(matches!(series[0].completeness, Completeness::Failed { .. }));
        assert_eq!(series[1].completeness, Completeness::Settled);
    }

    #[test]
    fn minutes_younger_than_the_delay_may_change() {
        let delay = Duration::from_mins(5);
        assert_eq!(complete_to(at("12:00"), at("12:20"), delay, false), at("07:00"));
        assert_eq!(complete_to(at("12:00"), at("12:20"), delay, true), at("12:00"));
        assert_eq!(complete_to(at("12:00"), at("40:00"), delay, false), at("12:00"));
    }
}
