//! Phases and what happened, placed on the time axis.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::axis::TimeAxis;
use super::super::charts;
use super::{MarkKind, Report, moment};

/// A phase behind the charts, in percent of the axis.
pub(super) struct PhaseView {
    pub(super) name: String,
    pub(super) left: f64,
    pub(super) width: f64,
    /// In units of the pictures.
    x: f64,
    span: f64,
    odd: bool,
}

pub(super) fn phases(report: &Report, axis: TimeAxis) -> Vec<PhaseView> {
    let started = moment::epoch(report.run.started);
    report
        .phases
        .iter()
        .enumerate()
        .map(|(index, phase)| {
            let from = axis.share(started + phase.from).clamp(0.0, 1.0);
            let to = axis.share(started + phase.to).clamp(from, 1.0);
            PhaseView {
                name: phase.name.clone(),
                left: percent(from),
                width: percent(to - from),
                x: (from * charts::WIDTH).round(),
                span: ((to - from) * charts::WIDTH).round(),
                odd: index % 2 == 1,
            }
        })
        .collect()
}

/// Every other phase as one path.
pub(super) fn shade(phases: &[PhaseView]) -> String {
    let mut path = String::new();
    for phase in phases.iter().filter(|phase| phase.odd) {
        let _ = write!(path, "M{} 0h{}v1000h-{}z", phase.x, phase.span, phase.span);
    }
    path
}

/// Something that happened; numbered when it is on the axis.
pub(super) struct MarkView {
    pub(super) number: String,
    pub(super) when: String,
    pub(super) class: &'static str,
    pub(super) what: &'static str,
    pub(super) text: String,
    pub(super) place: Option<Place>,
    /// Seconds since 1970.
    pub(super) at: f64,
}

/// Where a mark's line and number are.
pub(super) struct Place {
    pub(super) left: f64,
    pub(super) x: f64,
    /// `3`, or `3–5` for neighbours that would overlap; empty for those that another's label names.
    pub(super) label: String,
}

/// Labels nearer than this share of the axis are one.
const APART: f64 = 0.03;
/// The same when there are many, whose common labels are wider.
const MANY_APART: f64 = 0.05;
const MANY: usize = 12;

pub(super) fn marks(report: &Report, axis: TimeAxis) -> Vec<MarkView> {
    let mut marks: Vec<_> = report.marks.iter().filter(|mark| mark.kind != MarkKind::Phase).collect();
    marks.sort_by_key(|mark| mark.at);
    let mut number = 0_usize;
    let mut views = Vec::new();
    for mark in marks {
        let share = axis.share(moment::epoch(mark.at));
        let place = (0.0..=1.0).contains(&share).then(|| {
            number += 1;
            Place {
                left: percent(share),
                x: (share * charts::WIDTH).round(),
                label: number.to_string(),
            }
        });
        let (class, what) = kind(mark.kind);
        views.push(MarkView {
            number: place.as_ref().map(|place| place.label.clone()).unwrap_or_default(),
            when: when(mark.at, report),
            class,
            what,
            text: mark.text.clone(),
            at: moment::epoch(mark.at),
            place,
        });
    }
    merge(&mut views);
    views
}

/// The lines of each sort of mark as one path.
pub(super) fn mark_lines(marks: &[MarkView]) -> Vec<(&'static str, String)> {
    let mut by_class: BTreeMap<&'static str, String> = BTreeMap::new();
    for mark in marks {
        if let Some(place) = &mark.place {
            let path = by_class.entry(mark.class).or_default();
            let _ = write!(path, "M{} 0V1000", place.x);
        }
    }
    by_class.into_iter().collect()
}

fn when(at: crate::units::Timestamp, report: &Report) -> String {
    if moment::day(at) == moment::day(report.run.started) {
        moment::second(at)
    } else {
        moment::near(at, report.run.started)
    }
}

fn kind(kind: MarkKind) -> (&'static str, &'static str) {
    match kind {
        MarkKind::Phase => ("phase", "phase"),
        MarkKind::Change => ("change", "our change"),
        MarkKind::Scaling => ("scaling", "scaling"),
        MarkKind::Stop => ("stop", "stop"),
    }
}

/// Gives labels that would overlap to the first of them.
fn merge(views: &mut [MarkView]) {
    let apart = percent(if views.len() > MANY { MANY_APART } else { APART });
    let mut head: Option<usize> = None;
    for index in 0..views.len() {
        let Some(left) = views[index].place.as_ref().map(|place| place.left) else {
            continue;
        };
        let near = head.filter(|head| views[*head].place.as_ref().is_some_and(|place| left - place.left < apart));
        let Some(first) = near else {
            head = Some(index);
            continue;
        };
        let label = format!("{}–{}", views[first].number, views[index].number);
        if let Some(place) = &mut views[first].place {
            place.label = label;
        }
        if let Some(place) = &mut views[index].place {
            place.label.clear();
        }
    }
}

fn percent(share: f64) -> f64 {
    (share * 100_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::*;

    #[test]
    fn marks_before_the_load_have_no_number_and_neighbours_share_a_label() {
        let report = fixtures::spike();
        let axis = charts::all(&report).axis;
        let views = marks(&report, axis);
        let labels: Vec<&str> = views.iter().filter_map(|view| Some(view.place.as_ref()?.label.as_str())).collect();
        assert_eq!(labels, ["1–2", "", "3"]);
        let report = fixtures::throttled();
        let views = marks(&report, charts::all(&report).axis);
        assert_eq!(views[0].number, "");
        assert_eq!(views[1].number, "1");
    }
}
