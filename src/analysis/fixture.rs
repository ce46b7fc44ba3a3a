//! A run as a test may meet it: 500 users for five minutes against a demo whose function throttles. The numbers are
//! those of the mock-up of the run's end: 22,480 requests, 519 failures.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Evidence, FrontDoor};
use crate::load::recording::{CellKey, Iterations, JourneyNames, histogram, micros};
use crate::load::sparse::Scratch;
use crate::load::{Bucket, Cell, EndReason, ErrorSeen, Failure, Generator, PhaseWindow, Recording, Slice};
use crate::metrics::{Activity, Completeness, Limits, Missing, Series, Statistic, TimeWindow, queries};
use crate::scenario::{Aggregation, Condition, Criterion, Limit, Measure, Metric, Op, Phase, Scenario, Scope, Shape, Target};
use crate::setting::Resource;
use crate::units::{Quantity, Rate, Timestamp};

pub(crate) const DOOR: FrontDoor = FrontDoor::RestApi;

const JOURNEYS: [(&str, &str, u64); 4] = [
    ("kb-query", "ask", 40),
    ("ticket", "create-incident", 20),
    ("feedback", "send-feedback", 10),
    ("other", "small-talk", 30),
];
const BUCKETS: u64 = 60;
const BUCKET_SECONDS: f64 = 5.0;
const REQUESTS: u64 = 22_480;
/// By minute: answers 500 that the client saw.
const FAILED: [u64; 5] = [9, 100, 130, 168, 100];
/// Timeouts, all in the fourth minute.
const TIMEOUTS: u64 = 12;

pub(crate) fn at(clock: &str) -> Timestamp {
    format!("2026-11-21T{clock}Z").parse().unwrap()
}

pub(crate) fn window() -> TimeWindow {
    TimeWindow::covering(at("14:04:00"), at("14:09:00"))
}

/// A condition as profiles write it: `p(95) < 15s`, `avg not in 20%..40%`, `growth(avg) > 20%`, `value < ?`.
pub(crate) fn condition(text: &str) -> Condition {
    let (what, rest) = text.split_once(' ').unwrap();
    let (not, rest) = rest.strip_prefix("not ").map_or((false, rest), |rest| (true, rest));
    let (word, value) = rest.split_once(' ').unwrap();
    let quantity = |text: &str| Quantity::parse(text).unwrap();
    let op = |symbol: &str| {
        [Op::Less, Op::AtMost, Op::More, Op::AtLeast, Op::Equal, Op::NotEqual]
            .into_iter()
            .find(|op| op.symbol() == symbol)
            .unwrap()
    };
    let limit = match (word, value) {
        ("in", range) => {
            let (from, to) = range.split_once("..").unwrap();
            Limit::Range {
                from: quantity(from),
                to: quantity(to),
                not,
            }
        }
        (symbol, "?") => Limit::Ask(op(symbol)),
        (symbol, value) => Limit::Compare(op(symbol), quantity(value)),
    };
    Condition {
        text: text.to_owned(),
        aggregation: aggregation(what, &limit),
        limit,
    }
}

fn aggregation(what: &str, limit: &Limit) -> Aggregation {
    let inside = |open: &str| what.strip_prefix(open).and_then(|rest| rest.strip_suffix(')'));
    if let Some(p) = inside("growth(p(").and_then(|p| p.strip_suffix(')')) {
        return Aggregation::GrowthPercentile(p.parse().unwrap());
    }
    if let Some(p) = inside("p(") {
        return Aggregation::Percentile(p.parse().unwrap());
    }
    match (what, limit) {
        ("avg", _) => Aggregation::Avg,
        ("min", _) => Aggregation::Min,
        ("med", _) => Aggregation::Med,
        ("max", _) => Aggregation::Max,
        ("sum", _) => Aggregation::Sum,
        ("count", _) => Aggregation::Count,
        ("rate", Limit::Compare(_, Quantity::PerSecond(_))) => Aggregation::PerSecond,
        ("rate", _) => Aggregation::Share,
        ("value", _) => Aggregation::Value,
        ("time", _) => Aggregation::Time,
        ("growth(avg)", _) => Aggregation::GrowthAvg,
        _ => panic!("`{what}` is no aggregation"),
    }
}

/// A criterion over the whole run, with its bands by name.
pub(crate) fn criterion(name: &str, metric: Metric, bands: &[(&str, &str)]) -> Criterion {
    let band = |which: &str| bands.iter().find(|(band, _)| *band == which).map(|(_, text)| condition(text));
    Criterion {
        name: name.to_owned(),
        measure: Measure::Metric(metric),
        scope: Scope::default(),
        pass: band("pass"),
        warn: band("warn"),
        fail: band("fail"),
        invalid: band("invalid"),
        scenario: None,
        window: None,
        abort_after: None,
    }
}

pub(crate) fn aws(kind: &str, metric: &str) -> Metric {
    Metric::Aws {
        kind: kind.to_owned(),
        metric: metric.to_owned(),
    }
}

/// The demo's criteria.
pub(crate) fn criteria() -> Vec<Criterion> {
    let mut scales = criterion("DynamoDB auto-scales", Metric::ScalingActivities, &[("pass", "count >= 1")]);
    scales.scope.on = vec!["dynamodb/hcg-demo-conversations".to_owned()];
    vec![
        criterion("P95 latency", Metric::ResponseTime, &[("pass", "p(95) < 15s")]),
        criterion("error rate", Metric::Errors { kind: None }, &[("pass", "rate < 1%")]),
        criterion("no Lambda throttling", aws("lambda", "throttles"), &[("pass", "sum == 0")]),
        criterion(
            "no DynamoDB throttling",
            aws("dynamodb", "throttled_requests"),
            &[("pass", "sum == 0")],
        ),
        scales,
    ]
}

pub(crate) fn scenario() -> Scenario {
    Scenario {
        name: "load".to_owned(),
        description: "500 users for 5 minutes".to_owned(),
        phases: vec![Phase {
            name: "load".to_owned(),
            duration: Duration::from_mins(5),
            shape: Shape::Users {
                from: 500,
                to: 500,
                spawn_rate: Some(Rate(10.0)),
            },
            expect: Vec::new(),
        }],
        journeys: Vec::new(),
        data: Vec::new(),
        target: Target {
            url: "https://api.example.com/prod".to_owned(),
            timeout: Duration::from_secs(30),
            headers: Vec::new(),
        },
        observe: Duration::ZERO,
    }
}

/// The client's record.
pub(crate) fn recording() -> Recording {
    let timeline: Vec<Bucket> = (0..BUCKETS).map(bucket).collect();
    let mut cells: BTreeMap<CellKey, Cell> = BTreeMap::new();
    for ((journey, step), cell) in timeline.iter().flat_map(|bucket| &bucket.cells) {
        let key = CellKey {
            phase: 0,
            journey: *journey,
            step: *step,
        };
        cell.add_to(cells.entry(key).or_default());
    }
    Recording {
        started: at("14:04:00"),
        ended: at("14:09:00"),
        end: EndReason::Completed,
        phases: vec![PhaseWindow {
            name: "load".to_owned(),
            from: 0.0,
            to: 300.0,
        }],
        journeys: JOURNEYS
            .iter()
            .map(|(name, step, _)| JourneyNames {
                name: (*name).to_owned(),
                tags: vec![if *name == "kb-query" { "kb".to_owned() } else { (*name).to_owned() }],
                steps: vec![(*step).to_owned()],
            })
            .collect(),
        iterations: cells.iter().map(|(key, cell)| (key.phase, key.journey, iterations(cell))).collect(),
        cells: cells.into_iter().collect(),
        timeline,
        bucket_seconds: BUCKET_SECONDS,
        errors: errors(),
        generator: Generator {
            threads: 2,
            arrivals: REQUESTS,
            cpu_seconds: 93.0,
            ..Generator::default()
        },
        seed: 42,
        time_scale: 1.0,
    }
}

fn bucket(index: u64) -> Bucket {
    let minute = usize::try_from(index / 12).unwrap();
    let share = |total: u64, parts: u64, part: u64| (part + 1) * total / parts - part * total / parts;
    let requests = share(REQUESTS, BUCKETS, index);
    let failed = share(FAILED[minute], 12, index % 12);
    let lost = if minute == 3 { share(TIMEOUTS, 12, index % 12) } else { 0 };
    let mut weight = 0;
    let cells = JOURNEYS.iter().zip(0u16..).map(|((_, _, of), journey)| {
        let requests = requests * (weight + of) / 100 - requests * weight / 100;
        weight += of;
        // The first journey calls the function that throttles.
        let (failed, lost) = if journey == 0 { (failed, lost) } else { (0, 0) };
        ((journey, 0), packed(&cell(requests, failed, lost, minute)))
    });
    Bucket {
        users: u32::try_from(((index + 1) * 50).min(500)).unwrap(),
        in_flight: 90 + u32::try_from(minute).unwrap() * 10,
        dropped: 0,
        cells: cells.collect(),
    }
}

/// A cell as the time line keeps it.
fn packed(cell: &Cell) -> Slice {
    let pack = |histogram: &Histogram<u64>| {
        let mut scratch = Scratch::new();
        for value in histogram.iter_recorded() {
            for _ in 0..value.count_at_value() {
                scratch.add(u32::try_from(value.value_iterated_to()).unwrap());
            }
        }
        scratch.drain()
    };
    Slice {
        counts: cell.counts.clone(),
        response_passed: pack(&cell.response_passed),
        response_failed: pack(&cell.response_failed),
        service: pack(&cell.service),
    }
}

fn cell(requests: u64, failed: u64, lost: u64, minute: usize) -> Cell {
    let mut cell = Cell::new();
    let passed = requests - failed - lost;
    let slower = if minute == 4 { 1.35 } else { 1.0 };
    for request in 0..passed {
        let u = f64::from(u32::try_from(request * 37 % 101).unwrap()) / 100.0;
        let took = micros(Duration::from_secs_f64((0.7 + 3.2 * u * u) * slower));
        cell.response_passed.record(took).unwrap();
        cell.service.record(took).unwrap();
    }
    for request in 0..failed + lost {
        let took = micros(if request < failed {
            Duration::from_millis(120)
        } else {
            Duration::from_secs(30)
        });
        cell.response_failed.record(took).unwrap();
        cell.service.record(took).unwrap();
    }
    cell.counts.started = requests;
    (cell.counts.passed, cell.counts.failed, cell.counts.lost) = (passed, failed, lost);
    cell.counts.lost_after_send = lost;
    cell.counts.checks = (2 * passed + failed, 2 * passed);
    for (status, count) in [(200, passed), (500, failed)] {
        cell.counts.statuses.extend((count > 0).then_some((status, count)));
    }
    for (kind, count) in [("status", failed), ("timeout", lost)] {
        cell.counts.failures.extend((count > 0).then(|| (kind.to_owned(), count)));
    }
    cell
}

fn iterations(cell: &Cell) -> Iterations {
    let mut duration = histogram();
    duration.record_n(5_800_000, cell.counts.passed).unwrap();
    Iterations {
        started: cell.counts.started,
        completed: cell.counts.passed,
        duration,
    }
}

fn errors() -> Vec<ErrorSeen> {
    let error = |failure, status, text: &str, count, first, last| ErrorSeen {
        journey: 0,
        step: 0,
        failure,
        status,
        text: text.to_owned(),
        count,
        first,
        last,
    };
    vec![
        error(Failure::Timeout, None, "no answer within 30s", TIMEOUTS, 180.0, 239.0),
        error(Failure::Status, Some(500), "status == 200", FAILED.iter().sum(), 4.0, 299.0),
    ]
}

/// The demo's resources.
pub(crate) fn resources() -> Vec<Resource> {
    let function = |name: &str| Resource::Lambda { name: name.to_owned() };
    let table = |name: &str| Resource::Dynamodb { name: name.to_owned() };
    vec![
        Resource::RestApi {
            name: "hcg-demo-api".to_owned(),
            stage: "prod".to_owned(),
        },
        function("hcg-demo-webhook-handler"),
        function("hcg-demo-supervisor-agent"),
        function("hcg-demo-servicenow-action"),
        table("hcg-demo-conversations"),
        table("hcg-demo-user-feedback"),
    ]
}

/// What CloudWatch answered, settled.
pub(crate) fn series() -> Vec<Series> {
    let queries = queries(&resources(), &BTreeMap::new(), &[], window());
    queries
        .wanted
        .iter()
        .map(|(key, _)| {
            let points = values(&key.resource, &key.metric, key.statistic);
            let minutes = (0..).map(|minute| at(&format!("14:{:02}:00", 4 + minute)));
            let points: Vec<_> = minutes.zip(points.iter().copied()).collect();
            let nothing = points.is_empty() && key.missing == Missing::Unknown;
            key.with(points, if nothing { Completeness::Empty } else { Completeness::Settled })
        })
        .collect()
}

fn values(resource: &str, metric: &str, statistic: Statistic) -> &'static [f64] {
    let supervisor = resource == "lambda/hcg-demo-supervisor-agent";
    match (metric, statistic) {
        ("aws.lambda.throttles", _) if supervisor => &[0.0, 100.0, 130.0, 168.0, 100.0],
        ("aws.lambda.concurrent_executions", _) if supervisor => &[84.0, 100.0, 100.0, 100.0, 100.0],
        ("aws.lambda.concurrent_executions", _) if resource == "lambda/*" => &[120.0, 171.0, 174.0, 176.0, 172.0],
        ("aws.lambda.concurrent_executions", _) => &[20.0, 38.0, 41.0, 40.0, 39.0],
        ("aws.lambda.invocations", _) => &[1_700.0, 4_300.0, 4_400.0, 4_420.0, 4_380.0],
        ("aws.lambda.duration", Statistic::Average) => &[900.0, 1_120.0, 1_150.0, 1_170.0, 1_400.0],
        ("aws.lambda.duration", Statistic::Maximum) => &[2_900.0, 3_900.0, 4_000.0, 4_100.0, 5_200.0],
        ("aws.dynamodb.consumed_write_capacity_units", _) => &[900.0, 1_400.0, 1_450.0, 1_480.0, 1_470.0],
        ("aws.dynamodb.consumed_read_capacity_units", _) => &[600.0, 900.0, 950.0, 940.0, 930.0],
        ("aws.dynamodb.provisioned_write_capacity_units" | "aws.dynamodb.provisioned_read_capacity_units", _) => {
            &[25.0, 25.0, 25.0, 40.0, 40.0]
        }
        ("aws.rest-api.count", _) => &[4_400.0, 4_500.0, 4_520.0, 4_540.0, 4_520.0],
        ("aws.rest-api.4xx_error" | "aws.lambda.errors", _) => &[0.0, 0.0, 0.0, 0.0, 0.0],
        ("aws.rest-api.5xx_error", Statistic::Sum) => &[9.0, 100.0, 130.0, 168.0, 100.0],
        ("aws.rest-api.5xx_error", _) => &[0.002, 0.022, 0.029, 0.037, 0.022],
        ("aws.rest-api.latency", _) => &[1_000.0, 1_300.0, 1_310.0, 1_330.0, 1_700.0],
        _ => &[],
    }
}

pub(crate) fn activities() -> Vec<Activity> {
    vec![Activity {
        at: at("14:07:12"),
        resource_id: "table/hcg-demo-conversations".to_owned(),
        dimension: "dynamodb:table:WriteCapacityUnits".to_owned(),
        description: "Setting write capacity units to 40.".to_owned(),
        cause: "monitor alarm TargetTracking-table/hcg-demo-conversations-AlarmHigh".to_owned(),
        status: "Successful".to_owned(),
    }]
}

pub(crate) fn limits() -> Limits {
    let names = ["webhook-handler", "supervisor-agent", "servicenow-action"];
    Limits {
        reserved: names.map(|name| (format!("hcg-demo-{name}"), Some(100))).into(),
        account: Some(1_000),
    }
}

pub(crate) fn evidence<'a>(recording: &'a Recording, series: &'a [Series], activities: &'a [Activity]) -> Evidence<'a> {
    Evidence {
        recording,
        series,
        activities: Ok(activities),
        window: window(),
    }
}

/// Answers of one step: milliseconds of passed and of failed ones.
pub(crate) fn answers(passed: &[u64], failed: &[u64]) -> Cell {
    let mut cell = Cell::new();
    for millis in passed {
        cell.response_passed.record(millis * 1_000).unwrap();
        cell.service.record(millis * 1_000).unwrap();
    }
    for millis in failed {
        cell.response_failed.record(millis * 1_000).unwrap();
        cell.service.record(millis * 1_000).unwrap();
    }
    cell.counts.passed = passed.len() as u64;
    cell.counts.failed = failed.len() as u64;
    cell.counts.started = cell.counts.passed + cell.counts.failed;
    cell.counts.checks = (cell.counts.started, cell.counts.passed);
    cell.counts.statuses = [(200, cell.counts.passed), (500, cell.counts.failed)].into();
    cell.counts.failures = [("status".to_owned(), cell.counts.failed)].into();
    cell
}

/// A run of one journey with one step: phases by their ends in seconds, buckets by what was answered in them. It
/// begins at 14:04:00; users and requests in flight are 10 and 4 times the bucket's number, from one.
pub(crate) fn small(phases: &[(&str, f64)], bucket_seconds: f64, buckets: Vec<Cell>) -> Recording {
    let mut from = 0.0;
    let phases: Vec<PhaseWindow> = phases
        .iter()
        .map(|(name, to)| {
            let phase = PhaseWindow {
                name: (*name).to_owned(),
                from,
                to: *to,
            };
            from = *to;
            phase
        })
        .collect();
    let mut cells: BTreeMap<CellKey, Cell> = BTreeMap::new();
    let mut timeline = Vec::new();
    for (cell, number) in buckets.into_iter().zip(1u32..) {
        let middle = (f64::from(number) - 0.5) * bucket_seconds;
        let phase = phases.iter().position(|phase| middle < phase.to).unwrap_or(phases.len() - 1);
        let key = CellKey {
            phase: u16::try_from(phase).unwrap(),
            journey: 0,
            step: 0,
        };
        cells.entry(key).or_default().merge(&cell);
        timeline.push(Bucket {
            users: number * 10,
            in_flight: number * 4,
            dropped: u64::from(number % 2),
            cells: vec![((0, 0), packed(&cell))],
        });
    }
    let dropped = timeline.iter().map(|bucket| bucket.dropped).sum();
    let started: u64 = cells.values().map(|cell| cell.counts.started).sum();
    Recording {
        started: at("14:04:00"),
        ended: at("14:09:00"),
        end: EndReason::Completed,
        phases,
        journeys: vec![JourneyNames {
            name: "j".to_owned(),
            tags: vec!["t".to_owned()],
            steps: vec!["s".to_owned()],
        }],
        iterations: cells.iter().map(|(key, cell)| (key.phase, key.journey, iterations(cell))).collect(),
        cells: cells.into_iter().collect(),
        timeline,
        bucket_seconds,
        errors: Vec::new(),
        generator: Generator {
            dropped,
            arrivals: started + dropped,
            ..Generator::default()
        },
        seed: 1,
        time_scale: 1.0,
    }
}
