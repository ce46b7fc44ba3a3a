//! What saturated, as far as the ledger is evidence: no throttle, no sentence.

use crate::metrics::{Says, Statistic, Throttle};
use crate::units;

use super::model::Report;
use super::{moment, names};

/// The throttle that came first, and what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// `lambda supervisor-agent, reserved limit 100, from 14:05`.
    pub first: String,
    /// Sentences that it rests on, without full stops.
    pub evidence: Vec<String>,
    /// The greatest one, when that is another.
    pub greatest: Option<String>,
}

/// Reads the ledger.
#[must_use]
pub fn cause(report: &Report) -> Option<Cause> {
    let throttles = &report.throttles.throttles;
    let first = throttles.iter().min_by_key(|throttle| throttle.first)?;
    let greatest = throttles.iter().max_by(|a, b| a.count.total_cmp(&b.count))?;
    Some(Cause {
        first: headline(report, first),
        evidence: evidence(report, first),
        greatest: (greatest != first).then(|| {
            format!(
                "{} ({})",
                headline(report, greatest),
                units::count(throttles_of(greatest), "throttle")
            )
        }),
    })
}

/// `lambda supervisor-agent/index`.
#[must_use]
pub fn name(throttle: &Throttle, profile: &str) -> String {
    names::with_part(&names::short(&throttle.resource, profile), &throttle.part)
}

/// Who says so, in two words.
#[must_use]
pub fn says(says: Says) -> &'static str {
    match says {
        Says::Aws => "AWS says",
        Says::Inferred => "inferred",
    }
}

fn headline(report: &Report, throttle: &Throttle) -> String {
    format!(
        "{}, {}, from {}",
        name(throttle, &report.run.profile),
        throttle.cause,
        moment::near(throttle.first, report.run.started)
    )
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of requests")]
fn throttles_of(throttle: &Throttle) -> usize {
    throttle.count.max(0.0) as usize
}

fn evidence(report: &Report, throttle: &Throttle) -> Vec<String> {
    let started = report.run.started;
    let mut sentences = vec![format!(
        "{}, at most {} a minute at {} ({})",
        units::count(throttles_of(throttle), "throttle"),
        units::number(throttle.peak),
        moment::near(throttle.peak_at, started),
        says(throttle.says)
    )];
    sentences.extend(concurrency(report, throttle));
    sentences.extend(first_error(report, throttle));
    sentences
}

/// Only where the cause is a limit of concurrency and AWS measured the concurrency.
fn concurrency(report: &Report, throttle: &Throttle) -> Option<String> {
    let limit = throttle.cause.strip_prefix("reserved limit ")?;
    let greatest = report
        .series
        .iter()
        .filter(|series| {
            series.resource == throttle.resource
                && series.metric == "aws.lambda.concurrent_executions"
                && series.statistic == Statistic::Maximum
        })
        .flat_map(|series| series.points.iter().map(|(_, value)| *value))
        .reduce(f64::max)?;
    Some(format!("concurrency reached {} of {limit}", units::number(greatest)))
}

/// Minutes are as fine as AWS's numbers are, so nothing finer is said.
fn first_error(report: &Report, throttle: &Throttle) -> Option<String> {
    let first = report.errors.iter().min_by(|a, b| a.first.total_cmp(&b.first))?;
    let at = moment::epoch(report.run.started) + first.first;
    let what = first
        .status
        .map_or_else(|| format!("`{}`", first.kind), |status| format!("HTTP {status}"));
    let minute = |epoch: f64| (epoch / 60.0).floor();
    Some(if minute(at).total_cmp(&minute(moment::epoch(throttle.first))).is_eq() {
        format!("the same minute as the first client error ({what})")
    } else {
        format!(
            "the first client error ({what}) came at {}",
            moment::near(moment::at(at), report.run.started)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn the_cause_rests_on_the_ledger() {
        let cause = cause(&fixtures::throttled()).unwrap();
        assert_eq!(cause.first, "lambda supervisor-agent, reserved limit 100, from 14:05");
        assert_eq!(
            cause.evidence,
            [
                "498 throttles, at most 186 a minute at 14:07 (inferred)",
                "concurrency reached 100 of 100",
                "the same minute as the first client error (HTTP 500)",
            ]
        );
        assert_eq!(cause.greatest, None);
    }

    #[test]
    fn a_healthy_run_has_no_cause() {
        assert_eq!(cause(&fixtures::passed()), None);
    }
}
