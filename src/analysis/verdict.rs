//! Criteria, judged.
//!
//! Response and service times are over all requests that ended by themselves, passed and failed, as k6 counts them: a
//! target that fails everything at once must not look fast.

use serde::{Deserialize, Serialize};

use super::bands::Outcome;
use super::{client, cloudwatch, recovery, words};
use crate::exit::Exit;
use crate::load::Recording;
use crate::metrics::{Activity, Series, TimeWindow};
use crate::scenario::{Criterion, Measure, Metric, Scenario};

/// How a criterion, or a run, came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the words are the report's own")]
pub enum Status {
    Pass,
    Warn,
    Fail,
    /// No data, not yet, or a limit that only the profile's owner can know.
    Unknown,
    /// The run proves nothing.
    Invalid,
}

/// One criterion with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The criterion's name.
    pub name: String,
    /// `response_time p(95)`, `aws.lambda.throttles sum`.
    pub measured: String,
    /// The target as written: `< 15s`.
    pub target: String,
    /// The value for people: `3.9s`; `–` when there is none.
    pub got: String,
    /// The bare value in its base unit.
    pub value: Option<f64>,
    /// How it came out.
    pub status: Status,
    /// The worst minute and its value, for people: `5.2s at 14:08`, or the resource that decided.
    pub worst: Option<String>,
    /// How many samples or points it rests on.
    pub samples: u64,
    /// Phase or other scope, for people; empty is everything.
    pub scope: String,
    /// Why UNKNOWN, or what the value is over (`one-minute averages`), in a sentence.
    pub note: Option<String>,
    /// An AWS number that may still change.
    pub provisional: bool,
}

/// All criteria and what follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The gravest: INVALID, FAIL, UNKNOWN, WARN, PASS.
    pub overall: Status,
    /// In the profile's order.
    pub criteria: Vec<Judged>,
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The client's own record.
    pub recording: &'a Recording,
    /// CloudWatch's; empty when it was not asked.
    pub series: &'a [Series],
    /// What Application Auto Scaling did, or why that is not known.
    pub activities: Result<&'a [Activity], &'a str>,
    /// The minutes that the series cover.
    pub window: TimeWindow,
}

/// Judges every criterion that applies to the scenario, and what its phases expect.
#[must_use]
pub fn judge(criteria: &[Criterion], scenario: &Scenario, evidence: &Evidence<'_>) -> Verdict {
    let criteria: Vec<Judged> = all_criteria(criteria, scenario)
        .into_iter()
        .map(|(criterion, expected)| one(&criterion, expected, evidence))
        .collect();
    let generator_failed = !evidence.recording.generator.invalid.is_empty();
    let overall = if generator_failed {
        Status::Invalid
    } else {
        gravest(criteria.iter().map(|judged| judged.status))
    };
    Verdict { overall, criteria }
}

/// INVALID, FAIL, UNKNOWN, WARN, PASS: the first there is.
#[must_use]
pub fn gravest(statuses: impl Iterator<Item = Status>) -> Status {
    statuses.max_by_key(|status| super::bands::gravity(*status)).unwrap_or(Status::Pass)
}

/// How a command that judged ends; `strict` makes a WARN count.
#[must_use]
pub fn exit(overall: Status, strict: bool) -> Exit {
    match overall {
        Status::Invalid => Exit::Invalid,
        Status::Fail => Exit::Criterion,
        Status::Unknown => Exit::Unknown,
        Status::Warn if strict => Exit::Criterion,
        Status::Warn | Status::Pass => Exit::Done,
    }
}

/// The criteria that apply, and each phase's expectations (`true`) over that phase alone.
pub(super) fn all_criteria(criteria: &[Criterion], scenario: &Scenario) -> Vec<(Criterion, bool)> {
    let applies = |criterion: &&Criterion| criterion.scenario.as_ref().is_none_or(|name| *name == scenario.name);
    let own = criteria.iter().filter(applies).map(|criterion| (criterion.clone(), false));
    let expected = scenario.phases.iter().flat_map(|phase| {
        phase.expect.iter().map(|criterion| {
            let mut criterion = criterion.clone();
            criterion.scope.phases = vec![phase.name.clone()];
            (criterion, true)
        })
    });
    own.chain(expected).collect()
}

fn one(criterion: &Criterion, expected: bool, evidence: &Evidence<'_>) -> Judged {
    let (mut outcome, worst) = match &criterion.measure {
        Measure::Recovery(after) => (recovery::judge(criterion, after, evidence.recording), None),
        Measure::Metric(Metric::Aws { kind, metric }) => cloudwatch::judge(criterion, kind, metric, evidence),
        Measure::Metric(Metric::ScalingActivities) => cloudwatch::judge_activities(criterion, evidence),
        Measure::Metric(metric) => client::judge(criterion, metric, evidence.recording),
    };
    if expected && outcome.status == Status::Fail {
        outcome.status = Status::Warn;
    }
    judged(criterion, outcome, worst)
}

fn judged(criterion: &Criterion, outcome: Outcome<'_>, worst: Option<String>) -> Judged {
    let reading = outcome.reading.as_ref();
    Judged {
        name: criterion.name.clone(),
        measured: words::measured(&criterion.measure, outcome.shown),
        target: outcome.shown.map(|shown| words::target(criterion, shown)).unwrap_or_default(),
        got: reading.map_or_else(|| "–".to_owned(), |reading| reading.scale.show(reading.value)),
        value: reading.map(|reading| reading.value).filter(|value| value.is_finite()),
        status: outcome.status,
        worst,
        samples: reading.map_or(0, |reading| reading.samples),
        scope: words::scope(&criterion.scope),
        note: (!outcome.notes.is_empty()).then(|| outcome.notes.join("; ")),
        provisional: reading.is_some_and(|reading| reading.provisional),
    }
}
