//! Why a command stopped before it had a result of its own, and what the shell is told.

use crate::change::CloudError;
use crate::exit::Exit;
use crate::journal::JournalError;
use crate::setting::Refusal;

/// Why a command stopped. Each says what happened, to which thing, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The profile is wrong; the report has the carets.
    #[error("{0:?}")]
    Profile(miette::Report),
    /// The command line is wrong.
    #[error("error: {message}\n       {help}")]
    Usage {
        /// What.
        message: String,
        /// What to do.
        help: String,
    },
    /// AWS could not be asked what had to be known first.
    #[error("error: {step}: {error}\n       {}", help(error))]
    Aws {
        /// What was being done.
        step: String,
        /// AWS's answer.
        error: CloudError,
    },
    /// Something speaks against it; nothing was changed.
    #[error("{}", .0.iter().map(crate::ui::plan::refusal).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<Refusal>),
    /// A signal came before anything was done.
    #[error("stopped before anything was changed or sent")]
    Stopped(Exit),
    /// The user said no, or could not be asked.
    #[error("error: {0}")]
    Declined(String),
    /// The journal cannot be used.
    #[error("error: failed to {0}")]
    Journal(#[from] JournalError),
    /// The target or the machine cannot take the load.
    #[error("error: {message}\n       {help}")]
    Load {
        /// What.
        message: String,
        /// What to do.
        help: String,
    },
    /// A file of a run cannot be read or written.
    #[error("error: failed to {step} `{}`: {source}", path.display())]
    File {
        /// What was being done.
        step: &'static str,
        /// To which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A bug.
    #[error("error: this is a bug in tidegate: {0}")]
    Bug(String),
}

impl Error {
    /// What the shell is told.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Profile(_) | Self::Usage { .. } => Exit::Usage,
            Self::Aws { .. } | Self::Refused(_) | Self::Declined(_) | Self::Journal(_) | Self::Load { .. } | Self::File { .. } => {
                Exit::Refused
            }
            Self::Stopped(exit) => *exit,
            Self::Bug(_) => Exit::Bug,
        }
    }
}

fn help(error: &CloudError) -> &str {
    match error {
        CloudError::Denied { help, .. } => help,
        CloudError::Missing { .. } => "check the name, the account and the region in the profile",
        CloudError::Unknown { .. } => "check the network and the endpoint, then try again",
        CloudError::Throttled { .. } => "try again",
        CloudError::Rejected { .. } | CloudError::NotBefore { .. } => "see AWS's message",
    }
}
