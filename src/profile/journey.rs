//! `[[journey]]` and its steps.
//!
//! Owns what a user does. Knows nothing of how many users there are.

use std::collections::BTreeSet;

use super::diagnose::Fault;
use super::document::{Entry, Value};
use super::fields::{Fields, Text};
use super::names::Unique;
use super::template::{self, Reach};
use super::{check, value};
use crate::scenario::{Body, Check, Feeder, Journey, Method, Save, Step, Subject, Template, Test, Think};

/// Words that begin the names which tidegate gives itself.
const RESERVED: [&str; 9] = ["data", "user", "journey", "run", "random", "now", "trace", "env", "null"];

/// Reads every `[[journey]]`.
pub(super) fn read(root: &Fields<'_>, feeders: &[Feeder]) -> Vec<Journey> {
    let tables = root.tables("journey", "journey", "journey");
    let user = user_names(&tables);
    let mut unique = Unique::new("journey");
    tables
        .into_iter()
        .map(|fields| journey(fields, feeders, &user, &mut unique))
        .collect()
}

fn journey(fields: Fields<'_>, feeders: &[Feeder], user: &BTreeSet<String>, unique: &mut Unique) -> Journey {
    let name = unique.name(&fields);
    let weight = fields.number("weight").unwrap_or(1.0);
    if weight <= 0.0 {
        fields.problems.add(
            fields.at_of("weight"),
            "a weight must be above 0",
            "leave the journey out if it shall take no part",
        );
    }
    let think = fields
        .parsed("think-time", value::durations)
        .map_or_else(Think::default, |(min, max)| Think { min, max });
    let tags = fields.texts("tags").iter().map(|tag| tag.text.to_owned()).collect();
    let cannot_undo = fields.text("cannot-undo").map(|text| text.text.to_owned());
    let steps = steps(&fields, feeders, user);
    fields.finish();
    Journey {
        name,
        weight,
        think,
        tags,
        cannot_undo,
        steps,
    }
}

fn steps(fields: &Fields<'_>, feeders: &[Feeder], user: &BTreeSet<String>) -> Vec<Step> {
    let mut unique = Unique::new("step");
    let mut saved = BTreeSet::new();
    let mut steps = Vec::new();
    let tables = fields.tables("step", "journey.step", "journey.step");
    if tables.is_empty() && fields.key_at("step").is_none() {
        fields.missing("step", "a journey has at least one `[[journey.step]]`");
    }
    for table in tables {
        let reach = Reach {
            feeders,
            user,
            saved: &saved,
        };
        let step = step(table, reach, &mut unique);
        saved.extend(step.save.iter().filter(|save| !save.for_user).map(|save| save.name.clone()));
        steps.push(step);
    }
    steps
}

fn step(fields: Fields<'_>, reach: Reach<'_>, unique: &mut Unique) -> Step {
    let name = unique.name(&fields);
    let (method, path) = request(&fields, reach);
    let templates = |key: &'static str| {
        fields
            .table(key, key)
            .map(|table| template::table(table.every(), key, reach, fields.problems))
            .unwrap_or_default()
    };
    let query = templates("query");
    let headers = templates("headers");
    let body = body(&fields, method, reach);
    let pass = pass(&fields);
    let save = saves(&fields);
    let timeout = fields.duration("timeout");
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        fields
            .problems
            .add(fields.at_of("timeout"), "a timeout of 0 fails every request", "write such as `30s`");
    }
    fields.finish();
    Step {
        name,
        method,
        path,
        query,
        headers,
        body,
        pass,
        save,
        timeout,
    }
}

fn request(fields: &Fields<'_>, reach: Reach<'_>) -> (Method, Template) {
    let methods = [
        ("get", Method::Get),
        ("post", Method::Post),
        ("put", Method::Put),
        ("patch", Method::Patch),
        ("delete", Method::Delete),
        ("head", Method::Head),
    ];
    let mut found: Option<(Method, Template)> = None;
    let mut any = false;
    for (key, method) in methods {
        let Some(entry) = fields.entry(key) else { continue };
        if any {
            fields.problems.add(
                entry.key_at,
                "a step makes one request",
                "keep one of `get`, `post`, `put`, `patch`, `delete`, `head`; write a step for each",
            );
            continue;
        }
        any = true;
        let Some(path) = fields.as_text(&entry.node, key) else { continue };
        if !path.text.starts_with('/') {
            fields.problems.add(
                path.at,
                format!("the path `{}` does not begin with `/`", path.text),
                "write only the path, such as `/orders`; the host is `[target]`'s part",
            );
        }
        found = Some((method, template::read(path, reach, fields.problems)));
    }
    if !any {
        fields.missing("get", "say what is requested, such as `get = \"/health\"` or `post = \"/orders\"`");
    }
    found.unwrap_or((Method::Get, Template::default()))
}

fn body(fields: &Fields<'_>, method: Method, reach: Reach<'_>) -> Body {
    let json = fields.entry("json");
    let text = fields.entry("body");
    if let (Some(_), Some(text)) = (json, text) {
        fields
            .problems
            .add(text.key_at, "`json` and `body` exclude each other", "keep one of them");
    }
    if let Some(entry) = json.or(text)
        && matches!(method, Method::Get | Method::Head)
    {
        fields
            .problems
            .add(entry.key_at, "a `get` or `head` has no body", "write `post`, or use `query`");
    }
    if let Some(entry) = json {
        check_json_text(fields, entry);
        return Body::Json(template::json(&entry.node, reach, fields.problems));
    }
    match fields.text("body") {
        Some(text) => {
            refuse_file(fields, text);
            Body::Text(template::read(text, reach, fields.problems))
        }
        None => Body::None,
    }
}

fn check_json_text(fields: &Fields<'_>, entry: &Entry) {
    let Value::Text(text) = &entry.node.value else { return };
    let at = entry.node.at;
    refuse_file(fields, Text { text, at });
    let trimmed = text.trim_start();
    if (trimmed.starts_with('{') && !trimmed.starts_with("{{")) || trimmed.starts_with('[') {
        fields.problems.add(
            at,
            "this would be sent as one JSON string",
            "write a table: `json = { key = \"value\" }`; or send the text by `body`",
        );
    }
}

fn refuse_file(fields: &Fields<'_>, text: Text<'_>) {
    if text.text.starts_with('@') {
        fields.problems.add(
            text.at,
            "sending a file is not supported by this version",
            "write what is sent into the profile",
        );
    }
}

fn pass(fields: &Fields<'_>) -> Vec<Check> {
    let texts = fields.texts("pass");
    if texts.is_empty() {
        if let Some(at) = fields.key_at("pass")
            && matches!(fields.entry("pass").map(|entry| &entry.node.value), Some(Value::List(items)) if items.is_empty())
        {
            fields
                .problems
                .add(at, "`pass` is empty", "leave it out for `status < 400`, or say what must hold");
        }
        return default_pass();
    }
    let mut checks = Vec::new();
    for text in texts {
        match check::read(text.text) {
            Ok(check) => checks.push(check),
            Err(fault) => fields.problems.fault(text.text, text.at, fault),
        }
    }
    checks
}

fn default_pass() -> Vec<Check> {
    use crate::scenario::{Literal, Op};
    use crate::units::Quantity;
    vec![Check {
        text: "status < 400".to_owned(),
        subject: Subject::Status,
        test: Test::Compare(Op::Less, Literal::Quantity(Quantity::Number(400.0))),
    }]
}

fn saves(fields: &Fields<'_>) -> Vec<Save> {
    let Some(table) = fields.table("save", "journey.step.save") else {
        return Vec::new();
    };
    let mut saves = Vec::new();
    for (name, for_user, entry) in save_entries(table.every()) {
        let Some(text) = fields.as_text(&entry.node, "save") else {
            continue;
        };
        if let Err(fault) = check_name(&name, for_user) {
            fields.problems.add(entry.key_at, fault.message, fault.help);
        }
        let from = match check::subject(text.text) {
            Ok(from) => from,
            Err(fault) => {
                fields.problems.fault(text.text, text.at, fault);
                Subject::Body
            }
        };
        if matches!(from, Subject::Time | Subject::Size) {
            fields.problems.add(
                text.at,
                "only a part of the answer can be saved",
                "write `json(PATH)`, `header(NAME)`, `body` or `status`",
            );
        }
        // Kept even when it is wrong, so that the steps that use the name are not blamed as well.
        saves.push(Save { name, for_user, from });
    }
    saves
}

fn check_name(name: &str, for_user: bool) -> Result<(), Fault> {
    let help = "use letters, digits, `-` and `_`, such as `conversation`";
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Fault::new(format!("`{name}` cannot be a saved name"), help));
    }
    if !for_user && RESERVED.contains(&name) || for_user && name == "id" {
        return Err(Fault::new(format!("`{name}` is a name of tidegate's own"), "choose another name"));
    }
    Ok(())
}

/// The saved names: `x`, and `user.x` written as a quoted key or as a table.
fn save_entries(entries: &[Entry]) -> Vec<(String, bool, &Entry)> {
    let mut saves = Vec::new();
    for entry in entries {
        match &entry.node.value {
            Value::Table(inner) if entry.key == "user" => {
                saves.extend(inner.iter().map(|entry| (entry.key.clone(), true, entry)));
            }
            _ => match entry.key.strip_prefix("user.") {
                Some(name) => saves.push((name.to_owned(), true, entry)),
                None => saves.push((entry.key.clone(), false, entry)),
            },
        }
    }
    saves
}

/// Every name that any step saves for the user's life: steps of other journeys may use it.
fn user_names(journeys: &[Fields<'_>]) -> BTreeSet<String> {
    let child = |entries: &'_ [Entry], key: &str| -> Option<usize> { entries.iter().position(|entry| entry.key == key) };
    let mut names = BTreeSet::new();
    for journey in journeys {
        let Some(steps) = child(journey.every(), "step").map(|at| &journey.every()[at].node.value) else {
            continue;
        };
        let Value::List(steps) = steps else { continue };
        for step in steps {
            let Value::Table(step) = &step.value else { continue };
            let Some(save) = child(step, "save").map(|at| &step[at].node.value) else {
                continue;
            };
            let Value::Table(save) = save else { continue };
            names.extend(save_entries(save).into_iter().filter(|(_, user, _)| *user).map(|(name, ..)| name));
        }
    }
    names
}
