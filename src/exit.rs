//! The exit codes, which are a public contract, and their precedence.

use serde::Serialize;

/// How a command ended. The order is the precedence: of several, the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// Something is changed that this command should have put back.
    Changed,
    /// A bug in tidegate.
    Bug,
    /// Wrong usage or profile; nothing was contacted.
    Usage,
    /// Refused before any change.
    Refused,
    /// AWS refused or failed; nothing is left changed, and that is proved.
    Failed,
    /// The run is invalid: the generator itself fell behind.
    Invalid,
    /// Stopped by SIGINT; everything in order otherwise.
    Interrupted,
    /// Stopped by SIGTERM or SIGHUP; everything in order otherwise.
    Terminated,
    /// Stopped early by a criterion, an alarm, an error budget or `stop`.
    Stopped,
    /// A criterion failed.
    Criterion,
    /// A criterion is UNKNOWN: it had no data, or not yet.
    Unknown,
    /// Done; every criterion passed.
    Done,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Bug => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Failed => 4,
            Self::Stopped => 5,
            Self::Changed => 6,
            Self::Unknown => 7,
            Self::Invalid => 8,
            Self::Criterion => 99,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The one that counts of two: 6, 1, (2, 3,) 4, 8, 130/143, 5, 99, 7, 0.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_ends_the_graver_counts() {
        let order = [
            Exit::Changed,
            Exit::Bug,
            Exit::Failed,
            Exit::Invalid,
            Exit::Interrupted,
            Exit::Stopped,
            Exit::Criterion,
            Exit::Unknown,
            Exit::Done,
        ];
        for pair in order.windows(2) {
            assert_eq!(pair[0].and(pair[1]), pair[0]);
            assert_eq!(pair[1].and(pair[0]), pair[0]);
        }
        let codes: Vec<u8> = order.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [6, 1, 4, 8, 130, 5, 99, 7, 0]);
    }
}
