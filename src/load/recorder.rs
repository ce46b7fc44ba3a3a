//! What one load thread writes down: a compact log, handed over once a second.
//!
//! The hot path only appends; counting and packing are the collector's work on its own thread.

use std::time::Duration;

use super::errors::{ErrorKey, Errors, Seen};
use super::recording::micros;
use super::sample::{Failure, Outcome, Sample};
use super::script::Script;
use super::sparse::{Scratch, Sparse};

/// Entries after which a log that nobody took is handed over anyway.
const LOG_START: usize = 1_024;

/// One ended request, compact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Whole second of the due time.
    pub(super) second: u32,
    /// Phase and step; see [`Cells`].
    pub(super) cell: u32,
    /// From due to done, microseconds.
    pub(super) response: u32,
    /// From send to done, microseconds; 0 when it was never sent.
    pub(super) service: u32,
    pub(super) bytes_sent: u32,
    pub(super) bytes_received: u32,
    /// 0 without an answer.
    pub(super) status: u16,
    pub(super) ending: Ending,
    /// Checks evaluated and held.
    pub(super) checks: (u8, u8),
}

/// [`Outcome`] in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Passed,
    Failed(Kind),
    Lost(Kind),
    Interrupted,
    Unsent,
}

/// [`Failure`] without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Timeout,
    Connect,
    Tls,
    Reset,
    Protocol,
    Status,
    Check,
    Data,
}

impl From<&Failure> for Kind {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Timeout => Self::Timeout,
            Failure::Connect => Self::Connect,
            Failure::Tls => Self::Tls,
            Failure::Reset => Self::Reset,
            Failure::Protocol => Self::Protocol,
            Failure::Status => Self::Status,
            Failure::Check(_) => Self::Check,
            Failure::Data => Self::Data,
        }
    }
}

impl Kind {
    /// The word that [`Failure::kind`] uses.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Timeout => Failure::Timeout.kind(),
            Self::Connect => Failure::Connect.kind(),
            Self::Tls => Failure::Tls.kind(),
            Self::Reset => Failure::Reset.kind(),
            Self::Protocol => Failure::Protocol.kind(),
            Self::Status => Failure::Status.kind(),
            Self::Check => Failure::Check(0).kind(),
            Self::Data => Failure::Data.kind(),
        }
    }
}

/// How (phase, step) pairs are numbered.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    /// Where the steps of each journey begin.
    first_steps: Vec<usize>,
    steps: usize,
    /// Where each phase ends.
    ends: Vec<Duration>,
}

impl Cells {
    pub(super) fn new(script: &Script) -> Self {
        Self {
            first_steps: script.journeys.iter().map(|journey| journey.first).collect(),
            steps: script.steps.len(),
            ends: script.stretches.iter().map(|stretch| stretch.to).collect(),
        }
    }

    /// The phase of a due time. What is due when all are over belongs to the last.
    pub(super) fn phase(&self, due: Duration) -> usize {
        self.ends
            .iter()
            .position(|end| due < *end)
            .unwrap_or(self.ends.len().saturating_sub(1))
    }

    fn cell(&self, due: Duration, journey: u16, step: u16) -> usize {
        self.phase(due) * self.steps + self.first_steps[usize::from(journey)] + usize::from(step)
    }

    /// Phase and flat step of a cell.
    pub(super) fn split(&self, cell: usize) -> (usize, usize) {
        (cell / self.steps, cell % self.steps)
    }

    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len() * self.steps
    }

    /// The number of a (phase, journey).
    fn iteration(&self, phase: usize, journey: usize) -> usize {
        phase * self.first_steps.len() + journey
    }

    /// Phase and journey of an iteration's number.
    pub(super) fn split_iteration(&self, number: usize) -> (usize, usize) {
        (number / self.first_steps.len(), number % self.first_steps.len())
    }

    pub(super) fn iterations(&self) -> usize {
        self.ends.len() * self.first_steps.len()
    }
}

/// What a thread wrote down since its last window.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// The last whole second that it covers.
    pub(super) second: u32,
    pub(super) entries: Vec<Entry>,
    /// Requests begun, by cell.
    pub(super) started: Vec<u64>,
    /// Journeys begun, by iteration number.
    pub(super) journeys_started: Vec<u64>,
    /// Completed journeys: iteration number and microseconds.
    pub(super) journeys: Vec<(u32, u32)>,
    /// Second, dropped arrivals, and those among them while another thread had a free slot.
    pub(super) dropped: Vec<(u32, u64, u64)>,
    /// Open arrivals, dropped ones included.
    pub(super) arrivals: u64,
    /// How late open arrivals were taken up.
    pub(super) lag_open: Sparse,
    /// How late the thread woke up otherwise.
    pub(super) lag_closed: Sparse,
    pub(super) users: u32,
    pub(super) in_flight_now: u32,
    /// The most since the last window.
    pub(super) in_flight: u32,
    pub(super) errors: Errors,
}

/// A thread's log.
#[derive(Debug)]
pub(super) struct Recorder {
    cells: Cells,
    window: Window,
    lag_open: Scratch,
    lag_closed: Scratch,
    errors: Errors,
}

impl Recorder {
    pub(super) fn new(script: &Script) -> Self {
        let cells = Cells::new(script);
        let window = Window {
            entries: Vec::with_capacity(LOG_START),
            started: vec![0; cells.len()],
            journeys_started: vec![0; cells.iterations()],
            ..Window::default()
        };
        Self {
            cells,
            window,
            lag_open: Scratch::new(),
            lag_closed: Scratch::new(),
            errors: Errors::default(),
        }
    }

    /// A request begins.
    pub(super) fn started(&mut self, due: Duration, journey: u16, step: u16) {
        let cell = self.cells.cell(due, journey, step);
        self.window.started[cell] += 1;
    }

    /// A request ended; `text` says why it was lost.
    pub(super) fn ended(&mut self, sample: &Sample, text: &str) {
        let (status, ending, failure) = match &sample.outcome {
            Outcome::Passed(status) => (*status, Ending::Passed, None),
            Outcome::Failed(status, failure) => (*status, Ending::Failed(failure.into()), Some(failure)),
            Outcome::Lost(failure) => (0, Ending::Lost(failure.into()), Some(failure)),
            Outcome::Interrupted => (0, Ending::Interrupted, None),
            Outcome::Unsent => (0, Ending::Unsent, None),
        };
        self.window.entries.push(Entry {
            second: second(sample.due),
            cell: narrow(self.cells.cell(sample.due, sample.journey, sample.step) as u64),
            response: narrow(micros(sample.done.saturating_sub(sample.due))),
            service: if sample.sent < sample.done {
                narrow(micros(sample.done.saturating_sub(sample.sent)))
            } else {
                0
            },
            bytes_sent: narrow(sample.bytes.0),
            bytes_received: narrow(sample.bytes.1),
            status,
            ending,
            checks: (tiny(sample.checks.0), tiny(sample.checks.1)),
        });
        if let Some(failure) = failure {
            self.error(sample, failure, status, text);
        }
    }

    #[cold]
    fn error(&mut self, sample: &Sample, failure: &Failure, status: u16, text: &str) {
        let at = sample.done.as_secs_f64();
        let key = ErrorKey {
            journey: sample.journey,
            step: sample.step,
            failure: failure.clone(),
            status: (status != 0).then_some(status),
            text: text.to_owned(),
        };
        let seen = Seen {
            count: 1,
            first: at,
            last: at,
        };
        self.errors.add(key, seen);
    }

    /// Something went wrong that was no request, such as data running out.
    pub(super) fn mishap(&mut self, at: Duration, journey: u16, text: &str) {
        let sample = Sample {
            due: at,
            sent: at,
            done: at,
            journey,
            step: 0,
            outcome: Outcome::Unsent,
            bytes: (0, 0),
            checks: (0, 0),
        };
        self.error(&sample, &Failure::Data, 0, text);
    }

    /// A journey begins; gives the number under which it completes.
    pub(super) fn journey_started(&mut self, due: Duration, journey: usize) -> u32 {
        let number = self.cells.iteration(self.cells.phase(due), journey);
        self.window.journeys_started[number] += 1;
        narrow(number as u64)
    }

    /// A journey ended with every step passed.
    pub(super) fn journey_completed(&mut self, number: u32, took: Duration) {
        self.window.journeys.push((number, narrow(micros(took))));
    }

    /// An open arrival was taken up this late.
    pub(super) fn arrived(&mut self, late: Duration) {
        self.window.arrivals += 1;
        self.lag_open.add(narrow(micros(late)));
    }

    /// An open arrival found no slot.
    pub(super) fn dropped(&mut self, due: Duration, elsewhere_free: bool) {
        self.window.arrivals += 1;
        let second = second(due);
        if self.window.dropped.last().is_none_or(|last| last.0 != second) {
            self.window.dropped.push((second, 0, 0));
        }
        if let Some(last) = self.window.dropped.last_mut() {
            last.1 += 1;
            last.2 += u64::from(elsewhere_free);
        }
    }

    /// The thread woke up this late.
    pub(super) fn woke(&mut self, late: Duration) {
        self.lag_closed.add(narrow(micros(late)));
    }

    /// So many requests are in flight.
    pub(super) fn in_flight(&mut self, now: u32) {
        self.window.in_flight = self.window.in_flight.max(now);
    }

    /// Everything since the last window.
    pub(super) fn take(&mut self, second: u32, users: u32, in_flight: u32) -> Window {
        let next = Window {
            // The next second is much like this one.
            entries: Vec::with_capacity(self.window.entries.len().max(LOG_START)),
            started: vec![0; self.cells.len()],
            journeys_started: vec![0; self.cells.iterations()],
            in_flight,
            ..Window::default()
        };
        let mut window = std::mem::replace(&mut self.window, next);
        window.second = second;
        window.users = users;
        window.in_flight_now = in_flight;
        window.lag_open = self.lag_open.drain();
        window.lag_closed = self.lag_closed.drain();
        window.errors = std::mem::take(&mut self.errors);
        window
    }
}

/// The whole second of a time.
pub(super) fn second(time: Duration) -> u32 {
    narrow(time.as_secs())
}

/// Clamps to 32 bits.
fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn tiny(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}
