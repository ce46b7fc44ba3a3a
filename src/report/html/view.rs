//! Everything that the template places, already in words and positions.

use serde::Serialize;

use super::super::axis::{Scale, TimeAxis};
use super::super::charts::{self, Chart, Charts, Line, Shape, Unit};
use super::super::status;
use super::marks::MarkView;
use super::{Report, Tick};

/// A criterion on the first screen.
pub(super) struct Chip {
    pub(super) name: String,
    pub(super) got: String,
    pub(super) sign: &'static str,
    pub(super) word: &'static str,
    pub(super) class: &'static str,
}

/// More than these are no first screen.
const CHIPS: usize = 12;

/// The gravest, and how many more there are.
pub(super) fn chips(report: &Report) -> (Vec<Chip>, usize) {
    let more = report.verdict.criteria.len().saturating_sub(CHIPS);
    (all_chips(report).into_iter().take(CHIPS).collect(), more)
}

fn all_chips(report: &Report) -> Vec<Chip> {
    status::gravest_first(&report.verdict.criteria)
        .into_iter()
        .map(|judged| {
            let (sign, word, class) = status::sign(judged.status);
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
    /// Also ` flat`. ` solo`: one resource only, so that errors can be red without hiding whose they are. ` dense`: so
    /// many points that thick lines would run together.
    pub(super) classes: String,
    /// Nothing was measured.
    pub(super) empty: bool,
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

/// Points of a line on a screen of usual width.
const DENSE: usize = 400;

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
        classes: classes(chart, flat),
        empty: chart.is_empty(),
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

fn classes(chart: &Chart, flat: bool) -> String {
    let solo = chart
        .lines
        .iter()
        .all(|line| line.shape == Shape::Level || line.colour == chart.lines[0].colour);
    let dense = chart.lines.iter().any(|line| line.points.len() > DENSE);
    [(flat, " flat"), (solo, " solo"), (dense, " dense")]
        .into_iter()
        .filter_map(|(is, class)| is.then_some(class))
        .collect()
}

fn described(chart: &Chart) -> String {
    let lines: Vec<String> = chart.lines.iter().map(|line| format!("{} {}", line.label, line.summary)).collect();
    format!("{}: {}", chart.title, lines.join("; "))
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
    fn the_data_holds_no_markup() {
        let charts = charts::all(&fixtures::hostile());
        let data = data(&charts, &super::super::marks::marks(&fixtures::hostile(), charts.axis)).unwrap();
        assert!(!data.contains(['<', '>', '&']));
        let read: serde_json::Value = serde_json::from_str(&data).unwrap();
        assert!(read["charts"].as_array().unwrap().len() > 8);
    }
}
