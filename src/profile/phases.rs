//! `[[scenario]]` and its phases: how much load, and for how long.
//!
//! Owns the shape of the load. Knows nothing of what a user does.

use std::time::Duration;

use super::criterion;
use super::diagnose::{At, Fault};
use super::fields::Fields;
use super::names::Unique;
use super::value;
use crate::scenario::{Phase, Shape};
use crate::units::{self, Rate};

/// A scenario before journeys, data and target are added.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    pub(super) name: String,
    pub(super) at: At,
    pub(super) description: String,
    pub(super) phases: Vec<Phase>,
    pub(super) observe: Duration,
}

/// Reads every `[[scenario]]`.
pub(super) fn read(root: &Fields<'_>) -> Vec<Outline> {
    let mut unique = Unique::new("scenario");
    root.tables("scenario", "scenario", "scenario")
        .into_iter()
        .map(|fields| outline(fields, &mut unique))
        .collect()
}

fn outline(fields: Fields<'_>, unique: &mut Unique) -> Outline {
    let name = unique.name(&fields);
    let at = fields.at_of("name");
    let description = fields.text("description").map(|text| text.text.to_owned()).unwrap_or_default();
    let observe = fields.duration("observe").unwrap_or_default();
    let tables = fields.tables("phase", "scenario.phase", "scenario.phase");
    if tables.is_empty() && fields.key_at("phase").is_none() {
        fields.missing("phase", "a scenario has at least one `[[scenario.phase]]`");
    }
    let mut phases = Vec::new();
    let mut names = Unique::new("phase");
    let mut users = 0;
    for table in tables {
        let phase = phase(table, &name, &mut names, users);
        users = match phase.shape {
            Shape::Users { to, .. } => to,
            Shape::Arrivals { .. } => 0,
        };
        phases.push(phase);
    }
    fields.finish();
    Outline {
        name,
        at,
        description,
        phases,
        observe,
    }
}

/// Reads a phase; so many users are there when it begins.
fn phase(fields: Fields<'_>, scenario: &str, names: &mut Unique, users: u32) -> Phase {
    let name = names.name(&fields);
    if fields.key_at("duration").is_none() {
        fields.missing("duration", "say how long the phase lasts, such as `duration = \"5m\"`");
    }
    let duration = fields.duration("duration").unwrap_or(Duration::from_secs(1));
    if duration.is_zero() {
        fields
            .problems
            .add(fields.at_of("duration"), "a phase must last longer than 0", "write such as `5m`");
    }
    let shape = shape(&fields, duration, users);
    let expect = fields
        .table("expect", "expect")
        .map(|table| criterion::expectations(&table, scenario, &name))
        .unwrap_or_default();
    fields.finish();
    Phase {
        name,
        duration,
        shape,
        expect,
    }
}

fn shape(fields: &Fields<'_>, duration: Duration, before: u32) -> Shape {
    let users = users(fields);
    let spawn_rate = fields.parsed("spawn-rate", value::rate);
    let rates = fields.parsed("rate", value::rates);
    let later = ["rate-per-user", "at-once"];
    if fields.key_at("users").is_none() && fields.key_at("rate").is_none() && later.iter().all(|key| fields.key_at(key).is_none()) {
        fields.missing(
            "users",
            "say how much load: `users = 500`, `users = \"100..500\"` or `rate = \"10/s\"`",
        );
    }
    if let (Some(first), Some(second)) = (fields.key_at("users"), fields.key_at("rate")) {
        fields.problems.add_with(
            second,
            (first, "the other one"),
            "a phase has `users` or a `rate`, not both",
            "keep `users` (each waits for its answers) or `rate` (journeys start on time)",
        );
    }
    if fields.key_at("users").is_none()
        && fields.key_at("rate").is_some()
        && let Some(at) = fields.key_at("spawn-rate")
    {
        fields
            .problems
            .add(at, "`spawn-rate` goes with `users`", "leave it out: with `rate` no users arrive");
    }
    if let Some((from, to)) = rates {
        if to.0 <= 0.0 && from.0 <= 0.0 {
            fields
                .problems
                .add(fields.at_of("rate"), "a rate must be above 0", "write such as `10/s`");
        }
        return Shape::Arrivals { from, to };
    }
    let (from, to) = users.unwrap_or((0, 0));
    check_spawn_rate(fields, spawn_rate, (from, to), before, duration);
    Shape::Users { from, to, spawn_rate }
}

fn users(fields: &Fields<'_>) -> Option<(u32, u32)> {
    use super::document::Value;
    let entry = fields.entry("users")?;
    match &entry.node.value {
        Value::Text(_) => fields.parsed("users", |text| {
            if text.parse::<u32>().is_ok() {
                return Err(Fault::new(format!("`{text}` is a text"), "write the number without quotes"));
            }
            if !text.contains("..") && text != "?" {
                let help = "write `users = 500` or `users = \"100..500\"`";
                return Err(Fault::new(format!("`{text}` is no number of users"), help));
            }
            value::counts(text)
        }),
        Value::Integer(_) => fields.count("users").map(|users| (users, users)),
        _ => {
            let help = "write `users = 500` or `users = \"100..500\"`";
            fields.wrong_type("users", &entry.node, "a whole number or a range", help);
            None
        }
    }
}

fn check_spawn_rate(fields: &Fields<'_>, rate: Option<Rate>, (from, to): (u32, u32), before: u32, duration: Duration) {
    let Some(rate) = rate else { return };
    let at = fields.at_of("spawn-rate");
    if from != to {
        fields.problems.add(
            at,
            "`spawn-rate` does not go with a ramp",
            "leave it out: a ramp already says how fast users arrive",
        );
        return;
    }
    if rate.0 <= 0.0 {
        fields.problems.add(at, "a rate must be above 0", "write such as `10/s`");
        return;
    }
    let missing = to.saturating_sub(before);
    let needed = f64::from(missing) / rate.0;
    if needed > duration.as_secs_f64() {
        fields.problems.add(
            at,
            format!(
                "{missing} users arriving at {rate} need {}, and the phase lasts {}",
                units::seconds(needed),
                units::duration(duration)
            ),
            "raise `spawn-rate`, or make the phase longer",
        );
    }
}
