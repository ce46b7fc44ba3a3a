//! CloudWatch: the numbers.
//!
//! Up to 500 queries a call, paged; the points of one query may be spread over pages. CloudWatch answers a period that
//! it no longer keeps with nothing and no error, so such a query is refused here.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode};

use crate::change::CloudError;
use crate::metrics::source::Activity;
use crate::metrics::{MetricError, MetricQuery, MetricSource, Statistic, TimeWindow};
use crate::units::Timestamp;

use super::activities;
use super::connect::Aws;
use super::convert::{moment, timestamp};
use super::error::Call;

/// How many queries a call takes.
const BATCH: usize = 500;
/// Far more pages than any window has; a token that never ends must not hang us.
const PAGES: usize = 1_000;

const DAY_SECONDS: i64 = 86_400;

type Points = Vec<(Timestamp, f64)>;

impl MetricSource for Aws {
    async fn fetch(&self, queries: &[MetricQuery], window: TimeWindow) -> Vec<Result<Points, MetricError>> {
        let now = Timestamp::now();
        let mut answers: Vec<Option<Result<Points, MetricError>>> = vec![None; queries.len()];
        let mut asked = Vec::new();
        for (index, query) in queries.iter().enumerate() {
            match kept(query.period, window.from, now) {
                Ok(()) => asked.push((index, query.clone())),
                Err(error) => answers[index] = Some(Err(error)),
            }
        }
        let jobs = asked
            .chunks(BATCH)
            .map(|batch| fetch_batch(self.cloudwatch.clone(), batch.to_vec(), window))
            .collect();
        for (index, answer) in self.slots.side_by_side(jobs).await.into_iter().flatten() {
            answers[index] = Some(answer);
        }
        let never = || Err(MetricError::Failed("the query was not carried out".to_owned()));
        answers.into_iter().map(|answer| answer.unwrap_or_else(never)).collect()
    }

    async fn activities(&self, window: TimeWindow) -> Result<Vec<Activity>, MetricError> {
        let jobs = ["dynamodb", "ecs"]
            .map(|namespace| activities::in_window(self.scaling.reading.clone(), namespace, window))
            .into();
        let mut all = Vec::new();
        for found in self.slots.side_by_side(jobs).await {
            all.extend(found.map_err(|error| metric_error(&error))?);
        }
        all.sort_by_key(|activity| activity.at);
        Ok(all)
    }
}

/// Whether CloudWatch still has points of a period. It keeps minutes for 15 days, 5 minutes for 63 days, hours for 455.
fn kept(period: u32, from: Timestamp, now: Timestamp) -> Result<(), MetricError> {
    let days = (now.as_second() - from.as_second()) / DAY_SECONDS;
    let coarsest = match days {
        ..15 => 60,
        15..63 => 300,
        _ => 3_600,
    };
    if period > 0 && period.is_multiple_of(coarsest) {
        return Ok(());
    }
    Err(MetricError::Refused(if coarsest == 60 {
        format!("a period of {period} s is no whole number of minutes")
    } else {
        format!("{days} days back CloudWatch keeps points of {coarsest} s only, not of {period} s")
    }))
}

type Answers = Vec<(usize, Result<Points, MetricError>)>;

async fn fetch_batch(client: Client, batch: Vec<(usize, MetricQuery)>, window: TimeWindow) -> Answers {
    let mut merged = Merged::new(batch.len());
    let failure = pages(&client, &batch, window, &mut merged).await.err();
    batch
        .iter()
        .zip(merged.into_answers())
        .map(|((index, _), answer)| {
            let answer = match &failure {
                Some(error) => Err(metric_error(error)),
                None => answer,
            };
            (*index, answer)
        })
        .collect()
}

async fn pages(client: &Client, batch: &[(usize, MetricQuery)], window: TimeWindow, merged: &mut Merged) -> Result<(), CloudError> {
    let call = Call::new("cloudwatch:GetMetricData", "all metrics");
    let queries: Vec<MetricDataQuery> = batch.iter().enumerate().map(|(n, (_, query))| query_of(n, query)).collect();
    let mut token: Option<String> = None;
    for _ in 0..PAGES {
        let page = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(moment(window.from))
            .end_time(moment(window.to))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(token.clone())
            .send()
            .await
            .map_err(|error| call.error(&error))?;
        for message in page.messages() {
            tracing::debug!(code = message.code(), text = message.value(), "CloudWatch has a message");
        }
        merged.add(page.metric_data_results());
        let next = page.next_token().map(str::to_owned);
        if next.is_none() || next == token {
            return Ok(());
        }
        token = next;
    }
    Err(CloudError::Unknown {
        message: format!("cloudwatch:GetMetricData went on after {PAGES} pages"),
    })
}

/// A unit is left out: a wrong one would return nothing, silently.
fn query_of(n: usize, query: &MetricQuery) -> MetricDataQuery {
    let dimensions = query
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(name).value(value).build())
        .collect();
    let metric = Metric::builder()
        .namespace(&query.namespace)
        .metric_name(&query.metric)
        .set_dimensions(Some(dimensions))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(query.period).unwrap_or(i32::MAX))
        .stat(statistic(query.statistic))
        .build();
    MetricDataQuery::builder().id(format!("q{n}")).metric_stat(stat).build()
}

/// CloudWatch's name of a statistic.
fn statistic(statistic: Statistic) -> String {
    match statistic {
        Statistic::Sum => "Sum".to_owned(),
        Statistic::Average => "Average".to_owned(),
        Statistic::Minimum => "Minimum".to_owned(),
        Statistic::Maximum => "Maximum".to_owned(),
        Statistic::SampleCount => "SampleCount".to_owned(),
        Statistic::Percentile(percent) => {
            let text = format!("{percent:.2}");
            format!("p{}", text.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

fn metric_error(error: &CloudError) -> MetricError {
    match error {
        CloudError::Denied { help, .. } => MetricError::Refused(format!("{error}; {help}")),
        CloudError::Rejected { message, code } => MetricError::Refused(format!("{message} ({code})")),
        CloudError::Missing { .. } | CloudError::NotBefore { .. } => MetricError::Refused(error.to_string()),
        CloudError::Throttled { message, .. } | CloudError::Unknown { message } => MetricError::Failed(message.clone()),
    }
}

/// What all pages said of each query.
struct Merged(Vec<Answered>);

/// The points of one query, and the last word on it.
#[derive(Clone, Default)]
struct Answered {
    points: Points,
    /// Whether any page held the query at all: silence is no empty answer.
    named: bool,
    status: Option<StatusCode>,
}

impl Merged {
    fn new(queries: usize) -> Self {
        Self(vec![Answered::default(); queries])
    }

    fn add(&mut self, results: &[MetricDataResult]) {
        for result in results {
            let place = result
                .id()
                .and_then(|id| id.strip_prefix('q'))
                .and_then(|n| n.parse::<usize>().ok());
            let Some(Answered { points, named, status }) = place.and_then(|n| self.0.get_mut(n)) else {
                continue;
            };
            *named = true;
            let moments = result.timestamps().iter().map(timestamp);
            points.extend(moments.zip(result.values()).filter_map(|(at, value)| at.map(|at| (at, *value))));
            // An error on one page is not made good by a later one.
            if !matches!(status, Some(StatusCode::InternalError | StatusCode::Forbidden)) {
                *status = result.status_code().cloned();
            }
        }
    }

    fn into_answers(self) -> impl Iterator<Item = Result<Points, MetricError>> {
        self.0.into_iter().map(|Answered { mut points, named, status }| match status {
            None if !named => Err(MetricError::Failed("not answered".to_owned())),
            None | Some(StatusCode::Complete) => {
                points.sort_by_key(|(at, _)| *at);
                points.dedup_by_key(|(at, _)| *at);
                Ok(points)
            }
            Some(StatusCode::Forbidden) => Err(MetricError::Refused("CloudWatch forbids this metric".to_owned())),
            Some(StatusCode::PartialData) => Err(MetricError::Failed("CloudWatch returned part of the data only".to_owned())),
            Some(other) => Err(MetricError::Failed(format!("CloudWatch answered {other}"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn result(id: &str, status: StatusCode, points: &[(i64, f64)]) -> MetricDataResult {
        MetricDataResult::builder()
            .id(id)
            .status_code(status)
            .set_timestamps(Some(points.iter().map(|(at, _)| DateTime::from_secs(*at)).collect()))
            .set_values(Some(points.iter().map(|(_, value)| *value).collect()))
            .build()
    }

    #[test]
    fn points_of_one_query_are_put_together_over_pages() {
        let mut merged = Merged::new(3);
        merged.add(&[
            result("q1", StatusCode::PartialData, &[(60, 1.0), (120, 2.0)]),
            result("q0", StatusCode::Complete, &[]),
        ]);
        merged.add(&[
            result("q1", StatusCode::Complete, &[(180, 3.0)]),
            result("x", StatusCode::Complete, &[(1, 1.0)]),
        ]);
        let answers: Vec<_> = merged.into_answers().collect();
        assert_eq!(answers[0], Ok(vec![]));
        assert_eq!(answers[1], Ok(vec![(at(60), 1.0), (at(120), 2.0), (at(180), 3.0)]));
        assert_eq!(
            answers[2],
            Err(MetricError::Failed("not answered".to_owned())),
            "no page held it: that is no empty answer"
        );
    }

    #[test]
    fn each_query_has_its_own_error() {
        let mut merged = Merged::new(4);
        merged.add(&[
            result("q0", StatusCode::Forbidden, &[]),
            result("q1", StatusCode::InternalError, &[]),
            result("q2", StatusCode::PartialData, &[(60, 1.0)]),
            result("q3", StatusCode::Complete, &[(60, 1.0)]),
        ]);
        merged.add(&[result("q1", StatusCode::Complete, &[])]);
        let answers: Vec<_> = merged.into_answers().collect();
        assert!(matches!(answers[0], Err(MetricError::Refused(_))));
        assert!(matches!(answers[1], Err(MetricError::Failed(_))));
        assert!(matches!(answers[2], Err(MetricError::Failed(_))));
        assert_eq!(answers[3], Ok(vec![(at(60), 1.0)]));
    }

    #[test]
    fn a_period_that_is_no_longer_kept_is_refused_instead_of_empty() {
        let now = at(100 * DAY_SECONDS);
        let back = |days: i64| at((100 - days) * DAY_SECONDS);
        assert!(kept(60, back(1), now).is_ok());
        assert!(kept(90, back(1), now).is_err());
        assert!(kept(0, back(1), now).is_err());
        assert!(kept(60, back(16), now).is_err());
        assert!(kept(300, back(16), now).is_ok());
        assert!(kept(300, back(64), now).is_err());
        assert!(kept(3_600, back(64), now).is_ok());
    }

    #[test]
    fn a_query_carries_its_whole_dimension_set_and_no_unit() {
        let query = query_of(
            7,
            &MetricQuery {
                namespace: "AWS/Lambda".to_owned(),
                metric: "Duration".to_owned(),
                dimensions: vec![("FunctionName".to_owned(), "f".to_owned())],
                statistic: Statistic::Percentile(99.9),
                period: 60,
            },
        );
        assert_eq!(query.id(), Some("q7"));
        let stat = query.metric_stat().unwrap();
        assert_eq!((stat.stat(), stat.period(), stat.unit()), (Some("p99.9"), Some(60), None));
        assert_eq!(stat.metric().unwrap().dimensions().len(), 1);
        assert_eq!(statistic(Statistic::Percentile(95.0)), "p95");
        assert_eq!(statistic(Statistic::Percentile(100.0)), "p100");
    }
}
