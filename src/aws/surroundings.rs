//! What the preflight asks: who calls, what AWS says of the resources, where they are called.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::TaskDefinition;

use crate::change::{Caller, CloudError, Concurrency, ScalingNow, Surroundings};
use crate::setting::{Facts, Resource, Scalable};

use super::connect::Aws;
use super::{apigateway, dynamodb, ecs, elb, lambda, policies, sts};

type Found = Result<Facts, CloudError>;

impl Surroundings for Aws {
    async fn caller(&self) -> Result<Caller, CloudError> {
        sts::caller(self).await
    }

    async fn facts(&self, resources: &[Resource]) -> Vec<Result<Facts, CloudError>> {
        let distinct: BTreeSet<Resource> = resources.iter().cloned().collect();
        let (functions, tables, services, balancers, apis) = tokio::join!(
            self.function_facts(&distinct),
            self.table_facts(&distinct),
            self.service_facts(&distinct),
            self.balancer_facts(&distinct),
            self.api_facts(&distinct),
        );
        let all: BTreeMap<Resource, Found> = [functions, tables, services, balancers, apis].into_iter().flatten().collect();
        let unasked = || {
            Err(CloudError::Unknown {
                message: "the look was broken off".to_owned(),
            })
        };
        resources
            .iter()
            .map(|resource| all.get(resource).cloned().unwrap_or_else(unasked))
            .collect()
    }

    async fn concurrency(&self) -> Result<Concurrency, CloudError> {
        lambda::concurrency(&self.lambda.reading).await
    }

    async fn address(&self, resource: &Resource) -> Result<String, CloudError> {
        match resource {
            Resource::Alb { name } => elb::address(&self.elb, name).await,
            Resource::RestApi { name, stage } => {
                let (apis, _) = apigateway::list(self.apigateway.clone()).await?;
                let id = apigateway::id(&apis, name)?;
                Ok(apigateway::address(id, stage, self.region(), self.execute_api.as_deref()))
            }
            other => Err(CloudError::Rejected {
                code: "NoAddress".to_owned(),
                message: format!("{other} is not called by an address of its own"),
            }),
        }
    }

    async fn scaling(&self, target: &Scalable) -> Result<ScalingNow, CloudError> {
        policies::now(&self.scaling.reading, target).await
    }
}

impl Aws {
    async fn function_facts(&self, resources: &BTreeSet<Resource>) -> Vec<(Resource, Found)> {
        let asked = of_kind(resources, |resource| match resource {
            Resource::Lambda { name } => Some(name.clone()),
            _ => None,
        });
        let jobs = asked
            .iter()
            .map(|(_, name)| lambda::facts(self.lambda.reading.clone(), name.clone()))
            .collect();
        answered(asked, self.slots.side_by_side(jobs).await)
    }

    async fn table_facts(&self, resources: &BTreeSet<Resource>) -> Vec<(Resource, Found)> {
        let asked = of_kind(resources, |resource| match resource {
            Resource::Dynamodb { name } => Some(name.clone()),
            _ => None,
        });
        let tables = self.tables(asked.iter().map(|(_, name)| name.clone()).collect()).await;
        let facts = tables
            .into_values()
            .map(|table| table.as_ref().map(dynamodb::Table::facts).map_err(Clone::clone));
        // Both are sorted by name, and no name is there twice.
        answered(asked, facts.collect())
    }

    async fn service_facts(&self, resources: &BTreeSet<Resource>) -> Vec<(Resource, Found)> {
        let asked = of_kind(resources, |resource| match resource {
            Resource::Ecs { cluster, name } => Some((cluster.clone(), name.clone())),
            _ => None,
        });
        let mut by_cluster: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (_, (cluster, name)) in &asked {
            by_cluster.entry(cluster.clone()).or_default().insert(name.clone());
        }
        let services = self.services(by_cluster).await;
        let tasks = self
            .task_definitions(
                services
                    .found()
                    .filter_map(|service| service.task_definition().map(str::to_owned))
                    .collect(),
            )
            .await;
        let facts = asked
            .iter()
            .map(|(_, (cluster, name))| {
                let service = services.get(cluster, name)?;
                Ok(ecs::facts(service, service.task_definition().and_then(|task| tasks.get(task))))
            })
            .collect();
        answered(asked, facts)
    }

    /// The size of tasks is an extra: without the permission for it, it is left out.
    async fn task_definitions(&self, names: BTreeSet<String>) -> BTreeMap<String, TaskDefinition> {
        let jobs = names
            .iter()
            .map(|name| ecs::task_definition(self.ecs.reading.clone(), name.clone()))
            .collect();
        let found = self.slots.side_by_side(jobs).await;
        names
            .into_iter()
            .zip(found)
            .filter_map(|(name, found)| match found {
                Ok(task) => Some((name, task)),
                Err(error) => {
                    tracing::warn!(%error, "the size of the tasks is not known");
                    None
                }
            })
            .collect()
    }

    async fn balancer_facts(&self, resources: &BTreeSet<Resource>) -> Vec<(Resource, Found)> {
        let asked = of_kind(resources, |resource| match resource {
            Resource::Alb { name } => Some(name.clone()),
            _ => None,
        });
        let jobs = asked.iter().map(|(_, name)| elb::facts(self.elb.clone(), name.clone())).collect();
        answered(asked, self.slots.side_by_side(jobs).await)
    }

    async fn api_facts(&self, resources: &BTreeSet<Resource>) -> Vec<(Resource, Found)> {
        let asked = of_kind(resources, |resource| match resource {
            Resource::RestApi { name, stage } => Some((name.clone(), stage.clone())),
            _ => None,
        });
        if asked.is_empty() {
            return Vec::new();
        }
        let (apis, account) = tokio::join!(
            apigateway::list(self.apigateway.clone()),
            apigateway::account_throttle(self.apigateway.clone())
        );
        let account = account.unwrap_or_else(|error| {
            tracing::warn!(%error, "the account's limits of API Gateway are not known");
            None
        });
        let jobs = asked
            .iter()
            .map(|(_, (name, stage))| {
                let id = match &apis {
                    Ok((apis, _)) => apigateway::id(apis, name).map(str::to_owned),
                    Err(error) => Err(error.clone()),
                };
                let (client, name, stage, account) = (self.apigateway.clone(), name.clone(), stage.clone(), account.clone());
                async move {
                    let id = id?;
                    let found = apigateway::stage(client, name, id.clone(), stage).await?;
                    Ok(apigateway::facts(&id, &found, account.as_ref()))
                }
            })
            .collect();
        answered(asked, self.slots.side_by_side(jobs).await)
    }
}

fn of_kind<T>(resources: &BTreeSet<Resource>, key: impl Fn(&Resource) -> Option<T>) -> Vec<(Resource, T)> {
    resources
        .iter()
        .filter_map(|resource| key(resource).map(|key| (resource.clone(), key)))
        .collect()
}

fn answered<T>(asked: Vec<(Resource, T)>, answers: Vec<Found>) -> Vec<(Resource, Found)> {
    asked.into_iter().map(|(resource, _)| resource).zip(answers).collect()
}
