//! Criteria over what CloudWatch measured: each resource is judged and the worst decides.

use std::collections::BTreeSet;
use std::time::Duration;

use super::bands::{Outcome, assess, is_worse};
use super::select::Picker;
use super::subject::Subject;
use super::tally::Gap;
use super::verdict::Evidence;
use super::words::moment;
use crate::metrics::align::{MINUTE, after};
use crate::metrics::catalogue::{self, Row};
use crate::metrics::{Series, TimeWindow};
use crate::scenario::{Criterion, Scope};

/// Judges a criterion over `aws.KIND.METRIC`, and names what decided.
pub(super) fn judge<'a>(criterion: &'a Criterion, kind: &str, metric: &str, evidence: &Evidence<'_>) -> (Outcome<'a>, Option<String>) {
    let name = format!("aws.{kind}.{metric}");
    let chosen = chosen(&name, &criterion.scope, evidence.series);
    let windows = windows(criterion, evidence);
    let why = match (catalogue::find(kind, metric), chosen.is_empty(), windows.is_empty()) {
        (None, ..) => format!("`{name}` is not known"),
        (_, true, _) => "it was not collected for any resource".to_owned(),
        (_, _, true) => "the run reached none of its phases".to_owned(),
        (Some(row), false, false) => return worst(criterion, row, &chosen, &windows),
    };
    (assess(criterion, |_| Err(Gap(why.clone()))), None)
}

/// The series of a metric in a scope. An account's own series count only where there are no others.
fn chosen<'s>(metric: &str, scope: &Scope, series: &'s [Series]) -> Vec<&'s Series> {
    let all: Vec<&Series> = series
        .iter()
        .filter(|series| series.metric == metric)
        .filter(|series| scope.on.is_empty() || scope.on.iter().any(|selector| series.is_of(selector)))
        .collect();
    let single: Vec<&Series> = all.iter().copied().filter(|series| !series.resource.ends_with("/*")).collect();
    if single.is_empty() { all } else { single }
}

/// The stretches to judge: the scope's phases by whole minutes, or every window of the criterion's length in them.
fn windows(criterion: &Criterion, evidence: &Evidence<'_>) -> Vec<Vec<TimeWindow>> {
    let stretches = stretches(&criterion.scope, evidence);
    let Some(window) = criterion.window else {
        return if stretches.is_empty() { Vec::new() } else { vec![stretches] };
    };
    let length = minutes_of(window);
    let mut windows = Vec::new();
    for stretch in stretches {
        let mut from = stretch.from;
        loop {
            let to = after(from, Duration::from_secs(u64::from(length)));
            windows.push(vec![TimeWindow {
                from,
                to: to.min(stretch.to),
            }]);
            if to >= stretch.to {
                break;
            }
            from = after(from, Duration::from_secs(u64::from(MINUTE)));
        }
    }
    windows
}

/// Whole minutes of a duration, in seconds; at least one.
pub(super) fn minutes_of(window: Duration) -> u32 {
    u32::try_from(window.as_secs().div_ceil(60).max(1) * 60).unwrap_or(u32::MAX)
}

/// The scope's phases as minutes; the whole window without phases.
pub(super) fn stretches(scope: &Scope, evidence: &Evidence<'_>) -> Vec<TimeWindow> {
    if scope.phases.is_empty() {
        return vec![evidence.window];
    }
    let of_phases = Scope {
        phases: scope.phases.clone(),
        ..Scope::default()
    };
    Picker::new(evidence.recording, &of_phases)
        .spans()
        .into_iter()
        .map(|span| TimeWindow::covering(moment(evidence.recording, span.from), moment(evidence.recording, span.to)))
        .filter_map(|window| window.clipped(&evidence.window))
        .collect()
}

/// One resource, one part of it, one set of windows; the worst of all decides.
fn worst<'a>(criterion: &'a Criterion, row: &Row, chosen: &[&Series], windows: &[Vec<TimeWindow>]) -> (Outcome<'a>, Option<String>) {
    let mut worst: Option<(Outcome<'a>, Subject<'_>)> = None;
    let owners: BTreeSet<(&str, &str)> = chosen
        .iter()
        .map(|series| (series.resource.as_str(), series.part.as_str()))
        .collect();
    for (resource, part) in owners {
        let subjects = windows.iter().map(|windows| Subject {
            row,
            series: chosen,
            resource,
            part,
            windows,
        });
        let mut outcomes: Vec<(Outcome<'a>, Subject<'_>)> = subjects
            .map(|subject| (assess(criterion, |aggregation| subject.read(aggregation)), subject))
            .collect();
        // Of many windows those without data say nothing, as long as others do.
        if outcomes.iter().any(|(outcome, _)| outcome.reading.is_some()) {
            outcomes.retain(|(outcome, _)| outcome.reading.is_some());
        }
        for (outcome, subject) in outcomes {
            if worst.as_ref().is_none_or(|(known, _)| is_worse(&outcome, known)) {
                worst = Some((outcome, subject));
            }
        }
    }
    match worst {
        Some((outcome, subject)) => {
            let text = subject.worst(criterion, &outcome);
            (outcome, Some(text))
        }
        None => (assess(criterion, |_| Err(Gap("no data".to_owned()))), None),
    }
}
