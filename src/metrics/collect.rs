//! Fetches series. An error is recorded with its series and is never a zero.

use super::{Completeness, MetricError, MetricQuery, MetricSource, Missing, Queries, Series, SeriesKey, TimeWindow};
use crate::units::Timestamp;

/// One pull of everything asked for, in its order. Nothing is settled yet: that is for [`super::Settling`] to say.
pub async fn collect<S: MetricSource>(source: &S, queries: &Queries) -> Vec<Series> {
    let mut series: Vec<Option<Series>> = vec![None; queries.wanted.len()];
    for window in windows(queries) {
        let chosen: Vec<usize> = (0..queries.wanted.len())
            .filter(|at| queries.wanted[*at].0.window == window)
            .collect();
        let batch: Vec<MetricQuery> = chosen.iter().map(|at| queries.wanted[*at].1.clone()).collect();
        let mut answers = source.fetch(&batch, window).await.into_iter();
        for at in chosen {
            let answer = answers
                .next()
                .unwrap_or_else(|| Err(MetricError::Failed("the answer did not hold this series".to_owned())));
            series[at] = Some(read(&queries.wanted[at].0, answer));
        }
    }
    series.into_iter().flatten().chain(queries.impossible.iter().cloned()).collect()
}

/// The distinct windows, in order of appearance; one fetch each.
fn windows(queries: &Queries) -> Vec<TimeWindow> {
    let mut windows: Vec<TimeWindow> = Vec::new();
    for (key, _) in &queries.wanted {
        if !windows.contains(&key.window) {
            windows.push(key.window);
        }
    }
    windows
}

fn read(key: &SeriesKey, answer: Result<Vec<(Timestamp, f64)>, MetricError>) -> Series {
    match answer {
        Ok(mut points) => {
            points.retain(|(at, value)| *at < key.window.to && value.is_finite());
            points.sort_by_key(|(at, _)| *at);
            let nothing = points.is_empty() && key.missing == Missing::Unknown;
            key.with(points, if nothing { Completeness::Empty } else { Completeness::Provisional })
        }
        Err(error) => key.with(Vec::new(), Completeness::Failed { error: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::metrics::{Activity, Ask, Statistic, queries};
    use crate::setting::Resource;

    struct Table(BTreeMap<String, Result<Vec<(Timestamp, f64)>, MetricError>>);

    impl MetricSource for Table {
        async fn fetch(&self, queries: &[MetricQuery], _: TimeWindow) -> Vec<Result<Vec<(Timestamp, f64)>, MetricError>> {
            queries
                .iter()
                .map(|query| self.0.get(&query.metric).cloned().unwrap_or(Ok(Vec::new())))
                .collect()
        }

        async fn activities(&self, _: TimeWindow) -> Result<Vec<Activity>, MetricError> {
            Ok(Vec::new())
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn get<'a>(series: &'a [Series], metric: &str) -> &'a Series {
        series.iter().find(|series| series.metric == metric).unwrap()
    }

    #[tokio::test]
    async fn an_error_of_one_series_is_its_own_and_never_a_zero() {
        let window = TimeWindow::covering(at("2026-11-21T14:04:00Z"), at("2026-11-21T14:09:00Z"));
        let sub = TimeWindow::covering(at("2026-11-21T14:05:00Z"), at("2026-11-21T14:07:00Z"));
        let source = Table(BTreeMap::from([
            ("Throttles".to_owned(), Err(MetricError::Refused("AccessDenied".to_owned()))),
            (
                "Invocations".to_owned(),
                Ok(vec![(at("2026-11-21T14:06:00Z"), 2.0), (at("2026-11-21T14:05:00Z"), 1.0)]),
            ),
        ]));
        let ask = Ask {
            kind: "lambda".into(),
            metric: "duration".into(),
            statistic: Statistic::Percentile(95.0),
            window: sub,
            period: 120,
        };
        let wanted = queries(&[Resource::Lambda { name: "orders".into() }], &BTreeMap::new(), &[ask], window);
        let series = collect(&source, &wanted).await;
        assert_eq!(series.len(), wanted.wanted.len());
        assert_eq!(
            get(&series, "aws.lambda.throttles").completeness,
            Completeness::Failed {
                error: "AWS refused: AccessDenied".to_owned()
            }
        );
        let invocations = get(&series, "aws.lambda.invocations");
        assert_eq!(invocations.completeness, Completeness::Provisional);
        assert!(invocations.points.is_sorted_by_key(|(at, _)| *at));
        assert_eq!(get(&series, "aws.lambda.errors").completeness, Completeness::Empty);
        assert_eq!(
            get(&series, "aws.lambda.dead_letter_errors").completeness,
            Completeness::Provisional
        );
    }

    #[tokio::test]
    async fn an_answer_that_is_too_short_fails_what_it_lacks() {
        struct Mute;
        impl MetricSource for Mute {
            async fn fetch(&self, _: &[MetricQuery], _: TimeWindow) -> Vec<Result<Vec<(Timestamp, f64)>, MetricError>> {
                Vec::new()
            }
            async fn activities(&self, _: TimeWindow) -> Result<Vec<Activity>, MetricError> {
                Ok(Vec::new())
            }
        }
        let window = TimeWindow::covering(at("2026-11-21T14:04:00Z"), at("2026-11-21T14:09:00Z"));
        let wanted = queries(&[Resource::Lambda { name: "orders".into() }], &BTreeMap::new(), &[], window);
        let series = collect(&Mute, &wanted).await;
        assert!(
            series
                .iter()
                .all(|series| matches!(series.completeness, Completeness::Failed { .. }))
        );
    }
}
