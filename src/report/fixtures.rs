//! Runs as they really look, for the tests of every format.

use std::collections::BTreeMap;

use crate::analysis::{Explained, Judged, Reconciliation, Status, Verdict};
use crate::load::EndReason;
use crate::metrics::{Ledger, Says, Throttle};
use crate::units::Timestamp;

mod others;
mod series;

pub(crate) use others::{endurance, hostile, invalid, nothing, spike, without_aws};

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
        series: series::hcg(from, true),
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
    report.series = series::hcg(report.run.started, false);
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
