//! Plan, prepare, cleanup and status as people use them.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::support::{Machine, Sandbox};

#[test]
fn a_plan_shows_before_and_after_and_changes_nothing() {
    let sandbox = Sandbox::control("hcg-demo");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    machine
        .run(&["plan", "hcg-demo"])
        .exits(0)
        .says("lambda hcg-demo-webhook-handler + reserved unset 100 exact")
        .says("lambda hcg-demo-supervisor-agent ~ reserved 40 100 exact")
        .says("+ write scaling none 5–100@70% exact")
        .says("Nothing was changed");
    assert!(sandbox.snapshot() == before);
    assert_eq!(sandbox.writes(), Vec::<String>::new());
    assert_eq!(machine.journals(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn prepare_makes_one_call_a_change_and_cleanup_puts_everything_back() {
    let sandbox = Sandbox::control("hcg-demo");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    sandbox.delete("calls");
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0).says("READY");
    let writes = sandbox.writes();
    // Three reservations; six scaling ranges and six policies (two tables, one index, read and write); two tables.
    assert_eq!(writes.len(), 3 + 6 + 6 + 2, "{writes:#?}");
    assert!(
        sandbox.calls().len() < 120,
        "looks are batched and polls bounded: {}",
        sandbox.calls().len()
    );
    machine
        .run(&["status"])
        .exits(6)
        .says("NOT BACK TO NORMAL")
        .says("hcg-demo-webhook-handler");
    machine.run(&["cleanup"]).exits(0).says("proved");
    assert!(sandbox.snapshot() == before);
    machine.run(&["status"]).exits(0).says("CLEAN");
    sandbox.delete("calls");
    machine.run(&["cleanup"]).exits(0).says("CLEAN");
    assert_eq!(sandbox.calls().len(), 0, "nothing outstanding: AWS is not asked");
}

#[test]
fn ecs_chatbot_is_prepared_and_put_back_with_its_policy_and_schedule() {
    let sandbox = Sandbox::control("ecs-chatbot");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    machine
        .run(&["prepare", "ecs-chatbot", "--yes"])
        .exits(0)
        .says("READY")
        .says("desired count");
    let settings = sandbox.get("settings");
    assert_eq!(
        settings["services"]["chatbot-staging/chatbot-api"]["running"], 4,
        "prepare waits until the tasks run"
    );
    machine.run(&["cleanup", "ecs-chatbot"]).exits(0);
    assert!(sandbox.snapshot() == before);
}

#[test]
fn capacity_that_autoscaling_moved_is_put_back_and_is_nobodys_edit() {
    let sandbox = Sandbox::control("hcg-demo");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    for (resource, dimension, capacity) in [
        ("table/hcg-demo-conversations", "dynamodb:table:WriteCapacityUnits", 95),
        (
            "table/hcg-demo-conversations/index/by-user",
            "dynamodb:index:WriteCapacityUnits",
            71,
        ),
        ("table/hcg-demo-user-feedback", "dynamodb:table:WriteCapacityUnits", 12),
    ] {
        sandbox.post(
            "autoscale",
            &json!({ "namespace": "dynamodb", "resource_id": resource, "dimension": dimension, "capacity": capacity, "cause": "busy" }),
        );
    }
    machine.run(&["cleanup"]).exits(0);
    assert!(sandbox.snapshot() == before);
}

#[test]
fn somebody_elses_edit_is_left_alone_until_it_is_forced() {
    let sandbox = Sandbox::control("hcg-demo");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    sandbox.edit_reserved("hcg-demo-supervisor-agent", 200);
    machine
        .run(&["cleanup"])
        .exits(6)
        .says("was 40, we set 100, now 200")
        .says("left alone");
    assert_eq!(sandbox.snapshot()["functions"]["hcg-demo-supervisor-agent"]["reserved"], 200);
    machine.run(&["cleanup"]).exits(6);
    machine.run(&["status"]).exits(6).says("1 still changed");
    machine.run(&["cleanup", "--force=hcg-demo-supervisor-agent"]).exits(0);
    assert!(sandbox.snapshot() == before);
}

#[test]
fn somebody_elses_edit_can_be_accepted() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    sandbox.edit_reserved("hcg-demo-supervisor-agent", 200);
    machine
        .run(&["cleanup", "--accept", "lambda/hcg-demo-supervisor-agent"])
        .exits(0)
        .says("200 kept, was 40");
    assert_eq!(sandbox.snapshot()["functions"]["hcg-demo-supervisor-agent"]["reserved"], 200);
    machine.run(&["status"]).exits(0);
}

#[test]
fn a_scaling_range_that_somebody_edited_is_drift_too() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    sandbox.edit_json(
        "AnyScaleFrontendService.RegisterScalableTarget",
        &json!({
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/hcg-demo-user-feedback",
            "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
            "MinCapacity": 7,
            "MaxCapacity": 70
        }),
    );
    machine.run(&["cleanup"]).exits(6).says("now 7–70");
}

#[test]
fn preparing_twice_is_refused_and_loses_nothing() {
    let sandbox = Sandbox::control("hcg-demo");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    machine
        .run(&["prepare", "hcg-demo", "--yes"])
        .exits(3)
        .says("still changed")
        .says("tidegate cleanup hcg-demo");
    machine.run(&["cleanup"]).exits(0);
    assert!(sandbox.snapshot() == before);
}

#[test]
fn cleanup_works_from_any_folder_and_names_what_it_leaves_alone() {
    let sandbox = Sandbox::control("hcg-demo");
    let other = Sandbox::control("hcg-demo");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    // The same machine, but the environment points at another endpoint now.
    let elsewhere = machine.set("AWS_ENDPOINT_URL", other.endpoint());
    elsewhere.run(&["cleanup"]).exits(6).says("left alone").says(sandbox.endpoint());
    assert_eq!(other.writes(), Vec::<String>::new());
    let back = elsewhere.set("AWS_ENDPOINT_URL", sandbox.endpoint());
    let mut command = back.command(&["cleanup"]);
    command.current_dir("/");
    crate::support::Ran::from(command.output().unwrap()).exits(0);
    assert!(sandbox.snapshot() == before);
}

#[test]
fn the_wrong_account_is_refused_before_anything_is_read() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    let source = std::fs::read_to_string(crate::support::repository().join("profiles/hcg-demo.toml")).unwrap();
    machine.write("wrong.toml", &source.replace("123456789012", "999999999999"));
    for command in [&["plan", "wrong.toml"][..], &["prepare", "wrong.toml", "--yes"]] {
        machine
            .run(command)
            .exits(3)
            .says("these credentials are of account 123456789012")
            .says("999999999999");
    }
    assert_eq!(sandbox.writes(), Vec::<String>::new());
    assert!(
        sandbox.calls().iter().all(|call| call["operation"] == "GetCallerIdentity"),
        "{:?}",
        sandbox.calls()
    );
}

#[test]
fn an_unknown_function_is_named_with_its_place_in_the_profile() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    let source = std::fs::read_to_string(crate::support::repository().join("profiles/hcg-demo.toml")).unwrap();
    machine.write(
        "typo.toml",
        &source.replace("hcg-demo-servicenow-action", "hcg-demo-servicenow-actoin"),
    );
    machine
        .run(&["prepare", "typo.toml", "--yes"])
        .exits(3)
        .says("hcg-demo-servicenow-actoin")
        .says("does not exist")
        .says("typo.toml:");
    assert_eq!(sandbox.writes(), Vec::<String>::new());
    assert_eq!(machine.journals(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn an_on_demand_table_is_explained_and_nothing_is_changed() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    sandbox.edit_json(
        "DynamoDB_20120810.UpdateTable",
        &json!({ "TableName": "hcg-demo-conversations", "BillingMode": "PAY_PER_REQUEST" }),
    );
    let settled = || sandbox.get("settings")["tables"]["hcg-demo-conversations"]["billing"] == "PAY_PER_REQUEST";
    while !settled() {
        std::thread::yield_now();
    }
    sandbox.delete("calls");
    machine
        .run(&["prepare", "hcg-demo", "--yes"])
        .exits(3)
        .says("on-demand")
        .says("no capacity units");
    assert_eq!(sandbox.writes(), Vec::<String>::new());
}

#[test]
fn a_spent_decrease_budget_is_refused_before_anything_is_raised() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    sandbox.post(
        "consume-decreases",
        &json!({ "table": "hcg-demo-conversations", "count": 4, "last": "now" }),
    );
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(3).says("decreases");
    assert_eq!(sandbox.writes(), Vec::<String>::new());
}

#[test]
fn a_revert_that_aws_postpones_stays_outstanding_with_its_time() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    sandbox.post(
        "consume-decreases",
        &json!({ "table": "hcg-demo-conversations", "count": 4, "last": "now" }),
    );
    machine.run(&["cleanup"]).exits(6).says("AWS refuses until");
    machine.run(&["status"]).exits(6).says("1 still changed").says("revertible from");
}

#[test]
fn expired_credentials_say_what_to_do_and_change_nothing() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    sandbox.fault(&json!({ "operation": "*", "kind": "error", "code": "ExpiredTokenException", "status": 403, "message": "The security token included in the request is expired" }));
    machine
        .run(&["prepare", "hcg-demo", "--yes"])
        .exits(3)
        .says("expired")
        .says("AWS_PROFILE");
    assert_eq!(machine.journals(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn cleanup_with_expired_credentials_says_that_things_are_still_changed() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    sandbox.fault(&json!({ "operation": "*", "kind": "error", "code": "ExpiredTokenException", "status": 403, "message": "expired" }));
    machine.run(&["cleanup"]).exits(6).says("expired").says("still changed");
}

#[test]
fn a_read_only_state_folder_is_refused_before_any_change() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    // A file where the folder should be: root may write into any folder, whatever its mode.
    machine.write("state", "");
    machine
        .run(&["prepare", "hcg-demo", "--yes"])
        .exits(3)
        .says("state")
        .says("failed to");
    assert_eq!(sandbox.writes(), Vec::<String>::new());
}

#[test]
fn prepare_without_a_terminal_needs_yes() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo"]).exits(3).says("--yes");
    assert_eq!(sandbox.writes(), Vec::<String>::new());
}

#[test]
fn state_is_private() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    let journals = machine.journals();
    assert_eq!(journals.len(), 1);
    assert_eq!(std::fs::metadata(&journals[0]).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&journals[0]).unwrap();
    assert!(!text.contains("sandbox\""), "no credentials in the journal");
}

#[test]
fn interrupted_while_it_prepares_everything_is_put_back() {
    let sandbox = Sandbox::control("hcg-demo");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    sandbox.fault(&json!({ "operation": "PutScalingPolicy", "nth": 2, "kind": "hold-before" }));
    let child = machine.spawn(&["prepare", "hcg-demo", "--yes"]);
    assert!(sandbox.held().is_some());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    sandbox.post("release", &json!({ "id": null, "outcome": "continue" }));
    crate::support::finish(child).exits(130).says("put back");
    assert!(sandbox.snapshot() == before);
    machine.run(&["status"]).exits(0);
}

#[test]
fn a_journal_of_a_newer_version_is_refused_and_status_says_so() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    let journal = machine.journals().remove(0);
    let text = std::fs::read_to_string(&journal)
        .unwrap()
        .replacen("\"version\":1", "\"version\":9", 1);
    std::fs::write(&journal, text).unwrap();
    machine.run(&["status"]).exits(6).says("version 9");
    machine.run(&["cleanup"]).exits(6).says("version 9");
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(3).says("version 9");
}

#[test]
fn a_name_that_fits_nothing_is_no_all_clear() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    machine.run(&["cleanup", "hcg-dmeo"]).exits(6).says("something of `hcg-demo` is");
    // A profile that has become unreadable does not keep its own cleanup away.
    machine.write("hcg-demo.toml", "name = [");
    machine.run(&["cleanup", "hcg-demo.toml"]).exits(0).says("proved");
}

#[test]
fn accepting_what_nobody_changed_puts_it_back_all_the_same() {
    let sandbox = Sandbox::control("hcg-demo");
    let before = sandbox.snapshot();
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    machine.run(&["cleanup", "--accept", "dynamodb/hcg-demo-user-feedback"]).exits(0);
    assert!(sandbox.snapshot() == before);
}

#[test]
fn somebody_elses_capacity_is_not_clamped_away_by_putting_its_range_back() {
    let sandbox = Sandbox::control("hcg-demo");
    let machine = Machine::new(&sandbox);
    machine.run(&["prepare", "hcg-demo", "--yes"]).exits(0);
    let units = json!({ "ReadCapacityUnits": 500, "WriteCapacityUnits": 500 });
    sandbox.edit_json(
        "DynamoDB_20120810.UpdateTable",
        &json!({ "TableName": "hcg-demo-user-feedback", "ProvisionedThroughput": units }),
    );
    while sandbox.get("settings")["tables"]["hcg-demo-user-feedback"]["write"] != 500 {
        std::thread::yield_now();
    }
    machine
        .run(&["cleanup"])
        .exits(6)
        .says("now 500r/500w")
        .says("yours to decide first");
    assert_eq!(sandbox.get("settings")["tables"]["hcg-demo-user-feedback"]["write"], 500);
    machine.run(&["cleanup", "--force"]).exits(0);
}
