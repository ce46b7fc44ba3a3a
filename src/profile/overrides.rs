//! `--set SELECTOR.KEY=VALUE`: settings that a flag changes for this time.
//!
//! Owns the grammar of the flag and how it is laid over the document. What the keys mean is `wish`'s part, so a
//! mistake in a flag is shown like one in the profile, with the caret under the flag.

use std::fmt;
use std::str::FromStr;

use super::diagnose::{At, Problems, Source};
use super::document::{self, Entry, Node, Value};
use super::{resource, wish};
use crate::setting::resource::wildcard;

/// One `--set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    text: String,
}

/// Why a flag could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`--set {text}` is not an override")]
#[diagnostic(help("write `--set 'KIND/NAME.KEY=VALUE'`, such as `--set 'lambda/*.reserved-concurrency=200'`"))]
pub struct OverrideError {
    text: String,
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_owned();
        let shaped = text
            .split_once('=')
            .and_then(|(path, value)| Some((path.split_once('/')?.1, value)))
            .is_some_and(|(path, value)| path.contains('.') && !value.trim().is_empty());
        if shaped { Ok(Self { text }) } else { Err(OverrideError { text }) }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The parts of a flag, with their places.
struct Parts<'a> {
    kind: &'a str,
    pattern: &'a str,
    path: Vec<(&'a str, usize)>,
    value: &'a str,
    value_start: usize,
}

impl Override {
    /// The flag as a source that mistakes can point into.
    pub(super) fn source(&self) -> Source {
        Source {
            name: "--set".to_owned(),
            text: self.text.clone(),
        }
    }

    fn parts(&self) -> Option<Parts<'_>> {
        let (address, value) = self.text.split_once('=')?;
        let (kind, rest) = address.split_once('/')?;
        let name_start = kind.len() + 1;
        // Names may hold dots: the name ends where a key of the kind follows, else at the first dot.
        let dots: Vec<usize> = rest.match_indices('.').map(|(at, _)| at).collect();
        let starts_key = |dot: &&usize| {
            rest.get(**dot + 1..)
                .and_then(|path| path.split('.').next())
                .is_some_and(|key| wish::keys(kind).contains(&key))
        };
        let dot = *dots.iter().find(starts_key).or(dots.first())?;
        let mut path = Vec::new();
        let mut at = dot + 1;
        for key in rest.get(at..)?.split('.') {
            path.push((key, name_start + at));
            at += key.len() + 1;
        }
        Some(Parts {
            kind,
            pattern: rest.get(..dot)?,
            path,
            value: value.trim(),
            value_start: address.len() + 1 + (value.len() - value.trim_start().len()),
        })
    }

    /// Lays the flag over the document.
    pub(super) fn apply(&self, source: usize, document: &mut [Entry], problems: &Problems) {
        let at = |start: usize, length: usize| At {
            source,
            start,
            end: start + length,
        };
        let Some(parts) = self.parts() else { return };
        let selector = format!("{}/{}", parts.kind, parts.pattern);
        let node = document::flag_value(parts.value, at(parts.value_start, parts.value.len()), problems);
        let path: Vec<(&str, At)> = parts.path.iter().map(|(key, start)| (*key, at(*start, key.len()))).collect();
        let mut matched = false;
        for entries in resources_of(document, parts.kind) {
            let named = entries
                .iter()
                .find(|entry| entry.key == "name")
                .is_some_and(|entry| matches!(&entry.node.value, Value::Text(name) if wildcard(parts.pattern, name)));
            if named {
                matched = true;
                let set = ("set", path.first().map_or(at(0, self.text.len()), |(_, at)| *at));
                let path: Vec<_> = std::iter::once(set).chain(path.iter().copied()).collect();
                if let Err((key, place)) = put(entries, &path, &node) {
                    problems.add(
                        place,
                        format!("`{key}` holds a value and no table"),
                        "shorten the path, or change the profile",
                    );
                }
            }
        }
        if !matched {
            let listed = listed(document);
            let (message, help) = resource::unmatched(&selector, &listed);
            problems.add(at(0, selector.len()), format!("`--set` matches nothing: {message}"), help);
        }
    }
}

fn resources_of<'d>(document: &'d mut [Entry], kind: &str) -> Vec<&'d mut Vec<Entry>> {
    document
        .iter_mut()
        .filter(|entry| entry.key == kind && resource::KINDS.contains(&kind))
        .filter_map(|entry| match &mut entry.node.value {
            Value::List(items) => Some(items),
            _ => None,
        })
        .flatten()
        .filter_map(|item| match &mut item.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        })
        .collect()
}

/// What the document lists, only well enough for suggestions.
fn listed(document: &[Entry]) -> Vec<crate::setting::Resource> {
    use crate::setting::Resource;
    let mut resources = Vec::new();
    for entry in document {
        let Value::List(items) = &entry.node.value else { continue };
        for item in items {
            let Value::Table(fields) = &item.value else { continue };
            let name = fields.iter().find(|field| field.key == "name").map(|field| &field.node.value);
            let Some(Value::Text(name)) = name else { continue };
            let name = name.clone();
            resources.extend(match entry.key.as_str() {
                "lambda" => Some(Resource::Lambda { name }),
                "dynamodb" => Some(Resource::Dynamodb { name }),
                "ecs" => Some(Resource::Ecs {
                    cluster: String::new(),
                    name,
                }),
                "alb" => Some(Resource::Alb { name }),
                "rest-api" => Some(Resource::RestApi {
                    name,
                    stage: String::new(),
                }),
                _ => None,
            });
        }
    }
    resources
}

/// Puts a value at the end of a path, making the tables on the way. Fails at a key that holds no table.
fn put<'k>(entries: &mut Vec<Entry>, path: &[(&'k str, At)], node: &Node) -> Result<(), (&'k str, At)> {
    let [(key, key_at), rest @ ..] = path else { return Ok(()) };
    let new = |value: Node| Entry {
        key: (*key).to_owned(),
        key_at: *key_at,
        node: value,
    };
    let found = entries.iter_mut().find(|entry| entry.key == *key);
    match (found, rest) {
        (Some(old), []) => *old = new(node.clone()),
        (None, []) => entries.push(new(node.clone())),
        (Some(old), _) => match &mut old.node.value {
            Value::Table(inner) => return put(inner, rest, node),
            _ => return Err((key, *key_at)),
        },
        (None, _) => {
            let mut inner = Vec::new();
            put(&mut inner, rest, node)?;
            entries.push(new(Node {
                value: Value::Table(inner),
                at: *key_at,
            }));
        }
    }
    Ok(())
}
