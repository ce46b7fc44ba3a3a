//! What an account has, for whoever has no profile yet.

use crate::change::CloudError;
use crate::setting::Resource;

use super::connect::Aws;
use super::{apigateway, dynamodb, ecs, elb, lambda};

/// How many REST APIs are asked for their stages.
const APIS: usize = 500;

/// What was found in the region, and what was not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Discovered {
    /// Sorted by kind and name.
    pub resources: Vec<Resource>,
    /// In words: lists that were cut short, services that AWS does not let us list.
    pub notes: Vec<String>,
}

impl Discovered {
    fn add(&mut self, kind: &str, found: Result<(Vec<Resource>, bool), CloudError>) {
        match found {
            Ok((resources, more)) => {
                if more {
                    self.notes
                        .push(format!("there are more {kind} than the {} listed", resources.len()));
                }
                self.resources.extend(resources);
            }
            Err(error) => self.notes.push(format!("{kind} could not be listed: {error}")),
        }
    }
}

impl Aws {
    /// Lists functions, tables, ECS services, application load balancers and REST APIs with their stages, some hundred
    /// of each. A service that cannot be listed is a note, not an error.
    pub async fn discover(&self) -> Discovered {
        let (functions, tables, services, balancers, apis) = tokio::join!(
            lambda::list(self.lambda.reading.clone()),
            dynamodb::list(self.dynamodb.reading.clone()),
            self.all_services(),
            elb::list(self.elb.clone()),
            self.all_stages(),
        );
        let mut discovered = Discovered::default();
        discovered.add("functions", named(functions, |name| Resource::Lambda { name }));
        discovered.add("tables", named(tables, |name| Resource::Dynamodb { name }));
        discovered.add("ECS services", services);
        discovered.add("load balancers", named(balancers, |name| Resource::Alb { name }));
        discovered.add("REST APIs", apis);
        discovered.resources.sort();
        discovered
    }

    async fn all_services(&self) -> Result<(Vec<Resource>, bool), CloudError> {
        let (clusters, mut more) = ecs::clusters(self.ecs.reading.clone()).await?;
        let jobs = clusters
            .iter()
            .map(|cluster| ecs::list(self.ecs.reading.clone(), cluster.clone()))
            .collect();
        let found = self.slots.side_by_side(jobs).await;
        let mut all = Vec::new();
        for (cluster, found) in clusters.into_iter().zip(found) {
            let (names, cut) = found?;
            more |= cut;
            all.extend(names.into_iter().map(|name| Resource::Ecs {
                cluster: cluster.clone(),
                name,
            }));
        }
        more |= all.len() > ecs::LISTED;
        all.truncate(ecs::LISTED);
        Ok((all, more))
    }

    async fn all_stages(&self) -> Result<(Vec<Resource>, bool), CloudError> {
        let (mut apis, mut more) = apigateway::list(self.apigateway.clone()).await?;
        more |= apis.len() > APIS;
        apis.truncate(APIS);
        let jobs = apis
            .iter()
            .map(|api| apigateway::stages(self.apigateway.clone(), api.id.clone()))
            .collect();
        let found = self.slots.side_by_side(jobs).await;
        let mut all = Vec::new();
        for (api, stages) in apis.into_iter().zip(found) {
            all.extend(stages?.into_iter().map(|stage| Resource::RestApi {
                name: api.name.clone(),
                stage,
            }));
        }
        Ok((all, more))
    }
}

fn named(
    found: Result<(Vec<String>, bool), CloudError>,
    resource: impl Fn(String) -> Resource,
) -> Result<(Vec<Resource>, bool), CloudError> {
    found.map(|(names, more)| (names.into_iter().map(resource).collect(), more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_listed_is_said() {
        let mut discovered = Discovered::default();
        discovered.add(
            "functions",
            named(Ok((vec!["f".to_owned()], true)), |name| Resource::Lambda { name }),
        );
        discovered.add(
            "tables",
            Err(CloudError::Throttled {
                code: "Throttling".to_owned(),
                message: "slow down".to_owned(),
            }),
        );
        assert_eq!(discovered.resources.len(), 1);
        assert_eq!(discovered.notes[0], "there are more functions than the 1 listed");
        assert!(discovered.notes[1].starts_with("tables could not be listed"));
    }
}
