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
        let badness = reading.scale.badness(&shown.limit, wanted, reading.value);
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
