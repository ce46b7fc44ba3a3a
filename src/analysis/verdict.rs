//! Criteria, judged.
//!
//! Response and service times are over all requests that ended by themselves, passed and failed, as k6 counts them: a
//! target that fails everything at once must not look fast.

use serde::{Deserialize, Serialize};

use super::bands::{Outcome, Reading};
use super::{client, cloudwatch, recovery, scaling, words};
use crate::exit::Exit;
use crate::load::{EndReason, Recording};
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
        // What a dead process did not record nobody knows.
        let killed = (evidence.recording.end == EndReason::Killed).then_some(Status::Unknown);
        gravest(criteria.iter().map(|judged| judged.status).chain(killed))
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
        Measure::Metric(Metric::ScalingActivities) => scaling::judge(criterion, evidence),
        Measure::Metric(metric) => client::judge(criterion, metric, evidence.recording),
    };
    if expected && outcome.status == Status::Fail {
        outcome.status = Status::Warn;
    }
    judged(criterion, &outcome, worst)
}

fn judged(criterion: &Criterion, outcome: &Outcome<'_>, worst: Option<String>) -> Judged {
    let reading = outcome.reading.as_ref();
    Judged {
        name: criterion.name.clone(),
        measured: words::measured(&criterion.measure, outcome.shown),
        target: outcome.shown.map(|shown| words::target(criterion, shown)).unwrap_or_default(),
        got: reading.map_or_else(|| "–".to_owned(), got),
        value: reading.map(|reading| reading.value).filter(|value| value.is_finite()),
        status: outcome.status,
        worst,
        samples: reading.map_or(0, |reading| reading.samples),
        scope: words::scope(&criterion.scope),
        note: (!outcome.notes.is_empty()).then(|| outcome.notes.join("; ")),
        provisional: reading.is_some_and(|reading| reading.provisional),
    }
}

fn got(reading: &Reading) -> String {
    let value = reading.scale.show(reading.value);
    if reading.at_least.is_some() {
        format!("≥ {value}")
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{self, aws, criterion, evidence};
    use crate::metrics::Completeness;

    fn judge_demo(criteria: &[Criterion]) -> Vec<Judged> {
        let (recording, series, activities) = (fixture::recording(), fixture::series(), fixture::activities());
        judge(criteria, &fixture::scenario(), &evidence(&recording, &series, &activities)).criteria
    }

    #[test]
    fn the_demo_is_judged_as_the_mock_up_shows() {
        let judged = judge_demo(&fixture::criteria());
        let line = |at: usize| {
            (
                judged[at].measured.as_str(),
                judged[at].target.as_str(),
                judged[at].got.as_str(),
                judged[at].status,
            )
        };
        assert_eq!(line(0), ("response_time p(95)", "< 15s", "3.84s", Status::Pass));
        assert_eq!(line(1), ("errors rate", "< 1%", "2.31%", Status::Fail));
        assert_eq!(line(2), ("aws.lambda.throttles sum", "== 0", "498", Status::Fail));
        assert_eq!(line(3), ("aws.dynamodb.throttled_requests sum", "== 0", "0", Status::Pass));
        assert_eq!(line(4), ("aws.autoscaling.activities count", ">= 1", "1", Status::Pass));
        assert_eq!(judged[0].worst.as_deref(), Some("4.85s at 14:08"));
        assert_eq!(judged[1].worst.as_deref(), Some("4% at 14:07"));
        assert_eq!(judged[2].worst.as_deref(), Some("hcg-demo-supervisor-agent, 168 at 14:07"));
        assert_eq!(judged[4].scope, "dynamodb/hcg-demo-conversations");
    }

    #[test]
    fn a_criterion_of_another_scenario_is_left_out() {
        let mut other = criterion("other", Metric::Requests, &[("pass", "count > 0")]);
        other.scenario = Some("stress".to_owned());
        assert!(judge_demo(&[other]).is_empty());
    }

    #[test]
    fn a_missed_expectation_only_warns() {
        let (recording, series) = (fixture::recording(), fixture::series());
        let mut scenario = fixture::scenario();
        scenario.phases[0].expect = vec![
            criterion("rate", Metric::Requests, &[("pass", "rate > 500/s")]),
            criterion("errors", Metric::Errors { kind: None }, &[("pass", "rate < 5%")]),
        ];
        let verdict = judge(&[], &scenario, &evidence(&recording, &series, &[]));
        let statuses: Vec<Status> = verdict.criteria.iter().map(|judged| judged.status).collect();
        assert_eq!(statuses, [Status::Warn, Status::Pass]);
        assert_eq!(verdict.criteria[0].scope, "load");
        assert_eq!(verdict.overall, Status::Warn);
    }

    #[test]
    fn a_generator_that_fell_behind_makes_everything_invalid() {
        let (mut recording, series) = (fixture::recording(), fixture::series());
        recording.generator.invalid = vec!["0.3% of the arrivals were dropped".to_owned()];
        let verdict = judge(&fixture::criteria(), &fixture::scenario(), &evidence(&recording, &series, &[]));
        assert_eq!(verdict.overall, Status::Invalid);
        assert_eq!(verdict.criteria[1].status, Status::Fail);
    }

    #[test]
    fn without_series_aws_criteria_are_unknown_and_client_criteria_are_not() {
        let recording = fixture::recording();
        let nothing = Evidence {
            activities: Err("AWS refused: denied"),
            ..evidence(&recording, &[], &[])
        };
        let verdict = judge(&fixture::criteria(), &fixture::scenario(), &nothing);
        let statuses: Vec<Status> = verdict.criteria.iter().map(|judged| judged.status).collect();
        assert_eq!(
            statuses,
            [Status::Pass, Status::Fail, Status::Unknown, Status::Unknown, Status::Unknown]
        );
        assert_eq!(verdict.criteria[4].note.as_deref(), Some("AWS refused: denied"));
        assert_eq!(verdict.criteria[3].got, "–");
    }

    #[test]
    fn the_gravest_status_is_the_runs() {
        let order = [Status::Invalid, Status::Fail, Status::Unknown, Status::Warn, Status::Pass];
        for (at, gravest_of_rest) in order.iter().enumerate() {
            assert_eq!(gravest(order[at..].iter().copied()), *gravest_of_rest);
        }
        assert_eq!(gravest(std::iter::empty()), Status::Pass);
    }

    #[test]
    fn each_status_has_its_exit() {
        for (status, strict, code) in [
            (Status::Pass, true, 0),
            (Status::Warn, false, 0),
            (Status::Warn, true, 99),
            (Status::Fail, false, 99),
            (Status::Unknown, false, 7),
            (Status::Invalid, false, 8),
        ] {
            assert_eq!(exit(status, strict).code(), code, "{status:?}");
        }
    }

    #[test]
    fn a_question_mark_is_unknown_with_the_value_that_would_have_been_compared() {
        let judged = judge_demo(&[criterion("asked", Metric::ResponseTime, &[("pass", "med < ?")])]);
        assert_eq!((judged[0].status, judged[0].target.as_str()), (Status::Unknown, "< ?"));
        assert_eq!(judged[0].got, "1.53s");
        assert_eq!(judged[0].note.as_deref(), Some("asked of the profile's owner: `?`"));
    }

    #[test]
    fn a_provisional_pull_is_said_to_be_one_and_empty_ones_wait() {
        let (recording, mut series) = (fixture::recording(), fixture::series());
        for series in &mut series {
            if series.completeness == Completeness::Settled {
                series.completeness = Completeness::Provisional;
            }
        }
        let criteria = [
            criterion("throttles", aws("lambda", "throttles"), &[("pass", "sum == 0")]),
            criterion("tables", aws("dynamodb", "throttled_requests"), &[("pass", "sum == 0")]),
        ];
        let verdict = judge(&criteria, &fixture::scenario(), &evidence(&recording, &series, &[]));
        assert_eq!((verdict.criteria[0].status, verdict.criteria[0].provisional), (Status::Fail, true));
        assert_eq!(verdict.criteria[1].status, Status::Unknown);
        assert_eq!(verdict.criteria[1].note.as_deref(), Some("no data yet"));
    }
}
