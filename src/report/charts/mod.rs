//! What is drawn: every chart of the page with its lines, on one shared time axis, as data.
//!
//! `client` and `aws` choose what belongs together, `picture` draws, `csv` writes the numbers. Nothing here is HTML but
//! the inside of the pictures.

use crate::units;

use super::axis::{Scale, TimeAxis};
use super::model::Report;
use super::moment;

mod aws;
mod client;
mod csv;
mod fill;
mod limits;
mod picture;
mod spec;

pub(super) use aws::statistic;
pub use csv::csv;
pub use picture::{WIDTH, class, picture, time_grid};

/// Everything that is drawn.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Charts {
    pub axis: TimeAxis,
    pub groups: Vec<Group>,
}

/// Charts that belong together.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Group {
    pub id: String,
    pub title: String,
    pub charts: Vec<Chart>,
    /// Shown on demand only.
    pub minor: bool,
}

/// One chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Unique on the page.
    pub id: String,
    /// What, and per what.
    pub title: String,
    /// How values are written.
    pub unit: Unit,
    /// How high they stand.
    pub scale: Scale,
    /// What is drawn.
    pub lines: Vec<Line>,
    /// What is not, or not quite, and why, in sentences.
    pub notes: Vec<String>,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Number,
    Seconds,
    Percent,
    Bytes,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// In the legend.
    pub label: String,
    /// Its colour, by number.
    pub colour: usize,
    /// Its weight.
    pub role: Role,
    /// What it is drawn as.
    pub shape: Shape,
    /// Seconds of a point.
    pub period: f64,
    /// Start of each point in seconds since 1970, and value; ascending. What is missing is a gap.
    pub points: Vec<(f64, f64)>,
    /// One number in words for all of it: `max 500`.
    pub summary: String,
}

/// The weight of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Role {
    Main,
    /// Beside a main line of the same colour: the maximum beside the average.
    Faint,
    /// What must not be exceeded.
    Limit,
    /// Errors.
    Bad,
}

/// How points become a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Through the middles of the client's buckets.
    Joined,
    /// Over the whole of each minute, since nobody knows what happened inside.
    Steps,
    /// From edge to edge.
    Level,
}

impl Unit {
    /// A value for people.
    #[must_use]
    pub fn write(self, value: f64) -> String {
        match self {
            Self::Number => units::number(value),
            Self::Seconds => units::seconds(value),
            Self::Percent => format!("{}%", units::number((value * 10.0).round() / 10.0)),
            Self::Bytes => units::bytes(value),
        }
    }
}

impl Line {
    /// The greatest value, if there is any.
    #[must_use]
    pub fn greatest(&self) -> Option<f64> {
        self.points
            .iter()
            .map(|(_, value)| *value)
            .filter(|value| value.is_finite())
            .reduce(f64::max)
    }
}

impl Chart {
    /// Whether there is nothing to see: no line, or only zeros. Then the notes say it all.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        !self
            .lines
            .iter()
            .filter(|line| line.shape != Shape::Level)
            .any(|line| line.greatest().is_some_and(|value| value > 0.0))
    }

    /// Whether nothing at all was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines
            .iter()
            .filter(|line| line.shape != Shape::Level)
            .all(|line| line.points.is_empty())
    }
}

/// The greatest finite value of all lines, zero when there is none.
fn greatest(lines: &[Line]) -> f64 {
    lines.iter().filter_map(Line::greatest).fold(0.0, f64::max)
}

/// The least positive value of all lines.
fn least(lines: &[Line]) -> f64 {
    lines
        .iter()
        .flat_map(|line| line.points.iter().map(|(_, value)| *value))
        .filter(|value| *value > 0.0)
        .fold(f64::INFINITY, f64::min)
}

/// All charts of a report.
#[must_use]
pub fn all(report: &Report) -> Charts {
    let axis = time_axis(report);
    let mut groups = vec![client::group(report, axis)];
    groups.extend(aws::groups(report, axis));
    Charts { axis, groups }
}

/// The load, and what AWS measured shortly before and after it.
fn time_axis(report: &Report) -> TimeAxis {
    let started = moment::epoch(report.run.started);
    let ended = moment::epoch(report.run.ended).max(started);
    let (earliest, latest) = (started - 900.0, ended + 1_800.0);
    let mut from = started;
    let mut to = ended;
    for series in &report.series {
        let period = f64::from(series.period);
        for at in [series.points.first(), series.points.last()].into_iter().flatten() {
            let at = moment::epoch(at.0);
            if (earliest..=latest).contains(&at) {
                from = from.min(at);
                to = to.max(at + period);
            }
        }
    }
    TimeAxis::around(from, to)
}
