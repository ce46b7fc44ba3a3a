//! Reading calls side by side, a few at a time.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many reading calls are under way at once, over all services: enough to be quick, too few to be throttled.
const AT_ONCE: usize = 8;

/// The permits for reading calls.
#[derive(Clone, Debug)]
pub(super) struct Slots(Arc<Semaphore>);

impl Slots {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    /// Runs all jobs, a few at a time, and returns their results in the order of the jobs. Dropping the future ends
    /// them all, which is why only reading calls belong here.
    pub(super) async fn side_by_side<F>(&self, jobs: Vec<F>) -> Vec<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let mut set = JoinSet::new();
        for (index, job) in jobs.into_iter().enumerate() {
            let slots = Arc::clone(&self.0);
            set.spawn(async move {
                // The semaphore is never closed; without a permit the job would run all the same.
                let _permit = slots.acquire_owned().await.ok();
                (index, job.await)
            });
        }
        let mut results = Vec::with_capacity(set.len());
        while let Some(joined) = set.join_next().await {
            match joined {
                Ok(result) => results.push(result),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => {}
            }
        }
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn results_come_in_the_order_of_the_jobs_and_few_run_at_once() {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let jobs = (0..30_u64)
            .map(|n| {
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                async move {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(30 - n)).await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    n
                }
            })
            .collect();
        assert_eq!(Slots::new().side_by_side(jobs).await, (0..30).collect::<Vec<u64>>());
        assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
    }
}
