//! Runs as they really look, for the tests of every format.

use std::collections::BTreeMap;

use crate::analysis::{Explained, Judged, Reconciliation, Status, Verdict};
use crate::load::EndReason;
use crate::metrics::{Completeness, Ledger, Missing, Says, Series, Statistic, Throttle};
use crate::units::Timestamp;

use super::model::{
    ChangeLine, ErrorLine, GeneratorFigures, LoadFigures, Mark, MarkKind, Percentiles, PhaseLine, Report, RunInfo, SettingsFigures,
    StepLine, TimePoint, VERSION,
};

const SUPERVISOR: &str = "lambda/hcg-demo-supervisor-agent";
const WEBHOOK: &str = "lambda/hcg-demo-webhook-handler";
const ACTION: &str = "lambda/hcg-demo-servicenow-action";
const CONVERSATIONS: &str = "dynamodb/hcg-demo-conversations";
const FEEDBACK: &str = "dynamodb/hcg-demo-user-feedback";

pub(crate) fn time(text: &str) -> Timestamp {
    format!("2026-11-21T{text}Z").parse().unwrap()
}

fn later(from: Timestamp, seconds: f64) -> Timestamp {
    super::moment::at(super::moment::epoch(from) + seconds)
}

/// A number between 0 and 1 that looks random and is always the same.
fn noise(index: u64) -> f64 {
    let mut x = index.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    x ^= x >> 32;
    f64::from(u32::try_from(x >> 40).unwrap()) / f64::from(1_u32 << 24)
}

pub(crate) fn percentiles(p50: f64, p95: f64, p99: f64) -> Percentiles {
    Percentiles {
        avg: p50 * 1.2,
        min: p50 * 0.2,
        p50,
        p90: p95 * 0.8,
        p95,
        p99,
        max: p99 * 1.6,
    }
}

pub(crate) fn judged(name: &str, target: &str, got: &str, status: Status, worst: Option<&str>) -> Judged {
    Judged {
        name: name.into(),
        measured: match name {
            n if n.starts_with("lambda") => "aws.lambda.throttles sum".into(),
            n if n.starts_with("dynamodb") => "aws.dynamodb.throttled_requests sum".into(),
            n if n.starts_with("errors") => "http_req_failed rate".into(),
            _ => "response_time p(95)".into(),
        },
        target: target.into(),
        got: got.into(),
        value: None,
        status,
        worst: worst.map(Into::into),
        samples: 22_480,
        scope: "load".into(),
        note: None,
        provisional: name.starts_with("lambda") || name.starts_with("dynamodb"),
    }
}

fn series(resource: &str, metric: &str, statistic: Statistic, unit: &str, from: Timestamp, values: &[f64]) -> Series {
    let missing = if metric.contains("throttle") {
        Missing::Zero
    } else {
        Missing::Unknown
    };
    Series {
        resource: resource.into(),
        part: String::new(),
        metric: metric.into(),
        statistic,
        unit: unit.into(),
        period: 60,
        points: values
            .iter()
            .scan(0.0, |at, value| {
                let point = (later(from, *at), *value);
                *at += 60.0;
                Some(point)
            })
            .collect(),
        missing,
        completeness: if values.is_empty() {
            Completeness::Empty
        } else {
            Completeness::Settled
        },
    }
}

/// What the hcg-demo's services measured, minute by minute.
fn hcg_series(from: Timestamp, throttled: bool) -> Vec<Series> {
    let top = if throttled { 100.0 } else { 118.0 };
    let s = |resource: &str, metric: &str, statistic, unit: &str, values: &[f64]| series(resource, metric, statistic, unit, from, values);
    let mut all = Vec::new();
    for (resource, share) in [(WEBHOOK, 0.42), (SUPERVISOR, 1.0), (ACTION, 0.2)] {
        let shape = |values: [f64; 5], by: f64| values.map(|v| (v * by).round());
        let running = shape([52.0, 100.0, top, top, top], share);
        all.push(s(
            resource,
            "aws.lambda.concurrent_executions",
            Statistic::Maximum,
            "count",
            &running,
        ));
        all.push(s(
            resource,
            "aws.lambda.invocations",
            Statistic::Sum,
            "count",
            &shape([2_310.0, 4_720.0, 5_090.0, 5_170.0, 5_190.0], share),
        ));
        all.push(s(
            resource,
            "aws.lambda.errors",
            Statistic::Sum,
            "count",
            &[0.0, 0.0, 0.0, 0.0, 0.0],
        ));
        all.push(s(
            resource,
            "aws.lambda.duration",
            Statistic::Average,
            "ms",
            &[640.0, 702.0, 717.0, 722.0, 719.0].map(|v| v * (0.4 + share)),
        ));
        all.push(s(
            resource,
            "aws.lambda.duration",
            Statistic::Maximum,
            "ms",
            &[2_210.0, 3_100.0, 3_480.0, 4_020.0, 3_610.0].map(|v| v * (0.4 + share)),
        ));
        let throttles: &[f64] = if throttled && resource == SUPERVISOR {
            &[0.0, 64.0, 133.0, 186.0, 115.0]
        } else {
            &[]
        };
        let mut throttle = s(resource, "aws.lambda.throttles", Statistic::Sum, "count", throttles);
        throttle.points.retain(|(_, value)| *value > 0.0);
        all.push(throttle);
    }
    for (table, by) in [(CONVERSATIONS, 1.0), (FEEDBACK, 0.25)] {
        all.push(s(
            table,
            "aws.dynamodb.consumed_write_capacity_units",
            Statistic::Sum,
            "units",
            &[1_140.0, 2_310.0, 2_500.0, 2_530.0, 2_544.0].map(|v| v * by),
        ));
        all.push(s(
            table,
            "aws.dynamodb.consumed_read_capacity_units",
            Statistic::Sum,
            "units",
            &[610.0, 1_240.0, 1_350.0, 1_360.0, 1_333.0].map(|v| v * by),
        ));
        for direction in ["read", "write"] {
            let metric = format!("aws.dynamodb.provisioned_{direction}_capacity_units");
            all.push(s(table, &metric, Statistic::Maximum, "units", &[50.0]));
            all.push(s(
                table,
                &format!("aws.dynamodb.{direction}_throttle_events"),
                Statistic::Sum,
                "count",
                &[],
            ));
        }
    }
    let api = "rest-api/hcg-demo-api";
    all.push(s(
        api,
        "aws.rest-api.count",
        Statistic::Sum,
        "count",
        &[2_320.0, 4_750.0, 5_150.0, 5_220.0, 5_040.0],
    ));
    all.push(s(
        api,
        "aws.rest-api.4xx_error",
        Statistic::Sum,
        "count",
        &[0.0, 0.0, 0.0, 0.0, 0.0],
    ));
    let errors = if throttled {
        [0.0, 66.0, 137.0, 188.0, 116.0]
    } else {
        [0.0, 0.0, 1.0, 0.0, 0.0]
    };
    all.push(s(api, "aws.rest-api.5xx_error", Statistic::Sum, "count", &errors));
    all.push(s(
        api,
        "aws.rest-api.latency",
        Statistic::Average,
        "ms",
        &[980.0, 1_080.0, 1_130.0, 1_160.0, 1_150.0],
    ));
    all.push(s(
        api,
        "aws.rest-api.latency",
        Statistic::Maximum,
        "ms",
        &[6_100.0, 8_300.0, 9_020.0, 9_900.0, 9_100.0],
    ));
    all
}

fn timeline(
    buckets: u32,
    bucket: f64,
    users: impl Fn(f64) -> f64,
    errors: impl Fn(f64) -> f64,
    slow: impl Fn(f64) -> f64,
) -> Vec<TimePoint> {
    (0..buckets)
        .map(|index| {
            let at = f64::from(index) * bucket;
            let n = |salt: u64| noise(u64::from(index) * 7 + salt);
            let now = users(at);
            let rate = now * 0.17 * (0.92 + 0.16 * n(1)) * bucket;
            let base = slow(at);
            TimePoint {
                at,
                users: whole(now),
                in_flight: whole(now * 0.2 * (0.85 + 0.3 * n(2)) * base / 0.7),
                requests: u64::from(whole(rate)),
                errors: u64::from(whole(rate * errors(at) * (0.3 + 1.4 * n(3)))),
                dropped: 0,
                p50: (now > 0.0).then_some(base * (0.95 + 0.1 * n(4))),
                p95: (now > 0.0).then_some(base * (4.2 + 1.6 * n(5))),
                p99: (now > 0.0).then_some(base * (7.0 + 4.0 * n(6))),
                max: (now > 0.0).then_some(base * 14.0),
            }
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn whole(value: f64) -> u32 {
    value.round().max(0.0) as u32
}

fn run(from: Timestamp, seconds: f64) -> RunInfo {
    RunInfo {
        id: "2026-11-21T1404-hcg-demo".into(),
        profile: "hcg-demo".into(),
        scenario: "load".into(),
        description: "500 users for five minutes, the mix of the guide".into(),
        account: "hcg-staging (123456789012)".into(),
        region: "ap-southeast-1".into(),
        endpoint: None,
        target: "https://a1b2c3.execute-api.ap-southeast-1.amazonaws.com/prod".into(),
        started: from,
        ended: later(from, seconds),
        time_scale: 1.0,
        seed: 8_412_077,
        tool: "tidegate 0.1.0".into(),
        shape: "500 users, 10/s".into(),
    }
}

fn steps(errors: u64) -> Vec<StepLine> {
    [
        ("kb-query", "ask", 8_992_u64, 0.74),
        ("create-ticket", "create", 4_496, 1.9),
        ("feedback", "rate", 2_248, 0.31),
        ("other", "chat", 6_744, 0.82),
    ]
    .into_iter()
    .map(|(journey, step, requests, p50)| StepLine {
        journey: journey.into(),
        step: step.into(),
        requests,
        rate: f64::from(u32::try_from(requests).unwrap()) / 300.0,
        errors: errors * requests / 22_480,
        error_share: f64::from(u32::try_from(errors).unwrap()) / 22_480.0,
        response: Some(percentiles(p50, p50 * 5.0, p50 * 9.0)),
        response_failed: (errors > 0).then(|| percentiles(0.09, 0.2, 0.4)),
        service: Some(percentiles(p50 * 0.98, p50 * 4.9, p50 * 8.9)),
    })
    .collect()
}

fn load(errors: u64, seconds: f64) -> LoadFigures {
    LoadFigures {
        requests: 22_480,
        answered: 22_468,
        passed: 22_480 - errors,
        errors,
        interrupted: 0,
        unsent: 0,
        dropped: 0,
        rate: 22_480.0 / seconds,
        error_share: f64::from(u32::try_from(errors).unwrap()) / 22_480.0,
        statuses: BTreeMap::from([(200, 22_480 - errors), (500, errors.saturating_sub(12))]),
        failures: if errors > 0 {
            BTreeMap::from([("timeout".into(), 12)])
        } else {
            BTreeMap::new()
        },
        response: Some(percentiles(0.74, 3.9, 7.2)),
        service: Some(percentiles(0.73, 3.88, 7.1)),
        seconds,
    }
}

fn changes(at: Timestamp) -> Vec<ChangeLine> {
    [
        (format!("{WEBHOOK} reserved"), "none", "100"),
        (format!("{SUPERVISOR} reserved"), "none", "100"),
        (format!("{CONVERSATIONS} write scaling range"), "none", "5–100"),
        (format!("{CONVERSATIONS} write scaling policy tidegate"), "none", "@70%"),
        (format!("{CONVERSATIONS} read scaling range"), "none", "5–100"),
        (format!("{CONVERSATIONS} units"), "25r/25w", "50r/50w"),
    ]
    .into_iter()
    .map(|(setting, before, now)| ChangeLine {
        setting,
        before: before.into(),
        now: now.into(),
        at,
    })
    .collect()
}

/// hcg-demo with the function's limit too low: FAIL, provisional.
pub(crate) fn throttled() -> Report {
    let from = time("14:04:00");
    let ramp = |at: f64| (at * 10.0).min(500.0);
    let failing = |at: f64| if at < 68.0 { 0.0 } else { 0.031 };
    Report {
        version: VERSION,
        run: run(from, 300.0),
        end: EndReason::Completed,
        verdict: Verdict {
            overall: Status::Fail,
            criteria: vec![
                judged("p95 all", "< 15s", "3.9s", Status::Pass, Some("5.2s at 14:08")),
                judged("errors", "< 1%", "2.31%", Status::Fail, Some("3.5% at 14:07")),
                judged("lambda throttles", "== 0", "498", Status::Fail, Some("supervisor-agent")),
                judged("dynamodb throttles", "== 0", "0", Status::Pass, None),
            ],
        },
        provisional_until: Some(time("14:16:00")),
        generator: GeneratorFigures {
            threads: 2,
            dropped: 0,
            imbalance: 0,
            lag: [0.000_2, 0.001_4, 0.004],
            cpu: 0.31,
            invalid: Vec::new(),
        },
        settings: SettingsFigures {
            wished: 6,
            in_force: 6,
            outstanding: changes(time("13:58:12")),
        },
        load: load(519, 300.0),
        phases: vec![PhaseLine {
            name: "load".into(),
            shape: "500 users, 10/s".into(),
            from: 0.0,
            to: 300.0,
            requests: 22_480,
            rate: 74.9,
            error_share: 0.0231,
            response: Some(percentiles(0.74, 3.9, 7.2)),
        }],
        steps: steps(519),
        errors: hcg_errors(),
        throttles: hcg_ledger(),
        reconciliation: hcg_reconciliation(),
        timeline: timeline(300, 1.0, ramp, failing, |at| if at < 60.0 { 0.6 } else { 0.74 }),
        bucket_seconds: 1.0,
        series: hcg_series(from, true),
        marks: vec![
            Mark {
                at: from,
                kind: MarkKind::Phase,
                text: "load".into(),
            },
            Mark {
                at: time("13:58:12"),
                kind: MarkKind::Change,
                text: "lambda supervisor-agent reserved none → 100".into(),
            },
            Mark {
                at: time("14:06:40"),
                kind: MarkKind::Scaling,
                text: "ddb conversations write 50 → 61 (target tracking, 70%)".into(),
            },
            Mark {
                at: time("14:08:05"),
                kind: MarkKind::Scaling,
                text: "ddb conversations write 61 → 74 (target tracking, 70%)".into(),
            },
        ],
    }
}

fn hcg_errors() -> Vec<ErrorLine> {
    let line = |journey: &str, step: &str, kind: &str, status, text: &str, count, first| ErrorLine {
        journey: journey.into(),
        step: step.into(),
        kind: kind.into(),
        status,
        text: text.into(),
        count,
        first,
        last: 299.2,
    };
    vec![
        line("kb-query", "ask", "status", Some(500), "Internal server error", 207, 68.4),
        line("other", "chat", "status", Some(500), "Internal server error", 155, 69.0),
        line("create-ticket", "create", "status", Some(500), "Internal server error", 93, 71.3),
        line("feedback", "rate", "status", Some(500), "Internal server error", 52, 75.9),
        line("create-ticket", "create", "timeout", None, "no answer within 30s", 12, 141.0),
    ]
}

fn hcg_ledger() -> Ledger {
    Ledger {
        throttles: vec![Throttle {
            resource: SUPERVISOR.into(),
            part: String::new(),
            count: 498.0,
            peak: 186.0,
            peak_at: time("14:07:00"),
            first: time("14:05:00"),
            last: time("14:08:00"),
            cause: "reserved limit 100".into(),
            says: Says::Inferred,
            minutes: vec![
                (time("14:05:00"), 64.0),
                (time("14:06:00"), 133.0),
                (time("14:07:00"), 186.0),
                (time("14:08:00"), 115.0),
            ],
        }],
        looked_at: [WEBHOOK, SUPERVISOR, ACTION, CONVERSATIONS, FEEDBACK, "rest-api/hcg-demo-api"]
            .map(Into::into)
            .to_vec(),
        not_looked_at: vec!["rest-api/hcg-demo-api: 429s of the gateway itself need access logs, which are off".into()],
        complete_to: Some(time("14:09:00")),
    }
}

fn hcg_reconciliation() -> Reconciliation {
    let explained = |count, by: &str, how: &str| Explained {
        count,
        by: by.into(),
        how: how.into(),
    };
    Reconciliation {
        client_failures: 519,
        client_429: 0,
        client_5xx: 507,
        explained: vec![
            explained(
                498,
                "Lambda throttles",
                "behind a REST proxy integration a throttled function answers 500; the minutes agree",
            ),
            explained(12, "timeouts", "the client gave up after 30 s"),
        ],
        unexplained: 9,
        sentence: "519 client failures = 498 Lambda throttles + 12 timeouts + 9 unexplained".into(),
    }
}

/// The same after the limit was raised: PASS, settled, everything put back.
pub(crate) fn passed() -> Report {
    let mut report = throttled();
    report.verdict.overall = Status::Pass;
    report.verdict.criteria = vec![
        judged("p95 all", "< 15s", "3.6s", Status::Pass, Some("4.4s at 14:08")),
        judged("errors", "< 1%", "0%", Status::Pass, None),
        judged("lambda throttles", "== 0", "0", Status::Pass, None),
        judged("dynamodb throttles", "== 0", "0", Status::Pass, None),
    ];
    for criterion in &mut report.verdict.criteria {
        criterion.provisional = false;
    }
    report.provisional_until = None;
    report.settings.outstanding.clear();
    report.load = load(0, 300.0);
    report.phases[0].error_share = 0.0;
    report.steps = steps(0);
    report.errors.clear();
    report.throttles.throttles.clear();
    report.throttles.not_looked_at.clear();
    report.reconciliation = Reconciliation {
        sentence: "no client failures".into(),
        ..Reconciliation::default()
    };
    report.timeline = timeline(300, 1.0, |at| (at * 10.0).min(500.0), |_| 0.0, |_| 0.7);
    report.series = hcg_series(report.run.started, false);
    report
}

/// A target without AWS: no account, no series.
pub(crate) fn without_aws() -> Report {
    let mut report = passed();
    report.run.account.clear();
    report.run.region.clear();
    report.run.target = "http://127.0.0.1:8080".into();
    report.settings = SettingsFigures::default();
    report.throttles = Ledger::default();
    report.series.clear();
    report.verdict.criteria.truncate(2);
    report.marks.truncate(1);
    report
}

/// Nothing at all was measured.
pub(crate) fn nothing() -> Report {
    let mut report = without_aws();
    report.verdict.overall = Status::Unknown;
    for criterion in &mut report.verdict.criteria {
        criterion.status = Status::Unknown;
        criterion.got = "–".into();
        criterion.worst = None;
        criterion.samples = 0;
        criterion.note = Some("no request ended in this scope".into());
    }
    report.end = EndReason::Interrupted { signal: 2 };
    report.timeline.clear();
    report.steps.clear();
    report.phases.clear();
    report.load = load(0, 1.0);
    report.load.requests = 0;
    report.load.response = None;
    report.load.service = None;
    report.load.statuses.clear();
    report.run.ended = report.run.started;
    report
}

/// ecs-chatbot's spike: two services behind a balancer, seven phases, partly denied, rehearsed.
pub(crate) fn spike() -> Report {
    let mut report = passed();
    let from = report.run.started;
    report.run.profile = "ecs-chatbot".into();
    report.run.scenario = "spike".into();
    report.run.shape = "100–500 users, 10/s".into();
    report.run.time_scale = 10.0;
    report.run.ended = later(from, 900.0);
    report.verdict.overall = Status::Warn;
    report.verdict.criteria = vec![
        judged("p95 spike", "< 2s", "2.4s", Status::Warn, Some("6.1s at 14:10")),
        judged("errors", "< 1%", "0.4%", Status::Pass, None),
    ];
    let names = ["warm-up", "baseline", "spike", "recovery"];
    let edges = [0.0, 120.0, 360.0, 480.0, 900.0];
    report.phases = names
        .iter()
        .enumerate()
        .map(|(index, name)| PhaseLine {
            name: (*name).into(),
            shape: if index == 2 { "500 users" } else { "100 users" }.into(),
            from: edges[index],
            to: edges[index + 1],
            requests: 4_000,
            rate: 17.0,
            error_share: 0.001,
            response: Some(percentiles(0.3, 1.2, 2.4)),
        })
        .collect();
    let users = |at: f64| {
        if at < 60.0 {
            at * 1.6
        } else if (360.0..480.0).contains(&at) {
            500.0
        } else {
            100.0
        }
    };
    report.timeline = timeline(
        450,
        2.0,
        users,
        |at| if (370.0..430.0).contains(&at) { 0.03 } else { 0.0 },
        |at| if (365.0..520.0).contains(&at) { 1.4 } else { 0.2 },
    );
    report.bucket_seconds = 2.0;
    report.series = ecs_series(from);
    report.throttles.looked_at = vec!["ecs/chat-api".into(), "ecs/chat-worker".into(), "alb/chat".into()];
    report.marks = names
        .iter()
        .zip(edges)
        .map(|(name, at)| Mark {
            at: later(from, at),
            kind: MarkKind::Phase,
            text: (*name).into(),
        })
        .collect();
    for (at, text) in [
        (402.0, "ecs chat-api desired 4 → 8"),
        (415.0, "ecs chat-worker desired 2 → 4"),
        (640.0, "ecs chat-api desired 8 → 4"),
    ] {
        report.marks.push(Mark {
            at: later(from, at),
            kind: MarkKind::Scaling,
            text: text.into(),
        });
    }
    report
}

fn ecs_series(from: Timestamp) -> Vec<Series> {
    let values = |low: f64, high: f64| -> Vec<f64> {
        (0..15)
            .map(|m| if (6..9).contains(&m) { high } else { low } + 6.0 * noise(m))
            .collect()
    };
    let mut all = Vec::new();
    for (service, by) in [("ecs/chat-api", 1.0), ("ecs/chat-worker", 0.6)] {
        for (statistic, more) in [(Statistic::Average, 0.0), (Statistic::Maximum, 9.0)] {
            all.push(series(
                service,
                "aws.ecs.cpu_utilization",
                statistic,
                "%",
                from,
                &values(22.0 * by + more, 84.0 * by + more),
            ));
            all.push(series(
                service,
                "aws.ecs.memory_utilization",
                statistic,
                "%",
                from,
                &values(41.0 * by + more, 52.0 * by + more),
            ));
        }
        let mut tasks = series(service, "aws.ecs.running_task_count", Statistic::Average, "count", from, &[]);
        tasks.completeness = Completeness::Empty;
        all.push(tasks);
    }
    for (metric, low, high) in [
        ("request_count", 1_000.0, 5_000.0),
        ("http_code_target_5xx_count", 0.0, 61.0),
        ("http_code_elb_5xx_count", 0.0, 20.0),
    ] {
        all.push(series(
            "alb/chat",
            &format!("aws.alb.{metric}"),
            Statistic::Sum,
            "count",
            from,
            &values(low, high),
        ));
    }
    let mut time = series(
        "alb/chat",
        "aws.alb.target_response_time",
        Statistic::Average,
        "s",
        from,
        &values(0.0, 1.2).iter().map(|v| v / 20.0 + 0.1).collect::<Vec<_>>(),
    );
    time.points.remove(4);
    all.push(time);
    let mut denied = series("alb/chat", "aws.alb.healthy_host_count", Statistic::Minimum, "count", from, &[]);
    denied.part = "targetgroup/chat/50dc6c495c0c9188".into();
    denied.completeness = Completeness::Failed {
        error: "AWS refused: not allowed to call cloudwatch:GetMetricData".into(),
    };
    all.push(denied);
    all
}

/// 24 hours, 20 steps, 60 series.
pub(crate) fn endurance() -> Report {
    let mut report = spike();
    let from = report.run.started;
    report.run.time_scale = 1.0;
    report.run.scenario = "endurance".into();
    report.run.shape = "200 users".into();
    report.run.ended = later(from, 86_400.0);
    report.phases.truncate(1);
    report.phases[0].name = "endurance".into();
    report.phases[0].to = 86_400.0;
    report.timeline = timeline(
        720,
        120.0,
        |_| 200.0,
        |at| if at > 70_000.0 { 0.002 } else { 0.0 },
        |at| 0.2 + at / 400_000.0,
    );
    report.bucket_seconds = 120.0;
    report.steps = (0..20)
        .map(|index| StepLine {
            journey: format!("journey-{}", index / 4),
            step: format!("step-{index}"),
            ..steps(40)[index % 4].clone()
        })
        .collect();
    report.series = (0..60_u64)
        .map(|index| {
            let values: Vec<f64> = (0..1_440).map(|m| (40.0 + 30.0 * noise(index * 10_000 + m)).round()).collect();
            let (resource, metric, statistic, unit) = endurance_metric(index);
            series(&resource, metric, statistic, unit, from, &values)
        })
        .collect();
    report.marks = (0..40)
        .map(|index| Mark {
            at: later(from, 2_000.0 * f64::from(index)),
            kind: MarkKind::Scaling,
            text: format!("ecs chat-api desired {} → {}", 4 + index % 3, 5 + index % 3),
        })
        .collect();
    report
}

fn endurance_metric(index: u64) -> (String, &'static str, Statistic, &'static str) {
    let resource = |kind: &str| format!("{kind}/service-{}", index / 6);
    match index % 6 {
        0 => (resource("ecs"), "aws.ecs.cpu_utilization", Statistic::Average, "%"),
        1 => (resource("ecs"), "aws.ecs.memory_utilization", Statistic::Average, "%"),
        2 => (resource("lambda"), "aws.lambda.concurrent_executions", Statistic::Maximum, "count"),
        3 => (resource("lambda"), "aws.lambda.duration", Statistic::Average, "ms"),
        4 => (
            resource("dynamodb"),
            "aws.dynamodb.consumed_write_capacity_units",
            Statistic::Sum,
            "units",
        ),
        _ => (resource("alb"), "aws.alb.request_count", Statistic::Sum, "count"),
    }
}

/// Names that would break a page that trusts them.
pub(crate) fn hostile() -> Report {
    const NAME: &str = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&`${1}";
    let mut report = throttled();
    report.run.profile = NAME.into();
    report.run.target = format!("javascript:alert(1)//{NAME}");
    report.run.description = format!("{NAME}\u{202e}\u{2028}-->");
    report.verdict.criteria[1].name = NAME.into();
    report.verdict.criteria[1].worst = Some(NAME.into());
    report.throttles.throttles[0].resource = format!("lambda/{NAME}");
    report.throttles.throttles[0].part = NAME.into();
    report.errors[0].text = NAME.into();
    report.phases[0].name = NAME.into();
    report.steps[0].journey = NAME.into();
    report.marks[2].text = NAME.into();
    report.reconciliation.sentence = NAME.into();
    report.settings.outstanding[0].setting = NAME.into();
    for series in &mut report.series {
        if series.resource == SUPERVISOR {
            series.resource = format!("lambda/{NAME}");
        }
    }
    report.series[3].completeness = Completeness::Failed { error: NAME.into() };
    report
}

/// The generator fell behind, and a criterion has no data.
pub(crate) fn invalid() -> Report {
    let mut report = throttled();
    report.verdict.overall = Status::Invalid;
    report.verdict.criteria[3].status = Status::Unknown;
    report.verdict.criteria[3].got = "–".into();
    report.verdict.criteria[3].note = Some("no data: AWS refused: not allowed to call cloudwatch:GetMetricData".into());
    report.generator.dropped = 1_204;
    report.generator.cpu = 0.98;
    report.generator.invalid = vec![
        "1,204 of 22,480 requests found no free slot (5.4%; at most 0.1% may)".into(),
        "requests were sent up to 840ms late (99th percentile; at most 10ms may be)".into(),
    ];
    report.end = EndReason::Aborted {
        criterion: "errors".into(),
    };
    report.marks.push(Mark {
        at: time("14:08:30"),
        kind: MarkKind::Stop,
        text: "stopped: errors was missed for 60s".into(),
    });
    report
}

/// Every one of them with a name for files.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("throttled", throttled()),
        ("passed", passed()),
        ("without-aws", without_aws()),
        ("nothing", nothing()),
        ("spike", spike()),
        ("endurance", endurance()),
        ("hostile", hostile()),
        ("invalid", invalid()),
    ]
}
