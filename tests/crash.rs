//! The promise through the binary: killed at every AWS call of `prepare` and of `cleanup`, before it takes effect and
//! after it with the answer lost, the next `cleanup` leaves the account exactly as it was.

use serde_json::{Value, json};

use crate::support::{Machine, Sandbox, finish};

/// Fast updates, so that a case takes no longer than its calls.
fn sandbox(system: &str) -> Sandbox {
    Sandbox::control(system)
}

/// Kills the command at its nth AWS call; false when it made fewer.
fn kill_at(sandbox: &Sandbox, machine: &Machine, arguments: &[&str], place: (&str, usize, &str)) -> bool {
    let (operation, nth, kind) = place;
    sandbox.fault(&json!({ "operation": operation, "nth": nth, "kind": kind }));
    let mut child = machine.spawn(arguments);
    let held = loop {
        let held = sandbox.get("held?wait=1")["held"].as_array().is_some_and(|held| !held.is_empty());
        if held || child.try_wait().unwrap().is_some() {
            break held;
        }
    };
    // SIGKILL: nothing of the process gets to say goodbye.
    let _ = child.kill();
    finish(child);
    sandbox.release_and_drop();
    sandbox.delete("faults");
    held
}

#[track_caller]
fn expect_as_before(sandbox: &Sandbox, machine: &Machine, before: &Value, case: &str) {
    let cleanup = machine.run(&["cleanup"]);
    assert_eq!(cleanup.code, 0, "{case}: {}{}", cleanup.stdout, cleanup.stderr);
    let after = sandbox.snapshot();
    assert!(after == *before, "{case}: {}\nbefore {before:#}\nafter {after:#}", cleanup.stdout);
    assert_eq!(machine.run(&["status"]).code, 0, "{case}");
}

/// Where to kill: every call before it takes effect, and every changing call after it, its answer lost. (After a call
/// that only looks is before the next one.)
fn places(sandbox: &Sandbox, machine: &Machine, arguments: &[&str]) -> Vec<(&'static str, usize, &'static str)> {
    sandbox.delete("calls");
    machine.run(arguments).exits(0);
    let (calls, writes) = (sandbox.calls().len(), sandbox.writes().len());
    assert!(calls > 10 && writes >= 1, "{calls} calls, {writes} of them changing something");
    let before = (1..=calls).map(|nth| ("*", nth, "hold-before"));
    let after = (1..=writes).map(|nth| ("mutating", nth, "hold-after"));
    before.chain(after).collect()
}

fn every_call_of_prepare(system: &str) {
    let sandbox = sandbox(system);
    let before = sandbox.snapshot();
    let prepare = ["prepare", system, "--yes"];
    let mut killed = 0;
    let places = places(&sandbox, &Machine::new(&sandbox), &prepare);
    for place in &places {
        sandbox.reset();
        let machine = Machine::new(&sandbox);
        if kill_at(&sandbox, &machine, &prepare, *place) {
            killed += 1;
            expect_as_before(&sandbox, &machine, &before, &format!("prepare killed at {place:?}"));
        }
    }
    assert!(killed * 10 > places.len() * 9, "{killed} of {} were reached", places.len());
}

fn every_call_of_cleanup(system: &str) {
    let sandbox = sandbox(system);
    let before = sandbox.snapshot();
    let prepare = ["prepare", system, "--yes"];
    let machine = Machine::new(&sandbox);
    machine.run(&prepare).exits(0);
    let mut killed = 0;
    let places = places(&sandbox, &machine, &["cleanup"]);
    for place in &places {
        sandbox.reset();
        let machine = Machine::new(&sandbox);
        machine.run(&prepare).exits(0);
        if kill_at(&sandbox, &machine, &["cleanup"], *place) {
            killed += 1;
            expect_as_before(&sandbox, &machine, &before, &format!("cleanup killed at {place:?}"));
        }
    }
    assert!(killed * 10 > places.len() * 9, "{killed} of {} were reached", places.len());
}

#[test]
fn hcg_demo_killed_at_every_call_of_prepare_is_restored() {
    every_call_of_prepare("hcg-demo");
}

#[test]
fn hcg_demo_killed_at_every_call_of_cleanup_is_restored() {
    every_call_of_cleanup("hcg-demo");
}

#[test]
fn ecs_chatbot_killed_at_every_call_of_prepare_is_restored() {
    every_call_of_prepare("ecs-chatbot");
}

#[test]
fn ecs_chatbot_killed_at_every_call_of_cleanup_is_restored() {
    every_call_of_cleanup("ecs-chatbot");
}

#[test]
fn a_call_whose_answer_is_lost_and_that_lands_late_does_not_stay() {
    let sandbox = sandbox("hcg-demo");
    let before = sandbox.snapshot();
    for operation in [
        "PutFunctionConcurrency",
        "UpdateTable",
        "RegisterScalableTarget",
        "PutScalingPolicy",
    ] {
        for kind in ["late", "apply-drop", "drop"] {
            sandbox.reset();
            let machine = Machine::new(&sandbox);
            sandbox.fault(&json!({ "operation": operation, "nth": 1, "kind": kind, "delay_ms": 300 }));
            let prepare = machine.run(&["prepare", "hcg-demo", "--yes"]);
            // Asking again makes it good, or everything is put back: never anything in between.
            assert!(
                [0, 4].contains(&prepare.code),
                "{operation} {kind}: {} {}",
                prepare.code,
                prepare.stderr
            );
            sandbox.delete("faults");
            if prepare.code == 4 {
                assert!(sandbox.snapshot() == before, "{operation} {kind}");
            }
            expect_as_before(&sandbox, &machine, &before, &format!("{operation} {kind}"));
        }
    }
}

#[test]
fn every_error_of_every_changing_call_of_prepare_ends_in_nothing_changed() {
    let sandbox = sandbox("hcg-demo");
    let before = sandbox.snapshot();
    let prepare = ["prepare", "hcg-demo", "--yes"];
    sandbox.delete("calls");
    Machine::new(&sandbox).run(&prepare).exits(0);
    let writes = sandbox.writes().len();
    for nth in 1..=writes {
        sandbox.reset();
        let machine = Machine::new(&sandbox);
        sandbox.fault(&json!({ "operation": "mutating", "nth": nth, "kind": "error", "code": "AccessDeniedException", "status": 403, "message": "not allowed" }));
        machine.run(&prepare).exits(4).says("not allowed");
        sandbox.delete("faults");
        assert!(sandbox.snapshot() == before, "denied at write {nth}");
        machine.run(&["status"]).exits(0);
    }
}
