//! What criteria need from CloudWatch beside the statistics that are always collected.

use super::cloudwatch::{minutes_of, stretches};
use super::verdict::{Evidence, all_criteria};
use crate::metrics::align::MINUTE;
use crate::metrics::catalogue::{self, Basis, Row};
use crate::metrics::{Ask, Statistic, TimeWindow};
use crate::scenario::{Aggregation, Criterion, Measure, Metric, Scenario};

/// The further queries of the criteria that are judged in this scenario. Of the evidence it reads the recording (when
/// phases were) and the window.
#[must_use]
pub fn asks(criteria: &[Criterion], scenario: &Scenario, evidence: &Evidence<'_>) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (criterion, _) in all_criteria(criteria, scenario) {
        let Measure::Metric(Metric::Aws { kind, metric }) = &criterion.measure else {
            continue;
        };
        let Some(row) = catalogue::find(kind, metric) else { continue };
        let windows = stretches(&criterion.scope, evidence);
        let conditions = [&criterion.pass, &criterion.warn, &criterion.fail, &criterion.invalid];
        for condition in conditions.into_iter().flatten() {
            for window in &windows {
                asks.extend(ask(row, condition.aggregation, criterion.window.map(minutes_of), *window));
            }
        }
    }
    asks
}

fn ask(row: &Row, aggregation: Aggregation, sliding: Option<u32>, window: TimeWindow) -> Vec<Ask> {
    let ask = |statistic, period| Ask {
        kind: row.kind.to_owned(),
        metric: row.name.to_owned(),
        statistic,
        window,
        period,
    };
    let whole = sliding.unwrap_or_else(|| window.seconds());
    let percentile = |p| match row.basis(Statistic::Percentile(p)) {
        Some(Basis::CloudWatch) => vec![ask(Statistic::Percentile(p), whole), ask(Statistic::Average, MINUTE)],
        _ => vec![ask(Statistic::Average, MINUTE)],
    };
    match aggregation {
        Aggregation::Avg => vec![ask(Statistic::Average, whole), ask(Statistic::Average, MINUTE)],
        Aggregation::Min => vec![ask(Statistic::Minimum, MINUTE)],
        Aggregation::Max => vec![ask(Statistic::Maximum, MINUTE)],
        Aggregation::Med => percentile(50.0),
        Aggregation::Percentile(p) => percentile(p),
        Aggregation::Count if !row.is_counter() => vec![ask(Statistic::SampleCount, MINUTE)],
        Aggregation::GrowthAvg | Aggregation::GrowthPercentile(_) => vec![ask(Statistic::Average, MINUTE)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::analysis::fixture::{aws, criterion, evidence, scenario, small, window};

    fn asked(metric: &str, text: &str, edit: impl FnOnce(&mut Criterion)) -> Vec<(Statistic, u32)> {
        let (kind, name) = metric.split_once('.').unwrap();
        let mut criterion = criterion("c", aws(kind, name), &[("pass", text)]);
        edit(&mut criterion);
        let recording = small(&[("first", 120.0), ("load", 300.0)], 60.0, Vec::new());
        let asks = asks(&[criterion], &scenario(), &evidence(&recording, &[], &[]));
        assert!(asks.iter().all(|ask| window().clipped(&ask.window) == Some(ask.window)));
        asks.iter().map(|ask| (ask.statistic, ask.period)).collect()
    }

    #[test]
    fn what_minutes_cannot_be_combined_into_is_asked_for_as_a_whole() {
        assert_eq!(
            asked("lambda.duration", "p(95) < 1s", |_| {})[0],
            (Statistic::Percentile(95.0), 300)
        );
        assert_eq!(asked("lambda.duration", "avg < 1s", |_| {})[0], (Statistic::Average, 300));
        assert_eq!(
            asked("lambda.duration", "p(95) < 1s", |c| c.scope.phases = vec!["first".into()])[0],
            (Statistic::Percentile(95.0), 120)
        );
        assert_eq!(
            asked("lambda.duration", "p(95) < 1s", |c| c.window = Some(Duration::from_mins(1)))[0],
            (Statistic::Percentile(95.0), 60)
        );
    }

    #[test]
    fn a_percentile_that_cloudwatch_does_not_have_is_not_asked_for() {
        assert_eq!(asked("ecs.cpu_utilization", "p(99) < 80%", |_| {}), [(Statistic::Average, 60)]);
    }

    #[test]
    fn totals_need_nothing_further() {
        assert!(asked("lambda.throttles", "sum == 0", |_| {}).is_empty());
        assert!(asked("lambda.throttles", "count == 0", |_| {}).is_empty());
        assert!(asked("lambda.no_such_metric", "sum == 0", |_| {}).is_empty());
        assert!(asked("lambda.duration", "p(95) < 1s", |c| c.scenario = Some("other".into())).is_empty());
    }

    #[test]
    fn every_metric_and_statistic_that_a_profile_may_name_can_be_answered() {
        use crate::scenario::cloud_metrics::{AWS_METRICS, AwsStatistic};
        for known in AWS_METRICS {
            let row =
                catalogue::find(known.kind, known.name).unwrap_or_else(|| panic!("aws.{}.{} is not collected", known.kind, known.name));
            assert_eq!(row.metric, known.cloudwatch);
            for statistic in known.statistics {
                let statistic = match statistic {
                    AwsStatistic::Sum => Statistic::Sum,
                    AwsStatistic::Average => Statistic::Average,
                    AwsStatistic::Minimum => Statistic::Minimum,
                    AwsStatistic::Maximum => Statistic::Maximum,
                    AwsStatistic::SampleCount => Statistic::SampleCount,
                    AwsStatistic::Percentile => Statistic::Percentile(99.0),
                };
                assert!(row.basis(statistic).is_some(), "{} {statistic:?}", row.name);
            }
        }
    }
}
