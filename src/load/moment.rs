//! What ended within one second: the material of progress and of criteria that can stop the load.

use super::recording::{CellKey, Slice};
use super::sparse::Sparse;

/// What ended within one second, of all threads.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// Which second of the load.
    pub(super) second: u32,
    pub(super) slices: Vec<(CellKey, Slice)>,
    pub(super) iterations: Vec<Rounds>,
    pub(super) started: u64,
    pub(super) dropped: u64,
    pub(super) arrivals: u64,
    pub(super) users: u32,
    pub(super) in_flight: u32,
}

/// Journeys of one kind.
#[derive(Clone, Debug)]
pub(super) struct Rounds {
    pub(super) phase: u16,
    pub(super) journey: u16,
    pub(super) started: u64,
    /// Durations of the completed.
    pub(super) times: Sparse,
}

impl Moment {
    /// Adds another thread's part.
    pub(super) fn merge(&mut self, other: Self, in_flight_max: u32) {
        for (key, slice) in &other.slices {
            merge_into(&mut self.slices, *key, slice);
        }
        self.iterations.extend(other.iterations);
        self.started += other.started;
        self.dropped += other.dropped;
        self.arrivals += other.arrivals;
        self.users += other.users;
        self.in_flight += in_flight_max;
    }
}

/// Adds a slice to that of its key.
pub(super) fn merge_into<K: PartialEq + Copy>(slices: &mut Vec<(K, Slice)>, key: K, slice: &Slice) {
    match slices.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => known.merge(slice),
        None => slices.push((key, slice.clone())),
    }
}
