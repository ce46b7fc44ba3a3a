//! Autoscaling as an owned range: which values of a capacity are tidegate's own doing.
//!
//! While a target is prepared, autoscaling may move the capacity anywhere inside the applied bounds; that is not
//! somebody's edit.

use crate::journal::Record;
use crate::setting::{Capacity, Dimension, Scalable, Setting, State, Units};

/// The bounds within which autoscaling may have moved a capacity.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnedRanges(Vec<(Scalable, u32, u32)>);

impl OwnedRanges {
    /// Every range that the journal tells of: applied ones and, because autoscaling used them before and will again, the
    /// original ones. Closed targets count as well: their capacity may still be outstanding.
    pub(crate) fn of(records: &[Record]) -> Self {
        let states = records.iter().filter_map(|record| match record {
            Record::Intent { setting, before, to, .. } => Some([(setting, before), (setting, to)]),
            _ => None,
        });
        Self::from_states(states.flatten())
    }

    /// The ranges that a state of a target would give.
    pub(crate) fn from_states<'a>(states: impl IntoIterator<Item = (&'a Setting, &'a State)>) -> Self {
        let ranges = states.into_iter().filter_map(|(setting, state)| match (setting, state) {
            (Setting::ScalableTarget { target }, State::Scalable { min, max, .. }) => Some((target.clone(), *min, *max)),
            _ => None,
        });
        Self(ranges.collect())
    }

    /// The original ranges that autoscaling may use again: not suspended, and the capacity lay within before. One that
    /// lay outside is clamped by AWS, which is not "as it was".
    pub(crate) fn in_force_again(originals: &[(&Setting, &State)]) -> Self {
        let inside = originals.iter().filter(|(setting, state)| {
            let (Setting::ScalableTarget { target }, State::Scalable { min, max, suspended }) = (setting, state) else {
                return false;
            };
            let lane = target.lane();
            let capacity = originals
                .iter()
                .filter(|(setting, _)| setting.lane() == lane)
                .find_map(|(_, state)| component(target, state));
            !(suspended.scale_in && suspended.scale_out) && capacity.is_none_or(|capacity| (*min..=*max).contains(&capacity))
        });
        Self::from_states(inside.map(|(setting, state)| (*setting, *state)))
    }

    /// Whether `seen` differs from `expected` at most where autoscaling may have moved it.
    pub(crate) fn explains(&self, setting: &Setting, expected: &[&State], seen: &State) -> bool {
        if expected.contains(&seen) {
            return true;
        }
        match (setting, seen) {
            (Setting::EcsDesired { cluster, service }, State::Count { desired }) => {
                let target = Scalable::Service {
                    cluster: cluster.clone(),
                    service: service.clone(),
                };
                self.holds(&target, *desired)
            }
            (Setting::TableCapacity { table }, State::Capacity(seen)) => {
                let expected: Vec<&Capacity> = expected
                    .iter()
                    .filter_map(|state| {
                        if let State::Capacity(capacity) = state {
                            Some(capacity)
                        } else {
                            None
                        }
                    })
                    .collect();
                self.explains_table(table, &expected, seen)
            }
            _ => false,
        }
    }

    /// Each component by itself: reads may have moved while writes stand where tidegate put them.
    fn explains_table(&self, table: &str, expected: &[&Capacity], seen: &Capacity) -> bool {
        let own = Dimension::BOTH.into_iter().all(|dimension| {
            let value = seen.table.of(dimension);
            expected.iter().any(|capacity| capacity.table.of(dimension) == value)
                || self.holds(
                    &Scalable::Table {
                        table: table.to_owned(),
                        dimension,
                    },
                    value,
                )
        });
        own && seen.indexes.iter().all(|(index, units)| {
            Dimension::BOTH.into_iter().all(|dimension| {
                let value = units.of(dimension);
                let same = |capacity: &&Capacity| capacity.indexes.get(index).is_some_and(|units| units.of(dimension) == value);
                expected.iter().any(same)
                    || self.holds(
                        &Scalable::Index {
                            table: table.to_owned(),
                            index: index.clone(),
                            dimension,
                        },
                        value,
                    )
            })
        })
    }

    fn holds(&self, target: &Scalable, value: u32) -> bool {
        self.0
            .iter()
            .any(|(owned, min, max)| owned == target && (*min..=*max).contains(&value))
    }
}

/// What a target scales, out of a capacity; `None` when that is another resource's. The state must be
/// of the target's own lane.
pub(crate) fn component(target: &Scalable, state: &State) -> Option<u32> {
    match (target, state) {
        (Scalable::Table { dimension, .. }, State::Capacity(capacity)) => Some(capacity.table.of(*dimension)),
        (Scalable::Index { index, dimension, .. }, State::Capacity(capacity)) => {
            capacity.indexes.get(index).map(|units| units.of(*dimension))
        }
        (Scalable::Service { .. }, State::Count { desired }) => Some(*desired),
        _ => None,
    }
}

impl Units {
    /// One of the two.
    #[must_use]
    pub fn of(self, dimension: Dimension) -> u32 {
        match dimension {
            Dimension::Read => self.read,
            Dimension::Write => self.write,
        }
    }
}

impl Dimension {
    /// Both dimensions.
    pub const BOTH: [Self; 2] = [Self::Read, Self::Write];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(read: u32, write: u32) -> State {
        State::Capacity(Capacity {
            table: Units { read, write },
            indexes: std::collections::BTreeMap::new(),
        })
    }

    #[test]
    fn only_the_dimension_with_a_target_may_have_moved() {
        let target = Setting::ScalableTarget {
            target: Scalable::Table {
                table: "t".into(),
                dimension: Dimension::Write,
            },
        };
        let scalable = State::Scalable {
            min: 5,
            max: 100,
            suspended: crate::setting::Suspended::default(),
        };
        let ranges = OwnedRanges::from_states([(&target, &scalable)]);
        let setting = Setting::TableCapacity { table: "t".into() };
        let expected = capacity(5, 60);
        assert!(ranges.explains(&setting, &[&expected], &capacity(5, 85)));
        assert!(!ranges.explains(&setting, &[&expected], &capacity(6, 60)));
        assert!(!ranges.explains(&setting, &[&expected], &capacity(5, 101)));
    }
}
