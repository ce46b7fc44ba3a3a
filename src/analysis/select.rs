//! The part of a recording that a scope means: whole phases out of the cells, shorter stretches out of the time line.

use std::ops::Range;

use crate::load::recording::{Cell, Iterations, histogram};
use crate::load::{Bucket, Recording};
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
    pub fn bucket_cells<'b>(&'b self, bucket: &'b Bucket) -> impl Iterator<Item = &'b Cell> {
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
