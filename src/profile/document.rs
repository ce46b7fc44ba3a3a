//! A TOML document as a tree in which every key and value knows its place, in the order of the text.
//!
//! Owns the tree and its syntax errors. Knows nothing of what a profile means; reading is `fields`' part.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnose::{At, Problems};

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) at: At,
}

/// TOML's values.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    Date(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

impl Value {
    /// What people call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Flag(_) => "a truth value",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: At,
    pub(super) node: Node,
}

/// Reads a document. Syntax errors are added to the problems; what could be read is returned.
pub(super) fn read(source: &str, problems: &Problems) -> Vec<Entry> {
    let (document, errors) = DeTable::parse_recoverable(source);
    for error in &errors {
        let range = error.span().unwrap_or(0..0);
        problems.add(At::profile(&range), syntax_message(error.message()), syntax_help(error.message()));
    }
    // A key that stands twice leaves the rest readable; after any other error names would be missing.
    if errors.iter().any(|error| !error.message().contains("duplicate key")) {
        problems.close();
    }
    entries(document.get_ref(), problems)
}

/// Reads the value of a flag: TOML where it is TOML, else a text.
pub(super) fn flag_value(text: &str, at: At, problems: &Problems) -> Node {
    let plain = || Node {
        value: Value::Text(text.to_owned()),
        at,
    };
    let Ok(parsed) = DeValue::parse(text) else { return plain() };
    let mut node = node(&parsed, problems);
    if matches!(node.value, Value::Date(_)) {
        return plain();
    }
    relocate(&mut node, at);
    node
}

fn relocate(node: &mut Node, at: At) {
    node.at = at;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| relocate(item, at)),
        Value::Table(entries) => entries.iter_mut().for_each(|entry| {
            entry.key_at = at;
            relocate(&mut entry.node, at);
        }),
        _ => {}
    }
}

fn entries(table: &DeTable<'_>, problems: &Problems) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_at: At::profile(&key.span()),
            node: node(value, problems),
        })
        .collect();
    // The crate sorts keys by name; people read them in the order in which they stand.
    entries.sort_by_key(|entry| entry.key_at);
    entries
}

fn node(value: &Spanned<DeValue<'_>>, problems: &Problems) -> Node {
    let at = At::profile(&value.span());
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => Value::Integer(i64::from_str_radix(integer.as_str(), integer.radix()).unwrap_or_else(|_| {
            problems.add(at, "this integer is too large", "integers have 64 bits");
            1
        })),
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(float) if float.is_finite() => Value::Float(float),
            _ => {
                problems.add(at, "this is not a finite number", "write a number such as `0.5`");
                Value::Float(1.0)
            }
        },
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, problems)).collect()),
        DeValue::Table(table) => Value::Table(entries(table, problems)),
    };
    Node { value, at }
}

fn syntax_message(message: &str) -> String {
    let mut message = message.lines().collect::<Vec<_>>().join(", ");
    if message.is_empty() {
        message.push_str("this is not TOML");
    }
    message
}

fn syntax_help(message: &str) -> &'static str {
    if message.contains("duplicate") {
        "a key stands once in its table; of what there can be several, write `[[thing]]` for each"
    } else {
        "profiles are TOML: `key = \"text\"`, `key = 5`, `[table]`, `[[one of several]]`"
    }
}
