//! Everything a run recorded: counts and histograms by phase, journey and step, and a time line.
//!
//! Merging is exact: histograms add. Serialisable, so that windows go to disk and `report` can judge again.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::sample::Failure;
use super::sparse::Sparse;
use crate::units::Timestamp;

/// The record of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// When the load began.
    pub started: Timestamp,
    /// When the last request ended.
    pub ended: Timestamp,
    /// Why it ended.
    pub end: EndReason,
    /// Phases with their offsets, in order.
    pub phases: Vec<PhaseWindow>,
    /// Journey names and their steps' names, by index.
    pub journeys: Vec<JourneyNames>,
    /// By (phase, journey, step).
    pub cells: Vec<(CellKey, Cell)>,
    /// Journeys: started, completed and their durations, by (phase, journey).
    pub iterations: Vec<(u16, u16, Iterations)>,
    /// At most 720, contiguous, of equal width.
    pub timeline: Vec<Bucket>,
    /// Width of a bucket in seconds.
    pub bucket_seconds: f64,
    /// Distinct errors, counted; bounded.
    pub errors: Vec<ErrorSeen>,
    /// How the generator itself did.
    pub generator: Generator,
    /// The seed that repeats the run.
    pub seed: u64,
    /// 1 unless rehearsed.
    pub time_scale: f64,
}

/// A journey and its steps by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct JourneyNames {
    pub name: String,
    pub tags: Vec<String>,
    pub steps: Vec<String>,
}

/// Where a cell belongs, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CellKey {
    pub phase: u16,
    pub journey: u16,
    pub step: u16,
}

/// A phase and when it was, in seconds from the start of the load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PhaseWindow {
    pub name: String,
    pub from: f64,
    /// Cut short when the load was stopped in it.
    pub to: f64,
}

/// Counts and latencies of one step in one phase. Latencies are split by outcome: a target that fails everything
/// never looks fast. Histograms hold microseconds, 1 µs to 1 h, 3 significant digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// How requests ended.
    pub counts: Counts,
    /// From the due time (open) or the send (closed), of passed requests.
    #[serde(with = "histogram_text")]
    pub response_passed: Histogram<u64>,
    /// The same of failed ones (timeouts and lost connections included).
    #[serde(with = "histogram_text")]
    pub response_failed: Histogram<u64>,
    /// From the send, of all that were answered or lost.
    #[serde(with = "histogram_text")]
    pub service: Histogram<u64>,
}

/// How requests ended. `started` = passed + failed + lost + interrupted + unsent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests begun.
    pub started: u64,
    /// Answered, every check held.
    pub passed: u64,
    /// Answered, a check did not hold.
    pub failed: u64,
    /// No answer.
    pub lost: u64,
    /// Stopped by us in flight.
    pub interrupted: u64,
    /// Stopped by us before the send.
    pub unsent: u64,
    /// Failed or lost after the first byte was sent: the target may have counted them.
    pub lost_after_send: u64,
    /// By status code, of all answered.
    pub statuses: BTreeMap<u16, u64>,
    /// By kind, of all failed and lost.
    pub failures: BTreeMap<String, u64>,
    /// Checks evaluated and held.
    pub checks: (u64, u64),
    /// Bodies.
    pub bytes_sent: u64,
    /// Bodies.
    pub bytes_received: u64,
}

/// Journeys of one kind in one phase.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Iterations {
    /// Begun.
    pub started: u64,
    /// Ended with every step passed.
    pub completed: u64,
    /// Durations of the completed, microseconds, think times included.
    #[serde(with = "histogram_text")]
    pub duration: Histogram<u64>,
}

/// A stretch of the time line, by the samples' due time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bucket {
    /// Users, at the end of the bucket (0 in open phases without users).
    pub users: u32,
    /// Requests in flight, the most seen in the bucket.
    pub in_flight: u32,
    /// Arrivals that found no slot.
    pub dropped: u64,
    /// By (journey, step).
    pub cells: Vec<((u16, u16), Slice)>,
}

/// A [`Cell`] of one bucket, with its latencies packed: a time line has thousands of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// How requests ended.
    pub counts: Counts,
    /// See [`Cell::response_passed`].
    pub response_passed: Sparse,
    /// See [`Cell::response_failed`].
    pub response_failed: Sparse,
    /// See [`Cell::service`].
    pub service: Sparse,
}

/// A distinct error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorSeen {
    /// Journey and step, by index.
    pub journey: u16,
    /// See `journey`.
    pub step: u16,
    /// Its class.
    pub failure: Failure,
    /// Status of the answer, if there was one.
    pub status: Option<u16>,
    /// In words, secrets masked: the check's text, the system's error.
    pub text: String,
    /// How often.
    pub count: u64,
    /// First and last time, seconds from the start.
    pub first: f64,
    /// See `first`.
    pub last: f64,
}

/// Why the load ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum EndReason {
    /// The scenario was over.
    Completed,
    /// A criterion with `abort-after`, by name.
    Aborted {
        /// Its name.
        criterion: String,
    },
    /// A signal, by number (2, 15, 1).
    Interrupted {
        /// Its number.
        signal: i32,
    },
    /// The process died; the record holds what was on disk.
    Killed,
}

/// How the generator did. A run that it could not keep up with is invalid.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Generator {
    /// Load threads.
    pub threads: u32,
    /// Arrivals that found no slot.
    pub dropped: u64,
    /// Of these, while another thread had a free one.
    pub imbalance: u64,
    /// Arrivals in all (open) or requests (closed).
    pub arrivals: u64,
    /// Median, 99th percentile and greatest, in seconds. Open: how late after due arrivals that found a slot were
    /// taken up. Closed: how late the threads woke up.
    pub lag: [f64; 3],
    /// CPU seconds of the process during the load.
    pub cpu_seconds: f64,
    /// Why the run is invalid; empty when it is not.
    pub invalid: Vec<String>,
}

/// The part of a recording that a scope selects, merged.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `None` when nothing in the run belongs to the scope.
    pub cell: Option<Cell>,
    /// Seconds that the scope spans.
    pub seconds: f64,
}

impl Cell {
    /// An empty cell; histograms grow on first use.
    #[must_use]
    pub fn new() -> Self {
        Self {
            counts: Counts::default(),
            response_passed: histogram(),
            response_failed: histogram(),
            service: histogram(),
        }
    }

    /// Adds another cell, exactly.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        add(&mut self.response_passed, &other.response_passed);
        add(&mut self.response_failed, &other.response_failed);
        add(&mut self.service, &other.service);
    }

    /// Response times of all requests that ended by themselves, passed and failed together.
    #[must_use]
    pub fn response_all(&self) -> Histogram<u64> {
        let mut all = self.response_passed.clone();
        add(&mut all, &self.response_failed);
        all
    }
}

impl Slice {
    /// Adds another slice, exactly.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.response_passed.merge(&other.response_passed);
        self.response_failed.merge(&other.response_failed);
        self.service.merge(&other.service);
    }

    /// Adds it to a cell, exactly.
    pub fn add_to(&self, cell: &mut Cell) {
        cell.counts.merge(&self.counts);
        self.response_passed.add_to(&mut cell.response_passed);
        self.response_failed.add_to(&mut cell.response_failed);
        self.service.add_to(&mut cell.service);
    }

    /// The same as a cell.
    #[must_use]
    pub fn to_cell(&self) -> Cell {
        let mut cell = Cell::new();
        self.add_to(&mut cell);
        cell
    }
}

impl Default for Cell {
    fn default() -> Self {
        Self::new()
    }
}

impl Counts {
    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        self.started += other.started;
        self.passed += other.passed;
        self.failed += other.failed;
        self.lost += other.lost;
        self.interrupted += other.interrupted;
        self.unsent += other.unsent;
        self.lost_after_send += other.lost_after_send;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (kind, count) in &other.failures {
            *self.failures.entry(kind.clone()).or_default() += count;
        }
        self.checks.0 += other.checks.0;
        self.checks.1 += other.checks.1;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
    }

    /// Passed or failed: the target answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.passed + self.failed
    }

    /// Ended by itself: what `errors rate` divides by.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.answered() + self.lost
    }

    /// Failed or lost.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.failed + self.lost
    }
}

/// An empty histogram of microseconds, 1 µs to 1 h, 3 significant digits. It grows with what it holds.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "it cannot")]
pub fn histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the crate accepts 3 digits")]
    Histogram::new(3).expect("3 digits are valid")
}

fn add(into: &mut Histogram<u64>, other: &Histogram<u64>) {
    #[expect(clippy::expect_used, reason = "every histogram of a recording grows by itself")]
    into.add(other).expect("a growing histogram takes any other");
}

/// Microseconds of a duration, at least 1 and at most the histogram's bound.
#[must_use]
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).clamp(1, 3_600_000_000)
}

/// Histograms in JSON: the V2 + deflate log format of `HdrHistogram`, in base64.
mod histogram_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
    use serde::{Deserialize as _, de::Error as _, ser::Error as _};

    pub(super) fn serialize<S: serde::Serializer>(histogram: &Histogram<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        if histogram.is_empty() {
            return serializer.serialize_str("");
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(histogram, &mut bytes)
            .map_err(S::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Histogram<u64>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(super::histogram());
        }
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        let mut histogram: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(D::Error::custom)?;
        histogram.auto(true);
        Ok(histogram)
    }
}
