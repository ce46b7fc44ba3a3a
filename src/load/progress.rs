//! What is shown while a load goes on.

use std::time::Duration;

use tokio::sync::watch;

use super::moment::Moment;
use super::script::Script;
use super::sparse::Sparse;

/// A load, as of the last second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Since the start of the load.
    pub elapsed: Duration,
    /// How long the load is to last.
    pub planned: Duration,
    /// The phase by its index and name; `None` before the first second and when all are over.
    pub phase: Option<(usize, String)>,
    /// Users of closed phases.
    pub users: u32,
    /// Requests in flight, the most in the last second.
    pub in_flight: u32,
    /// Begun so far.
    pub requests: u64,
    /// Failed or lost so far.
    pub errors: u64,
    /// Arrivals without a slot so far.
    pub dropped: u64,
    /// Requests begun in the last second.
    pub rate: u64,
    /// Of the requests that ended in the last second.
    pub p95: Option<Duration>,
}

/// Shows progress once a second.
#[derive(Debug)]
pub(super) struct Tick {
    /// End and name of each phase.
    phases: Vec<(Duration, String)>,
    shown: watch::Sender<Progress>,
}

impl Tick {
    pub(super) fn new(script: &Script, shown: watch::Sender<Progress>) -> Self {
        let ends = script.stretches.iter().map(|stretch| stretch.to);
        Self {
            phases: ends.zip(script.phases.iter().cloned()).collect(),
            shown,
        }
    }

    /// Shows a second that is complete, and (requests, errors, dropped) so far.
    pub(super) fn show(&self, second: u32, moment: Option<&Moment>, totals: (u64, u64, u64)) {
        let elapsed = Duration::from_secs(u64::from(second) + 1);
        let mut times = Sparse::default();
        for (_, slice) in moment.iter().flat_map(|moment| &moment.slices) {
            times.merge(&slice.response_passed);
            times.merge(&slice.response_failed);
        }
        let phase = self.phases.iter().position(|(end, _)| elapsed <= *end);
        let progress = Progress {
            elapsed,
            planned: self.phases.last().map(|(end, _)| *end).unwrap_or_default(),
            phase: phase.map(|index| (index, self.phases[index].1.clone())),
            users: moment.map_or(0, |moment| moment.users),
            in_flight: moment.map_or(0, |moment| moment.in_flight),
            requests: totals.0,
            errors: totals.1,
            dropped: totals.2,
            rate: moment.map_or(0, |moment| moment.started),
            p95: times.quantile(0.95).map(Duration::from_micros),
        };
        // Nobody may be looking.
        let _ = self.shown.send(progress);
    }
}
