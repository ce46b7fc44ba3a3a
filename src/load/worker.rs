//! One load thread's work: users of closed phases, arrivals of open ones, the stop, and a window every second.
//!
//! Runs on a current-thread runtime; shares nothing with other threads but a flag each for a free slot.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::dice::Dice;
use super::exchange::Transport;
use super::recorder::{Window, second};
use super::session::{Local, Start, User};
use super::shape::{Crowd, Line, Load, Pacer, Stretch};

/// How long requests in flight may go on after a stop.
pub(super) const DRAIN: Duration = Duration::from_secs(10);
/// Windows are made once so many beats.
const BEATS: u32 = 100;
/// The distance of two beats.
const BEAT: Duration = Duration::from_millis(10);
/// After so many arrivals without a pause the users get a turn.
const BATCH: u32 = 32;
/// Distinguishes the random streams of arrivals from those of users, whose numbers stay far below.
const ARRIVALS: u64 = 1 << 63;

/// What the threads are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Wait for the others.
    Hold,
    /// The load began at that moment.
    Go(Instant),
    /// No new requests; those in flight may end.
    Drain,
    /// End at once.
    Now,
}

/// What a thread reports.
pub(super) enum Report {
    /// The last second.
    Window(u32, Box<Window>),
    /// The rest, and that the thread is done.
    Last(u32, Box<Window>),
    /// The thread ended before its time; what it had not reported is lost.
    Died(u32),
}

/// The slots of all threads.
#[derive(Clone)]
pub(super) struct Slots {
    /// Of this thread.
    pub(super) own: u32,
    /// Whether each thread has a free one. Written only when that changes, read only by who has none.
    pub(super) free: Arc<[AtomicBool]>,
}

/// One thread's work.
pub(super) struct Worker<T: Transport> {
    pub(super) local: Rc<Local<T>>,
    pub(super) slots: Slots,
    pub(super) alarm: Alarm,
    pub(super) reports: mpsc::Sender<Report>,
    pub(super) orders: watch::Receiver<Order>,
}

impl<T: Transport> Worker<T> {
    /// Drives the load to its end, or to a stop. What is in flight when it returns is interrupted by dropping the
    /// runtime's tasks.
    pub(super) async fn run(mut self) {
        let local = Rc::clone(&self.local);
        tokio::task::spawn_local(beat(Rc::clone(&local), self.reports.clone()));
        let upkeep = Rc::clone(&local);
        tokio::task::spawn_local(async move { upkeep.transport.upkeep().await });
        let patience = tokio::select! {
            biased;
            order = ordered(&mut self.orders, Order::Drain) => if order == Order::Now { Duration::ZERO } else { DRAIN },
            () = conduct(&local, &self.alarm, &self.slots) => local.script.longest_timeout() + Duration::from_secs(1),
        };
        local.stopping.set(true);
        let rest = async {
            while local.in_flight.get() > 0 {
                local.quiet.notified().await;
            }
        };
        let mut orders = self.orders.clone();
        let hurried = async {
            // A scenario that is over waits for its last answers; a stop shortens that, a second one ends it.
            if patience > DRAIN && ordered(&mut orders, Order::Drain).await == Order::Drain {
                tokio::select! {
                    _ = ordered(&mut orders, Order::Now) => {}
                    () = tokio::time::sleep(DRAIN) => {}
                }
            } else {
                ordered(&mut orders, Order::Now).await;
            }
        };
        tokio::select! {
            biased;
            () = rest => {}
            () = hurried => {}
            () = tokio::time::sleep(patience) => {}
        }
    }
}

/// Waits for an order at least as strong.
async fn ordered(orders: &mut watch::Receiver<Order>, least: Order) -> Order {
    // Who gives orders lives until the end; if not, there is nobody left to record for.
    orders.wait_for(|order| *order >= least).await.map_or(Order::Now, |order| *order)
}

/// Goes through the phases.
async fn conduct<T: Transport>(local: &Rc<Local<T>>, alarm: &Alarm, slots: &Slots) {
    let script = Arc::clone(&local.script);
    let mut arrived = 0;
    for (at, stretch) in script.stretches.iter().enumerate() {
        match stretch.load {
            Load::Closed(crowd) => {
                let closed_on = script.stretches[at..]
                    .iter()
                    .take_while(|stretch| matches!(stretch.load, Load::Closed(_)));
                let until = closed_on.last().map_or(stretch.to, |last| last.to);
                local.crowd_until.set(local.epoch + until);
                closed(local, stretch, &crowd).await;
            }
            Load::Open(line) => {
                local.crowd.set(0);
                arrived += open(
                    local,
                    stretch,
                    &line,
                    &mut Arrivals {
                        alarm,
                        slots,
                        before: arrived,
                    },
                )
                .await;
            }
        }
        tokio::time::sleep_until(local.epoch + stretch.to).await;
    }
    // A thread that woke late still begins what was due before the end.
    while local.called.get() > 0 {
        tokio::task::yield_now().await;
    }
}

/// Keeps as many users at work as the crowd has.
async fn closed<T: Transport>(local: &Rc<Local<T>>, stretch: &Stretch, crowd: &Crowd) {
    let start = local.epoch + stretch.from;
    loop {
        let time = Instant::now().saturating_duration_since(start);
        let wanted = local.share.part(crowd.at(time));
        fill(local, wanted);
        match crowd.next_change(time) {
            Some(next) if stretch.from + next < stretch.to => tokio::time::sleep_until(start + next).await,
            _ => return,
        }
    }
}

/// Puts a user to work in each slot below the wanted number; the others end at their next step.
fn fill<T: Transport>(local: &Rc<Local<T>>, wanted: u32) {
    local.crowd.set(wanted);
    for slot in 0..wanted {
        if local.occupy(slot) {
            tokio::task::spawn_local(user(Rc::clone(local), slot));
        }
    }
}

/// A user of a closed phase: one journey after the other.
async fn user<T: Transport>(local: Rc<Local<T>>, slot: u32) {
    let mut user = local.waiting_user().unwrap_or_else(|| local.make_user());
    let mut now = Instant::now();
    while local.goes_on(Some(slot), now) {
        let dice = Dice::new(local.seed, [user.id, user.iteration]);
        now = local.journey(&mut user, dice, Start::Ready(now), Some(slot)).await;
    }
    local.vacate(slot);
    local.idle.borrow_mut().push_back(user);
}

/// What an open phase needs beside its line.
struct Arrivals<'a> {
    alarm: &'a Alarm,
    slots: &'a Slots,
    /// Arrivals of earlier phases, of all threads.
    before: u64,
}

/// Starts a journey for each arrival that falls to this thread, on time, and never waits for a slot. Gives how many
/// arrivals the phase had on all threads.
async fn open<T: Transport>(local: &Rc<Local<T>>, stretch: &Stretch, line: &Line, arrivals: &mut Arrivals<'_>) -> u64 {
    let share = local.share;
    let start = local.epoch + stretch.from;
    let mut unpaused = 0;
    let mut n = u64::from(share.index);
    while let Some(due) = line.due(n) {
        let at = start + due;
        if at > Instant::now() {
            arrivals.alarm.until(at).await;
            unpaused = 0;
        } else {
            unpaused += 1;
            if unpaused % BATCH == 0 {
                tokio::task::yield_now().await;
            }
        }
        match arrivals.slots.take(local) {
            Some(user) => {
                let dice = Dice::new(local.seed, [ARRIVALS, arrivals.before + n]);
                local.called.set(local.called.get() + 1);
                tokio::task::spawn_local(arrival(Rc::clone(local), arrivals.slots.clone(), user, dice, at));
            }
            None => local
                .recorder
                .borrow_mut()
                .dropped(stretch.from + due, arrivals.slots.elsewhere(share.index)),
        }
        n += u64::from(share.of);
    }
    // The next number of any thread that is not due any more; all threads come to the same.
    (n.saturating_sub(u64::from(share.of))..n)
        .find(|n| line.due(*n).is_none())
        .unwrap_or(n)
}

/// One open arrival: one journey, then the user waits for another.
async fn arrival<T: Transport>(local: Rc<Local<T>>, slots: Slots, mut user: User<T::Line>, dice: Dice, due: Instant) {
    local.called.set(local.called.get() - 1);
    let late = Instant::now().saturating_duration_since(due);
    local.recorder.borrow_mut().arrived(late);
    local.journey(&mut user, dice, Start::Due(due), None).await;
    local.idle.borrow_mut().push_back(user);
    slots.publish(&local);
}

impl Slots {
    /// A user that waits, or a new one while the limit allows.
    fn take<T: Transport>(&self, local: &Local<T>) -> Option<User<T::Line>> {
        let user = local
            .waiting_user()
            .or_else(|| (local.made.get() < self.own).then(|| local.make_user()));
        self.publish(local);
        user
    }

    /// Tells the other threads when having a free slot has changed.
    fn publish<T: Transport>(&self, local: &Local<T>) {
        let free = local.made.get() < self.own || !local.idle.borrow().is_empty();
        let own = &self.free[local.share.index as usize];
        if own.load(Ordering::Relaxed) != free {
            own.store(free, Ordering::Relaxed);
        }
    }

    /// Whether another thread has a free slot.
    fn elsewhere(&self, index: u32) -> bool {
        self.free
            .iter()
            .enumerate()
            .any(|(other, free)| other != index as usize && free.load(Ordering::Relaxed))
    }
}

/// Measures how late the thread wakes, and hands a window over every second.
async fn beat<T: Transport>(local: Rc<Local<T>>, reports: mpsc::Sender<Report>) {
    for beat in 1_u32.. {
        let at = local.epoch + BEAT * beat;
        tokio::time::sleep_until(at).await;
        let late = Instant::now().saturating_duration_since(at);
        local.recorder.borrow_mut().woke(late);
        if beat % BEATS != 0 {
            continue;
        }
        match reports.try_reserve() {
            Ok(permit) => {
                let window = local.window(second(BEAT * beat) - 1);
                permit.send(Report::Window(local.share.index, Box::new(window)));
            }
            // The collector is behind: the log is kept, and handed over with the next second's.
            Err(mpsc::error::TrySendError::Full(())) => {}
            Err(mpsc::error::TrySendError::Closed(())) => return,
        }
    }
}
