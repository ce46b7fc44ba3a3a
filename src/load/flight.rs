//! A request under way, which is recorded exactly once, however it ends.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

use super::exchange::Transport;
use super::sample::{Outcome, Sample};
use super::script::StepScript;
use super::session::Local;

/// A request under way. However its task ends, even by being dropped, it is recorded exactly once.
pub(super) struct Flight<'a, T: Transport> {
    local: &'a Local<T>,
    journey: u16,
    step: u16,
    due: Duration,
    pub(super) sent: Cell<Option<Instant>>,
    ended: bool,
}

impl<'a, T: Transport> Flight<'a, T> {
    /// A request begins.
    pub(super) fn begin(local: &'a Local<T>, step: &StepScript, due: Instant) -> Self {
        let due = local.since(due);
        let now = local.in_flight.get() + 1;
        local.in_flight.set(now);
        let mut recorder = local.recorder.borrow_mut();
        recorder.started(due, step.journey, step.step);
        recorder.in_flight(now);
        Self {
            local,
            journey: step.journey,
            step: step.step,
            due,
            sent: Cell::new(None),
            ended: false,
        }
    }

    /// It has ended.
    pub(super) fn end(mut self, done: Instant, outcome: Outcome, bytes: (u64, u64), checks: (u16, u16), text: &str) {
        self.record(done, outcome, bytes, checks, text);
    }

    fn record(&mut self, done: Instant, outcome: Outcome, bytes: (u64, u64), checks: (u16, u16), text: &str) {
        self.ended = true;
        let done = self.local.since(done);
        let sample = Sample {
            due: self.due,
            sent: self.sent.get().map_or(done, |sent| self.local.since(sent)),
            done,
            journey: self.journey,
            step: self.step,
            outcome,
            bytes,
            checks,
        };
        self.local.recorder.borrow_mut().ended(&sample, text);
        let left = self.local.in_flight.get() - 1;
        self.local.in_flight.set(left);
        if left == 0 && self.local.stopping.get() {
            self.local.quiet.notify_one();
        }
    }
}

impl<T: Transport> Drop for Flight<'_, T> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let outcome = if self.sent.get().is_some() {
            Outcome::Interrupted
        } else {
            Outcome::Unsent
        };
        self.record(Instant::now(), outcome, (0, 0), (0, 0), "");
    }
}
