//! `run`: drive the load, pull metrics, write the report. Never changes a setting.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::sleep;

use super::account::{Account, tool};
use super::error::Error;
use super::evaluate::{self, Setup};
use super::plan::guard;
use super::prepare::mark_in_use;
use super::profile::{at_their_places, load, unknown_scenario};
use super::signals::Signals;
use crate::analysis::{self, FrontDoor};
use crate::change::{Cloud as _, Surroundings as _, in_force, plan::plan, preflight};
use crate::cli::{LoadArgs, Output, ProfileArgs};
use crate::exit::Exit;
use crate::load::{self, EndReason, Handle, Options, Progress, Recording, Stop};
use crate::profile::{Place, Profile};
use crate::report::assemble::shape_in_words;
use crate::report::model::{ChangeLine, Report, RunInfo, SettingsFigures};
use crate::report::text;
use crate::scenario::{Measure, Metric, Scenario};
use crate::setting::{Facts, Refusal, Resource, Setting, State};
use crate::ui::load::{LoadView, Shown};
use crate::ui::{Screen, changes};
use crate::units::Timestamp;

/// A load that was driven, not yet judged.
pub(crate) struct Driven {
    pub(crate) setup: Setup,
    pub(crate) recording: Recording,
    pub(crate) folder: PathBuf,
}

/// Runs and reports.
pub(crate) async fn run(
    screen: &Screen,
    output: Output,
    args: &ProfileArgs,
    load_args: &LoadArgs,
    signals: &Signals,
) -> Result<Exit, Error> {
    let profile = load(args)?;
    let account = match &profile.aws {
        Some(aws) => Some(Account::connect(Some(&aws.region)).await?),
        None => None,
    };
    if let Some(account) = &account {
        guard(&profile, account)?;
    }
    let ready = ready(screen, &profile, account.as_ref(), args, load_args).await?;
    if let Some(account) = &account {
        mark_in_use(account, &profile, true)?;
    }
    let driven = drive(screen, ready, load_args, signals).await;
    if let Some(account) = &account
        && let Err(error) = mark_in_use(account, &profile, false)
    {
        screen.note(&format!("! the journal could not be told that the run is over: {error}"));
    }
    let driven = driven?;
    let report = report(screen, account.as_ref(), &driven, load_args.no_align, false).await?;
    let exit = exit(&report, load_args.strict, signals);
    show(screen, output, &driven, &report, exit)?;
    Ok(exit)
}

/// A load that could start.
pub(crate) struct Ready {
    scenario: Scenario,
    setup: Setup,
    folder: PathBuf,
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
        Some(account) => settings(profile, account).await?,
        None => SettingsFigures::default(),
    };
    if settings.wished > 0 {
        screen.note(&format!("{} of {} settings in force", settings.in_force, settings.wished));
        if settings.in_force < settings.wished {
            screen.note(&format!(
                "WARN not everything is as the profile wants it; tidegate prepare {}",
                profile.name
            ));
        }
    }
    let rehearsed = scenario.clone().rehearsal(load_args.time_scale);
    let started = Timestamp::now();
    let id = format!("{}-{}", started.strftime("%Y-%m-%dT%H%M%S"), profile.name);
    let folder = load_args.out.join(&id);
    // It names resources: for the user's eyes only, as the state folder is.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|source| Error::File {
            step: "create",
            path: folder.clone(),
            source,
        })?;
    let run = RunInfo {
        id,
        profile: profile.name.clone(),
        scenario: scenario.name.clone(),
        description: scenario.description.clone(),
        account: account.map(|account| account.caller.account.clone()).unwrap_or_default(),
        region: account.map(|account| account.aws.region().to_owned()).unwrap_or_default(),
        endpoint: account.and_then(|account| account.aws.endpoint()),
        target: url,
        started,
        ended: started,
        time_scale: load_args.time_scale,
        seed: load_args.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0),
        tool: tool(),
        shape: shape_in_words(&scenario),
    };
    let limits = match account {
        Some(account) => account.aws.concurrency().await.ok(),
        None => None,
    };
    let setup = Setup {
        criteria: profile.criteria_for(&scenario.name),
        scenario: evaluate::without_secrets(&rehearsed),
        reserved: match account {
            Some(account) => reserved(account, &profile.resources).await,
            None => BTreeMap::new(),
        },
        account_concurrency: limits.map(|limits| limits.account),
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

/// Drives the load. A signal stops it: the first drains, the second does not.
pub(crate) async fn drive(screen: &Screen, ready: Ready, args: &LoadArgs, signals: &Signals) -> Result<Driven, Error> {
    let Ready { scenario, setup, folder } = ready;
    if needs_minutes(&setup) && !args.no_align {
        let wait = evaluate::until_next_minute(Timestamp::now());
        screen.note(&format!(
            "… starting on the minute, in {} (AWS counts by minutes; --no-align)",
            evaluate::spent(wait)
        ));
        tokio::select! {
            () = sleep(wait) => {}
            () = signals.first.cancelled() => return Err(Error::Stopped(signals.exit())),
        }
    }
    let options = Options {
        threads: args.threads.map(u32::from),
        seed: setup.run.seed,
        time_scale: args.time_scale,
        run_id: setup.run.id.clone(),
        abort: setup
            .criteria
            .iter()
            .filter(|criterion| criterion.abort_after.is_some())
            .cloned()
            .collect(),
        window_dir: Some(folder.clone()),
        ..Options::default()
    };
    let planned = setup.scenario.duration();
    screen.note(&format!(
        "RUNNING {} · {} · {}",
        setup.run.shape,
        evaluate::spent(planned),
        setup.run.target
    ));
    if args.time_scale > 1.0 {
        screen.note(&format!(
            "WARN REHEARSAL: {} times faster than the profile says; its verdict proves little",
            args.time_scale
        ));
    }
    let failed = |error: crate::load::LoadError| Error::Load {
        message: format!("failed to {error}"),
        help: "nothing was sent".to_owned(),
    };
    let handle = load::start(scenario, options).map_err(failed)?;
    let recording = follow(screen, handle, planned, signals).await.map_err(failed)?;
    observe(screen, setup.scenario.observe, signals).await;
    recording.save(&Recording::path(&folder)).map_err(|error| Error::Load {
        message: format!("failed to {error}"),
        help: format!("what was recorded until then is in {}", folder.display()),
    })?;
    Ok(Driven { setup, recording, folder })
}

async fn follow(screen: &Screen, mut handle: Handle, planned: Duration, signals: &Signals) -> Result<Recording, crate::load::LoadError> {
    let mut progress = handle.progress();
    let stopper = handle.stopper();
    let mut view = LoadView::new(*screen, planned);
    let (mut draining, mut interrupted) = (false, false);
    let recording = loop {
        tokio::select! {
            recording = handle.wait() => break recording,
            changed = progress.changed() => {
                if changed.is_ok() {
                    let now = shown(&progress.borrow_and_update());
                    view.show(&now);
                } else {
                    break handle.wait().await;
                }
            }
            () = signals.first.cancelled(), if !draining => {
                draining = true;
                screen.note("! stopping: no new requests; those in flight have 10 s (again: at once)");
                stopper.stop(Stop::Drain, EndReason::Interrupted { signal: signals.number() });
            }
            () = signals.second.cancelled(), if !interrupted => {
                interrupted = true;
                stopper.stop(Stop::Now, EndReason::Interrupted { signal: signals.number() });
            }
        }
    };
    view.finish();
    recording
}

/// Watches on after the load, as the scenario asks; a signal ends that.
async fn observe(screen: &Screen, duration: Duration, signals: &Signals) {
    if duration.is_zero() {
        return;
    }
    screen.note(&format!("… watching on for {}", evaluate::spent(duration)));
    tokio::select! {
        () = sleep(duration) => {}
        () = signals.first.cancelled() => {}
    }
}

fn shown(progress: &Progress) -> Shown {
    Shown {
        elapsed: progress.elapsed,
        planned: progress.planned,
        phase: progress.phase.as_ref().map(|(_, name)| name.clone()).unwrap_or_default(),
        users: progress.users,
        requests: progress.requests,
        errors: progress.errors,
        rate: progress.rate,
        p95: progress.p95,
        dropped: progress.dropped,
    }
}

/// Pulls, judges and writes. With AWS the last minute closes first, unless told not to wait.
pub(crate) async fn report(
    screen: &Screen,
    account: Option<&Account>,
    driven: &Driven,
    no_align: bool,
    settle: bool,
) -> Result<Report, Error> {
    let pulled = match account {
        Some(account) if !driven.setup.resources.is_empty() => {
            let wait = evaluate::until_next_minute(Timestamp::now());
            if !no_align && !wait.is_zero() {
                screen.note(&format!(
                    "… waiting {} for AWS's last minute to close (--no-align)",
                    evaluate::spent(wait)
                ));
                sleep(wait).await;
            }
            Some(evaluate::pull(screen, &account.aws, &driven.setup, &driven.recording, settle).await)
        }
        _ => None,
    };
    let report = evaluate::judge(&driven.setup, &driven.recording, pulled);
    evaluate::write(&driven.folder, &report)?;
    Ok(report)
}

/// The end-of-run screen, or run.json.
pub(crate) fn show(screen: &Screen, output: Output, driven: &Driven, report: &Report, exit: Exit) -> Result<(), Error> {
    match output {
        Output::Text => {
            let path = driven.folder.join("report.html").display().to_string();
            let next = if report.settings.outstanding.is_empty() {
                format!("tidegate report {}", driven.folder.display())
            } else {
                format!("tidegate cleanup {}", report.run.profile)
            };
            let closing = text::Closing {
                report: &path,
                next: &next,
                exit: exit.code(),
            };
            screen.styled(&text::summary(report, closing, screen.width));
        }
        Output::Json => {
            let json = serde_json::to_string_pretty(report).map_err(|error| Error::Bug(format!("run.json cannot be made: {error}")))?;
            screen.data(&json);
        }
    }
    Ok(())
}

/// The verdict, the way the load ended, and a signal, by precedence.
pub(crate) fn exit(report: &Report, strict: bool, signals: &Signals) -> Exit {
    let end = match &report.end {
        EndReason::Completed => Exit::Done,
        EndReason::Aborted { .. } => Exit::Stopped,
        EndReason::Interrupted { .. } | EndReason::Killed => signals.exit(),
    };
    analysis::exit(report.verdict.overall, strict).and(end)
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
async fn settings(profile: &Profile, account: &Account) -> Result<SettingsFigures, Error> {
    for found in account.folder.journals()? {
        let journal = found.journal?;
        if journal.started().profile != profile.name || journal.outstanding().is_empty() {
            continue;
        }
        let looked = in_force(&account.aws, &journal).await;
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
        return Ok(SettingsFigures {
            wished: looked.len(),
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

/// Whether anything is judged by AWS's minutes.
fn needs_minutes(setup: &Setup) -> bool {
    setup
        .criteria
        .iter()
        .any(|criterion| matches!(&criterion.measure, Measure::Metric(Metric::Aws { .. } | Metric::ScalingActivities)))
}
