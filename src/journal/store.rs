//! A journal in memory with whatever keeps it durable.

use std::path::PathBuf;

use super::fold::{self, Outstanding};
use super::record::{Owner, Record, Started};

/// What keeps records. Two implementations: a file, and the tests' memory with a fuse.
pub trait Store: Send {
    /// Returns only when the record would survive a power cut.
    fn append(&mut self, record: &Record) -> Result<(), JournalError>;
}

/// A journal that is open for writing (its lock is held) or was read.
pub struct Journal {
    started: Started,
    records: Vec<Record>,
    store: Box<dyn Store>,
    steps: u64,
}

impl Journal {
    /// Begins a new journal.
    pub fn begin(started: Started, mut store: Box<dyn Store>) -> Result<Self, JournalError> {
        let first = Record::Started(started.clone());
        store.append(&first)?;
        Ok(Self {
            started,
            records: vec![first],
            store,
            steps: 0,
        })
    }

    /// Continues one that was read. `records` begins with `Started`.
    #[must_use]
    pub fn resume(started: Started, records: Vec<Record>, store: Box<dyn Store>) -> Self {
        let steps = records
            .iter()
            .map(|record| if let Record::Intent { step, .. } = record { *step } else { 0 })
            .max()
            .unwrap_or(0);
        Self {
            started,
            records,
            store,
            steps,
        }
    }

    /// The first line.
    #[must_use]
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// All records.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Writes a record durably. Only then is it part of the journal.
    pub fn append(&mut self, record: Record) -> Result<(), JournalError> {
        self.store.append(&record)?;
        self.records.push(record);
        Ok(())
    }

    /// The number for the next intent.
    pub fn next_step(&mut self) -> u64 {
        self.steps += 1;
        self.steps
    }

    /// What is still outstanding.
    #[must_use]
    pub fn outstanding(&self) -> Vec<Outstanding> {
        fold::outstanding(&self.records)
    }

    /// Whether everything is closed and proved.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.records.last(), Some(Record::Finished { .. }))
    }

    /// Whose run uses the environment, by the journal; whether that process still lives is for the caller to see.
    #[must_use]
    pub fn in_use(&self) -> Option<&Owner> {
        self.records
            .iter()
            .rev()
            .find_map(|record| {
                if let Record::InUse { owner, .. } = record {
                    Some(owner.as_ref())
                } else {
                    None
                }
            })
            .flatten()
    }
}

/// What went wrong with a journal, by step and path.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Neither `XDG_STATE_HOME` nor `HOME` is set.
    #[error("find the state folder: neither `XDG_STATE_HOME` nor `HOME` is set")]
    NoHome,
    /// The folder cannot be made.
    #[error("create the state folder `{}`: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file cannot be created or opened.
    #[error("open the journal `{}`: {source}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file cannot be read.
    #[error("read the journal `{}`: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A record cannot be written.
    #[error("write the journal `{}`: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A record cannot be made durable.
    #[error("sync the journal `{}`: {source}", path.display())]
    Sync {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line other than the last is no record.
    #[error("understand line {line} of the journal `{}`: {reason}", path.display())]
    Line {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// A newer tidegate wrote it.
    #[error("use the journal `{}`: its format is version {found}, this tidegate knows {known}; use the tidegate that wrote it", path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// Another process has it.
    #[error("lock the account: {holder} is changing it now (`{}`)", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who, as far as the file says.
        holder: String,
    },
}
