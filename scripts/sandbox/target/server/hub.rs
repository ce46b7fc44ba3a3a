//! The model in real time: tells it what arrives, wakes it when something is due, hands ends to who waits.
//!
//! The only place that knows both the real clock and the model; knows no HTTP.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::model::{Arrival, Call, Outcome, Point, System, Ticket, Time, World};
use crate::settings::Settings;

#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    /// Something is due earlier than the driver sleeps.
    earlier: Notify,
    clock: Clock,
}

#[derive(Debug)]
struct State {
    world: World,
    waiting: Vec<Option<oneshot::Sender<Outcome>>>,
    driver_wakes: Time,
}

/// The model's time: the epoch's at the start, and from there a clock that never steps.
#[derive(Clone, Copy, Debug)]
struct Clock {
    epoch: Duration,
    start: Instant,
}

impl Hub {
    pub(crate) fn new(system: System, seed: u64, pace: u64) -> Self {
        let epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let clock = Clock {
            epoch,
            start: Instant::now(),
        };
        let world = World::new(system, seed, pace, clock.now());
        let state = State {
            world,
            waiting: Vec::new(),
            driver_wakes: Time::default(),
        };
        Self {
            state: Mutex::new(state),
            earlier: Notify::new(),
            clock,
        }
    }

    /// Brings a call to its end. `None` only when the hub itself is going away.
    pub(crate) async fn call(&self, call: Call) -> Option<Outcome> {
        let end = {
            let mut state = self.lock();
            let now = self.clock.now();
            state.advance(now);
            let end = match state.world.arrive(now, call) {
                Arrival::Now(outcome) => Ok(outcome),
                Arrival::Later(ticket) => Err(state.wait_for(ticket)),
            };
            if state.world.next() < state.driver_wakes {
                self.earlier.notify_one();
            }
            end
        };
        match end {
            Ok(outcome) => Some(outcome),
            Err(end) => end.await.ok(),
        }
    }

    /// Wakes the model whenever something is due. Never ends.
    pub(crate) async fn drive(&self) {
        loop {
            let next = {
                let mut state = self.lock();
                state.advance(self.clock.now());
                state.driver_wakes = state.world.next();
                state.driver_wakes
            };
            tokio::select! {
                () = tokio::time::sleep_until(self.clock.instant(next)) => {}
                () = self.earlier.notified() => {}
            }
        }
    }

    pub(crate) fn apply(&self, settings: &Settings) {
        let mut state = self.lock();
        let now = self.clock.now();
        state.advance(now);
        state.world.apply(now, settings);
    }

    pub(crate) fn settings_version(&self) -> Option<u64> {
        self.lock().world.version()
    }

    pub(crate) fn drain_points(&self) -> Vec<Point> {
        let mut state = self.lock();
        state.advance(self.clock.now());
        state.world.drain_points()
    }

    pub(crate) fn connected(&self) {
        let mut state = self.lock();
        let now = self.clock.now();
        state.advance(now);
        state.world.connected(now);
    }

    pub(crate) fn disconnected(&self) {
        let mut state = self.lock();
        let now = self.clock.now();
        state.advance(now);
        state.world.disconnected(now);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait_for(&mut self, ticket: Ticket) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        if self.waiting.len() <= ticket.0 {
            self.waiting.resize_with(ticket.0 + 1, || None);
        }
        if let Some(slot) = self.waiting.get_mut(ticket.0) {
            *slot = Some(sender);
        }
        receiver
    }

    /// Lets happen what is due and hands the ends out. Comes before anything else is told to the model: an arrival
    /// may get the ticket of a request that has just ended, whose waiter must have been served by then.
    fn advance(&mut self, now: Time) {
        self.world.advance(now);
        for finished in self.world.drain_finished() {
            if let Some(sender) = self.waiting.get_mut(finished.ticket.0).and_then(Option::take) {
                // Nobody listens when the client went away; the simulated service has worked all the same.
                let _ = sender.send(finished.outcome);
            }
        }
    }
}

impl Clock {
    fn now(&self) -> Time {
        Time::since_epoch(self.epoch + self.start.elapsed())
    }

    fn instant(&self, at: Time) -> Instant {
        self.start + at.since(Time::since_epoch(self.epoch))
    }
}
