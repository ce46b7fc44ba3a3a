//! The shipped profiles hold every number of their source documents.

use std::time::Duration;

use super::{Place, Profile, library};
use crate::scenario::{Aggregation, Criterion, Limit, Measure, Metric, Op, Shape};
use crate::setting::{Dimension, Resource, Wanted, Wish};
use crate::units::{Quantity, Rate};

fn load(name: &str) -> Profile {
    let directory = tempfile::tempdir().unwrap();
    library::load(directory.path(), name, &[]).unwrap()
}

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

fn shapes(profile: &Profile, scenario: &str) -> Vec<(Shape, Duration)> {
    let scenario = profile.scenario(Some(scenario), "http://127.0.0.1").unwrap();
    scenario.phases.into_iter().map(|phase| (phase.shape, phase.duration)).collect()
}

fn users(from: u32, to: u32, spawn_rate: Option<f64>) -> Shape {
    Shape::Users {
        from,
        to,
        spawn_rate: spawn_rate.map(Rate),
    }
}

fn judged<'a>(profile: &'a Profile, name: &str) -> &'a Criterion {
    profile.criteria.iter().find(|criterion| criterion.name == name).unwrap()
}

fn passes(profile: &Profile, name: &str) -> (Metric, Aggregation, Limit) {
    let criterion = judged(profile, name);
    let Measure::Metric(metric) = criterion.measure.clone() else {
        panic!("{name} is a recovery");
    };
    let pass = criterion.pass.clone().unwrap();
    (metric, pass.aggregation, pass.limit)
}

fn aws(kind: &str, metric: &str) -> Metric {
    Metric::Aws {
        kind: kind.to_owned(),
        metric: metric.to_owned(),
    }
}

#[test]
fn hcg_demo_sets_what_the_guide_says() {
    let profile = load("hcg-demo");
    let reserved: Vec<(&str, Option<u32>)> = profile
        .wishes
        .iter()
        .filter_map(|wish| match wish {
            Wish::LambdaReserved { function, limit } => Some((function.as_str(), *limit)),
            _ => None,
        })
        .collect();
    assert_eq!(
        reserved,
        [
            ("hcg-demo-webhook-handler", Some(100)),
            ("hcg-demo-supervisor-agent", Some(100)),
            ("hcg-demo-servicenow-action", Some(100)),
        ]
    );
    assert_eq!(reserved.iter().filter_map(|(_, limit)| *limit).sum::<u32>(), 300);
    let mut tables = Vec::new();
    for wish in &profile.wishes {
        let Wish::TableScaling { table, own, indexes } = wish else {
            continue;
        };
        assert!(indexes.is_empty());
        tables.push(table.as_str());
        for dimension in [Dimension::Read, Dimension::Write] {
            let scaling = own[&dimension];
            assert_eq!((scaling.min, scaling.max), (5, 100));
            assert!((scaling.utilization - 70.0).abs() < f64::EPSILON);
            assert!(scaling.start.is_some_and(|start| (5..=100).contains(&start)));
        }
    }
    assert_eq!(tables, ["hcg-demo-conversations", "hcg-demo-user-feedback"]);
    assert_eq!(profile.wishes.len(), 5);
    assert_eq!(profile.resources.len(), 6);
}

#[test]
fn hcg_demo_requires_what_the_guide_says() {
    let profile = load("hcg-demo");
    let required: Vec<(&str, &str, &str)> = profile
        .requirements
        .iter()
        .map(|r| (r.resource.name(), r.key.as_str(), r.text.as_str()))
        .collect();
    assert_eq!(
        required,
        [
            ("hcg-demo-api", "account-rate-limit", ">= 10000/s"),
            ("hcg-demo-webhook-handler", "timeout", "60s"),
            ("hcg-demo-webhook-handler", "memory", "512MB"),
            ("hcg-demo-supervisor-agent", "timeout", "60s"),
            ("hcg-demo-supervisor-agent", "memory", "512MB"),
            ("hcg-demo-servicenow-action", "timeout", "30s"),
            ("hcg-demo-servicenow-action", "memory", "256MB"),
        ]
    );
    assert_eq!(
        profile.requirements[0].wanted,
        Wanted::Quantity(Op::AtLeast, Quantity::PerSecond(10_000.0))
    );
    assert_eq!(profile.requirements[1].wanted, Wanted::Quantity(Op::Equal, Quantity::Seconds(60.0)));
    assert_eq!(
        profile.requirements[6].wanted,
        Wanted::Quantity(Op::Equal, Quantity::Bytes(268_435_456.0))
    );
    let aws = profile.aws.as_ref().unwrap();
    assert_eq!(aws.region, "ap-southeast-1");
    let api = Resource::RestApi {
        name: "hcg-demo-api".into(),
        stage: "prod".into(),
    };
    assert_eq!(profile.target.as_ref().unwrap().place, Place::Resource(api));
}

#[test]
fn hcg_demo_drives_what_the_guide_says() {
    let profile = load("hcg-demo");
    let names: Vec<&str> = profile.scenarios().map(|scenario| scenario.name).collect();
    assert_eq!(names, ["load", "baseline", "ramp"]);
    assert_eq!(shapes(&profile, "load"), [(users(500, 500, Some(10.0)), minutes(5))]);
    assert!(matches!(
        shapes(&profile, "baseline")[..],
        [(Shape::Users { from: 50, to: 50, .. }, _)]
    ));
    assert!(matches!(
        shapes(&profile, "ramp")[..],
        [(Shape::Users { from: 50, to: 500, .. }, _)]
    ));
    let scenario = profile.scenario(None, "http://127.0.0.1").unwrap();
    let weights: Vec<(&str, f64)> = scenario.journeys.iter().map(|j| (j.name.as_str(), j.weight)).collect();
    assert_eq!(weights, [("kb-query", 40.0), ("ticket", 20.0), ("feedback", 10.0), ("other", 30.0)]);
    let questions: Vec<(&str, &str)> = scenario.data[0]
        .rows
        .iter()
        .map(|row| (row["topic"].as_str().unwrap(), row["text"].as_str().unwrap()))
        .collect();
    assert_eq!(
        questions,
        [
            ("HR", "What are the HR benefits?"),
            ("HR", "How do I request leave?"),
            ("IT", "My laptop is broken"),
            ("IT", "VPN not working"),
            ("Finance", "How do I submit expenses?"),
            ("Finance", "Expense policy"),
            ("General", "Where is the office?"),
            ("General", "Office hours"),
        ]
    );
    let undo = profile.cannot_undo();
    assert_eq!(undo.len(), 1);
    assert_eq!(
        (undo[0].journey.as_str(), undo[0].text.as_str()),
        ("ticket", "creates incidents in ServiceNow")
    );
}

#[test]
fn hcg_demo_is_judged_by_what_the_guide_says() {
    let profile = load("hcg-demo");
    let less = |quantity| Limit::Compare(Op::Less, quantity);
    let zero = Limit::Compare(Op::Equal, Quantity::Number(0.0));
    assert_eq!(
        passes(&profile, "P95 latency"),
        (Metric::ResponseTime, Aggregation::Percentile(95.0), less(Quantity::Seconds(15.0)))
    );
    assert_eq!(
        passes(&profile, "error rate"),
        (Metric::Errors { kind: None }, Aggregation::Share, less(Quantity::Share(0.01)))
    );
    assert_eq!(
        passes(&profile, "no Lambda throttling"),
        (aws("lambda", "throttles"), Aggregation::Sum, zero.clone())
    );
    assert_eq!(
        passes(&profile, "no DynamoDB throttling"),
        (aws("dynamodb", "throttled_requests"), Aggregation::Sum, zero)
    );
    let scales = judged(&profile, "DynamoDB auto-scales");
    assert_eq!(scales.scope.on, ["dynamodb/hcg-demo-conversations"]);
    let at_least_once = Limit::Compare(Op::AtLeast, Quantity::Number(1.0));
    assert_eq!(
        passes(&profile, "DynamoDB auto-scales"),
        (Metric::ScalingActivities, Aggregation::Count, at_least_once)
    );
    assert_eq!(profile.criteria_for("load").len(), 5);
    assert_eq!(profile.criteria_for("baseline").len(), 4);
}

#[test]
fn hcg_demo_limits_can_be_raised_by_flags() {
    let directory = tempfile::tempdir().unwrap();
    let flags = ["lambda/*.reserved-concurrency=200", "dynamodb/*.read.autoscale=5..200"].map(|flag| flag.parse().unwrap());
    let profile = library::load(directory.path(), "hcg-demo", &flags).unwrap();
    for wish in &profile.wishes {
        match wish {
            Wish::LambdaReserved { limit, .. } => assert_eq!(*limit, Some(200)),
            Wish::TableScaling { own, .. } => assert_eq!((own[&Dimension::Read].max, own[&Dimension::Write].max), (200, 100)),
            Wish::Service { .. } => panic!("no service in this profile"),
        }
    }
}

#[test]
fn ecs_chatbot_drives_what_the_plan_says() {
    let profile = load("ecs-chatbot");
    let names: Vec<&str> = profile.scenarios().map(|scenario| scenario.name).collect();
    assert_eq!(names, ["baseline", "stress", "spike"]);
    assert!(matches!(
        shapes(&profile, "baseline")[..],
        [(Shape::Users { from: 100, to: 100, .. }, _)]
    ));
    let stress = shapes(&profile, "stress");
    assert_eq!(stress[0], (users(100, 1000, None), minutes(45)));
    assert_eq!(stress[1], (users(1000, 1000, None), minutes(10)));
    let spike: Vec<u32> = shapes(&profile, "spike")
        .into_iter()
        .map(|(shape, _)| match shape {
            Shape::Users { to, .. } => to,
            Shape::Arrivals { .. } => 0,
        })
        .collect();
    assert_eq!(spike, [100, 500, 100]);
}

#[test]
fn ecs_chatbot_asks_for_the_limits_that_the_plan_does_not_give() {
    let profile = load("ecs-chatbot");
    let asks: Vec<(&str, &str)> = profile.asks.iter().map(|ask| (ask.criterion.as_str(), ask.text.as_str())).collect();
    assert_eq!(
        asks,
        [
            ("average response time", "avg < ?"),
            ("median response time", "med < ?"),
            ("95th percentile", "p(95) < ?"),
            ("throughput", "rate > ?"),
            ("error rate", "rate < ?"),
            ("CPU", "max < ?"),
            ("memory", "max < ?"),
        ]
    );
    for ask in &profile.asks {
        let line = profile.source().lines().nth(ask.line - 1).unwrap();
        assert!(line.contains(&ask.text), "{line}");
    }
    assert_eq!(profile.criteria_for("baseline").len(), 7);
    assert_eq!(profile.criteria_for("stress").len(), 2);
    assert_eq!(profile.criteria_for("spike").len(), 3);
    let Measure::Recovery(recovery) = &judged(&profile, "back to normal after the spike").measure else {
        panic!("not a recovery");
    };
    assert_eq!(recovery.after_phase, "spike");
}

#[test]
fn ecs_chatbot_sets_the_service_and_nothing_else() {
    let profile = load("ecs-chatbot");
    assert_eq!(
        profile.wishes,
        [Wish::Service {
            cluster: "chatbot-staging".into(),
            service: "chatbot-api".into(),
            desired: Some(4),
            range: Some((4, 20)),
        }]
    );
    assert_eq!(profile.requirements[0].wanted, Wanted::Flag(true));
}

#[test]
fn every_assumption_is_marked_and_every_left_out_part_is_named() {
    let left_out = |name: &str, parts: &[&str]| {
        let profile = load(name);
        assert!(profile.source().contains("ASSUMED"));
        for part in parts {
            let named = profile.source().lines().any(|line| line.starts_with('#') && line.contains(part));
            assert!(named, "{name} does not say that {part} is left out");
        }
    };
    left_out(
        "hcg-demo",
        &["[[dashboard]]", "[[test-data]]", "[cost]", "[guard]", "--web", "sigv4"],
    );
    left_out(
        "ecs-chatbot",
        &[
            "[[rds]]",
            "[[s3]]",
            "[[alarm]]",
            "container-insights",
            "[guard]",
            "fargate",
            "Network",
        ],
    );
}

#[test]
fn the_starter_shows_both_models_of_load() {
    let profile = load("starter");
    assert!(
        shapes(&profile, "load")
            .iter()
            .all(|(shape, _)| matches!(shape, Shape::Users { .. }))
    );
    assert!(matches!(shapes(&profile, "arrivals")[..], [(Shape::Arrivals { .. }, _)]));
    assert!(profile.asks.is_empty());
}
