//! `throttles`: what throttled, and why. Needs no run, no journal and, for what the account has, no profile.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::account::Account;
use super::error::Error;
use super::plan::guard;
use super::profile::by_name;
use super::ready::reserved;
use crate::change::Surroundings as _;
use crate::cli::Output;
use crate::exit::Exit;
use crate::metrics::ledger::Limits;
use crate::metrics::settle::{self, Patience};
use crate::metrics::{Completeness, Ledger, Series, TimeWindow, collect, queries};
use crate::report::throttles;
use crate::setting::{Facts, Resource};
use crate::ui::Screen;
use crate::units::Timestamp;

/// Exit 99 when something throttled, 7 when nothing was seen but something could not be looked at, or no minute of
/// the window is complete yet.
pub(crate) async fn run(screen: &Screen, output: Output, profile: Option<&str>, since: Duration) -> Result<Exit, Error> {
    let profile = profile.map(|name| by_name(name, &[])).transpose()?;
    let region = profile
        .as_ref()
        .and_then(|profile| profile.aws.as_ref())
        .map(|aws| aws.region.clone());
    let account = Account::connect(region.as_deref()).await?;
    let (resources, notes) = if let Some(profile) = &profile {
        guard(profile, &account)?;
        (profile.resources.clone(), Vec::new())
    } else {
        let found = account.aws.discover().await;
        (found.resources, found.notes)
    };
    let now = Timestamp::now();
    let from = now.checked_sub(since).unwrap_or(Timestamp::UNIX_EPOCH);
    let window = TimeWindow::covering(from, now);
    let (ledger, blind) = ledger(&account, &resources, notes, window, now).await;
    let exit = exit(&ledger, blind || !throttles::has_complete_minute(&ledger, window));
    match output {
        Output::Text => {
            let asked = throttles::Asked {
                now,
                window,
                next: "tidegate status",
                exit: exit.code(),
            };
            screen.data(&account.who());
            if let Some(endpoint) = account.aws.endpoint() {
                screen.data(&format!("not AWS itself: {endpoint}"));
            }
            screen.styled(&throttles::screen(&ledger, asked, screen.width));
        }
        Output::Json => screen.data(&format!("{:#}", json!({ "from": window.from, "to": window.to, "ledger": ledger }))),
    }
    Ok(exit)
}

/// The ledger, and whether something that was asked for could not be looked at.
async fn ledger(account: &Account, resources: &[Resource], notes: Vec<String>, window: TimeWindow, now: Timestamp) -> (Ledger, bool) {
    let mut facts: BTreeMap<Resource, Facts> = BTreeMap::new();
    let mut unknown = notes;
    for (resource, answer) in resources.iter().zip(account.aws.facts(resources).await) {
        match answer {
            Ok(answer) => {
                facts.insert(resource.clone(), answer);
            }
            Err(error) => unknown.push(format!("{resource}: {error}")),
        }
    }
    let queries = queries(resources, &facts, &[], window);
    let series = collect(&account.aws, &queries).await;
    let patience = if account.aws.endpoint().is_some() {
        Patience::for_endpoint_override()
    } else {
        Patience::aws(Duration::ZERO)
    };
    let complete = settle::complete_to(window.to, now, patience.first, false);
    let limits = Limits {
        reserved: reserved(account, resources).await,
        account: account.aws.concurrency().await.ok().map(|limits| limits.account),
    };
    let failed = |series: &Series| matches!(series.completeness, Completeness::Failed { .. });
    let blind = !unknown.is_empty() || series.iter().any(failed);
    let mut ledger = Ledger::of(&series, &limits, Some(complete));
    ledger.not_looked_at.extend(unknown);
    (ledger, blind)
}

fn exit(ledger: &Ledger, blind: bool) -> Exit {
    if !ledger.throttles.is_empty() {
        Exit::Criterion
    } else if blind || ledger.looked_at.is_empty() {
        Exit::Unknown
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_needs_a_complete_minute() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let window = TimeWindow {
            from: at("2026-11-21T14:04:00Z"),
            to: at("2026-11-21T14:06:00Z"),
        };
        let exit = |complete_to| {
            let ledger = Ledger {
                looked_at: vec!["lambda/a".to_owned()],
                complete_to,
                ..Ledger::default()
            };
            super::exit(&ledger, !throttles::has_complete_minute(&ledger, window))
        };
        assert_eq!(exit(Some(at("2026-11-21T14:05:00Z"))), Exit::Done);
        assert_eq!(exit(Some(window.from)), Exit::Unknown);
        assert_eq!(exit(Some(at("2026-11-21T14:00:00Z"))), Exit::Unknown);
        assert_eq!(exit(None), Exit::Unknown);
    }
}
