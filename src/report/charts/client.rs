//! What the client saw, and the throttles under it: the four charts that the page begins with.

use crate::metrics::Throttle;
use crate::units;

use super::super::axis::{Scale, TimeAxis};
use super::super::model::{Report, TimePoint};
use super::super::{moment, names};
use super::fill::with_zeros;
use super::{Chart, Group, Line, Role, Shape, Unit, greatest, least};

pub(super) fn group(report: &Report, axis: TimeAxis) -> Group {
    Group {
        id: "timeline".into(),
        title: "Time line".into(),
        charts: vec![
            users(report),
            requests(report),
            response(report),
            errors(report),
            throttles(report, axis),
        ],
        minor: false,
    }
}

/// A line over the client's buckets; buckets without a value are gaps.
fn line(report: &Report, label: &str, colour: usize, value: impl Fn(&TimePoint) -> Option<f64>) -> Line {
    let started = moment::epoch(report.run.started);
    Line {
        label: label.into(),
        colour,
        role: Role::Main,
        shape: Shape::Joined,
        period: report.bucket_seconds,
        points: report
            .timeline
            .iter()
            .filter_map(|point| Some((started + point.at, value(point).filter(|value| value.is_finite())?)))
            .collect(),
        summary: String::new(),
    }
}

fn summarised(mut lines: Vec<Line>, unit: Unit) -> Vec<Line> {
    for line in &mut lines {
        line.summary = line
            .greatest()
            .map_or_else(|| "none".into(), |greatest| format!("max {}", unit.write(greatest)));
    }
    lines
}

fn note_without_timeline(report: &Report) -> Vec<String> {
    if report.timeline.is_empty() {
        vec!["no request ended, so there is no time line".into()]
    } else {
        Vec::new()
    }
}

fn users(report: &Report) -> Chart {
    let in_flight = line(report, "in flight", 4, |point| Some(f64::from(point.in_flight)));
    let users = line(report, "users", 0, |point| Some(f64::from(point.users)));
    let open = users.greatest().unwrap_or(0.0) <= 0.0;
    let lines = summarised(if open { vec![in_flight] } else { vec![users, in_flight] }, Unit::Number);
    Chart {
        id: "users".into(),
        title: if open {
            "Requests in flight"
        } else {
            "Users and requests in flight"
        }
        .into(),
        unit: Unit::Number,
        scale: Scale::linear(greatest(&lines)),
        lines,
        notes: note_without_timeline(report),
    }
}

#[expect(clippy::cast_precision_loss, reason = "requests of a bucket are far below 2^52")]
fn per_second(report: &Report, label: &str, colour: usize, count: impl Fn(&TimePoint) -> u64) -> Line {
    let seconds = report.bucket_seconds.max(f64::MIN_POSITIVE);
    line(report, label, colour, |point| Some(count(point) as f64 / seconds))
}

fn requests(report: &Report) -> Chart {
    let lines = summarised(vec![per_second(report, "requests/s", 0, |point| point.requests)], Unit::Number);
    Chart {
        id: "requests".into(),
        title: "Requests a second".into(),
        unit: Unit::Number,
        scale: Scale::linear(greatest(&lines)),
        lines,
        notes: note_without_timeline(report),
    }
}

/// Apart from the requests, beside which one percent of errors would be invisible.
fn errors(report: &Report) -> Chart {
    let mut errors = per_second(report, "errors/s", 0, |point| point.errors);
    errors.role = Role::Bad;
    let mut lines = vec![errors];
    if report.timeline.iter().any(|point| point.dropped > 0) {
        lines.push(per_second(report, "not started/s", 0, |point| point.dropped));
    }
    let lines = summarised(lines, Unit::Number);
    Chart {
        id: "errors".into(),
        title: "Errors a second".into(),
        unit: Unit::Number,
        scale: Scale::linear(greatest(&lines)),
        lines,
        notes: note_without_timeline(report),
    }
}

fn response(report: &Report) -> Chart {
    let lines = summarised(
        vec![
            line(report, "p99", 2, |point| point.p99),
            line(report, "p95", 0, |point| point.p95),
            line(report, "p50", 6, |point| point.p50),
        ],
        Unit::Seconds,
    );
    let scale = Scale::spread(least(&lines), greatest(&lines));
    Chart {
        id: "response".into(),
        title: match scale {
            Scale::Log { .. } => "Response time (logarithmic)".into(),
            Scale::Linear { .. } => "Response time".into(),
        },
        unit: Unit::Seconds,
        scale,
        lines,
        notes: note_without_timeline(report),
    }
}

fn throttles(report: &Report, axis: TimeAxis) -> Chart {
    let ledger = &report.throttles;
    let from = (moment::epoch(report.run.started) / 60.0).floor() * 60.0;
    let to = ledger.complete_to.map_or(from, moment::epoch).min(axis.to);
    let lines: Vec<Line> = ledger
        .throttles
        .iter()
        .enumerate()
        .map(|(index, throttle)| Line {
            label: label(throttle, &report.run.profile),
            colour: index,
            role: Role::Main,
            shape: Shape::Steps,
            period: 60.0,
            points: with_zeros(
                throttle.minutes.iter().map(|(at, count)| (moment::epoch(*at), *count)),
                from,
                to,
                60.0,
            ),
            summary: format!("{} in all", units::number(throttle.count)),
        })
        .collect();
    Chart {
        id: "throttles".into(),
        title: "Throttles a minute".into(),
        unit: Unit::Number,
        scale: Scale::linear(greatest(&lines)),
        notes: throttle_notes(report),
        lines,
    }
}

fn label(throttle: &Throttle, profile: &str) -> String {
    let name = names::with_part(&names::short(&throttle.resource, profile), &throttle.part);
    format!("{name}: {}", throttle.cause)
}

fn throttle_notes(report: &Report) -> Vec<String> {
    let ledger = &report.throttles;
    let mut notes = Vec::new();
    if ledger.looked_at.is_empty() {
        notes.push("nothing of AWS was looked at".into());
    } else if ledger.throttles.is_empty() {
        notes.push(format!("none in {}", units::count(ledger.looked_at.len(), "resource")));
    }
    if let Some(complete) = ledger.complete_to
        && complete < report.run.ended
    {
        notes.push(format!("complete to {}; later minutes may still come", moment::minute(complete)));
    }
    if !ledger.not_looked_at.is_empty() {
        notes.push(format!("{} not looked at, see below", ledger.not_looked_at.len()));
    }
    notes
}
