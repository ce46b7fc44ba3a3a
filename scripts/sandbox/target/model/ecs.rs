//! An ECS service's tasks: each a processor that works off a bounded queue in order.
//!
//! Knows work, queues, processor and memory figures; not who sends the work.

use std::collections::VecDeque;
use std::time::Duration;

use super::book::{Book, SeriesId, Unit};
use super::time::Time;

/// How many requests one task has at most, the one it works on included.
const QUEUE: usize = 100;
const IDLE_PROCESSOR: f64 = 1.0;
const IDLE_MEMORY: f64 = 32.0;
const MEMORY_A_REQUEST: f64 = 0.25;

#[derive(Debug, Default)]
struct Task {
    /// When each accepted request will be done; in order.
    done_at: VecDeque<Time>,
    accepted: Duration,
    sampled: Duration,
}

#[derive(Debug)]
pub(crate) struct Tasks {
    running: Vec<Task>,
    /// Where the search for the shortest queue starts, so that equals take turns.
    turn: usize,
    sampled_at: Time,
    processor: SeriesId,
    memory: SeriesId,
}

impl Tasks {
    pub(crate) fn new(now: Time, book: &mut Book, cluster: &str, service: &str) -> Self {
        let dimensions = [("ClusterName", cluster), ("ServiceName", service)];
        Self {
            running: Vec::new(),
            turn: 0,
            sampled_at: now,
            processor: book.series("AWS/ECS", "CPUUtilization", Unit::Percent, &dimensions),
            memory: book.series("AWS/ECS", "MemoryUtilization", Unit::Percent, &dimensions),
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    /// New tasks start idle; those that go finish what they have accepted, unseen.
    pub(crate) fn set_running(&mut self, count: usize) {
        self.running.resize_with(count, Task::default);
    }

    /// Gives `work` to the task with the fewest requests; when it will be done, or `None` when all are full.
    pub(crate) fn accept(&mut self, now: Time, work: Duration) -> Option<Time> {
        let count = self.running.len();
        self.turn = self.turn.wrapping_add(1);
        self.running.iter_mut().for_each(|task| task.settle(now));
        let turn = self.turn;
        let chosen = (0..count)
            .map(|step| turn.wrapping_add(step) % count)
            .min_by_key(|index| self.queued(*index))?;
        let task = self.running.get_mut(chosen).filter(|task| task.done_at.len() < QUEUE)?;
        let done = task.busy_until().map_or(now, |busy| busy.max(now)) + work;
        task.done_at.push_back(done);
        task.accepted += work;
        Some(done)
    }

    /// One sample of each task's processor and memory since the last.
    pub(crate) fn sample(&mut self, at: Time, book: &mut Book) {
        let span = at.since(self.sampled_at);
        self.sampled_at = at;
        if span.is_zero() {
            return;
        }
        for task in &mut self.running {
            task.settle(at);
            let left = task.busy_until().map_or(Duration::ZERO, |busy| busy.since(at));
            let worked = task.accepted.saturating_sub(left);
            let busy = worked.saturating_sub(task.sampled).as_secs_f64() / span.as_secs_f64();
            task.sampled = worked;
            book.record(at, self.processor, (IDLE_PROCESSOR + 99.0 * busy).min(100.0));
            let queued = f64::from(u32::try_from(task.done_at.len()).unwrap_or(u32::MAX));
            book.record(at, self.memory, IDLE_MEMORY + MEMORY_A_REQUEST * queued);
        }
    }

    fn queued(&self, index: usize) -> usize {
        self.running.get(index).map_or(usize::MAX, |task| task.done_at.len())
    }
}

impl Task {
    fn settle(&mut self, now: Time) {
        while self.done_at.front().is_some_and(|done| *done <= now) {
            self.done_at.pop_front();
        }
    }

    fn busy_until(&self) -> Option<Time> {
        self.done_at.back().copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORK: Duration = Duration::from_millis(65);

    fn tasks(count: usize) -> (Tasks, Book) {
        let mut book = Book::default();
        let mut tasks = Tasks::new(Time::default(), &mut book, "c", "s");
        tasks.set_running(count);
        (tasks, book)
    }

    #[test]
    fn work_is_spread_and_full_queues_refuse() {
        let (mut tasks, _) = tasks(2);
        assert_eq!(tasks.accept(Time::default(), WORK), Some(Time::default() + WORK));
        assert_eq!(tasks.accept(Time::default(), WORK), Some(Time::default() + WORK));
        assert_eq!(tasks.accept(Time::default(), WORK), Some(Time::default() + WORK * 2));
        let accepted = (0..1000).filter(|_| tasks.accept(Time::default(), WORK).is_some()).count();
        assert_eq!(accepted + 3, 200);
        assert!(tasks.accept(Time::default() + WORK, WORK).is_some());
    }

    #[test]
    fn no_task_accepts_nothing() {
        let (mut tasks, _) = tasks(0);
        assert_eq!(tasks.accept(Time::default(), WORK), None);
    }

    #[test]
    fn the_processor_shows_the_share_of_time_it_worked() {
        let (mut tasks, mut book) = tasks(1);
        for n in 0..10 {
            tasks.accept(Time::default() + Duration::from_secs(n), Duration::from_millis(500));
        }
        tasks.sample(Time::default() + Duration::from_secs(10), &mut book);
        let processor = book
            .drain()
            .into_iter()
            .find(|point| point.series.metric == "CPUUtilization")
            .unwrap();
        assert!((processor.sum - 50.5).abs() < 0.01, "{}", processor.sum);
    }

    #[test]
    fn a_service_that_grows_halves_its_processors_load() {
        let load = |count| {
            let (mut tasks, mut book) = tasks(count);
            for n in 0..600 {
                tasks.accept(Time::default() + Duration::from_millis(n * 100), WORK);
            }
            tasks.sample(Time::default() + Duration::from_mins(1), &mut book);
            let point = book
                .drain()
                .into_iter()
                .find(|point| point.series.metric == "CPUUtilization")
                .unwrap();
            let count = u32::try_from(point.count).unwrap();
            point.sum / f64::from(count)
        };
        assert!((load(1) - 65.35).abs() < 0.5, "{}", load(1));
        assert!((load(2) - 33.2).abs() < 0.5, "{}", load(2));
    }

    proptest! {
        #[test]
        fn queues_stay_bounded_and_tasks_work_one_thing_at_a_time(
            count in 1_usize..5,
            gaps in proptest::collection::vec(0_u64..40, 1..800),
        ) {
            let (mut tasks, _) = tasks(count);
            let mut now = Time::default();
            let mut done = 0_u32;
            for gap in &gaps {
                now = now + Duration::from_millis(*gap);
                if let Some(at) = tasks.accept(now, WORK) {
                    prop_assert!(at >= now + WORK);
                    prop_assert!(at <= now + WORK * 100);
                    done += 1;
                }
                prop_assert!(tasks.running.iter().all(|task| task.done_at.len() <= QUEUE));
            }
            let longest = Duration::from_millis(gaps.iter().sum()) + WORK * 100;
            prop_assert!(WORK * done <= longest * u32::try_from(count).unwrap());
        }
    }
}
