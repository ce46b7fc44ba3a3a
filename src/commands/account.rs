//! The account that a command works on: connection, caller, state folder, clock.

use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use crate::aws::Aws;
use crate::change::{Caller, Clock, Surroundings as _};
use crate::journal::{Folder, Found, Owner, Started, VERSION};
use crate::setting::{Refusal, Setting};
use crate::units::Timestamp;

/// An account, as one caller sees one region of it.
pub(crate) struct Account {
    pub(crate) aws: Aws,
    pub(crate) caller: Caller,
    pub(crate) folder: Folder,
    pub(crate) clock: Clock,
}

impl Account {
    /// Connects and asks AWS who we are; nothing else is done before that.
    pub(crate) async fn connect(region: Option<&str>) -> Result<Self, Error> {
        let step = |step: &str| {
            let step = step.to_owned();
            move |error| Error::Aws { step, error }
        };
        let aws = Aws::connect(region).await.map_err(step("connect to AWS"))?;
        let caller = aws.caller().await.map_err(step("ask AWS whose credentials these are"))?;
        let folder = Folder::of(&root()?, aws.endpoint().as_deref(), &caller.account);
        Ok(Self {
            aws,
            caller,
            folder,
            clock: Clock::System,
        })
    }

    /// `123456789012 · ap-southeast-1 · role loadtest, session ends 15:58`.
    pub(crate) fn who(&self) -> String {
        let caller = self.caller.arn.rsplit(':').next().unwrap_or(&self.caller.arn).to_owned();
        let ends = self
            .caller
            .expires
            .map(|at| format!(", session ends {}", at.strftime("%H:%M UTC")))
            .unwrap_or_default();
        format!("{} · {} · {caller}{ends}", self.caller.account, self.aws.region())
    }

    /// How long a call whose answer was lost may still take effect. Tests shorten it.
    pub(crate) fn in_doubt(&self) -> Duration {
        let wished = std::env::var("TIDEGATE_IN_DOUBT").ok().and_then(|text| text.parse::<f64>().ok());
        wished
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .unwrap_or_else(|| self.aws.in_doubt())
    }

    /// The first line of a new journal.
    pub(crate) fn started(&self, profile: &str) -> Started {
        let at = Timestamp::now();
        Started {
            version: VERSION,
            run: format!("{}-{profile}", at.strftime("%Y-%m-%dT%H%M%S")),
            profile: profile.to_owned(),
            account: self.caller.account.clone(),
            region: self.aws.region().to_owned(),
            endpoint: self.aws.endpoint(),
            tool: tool(),
            in_doubt_seconds: self.in_doubt().as_secs_f64(),
            owner: owner(),
            at,
        }
    }

    /// Refuses what is outstanding already, in whichever journal: its value before would be lost.
    pub(crate) fn refuse_outstanding(&self, settings: &[Setting]) -> Result<Vec<Refusal>, Error> {
        let mut refusals = Vec::new();
        for Found { path, journal } in self.folder.journals()? {
            // A journal that cannot be read may hold anything.
            let journal = journal?;
            if journal.started().region != self.aws.region() {
                continue;
            }
            let held: Vec<_> = journal
                .outstanding()
                .into_iter()
                .filter(|entry| settings.contains(&entry.setting))
                .collect();
            if let Some(first) = held.first() {
                refusals.push(Refusal {
                    about: first.setting.resource().to_string(),
                    text: format!(
                        "{} is still changed since {} by `{}` ({} in `{}`)",
                        first.setting.aspect(),
                        first.since.strftime("%H:%M UTC"),
                        journal.started().profile,
                        crate::units::count(held.len(), "setting"),
                        path.display()
                    ),
                    help: format!("tidegate cleanup {}", journal.started().profile),
                });
            }
        }
        Ok(refusals)
    }
}

/// Where all state lives.
pub(crate) fn root() -> Result<PathBuf, Error> {
    Ok(Folder::root()?)
}

/// `tidegate 0.1.0`.
pub(crate) fn tool() -> String {
    format!("tidegate {}", env!("CARGO_PKG_VERSION"))
}

/// Who we are, for journals and locks.
pub(crate) fn owner() -> Owner {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()));
    Owner {
        user,
        host: host(),
        pid: std::process::id(),
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Whether an owner's process still lives; one of another machine may.
pub(crate) fn is_alive(owner: &Owner) -> bool {
    if owner.host != host() {
        return true;
    }
    let pid = i32::try_from(owner.pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}
