//! `run`: drive the load, pull metrics, write the report. Never changes a setting.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::sleep;

use super::account::{Account, root};
use super::error::Error;
use super::evaluate::{self, Minutes, Setup};
use super::plan::guard;
use super::prepare::mark_in_use;
use super::profile::load;
use super::ready::{Ready, ready};
use super::signals::Signals;
use crate::analysis;
use crate::cli::{LoadArgs, Output, ProfileArgs};
use crate::exit::Exit;
use crate::journal::{Folder, Journal};
use crate::load::{self, EndReason, Handle, Options, Progress, Recording, Stop};
use crate::report::model::Report;
use crate::report::text;
use crate::scenario::{Measure, Metric};
use crate::ui::Screen;
use crate::ui::load::{LoadView, Shown};
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
    let report = report(screen, account.as_ref(), &driven, minutes(load_args), false, signals).await?;
    let exit = exit(&report, load_args.strict, signals);
    show(screen, output, &driven, &report, exit)?;
    Ok(exit)
}

/// Drives the load. A signal stops it: the first drains, the second does not.
pub(crate) async fn drive(screen: &Screen, ready: Ready, args: &LoadArgs, signals: &Signals) -> Result<Driven, Error> {
    let Ready {
        scenario,
        mut setup,
        folder,
    } = ready;
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
    setup.scenario.observe = observe(screen, setup.scenario.observe, &recording, signals).await;
    evaluate::write_setup(&folder, &setup)?;
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

/// Watches on after a load that was not stopped, as the scenario asks; for how long it really did.
async fn observe(screen: &Screen, duration: Duration, recording: &Recording, signals: &Signals) -> Duration {
    if duration.is_zero() || recording.end != EndReason::Completed {
        return Duration::ZERO;
    }
    screen.note(&format!("… watching on for {}", evaluate::spent(duration)));
    let start = tokio::time::Instant::now();
    tokio::select! {
        () = sleep(duration) => {}
        () = signals.first.cancelled() => {}
    }
    start.elapsed()
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
    minutes: Minutes,
    settle: bool,
    signals: &Signals,
) -> Result<Report, Error> {
    // The signal that ended the load does not end the waiting for AWS; the next one does.
    let hurry = if signals.first.is_cancelled() {
        &signals.second
    } else {
        &signals.first
    };
    let pulled = match account {
        Some(account) if !driven.setup.resources.is_empty() => {
            let wait = evaluate::until_next_minute(Timestamp::now());
            if minutes == Minutes::Closed && !wait.is_zero() {
                screen.note(&format!("… waiting {} for AWS's last minute to close", evaluate::spent(wait)));
                tokio::select! {
                    () = sleep(wait) => {}
                    () = hurry.cancelled() => {}
                }
            }
            Some(evaluate::pull(screen, &account.aws, &driven.setup, &driven.recording, minutes, settle, hurry).await)
        }
        _ => None,
    };
    let report = evaluate::judge(&driven.setup, &driven.recording, pulled);
    evaluate::write(&driven.folder, &report)?;
    Ok(report)
}

/// What the command line says of AWS's minutes.
pub(crate) fn minutes(args: &LoadArgs) -> Minutes {
    if args.no_align { Minutes::AsTheyAre } else { Minutes::Closed }
}

/// The end-of-run screen, or run.json.
pub(crate) fn show(screen: &Screen, output: Output, driven: &Driven, report: &Report, exit: Exit) -> Result<(), Error> {
    match output {
        Output::Text => {
            // What was changed when the run ended may be back by now: the journals know.
            let mut report = report.clone();
            if !still_changed(&report)? {
                report.settings.outstanding.clear();
            }
            let report = &report;
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

/// Whether anything of the run's profile is still outstanding on this machine.
fn still_changed(report: &Report) -> Result<bool, Error> {
    if report.settings.outstanding.is_empty() {
        return Ok(false);
    }
    let folder = Folder::of(&root()?, report.run.endpoint.as_deref(), &report.run.account);
    let changed = |journal: &Journal| journal.started().profile == report.run.profile && !journal.outstanding().is_empty();
    Ok(folder.journals()?.iter().any(|found| found.journal.as_ref().map_or(true, changed)))
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

/// Whether anything is judged by AWS's minutes.
fn needs_minutes(setup: &Setup) -> bool {
    setup
        .criteria
        .iter()
        .any(|criterion| matches!(&criterion.measure, Measure::Metric(Metric::Aws { .. } | Metric::ScalingActivities)))
}
