//! Making one change and seeing it through: intent, call, look until it is in force, done.
//!
//! Apply and revert both end here. What if the machine dies: before the intent nothing happened; after it the next
//! cleanup finds the intent in doubt.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::owned::OwnedRanges;
use super::{Cloud, CloudError, Event, Observed, Verb};
use crate::journal::{JournalError, Record, Way};
use crate::setting::{Setting, State};

/// How long a value may take until it is in force. AWS says minutes for tables and services.
pub const PATIENCE: Duration = Duration::from_mins(15);
/// How long to go on when AWS keeps saying that it is busy.
const BUSY_PATIENCE: Duration = Duration::from_mins(5);
/// Lost answers in a row before giving up.
const LOST_ANSWERS_MAX: u32 = 3;
const POLL_MIN: Duration = Duration::from_millis(200);
const POLL_MAX: Duration = Duration::from_secs(5);

/// Why a change did not get through.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// AWS's answer, or its silence.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The journal could not be written, so the call was not made.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Somebody else changed it in between.
    #[error("somebody else changed it meanwhile: it was {before}, now it is {seen}")]
    Moved {
        /// As it was.
        before: State,
        /// As it is.
        seen: State,
    },
    /// AWS accepted it, but it did not come into force in time.
    #[error("AWS accepted {want}, but after {} it is still {seen}{}", crate::units::duration(*waited), busy.as_ref().map(|busy| format!(" ({busy})")).unwrap_or_default())]
    NotInForce {
        /// What was set.
        want: State,
        /// What is seen.
        seen: State,
        /// What AWS says it is doing.
        busy: Option<String>,
        /// How long it was watched.
        waited: Duration,
    },
    /// Stopped by the user before the call.
    #[error("stopped before it was changed")]
    Stopped,
}

/// One change to see through.
pub(crate) struct Step<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) way: Way,
    /// As it was just seen.
    pub(crate) before: &'a Observed,
    pub(crate) to: &'a State,
    /// Where autoscaling may move the value to as soon as it is set.
    pub(crate) ranges: &'a OwnedRanges,
}

/// What an attempt came to.
enum Attempt {
    InForce(State),
    Busy(String),
    Lost(CloudError),
}

impl<C: Cloud + Sync> Verb<'_, C> {
    /// Sees one change through: as few calls as AWS's answers allow, each with its intent on disk before it.
    pub(crate) async fn see_through(&self, step: &Step<'_>) -> Result<State, StepError> {
        let start = Instant::now();
        let mut lost = 0;
        let mut pause = POLL_MIN;
        let mut before = step.before.clone();
        loop {
            match self.attempt(step, &before).await? {
                Attempt::InForce(seen) => return Ok(seen),
                Attempt::Lost(error) => {
                    lost += 1;
                    if lost >= LOST_ANSWERS_MAX {
                        return Err(error.into());
                    }
                }
                Attempt::Busy(message) if start.elapsed() > BUSY_PATIENCE => {
                    return Err(CloudError::Throttled {
                        code: "Busy".to_owned(),
                        message,
                    }
                    .into());
                }
                Attempt::Busy(why) => (self.events)(Event::Waiting {
                    setting: step.setting.clone(),
                    why,
                }),
            }
            sleep(pause).await;
            pause = (pause * 2).min(POLL_MAX);
            // Between attempts somebody else, or the lost call itself, may have changed it.
            before = self.look(step.setting).await?;
            if before.state == *step.to {
                return self.in_force(step).await;
            }
            // A table half set by a call whose answer was lost is still between the two.
            if !step.ranges.explains(step.setting, &[&step.before.state, step.to], &before.state) {
                return Err(StepError::Moved {
                    before: step.before.state.clone(),
                    seen: before.state,
                });
            }
        }
    }

    async fn attempt(&self, step: &Step<'_>, before: &Observed) -> Result<Attempt, StepError> {
        let number = self.intend(step, before)?;
        (self.events)(Event::Setting {
            setting: step.setting.clone(),
            from: before.state.clone(),
            to: step.to.clone(),
        });
        match self.cloud.set(step.setting, step.to).await {
            Ok(()) => {
                let seen = match self.in_force(step).await {
                    // The call was answered, so it is not in doubt; what it set is ours to put back.
                    Err(StepError::Stopped) => {
                        self.record(Record::Done {
                            step: number,
                            observed: step.to.clone(),
                            at: self.clock.now(),
                        })?;
                        return Err(StepError::Stopped);
                    }
                    other => other?,
                };
                self.record(Record::Done {
                    step: number,
                    observed: seen.clone(),
                    at: self.clock.now(),
                })?;
                Ok(Attempt::InForce(seen))
            }
            // No record: the intent stays in doubt until its time is over.
            Err(error @ CloudError::Unknown { .. }) => Ok(Attempt::Lost(error)),
            Err(error) => {
                let not_before = if let CloudError::NotBefore { until, .. } = &error {
                    Some(*until)
                } else {
                    None
                };
                self.record(Record::Refused {
                    step: number,
                    error: error.to_string(),
                    not_before,
                    at: self.clock.now(),
                })?;
                if let CloudError::Throttled { message, .. } = error {
                    Ok(Attempt::Busy(message))
                } else {
                    Err(error.into())
                }
            }
        }
    }

    fn intend(&self, step: &Step<'_>, before: &Observed) -> Result<u64, StepError> {
        let mut journal = self.journal();
        let number = journal.next_step();
        let record = Record::Intent {
            step: number,
            way: step.way,
            setting: step.setting.clone(),
            identity: step.before.identity.clone(),
            before: before.state.clone(),
            to: step.to.clone(),
            at: self.clock.now(),
        };
        match journal.append(record) {
            Ok(()) => Ok(number),
            // Putting back is worth more than its record: a lost journal never keeps an account changed.
            Err(error) if step.way == Way::Revert => {
                drop(journal);
                (self.events)(Event::JournalLost { error: error.to_string() });
                Ok(number)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what came of a call. The call is made already, so a journal that fails now is told, not obeyed: the
    /// intent is on disk and cleanup will look.
    pub(crate) fn record(&self, record: Record) -> Result<(), StepError> {
        let forward = matches!(&record, Record::Done { step, .. } | Record::Refused { step, .. } if self.is_apply(*step));
        match self.journal().append(record) {
            Err(error) if forward => Err(error.into()),
            Err(error) => {
                (self.events)(Event::JournalLost { error: error.to_string() });
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn is_apply(&self, number: u64) -> bool {
        self.journal()
            .records()
            .iter()
            .rev()
            .any(|record| matches!(record, Record::Intent { step, way: Way::Apply, .. } if *step == number))
    }

    /// Looks until the value is in force and nothing moves any more.
    async fn in_force(&self, step: &Step<'_>) -> Result<State, StepError> {
        let start = Instant::now();
        let mut pause = POLL_MIN;
        let mut told = None;
        loop {
            let seen = match self.look(step.setting).await {
                Ok(seen) => seen,
                // A look that fails in passing says nothing about the value.
                Err(CloudError::Throttled { .. } | CloudError::Unknown { .. }) if start.elapsed() < PATIENCE => {
                    sleep(pause).await;
                    pause = (pause * 2).min(POLL_MAX);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if seen.busy.is_none() && step.ranges.explains(step.setting, &[step.to], &seen.state) {
                return Ok(seen.state);
            }
            if start.elapsed() >= PATIENCE {
                return Err(StepError::NotInForce {
                    want: step.to.clone(),
                    seen: seen.state,
                    busy: seen.busy,
                    waited: PATIENCE,
                });
            }
            if step.way == Way::Apply && self.stop.is_cancelled() {
                return Err(StepError::Stopped);
            }
            if seen.busy.is_some() && seen.busy != told {
                told.clone_from(&seen.busy);
                (self.events)(Event::Waiting {
                    setting: step.setting.clone(),
                    why: seen.busy.unwrap_or_default(),
                });
            }
            sleep(pause).await;
            pause = (pause * 2).min(POLL_MAX);
        }
    }

    /// Looks at one setting.
    pub(crate) async fn look(&self, setting: &Setting) -> Result<Observed, CloudError> {
        let lost = || {
            Err(CloudError::Unknown {
                message: "no observation".to_owned(),
            })
        };
        self.cloud.observe(std::slice::from_ref(setting)).await.pop().unwrap_or_else(lost)
    }
}
