//! What a client metric is made of over some stretch, and how that becomes one number.

use std::ops::Range;

use hdrhistogram::Histogram;

use super::select::Picker;
use crate::load::recording::{Cell, Counts, Slice, histogram};
use crate::scenario::{Aggregation, Metric};

/// The material of a metric; exact under merging.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Microseconds, of metrics that are times.
    pub times: Option<Histogram<u64>>,
    /// Events counted.
    pub hits: u64,
    /// Of so many that could have been.
    pub of: u64,
    /// One a bucket, of metrics that are levels.
    pub levels: Vec<f64>,
    /// How long the stretch is.
    pub seconds: f64,
}

/// Why there is no number, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap(pub String);

impl Tally {
    fn empty(metric: &Metric) -> Self {
        let is_time = matches!(metric, Metric::ResponseTime | Metric::ServiceTime | Metric::JourneyTime);
        Self {
            times: is_time.then(histogram),
            hits: 0,
            of: 0,
            levels: Vec::new(),
            seconds: 0.0,
        }
    }

    /// Over every phase of the scope, from the cells.
    ///
    /// `None` when only the time line could tell, or nothing in the run belongs to the scope.
    #[must_use]
    pub fn whole(metric: &Metric, picker: &Picker<'_>) -> Option<Self> {
        if !picker.means_anything() {
            return None;
        }
        let recording = picker.recording();
        let mut tally = Self::empty(metric);
        match metric {
            Metric::JourneyTime | Metric::Iterations => {
                let iterations = picker.iterations();
                (tally.hits, tally.of) = (iterations.completed, iterations.started);
                if let Some(times) = &mut tally.times {
                    *times = iterations.duration;
                }
            }
            Metric::Dropped if picker.is_whole_run() => {
                tally.hits = recording.generator.dropped;
                tally.of = recording.generator.arrivals;
            }
            Metric::Dropped | Metric::Users | Metric::InFlight => {
                for span in picker.spans() {
                    tally.add(&Self::buckets(metric, picker, picker.buckets(span)));
                }
            }
            _ => picker.cells().for_each(|cell| tally.add_cell(metric, cell)),
        }
        tally.seconds = picker.spans().iter().map(super::select::Span::seconds).sum();
        Some(tally)
    }

    /// Over some buckets of the time line. Journeys are not in it.
    #[must_use]
    pub fn buckets(metric: &Metric, picker: &Picker<'_>, range: Range<usize>) -> Self {
        let recording = picker.recording();
        let mut tally = Self::empty(metric);
        for bucket in &recording.timeline[range] {
            tally.seconds += recording.bucket_seconds;
            match metric {
                Metric::Users => tally.levels.push(f64::from(bucket.users)),
                Metric::InFlight => tally.levels.push(f64::from(bucket.in_flight)),
                Metric::Dropped => {
                    let started: u64 = bucket.cells.iter().map(|(_, cell)| cell.counts.started).sum();
                    tally.hits += bucket.dropped;
                    tally.of += bucket.dropped + started;
                }
                _ => picker.bucket_slices(bucket).for_each(|slice| tally.add_slice(metric, slice)),
            }
        }
        tally
    }

    fn add_cell(&mut self, metric: &Metric, cell: &Cell) {
        if let Some(times) = &mut self.times {
            // Equal bounds always add.
            match metric {
                Metric::ServiceTime => {
                    let _ = times.add(&cell.service);
                }
                _ => {
                    // A target that fails everything must not look fast: failed answers count as well.
                    let _ = times.add(&cell.response_passed).and_then(|()| times.add(&cell.response_failed));
                }
            }
        } else {
            let (hits, of) = counted(metric, &cell.counts);
            self.hits += hits;
            self.of += of;
        }
    }

    fn add_slice(&mut self, metric: &Metric, slice: &Slice) {
        match (&mut self.times, metric) {
            (Some(times), Metric::ServiceTime) => slice.service.add_to(times),
            (Some(times), _) => {
                // See `add_cell`.
                slice.response_passed.add_to(times);
                slice.response_failed.add_to(times);
            }
            (None, _) => {
                let (hits, of) = counted(metric, &slice.counts);
                self.hits += hits;
                self.of += of;
            }
        }
    }

    /// Adds another stretch.
    pub fn add(&mut self, other: &Self) {
        if let (Some(times), Some(others)) = (&mut self.times, &other.times) {
            let _ = times.add(others);
        }
        self.hits += other.hits;
        self.of += other.of;
        self.levels.extend(&other.levels);
        self.seconds += other.seconds;
    }

    /// Takes the oldest stretch away again, as a sliding window does.
    pub fn remove_first(&mut self, other: &Self) {
        if let (Some(times), Some(others)) = (&mut self.times, &other.times) {
            let _ = times.subtract(others);
        }
        self.hits -= other.hits;
        self.of -= other.of;
        self.levels.drain(..other.levels.len());
        self.seconds -= other.seconds;
    }

    /// How many samples it rests on.
    #[must_use]
    pub fn samples(&self) -> u64 {
        match &self.times {
            Some(times) => times.len(),
            None if self.levels.is_empty() => self.of,
            None => self.levels.len() as u64,
        }
    }

    /// One number out of it, in base units.
    pub fn value(&self, metric: &Metric, aggregation: Aggregation) -> Result<f64, Gap> {
        match metric {
            Metric::ResponseTime | Metric::ServiceTime | Metric::JourneyTime => self.time(metric, aggregation),
            Metric::Users | Metric::InFlight => self.level(metric, aggregation),
            _ => self.counter(metric, aggregation),
        }
    }

    fn time(&self, metric: &Metric, aggregation: Aggregation) -> Result<f64, Gap> {
        let Some(times) = self.times.as_ref().filter(|times| !times.is_empty()) else {
            return Err(Gap("no request ended".to_owned()));
        };
        let seconds = |micros: u64| float(micros) / 1e6;
        Ok(match aggregation {
            Aggregation::Avg => times.mean() / 1e6,
            Aggregation::Min => seconds(times.min()),
            Aggregation::Max => seconds(times.max()),
            Aggregation::Med => seconds(times.value_at_quantile(0.5)),
            Aggregation::Percentile(p) => seconds(times.value_at_quantile(p / 100.0)),
            Aggregation::Count => float(times.len()),
            other => return Err(not_of(metric, other)),
        })
    }

    fn level(&self, metric: &Metric, aggregation: Aggregation) -> Result<f64, Gap> {
        statistic_of(&self.levels, aggregation, metric)
    }

    fn counter(&self, metric: &Metric, aggregation: Aggregation) -> Result<f64, Gap> {
        // What counts attempts or drops is known to be none; what judges answers needs answers.
        let knows_zero = matches!(metric, Metric::Requests | Metric::Dropped | Metric::Iterations);
        if self.of == 0 && !knows_zero {
            return Err(Gap(match metric {
                Metric::Checks => "no check was evaluated".to_owned(),
                _ => "no request ended".to_owned(),
            }));
        }
        match aggregation {
            Aggregation::Count | Aggregation::Sum => Ok(float(self.hits)),
            Aggregation::PerSecond if self.seconds > 0.0 => Ok(float(self.hits) / self.seconds),
            Aggregation::Share if self.of > 0 => Ok(float(self.hits) / float(self.of)),
            Aggregation::PerSecond | Aggregation::Share => Err(Gap("nothing was started".to_owned())),
            other => Err(not_of(metric, other)),
        }
    }
}

/// Least, greatest, mean, percentile or newest of single values.
pub(super) fn statistic_of(values: &[f64], aggregation: Aggregation, metric: &Metric) -> Result<f64, Gap> {
    let Some(last) = values.last() else {
        return Err(Gap("no data".to_owned()));
    };
    Ok(match aggregation {
        Aggregation::Avg => values.iter().sum::<f64>() / float(values.len() as u64),
        Aggregation::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
        Aggregation::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Aggregation::Med => percentile(values, 50.0),
        Aggregation::Percentile(p) => percentile(values, p),
        Aggregation::Value => *last,
        other => return Err(not_of(metric, other)),
    })
}

/// The nearest-rank percentile: the least value that so many percent of all do not exceed.
fn percentile(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is between 0 and the number of values"
    )]
    let rank = (p / 100.0 * float(sorted.len() as u64)).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()) - 1).copied().unwrap_or(f64::NAN)
}

fn not_of(metric: &Metric, aggregation: Aggregation) -> Gap {
    Gap(format!("`{metric}` has no {}", super::words::aggregation(aggregation)))
}

/// Events of a metric and what they are a share of.
fn counted(metric: &Metric, counts: &Counts) -> (u64, u64) {
    let kind = |name: &str| counts.failures.get(name).copied().unwrap_or(0);
    match metric {
        Metric::Successes => (counts.passed, counts.ended()),
        Metric::Responses { status } => (answers(counts, status.as_deref()), counts.ended()),
        Metric::Errors { kind: None } => (counts.errors(), counts.ended()),
        Metric::Errors { kind: Some(name) } => (kind(name), counts.ended()),
        Metric::Checks => (counts.checks.1, counts.checks.0),
        Metric::Availability => {
            let lost: u64 = ["timeout", "connect", "tls", "reset", "protocol"].into_iter().map(kind).sum();
            let gone = lost + answers(counts, Some("5xx"));
            (counts.ended().saturating_sub(gone), counts.ended())
        }
        _ => (counts.started, counts.started),
    }
}

/// Answers with a status such as `429` or `5xx`.
pub(super) fn answers(counts: &Counts, status: Option<&str>) -> u64 {
    let fits = |code: u16| {
        status.is_none_or(|wanted| {
            let code = code.to_string();
            code.len() == wanted.len()
                && code
                    .chars()
                    .zip(wanted.chars())
                    .all(|(digit, pattern)| digit == pattern || pattern.eq_ignore_ascii_case(&'x'))
        })
    };
    counts
        .statuses
        .iter()
        .filter(|(code, _)| fits(**code))
        .map(|(_, count)| count)
        .sum()
}

/// Counts as a float; runs stay far below 2^52 events.
#[expect(clippy::cast_precision_loss, reason = "runs stay far below 2^52 events")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}
