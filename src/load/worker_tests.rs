//! A load thread against a target of arithmetic, in virtual time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;
use tokio::time::Instant;

use super::alarm::Alarm;
use super::check::Answer;
use super::collector::Collector;
use super::exchange::{Line, Loss, Request, Transport};
use super::recorder::second;
use super::recording::{EndReason, Recording};
use super::script::Script;
use super::session::Local;
use super::shape::Share;
use super::testing::{heading, journey, phase, scenario, step, users};
use super::worker::{Order, Report, Slots, Worker};
use crate::scenario::{Scenario, Shape, Think};
use crate::units::{Rate, Timestamp};

/// A target that answers by a rule: sent then, answered when.
#[derive(Clone)]
struct Rule {
    epoch: Instant,
    answered: fn(Duration) -> Duration,
    /// (line, step, when) of every request.
    log: Rc<RefCell<Vec<(u32, usize, Duration)>>>,
    lines: Rc<Cell<u32>>,
}

struct RuleLine {
    rule: Rule,
    number: u32,
}

impl Line for RuleLine {
    async fn exchange(&mut self, request: &Request<'_>, answer: &mut Answer, sent: &Cell<Option<Instant>>) -> Result<(), Loss> {
        let now = Instant::now();
        sent.set(Some(now));
        let at = now - self.rule.epoch;
        self.rule.log.borrow_mut().push((self.number, request.step, at));
        tokio::time::sleep_until(self.rule.epoch + (self.rule.answered)(at)).await;
        answer.status = 200;
        Ok(())
    }
}

impl Transport for Rule {
    type Line = RuleLine;

    fn line(&self) -> RuleLine {
        self.lines.set(self.lines.get() + 1);
        RuleLine {
            rule: self.clone(),
            number: self.lines.get(),
        }
    }

    async fn upkeep(&self) {
        std::future::pending::<()>().await;
    }
}

/// How a thread is run.
#[derive(Clone, Copy)]
struct Setup {
    seed: u64,
    share: Share,
    slots: u32,
    /// How long ago the load began when the thread starts.
    late: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 1,
            share: Share { index: 0, of: 1 },
            slots: 10_000,
            late: Duration::ZERO,
        }
    }
}

struct Ran {
    recording: Recording,
    log: Vec<(u32, usize, Duration)>,
}

async fn run(scenario: Scenario, answered: fn(Duration) -> Duration, setup: Setup) -> Ran {
    let script = Arc::new(Script::new(scenario, "run").unwrap());
    let epoch = Instant::now();
    tokio::time::advance(setup.late).await;
    let rule = Rule {
        epoch,
        answered,
        log: Rc::default(),
        lines: Rc::default(),
    };
    let local = Local::new(Arc::clone(&script), rule.clone(), epoch, setup.seed, setup.share);
    let (reports, mut received) = mpsc::channel(4);
    let (_orders, orders) = watch::channel(Order::Go(epoch));
    let worker = Worker {
        local: Rc::clone(&local),
        slots: Slots {
            own: setup.slots,
            free: (0..setup.share.of).map(|_| AtomicBool::new(true)).collect(),
        },
        alarm: Alarm::Coarse,
        reports,
        orders,
    };
    let mut collector = Collector::new(&script, heading(), 10);
    let tasks = LocalSet::new();
    tasks
        .run_until(async {
            let mut work = std::pin::pin!(worker.run());
            loop {
                tokio::select! {
                    () = &mut work => break,
                    Some(Report::Window(_, window) | Report::Last(_, window)) = received.recv() => collector.absorb(*window),
                }
            }
        })
        .await;
    drop(tasks);
    while let Ok(Report::Window(_, window) | Report::Last(_, window)) = received.try_recv() {
        collector.absorb(*window);
    }
    collector.absorb(local.window(second(epoch.elapsed())));
    let ended = Timestamp::UNIX_EPOCH.checked_add(epoch.elapsed()).unwrap();
    let log = rule.log.take();
    Ran {
        recording: collector.finish(EndReason::Completed, ended, 0.0),
        log,
    }
}

const ANSWER: Duration = Duration::from_millis(20);
const STALL: (Duration, Duration) = (Duration::from_secs(9), Duration::from_secs(11));

fn soon(sent: Duration) -> Duration {
    sent + ANSWER
}

/// Nothing is answered during the stall; what waits is answered right after it.
fn stalling(sent: Duration) -> Duration {
    let answered = sent + ANSWER;
    if answered >= STALL.0 && answered < STALL.1 {
        STALL.1
    } else {
        answered
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_load_against_a_stalling_target_has_the_latencies_of_arithmetic() {
    let rate = Shape::Arrivals {
        from: Rate(1_000.0),
        to: Rate(1_000.0),
    };
    let setup = Setup {
        slots: 3_000,
        ..Setup::default()
    };
    let ran = run(scenario("http://target", rate, 20), stalling, setup).await;
    let cell = &ran.recording.cells[0].1;
    assert_eq!((cell.counts.started, cell.counts.passed), (20_000, 20_000));
    assert_eq!(ran.recording.generator.dropped, 0);
    let mut expected: Vec<f64> = (0..20_000)
        .map(|n| {
            let due = Duration::from_millis(n);
            stalling(due).as_secs_f64() - due.as_secs_f64()
        })
        .collect();
    expected.sort_by(f64::total_cmp);
    for (quantile, index) in [(0.5, 9_999), (0.95, 18_999), (0.99, 19_799), (1.0, 19_999)] {
        let micros = u32::try_from(cell.response_passed.value_at_quantile(quantile)).unwrap();
        let (got, right) = (f64::from(micros) / 1e6, expected[index]);
        assert!(
            (got - right).abs() <= (right * 0.02).max(0.005),
            "{quantile}: {got} instead of {right}"
        );
    }
    // Ten percent of the arrivals waited: a generator that counts from the send would not have sent them at all.
    assert!(cell.response_passed.value_at_quantile(0.95) > 900_000);
}

#[tokio::test(start_paused = true)]
async fn the_pacer_never_waits_and_counts_what_finds_no_slot() {
    let rate = Shape::Arrivals {
        from: Rate(1_000.0),
        to: Rate(1_000.0),
    };
    let setup = Setup {
        slots: 500,
        ..Setup::default()
    };
    let ran = run(scenario("http://target", rate, 20), stalling, setup).await;
    let generator = &ran.recording.generator;
    let started = ran.recording.cells[0].1.counts.started;
    assert_eq!((generator.arrivals, generator.dropped + started), (20_000, 20_000));
    assert!(generator.dropped > 1_400 && generator.dropped < 1_600, "{}", generator.dropped);
    assert_eq!(generator.invalid.len(), 1, "{:?}", generator.invalid);
    let dropped: Vec<u64> = ran.recording.timeline[8..12].iter().map(|bucket| bucket.dropped).collect();
    // 500 slots are taken half a second into the stall, and free again when it is over, in the very millisecond.
    assert!(
        dropped[0] == 0 && dropped[1].abs_diff(500) < 25 && dropped[2] == 1_000 && dropped[3] <= 1,
        "{dropped:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn users_spawn_and_leave_as_their_shape_says() {
    let mut load = scenario("http://target", users(1), 1);
    let seconds = Duration::from_secs;
    load.phases = vec![
        phase(
            "spawn",
            Shape::Users {
                from: 20,
                to: 20,
                spawn_rate: Some(Rate(10.0)),
            },
            seconds(5),
        ),
        phase(
            "down",
            Shape::Users {
                from: 20,
                to: 0,
                spawn_rate: None,
            },
            seconds(10),
        ),
    ];
    let ran = run(load, soon, Setup::default()).await;
    let at_work = |from: u64, to: u64| {
        let (from, to) = (Duration::from_millis(from), Duration::from_millis(to));
        let mut lines: Vec<u32> = ran
            .log
            .iter()
            .filter(|(_, _, at)| *at >= from && *at < to)
            .map(|(line, _, _)| *line)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines.len()
    };
    assert_eq!(at_work(0, 50), 1);
    assert_eq!(at_work(950, 990), 10);
    assert_eq!(at_work(3_000, 3_050), 20);
    assert_eq!(at_work(10_100, 10_150), 10);
    assert_eq!(at_work(14_560, 15_000), 1);
    let levels: Vec<u32> = ran.recording.timeline.iter().map(|bucket| bucket.users).collect();
    assert_eq!(levels[1..5], [20, 20, 20, 20]);
}

/// Journeys in the order in which each line went through them.
async fn journeys(seed: u64, shape: Shape) -> Vec<(u32, usize)> {
    let mut load = scenario("http://target", shape, 3);
    load.journeys = (0..4)
        .map(|n| journey(&format!("j{n}"), f64::from(n + 1), vec![step("s", "/")]))
        .collect();
    load.journeys[1].think = Think {
        min: Duration::from_millis(10),
        max: Duration::from_millis(90),
    };
    let setup = Setup { seed, ..Setup::default() };
    let mut log: Vec<_> = run(load, soon, setup)
        .await
        .log
        .into_iter()
        .map(|(line, step, _)| (line, step))
        .collect();
    log.sort_by_key(|(line, _)| *line);
    log
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_journeys_in_the_same_order() {
    let rate = Shape::Arrivals {
        from: Rate(50.0),
        to: Rate(50.0),
    };
    for shape in [users(5), rate] {
        let first = journeys(42, shape.clone()).await;
        assert_eq!(first, journeys(42, shape.clone()).await);
        assert_ne!(first, journeys(43, shape).await);
        for kind in 0..4 {
            assert!(first.iter().any(|(_, step)| *step == kind), "each journey comes up");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn threads_share_arrivals_and_users_without_gap_or_overlap() {
    let rate = Shape::Arrivals {
        from: Rate(10.0),
        to: Rate(90.0),
    };
    let mut all: Vec<Duration> = Vec::new();
    let mut at_work = Vec::new();
    for index in 0..3 {
        let setup = Setup {
            share: Share { index, of: 3 },
            ..Setup::default()
        };
        let ran = run(scenario("http://target", rate.clone(), 10), soon, setup).await;
        all.extend(ran.log.iter().map(|(_, _, at)| *at));
        let ran = run(scenario("http://target", users(10), 1), soon, setup).await;
        at_work.push(ran.log.iter().map(|(line, _, _)| *line).max().unwrap_or(0));
    }
    all.sort_unstable();
    assert_eq!(all.len(), 500);
    let gaps = all.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
    assert!(gaps.max() <= Some(Duration::from_millis(102)), "no arrival is missing");
    assert_eq!(at_work, [4, 3, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_hours_keeps_a_bounded_time_line_that_loses_nothing() {
    let mut load = scenario("http://target", users(2), 3 * 3_600);
    load.journeys[0].think = Think {
        min: Duration::from_secs(5),
        max: Duration::from_secs(15),
    };
    let ran = run(load, soon, Setup::default()).await;
    let recording = &ran.recording;
    assert!(recording.timeline.len() <= 720, "{}", recording.timeline.len());
    assert!((recording.bucket_seconds - 16.0).abs() < f64::EPSILON);
    assert_eq!(recording.timeline.len(), 10_800 / 16);
    let started = recording.cells[0].1.counts.started;
    let line: u64 = recording
        .timeline
        .iter()
        .flat_map(|bucket| &bucket.cells)
        .map(|(_, slice)| slice.response_passed.len())
        .sum();
    assert_eq!((line, started), (started, u64::try_from(ran.log.len()).unwrap()));
    // A user pauses ten seconds on average.
    assert!((2_000..2_300).contains(&started), "{started}");
}

#[tokio::test(start_paused = true)]
async fn what_was_due_before_the_end_begins_even_when_the_thread_wakes_after_it() {
    let rate = Shape::Arrivals {
        from: Rate(10.0),
        to: Rate(10.0),
    };
    // The load began two seconds before the thread got to it.
    let setup = Setup {
        late: Duration::from_secs(2),
        ..Setup::default()
    };
    let ran = run(scenario("http://target", rate, 1), soon, setup).await;
    let generator = &ran.recording.generator;
    assert_eq!((generator.arrivals, ran.recording.cells[0].1.counts.passed), (10, 10));
    // Due at 0 … 0.9 s, sent at 2 s, answered 20 ms later: the response counts from due, the service from the send.
    let cell = &ran.recording.cells[0].1;
    assert!(
        cell.response_passed.min() >= 1_100_000 && cell.response_passed.max() >= 2_000_000,
        "{} … {}",
        cell.response_passed.min(),
        cell.response_passed.max()
    );
    assert!(cell.service.max() < 30_000, "{}", cell.service.max());
    assert!(
        generator.invalid[0].starts_with("99% of the arrivals were started within"),
        "{:?}",
        generator.invalid
    );
}
