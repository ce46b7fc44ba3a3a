//! Distinct errors, counted.

use std::collections::{HashMap, hash_map};

use super::recording::ErrorSeen;
use super::sample::Failure;

/// Distinct errors that are kept apart; the rest is counted together.
const ERRORS_KEPT: usize = 200;
/// What makes an error distinct.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ErrorKey {
    pub(super) journey: u16,
    pub(super) step: u16,
    pub(super) failure: Failure,
    pub(super) status: Option<u16>,
    /// Empty when the check tells.
    pub(super) text: String,
}

/// How often and when (first, last) an error was seen, in seconds from the start of the load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) count: u64,
    pub(super) first: f64,
    pub(super) last: f64,
}

/// Distinct errors, bounded: what comes when there are too many is counted as `other`.
#[derive(Debug, Default)]
pub(super) struct Errors(HashMap<ErrorKey, Seen>);

impl Errors {
    /// Counts an error.
    pub(super) fn add(&mut self, mut key: ErrorKey, seen: Seen) {
        if self.0.len() >= ERRORS_KEPT && !self.0.contains_key(&key) {
            "other".clone_into(&mut key.text);
        }
        match self.0.entry(key) {
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(seen);
            }
            hash_map::Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.count += seen.count;
                known.first = known.first.min(seen.first);
                known.last = known.last.max(seen.last);
            }
        }
    }

    /// Every error with what is known of it.
    pub(super) fn into_each(self) -> impl Iterator<Item = (ErrorKey, Seen)> {
        self.0.into_iter()
    }

    /// The most frequent first.
    pub(super) fn list(&self) -> Vec<ErrorSeen> {
        let mut list: Vec<ErrorSeen> = self
            .0
            .iter()
            .map(|(key, seen)| ErrorSeen {
                journey: key.journey,
                step: key.step,
                failure: key.failure.clone(),
                status: key.status,
                text: key.text.clone(),
                count: seen.count,
                first: seen.first,
                last: seen.last,
            })
            .collect();
        list.sort_by(|a, b| {
            let place = |seen: &ErrorSeen| (seen.journey, seen.step, seen.status, seen.text.clone());
            b.count.cmp(&a.count).then_with(|| place(a).cmp(&place(b)))
        });
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ErrorKey {
        ErrorKey {
            journey: 0,
            step: 0,
            failure: Failure::Reset,
            status: None,
            text: text.to_owned(),
        }
    }

    #[test]
    fn errors_are_bounded_and_nothing_is_lost_from_the_count() {
        let mut errors = Errors::default();
        for n in 0..1_000 {
            let at = f64::from(n);
            let seen = Seen {
                count: 1,
                first: at,
                last: at,
            };
            errors.add(key(&format!("error {n}")), seen);
        }
        let list = errors.list();
        assert_eq!(list.len(), ERRORS_KEPT + 1);
        assert_eq!(list.iter().map(|seen| seen.count).sum::<u64>(), 1_000);
        assert_eq!(
            (list[0].text.as_str(), list[0].count, list[0].first, list[0].last),
            ("other", 800, 200.0, 999.0)
        );
    }
}
