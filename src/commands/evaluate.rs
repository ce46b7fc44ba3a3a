//! From a recording to a report: pull AWS's numbers, judge, assemble, write. Shared by `run`, `test` and `report`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use crate::analysis::{self, Evidence, FrontDoor};
use crate::aws::Aws;
use crate::load::Recording;
use crate::metrics::ledger::Limits;
use crate::metrics::settle::{self, Next, Patience, Settling};
use crate::metrics::{Activity, Ledger, MetricSource as _, Series, TimeWindow, align, collect, queries};
use crate::report::model::{RunInfo, SettingsFigures};
use crate::report::{Report, assemble, html};
use crate::scenario::{Body, Criterion, Scenario};
use crate::setting::{Fact, Facts, Resource};
use crate::ui::Screen;
use crate::units::{self, Timestamp};

/// Everything beside the recording that a report is made of: enough to judge again later. Holds no secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) run: RunInfo,
    pub(crate) scenario: Scenario,
    pub(crate) criteria: Vec<Criterion>,
    /// Watched resources with what AWS says of them.
    pub(crate) resources: Vec<(Resource, Facts)>,
    /// Reservations in force, for the ledger.
    pub(crate) reserved: BTreeMap<String, Option<u32>>,
    /// The account's concurrency.
    pub(crate) account_concurrency: Option<u32>,
    pub(crate) settings: SettingsFigures,
    pub(crate) front_door: FrontDoor,
}

/// Whether the last minute is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Minutes {
    /// It is.
    Closed,
    /// `--no-align`.
    AsTheyAre,
}

/// What AWS said, and how settled it is.
#[derive(Clone, Debug)]
pub(crate) struct Pulled {
    pub(crate) series: Vec<Series>,
    pub(crate) activities: Result<Vec<Activity>, String>,
    pub(crate) provisional_until: Option<Timestamp>,
    pub(crate) complete_to: Option<Timestamp>,
}

impl Pulled {
    /// Of a run without AWS.
    fn nothing() -> Self {
        Self {
            series: Vec::new(),
            activities: Ok(Vec::new()),
            provisional_until: None,
            complete_to: None,
        }
    }
}

/// The scenario as far as judging needs it: no headers, bodies or data, where secrets live.
pub(crate) fn without_secrets(scenario: &Scenario) -> Scenario {
    let mut scenario = scenario.clone();
    scenario.target.headers.clear();
    scenario.data.clear();
    for step in scenario.journeys.iter_mut().flat_map(|journey| &mut journey.steps) {
        step.headers.clear();
        step.query.clear();
        step.body = Body::None;
    }
    scenario
}

/// The minutes of AWS that belong to a recording, what was watched after it included.
fn window(setup: &Setup, recording: &Recording) -> TimeWindow {
    TimeWindow::covering(recording.started, align::after(recording.ended, setup.scenario.observe))
}

/// How long AWS's numbers may take; an endpoint of one's own has no such delays.
fn patience(setup: &Setup) -> Patience {
    if setup.run.endpoint.is_some() {
        return Patience::for_endpoint_override();
    }
    let timeouts = setup.resources.iter().filter_map(|(_, facts)| match facts.get("timeout") {
        Some(Fact::Quantity(quantity)) => Some(quantity.base()),
        _ => None,
    });
    Patience::aws(Duration::from_secs_f64(timeouts.fold(0.0, f64::max)))
}

/// Pulls AWS's numbers. With `wait` until two pulls agree, else once: then they are provisional. On an endpoint of
/// one's own waiting costs seconds, so it is always done.
pub(crate) async fn pull(
    screen: &Screen,
    aws: &Aws,
    setup: &Setup,
    recording: &Recording,
    minutes: Minutes,
    wait: bool,
    hurry: &CancellationToken,
) -> Pulled {
    let window = window(setup, recording);
    let resources: Vec<Resource> = setup.resources.iter().map(|(resource, _)| resource.clone()).collect();
    let facts: BTreeMap<Resource, Facts> = setup.resources.iter().cloned().collect();
    let nothing = Evidence {
        recording,
        series: &[],
        activities: Ok(&[]),
        window,
    };
    let queries = queries(
        &resources,
        &facts,
        &analysis::asks(&setup.criteria, &setup.scenario, &nothing),
        window,
    );
    let patience = patience(setup);
    let mut settling = match minutes {
        Minutes::Closed => Settling::new(window.to, patience),
        Minutes::AsTheyAre => Settling::at_once(Timestamp::now(), patience),
    };
    let wait = wait || setup.run.endpoint.is_some();
    let mut told = false;
    loop {
        let at = Timestamp::now();
        let mut series = collect(aws, &queries).await;
        let next = settling.next(at, &series);
        let again = match next {
            Next::PullAgainAt(again) if wait && !hurry.is_cancelled() => again,
            Next::Settled => {
                settle::mark_settled(&mut series);
                return gathered(aws, window, series, None, at, patience).await;
            }
            Next::GiveUp => return gathered(aws, window, series, Some(at), at, patience).await,
            Next::PullAgainAt(_) => return gathered(aws, window, series, Some(settling.final_about()), at, patience).await,
        };
        if !told {
            screen.note(&format!(
                "… waiting for AWS's numbers to settle, about until {}",
                settling.final_about().strftime("%H:%M:%S UTC")
            ));
            told = true;
        }
        // A signal ends the waiting: the numbers are judged as they are, provisionally.
        tokio::select! {
            () = sleep(Duration::try_from(again.duration_since(Timestamp::now())).unwrap_or_default()) => {}
            () = hurry.cancelled() => {}
        }
    }
}

async fn gathered(
    aws: &Aws,
    window: TimeWindow,
    series: Vec<Series>,
    provisional_until: Option<Timestamp>,
    at: Timestamp,
    patience: Patience,
) -> Pulled {
    let activities = aws.activities(window).await.map_err(|error| error.to_string());
    let complete_to = Some(settle::complete_to(window.to, at, patience.first, provisional_until.is_none()));
    Pulled {
        series,
        activities,
        provisional_until,
        complete_to,
    }
}

/// Judges and assembles. Pure but for what is passed in.
pub(crate) fn judge(setup: &Setup, recording: &Recording, pulled: Option<Pulled>) -> Report {
    let pulled = pulled.unwrap_or_else(Pulled::nothing);
    let activities = pulled.activities.as_deref().map_err(String::as_str);
    let evidence = Evidence {
        recording,
        series: &pulled.series,
        activities,
        window: window(setup, recording),
    };
    let verdict = analysis::judge(&setup.criteria, &setup.scenario, &evidence);
    let limits = Limits {
        reserved: setup.reserved.clone(),
        account: setup.account_concurrency,
    };
    let ledger = Ledger::of(&pulled.series, &limits, pulled.complete_to);
    let reconciliation = analysis::reconcile(recording, &pulled.series, setup.front_door);
    let mut run = setup.run.clone();
    run.started = recording.started;
    run.ended = recording.ended;
    assemble::assemble(assemble::Inputs {
        run,
        scenario: &setup.scenario,
        recording,
        series: pulled.series.clone(),
        activities: activities.unwrap_or(&[]),
        settings: setup.settings.clone(),
        ledger,
        reconciliation,
        verdict,
        provisional_until: pulled.provisional_until,
    })
}

/// Writes `run.json` and `report.html`; the path of the latter.
pub(crate) fn write(folder: &Path, report: &Report) -> Result<PathBuf, Error> {
    let json = serde_json::to_string_pretty(report).map_err(|error| Error::Bug(format!("run.json cannot be made: {error}")))?;
    write_file(&folder.join("run.json"), json.as_bytes())?;
    let page = html::render(report).map_err(|error| Error::Bug(format!("the page cannot be made: {error}")))?;
    let path = folder.join("report.html");
    write_file(&path, page.as_bytes())?;
    Ok(path)
}

/// Writes the setup before the load starts, so that a run that is killed can still be reported.
pub(crate) fn write_setup(folder: &Path, setup: &Setup) -> Result<(), Error> {
    let json = serde_json::to_string(setup).map_err(|error| Error::Bug(format!("setup.json cannot be made: {error}")))?;
    write_file(&folder.join("setup.json"), json.as_bytes())
}

pub(crate) fn read_setup(folder: &Path) -> Result<Setup, Error> {
    let path = folder.join("setup.json");
    let text = std::fs::read(&path).map_err(|source| Error::File {
        step: "read",
        path: path.clone(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|error| Error::File {
        step: "understand",
        path,
        source: error.into(),
    })
}

/// Whole or not at all, and for the user's eyes only: it names resources.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    use std::io::Write as _;
    let error = |source| Error::File {
        step: "write",
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(error)?;
    file.write_all(bytes).map_err(error)?;
    file.as_file().sync_all().map_err(error)?;
    file.persist(path).map_err(|failed| error(failed.error))?;
    Ok(())
}

/// When a moment falls on the next minute.
pub(crate) fn until_next_minute(now: Timestamp) -> Duration {
    let into = now.as_millisecond().rem_euclid(60_000);
    Duration::from_millis(u64::try_from((60_000 - into) % 60_000).unwrap_or(0))
}

/// A duration of the progress line.
pub(crate) fn spent(duration: Duration) -> String {
    units::duration(Duration::from_secs(duration.as_secs()))
}
