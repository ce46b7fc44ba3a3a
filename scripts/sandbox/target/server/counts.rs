//! What the server itself saw, to be compared with what a client says.
//!
//! Knows requests, answers, statuses and paths; not what they mean.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// More paths than this are counted together, so that random paths cannot fill the memory.
const MOST_PATHS: usize = 1000;
const OTHER_PATHS: &str = "other";

/// Counted since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    /// Requests whose head was read.
    pub(crate) requests: u64,
    /// Responses handed to the socket.
    pub(crate) answered: u64,
    pub(crate) by_status: BTreeMap<u16, u64>,
    pub(crate) by_path: BTreeMap<String, u64>,
}

/// Which reset a request was counted after; its answer counts only if there was none since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

#[derive(Debug, Default)]
pub(crate) struct Counts {
    inner: Mutex<(u64, Tally)>,
}

impl Counts {
    pub(crate) fn request(&self, path: &str) -> Epoch {
        let (epoch, tally) = &mut *self.lock();
        tally.requests += 1;
        if let Some(count) = tally.by_path.get_mut(path) {
            *count += 1;
        } else {
            let key = if tally.by_path.len() < MOST_PATHS { path } else { OTHER_PATHS };
            *tally.by_path.entry(key.to_owned()).or_insert(0) += 1;
        }
        Epoch(*epoch)
    }

    pub(crate) fn answered(&self, since: Epoch, status: u16) {
        let (epoch, tally) = &mut *self.lock();
        if *epoch == since.0 {
            tally.answered += 1;
            *tally.by_status.entry(status).or_insert(0) += 1;
        }
    }

    /// Takes an `answered` back: the socket did not accept the response after all.
    pub(crate) fn not_answered(&self, since: Epoch, status: u16) {
        let (epoch, tally) = &mut *self.lock();
        if *epoch == since.0 {
            tally.answered = tally.answered.saturating_sub(1);
            let left = tally.by_status.get(&status).copied().unwrap_or(0).saturating_sub(1);
            if left == 0 {
                tally.by_status.remove(&status);
            } else {
                tally.by_status.insert(status, left);
            }
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.lock().1.clone()
    }

    pub(crate) fn reset(&self) {
        let (epoch, tally) = &mut *self.lock();
        *epoch += 1;
        *tally = Tally::default();
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Tally)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_a_request_from_before_a_reset_is_not_counted() {
        let counts = Counts::default();
        let before = counts.request("/a");
        counts.reset();
        let after = counts.request("/b");
        counts.answered(before, 200);
        counts.answered(after, 200);
        let tally = counts.tally();
        assert_eq!((tally.requests, tally.answered), (1, 1));
        assert_eq!(tally.by_path, BTreeMap::from([("/b".to_owned(), 1)]));
        counts.not_answered(after, 200);
        assert_eq!(counts.tally().answered, 0);
        assert!(counts.tally().by_status.is_empty());
    }

    #[test]
    fn paths_are_bounded() {
        let counts = Counts::default();
        for n in 0..3000 {
            counts.request(&format!("/{n}"));
        }
        let tally = counts.tally();
        assert_eq!(tally.by_path.len(), MOST_PATHS + 1);
        assert_eq!(tally.by_path[OTHER_PATHS], 2000);
    }
}
