//! One resource, one part of it, over some minutes: what CloudWatch's series say of it.
//!
//! Totals add up over the parts of a resource (indexes, operations); everything else is judged part by part. A
//! percentile or a mean over a window comes from a series whose period is that window, since neither can be put
//! together from minutes; where CloudWatch keeps no raw values it is taken over one-minute averages, and says so.
//! While a pull is provisional a total and a greatest value can only grow.

use std::collections::{BTreeMap, BTreeSet};

use super::bands::{Outcome, Reading};
use super::client::grown;
use super::tally::{Gap, statistic_of};
use super::words::{self, Scale, clock};
use crate::metrics::align::MINUTE;
use crate::metrics::catalogue::Row;
use crate::metrics::{Completeness, Missing, Series, Statistic, TimeWindow};
use crate::scenario::{Aggregation, Condition, Criterion, Metric};
use crate::units::Timestamp;

/// Why a number that has not settled is only a lower bound.
const OPEN: &str = "later minutes are not published";

/// What is judged at once.
pub(super) struct Subject<'s> {
    pub(super) row: &'s Row,
    pub(super) series: &'s [&'s Series],
    pub(super) resource: &'s str,
    pub(super) part: &'s str,
    pub(super) windows: &'s [TimeWindow],
}

impl<'s> Subject<'s> {
    pub(super) fn read(&self, aggregation: Aggregation) -> Result<Reading, Gap> {
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
                words::aggregation(aggregation)
            ))),
        }
    }

    /// Sums over the parts of the resource. A part that is not known leaves a sum of at least the others.
    fn total(&self, aggregation: Aggregation, statistic: Statistic) -> Result<Reading, Gap> {
        let parts: BTreeSet<&str> = self
            .series
            .iter()
            .filter(|series| series.resource == self.resource)
            .map(|series| series.part.as_str())
            .collect();
        let mut all = self.reading(aggregation, 0.0, 0, None);
        let mut known = 0;
        for part in parts {
            let found = self
                .find(part, statistic, MINUTE)
                .and_then(|series| Ok((series, self.points(series)?)));
            match found {
                Ok((series, points)) => {
                    known += 1;
                    all.value += points.iter().sum::<f64>();
                    all.samples += points.len() as u64;
                    all.provisional |= series.completeness == Completeness::Provisional;
                    all.note = all.note.or_else(|| self.gaps(series, points.len()));
                }
                Err(Gap(why)) => all.at_least = Some(why),
            }
        }
        match all.at_least {
            Some(why) if known == 0 => return Err(Gap(why)),
            None if all.provisional => all.at_least = Some(OPEN.to_owned()),
            _ => {}
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
        let may_grow = reading.provisional && aggregation == Aggregation::Max && series.missing == Missing::Zero;
        reading.at_least = may_grow.then(|| OPEN.to_owned());
        Ok(reading)
    }

    /// A statistic that only CloudWatch itself can take over a window. One over one-minute averages stands in for it
    /// only where CloudWatch keeps no raw values: elsewhere it would be another number under the same name.
    fn whole(&self, aggregation: Aggregation, statistic: Statistic) -> Result<Reading, Gap> {
        let exact: Vec<(&Series, f64)> = self.windows.iter().flat_map(|window| self.exact(statistic, *window)).collect();
        let failed = self.windows.iter().find_map(|window| {
            let series = self.find(self.part, statistic, window.seconds()).ok()?;
            failure(series)
        });
        if let Some(why) = failed {
            return Err(why);
        }
        if exact.is_empty() && self.row.raw {
            return Err(self.unanswered(statistic));
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

    /// Why there is no number for any window as a whole.
    fn unanswered(&self, statistic: Statistic) -> Gap {
        let asked = self.windows.iter().map(|window| self.find(self.part, statistic, window.seconds()));
        let all: Result<Vec<&Series>, Gap> = asked.collect();
        match all {
            Err(gap) => gap,
            Ok(all) if all.iter().any(|series| series.completeness == Completeness::Provisional) => Gap("no data yet".to_owned()),
            Ok(_) => Gap("no data".to_owned()),
        }
    }

    /// What CloudWatch answered for a window as a whole.
    fn exact(&self, statistic: Statistic, window: TimeWindow) -> Vec<(&'s Series, f64)> {
        let Ok(series) = self.find(self.part, statistic, window.seconds()) else {
            return Vec::new();
        };
        let points = series.points.iter().filter(|(at, _)| window.contains(*at));
        points.map(|(_, value)| (series, self.base(*value))).collect()
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
            .map(|(_, value)| self.base(*value))
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

    fn base(&self, value: f64) -> f64 {
        value / Scale::of_row(self.row, Aggregation::Max).own_per_base
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
            scale: Scale::of_row(self.row, aggregation),
            samples,
            note,
            provisional: false,
            at_least: None,
        }
    }

    /// The resource, and its worst minute where minutes tell.
    pub(super) fn worst(&self, criterion: &Criterion, outcome: &Outcome<'_>) -> String {
        let name = self.resource.split_once('/').map_or(self.resource, |(_, name)| name);
        let name = match outcome.shown {
            Some(shown) if !self.part.is_empty() && !is_total(shown.aggregation) => format!("{name}/{}", self.part),
            _ => name.to_owned(),
        };
        match outcome.shown.and_then(|shown| self.worst_minute(criterion, shown)) {
            Some(minute) => format!("{name}, {minute}"),
            None => name,
        }
    }

    fn worst_minute(&self, criterion: &Criterion, shown: &Condition) -> Option<String> {
        let statistic = match shown.aggregation {
            Aggregation::Sum | Aggregation::PerSecond => Statistic::Sum,
            Aggregation::Count if self.row.is_counter() => Statistic::Sum,
            Aggregation::Max => Statistic::Maximum,
            Aggregation::Min => Statistic::Minimum,
            _ => return None,
        };
        let wanted = criterion.pass.as_ref() == Some(shown);
        let scale = Scale::of_row(self.row, Aggregation::Max);
        let minutes = self.by_minute(statistic, is_total(shown.aggregation));
        let worst = minutes.into_iter().max_by(|a, b| {
            let badness = |value| Scale::badness(&shown.limit, wanted, value);
            badness(a.1).total_cmp(&badness(b.1)).then(b.0.cmp(&a.0))
        })?;
        (worst.1 != 0.0).then(|| format!("{} at {}", scale.show(worst.1), clock(worst.0)))
    }

    /// Minutes of this part, or of all parts added.
    fn by_minute(&self, statistic: Statistic, all_parts: bool) -> Vec<(Timestamp, f64)> {
        let mut minutes = BTreeMap::new();
        for series in self.series.iter().filter(|series| series.resource == self.resource) {
            let counts = series.statistic == statistic && series.period == MINUTE && (all_parts || series.part == self.part);
            for (at, value) in series.points.iter().filter(|_| counts) {
                if self.windows.iter().any(|window| window.contains(*at)) {
                    *minutes.entry(*at).or_insert(0.0) += self.base(*value);
                }
            }
        }
        minutes.into_iter().collect()
    }
}

fn is_total(aggregation: Aggregation) -> bool {
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
