//! What AWS measured, a group a service: the chosen metrics first, whatever else there is after them.

use std::collections::{BTreeMap, BTreeSet};

use crate::metrics::{Completeness, Missing, Series, Statistic};
use crate::units;

use super::super::axis::{Scale, TimeAxis};
use super::super::model::Report;
use super::super::names;
use super::fill::{self, Known};
use super::spec::{Pick, SPECS, Spec};
use super::{Chart, Group, Line, Role, Shape, Unit, greatest, least, limits};

/// Groups in the order of the chosen charts; services without a series have none.
pub(super) fn groups(report: &Report, axis: TimeAxis) -> Vec<Group> {
    let mut build = Build {
        report,
        axis,
        known: Known::of(report),
        limits: limits::reserved(report),
        shown: BTreeSet::new(),
    };
    let mut groups: Vec<Group> = Vec::new();
    for spec in SPECS {
        let Some(chart) = build.chart(spec) else { continue };
        match groups.last_mut().filter(|group| group.id == spec.kind) {
            Some(group) => group.charts.push(chart),
            None => groups.push(Group {
                id: spec.kind.into(),
                title: names::service(spec.kind).into(),
                charts: vec![chart],
                minor: false,
            }),
        }
    }
    groups.extend(build.rest());
    groups
}

struct Build<'a> {
    report: &'a Report,
    axis: TimeAxis,
    known: Known,
    limits: BTreeMap<String, f64>,
    /// Indexes of the series that a chart has.
    shown: BTreeSet<usize>,
}

/// What a series is for in a chart.
struct Use<'a> {
    series: &'a Series,
    word: String,
    role: Role,
    per_second: bool,
}

impl Build<'_> {
    fn chart(&mut self, spec: &Spec) -> Option<Chart> {
        let report = self.report;
        let mut uses = Vec::new();
        for pick in spec.picks {
            let metric = format!("aws.{}.{}", spec.kind, pick.metric);
            for (index, series) in report.series.iter().enumerate() {
                if series.metric == metric && pick.statistic.is(series.statistic) {
                    self.shown.insert(index);
                    uses.push(used(series, pick, spec.per_second));
                }
            }
        }
        if uses.is_empty() {
            return None;
        }
        let mut chart = self.draw(format!("{}-{}", spec.kind, spec.id), spec.title.into(), &uses);
        if spec.id == "concurrency" {
            self.add_limits(&mut chart);
        }
        chart.scale = match spec.top {
            Some(top) if greatest(&chart.lines) <= top => Scale::Linear { top },
            _ if chart.unit == Unit::Seconds => Scale::spread(least(&chart.lines), greatest(&chart.lines)),
            _ => Scale::linear(greatest(&chart.lines)),
        };
        if matches!(chart.scale, Scale::Log { .. }) {
            chart.title.push_str(" (logarithmic)");
        }
        Some(chart)
    }

    fn draw(&self, id: String, title: String, uses: &[Use<'_>]) -> Chart {
        let colours = colours(uses.iter().map(|used| used.series));
        let mut unit = Unit::Number;
        let mut lines = Vec::new();
        for used in uses {
            let factor;
            (unit, factor) = fill::unit(&used.series.unit);
            let colour = colours.get(&key(used.series)).copied().unwrap_or_default();
            let line = self.line(used, unit, factor, colour);
            if !line.points.is_empty() {
                lines.push(line);
            }
        }
        Chart {
            id,
            title,
            unit,
            scale: Scale::linear(greatest(&lines)),
            lines,
            notes: notes(uses, &self.report.run.profile),
        }
    }

    fn line(&self, used: &Use<'_>, unit: Unit, factor: f64, colour: usize) -> Line {
        let series = used.series;
        let period = f64::from(series.period.max(1));
        let rate = if used.per_second && series.statistic == Statistic::Sum {
            1.0 / period
        } else {
            1.0
        };
        let name = label(series, &self.report.run.profile);
        let points = fill::points(series, self.known, factor * rate);
        let summary = summary(series.statistic, &points, unit, used.per_second);
        Line {
            label: if used.word.is_empty() {
                name
            } else {
                format!("{name} {}", used.word)
            },
            colour,
            role: used.role,
            shape: Shape::Steps,
            period: cadence(series, period),
            points,
            summary,
        }
    }

    /// One line a limit, however many functions have it.
    fn add_limits(&self, chart: &mut Chart) {
        let mut by_limit: BTreeMap<String, (f64, Vec<&str>)> = BTreeMap::new();
        for (resource, limit) in &self.limits {
            let name = names::bare(resource, &self.report.run.profile);
            if chart.lines.iter().any(|line| line.label == name) {
                by_limit.entry(limit.to_string()).or_insert((*limit, Vec::new())).1.push(name);
            }
        }
        chart.lines.extend(by_limit.into_values().map(|(limit, names)| Line {
            label: format!("reserved limit of {}", names.join(", ")),
            colour: 0,
            role: Role::Limit,
            shape: Shape::Level,
            period: self.axis.to - self.axis.from,
            points: vec![(self.axis.from, limit)],
            summary: units::number(limit),
        }));
    }

    /// Whatever no chosen chart has: one chart a metric and statistic, shown on demand.
    fn rest(&self) -> Option<Group> {
        let mut by_metric: BTreeMap<String, Vec<Use<'_>>> = BTreeMap::new();
        for (index, series) in self.report.series.iter().enumerate() {
            let published = series.points.iter().any(|(_, value)| *value != 0.0);
            if !self.shown.contains(&index) && published {
                let title = format!(
                    "{}, {}",
                    series.metric.strip_prefix("aws.").unwrap_or(&series.metric),
                    statistic(series.statistic)
                );
                by_metric.entry(title).or_default().push(Use {
                    series,
                    word: String::new(),
                    role: Role::Main,
                    per_second: false,
                });
            }
        }
        let charts: Vec<Chart> = by_metric
            .into_iter()
            .enumerate()
            .map(|(index, (title, uses))| self.draw(format!("more-{index}"), title, &uses))
            .collect();
        (!charts.is_empty()).then(|| Group {
            id: "more".into(),
            title: "More series".into(),
            charts,
            minor: true,
        })
    }
}

fn used<'a>(series: &'a Series, pick: &Pick, per_second: bool) -> Use<'a> {
    let word = match series.statistic {
        Statistic::Percentile(percentile) => format!("p{}", units::number(percentile)),
        _ => pick.word.to_owned(),
    };
    Use {
        series,
        word,
        role: pick.role,
        per_second,
    }
}

fn key(series: &Series) -> (String, String) {
    (series.resource.clone(), series.part.clone())
}

/// A colour a resource and part, in order of their first series, so that a resource looks the same in a whole group.
fn colours<'a>(series: impl Iterator<Item = &'a Series>) -> BTreeMap<(String, String), usize> {
    let mut colours = BTreeMap::new();
    for series in series {
        let next = colours.len();
        colours.entry(key(series)).or_insert(next);
    }
    colours
}

/// Provisioned units are published every five minutes and hold until the next; all else covers its period alone.
fn cadence(series: &Series, period: f64) -> f64 {
    let held = series.metric.contains(".provisioned_") && series.metric.ends_with("_capacity_units");
    if held { period.max(300.0) } else { period }
}

fn label(series: &Series, profile: &str) -> String {
    names::with_part(names::bare(&series.resource, profile), &series.part)
}

/// The word of a statistic.
pub(in super::super) fn statistic(statistic: Statistic) -> String {
    match statistic {
        Statistic::Sum => "sum".into(),
        Statistic::Average => "average".into(),
        Statistic::Minimum => "minimum".into(),
        Statistic::Maximum => "maximum".into(),
        Statistic::SampleCount => "samples".into(),
        Statistic::Percentile(percentile) => format!("p{}", units::number(percentile)),
    }
}

fn summary(statistic: Statistic, points: &[(f64, f64)], unit: Unit, per_second: bool) -> String {
    let values = points.iter().map(|(_, value)| *value);
    match statistic {
        Statistic::Sum if !per_second => format!("{} in all", unit.write(values.sum())),
        Statistic::Minimum => format!("min {}", unit.write(values.fold(f64::INFINITY, f64::min))),
        _ => format!("max {}", unit.write(values.fold(f64::NEG_INFINITY, f64::max))),
    }
}

/// What is missing, in words, alike things in one sentence.
fn notes(uses: &[Use<'_>], profile: &str) -> Vec<String> {
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for used in uses {
        let series = used.series;
        let reason = match &series.completeness {
            Completeness::Settled => continue,
            Completeness::Provisional => "may still change".to_owned(),
            Completeness::Empty if series.missing == Missing::Zero => "nothing published, as AWS does when there is none".to_owned(),
            Completeness::Empty => "no data, nothing was published".to_owned(),
            Completeness::Failed { error } => format!("no data, {error}"),
        };
        let name = label(series, profile);
        let name = if used.word.is_empty() {
            name
        } else {
            format!("{name} {}", used.word)
        };
        by_reason.entry(reason).or_default().push(name);
    }
    by_reason
        .into_iter()
        .map(|(reason, series)| {
            if series.len() == uses.len() && uses.len() > 1 {
                format!("all {}: {reason}", series.len())
            } else {
                format!("{}: {reason}", series.join(", "))
            }
        })
        .collect()
}
