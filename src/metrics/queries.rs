//! From resources and what criteria ask for to one set of queries.

use std::collections::{BTreeMap, BTreeSet};

use super::align::MINUTE;
use super::catalogue::{self, OPERATIONS, Pattern, Row};
use super::{Completeness, MetricQuery, Missing, Series, Statistic, TimeWindow};
use crate::setting::resource::{Fact, Facts, Resource};

/// What a query answers; a series without its points.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesKey {
    /// `KIND/NAME`, or `KIND/*` for the account.
    pub resource: String,
    /// An index, an operation, a target group; empty otherwise.
    pub part: String,
    /// `aws.KIND.METRIC`.
    pub metric: String,
    /// What is asked for.
    pub statistic: Statistic,
    /// CloudWatch's unit as a word.
    pub unit: &'static str,
    /// Seconds of a point.
    pub period: u32,
    /// What a gap means.
    pub missing: Missing,
    /// What to fetch it for.
    pub window: TimeWindow,
}

/// A statistic that a criterion needs beside the default ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// As in `aws.KIND.METRIC`.
    pub kind: String,
    /// See `kind`.
    pub metric: String,
    /// What is asked for.
    pub statistic: Statistic,
    /// Over which stretch.
    pub window: TimeWindow,
    /// Seconds of a point: a minute, or the whole window where minutes cannot be combined.
    pub period: u32,
}

/// Everything to fetch, and what cannot be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queries {
    /// In a stable order, each once.
    pub wanted: Vec<(SeriesKey, MetricQuery)>,
    /// Series for which a dimension is not known, already failed.
    pub impossible: Vec<Series>,
}

/// All default series of the resources over the window, minute by minute, and what criteria ask for beside them.
///
/// Of the facts it reads `indexes` (of tables), `dimension` and `target-groups` (of load balancers), lists separated
/// by commas.
#[must_use]
pub fn queries(resources: &[Resource], facts: &BTreeMap<Resource, Facts>, asks: &[Ask], window: TimeWindow) -> Queries {
    let mut build = Build {
        facts,
        seen: BTreeSet::new(),
        out: Queries::default(),
    };
    for resource in resources {
        for row in catalogue::of_kind(resource.kind()) {
            for statistic in row.statistics {
                build.row(resource, row, *statistic, MINUTE, window);
            }
        }
        for ask in asks.iter().filter(|ask| ask.kind == resource.kind()) {
            if let Some(row) = catalogue::find(&ask.kind, &ask.metric) {
                build.row(resource, row, ask.statistic, ask.period, ask.window);
            }
        }
    }
    build.out
}

struct Build<'a> {
    facts: &'a BTreeMap<Resource, Facts>,
    seen: BTreeSet<String>,
    out: Queries,
}

impl Build<'_> {
    fn row(&mut self, resource: &Resource, row: &Row, statistic: Statistic, period: u32, window: TimeWindow) {
        for pattern in row.patterns {
            let owner = match pattern {
                Pattern::Account => format!("{}/*", resource.kind()),
                _ => resource.to_string(),
            };
            let key = |part: String| SeriesKey {
                resource: owner.clone(),
                part,
                metric: row.full_name(),
                statistic,
                unit: row.unit.word(),
                period,
                missing: row.missing,
                window,
            };
            match dimensions(*pattern, resource, self.facts.get(resource)) {
                Ok(sets) => {
                    for (part, dimensions) in sets {
                        let query = MetricQuery {
                            namespace: row.namespace.to_owned(),
                            metric: row.metric.to_owned(),
                            dimensions,
                            statistic,
                            period,
                        };
                        self.add(key(part), query);
                    }
                }
                Err(error) => self.fail(&key(String::new()), &error),
            }
        }
    }

    fn add(&mut self, key: SeriesKey, query: MetricQuery) {
        if self.seen.insert(format!("{key:?}")) {
            self.out.wanted.push((key, query));
        }
    }

    fn fail(&mut self, key: &SeriesKey, error: &str) {
        if self.seen.insert(format!("{key:?}")) {
            self.out
                .impossible
                .push(key.with(Vec::new(), Completeness::Failed { error: error.to_owned() }));
        }
    }
}

impl SeriesKey {
    /// The series of these points.
    #[must_use]
    pub fn with(&self, points: Vec<(crate::units::Timestamp, f64)>, completeness: Completeness) -> Series {
        Series {
            resource: self.resource.clone(),
            part: self.part.clone(),
            metric: self.metric.clone(),
            statistic: self.statistic,
            unit: self.unit.to_owned(),
            period: self.period,
            points,
            missing: self.missing,
            completeness,
        }
    }
}

type Dimensions = Vec<(String, String)>;

/// Every dimension set of a pattern with the part that it names.
fn dimensions(pattern: Pattern, resource: &Resource, facts: Option<&Facts>) -> Result<Vec<(String, Dimensions)>, String> {
    let name = resource.name();
    let one = |dimensions: &[(&str, &str)]| Ok(vec![(String::new(), owned(dimensions))]);
    match (pattern, resource) {
        (Pattern::Account, _) => one(&[]),
        (Pattern::Function, _) => one(&[("FunctionName", name)]),
        (Pattern::Table, _) => one(&[("TableName", name)]),
        (Pattern::Index, _) => Ok(list(facts, "indexes")
            .into_iter()
            .map(|index| {
                let set = owned(&[("TableName", name), ("GlobalSecondaryIndexName", &index)]);
                (index, set)
            })
            .collect()),
        (Pattern::Operation, _) => Ok(OPERATIONS
            .iter()
            .map(|operation| ((*operation).to_owned(), owned(&[("TableName", name), ("Operation", operation)])))
            .collect()),
        (Pattern::LoadBalancer, _) => one(&[("LoadBalancer", &balancer(resource, facts)?)]),
        (Pattern::TargetGroup, _) => {
            let balancer = balancer(resource, facts)?;
            Ok(list(facts, "target-groups")
                .into_iter()
                .map(|group| {
                    let set = owned(&[("LoadBalancer", &balancer), ("TargetGroup", &group)]);
                    (group, set)
                })
                .collect())
        }
        (Pattern::Stage, Resource::RestApi { stage, .. }) => one(&[("ApiName", name), ("Stage", stage)]),
        (Pattern::Service, Resource::Ecs { cluster, .. }) => one(&[("ClusterName", cluster), ("ServiceName", name)]),
        (Pattern::Stage | Pattern::Service, _) => Err(format!("{resource} has no such dimension")),
    }
}

fn owned(dimensions: &[(&str, &str)]) -> Dimensions {
    dimensions
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn balancer(resource: &Resource, facts: Option<&Facts>) -> Result<String, String> {
    list(facts, "dimension")
        .into_iter()
        .next()
        .ok_or_else(|| format!("the ARN of {resource} is not known, so its metrics cannot be asked for"))
}

fn list(facts: Option<&Facts>, key: &str) -> Vec<String> {
    match facts.and_then(|facts| facts.get(key)) {
        Some(Fact::Text(text)) => text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> TimeWindow {
        TimeWindow::covering("2026-11-21T14:04:00Z".parse().unwrap(), "2026-11-21T14:09:00Z".parse().unwrap())
    }

    fn text(text: &str) -> Fact {
        Fact::Text(text.to_owned())
    }

    fn find<'a>(queries: &'a Queries, metric: &str) -> Vec<&'a (SeriesKey, MetricQuery)> {
        queries.wanted.iter().filter(|(key, _)| key.metric == metric).collect()
    }

    #[test]
    fn a_table_is_asked_for_with_its_indexes_and_operations() {
        let table = Resource::Dynamodb {
            name: "conversations".into(),
        };
        let facts = BTreeMap::from([(table.clone(), Facts::from([("indexes".to_owned(), text("by-user, by-day"))]))]);
        let queries = queries(&[table], &facts, &[], window());
        let parts: Vec<&str> = find(&queries, "aws.dynamodb.write_throttle_events")
            .iter()
            .map(|(key, _)| key.part.as_str())
            .collect();
        assert_eq!(parts, ["", "by-user", "by-day"]);
        let requests = find(&queries, "aws.dynamodb.throttled_requests");
        assert_eq!(requests.len(), OPERATIONS.len());
        assert_eq!(
            requests[1].1.dimensions,
            owned(&[("TableName", "conversations"), ("Operation", "PutItem")])
        );
        assert!(find(&queries, "aws.dynamodb.user_errors")[0].1.dimensions.is_empty());
    }

    #[test]
    fn account_wide_series_are_asked_for_once() {
        let functions = ["a", "b", "c"].map(|name| Resource::Lambda { name: name.into() });
        let queries = queries(&functions, &BTreeMap::new(), &[], window());
        let concurrency = find(&queries, "aws.lambda.concurrent_executions");
        assert_eq!(concurrency.len(), 4);
        assert_eq!(concurrency.iter().filter(|(key, _)| key.resource == "lambda/*").count(), 1);
    }

    #[test]
    fn a_balancer_without_its_arn_is_failed_and_not_zero() {
        let balancer = Resource::Alb { name: "front".into() };
        let unknown = queries(std::slice::from_ref(&balancer), &BTreeMap::new(), &[], window());
        assert!(unknown.wanted.is_empty());
        assert!(
            unknown
                .impossible
                .iter()
                .all(|series| matches!(series.completeness, Completeness::Failed { .. }))
        );
        let facts = BTreeMap::from([(
            balancer.clone(),
            Facts::from([
                ("dimension".to_owned(), text("app/front/1")),
                ("target-groups".to_owned(), text("targetgroup/a/1")),
            ]),
        )]);
        let known = queries(&[balancer], &facts, &[], window());
        assert!(known.impossible.is_empty());
        assert_eq!(
            find(&known, "aws.alb.healthy_host_count")[0].1.dimensions,
            owned(&[("LoadBalancer", "app/front/1"), ("TargetGroup", "targetgroup/a/1")])
        );
    }

    #[test]
    fn a_percentile_is_asked_for_over_the_whole_window_and_only_once() {
        let ask = Ask {
            kind: "lambda".into(),
            metric: "duration".into(),
            statistic: Statistic::Percentile(95.0),
            window: window(),
            period: window().seconds(),
        };
        let function = Resource::Lambda { name: "orders".into() };
        let queries = queries(&[function], &BTreeMap::new(), &[ask.clone(), ask], window());
        let percentiles: Vec<_> = queries
            .wanted
            .iter()
            .filter(|(_, query)| query.statistic == Statistic::Percentile(95.0))
            .collect();
        assert_eq!(percentiles.len(), 1);
        assert_eq!(percentiles[0].1.period, 300);
    }

    #[test]
    fn the_demo_fits_one_call() {
        let mut resources: Vec<Resource> = ["a", "b", "c"].map(|name| Resource::Lambda { name: name.into() }).into();
        resources.extend(["t", "u"].map(|name| Resource::Dynamodb { name: name.into() }));
        resources.push(Resource::RestApi {
            name: "api".into(),
            stage: "prod".into(),
        });
        assert!(queries(&resources, &BTreeMap::new(), &[], window()).wanted.len() <= 500);
    }
}
