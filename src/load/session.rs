//! What one user does: journeys, step by step, over the user's own line.
//!
//! Knows nothing of schedules and sockets: it is told when a journey begins, and sends through [`Line`].

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::Value as Json;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::check::{Answer, Memory};
use super::dice::Dice;
use super::exchange::{Line, Loss, Request, Transport};
use super::flight::Flight;
use super::recorder::{Recorder, Window};
use super::render::{Missing, Values, percent_encode};
use super::sample::{Failure, Outcome};
use super::script::{Address, Header, JourneyScript, Payload, Script, StepScript};
use super::shape::Share;
use crate::scenario::{Pick, Think};

/// A body buffer beyond this is given back after the request.
const BUFFER_KEPT: usize = 64 * 1024;

/// A user with everything that outlives a journey.
pub(super) struct User<L> {
    /// Unique in the run, from 1.
    pub(super) id: u64,
    /// Journeys begun so far.
    pub(super) iteration: u64,
    line: L,
    kept: Vec<Option<Json>>,
    saved: Vec<Option<Json>>,
    rows: Vec<Option<usize>>,
    answer: Answer,
    buffers: Buffers,
}

/// Reused from request to request.
#[derive(Default)]
struct Buffers {
    address: String,
    headers: Vec<String>,
    body: BytesMut,
}

/// How a journey begins, and so what its latency counts from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// On schedule, at this moment, whatever the time is now.
    Due(Instant),
    /// Now that the user is ready.
    Ready(Instant),
}

/// What the tasks of one thread share.
pub(super) struct Local<T: Transport> {
    pub(super) script: Arc<Script>,
    pub(super) transport: T,
    pub(super) recorder: RefCell<Recorder>,
    /// When the load began.
    pub(super) epoch: Instant,
    pub(super) seed: u64,
    pub(super) share: Share,
    /// No new requests any more.
    pub(super) stopping: Cell<bool>,
    pub(super) in_flight: Cell<u32>,
    /// Told when nothing is in flight any more while stopping.
    pub(super) quiet: Notify,
    /// Slots below this have a user at work.
    pub(super) crowd: Cell<u32>,
    /// What users in slots would begin from then on belongs to a phase without them.
    pub(super) crowd_until: Cell<Instant>,
    /// Whether a slot has a user, still or again.
    occupied: RefCell<Vec<bool>>,
    /// Users at work in slots.
    pub(super) users: Cell<u32>,
    /// Users that wait for a slot or an open arrival.
    pub(super) idle: RefCell<VecDeque<User<T::Line>>>,
    /// Users made so far.
    pub(super) made: Cell<u32>,
    /// Arrivals that were due and have not begun: their tasks have yet to get their turn.
    pub(super) called: Cell<u32>,
    journeys: Cell<u64>,
    /// How often each feeder was drawn from on this thread.
    draws: Vec<Cell<u64>>,
}

impl<T: Transport> Local<T> {
    pub(super) fn new(script: Arc<Script>, transport: T, epoch: Instant, seed: u64, share: Share) -> Rc<Self> {
        Rc::new(Self {
            recorder: RefCell::new(Recorder::new(&script)),
            draws: script.feeders.iter().map(|_| Cell::new(0)).collect(),
            script,
            transport,
            epoch,
            seed,
            share,
            stopping: Cell::new(false),
            in_flight: Cell::new(0),
            quiet: Notify::new(),
            crowd: Cell::new(0),
            crowd_until: Cell::new(epoch),
            occupied: RefCell::default(),
            users: Cell::new(0),
            idle: RefCell::default(),
            made: Cell::new(0),
            called: Cell::new(0),
            journeys: Cell::new(0),
        })
    }

    /// From the start of the load.
    pub(super) fn since(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.epoch)
    }

    /// A user that was not there before; numbers are dealt to the threads in turn.
    pub(super) fn make_user(&self) -> User<T::Line> {
        let nth = self.made.replace(self.made.get() + 1);
        User {
            id: self.numbered(u64::from(nth)) + 1,
            iteration: 0,
            line: self.transport.line(),
            kept: vec![None; self.script.kept],
            saved: vec![None; self.script.saved],
            rows: vec![None; self.script.feeders.len()],
            answer: Answer::default(),
            buffers: Buffers::default(),
        }
    }

    /// The user that has waited longest, so that all of them take part.
    pub(super) fn waiting_user(&self) -> Option<User<T::Line>> {
        self.idle.borrow_mut().pop_front()
    }

    /// Takes a slot for a user; `false` when it has one.
    pub(super) fn occupy(&self, slot: u32) -> bool {
        let mut occupied = self.occupied.borrow_mut();
        let slot = slot as usize;
        if occupied.len() <= slot {
            occupied.resize(slot + 1, false);
        }
        let free = !std::mem::replace(&mut occupied[slot], true);
        self.users.set(self.users.get() + u32::from(free));
        free
    }

    /// Leaves a slot.
    pub(super) fn vacate(&self, slot: u32) {
        self.occupied.borrow_mut()[slot as usize] = false;
        self.users.set(self.users.get() - 1);
    }

    /// Everything recorded since the last window.
    pub(super) fn window(&self, second: u32) -> Window {
        self.recorder.borrow_mut().take(second, self.users.get(), self.in_flight.get())
    }

    /// The nth of this thread among all threads.
    fn numbered(&self, nth: u64) -> u64 {
        nth * u64::from(self.share.of) + u64::from(self.share.index)
    }

    /// Whether a user may begin another request; a slot that is not wanted any more ends at the next step.
    pub(super) fn goes_on(&self, slot: Option<u32>, due: Instant) -> bool {
        !self.stopping.get() && slot.is_none_or(|slot| slot < self.crowd.get() && due < self.crowd_until.get())
    }

    /// One journey. Gives the time at which the user is ready for the next one.
    pub(super) async fn journey(&self, user: &mut User<T::Line>, mut dice: Dice, start: Start, slot: Option<u32>) -> Instant {
        let index = self.script.choose(&mut dice);
        let journey = &self.script.journeys[index];
        user.iteration += 1;
        let (mut due, mut now) = match start {
            Start::Due(due) => (due, Instant::now()),
            Start::Ready(now) => (now, now),
        };
        if let Err(text) = self.draw_rows(journey, user, &mut dice) {
            let journey = self.script.steps[journey.first].journey;
            self.recorder.borrow_mut().mishap(self.since(now), journey, &text);
            // Nothing was sent, so nothing paces the user.
            tokio::time::sleep(Duration::from_millis(100)).await;
            return Instant::now();
        }
        let number = self.numbered(self.journeys.replace(self.journeys.get() + 1)) + 1;
        let begun = due;
        let iteration = self.recorder.borrow_mut().journey_started(self.since(due), index);
        user.saved.fill(None);
        for position in journey.first..journey.last {
            if !self.goes_on(slot, due) {
                return now;
            }
            let mut turn = Turn {
                position,
                journey: number,
                due,
                now,
                dice: &mut dice,
            };
            let (passed, done) = self.step(user, &mut turn).await;
            let last = position + 1 == journey.last;
            if passed && last {
                let took = done.saturating_duration_since(begun);
                self.recorder.borrow_mut().journey_completed(iteration, took);
            }
            if (!passed || last) && matches!(start, Start::Due(_)) {
                return done;
            }
            (due, now) = self.think(journey.think, done, start, &mut dice).await;
            if !passed {
                break;
            }
        }
        now
    }

    /// Pauses after a step. Gives when the next is due and the time by then.
    async fn think(&self, think: Think, done: Instant, start: Start, dice: &mut Dice) -> (Instant, Instant) {
        if think.max.is_zero() {
            return (done, done);
        }
        let until = done + think.min + think.max.saturating_sub(think.min).mul_f64(dice.unit());
        tokio::time::sleep_until(until).await;
        let now = Instant::now();
        self.recorder.borrow_mut().woke(now.saturating_duration_since(until));
        match start {
            Start::Due(_) => (until, now),
            Start::Ready(_) => (now, now),
        }
    }

    /// The journey's row of each feeder that it names.
    fn draw_rows(&self, journey: &JourneyScript, user: &mut User<T::Line>, dice: &mut Dice) -> Result<(), String> {
        for &feeder in &journey.feeders {
            let data = &self.script.feeders[feeder];
            let count = data.rows.len() as u64;
            let nth = || self.numbered(self.draws[feeder].replace(self.draws[feeder].get() + 1));
            let row = match data.pick {
                _ if count == 0 => None,
                Pick::Random => Some(dice.below(count)),
                Pick::InOrder => Some(nth() % count),
                Pick::Once => Some(nth()).filter(|row| *row < count),
            };
            let Some(row) = row else {
                return Err(format!("no row is left in data `{}`", data.name));
            };
            user.rows[feeder] = usize::try_from(row).ok();
        }
        Ok(())
    }

    /// One request, from due to the last check. Gives whether it passed, and when it was done.
    async fn step(&self, user: &mut User<T::Line>, turn: &mut Turn<'_>) -> (bool, Instant) {
        let step = &self.script.steps[turn.position];
        let flight = Flight::begin(self, step, turn.due);
        let body = match self.render(user, turn, step) {
            Ok(body) => body,
            Err(Missing(text)) => {
                flight.end(turn.now, Outcome::Lost(Failure::Data), (0, 0), (0, 0), &text);
                // Nothing was awaited, so the other tasks get their turn here.
                tokio::task::yield_now().await;
                return (false, Instant::now());
            }
        };
        let sending = body.len() as u64;
        let rendered = matches!(step.address, Address::Rendered { .. });
        let request = Request {
            step: turn.position,
            address: rendered.then_some(user.buffers.address.as_str()),
            headers: &user.buffers.headers,
            body,
            now: turn.now,
            wants_body: step.inspection.wants_body,
            wants_headers: &step.inspection.wants_headers,
            timeout: step.timeout,
        };
        let exchanged = user.line.exchange(&request, &mut user.answer, &flight.sent).await;
        let done = Instant::now();
        drop(request);
        if let Err(Loss { failure, text }) = exchanged {
            let sent = if flight.sent.get().is_some() { sending } else { 0 };
            flight.end(done, Outcome::Lost(failure), (sent, 0), (0, 0), &text);
            tokio::task::yield_now().await;
            return (false, Instant::now());
        }
        let service = done.saturating_duration_since(flight.sent.get().unwrap_or(turn.now));
        let mut memory = Memory {
            saved: &mut user.saved,
            kept: &mut user.kept,
        };
        let inspected = step.inspection.inspect(&user.answer, service, &mut memory);
        let status = user.answer.status;
        let passed = inspected.failure.is_none();
        let outcome = inspected
            .failure
            .map_or(Outcome::Passed(status), |failure| Outcome::Failed(status, failure));
        flight.end(done, outcome, (sending, user.answer.size), inspected.checks, "");
        user.release();
        (passed, done)
    }

    /// Fills the user's buffers with what is not fixed; gives the body.
    fn render(&self, user: &mut User<T::Line>, turn: &mut Turn<'_>, step: &StepScript) -> Result<Bytes, Missing> {
        let mut values = Values {
            feeders: &self.script.feeders,
            run_id: &self.script.run_id,
            user: user.id,
            journey: turn.journey,
            saved: &user.saved,
            kept: &user.kept,
            rows: &user.rows,
            dice: turn.dice,
        };
        let buffers = &mut user.buffers;
        if let Address::Rendered { path, query } = &step.address {
            buffers.address.clear();
            path.path(&mut values, &mut buffers.address)?;
            for (name, value) in query {
                buffers.address.push(if buffers.address.contains('?') { '&' } else { '?' });
                percent_encode(name, &mut buffers.address);
                buffers.address.push('=');
                value.query(&mut values, &mut buffers.address)?;
            }
        }
        let mut nth = 0;
        for (_, header) in &step.headers {
            if let Header::Rendered(text) = header {
                if buffers.headers.len() == nth {
                    buffers.headers.push(String::new());
                }
                buffers.headers[nth].clear();
                text.plain(&mut values, &mut buffers.headers[nth])?;
                nth += 1;
            }
        }
        Ok(match &step.body {
            Payload::None => Bytes::new(),
            Payload::Fixed(body) => body.clone(),
            Payload::Json(document) => {
                document.render(&mut values, &mut buffers.body)?;
                buffers.body.split().freeze()
            }
            Payload::Text(text) => {
                let mut body = String::new();
                text.plain(&mut values, &mut body)?;
                body.into()
            }
        })
    }
}

impl<L> User<L> {
    /// Gives large buffers back.
    fn release(&mut self) {
        if self.answer.body.capacity() > BUFFER_KEPT {
            self.answer.body = Vec::new();
        }
        if self.buffers.body.capacity() > BUFFER_KEPT {
            self.buffers.body = BytesMut::new();
        }
    }
}

/// One step of one journey.
struct Turn<'a> {
    position: usize,
    journey: u64,
    due: Instant,
    now: Instant,
    dice: &'a mut Dice,
}
