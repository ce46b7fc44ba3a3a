//! Windows of all threads become one recording. Runs on its own thread, knows nothing of threads or clocks itself.

use std::collections::VecDeque;

use super::errors::Errors;
use super::moment::{Moment, Rounds, merge_into};
use super::recorder::{Cells, Ending, Entry, Kind, Window};
use super::recording::{Bucket, Cell, CellKey, Counts, EndReason, Generator, Iterations, PhaseWindow, Recording, Slice, histogram};
use super::sample::Failure;
use super::script::Script;
use super::sparse::{Scratch, Sparse};
use crate::units::Timestamp;

/// The time line has at most so many buckets.
const BUCKETS_MAX: usize = 720;

/// What a run is recorded under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading {
    pub(super) started: Timestamp,
    pub(super) threads: u32,
    pub(super) seed: u64,
    pub(super) time_scale: f64,
}

/// Everything recorded so far.
#[derive(Debug)]
pub(super) struct Collector {
    recording: Recording,
    cells: Cells,
    /// Journey and step of each flat step.
    steps: Vec<(u16, u16)>,
    phases: Vec<PhaseWindow>,
    check_texts: Vec<Vec<String>>,
    /// Seconds of a bucket.
    width: u32,
    scratch: [Scratch; 3],
    lag_open: Sparse,
    lag_closed: Sparse,
    errors: Errors,
    /// The newest last.
    moments: VecDeque<Moment>,
    moments_kept: usize,
    requests: u64,
    errors_seen: u64,
}

impl Collector {
    /// An empty record; `seconds_kept` is how far back moments are wanted.
    pub(super) fn new(script: &Script, heading: Heading, seconds_kept: usize) -> Self {
        let phases = script
            .phases
            .iter()
            .zip(&script.stretches)
            .map(|(name, stretch)| PhaseWindow {
                name: name.clone(),
                from: stretch.from.as_secs_f64(),
                to: stretch.to.as_secs_f64(),
            })
            .collect();
        Self {
            recording: Recording {
                started: heading.started,
                ended: heading.started,
                end: EndReason::Killed,
                phases: Vec::new(),
                journeys: script.journey_names(),
                cells: Vec::new(),
                iterations: Vec::new(),
                timeline: Vec::new(),
                bucket_seconds: 1.0,
                errors: Vec::new(),
                generator: Generator {
                    threads: heading.threads,
                    ..Generator::default()
                },
                seed: heading.seed,
                time_scale: heading.time_scale,
            },
            cells: Cells::new(script),
            steps: script.steps.iter().map(|step| (step.journey, step.step)).collect(),
            phases,
            check_texts: script.steps.iter().map(|step| step.check_texts.clone()).collect(),
            width: 1,
            scratch: [Scratch::new(), Scratch::new(), Scratch::new()],
            lag_open: Sparse::default(),
            lag_closed: Sparse::default(),
            errors: Errors::default(),
            moments: VecDeque::new(),
            moments_kept: seconds_kept,
            requests: 0,
            errors_seen: 0,
        }
    }

    /// Adds what one thread recorded.
    pub(super) fn absorb(&mut self, mut window: Window) {
        let mut moment = Moment {
            second: window.second,
            users: window.users,
            in_flight: window.in_flight_now,
            arrivals: window.arrivals,
            ..Moment::default()
        };
        // Most windows hold few seconds and few cells, so that sorting is cheap and packing has long runs.
        window.entries.sort_unstable_by_key(|entry| (entry.second, entry.cell));
        for group in window.entries.chunk_by(|a, b| (a.second, a.cell) == (b.second, b.cell)) {
            let slice = self.pack(group);
            self.errors_seen += slice.counts.errors();
            let key = self.key(group[0].cell as usize);
            let bucket = self.bucket(group[0].second);
            merge_into(&mut bucket.cells, (key.journey, key.step), &slice);
            let cell = self.cell(key);
            let started = cell.counts.started;
            slice.add_to(cell);
            // The cells count what was begun when it began; what has ended is only a part of it while the load goes on.
            cell.counts.started = started;
            merge_into(&mut moment.slices, key, &slice);
        }
        for (cell, started) in window.started.iter().enumerate().filter(|(_, started)| **started > 0) {
            let key = self.key(cell);
            self.cell(key).counts.started += started;
            moment.started += started;
        }
        self.requests += moment.started;
        for (second, dropped, imbalance) in &window.dropped {
            self.bucket(*second).dropped += dropped;
            moment.dropped += dropped;
            self.recording.generator.dropped += dropped;
            self.recording.generator.imbalance += imbalance;
        }
        self.recording.generator.arrivals += window.arrivals;
        self.lag_open.merge(&window.lag_open);
        self.lag_closed.merge(&window.lag_closed);
        self.absorb_journeys(&mut window, &mut moment);
        self.absorb_errors(std::mem::take(&mut window.errors));
        let in_flight_max = window.in_flight;
        self.add_moment(moment, in_flight_max);
    }

    fn absorb_journeys(&mut self, window: &mut Window, moment: &mut Moment) {
        for (number, started) in window.journeys_started.iter().enumerate().filter(|(_, started)| **started > 0) {
            self.iterations(number).started += started;
            let (phase, journey) = self.cells.split_iteration(number);
            moment.iterations.push(Rounds {
                phase: index16(phase),
                journey: index16(journey),
                started: *started,
                times: Sparse::default(),
            });
        }
        let mut journeys = std::mem::take(&mut window.journeys);
        journeys.sort_unstable();
        for group in journeys.chunk_by(|a, b| a.0 == b.0) {
            for (_, micros) in group {
                self.scratch[0].add(*micros);
            }
            let times = self.scratch[0].drain();
            let number = group[0].0;
            let iterations = self.iterations(number as usize);
            iterations.completed += times.len();
            times.add_to(&mut iterations.duration);
            let (phase, journey) = self.cells.split_iteration(number as usize);
            moment.iterations.push(Rounds {
                phase: index16(phase),
                journey: index16(journey),
                started: 0,
                times,
            });
        }
    }

    /// Adds errors; what a check was is written out here, so that the load threads need not.
    fn absorb_errors(&mut self, errors: Errors) {
        for (mut key, seen) in errors.into_each() {
            let step = self.steps.iter().position(|step| *step == (key.journey, key.step));
            let checks = step.map(|step| self.check_texts[step].as_slice()).unwrap_or_default();
            let text = match &key.failure {
                _ if !key.text.is_empty() => None,
                Failure::Check(index) => checks.get(usize::from(*index)).cloned(),
                Failure::Status => checks.iter().find(|text| text.starts_with("status")).cloned(),
                Failure::Data => Some("a value to save was not in the answer".to_owned()),
                _ => None,
            };
            key.text = text.unwrap_or(key.text);
            self.errors.add(key, seen);
        }
    }

    /// Counts and packs entries of one second and cell.
    fn pack(&mut self, entries: &[Entry]) -> Slice {
        let mut counts = Counts {
            started: entries.len() as u64,
            ..Counts::default()
        };
        let mut statuses: Vec<(u16, u64)> = Vec::new();
        let mut failures: Vec<(Kind, u64)> = Vec::new();
        let [passed, failed, service] = &mut self.scratch;
        for entry in entries {
            let kind = match entry.ending {
                Ending::Passed => {
                    counts.passed += 1;
                    passed.add(entry.response);
                    None
                }
                Ending::Failed(kind) => {
                    counts.failed += 1;
                    Some(kind)
                }
                Ending::Lost(kind) => {
                    counts.lost += 1;
                    counts.lost_after_send += u64::from(entry.service > 0);
                    Some(kind)
                }
                Ending::Interrupted => {
                    counts.interrupted += 1;
                    continue;
                }
                Ending::Unsent => {
                    counts.unsent += 1;
                    continue;
                }
            };
            if let Some(kind) = kind {
                // What could not be rendered was never sent: nothing responded, and nothing was awaited.
                if entry.ending != Ending::Lost(Kind::Data) {
                    failed.add(entry.response);
                }
                tally(&mut failures, kind);
            }
            if entry.service > 0 {
                service.add(entry.service);
            }
            if entry.status > 0 {
                tally(&mut statuses, entry.status);
            }
            counts.checks.0 += u64::from(entry.checks.0);
            counts.checks.1 += u64::from(entry.checks.1);
            counts.bytes_sent += u64::from(entry.bytes_sent);
            counts.bytes_received += u64::from(entry.bytes_received);
        }
        counts.statuses = statuses.into_iter().collect();
        counts.failures = failures.into_iter().map(|(kind, count)| (kind.word().to_owned(), count)).collect();
        Slice {
            counts,
            response_passed: passed.drain(),
            response_failed: failed.drain(),
            service: service.drain(),
        }
    }

    fn key(&self, cell: usize) -> CellKey {
        let (phase, step) = self.cells.split(cell);
        let (journey, step) = self.steps[step];
        CellKey {
            phase: index16(phase),
            journey,
            step,
        }
    }

    fn cell(&mut self, key: CellKey) -> &mut Cell {
        let cells = &mut self.recording.cells;
        let at = match cells.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => at,
            Err(at) => {
                cells.insert(at, (key, Cell::new()));
                at
            }
        };
        &mut cells[at].1
    }

    fn iterations(&mut self, number: usize) -> &mut Iterations {
        let (phase, journey) = self.cells.split_iteration(number);
        let key = (index16(phase), index16(journey));
        let all = &mut self.recording.iterations;
        let at = match all.binary_search_by_key(&key, |(phase, journey, _)| (*phase, *journey)) {
            Ok(at) => at,
            Err(at) => {
                let empty = Iterations {
                    started: 0,
                    completed: 0,
                    duration: histogram(),
                };
                all.insert(at, (key.0, key.1, empty));
                at
            }
        };
        &mut all[at].2
    }

    /// The bucket of a second. Buckets are doubled as often as it takes.
    fn bucket(&mut self, second: u32) -> &mut Bucket {
        while (second / self.width) as usize >= BUCKETS_MAX {
            self.width *= 2;
            self.recording.bucket_seconds = f64::from(self.width);
            let mut doubled: Vec<Bucket> = Vec::with_capacity(BUCKETS_MAX / 2 + 1);
            for (at, bucket) in self.recording.timeline.drain(..).enumerate() {
                match doubled.last_mut() {
                    Some(last) if at % 2 == 1 => last.merge(&bucket),
                    _ => doubled.push(bucket),
                }
            }
            self.recording.timeline = doubled;
        }
        let at = (second / self.width) as usize;
        let timeline = &mut self.recording.timeline;
        while timeline.len() <= at {
            timeline.push(Bucket {
                users: 0,
                in_flight: 0,
                dropped: 0,
                cells: Vec::new(),
            });
        }
        &mut timeline[at]
    }

    /// Adds a thread's part to the moment of its second, and the levels to the time line.
    fn add_moment(&mut self, moment: Moment, in_flight_max: u32) {
        let second = moment.second;
        let at = match self.moments.iter().rposition(|known| known.second <= second) {
            Some(at) if self.moments[at].second == second => {
                self.moments[at].merge(moment, in_flight_max);
                at
            }
            before => {
                let at = before.map_or(0, |before| before + 1);
                let in_flight = in_flight_max;
                self.moments.insert(at, Moment { in_flight, ..moment });
                at
            }
        };
        let (users, in_flight) = (self.moments[at].users, self.moments[at].in_flight);
        if f64::from(second) < self.phases.last().map_or(0.0, |phase| phase.to) {
            let bucket = self.bucket(second);
            bucket.users = users;
            bucket.in_flight = bucket.in_flight.max(in_flight);
        }
        while self.moments.len() > self.moments_kept.max(2) {
            self.moments.pop_front();
        }
    }

    /// The newest last.
    pub(super) fn moments(&self) -> &VecDeque<Moment> {
        &self.moments
    }

    /// Requests begun and errors, so far.
    pub(super) fn totals(&self) -> (u64, u64, u64) {
        (self.requests, self.errors_seen, self.recording.generator.dropped)
    }

    /// The record as it is now, complete in itself.
    pub(super) fn close(&mut self, end: EndReason, now: Timestamp, cpu_seconds: f64) -> &Recording {
        let seconds = (now.as_duration() - self.recording.started.as_duration()).as_secs_f64();
        self.recording.ended = now;
        self.recording.end = end;
        self.recording.phases = self
            .phases
            .iter()
            .filter(|phase| phase.from < seconds)
            .map(|phase| PhaseWindow {
                to: phase.to.min(seconds),
                ..phase.clone()
            })
            .collect();
        self.recording.errors = self.errors.list();
        let is_open = !self.lag_open.is_empty() || self.recording.generator.dropped > 0;
        let generator = &mut self.recording.generator;
        generator.cpu_seconds = cpu_seconds;
        generator.judge(if is_open { &self.lag_open } else { &self.lag_closed }, is_open);
        if !is_open {
            generator.arrivals = self.requests;
        }
        &self.recording
    }

    /// The record, for good.
    pub(super) fn finish(mut self, end: EndReason, now: Timestamp, cpu_seconds: f64) -> Recording {
        self.close(end, now, cpu_seconds);
        self.recording
    }
}

impl Bucket {
    /// Adds the bucket that follows.
    fn merge(&mut self, next: &Self) {
        self.users = next.users;
        self.in_flight = self.in_flight.max(next.in_flight);
        self.dropped += next.dropped;
        for (key, slice) in &next.cells {
            merge_into(&mut self.cells, *key, slice);
        }
    }
}

fn tally<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K) {
    match counts.iter_mut().find(|(known, _)| *known == key) {
        Some((_, count)) => *count += 1,
        None => counts.push((key, 1)),
    }
}

/// Profiles are far smaller than 2^16 phases or journeys.
fn index16(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::recorder::Recorder;
    use super::super::sample::{Outcome, Sample};
    use super::super::testing::{heading, scenario, users};
    use super::*;

    #[test]
    fn what_was_never_sent_is_an_error_without_a_response_time() {
        let script = Script::new(scenario("http://localhost", users(1), 10), "run").unwrap();
        let mut recorder = Recorder::new(&script);
        let mut collector = Collector::new(&script, heading(), 10);
        for (millis, outcome) in [(0, Outcome::Lost(Failure::Data)), (40, Outcome::Failed(200, Failure::Data))] {
            recorder.started(Duration::ZERO, 0, 0);
            let sample = Sample {
                due: Duration::ZERO,
                sent: Duration::ZERO,
                done: Duration::from_millis(millis),
                journey: 0,
                step: 0,
                outcome,
                bytes: (0, 0),
                checks: (0, 0),
            };
            recorder.ended(&sample, "");
        }
        collector.absorb(recorder.take(0, 1, 0));
        let recording = collector.finish(EndReason::Completed, Timestamp::UNIX_EPOCH, 0.0);
        let cell = &recording.cells[0].1;
        assert_eq!((cell.counts.errors(), cell.counts.failures["data"]), (2, 2));
        assert_eq!((cell.response_failed.len(), cell.service.len()), (1, 1));
        assert_eq!(recording.timeline[0].cells[0].1.response_failed.len(), 1);
    }
}
