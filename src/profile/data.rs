//! `[[data]]`: the rows that templates draw from.
//!
//! Owns the reading of rows. Knows nothing of the templates that use them.

use std::collections::BTreeMap;

use super::document::{Node, Value};
use super::fields::Fields;
use super::names::Unique;
use super::suggest;
use crate::scenario::{Feeder, Pick, Row};

/// Reads every `[[data]]`. One with a mistake stays in the list, without rows, so that its name is known.
pub(super) fn read(root: &Fields<'_>) -> Vec<Feeder> {
    let mut unique = Unique::new("`[[data]]`");
    root.tables("data", "data", "data")
        .into_iter()
        .map(|fields| feeder(fields, &mut unique))
        .collect()
}

fn feeder(fields: Fields<'_>, unique: &mut Unique) -> Feeder {
    let name = unique.name(&fields);
    if name.contains('.') {
        fields.problems.add(
            fields.at_of("name"),
            "a name with a dot cannot be told from a column",
            "write it without the dot",
        );
    }
    let pick = match fields.text("pick").map(|text| text.text) {
        None | Some("random") => Pick::Random,
        Some("in-order") => Pick::InOrder,
        Some("once") => Pick::Once,
        Some(other) => {
            let help = suggest::help(other, ["random", "in-order", "once"], "picks");
            fields.problems.add(fields.at_of("pick"), format!("unknown pick `{other}`"), help);
            Pick::Random
        }
    };
    let rows = match (items(&fields, "values"), items(&fields, "rows")) {
        (Some(_), Some(_)) => {
            fields
                .problems
                .add(fields.at_of("values"), "`values` and `rows` exclude each other", "keep one of them");
            Vec::new()
        }
        (Some(values), None) => values.iter().map(|value| BTreeMap::from([(String::new(), plain(value))])).collect(),
        (None, Some(rows)) => table_rows(&fields, rows),
        (None, None) => {
            if fields.key_at("csv").is_none() && fields.key_at("values").is_none() && fields.key_at("rows").is_none() {
                fields.missing("rows", "write `values = [\"a\", \"b\"]` or `rows = [{ column = \"a\" }]`");
            }
            Vec::new()
        }
    };
    fields.finish();
    Feeder { name, pick, rows }
}

fn items<'a>(fields: &Fields<'a>, key: &'static str) -> Option<&'a [Node]> {
    let entry = fields.entry(key)?;
    match &entry.node.value {
        Value::List(items) if items.is_empty() => {
            fields.problems.add(
                entry.node.at,
                format!("`{key}` is empty"),
                "write at least one, else nothing can be drawn",
            );
            None
        }
        Value::List(items) => Some(items),
        _ => {
            fields.wrong_type(key, &entry.node, "a list", &format!("write `{key} = [ … ]`"));
            None
        }
    }
}

fn table_rows(fields: &Fields<'_>, items: &[Node]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for item in items {
        let Value::Table(entries) = &item.value else {
            fields.problems.add(
                item.at,
                format!("a row is a table, not {}", item.value.kind()),
                "write `{ column = \"value\" }`, or use `values` for a plain list",
            );
            return Vec::new();
        };
        let row: Row = entries.iter().map(|entry| (entry.key.clone(), plain(&entry.node))).collect();
        if let Some(first) = rows.first()
            && !first.keys().eq(row.keys())
        {
            let columns = suggest::list(first.keys().map(String::as_str));
            fields.problems.add(
                item.at,
                "this row has other columns than the first",
                format!("give every row the columns {columns}"),
            );
        }
        if row.is_empty() {
            fields.problems.add(item.at, "this row is empty", "write `{ column = \"value\" }`");
        }
        rows.push(row);
    }
    rows
}

/// A TOML value as JSON, without templates.
fn plain(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Text(text) | Value::Date(text) => text.clone().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Table(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), plain(&entry.node)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}
