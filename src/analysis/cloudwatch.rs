//! Criteria over what CloudWatch measured: each resource is judged and the worst decides.
//!
//! Totals add up over the parts of a resource (indexes, operations); everything else is judged part by part. A
//! percentile or a mean over a window comes from a series whose period is that window, since neither can be put
//! together from minutes; where CloudWatch keeps no raw values it is taken over one-minute averages, and says so.

use std::collections::BTreeSet;

use super::bands::{Outcome, Reading, assess, is_worse};
use super::client::grown;
use super::select::Picker;
use super::tally::{Gap, float, statistic_of};
use super::verdict::Evidence;
use super::words::{Scale, clock, moment};
use crate::metrics::align::{MINUTE, after};
use crate::metrics::catalogue::{self, Row};
use crate::metrics::{Completeness, Missing, Series, Statistic, TimeWindow};
use crate::scenario::{Aggregation, Criterion, Metric, Scope};

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
            let to = after(from, std::time::Duration::from_secs(u64::from(length)));
            windows.push(vec![TimeWindow {
                from,
                to: to.min(stretch.to),
            }]);
            if to >= stretch.to {
                break;
            }
            from = after(from, std::time::Duration::from_secs(u64::from(MINUTE)));
        }
    }
    windows
}

/// Whole minutes of a duration, in seconds; at least one.
pub(super) fn minutes_of(window: std::time::Duration) -> u32 {
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
        for windows in windows {
            let subject = Subject {
                row,
                series: chosen,
                resource,
                part,
                windows,
            };
            let outcome = assess(criterion, |aggregation| subject.read(aggregation));
            // Of many windows those without data say nothing, as long as others do.
            let silent = criterion.window.is_some() && outcome.reading.is_none() && worst.is_some();
            let first_word = worst
                .as_ref()
                .is_some_and(|(known, _)| criterion.window.is_some() && known.reading.is_none());
            if !silent && (first_word || worst.as_ref().is_none_or(|(known, _)| is_worse(&outcome, known))) {
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

/// What is judged at once.
struct Subject<'s> {
    row: &'s Row,
    series: &'s [&'s Series],
    resource: &'s str,
    part: &'s str,
    windows: &'s [TimeWindow],
}

impl<'s> Subject<'s> {
    fn read(&self, aggregation: Aggregation) -> Result<Reading, Gap> {
        match aggregation {
            Aggregation::Sum => self.total(aggregation, Statistic::Sum),
            Aggregation::Count if self.row.is_counter() => self.total(aggregation, Statistic::Sum),
            Aggregation::Count => self.total(aggregation, Statistic::SampleCount),
            Aggregation::PerSecond => {
                let seconds: u32 = self.windows.iter().map(TimeWindow::seconds).sum();
                let mut reading = self.total(aggregation, Statistic::Sum)?;
                reading.value /= f64::from(seconds.max(1));
                Ok(reading)
            }
            Aggregation::Min => self.minutes(aggregation, Statistic::Minimum, None),
            Aggregation::Max => self.minutes(aggregation, Statistic::Maximum, None),
            Aggregation::Value => self.minutes(aggregation, self.row.statistics[0], None),
            Aggregation::Avg => self.whole(aggregation, Statistic::Average),
            Aggregation::Med => self.whole(aggregation, Statistic::Percentile(50.0)),
            Aggregation::Percentile(p) => self.whole(aggregation, Statistic::Percentile(p)),
            Aggregation::GrowthAvg => self.growth(aggregation, Aggregation::Avg),
            Aggregation::GrowthPercentile(p) => self.growth(aggregation, Aggregation::Percentile(p)),
            Aggregation::Share | Aggregation::Time => Err(Gap(format!(
                "`{}` has no {}",
                self.row.full_name(),
                super::words::aggregation(aggregation)
            ))),
        }
    }

    /// Sums over the parts of the resource.
    fn total(&self, aggregation: Aggregation, statistic: Statistic) -> Result<Reading, Gap> {
        let parts: BTreeSet<&str> = self
            .series
            .iter()
            .filter(|series| series.resource == self.resource)
            .map(|series| series.part.as_str())
            .collect();
        let mut all = self.reading(aggregation, 0.0, 0, None);
        for part in parts {
            let series = self.find(part, statistic, MINUTE)?;
            let points = self.points(series)?;
            all.value += points.iter().sum::<f64>();
            all.samples += points.len() as u64;
            all.provisional |= series.completeness == Completeness::Provisional;
            all.note = all.note.or_else(|| self.gaps(series, points.len()));
        }
        Ok(all)
    }

    /// A statistic over minutes of this part.
    fn minutes(&self, aggregation: Aggregation, statistic: Statistic, note: Option<&str>) -> Result<Reading, Gap> {
        let series = self.find(self.part, statistic, MINUTE)?;
        let mut points = self.points(series)?;
        // A minute without a point is a zero here, and may well be the least.
        if series.missing == Missing::Zero && points.len() < self.minute_count() {
            points.push(0.0);
        }
        let value = statistic_of(&points, aggregation, &self.metric())?;
        let samples = points.len() as u64;
        let note = note.map(|note| format!("over {samples} {note}"));
        let mut reading = self.reading(aggregation, value, samples, note);
        reading.provisional = series.completeness == Completeness::Provisional;
        Ok(reading)
    }

    /// A statistic that only CloudWatch itself can take over a window; else one over one-minute averages.
    fn whole(&self, aggregation: Aggregation, statistic: Statistic) -> Result<Reading, Gap> {
        let exact: Vec<(&Series, f64)> = self.windows.iter().flat_map(|window| self.exact(statistic, *window)).collect();
        let failed = self.windows.iter().find_map(|window| {
            let series = self.find(self.part, statistic, window.seconds()).ok()?;
            failure(series)
        });
        if let Some(why) = failed {
            return Err(why);
        }
        if exact.is_empty() {
            return self.minutes(aggregation, Statistic::Average, Some("one-minute averages"));
        }
        // Parts cannot be combined either, so the greatest stands for all.
        let value = exact.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
        let note = (exact.len() > 1).then(|| format!("the greatest of {} stretches", exact.len()));
        let mut reading = self.reading(aggregation, value, exact.len() as u64, note);
        reading.provisional = exact.iter().any(|(series, _)| series.completeness == Completeness::Provisional);
        Ok(reading)
    }

    /// What CloudWatch answered for a window as a whole.
    fn exact(&self, statistic: Statistic, window: TimeWindow) -> Vec<(&'s Series, f64)> {
        let Ok(series) = self.find(self.part, statistic, window.seconds()) else {
            return Vec::new();
        };
        let points = series.points.iter().filter(|(at, _)| window.contains(*at));
        points.map(|(_, value)| (series, self.base(series, *value))).collect()
    }

    /// The last tenth of the minutes against the first.
    fn growth(&self, shown: Aggregation, base: Aggregation) -> Result<Reading, Gap> {
        let series = self.find(self.part, Statistic::Average, MINUTE)?;
        let points = self.points(series)?;
        let tenth = points.len() / 10;
        if tenth == 0 {
            return Err(Gap("too few minutes to compare the last tenth with the first".to_owned()));
        }
        let first = statistic_of(&points[..tenth], base, &self.metric())?;
        let last = statistic_of(&points[points.len() - tenth..], base, &self.metric())?;
        let mut reading = self.reading(
            shown,
            grown(first, last)?,
            points.len() as u64,
            Some("over one-minute averages".to_owned()),
        );
        reading.provisional = series.completeness == Completeness::Provisional;
        Ok(reading)
    }

    fn find(&self, part: &str, statistic: Statistic, period: u32) -> Result<&'s Series, Gap> {
        let same = |series: &&&Series| {
            series.resource == self.resource && series.part == part && series.statistic == statistic && series.period == period
        };
        let all: Vec<&Series> = self.series.iter().filter(same).copied().collect();
        // The same period may have been asked for over several windows.
        all.iter()
            .find(|series| {
                self.windows
                    .iter()
                    .any(|window| series.points.iter().any(|(at, _)| window.contains(*at)))
            })
            .or(all.first())
            .copied()
            .ok_or_else(|| Gap(format!("{} was not collected", statistic_word(statistic))))
    }

    /// The points in the windows, in base units. None at all is a gap, unless AWS publishes nothing for zero and the
    /// pull has settled.
    fn points(&self, series: &Series) -> Result<Vec<f64>, Gap> {
        if let Some(why) = failure(series) {
            return Err(why);
        }
        let inside = |at| self.windows.iter().any(|window| window.contains(at));
        let points: Vec<f64> = series
            .points
            .iter()
            .filter(|(at, _)| inside(*at))
            .map(|(_, value)| self.base(series, *value))
            .collect();
        match (points.is_empty(), &series.completeness, series.missing) {
            (false, ..) | (true, Completeness::Settled, Missing::Zero) => Ok(points),
            (true, Completeness::Provisional, _) => Err(Gap("no data yet".to_owned())),
            (true, ..) => Err(Gap("no data".to_owned())),
        }
    }

    fn gaps(&self, series: &Series, points: usize) -> Option<String> {
        let minutes = self.minute_count();
        (series.missing == Missing::Unknown && points < minutes).then(|| format!("{} of {minutes} minutes have no data", minutes - points))
    }

    fn minute_count(&self) -> usize {
        self.windows.iter().map(|window| window.minutes() as usize).sum()
    }

    fn base(&self, series: &Series, value: f64) -> f64 {
        value / Scale::of_unit(&series.unit, Aggregation::Max).own_per_base
    }

    fn metric(&self) -> Metric {
        Metric::Aws {
            kind: self.row.kind.to_owned(),
            metric: self.row.name.to_owned(),
        }
    }

    fn reading(&self, aggregation: Aggregation, value: f64, samples: u64, note: Option<String>) -> Reading {
        Reading {
            value,
            scale: Scale::of_unit(self.row.unit.word(), aggregation),
            samples,
            note,
            provisional: false,
        }
    }

    /// The resource, and its worst minute where minutes tell.
    fn worst(&self, criterion: &Criterion, outcome: &Outcome<'_>) -> String {
        let totals = |aggregation| matches!(aggregation, Aggregation::Sum | Aggregation::Count | Aggregation::PerSecond);
        let name = self.resource.split_once('/').map_or(self.resource, |(_, name)| name);
        let name = match outcome.shown {
            Some(shown) if !self.part.is_empty() && !totals(shown.aggregation) => format!("{name}/{}", self.part),
            _ => name.to_owned(),
        };
        match outcome.shown.and_then(|shown| self.worst_minute(criterion, shown)) {
            Some(minute) => format!("{name}, {minute}"),
            None => name,
        }
    }

    fn worst_minute(&self, criterion: &Criterion, shown: &crate::scenario::Condition) -> Option<String> {
        let statistic = match shown.aggregation {
            Aggregation::Sum | Aggregation::PerSecond => Statistic::Sum,
            Aggregation::Count if self.row.is_counter() => Statistic::Sum,
            Aggregation::Max => Statistic::Maximum,
            Aggregation::Min => Statistic::Minimum,
            _ => return None,
        };
        let wanted = criterion.pass.as_ref() == Some(shown);
        let scale = Scale::of_unit(self.row.unit.word(), Aggregation::Max);
        let minutes = self.by_minute(statistic, totals_add(shown.aggregation));
        let worst = minutes.into_iter().max_by(|a, b| {
            let badness = |value| scale.badness(&shown.limit, wanted, value);
            badness(a.1).total_cmp(&badness(b.1)).then(b.0.cmp(&a.0))
        })?;
        (worst.1 != 0.0).then(|| format!("{} at {}", scale.show(worst.1), clock(worst.0)))
    }

    /// Minutes of this part, or of all parts added.
    fn by_minute(&self, statistic: Statistic, all_parts: bool) -> Vec<(crate::units::Timestamp, f64)> {
        let mut minutes = std::collections::BTreeMap::new();
        for series in self.series.iter().filter(|series| series.resource == self.resource) {
            let counts = series.statistic == statistic && series.period == MINUTE && (all_parts || series.part == self.part);
            for (at, value) in series.points.iter().filter(|_| counts) {
                if self.windows.iter().any(|window| window.contains(*at)) {
                    *minutes.entry(*at).or_insert(0.0) += self.base(series, *value);
                }
            }
        }
        minutes.into_iter().collect()
    }
}

fn totals_add(aggregation: Aggregation) -> bool {
    matches!(aggregation, Aggregation::Sum | Aggregation::Count | Aggregation::PerSecond)
}

fn failure(series: &Series) -> Option<Gap> {
    match &series.completeness {
        Completeness::Failed { error } => Some(Gap(error.clone())),
        _ => None,
    }
}

fn statistic_word(statistic: Statistic) -> String {
    match statistic {
        Statistic::Percentile(p) => format!("p({p})"),
        other => format!("{other:?}"),
    }
}

/// Counts what Application Auto Scaling did; what failed has moved nothing.
pub(super) fn judge_activities<'a>(criterion: &'a Criterion, evidence: &Evidence<'_>) -> (Outcome<'a>, Option<String>) {
    let windows = stretches(&criterion.scope, evidence);
    let outcome = assess(criterion, |aggregation| {
        let activities = evidence.activities.map_err(|error| Gap(error.to_owned()))?;
        if aggregation != Aggregation::Count {
            return Err(Gap("`aws.autoscaling.activities` has only a count".to_owned()));
        }
        if windows.is_empty() {
            return Err(Gap("the run reached none of its phases".to_owned()));
        }
        let count = activities
            .iter()
            .filter(|activity| windows.iter().any(|window| window.contains(activity.at)))
            .filter(|activity| !matches!(activity.status.as_str(), "Failed" | "Unfulfilled"))
            .filter(|activity| {
                criterion.scope.on.is_empty() || criterion.scope.on.iter().any(|selector| moved(selector, &activity.resource_id))
            })
            .count() as u64;
        Ok(Reading {
            value: float(count),
            scale: Scale::NUMBER,
            samples: count,
            note: None,
            provisional: false,
        })
    });
    (outcome, None)
}

/// Whether a selector such as `dynamodb/orders` means `table/orders/index/by-day`.
fn moved(selector: &str, resource_id: &str) -> bool {
    let mut words = resource_id.split('/');
    let resource = match (words.next(), words.next(), words.next()) {
        (Some("table"), Some(table), _) => format!("dynamodb/{table}"),
        (Some("service"), Some(_), Some(service)) => format!("ecs/{service}"),
        _ => match resource_id.split(':').collect::<Vec<_>>().as_slice() {
            ["function", name, ..] => format!("lambda/{name}"),
            _ => return false,
        },
    };
    crate::metrics::wildcard(selector, &resource)
}
