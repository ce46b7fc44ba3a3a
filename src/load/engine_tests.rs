//! The engine against targets in this process: counts, stops, failures, journeys.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::engine::{Handle, Options, Stop, start};
use super::error::LoadError;
use super::http::reach;
use super::recording::{Counts, EndReason, Recording};
use super::testing::server::{self, Behaviour};
use super::testing::{journey, phase, scenario, step, users};
use crate::scenario::{
    Aggregation, Body, Check, Condition, Criterion, Feeder, JsonTemplate, Limit, Literal, Measure, Metric, Op, Part, Pick, Save, Scenario,
    Scope, Shape, Step, Subject, Template, Test, Think, Value,
};
use crate::units::{Quantity, Rate};

fn options() -> Options {
    Options {
        threads: Some(2),
        seed: 7,
        run_id: "run".to_owned(),
        ..Options::default()
    }
}

fn rate(per_second: f64) -> Shape {
    Shape::Arrivals {
        from: Rate(per_second),
        to: Rate(per_second),
    }
}

/// Shortens every phase to milliseconds.
fn lasting(mut scenario: Scenario, millis: u64) -> Scenario {
    for phase in &mut scenario.phases {
        phase.duration = Duration::from_millis(millis);
    }
    scenario
}

async fn run(scenario: Scenario) -> Recording {
    let mut handle = start(scenario, options()).unwrap();
    handle.wait().await.unwrap()
}

/// All counts of a recording, with what must hold of any.
fn total(recording: &Recording) -> Counts {
    let mut all = Counts::default();
    recording.cells.iter().for_each(|(_, cell)| all.merge(&cell.counts));
    let ends = all.passed + all.failed + all.lost + all.interrupted + all.unsent;
    assert_eq!(all.started, ends, "each started request ends exactly once: {all:?}");
    let mut line = Counts::default();
    let slices = recording.timeline.iter().flat_map(|bucket| &bucket.cells);
    slices.for_each(|(_, slice)| line.merge(&slice.counts));
    assert_eq!(line, all, "the time line holds what the cells hold");
    all
}

/// What must hold of a server's own count, whatever happened.
fn bounded(counts: &Counts, served: u64) {
    let most = counts.answered() + counts.lost_after_send + counts.interrupted;
    assert!(counts.answered() <= served && served <= most, "{served} served, {counts:?}");
}

async fn until(handle: &Handle, served: impl Fn() -> bool) {
    let _ = handle;
    while !served() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_closed_load_is_counted_as_the_target_counts_it() {
    let (url, served) = server::start(Behaviour::Echo).await;
    let recording = run(lasting(scenario(&url, users(5), 1), 300)).await;
    let counts = total(&recording);
    assert_eq!(recording.end, EndReason::Completed);
    assert!(counts.passed > 0);
    assert_eq!(counts.passed, counts.started, "{counts:?}, {:?}", recording.errors);
    assert_eq!(counts.answered(), served.requests());
    assert_eq!(served.connections(), 5, "a connection a user, kept alive");
    assert_eq!(counts.statuses.into_iter().collect::<Vec<_>>(), [(200, counts.passed)]);
    let (_, _, iterations) = &recording.iterations[0];
    assert_eq!((iterations.started, iterations.completed), (counts.passed, counts.passed));
}

#[tokio::test]
async fn an_open_load_starts_every_arrival_and_counts_from_due() {
    let (url, served) = server::start(Behaviour::Slow(Duration::from_millis(20))).await;
    let recording = run(lasting(scenario(&url, rate(200.0), 1), 500)).await;
    let counts = total(&recording);
    assert_eq!(counts.passed, 100);
    assert_eq!(served.requests(), 100);
    assert_eq!(recording.generator.arrivals, 100);
    let cell = &recording.cells[0].1;
    assert!(cell.response_passed.min() >= 20_000);
    assert!(
        cell.response_passed.max() >= cell.service.max(),
        "what counts from due is never shorter"
    );
}

#[tokio::test]
async fn an_arrival_without_a_slot_is_dropped_and_makes_the_run_invalid() {
    let (url, served) = server::start(Behaviour::Held(Arc::new(Semaphore::new(0)))).await;
    let load = lasting(scenario(&url, rate(100.0), 1), 500);
    let mut handle = start(load, Options { slots: 10, ..options() }).unwrap();
    until(&handle, || served.requests() == 10).await;
    let mut progress = handle.progress();
    // The scenario is over, but ten answers are outstanding.
    progress.wait_for(|progress| progress.dropped == 40).await.unwrap();
    handle.stop(Stop::Now, EndReason::Interrupted { signal: 2 });
    let recording = handle.wait().await.unwrap();
    let counts = total(&recording);
    assert_eq!((counts.started, counts.interrupted, counts.answered()), (10, 10, 0));
    assert_eq!((recording.generator.arrivals, recording.generator.dropped), (50, 40));
    assert!(
        recording.generator.invalid[0].starts_with("40 of 50 arrivals"),
        "{:?}",
        recording.generator.invalid
    );
    assert_eq!(recording.timeline.iter().map(|bucket| bucket.dropped).sum::<u64>(), 40);
    bounded(&counts, served.requests());
}

#[tokio::test]
async fn a_drained_stop_lets_every_answer_come() {
    let permits = Arc::new(Semaphore::new(0));
    let (url, served) = server::start(Behaviour::Held(Arc::clone(&permits))).await;
    let mut handle = start(scenario(&url, users(8), 3_600), options()).unwrap();
    until(&handle, || served.requests() == 8).await;
    handle.stop(Stop::Drain, EndReason::Interrupted { signal: 15 });
    permits.add_permits(1_000);
    let recording = handle.wait().await.unwrap();
    let counts = total(&recording);
    assert_eq!(recording.end, EndReason::Interrupted { signal: 15 });
    assert_eq!((counts.interrupted, counts.lost, counts.unsent), (0, 0, 0));
    assert_eq!(counts.answered(), served.requests());
    assert!(recording.phases[0].to < 3_600.0, "the phase was cut short");
}

#[tokio::test]
async fn a_second_stop_interrupts_what_is_in_flight() {
    let (url, served) = server::start(Behaviour::Held(Arc::new(Semaphore::new(3)))).await;
    let mut handle = start(scenario(&url, users(8), 3_600), options()).unwrap();
    until(&handle, || served.requests() == 11).await;
    handle.stop(Stop::Drain, EndReason::Interrupted { signal: 2 });
    handle.stop(Stop::Now, EndReason::Interrupted { signal: 15 });
    let recording = handle.wait().await.unwrap();
    let counts = total(&recording);
    assert_eq!(recording.end, EndReason::Interrupted { signal: 2 }, "the first reason counts");
    assert_eq!((counts.passed, counts.interrupted), (3, 8));
    bounded(&counts, served.requests());
}

#[tokio::test]
async fn a_dropped_handle_stops_the_load() {
    let (url, served) = server::start(Behaviour::Held(Arc::new(Semaphore::new(0)))).await;
    let handle = start(scenario(&url, users(1), 3_600), options()).unwrap();
    until(&handle, || served.requests() == 1).await;
    let mut progress = handle.progress();
    drop(handle);
    // The collector's end of the channel goes with its thread.
    while progress.changed().await.is_ok() {}
}

#[tokio::test]
async fn targets_that_misbehave_are_told_apart() {
    let cases: [(Behaviour, &str, bool); 6] = [
        (Behaviour::Reset, "reset", true),
        (Behaviour::Raw(b""), "reset", true),
        (Behaviour::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"), "reset", true),
        (Behaviour::RawKept(b"garbage, and more of it\r\n\r\n"), "protocol", true),
        (Behaviour::Endless, "protocol", true),
        (Behaviour::Held(Arc::new(Semaphore::new(0))), "timeout", true),
    ];
    for (behaviour, kind, after_send) in cases {
        let (url, served) = server::start(behaviour).await;
        let mut load = lasting(scenario(&url, rate(10.0), 1), 200);
        load.target.timeout = Duration::from_secs(if kind == "timeout" { 1 } else { 20 });
        let recording = run(load).await;
        let counts = total(&recording);
        assert_eq!((counts.started, counts.lost), (2, 2), "{kind}: {:?}", recording.errors);
        assert_eq!(counts.failures.get(kind), Some(&2), "{kind}: {:?}", recording.errors);
        assert_eq!(counts.lost_after_send, if after_send { 2 } else { 0 }, "{kind}");
        assert_eq!(recording.cells[0].1.response_failed.len(), 2, "a failed request keeps its latency");
        bounded(&counts, served.requests());
    }
}

#[tokio::test]
async fn a_target_that_is_not_there_is_a_connect_failure_and_no_request_was_sent() {
    let refused = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    for (url, kind) in [
        (format!("http://{refused}"), "connect"),
        ("http://does-not-exist.invalid".to_owned(), "connect"),
    ] {
        let recording = run(lasting(scenario(&url, rate(10.0), 1), 200)).await;
        let counts = total(&recording);
        assert_eq!((counts.lost, counts.lost_after_send), (2, 0), "{url}");
        assert_eq!(counts.failures.get(kind), Some(&2), "{url}: {:?}", recording.errors);
        assert!(recording.cells[0].1.service.is_empty());
    }
}

#[tokio::test]
async fn a_target_without_tls_fails_the_handshake() {
    let (url, _) = server::start(Behaviour::RawKept(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let (url, served) = (url.replace("http:", "https:"), ());
    let () = served;
    let mut load = lasting(scenario(&url, rate(10.0), 1), 100);
    load.target.timeout = Duration::from_secs(1);
    let counts = total(&run(load).await);
    // A server that waits for the end of a request's head never answers the handshake.
    let classes = [counts.failures.get("tls"), counts.failures.get("timeout")];
    assert_eq!(classes.into_iter().flatten().sum::<u64>(), counts.started);
    assert_eq!(counts.lost_after_send, 0, "no request was sent before the handshake was over");
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_made_anew_without_an_error() {
    let (url, served) = server::start(Behaviour::Limited(1)).await;
    let mut load = lasting(scenario(&url, users(1), 1), 400);
    // By the time of the next request the close has arrived.
    load.journeys[0].think = Think {
        min: Duration::from_millis(50),
        max: Duration::from_millis(50),
    };
    let recording = run(load).await;
    let counts = total(&recording);
    assert!(counts.passed > 1);
    assert_eq!(counts.passed, counts.started, "{:?}", recording.errors);
    assert_eq!(served.connections(), served.requests());
}

#[tokio::test]
async fn a_failed_check_is_an_error_of_its_class_and_ends_the_journey() {
    let (url, served) = server::start(Behaviour::Echo).await;
    let mut load = lasting(scenario(&url, rate(10.0), 1), 200);
    load.journeys = vec![journey("j", 1.0, vec![step("fails", "/status/503"), step("never", "/never")])];
    let recording = run(load).await;
    let counts = total(&recording);
    assert_eq!((counts.started, counts.failed, served.requests()), (2, 2, 2));
    assert_eq!(counts.failures.get("status"), Some(&2));
    assert_eq!(
        (recording.errors[0].status, recording.errors[0].text.as_str()),
        (Some(503), "status < 400")
    );
    assert_eq!((recording.iterations[0].2.started, recording.iterations[0].2.completed), (2, 0));
}

fn saved(name: &str) -> Template {
    Template(vec![Part::Value(vec![Value::Saved(name.to_owned())])])
}

fn exists(path: &str) -> Check {
    Check {
        text: format!("json({path}) exists"),
        subject: Subject::Json(path.to_owned()),
        test: Test::Exists,
    }
}

fn equals(path: &str, text: &str) -> Check {
    Check {
        text: format!("json({path}) == {text}"),
        subject: Subject::Json(path.to_owned()),
        test: Test::Compare(Op::Equal, Literal::Text(text.to_owned())),
    }
}

fn save(name: &str, for_user: bool, from: Subject) -> Save {
    Save {
        name: name.to_owned(),
        for_user,
        from,
    }
}

#[tokio::test]
async fn values_travel_from_answers_and_data_into_later_requests() {
    let (url, _) = server::start(Behaviour::Echo).await;
    let row = |text: &str| [("text".to_owned(), serde_json::json!(text))].into();
    let mut load = lasting(scenario(&url, rate(10.0), 1), 100);
    load.data = vec![Feeder {
        name: "questions".to_owned(),
        pick: Pick::InOrder,
        rows: vec![row("what & why?")],
    }];
    let question = Value::Data {
        feeder: 0,
        column: Some("text".to_owned()),
    };
    let ask = Step {
        method: crate::scenario::Method::Post,
        body: Body::Json(JsonTemplate::Map(vec![
            (
                "text".to_owned(),
                JsonTemplate::Text(Template(vec![Part::Value(vec![question.clone()])])),
            ),
            (
                "user".to_owned(),
                JsonTemplate::Text(Template(vec![Part::Value(vec![Value::UserId])])),
            ),
        ])),
        query: vec![("q".to_owned(), Template(vec![Part::Value(vec![question])]))],
        pass: vec![
            equals("$.body.text", "what & why?"),
            equals("$.body.user", "1"),
            equals("$.path", "/ask?q=what%20%26%20why%3F"),
        ],
        save: vec![
            save("answer", false, Subject::Header("x-answer".to_owned())),
            save("user.first", true, Subject::Json("$.method".to_owned())),
        ],
        ..step("ask", "/ask")
    };
    let follow = Step {
        headers: vec![("X-Test".to_owned(), saved("answer"))],
        path: Template(vec![
            Part::Text("/for/".to_owned()),
            Part::Value(vec![Value::User("first".to_owned())]),
        ]),
        pass: vec![equals("$.header", "yes"), equals("$.path", "/for/POST")],
        ..step("follow", "/")
    };
    load.journeys = vec![journey("j", 1.0, vec![ask, follow])];
    let recording = run(load).await;
    let counts = total(&recording);
    assert_eq!((counts.started, counts.passed), (2, 2), "{:?}", recording.errors);
    assert_eq!(counts.checks, (5, 5));
}

#[tokio::test]
async fn a_value_that_is_not_there_is_a_failure_without_a_request() {
    let (url, served) = server::start(Behaviour::Echo).await;
    let mut load = lasting(scenario(&url, rate(10.0), 1), 100);
    load.journeys[0].steps[0].path = saved("never");
    let recording = run(load).await;
    let counts = total(&recording);
    assert_eq!((counts.lost, counts.lost_after_send, served.requests()), (1, 0, 0));
    assert_eq!(counts.failures.get("data"), Some(&1));

    let mut load = lasting(scenario(&url, rate(10.0), 1), 100);
    load.journeys[0].steps[0].save = vec![save("x", false, Subject::Json("$.absent".to_owned()))];
    let counts = total(&run(load).await);
    assert_eq!((counts.failed, counts.failures.get("data")), (1, Some(&1)));
}

#[tokio::test]
async fn rows_that_are_used_once_run_out_and_no_journey_starts_without() {
    let (url, served) = server::start(Behaviour::Echo).await;
    let mut load = lasting(scenario(&url, rate(50.0), 1), 200);
    load.data = vec![Feeder {
        name: "tokens".to_owned(),
        pick: Pick::Once,
        rows: (0..3).map(|n| [(String::new(), serde_json::json!(n))].into()).collect(),
    }];
    load.journeys[0].steps[0].path = Template(vec![
        Part::Text("/".to_owned()),
        Part::Value(vec![Value::Data { feeder: 0, column: None }]),
    ]);
    let recording = run(load).await;
    assert_eq!((total(&recording).passed, served.requests()), (3, 3));
    let mishaps: u64 = recording.errors.iter().map(|seen| seen.count).sum();
    assert_eq!(mishaps, 7);
    assert_eq!(recording.errors[0].text, "no row is left in data `tokens`");
}

#[tokio::test]
async fn think_time_comes_after_each_step_and_counts_to_the_journey() {
    let (url, _) = server::start(Behaviour::Echo).await;
    let mut load = lasting(scenario(&url, rate(10.0), 1), 300);
    load.phases[0].shape = rate(4.0);
    load.journeys = vec![journey("j", 1.0, vec![step("a", "/a"), step("b", "/b")])];
    load.journeys[0].think = Think {
        min: Duration::from_millis(30),
        max: Duration::from_millis(40),
    };
    let recording = run(load).await;
    let iterations = &recording.iterations[0].2;
    assert!(iterations.completed >= 1);
    assert!(iterations.duration.min() >= 30_000);
    let second = &recording.cells[1].1.response_passed;
    assert!(second.max() < iterations.duration.max(), "a step's time holds no think time");
}

#[tokio::test]
async fn a_criterion_that_keeps_failing_stops_the_load() {
    let (url, served) = server::start(Behaviour::Echo).await;
    let mut load = scenario(&url, users(2), 3_600);
    load.journeys[0].steps[0].path = Template::literal("/status/500");
    load.journeys[0].think = Think {
        min: Duration::from_millis(10),
        max: Duration::from_millis(10),
    };
    let criterion = Criterion {
        name: "errors".to_owned(),
        measure: Measure::Metric(Metric::Errors { kind: None }),
        scope: Scope::default(),
        pass: Some(Condition {
            text: "rate < 1%".to_owned(),
            aggregation: Aggregation::Share,
            limit: Limit::Compare(Op::Less, Quantity::Share(0.01)),
        }),
        warn: None,
        fail: None,
        invalid: None,
        scenario: None,
        window: None,
        abort_after: Some(Duration::from_secs(1)),
    };
    let directory = tempfile::tempdir().unwrap();
    let watched = Options {
        abort: vec![criterion],
        window_dir: Some(directory.path().to_owned()),
        ..options()
    };
    let recording = start(load, watched).unwrap().wait().await.unwrap();
    let counts = total(&recording);
    assert_eq!(
        recording.end,
        EndReason::Aborted {
            criterion: "errors".to_owned()
        }
    );
    assert_eq!(counts.answered(), served.requests());
    let kept = Recording::load(&Recording::path(directory.path())).unwrap();
    assert_eq!(total(&kept), counts);
}

#[tokio::test]
async fn phases_follow_each_other_and_samples_belong_to_that_of_their_due_time() {
    let (url, served) = server::start(Behaviour::Echo).await;
    let mut load = scenario(&url, users(2), 1);
    let millis = Duration::from_millis;
    load.phases = vec![
        phase("closed", users(2), millis(200)),
        phase("open", rate(50.0), millis(200)),
        phase("again", users(1), millis(200)),
    ];
    load.journeys[0].think = Think {
        min: millis(5),
        max: millis(5),
    };
    let recording = run(load).await;
    let counts = total(&recording);
    assert_eq!(counts.passed, served.requests());
    let started: Vec<u64> = recording.cells.iter().map(|(_, cell)| cell.counts.started).collect();
    assert_eq!(recording.cells.iter().map(|(key, _)| key.phase).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(started[1], 10, "closed users end with their phase: {started:?}");
    assert!(served.connections() <= 4, "users and their connections carry over");
}

#[tokio::test]
async fn an_unreachable_target_is_said_beforehand() {
    let (url, _) = server::start(Behaviour::Echo).await;
    let mut target = scenario(&url, users(1), 1).target;
    reach(&target).await.unwrap();
    let refused = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    target.url = format!("http://{refused}");
    let error = reach(&target).await.unwrap_err();
    assert!(matches!(error, LoadError::Connect { .. }));
    assert!(error.to_string().contains("refused"), "{error}");
    target.url = "http://does-not-exist.invalid".to_owned();
    assert!(matches!(reach(&target).await, Err(LoadError::Resolve { .. })));
    target.url = "nonsense".to_owned();
    assert!(matches!(reach(&target).await, Err(LoadError::Address { .. })));
}

#[test]
fn what_cannot_run_is_refused_before_anything_starts() {
    let empty = Scenario {
        phases: Vec::new(),
        ..scenario("http://127.0.0.1:1", users(1), 1)
    };
    assert!(matches!(start(empty, options()), Err(LoadError::Empty { .. })));
    let mut wrong = scenario("http://127.0.0.1:1", users(1), 1);
    wrong.journeys[0].steps[0].pass = vec![exists("$.[")];
    assert!(matches!(start(wrong, options()), Err(LoadError::JsonPath { .. })));
    let mut wrong = scenario("http://127.0.0.1:1", users(1), 1);
    wrong.target.headers = vec![("bad header".to_owned(), Template::literal("x"))];
    assert!(matches!(start(wrong, options()), Err(LoadError::Header { .. })));
    assert!(!Recording::path(Path::new("/nowhere")).exists());
}
