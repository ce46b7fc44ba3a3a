//! The write-ahead journal: what was changed, from what, by whom, and what is still outstanding.
//!
//! Every intent is on disk before its call. It knows settings, and nothing of AWS or profiles.

pub mod file;
pub mod fold;
pub mod record;
pub mod store;

pub use file::{Folder, Found, Lock};
pub use fold::{Outstanding, outstanding};
pub use record::{Outcome, Owner, Record, Started, VERSION, Way};
pub use store::{Journal, JournalError, Store};
