//! What `prepare` would do, as data that can be shown, compared and carried out.

use serde::{Deserialize, Serialize};

use super::{Setting, State};

/// One setting with its value now and the value that it will get. Equal values are recorded as well: a capacity
/// that is not changed is still put back when autoscaling has moved it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which setting.
    pub setting: Setting,
    /// As it is now.
    pub before: State,
    /// As it will be.
    pub after: State,
    /// Whether it can be put back.
    pub undo: Undo,
}

impl Change {
    /// Whether AWS is called for it at all.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.before == self.after
    }
}

/// How well a change can be put back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "kebab-case")]
pub enum Undo {
    /// To the byte.
    Exact,
    /// Not to the byte, for the reason given.
    Inexact {
        /// Why, in words.
        why: String,
    },
    /// Exactly, but AWS may make it wait, for the reason given.
    Delayed {
        /// Why, in words.
        why: String,
    },
}

/// Something people should know before they go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// The resource or setting it is about.
    pub about: String,
    /// One or two sentences.
    pub text: String,
}

/// Something that makes `prepare` refuse (exit 3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The resource or setting it is about.
    pub about: String,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub help: String,
}

/// Everything that `prepare` would do, in the order of the lanes, with what speaks against it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Changes and holds; see [`Change::is_noop`].
    pub changes: Vec<Change>,
    /// To be read.
    pub warnings: Vec<Warning>,
    /// When not empty, nothing is done.
    pub refusals: Vec<Refusal>,
}
