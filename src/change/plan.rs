//! Planning: wishes against what the account holds now.
//!
//! Nothing is changed here. What cannot be planned becomes a refusal with its reason, never a silent gap.

use std::collections::BTreeMap;

use super::owned::component;
use super::preflight;
use super::{Cloud, CloudError, Observed, ScalingNow, Surroundings};
use crate::setting::{
    Capacity, Change, Dimension, Plan, Refusal, Scalable, Scaling, Setting, State, Suspended, Tracking, Undo, Units, Warning, Wish,
};

/// AWS allows four decreases of a table in a UTC day, then one an hour.
const DECREASES_A_DAY: u32 = 4;

/// Looks at everything that the wishes touch and says what would be done. Changes come in the wishes' order.
pub async fn plan<C: Cloud + Surroundings>(cloud: &C, wishes: &[Wish]) -> Plan {
    let mut planner = Planner {
        cloud,
        plan: Plan::default(),
    };
    planner.reservations(wishes).await;
    for wish in wishes {
        match wish {
            Wish::LambdaReserved { .. } => {}
            Wish::TableScaling { table, own, indexes } => planner.table(table, own, indexes).await,
            Wish::Service {
                cluster,
                service,
                desired,
                range,
            } => planner.service(cluster, service, *desired, *range).await,
        }
    }
    planner.note_outliers();
    planner.plan
}

struct Planner<'a, C> {
    cloud: &'a C,
    plan: Plan,
}

impl<C: Cloud + Surroundings> Planner<'_, C> {
    async fn reservations(&mut self, wishes: &[Wish]) {
        let reservations: Vec<(Setting, State)> = wishes
            .iter()
            .filter_map(|wish| match wish {
                Wish::LambdaReserved { function, limit } => {
                    let after = limit.map_or(State::Absent, |limit| State::Reserved { limit });
                    Some((
                        Setting::LambdaReserved {
                            function: function.clone(),
                        },
                        after,
                    ))
                }
                _ => None,
            })
            .collect();
        if reservations.is_empty() {
            return;
        }
        let settings: Vec<Setting> = reservations.iter().map(|(setting, _)| setting.clone()).collect();
        for ((setting, after), observed) in reservations.into_iter().zip(self.cloud.observe(&settings).await) {
            if let Some(observed) = self.usable(&setting, observed) {
                self.plan.changes.push(Change {
                    setting,
                    before: observed.state,
                    after,
                    undo: Undo::Exact,
                });
            }
        }
        match self.cloud.concurrency().await {
            Ok(limits) => preflight::unreserved_floor(&mut self.plan, limits),
            Err(error) => self.warn(
                "lambda",
                format!("the account's concurrency limits could not be read ({error}): AWS itself decides whether enough stays unreserved"),
            ),
        }
    }

    async fn table(&mut self, table: &str, own: &BTreeMap<Dimension, Scaling>, indexes: &BTreeMap<String, BTreeMap<Dimension, Scaling>>) {
        let setting = Setting::TableCapacity { table: table.to_owned() };
        let Some(observed) = self.observe(&setting).await else { return };
        let State::Capacity(before) = &observed.state else {
            self.refuse(
                &setting,
                "it is an on-demand table: it has no capacity units, so there is nothing to scale".to_owned(),
                "remove `set.read` and `set.write` (it scales by itself), or require `billing = \"provisioned\"`",
            );
            return;
        };
        let mut wished: Vec<(Scalable, Scaling)> = Vec::new();
        for (dimension, scaling) in own {
            wished.push((
                Scalable::Table {
                    table: table.to_owned(),
                    dimension: *dimension,
                },
                *scaling,
            ));
        }
        for index in before.indexes.keys() {
            for (dimension, scaling) in indexes.get(index).unwrap_or(own) {
                wished.push((
                    Scalable::Index {
                        table: table.to_owned(),
                        index: index.clone(),
                        dimension: *dimension,
                    },
                    *scaling,
                ));
            }
        }
        for index in indexes.keys().filter(|index| !before.indexes.contains_key(*index)) {
            self.refuse(&setting, format!("it has no index `{index}`"), "remove it from `set.indexes`");
        }
        self.capacity(setting, before, &wished, observed.decreases_today);
        self.targets(&wished).await;
        self.bystanders(table, before, &wished).await;
    }

    /// Targets of the table that the profile does not name: unchanged, but their capacity is part of what goes back, and
    /// autoscaling's moves within their ranges are not somebody's edit.
    async fn bystanders(&mut self, table: &str, capacity: &Capacity, wished: &[(Scalable, Scaling)]) {
        let own = Dimension::BOTH.map(|dimension| Scalable::Table {
            table: table.to_owned(),
            dimension,
        });
        let indexes = capacity.indexes.keys().flat_map(|index| {
            Dimension::BOTH.map(|dimension| Scalable::Index {
                table: table.to_owned(),
                index: index.clone(),
                dimension,
            })
        });
        let settings: Vec<Setting> = own
            .into_iter()
            .chain(indexes)
            .filter(|target| wished.iter().all(|(other, _)| other != target))
            .map(|target| Setting::ScalableTarget { target })
            .collect();
        for (setting, observed) in settings.iter().zip(self.cloud.observe(&settings).await) {
            if let Some(observed) = self.usable(setting, observed)
                && observed.state != State::Absent
            {
                self.plan.changes.push(Change {
                    setting: setting.clone(),
                    before: observed.state.clone(),
                    after: observed.state,
                    undo: Undo::Exact,
                });
            }
        }
    }

    fn capacity(&mut self, setting: Setting, before: &Capacity, wished: &[(Scalable, Scaling)], decreases_today: Option<u32>) {
        let mut after = before.clone();
        for (target, scaling) in wished {
            let Some(start) = scaling.start.or_else(|| self.without_start(target, before, scaling)) else {
                continue;
            };
            match target {
                Scalable::Table { dimension, .. } => *after.table.of_mut(*dimension) = start,
                Scalable::Index { index, dimension, .. } => {
                    if let Some(units) = after.indexes.get_mut(index) {
                        *units.of_mut(*dimension) = start;
                    }
                }
                Scalable::Service { .. } => {}
            }
        }
        let used = decreases_today.unwrap_or(0);
        if used >= DECREASES_A_DAY {
            let text =
                format!("its {used} decreases of today are used up, so cleanup would have to wait up to an hour for each further one");
            self.refuse(&setting, text, "wait for 00:00 UTC, or leave this table out of the profile");
        }
        let undo = if used == 0 {
            Undo::Exact
        } else {
            Undo::Delayed {
                why: format!("{used} of {DECREASES_A_DAY} decreases used today"),
            }
        };
        self.plan.changes.push(Change {
            setting,
            before: State::Capacity(before.clone()),
            after: State::Capacity(after),
            undo,
        });
    }

    /// Without `start` a capacity stays where it is, but registering the range moves it inside.
    fn without_start(&mut self, target: &Scalable, before: &Capacity, scaling: &Scaling) -> Option<u32> {
        let units = component(target, &State::Capacity(before.clone()))?;
        let name = match target {
            Scalable::Index { index, dimension, .. } => format!("indexes.{index}.{dimension}"),
            Scalable::Table { dimension, .. } => dimension.to_string(),
            Scalable::Service { .. } => return None,
        };
        let about = target.resource().to_string();
        if units > scaling.max {
            self.warn(
                &about,
                format!("{name} has {units} units now, above the wished range: the test would run with fewer than today"),
            );
        } else if units < scaling.max {
            let text = format!(
                "{name} begins at {} units: DynamoDB scales out after two busy minutes and more, so a short test may end before; set `{name}.start`",
                units.max(scaling.min)
            );
            self.warn(&about, text);
        }
        Some(units.clamp(scaling.min, scaling.max))
    }

    async fn targets(&mut self, wished: &[(Scalable, Scaling)]) {
        let settings: Vec<Setting> = wished
            .iter()
            .map(|(target, _)| Setting::ScalableTarget { target: target.clone() })
            .collect();
        for ((target, scaling), (setting, observed)) in wished.iter().zip(settings.iter().zip(self.cloud.observe(&settings).await)) {
            let Some(observed) = self.usable(setting, observed) else { continue };
            let Some(now) = self.scaling_now(target).await else { continue };
            self.note_other_scaling(target, &now);
            self.range(setting, &observed, (scaling.min, scaling.max), &now);
            self.policy(target, scaling, &now);
        }
    }

    fn range(&mut self, setting: &Setting, observed: &Observed, (min, max): (u32, u32), now: &ScalingNow) {
        // Dynamic scaling stays as it was; scheduled actions would change the bounds in the middle of the test.
        let suspended = match &observed.state {
            State::Scalable { suspended, .. } => Suspended {
                scheduled: suspended.scheduled || !now.scheduled.is_empty(),
                ..*suspended
            },
            _ => Suspended::default(),
        };
        let after = State::Scalable { min, max, suspended };
        self.plan.changes.push(Change {
            setting: setting.clone(),
            before: observed.state.clone(),
            after,
            undo: Undo::Exact,
        });
    }

    fn policy(&mut self, target: &Scalable, scaling: &Scaling, now: &ScalingNow) {
        let metric = utilization_metric(target);
        // A policy on the same metric is changed in place: two of them would fight.
        let existing = now.tracking.iter().find(|(_, tracking)| tracking.metric == metric);
        let (name, after) = match existing {
            Some((name, tracking)) => (
                name.clone(),
                Tracking {
                    target: scaling.utilization,
                    ..tracking.clone()
                },
            ),
            None => (
                format!("tidegate-{metric}"),
                Tracking {
                    metric: metric.to_owned(),
                    resource_label: None,
                    target: scaling.utilization,
                    scale_in_cooldown: None,
                    scale_out_cooldown: None,
                    disable_scale_in: None,
                },
            ),
        };
        let setting = Setting::ScalingPolicy {
            target: target.clone(),
            name,
        };
        let before = existing.map_or(State::Absent, |(_, tracking)| State::Tracking(tracking.clone()));
        self.plan.changes.push(Change {
            setting,
            before,
            after: State::Tracking(after),
            undo: Undo::Exact,
        });
    }

    async fn service(&mut self, cluster: &str, service: &str, desired: Option<u32>, range: Option<(u32, u32)>) {
        let setting = Setting::EcsDesired {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
        };
        let target = Scalable::Service {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
        };
        let Some(observed) = self.observe(&setting).await else { return };
        let State::Count { desired: before } = observed.state else { return };
        let after = desired.unwrap_or_else(|| range.map_or(before, |(min, max)| before.clamp(min, max)));
        self.plan.changes.push(Change {
            setting,
            before: observed.state.clone(),
            after: State::Count { desired: after },
            undo: Undo::Exact,
        });
        let target_setting = Setting::ScalableTarget { target: target.clone() };
        let Some(bounds) = self.observe(&target_setting).await else {
            return;
        };
        let Some(now) = self.scaling_now(&target).await else { return };
        self.note_other_scaling(&target, &now);
        match (range, &bounds.state) {
            (Some(range), _) => {
                if now.tracking.is_empty() && now.others.is_empty() {
                    self.warn(
                        &target.resource().to_string(),
                        "no scaling policy is attached: the service will not scale by itself".to_owned(),
                    );
                }
                self.range(&target_setting, &bounds, range, &now);
            }
            (None, State::Scalable { min, max, .. }) => {
                if after != before && !(*min..=*max).contains(&after) {
                    let text =
                        format!("{after} tasks lie outside its scaling range {min}–{max}: autoscaling may move them; set `autoscale` too");
                    self.warn(&target.resource().to_string(), text);
                }
                if !now.scheduled.is_empty() {
                    // A scheduled action in the middle of the test would change the range, and look like an edit.
                    self.range(&target_setting, &bounds, (*min, *max), &now);
                    return;
                }
                // The target comes along unchanged, so that autoscaling's moves within it are known as its own.
                self.plan.changes.push(Change {
                    setting: target_setting,
                    before: bounds.state.clone(),
                    after: bounds.state,
                    undo: Undo::Exact,
                });
            }
            (None, _) => {}
        }
    }

    /// A capacity outside its own range before the test cannot be put back exactly: AWS clamps it when the range returns.
    fn note_outliers(&mut self) {
        let ranges: Vec<(Scalable, u32, u32)> = self
            .plan
            .changes
            .iter()
            .filter_map(|change| match (&change.setting, &change.before) {
                (Setting::ScalableTarget { target }, State::Scalable { min, max, .. }) if !change.is_noop() => {
                    Some((target.clone(), *min, *max))
                }
                _ => None,
            })
            .collect();
        for change in &mut self.plan.changes {
            let lane = change.setting.lane();
            for (target, min, max) in ranges.iter().filter(|(target, ..)| target.lane() == lane) {
                if let Some(now) = component(target, &change.before)
                    && !(*min..=*max).contains(&now)
                {
                    change.undo = Undo::Inexact {
                        why: format!("{now} is outside its own range {min}–{max}; AWS will clamp it"),
                    };
                }
            }
        }
    }

    fn note_other_scaling(&mut self, target: &Scalable, now: &ScalingNow) {
        let about = target.resource().to_string();
        if !now.scheduled.is_empty() {
            self.warn(
                &about,
                format!(
                    "scheduled scaling is suspended until cleanup, and is not made up for: {}",
                    now.scheduled.join(", ")
                ),
            );
        }
    }

    async fn scaling_now(&mut self, target: &Scalable) -> Option<ScalingNow> {
        match self.cloud.scaling(target).await {
            Ok(now) => Some(now),
            Err(error) => {
                self.refuse(
                    &Setting::ScalableTarget { target: target.clone() },
                    format!("its scaling policies could not be read: {error}"),
                    help(&error),
                );
                None
            }
        }
    }

    async fn observe(&mut self, setting: &Setting) -> Option<Observed> {
        let observed = self.cloud.observe(std::slice::from_ref(setting)).await.pop()?;
        self.usable(setting, observed)
    }

    fn usable(&mut self, setting: &Setting, observed: Result<Observed, CloudError>) -> Option<Observed> {
        match observed {
            Ok(observed) => {
                if let Some(busy) = &observed.busy {
                    self.refuse(
                        setting,
                        format!("it is changing right now: {busy}"),
                        "wait until it is at rest, then plan again",
                    );
                }
                Some(observed)
            }
            Err(error) => {
                self.refuse(setting, error.to_string(), help(&error));
                None
            }
        }
    }

    fn refuse(&mut self, setting: &Setting, text: String, help: &str) {
        self.plan.refusals.push(Refusal {
            about: setting.resource().to_string(),
            text,
            help: help.to_owned(),
        });
    }

    fn warn(&mut self, about: &str, text: String) {
        let warning = Warning {
            about: about.to_owned(),
            text,
        };
        if !self.plan.warnings.contains(&warning) {
            self.plan.warnings.push(warning);
        }
    }
}

/// What to do about an error of AWS.
fn help(error: &CloudError) -> &str {
    match error {
        CloudError::Missing { .. } => "check the name, the account and the region in the profile",
        CloudError::Denied { help, .. } => help,
        CloudError::Throttled { .. } | CloudError::Unknown { .. } => "try again",
        CloudError::Rejected { .. } | CloudError::NotBefore { .. } => "see AWS's message",
    }
}

/// AWS's name of the utilisation that a target is tracked by.
fn utilization_metric(target: &Scalable) -> &'static str {
    match target {
        Scalable::Table {
            dimension: Dimension::Read,
            ..
        }
        | Scalable::Index {
            dimension: Dimension::Read,
            ..
        } => "DynamoDBReadCapacityUtilization",
        Scalable::Table {
            dimension: Dimension::Write,
            ..
        }
        | Scalable::Index {
            dimension: Dimension::Write,
            ..
        } => "DynamoDBWriteCapacityUtilization",
        Scalable::Service { .. } => "ECSServiceAverageCPUUtilization",
    }
}

impl Units {
    /// One of the two, to be changed.
    pub fn of_mut(&mut self, dimension: Dimension) -> &mut u32 {
        match dimension {
            Dimension::Read => &mut self.read,
            Dimension::Write => &mut self.write,
        }
    }
}
