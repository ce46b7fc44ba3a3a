//! The tables of the page, as text with what to sort by.

use crate::metrics::{Completeness, Missing};
use crate::units;

use super::model::{Percentiles, Report};
use super::status::{gravest_first, gravity, sign};
use super::{cause, charts, moment, names};

/// A table that sorts.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Table {
    pub id: &'static str,
    pub caption: String,
    pub heads: Vec<Head>,
    pub rows: Vec<Vec<Cell>>,
}

/// The head of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Head {
    pub label: &'static str,
    pub numeric: bool,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Cell {
    pub text: String,
    /// What a numeric column sorts by; empty when there is no number.
    pub sort: String,
    /// A class for the style sheet.
    pub class: &'static str,
}

fn text(text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        sort: String::new(),
        class: "",
    }
}

fn figure(value: f64, text: String) -> Cell {
    Cell {
        text,
        sort: value.to_string(),
        class: "",
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn count(value: u64) -> Cell {
    figure(value as f64, units::number(value as f64))
}

fn seconds(value: Option<f64>) -> Cell {
    value.map_or_else(|| text("–"), |value| figure(value, units::seconds(value)))
}

fn share(value: f64) -> Cell {
    Cell {
        class: if value > 0.0 { "bad" } else { "" },
        ..figure(value, units::percent(value))
    }
}

fn moment_cell(at: crate::units::Timestamp, reference: crate::units::Timestamp) -> Cell {
    figure(moment::epoch(at), moment::near(at, reference))
}

/// `name` is a column of words, `#name` one of numbers.
fn heads(labels: &[&'static str]) -> Vec<Head> {
    labels
        .iter()
        .map(|label| Head {
            label: label.strip_prefix('#').unwrap_or(label),
            numeric: label.starts_with('#'),
        })
        .collect()
}

/// Every criterion.
#[must_use]
pub fn criteria(report: &Report) -> Table {
    let rows = gravest_first(&report.verdict.criteria)
        .into_iter()
        .map(|judged| {
            let (mark, word, class) = sign(judged.status);
            let mut note: Vec<String> = judged.note.iter().cloned().collect();
            if judged.provisional {
                note.push("may still change".into());
            }
            vec![
                Cell {
                    text: format!("{mark} {word}"),
                    sort: gravity(judged.status).to_string(),
                    class,
                },
                text(&judged.name),
                text(&judged.target),
                judged
                    .value
                    .map_or_else(|| text(&judged.got), |value| figure(value, judged.got.clone())),
                text(judged.worst.as_deref().unwrap_or("–")),
                text(if judged.scope.is_empty() { "everything" } else { &judged.scope }),
                Cell {
                    class: "mono",
                    ..text(&judged.measured)
                },
                count(judged.samples),
                text(note.join("; ")),
            ]
        })
        .collect();
    Table {
        id: "table-criteria",
        caption: "Criteria, missed ones first".into(),
        heads: heads(&[
            "",
            "Criterion",
            "Target",
            "#Got",
            "Worst minute",
            "Scope",
            "Metric",
            "#Samples",
            "Note",
        ]),
        rows,
    }
}

/// The ledger.
#[must_use]
pub fn throttles(report: &Report) -> Table {
    let started = report.run.started;
    let rows = report
        .throttles
        .throttles
        .iter()
        .map(|throttle| {
            vec![
                text(cause::name(throttle, &report.run.profile)),
                text(&throttle.cause),
                text(cause::says(throttle.says)),
                figure(throttle.count, units::number(throttle.count)),
                figure(throttle.peak, units::number(throttle.peak)),
                moment_cell(throttle.peak_at, started),
                moment_cell(throttle.first, started),
                moment_cell(throttle.last, started),
            ]
        })
        .collect();
    Table {
        id: "table-throttles",
        caption: "Throttles by resource and cause".into(),
        heads: heads(&[
            "Resource",
            "Cause",
            "Who says so",
            "#Count",
            "#Peak a minute",
            "#At",
            "#First",
            "#Last",
        ]),
        rows,
    }
}

/// Client against AWS.
#[must_use]
pub fn explained(report: &Report) -> Table {
    let reconciliation = &report.reconciliation;
    let mut rows: Vec<Vec<Cell>> = reconciliation
        .explained
        .iter()
        .map(|part| vec![count(part.count), text(&part.by), text(&part.how)])
        .collect();
    if reconciliation.unexplained > 0 {
        rows.push(vec![
            count(reconciliation.unexplained),
            text("unexplained"),
            text("nothing that was measured explains them"),
        ]);
    }
    Table {
        id: "table-explained",
        caption: "The client's failures, explained".into(),
        heads: heads(&["#Failures", "Explained by", "How it is known"]),
        rows,
    }
}

/// Distinct errors.
#[must_use]
pub fn errors(report: &Report) -> Table {
    let started = moment::epoch(report.run.started);
    let clock = |offset: f64| figure(offset, moment::second(moment::at(started + offset)));
    let rows = report
        .errors
        .iter()
        .map(|error| {
            let what = error.status.map_or_else(|| error.kind.clone(), |status| format!("HTTP {status}"));
            vec![
                count(error.count),
                text(what),
                text(format!("{} / {}", error.journey, error.step)),
                text(&error.text),
                clock(error.first),
                clock(error.last),
            ]
        })
        .collect();
    Table {
        id: "table-errors",
        caption: "Distinct errors of the client, greatest first".into(),
        heads: heads(&["#Count", "What", "Journey / step", "Text", "#First", "#Last"]),
        rows,
    }
}

fn latencies(response: Option<Percentiles>) -> [Cell; 4] {
    [
        seconds(response.map(|r| r.p50)),
        seconds(response.map(|r| r.p95)),
        seconds(response.map(|r| r.p99)),
        seconds(response.map(|r| r.max)),
    ]
}

/// Phases in order.
#[must_use]
pub fn phases(report: &Report) -> Table {
    let started = moment::epoch(report.run.started);
    let rows = report
        .phases
        .iter()
        .map(|phase| {
            let from = moment::at(started + phase.from);
            let mut row = vec![
                text(&phase.name),
                text(&phase.shape),
                figure(phase.from, moment::near(from, report.run.started)),
                figure(phase.to - phase.from, units::seconds(phase.to - phase.from)),
                count(phase.requests),
                figure(phase.rate, units::number(phase.rate)),
                share(phase.error_share),
            ];
            row.extend(latencies(phase.response));
            row
        })
        .collect();
    Table {
        id: "table-phases",
        caption: "Phases".into(),
        heads: heads(&[
            "Phase",
            "Load",
            "#From",
            "#Length",
            "#Requests",
            "#Per second",
            "#Errors",
            "#p50",
            "#p95",
            "#p99",
            "#max",
        ]),
        rows,
    }
}

/// Journeys and steps in order.
#[must_use]
pub fn steps(report: &Report) -> Table {
    let rows = report
        .steps
        .iter()
        .map(|step| {
            let mut row = vec![
                text(&step.journey),
                text(&step.step),
                count(step.requests),
                figure(step.rate, units::number(step.rate)),
                share(step.error_share),
            ];
            row.extend(latencies(step.response));
            row.push(seconds(step.response_failed.map(|r| r.p95)));
            row.push(seconds(step.service.map(|r| r.p95)));
            row
        })
        .collect();
    Table {
        id: "table-steps",
        caption: "Journeys and steps: response time, then p95 of the failed ones alone, and p95 of the service time".into(),
        heads: heads(&[
            "Journey",
            "Step",
            "#Requests",
            "#Per second",
            "#Errors",
            "#p50",
            "#p95",
            "#p99",
            "#max",
            "#failed p95",
            "#service p95",
        ]),
        rows,
    }
}

/// Settings that wait for cleanup.
#[must_use]
pub fn outstanding(report: &Report) -> Table {
    let rows = report
        .settings
        .outstanding
        .iter()
        .map(|change| {
            vec![
                text(&change.setting),
                text(&change.before),
                text(&change.now),
                moment_cell(change.at, report.run.started),
            ]
        })
        .collect();
    Table {
        id: "table-settings",
        caption: "Settings that tidegate changed and that are still changed".into(),
        heads: heads(&["Setting", "Was", "Is", "#Since"]),
        rows,
    }
}

/// Every series and how complete it is.
#[must_use]
pub fn series(report: &Report) -> Table {
    let rows = report
        .series
        .iter()
        .map(|series| {
            let state = match &series.completeness {
                Completeness::Settled => "settled".to_owned(),
                Completeness::Provisional => "may still change".to_owned(),
                Completeness::Empty => "nothing published".to_owned(),
                Completeness::Failed { error } => format!("failed: {error}"),
            };
            vec![
                text(names::with_part(&names::short(&series.resource, &report.run.profile), &series.part)),
                Cell {
                    class: "mono",
                    ..text(&series.metric)
                },
                text(charts::statistic(series.statistic)),
                text(&series.unit),
                count(u64::try_from(series.points.len()).unwrap_or(u64::MAX)),
                text(match series.missing {
                    Missing::Zero => "zero",
                    Missing::Unknown => "a gap",
                }),
                text(state),
            ]
        })
        .collect();
    Table {
        id: "table-series",
        caption: "Series of AWS".into(),
        heads: heads(&["Resource", "Metric", "Statistic", "Unit", "#Points", "Nothing means", "State"]),
        rows,
    }
}
