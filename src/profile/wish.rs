//! `set`: the only key that changes AWS.
//!
//! Owns which settings each kind has and their limits. Knows nothing of what the account holds now.

use std::collections::BTreeMap;

use super::diagnose::{At, Fault};
use super::document::Value;
use super::fields::{Fields, Text};
use super::value;
use crate::setting::{Dimension, Resource, Scaling, Wish};

/// AWS accepts these target utilisations for tables, in percent.
const UTILIZATION: std::ops::RangeInclusive<f64> = 20.0..=90.0;

/// What AWS's console sets, in percent.
const DEFAULT_UTILIZATION: f64 = 70.0;

/// The keys that may follow a selector in a flag, by kind.
pub(super) fn keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "lambda" => &["reserved-concurrency", "block-all"],
        "dynamodb" => &["read", "write", "indexes"],
        "ecs" => &["desired", "autoscale"],
        _ => &[],
    }
}

/// Reads the `set` of a resource.
pub(super) fn read(fields: &Fields<'_>, resource: &Resource) -> Option<Wish> {
    match resource {
        Resource::Lambda { name } => lambda(fields.table("set", "lambda.set")?, name),
        Resource::Dynamodb { name } => dynamodb(fields.table("set", "dynamodb.set")?, name),
        Resource::Ecs { cluster, name } => ecs(fields.table("set", "ecs.set")?, cluster, name),
        Resource::Alb { .. } | Resource::RestApi { .. } => {
            if let Some(at) = fields.entry("set").map(|entry| entry.key_at) {
                fields.problems.add(
                    at,
                    format!("nothing of a `[[{}]]` can be set", resource.kind()),
                    "leave `set` out; the resource is watched all the same",
                );
            }
            None
        }
    }
}

fn nothing(fields: &Fields<'_>) {
    if fields.every().is_empty() {
        fields
            .problems
            .add(fields.at, "`set` is empty", "leave it out if nothing is to be changed");
    }
}

fn lambda(fields: Fields<'_>, function: &str) -> Option<Wish> {
    nothing(&fields);
    let entry = fields.entry("reserved-concurrency");
    let block_all = fields.flag("block-all").unwrap_or(false);
    let limit = entry.and_then(|entry| match &entry.node.value {
        Value::Text(text) if text == "unset" => Some(None),
        Value::Integer(_) => fields.count("reserved-concurrency").map(Some),
        _ => {
            let help = "write a number without quotes, or \"unset\" for no reservation";
            fields.wrong_type("reserved-concurrency", &entry.node, "a whole number or \"unset\"", help);
            None
        }
    });
    if limit == Some(Some(0)) && !block_all {
        fields.problems.add(
            fields.at_of("reserved-concurrency"),
            "a reservation of 0 blocks every call of the function",
            "write `block-all = true` beside it if that is meant, or \"unset\" for no reservation",
        );
    }
    if block_all && !matches!(limit, Some(Some(0))) {
        fields.problems.add(
            fields.at_of("block-all"),
            "`block-all` goes with `reserved-concurrency = 0`",
            "leave it out",
        );
    }
    fields.finish();
    Some(Wish::LambdaReserved {
        function: function.to_owned(),
        limit: limit?,
    })
}

fn ecs(fields: Fields<'_>, cluster: &str, service: &str) -> Option<Wish> {
    nothing(&fields);
    let desired = fields.count("desired");
    let range = fields.parsed("autoscale", value::limits);
    if let (Some(desired), Some((min, max))) = (desired, range)
        && !(min..=max).contains(&desired)
    {
        fields.problems.add(
            fields.at_of("desired"),
            format!("`desired` is outside of `autoscale`, {min} to {max}"),
            "autoscaling would move it at once; choose a number within the range",
        );
    }
    fields.finish();
    (desired.is_some() || range.is_some()).then(|| Wish::Service {
        cluster: cluster.to_owned(),
        service: service.to_owned(),
        desired,
        range,
    })
}

fn dynamodb(fields: Fields<'_>, table: &str) -> Option<Wish> {
    nothing(&fields);
    let own = both(&fields);
    let mut indexes = BTreeMap::new();
    if let Some(named) = fields.table("indexes", "indexes") {
        for entry in named.every() {
            if let Value::Table(entries) = &entry.node.value {
                let index = Fields::new("dynamodb.set.indexes", entry.key_at, entries, fields.problems);
                let scaling = both(&index);
                if entries.is_empty() {
                    index.missing("read", "write `read = { … }`, `write = { … }`, or leave the index out");
                }
                index.finish();
                indexes.insert(entry.key.clone(), scaling);
            } else {
                named.wrong_type(&entry.key, &entry.node, "a table", "write `indexes.NAME.read = { … }`");
            }
        }
    }
    fields.finish();
    (!own.is_empty() || !indexes.is_empty()).then(|| Wish::TableScaling {
        table: table.to_owned(),
        own,
        indexes,
    })
}

fn both(fields: &Fields<'_>) -> BTreeMap<Dimension, Scaling> {
    [("read", Dimension::Read), ("write", Dimension::Write)]
        .into_iter()
        .filter_map(|(key, dimension)| Some((dimension, scaling(fields.table(key, "dynamodb.set.read")?)?)))
        .collect()
}

fn scaling(fields: Fields<'_>) -> Option<Scaling> {
    if fields.key_at("autoscale").is_none() {
        fields.missing("autoscale", "say between which units, such as `autoscale = \"5..100\"`");
    }
    let range = fields.parsed("autoscale", |text| {
        let (min, max) = value::limits(text)?;
        if min < 1 {
            let digits = text.find("..").unwrap_or(text.len());
            return Err(Fault::new("a table has at least 1 unit", "write a lower bound of 1 or more").within(0..digits));
        }
        Ok((min, max))
    });
    let utilization = fields
        .text("utilization")
        .map_or(DEFAULT_UTILIZATION, |text| utilization(&fields, text));
    let start = fields.count("start");
    if let (Some(start), Some((min, max))) = (start, range)
        && !(min..=max).contains(&start)
    {
        out_of_range(&fields, fields.at_of("start"), start, (min, max));
    }
    fields.finish();
    let (min, max) = range?;
    Some(Scaling {
        min,
        max,
        utilization,
        start,
    })
}

fn out_of_range(fields: &Fields<'_>, at: At, start: u32, (min, max): (u32, u32)) {
    fields.problems.add(
        at,
        format!("`start = {start}` is outside of `autoscale`, {min} to {max}"),
        "choose a number within the range",
    );
}

fn utilization(fields: &Fields<'_>, text: Text<'_>) -> f64 {
    match value::percent(text.text) {
        Ok(percent) if UTILIZATION.contains(&percent) => return percent,
        Ok(_) => fields.problems.add(
            text.at,
            format!("a target utilization of `{}` is not possible", text.text),
            "AWS accepts 20% to 90%",
        ),
        Err(fault) => fields.problems.fault(text.text, text.at, fault),
    }
    DEFAULT_UTILIZATION
}
