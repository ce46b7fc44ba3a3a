//! Templates ready to render: names are interned, fixed parts are joined, escapes are done beforehand.
//!
//! Rendering writes into buffers that the caller reuses. Knows no HTTP.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::BytesMut;
use serde_json::Value as Json;

use super::dice::Dice;
use super::document::quote;
use crate::scenario::{Feeder, Part, Template, Value};
use crate::units::Timestamp;

/// Names of saved values, by slot.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// The slot of a name.
    pub(super) fn slot(&mut self, name: &str) -> usize {
        self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Where names of a scenario lead.
#[derive(Debug, Default)]
pub(super) struct Interner {
    /// Values of a journey.
    pub(super) saved: Names,
    /// Values of a user.
    pub(super) kept: Names,
    /// Feeders that were named, by index.
    pub(super) feeders: Vec<usize>,
}

/// A text ready to render.
#[derive(Clone, Debug, Default)]
pub(super) struct Text(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Fixed(String),
    Value(Vec<Source>),
}

/// Where a value comes from, by slot.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Saved(usize),
    Kept(usize),
    Data { feeder: usize, column: Option<String> },
    UserId,
    JourneyId,
    RunId,
    RandomUuid,
    RandomInt(i64, i64),
    Now,
    Null,
}

/// What values are drawn from while a journey goes on.
pub(super) struct Values<'a> {
    pub(super) feeders: &'a [Feeder],
    pub(super) run_id: &'a str,
    pub(super) user: u64,
    pub(super) journey: u64,
    pub(super) saved: &'a [Option<Json>],
    pub(super) kept: &'a [Option<Json>],
    /// The journey's row of each feeder.
    pub(super) rows: &'a [Option<usize>],
    pub(super) dice: &'a mut Dice,
}

/// No candidate of a template has a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing(pub(super) String);

/// A value that was found.
pub(super) enum Found<'a> {
    Json(&'a Json),
    Text(Cow<'a, str>),
    Number(i128),
    Null,
}

impl Text {
    /// Interns the names of a template.
    pub(super) fn new(template: &Template, names: &mut Interner) -> Self {
        Self(
            template
                .0
                .iter()
                .map(|part| match part {
                    Part::Text(text) => Piece::Fixed(text.clone()),
                    Part::Value(candidates) => Piece::Value(sources(candidates, names)),
                })
                .collect(),
        )
    }

    /// The whole text, when no value is in it.
    pub(super) fn fixed(&self) -> Option<String> {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Fixed(text) => Some(text.as_str()),
                Piece::Value(_) => None,
            })
            .collect()
    }

    /// Appends the text as it is.
    pub(super) fn plain(&self, values: &mut Values<'_>, out: &mut String) -> Result<(), Missing> {
        self.render(values, |piece| out.push_str(piece))
    }

    /// Appends the text with its values percent-encoded, as parts of a path; what is fixed stays.
    pub(super) fn path(&self, values: &mut Values<'_>, out: &mut String) -> Result<(), Missing> {
        for piece in &self.0 {
            match piece {
                Piece::Fixed(text) => out.push_str(text),
                Piece::Value(sources) => values.find(sources)?.text(|text| percent_encode(text, out)),
            }
        }
        Ok(())
    }

    /// Appends the whole text percent-encoded, as a part of a query.
    pub(super) fn query(&self, values: &mut Values<'_>, out: &mut String) -> Result<(), Missing> {
        self.render(values, |piece| percent_encode(piece, out))
    }

    fn render(&self, values: &mut Values<'_>, mut write: impl FnMut(&str)) -> Result<(), Missing> {
        for piece in &self.0 {
            match piece {
                Piece::Fixed(text) => write(text),
                Piece::Value(sources) => values.find(sources)?.text(&mut write),
            }
        }
        Ok(())
    }
}

pub(super) fn sources(candidates: &[Value], names: &mut Interner) -> Vec<Source> {
    candidates
        .iter()
        .map(|candidate| match candidate {
            Value::Saved(name) => Source::Saved(names.saved.slot(name)),
            Value::User(name) => Source::Kept(names.kept.slot(name)),
            Value::Data { feeder, column } => {
                if !names.feeders.contains(feeder) {
                    names.feeders.push(*feeder);
                }
                Source::Data {
                    feeder: *feeder,
                    column: column.clone(),
                }
            }
            Value::UserId => Source::UserId,
            Value::JourneyId => Source::JourneyId,
            Value::RunId => Source::RunId,
            Value::RandomUuid => Source::RandomUuid,
            Value::RandomInt(low, high) => Source::RandomInt(*low, *high),
            Value::Now => Source::Now,
            Value::Null => Source::Null,
        })
        .collect()
}

impl Values<'_> {
    /// The first candidate that has a value; JSON null is none.
    pub(super) fn find(&mut self, sources: &[Source]) -> Result<Found<'_>, Missing> {
        let (feeders, rows, saved, kept) = (self.feeders, self.rows, self.saved, self.kept);
        let present = |value: &Option<Json>| value.as_ref().is_some_and(|value| !value.is_null());
        for source in sources {
            return Ok(match source {
                Source::Saved(slot) if saved.get(*slot).is_some_and(present) => Found::Json(saved[*slot].as_ref().unwrap_or(&Json::Null)),
                Source::Kept(slot) if kept.get(*slot).is_some_and(present) => Found::Json(kept[*slot].as_ref().unwrap_or(&Json::Null)),
                Source::Saved(_) | Source::Kept(_) => continue,
                Source::Data { feeder, column } => {
                    let row = rows
                        .get(*feeder)
                        .copied()
                        .flatten()
                        .and_then(|row| feeders.get(*feeder)?.rows.get(row));
                    let value = row.and_then(|row| match column {
                        Some(column) => row.get(column),
                        None => row.values().next(),
                    });
                    match value {
                        Some(value) if !value.is_null() => Found::Json(value),
                        _ => continue,
                    }
                }
                Source::UserId => Found::Number(i128::from(self.user)),
                Source::JourneyId => Found::Number(i128::from(self.journey)),
                Source::RunId => Found::Text(Cow::Borrowed(self.run_id)),
                Source::RandomUuid => Found::Text(Cow::Owned(self.dice.uuid())),
                Source::RandomInt(low, high) => Found::Number(i128::from(self.dice.between(*low, *high))),
                Source::Now => Found::Text(Cow::Owned(Timestamp::now().to_string())),
                Source::Null => Found::Null,
            });
        }
        Err(Missing(missing(sources, feeders)))
    }
}

fn missing(sources: &[Source], feeders: &[Feeder]) -> String {
    match sources.first() {
        Some(Source::Data { feeder, column }) => {
            let name = feeders.get(*feeder).map_or("", |feeder| feeder.name.as_str());
            format!("data `{name}` has no value for `{}`", column.as_deref().unwrap_or_default())
        }
        Some(Source::Kept(_)) => "a value of the user was not saved before".to_owned(),
        _ => "a value of the journey was not saved before".to_owned(),
    }
}

impl Found<'_> {
    pub(super) fn text(&self, mut write: impl FnMut(&str)) {
        match self {
            Self::Json(Json::String(text)) => write(text),
            Self::Json(value) => write(&value.to_string()),
            Self::Text(text) => write(text),
            Self::Number(number) => write(&number.to_string()),
            Self::Null => {}
        }
    }

    pub(super) fn json(&self, out: &mut BytesMut) {
        // Writing to memory cannot fail, and a number or a value of JSON is always writable.
        let _ = match self {
            Self::Json(Json::String(text)) => {
                quote(text, out);
                Ok(())
            }
            Self::Json(value) => write!(out, "{value}"),
            Self::Text(text) => {
                quote(text, out);
                Ok(())
            }
            Self::Number(number) => write!(out, "{number}"),
            Self::Null => out.write_str("null"),
        };
    }
}

/// Writes a text with all but unreserved characters encoded.
pub(super) fn percent_encode(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::super::document::Document;
    use super::*;
    use crate::scenario::{JsonTemplate, Pick};

    fn value(value: Value) -> Template {
        Template(vec![Part::Value(vec![value])])
    }

    fn feeder() -> Feeder {
        Feeder {
            name: "people".to_owned(),
            pick: Pick::InOrder,
            rows: vec![BTreeMap::from([
                ("name".to_owned(), json!("Ann & Bob")),
                ("age".to_owned(), json!(42)),
            ])],
        }
    }

    struct Fixture {
        names: Interner,
        saved: Vec<Option<Json>>,
        feeders: Vec<Feeder>,
        dice: Dice,
    }

    impl Fixture {
        fn new() -> Self {
            let mut names = Interner::default();
            names.saved.slot("token");
            Self {
                names,
                saved: vec![Some(json!("a/b \"c\""))],
                feeders: vec![feeder()],
                dice: Dice::new(1, [0, 0]),
            }
        }

        fn values(&mut self) -> Values<'_> {
            Values {
                feeders: &self.feeders,
                run_id: "r1",
                user: 7,
                journey: 9,
                saved: &self.saved,
                kept: &[],
                rows: &[Some(0)],
                dice: &mut self.dice,
            }
        }

        fn json(&mut self, template: &JsonTemplate) -> Result<Json, Missing> {
            let document = Document::new(template, &mut self.names);
            let mut out = BytesMut::new();
            document.render(&mut self.values(), &mut out)?;
            Ok(serde_json::from_slice(&out).unwrap())
        }

        fn text(&mut self, template: &Template) -> Result<String, Missing> {
            let text = Text::new(template, &mut self.names);
            let mut out = String::new();
            text.plain(&mut self.values(), &mut out)?;
            Ok(out)
        }
    }

    fn age() -> Value {
        Value::Data {
            feeder: 0,
            column: Some("age".to_owned()),
        }
    }

    #[test]
    fn a_json_string_that_is_one_value_keeps_its_type() {
        let mut fixture = Fixture::new();
        let template = JsonTemplate::Map(vec![
            ("age".to_owned(), JsonTemplate::Text(value(age()))),
            ("user".to_owned(), JsonTemplate::Text(value(Value::UserId))),
            ("token".to_owned(), JsonTemplate::Text(value(Value::Saved("token".to_owned())))),
            ("none".to_owned(), JsonTemplate::Text(value(Value::Null))),
            (
                "mixed".to_owned(),
                JsonTemplate::Text(Template(vec![Part::Text("is \"".to_owned()), Part::Value(vec![age()])])),
            ),
            (
                "list".to_owned(),
                JsonTemplate::List(vec![JsonTemplate::Plain(json!(1.5)), JsonTemplate::Plain(json!(true))]),
            ),
        ]);
        assert_eq!(
            fixture.json(&template).unwrap(),
            json!({"age": 42, "user": 7, "token": "a/b \"c\"", "none": null, "mixed": "is \"42", "list": [1.5, true]})
        );
    }

    #[test]
    fn the_first_candidate_with_a_value_is_taken_and_none_is_missing() {
        let mut fixture = Fixture::new();
        let unknown = Value::Saved("unknown".to_owned());
        let either = Template(vec![Part::Value(vec![unknown.clone(), Value::RunId])]);
        assert_eq!(fixture.text(&either), Ok("r1".to_owned()));
        assert!(fixture.text(&value(unknown)).is_err());
        let column = Value::Data {
            feeder: 0,
            column: Some("size".to_owned()),
        };
        assert_eq!(
            fixture.text(&value(column)),
            Err(Missing("data `people` has no value for `size`".to_owned()))
        );
    }

    #[test]
    fn values_in_a_path_are_encoded_and_fixed_parts_are_not() {
        let mut fixture = Fixture::new();
        let template = Template(vec![
            Part::Text("/files/".to_owned()),
            Part::Value(vec![Value::Saved("token".to_owned())]),
            Part::Text("/raw?x=1".to_owned()),
        ]);
        let text = Text::new(&template, &mut fixture.names);
        let mut out = String::new();
        text.path(&mut fixture.values(), &mut out).unwrap();
        assert_eq!(out, "/files/a%2Fb%20%22c%22/raw?x=1");
    }

    #[test]
    fn a_text_without_values_is_known_beforehand() {
        let mut names = Interner::default();
        assert_eq!(Text::new(&Template::literal("/a"), &mut names).fixed(), Some("/a".to_owned()));
        assert_eq!(Text::new(&value(Value::Now), &mut names).fixed(), None);
        let document = Document::new(
            &JsonTemplate::Map(vec![("a".to_owned(), JsonTemplate::Text(Template::literal("b")))]),
            &mut names,
        );
        assert_eq!(document.fixed(), Some(r#"{"a":"b"}"#));
    }

    proptest! {
        #[test]
        fn any_text_survives_json_and_percent_encoding(text in any::<String>()) {
            let mut quoted = BytesMut::new();
            quote(&text, &mut quoted);
            prop_assert_eq!(&serde_json::from_slice::<String>(&quoted).unwrap(), &text);
            let mut encoded = String::new();
            percent_encode(&text, &mut encoded);
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/' && byte != b'?' && byte != b'#'));
        }
    }
}
