//! `prepare`: all changes of a plan, or none.

use futures_util::future::join_all;

use super::apply::lanes;
use super::cleanup::{OnDrift, Restored};
use super::owned::OwnedRanges;
use super::settle::{Step, StepError};
use super::{Cloud, CloudError, Event, Observed, Verb};
use crate::journal::{Record, Way};
use crate::setting::{Change, Plan, Setting, State};

/// Everything is in force and was read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// Changes made, holds not counted.
    pub changed: usize,
}

/// Why `prepare` did not go through.
#[derive(Debug)]
pub enum Failure {
    /// AWS is not as the plan says: nothing was changed.
    Moved {
        /// What moved: setting, in the plan, now.
        moved: Vec<(Setting, State, State)>,
    },
    /// It could not be seen whether AWS is as the plan says: nothing was changed.
    Unseen {
        /// Which setting.
        setting: Setting,
        /// Why.
        error: CloudError,
    },
    /// A change failed, or the user stopped; what was done has been put back as far as `restored` tells.
    Undone {
        /// Which setting failed and why; `None` when it was stopped.
        cause: Option<(Setting, StepError)>,
        /// What became of each setting.
        restored: Vec<Restored>,
    },
}

impl<C: Cloud + Sync> Verb<'_, C> {
    /// Makes every change of the plan, lanes side by side. Looks again first and refuses when AWS has moved.
    pub async fn prepare(&self, plan: &Plan) -> Result<Prepared, Failure> {
        let observed = self.look_again(plan).await?;
        let lanes = lanes(&plan.changes);
        let runs = lanes.values().map(|changes| async {
            let result = self.apply_lane(changes, &observed).await;
            if result.is_err() {
                // One lane's failure stops the others before their next call.
                self.stop.cancel();
            }
            result
        });
        let failed: Vec<(Setting, StepError)> = join_all(runs).await.into_iter().filter_map(Result::err).collect();
        if failed.is_empty() {
            return Ok(Prepared {
                changed: plan.changes.iter().filter(|change| !change.is_noop()).count(),
            });
        }
        let cause = failed.into_iter().find(|(_, error)| !matches!(error, StepError::Stopped));
        (self.events)(Event::PuttingBack);
        let restored = self.cleanup(&OnDrift::default()).await;
        Err(Failure::Undone { cause, restored })
    }

    async fn look_again(&self, plan: &Plan) -> Result<Vec<(Setting, Observed)>, Failure> {
        let settings: Vec<Setting> = plan.changes.iter().map(|change| change.setting.clone()).collect();
        let mut seen = Vec::new();
        let mut moved = Vec::new();
        for (change, observed) in plan.changes.iter().zip(self.cloud.observe(&settings).await) {
            let setting = change.setting.clone();
            match observed {
                Err(error) => return Err(Failure::Unseen { setting, error }),
                Ok(observed) if observed.state != change.before => moved.push((setting, change.before.clone(), observed.state)),
                Ok(observed) => seen.push((setting, observed)),
            }
        }
        if moved.is_empty() {
            Ok(seen)
        } else {
            Err(Failure::Moved { moved })
        }
    }

    async fn apply_lane(&self, changes: &[&Change], observed: &[(Setting, Observed)]) -> Result<(), (Setting, StepError)> {
        // Autoscaling may use the range before and the range after; anything else is somebody's edit.
        let ranges = OwnedRanges::from_states(
            changes
                .iter()
                .flat_map(|change| [(&change.setting, &change.before), (&change.setting, &change.after)]),
        );
        for change in changes
            .iter()
            .filter(|change| is_capacity(&change.setting) || is_target(&change.setting))
        {
            // Before a target is touched: registering clamps the capacity, and autoscaling may move it at any time. The
            // journal must know the value before, and the bounds within which it moves by itself.
            self.hold(change, observed).map_err(|error| (change.setting.clone(), error))?;
        }
        for change in changes.iter().filter(|change| !change.is_noop()) {
            if self.stop.is_cancelled() {
                return Err((change.setting.clone(), StepError::Stopped));
            }
            self.apply(change, &ranges).await.map_err(|error| (change.setting.clone(), error))?;
        }
        Ok(())
    }

    async fn apply(&self, change: &Change, ranges: &OwnedRanges) -> Result<(), StepError> {
        // A lane is serial and may have waited minutes: what the intent calls "before" is looked at now.
        let before = self.look(&change.setting).await?;
        if !ranges.explains(&change.setting, &[&change.before, &change.after], &before.state) {
            return Err(StepError::Moved {
                before: change.before.clone(),
                seen: before.state,
            });
        }
        if before.state == change.after && before.busy.is_none() {
            // The clamp of its own target has brought it there already.
            return Ok(());
        }
        let step = Step {
            setting: &change.setting,
            way: Way::Apply,
            before: &before,
            to: &change.after,
            ranges,
        };
        let seen = self.see_through(&step).await?;
        (self.events)(Event::Set {
            setting: change.setting.clone(),
            from: change.before.clone(),
            to: seen,
        });
        Ok(())
    }

    /// Records a capacity as it is, without a call, so that it is put back when anything has moved it.
    fn hold(&self, change: &Change, observed: &[(Setting, Observed)]) -> Result<(), StepError> {
        let identity = seen(observed, &change.setting)?.identity;
        let mut journal = self.journal();
        let step = journal.next_step();
        let at = self.clock.now();
        journal.append(Record::Intent {
            step,
            way: Way::Apply,
            setting: change.setting.clone(),
            identity,
            before: change.before.clone(),
            to: change.before.clone(),
            at,
        })?;
        Ok(())
    }
}

fn is_capacity(setting: &Setting) -> bool {
    matches!(setting, Setting::TableCapacity { .. } | Setting::EcsDesired { .. })
}

fn is_target(setting: &Setting) -> bool {
    matches!(setting, Setting::ScalableTarget { .. })
}

fn seen(observed: &[(Setting, Observed)], setting: &Setting) -> Result<Observed, CloudError> {
    let missing = || CloudError::Missing { what: setting.to_string() };
    observed
        .iter()
        .find(|(other, _)| other == setting)
        .map(|(_, observed)| observed.clone())
        .ok_or_else(missing)
}
