//! Templates: `{{NAME}}`, `{{NAME or OTHER}}`, `{{data.users.email}}`, and JSON with templates in its strings.
//!
//! Owns the grammar and which names are in reach. Rendering is the load's part.

use std::collections::BTreeSet;
use std::ops::Range;

use super::diagnose::{At, Fault, Problems};
use super::document::{Entry, Node, Value as Toml};
use super::fields::Text;
use super::suggest;
use crate::scenario::{Feeder, JsonTemplate, Part, Template, Value};

/// The names that a template may use at its place.
#[derive(Clone, Copy)]
pub(super) struct Reach<'a> {
    pub(super) feeders: &'a [Feeder],
    /// Saved for the user's life by any step.
    pub(super) user: &'a BTreeSet<String>,
    /// Saved by earlier steps of the journey.
    pub(super) saved: &'a BTreeSet<String>,
}

const BUILT_IN: [&str; 6] = ["user.id", "journey.id", "run.id", "random.uuid", "random.int(1,6)", "now"];

/// Reads a template and notes every fault in it.
pub(super) fn read(text: Text<'_>, reach: Reach<'_>, problems: &Problems) -> Template {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = text.text[at..].find("{{").map(|offset| at + offset) {
        if open > at {
            parts.push(Part::Text(text.text[at..open].to_owned()));
        }
        let Some(close) = text.text[open..].find("}}").map(|offset| open + offset) else {
            let fault = Fault::new("`{{` is never closed", "close it with `}}`").within(open..text.text.len());
            problems.fault(text.text, text.at, fault);
            return Template(parts);
        };
        match candidates(text.text, open + 2..close, reach) {
            Ok(values) => parts.push(Part::Value(values)),
            Err(fault) => problems.fault(text.text, text.at, fault),
        }
        at = close + 2;
    }
    if at < text.text.len() {
        parts.push(Part::Text(text.text[at..].to_owned()));
    }
    Template(parts)
}

fn candidates(text: &str, range: Range<usize>, reach: Reach<'_>) -> Result<Vec<Value>, Fault> {
    let mut values = Vec::new();
    let mut at = range.start;
    for part in text[range.clone()].split(" or ") {
        let start = at + (part.len() - part.trim_start().len());
        let name = part.trim();
        let place = if name.is_empty() {
            range.clone()
        } else {
            start..start + name.len()
        };
        values.push(value(name, reach).map_err(|fault| fault.within(place))?);
        at += part.len() + " or ".len();
    }
    Ok(values)
}

fn value(name: &str, reach: Reach<'_>) -> Result<Value, Fault> {
    Ok(match name {
        "" => {
            return Err(Fault::new(
                "the braces hold no name",
                format!("known names: {}", suggest::list(BUILT_IN)),
            ));
        }
        "user.id" => Value::UserId,
        "journey.id" => Value::JourneyId,
        "run.id" => Value::RunId,
        "random.uuid" => Value::RandomUuid,
        "now" => Value::Now,
        "null" => Value::Null,
        _ => {
            if let Some(rest) = name.strip_prefix("random.int") {
                return random_int(name, rest);
            }
            if let Some(rest) = name.strip_prefix("data.") {
                return data(rest, reach.feeders);
            }
            if name == "trace.id" || name.starts_with("env.") {
                return Err(Fault::new(
                    format!("`{name}` is not supported by this version"),
                    format!("known names: {}", suggest::list(BUILT_IN)),
                ));
            }
            if let Some(kept) = name.strip_prefix("user.")
                && reach.user.contains(kept)
            {
                return Ok(Value::User(kept.to_owned()));
            }
            if reach.saved.contains(name) {
                return Ok(Value::Saved(name.to_owned()));
            }
            return Err(unknown(name, reach));
        }
    })
}

fn random_int(name: &str, rest: &str) -> Result<Value, Fault> {
    let bounds = rest
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|inside| inside.split_once(','))
        .and_then(|(low, high)| Some((low.trim().parse::<i64>().ok()?, high.trim().parse::<i64>().ok()?)));
    match bounds {
        Some((low, high)) if low <= high => Ok(Value::RandomInt(low, high)),
        _ => Err(Fault::new(
            format!("`{name}` does not say between which integers"),
            "write `random.int(1,6)`, the lower one first",
        )),
    }
}

fn data(rest: &str, feeders: &[Feeder]) -> Result<Value, Fault> {
    let whole = feeders.iter().position(|feeder| feeder.name == rest);
    let (index, column) = match (whole, rest.rsplit_once('.')) {
        (Some(index), _) => (index, None),
        (None, Some((name, column))) => match feeders.iter().position(|feeder| feeder.name == name) {
            Some(index) => (index, Some(column)),
            None => return Err(unknown_data(name, feeders)),
        },
        (None, None) => return Err(unknown_data(rest, feeders)),
    };
    let Some(feeder) = feeders.get(index) else {
        return Err(unknown_data(rest, feeders));
    };
    let columns: Vec<&str> = feeder
        .rows
        .first()
        .map(|row| row.keys().map(String::as_str).collect())
        .unwrap_or_default();
    // A feeder with a mistake of its own has no rows; that mistake is enough.
    let column = match (column, columns.as_slice()) {
        (None, [] | [""]) | (Some(_), []) => None,
        (None, [only]) => Some((*only).to_owned()),
        (None, _) => {
            return Err(Fault::new(
                format!("`data.{}` has several columns", feeder.name),
                format!("name one of {}", suggest::list(columns.iter().copied())),
            ));
        }
        (Some(column), [""]) => {
            return Err(Fault::new(
                format!("`data.{}` is a plain list and has no column `{column}`", feeder.name),
                format!("write `{{{{data.{}}}}}`", feeder.name),
            ));
        }
        (Some(column), _) if columns.contains(&column) => Some(column.to_owned()),
        (Some(column), _) => {
            return Err(Fault::new(
                format!("`data.{}` has no column `{column}`", feeder.name),
                suggest::help(column, columns.iter().copied(), "columns"),
            ));
        }
    };
    Ok(Value::Data { feeder: index, column })
}

fn unknown_data(name: &str, feeders: &[Feeder]) -> Fault {
    let names = feeders.iter().map(|feeder| feeder.name.as_str());
    Fault::new(format!("no `[[data]]` is named `{name}`"), suggest::help(name, names, "`[[data]]`"))
}

fn unknown(name: &str, reach: Reach<'_>) -> Fault {
    let user: Vec<String> = reach.user.iter().map(|name| format!("user.{name}")).collect();
    let data: Vec<String> = reach.feeders.iter().map(|feeder| format!("data.{}", feeder.name)).collect();
    let known = BUILT_IN
        .into_iter()
        .chain(reach.saved.iter().map(String::as_str))
        .chain(user.iter().map(String::as_str))
        .chain(data.iter().map(String::as_str));
    let message = if name.starts_with("user.") {
        format!("no step saves `{name}`")
    } else {
        format!("no earlier step of this journey saves `{name}`")
    };
    let help = suggest::nearest(name, known.clone()).map_or_else(
        || format!("save it in an earlier step, or use one of {}", suggest::list(known)),
        |candidate| format!("did you mean `{candidate}`?"),
    );
    Fault::new(message, help)
}

/// Reads a JSON document with templates in its strings.
pub(super) fn json(node: &Node, reach: Reach<'_>, problems: &Problems) -> JsonTemplate {
    match &node.value {
        Toml::Text(text) => JsonTemplate::Text(read(Text { text, at: node.at }, reach, problems)),
        Toml::Integer(number) => JsonTemplate::Plain((*number).into()),
        Toml::Float(number) => JsonTemplate::Plain((*number).into()),
        Toml::Flag(flag) => JsonTemplate::Plain((*flag).into()),
        Toml::Date(date) => JsonTemplate::Text(Template::literal(date)),
        Toml::List(items) => JsonTemplate::List(items.iter().map(|item| json(item, reach, problems)).collect()),
        Toml::Table(entries) => JsonTemplate::Map(
            entries
                .iter()
                .map(|entry| (entry.key.clone(), json(&entry.node, reach, problems)))
                .collect(),
        ),
    }
}

/// Reads the texts of a table, such as headers or a query, as templates; numbers and flags stand for their text.
pub(super) fn table(entries: &[Entry], key: &str, reach: Reach<'_>, problems: &Problems) -> Vec<(String, Template)> {
    let mut templates = Vec::new();
    for Entry { key: name, key_at, node } in entries {
        let template = match &node.value {
            Toml::Text(text) => read(Text { text, at: node.at }, reach, problems),
            Toml::Integer(number) => Template::literal(&number.to_string()),
            Toml::Float(number) => Template::literal(&number.to_string()),
            Toml::Flag(flag) => Template::literal(&flag.to_string()),
            other => {
                problems.add(
                    *key_at,
                    format!("`{name}` in `{key}` is {}", other.kind()),
                    "write a text in quotes",
                );
                continue;
            }
        };
        check_header(key, name, *key_at, problems);
        templates.push((name.clone(), template));
    }
    templates
}

fn check_header(key: &str, name: &str, at: At, problems: &Problems) {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if key == "headers" && (name.is_empty() || !name.chars().all(token)) {
        problems.add(at, format!("`{name}` is not a header name"), "write a name such as `content-type`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::diagnose::Source;
    use crate::scenario::Pick;

    fn faults(text: &str) -> Vec<(String, String)> {
        let row = |columns: &[&str]| columns.iter().map(|c| ((*c).to_owned(), serde_json::Value::Null)).collect();
        let feeder = |name: &str, columns: &[&str]| Feeder {
            name: name.to_owned(),
            pick: Pick::Random,
            rows: vec![row(columns)],
        };
        let feeders = [feeder("kb", &["topic", "text"]), feeder("names", &[""])];
        let user = BTreeSet::from(["token".to_owned()]);
        let saved = BTreeSet::from(["conversation".to_owned()]);
        let reach = Reach {
            feeders: &feeders,
            user: &user,
            saved: &saved,
        };
        let problems = Problems::new(vec![Source {
            name: "test".into(),
            text: text.into(),
        }]);
        let at = At {
            source: 0,
            start: 0,
            end: text.len(),
        };
        read(Text { text, at }, reach, &problems);
        match problems.into_result(()) {
            Ok(()) => Vec::new(),
            Err(found) => {
                let shown = |m: &crate::profile::Mistake| (m.marked().to_owned(), m.advice().to_owned());
                found.mistakes().iter().map(shown).collect()
            }
        }
    }

    #[test]
    fn names_in_reach_are_accepted() {
        for text in [
            "{{data.kb.text}} and {{data.names}}",
            "{{ conversation or null }}",
            "{{user.token}}{{user.id}}{{journey.id}}{{run.id}}{{random.uuid}}{{now}}",
            "{{random.int(-1, 5)}}",
            "no braces } {",
        ] {
            assert_eq!(faults(text), [], "{text}");
        }
    }

    #[test]
    fn every_name_out_of_reach_gets_its_own_caret() {
        let found = faults("{{conversatoin}} {{data.kb.txt}} {{data.kb}} {{data.nmes}} {{random.int(5,1)}} {{env.A}} {{");
        let marked: Vec<&str> = found.iter().map(|(marked, _)| marked.as_str()).collect();
        assert_eq!(
            marked,
            [
                "conversatoin",
                "data.kb.txt",
                "data.kb",
                "data.nmes",
                "random.int(5,1)",
                "env.A",
                "{{"
            ]
        );
        assert_eq!(found[0].1, "did you mean `conversation`?");
        assert_eq!(found[1].1, "did you mean `text`?");
    }
}
