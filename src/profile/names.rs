//! Names: that each is given once, and that each that is used is known.
//!
//! Owns both checks for every kind of thing that has a name.

use super::diagnose::At;
use super::fields::{Fields, Text};
use super::suggest;

/// Names that may be given once only.
pub(super) struct Unique {
    what: &'static str,
    given: Vec<(String, At)>,
}

impl Unique {
    /// No names yet; `what` is for messages.
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, given: Vec::new() }
    }

    /// Reads the `name` of a table, and notes when it is missing or was given before. Empty when missing.
    pub(super) fn name(&mut self, fields: &Fields<'_>) -> String {
        let Some(name) = fields.required("name", "give it a name: `name = \"…\"`") else {
            return String::new();
        };
        self.give(name.text.to_owned(), name.at, fields);
        name.text.to_owned()
    }

    /// Notes a name that was given before; `name` may hold more than the text at its place.
    pub(super) fn give(&mut self, name: String, at: At, fields: &Fields<'_>) {
        if let Some((_, first)) = self.given.iter().find(|(given, _)| *given == name) {
            fields.problems.add_with(
                at,
                (*first, "the first one"),
                format!("{} `{name}` is there twice", self.what),
                "give one of them another name, or remove it",
            );
        } else {
            self.given.push((name, at));
        }
    }
}

/// The texts that are known names; the others are noted.
pub(super) fn known<'k>(fields: &Fields<'_>, texts: &[Text<'_>], what: &str, names: impl IntoIterator<Item = &'k str>) -> Vec<String> {
    let mut distinct: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    for text in texts {
        if !distinct.contains(&text.text) {
            fields.problems.add(
                text.at,
                format!("no {what} is named `{}`", text.text),
                suggest::help(text.text, distinct.iter().copied(), &format!("{what}s")),
            );
        }
    }
    texts.iter().map(|text| text.text.to_owned()).collect()
}
