//! Criteria with `abort-after`: the load stops when one has been failing that long.
//!
//! Looks at client metrics of what ended in the last seconds. A criterion is failing when its `pass` does not hold, or
//! its `fail` does. Seconds without data neither begin nor end a failure.

use std::time::Duration;

use super::moment::Moment;
use super::recording::{Counts, JourneyNames};
use super::select::Choice;
use super::sparse::Sparse;
use crate::scenario::{Aggregation, Criterion, Measure, Metric};

/// What is looked at when a criterion has no window of its own.
const WINDOW: Duration = Duration::from_secs(10);

/// A criterion that can stop the load.
#[derive(Debug)]
pub(super) struct Watch {
    criterion: Criterion,
    metric: Metric,
    choice: Choice,
    window: usize,
    after: u32,
    failing_since: Option<u32>,
}

impl Watch {
    /// `None` when the criterion cannot stop a load: no `abort-after`, a metric of AWS, or a recovery.
    pub(super) fn new<'a>(criterion: &Criterion, phases: impl IntoIterator<Item = &'a str>, journeys: &[JourneyNames]) -> Option<Self> {
        let after = criterion.abort_after?;
        let Measure::Metric(metric) = &criterion.measure else {
            return None;
        };
        if matches!(metric, Metric::Aws { .. } | Metric::ScalingActivities) {
            return None;
        }
        Some(Self {
            metric: metric.clone(),
            choice: Choice::new(phases, journeys, &criterion.scope),
            window: usize::try_from(whole_seconds(criterion.window.unwrap_or(WINDOW))).unwrap_or(usize::MAX),
            after: whole_seconds(after),
            failing_since: None,
            criterion: criterion.clone(),
        })
    }

    /// How many seconds back it looks.
    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// Looks at the newest moments, the newest last; the criterion's name when the load must stop.
    pub(super) fn look(&mut self, moments: &[&Moment]) -> Option<String> {
        let newest = moments.last()?.second;
        let skip = moments.len().saturating_sub(self.window);
        let failing = self.failing(&Sum::new(&self.metric, &self.choice, &moments[skip..]))?;
        if !failing {
            self.failing_since = None;
            return None;
        }
        let since = *self.failing_since.get_or_insert(newest);
        (newest + 1 - since >= self.after).then(|| self.criterion.name.clone())
    }

    fn failing(&self, sum: &Sum) -> Option<bool> {
        let holds = |condition: &Option<crate::scenario::Condition>| {
            let condition = condition.as_ref()?;
            condition.limit.holds(sum.value(&self.metric, condition.aggregation)?)
        };
        match (holds(&self.criterion.pass), holds(&self.criterion.fail)) {
            (None, None) => None,
            // With a band between both, only what fails outright stops the load.
            (_, Some(fails)) => Some(fails),
            (Some(passes), None) => Some(!passes),
        }
    }
}

/// Rounded up, and at least one.
fn whole_seconds(duration: Duration) -> u32 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(whole.max(1)).unwrap_or(u32::MAX)
}

/// A metric's material over some moments.
#[derive(Debug, Default)]
struct Sum {
    times: Sparse,
    hits: u64,
    of: u64,
    levels: Vec<f64>,
    seconds: f64,
}

impl Sum {
    fn new(metric: &Metric, choice: &Choice, moments: &[&Moment]) -> Self {
        let mut sum = Self::default();
        for moment in moments {
            sum.seconds += 1.0;
            match metric {
                Metric::Users => sum.levels.push(f64::from(moment.users)),
                Metric::InFlight => sum.levels.push(f64::from(moment.in_flight)),
                Metric::Dropped => {
                    sum.hits += moment.dropped;
                    sum.of += moment.arrivals;
                }
                Metric::Iterations | Metric::JourneyTime => {
                    for rounds in &moment.iterations {
                        if choice.has_phase(rounds.phase) && choice.has_journey(rounds.journey) {
                            sum.of += rounds.started;
                            sum.hits += rounds.times.len();
                            sum.times.merge(&rounds.times);
                        }
                    }
                }
                _ => {
                    for (key, slice) in &moment.slices {
                        if !choice.has_phase(key.phase) || !choice.has_step(key.journey, key.step) {
                            continue;
                        }
                        match metric {
                            Metric::ResponseTime => {
                                sum.times.merge(&slice.response_passed);
                                sum.times.merge(&slice.response_failed);
                            }
                            Metric::ServiceTime => sum.times.merge(&slice.service),
                            _ => {
                                let (hits, of) = counted(metric, &slice.counts);
                                sum.hits += hits;
                                sum.of += of;
                            }
                        }
                    }
                }
            }
        }
        sum
    }

    fn value(&self, metric: &Metric, aggregation: Aggregation) -> Option<f64> {
        match metric {
            Metric::ResponseTime | Metric::ServiceTime | Metric::JourneyTime => self.time(aggregation),
            Metric::Users | Metric::InFlight => self.level(aggregation),
            _ => self.count(aggregation),
        }
    }

    fn time(&self, aggregation: Aggregation) -> Option<f64> {
        let micros = match aggregation {
            Aggregation::Avg => {
                let total: f64 = self.times.iter().map(|(micros, count)| float(micros) * float(count)).sum();
                return (!self.times.is_empty()).then(|| total / float(self.times.len()) / 1e6);
            }
            Aggregation::Min => self.times.iter().next().map(|(micros, _)| micros),
            Aggregation::Med => self.times.quantile(0.5),
            Aggregation::Max => self.times.max(),
            Aggregation::Percentile(p) => self.times.quantile(p / 100.0),
            _ => None,
        };
        micros.map(|micros| float(micros) / 1e6)
    }

    fn level(&self, aggregation: Aggregation) -> Option<f64> {
        let levels = self.levels.iter().copied();
        match aggregation {
            Aggregation::Avg => (!self.levels.is_empty()).then(|| levels.sum::<f64>() / float(self.levels.len() as u64)),
            Aggregation::Min => levels.reduce(f64::min),
            Aggregation::Max => levels.reduce(f64::max),
            Aggregation::Value => self.levels.last().copied(),
            _ => None,
        }
    }

    fn count(&self, aggregation: Aggregation) -> Option<f64> {
        match aggregation {
            Aggregation::Count | Aggregation::Sum => Some(float(self.hits)),
            Aggregation::PerSecond if self.seconds > 0.0 => Some(float(self.hits) / self.seconds),
            Aggregation::Share if self.of > 0 => Some(float(self.hits) / float(self.of)),
            _ => None,
        }
    }
}

/// Events of a metric, and what they are a share of.
fn counted(metric: &Metric, counts: &Counts) -> (u64, u64) {
    let kind = |name: &str| counts.failures.get(name).copied().unwrap_or(0);
    let ended = counts.ended();
    match metric {
        Metric::Successes => (counts.passed, ended),
        Metric::Responses { status } => (answers(counts, status.as_deref()), ended),
        Metric::Errors { kind: None } => (counts.errors(), ended),
        Metric::Errors { kind: Some(name) } => (kind(name), ended),
        Metric::Checks => (counts.checks.1, counts.checks.0),
        Metric::Availability => {
            let lost: u64 = ["timeout", "connect", "tls", "reset", "protocol"].into_iter().map(kind).sum();
            (ended.saturating_sub(lost + answers(counts, Some("5xx"))), ended)
        }
        _ => (ended, ended),
    }
}

/// Answers with a status such as `429` or `5xx`.
fn answers(counts: &Counts, status: Option<&str>) -> u64 {
    let fits = |code: u16| {
        status.is_none_or(|wanted| {
            let code = code.to_string();
            code.len() == wanted.len()
                && code
                    .bytes()
                    .zip(wanted.bytes())
                    .all(|(digit, pattern)| digit == pattern || pattern == b'x')
        })
    };
    counts
        .statuses
        .iter()
        .filter(|(code, _)| fits(**code))
        .map(|(_, count)| count)
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "runs stay far below 2^52 events")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::super::recording::{CellKey, Slice};
    use super::*;
    use crate::scenario::{Condition, Limit, Op, Scope};
    use crate::units::Quantity;

    fn condition(aggregation: Aggregation, op: Op, bound: f64) -> Condition {
        Condition {
            text: String::new(),
            aggregation,
            limit: Limit::Compare(op, Quantity::Number(bound)),
        }
    }

    fn criterion(pass: Option<Condition>, fail: Option<Condition>, after: u64) -> Criterion {
        Criterion {
            name: "errors".to_owned(),
            measure: Measure::Metric(Metric::Errors { kind: None }),
            scope: Scope::default(),
            pass,
            warn: None,
            fail,
            invalid: None,
            scenario: None,
            window: Some(Duration::from_secs(2)),
            abort_after: Some(Duration::from_secs(after)),
        }
    }

    fn watch(criterion: &Criterion) -> Watch {
        let journeys = [JourneyNames {
            name: "j".to_owned(),
            tags: Vec::new(),
            steps: vec!["s".to_owned()],
        }];
        Watch::new(criterion, ["p"], &journeys).unwrap()
    }

    fn moment(second: u32, passed: u64, failed: u64) -> Moment {
        let counts = Counts {
            passed,
            failed,
            ..Counts::default()
        };
        let key = CellKey {
            phase: 0,
            journey: 0,
            step: 0,
        };
        Moment {
            second,
            slices: vec![(
                key,
                Slice {
                    counts,
                    ..Slice::default()
                },
            )],
            ..Moment::default()
        }
    }

    /// The second in which the watch fires, when the errors of each second are these, of ten requests each.
    fn fires(criterion: &Criterion, errors: &[u64]) -> Option<usize> {
        let mut watch = watch(criterion);
        let seconds = errors.iter().enumerate();
        let moments: Vec<Moment> = seconds
            .map(|(second, failed)| moment(u32::try_from(second).unwrap(), 10 - failed, *failed))
            .collect();
        let moments: Vec<&Moment> = moments.iter().collect();
        (0..moments.len()).find(|newest| watch.look(&moments[..=*newest]).is_some())
    }

    #[test]
    fn it_fires_when_failing_for_long_enough_without_a_break() {
        let pass = criterion(Some(condition(Aggregation::Share, Op::Less, 0.2)), None, 3);
        assert_eq!(fires(&pass, &[0, 0, 10, 10, 10, 10]), Some(4));
        assert_eq!(fires(&pass, &[0, 10, 0, 0, 10, 0, 0, 0]), None);
    }

    #[test]
    fn between_pass_and_fail_the_load_goes_on() {
        let band = criterion(
            Some(condition(Aggregation::Share, Op::Less, 0.2)),
            Some(condition(Aggregation::Share, Op::More, 0.8)),
            1,
        );
        assert_eq!(fires(&band, &[5, 5, 5]), None);
        assert_eq!(fires(&band, &[5, 10, 10]), Some(2));
    }

    #[test]
    fn no_data_is_no_failure() {
        let pass = criterion(Some(condition(Aggregation::Share, Op::Less, 0.2)), None, 1);
        let mut watch = watch(&pass);
        assert_eq!(watch.look(&[&moment(0, 0, 0)]), None);
    }

    #[test]
    fn metrics_of_aws_and_criteria_without_an_abort_are_not_watched() {
        let mut aws = criterion(None, None, 1);
        aws.measure = Measure::Metric(Metric::ScalingActivities);
        assert!(Watch::new(&aws, ["p"], &[]).is_none());
        let mut calm = criterion(None, None, 1);
        calm.abort_after = None;
        assert!(Watch::new(&calm, ["p"], &[]).is_none());
    }
}
