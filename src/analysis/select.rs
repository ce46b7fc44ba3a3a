//! The part of a recording that a scope means: whole phases out of the cells, shorter stretches out of the time line.

use std::ops::Range;

use crate::load::recording::{Cell, Iterations, histogram};
use crate::load::{Bucket, Recording, Slice};
use crate::metrics::wildcard;
use crate::scenario::Scope;

/// A stretch of a run, in seconds from the start of the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Inclusive.
    pub from: f64,
    /// Exclusive.
    pub to: f64,
}

impl Span {
    /// How long it is.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        (self.to - self.from).max(0.0)
    }
}

/// Which phases, journeys and steps a scope means.
pub struct Picker<'a> {
    recording: &'a Recording,
    phases: Vec<bool>,
    steps: Vec<Vec<bool>>,
}

impl<'a> Picker<'a> {
    /// Of that scope in that recording.
    #[must_use]
    pub fn new(recording: &'a Recording, scope: &Scope) -> Self {
        let phases = recording.phases.iter().map(|phase| named(&scope.phases, &phase.name)).collect();
        let steps = recording
            .journeys
            .iter()
            .map(|journey| {
                let tagged = scope.tags.is_empty() || journey.tags.iter().any(|tag| named(&scope.tags, tag));
                let chosen = tagged && named(&scope.journeys, &journey.name);
                journey.steps.iter().map(|step| chosen && named(&scope.steps, step)).collect()
            })
            .collect();
        Self { recording, phases, steps }
    }

    /// The recording.
    #[must_use]
    pub fn recording(&self) -> &'a Recording {
        self.recording
    }

    /// Whether the run reached any of the phases, and any step is meant at all.
    #[must_use]
    pub fn means_anything(&self) -> bool {
        self.phases.contains(&true) && self.steps.iter().flatten().any(|chosen| *chosen)
    }

    /// Whether every phase is meant.
    #[must_use]
    pub fn is_whole_run(&self) -> bool {
        !self.phases.contains(&false)
    }

    /// The phases' stretches; those that follow each other are one.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for (phase, chosen) in self.recording.phases.iter().zip(&self.phases) {
            if !chosen {
                continue;
            }
            match spans.last_mut() {
                Some(last) if phase.from - last.to < 1e-6 => last.to = phase.to,
                _ => spans.push(Span {
                    from: phase.from,
                    to: phase.to,
                }),
            }
        }
        spans
    }

    /// All cells of the scope.
    pub fn cells(&self) -> impl Iterator<Item = &'a Cell> {
        self.recording
            .cells
            .iter()
            .filter(|(key, _)| self.has_phase(key.phase) && self.has_step(key.journey, key.step))
            .map(|(_, cell)| cell)
    }

    /// The cells of a bucket that the scope's steps mean.
    pub fn bucket_slices<'b>(&'b self, bucket: &'b Bucket) -> impl Iterator<Item = &'b Slice> {
        bucket
            .cells
            .iter()
            .filter(|((journey, step), _)| self.has_step(*journey, *step))
            .map(|(_, cell)| cell)
    }

    /// Journeys of the scope, begun and completed.
    #[must_use]
    pub fn iterations(&self) -> Iterations {
        let mut all = Iterations {
            started: 0,
            completed: 0,
            duration: histogram(),
        };
        for (phase, journey, iterations) in &self.recording.iterations {
            let chosen = self.steps.get(usize::from(*journey)).is_some_and(|steps| steps.contains(&true));
            if chosen && self.has_phase(*phase) {
                all.started += iterations.started;
                all.completed += iterations.completed;
                // Equal bounds always add.
                let _ = all.duration.add(&iterations.duration);
            }
        }
        all
    }

    /// The buckets whose middle lies in a stretch.
    #[must_use]
    pub fn buckets(&self, span: Span) -> Range<usize> {
        let width = self.recording.bucket_seconds;
        let inside = |at: &usize| {
            let middle = (index(*at) + 0.5) * width;
            middle >= span.from && middle < span.to
        };
        let all = 0..self.recording.timeline.len();
        match (all.clone().find(inside), all.rev().find(inside)) {
            (Some(first), Some(last)) => first..last + 1,
            _ => 0..0,
        }
    }

    /// When a bucket begins.
    #[must_use]
    pub fn bucket_at(&self, bucket: usize) -> f64 {
        index(bucket) * self.recording.bucket_seconds
    }

    fn has_phase(&self, phase: u16) -> bool {
        self.phases.get(usize::from(phase)).is_some_and(|chosen| *chosen)
    }

    fn has_step(&self, journey: u16, step: u16) -> bool {
        self.steps
            .get(usize::from(journey))
            .and_then(|steps| steps.get(usize::from(step)))
            .is_some_and(|chosen| *chosen)
    }
}

/// Whether a list of names or patterns means this one; an empty list means all.
fn named(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| wildcard(pattern, name))
}

#[expect(clippy::cast_precision_loss, reason = "a time line has at most 720 buckets")]
fn index(bucket: usize) -> f64 {
    bucket as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::fixture::{answers, small};
    use crate::analysis::tally::Tally;
    use crate::load::recording::histogram;
    use crate::scenario::{Aggregation, Metric};

    #[test]
    fn phases_that_follow_each_other_are_one_stretch() {
        let run = small(&[("a", 10.0), ("b", 20.0), ("c", 30.0)], 10.0, vec![answers(&[1], &[]); 3]);
        let scope = |phases: &[&str]| Scope {
            phases: phases.iter().map(|name| (*name).to_owned()).collect(),
            ..Scope::default()
        };
        assert_eq!(Picker::new(&run, &scope(&["a", "b"])).spans(), [Span { from: 0.0, to: 20.0 }]);
        assert_eq!(Picker::new(&run, &scope(&["a", "c"])).spans().len(), 2);
        assert_eq!(Picker::new(&run, &scope(&[])).spans(), [Span { from: 0.0, to: 30.0 }]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn windows_that_part_the_run_merge_into_the_whole(
            times in prop::collection::vec((prop::collection::vec(1u64..5_000, 0..5), prop::collection::vec(1u64..5_000, 0..3)), 1..8),
            cut in 0usize..8,
        ) {
            let buckets: Vec<Cell> = times.iter().map(|(passed, failed)| answers(passed, failed)).collect();
            let count = buckets.len();
            let cut = cut.min(count);
            let end = 10.0 * index(count);
            let run = small(&[("p", end)], 10.0, buckets);
            let picker = Picker::new(&run, &Scope::default());
            for metric in [Metric::ResponseTime, Metric::Errors { kind: None }, Metric::Requests] {
                let whole = Tally::whole(&metric, &picker).unwrap();
                let mut parts = Tally::buckets(&metric, &picker, 0..cut);
                let first = parts.clone();
                let second = Tally::buckets(&metric, &picker, cut..count);
                parts.add(&second);
                prop_assert_eq!((whole.hits, whole.of, &whole.times), (parts.hits, parts.of, &parts.times));
                prop_assert!((whole.seconds - parts.seconds).abs() < 1e-6);
                prop_assert_eq!(whole.value(&metric, Aggregation::Percentile(95.0)), parts.value(&metric, Aggregation::Percentile(95.0)));
                parts.remove_first(&first);
                prop_assert_eq!((second.hits, second.of), (parts.hits, parts.of));
                prop_assert_eq!(second.times.unwrap_or_else(histogram), parts.times.unwrap_or_else(histogram));
            }
        }
    }
}
