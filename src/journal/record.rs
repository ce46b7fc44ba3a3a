//! The records of a journal, one JSON object a line.

use serde::{Deserialize, Serialize};

use crate::setting::{Setting, State};
use crate::units::Timestamp;

/// The format's version. A journal of a newer version is refused, never half understood.
pub const VERSION: u32 = 1;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// Always the first line.
    Started(Started),
    /// Written and synced before the call.
    Intent {
        /// Counts from 1 in the journal.
        step: u64,
        /// Forward or back.
        way: Way,
        /// Which setting.
        setting: Setting,
        /// What the resource is, beyond its name (table id, ARN): a re-created one is another.
        identity: String,
        /// As it was observed just before.
        before: State,
        /// What the call sets.
        to: State,
        /// When it was written.
        at: Timestamp,
    },
    /// The call was answered and the value was seen.
    Done {
        /// Of which intent.
        step: u64,
        /// As it was observed afterwards.
        observed: State,
        /// When.
        at: Timestamp,
    },
    /// AWS refused the call: it did not happen.
    Refused {
        /// Of which intent.
        step: u64,
        /// In words.
        error: String,
        /// When AWS will allow it again.
        not_before: Option<Timestamp>,
        /// When.
        at: Timestamp,
    },
    /// The setting is back, or given up knowingly.
    Closed {
        /// Which setting.
        setting: Setting,
        /// How it ended.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
    /// A run uses the environment, or (`None`) no longer does.
    InUse {
        /// Who drives the load.
        owner: Option<Owner>,
        /// When.
        at: Timestamp,
    },
    /// Everything is closed and read back.
    Finished {
        /// When.
        at: Timestamp,
    },
}

/// The journal's first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// Of this format.
    pub version: u32,
    /// `<time>-<profile>`, the name of the file too.
    pub run: String,
    /// The profile's name.
    pub profile: String,
    /// AWS account id.
    pub account: String,
    /// AWS region.
    pub region: String,
    /// Absent when it is AWS itself; a journal made against one endpoint is not cleaned up against another.
    pub endpoint: Option<String>,
    /// `tidegate 0.1.0`.
    pub tool: String,
    /// How long a call whose answer was lost may still take effect, in seconds.
    pub in_doubt_seconds: f64,
    /// Who.
    pub owner: Owner,
    /// When.
    pub at: Timestamp,
}

/// Who did something, for `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// User name.
    pub user: String,
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: u32,
}

/// The direction of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// By `prepare`.
    Apply,
    /// By `cleanup`.
    Revert,
}

/// How a setting was closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Put back and read back.
    Restored,
    /// It had its original value already.
    AlreadyBefore,
    /// The resource no longer exists.
    Gone,
    /// Somebody's edit was knowingly kept.
    Accepted {
        /// What was kept.
        seen: State,
    },
}
