//! `require`: what must be so before the load starts.
//!
//! Owns which facts may be required of which kind, and in which unit. Nothing is changed to make them so.

use super::diagnose::Fault;
use super::document::{Entry, Value};
use super::fields::Fields;
use super::resource::Resources;
use super::{condition, suggest};
use crate::setting::{Requirement, Resource, Wanted};
use crate::units::{Op, Quantity};

/// In which unit a fact is compared.
#[derive(Clone, Copy)]
enum Unit {
    Seconds,
    Bytes,
    Number,
    PerSecond,
    Flag,
    /// One of these texts.
    Text(&'static [&'static str]),
}

/// Kind, key, unit.
const FACTS: &[(&str, &str, Unit)] = &[
    ("lambda", "timeout", Unit::Seconds),
    ("lambda", "memory", Unit::Bytes),
    ("dynamodb", "billing", Unit::Text(&["provisioned", "on-demand"])),
    ("ecs", "steady", Unit::Flag),
    ("ecs", "task-memory", Unit::Bytes),
    ("ecs", "task-cpu", Unit::Number),
    (
        "alb",
        "status",
        Unit::Text(&["active", "active_impaired", "provisioning", "failed"]),
    ),
    ("alb", "unhealthy-targets", Unit::Number),
    ("rest-api", "account-rate-limit", Unit::PerSecond),
];

/// Reads the `require` of a resource.
pub(super) fn read(fields: &Fields<'_>, resource: &Resource, resources: &mut Resources) {
    let Some(table) = fields.table("require", "require") else { return };
    for entry in table.every() {
        let fact = FACTS.iter().find(|(kind, key, _)| *kind == resource.kind() && *key == entry.key);
        let Some((_, _, unit)) = fact else {
            unknown(&table, resource, entry);
            continue;
        };
        let place = format!("{resource}.require.{}", entry.key);
        resources.places.push((place, entry.key_at));
        match wanted(&entry.key, &entry.node.value, *unit) {
            Ok((text, wanted)) => resources.requirements.push(Requirement {
                resource: resource.clone(),
                key: entry.key.clone(),
                text,
                wanted,
            }),
            Err(fault) => match &entry.node.value {
                Value::Text(text) => table.problems.fault(text, entry.node.at, fault),
                _ => table.problems.add(entry.node.at, fault.message, fault.help),
            },
        }
    }
}

fn unknown(table: &Fields<'_>, resource: &Resource, entry: &Entry) {
    let kind = resource.kind();
    let keys = FACTS.iter().filter(|(of, ..)| *of == kind).map(|(_, key, _)| *key);
    table.problems.add(
        entry.key_at,
        format!("`{}` cannot be required of a `[[{kind}]]`", entry.key),
        suggest::help(&entry.key, keys, "facts"),
    );
}

/// Equal, or what an operator at the beginning says.
fn wanted(key: &str, value: &Value, unit: Unit) -> Result<(String, Wanted), Fault> {
    match (unit, value) {
        (Unit::Flag, Value::Flag(flag)) => Ok((flag.to_string(), Wanted::Flag(*flag))),
        (Unit::Flag, other) => Err(Fault::new(
            format!("`{key}` must be true or false, not {}", other.kind()),
            "write `true` or `false` without quotes",
        )),
        (Unit::Text(known), Value::Text(text)) if known.contains(&text.as_str()) => Ok((text.clone(), Wanted::Text(text.clone()))),
        (Unit::Text(known), Value::Text(text)) => Err(Fault::new(
            format!("`{text}` is none of the values of `{key}`"),
            suggest::help(text, known.iter().copied(), "values"),
        )),
        (Unit::Number, Value::Integer(number)) => Ok((
            number.to_string(),
            Wanted::Quantity(Op::Equal, quantity(&number.to_string(), unit)?),
        )),
        (_, Value::Text(text)) => {
            let trimmed = text.trim();
            let (op, length) = condition::op(trimmed).unwrap_or((Op::Equal, 0));
            let quantity = quantity(trimmed[length..].trim(), unit)?;
            Ok((trimmed.to_owned(), Wanted::Quantity(op, quantity)))
        }
        (unit, other) => Err(Fault::new(
            format!("`{key}` must be a text, not {}", other.kind()),
            format!("write it in quotes, such as `\"{}\"`", example(unit)),
        )),
    }
}

fn quantity(text: &str, unit: Unit) -> Result<Quantity, Fault> {
    let help = format!("write it such as `{}`, or with an operator before it", example(unit));
    let wrong = || Fault::new(format!("`{text}` is not {}", what(unit)), help.clone());
    let quantity = Quantity::parse(text).map_err(|_| wrong())?;
    let fits = matches!(
        (unit, quantity),
        (Unit::Seconds, Quantity::Seconds(_))
            | (Unit::Bytes, Quantity::Bytes(_))
            | (Unit::Number, Quantity::Number(_))
            | (Unit::PerSecond, Quantity::PerSecond(_))
    );
    if fits && quantity.base().is_finite() {
        Ok(quantity)
    } else {
        Err(wrong())
    }
}

fn what(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "a duration",
        Unit::Bytes => "a size",
        Unit::Number => "a number",
        Unit::PerSecond => "a rate",
        Unit::Flag => "true or false",
        Unit::Text(_) => "one of its values",
    }
}

fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "60s",
        Unit::Bytes => "512MB",
        Unit::Number => ">= 2",
        Unit::PerSecond => ">= 10000/s",
        Unit::Flag => "true",
        Unit::Text(known) => known.first().copied().unwrap_or_default(),
    }
}
