//! The sentences and figures of the page.

use crate::analysis::Status;
use crate::load::EndReason;
use crate::units;

use super::super::status;
use super::{Report, moment};

/// The sentences of the first screen.
pub(super) struct Facts {
    pub(super) sign: &'static str,
    pub(super) word: &'static str,
    pub(super) class: &'static str,
    pub(super) what: String,
    pub(super) when: String,
    pub(super) place: String,
    pub(super) rehearsal: Option<String>,
    pub(super) provisional: Option<String>,
    pub(super) no_throttles: Option<String>,
    pub(super) still_changed: Option<String>,
    pub(super) validity: String,
    pub(super) ended: Option<String>,
    /// Why criteria are UNKNOWN.
    pub(super) unknown: Vec<String>,
}

impl Facts {
    pub(super) fn of(report: &Report) -> Self {
        let (sign, word, class) = status::sign(report.verdict.overall);
        let run = &report.run;
        Self {
            sign,
            word,
            class,
            what: format!("{} · {}", run.shape, units::seconds(report.load.seconds)),
            when: format!(
                "{} {}–{} UTC",
                moment::date(run.started),
                moment::minute(run.started),
                moment::near(run.ended, run.started)
            ),
            place: place(report),
            rehearsal: rehearsal(report),
            provisional: report
                .provisional_until
                .map(|until| format!("AWS numbers may still change, final about {} UTC", moment::near(until, run.ended))),
            no_throttles: no_throttles(report),
            still_changed: still_changed(report),
            validity: validity(report),
            ended: ended(&report.end),
            unknown: unknown(report),
        }
    }
}

fn place(report: &Report) -> String {
    let run = &report.run;
    let endpoint = run.endpoint.as_ref().map(|endpoint| format!("not AWS itself but {endpoint}"));
    let parts = [Some(run.account.clone()), Some(run.region.clone()), endpoint];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

/// The first three; the table has them all.
fn unknown(report: &Report) -> Vec<String> {
    report
        .verdict
        .criteria
        .iter()
        .filter(|judged| judged.status == Status::Unknown)
        .take(3)
        .map(|judged| format!("{}: {}", judged.name, judged.note.as_deref().unwrap_or("no data")))
        .collect()
}

#[expect(clippy::float_cmp, reason = "1 is what the profile says when nothing is scaled")]
fn rehearsal(report: &Report) -> Option<String> {
    let scale = report.run.time_scale;
    (scale != 1.0).then(|| format!("phases and ramps {}× as fast as the scenario says", units::number(scale)))
}

fn no_throttles(report: &Report) -> Option<String> {
    let ledger = &report.throttles;
    (ledger.throttles.is_empty() && !ledger.looked_at.is_empty())
        .then(|| format!("No throttles in {}.", units::count(ledger.looked_at.len(), "resource")))
}

fn still_changed(report: &Report) -> Option<String> {
    let outstanding = report.settings.outstanding.len();
    (outstanding > 0).then(|| format!("{} still changed", units::count(outstanding, "setting")))
}

fn validity(report: &Report) -> String {
    let generator = &report.generator;
    let settings = &report.settings;
    let mut text = format!(
        "generator CPU {}, {} dropped",
        units::percent(generator.cpu),
        whole(generator.dropped)
    );
    if settings.wished > 0 {
        text = format!("{text} · {} of {} settings in force", settings.in_force, settings.wished);
    }
    text
}

fn ended(end: &EndReason) -> Option<String> {
    match end {
        EndReason::Completed => None,
        EndReason::Aborted { criterion } => Some(format!("stopped early: criterion “{criterion}” was missed")),
        EndReason::Interrupted { signal } => Some(format!("interrupted by signal {signal}")),
        EndReason::Killed => Some("tidegate died during the load; this is what was on disk".into()),
    }
}

/// The load in figures.
pub(super) fn figures(report: &Report) -> Vec<(&'static str, String)> {
    let load = &report.load;
    let mut figures = vec![
        ("requests", whole(load.requests)),
        ("per second", units::number(load.rate)),
        ("errors", format!("{} ({})", whole(load.errors), units::percent(load.error_share))),
    ];
    if let Some(response) = load.response {
        figures.push(("response p50", units::seconds(response.p50)));
        figures.push(("response p95", units::seconds(response.p95)));
        figures.push(("response p99", units::seconds(response.p99)));
        figures.push(("response max", units::seconds(response.max)));
    }
    if let Some(service) = load.service {
        figures.push(("service p95", units::seconds(service.p95)));
    }
    let others = [
        ("interrupted", load.interrupted),
        ("not sent", load.unsent),
        ("not started", load.dropped),
    ];
    figures.extend(
        others
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| (name, whole(count))),
    );
    let answers: Vec<String> = load
        .statuses
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(status, count)| format!("{status}: {}", whole(*count)))
        .collect();
    let failures: Vec<String> = load
        .failures
        .iter()
        .map(|(kind, count)| format!("{kind}: {}", whole(*count)))
        .collect();
    if !answers.is_empty() {
        figures.push(("answers", answers.join(" · ")));
    }
    if !failures.is_empty() {
        figures.push(("without an answer", failures.join(" · ")));
    }
    figures
}

/// What the run was, in figures.
pub(super) fn about(report: &Report) -> Vec<(&'static str, String)> {
    let run = &report.run;
    let generator = &report.generator;
    let mut facts = vec![
        ("run", run.id.clone()),
        ("target", run.target.clone()),
        (
            "started (UTC)",
            format!("{} {}", moment::date(run.started), moment::second(run.started)),
        ),
        ("ended (UTC)", format!("{} {}", moment::date(run.ended), moment::second(run.ended))),
        ("seed", run.seed.to_string()),
        ("load threads", generator.threads.to_string()),
        ("generator CPU, of one core", units::percent(generator.cpu)),
        ("sent late: median, p99, most", generator.lag.map(units::seconds).join(", ")),
    ];
    if generator.imbalance > 0 {
        facts.push(("dropped while another thread was free", whole(generator.imbalance)));
    }
    if let Some(endpoint) = &run.endpoint {
        facts.push(("endpoint, not AWS itself", endpoint.clone()));
    }
    facts
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn whole(count: u64) -> String {
    units::number(count as f64)
}
