//! Application Auto Scaling: scalable targets.
//!
//! A target is identified by namespace, resource id and dimension, and so is its identity here: its ARN appears only
//! when AWS touches an old target again. The describe calls name no current capacity; that is the service's.

use std::collections::BTreeSet;

use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ScalableTarget, ScalingActivity, ServiceNamespace, SuspendedState};

use crate::change::{CloudError, Observed};
use crate::setting::{Dimension, Scalable, State, Suspended};

use super::activities;
use super::convert::{amount, count};
use super::error::Call;

/// How many resource ids a describe call takes.
pub(super) const BATCH: usize = 50;

/// A target as AWS names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) namespace: &'static str,
    pub(super) resource_id: String,
    pub(super) dimension: &'static str,
}

impl Address {
    pub(super) fn of(target: &Scalable) -> Self {
        let capacity = |table, dimension| match (table, dimension) {
            (true, Dimension::Read) => "dynamodb:table:ReadCapacityUnits",
            (true, Dimension::Write) => "dynamodb:table:WriteCapacityUnits",
            (false, Dimension::Read) => "dynamodb:index:ReadCapacityUnits",
            (false, Dimension::Write) => "dynamodb:index:WriteCapacityUnits",
        };
        match target {
            Scalable::Table { table, dimension } => Self {
                namespace: "dynamodb",
                resource_id: format!("table/{table}"),
                dimension: capacity(true, *dimension),
            },
            Scalable::Index { table, index, dimension } => Self {
                namespace: "dynamodb",
                resource_id: format!("table/{table}/index/{index}"),
                dimension: capacity(false, *dimension),
            },
            Scalable::Service { cluster, service } => Self {
                namespace: "ecs",
                resource_id: format!("service/{cluster}/{service}"),
                dimension: "ecs:service:DesiredCount",
            },
        }
    }

    pub(super) fn namespace(&self) -> ServiceNamespace {
        ServiceNamespace::from(self.namespace)
    }

    pub(super) fn dimension(&self) -> ScalableDimension {
        ScalableDimension::from(self.dimension)
    }

    /// Whether an answer is about this target.
    pub(super) fn is(&self, resource_id: &str, dimension: Option<&ScalableDimension>) -> bool {
        self.resource_id == resource_id && dimension.is_some_and(|dimension| dimension.as_str() == self.dimension)
    }

    pub(super) fn call(&self, action: &'static str) -> Call {
        Call::new(action, format!("{} {}", self.resource_id, self.dimension))
    }
}

/// Targets of up to 50 resource ids of one namespace.
pub(super) async fn targets(client: Client, namespace: &'static str, ids: Vec<String>) -> Result<Vec<ScalableTarget>, CloudError> {
    let call = Call::new("application-autoscaling:DescribeScalableTargets", format!("targets of {namespace}"));
    let mut found = Vec::new();
    let mut pages = client
        .describe_scalable_targets()
        .service_namespace(ServiceNamespace::from(namespace))
        .set_resource_ids(Some(ids))
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        found.extend_from_slice(page.map_err(|error| call.error(&error))?.scalable_targets());
    }
    Ok(found)
}

/// One target among those described.
pub(super) fn target_observed(address: &Address, targets: &[ScalableTarget], activities: &[ScalingActivity]) -> Observed {
    let target = targets
        .iter()
        .find(|target| address.is(target.resource_id(), Some(target.scalable_dimension())));
    Observed {
        state: target.map_or(State::Absent, |target| State::Scalable {
            min: count(target.min_capacity()),
            max: count(target.max_capacity()),
            suspended: suspended(target.suspended_state()),
        }),
        identity: format!("{} {} {}", address.namespace, address.resource_id, address.dimension),
        busy: activities::under_way(address, activities),
        decreases_today: None,
    }
}

fn suspended(state: Option<&SuspendedState>) -> Suspended {
    let is = |flag: Option<bool>| flag.unwrap_or(false);
    state.map_or_else(Suspended::default, |state| Suspended {
        scale_in: is(state.dynamic_scaling_in_suspended()),
        scale_out: is(state.dynamic_scaling_out_suspended()),
        scheduled: is(state.scheduled_scaling_suspended()),
    })
}

/// Registers or changes a target. All three suspensions are sent: what AWS makes of one alone is not documented.
pub(super) async fn register(client: &Client, target: &Scalable, min: u32, max: u32, suspended: Suspended) -> Result<(), CloudError> {
    let address = Address::of(target);
    let call = address.call("application-autoscaling:RegisterScalableTarget");
    let answer = client
        .register_scalable_target()
        .service_namespace(address.namespace())
        .resource_id(&address.resource_id)
        .scalable_dimension(address.dimension())
        .min_capacity(amount(min)?)
        .max_capacity(amount(max)?)
        .suspended_state(
            SuspendedState::builder()
                .dynamic_scaling_in_suspended(suspended.scale_in)
                .dynamic_scaling_out_suspended(suspended.scale_out)
                .scheduled_scaling_suspended(suspended.scheduled)
                .build(),
        )
        .send()
        .await;
    answer.map(|_| ()).map_err(|error| call.error(&error))
}

/// Takes a target away, with its policies and scheduled actions. One that is not there is done.
pub(super) async fn deregister(client: &Client, target: &Scalable) -> Result<(), CloudError> {
    let address = Address::of(target);
    let call = address.call("application-autoscaling:DeregisterScalableTarget");
    let answer = client
        .deregister_scalable_target()
        .service_namespace(address.namespace())
        .resource_id(&address.resource_id)
        .scalable_dimension(address.dimension())
        .send()
        .await;
    gone_is_done(answer.map(|_| ()).map_err(|error| call.error(&error)))
}

/// What was to be taken away and is not there is done.
pub(super) fn gone_is_done(answer: Result<(), CloudError>) -> Result<(), CloudError> {
    match answer {
        Err(CloudError::Missing { .. }) => Ok(()),
        other => other,
    }
}

/// The resource ids of targets, each once, by namespace, in batches.
pub(super) fn batches<'a>(addresses: impl Iterator<Item = &'a Address>) -> Vec<(&'static str, Vec<String>)> {
    let ids: BTreeSet<(&'static str, &str)> = addresses.map(|address| (address.namespace, address.resource_id.as_str())).collect();
    let mut batches: Vec<(&'static str, Vec<String>)> = Vec::new();
    for (namespace, id) in ids {
        match batches.last_mut() {
            Some((last, batch)) if *last == namespace && batch.len() < BATCH => batch.push(id.to_owned()),
            _ => batches.push((namespace, vec![id.to_owned()])),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    fn feedback() -> Scalable {
        Scalable::Table {
            table: "feedback".to_owned(),
            dimension: Dimension::Write,
        }
    }

    fn target(suspended: Option<SuspendedState>) -> ScalableTarget {
        ScalableTarget::builder()
            .service_namespace(ServiceNamespace::Dynamodb)
            .resource_id("table/feedback")
            .scalable_dimension(ScalableDimension::DynamoDbTableWriteCapacityUnits)
            .min_capacity(2)
            .max_capacity(10)
            .role_arn("arn:aws:iam::1:role/x")
            .creation_time(DateTime::from_secs(0))
            .set_suspended_state(suspended)
            .build()
            .unwrap()
    }

    #[test]
    fn targets_are_addressed_as_aws_names_them() {
        let index = Address::of(&Scalable::Index {
            table: "t".to_owned(),
            index: "by-user".to_owned(),
            dimension: Dimension::Read,
        });
        assert_eq!(index.resource_id, "table/t/index/by-user");
        assert_eq!(index.dimension, "dynamodb:index:ReadCapacityUnits");
        let service = Address::of(&Scalable::Service {
            cluster: "c".to_owned(),
            service: "s".to_owned(),
        });
        assert_eq!((service.namespace, service.resource_id.as_str()), ("ecs", "service/c/s"));
        assert_eq!(service.dimension(), ScalableDimension::EcsServiceDesiredCount);
    }

    #[test]
    fn a_target_is_seen_with_its_suspensions_and_absent_ones_are_false() {
        let address = Address::of(&feedback());
        let seen = |suspended| target_observed(&address, &[target(suspended)], &[]).state;
        let state = |suspended| State::Scalable {
            min: 2,
            max: 10,
            suspended,
        };
        assert_eq!(seen(None), state(Suspended::default()));
        assert_eq!(
            seen(Some(SuspendedState::builder().scheduled_scaling_suspended(true).build())),
            state(Suspended {
                scheduled: true,
                ..Suspended::default()
            })
        );
        assert_eq!(target_observed(&address, &[], &[]).state, State::Absent);
        assert_eq!(
            target_observed(&address, &[], &[]).identity,
            target_observed(&address, &[target(None)], &[]).identity
        );
    }

    #[test]
    fn resource_ids_are_asked_for_once_and_fifty_at_a_time() {
        let of = |n: u32, dimension| {
            Address::of(&Scalable::Table {
                table: format!("t{n:03}"),
                dimension,
            })
        };
        let addresses: Vec<Address> = (0..60).flat_map(|n| [of(n, Dimension::Read), of(n, Dimension::Write)]).collect();
        let batches = batches(addresses.iter());
        assert_eq!(batches.iter().map(|(_, ids)| ids.len()).collect::<Vec<_>>(), vec![50, 10]);
    }

    #[test]
    fn the_other_dimension_of_a_table_is_another_target() {
        let reads = Address::of(&Scalable::Table {
            table: "feedback".to_owned(),
            dimension: Dimension::Read,
        });
        assert_eq!(target_observed(&reads, &[target(None)], &[]).state, State::Absent);
    }
}
