//! What comes before the first request: what the profile requires, where the load goes, what is in force.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::account::{Account, tool};
use super::error::Error;
use super::evaluate::{self, Setup};
use super::profile::{at_their_places, unknown_scenario};
use crate::analysis::FrontDoor;
use crate::change::{Cloud as _, Surroundings as _, in_force, plan::plan, preflight};
use crate::cli::{LoadArgs, ProfileArgs};
use crate::load;
use crate::profile::{Place, Profile};
use crate::report::assemble::shape_in_words;
use crate::report::model::{ChangeLine, RunInfo, SettingsFigures};
use crate::scenario::Scenario;
use crate::setting::{Facts, Refusal, Resource, Setting, State};
use crate::ui::{Screen, changes};
use crate::units::Timestamp;

/// A load that could start.
pub(crate) struct Ready {
    pub(crate) scenario: Scenario,
    pub(crate) setup: Setup,
    pub(crate) folder: PathBuf,
}

/// Everything before the first request: requirements, address, settings in force, a target that answers.
pub(crate) async fn ready(
    screen: &Screen,
    profile: &Profile,
    account: Option<&Account>,
    args: &ProfileArgs,
    load_args: &LoadArgs,
) -> Result<Ready, Error> {
    let facts = match account {
        Some(account) => facts(screen, profile, account).await?,
        None => BTreeMap::new(),
    };
    let url = address(profile, account, load_args.url.as_deref()).await?;
    let scenario = profile
        .scenario(args.scenario.as_deref(), &url)
        .map_err(|error| unknown_scenario(Some(error)))?;
    load::reach(&scenario.target).await.map_err(|error| Error::Load {
        message: format!("failed to {error}"),
        help: "nothing was sent; check the target, or give another address with --url".to_owned(),
    })?;
    let settings = match account {
        Some(account) => settings(screen, profile, account).await?,
        None => SettingsFigures::default(),
    };
    say_in_force(screen, profile, &settings);
    let run = run_info(profile, account, &scenario, load_args);
    let folder = make_folder(&load_args.out.join(&run.id))?;
    let setup = Setup {
        criteria: profile.criteria_for(&scenario.name),
        scenario: evaluate::without_secrets(&scenario.clone().rehearsal(load_args.time_scale)),
        reserved: match account {
            Some(account) => reserved(account, &profile.resources).await,
            None => BTreeMap::new(),
        },
        account_concurrency: match account {
            Some(account) => account.aws.concurrency().await.ok().map(|limits| limits.account),
            None => None,
        },
        resources: profile
            .resources
            .iter()
            .map(|resource| (resource.clone(), facts.get(resource).cloned().unwrap_or_default()))
            .collect(),
        settings,
        front_door: front_door(profile),
        run,
    };
    evaluate::write_setup(&folder, &setup)?;
    Ok(Ready { scenario, setup, folder })
}

fn say_in_force(screen: &Screen, profile: &Profile, settings: &SettingsFigures) {
    if settings.wished == 0 {
        return;
    }
    screen.note(&format!("{} of {} settings in force", settings.in_force, settings.wished));
    if settings.in_force < settings.wished {
        screen.note(&format!(
            "WARN not everything is as the profile wants it; tidegate prepare {}",
            profile.name
        ));
    }
}

fn run_info(profile: &Profile, account: Option<&Account>, scenario: &Scenario, args: &LoadArgs) -> RunInfo {
    let started = Timestamp::now();
    RunInfo {
        id: format!("{}-{}", started.strftime("%Y-%m-%dT%H%M%S"), profile.name),
        profile: profile.name.clone(),
        scenario: scenario.name.clone(),
        description: scenario.description.clone(),
        account: account.map(|account| account.caller.account.clone()).unwrap_or_default(),
        region: account.map(|account| account.aws.region().to_owned()).unwrap_or_default(),
        endpoint: account.and_then(|account| account.aws.endpoint()),
        target: scenario.target.url.clone(),
        started,
        ended: started,
        time_scale: args.time_scale,
        seed: args.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0),
        tool: tool(),
        shape: shape_in_words(scenario),
    }
}

/// It names resources: for the user's eyes only, as the state folder is.
fn make_folder(folder: &Path) -> Result<PathBuf, Error> {
    let create = |source| Error::File {
        step: "create",
        path: folder.to_owned(),
        source,
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(create)?;
    Ok(folder.to_owned())
}

/// What AWS says of the resources. What the profile requires must be so, or nothing is sent.
async fn facts(screen: &Screen, profile: &Profile, account: &Account) -> Result<BTreeMap<Resource, Facts>, Error> {
    let mut known = BTreeMap::new();
    let mut refusals = Vec::new();
    for (resource, facts) in profile.resources.iter().zip(account.aws.facts(&profile.resources).await) {
        match facts {
            Ok(facts) => {
                known.insert(resource.clone(), facts);
            }
            Err(error) => refusals.push(Refusal {
                about: resource.to_string(),
                text: error.to_string(),
                help: "check the name, the account, the region and the permissions".to_owned(),
            }),
        }
    }
    let met: Vec<_> = profile
        .requirements
        .iter()
        .filter(|requirement| known.contains_key(&requirement.resource))
        .cloned()
        .collect();
    refusals.extend(preflight::requirements(&met, &known));
    if refusals.is_empty() {
        return Ok(known);
    }
    screen.note(&at_their_places(profile, &refusals));
    Err(Error::Declined(format!(
        "refused for {}; nothing was sent",
        crate::units::count(refusals.len(), "reason")
    )))
}

async fn address(profile: &Profile, account: Option<&Account>, given: Option<&str>) -> Result<String, Error> {
    if let Some(url) = given {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    match (profile.target.as_ref().map(|target| &target.place), account) {
        (Some(Place::Url(url)), _) => Ok(url.clone()),
        (Some(Place::Resource(resource)), Some(account)) => account.aws.address(resource).await.map_err(|error| Error::Aws {
            step: format!("look up the address of {resource}"),
            error,
        }),
        _ => Err(Error::Usage {
            message: "the profile has no `[target]`".to_owned(),
            help: "add one, or give --url".to_owned(),
        }),
    }
}

/// What is changed for this profile, and whether it is in force.
async fn settings(screen: &Screen, profile: &Profile, account: &Account) -> Result<SettingsFigures, Error> {
    for found in account.folder.journals()? {
        let journal = found.journal?;
        if journal.started().profile != profile.name || journal.outstanding().is_empty() {
            continue;
        }
        let looked = in_force(&account.aws, &journal).await;
        for (setting, _) in looked.iter().filter(|(_, ours)| !matches!(ours, Ok(true))) {
            screen.note(&format!("WARN {} is not as it was prepared", changes::setting(setting)));
        }
        let lines = journal
            .outstanding()
            .into_iter()
            .filter(|entry| entry.applied != entry.original)
            .map(|entry| ChangeLine {
                setting: changes::setting(&entry.setting),
                before: changes::value(&entry.setting, &entry.original, Some(&entry.applied)),
                now: changes::value(&entry.setting, &entry.applied, Some(&entry.original)),
                at: entry.since,
            });
        // A prepare that was killed has journalled less than the profile wishes.
        let wished = plan(&account.aws, &profile.wishes).await.changes.len();
        return Ok(SettingsFigures {
            wished: wished.max(looked.len()),
            in_force: looked.iter().filter(|(_, ours)| matches!(ours, Ok(true))).count(),
            outstanding: lines.collect(),
        });
    }
    if profile.wishes.is_empty() {
        return Ok(SettingsFigures::default());
    }
    let plan = plan(&account.aws, &profile.wishes).await;
    let in_force = plan.changes.iter().filter(|change| change.is_noop()).count();
    Ok(SettingsFigures {
        wished: plan.changes.len(),
        in_force,
        outstanding: Vec::new(),
    })
}

/// Reservations in force, so that the ledger can tell a reserved limit from the account's.
pub(crate) async fn reserved(account: &Account, resources: &[Resource]) -> BTreeMap<String, Option<u32>> {
    let functions = resources.iter().filter_map(|resource| {
        if let Resource::Lambda { name } = resource {
            Some(name.clone())
        } else {
            None
        }
    });
    let settings: Vec<Setting> = functions.map(|function| Setting::LambdaReserved { function }).collect();
    let observed = account.aws.observe(&settings).await;
    settings
        .into_iter()
        .zip(observed)
        .filter_map(|(setting, observed)| match (setting, observed.ok()?.state) {
            (Setting::LambdaReserved { function }, State::Reserved { limit }) => Some((function, Some(limit))),
            (Setting::LambdaReserved { function }, State::Absent) => Some((function, None)),
            _ => None,
        })
        .collect()
}

fn front_door(profile: &Profile) -> FrontDoor {
    match profile.target.as_ref().map(|target| &target.place) {
        Some(Place::Resource(Resource::RestApi { .. })) => FrontDoor::RestApi,
        Some(Place::Resource(Resource::Alb { .. })) => FrontDoor::Alb,
        _ => FrontDoor::Other,
    }
}
