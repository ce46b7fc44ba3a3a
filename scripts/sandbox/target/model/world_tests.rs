//! A whole system in virtual time: what loads do to it, by arithmetic.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::super::settings::{FunctionSettings, ServiceSettings};
use super::*;

const START: Duration = Duration::from_mins(29_833_334);

fn start() -> Time {
    Time::since_epoch(START)
}

/// Sends `rate` calls a second for `seconds`, evenly, and lets all of them end.
fn load(world: &mut World, call: Call, rate: u32, seconds: u32) -> BTreeMap<u16, u64> {
    let mut ends = BTreeMap::new();
    let mut started = 0_u64;
    for n in 0..rate * seconds {
        let at = start() + Duration::from_secs(1) * n / rate;
        match world.arrive(at, call) {
            Arrival::Now(outcome) => *ends.entry(outcome.status()).or_insert(0) += 1,
            Arrival::Later(_) => started += 1,
        }
    }
    world.advance(start() + Duration::from_secs(u64::from(seconds) + 120));
    let mut landed = 0;
    for finished in world.drain_finished() {
        landed += 1;
        *ends.entry(finished.outcome.status()).or_insert(0) += 1;
    }
    assert_eq!(started, landed, "every request ends once");
    ends
}

/// The sum of a metric that counts; whole, so it can be compared exactly.
fn sum(points: &[Point], metric: &str, dimensions: &[(&'static str, &str)]) -> u64 {
    let wanted: BTreeMap<&'static str, String> = dimensions.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    points
        .iter()
        .filter(|point| point.series.metric == metric && point.series.dimensions == wanted)
        .map(|point| format!("{:.0}", point.sum).parse::<u64>().unwrap())
        .sum()
}

fn hcg(supervisor: Option<u32>, units: u64) -> World {
    let mut settings = Settings::hcg_demo();
    settings.version = 1;
    settings
        .functions
        .insert("hcg-demo-supervisor-agent".to_owned(), FunctionSettings { reserved: supervisor });
    for table in settings.tables.values_mut() {
        (table.read, table.write) = (units, units);
        table.indexes.values_mut().for_each(|index| index.write = units);
    }
    let mut world = World::new(System::HcgDemo, 7, 1, start());
    world.apply(start(), &settings);
    world
}

#[test]
fn ten_supervisors_answer_about_sixteen_a_second_and_the_rest_is_throttled() {
    let mut world = hcg(Some(10), 1000);
    let ends = load(&mut world, Call::Webhook { ticket: false }, 40, 60);
    let (answered, failed) = (ends[&200], ends[&500]);
    assert_eq!(answered + failed, 2400);
    assert!((880..=1040).contains(&answered), "10 slots of about 0.62 s: {answered}");
    let points = world.drain_points();
    let supervisor = [("FunctionName", "hcg-demo-supervisor-agent")];
    let webhook = [("FunctionName", "hcg-demo-webhook-handler")];
    assert_eq!(sum(&points, "Throttles", &supervisor), failed);
    assert_eq!(sum(&points, "Invocations", &supervisor), answered);
    assert_eq!(sum(&points, "Throttles", &[]), failed);
    assert_eq!(sum(&points, "Invocations", &webhook), 2400);
    assert_eq!(sum(&points, "Throttles", &webhook), 0);
    assert_eq!(sum(&points, "Count", &[("ApiName", "hcg-demo-api")]), 2400);
    assert_eq!(sum(&points, "5XXError", &[("ApiName", "hcg-demo-api"), ("Stage", "prod")]), failed);
    let most = points
        .iter()
        .filter(|point| point.series.metric == "ConcurrentExecutions")
        .filter(|point| {
            point
                .series
                .dimensions
                .get("FunctionName")
                .is_some_and(|name| name == "hcg-demo-supervisor-agent")
        })
        .map(|point| point.max)
        .fold(0.0, f64::max);
    assert!((most - 10.0).abs() < 1e-9, "{most}");
}

#[test]
fn a_raised_reservation_ends_the_throttling() {
    let ends = load(&mut hcg(Some(100), 1000), Call::Webhook { ticket: true }, 40, 60);
    assert_eq!(ends, BTreeMap::from([(200, 2400)]));
}

#[test]
fn a_table_out_of_units_fails_what_its_retries_cannot_save() {
    let mut world = hcg(Some(500), 5);
    let ends = load(&mut world, Call::Webhook { ticket: false }, 40, 120);
    let answered = ends[&200];
    assert!((2050..=2200).contains(&answered), "1500 of burst and 5 a second: {answered}");
    let points = world.drain_points();
    let throttled = |operation| {
        sum(
            &points,
            "ThrottledRequests",
            &[("TableName", "hcg-demo-conversations"), ("Operation", operation)],
        )
    };
    let failed = ends[&500];
    assert!(throttled("GetItem") + throttled("PutItem") >= 3 * failed, "three tries each");
    let consumed = sum(&points, "ConsumedWriteCapacityUnits", &[("TableName", "hcg-demo-conversations")]);
    assert_eq!(consumed, answered);
    assert_eq!(sum(&points, "Errors", &[("FunctionName", "hcg-demo-supervisor-agent")]), failed);
    assert_eq!(sum(&points, "Errors", &[("FunctionName", "hcg-demo-webhook-handler")]), 0);
}

#[test]
fn a_blocked_front_function_answers_500_at_once() {
    let mut world = World::new(System::HcgDemo, 7, 1, start());
    let mut settings = Settings::hcg_demo();
    settings
        .functions
        .insert("hcg-demo-webhook-handler".to_owned(), FunctionSettings { reserved: Some(0) });
    world.apply(start(), &settings);
    assert_eq!(load(&mut world, Call::Feedback, 10, 10), BTreeMap::from([(500, 100)]));
    let points = world.drain_points();
    assert_eq!(sum(&points, "Throttles", &[("FunctionName", "hcg-demo-webhook-handler")]), 100);
    assert!(!points.iter().any(|point| point.series.metric == "Invocations"));
}

#[test]
fn the_gateways_own_throttle_is_429() {
    let mut world = World::new(System::HcgDemo, 7, 1, start());
    let ends: Vec<u16> = (0..6000)
        .filter_map(|_| match world.arrive(start(), Call::Malformed) {
            Arrival::Now(outcome) => Some(outcome.status()),
            Arrival::Later(_) => None,
        })
        .collect();
    assert_eq!(ends, vec![429; 1000], "a burst of 5,000");
}

#[test]
fn two_tasks_answer_about_thirty_a_second_and_the_balancer_refuses_the_rest() {
    let mut world = World::new(System::EcsChatbot, 7, 1, start());
    let ends = load(&mut world, Call::Chat, 60, 60);
    let answered = ends[&200];
    assert!((1980..=2080).contains(&answered), "60 s of 30.8/s and 200 queued: {answered}");
    assert_eq!(answered + ends[&503], 3600);
    let points = world.drain_points();
    let balancer = ("LoadBalancer", "app/chatbot-staging/50dc6c495c0c9188");
    let refused = ends[&503];
    assert_eq!(sum(&points, "HTTPCode_ELB_503_Count", &[balancer]), refused);
    assert_eq!(sum(&points, "RequestCount", &[balancer]) + refused, 3600);
    assert!(!points.iter().any(|point| point.series.metric == "HTTPCode_ELB_504_Count"));
    let processor = points.iter().find(|point| point.series.metric == "CPUUtilization").unwrap();
    assert!(processor.max > 99.0);
}

#[test]
fn enough_tasks_refuse_nothing_and_idle_gauges_are_still_published() {
    let mut world = World::new(System::EcsChatbot, 7, 1, start());
    let mut settings = Settings::ecs_chatbot();
    settings
        .services
        .insert("chatbot-staging/chatbot-api".to_owned(), ServiceSettings { desired: 5, running: 5 });
    world.apply(start(), &settings);
    assert_eq!(load(&mut world, Call::Chat, 60, 60), BTreeMap::from([(200, 3600)]));
    let minutes: Vec<u64> = world
        .drain_points()
        .iter()
        .filter(|point| point.series.metric == "CPUUtilization")
        .map(|p| p.minute)
        .collect();
    assert_eq!(minutes.len(), 3, "the minute of load and the two idle ones: {minutes:?}");
}

#[test]
fn a_service_without_tasks_is_503() {
    let mut world = World::new(System::EcsChatbot, 7, 1, start());
    world.apply(start(), &Settings::default());
    assert_eq!(world.arrive(start(), Call::Health), Arrival::Now(Outcome::NoCapacity));
}

#[test]
fn settings_whose_version_went_back_are_a_new_account_with_full_buckets() {
    let mut world = hcg(Some(500), 5);
    let ends = load(&mut world, Call::Feedback, 100, 60);
    assert!(ends.contains_key(&500));
    let later = start() + Duration::from_secs(200);
    world.apply(
        later,
        &Settings {
            version: 0,
            ..Settings::hcg_demo()
        },
    );
    for _ in 0..900 {
        world.arrive(later, Call::Feedback);
    }
    world.advance(later + Duration::from_secs(10));
    assert!(world.drain_finished().all(|finished| finished.outcome == Outcome::Answered));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn with_capacity_for_the_load_nothing_is_throttled(rate in 1_u32..60, seed in any::<u64>()) {
        let mut settings = Settings::hcg_demo();
        // Nobody answers slower than ten seconds, so ten a request and second are always enough.
        settings.functions.insert(
            "hcg-demo-supervisor-agent".to_owned(),
            FunctionSettings { reserved: Some((rate * 10).min(900)) },
        );
        for table in settings.tables.values_mut() {
            (table.read, table.write) = (u64::from(rate), u64::from(rate));
            table.indexes.values_mut().for_each(|index| index.write = u64::from(rate));
        }
        let mut world = World::new(System::HcgDemo, seed, 1, start());
        world.apply(start(), &settings);
        let ends = load(&mut world, Call::Webhook { ticket: false }, rate, 30);
        prop_assert_eq!(ends, BTreeMap::from([(200, u64::from(rate) * 30)]));
        let points = world.drain_points();
        prop_assert_eq!(sum(&points, "Throttles", &[]), 0);
        prop_assert!(!points.iter().any(|point| point.series.metric.contains("Throttle") && point.sum > 0.0));
    }

    #[test]
    fn the_same_seed_and_arrivals_end_the_same_however_often_the_clock_is_asked(
        gaps in proptest::collection::vec(0_u64..120, 1..200),
        seed in any::<u64>(),
    ) {
        let run = |asked: bool| {
            let mut world = World::new(System::HcgDemo, seed, 1, start());
            let mut now = start();
            for gap in &gaps {
                for _ in 0..*gap {
                    now = now + Duration::from_millis(1);
                    if asked {
                        world.advance(now);
                    }
                }
                world.arrive(now, Call::Webhook { ticket: gap % 3 == 0 });
            }
            world.advance(now + Duration::from_mins(1));
            let ends: Vec<Finished> = world.drain_finished().collect();
            (ends, world.drain_points())
        };
        prop_assert_eq!(run(true), run(false));
    }
}
