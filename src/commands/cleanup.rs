//! `cleanup`: every outstanding journal of this account goes back, from any folder, any number of times.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::account::{Account, is_alive, owner, root};
use super::error::Error;
use super::profile::by_name;
use super::signals::Signals;
use crate::aws::Aws;
use crate::change::{Clock, Event, Left, OnDrift, Restored, Verb};
use crate::cli::{DriftArgs, Output};
use crate::exit::Exit;
use crate::journal::{Folder, Journal, JournalError, Outcome, Record, Started};
use crate::setting::Refusal;
use crate::ui::{Screen, changes, progress, restored};
use crate::units::Timestamp;

/// What the command line asks for.
pub(crate) struct Options {
    pub(crate) profile: Option<String>,
    pub(crate) drift: OnDrift,
    pub(crate) despite_run: bool,
}

impl From<DriftArgs> for OnDrift {
    fn from(args: DriftArgs) -> Self {
        Self {
            force: args.force,
            accept: args.accept,
            wait: args.wait,
        }
    }
}

/// What was found on this machine.
#[derive(Default)]
struct Survey {
    /// Outstanding journals, as their first lines tell.
    wanted: Vec<Started>,
    /// Profiles of outstanding journals that were not asked for.
    others: Vec<String>,
    /// Journals that cannot be used.
    unreadable: Vec<String>,
}

/// Cleans up. Without anything outstanding AWS is not contacted.
pub(crate) async fn run(screen: &Screen, output: Output, options: &Options, signals: &Signals) -> Result<Exit, Error> {
    let survey = survey(options.profile.as_deref())?;
    for error in &survey.unreadable {
        screen.note(&format!("✗ failed to {error}"));
    }
    let unreadable = if survey.unreadable.is_empty() { Exit::Done } else { Exit::Changed };
    let Some(first) = survey.wanted.first() else {
        return Ok(nothing_wanted(screen, output, options, &survey).and(unreadable));
    };
    let account = match Account::connect(Some(&first.region)).await {
        Ok(account) => account,
        Err(error) => {
            // It could not even begin, and something is changed.
            screen.note(&error.to_string());
            screen.note(&format!(
                "LEFT {} still changed; tidegate status",
                crate::units::count(survey.wanted.len(), "journal")
            ));
            return Ok(Exit::Changed);
        }
    };
    let mine = |started: &&Started| started.account == account.caller.account && started.endpoint == account.aws.endpoint();
    for other in survey.wanted.iter().filter(|started| !mine(started)) {
        let place = other.endpoint.as_deref().unwrap_or("AWS");
        screen.note(&format!(
            "! left alone: `{}` of account {} at {place}; these credentials are of {} at {}",
            other.run,
            other.account,
            account.caller.account,
            account.aws.endpoint().as_deref().unwrap_or("AWS")
        ));
    }
    if !survey.wanted.iter().any(|started| mine(&started)) {
        return Ok(Exit::Changed);
    }
    let lock = match account.folder.lock(&owner()) {
        Ok(lock) => Some(lock),
        Err(error @ JournalError::Locked { .. }) => return Err(error.into()),
        // A state folder that takes no lock must not keep an account changed.
        Err(error) => {
            screen.note(&format!("! going on without the lock: failed to {error}"));
            None
        }
    };
    let exit = clean(screen, output, options, signals, &account).await;
    drop(lock);
    exit.map(|exit| exit.and(unreadable))
}

/// Nothing is outstanding under the name that was given. That is only an all-clear when nothing else is either.
fn nothing_wanted(screen: &Screen, output: Output, options: &Options, survey: &Survey) -> Exit {
    match (survey.others.first(), survey.unreadable.is_empty()) {
        (Some(other), _) => {
            let given = options.profile.as_deref().unwrap_or_default();
            screen.note(&format!(
                "LEFT nothing of `{given}` is outstanding, but something of `{other}` is\nnext   tidegate cleanup {other}, or tidegate cleanup for everything"
            ));
            Exit::Changed
        }
        (None, false) => {
            screen.note("NOT KNOWN what is still changed: a journal cannot be read");
            Exit::Changed
        }
        (None, true) => {
            show(screen, output, "CLEAN · nothing is outstanding on this machine", &[]);
            Exit::Done
        }
    }
}

/// The names under which a profile's journals may be filed: as given, its file's, and the one inside. Cleanup must not
/// depend on a profile that can still be read.
fn names_of(given: &str) -> Vec<String> {
    let stem = Path::new(given).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let inside = by_name(given, &[]).ok().map(|profile| profile.name);
    [Some(given.to_owned()), stem, inside].into_iter().flatten().collect()
}

fn survey(profile: Option<&str>) -> Result<Survey, Error> {
    let mut survey = Survey::default();
    let names = profile.map(names_of);
    for folder in Folder::all(&root()?)? {
        for found in folder.journals()? {
            match found.journal {
                Ok(journal) if wanted(&journal, names.as_deref()) => survey.wanted.push(journal.started().clone()),
                Ok(journal) if wanted(&journal, None) => survey.others.push(journal.started().profile.clone()),
                Ok(_) => {}
                Err(error) => survey.unreadable.push(error.to_string()),
            }
        }
    }
    Ok(survey)
}

fn wanted(journal: &Journal, names: Option<&[String]>) -> bool {
    !journal.is_finished() && names.is_none_or(|names| names.contains(&journal.started().profile)) && !journal.outstanding().is_empty()
}

/// Under the lock: reads the journals again, since somebody may have cleaned up meanwhile.
async fn clean(screen: &Screen, output: Output, options: &Options, signals: &Signals, account: &Account) -> Result<Exit, Error> {
    let names = options.profile.as_deref().map(names_of);
    let mut journals = Vec::new();
    for found in account.folder.journals()? {
        if let Ok(journal) = found.journal
            && wanted(&journal, names.as_deref())
        {
            journals.push((found.path, journal));
        }
    }
    refuse_unmatched(&journals, &options.drift)?;
    refuse_in_use(&journals, options.despite_run)?;
    let mut all = Vec::new();
    let mut left = false;
    for (_, journal) in journals {
        let region = journal.started().region.clone();
        let aws = if region == account.aws.region() {
            account.aws.clone()
        } else {
            match Aws::connect(Some(&region)).await {
                Ok(aws) => aws,
                Err(error) => {
                    screen.note(&format!("✗ `{}`: connect to {region}: {error}", journal.started().run));
                    left = true;
                    continue;
                }
            }
        };
        let journal = Mutex::new(journal);
        let Some(results) = revert(screen, &aws, &journal, &options.drift, signals).await else {
            screen.note("LEFT given up; what is still changed: tidegate status");
            return Ok(Exit::Changed);
        };
        all.extend(results);
    }
    left |= all.iter().any(|result| result.end.is_err());
    let mut text = restored::restored(&all);
    if left {
        let waiting = all.iter().any(|result| matches!(result.end, Err(Left::Waiting { .. })));
        text.push_str(if waiting {
            "\nnext   tidegate cleanup --wait"
        } else {
            "\nnext   decide as shown above, then tidegate cleanup"
        });
    }
    show(screen, output, &text, &all);
    Ok(if left { Exit::Changed } else { Exit::Done })
}

/// Puts one journal's settings back and finishes it when all are closed. `None` when the user gave up.
pub(crate) async fn revert(
    screen: &Screen,
    aws: &Aws,
    journal: &Mutex<Journal>,
    drift: &OnDrift,
    signals: &Signals,
) -> Option<Vec<Restored>> {
    let clock = Clock::System;
    let teller = *screen;
    let events = move |event: Event| {
        if let Some(line) = progress::line(&event, Timestamp::now()) {
            teller.note(&line);
        }
    };
    let never = CancellationToken::new();
    let verb = Verb {
        cloud: aws,
        journal,
        clock: &clock,
        events: &events,
        stop: &never,
    };
    let cleanup = verb.cleanup(drift);
    tokio::pin!(cleanup);
    let mut told = signals.first.is_cancelled();
    let results = loop {
        tokio::select! {
            results = &mut cleanup => break results,
            () = signals.third.cancelled() => return None,
            () = signals.first.cancelled(), if !told => {
                told = true;
                screen.note("! not stopped: putting back goes on; the third Ctrl-C leaves the rest to the next cleanup");
            }
        }
    };
    finish(screen, journal, &results);
    Some(results)
}

/// Marks the journal as finished when nothing is left. A crash before only means that the next cleanup looks again.
pub(crate) fn finish(screen: &Screen, journal: &Mutex<Journal>, results: &[Restored]) {
    if results.iter().any(|result| result.end.is_err()) {
        return;
    }
    let mut journal = journal.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Err(error) = journal.append(Record::Finished { at: Timestamp::now() }) {
        screen.note(&format!("! the journal cannot be finished: {error}"));
    }
}

/// A selector that fits nothing is a typo, and is said before anything is put back.
fn refuse_unmatched(journals: &[(PathBuf, Journal)], drift: &OnDrift) -> Result<(), Error> {
    let outstanding: Vec<_> = journals.iter().flat_map(|(_, journal)| journal.outstanding()).collect();
    let unmatched = drift.force.iter().chain(&drift.accept).find(|selector| {
        let one = OnDrift {
            force: vec![(*selector).clone()],
            ..OnDrift::default()
        };
        !outstanding.iter().any(|entry| one.forces(&entry.setting))
    });
    let Some(selector) = unmatched else { return Ok(()) };
    let names: Vec<String> = outstanding.iter().map(|entry| format!("'{}'", entry.setting)).collect();
    Err(Error::Usage {
        message: format!("`{selector}` fits no outstanding setting; nothing was changed"),
        help: format!("outstanding: {}", names.join(", ")),
    })
}

fn refuse_in_use(journals: &[(PathBuf, Journal)], despite_run: bool) -> Result<(), Error> {
    let refusals: Vec<Refusal> = journals
        .iter()
        .filter_map(|(_, journal)| {
            let owner = journal.in_use().filter(|owner| is_alive(owner))?;
            Some(Refusal {
                about: journal.started().profile.clone(),
                text: format!("a run uses it right now: {}@{} (pid {})", owner.user, owner.host, owner.pid),
                help: "stop the run (Ctrl-C there), or clean up under it with --despite-run".to_owned(),
            })
        })
        .collect();
    if refusals.is_empty() || despite_run {
        Ok(())
    } else {
        Err(Error::Refused(refusals))
    }
}

fn show(screen: &Screen, output: Output, text: &str, results: &[Restored]) {
    match output {
        Output::Text => screen.data(text),
        Output::Json => screen.data(&format!("{:#}", as_json(results))),
    }
}

fn as_json(results: &[Restored]) -> serde_json::Value {
    let settings: Vec<_> = results
        .iter()
        .map(|result| {
            let end = match &result.end {
                Ok(outcome) => json!(outcome),
                Err(left) => json!({ "left": format!("{left:?}") }),
            };
            json!({
                "setting": result.setting,
                "name": changes::setting(&result.setting),
                "before": result.original,
                "found": result.found,
                "closed": result.end.is_ok(),
                "restored": matches!(result.end, Ok(Outcome::Restored | Outcome::AlreadyBefore)),
                "end": end,
            })
        })
        .collect();
    json!({ "settings": settings, "left": results.iter().filter(|result| result.end.is_err()).count() })
}
