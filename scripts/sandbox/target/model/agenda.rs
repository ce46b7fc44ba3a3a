//! What is due when: the model's event queue.
//!
//! Knows only that a flight or the model itself wants to be woken; ties go in the order they were made.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::time::Time;

/// A request under way. Numbers are reused once a flight has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket(pub(crate) usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wake {
    /// A whole second: gauges are sampled.
    Tick,
    Flight(Ticket),
}

#[derive(Debug, Default)]
pub(crate) struct Agenda {
    heap: BinaryHeap<Reverse<(Time, u64, Wake)>>,
    made: u64,
}

impl Agenda {
    pub(crate) fn wake(&mut self, at: Time, what: Wake) {
        self.made += 1;
        self.heap.push(Reverse((at, self.made, what)));
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// The earliest event that is due by `now`.
    pub(crate) fn pop(&mut self, now: Time) -> Option<(Time, Wake)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, what))| (at, what))
    }
}
