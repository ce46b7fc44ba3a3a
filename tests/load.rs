//! Run, test, report and throttles as people use them: counts, verdicts, signals, exit codes.

use std::path::PathBuf;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Machine, Ran, Sandbox, finish, repository};

/// A profile without AWS against the sandbox's target.
fn profile(machine: &Machine, target: &str, phase: &str, more: &str) {
    machine.write(
        "plain.toml",
        &format!(
            r#"name = "plain"
[target]
url = "{target}"
timeout = "5s"
headers = {{ authorization = "Bearer top-secret-token" }}

[[scenario]]
name = "load"
[[scenario.phase]]
name = "load"
{phase}

[[journey]]
name = "visit"
[[journey.step]]
name = "home"
get = "/"
pass = ["status == 200"]

{more}
"#
        ),
    );
}

/// The folder of the newest run.
fn run_folder(machine: &Machine) -> PathBuf {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(machine.path("tidegate-runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders.pop().expect("a run was made")
}

fn run_json(machine: &Machine) -> Value {
    serde_json::from_slice(&std::fs::read(run_folder(machine).join("run.json")).unwrap()).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

/// The server's count lies between what was answered and that plus what it may have counted without our seeing it.
#[track_caller]
fn counts_agree(report: &Value, sandbox: &Sandbox) {
    let load = &report["load"];
    let server = number(&sandbox.target_get("counts")["requests"]);
    let answered = number(&load["answered"]);
    let ended = answered + number(&load["interrupted"]) + number(&load["unsent"]);
    let lost = number(&load["requests"]) - ended;
    let most = answered + lost + number(&load["interrupted"]);
    assert!(
        (answered..=most).contains(&server),
        "answered {answered}, server {server}, at most {most}"
    );
    if number(&load["interrupted"]) == 0
        && load["failures"]
            .as_object()
            .unwrap()
            .keys()
            .all(|kind| kind == "status" || kind == "check")
    {
        assert_eq!(server, answered, "drained without transport errors: equal");
    }
}

/// Waits until the target has counted so many requests of a command that still runs.
#[track_caller]
fn wait_for_requests(sandbox: &Sandbox, child: &mut Child, count: u64) {
    while number(&sandbox.target_get("counts")["requests"]) < count {
        assert_eq!(child.try_wait().unwrap(), None, "the command ended before its load was seen");
    }
}

#[test]
fn an_open_load_sends_what_was_asked_and_counts_what_the_server_counts() {
    let sandbox = Sandbox::whole("empty", "1");
    let machine = Machine::without_aws();
    profile(&machine, sandbox.target(), "rate = \"200/s\"\nduration = \"4s\"", "");
    machine.run(&["run", "plain.toml", "--seed", "7"]).exits(0).says("PASS");
    let report = run_json(&machine);
    assert_eq!(number(&report["load"]["requests"]), 800);
    assert_eq!(report["run"]["seed"], 7);
    assert_eq!(report["run"]["account"], "", "no AWS in the profile: none is asked");
    counts_agree(&report, &sandbox);
}

#[test]
fn nothing_secret_is_written_down() {
    let sandbox = Sandbox::whole("empty", "1");
    let machine = Machine::without_aws();
    profile(&machine, sandbox.target(), "users = 2\nduration = \"1s\"", "");
    let ran = machine.run(&["run", "plain.toml"]).exits(0);
    assert!(!ran.stdout.contains("top-secret-token") && !ran.stderr.contains("top-secret-token"));
    for entry in std::fs::read_dir(run_folder(&machine)).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("top-secret-token"), "{}", path.display());
    }
}

#[test]
fn interrupted_a_run_drains_reports_and_exits_130() {
    let sandbox = Sandbox::whole("empty", "1");
    let machine = Machine::without_aws();
    profile(&machine, sandbox.target(), "users = 20\nduration = \"60s\"", "");
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        sandbox.target_post("reset", &json!({}));
        let mut child = machine.spawn(&["run", "plain.toml"]);
        wait_for_requests(&sandbox, &mut child, 100);
        kill_process(Pid::from_child(&child), signal).unwrap();
        finish(child).exits(code);
        let report = run_json(&machine);
        assert_eq!(report["end"]["end"], "interrupted");
        counts_agree(&report, &sandbox);
        assert!(run_folder(&machine).join("report.html").exists());
    }
}

#[test]
fn a_criterion_that_keeps_failing_aborts_the_load_and_exits_5() {
    let sandbox = Sandbox::whole("empty", "1");
    let machine = Machine::without_aws();
    let criterion = "[[criterion]]\nname = \"error budget\"\nmetric = \"errors\"\npass = \"rate < 1%\"\nabort-after = \"2s\"";
    profile(&machine, sandbox.target(), "users = 5\nduration = \"60s\"", criterion);
    sandbox.target_post("behaviour", &json!({ "refuse": false, "delay_ms": 5, "status": 503 }));
    machine.run(&["run", "plain.toml"]).exits(5).says("error budget");
    let report = run_json(&machine);
    assert_eq!(report["end"]["end"], "aborted");
    assert_eq!(report["verdict"]["overall"], "FAIL");
    counts_agree(&report, &sandbox);
}

#[test]
fn each_verdict_has_its_exit_code() {
    let sandbox = Sandbox::whole("empty", "1");
    let machine = Machine::without_aws();
    let criterion = |line: &str| format!("[[criterion]]\nname = \"c\"\nmetric = \"requests\"\n{line}");
    for (line, arguments, code) in [
        ("pass = \"count > 1\"", &[][..], 0),
        ("pass = \"count < 1\"", &[], 99),
        ("warn = \"count > 1\"", &[], 0),
        ("warn = \"count > 1\"", &["--strict"], 99),
        ("pass = \"count > ?\"", &[], 7),
        ("invalid = \"count > 1\"", &[], 8),
    ] {
        profile(&machine, sandbox.target(), "users = 2\nduration = \"1s\"", &criterion(line));
        let mut command = vec!["run", "plain.toml"];
        command.extend(arguments);
        machine.run(&command).exits(code);
    }
}

#[test]
fn an_unreachable_target_is_said_before_anything_is_sent() {
    let machine = Machine::without_aws();
    // A port that was free a moment ago and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    profile(&machine, &format!("http://127.0.0.1:{port}"), "users = 2\nduration = \"1s\"", "");
    machine
        .run(&["run", "plain.toml"])
        .exits(3)
        .says("failed to connect to")
        .says("nothing was sent")
        .says("--url");
    assert!(!machine.path("tidegate-runs").exists());
}

#[test]
fn a_profile_with_five_mistakes_gets_five_carets_and_nothing_is_contacted() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    let source = std::fs::read_to_string(repository().join("profiles/hcg-demo.toml")).unwrap();
    let wrong = source
        .replacen("reserved-concurrency = 100", "reserved-concurency = 100", 1)
        .replacen("autoscale = \"5..100\"", "autoscale = \"100..5\"", 1)
        .replacen("weight     = 40", "weight     = 0", 1)
        .replacen("json($.answer) exists", "json($.answer[) exists", 1)
        .replacen("metric = \"response_time\"", "metric = \"respnse_time\"", 1);
    machine.write("wrong.toml", &wrong);
    for command in [
        &["check", "wrong.toml"][..],
        &["plan", "wrong.toml"],
        &["prepare", "wrong.toml", "--yes"],
        &["run", "wrong.toml"],
    ] {
        let ran = machine.run(command).exits(2).says("5 mistakes").says("did you mean");
        assert_eq!(ran.stderr.matches("wrong.toml:").count(), 5, "{}", ran.stderr);
    }
    assert_eq!(sandbox.calls().len(), 0);
}

#[test]
fn an_unprepared_demo_throttles_and_on_call_sees_where_and_why() {
    let sandbox = Sandbox::whole("hcg-demo", "20");
    let machine = Machine::new(&sandbox);
    machine.run(&["throttles", "hcg-demo"]).exits(0).says("QUIET");
    sandbox.target_post("reset", &json!({}));
    machine
        .run(&["run", "hcg-demo", "--time-scale", "20", "--no-align"])
        .exits(99)
        .says("FAIL")
        .says("REHEARSAL")
        .says("CAUSE");
    let report = run_json(&machine);
    counts_agree(&report, &sandbox);
    let throttles = report["throttles"]["throttles"].as_array().unwrap();
    let lambda = throttles
        .iter()
        .find(|throttle| throttle["resource"] == "lambda/hcg-demo-supervisor-agent")
        .unwrap();
    assert_eq!(
        (lambda["cause"].as_str(), lambda["says"].as_str()),
        (Some("reserved limit 40"), Some("inferred"))
    );
    assert!(
        throttles
            .iter()
            .any(|throttle| throttle["resource"] == "dynamodb/hcg-demo-conversations" && throttle["says"] == "aws"),
        "{throttles:#?}"
    );
    let reconciled = &report["reconciliation"];
    let explained: u64 = reconciled["explained"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| number(&part["count"]))
        .sum();
    assert_eq!(
        explained + number(&reconciled["unexplained"]),
        number(&reconciled["client_failures"])
    );
    machine
        .run(&["throttles", "--since", "10m"])
        .exits(99)
        .says("hcg-demo-supervisor-agent")
        .says("reserved limit 40 (inferred)")
        .says("429s need access logs");
    // Rendered again without AWS it says the same.
    let again = machine
        .run(&["report", run_folder(&machine).to_str().unwrap(), "--offline"])
        .exits(99);
    assert!(again.stdout.contains("CAUSE"));
    assert_eq!(run_json(&machine), report);
}

#[test]
fn prepared_the_demo_is_clean_and_every_setting_is_in_force() {
    let sandbox = Sandbox::whole("hcg-demo", "20");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    // 250 users stay far from every limit, and write more than 70 % of 50 units: autoscaling moves.
    let source = std::fs::read_to_string(repository().join("profiles/hcg-demo.toml")).unwrap();
    machine.write("hcg-demo.toml", &source.replace("users      = 500", "users      = 250"));
    let start = "dynamodb/hcg-demo-conversations.write.start=50";
    machine.run(&["prepare", "hcg-demo.toml", "--yes", "--set", start]).exits(0);
    machine
        .run(&["run", "hcg-demo.toml", "--time-scale", "10", "--no-align"])
        .exits(0)
        .says("17 of 17 settings in force")
        .says("PASS")
        .says("tidegate cleanup hcg-demo");
    let report = run_json(&machine);
    assert_eq!(report["throttles"]["throttles"].as_array().unwrap().len(), 0);
    assert_eq!(report["settings"]["in_force"], 17);
    assert!(
        report["marks"].as_array().unwrap().iter().any(|mark| mark["kind"] == "scaling"),
        "{}",
        report["marks"]
    );
    counts_agree(&report, &sandbox);
    machine.run(&["cleanup", "hcg-demo.toml"]).exits(0);
    assert!(sandbox.snapshot() == before);
}

#[test]
fn test_prepares_runs_and_cleans_up_as_one() {
    let sandbox = Sandbox::whole("ecs-chatbot", "20");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    let ran = machine.run(&[
        "test",
        "ecs-chatbot",
        "--yes",
        "--scenario",
        "spike",
        "--time-scale",
        "100",
        "--no-align",
    ]);
    // The limits that only the team knows are `?`: UNKNOWN, never a pass.
    ran.exits(7).says("READY").says("UNKNOWN").says("proved");
    assert!(sandbox.snapshot() == before);
    machine.run(&["status"]).exits(0);
}

#[test]
fn test_that_is_interrupted_still_cleans_up() {
    let sandbox = Sandbox::whole("hcg-demo", "20");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    let mut child = machine.spawn(&["test", "hcg-demo", "--yes", "--no-align"]);
    wait_for_requests(&sandbox, &mut child, 20);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    // A failing criterion is graver news than the signal, but the signal ends the run: 130.
    finish(child).exits(130).says("proved");
    assert!(sandbox.snapshot() == before);
}

#[test]
fn cleanup_waits_for_a_run_unless_told_otherwise() {
    let sandbox = Sandbox::whole("hcg-demo", "20");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    let mut child = machine.spawn(&["run", "hcg-demo", "--no-align"]);
    wait_for_requests(&sandbox, &mut child, 20);
    machine.run(&["cleanup"]).exits(3).says("a run uses it").says("--despite-run");
    machine.run(&["cleanup", "--despite-run"]).exits(0);
    assert!(sandbox.snapshot() == before);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    finish(child).exits(130);
}

#[test]
fn a_run_that_was_killed_does_not_keep_cleanup_away_and_can_be_reported() {
    let sandbox = Sandbox::whole("hcg-demo", "20");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    let mut child = machine.spawn(&["run", "hcg-demo", "--no-align"]);
    wait_for_requests(&sandbox, &mut child, 20);
    let folder = run_folder(&machine);
    while !folder.join("recording.json").exists() {
        assert_eq!(child.try_wait().unwrap(), None);
        std::thread::yield_now();
    }
    child.kill().unwrap();
    let _: Ran = finish(child);
    machine.run(&["cleanup"]).exits(0);
    let ran = machine.run(&["report", folder.to_str().unwrap()]);
    assert!([7, 99].contains(&ran.code), "{ran:?}");
    assert_eq!(run_json(&machine)["end"]["end"], "killed");
}

#[test]
fn json_goes_to_stdout_alone() {
    let sandbox = Sandbox::whole("empty", "1");
    let machine = Machine::without_aws();
    profile(&machine, sandbox.target(), "users = 2\nduration = \"1s\"", "");
    let ran = machine.run(&["run", "plain.toml", "--output", "json"]).exits(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["version"], 1);
    let ran = machine.run(&["check", "plain.toml", "--output", "json"]).exits(0);
    assert!(serde_json::from_str::<Value>(&ran.stdout).is_ok());
    let ran = machine.run(&["status", "--output", "json"]).exits(0);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["changed"], false);
}
