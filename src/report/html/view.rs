//! Everything that the template places, already in words and positions.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::axis::{Scale, TimeAxis};
use super::super::charts::{self, Chart, Charts, Line, Shape, Unit};
use super::super::tables;
use super::units;
use super::{MarkKind, Report, Tick, moment};

/// A criterion on the first screen.
pub(super) struct Chip {
    pub(super) name: String,
    pub(super) got: String,
    pub(super) sign: &'static str,
    pub(super) word: &'static str,
    pub(super) class: &'static str,
}

pub(super) fn chips(report: &Report) -> Vec<Chip> {
    tables::gravest_first(&report.verdict.criteria)
        .into_iter()
        .map(|judged| {
            let (sign, word, class) = tables::sign(judged.status);
            Chip {
                name: judged.name.clone(),
                got: judged.got.clone(),
                sign,
                word,
                class,
            }
        })
        .collect()
}

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
    let odd = phases.iter().filter(|phase| phase.odd);
    odd.map(|phase| format!("M{} 0h{}v1000h-{}z", phase.x, phase.span, phase.span))
        .collect()
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
    at: f64,
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
            by_class.entry(mark.class).or_default().push_str(&format!("M{} 0V1000", place.x));
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
    let mut head: Option<usize> = None;
    for index in 0..views.len() {
        let Some(left) = views[index].place.as_ref().map(|place| place.left) else {
            continue;
        };
        let near = head.filter(|head| views[*head].place.as_ref().is_some_and(|place| left - place.left < percent(APART)));
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

/// Charts that belong together.
pub(super) struct GroupView {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) minor: bool,
    pub(super) charts: Vec<ChartView>,
}

/// One chart.
pub(super) struct ChartView {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) notes: Vec<String>,
    pub(super) grid: String,
    pub(super) values: Vec<Tick>,
    pub(super) lines: Vec<LineView>,
    pub(super) csv: String,
    /// In one sentence, for those who do not see it.
    pub(super) described: String,
    /// Nothing to see: only words are shown.
    pub(super) flat: bool,
    /// One resource only: errors can be red without hiding whose they are.
    pub(super) solo: bool,
}

/// One line.
pub(super) struct LineView {
    pub(super) label: String,
    pub(super) summary: String,
    pub(super) class: String,
    pub(super) path: String,
}

pub(super) fn groups(charts: &Charts) -> Vec<GroupView> {
    charts
        .groups
        .iter()
        .map(|group| GroupView {
            id: group.id.clone(),
            title: group.title.clone(),
            minor: group.minor,
            charts: group.charts.iter().map(|chart| view(chart, charts.axis)).collect(),
        })
        .collect()
}

fn view(chart: &Chart, axis: TimeAxis) -> ChartView {
    let picture = charts::picture(chart, axis);
    let flat = chart.is_flat();
    let mut notes = chart.notes.clone();
    if flat && !chart.is_empty() {
        notes.insert(0, "zero all the time".into());
    }
    ChartView {
        id: chart.id.clone(),
        title: chart.title.clone(),
        notes,
        grid: picture.grid,
        values: picture.values,
        csv: charts::csv(chart),
        described: described(chart),
        solo: chart
            .lines
            .iter()
            .all(|line| line.shape == Shape::Level || line.colour == chart.lines[0].colour),
        flat,
        lines: chart
            .lines
            .iter()
            .zip(picture.paths)
            .map(|(line, path)| LineView {
                label: line.label.clone(),
                summary: line.summary.clone(),
                class: charts::class(line),
                path,
            })
            .collect(),
    }
}

fn described(chart: &Chart) -> String {
    let lines: Vec<String> = chart.lines.iter().map(|line| format!("{} {}", line.label, line.summary)).collect();
    format!("{}: {}", chart.title, lines.join("; "))
}

/// The load in figures.
pub(super) fn figures(report: &Report) -> Vec<(&'static str, String)> {
    let load = &report.load;
    let mut figures = vec![
        ("requests", whole(load.requests)),
        ("per second", units::number(load.rate)),
        ("errors", format!("{} ({})", whole(load.errors), units::percent(load.error_share))),
    ];
    if let Some(response) = load.response {
        figures.push(("response p50", units::seconds(response.p50)));
        figures.push(("response p95", units::seconds(response.p95)));
        figures.push(("response p99", units::seconds(response.p99)));
        figures.push(("response max", units::seconds(response.max)));
    }
    if let Some(service) = load.service {
        figures.push(("service p95", units::seconds(service.p95)));
    }
    let others = [
        ("interrupted", load.interrupted),
        ("not sent", load.unsent),
        ("not started", load.dropped),
    ];
    figures.extend(
        others
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| (name, whole(count))),
    );
    let answers: Vec<String> = load
        .statuses
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(status, count)| format!("{status}: {}", whole(*count)))
        .collect();
    let failures: Vec<String> = load
        .failures
        .iter()
        .map(|(kind, count)| format!("{kind}: {}", whole(*count)))
        .collect();
    if !answers.is_empty() {
        figures.push(("answers", answers.join(" · ")));
    }
    if !failures.is_empty() {
        figures.push(("without an answer", failures.join(" · ")));
    }
    figures
}

/// What the run was, in figures.
pub(super) fn about(report: &Report) -> Vec<(&'static str, String)> {
    let run = &report.run;
    let generator = &report.generator;
    let mut facts = vec![
        ("run", run.id.clone()),
        ("target", run.target.clone()),
        (
            "started (UTC)",
            format!("{} {}", moment::date(run.started), moment::second(run.started)),
        ),
        ("ended (UTC)", format!("{} {}", moment::date(run.ended), moment::second(run.ended))),
        ("seed", run.seed.to_string()),
        ("load threads", generator.threads.to_string()),
        ("generator CPU, of one core", units::percent(generator.cpu)),
        ("sent late: median, p99, most", generator.lag.map(units::seconds).join(", ")),
    ];
    if generator.imbalance > 0 {
        facts.push(("dropped while another thread was free", whole(generator.imbalance)));
    }
    if let Some(endpoint) = &run.endpoint {
        facts.push(("endpoint, not AWS itself", endpoint.clone()));
    }
    facts
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn whole(count: u64) -> String {
    units::number(count as f64)
}

fn percent(share: f64) -> f64 {
    (share * 100_000.0).round() / 1_000.0
}

/// What the script knows beside the numbers, which it reads from the page.
#[derive(Serialize)]
struct Data<'a> {
    from: f64,
    to: f64,
    charts: Vec<ChartData<'a>>,
    marks: Vec<MarkData<'a>>,
}

#[derive(Serialize)]
struct MarkData<'a> {
    at: f64,
    label: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct ChartData<'a> {
    id: &'a str,
    unit: Unit,
    log: bool,
    bottom: f64,
    top: f64,
    lines: Vec<LineData<'a>>,
}

#[derive(Serialize)]
struct LineData<'a> {
    label: &'a str,
    period: f64,
    /// Of a line that has no column of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
}

/// As JSON that no HTML parser can mistake for markup.
pub(super) fn data(charts: &Charts, marks: &[MarkView]) -> Result<String, serde_json::Error> {
    let data = Data {
        from: charts.axis.from,
        to: charts.axis.to,
        charts: charts.groups.iter().flat_map(|group| group.charts.iter().map(chart_data)).collect(),
        marks: marks
            .iter()
            .filter(|mark| mark.place.is_some())
            .map(|mark| MarkData {
                at: mark.at,
                label: &mark.number,
                text: &mark.text,
            })
            .collect(),
    };
    let json = serde_json::to_string(&data)?;
    Ok(json
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}

fn chart_data(chart: &Chart) -> ChartData<'_> {
    let (log, bottom, top) = match chart.scale {
        Scale::Linear { top } => (false, 0.0, top),
        Scale::Log { bottom, top } => (true, bottom, top),
    };
    ChartData {
        id: &chart.id,
        unit: chart.unit,
        log,
        bottom,
        top,
        lines: chart.lines.iter().map(line_data).collect(),
    }
}

fn line_data(line: &Line) -> LineData<'_> {
    LineData {
        label: &line.label,
        period: line.period,
        level: (line.shape == Shape::Level).then(|| line.points.first().map_or(0.0, |(_, value)| *value)),
    }
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

    #[test]
    fn the_data_holds_no_markup() {
        let charts = charts::all(&fixtures::hostile());
        let data = data(&charts, &marks(&fixtures::hostile(), charts.axis)).unwrap();
        assert!(!data.contains(['<', '>', '&']));
        let read: serde_json::Value = serde_json::from_str(&data).unwrap();
        assert!(read["charts"].as_array().unwrap().len() > 8);
    }
}
