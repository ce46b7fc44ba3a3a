//! Typed reading of one table: what is missing, of the wrong type or not known is noted, and reading goes on.
//!
//! Every key that is asked for counts as known, so the suggestions for a mistyped key need no list of their own.
//! Knows nothing of what the keys mean.

use std::cell::RefCell;
use std::time::Duration;

use super::diagnose::{At, Fault, Problems};
use super::document::{Entry, Node, Value};
use super::{suggest, unbuilt, value};

/// A text and where it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) at: At,
}

/// One table while it is read.
pub(super) struct Fields<'a> {
    /// What the table is, as the list of unbuilt keys calls it: `lambda`, `lambda.set`, `criterion` …
    scope: &'static str,
    /// The place of its header, or of its key.
    pub(super) at: At,
    entries: &'a [Entry],
    asked: RefCell<Vec<&'static str>>,
    pub(super) problems: &'a Problems,
}

impl<'a> Fields<'a> {
    /// Begins to read.
    pub(super) fn new(scope: &'static str, at: At, entries: &'a [Entry], problems: &'a Problems) -> Self {
        Self {
            scope,
            at,
            entries,
            asked: RefCell::default(),
            problems,
        }
    }

    /// The entry of a key, which thereby is known.
    pub(super) fn entry(&self, key: &'static str) -> Option<&'a Entry> {
        self.asked.borrow_mut().push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The place of a key's value, else of the table.
    pub(super) fn at_of(&self, key: &str) -> At {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map_or(self.at, |entry| place(&entry.node, entry.key_at))
    }

    /// The place of the key itself, when it is there.
    pub(super) fn key_at(&self, key: &str) -> Option<At> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.key_at)
    }

    /// The place of a value in a table within this one.
    pub(super) fn inner_at(&self, table: &str, key: &str) -> Option<At> {
        let outer = self.entries.iter().find(|entry| entry.key == table)?;
        let Value::Table(entries) = &outer.node.value else { return None };
        let inner = entries.iter().find(|entry| entry.key == key)?;
        Some(place(&inner.node, inner.key_at))
    }

    /// Notes that a key is missing.
    pub(super) fn missing(&self, key: &str, help: &str) {
        self.problems.add(self.at, format!("`{key}` is missing"), help);
    }

    /// A text, when it is there.
    pub(super) fn text(&self, key: &'static str) -> Option<Text<'a>> {
        let entry = self.entry(key)?;
        self.as_text(&entry.node, key)
    }

    /// A text that must be there and not be empty.
    pub(super) fn required(&self, key: &'static str, help: &str) -> Option<Text<'a>> {
        if self.entry(key).is_none() {
            self.missing(key, help);
            return None;
        }
        let text = self.text(key)?;
        if text.text.trim().is_empty() {
            self.problems.add(text.at, format!("`{key}` is empty"), help);
            return None;
        }
        Some(text)
    }

    /// A text read by a parser; a fault is noted.
    pub(super) fn parsed<T>(&self, key: &'static str, parser: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        let text = self.text(key)?;
        parser(text.text)
            .map_err(|fault| self.problems.fault(text.text, text.at, fault))
            .ok()
    }

    /// A duration.
    pub(super) fn duration(&self, key: &'static str) -> Option<Duration> {
        self.parsed(key, value::duration)
    }

    /// A truth value.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let entry = self.entry(key)?;
        if let Value::Flag(flag) = entry.node.value {
            return Some(flag);
        }
        self.wrong_type(key, &entry.node, "true or false", "write `true` or `false` without quotes");
        None
    }

    /// A whole number from 0.
    pub(super) fn count(&self, key: &'static str) -> Option<u32> {
        let entry = self.entry(key)?;
        let Value::Integer(number) = entry.node.value else {
            self.wrong_type(key, &entry.node, "a whole number", &format!("write `{key} = 10` without quotes"));
            return None;
        };
        let count = u32::try_from(number).ok();
        if count.is_none() {
            self.problems.add(
                entry.node.at,
                format!("`{key}` is out of range"),
                "write a number from 0 to 4294967295",
            );
        }
        count
    }

    /// Any number.
    pub(super) fn number(&self, key: &'static str) -> Option<f64> {
        let entry = self.entry(key)?;
        match entry.node.value {
            #[expect(clippy::cast_precision_loss, reason = "numbers that people write are far below 2^52")]
            Value::Integer(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            _ => {
                self.wrong_type(key, &entry.node, "a number", &format!("write `{key} = 10` without quotes"));
                None
            }
        }
    }

    /// One text or a list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Vec<Text<'a>> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        match &entry.node.value {
            Value::List(items) => items.iter().filter_map(|item| self.as_text(item, key)).collect(),
            _ => self.as_text(&entry.node, key).into_iter().collect(),
        }
    }

    /// A table within this one.
    pub(super) fn table(&self, key: &'static str, scope: &'static str) -> Option<Fields<'a>> {
        let entry = self.entry(key)?;
        match &entry.node.value {
            Value::Table(entries) => Some(Fields::new(scope, entry.key_at, entries, self.problems)),
            Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Table(_))) && !items.is_empty() => {
                self.problems
                    .add(entry.key_at, format!("there is only one `{key}`"), format!("write `[{key}]`"));
                None
            }
            _ => {
                self.wrong_type(key, &entry.node, "a table", &format!("write `{key} = {{ … }}`"));
                None
            }
        }
    }

    /// The tables of `[[key]]`.
    pub(super) fn tables(&self, key: &'static str, header: &str, scope: &'static str) -> Vec<Fields<'a>> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let help = format!("there can be several: write `[[{header}]]`");
        let Value::List(items) = &entry.node.value else {
            self.problems
                .add(entry.key_at, format!("`{key}` is {}", entry.node.value.kind()), help);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            if let Value::Table(entries) = &item.value {
                tables.push(Fields::new(scope, item.at, entries, self.problems));
            } else {
                self.problems
                    .add(item.at, format!("`{key}` holds {}", item.value.kind()), help.clone());
            }
        }
        tables
    }

    /// Every entry, for tables whose keys are names that people choose.
    pub(super) fn every(&self) -> &'a [Entry] {
        self.entries
    }

    /// A node as a text; anything else is noted.
    pub(super) fn as_text(&self, node: &'a Node, key: &str) -> Option<Text<'a>> {
        if let Value::Text(text) = &node.value {
            return Some(Text { text, at: node.at });
        }
        self.wrong_type(key, node, "a text", "write it in quotes, with its unit if it has one");
        None
    }

    /// Notes a value of the wrong type.
    pub(super) fn wrong_type(&self, key: &str, node: &Node, wanted: &str, help: &str) {
        let at = self
            .entries
            .iter()
            .find(|entry| entry.key == key)
            .map_or(node.at, |entry| place(node, entry.key_at));
        let message = if matches!(&node.value, Value::Text(text) if text == "?") {
            format!("`{key}` cannot be `?`")
        } else {
            format!("`{key}` must be {wanted}, not {}", node.value.kind())
        };
        self.problems.add(at, message, help);
    }

    /// Notes every key that was not asked for: parts of the language that are not built yet, and mistyped ones.
    pub(super) fn finish(self) {
        let asked = self.asked.into_inner();
        for entry in self.entries {
            if asked.contains(&entry.key.as_str()) {
                continue;
            }
            if let Some(help) = unbuilt::help(self.scope, &entry.key) {
                let shown = shown(self.scope, entry);
                self.problems
                    .add(entry.key_at, format!("{shown} is not supported by this version"), help);
            } else {
                let known = asked.iter().copied().chain(unbuilt::keys(self.scope));
                let help = suggest::nearest(&entry.key, known)
                    .map_or_else(|| all_keys(&asked), |candidate| format!("did you mean `{candidate}`?"));
                self.problems
                    .add(entry.key_at, format!("unknown key `{}`{}", entry.key, inside(self.scope)), help);
            }
        }
    }
}

fn all_keys(asked: &[&'static str]) -> String {
    let mut keys: Vec<&str> = Vec::new();
    for key in asked {
        if !keys.contains(key) {
            keys.push(key);
        }
    }
    if keys.is_empty() {
        "nothing can stand here".to_owned()
    } else {
        format!("known keys: {}", suggest::list(keys))
    }
}

fn inside(scope: &str) -> String {
    if scope.is_empty() {
        String::new()
    } else {
        format!(" in `{scope}`")
    }
}

/// `[[alarm]]`, `[guard]`, or the key itself.
fn shown(scope: &str, entry: &Entry) -> String {
    match &entry.node.value {
        Value::List(items) if scope.is_empty() && items.iter().all(|item| matches!(item.value, Value::Table(_))) => {
            format!("`[[{}]]`", entry.key)
        }
        Value::Table(_) if scope.is_empty() => format!("`[{}]`", entry.key),
        _ => format!("`{}`", entry.key),
    }
}

/// Tables of dotted keys have no bytes of their own; their key stands for them.
fn place(node: &Node, key_at: At) -> At {
    if matches!(node.value, Value::Table(_)) { key_at } else { node.at }
}
