//! Keeps a task from waking itself.
//!
//! The user's task drives its connection, so the two wake each other over hyper's channels all the time while the task
//! is running already; each such wake would cost another poll that finds nothing. What wakes before the last look at
//! everything is settled by that look; only what wakes after it is passed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// The task is being polled.
const CLOSED: u8 = 1;
/// Somebody woke it meanwhile.
const WOKEN: u8 = 2;

/// A waker in front of a task's own.
pub(super) struct Gate {
    state: AtomicU8,
    task: Waker,
}

impl Wake for Gate {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Either this sees that the gate is closed, and whoever opens it sees the wake, or it passes the wake on.
        if self.state.fetch_or(WOKEN, Ordering::AcqRel) & CLOSED == 0 {
            self.task.wake_by_ref();
        }
    }
}

impl Gate {
    /// Everything that can wake the task is looked at after this: what has woken it so far is settled.
    pub(super) fn settle(&self) {
        self.state.swap(CLOSED, Ordering::AcqRel);
    }

    /// Polls with the gate closed.
    pub(super) fn poll<R>(&self, waker: &Waker, poll: impl FnOnce(&mut Context<'_>) -> Poll<R>) -> Poll<R> {
        self.state.store(CLOSED, Ordering::Release);
        let result = poll(&mut Context::from_waker(waker));
        let state = self.state.swap(0, Ordering::AcqRel);
        if result.is_pending() && state & WOKEN != 0 {
            self.task.wake_by_ref();
        }
        result
    }
}

/// The gate of the task that a user is in; one that moves on to another task gets another.
#[derive(Default)]
pub(super) struct Gatekeeper(Option<(Arc<Gate>, Waker)>);

impl Gatekeeper {
    /// The gate of the task that polls, and the waker that leads through it.
    pub(super) fn gate(&mut self, task: &Waker) -> &(Arc<Gate>, Waker) {
        if self.0.as_ref().is_some_and(|(gate, _)| !gate.task.will_wake(task)) {
            self.0 = None;
        }
        self.0.get_or_insert_with(|| {
            let gate = Arc::new(Gate {
                state: AtomicU8::new(0),
                task: task.clone(),
            });
            (Arc::clone(&gate), Waker::from(gate))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn only_wakes_that_nobody_looked_after_are_passed_on() {
        let count = Arc::new(Count::default());
        let mut keeper = Gatekeeper::default();
        let (gate, waker) = keeper.gate(&Waker::from(Arc::clone(&count))).clone();
        let passed_on = || count.0.load(Ordering::SeqCst);
        waker.wake_by_ref();
        assert_eq!(passed_on(), 1, "the gate is open");
        let pending: Poll<()> = gate.poll(&waker, |cx| {
            cx.waker().wake_by_ref();
            gate.settle();
            Poll::Pending
        });
        assert_eq!((pending, passed_on()), (Poll::Pending, 1), "settled");
        let _ = gate.poll(&waker, |cx| {
            gate.settle();
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!(passed_on(), 2, "woken after the last look");
        let _ = gate.poll(&waker, |cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        });
        assert_eq!(passed_on(), 2, "what is ready needs no wake");
    }

    #[test]
    fn another_task_gets_another_gate() {
        let mut keeper = Gatekeeper::default();
        let tasks = [Arc::new(Count::default()), Arc::new(Count::default())];
        let wakers = tasks.clone().map(Waker::from);
        let first = Arc::clone(&keeper.gate(&wakers[0]).0);
        assert!(Arc::ptr_eq(&first, &keeper.gate(&wakers[0]).0));
        assert!(!Arc::ptr_eq(&first, &keeper.gate(&wakers[1]).0));
    }
}
