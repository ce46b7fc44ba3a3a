//! Looks at settings and sets them.
//!
//! A look makes each AWS call once, however many settings share it, and the calls side by side. Setting makes one
//! writing call.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_applicationautoscaling::types::{ScalableTarget, ScalingActivity, ScalingPolicy};

use crate::change::{Cloud, CloudError, Observed};
use crate::setting::{Setting, State};

use super::connect::Aws;
use super::scaling::{self, Address};
use super::{activities, capacity, dynamodb, ecs, lambda, policies};

/// A resource id within a namespace.
type ResourceId = (&'static str, String);
type Found<T> = Result<T, CloudError>;

impl Cloud for Aws {
    async fn observe(&self, settings: &[Setting]) -> Vec<Result<Observed, CloudError>> {
        let asked = Asked::by(settings);
        let (functions, tables, services, targets, activities, policies) = tokio::join!(
            self.functions(asked.functions),
            self.tables(asked.tables),
            self.services(asked.services),
            self.targets(&asked.targets),
            self.latest(&asked.targets),
            self.policies(asked.policies),
        );
        let seen = Seen {
            functions,
            tables,
            services,
            targets,
            activities,
            policies,
        };
        settings.iter().map(|setting| seen.of(setting)).collect()
    }

    async fn set(&self, setting: &Setting, want: &State) -> Result<(), CloudError> {
        match (setting, want) {
            (Setting::LambdaReserved { function }, State::Reserved { limit }) => {
                lambda::reserve(&self.lambda.writing, function, *limit).await
            }
            (Setting::LambdaReserved { function }, State::Absent) => lambda::unreserve(&self.lambda.writing, function).await,
            (Setting::TableCapacity { table }, State::Capacity(want)) => capacity::set(&self.dynamodb, table, want).await,
            (Setting::EcsDesired { cluster, service }, State::Count { desired }) => {
                ecs::set_desired(&self.ecs.writing, cluster, service, *desired).await
            }
            (Setting::ScalableTarget { target }, State::Scalable { min, max, suspended }) => {
                scaling::register(&self.scaling.writing, target, *min, *max, *suspended).await
            }
            (Setting::ScalableTarget { target }, State::Absent) => scaling::deregister(&self.scaling.writing, target).await,
            (Setting::ScalingPolicy { target, name }, State::Tracking(tracking)) => {
                policies::put(&self.scaling.writing, target, name, tracking).await
            }
            (Setting::ScalingPolicy { target, name }, State::Absent) => policies::delete(&self.scaling.writing, target, name).await,
            (setting, want) => Err(CloudError::Rejected {
                code: "NoSuchValue".to_owned(),
                message: format!("{setting} cannot be set to {want}"),
            }),
        }
    }
}

impl Aws {
    async fn functions(&self, names: BTreeSet<String>) -> BTreeMap<String, Found<Observed>> {
        let jobs = names
            .iter()
            .map(|name| lambda::reserved(self.lambda.reading.clone(), name.clone()))
            .collect();
        let found = self.slots.side_by_side(jobs).await;
        names.into_iter().zip(found).collect()
    }

    pub(super) async fn tables(&self, names: BTreeSet<String>) -> BTreeMap<String, Found<dynamodb::Table>> {
        let jobs = names
            .iter()
            .map(|name| dynamodb::describe(self.dynamodb.reading.clone(), name.clone()))
            .collect();
        let found = self.slots.side_by_side(jobs).await;
        names.into_iter().zip(found).collect()
    }

    /// Services by cluster. A call that failed for ten services is the failure of each.
    pub(super) async fn services(&self, asked: BTreeMap<String, BTreeSet<String>>) -> Services {
        let mut batches = Vec::new();
        for (cluster, services) in asked {
            let services: Vec<String> = services.into_iter().collect();
            batches.extend(services.chunks(ecs::BATCH).map(|batch| (cluster.clone(), batch.to_vec())));
        }
        let jobs = batches
            .iter()
            .map(|(cluster, services)| ecs::describe(self.ecs.reading.clone(), cluster.clone(), services.clone()))
            .collect();
        let found = self.slots.side_by_side(jobs).await;
        Services(batches.into_iter().zip(found).collect())
    }

    async fn targets(&self, addresses: &BTreeSet<Address>) -> BTreeMap<ResourceId, Found<Vec<ScalableTarget>>> {
        let batches = scaling::batches(addresses.iter());
        let jobs = batches
            .iter()
            .map(|(namespace, ids)| scaling::targets(self.scaling.reading.clone(), namespace, ids.clone()))
            .collect();
        let found = self.slots.side_by_side(jobs).await;
        let mut by_id = BTreeMap::new();
        for ((namespace, ids), found) in batches.into_iter().zip(found) {
            for id in ids {
                by_id.insert((namespace, id), found.clone());
            }
        }
        by_id
    }

    /// One call a resource and not one a namespace: a namespace's list holds six weeks of everything.
    async fn latest(&self, addresses: &BTreeSet<Address>) -> BTreeMap<ResourceId, Found<Vec<ScalingActivity>>> {
        let ids: BTreeSet<ResourceId> = addresses.iter().map(resource_id).collect();
        let jobs = ids
            .iter()
            .map(|(namespace, id)| activities::latest(self.scaling.reading.clone(), namespace, id.clone()))
            .collect();
        let found = self.slots.side_by_side(jobs).await;
        ids.into_iter().zip(found).collect()
    }

    async fn policies(&self, ids: BTreeSet<ResourceId>) -> BTreeMap<ResourceId, Found<Vec<ScalingPolicy>>> {
        let jobs = ids
            .iter()
            .map(|(namespace, id)| policies::of_resource(self.scaling.reading.clone(), namespace, id.clone()))
            .collect();
        let found = self.slots.side_by_side(jobs).await;
        ids.into_iter().zip(found).collect()
    }
}

fn resource_id(address: &Address) -> ResourceId {
    (address.namespace, address.resource_id.clone())
}

/// What must be looked at, each once.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    functions: BTreeSet<String>,
    tables: BTreeSet<String>,
    services: BTreeMap<String, BTreeSet<String>>,
    targets: BTreeSet<Address>,
    policies: BTreeSet<ResourceId>,
}

impl Asked {
    fn by(settings: &[Setting]) -> Self {
        let mut asked = Self::default();
        for setting in settings {
            match setting {
                Setting::LambdaReserved { function } => {
                    asked.functions.insert(function.clone());
                }
                Setting::TableCapacity { table } => {
                    asked.tables.insert(table.clone());
                }
                Setting::EcsDesired { cluster, service } => {
                    asked.services.entry(cluster.clone()).or_default().insert(service.clone());
                }
                Setting::ScalableTarget { target } => {
                    asked.targets.insert(Address::of(target));
                }
                Setting::ScalingPolicy { target, .. } => {
                    asked.policies.insert(resource_id(&Address::of(target)));
                }
            }
        }
        asked
    }
}

/// Services that were described, ten a call.
pub(super) struct Services(Vec<((String, Vec<String>), ecs::Described)>);

impl Services {
    pub(super) fn get(&self, cluster: &str, service: &str) -> Result<&aws_sdk_ecs::types::Service, CloudError> {
        let answer = self
            .0
            .iter()
            .find(|((of, names), _)| of == cluster && names.iter().any(|name| name == service));
        let (_, described) = answer.ok_or_else(not_asked)?;
        ecs::find(described, cluster, service)
    }

    /// All that were found.
    pub(super) fn found(&self) -> impl Iterator<Item = &aws_sdk_ecs::types::Service> {
        self.0
            .iter()
            .filter_map(|(_, described)| described.as_ref().ok())
            .flat_map(BTreeMap::values)
    }
}

/// The answers of one look.
struct Seen {
    functions: BTreeMap<String, Found<Observed>>,
    tables: BTreeMap<String, Found<dynamodb::Table>>,
    services: Services,
    targets: BTreeMap<ResourceId, Found<Vec<ScalableTarget>>>,
    activities: BTreeMap<ResourceId, Found<Vec<ScalingActivity>>>,
    policies: BTreeMap<ResourceId, Found<Vec<ScalingPolicy>>>,
}

impl Seen {
    fn of(&self, setting: &Setting) -> Result<Observed, CloudError> {
        match setting {
            Setting::LambdaReserved { function } => taken(&self.functions, function).cloned(),
            Setting::TableCapacity { table } => taken(&self.tables, table).map(dynamodb::Table::observed),
            Setting::EcsDesired { cluster, service } => ecs::observed(self.services.get(cluster, service)?),
            Setting::ScalableTarget { target } => {
                let address = Address::of(target);
                let id = resource_id(&address);
                let targets = taken(&self.targets, &id)?;
                Ok(scaling::target_observed(&address, targets, taken(&self.activities, &id)?))
            }
            Setting::ScalingPolicy { target, name } => {
                let address = Address::of(target);
                policies::observed(&address, name, taken(&self.policies, &resource_id(&address))?)
            }
        }
    }
}

fn taken<'a, K: Ord, V>(answers: &'a BTreeMap<K, Found<V>>, key: &K) -> Result<&'a V, CloudError> {
    answers.get(key).ok_or_else(not_asked)?.as_ref().map_err(Clone::clone)
}

/// A look that was broken off has no answer for some settings.
fn not_asked() -> CloudError {
    CloudError::Unknown {
        message: "the look was broken off".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::{Dimension, Scalable};

    #[test]
    fn settings_that_share_a_call_ask_once() {
        let target = |dimension| Scalable::Table {
            table: "t".to_owned(),
            dimension,
        };
        let asked = Asked::by(&[
            Setting::TableCapacity { table: "t".to_owned() },
            Setting::TableCapacity { table: "t".to_owned() },
            Setting::ScalableTarget {
                target: target(Dimension::Read),
            },
            Setting::ScalableTarget {
                target: target(Dimension::Write),
            },
            Setting::ScalingPolicy {
                target: target(Dimension::Read),
                name: "a".to_owned(),
            },
            Setting::ScalingPolicy {
                target: target(Dimension::Write),
                name: "b".to_owned(),
            },
        ]);
        assert_eq!(asked.tables.len(), 1);
        assert_eq!(asked.policies.len(), 1);
        assert_eq!(scaling::batches(asked.targets.iter()).len(), 1);
    }
}
