//! The part of a recording that a scope means.

use super::recording::{Bucket, Cell, JourneyNames, PhaseWindow, Recording, Selection};
use crate::scenario::Scope;

/// Which phases, journeys and steps a scope means, by index.
#[derive(Clone, Debug)]
pub struct Choice {
    phases: Vec<bool>,
    steps: Vec<Vec<bool>>,
}

impl Choice {
    /// Resolves the names of a scope; `*` stands for anything.
    pub fn new<'a>(phases: impl IntoIterator<Item = &'a str>, journeys: &[JourneyNames], scope: &Scope) -> Self {
        Self {
            phases: phases.into_iter().map(|name| named(&scope.phases, name)).collect(),
            steps: journeys
                .iter()
                .map(|journey| {
                    let tagged = scope.tags.is_empty() || journey.tags.iter().any(|tag| named(&scope.tags, tag));
                    let chosen = tagged && named(&scope.journeys, &journey.name);
                    journey.steps.iter().map(|step| chosen && named(&scope.steps, step)).collect()
                })
                .collect(),
        }
    }

    /// Whether the phase of that index is meant.
    #[must_use]
    pub fn has_phase(&self, phase: u16) -> bool {
        self.phases.get(usize::from(phase)).is_some_and(|chosen| *chosen)
    }

    /// Whether any step of the journey of that index is meant.
    #[must_use]
    pub fn has_journey(&self, journey: u16) -> bool {
        self.steps.get(usize::from(journey)).is_some_and(|steps| steps.contains(&true))
    }

    /// Whether the step of those indices is meant.
    #[must_use]
    pub fn has_step(&self, journey: u16, step: u16) -> bool {
        let steps = self.steps.get(usize::from(journey));
        steps.and_then(|steps| steps.get(usize::from(step))).is_some_and(|chosen| *chosen)
    }
}

impl Recording {
    /// Everything of a scope, merged: over whole phases from the cells, or between two moments (in seconds from the
    /// start of the load) from the buckets of the time line whose middle lies between them and in one of the phases.
    #[must_use]
    pub fn select(&self, scope: &Scope, between: Option<(f64, f64)>) -> Selection {
        let choice = Choice::new(self.phases.iter().map(|phase| phase.name.as_str()), &self.journeys, scope);
        let chosen: Vec<&PhaseWindow> = self
            .phases
            .iter()
            .zip(&choice.phases)
            .filter(|(_, chosen)| **chosen)
            .map(|(phase, _)| phase)
            .collect();
        let Some((from, to)) = between else {
            let cells = self
                .cells
                .iter()
                .filter(|(key, _)| choice.has_phase(key.phase) && choice.has_step(key.journey, key.step));
            return Selection {
                cell: cells.fold(None, |merged: Option<Cell>, (_, cell)| {
                    let mut merged = merged.unwrap_or_default();
                    merged.merge(cell);
                    Some(merged)
                }),
                seconds: chosen.iter().map(|phase| phase.to - phase.from).sum(),
            };
        };
        let mut selection = Selection::default();
        for (at, bucket) in self.buckets() {
            let middle = at + self.bucket_seconds / 2.0;
            let in_phase = chosen.iter().any(|phase| middle >= phase.from && middle < phase.to);
            if middle < from || middle >= to || !in_phase {
                continue;
            }
            selection.seconds += self.bucket_seconds;
            for ((journey, step), slice) in &bucket.cells {
                if choice.has_step(*journey, *step) {
                    slice.add_to(selection.cell.get_or_insert_default());
                }
            }
        }
        selection
    }

    /// The time line: when each bucket begins, in seconds from the start of the load, and the bucket.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, &Bucket)> {
        let mut at = -self.bucket_seconds;
        self.timeline.iter().map(move |bucket| {
            at += self.bucket_seconds;
            (at, bucket)
        })
    }
}

/// Whether a list of names or patterns means this one; an empty list means all.
fn named(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, name))
}

/// Whether a pattern with `*` in it fits the whole name.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == name;
    };
    name.strip_prefix(before).is_some_and(|rest| {
        (0..=rest.len())
            .filter(|at| rest.is_char_boundary(*at))
            .any(|at| fits(after, &rest[at..]))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn scope(phases: &[&str], steps: &[&str], tags: &[&str]) -> Scope {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Scope {
            phases: owned(phases),
            steps: owned(steps),
            tags: owned(tags),
            ..Scope::default()
        }
    }

    fn passed(recording: &Recording, scope: &Scope, between: Option<(f64, f64)>) -> Option<u64> {
        recording.select(scope, between).cell.map(|cell| cell.counts.passed)
    }

    #[test]
    fn a_scope_selects_phases_steps_and_tags() {
        // Two phases of 10 s, steps `a` (tag `x`) and `b`, a request a second each.
        let recording = testing::recording();
        assert_eq!(passed(&recording, &scope(&[], &[], &[]), None), Some(40));
        assert_eq!(passed(&recording, &scope(&["first"], &[], &[]), None), Some(20));
        assert_eq!(passed(&recording, &scope(&[], &["a"], &[]), None), Some(20));
        assert_eq!(passed(&recording, &scope(&["sec*"], &[], &["x"]), None), Some(10));
        assert_eq!(passed(&recording, &scope(&["none"], &[], &[]), None), None);
        assert!((recording.select(&scope(&["first"], &[], &[]), None).seconds - 10.0).abs() < 1e-9);
    }

    #[test]
    fn a_stretch_comes_from_the_time_line_and_agrees_with_the_cells() {
        let recording = testing::recording();
        assert_eq!(passed(&recording, &scope(&[], &[], &[]), Some((0.0, 20.0))), Some(40));
        assert_eq!(passed(&recording, &scope(&[], &[], &[]), Some((5.0, 8.0))), Some(6));
        assert_eq!(passed(&recording, &scope(&["second"], &["b"], &[]), Some((5.0, 12.0))), Some(2));
        let whole = recording.select(&scope(&[], &[], &[]), None).cell.unwrap();
        let line = recording.select(&scope(&[], &[], &[]), Some((0.0, 20.0))).cell.unwrap();
        assert_eq!(whole.counts, line.counts);
        assert_eq!(whole.response_passed, line.response_passed);
    }

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, yes) in [
            ("a", "a", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c*e", "abcde", true),
            ("a", "ab", false),
            ("*b", "abc", false),
        ] {
            assert_eq!(fits(pattern, name), yes, "{pattern} {name}");
        }
    }
}
