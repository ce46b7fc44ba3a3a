//! Texts with values in them, parsed once and rendered per request.

use serde::{Deserialize, Serialize};

/// A text with `{{…}}` in it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(pub Vec<Part>);

impl Template {
    /// A template without any values.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// The text, when no value is in it.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// As it stands.
    Text(String),
    /// `{{a or b or null}}`: the first that has a value; an empty list of candidates never occurs.
    Value(Vec<Value>),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Saved by an earlier step of the journey.
    Saved(String),
    /// Saved for the user's life.
    User(String),
    /// A feeder, by its index in the scenario, and the column (`None`: the only one). One row a journey.
    Data {
        /// Index into `Scenario::data`.
        feeder: usize,
        /// Column name.
        column: Option<String>,
    },
    /// The user's number, unique in the run.
    UserId,
    /// The journey's number, unique in the run.
    JourneyId,
    /// The run's id.
    RunId,
    /// A version 4 UUID from the run's seed.
    RandomUuid,
    /// An integer between both, inclusive.
    RandomInt(i64, i64),
    /// RFC 3339, UTC.
    Now,
    /// JSON null, or the empty text.
    Null,
}

/// A JSON document with templates in its strings. A string that is one value only takes the value's own type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JsonTemplate {
    /// Null, a boolean or a number.
    Plain(serde_json::Value),
    /// A string, perhaps with values.
    Text(Template),
    /// An array.
    List(Vec<JsonTemplate>),
    /// An object, in the order of the profile.
    Map(Vec<(String, JsonTemplate)>),
}
