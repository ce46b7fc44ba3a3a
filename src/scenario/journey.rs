//! What a user does: weighted sequences of steps.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Check, JsonTemplate, Subject, Template};

/// A weighted sequence of steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    /// Unique within the scenario.
    pub name: String,
    /// Share of the journeys started, relative to the sum of all weights.
    pub weight: f64,
    /// After each step.
    pub think: Think,
    /// For criteria and selection.
    pub tags: Vec<String>,
    /// What it leaves behind that nobody can undo; shown by `plan`.
    pub cannot_undo: Option<String>,
    /// In order. A failed step ends the journey.
    pub steps: Vec<Step>,
}

/// A uniformly drawn pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Think {
    /// At least this long.
    pub min: Duration,
    /// At most this long.
    pub max: Duration,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Unique within its journey.
    pub name: String,
    /// The HTTP method.
    pub method: Method,
    /// Appended to the target's address; begins with `/`.
    pub path: Template,
    /// Appended to the path, percent-encoded.
    pub query: Vec<(String, Template)>,
    /// Override the target's.
    pub headers: Vec<(String, Template)>,
    /// What is sent.
    pub body: Body,
    /// All must hold, else the request counts as an error. Never empty (the default is `status < 400`).
    pub pass: Vec<Check>,
    /// Taken from the answer for later steps.
    pub save: Vec<Save>,
    /// Overrides the target's timeout.
    pub timeout: Option<Duration>,
}

/// The HTTP method of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are HTTP's own")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
}

/// What a step sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// Nothing.
    None,
    /// `application/json`.
    Json(JsonTemplate),
    /// As it stands; the content type is a header of the step.
    Text(Template),
}

/// A value taken from an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Save {
    /// The name that templates use. With `for_user` it is `user.NAME`.
    pub name: String,
    /// Kept for the user's life instead of the journey's.
    pub for_user: bool,
    /// Where it is found.
    pub from: Subject,
}
