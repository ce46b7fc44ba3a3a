//! Application Auto Scaling: target-tracking policies on a predefined metric, and what else scales a target.

use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalingPolicy, ScheduledAction, ServiceNamespace,
    TargetTrackingScalingPolicyConfiguration,
};

use crate::change::{CloudError, Observed, ScalingNow};
use crate::setting::{Scalable, State, Tracking};

use super::error::Call;
use super::scaling::{Address, gone_is_done};

/// Policies of one resource, of all its dimensions.
pub(super) async fn of_resource(client: Client, namespace: &'static str, resource_id: String) -> Result<Vec<ScalingPolicy>, CloudError> {
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

/// One policy among those described.
pub(super) fn observed(address: &Address, name: &str, policies: &[ScalingPolicy]) -> Result<Observed, CloudError> {
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
        of_resource(client.clone(), address.namespace, address.resource_id.clone()),
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

/// Makes or changes a target-tracking policy, every field sent.
pub(super) async fn put(client: &Client, target: &Scalable, name: &str, want: &Tracking) -> Result<(), CloudError> {
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
pub(super) async fn delete(client: &Client, target: &Scalable, name: &str) -> Result<(), CloudError> {
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

#[cfg(test)]
mod tests {
    use aws_sdk_applicationautoscaling::types::ScalableDimension;
    use aws_smithy_types::DateTime;

    use super::*;
    use crate::setting::Dimension;

    fn feedback() -> Scalable {
        Scalable::Table {
            table: "feedback".to_owned(),
            dimension: Dimension::Write,
        }
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
            observed(&address, "feedback-writes", &there).unwrap().state,
            State::Tracking(want.clone())
        );
        assert_eq!(observed(&address, "other", &there).unwrap().state, State::Absent);
        assert!(observed(&address, "feedback-writes", &[policy(None)]).is_err());
        let now = sorted(&address, &there, &[]);
        assert_eq!(now.tracking, vec![("feedback-writes".to_owned(), want)]);
        assert_eq!(sorted(&address, &[policy(None)], &[]).others, vec!["feedback-writes".to_owned()]);
    }
}
