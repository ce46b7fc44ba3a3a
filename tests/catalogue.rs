//! What a profile may judge is what the metrics module collects.

use tidegate::metrics::{Statistic, catalogue};
use tidegate::scenario::cloud_metrics::{AWS_METRICS, AwsStatistic};

#[test]
fn every_metric_of_the_profile_language_is_collected() {
    for metric in AWS_METRICS {
        let name = format!("aws.{}.{}", metric.kind, metric.name);
        let Some(row) = catalogue::find(metric.kind, metric.name) else {
            panic!("{name} is not collected");
        };
        assert_eq!(row.metric, metric.cloudwatch, "{name}");
        for statistic in metric.statistics {
            let statistic = match statistic {
                AwsStatistic::Sum => Statistic::Sum,
                AwsStatistic::Average => Statistic::Average,
                AwsStatistic::Minimum => Statistic::Minimum,
                AwsStatistic::Maximum => Statistic::Maximum,
                AwsStatistic::SampleCount => Statistic::SampleCount,
                AwsStatistic::Percentile => Statistic::Percentile(95.0),
            };
            assert!(row.basis(statistic).is_some(), "{name} has no {statistic:?}");
        }
        if metric.statistics.contains(&AwsStatistic::Percentile) {
            assert_eq!(metric.pre_aggregated, !row.raw, "{name}: raw");
        }
    }
}
