//! Application Auto Scaling: targets, target-tracking policies, scheduled actions and activities.
//!
//! A target is identified by namespace, resource id and dimension, and so is its identity here: its ARN appears only
//! when AWS touches an old target again. The describe calls name no current capacity; that is the service's.

use std::collections::BTreeSet;

use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ScalableTarget, ScalingActivity, ScalingActivityStatusCode,
    ScalingPolicy, ScheduledAction, ServiceNamespace, SuspendedState, TargetTrackingScalingPolicyConfiguration,
};

use crate::change::{CloudError, Observed, ScalingNow};
use crate::metrics::TimeWindow;
use crate::metrics::source::Activity;
use crate::setting::{Dimension, Scalable, State, Suspended, Tracking};

use super::convert::{amount, count, timestamp};
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

    fn namespace(&self) -> ServiceNamespace {
        ServiceNamespace::from(self.namespace)
    }

    fn dimension(&self) -> ScalableDimension {
        ScalableDimension::from(self.dimension)
    }

    fn is(&self, resource_id: &str, dimension: Option<&ScalableDimension>) -> bool {
        self.resource_id == resource_id && dimension.is_some_and(|dimension| dimension.as_str() == self.dimension)
    }

    fn call(&self, action: &'static str) -> Call {
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

/// Policies of one resource, of all its dimensions.
pub(super) async fn policies(client: Client, namespace: &'static str, resource_id: String) -> Result<Vec<ScalingPolicy>, CloudError> {
    let call = Call::new("application-autoscaling:DescribeScalingPolicies", &resource_id);
    let mut found = Vec::new();
    let mut pages = client
        .describe_scaling_policies()
        .service_namespace(ServiceNamespace::from(namespace))
        .resource_id(resource_id)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        found.extend_from_slice(page.map_err(|error| call.error(&error))?.scaling_policies());
    }
    Ok(found)
}

/// The latest activities of one resource; what is under way is among them.
pub(super) async fn latest(client: Client, namespace: &'static str, resource_id: String) -> Result<Vec<ScalingActivity>, CloudError> {
    let call = Call::new("application-autoscaling:DescribeScalingActivities", &resource_id);
    let answer = client
        .describe_scaling_activities()
        .service_namespace(ServiceNamespace::from(namespace))
        .resource_id(resource_id)
        .send()
        .await;
    Ok(answer.map_err(|error| call.error(&error))?.scaling_activities().to_vec())
}

async fn scheduled(client: &Client, address: &Address) -> Result<Vec<ScheduledAction>, CloudError> {
    let call = address.call("application-autoscaling:DescribeScheduledActions");
    let mut found = Vec::new();
    let mut pages = client
        .describe_scheduled_actions()
        .service_namespace(address.namespace())
        .resource_id(&address.resource_id)
        .scalable_dimension(address.dimension())
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        found.extend_from_slice(page.map_err(|error| call.error(&error))?.scheduled_actions());
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
        busy: under_way(address, activities),
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

fn under_way(address: &Address, activities: &[ScalingActivity]) -> Option<String> {
    activities
        .iter()
        .filter(|activity| address.is(activity.resource_id(), Some(activity.scalable_dimension())))
        .find(|activity| {
            matches!(
                activity.status_code(),
                ScalingActivityStatusCode::Pending | ScalingActivityStatusCode::InProgress
            )
        })
        .map(|activity| format!("{} ({})", activity.description().trim_end_matches('.'), activity.status_code()))
}

/// One policy among those described.
pub(super) fn policy_observed(address: &Address, name: &str, policies: &[ScalingPolicy]) -> Result<Observed, CloudError> {
    let policy = policies
        .iter()
        .find(|policy| policy.policy_name() == name && address.is(policy.resource_id(), Some(policy.scalable_dimension())));
    let state = match policy {
        None => State::Absent,
        Some(policy) => State::Tracking(tracking(policy).ok_or_else(|| CloudError::Rejected {
            code: "OtherPolicy".to_owned(),
            message: format!(
                "the policy {name} of {} tracks no predefined metric ({}): it is left alone",
                address.resource_id,
                policy.policy_type()
            ),
        })?),
    };
    Ok(Observed {
        state,
        identity: format!("{} {} {} {name}", address.namespace, address.resource_id, address.dimension),
        busy: None,
        decreases_today: None,
    })
}

/// All fields of a target-tracking policy on a predefined metric; `None` for any other.
fn tracking(policy: &ScalingPolicy) -> Option<Tracking> {
    let configuration = policy.target_tracking_scaling_policy_configuration()?;
    let metric = configuration.predefined_metric_specification()?;
    Some(Tracking {
        metric: metric.predefined_metric_type().as_str().to_owned(),
        resource_label: metric.resource_label().map(str::to_owned),
        target: configuration.target_value(),
        scale_in_cooldown: configuration.scale_in_cooldown(),
        scale_out_cooldown: configuration.scale_out_cooldown(),
        disable_scale_in: configuration.disable_scale_in(),
    })
}

/// What scales a target: its policies and its scheduled actions.
pub(super) async fn now(client: &Client, target: &Scalable) -> Result<ScalingNow, CloudError> {
    let address = Address::of(target);
    let (policies, actions) = tokio::join!(
        policies(client.clone(), address.namespace, address.resource_id.clone()),
        scheduled(client, &address)
    );
    Ok(sorted(&address, &policies?, &actions?))
}

fn sorted(address: &Address, policies: &[ScalingPolicy], actions: &[ScheduledAction]) -> ScalingNow {
    let mut now = ScalingNow::default();
    for policy in policies {
        if !address.is(policy.resource_id(), Some(policy.scalable_dimension())) {
            continue;
        }
        let name = policy.policy_name().to_owned();
        match tracking(policy) {
            Some(tracking) => now.tracking.push((name, tracking)),
            None => now.others.push(name),
        }
    }
    now.scheduled = actions
        .iter()
        .filter(|action| address.is(action.resource_id(), action.scalable_dimension()))
        .map(|action| action.scheduled_action_name().to_owned())
        .collect();
    now
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

/// Makes or changes a target-tracking policy, every field sent.
pub(super) async fn put_policy(client: &Client, target: &Scalable, name: &str, want: &Tracking) -> Result<(), CloudError> {
    let address = Address::of(target);
    let call = address.call("application-autoscaling:PutScalingPolicy");
    let answer = client
        .put_scaling_policy()
        .policy_name(name)
        .service_namespace(address.namespace())
        .resource_id(&address.resource_id)
        .scalable_dimension(address.dimension())
        .policy_type(PolicyType::TargetTrackingScaling)
        .target_tracking_scaling_policy_configuration(configuration(want)?)
        .send()
        .await;
    answer.map(|_| ()).map_err(|error| call.error(&error))
}

fn configuration(want: &Tracking) -> Result<TargetTrackingScalingPolicyConfiguration, CloudError> {
    let not_built = |error: &dyn ToString| CloudError::Rejected {
        code: "NotSent".to_owned(),
        message: format!("application-autoscaling:PutScalingPolicy could not be built: {}", error.to_string()),
    };
    let metric = PredefinedMetricSpecification::builder()
        .predefined_metric_type(MetricType::from(want.metric.as_str()))
        .set_resource_label(want.resource_label.clone())
        .build()
        .map_err(|error| not_built(&error))?;
    TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(want.target)
        .predefined_metric_specification(metric)
        .set_scale_in_cooldown(want.scale_in_cooldown)
        .set_scale_out_cooldown(want.scale_out_cooldown)
        .set_disable_scale_in(want.disable_scale_in)
        .build()
        .map_err(|error| not_built(&error))
}

/// Takes a policy away, with the alarms that AWS made for it. One that is not there is done.
pub(super) async fn delete_policy(client: &Client, target: &Scalable, name: &str) -> Result<(), CloudError> {
    let address = Address::of(target);
    let call = address.call("application-autoscaling:DeleteScalingPolicy");
    let answer = client
        .delete_scaling_policy()
        .policy_name(name)
        .service_namespace(address.namespace())
        .resource_id(&address.resource_id)
        .scalable_dimension(address.dimension())
        .send()
        .await;
    gone_is_done(answer.map(|_| ()).map_err(|error| call.error(&error)))
}

fn gone_is_done(answer: Result<(), CloudError>) -> Result<(), CloudError> {
    match answer {
        Err(CloudError::Missing { .. }) => Ok(()),
        other => other,
    }
}

/// What happened in a namespace in a window, oldest first. AWS keeps six weeks and has no filter by time; reading
/// ends as soon as a page shows that what follows is older.
pub(super) async fn activities(client: Client, namespace: &'static str, window: TimeWindow) -> Result<Vec<Activity>, CloudError> {
    let call = Call::new(
        "application-autoscaling:DescribeScalingActivities",
        format!("all resources of {namespace}"),
    );
    let mut found = Vec::new();
    let mut pages = client
        .describe_scaling_activities()
        .service_namespace(ServiceNamespace::from(namespace))
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| call.error(&error))?;
        found.extend(page.scaling_activities().iter().filter_map(|activity| within(activity, window)));
        if nothing_newer_follows(page.scaling_activities(), window) {
            break;
        }
    }
    found.sort_by_key(|activity| activity.at);
    Ok(found)
}

/// An activity that overlaps the window.
fn within(activity: &ScalingActivity, window: TimeWindow) -> Option<Activity> {
    let at = timestamp(activity.start_time())?;
    let end = activity.end_time().and_then(timestamp).unwrap_or(at);
    (at < window.to && end >= window.from).then(|| Activity {
        at,
        resource_id: activity.resource_id().to_owned(),
        dimension: activity.scalable_dimension().as_str().to_owned(),
        description: activity.description().to_owned(),
        cause: activity.cause().to_owned(),
        status: activity.status_code().as_str().to_owned(),
    })
}

/// The order of the pages is not documented: it is trusted only where a page shows it.
fn nothing_newer_follows(page: &[ScalingActivity], window: TimeWindow) -> bool {
    /// Longer than any activity takes, so that one which began before the window and ended in it is still found.
    const LONGEST_SECONDS: i64 = 3_600;
    let starts: Vec<i64> = page.iter().map(|activity| activity.start_time().secs()).collect();
    let newest_first = starts.len() > 1 && starts.windows(2).all(|pair| pair[0] >= pair[1]) && starts.first() != starts.last();
    newest_first
        && starts
            .last()
            .is_some_and(|oldest| *oldest < window.from.as_second() - LONGEST_SECONDS)
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
    use crate::units::Timestamp;

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

    fn activity(id: &str, start: i64, status: ScalingActivityStatusCode) -> ScalingActivity {
        ScalingActivity::builder()
            .activity_id(id)
            .service_namespace(ServiceNamespace::Dynamodb)
            .resource_id("table/feedback")
            .scalable_dimension(ScalableDimension::DynamoDbTableWriteCapacityUnits)
            .description("Setting write capacity units to 60.")
            .cause("monitor alarm")
            .start_time(DateTime::from_secs(start))
            .status_code(status)
            .build()
            .unwrap()
    }

    fn policy(configuration: Option<TargetTrackingScalingPolicyConfiguration>) -> ScalingPolicy {
        ScalingPolicy::builder()
            .policy_arn("arn")
            .policy_name("feedback-writes")
            .service_namespace(ServiceNamespace::Dynamodb)
            .resource_id("table/feedback")
            .scalable_dimension(ScalableDimension::DynamoDbTableWriteCapacityUnits)
            .policy_type(PolicyType::TargetTrackingScaling)
            .set_target_tracking_scaling_policy_configuration(configuration)
            .creation_time(DateTime::from_secs(0))
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
    fn the_other_dimension_of_a_table_is_another_target() {
        let reads = Address::of(&Scalable::Table {
            table: "feedback".to_owned(),
            dimension: Dimension::Read,
        });
        let moving = [activity("1", 0, ScalingActivityStatusCode::InProgress)];
        let seen = target_observed(&reads, &[target(None)], &moving);
        assert_eq!((seen.state, seen.busy), (State::Absent, None));
        let writes = target_observed(&Address::of(&feedback()), &[target(None)], &moving);
        assert_eq!(writes.busy, Some("Setting write capacity units to 60 (InProgress)".to_owned()));
        let over = [activity("1", 0, ScalingActivityStatusCode::Successful)];
        assert_eq!(target_observed(&Address::of(&feedback()), &[], &over).busy, None);
    }

    #[test]
    fn a_policy_is_sent_again_as_it_was_read() {
        let want = Tracking {
            metric: "DynamoDBWriteCapacityUtilization".to_owned(),
            resource_label: None,
            target: 50.0,
            scale_in_cooldown: Some(30),
            scale_out_cooldown: Some(45),
            disable_scale_in: None,
        };
        let address = Address::of(&feedback());
        let there = [policy(Some(configuration(&want).unwrap()))];
        assert_eq!(
            policy_observed(&address, "feedback-writes", &there).unwrap().state,
            State::Tracking(want.clone())
        );
        assert_eq!(policy_observed(&address, "other", &there).unwrap().state, State::Absent);
        assert!(policy_observed(&address, "feedback-writes", &[policy(None)]).is_err());
        let now = sorted(&address, &there, &[]);
        assert_eq!(now.tracking, vec![("feedback-writes".to_owned(), want)]);
        assert_eq!(sorted(&address, &[policy(None)], &[]).others, vec!["feedback-writes".to_owned()]);
    }

    #[test]
    fn reading_ends_only_where_a_page_shows_that_the_rest_is_older() {
        let window = TimeWindow {
            from: Timestamp::from_second(1_000_000).unwrap(),
            to: Timestamp::from_second(1_000_600).unwrap(),
        };
        let done = ScalingActivityStatusCode::Successful;
        let page = |starts: &[i64]| -> Vec<ScalingActivity> { starts.iter().map(|start| activity("a", *start, done.clone())).collect() };
        assert!(nothing_newer_follows(&page(&[1_000_100, 900_000]), window));
        assert!(!nothing_newer_follows(&page(&[900_000, 1_000_100]), window));
        assert!(!nothing_newer_follows(&page(&[1_000_100, 999_000]), window));
        assert!(!nothing_newer_follows(&page(&[900_000]), window));
        assert!(within(&activity("a", 1_000_599, done.clone()), window).is_some());
        assert!(within(&activity("a", 1_000_600, done.clone()), window).is_none());
        assert!(within(&activity("a", 999_999, done.clone()), window).is_none());
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
}
