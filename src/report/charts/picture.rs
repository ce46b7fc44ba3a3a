//! Draws a chart as the inside of an SVG that is stretched to whatever room there is: text stays outside of it, and
//! strokes do not scale, so the same picture serves a phone, a screen and paper.
//!
//! Written by hand rather than by a plotting crate: those fix colours, font sizes and proportions in the picture, and
//! here they must follow the reader's scheme and width.

use std::fmt::Write as _;

use super::super::axis::{Tick, TimeAxis};
use super::{Chart, Line, Role, Shape};

/// Units of the picture across.
pub const WIDTH: f64 = 20_000.0;
/// Units of the picture down.
const HEIGHT: f64 = 1_000.0;
/// More points than this are drawn as the least and the greatest of each column.
const POINTS: usize = 1_500;
/// That many columns then.
const COLUMNS: f64 = 700.0;

/// A drawn chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Horizontal lines.
    pub grid: String,
    /// Labels of the value axis, from the bottom.
    pub values: Vec<Tick>,
    /// The path of each line, by index.
    pub paths: Vec<String>,
}

/// Draws.
#[must_use]
pub fn picture(chart: &Chart, axis: TimeAxis) -> Picture {
    let values: Vec<Tick> = chart
        .scale
        .values()
        .into_iter()
        .map(|value| Tick {
            at: chart.scale.share(value),
            label: chart.unit.write(value),
        })
        .collect();
    let mut grid = String::new();
    for tick in &values {
        let _ = write!(grid, "M0 {}H{WIDTH}", down(tick.at));
    }
    Picture {
        grid,
        values,
        paths: chart.lines.iter().map(|line| path(chart, line, axis)).collect(),
    }
}

/// Vertical lines at the labels of the time axis.
#[must_use]
pub fn time_grid(ticks: &[Tick]) -> String {
    let mut grid = String::new();
    for tick in ticks {
        let _ = write!(grid, "M{} 0V{HEIGHT}", (tick.at * WIDTH).round());
    }
    grid
}

/// The classes of a line.
#[must_use]
pub fn class(line: &Line) -> String {
    let role = match line.role {
        _ if line.shape == Shape::Level => "level",
        Role::Main => "main",
        Role::Faint => "faint",
        Role::Limit => "limit",
        Role::Bad => "bad",
    };
    format!("k{} r{} {role}", line.colour % 8, line.colour / 8 % 3)
}

fn down(share: f64) -> f64 {
    ((1.0 - share) * HEIGHT).round()
}

fn path(chart: &Chart, line: &Line, axis: TimeAxis) -> String {
    let place = |at: f64, value: f64| ((axis.share(at) * WIDTH).round(), down(chart.scale.share(value)));
    if line.shape == Shape::Level {
        return line
            .points
            .first()
            .map(|(_, value)| format!("M0 {}H{WIDTH}", down(chart.scale.share(*value))))
            .unwrap_or_default();
    }
    let mut out = String::new();
    for run in runs(line, axis) {
        if run.len() > POINTS {
            joined(&mut out, &extremes(run, line.period, axis), &place);
        } else if line.shape == Shape::Steps {
            steps(&mut out, run, line.period, &place);
        } else {
            let middles: Vec<(f64, f64)> = run.iter().map(|(at, value)| (at + line.period / 2.0, *value)).collect();
            joined(&mut out, &middles, &place);
        }
    }
    out
}

/// Stretches without a gap, as far as they are on the axis.
fn runs(line: &Line, axis: TimeAxis) -> impl Iterator<Item = &[(f64, f64)]> {
    line.points
        .chunk_by(move |one, next| next.0 - one.0 < line.period * 1.5)
        .filter_map(move |run| {
            let from = run.partition_point(|(at, _)| at + line.period <= axis.from);
            let to = run.partition_point(|(at, _)| *at < axis.to);
            run.get(from..to).filter(|run| !run.is_empty())
        })
}

/// A plateau over each period. Relative coordinates keep a day of minutes small.
fn steps(out: &mut String, run: &[(f64, f64)], period: f64, place: &impl Fn(f64, f64) -> (f64, f64)) {
    let (mut x, mut y) = (f64::NAN, f64::NAN);
    for (at, value) in run {
        let (left, height) = place(*at, *value);
        let (right, _) = place(at + period, *value);
        if x.is_nan() {
            let _ = write!(out, "M{left} {height}");
        } else if height.total_cmp(&y).is_ne() {
            let _ = write!(out, "h{}v{}", left - x, height - y);
            x = left;
        }
        if x.is_nan() {
            x = left;
        }
        y = height;
        if at.total_cmp(&run[run.len() - 1].0).is_eq() {
            let _ = write!(out, "h{}", right - x);
        }
    }
}

/// Straight from point to point; a point alone becomes a dot.
fn joined(out: &mut String, points: &[(f64, f64)], place: &impl Fn(f64, f64) -> (f64, f64)) {
    let mut last: Option<(f64, f64)> = None;
    for (at, value) in points {
        let (x, y) = place(*at, *value);
        match last {
            None => {
                let _ = write!(out, "M{x} {y}");
            }
            Some((before, above)) => {
                let _ = write!(out, "l{} {}", x - before, y - above);
            }
        }
        last = Some((x, y));
    }
    if points.len() == 1 {
        out.push_str("h0");
    }
}

/// The least and the greatest value of each column, in the order in which they came: no peak is lost.
fn extremes(run: &[(f64, f64)], period: f64, axis: TimeAxis) -> Vec<(f64, f64)> {
    let column = |at: f64| (axis.share(at) * COLUMNS).floor();
    run.chunk_by(|one, next| column(one.0).total_cmp(&column(next.0)).is_eq())
        .flat_map(|points| {
            let least = points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
            let greatest = points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
            let mut pair: Vec<(f64, f64)> = least.into_iter().chain(greatest).collect();
            pair.sort_by(|a, b| a.0.total_cmp(&b.0));
            pair.dedup_by(|a, b| a.0.total_cmp(&b.0).is_eq());
            pair
        })
        .map(|(at, value)| (at + period / 2.0, value))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::axis::Scale;
    use super::super::{Chart, Line, Role, Unit};
    use super::*;

    const AXIS: TimeAxis = TimeAxis { from: 0.0, to: 600.0 };

    fn chart(shape: Shape, period: f64, points: Vec<(f64, f64)>) -> Chart {
        Chart {
            id: "a".into(),
            title: "a".into(),
            unit: Unit::Number,
            scale: Scale::Linear { top: 100.0 },
            lines: vec![Line {
                label: "a".into(),
                colour: 0,
                role: Role::Main,
                shape,
                period,
                points,
                summary: String::new(),
            }],
            notes: Vec::new(),
        }
    }

    fn drawn(shape: Shape, points: &[(f64, f64)]) -> String {
        picture(&chart(shape, 60.0, points.to_vec()), AXIS).paths.remove(0)
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let points = [(0.0, 100.0), (60.0, 50.0), (240.0, 50.0)];
        assert_eq!(drawn(Shape::Steps, &points), "M0 0h2000v500h2000M8000 500h2000");
        assert_eq!(drawn(Shape::Joined, &points), "M1000 0l2000 500M9000 500h0");
    }

    #[test]
    fn equal_minutes_are_one_stroke() {
        assert_eq!(drawn(Shape::Steps, &[(0.0, 0.0), (60.0, 0.0), (120.0, 0.0)]), "M0 1000h6000");
    }

    #[test]
    fn a_limit_goes_from_edge_to_edge() {
        assert_eq!(drawn(Shape::Level, &[(0.0, 50.0)]), "M0 500H20000");
    }

    #[test]
    fn what_is_off_the_axis_is_not_drawn() {
        assert_eq!(drawn(Shape::Steps, &[(-60.0, 1.0), (0.0, 100.0), (600.0, 7.0)]), "M0 0h2000");
    }

    proptest! {
        #[test]
        fn thinning_out_keeps_every_peak(values in prop::collection::vec(0.0..100.0_f64, 1_600..4_000)) {
            #[expect(clippy::cast_precision_loss, reason = "a test")]
            let points: Vec<(f64, f64)> = values.iter().enumerate().map(|(i, v)| (i as f64 * 600.0 / values.len() as f64, *v)).collect();
            let kept = extremes(&points, 0.1, AXIS);
            prop_assert!(kept.len() <= 1_402);
            let top = |all: &[(f64, f64)]| all.iter().map(|p| p.1).fold(0.0, f64::max);
            prop_assert!((top(&kept) - top(&points)).abs() < 1e-12);
        }
    }
}
