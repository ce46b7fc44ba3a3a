//! What the bands of a criterion make of its values.
//!
//! In this order: `invalid` holds, INVALID; `fail` holds, FAIL; `warn` holds, WARN; `pass` holds, PASS. When none
//! holds: FAIL with `pass` alone, WARN with `pass` and `fail`, else PASS. A band that cannot be told makes UNKNOWN of
//! what a graver band has not decided.

use super::Status;
use super::tally::Gap;
use super::words::Scale;
use crate::scenario::{Aggregation, Condition, Criterion, Limit};

/// A value with what there is to say of it.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// In base units.
    pub(super) value: f64,
    pub(super) scale: Scale,
    pub(super) samples: u64,
    /// What it is over.
    pub(super) note: Option<String>,
    pub(super) provisional: bool,
    /// Set when a part of a total is not known: the value can only be greater, and this is why.
    pub(super) at_least: Option<String>,
}

/// What came of one evaluation of all bands.
#[derive(Clone, Debug)]
pub(super) struct Outcome<'a> {
    pub(super) status: Status,
    /// The condition to show.
    pub(super) shown: Option<&'a Condition>,
    pub(super) reading: Option<Reading>,
    pub(super) notes: Vec<String>,
    /// How bad the shown value is; greater is worse.
    pub(super) badness: f64,
}

/// Evaluates the bands; `read` gives the value of an aggregation.
pub(super) fn assess(criterion: &Criterion, mut read: impl FnMut(Aggregation) -> Result<Reading, Gap>) -> Outcome<'_> {
    let bands = [
        (Status::Invalid, &criterion.invalid),
        (Status::Fail, &criterion.fail),
        (Status::Warn, &criterion.warn),
        (Status::Pass, &criterion.pass),
    ];
    let mut notes = Vec::new();
    let mut decided = None;
    for (status, condition) in bands {
        let Some(condition) = condition else { continue };
        match band(condition, &mut read) {
            Ok(true) => decided = Some((status, Some(condition))),
            Ok(false) => continue,
            Err(Gap(why)) => {
                notes.push(why);
                decided = Some((Status::Unknown, Some(condition)));
            }
        }
        break;
    }
    let (status, by) = decided.unwrap_or_else(|| none_holds(criterion, &mut notes));
    let shown = shown(criterion, by);
    let reading = shown.and_then(|condition| read(condition.aggregation).ok());
    let badness = match (shown, &reading) {
        (Some(condition), Some(reading)) => {
            let wanted = criterion.pass.as_ref() == Some(condition);
            Scale::badness(&condition.limit, wanted, reading.value)
        }
        _ => f64::NEG_INFINITY,
    };
    let incomplete = reading.as_ref().and_then(|reading| reading.at_least.as_ref());
    notes.extend(
        incomplete
            .map(|why| format!("at least: {why}"))
            .filter(|_| status != Status::Unknown),
    );
    notes.extend(reading.as_ref().and_then(|reading| reading.note.clone()));
    Outcome {
        status,
        shown,
        reading,
        notes,
        badness,
    }
}

fn band(condition: &Condition, read: &mut impl FnMut(Aggregation) -> Result<Reading, Gap>) -> Result<bool, Gap> {
    let reading = read(condition.aggregation)?;
    let asked = || Gap("asked of the profile's owner: `?`".to_owned());
    if matches!(condition.limit, Limit::Ask(_)) {
        return Err(asked());
    }
    match reading.at_least {
        None => reading.scale.holds(&condition.limit, reading.value).ok_or_else(asked),
        Some(why) => reading.scale.holds_from(&condition.limit, reading.value).ok_or(Gap(why)),
    }
}

fn none_holds<'a>(criterion: &Criterion, notes: &mut Vec<String>) -> (Status, Option<&'a Condition>) {
    let status = match (&criterion.pass, &criterion.warn, &criterion.fail) {
        (Some(_), None, None) => Status::Fail,
        (Some(_), _, Some(_)) => Status::Warn,
        (Some(_), Some(_), None) => {
            notes.push("target missed, but no worse".to_owned());
            Status::Pass
        }
        (None, _, _) => Status::Pass,
    };
    (status, None)
}

/// The target, unless another aggregation decided.
fn shown<'a>(criterion: &'a Criterion, by: Option<&'a Condition>) -> Option<&'a Condition> {
    let first = [&criterion.pass, &criterion.fail, &criterion.warn, &criterion.invalid]
        .into_iter()
        .find_map(Option::as_ref);
    match (by, &criterion.pass) {
        (Some(by), Some(pass)) if by.aggregation == pass.aggregation => Some(pass),
        (Some(by), _) => Some(by),
        (None, _) => first,
    }
}

/// How grave a status is; of several things judged alike the gravest decides.
pub(super) fn gravity(status: Status) -> u8 {
    match status {
        Status::Pass => 0,
        Status::Warn => 1,
        Status::Unknown => 2,
        Status::Fail => 3,
        Status::Invalid => 4,
    }
}

/// Whether the first is worse than the second.
pub(super) fn is_worse(first: &Outcome<'_>, second: &Outcome<'_>) -> bool {
    (gravity(first.status), first.badness) > (gravity(second.status), second.badness)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::fixture::{condition, criterion};
    use crate::metrics::catalogue;
    use crate::scenario::Metric;

    fn judge(bands: &[(&str, &str)], value: f64) -> Status {
        let criterion = criterion("c", Metric::Errors { kind: None }, bands);
        assess(&criterion, |_| {
            Ok(Reading {
                value,
                scale: Scale::NUMBER,
                samples: 1,
                note: None,
                provisional: false,
                at_least: None,
            })
        })
        .status
    }

    #[test]
    fn the_graver_band_decides() {
        let all: &[(&str, &str)] = &[
            ("pass", "value < 10"),
            ("warn", "value > 5"),
            ("fail", "value > 7"),
            ("invalid", "value > 8"),
        ];
        for (value, status) in [
            (4.0, Status::Pass),
            (6.0, Status::Warn),
            (7.5, Status::Fail),
            (9.0, Status::Invalid),
        ] {
            assert_eq!(judge(all, value), status, "{value}");
        }
    }

    #[test]
    fn when_no_band_holds_it_depends_on_which_there_are() {
        for (bands, status) in [
            (vec![("pass", "value < 1")], Status::Fail),
            (vec![("pass", "value < 1"), ("fail", "value > 10")], Status::Warn),
            (
                vec![("pass", "value < 1"), ("warn", "value > 9"), ("fail", "value > 10")],
                Status::Warn,
            ),
            (vec![("pass", "value < 1"), ("warn", "value > 10")], Status::Pass),
            (vec![("pass", "value < 1"), ("invalid", "value > 10")], Status::Fail),
            (vec![("warn", "value > 10")], Status::Pass),
            (vec![("fail", "value > 10")], Status::Pass),
            (vec![("invalid", "value > 10")], Status::Pass),
        ] {
            assert_eq!(judge(&bands, 5.0), status, "{bands:?}");
        }
    }

    #[test]
    fn a_question_mark_is_unknown_unless_something_graver_is_known() {
        assert_eq!(judge(&[("pass", "value < ?")], 5.0), Status::Unknown);
        assert_eq!(judge(&[("pass", "value < ?"), ("fail", "value > 4")], 5.0), Status::Fail);
        assert_eq!(judge(&[("pass", "value < 6"), ("fail", "value > ?")], 5.0), Status::Unknown);
    }

    #[test]
    fn no_data_is_unknown_and_never_a_pass() {
        for bands in [
            [("pass", "value < 1")],
            [("warn", "value > 1")],
            [("fail", "value > 1")],
            [("invalid", "value > 1")],
        ] {
            let criterion = criterion("c", Metric::Checks, &bands);
            let outcome = assess(&criterion, |_| Err(Gap("no data".to_owned())));
            assert_eq!(outcome.status, Status::Unknown);
            assert_eq!(outcome.notes, ["no data"]);
        }
    }

    #[test]
    fn a_limit_without_a_unit_is_in_the_metrics_own() {
        let scale = Scale::of_row(catalogue::find("ecs", "cpu_utilization").unwrap(), Aggregation::Max);
        assert_eq!(scale.holds(&condition("max < 90").limit, 0.83), Some(true));
        assert_eq!(scale.holds(&condition("max < 90%").limit, 0.95), Some(false));
        let k6 = Scale::of_client(&Metric::ResponseTime, Aggregation::Avg);
        assert_eq!(k6.holds(&condition("avg < 500").limit, 0.4), Some(true));
        assert_eq!(k6.holds(&condition("avg < 500ms").limit, 0.6), Some(false));
    }

    #[test]
    fn a_total_that_is_only_known_in_part_decides_what_more_of_it_cannot_change() {
        let scale = Scale::NUMBER;
        for (text, value, holds) in [
            ("sum == 0", 5.0, Some(false)),
            ("sum == 0", 0.0, None),
            ("sum < 10", 10.0, Some(false)),
            ("sum < 10", 9.0, None),
            ("sum > 10", 11.0, Some(true)),
            ("sum > 10", 10.0, None),
            ("sum in 1..10", 11.0, Some(false)),
            ("sum not in 1..10", 11.0, Some(true)),
            ("sum in 1..10", 5.0, None),
            ("sum < ?", 5.0, None),
        ] {
            assert_eq!(scale.holds_from(&condition(text).limit, value), holds, "{text} from {value}");
        }
    }

    proptest! {
        #[test]
        fn bands_are_total_and_monotone_in_gravity(
            pass in proptest::option::of(-5.0..5.0f64), warn in proptest::option::of(-5.0..5.0f64),
            fail in proptest::option::of(-5.0..5.0f64), invalid in proptest::option::of(-5.0..5.0f64), value in -6.0..6.0f64,
        ) {
            let bands: Vec<(&str, String)> = [("pass", "<", pass), ("warn", ">", warn), ("fail", ">", fail), ("invalid", ">", invalid)]
                .into_iter()
                .filter_map(|(band, op, limit)| limit.map(|limit| (band, format!("value {op} {limit:.3}"))))
                .collect();
            let bands: Vec<(&str, &str)> = bands.iter().map(|(band, text)| (*band, text.as_str())).collect();
            let (here, worse) = (judge(&bands, value), judge(&bands, value + 1.0));
            prop_assert_ne!(here, Status::Unknown);
            // A greater value is never judged better, where greater is worse in every band.
            let gap = bands.len() > 1 && bands.iter().any(|band| band.0 == "pass");
            prop_assert!(gap || gravity(worse) >= gravity(here));
        }
    }
}
