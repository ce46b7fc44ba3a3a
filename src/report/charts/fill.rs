//! From a series to the points of a line: units, rates, and zeros where AWS says zero by saying nothing.

use std::collections::BTreeMap;

use crate::metrics::{Completeness, Missing, Series};

use super::super::model::Report;
use super::super::moment;
use super::Unit;

/// Until when a missing point can be told from a late one, and from when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Known {
    from: f64,
    settled: f64,
    provisional: f64,
}

impl Known {
    /// The minutes of the load; for provisional series only those that are complete.
    pub(super) fn of(report: &Report) -> Self {
        let from = (moment::epoch(report.run.started) / 60.0).floor() * 60.0;
        let settled = (moment::epoch(report.run.ended) / 60.0).ceil() * 60.0;
        let complete = report.throttles.complete_to.map_or(from, moment::epoch);
        Self {
            from,
            settled,
            provisional: complete.min(settled),
        }
    }

    fn to(&self, completeness: &Completeness) -> f64 {
        match completeness {
            Completeness::Settled => self.settled,
            Completeness::Provisional => self.provisional,
            Completeness::Empty | Completeness::Failed { .. } => self.from,
        }
    }
}

/// The points as they are drawn.
pub(super) fn points(series: &Series, known: Known, factor: f64) -> Vec<(f64, f64)> {
    let period = f64::from(series.period.max(1));
    let published = series
        .points
        .iter()
        .filter(|(_, value)| value.is_finite())
        .map(|(at, value)| (moment::epoch(*at), value * factor));
    if series.missing == Missing::Unknown {
        return published.collect();
    }
    with_zeros(published, known.from, known.to(&series.completeness), period)
}

/// The points and a zero for every period between two moments that has none.
pub(super) fn with_zeros(published: impl Iterator<Item = (f64, f64)>, from: f64, to: f64, period: f64) -> Vec<(f64, f64)> {
    let mut all: BTreeMap<i64, f64> = BTreeMap::new();
    let mut at = from;
    while at + period <= to + 0.5 {
        all.insert(whole(at), 0.0);
        at += period;
    }
    all.extend(published.map(|(at, value)| (whole(at), value)));
    all.into_iter().map(|(at, value)| (back(at), value)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "minutes are whole seconds")]
fn whole(at: f64) -> i64 {
    at.round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
fn back(at: i64) -> f64 {
    at as f64
}

/// How a unit of AWS is written, and the factor to get there.
pub(super) fn unit(aws: &str) -> (Unit, f64) {
    match aws {
        "ms" => (Unit::Seconds, 0.001),
        "s" => (Unit::Seconds, 1.0),
        "%" => (Unit::Percent, 1.0),
        "bytes" | "bytes/s" => (Unit::Bytes, 1.0),
        "MB" => (Unit::Bytes, 1_048_576.0),
        _ => (Unit::Number, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::*;

    #[test]
    fn a_gap_is_a_zero_only_where_aws_says_so_and_only_as_far_as_minutes_are_complete() {
        let report = fixtures::throttled();
        let known = Known::of(&report);
        let mut series = report
            .series
            .iter()
            .find(|series| series.metric == "aws.lambda.throttles" && !series.points.is_empty())
            .unwrap()
            .clone();
        series.points.truncate(1);
        series.missing = Missing::Zero;
        series.completeness = Completeness::Settled;
        assert_eq!(points(&series, known, 1.0).len(), 5);
        series.missing = Missing::Unknown;
        assert_eq!(points(&series, known, 1.0).len(), 1);
        series.missing = Missing::Zero;
        series.completeness = Completeness::Failed { error: "denied".into() };
        assert_eq!(points(&series, known, 1.0).len(), 1);
    }
}
