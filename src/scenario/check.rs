//! What must hold of an answer.

use serde::{Deserialize, Serialize};

use super::Op;
use crate::units::Quantity;

/// One check of a step's `pass`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// As written in the profile, for reports.
    pub text: String,
    /// What is looked at.
    pub subject: Subject,
    /// What must hold of it.
    pub test: Test,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The status code.
    Status,
    /// Service time in seconds.
    Time,
    /// Body length in bytes.
    Size,
    /// The body as text.
    Body,
    /// A header, by its lower-case name.
    Header(String),
    /// A `JSONPath` (RFC 9535) into the body, validated by the profile.
    Json(String),
}

/// What must hold of a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// Comparison; numbers compare as numbers.
    Compare(Op, Literal),
    /// Is there, and is not null.
    Exists,
    /// Holds this text.
    Contains(String),
    /// Is one of these.
    In(Vec<Literal>),
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Literal {
    /// A number with its unit.
    Quantity(Quantity),
    /// A text.
    Text(String),
}
