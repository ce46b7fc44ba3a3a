//! Criteria over what the client measured.

use std::ops::Range;
use std::time::Duration;

use super::bands::{Outcome, Reading, assess, is_worse};
use super::select::Picker;
use super::tally::{Gap, Tally};
use super::words::{Scale, clock, moment};
use crate::load::Recording;
use crate::metrics::align::MINUTE;
use crate::scenario::{Aggregation, Condition, Criterion, Metric};

/// Judges the criterion, and says which minute was worst.
pub(super) fn judge<'a>(criterion: &'a Criterion, metric: &Metric, recording: &Recording) -> (Outcome<'a>, Option<String>) {
    let picker = Picker::new(recording, &criterion.scope);
    if let Some(window) = criterion.window {
        return sliding(criterion, metric, &picker, window);
    }
    let whole = Tally::whole(metric, &picker);
    let outcome = assess(criterion, |aggregation| read(metric, &picker, whole.as_ref(), aggregation));
    let worst = outcome.shown.and_then(|shown| worst_minute(criterion, metric, &picker, shown));
    (outcome, worst)
}

fn read(metric: &Metric, picker: &Picker<'_>, whole: Option<&Tally>, aggregation: Aggregation) -> Result<Reading, Gap> {
    let Some(whole) = whole else {
        return Err(Gap("the run reached nothing that belongs to the scope".to_owned()));
    };
    match aggregation {
        Aggregation::GrowthAvg => growth(metric, picker, Aggregation::Avg, aggregation),
        Aggregation::GrowthPercentile(p) => growth(metric, picker, Aggregation::Percentile(p), aggregation),
        _ => of_tally(metric, whole, aggregation),
    }
}

fn of_tally(metric: &Metric, tally: &Tally, aggregation: Aggregation) -> Result<Reading, Gap> {
    Ok(Reading {
        value: tally.value(metric, aggregation)?,
        scale: Scale::of_client(metric, aggregation),
        samples: tally.samples(),
        note: None,
        provisional: false,
        at_least: None,
    })
}

/// The last tenth of the time line against its first.
fn growth(metric: &Metric, picker: &Picker<'_>, base: Aggregation, shown: Aggregation) -> Result<Reading, Gap> {
    let buckets: Vec<usize> = picker.spans().into_iter().flat_map(|span| picker.buckets(span)).collect();
    let tenth = buckets.len() / 10;
    if tenth == 0 {
        return Err(Gap("too short to compare its last tenth with its first".to_owned()));
    }
    let over = |chosen: &[usize]| {
        let mut tally = Tally::buckets(metric, picker, 0..0);
        for bucket in chosen {
            tally.add(&Tally::buckets(metric, picker, *bucket..bucket + 1));
        }
        tally
    };
    let (first, last) = (over(&buckets[..tenth]), over(&buckets[buckets.len() - tenth..]));
    Ok(Reading {
        value: grown(first.value(metric, base)?, last.value(metric, base)?)?,
        scale: Scale::of_client(metric, shown),
        samples: first.samples() + last.samples(),
        note: None,
        provisional: false,
        at_least: None,
    })
}

/// How much the last is above the first, as a share of the first.
pub(super) fn grown(first: f64, last: f64) -> Result<f64, Gap> {
    if first == 0.0 {
        return Err(Gap("the first tenth is zero, so there is no growth in percent".to_owned()));
    }
    Ok(last / first - 1.0)
}

/// Every window of that length; the worst decides.
fn sliding<'a>(criterion: &'a Criterion, metric: &Metric, picker: &Picker<'_>, window: Duration) -> (Outcome<'a>, Option<String>) {
    let mut worst: Option<(Outcome<'a>, usize)> = None;
    for span in picker.spans() {
        slide(
            metric,
            picker,
            picker.buckets(span),
            width(picker.recording(), window),
            |first, tally| {
                let outcome = assess(criterion, |aggregation| of_tally(metric, tally, aggregation));
                // A window without any data says nothing; when all are, the criterion is UNKNOWN below.
                let says_something = outcome.reading.is_some();
                if says_something && worst.as_ref().is_none_or(|(known, _)| is_worse(&outcome, known)) {
                    worst = Some((outcome, first));
                }
            },
        );
    }
    let Some((outcome, first)) = worst else {
        let nothing = || Err(Gap("no window of it has any data".to_owned()));
        return (assess(criterion, |_| nothing()), None);
    };
    let at = clock(moment(picker.recording(), picker.bucket_at(first)));
    let text = outcome
        .reading
        .as_ref()
        .map(|reading| format!("{} at {at}", reading.scale.show(reading.value)));
    (outcome, text)
}

/// Buckets of a window; at least one.
fn width(recording: &Recording, window: Duration) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number of buckets, saturating"
    )]
    let buckets = (window.as_secs_f64() / recording.bucket_seconds).round() as usize;
    buckets.max(1)
}

/// Calls with every window of so many buckets; a stretch that is shorter is one window.
fn slide(metric: &Metric, picker: &Picker<'_>, range: Range<usize>, width: usize, mut each: impl FnMut(usize, &Tally)) {
    if range.is_empty() {
        return;
    }
    let width = width.min(range.len());
    let mut tally = Tally::buckets(metric, picker, range.start..range.start + width);
    each(range.start, &tally);
    for first in range.start + 1..=range.end - width {
        tally.add(&Tally::buckets(metric, picker, first + width - 1..first + width));
        tally.remove_first(&Tally::buckets(metric, picker, first - 1..first));
        each(first, &tally);
    }
}

/// The minute with the worst value of the shown condition.
fn worst_minute(criterion: &Criterion, metric: &Metric, picker: &Picker<'_>, shown: &Condition) -> Option<String> {
    let wanted = criterion.pass.as_ref() == Some(shown);
    let mut worst: Option<(f64, String)> = None;
    for minute in picker.spans().into_iter().flat_map(|span| minutes(picker, picker.buckets(span))) {
        let at = moment(picker.recording(), picker.bucket_at(minute.start));
        let Ok(reading) = of_tally(metric, &Tally::buckets(metric, picker, minute), shown.aggregation) else {
            continue;
        };
        let badness = Scale::badness(&shown.limit, wanted, reading.value);
        if worst.as_ref().is_none_or(|(known, _)| badness > *known) {
            worst = Some((badness, format!("{} at {}", reading.scale.show(reading.value), clock(at))));
        }
    }
    worst.map(|(_, text)| text)
}

/// The buckets of each minute of the clock; buckets longer than a minute stand for themselves.
pub(super) fn minutes(picker: &Picker<'_>, range: Range<usize>) -> Vec<Range<usize>> {
    let minute = |bucket: usize| {
        moment(picker.recording(), picker.bucket_at(bucket))
            .as_second()
            .div_euclid(i64::from(MINUTE))
    };
    let mut minutes: Vec<Range<usize>> = Vec::new();
    for bucket in range {
        match minutes.last_mut() {
            Some(last) if minute(last.start) == minute(bucket) => last.end = bucket + 1,
            _ => minutes.push(bucket..bucket + 1),
        }
    }
    minutes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Status;
    use crate::analysis::fixture::{answers, criterion, small};

    /// Two phases of 60 s in buckets of 10 s; the second is slower and fails one of ten.
    fn run() -> Recording {
        let calm = || answers(&[100; 10], &[]);
        let busy = || answers(&[400; 9], &[900]);
        let buckets = (0..12).map(|at| if at < 6 { calm() } else { busy() }).collect();
        small(&[("calm", 60.0), ("busy", 120.0)], 10.0, buckets)
    }

    fn value(metric: &Metric, text: &str) -> Result<f64, Gap> {
        let criterion = criterion("c", metric.clone(), &[("pass", text)]);
        let (outcome, _) = judge(&criterion, metric, &run());
        match (outcome.reading, outcome.notes.first()) {
            (Some(reading), _) => Ok(reading.value),
            (None, why) => Err(Gap(why.cloned().unwrap_or_default())),
        }
    }

    #[test]
    fn every_aggregation_of_every_metric_is_what_its_name_says() {
        let status = |status: &str| Metric::Responses {
            status: Some(status.to_owned()),
        };
        let errors = |kind: Option<&str>| Metric::Errors {
            kind: kind.map(str::to_owned),
        };
        for (metric, text, expected) in [
            (Metric::ResponseTime, "avg < 1s", (60.0 * 0.1 + 54.0 * 0.4 + 6.0 * 0.9) / 120.0),
            (Metric::ResponseTime, "min < 1s", 0.1),
            (Metric::ResponseTime, "max < 1s", 0.9),
            (Metric::ResponseTime, "med < 1s", 0.1),
            (Metric::ResponseTime, "p(90) < 1s", 0.4),
            (Metric::ResponseTime, "p(99) < 1s", 0.9),
            (Metric::ResponseTime, "count > 1", 120.0),
            (Metric::ResponseTime, "growth(avg) < 1%", 0.45 / 0.1 - 1.0),
            (Metric::ResponseTime, "growth(p(50)) < 1%", 3.0),
            (Metric::ServiceTime, "p(90) < 1s", 0.4),
            (Metric::JourneyTime, "med < 1s", 5.8),
            (Metric::Requests, "count > 0", 120.0),
            (Metric::Requests, "rate > 1/s", 1.0),
            (Metric::Successes, "rate > 1/s", 114.0 / 120.0),
            (Metric::Successes, "rate > 1%", 114.0 / 120.0),
            (status("5xx"), "count > 1", 6.0),
            (status("500"), "rate < 1%", 6.0 / 120.0),
            (status("429"), "count == 0", 0.0),
            (errors(None), "rate < 1%", 6.0 / 120.0),
            (errors(None), "count < 1", 6.0),
            (errors(None), "rate < 1/s", 6.0 / 120.0),
            (errors(Some("status")), "count < 1", 6.0),
            (errors(Some("timeout")), "count < 1", 0.0),
            (Metric::Checks, "rate > 90%", 114.0 / 120.0),
            (Metric::Availability, "rate > 90%", 114.0 / 120.0),
            (Metric::Dropped, "count == 0", 6.0),
            (Metric::Dropped, "rate < 1%", 6.0 / 126.0),
            (Metric::Users, "max < 1", 120.0),
            (Metric::Users, "min < 1", 10.0),
            (Metric::Users, "avg < 1", 65.0),
            (Metric::Users, "value < 1", 120.0),
            (Metric::InFlight, "max < 1", 48.0),
            (Metric::Iterations, "count > 1", 114.0),
        ] {
            let got = value(&metric, text).unwrap();
            assert!(
                (got - expected).abs() < expected.abs() * 0.002 + 1e-9,
                "{metric} {text}: {got} and not {expected}"
            );
        }
    }

    #[test]
    fn an_aggregation_that_says_nothing_of_a_metric_is_no_number() {
        for (metric, text) in [
            (Metric::Requests, "p(95) < 1"),
            (Metric::ResponseTime, "sum < 1s"),
            (Metric::Users, "rate < 1/s"),
            (Metric::Checks, "max < 1"),
        ] {
            assert!(value(&metric, text).unwrap_err().0.starts_with(&format!("`{metric}` has no ")));
        }
    }

    #[test]
    fn a_scope_is_a_part_of_the_run() {
        let judge_in = |edit: fn(&mut Criterion)| {
            let mut criterion = criterion("c", Metric::Errors { kind: None }, &[("pass", "rate < 5%")]);
            edit(&mut criterion);
            let run = run();
            let (outcome, worst) = judge(&criterion, &Metric::Errors { kind: None }, &run);
            (outcome.status, outcome.reading.map(|reading| reading.value), worst)
        };
        assert_eq!(
            judge_in(|c| c.scope.phases = vec!["calm".into()]),
            (Status::Pass, Some(0.0), Some("0% at 14:04".into()))
        );
        assert_eq!(
            judge_in(|c| c.scope.phases = vec!["bu*".into()]),
            (Status::Fail, Some(0.1), Some("10% at 14:05".into()))
        );
        assert_eq!(judge_in(|c| c.scope.tags = vec!["t".into()]).1, Some(0.05));
        assert_eq!(judge_in(|c| c.scope.steps = vec!["s".into()]).1, Some(0.05));
        assert_eq!(judge_in(|c| c.scope.journeys = vec!["other".into()]), (Status::Unknown, None, None));
        assert_eq!(judge_in(|c| c.scope.phases = vec!["never reached".into()]).0, Status::Unknown);
    }

    #[test]
    fn of_sliding_windows_the_worst_decides() {
        let windowed = |seconds, text| {
            let mut criterion = criterion("c", Metric::ResponseTime, &[("pass", text)]);
            criterion.window = Some(Duration::from_secs(seconds));
            let (outcome, worst) = judge(&criterion, &Metric::ResponseTime, &run());
            (outcome.status, worst)
        };
        assert_eq!(windowed(60, "avg < 400ms"), (Status::Fail, Some("450ms at 14:05".into())));
        assert_eq!(
            windowed(3_600, "avg < 400ms").0,
            Status::Pass,
            "a window longer than the run is the run"
        );
        assert_eq!(windowed(1, "max < 1s").0, Status::Pass);
    }

    #[test]
    fn windows_without_requests_say_nothing_but_nothing_at_all_is_unknown() {
        let quiet = |buckets: Vec<crate::load::Cell>| {
            let mut criterion = criterion("c", Metric::Errors { kind: None }, &[("pass", "rate < 1%")]);
            criterion.window = Some(Duration::from_secs(10));
            judge(&criterion, &Metric::Errors { kind: None }, &small(&[("p", 30.0)], 10.0, buckets))
                .0
                .status
        };
        assert_eq!(quiet(vec![answers(&[], &[]), answers(&[1], &[]), answers(&[], &[])]), Status::Pass);
        assert_eq!(
            quiet(vec![answers(&[], &[]), answers(&[], &[]), answers(&[], &[])]),
            Status::Unknown
        );
    }

    #[test]
    fn zero_requests_are_no_success() {
        let empty = small(&[("p", 30.0)], 10.0, vec![answers(&[], &[])]);
        for (metric, text) in [
            (Metric::ResponseTime, "p(95) < 1s"),
            (Metric::Errors { kind: None }, "rate < 1%"),
            (Metric::Errors { kind: None }, "count == 0"),
            (Metric::Checks, "rate > 99%"),
            (Metric::Availability, "rate > 99%"),
            (
                Metric::Responses {
                    status: Some("5xx".into()),
                },
                "count == 0",
            ),
        ] {
            let criterion = criterion("c", metric.clone(), &[("pass", text)]);
            assert_eq!(judge(&criterion, &metric, &empty).0.status, Status::Unknown, "{metric} {text}");
        }
        let criterion = criterion("c", Metric::Requests, &[("pass", "rate > 1/s")]);
        assert_eq!(
            judge(&criterion, &Metric::Requests, &empty).0.status,
            Status::Fail,
            "no requests are known to be none"
        );
    }

    #[test]
    fn a_target_that_fails_everything_at_once_is_not_fast() {
        let slow_failures = small(&[("p", 10.0)], 10.0, vec![answers(&[10; 5], &[20_000; 95])]);
        let criterion = criterion("c", Metric::ResponseTime, &[("pass", "p(95) < 1s")]);
        assert_eq!(judge(&criterion, &Metric::ResponseTime, &slow_failures).0.status, Status::Fail);
    }
}
