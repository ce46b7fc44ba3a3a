//! Every mistake of a profile: what is marked, what is said, and what to do.

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::{Diagnostics, Override, parse, with_overrides};

/// A profile without mistakes; tests spoil a part of it.
const GOOD: &str = r#"name = "good"

[aws]
region  = "eu-west-1"
account = "123456789012"

[target]
on = "rest-api/api"

[[rest-api]]
name  = "api"
stage = "prod"

[[lambda]]
name    = "orders"
require = { timeout = "60s" }
set     = { reserved-concurrency = 100 }

[[dynamodb]]
name      = "orders"
set.read  = { autoscale = "5..100", utilization = "70%", start = 60 }

[[ecs]]
name    = "worker"
cluster = "staging"
set     = { desired = 4, autoscale = "4..20" }

[[scenario]]
name = "load"

[[scenario.phase]]
name     = "steady"
users    = 100
duration = "5m"

[[scenario.phase]]
name     = "after"
users    = 10
duration = "1m"

[[journey]]
name       = "order"
weight     = 2
think-time = "1s..3s"
tags       = ["write"]

[[journey.step]]
name = "create"
post = "/orders"
json = { item = "{{data.items}}" }
pass = ["status == 201"]
save = { order = "json($.id)" }

[[journey.step]]
name = "look"
get  = "/orders/{{order}}"

[[data]]
name   = "items"
values = ["apple"]

[[criterion]]
name   = "latency"
metric = "response_time"
pass   = "p(95) < 1s"

[[criterion]]
name   = "throttles"
metric = "aws.lambda.throttles"
pass   = "sum == 0"
"#;

fn found(source: &str) -> Diagnostics {
    parse("good.toml", source).expect_err("the profile has a mistake")
}

fn render(diagnostics: &Diagnostics) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut text, diagnostics)
        .unwrap();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Spoils the good profile; expects one mistake with these bytes marked, this message, and this in its help.
#[track_caller]
fn spoilt(from: &str, to: &str, marked: &str, message: &str, help: &str) {
    assert!(GOOD.contains(from), "`{from}` is not in the profile");
    let diagnostics = found(&GOOD.replacen(from, to, 1));
    let all: Vec<String> = diagnostics
        .mistakes()
        .iter()
        .map(|m| format!("{}: {m} [{}] ({})", m.line(), m.marked(), m.advice()))
        .collect();
    let [mistake] = diagnostics.mistakes() else {
        panic!("not one mistake: {all:#?}");
    };
    assert_eq!(mistake.marked(), marked, "{all:#?}");
    assert_eq!(mistake.to_string(), message);
    assert!(mistake.advice().contains(help), "{all:#?}");
}

#[test]
fn the_good_profile_is_good() {
    if let Err(error) = parse("good.toml", GOOD) {
        panic!("{}", render(&error));
    }
}

#[test]
fn five_mistakes_give_five_carets() {
    let source = GOOD
        .replace("timeout = \"60s\"", "timeout = \"60x\"")
        .replace("reserved-concurrency = 100", "reserved_concurrency = 100")
        .replace("\"5..100\"", "\"100..5\"")
        .replace("users    = 100", "users    = \"many\"")
        .replace("aws.lambda.throttles", "aws.lambda.throtles");
    let text = render(&found(&source));
    insta::assert_snapshot!(text, @r#"
      × 5 mistakes in profile `good.toml`

    Error:
      × `60x` is not a duration
        ╭─[good.toml:16:23]
     15 │ name    = "orders"
     16 │ require = { timeout = "60x" }
        ·                       ─────
     17 │ set     = { reserved_concurrency = 100 }
        ╰────
      help: write it such as `60s`, or with an operator before it

    Error:
      × unknown key `reserved_concurrency` in `lambda.set`
        ╭─[good.toml:17:13]
     16 │ require = { timeout = "60x" }
     17 │ set     = { reserved_concurrency = 100 }
        ·             ────────────────────
     18 │
        ╰────
      help: did you mean `reserved-concurrency`?

    Error:
      × the range `100..5` ends below its start
        ╭─[good.toml:21:27]
     20 │ name      = "orders"
     21 │ set.read  = { autoscale = "100..5", utilization = "70%", start = 60 }
        ·                           ────────
     22 │
        ╰────
      help: write `5..100`

    Error:
      × `many` is no number of users
        ╭─[good.toml:33:12]
     32 │ name     = "steady"
     33 │ users    = "many"
        ·            ──────
     34 │ duration = "5m"
        ╰────
      help: write `users = 500` or `users = "100..500"`

    Error:
      × unknown metric `aws.lambda.throtles`
        ╭─[good.toml:69:10]
     68 │ name   = "throttles"
     69 │ metric = "aws.lambda.throtles"
        ·          ─────────────────────
     70 │ pass   = "sum == 0"
        ╰────
      help: did you mean `aws.lambda.throttles`?
    "#);
}

#[test]
fn keys_that_are_not_known_are_refused_with_the_nearest_known_one() {
    spoilt(
        "stage = \"prod\"",
        "stage = \"prod\"\nstages = 1",
        "stages",
        "unknown key `stages` in `rest-api`",
        "did you mean `stage`?",
    );
    spoilt(
        "name = \"good\"",
        "name = \"good\"\ncolour = 1",
        "colour",
        "unknown key `colour`",
        "known keys: `name`",
    );
    spoilt(
        "weight     = 2",
        "wieght = 2",
        "wieght",
        "unknown key `wieght` in `journey`",
        "did you mean `weight`?",
    );
    spoilt(
        "[[data]]",
        "[[lamda]]\nname = \"x\"\n[[data]]",
        "lamda",
        "unknown key `lamda`",
        "did you mean `lambda`?",
    );
    spoilt(
        "start = 60",
        "begin = 60",
        "begin",
        "unknown key `begin` in `dynamodb.set.read`",
        "`start`",
    );
}

#[test]
fn parts_of_the_language_that_come_later_are_refused_by_name() {
    let add = |table: &str| format!("{table}\n\n[[data]]");
    let later = |table: &str, marked: &str, message: &str| spoilt("[[data]]", &add(table), marked, message, "leave");
    later("[[alarm]]\nname = \"x\"", "alarm", "`[[alarm]]` is not supported by this version");
    later(
        "[[dashboard]]\nname = \"x\"",
        "dashboard",
        "`[[dashboard]]` is not supported by this version",
    );
    later("[[rds]]\nname = \"x\"", "rds", "`[[rds]]` is not supported by this version");
    later(
        "[guard]\nrevert-after = \"2h\"",
        "guard",
        "`[guard]` is not supported by this version",
    );
    later("[cost]\nlimit = \"$2\"", "cost", "`[cost]` is not supported by this version");
    spoilt(
        "reserved-concurrency = 100",
        "provisioned-concurrency = 5",
        "provisioned-concurrency",
        "`provisioned-concurrency` is not supported by this version",
        "leave it out",
    );
    spoilt(
        "weight     = 2",
        "at-start = true",
        "at-start",
        "`at-start` is not supported by this version",
        "leave it out",
    );
    spoilt(
        "pass = [\"status == 201\"]",
        "repeat = 3",
        "repeat",
        "`repeat` is not supported by this version",
        "write the step",
    );
    spoilt(
        "metric = \"response_time\"",
        "metric = \"ttft\"",
        "\"ttft\"",
        "the metric `ttft` is not supported by this version",
        "leave",
    );
}

#[test]
fn values_of_the_wrong_type_are_refused() {
    spoilt(
        "reserved-concurrency = 100",
        "reserved-concurrency = \"100\"",
        "\"100\"",
        "`reserved-concurrency` must be a whole number or \"unset\", not a text",
        "without quotes",
    );
    spoilt(
        "account = \"123456789012\"",
        "account = 123456789012",
        "123456789012",
        "`account` must be a text, not an integer",
        "quotes",
    );
    spoilt(
        "users    = 100",
        "users    = \"100\"",
        "\"100\"",
        "`100` is a text",
        "without quotes",
    );
    spoilt(
        "[[scenario]]\nname = \"load\"\n\n[[scenario.phase]]",
        "[scenario]\nname = \"load\"\n\n[[scenario.phase]]",
        "scenario",
        "`scenario` is a table",
        "`[[scenario]]`",
    );
    spoilt("[target]", "[[target]]", "target", "there is only one `target`", "`[target]`");
}

#[test]
fn what_is_missing_is_said_at_its_table() {
    spoilt("name = \"good\"\n", "", "", "`name` is missing", "begin the file");
    spoilt("stage = \"prod\"", "", "[[rest-api]]", "`stage` is missing", "stage");
    spoilt("duration = \"5m\"", "", "[[scenario.phase]]", "`duration` is missing", "5m");
    spoilt("users    = 100", "", "[[scenario.phase]]", "`users` is missing", "rate");
    spoilt(
        "pass   = \"p(95) < 1s\"",
        "",
        "[[criterion]]",
        "`pass` is missing",
        "what must hold",
    );
    spoilt(
        "post = \"/orders\"\njson = { item = \"{{data.items}}\" }",
        "",
        "[[journey.step]]",
        "`get` is missing",
        "requested",
    );
}

#[test]
fn settings_out_of_bounds_are_refused() {
    spoilt(
        "\"5..100\"",
        "\"100..5\"",
        "\"100..5\"",
        "the range `100..5` ends below its start",
        "`5..100`",
    );
    spoilt("\"5..100\"", "\"0..100\"", "0", "a table has at least 1 unit", "1 or more");
    spoilt(
        "\"70%\"",
        "\"95%\"",
        "\"95%\"",
        "a target utilization of `95%` is not possible",
        "20% to 90%",
    );
    spoilt(
        "\"70%\"",
        "\"19%\"",
        "\"19%\"",
        "a target utilization of `19%` is not possible",
        "20% to 90%",
    );
    spoilt(
        "start = 60",
        "start = 101",
        "101",
        "`start = 101` is outside of `autoscale`, 5 to 100",
        "within",
    );
    spoilt(
        "desired = 4",
        "desired = 3",
        "3",
        "`desired` is outside of `autoscale`, 4 to 20",
        "within",
    );
    spoilt(
        "reserved-concurrency = 100",
        "reserved-concurrency = 0",
        "0",
        "a reservation of 0 blocks every call of the function",
        "block-all = true",
    );
    spoilt(
        "reserved-concurrency = 100",
        "reserved-concurrency = 5, block-all = true",
        "true",
        "`block-all` goes with `reserved-concurrency = 0`",
        "leave it out",
    );
    spoilt(
        "reserved-concurrency = 100",
        "reserved-concurrency = -1",
        "-1",
        "`reserved-concurrency` is out of range",
        "0 to",
    );
    spoilt(
        "stage = \"prod\"",
        "stage = \"prod\"\nset = { rate = 5 }",
        "set",
        "nothing of a `[[rest-api]]` can be set",
        "leave",
    );
}

#[test]
fn blocking_a_function_is_possible_when_it_is_meant() {
    let source = GOOD.replace("reserved-concurrency = 100", "reserved-concurrency = 0, block-all = true");
    assert!(parse("good.toml", &source).is_ok());
}

#[test]
fn names_are_given_once() {
    spoilt(
        "name = \"look\"",
        "name = \"create\"",
        "\"create\"",
        "step `create` is there twice",
        "another name",
    );
    spoilt(
        "name   = \"throttles\"",
        "name   = \"latency\"",
        "\"latency\"",
        "criterion `latency` is there twice",
        "another name",
    );
    let again = "[[lambda]]\nname = \"orders\"\n\n[[dynamodb]]";
    spoilt(
        "[[dynamodb]]",
        again,
        "\"orders\"",
        "resource `lambda/orders` is there twice",
        "another name",
    );
    let diagnostics = found(&GOOD.replace("name   = \"throttles\"", "name   = \"latency\""));
    assert!(render(&diagnostics).contains("the first one"));
}

#[test]
fn names_that_are_used_are_known() {
    let scoped = |scope: &str| format!("metric = \"response_time\"\n{scope}");
    let scope = |line: &str, marked: &str, message: &str, help: &str| {
        spoilt("metric = \"response_time\"", &scoped(line), marked, message, help);
    };
    scope(
        "scenario = \"laod\"",
        "\"laod\"",
        "no scenario is named `laod`",
        "did you mean `load`?",
    );
    scope(
        "phase = \"stedy\"",
        "\"stedy\"",
        "no phase is named `stedy`",
        "did you mean `steady`?",
    );
    scope("journey = \"x\"", "\"x\"", "no journey is named `x`", "`order`");
    scope(
        "step = [\"look\", \"lok\"]",
        "\"lok\"",
        "no step is named `lok`",
        "did you mean `look`?",
    );
    scope("tag = \"x\"", "\"x\"", "no tag is named `x`", "`write`");
    scope("on = \"lambda/orders\"", "on", "`on` applies to AWS metrics only", "leave it out");
    let on = |selector: &str, message: &str, help: &str| {
        let line = format!("metric = \"aws.lambda.throttles\"\non = \"{selector}\"");
        spoilt(
            "metric = \"aws.lambda.throttles\"",
            &line,
            &format!("\"{selector}\""),
            message,
            help,
        );
    };
    on(
        "lambda/order",
        "the profile lists no `lambda/order`",
        "did you mean `lambda/orders`?",
    );
    on("lamda/orders", "unknown kind `lamda` in `lamda/orders`", "did you mean `lambda`?");
    on("orders", "`orders` is not a selector", "write `lambda/orders`");
    on("ecs/*", "`ecs/*` has no metric `aws.lambda.throttles`", "`lambda`");
    spoilt(
        "on = \"rest-api/api\"",
        "on = \"rest-api/ap\"",
        "\"rest-api/ap\"",
        "the profile lists no `rest-api/ap`",
        "did you mean `rest-api/api`?",
    );
    spoilt(
        "on = \"rest-api/api\"",
        "on = \"lambda/orders\"",
        "\"lambda/orders\"",
        "`lambda/orders` has no address that load can go to",
        "`url`",
    );
}

#[test]
fn metrics_and_statistics_are_checked_against_each_other() {
    let metric = |name: &str, message: &str, help: &str| {
        let marked = format!("\"{name}\"");
        spoilt("metric = \"response_time\"", &format!("metric = {marked}"), &marked, message, help);
    };
    metric("respons_time", "unknown metric `respons_time`", "did you mean `response_time`?");
    metric(
        "aws.lambda.timeouts",
        "unknown metric `aws.lambda.timeouts`",
        "known metrics of lambda: `invocations`",
    );
    metric("aws.redis.hits", "unknown metric `aws.redis.hits`", "known kinds");
    let pass = |of: &str, condition: &str, marked: &str, message: &str, help: &str| {
        spoilt(of, &format!("pass   = \"{condition}\""), marked, message, help);
    };
    let time = "pass   = \"p(95) < 1s\"";
    let throttles = "pass   = \"sum == 0\"";
    pass(time, "sum < 1s", "sum", "`sum` does not apply to `response_time`", "`p(N)`");
    pass(time, "p(95) < 15", "15", "the limit must be a duration", "`15s`");
    pass(time, "p(95) < 15x", "15x", "`15x` is not a number with a known unit", "`15s`");
    pass(time, "p(101) < 1s", "p(101)", "`p(101)` is not a percentile", "up to 100");
    pass(time, "p95 < 1s", "p95", "unknown statistic `p95`", "write `p(95)`");
    pass(time, "median < 1s", "median", "unknown statistic `median`", "did you mean `med`?");
    pass(
        time,
        "avg in 2s..1s",
        "2s..1s",
        "the range `2s..1s` ends below its start",
        "`1s..2s`",
    );
    pass(
        throttles,
        "p(95) < 1",
        "p(95)",
        "`p(95)` does not apply to `aws.lambda.throttles`",
        "`sum`",
    );
    pass(throttles, "sum < 5s", "5s", "the limit must be a plain number", "without a unit");
    spoilt(
        "metric = \"aws.lambda.throttles\"\npass   = \"sum == 0\"",
        "metric = \"aws.alb.request_count\"\npass   = \"sum == 0\"",
        "\"aws.alb.request_count\"",
        "the profile lists no `[[alb]]` to measure this on",
        "list the resource",
    );
}

#[test]
fn criteria_hold_together() {
    let time = |line: &str| format!("metric = \"response_time\"\n{line}");
    spoilt(
        "metric = \"response_time\"",
        &time("kind = \"timeout\""),
        "\"timeout\"",
        "`kind` applies to `errors` only",
        "errors",
    );
    spoilt(
        "metric = \"response_time\"",
        &time("from = \"end of phase steady\""),
        "from",
        "a criterion has a `metric` or a `from`, not both",
        "keep",
    );
    spoilt(
        "metric = \"response_time\"",
        &time("until = [\"errors rate < 1%\"]"),
        "until",
        "`until` goes with `from`",
        "end of phase",
    );
    spoilt(
        "metric = \"aws.lambda.throttles\"",
        "metric = \"aws.lambda.throttles\"\nabort-after = \"1m\"",
        "abort-after",
        "`abort-after` does not apply to AWS metrics",
        "leave it out",
    );
    let recovery = |from: &str, until: &str, pass: &str| format!("from = \"{from}\"\nuntil = [\"{until}\"]\npass = \"{pass}\"");
    let old = "metric = \"response_time\"\npass   = \"p(95) < 1s\"";
    let new = recovery("end of phase stedy", "errors rate < 1%", "time < 2m");
    spoilt(old, &new, "stedy", "no phase is named `stedy`", "did you mean `steady`?");
    let new = recovery("end of phase steady", "errors rat < 1%", "time < 2m");
    spoilt(old, &new, "rat", "unknown statistic `rat`", "did you mean `rate`?");
    let new = recovery("end of phase steady", "errors rate < 1%", "avg < 2m");
    spoilt(old, &new, "avg", "`avg` does not apply to a criterion with `from`", "time < 30s");
    let new = recovery("end of load", "errors rate < 1%", "time < 2m");
    spoilt(
        old,
        &new,
        "\"end of load\"",
        "`end of load` is not supported by this version",
        "end of phase NAME",
    );
}

#[test]
fn what_no_run_could_answer_is_refused() {
    let journey = "metric = \"journey_time\"\nwindow = \"1m\"";
    spoilt(
        "metric = \"response_time\"",
        journey,
        "window",
        "`window` does not apply to `journey_time`",
        "leave it out",
    );
    let old = "metric = \"response_time\"\npass   = \"p(95) < 1s\"";
    let growth = "metric = \"journey_time\"\npass = \"growth(avg) < 5%\"";
    spoilt(
        old,
        growth,
        "growth(avg)",
        "`growth(avg)` does not apply to `journey_time`",
        "statistics",
    );
    let last = "from = \"end of phase after\"\nuntil = [\"errors rate < 1%\"]\npass = \"time < 2m\"";
    spoilt(
        old,
        last,
        "after",
        "no phase follows `after`, so nothing can tell how it recovers",
        "add a phase",
    );
}

#[test]
fn phases_hold_together() {
    spoilt(
        "users    = 100",
        "users    = 100\nrate = \"10/s\"",
        "rate",
        "a phase has `users` or a `rate`, not both",
        "keep",
    );
    spoilt(
        "users    = 100",
        "users    = \"1..100\"\nspawn-rate = \"10/s\"",
        "\"10/s\"",
        "`spawn-rate` does not go with a ramp",
        "leave it out",
    );
    spoilt(
        "users    = 100",
        "rate = \"10/s\"\nspawn-rate = \"10/s\"",
        "spawn-rate",
        "`spawn-rate` goes with `users`",
        "leave it out",
    );
    spoilt(
        "users    = 100",
        "users    = 1000\nspawn-rate = \"1/s\"",
        "\"1/s\"",
        "1000 users arriving at 1/s need 16m40s, and the phase lasts 5m00s",
        "raise",
    );
    spoilt("users    = 100", "rate = \"10\"", "\"10\"", "`10` is not a rate", "10/s");
    spoilt("users    = 100", "rate = \"0/s\"", "\"0/s\"", "a rate must be above 0", "10/s");
    spoilt("duration = \"5m\"", "duration = \"5\"", "\"5\"", "`5` is not a duration", "3m30s");
    spoilt(
        "duration = \"5m\"",
        "duration = \"0s\"",
        "\"0s\"",
        "a phase must last longer than 0",
        "5m",
    );
    spoilt(
        "duration = \"5m\"",
        "duration = \"?\"",
        "\"?\"",
        "`?` can only stand as the limit of a criterion",
        "3m30s",
    );
    spoilt(
        "duration = \"5m\"",
        "duration = \"5m\"\nexpect = { response_tim = \"p(95) < 1s\" }",
        "response_tim",
        "unknown metric `response_tim`",
        "did you mean `response_time`?",
    );
    spoilt(
        "weight     = 2",
        "weight = 0",
        "0",
        "a weight must be above 0",
        "leave the journey out",
    );
    spoilt(
        "weight     = 2",
        "weight = -1.5",
        "-1.5",
        "a weight must be above 0",
        "leave the journey out",
    );
    spoilt(
        "\"1s..3s\"",
        "\"3s..1s\"",
        "\"3s..1s\"",
        "the range `3s..1s` ends below its start",
        "`1s..3s`",
    );
}

#[test]
fn steps_hold_together() {
    spoilt(
        "{{order}}",
        "{{ordre}}",
        "ordre",
        "no earlier step of this journey saves `ordre`",
        "did you mean `order`?",
    );
    spoilt(
        "{{data.items}}",
        "{{order}}",
        "order",
        "no earlier step of this journey saves `order`",
        "save it in an earlier step",
    );
    spoilt(
        "{{data.items}}",
        "{{data.item}}",
        "data.item",
        "no `[[data]]` is named `item`",
        "did you mean `items`?",
    );
    spoilt(
        "{{data.items}}",
        "{{data.items.x}}",
        "data.items.x",
        "`data.items` is a plain list and has no column `x`",
        "{{data.items}}",
    );
    spoilt(
        "{{data.items}}",
        "{{user.token}}",
        "user.token",
        "no step saves `user.token`",
        "save it",
    );
    spoilt(
        "\"json($.id)\"",
        "\"json($.[)\"",
        "$.[",
        "`$.[` is not a JSONPath: in dot member name, must start with lowercase alpha or '_'",
        "RFC 9535",
    );
    spoilt("status == 201", "status = 201", "= 201", "`=` is not a comparison", "status == 200");
    spoilt(
        "get  = \"/orders/{{order}}\"",
        "get = \"orders\"",
        "\"orders\"",
        "the path `orders` does not begin with `/`",
        "only the path",
    );
    spoilt(
        "post = \"/orders\"",
        "get = \"/orders\"",
        "json",
        "a `get` or `head` has no body",
        "`post`",
    );
    spoilt(
        "post = \"/orders\"",
        "post = \"/orders\"\nput = \"/orders\"",
        "put",
        "a step makes one request",
        "keep one",
    );
    spoilt(
        "save = {",
        "save = { data = \"body\",",
        "data",
        "`data` is a name of tidegate's own",
        "another name",
    );
    spoilt(
        "values = [\"apple\"]",
        "rows = [{ a = 1 }, { b = 1 }]",
        "{ b = 1 }",
        "this row has other columns than the first",
        "`a`",
    );
    spoilt("values = [\"apple\"]", "values = []", "[]", "`values` is empty", "at least one");
}

#[test]
fn requirements_are_known_and_have_their_unit() {
    spoilt(
        "timeout = \"60s\"",
        "timeot = \"60s\"",
        "timeot",
        "`timeot` cannot be required of a `[[lambda]]`",
        "did you mean `timeout`?",
    );
    spoilt(
        "timeout = \"60s\"",
        "timeout = \"60MB\"",
        "\"60MB\"",
        "`60MB` is not a duration",
        "60s",
    );
    spoilt(
        "timeout = \"60s\"",
        "timeout = 60",
        "60",
        "`timeout` must be a text, not an integer",
        "60s",
    );
    spoilt(
        "cluster = \"staging\"",
        "cluster = \"staging\"\nrequire = { steady = \"yes\" }",
        "\"yes\"",
        "`steady` must be true or false, not a text",
        "without quotes",
    );
}

#[test]
fn the_account_and_the_target_are_checked() {
    spoilt("123456789012", "12345", "\"12345\"", "`12345` is not an account", "12 digits");
    spoilt("eu-west-1", "europe", "\"europe\"", "`europe` is not a region", "eu-west-1");
    spoilt(
        "on = \"rest-api/api\"",
        "url = \"staging.example.com\"",
        "\"staging.example.com\"",
        "`staging.example.com` is not an address",
        "https://",
    );
    spoilt(
        "[target]\non = \"rest-api/api\"",
        "",
        "scenario",
        "there is a scenario, but no `[target]`",
        "where the load goes",
    );
    let without = GOOD.replace("[aws]\nregion  = \"eu-west-1\"\naccount = \"123456789012\"\n", "");
    assert_eq!(found(&without).mistakes()[0].to_string(), "resources are listed, but no account");
}

#[test]
fn syntax_errors_have_carets_too() {
    let diagnostics = found("name = \"x\n[aws]\nregion = = 5\n");
    assert!(diagnostics.mistakes().len() >= 2, "{}", render(&diagnostics));
    let diagnostics = found(&GOOD.replace("duration = \"5m\"", "duration = \"5m\"\nduration = \"6m\"\ndurations = 5"));
    let marked: Vec<&str> = diagnostics.mistakes().iter().map(super::Mistake::marked).collect();
    assert_eq!(marked, ["duration", "durations"], "{}", render(&diagnostics));
}

#[test]
fn a_flag_replaces_a_setting_and_its_mistakes_show_the_flag() {
    use crate::setting::Wish;
    let set = |text: &str| with_overrides("good.toml", GOOD, &[text.parse::<Override>().unwrap()]);
    let profile = set("lambda/*.reserved-concurrency=200").unwrap();
    assert!(matches!(&profile.wishes[0], Wish::LambdaReserved { limit: Some(200), .. }));
    let profile = set("lambda/orders.reserved-concurrency=unset").unwrap();
    assert!(matches!(&profile.wishes[0], Wish::LambdaReserved { limit: None, .. }));
    let profile = set("dynamodb/*.read.autoscale=60..200").unwrap();
    assert!(matches!(&profile.wishes[1], Wish::TableScaling { own, .. } if own.values().all(|s| (s.min, s.max) == (60, 200))));
    let profile = set("dynamodb/*.write.autoscale=5..200").unwrap();
    assert!(matches!(&profile.wishes[1], Wish::TableScaling { own, .. } if own.len() == 2));

    let refused = |text: &str| render(&set(text).unwrap_err());
    insta::assert_snapshot!(refused("lambda/order.reserved-concurrency=200"), @r#"
      × 1 mistake in `--set`

    Error:
      × `--set` matches nothing: the profile lists no `lambda/order`
       ╭─[--set:1:1]
     1 │ lambda/order.reserved-concurrency=200
       · ────────────
       ╰────
      help: did you mean `lambda/orders`?
    "#);
    insta::assert_snapshot!(refused("lambda/*.reserved-concurency=200"), @r#"
      × 1 mistake in `--set`

    Error:
      × unknown key `reserved-concurency` in `lambda.set`
       ╭─[--set:1:10]
     1 │ lambda/*.reserved-concurency=200
       ·          ───────────────────
       ╰────
      help: did you mean `reserved-concurrency`?
    "#);
    insta::assert_snapshot!(refused("dynamodb/*.read.autoscale=200..5"), @r#"
      × 1 mistake in `--set`

    Error:
      × the range `200..5` ends below its start
       ╭─[--set:1:27]
     1 │ dynamodb/*.read.autoscale=200..5
       ·                           ──────
       ╰────
      help: write `5..200`
    "#);
    assert!(refused("lambda/*.reserved-concurrency.x=1").contains("holds a value and no table"));
    assert!("lambda/*=200".parse::<Override>().is_err());
    assert!("reserved-concurrency=200".parse::<Override>().is_err());
}

#[test]
fn a_mistake_that_comes_out_later_points_into_the_profile() {
    let profile = parse("good.toml", GOOD).unwrap();
    let function = &profile.resources[1];
    assert_eq!(profile.locate(function).map(|span| &GOOD[span.start..span.end]), Some("\"orders\""));
    let error = profile.diagnostic(function, "no such function in 123456789012", "check the name");
    insta::assert_snapshot!(render(&error), @r#"
      × 1 mistake in profile `good.toml`

    Error:
      × no such function in 123456789012
        ╭─[good.toml:15:11]
     14 │ [[lambda]]
     15 │ name    = "orders"
        ·           ────────
     16 │ require = { timeout = "60s" }
        ╰────
      help: check the name
    "#);
    let marked = |about: &str| profile.diagnostic(about, "m", "h").mistakes()[0].marked().to_owned();
    assert_eq!(marked("lambda/orders.require.timeout"), "timeout");
    assert_eq!(marked("lambda/orders.set"), "set");
    assert_eq!(marked("aws.region"), "\"eu-west-1\"");
    assert_eq!(marked("criterion/latency"), "\"latency\"");
    assert_eq!(marked("nothing"), "name = \"good\"");
}

#[test]
fn an_unknown_scenario_lists_the_known_ones() {
    use miette::Diagnostic;
    let profile = parse("good.toml", GOOD).unwrap();
    assert_eq!(profile.scenario(None, "http://x/").unwrap().target.url, "http://x");
    let error = profile.scenario(Some("laod"), "http://x").unwrap_err();
    assert_eq!(error.to_string(), "profile `good` has no scenario `laod`");
    assert_eq!(error.help().unwrap().to_string(), "did you mean `load`? known scenarios: `load`");
}
