//! `throttles`: what throttled, and why. Needs no run, no journal and, for what the account has, no profile.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::account::Account;
use super::error::Error;
use super::plan::guard;
use super::profile::by_name;
use crate::change::{Cloud as _, Surroundings as _};
use crate::cli::Output;
use crate::exit::Exit;
use crate::metrics::ledger::Limits;
use crate::metrics::settle::{self, Patience};
use crate::metrics::{Ledger, TimeWindow, collect, queries};
use crate::report::throttles;
use crate::setting::{Facts, Resource, Setting, State};
use crate::ui::Screen;
use crate::units::Timestamp;

/// Exit 99 when something throttled, 7 when nothing was seen but something could not be looked at.
pub(crate) async fn run(screen: &Screen, output: Output, profile: Option<&str>, since: Duration) -> Result<Exit, Error> {
    let profile = profile.map(|name| by_name(name, &[])).transpose()?;
    let region = profile
        .as_ref()
        .and_then(|profile| profile.aws.as_ref())
        .map(|aws| aws.region.clone());
    let account = Account::connect(region.as_deref()).await?;
    let (resources, notes) = match &profile {
        Some(profile) => {
            guard(profile, &account)?;
            (profile.resources.clone(), Vec::new())
        }
        None => {
            let found = account.aws.discover().await;
            (found.resources, found.notes)
        }
    };
    let now = Timestamp::now();
    let from = now.checked_sub(since).unwrap_or(Timestamp::UNIX_EPOCH);
    let window = TimeWindow::covering(from, now);
    let ledger = ledger(&account, &resources, notes, window, now).await;
    match output {
        Output::Text => {
            let asked = throttles::Asked {
                now,
                window,
                next: "tidegate status",
                exit: exit(&ledger).code(),
            };
            screen.styled(&throttles::screen(&ledger, asked, screen.width));
        }
        Output::Json => screen.data(&format!("{:#}", json!({ "from": window.from, "to": window.to, "ledger": ledger }))),
    }
    Ok(exit(&ledger))
}

async fn ledger(account: &Account, resources: &[Resource], notes: Vec<String>, window: TimeWindow, now: Timestamp) -> Ledger {
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
    let mut ledger = Ledger::of(&series, &limits(account, resources).await, Some(complete));
    ledger.not_looked_at.extend(unknown);
    ledger
}

async fn limits(account: &Account, resources: &[Resource]) -> Limits {
    let functions = resources.iter().filter_map(|resource| {
        if let Resource::Lambda { name } = resource {
            Some(name.clone())
        } else {
            None
        }
    });
    let settings: Vec<Setting> = functions.map(|function| Setting::LambdaReserved { function }).collect();
    let observed = account.aws.observe(&settings).await;
    let reserved = settings
        .into_iter()
        .zip(observed)
        .filter_map(|(setting, observed)| match (setting, observed.ok()?.state) {
            (Setting::LambdaReserved { function }, State::Reserved { limit }) => Some((function, Some(limit))),
            (Setting::LambdaReserved { function }, State::Absent) => Some((function, None)),
            _ => None,
        });
    Limits {
        reserved: reserved.collect(),
        account: account.aws.concurrency().await.ok().map(|limits| limits.account),
    }
}

fn exit(ledger: &Ledger) -> Exit {
    if !ledger.throttles.is_empty() {
        Exit::Criterion
    } else if ledger.looked_at.is_empty() {
        Exit::Unknown
    } else {
        Exit::Done
    }
}
