//! What the verbs tell whoever watches.

use std::time::Duration;

use crate::setting::{Setting, State};
use crate::units::Timestamp;

/// Who watches: the screen, or nobody.
pub type Events = dyn Fn(Event) + Send + Sync;

/// Something that happened to a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A call is about to be made.
    Setting {
        /// Which setting.
        setting: Setting,
        /// From.
        from: State,
        /// To.
        to: State,
    },
    /// The value is in force and was read back.
    Set {
        /// Which setting.
        setting: Setting,
        /// From.
        from: State,
        /// To.
        to: State,
    },
    /// AWS asks to wait, or the value moves still.
    Waiting {
        /// Which setting.
        setting: Setting,
        /// In words.
        why: String,
    },
    /// A call whose answer was lost may still take effect: cleanup waits that out first.
    InDoubt {
        /// Which setting.
        setting: Setting,
        /// How long.
        wait: Duration,
    },
    /// `cleanup --wait` waits for AWS's permission.
    Deferred {
        /// Which setting.
        setting: Setting,
        /// Until when.
        until: Timestamp,
    },
    /// `prepare` failed or was stopped: what it did is put back.
    PuttingBack,
    /// The journal cannot be written; cleanup goes on without it.
    JournalLost {
        /// Why.
        error: String,
    },
}
