//! The time from the end of a phase until the target is well again, out of the client's time line.

use super::bands::{Outcome, Reading, assess};
use super::select::{Picker, Span};
use super::tally::{Gap, Tally};
use super::words::Scale;
use crate::load::{EndReason, Recording};
use crate::scenario::{Aggregation, Criterion, Metric, Recovery, Scope};

/// Judges `time`. A target that never recovers fails: the time is then without end.
pub(super) fn judge<'a>(criterion: &'a Criterion, recovery: &Recovery, recording: &Recording) -> Outcome<'a> {
    let time = time(recovery, &criterion.scope, recording);
    assess(criterion, |aggregation| {
        if aggregation != Aggregation::Time {
            return Err(Gap("a recovery has only a time".to_owned()));
        }
        let (value, samples) = time.clone()?;
        Ok(Reading {
            value,
            scale: Scale::of_client(&Metric::ResponseTime, Aggregation::Time),
            samples,
            note: None,
            provisional: false,
            at_least: None,
        })
    })
}

/// Seconds until every condition holds and stays so, and how many stretches were looked at.
fn time(recovery: &Recovery, scope: &Scope, recording: &Recording) -> Result<(f64, u64), Gap> {
    let Some(phase) = recording.phases.iter().find(|phase| phase.name == recovery.after_phase) else {
        return Err(Gap(format!("the run did not reach phase {}", recovery.after_phase)));
    };
    let everything_after = Scope {
        phases: Vec::new(),
        ..scope.clone()
    };
    let picker = Picker::new(recording, &everything_after);
    let buckets = picker.buckets(Span {
        from: phase.to,
        to: f64::INFINITY,
    });
    let end = picker.bucket_at(buckets.end);
    let mut well_since: Option<f64> = None;
    let mut looked = 0;
    for bucket in buckets {
        let from = picker.bucket_at(bucket).max(phase.to);
        match holds(recovery, &picker, bucket)? {
            // Nothing ended here: neither well nor ill.
            None => {}
            Some(true) => {
                looked += 1;
                well_since.get_or_insert(from);
            }
            Some(false) => {
                looked += 1;
                well_since = None;
            }
        }
        let until = picker.bucket_at(bucket) + recording.bucket_seconds;
        if let Some(since) = well_since
            && until - since + 1e-9 >= recovery.hold.as_secs_f64()
        {
            return Ok((since - phase.to, looked));
        }
    }
    if looked == 0 {
        return Err(Gap(format!("there was no load after phase {} to tell by", phase.name)));
    }
    if recording.end != EndReason::Completed {
        return Err(Gap(format!(
            "the load was stopped {} after phase {}",
            crate::units::seconds(end - phase.to),
            phase.name
        )));
    }
    Ok((f64::INFINITY, looked))
}

/// Whether all conditions hold in a bucket; `None` when it has no data for one of them.
fn holds(recovery: &Recovery, picker: &Picker<'_>, bucket: usize) -> Result<Option<bool>, Gap> {
    let mut all = true;
    for (metric, condition) in &recovery.until {
        if matches!(
            metric,
            Metric::Aws { .. } | Metric::ScalingActivities | Metric::JourneyTime | Metric::Iterations
        ) {
            return Err(Gap(format!("`{metric}` is not in the client's time line")));
        }
        let tally = Tally::buckets(metric, picker, bucket..bucket + 1);
        let Ok(value) = tally.value(metric, condition.aggregation) else {
            if tally.samples() == 0 {
                return Ok(None);
            }
            return Err(Gap(format!(
                "`{metric}` has no {}",
                super::words::aggregation(condition.aggregation)
            )));
        };
        match Scale::of_client(metric, condition.aggregation).holds(&condition.limit, value) {
            Some(holds) => all &= holds,
            None => return Err(Gap("asked of the profile's owner: `?`".to_owned())),
        }
    }
    Ok(Some(all))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::analysis::Status;
    use crate::analysis::fixture::{answers, condition, criterion, small};
    use crate::load::Cell;
    use crate::scenario::Measure;

    fn judged(hold: u64, bands: &[(&str, &str)], after: Vec<Cell>, edit: impl FnOnce(&mut Recording)) -> (Status, Option<f64>) {
        let spike = [answers(&[1], &[1; 9]), answers(&[1], &[1; 9])];
        let buckets: Vec<Cell> = spike.into_iter().chain(after).collect();
        let end = 10.0 * f64::from(u32::try_from(buckets.len()).unwrap());
        let mut recording = small(&[("spike", 20.0), ("after", end)], 10.0, buckets);
        edit(&mut recording);
        let recovery = Recovery {
            after_phase: "spike".to_owned(),
            until: vec![
                (Metric::Errors { kind: None }, condition("rate < 1%")),
                (Metric::ResponseTime, condition("p(99) < 500ms")),
            ],
            hold: Duration::from_secs(hold),
        };
        let mut criterion = criterion("back to normal", Metric::Requests, bands);
        criterion.measure = Measure::Recovery(recovery.clone());
        let outcome = judge(&criterion, &recovery, &recording);
        (outcome.status, outcome.reading.map(|reading| reading.value))
    }

    fn well() -> Cell {
        answers(&[100], &[])
    }

    fn ill() -> Cell {
        answers(&[100], &[100])
    }

    const PASS: &[(&str, &str)] = &[("pass", "time < 30s")];

    #[test]
    fn the_time_runs_from_the_end_of_the_phase_until_all_is_well_and_stays_so() {
        let (status, time) = judged(20, PASS, vec![ill(), well(), ill(), well(), well(), well()], |_| {});
        assert_eq!((status, time), (Status::Fail, Some(30.0)));
        assert_eq!(judged(0, PASS, vec![ill(), well(), ill()], |_| {}), (Status::Pass, Some(10.0)));
        assert_eq!(judged(0, PASS, vec![well()], |_| {}), (Status::Pass, Some(0.0)));
    }

    #[test]
    fn slow_answers_are_not_well_either() {
        let slow = answers(&[900], &[]);
        assert_eq!(judged(0, PASS, vec![slow, well()], |_| {}), (Status::Pass, Some(10.0)));
    }

    #[test]
    fn never_is_a_failure() {
        assert_eq!(judged(0, PASS, vec![ill(), ill()], |_| {}), (Status::Fail, Some(f64::INFINITY)));
        assert_eq!(
            judged(60, PASS, vec![ill(), well()], |_| {}).0,
            Status::Fail,
            "it did not hold long enough"
        );
        assert_eq!(judged(0, &[("warn", "time > 30s")], vec![ill(), ill()], |_| {}).0, Status::Warn);
    }

    #[test]
    fn what_could_not_be_seen_is_unknown() {
        assert_eq!(judged(0, PASS, vec![], |_| {}).0, Status::Unknown, "no load after the phase");
        assert_eq!(
            judged(0, PASS, vec![ill()], |run| run.end = EndReason::Interrupted { signal: 2 }).0,
            Status::Unknown
        );
        assert_eq!(
            judged(0, PASS, vec![ill()], |run| run.phases[0].name = "other".to_owned()).0,
            Status::Unknown
        );
    }

    #[test]
    fn a_stretch_without_answers_is_neither_well_nor_ill() {
        let empty = || answers(&[], &[]);
        assert_eq!(judged(30, PASS, vec![well(), empty(), well()], |_| {}), (Status::Pass, Some(0.0)));
        assert_eq!(judged(0, PASS, vec![empty(), empty()], |_| {}).0, Status::Unknown);
    }
}
