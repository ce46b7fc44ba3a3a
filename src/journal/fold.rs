//! What a journal's records say is still outstanding. Pure.

use std::collections::BTreeMap;

use super::record::{Record, Way};
use crate::setting::{Setting, State};
use crate::units::Timestamp;

/// A setting that is changed, or may be, and waits to be put back.
#[derive(Clone, Debug, PartialEq)]
pub struct Outstanding {
    /// Which setting.
    pub setting: Setting,
    /// What the resource was when it was first looked at.
    pub identity: String,
    /// Its value before tidegate: the first `before`.
    pub original: State,
    /// Every value that tidegate set or saw after setting, reverts included. A value that AWS refused is not one.
    pub ours: Vec<State>,
    /// What `prepare` set it to last; the original where it only held it.
    pub applied: State,
    /// When the newest call was intended whose answer never came: it may still take effect.
    pub in_doubt: Option<Timestamp>,
    /// AWS refuses the revert until then.
    pub not_before: Option<Timestamp>,
    /// When it was first touched.
    pub since: Timestamp,
    /// When the journal last said anything of it.
    pub last: Timestamp,
}

struct Entry {
    outstanding: Outstanding,
    /// Intents without an answer, and what they set.
    open: BTreeMap<u64, (State, Timestamp)>,
}

/// What is still outstanding, in the order in which it was first touched.
#[must_use]
pub fn outstanding(records: &[Record]) -> Vec<Outstanding> {
    let mut entries: Vec<Entry> = Vec::new();
    for record in records {
        match record {
            Record::Intent {
                step,
                way,
                setting,
                identity,
                before,
                to,
                at,
            } => {
                let entry = entry(&mut entries, setting, identity, before, *at);
                if *way == Way::Apply {
                    entry.outstanding.applied = to.clone();
                }
                entry.outstanding.last = *at;
                // Holding a value makes no call, so nothing can be in doubt.
                if before != to {
                    entry.open.insert(*step, (to.clone(), *at));
                }
            }
            Record::Done { step, observed, at } => {
                if let Some(entry) = of_step(&mut entries, *step) {
                    let (to, _) = entry.open.remove(step).unwrap_or_else(|| (observed.clone(), *at));
                    entry.own(to);
                    entry.own(observed.clone());
                    entry.outstanding.last = *at;
                    entry.outstanding.not_before = None;
                }
            }
            Record::Refused { step, not_before, at, .. } => {
                if let Some(entry) = of_step(&mut entries, *step) {
                    // What AWS postpones may have been accepted in part: a value between the two is still ours.
                    if let Some((to, _)) = entry.open.remove(step)
                        && not_before.is_some()
                    {
                        entry.own(to);
                    }
                    entry.outstanding.not_before = *not_before;
                    entry.outstanding.last = *at;
                }
            }
            Record::Closed { setting, .. } => entries.retain(|entry| entry.outstanding.setting != *setting),
            Record::Started(_) | Record::InUse { .. } | Record::Finished { .. } => {}
        }
    }
    entries.into_iter().map(Entry::close).collect()
}

fn entry<'a>(entries: &'a mut Vec<Entry>, setting: &Setting, identity: &str, before: &State, at: Timestamp) -> &'a mut Entry {
    let index = entries
        .iter()
        .position(|entry| entry.outstanding.setting == *setting)
        .unwrap_or_else(|| {
            entries.push(Entry {
                outstanding: Outstanding {
                    setting: setting.clone(),
                    identity: identity.to_owned(),
                    original: before.clone(),
                    ours: Vec::new(),
                    applied: before.clone(),
                    in_doubt: None,
                    not_before: None,
                    since: at,
                    last: at,
                },
                open: BTreeMap::new(),
            });
            entries.len() - 1
        });
    &mut entries[index]
}

fn of_step(entries: &mut [Entry], step: u64) -> Option<&mut Entry> {
    entries.iter_mut().find(|entry| entry.open.contains_key(&step))
}

impl Entry {
    fn own(&mut self, state: State) {
        if state != self.outstanding.original && !self.outstanding.ours.contains(&state) {
            self.outstanding.ours.push(state);
        }
    }

    fn close(mut self) -> Outstanding {
        let open: Vec<_> = self.open.values().cloned().collect();
        for (state, at) in open {
            self.own(state);
            self.outstanding.in_doubt = self.outstanding.in_doubt.max(Some(at));
        }
        self.outstanding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::record::Outcome;

    fn setting() -> Setting {
        Setting::LambdaReserved { function: "f".into() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn intent(step: u64, way: Way, before: State, to: State) -> Record {
        let second = i64::try_from(step).unwrap();
        Record::Intent {
            step,
            way,
            setting: setting(),
            identity: "arn".into(),
            before,
            to,
            at: at(second),
        }
    }

    const A: State = State::Absent;
    const B: State = State::Reserved { limit: 100 };

    #[test]
    fn the_original_is_the_first_before_even_after_a_second_intent() {
        let records = [
            intent(1, Way::Apply, A, B),
            Record::Done {
                step: 1,
                observed: B,
                at: at(2),
            },
            intent(2, Way::Apply, B, State::Reserved { limit: 5 }),
        ];
        let found = outstanding(&records);
        assert_eq!(found[0].original, A);
        assert_eq!(found[0].ours, [B, State::Reserved { limit: 5 }]);
        assert_eq!(found[0].in_doubt, Some(at(2)));
    }

    #[test]
    fn an_intent_without_an_answer_is_in_doubt_even_when_a_later_one_is_done() {
        let records = [
            intent(1, Way::Apply, A, B),
            intent(2, Way::Apply, A, B),
            Record::Done {
                step: 2,
                observed: B,
                at: at(3),
            },
        ];
        assert_eq!(outstanding(&records)[0].in_doubt, Some(at(1)));
    }

    #[test]
    fn a_refused_value_is_not_ours() {
        let records = [
            intent(1, Way::Apply, A, B),
            Record::Refused {
                step: 1,
                error: "no".into(),
                not_before: None,
                at: at(2),
            },
        ];
        let found = outstanding(&records);
        assert_eq!(found[0].ours, []);
        assert_eq!(found[0].in_doubt, None);
    }

    #[test]
    fn holding_a_value_is_outstanding_but_never_in_doubt() {
        let found = outstanding(&[intent(1, Way::Apply, B, B)]);
        assert_eq!((found.len(), found[0].in_doubt), (1, None));
    }

    #[test]
    fn what_is_closed_is_no_longer_outstanding() {
        let records = [
            intent(1, Way::Apply, A, B),
            Record::Closed {
                setting: setting(),
                outcome: Outcome::Restored,
                at: at(2),
            },
        ];
        assert_eq!(outstanding(&records), []);
    }
}
