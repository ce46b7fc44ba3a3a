//! ECS: desired count of a service, facts of a service.
//!
//! `DescribeServices` reports what it does not know inside a successful answer, and its counts are plain numbers: a
//! service's status is looked at before its 0 is believed.

use std::collections::BTreeMap;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{ResourceManagementType, SchedulingStrategy, Service, TaskDefinition};

use crate::change::{CloudError, Observed};
use crate::setting::{Fact, Facts, State};
use crate::units::Quantity;

use super::convert::{amount, count};
use super::error::Call;

/// How many services a describe call takes.
pub(super) const BATCH: usize = 10;
/// How many services are listed at most.
pub(super) const LISTED: usize = 500;

/// What AWS answered about services of one cluster.
pub(super) type Described = Result<BTreeMap<String, Service>, CloudError>;

fn call(action: &'static str, cluster: &str, service: &str) -> Call {
    Call::new(action, format!("ecs/{cluster}/{service}"))
}

/// Looks at up to ten services of one cluster; what AWS does not know is left out.
pub(super) async fn describe(client: Client, cluster: String, services: Vec<String>) -> Described {
    let call = call("ecs:DescribeServices", &cluster, &services.join(", "));
    let answer = client
        .describe_services()
        .cluster(&cluster)
        .set_services(Some(services))
        .send()
        .await
        .map_err(|error| call.error(&error))?;
    for failure in answer.failures() {
        let reason = failure.reason().unwrap_or("without a reason");
        if reason != "MISSING" {
            return Err(CloudError::Rejected {
                code: reason.to_owned(),
                message: format!("{}: {}", failure.arn().unwrap_or(&cluster), failure.detail().unwrap_or(reason)),
            });
        }
    }
    let named = |service: &Service| service.service_name().map(str::to_owned);
    Ok(answer
        .services()
        .iter()
        .filter_map(|service| Some((named(service)?, service.clone())))
        .collect())
}

/// One service among those described.
pub(super) fn find<'a>(described: &'a Described, cluster: &str, service: &str) -> Result<&'a Service, CloudError> {
    let missing = || call("ecs:DescribeServices", cluster, service).missing();
    let services = described.as_ref().map_err(|error| match error {
        // The cluster, and with it the service.
        CloudError::Missing { .. } => missing(),
        other => other.clone(),
    })?;
    let found = services.get(service).filter(|found| found.status() != Some("INACTIVE"));
    found.ok_or_else(missing)
}

/// The desired count of a service.
pub(super) fn observed(service: &Service) -> Result<Observed, CloudError> {
    let name = service.service_name().unwrap_or_default();
    let refuse = |code: &str, why: &str| {
        Err(CloudError::Rejected {
            code: code.to_owned(),
            message: format!("ecs service {name} {why}"),
        })
    };
    if service.status() != Some("ACTIVE") {
        return refuse("NotActive", &format!("is {}", service.status().unwrap_or("without a status")));
    }
    if service.scheduling_strategy() == Some(&SchedulingStrategy::Daemon) {
        return refuse("Daemon", "runs a task on each instance: it has no desired count");
    }
    if service.resource_management_type() == Some(&ResourceManagementType::Ecs) {
        return refuse("ManagedByEcs", "is managed by ECS itself");
    }
    Ok(Observed {
        state: State::Count {
            desired: count(service.desired_count()),
        },
        identity: identity(service),
        busy: busy(service),
        decreases_today: None,
    })
}

/// A service that is made again gets the same ARN, but another time of creation.
fn identity(service: &Service) -> String {
    let arn = service.service_arn().unwrap_or_default();
    match service.created_at() {
        Some(created) => format!("{arn} created {}", created.secs()),
        None => arn.to_owned(),
    }
}

/// Why its tasks are still on the move.
fn busy(service: &Service) -> Option<String> {
    let (running, desired) = (service.running_count(), service.desired_count());
    if running != desired || service.pending_count() > 0 {
        let pending = service.pending_count();
        Some(format!("{running} of {desired} tasks are running, {pending} are pending"))
    } else if service.deployments().len() > 1 {
        Some(format!("{} deployments are under way", service.deployments().len()))
    } else {
        None
    }
}

/// Sets the desired count and nothing else: any other field may start a deployment.
pub(super) async fn set_desired(client: &Client, cluster: &str, service: &str, desired: u32) -> Result<(), CloudError> {
    let call = call("ecs:UpdateService", cluster, service);
    let update = client.update_service().cluster(cluster).service(service);
    let answer = update.desired_count(amount(desired)?).send().await;
    answer.map(|_| ()).map_err(|error| call.error(&error))
}

/// A task definition; it never changes, so its look-up may be shared.
pub(super) async fn task_definition(client: Client, name: String) -> Result<TaskDefinition, CloudError> {
    let call = Call::new("ecs:DescribeTaskDefinition", &name);
    let answer = client.describe_task_definition().task_definition(&name).send().await;
    let answer = answer.map_err(|error| call.error(&error))?;
    answer.task_definition().cloned().ok_or_else(|| call.missing())
}

/// What AWS says of a service, and of its tasks' size when that could be had.
pub(super) fn facts(service: &Service, task: Option<&TaskDefinition>) -> Facts {
    let status = service.status().unwrap_or_default();
    let number = |value: i32| Fact::Quantity(Quantity::Number(f64::from(value)));
    let mut facts = Facts::from([
        ("arn".to_owned(), Fact::Text(service.service_arn().unwrap_or_default().to_owned())),
        ("status".to_owned(), Fact::Text(status.to_ascii_lowercase())),
        ("steady".to_owned(), Fact::Flag(status == "ACTIVE" && busy(service).is_none())),
        ("desired".to_owned(), number(service.desired_count())),
        ("running".to_owned(), number(service.running_count())),
    ]);
    let size = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
    if let Some(cpu) = size(task.and_then(TaskDefinition::cpu)) {
        facts.insert("task-cpu".to_owned(), Fact::Quantity(Quantity::Number(cpu)));
    }
    if let Some(megabytes) = size(task.and_then(TaskDefinition::memory)) {
        facts.insert("task-memory".to_owned(), Fact::Quantity(Quantity::Bytes(megabytes * 1_048_576.0)));
    }
    facts
}

/// The clusters of the region, by name, and whether there are more.
pub(super) async fn clusters(client: Client) -> Result<(Vec<String>, bool), CloudError> {
    let call = Call::new("ecs:ListClusters", "the clusters");
    let mut names = Vec::new();
    let mut pages = client.list_clusters().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| call.error(&error))?;
        names.extend(page.cluster_arns().iter().map(|arn| last(arn).to_owned()));
        if names.len() > LISTED {
            names.truncate(LISTED);
            return Ok((names, true));
        }
    }
    Ok((names, false))
}

/// The services of a cluster, by name, and whether there are more.
pub(super) async fn list(client: Client, cluster: String) -> Result<(Vec<String>, bool), CloudError> {
    let call = Call::new("ecs:ListServices", format!("ecs/{cluster}"));
    let mut names = Vec::new();
    let mut pages = client.list_services().cluster(&cluster).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| call.error(&error))?;
        names.extend(page.service_arns().iter().map(|arn| last(arn).to_owned()));
        if names.len() > LISTED {
            names.truncate(LISTED);
            return Ok((names, true));
        }
    }
    Ok((names, false))
}

/// The name at the end of an ARN.
fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::Deployment;
    use aws_sdk_ecs::types::builders::ServiceBuilder;
    use aws_smithy_types::DateTime;

    use super::*;

    fn service(status: &str, desired: i32, running: i32) -> ServiceBuilder {
        Service::builder()
            .service_name("chatbot-api")
            .service_arn("arn:aws:ecs:us-east-1:1:service/c/chatbot-api")
            .created_at(DateTime::from_secs(7))
            .status(status)
            .desired_count(desired)
            .running_count(running)
            .deployments(Deployment::builder().build())
    }

    #[test]
    fn a_steady_service_is_seen_with_its_count() {
        let service = service("ACTIVE", 2, 2).build();
        assert_eq!(
            observed(&service),
            Ok(Observed {
                state: State::Count { desired: 2 },
                identity: "arn:aws:ecs:us-east-1:1:service/c/chatbot-api created 7".to_owned(),
                busy: None,
                decreases_today: None,
            })
        );
        assert_eq!(facts(&service, None)["steady"], Fact::Flag(true));
    }

    #[test]
    fn a_service_is_busy_until_its_tasks_run_and_one_deployment_is_left() {
        assert_eq!(
            observed(&service("ACTIVE", 4, 2).pending_count(2).build()).unwrap().busy,
            Some("2 of 4 tasks are running, 2 are pending".to_owned())
        );
        let deploying = service("ACTIVE", 2, 2).deployments(Deployment::builder().build()).build();
        assert_eq!(observed(&deploying).unwrap().busy, Some("2 deployments are under way".to_owned()));
        assert_eq!(facts(&deploying, None)["steady"], Fact::Flag(false));
    }

    #[test]
    fn a_service_that_is_gone_or_going_is_not_a_count_of_zero() {
        let described: Described = Ok([("chatbot-api".to_owned(), service("INACTIVE", 0, 0).build())].into());
        assert!(matches!(find(&described, "c", "chatbot-api"), Err(CloudError::Missing { .. })));
        assert!(matches!(find(&described, "c", "other"), Err(CloudError::Missing { .. })));
        assert!(matches!(
            observed(&service("DRAINING", 0, 0).build()),
            Err(CloudError::Rejected { .. })
        ));
        let daemon = service("ACTIVE", 1, 1).scheduling_strategy(SchedulingStrategy::Daemon).build();
        assert!(matches!(observed(&daemon), Err(CloudError::Rejected { code, .. }) if code == "Daemon"));
    }

    #[test]
    fn the_size_of_a_task_has_units() {
        let task = TaskDefinition::builder().cpu("1024").memory("2048").build();
        let facts = facts(&service("ACTIVE", 2, 2).build(), Some(&task));
        assert_eq!(facts["task-cpu"], Fact::Quantity(Quantity::Number(1024.0)));
        assert_eq!(facts["task-memory"], Fact::Quantity(Quantity::Bytes(2048.0 * 1_048_576.0)));
        assert_eq!(last("arn:aws:ecs:us-east-1:1:service/c/chatbot-api"), "chatbot-api");
    }
}
