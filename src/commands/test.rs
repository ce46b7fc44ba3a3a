//! `test`: prepare, run and clean up as one. Cleans up whatever happens to the load.

use futures_util::FutureExt as _;

use super::account::Account;
use super::cleanup::revert;
use super::error::Error;
use super::profile::load;
use super::signals::Signals;
use super::{prepare, ready, run as runs};
use crate::change::OnDrift;
use crate::cli::{Consent, LoadArgs, Output, ProfileArgs};
use crate::exit::Exit;
use crate::ui::{Screen, restored};

/// Stop the load, clean up, then settle metrics and report: the environment comes first.
pub(crate) async fn run(
    screen: &Screen,
    output: Output,
    verbose: u8,
    args: &ProfileArgs,
    consent: &Consent,
    load_args: &LoadArgs,
    signals: &Signals,
) -> Result<Exit, Error> {
    let profile = load(args)?;
    let Some(aws) = &profile.aws else {
        return runs::run(screen, output, args, load_args, signals).await;
    };
    let account = Account::connect(Some(&aws.region)).await?;
    let opened = match prepare::open(screen, &profile, &account, args, consent, verbose, signals).await? {
        Ok(opened) => opened,
        Err(exit) => return Ok(exit),
    };
    let load = async {
        let ready = ready::ready(screen, &profile, Some(&account), args, load_args).await?;
        runs::drive(screen, ready, load_args, signals).await
    };
    // Whatever happens to the load, a bug included, the environment goes back.
    let driven = std::panic::AssertUnwindSafe(load)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(Error::Bug("the load panicked".to_owned())));
    let cleaned = match revert(screen, &account.aws, &opened.journal, &OnDrift::default(), signals).await {
        None => {
            screen.note("LEFT given up; what is still changed: tidegate status");
            Exit::Changed
        }
        Some(results) => {
            screen.note(&restored::restored(&results));
            if results.iter().any(|result| result.end.is_err()) {
                Exit::Changed
            } else {
                Exit::Done
            }
        }
    };
    drop(opened);
    let judged = match driven {
        Ok(driven) => judge(screen, output, &account, driven, load_args, cleaned, signals).await,
        Err(error) => Err(error),
    };
    // What is still changed is graver than a report that could not be made.
    Ok(judged.unwrap_or_else(|error| {
        screen.note(&error.to_string());
        error.exit().and(cleaned)
    }))
}

async fn judge(
    screen: &Screen,
    output: Output,
    account: &Account,
    mut driven: runs::Driven,
    load_args: &LoadArgs,
    cleaned: Exit,
    signals: &Signals,
) -> Result<Exit, Error> {
    if cleaned == Exit::Done {
        driven.setup.settings.outstanding.clear();
    }
    let report = runs::report(screen, Some(account), &driven, runs::minutes(load_args), true, signals).await?;
    let exit = runs::exit(&report, load_args.strict, signals).and(cleaned);
    runs::show(screen, output, &driven, &report, exit)?;
    Ok(exit)
}
