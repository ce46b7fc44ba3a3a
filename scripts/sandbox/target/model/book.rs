//! The metric book: what happened, per series and minute, until somebody carries it away.
//!
//! Knows `CloudWatch`'s words (namespace, dimensions, unit) and nothing of the services that write here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::time::Time;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    Count,
    Milliseconds,
    Seconds,
    Percent,
}

/// The full name of a metric. Dimensions match exactly and completely or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Series {
    pub(crate) namespace: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) dimensions: BTreeMap<&'static str, String>,
    pub(crate) unit: Unit,
}

/// A series of one book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeriesId(usize);

/// An increment to one minute of one series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Point {
    #[serde(flatten)]
    pub(crate) series: Arc<Series>,
    pub(crate) minute: u64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) count: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) counts: Vec<u64>,
}

#[derive(Debug)]
struct Stat {
    minute: u64,
    sum: f64,
    min: f64,
    max: f64,
    count: u64,
    /// Keyed by the bits of the rounded value, which sort as the (never negative) values do.
    values: BTreeMap<u64, u64>,
}

#[derive(Debug)]
struct Column {
    series: Arc<Series>,
    open: Vec<Stat>,
}

#[derive(Debug, Default)]
pub(crate) struct Book {
    columns: Vec<Column>,
    touched: Vec<usize>,
}

impl Book {
    /// Opens a series. Whoever asks twice for one name gets two columns, so ask once.
    pub(crate) fn series(
        &mut self,
        namespace: &'static str,
        metric: &'static str,
        unit: Unit,
        dimensions: &[(&'static str, &str)],
    ) -> SeriesId {
        let dimensions = dimensions.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let series = Arc::new(Series {
            namespace,
            metric,
            dimensions,
            unit,
        });
        self.columns.push(Column { series, open: Vec::new() });
        SeriesId(self.columns.len() - 1)
    }

    pub(crate) fn record(&mut self, at: Time, series: SeriesId, value: f64) {
        let Some(column) = self.columns.get_mut(series.0) else { return };
        if column.open.is_empty() {
            self.touched.push(series.0);
        }
        let with_values = matches!(column.series.unit, Unit::Milliseconds | Unit::Seconds);
        column.add(at.minute(), value, with_values);
    }

    /// One of something.
    pub(crate) fn count(&mut self, at: Time, series: SeriesId) {
        self.record(at, series, 1.0);
    }

    /// Everything since the last time, in the order in which series were first touched.
    pub(crate) fn drain(&mut self) -> Vec<Point> {
        let mut points = Vec::new();
        for touched in std::mem::take(&mut self.touched) {
            if let Some(column) = self.columns.get_mut(touched) {
                points.extend(std::mem::take(&mut column.open).into_iter().map(|stat| stat.point(&column.series)));
            }
        }
        points
    }
}

impl Column {
    fn add(&mut self, minute: u64, value: f64, with_values: bool) {
        let index = self.open.iter().rposition(|stat| stat.minute == minute).unwrap_or_else(|| {
            self.open.push(Stat {
                minute,
                sum: 0.0,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
                count: 0,
                values: BTreeMap::new(),
            });
            self.open.len() - 1
        });
        let Some(stat) = self.open.get_mut(index) else { return };
        stat.sum += value;
        stat.min = stat.min.min(value);
        stat.max = stat.max.max(value);
        stat.count += 1;
        if with_values {
            *stat.values.entry(three_digits(value).to_bits()).or_insert(0) += 1;
        }
    }
}

impl Stat {
    fn point(self, series: &Arc<Series>) -> Point {
        Point {
            series: Arc::clone(series),
            minute: self.minute,
            sum: self.sum,
            min: self.min,
            max: self.max,
            count: self.count,
            values: self.values.keys().map(|bits| f64::from_bits(*bits)).collect(),
            counts: self.values.into_values().collect(),
        }
    }
}

/// Rounds to three significant digits, so that a minute keeps at most 900 values a decade.
fn three_digits(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf(2.0 - value.log10().floor());
    if scale >= 1.0 {
        (value * scale).round() / scale
    } else {
        (value * scale).round() * scale.recip().round()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Time {
        Time::since_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn a_minute_is_drained_once_and_late_increments_come_alone() {
        let mut book = Book::default();
        let latency = book.series("AWS/ApiGateway", "Latency", Unit::Milliseconds, &[("ApiName", "a")]);
        book.record(at(119), latency, 1234.0);
        book.record(at(119), latency, 1236.0);
        book.record(at(120), latency, 7.0);
        let points = book.drain();
        assert_eq!(points.len(), 2);
        assert_eq!((points[0].minute, points[0].sum, points[0].count), (60, 2470.0, 2));
        assert_eq!((points[0].min, points[0].max), (1234.0, 1236.0));
        assert_eq!(
            (points[0].values.clone(), points[0].counts.clone()),
            (vec![1230.0, 1240.0], vec![1, 1])
        );
        assert_eq!(points[1].minute, 120);
        assert!(book.drain().is_empty());
        book.record(at(61), latency, 5.0);
        assert_eq!(book.drain()[0].count, 1);
    }

    #[test]
    fn a_point_has_the_contracts_shape() {
        let mut book = Book::default();
        let throttles = book.series("AWS/Lambda", "Throttles", Unit::Count, &[("FunctionName", "x")]);
        book.count(at(60), throttles);
        let json = serde_json::to_value(&book.drain()[0]).unwrap();
        let want = serde_json::json!({"namespace": "AWS/Lambda", "metric": "Throttles", "unit": "Count",
            "dimensions": {"FunctionName": "x"}, "minute": 60, "sum": 1.0, "min": 1.0, "max": 1.0, "count": 1});
        assert_eq!(json, want);
    }

    proptest! {
        #[test]
        fn rounding_stays_within_half_a_percent(value in 1e-6_f64..1e9) {
            let rounded = three_digits(value);
            prop_assert!((rounded - value).abs() <= value * 0.005_001, "{value} became {rounded}");
        }
    }
}
