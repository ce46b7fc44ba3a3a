//! Criteria over what CloudWatch measured: each resource is judged and the worst decides.

use std::collections::BTreeSet;
use std::time::Duration;

use super::bands::{Outcome, assess, is_worse};
use super::select::Picker;
use super::subject::Subject;
use super::tally::Gap;
use super::verdict::Evidence;
use super::words::moment;
use crate::metrics::align::{MINUTE, after};
use crate::metrics::catalogue::{self, Row};
use crate::metrics::{Series, TimeWindow};
use crate::scenario::{Criterion, Scope};

/// Judges a criterion over `aws.KIND.METRIC`, and names what decided.
pub(super) fn judge<'a>(criterion: &'a Criterion, kind: &str, metric: &str, evidence: &Evidence<'_>) -> (Outcome<'a>, Option<String>) {
    let row = catalogue::find(kind, metric);
    let name = row.map_or_else(|| format!("aws.{kind}.{metric}"), Row::full_name);
    let chosen = chosen(&name, &criterion.scope, evidence.series);
    let windows = windows(criterion, evidence);
    let why = match (row, chosen.is_empty(), windows.is_empty()) {
        (None, ..) => format!("`{name}` is not known"),
        (_, true, _) => "it was not collected for any resource".to_owned(),
        (_, _, true) => "the run reached none of its phases".to_owned(),
        (Some(row), false, false) => return worst(criterion, row, &chosen, &windows),
    };
    (assess(criterion, |_| Err(Gap(why.clone()))), None)
}

/// The series of a metric in a scope. An account's own series count only where there are no others.
fn chosen<'s>(metric: &str, scope: &Scope, series: &'s [Series]) -> Vec<&'s Series> {
    let all: Vec<&Series> = series
        .iter()
        .filter(|series| series.metric == metric)
        .filter(|series| scope.on.is_empty() || scope.on.iter().any(|selector| series.is_of(selector)))
        .collect();
    let single: Vec<&Series> = all.iter().copied().filter(|series| !series.resource.ends_with("/*")).collect();
    if single.is_empty() { all } else { single }
}

/// The stretches to judge: the scope's phases by whole minutes, or every window of the criterion's length in them.
fn windows(criterion: &Criterion, evidence: &Evidence<'_>) -> Vec<Vec<TimeWindow>> {
    let stretches = stretches(&criterion.scope, evidence);
    let Some(window) = criterion.window else {
        return if stretches.is_empty() { Vec::new() } else { vec![stretches] };
    };
    let length = minutes_of(window);
    let mut windows = Vec::new();
    for stretch in stretches {
        let mut from = stretch.from;
        loop {
            let to = after(from, Duration::from_secs(u64::from(length)));
            windows.push(vec![TimeWindow {
                from,
                to: to.min(stretch.to),
            }]);
            if to >= stretch.to {
                break;
            }
            from = after(from, Duration::from_secs(u64::from(MINUTE)));
        }
    }
    windows
}

/// Whole minutes of a duration, in seconds; at least one.
pub(super) fn minutes_of(window: Duration) -> u32 {
    u32::try_from(window.as_secs().div_ceil(60).max(1) * 60).unwrap_or(u32::MAX)
}

/// The scope's phases as minutes; the whole window without phases.
pub(super) fn stretches(scope: &Scope, evidence: &Evidence<'_>) -> Vec<TimeWindow> {
    if scope.phases.is_empty() {
        return vec![evidence.window];
    }
    let of_phases = Scope {
        phases: scope.phases.clone(),
        ..Scope::default()
    };
    Picker::new(evidence.recording, &of_phases)
        .spans()
        .into_iter()
        .map(|span| TimeWindow::covering(moment(evidence.recording, span.from), moment(evidence.recording, span.to)))
        .filter_map(|window| window.clipped(&evidence.window))
        .collect()
}

/// One resource, one part of it, one set of windows; the worst of all decides.
fn worst<'a>(criterion: &'a Criterion, row: &Row, chosen: &[&Series], windows: &[Vec<TimeWindow>]) -> (Outcome<'a>, Option<String>) {
    let mut worst: Option<(Outcome<'a>, Subject<'_>)> = None;
    let owners: BTreeSet<(&str, &str)> = chosen
        .iter()
        .map(|series| (series.resource.as_str(), series.part.as_str()))
        .collect();
    for (resource, part) in owners {
        let subjects = windows.iter().map(|windows| Subject {
            row,
            series: chosen,
            resource,
            part,
            windows,
        });
        let mut outcomes: Vec<(Outcome<'a>, Subject<'_>)> = subjects
            .map(|subject| (assess(criterion, |aggregation| subject.read(aggregation)), subject))
            .collect();
        // Of many windows those without data say nothing, as long as others do.
        if outcomes.iter().any(|(outcome, _)| outcome.reading.is_some()) {
            outcomes.retain(|(outcome, _)| outcome.reading.is_some());
        }
        for (outcome, subject) in outcomes {
            if worst.as_ref().is_none_or(|(known, _)| is_worse(&outcome, known)) {
                worst = Some((outcome, subject));
            }
        }
    }
    match worst {
        Some((outcome, subject)) => {
            let text = subject.worst(criterion, &outcome);
            (outcome, Some(text))
        }
        None => (assess(criterion, |_| Err(Gap("no data".to_owned()))), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Status;
    use crate::analysis::fixture::{answers, aws, criterion, evidence, small};
    use crate::metrics::{Completeness, Missing, Statistic};

    /// A series from 14:04 on; `None` is a gap.
    fn series(resource: &str, part: &str, metric: &str, statistic: Statistic, points: &[Option<f64>]) -> Series {
        let (kind, name) = metric.split_once('.').unwrap();
        let row = catalogue::find(kind, name).unwrap();
        let minutes = (0..).map(|minute: usize| crate::analysis::fixture::at(&format!("14:{:02}:00", 4 + minute)));
        let points: Vec<_> = minutes
            .zip(points)
            .filter_map(|(at, value)| value.map(|value| (at, value)))
            .collect();
        Series {
            resource: resource.to_owned(),
            part: part.to_owned(),
            metric: row.full_name(),
            statistic,
            unit: row.unit.word().to_owned(),
            period: MINUTE,
            completeness: if points.is_empty() && row.missing == Missing::Unknown {
                Completeness::Empty
            } else {
                Completeness::Settled
            },
            points,
            missing: row.missing,
        }
    }

    fn failed(series: Series) -> Series {
        Series {
            points: Vec::new(),
            completeness: Completeness::Failed {
                error: "AWS refused: denied".to_owned(),
            },
            ..series
        }
    }

    struct Got {
        status: Status,
        value: Option<f64>,
        worst: Option<String>,
        notes: Vec<String>,
    }

    fn got(metric: &str, bands: &[(&str, &str)], series: &[Series], edit: impl FnOnce(&mut Criterion)) -> Got {
        let (kind, name) = metric.split_once('.').unwrap();
        let mut criterion = criterion("c", aws(kind, name), bands);
        edit(&mut criterion);
        let recording = small(
            &[("first", 120.0), ("second", 300.0)],
            60.0,
            (0..5).map(|_| answers(&[1], &[])).collect(),
        );
        let (outcome, worst) = judge(&criterion, kind, name, &evidence(&recording, series, &[]));
        Got {
            status: outcome.status,
            value: outcome.reading.as_ref().map(|reading| reading.value),
            worst,
            notes: outcome.notes,
        }
    }

    const CPU: &str = "ecs.cpu_utilization";

    #[test]
    fn every_statistic_is_read_from_its_own_series() {
        let cpu = |statistic, points: &[f64]| series("ecs/api", "", CPU, statistic, &points.iter().copied().map(Some).collect::<Vec<_>>());
        let mut all = vec![
            cpu(Statistic::Average, &[10.0, 20.0, 30.0, 40.0, 50.0]),
            cpu(Statistic::Maximum, &[15.0, 25.0, 35.0, 45.0, 95.0]),
            cpu(Statistic::Minimum, &[5.0, 15.0, 25.0, 35.0, 45.0]),
        ];
        let throttles = [Some(0.0), Some(6.0), None, Some(3.0), None];
        all.push(series("lambda/a", "", "lambda.throttles", Statistic::Sum, &throttles));
        for (metric, text, expected) in [
            (CPU, "avg < 1%", 0.3),
            (CPU, "max < 1%", 0.95),
            (CPU, "min < 1%", 0.05),
            (CPU, "value < 1%", 0.5),
            (CPU, "med < 1%", 0.3),
            (CPU, "p(99) < 1%", 0.5),
            ("lambda.throttles", "sum == 0", 9.0),
            ("lambda.throttles", "count == 0", 9.0),
            ("lambda.throttles", "rate < 1/s", 0.03),
        ] {
            let value = got(metric, &[("pass", text)], &all, |_| {}).value.unwrap();
            assert!((value - expected).abs() < 1e-9, "{metric} {text}: {value}");
        }
        assert_eq!(
            got(CPU, &[("pass", "sum < 1")], &all, |_| {}).status,
            Status::Unknown,
            "a gauge has no sum"
        );
    }

    #[test]
    fn a_percentile_of_a_gauge_is_over_minute_averages_and_says_so() {
        let points: Vec<Option<f64>> = [50.0, 60.0, 85.0, 70.0, 65.0].map(Some).into();
        let got = got(
            CPU,
            &[("pass", "p(99) < 80%"), ("fail", "p(99) > 90%")],
            &[series("ecs/api", "", CPU, Statistic::Average, &points)],
            |_| {},
        );
        assert_eq!(got.status, Status::Warn);
        assert_eq!(got.notes, ["over 5 one-minute averages"]);
    }

    #[test]
    fn a_percentile_comes_from_the_whole_window_and_is_never_averaged() {
        let whole = Series {
            period: 300,
            ..series("lambda/a", "", "lambda.duration", Statistic::Percentile(95.0), &[Some(900.0)])
        };
        let minutes = series("lambda/a", "", "lambda.duration", Statistic::Percentile(95.0), &[Some(100.0); 5]);
        let all = [minutes, whole];
        assert_eq!(got("lambda.duration", &[("pass", "p(95) < 1s")], &all, |_| {}).value, Some(0.9));
        let windowed = got("lambda.duration", &[("pass", "p(95) < 1s")], &all, |criterion| {
            criterion.window = Some(Duration::from_mins(1));
        });
        assert_eq!(windowed.value, Some(0.1));
    }

    #[test]
    fn without_a_whole_window_a_raw_metric_is_not_taken_over_minute_averages() {
        let whole = |statistic, completeness| Series {
            period: 300,
            completeness,
            ..series("lambda/a", "", "lambda.duration", statistic, &[])
        };
        let minutes = series("lambda/a", "", "lambda.duration", Statistic::Average, &[Some(100.0); 5]);
        for (text, statistic) in [("p(95) < 1s", Statistic::Percentile(95.0)), ("avg < 1s", Statistic::Average)] {
            let judged = |all: &[Series]| {
                let got = got("lambda.duration", &[("pass", text)], all, |_| {});
                (got.status, got.notes.join(", "))
            };
            let empty = [minutes.clone(), whole(statistic, Completeness::Empty)];
            assert_eq!(judged(&empty), (Status::Unknown, "no data".to_owned()));
            let early = [minutes.clone(), whole(statistic, Completeness::Provisional)];
            assert_eq!(judged(&early), (Status::Unknown, "no data yet".to_owned()));
            let (status, why) = judged(std::slice::from_ref(&minutes));
            assert!(status == Status::Unknown && why.ends_with("was not collected"), "{why}");
        }
    }

    #[test]
    fn a_gap_is_a_zero_only_where_aws_publishes_nothing_for_zero() {
        let none: &[Option<f64>] = &[];
        for (metric, statistic, status) in [
            ("lambda.throttles", Statistic::Sum, Status::Pass),
            ("dynamodb.write_throttle_events", Statistic::Sum, Status::Pass),
            ("alb.http_code_target_5xx_count", Statistic::Sum, Status::Pass),
            ("lambda.errors", Statistic::Sum, Status::Unknown),
            ("rest-api.5xx_error", Statistic::Sum, Status::Unknown),
        ] {
            let silent = series("x/a", "", metric, statistic, none);
            assert_eq!(
                got(metric, &[("pass", "sum == 0")], std::slice::from_ref(&silent), |_| {}).status,
                status,
                "{metric}"
            );
            let refused = got(metric, &[("pass", "sum == 0")], &[failed(silent.clone())], |_| {});
            assert_eq!(
                (refused.status, refused.notes[0].as_str()),
                (Status::Unknown, "AWS refused: denied"),
                "{metric}"
            );
            let early = Series {
                completeness: Completeness::Provisional,
                ..silent
            };
            assert_eq!(
                got(metric, &[("pass", "sum == 0")], &[early], |_| {}).status,
                Status::Unknown,
                "{metric}"
            );
        }
    }

    #[test]
    fn a_total_of_a_pull_that_has_not_settled_can_only_grow() {
        let throttles = |points: &[Option<f64>]| Series {
            completeness: Completeness::Provisional,
            ..series("lambda/a", "", "lambda.throttles", Statistic::Sum, points)
        };
        for (text, points, status) in [
            ("sum == 0", &[Some(0.0)], Status::Unknown),
            ("sum < 10", &[Some(9.0)], Status::Unknown),
            ("sum == 0", &[Some(1.0)], Status::Fail),
            ("count == 0", &[Some(0.0)], Status::Unknown),
            ("rate < 1/s", &[Some(0.0)], Status::Unknown),
            ("sum > 5", &[Some(6.0)], Status::Pass),
            ("sum > 5", &[Some(5.0)], Status::Unknown),
        ] {
            let got = got("lambda.throttles", &[("pass", text)], &[throttles(points)], |_| {});
            assert_eq!(got.status, status, "{text}");
        }
        let zero = got("lambda.throttles", &[("pass", "sum == 0")], &[throttles(&[Some(0.0)])], |_| {});
        assert_eq!(
            (zero.value, zero.notes),
            (Some(0.0), vec!["later minutes are not published".to_owned()])
        );
        let settled = series("lambda/a", "", "lambda.throttles", Statistic::Sum, &[Some(0.0)]);
        assert_eq!(
            got("lambda.throttles", &[("pass", "sum == 0")], &[settled], |_| {}).status,
            Status::Pass
        );
    }

    #[test]
    fn each_resource_is_judged_and_the_worst_is_named() {
        let throttles = |name: &str, count| series(name, "", "lambda.throttles", Statistic::Sum, &[Some(1.0), Some(count)]);
        let all = [throttles("lambda/a", 2.0), throttles("lambda/b", 60.0), throttles("lambda/c", 5.0)];
        let bands = [("pass", "sum == 0")];
        let every = got("lambda.throttles", &bands, &all, |_| {});
        assert_eq!((every.value, every.worst.as_deref()), (Some(61.0), Some("b, 60 at 14:05")));
        let some = got("lambda.throttles", &bands, &all, |criterion| {
            criterion.scope.on = vec!["lambda/a".into(), "lambda/c".into()];
        });
        assert_eq!(some.value, Some(6.0));
        let none = got("lambda.throttles", &bands, &all, |criterion| {
            criterion.scope.on = vec!["lambda/d".into()];
        });
        assert_eq!(none.status, Status::Unknown);
        let mut one_denied = all.to_vec();
        one_denied[2] = failed(one_denied[2].clone());
        one_denied[1] = throttles("lambda/b", 0.0);
        let bands = [("pass", "sum < 10")];
        assert_eq!(
            got("lambda.throttles", &bands, &one_denied, |_| {}).status,
            Status::Unknown,
            "one that is not known is no pass"
        );
    }

    #[test]
    fn operations_of_a_table_add_up_and_a_denied_one_leaves_at_least_the_rest() {
        let requests =
            |operation, points: &[Option<f64>]| series("dynamodb/t", operation, "dynamodb.throttled_requests", Statistic::Sum, points);
        let bands = [("pass", "sum == 0")];
        let all = [
            requests("PutItem", &[Some(3.0)]),
            requests("GetItem", &[Some(4.0)]),
            requests("Query", &[]),
        ];
        assert_eq!(got("dynamodb.throttled_requests", &bands, &all, |_| {}).value, Some(7.0));
        let denied = [all[0].clone(), failed(all[1].clone())];
        let partly = got("dynamodb.throttled_requests", &bands, &denied, |_| {});
        assert_eq!(partly.status, Status::Fail);
        assert_eq!(partly.notes, ["at least: AWS refused: denied"]);
        let nothing_known_bad = [all[2].clone(), failed(all[1].clone())];
        assert_eq!(
            got("dynamodb.throttled_requests", &bands, &nothing_known_bad, |_| {}).status,
            Status::Unknown
        );
    }

    #[test]
    fn a_phase_is_judged_by_the_minutes_that_it_touches() {
        let counts: Vec<Option<f64>> = [1.0, 2.0, 4.0, 8.0, 16.0].map(Some).into();
        let all = [series("lambda/a", "", "lambda.throttles", Statistic::Sum, &counts)];
        let sum = |phase: &str| {
            got("lambda.throttles", &[("pass", "sum == 0")], &all, |criterion| {
                criterion.scope.phases = vec![phase.into()];
            })
            .value
        };
        assert_eq!(sum("first"), Some(3.0));
        assert_eq!(sum("second"), Some(28.0));
        assert_eq!(sum("never"), None);
    }

    #[test]
    fn every_window_of_some_minutes_is_judged() {
        let cpu: Vec<Option<f64>> = [50.0, 90.0, 91.0, 50.0, 50.0].map(Some).into();
        let all = [series("ecs/api", "", CPU, Statistic::Average, &cpu)];
        let windowed = |minutes: u64| {
            got(CPU, &[("pass", "avg < 80%")], &all, |criterion| {
                criterion.window = Some(Duration::from_secs(minutes * 60));
            })
        };
        assert_eq!(windowed(2).status, Status::Fail);
        assert!((windowed(2).value.unwrap() - 0.905).abs() < 1e-9);
        assert_eq!(windowed(5).status, Status::Pass);
    }

    #[test]
    fn ranges_and_growth_apply_to_gauges() {
        let rising: Vec<Option<f64>> = (0..5).map(|minute| Some(40.0 + f64::from(minute))).collect();
        let all = [series("ecs/api", "", CPU, Statistic::Average, &rising)];
        assert_eq!(got(CPU, &[("warn", "avg not in 20%..40%")], &all, |_| {}).status, Status::Warn);
        assert_eq!(got(CPU, &[("warn", "avg not in 20%..50%")], &all, |_| {}).status, Status::Pass);
        assert_eq!(
            got(CPU, &[("warn", "growth(avg) > 5%")], &all, |_| {}).status,
            Status::Unknown,
            "five minutes have no tenth"
        );
    }

    #[test]
    fn the_accounts_own_series_does_not_stand_for_a_function() {
        let concurrency = |resource: &str, value| series(resource, "", "lambda.concurrent_executions", Statistic::Maximum, &[Some(value)]);
        let all = [concurrency("lambda/a", 90.0), concurrency("lambda/*", 900.0)];
        assert_eq!(
            got("lambda.concurrent_executions", &[("pass", "max < 100")], &all, |_| {}).value,
            Some(90.0)
        );
        assert_eq!(
            got("lambda.concurrent_executions", &[("pass", "max < 100")], &all[1..], |_| {}).value,
            Some(900.0)
        );
    }
}
