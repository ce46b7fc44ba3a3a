//! `prepare`: change the environment for the test, everything in the plan or nothing.

use std::sync::Mutex;

use serde_json::json;

use super::account::{Account, owner};
use super::cleanup::finish;
use super::error::Error;
use super::plan::{Preflight, guard, preflight, refuse, shown};
use super::profile::load;
use super::signals::Signals;
use crate::change::{Event, Failure, Verb};
use crate::cli::{Consent, Output, ProfileArgs};
use crate::exit::Exit;
use crate::journal::{Journal, Lock, Record};
use crate::profile::Profile;
use crate::setting::{Plan, Refusal, Setting};
use crate::ui::{Screen, changes, progress, restored};
use crate::units::Timestamp;

/// An account that was prepared, its lock still held.
pub(crate) struct Opened {
    pub(crate) journal: Mutex<Journal>,
    _lock: Lock,
}

/// Prepares and lets go of the lock.
pub(crate) async fn run(
    screen: &Screen,
    output: Output,
    verbose: u8,
    args: &ProfileArgs,
    consent: &Consent,
    signals: &Signals,
) -> Result<Exit, Error> {
    let profile = load(args)?;
    let Some(aws) = &profile.aws else {
        screen.data("this profile has no `[aws]`: there is nothing to prepare");
        return Ok(Exit::Done);
    };
    let account = Account::connect(Some(&aws.region)).await?;
    match open(screen, &profile, &account, args, consent, verbose, signals).await? {
        Ok(opened) => {
            let journal = opened.journal.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let count = journal.outstanding().len();
            match output {
                Output::Text => screen.data(&format!("CHANGED until: tidegate cleanup {}", profile.name)),
                Output::Json => screen.data(&format!(
                    "{:#}",
                    json!({ "ready": true, "run": journal.started().run, "outstanding": count })
                )),
            }
            Ok(Exit::Done)
        }
        Err(exit) => Ok(exit),
    }
}

/// The way from a profile to a prepared account; `Err` is how it ended otherwise, already told.
pub(crate) async fn open(
    screen: &Screen,
    profile: &Profile,
    account: &Account,
    args: &ProfileArgs,
    consent: &Consent,
    verbose: u8,
    signals: &Signals,
) -> Result<Result<Opened, Exit>, Error> {
    guard(profile, account)?;
    let lock = account.folder.lock(&owner())?;
    let mut preflight = preflight(profile, account, args.scenario.as_deref()).await;
    let settings: Vec<Setting> = preflight.plan.changes.iter().map(|change| change.setting.clone()).collect();
    preflight.plan.refusals.extend(account.refuse_outstanding(&settings)?);
    screen.note(&shown(&preflight, verbose, screen.width));
    let refused = refuse(screen, profile, &preflight.plan);
    if refused != Exit::Done {
        return Ok(Err(refused));
    }
    agree(screen, &preflight, consent, signals).await?;
    let journal = Mutex::new(account.folder.begin(account.started(&profile.name))?);
    let exit = apply(screen, account, &preflight.plan, &journal, signals).await?;
    Ok(if exit == Exit::Done {
        Ok(Opened { journal, _lock: lock })
    } else {
        Err(exit)
    })
}

async fn agree(screen: &Screen, preflight: &Preflight, consent: &Consent, signals: &Signals) -> Result<(), Error> {
    if consent.yes {
        return Ok(());
    }
    let changes = crate::units::count(preflight.plan.changes.iter().filter(|change| !change.is_noop()).count(), "change");
    let question = format!("Make {changes}? Type yes:");
    let answer = tokio::select! {
        answer = screen.ask(&question) => answer,
        () = signals.first.cancelled() => return Err(Error::Stopped(signals.exit())),
    };
    match answer {
        Some(answer) if answer == "yes" => Ok(()),
        Some(_) => Err(Error::Declined("not confirmed; nothing was changed".to_owned())),
        None => Err(Error::Declined(
            "nobody can be asked here; nothing was changed\n       --yes goes on without asking".to_owned(),
        )),
    }
}

async fn apply(screen: &Screen, account: &Account, plan: &Plan, journal: &Mutex<Journal>, signals: &Signals) -> Result<Exit, Error> {
    let teller = *screen;
    let events = move |event: Event| {
        if let Some(line) = progress::line(&event, Timestamp::now()) {
            teller.note(&line);
        }
    };
    let stop = signals.first.child_token();
    let verb = Verb {
        cloud: &account.aws,
        journal,
        clock: &account.clock,
        events: &events,
        stop: &stop,
    };
    let result = tokio::select! {
        result = verb.prepare(plan) => result,
        () = signals.third.cancelled() => {
            screen.note("LEFT given up; what is still changed: tidegate status");
            return Ok(Exit::Changed);
        }
    };
    match result {
        Ok(prepared) => {
            let at = Timestamp::now().strftime("%H:%M:%S").to_string();
            screen.note(&format!(
                "READY {at} · {} in force, read back",
                crate::units::count(prepared.changed, "change")
            ));
            Ok(Exit::Done)
        }
        Err(failure) => Ok(failed(screen, journal, failure, signals)),
    }
}

fn failed(screen: &Screen, journal: &Mutex<Journal>, failure: Failure, signals: &Signals) -> Exit {
    match failure {
        Failure::Moved { moved } => {
            for (setting, planned, now) in moved {
                screen.note(&format!(
                    "REFUSED {}: {} in the plan, {} now; plan again",
                    changes::setting(&setting),
                    changes::value(&setting, &planned, None),
                    changes::value(&setting, &now, None)
                ));
            }
            finish(screen, journal, &[]);
            Exit::Refused
        }
        Failure::Unseen { setting, error } => {
            screen.note(&format!("REFUSED {}: {error}; nothing was changed", changes::setting(&setting)));
            finish(screen, journal, &[]);
            Exit::Refused
        }
        Failure::Undone { cause, restored: results } => {
            if let Some((setting, error)) = &cause {
                screen.note(&format!("✗ {}: {error}", changes::setting(setting)));
            }
            screen.note(&restored::restored(&results));
            if results.iter().any(|result| result.end.is_err()) {
                screen.note("LEFT changed as shown; next: tidegate cleanup");
                return Exit::Changed;
            }
            finish(screen, journal, &results);
            screen.note("everything was put back, and that is proved");
            if cause.is_some() { Exit::Failed } else { signals.exit() }
        }
    }
}

/// Marks the environment as in use, or no longer; only `cleanup` reads it.
pub(crate) fn mark_in_use(account: &Account, profile: &Profile, in_use: bool) -> Result<(), Error> {
    let _lock = account.folder.lock(&owner())?;
    for found in account.folder.journals()? {
        let mut journal = found.journal?;
        if journal.started().profile != profile.name || journal.outstanding().is_empty() {
            continue;
        }
        if in_use && let Some(other) = journal.in_use().filter(|other| super::account::is_alive(other)) {
            return Err(Error::Refused(vec![Refusal {
                about: profile.name.clone(),
                text: format!("another run uses it right now: {}@{} (pid {})", other.user, other.host, other.pid),
                help: "wait for it, or stop it".to_owned(),
            }]));
        }
        journal.append(Record::InUse {
            owner: in_use.then(owner),
            at: Timestamp::now(),
        })?;
    }
    Ok(())
}
