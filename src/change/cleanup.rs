//! `cleanup`: everything outstanding in a journal goes back, is read back, and is closed only then.
//!
//! What if the machine dies: every call has its intent on disk, so running it again finds the same work, or less.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::apply::{backward_rank, reserved_growth};
use super::owned::OwnedRanges;
use super::settle::{Step, StepError};
use super::{Cloud, CloudError, Event, Observed, Verb};
use crate::journal::{Outcome, Outstanding, Record, Way};
use crate::setting::{Lane, Setting, State, Suspended};
use crate::units::Timestamp;

/// What to do about values that somebody else changed meanwhile. Never overrides account, endpoint, lock, a newer
/// journal, or the identity of a re-created resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnDrift {
    /// Overwritten; `*` is all of them.
    pub force: Vec<String>,
    /// Kept and closed.
    pub accept: Vec<String>,
    /// Wait for what AWS refuses until later.
    pub wait: bool,
}

impl OnDrift {
    /// Whether a drifted setting is to be overwritten.
    #[must_use]
    pub fn forces(&self, setting: &Setting) -> bool {
        Self::names(&self.force, setting)
    }

    fn names(list: &[String], setting: &Setting) -> bool {
        let resource = setting.resource();
        list.iter()
            .any(|name| name == "*" || *name == setting.to_string() || name == resource.name() || resource.matches(name))
    }
}

/// Somebody's edit: was A, tidegate set B, now C.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "see above")]
pub struct Drift {
    pub was: State,
    pub ours: State,
    pub now: State,
}

/// What became of one setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored {
    /// Which setting.
    pub setting: Setting,
    /// Its original value.
    pub original: State,
    /// What it was found at.
    pub found: Option<State>,
    /// How it ended: closed, or still outstanding and why.
    pub end: Result<Outcome, Left>,
}

/// Why a setting is still outstanding.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// Somebody changed it meanwhile; left alone.
    Drift(Drift),
    /// AWS refuses the revert until then.
    Waiting {
        /// From when it is allowed.
        until: Timestamp,
        /// AWS's words.
        why: String,
    },
    /// A scaling range whose capacity somebody else changed: putting the range back would clamp that edit away.
    Held {
        /// The capacity to decide on first.
        by: Setting,
    },
    /// The resource is another one of the same name; never touched.
    Recreated {
        /// As the journal knows it.
        was: String,
        /// As it is.
        now: String,
    },
    /// AWS refused or failed, or the value would not come into force.
    Failed {
        /// In words.
        error: String,
    },
    /// It was put back, but at the last look it was something else.
    NotProved {
        /// What was seen.
        seen: State,
    },
}

/// How a lane's capacity was found.
enum Capacity {
    /// As it was before, or there is none.
    Back,
    /// To be put back.
    Ours,
    /// Somebody's edit.
    Somebodys(Setting),
}

/// Leaves the ranges that were there before as they are; those that tidegate made can go without a clamp.
fn hold_targets(works: &mut [Work], by: &Setting) {
    for work in works {
        let target = matches!(work.outstanding.setting, Setting::ScalableTarget { .. });
        if target && work.outstanding.original != State::Absent {
            work.end = Some(Err(Left::Held { by: by.clone() }));
        }
    }
}

fn is_ours(entry: &Outstanding, ranges: &OwnedRanges, seen: &State) -> bool {
    let expected: Vec<&State> = entry.ours.iter().chain([&entry.original]).collect();
    ranges.explains(&entry.setting, &expected, seen)
}

/// A setting on its way back.
struct Work {
    outstanding: Outstanding,
    found: Option<State>,
    end: Option<Result<Outcome, Left>>,
}

impl<C: Cloud + Sync> Verb<'_, C> {
    /// Puts back everything outstanding, lanes side by side, proves it, and closes it in the journal.
    pub async fn cleanup(&self, drift: &OnDrift) -> Vec<Restored> {
        let outstanding = self.journal().outstanding();
        let mut lanes: BTreeMap<Lane, Vec<Work>> = BTreeMap::new();
        for outstanding in outstanding {
            lanes.entry(outstanding.setting.lane()).or_default().push(Work {
                outstanding,
                found: None,
                end: None,
            });
        }
        let runs = lanes.into_values().map(|mut works| async {
            self.revert_lane(&mut works, drift).await;
            works
        });
        let mut works: Vec<Work> = join_all(runs).await.into_iter().flatten().collect();
        self.prove(&mut works).await;
        works.into_iter().map(|work| self.close(work)).collect()
    }

    async fn revert_lane(&self, works: &mut [Work], drift: &OnDrift) {
        self.wait_out_doubt(works).await;
        let ranges = OwnedRanges::of(self.journal().records());
        works.sort_by_key(|work| backward_rank(&work.outstanding.setting, &work.outstanding.original));
        self.order_reservations(works).await;
        match self.judge_capacity(works, &ranges, drift).await {
            Capacity::Somebodys(by) => hold_targets(works, &by),
            Capacity::Ours => self.quiet_targets(works, &ranges).await,
            Capacity::Back => {}
        }
        for work in works.iter_mut().filter(|work| work.end.is_none()) {
            self.revert(work, &ranges, drift).await;
        }
    }

    /// Looks at the lane's capacity before any of its targets is touched: every registration clamps it, and somebody's
    /// edit must not be lost that way.
    async fn judge_capacity(&self, works: &mut [Work], ranges: &OwnedRanges, drift: &OnDrift) -> Capacity {
        for work in works.iter_mut() {
            let entry = &work.outstanding;
            if !matches!(entry.setting, Setting::TableCapacity { .. } | Setting::EcsDesired { .. }) {
                continue;
            }
            // What cannot be seen is judged again, and told, when its turn comes.
            let Ok(seen) = self.at_rest(&entry.setting).await else {
                return Capacity::Ours;
            };
            if seen.state == entry.original && !may_be_stale(entry) {
                return Capacity::Back;
            }
            let decided = OnDrift::names(&drift.force, &entry.setting) || OnDrift::names(&drift.accept, &entry.setting);
            if decided || is_ours(entry, ranges, &seen.state) {
                return Capacity::Ours;
            }
            let by = entry.setting.clone();
            work.end = Some(Err(Left::Drift(Drift {
                was: entry.original.clone(),
                ours: entry.applied.clone(),
                now: seen.state.clone(),
            })));
            work.found = Some(seen.state);
            return Capacity::Somebodys(by);
        }
        Capacity::Back
    }

    /// A call whose answer was lost may still take effect; only after its time is over does a look mean anything.
    async fn wait_out_doubt(&self, works: &[Work]) {
        let in_doubt = Duration::try_from_secs_f64(self.journal().started().in_doubt_seconds).unwrap_or_default();
        let now = self.clock.now();
        for work in works {
            let Some(since) = work.outstanding.in_doubt else { continue };
            // When the clock moved back the intent seems to lie ahead: then the whole time counts from now.
            let passed = Duration::try_from(now.duration_since(since)).unwrap_or_default();
            let wait = in_doubt.saturating_sub(passed);
            if !wait.is_zero() {
                (self.events)(Event::InDoubt {
                    setting: work.outstanding.setting.clone(),
                    wait,
                });
                sleep(wait).await;
            }
        }
    }

    /// What shrinks goes first, or the unreserved floor is broken in passing.
    async fn order_reservations(&self, works: &mut [Work]) {
        if works
            .iter()
            .any(|work| !matches!(work.outstanding.setting, Setting::LambdaReserved { .. }))
        {
            return;
        }
        let settings: Vec<Setting> = works.iter().map(|work| work.outstanding.setting.clone()).collect();
        let seen: BTreeMap<Setting, State> = settings
            .iter()
            .cloned()
            .zip(self.cloud.observe(&settings).await)
            .filter_map(|(setting, observed)| observed.ok().map(|observed| (setting, observed.state)))
            .collect();
        works.sort_by_key(|work| {
            seen.get(&work.outstanding.setting)
                .map_or(0, |seen| reserved_growth(seen, &work.outstanding.original))
        });
    }

    /// Before a capacity goes back, its existing targets are suspended, or autoscaling moves it again at once.
    async fn quiet_targets(&self, works: &mut [Work], ranges: &OwnedRanges) {
        for work in works.iter_mut() {
            let Setting::ScalableTarget { .. } = &work.outstanding.setting else {
                continue;
            };
            if work.outstanding.original == State::Absent {
                continue;
            }
            let Ok(seen) = self.at_rest(&work.outstanding.setting).await else {
                continue;
            };
            let State::Scalable { min, max, suspended } = &seen.state else {
                continue;
            };
            let ours = seen.state == work.outstanding.original || work.outstanding.ours.contains(&seen.state);
            if !ours || (suspended.scale_in && suspended.scale_out) || seen.identity != work.outstanding.identity {
                continue;
            }
            let to = State::Scalable {
                min: *min,
                max: *max,
                suspended: Suspended::ALL,
            };
            let step = Step {
                setting: &work.outstanding.setting,
                way: Way::Revert,
                before: &seen,
                to: &to,
                ranges,
            };
            // When this fails the capacity is put back all the same; the proof at the end tells whether it stayed.
            if let Err(error) = self.see_through(&step).await {
                (self.events)(Event::Waiting {
                    setting: work.outstanding.setting.clone(),
                    why: format!("it could not be suspended: {error}"),
                });
            }
            work.outstanding.ours.push(to);
        }
    }

    async fn revert(&self, work: &mut Work, ranges: &OwnedRanges, drift: &OnDrift) {
        // Suspending the target may itself have lost an answer: what lands late must not land after the value is back.
        self.refresh(work);
        self.wait_out_doubt(std::slice::from_ref(work)).await;
        loop {
            let end = self.revert_once(work, ranges, drift).await;
            if let Err(Left::Waiting { until, .. }) = &end
                && drift.wait
            {
                (self.events)(Event::Deferred {
                    setting: work.outstanding.setting.clone(),
                    until: *until,
                });
                let wait = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
                sleep(wait + Duration::from_secs(1)).await;
                continue;
            }
            work.end = Some(end);
            return;
        }
    }

    /// Takes in what this cleanup itself has written to the journal.
    fn refresh(&self, work: &mut Work) {
        if let Some(outstanding) = self
            .journal()
            .outstanding()
            .into_iter()
            .find(|entry| entry.setting == work.outstanding.setting)
        {
            // A journal that cannot be written any more does not know what this cleanup set: that stays known here.
            let unrecorded = std::mem::replace(&mut work.outstanding, outstanding).ours;
            work.outstanding.ours.extend(unrecorded);
        }
    }

    async fn revert_once(&self, work: &mut Work, ranges: &OwnedRanges, drift: &OnDrift) -> Result<Outcome, Left> {
        let entry = &work.outstanding;
        let seen = match self.at_rest(&entry.setting).await {
            Ok(seen) => seen,
            Err(CloudError::Missing { .. }) => return Ok(Outcome::Gone),
            Err(error) => return Err(Left::Failed { error: error.to_string() }),
        };
        work.found = Some(seen.state.clone());
        // Only what somebody else changed can be accepted; what is ours goes back.
        let accepted = OnDrift::names(&drift.accept, &entry.setting);
        // An absent target or policy has no identity to compare.
        if seen.identity != entry.identity && seen.state != State::Absent && entry.original != State::Absent {
            if accepted {
                return Ok(Outcome::Accepted { seen: seen.state });
            }
            return Err(Left::Recreated {
                was: entry.identity.clone(),
                now: seen.identity,
            });
        }
        if seen.state == entry.original && !may_be_stale(entry) {
            return Ok(Outcome::AlreadyBefore);
        }
        if !is_ours(entry, ranges, &seen.state) && accepted {
            return Ok(Outcome::Accepted { seen: seen.state });
        }
        if !is_ours(entry, ranges, &seen.state) && !OnDrift::names(&drift.force, &entry.setting) {
            return Err(Left::Drift(Drift {
                was: entry.original.clone(),
                ours: entry.applied.clone(),
                now: seen.state,
            }));
        }
        let none = OwnedRanges::default();
        let step = Step {
            setting: &entry.setting,
            way: Way::Revert,
            before: &seen,
            to: &entry.original,
            ranges: &none,
        };
        match self.see_through(&step).await {
            Ok(_) => {
                (self.events)(Event::Set {
                    setting: entry.setting.clone(),
                    from: seen.state,
                    to: entry.original.clone(),
                });
                Ok(Outcome::Restored)
            }
            Err(StepError::Cloud(CloudError::NotBefore { until, message })) => Err(Left::Waiting { until, why: message }),
            Err(StepError::Cloud(CloudError::Missing { .. })) => Ok(Outcome::Gone),
            Err(StepError::Moved { seen, .. }) => Err(Left::Drift(Drift {
                was: entry.original.clone(),
                ours: entry.applied.clone(),
                now: seen,
            })),
            Err(error) => Err(Left::Failed { error: error.to_string() }),
        }
    }

    /// Looks until nothing moves any more, within bounds: a change under way still shows the old value.
    async fn at_rest(&self, setting: &Setting) -> Result<Observed, CloudError> {
        let start = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(200);
        let mut told = None;
        loop {
            match self.look(setting).await {
                Ok(seen) if seen.busy.is_none() || start.elapsed() > super::settle::PATIENCE => return Ok(seen),
                Ok(seen) if seen.busy != told => {
                    told.clone_from(&seen.busy);
                    (self.events)(Event::Waiting {
                        setting: setting.clone(),
                        why: seen.busy.unwrap_or_default(),
                    });
                }
                Ok(_) => {}
                Err(CloudError::Throttled { .. } | CloudError::Unknown { .. }) if start.elapsed() < Duration::from_mins(2) => {}
                Err(error) => return Err(error),
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Reads everything back that is said to be back. Autoscaling that is in force again may have moved a capacity
    /// within its original bounds, when the capacity lay within them before: that is its right.
    async fn prove(&self, works: &mut [Work]) {
        let claimed: Vec<usize> = (0..works.len())
            .filter(|index| matches!(works[*index].end, Some(Ok(Outcome::Restored | Outcome::AlreadyBefore))))
            .collect();
        let settings: Vec<Setting> = claimed.iter().map(|index| works[*index].outstanding.setting.clone()).collect();
        let originals: Vec<(&Setting, &State)> = works
            .iter()
            .map(|work| (&work.outstanding.setting, &work.outstanding.original))
            .collect();
        let originals = OwnedRanges::in_force_again(&originals);
        for (index, observed) in claimed.into_iter().zip(self.cloud.observe(&settings).await) {
            let work = &mut works[index];
            match observed {
                Ok(seen) if originals.explains(&work.outstanding.setting, &[&work.outstanding.original], &seen.state) => {}
                Ok(seen) => work.end = Some(Err(Left::NotProved { seen: seen.state })),
                Err(CloudError::Missing { .. }) => work.end = Some(Ok(Outcome::Gone)),
                Err(error) => {
                    work.end = Some(Err(Left::Failed {
                        error: format!("it was put back, but could not be read back: {error}"),
                    }));
                }
            }
        }
    }

    fn close(&self, work: Work) -> Restored {
        let Outstanding { setting, original, .. } = work.outstanding;
        let end = work.end.unwrap_or_else(|| {
            Err(Left::Failed {
                error: "it was not looked at".to_owned(),
            })
        });
        if let Ok(outcome) = &end {
            let record = Record::Closed {
                setting: setting.clone(),
                outcome: outcome.clone(),
                at: self.clock.now(),
            };
            if let Err(error) = self.journal().append(record) {
                (self.events)(Event::JournalLost { error: error.to_string() });
            }
        }
        Restored {
            setting,
            original,
            found: work.found,
            end,
        }
    }
}

/// After an answer that was lost a look may be stale: then the original is set regardless. Setting what is already so is
/// harmless.
fn may_be_stale(entry: &Outstanding) -> bool {
    entry.in_doubt.is_some() && entry.ours.iter().any(|state| *state != entry.original)
}
