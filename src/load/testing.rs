//! What the tests of this module share: scenarios, a recording, a target of arithmetic and one of sockets.

use std::time::Duration;

use super::collector::{Collector, Heading};
use super::recorder::Recorder;
use super::recording::{EndReason, Recording};
use super::sample::{Outcome, Sample};
use super::script::Script;
use crate::scenario::{Body, Check, Journey, Literal, Method, Op, Phase, Scenario, Shape, Step, Subject, Target, Template, Test, Think};
use crate::units::{Quantity, Timestamp};

/// A GET whose status must be below 400.
pub(super) fn step(name: &str, path: &str) -> Step {
    Step {
        name: name.to_owned(),
        method: Method::Get,
        path: Template::literal(path),
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::None,
        pass: vec![Check {
            text: "status < 400".to_owned(),
            subject: Subject::Status,
            test: Test::Compare(Op::Less, Literal::Quantity(Quantity::Number(400.0))),
        }],
        save: Vec::new(),
        timeout: None,
    }
}

pub(super) fn journey(name: &str, weight: f64, steps: Vec<Step>) -> Journey {
    Journey {
        name: name.to_owned(),
        weight,
        think: Think::default(),
        tags: Vec::new(),
        cannot_undo: None,
        steps,
    }
}

pub(super) fn phase(name: &str, shape: Shape, duration: Duration) -> Phase {
    Phase {
        name: name.to_owned(),
        duration,
        shape,
        expect: Vec::new(),
    }
}

/// One phase, one journey, one step.
pub(super) fn scenario(url: &str, shape: Shape, seconds: u64) -> Scenario {
    Scenario {
        name: "test".to_owned(),
        description: String::new(),
        phases: vec![phase("only", shape, Duration::from_secs(seconds))],
        journeys: vec![journey("j", 1.0, vec![step("s", "/")])],
        data: Vec::new(),
        target: Target {
            url: url.to_owned(),
            timeout: Duration::from_secs(5),
            headers: Vec::new(),
        },
        observe: Duration::ZERO,
    }
}

pub(super) fn users(count: u32) -> Shape {
    Shape::Users {
        from: count,
        to: count,
        spawn_rate: None,
    }
}

pub(super) fn heading() -> Heading {
    Heading {
        started: Timestamp::UNIX_EPOCH,
        threads: 1,
        seed: 0,
        time_scale: 1.0,
    }
}

/// Two phases of 10 s; journeys `ja` (tag `x`, step `a`) and `jb` (step `b`), each passing once a second.
pub(super) fn recording() -> Recording {
    let mut scenario = scenario("http://localhost", users(1), 10);
    scenario.phases = vec![
        phase("first", users(1), Duration::from_secs(10)),
        phase("second", users(1), Duration::from_secs(10)),
    ];
    scenario.journeys = vec![journey("ja", 1.0, vec![step("a", "/a")]), journey("jb", 1.0, vec![step("b", "/b")])];
    scenario.journeys[0].tags = vec!["x".to_owned()];
    let script = Script::new(scenario, "run").unwrap();
    let mut recorder = Recorder::new(&script);
    let mut collector = Collector::new(&script, heading(), 10);
    for second in 0..20 {
        for journey in 0..2 {
            let due = Duration::from_secs(u64::from(second));
            recorder.started(due, journey, 0);
            let sample = Sample {
                due,
                sent: due,
                done: due + Duration::from_millis(u64::from(second) + 1),
                journey,
                step: 0,
                outcome: Outcome::Passed(200),
                bytes: (0, 10),
                checks: (1, 1),
            };
            recorder.ended(&sample, "");
        }
        collector.absorb(recorder.take(second, 1, 0));
    }
    collector.finish(EndReason::Completed, Timestamp::from_second(20).unwrap(), 0.0)
}
