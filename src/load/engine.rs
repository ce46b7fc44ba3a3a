//! Starts a load, watches it, stops it, and hands its recording over.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::abort::Watch;
use super::alarm::Alarm;
use super::collector::{Collector, Heading};
use super::error::LoadError;
use super::http::{Client, ThreadHttp};
use super::limits;
use super::progress::{Progress, Tick};
use super::recorder::second;
use super::recording::{EndReason, Recording};
use super::script::Script;
use super::session::Local;
use super::shape::Share;
use super::worker::{Order, Report, Slots, Worker};
use crate::scenario::{Criterion, Scenario};
use crate::units::Timestamp;

/// Users of open phases, unless said otherwise.
pub const SLOTS: u32 = 10_000;
/// Windows that a thread may be ahead of the collector.
const BACKLOG: usize = 8;

/// How a load is driven.
#[derive(Clone, Debug)]
pub struct Options {
    /// Load threads; `None` is one a core.
    pub threads: Option<u32>,
    /// Repeats the random choices of a run.
    pub seed: u64,
    /// Phases and ramps are divided by this.
    pub time_scale: f64,
    /// For templates.
    pub run_id: String,
    /// Criteria; those with `abort_after` can stop the load.
    pub abort: Vec<Criterion>,
    /// Where the record is kept while the run goes on.
    pub window_dir: Option<PathBuf>,
    /// Users of open phases, in all.
    pub slots: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: None,
            seed: 0,
            time_scale: 1.0,
            run_id: String::new(),
            abort: Vec::new(),
            window_dir: None,
            slots: SLOTS,
        }
    }
}

/// How a load is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No new requests; those in flight have 10 s.
    Drain,
    /// What is in flight is interrupted.
    Now,
}

/// A load that goes on. When it is dropped, the load stops.
#[derive(Debug)]
pub struct Handle {
    stopper: Stopper,
    progress: watch::Receiver<Progress>,
    recording: oneshot::Receiver<Recording>,
}

/// Stops a load from anywhere.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<Control>);

#[derive(Debug)]
struct Control {
    orders: watch::Sender<Order>,
    /// The first reason counts. Locked once a run, never by a load thread.
    reason: Mutex<Option<EndReason>>,
}

impl Stopper {
    /// Stops the load. A second, stronger stop is obeyed; the first reason stays.
    pub fn stop(&self, stop: Stop, reason: EndReason) {
        self.0.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        let order = match stop {
            Stop::Drain => Order::Drain,
            Stop::Now => Order::Now,
        };
        self.0.orders.send_if_modified(|current| {
            let stronger = order > *current;
            *current = order.max(*current);
            stronger
        });
    }

    fn reason(&self) -> EndReason {
        let reason = self.0.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        reason.unwrap_or(EndReason::Completed)
    }
}

impl Handle {
    /// What is shown while the load goes on; changes once a second.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Stops the load; see [`Stopper::stop`].
    pub fn stop(&self, stop: Stop, reason: EndReason) {
        self.stopper.stop(stop, reason);
    }

    /// Something that stops the load from another task.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// The recording, when the load is over. May be awaited again when it was dropped in between.
    pub async fn wait(&mut self) -> Result<Recording, LoadError> {
        (&mut self.recording).await.map_err(|_| LoadError::Collector)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stopper.stop(Stop::Now, EndReason::Killed);
    }
}

/// Starts a load. The phases of the scenario are divided by `time_scale` here.
///
/// Returns when every thread is ready and the load has begun, which takes some milliseconds.
pub fn start(scenario: Scenario, options: Options) -> Result<Handle, LoadError> {
    let scenario = scenario.rehearsal(options.time_scale);
    let script = Arc::new(Script::new(scenario, &options.run_id)?);
    let client = Arc::new(Client::new(&script)?);
    let slots = limits::provide(&script, options.slots)?;
    let cores = || thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
    let threads = options.threads.unwrap_or_else(cores).max(1);
    let (orders, _) = watch::channel(Order::Hold);
    let stopper = Stopper(Arc::new(Control {
        orders,
        reason: Mutex::default(),
    }));
    let (reports, received) = mpsc::channel(threads as usize * BACKLOG);
    let crew = Crew {
        script: Arc::clone(&script),
        client,
        seed: options.seed,
        threads,
        slots,
        reports,
    };
    if let Err(error) = crew.muster(&stopper) {
        stopper.stop(Stop::Now, EndReason::Killed);
        return Err(error);
    }
    let journeys = script.journey_names();
    let phases = || script.phases.iter().map(String::as_str);
    let watches: Vec<Watch> = options
        .abort
        .iter()
        .filter_map(|criterion| Watch::new(criterion, phases(), &journeys))
        .collect();
    let seconds_kept = watches.iter().map(Watch::window).max().unwrap_or(0) + BACKLOG;
    let heading = Heading {
        started: Timestamp::now(),
        threads,
        seed: options.seed,
        time_scale: options.time_scale,
    };
    let (shown, progress) = watch::channel(Progress::default());
    let (handed, recording) = oneshot::channel();
    let desk = Desk {
        collector: Collector::new(&script, heading, seconds_kept),
        tick: Tick::new(&script, shown),
        watches,
        stopper: stopper.clone(),
        path: options.window_dir.map(|directory| Recording::path(&directory)),
        cpu_before: cpu_seconds(),
        threads,
    };
    stopper.0.orders.send_if_modified(|order| {
        let holding = *order == Order::Hold;
        if holding {
            *order = Order::Go(Instant::now());
        }
        holding
    });
    let collecting = thread::Builder::new().name("collector".to_owned()).spawn(move || {
        // Nobody may be waiting any more.
        let _ = handed.send(desk.run(received));
    });
    let handle = Handle {
        stopper,
        progress,
        recording,
    };
    collecting.map(|_| handle).map_err(LoadError::Thread)
}

/// What the load threads are made of.
struct Crew {
    script: Arc<Script>,
    client: Arc<Client>,
    seed: u64,
    threads: u32,
    slots: u32,
    reports: mpsc::Sender<Report>,
}

/// One thread's place.
struct Seat {
    script: Arc<Script>,
    client: Arc<Client>,
    seed: u64,
    share: Share,
    slots: Slots,
    reports: mpsc::Sender<Report>,
    orders: watch::Receiver<Order>,
}

impl Crew {
    /// Starts the threads and waits until each is ready.
    fn muster(self, stopper: &Stopper) -> Result<(), LoadError> {
        let free: Arc<[AtomicBool]> = (0..self.threads).map(|_| AtomicBool::new(true)).collect();
        let (ready, readied) = std_mpsc::channel();
        for index in 0..self.threads {
            let share = Share { index, of: self.threads };
            let seat = Seat {
                script: Arc::clone(&self.script),
                client: Arc::clone(&self.client),
                seed: self.seed,
                share,
                slots: Slots {
                    own: share.part(self.slots),
                    free: Arc::clone(&free),
                },
                reports: self.reports.clone(),
                orders: stopper.0.orders.subscribe(),
            };
            let ready = ready.clone();
            let named = thread::Builder::new().name(format!("load-{index}"));
            named.spawn(move || seat.take(&ready)).map_err(LoadError::Thread)?;
        }
        drop(ready);
        for _ in 0..self.threads {
            let gone = || LoadError::Thread(std::io::Error::other("the thread ended before it was ready"));
            readied.recv().map_err(|_| gone())?.map_err(LoadError::Thread)?;
        }
        Ok(())
    }
}

impl Seat {
    /// A load thread from its start to its last window.
    fn take(self, ready: &std_mpsc::Sender<std::io::Result<()>>) {
        let mut farewell = Farewell {
            index: self.share.index,
            reports: Some(self.reports.clone()),
        };
        let (runtime, alarm) = match prepare() {
            Ok(prepared) => prepared,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        let Some(local) = runtime.block_on(self.drive(alarm)) else {
            return;
        };
        let (local, reports) = local;
        // Drops every task, which records what is in flight; a look-up that hangs is not waited for.
        runtime.shutdown_background();
        let window = local.window(second(local.since(Instant::now())));
        let _ = reports.blocking_send(Report::Last(local.share.index, Box::new(window)));
        farewell.reports = None;
    }

    async fn drive(mut self, alarm: Alarm) -> Option<(Rc<Local<ThreadHttp>>, mpsc::Sender<Report>)> {
        let order = self.orders.wait_for(|order| *order != Order::Hold).await.ok().map(|order| *order)?;
        let Order::Go(epoch) = order else {
            return None;
        };
        let local = Local::new(self.script, ThreadHttp::new(self.client), epoch, self.seed, self.share);
        let worker = Worker {
            local: Rc::clone(&local),
            slots: self.slots,
            alarm,
            reports: self.reports.clone(),
            orders: self.orders,
        };
        worker.run().await;
        Some((local, self.reports))
    }
}

/// Says that a thread died unless it took its leave, or the others would be waited for no further than its last second.
struct Farewell {
    index: u32,
    reports: Option<mpsc::Sender<Report>>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(reports) = self.reports.take() {
            // Outside of any runtime, even when a panic unwinds; the collector may be gone.
            let _ = reports.blocking_send(Report::Died(self.index));
        }
    }
}

fn prepare() -> std::io::Result<(LocalRuntime, Alarm)> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let alarm = runtime.block_on(async { Alarm::fine() })?;
    Ok((runtime, alarm))
}

/// The collector's thread.
struct Desk {
    collector: Collector,
    tick: Tick,
    watches: Vec<Watch>,
    stopper: Stopper,
    path: Option<PathBuf>,
    cpu_before: f64,
    threads: u32,
}

impl Desk {
    /// The record is written this often.
    const SAVED_EVERY: u32 = 10;

    fn run(mut self, mut received: mpsc::Receiver<Report>) -> Recording {
        // Up to which second each thread has reported.
        let mut reported = vec![0_u32; self.threads as usize];
        let mut shown = 0;
        let mut died = 0_usize;
        while let Some(report) = received.blocking_recv() {
            match report {
                Report::Window(index, window) => {
                    reported[index as usize] = window.second + 1;
                    self.collector.absorb(*window);
                }
                Report::Last(index, window) => {
                    reported[index as usize] = u32::MAX;
                    self.collector.absorb(*window);
                }
                Report::Died(index) => {
                    reported[index as usize] = u32::MAX;
                    died += 1;
                }
            }
            let complete = reported.iter().copied().min().unwrap_or(0);
            if complete == u32::MAX {
                break;
            }
            while shown < complete {
                self.tick(shown);
                shown += 1;
            }
        }
        died += reported.iter().filter(|upto| **upto != u32::MAX).count();
        let cpu = cpu_seconds() - self.cpu_before;
        let mut recording = self.collector.finish(self.stopper.reason(), Timestamp::now(), cpu);
        if died > 0 {
            recording
                .generator
                .invalid
                .push(format!("a load thread died: {died} of {} ended early", self.threads));
        }
        if let Some(path) = &self.path {
            warn_of(recording.save(path));
        }
        recording
    }

    /// One second is complete.
    fn tick(&mut self, second: u32) {
        let moments: Vec<_> = self.collector.moments().iter().filter(|moment| moment.second <= second).collect();
        for watch in &mut self.watches {
            if let Some(criterion) = watch.look(&moments) {
                self.stopper.stop(Stop::Drain, EndReason::Aborted { criterion });
            }
        }
        let newest = moments.last().copied().filter(|moment| moment.second == second);
        self.tick.show(second, newest, self.collector.totals());
        if let Some(path) = &self.path
            && (second + 1).is_multiple_of(Self::SAVED_EVERY)
        {
            let cpu = cpu_seconds() - self.cpu_before;
            warn_of(self.collector.close(EndReason::Killed, Timestamp::now(), cpu).save(path));
        }
    }
}

/// A record that cannot be kept on disk is no reason to stop the load.
fn warn_of(saved: Result<(), LoadError>) {
    if let Err(error) = saved {
        tracing::warn!("the record is not on disk: failed to {error}");
    }
}

/// CPU time of the process.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let whole = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    (whole + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::super::recorder::{Recorder, Window};
    use super::super::testing::{heading, scenario, users};
    use super::*;

    #[test]
    fn the_others_go_on_without_a_thread_that_died_and_the_run_is_invalid() {
        let script = Script::new(scenario("http://localhost", users(1), 10), "run").unwrap();
        let (shown, progress) = watch::channel(Progress::default());
        let desk = Desk {
            collector: Collector::new(&script, heading(), 10),
            tick: Tick::new(&script, shown),
            watches: Vec::new(),
            stopper: Stopper(Arc::new(Control {
                orders: watch::channel(Order::Hold).0,
                reason: Mutex::default(),
            })),
            path: None,
            cpu_before: 0.0,
            threads: 2,
        };
        let mut recorder = Recorder::new(&script);
        let mut window = |second| -> Box<Window> { Box::new(recorder.take(second, 1, 0)) };
        let (reports, received) = mpsc::channel(16);
        for second in 0..3 {
            reports.try_send(Report::Window(0, window(second))).unwrap();
        }
        drop(Farewell {
            index: 1,
            reports: Some(reports.clone()),
        });
        reports.try_send(Report::Window(0, window(3))).unwrap();
        drop(reports);
        let recording = desk.run(received);
        assert_eq!(progress.borrow().elapsed, Duration::from_secs(4));
        assert_eq!(recording.generator.invalid, ["a load thread died: 2 of 2 ended early"]);
    }
}
