//! Every throttle by resource and cause.
//!
//! Each refused request or event is counted once, under the cause that the best source names: AWS's own reason before
//! what other metrics of the same minute let one conclude.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::align::MINUTE;
use super::{Completeness, Series, Statistic, dynamodb_throttles, lambda_throttles};
use crate::units::Timestamp;

/// All throttles of a window, and what was looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Greatest first.
    pub throttles: Vec<Throttle>,
    /// Resources looked at, as `KIND/NAME`.
    pub looked_at: Vec<String>,
    /// What was not, or could not be, looked at, and why.
    pub not_looked_at: Vec<String>,
    /// Minutes up to here are complete.
    pub complete_to: Option<Timestamp>,
}

/// The throttles of one resource for one cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throttle {
    /// `lambda/hcg-demo-supervisor-agent`.
    pub resource: String,
    /// An index; empty otherwise.
    pub part: String,
    /// In all.
    pub count: f64,
    /// In the worst minute.
    pub peak: f64,
    /// The worst minute.
    pub peak_at: Timestamp,
    /// First and last minute with throttles.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// In words: `reserved limit 100`, `key range, write`, `provisioned units, write`.
    pub cause: String,
    /// Who says so.
    pub says: Says,
    /// By minute, for charts.
    pub minutes: Vec<(Timestamp, f64)>,
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// A metric or a reason of AWS names the cause.
    Aws,
    /// Concluded from other metrics of the same minute.
    Inferred,
}

/// What functions may use, as observed: at the start of a run, or, for minutes gone by, now. They may have been others
/// in the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// By function name: its reservation, or `None` when it has none. A function that is not in here was not asked.
    pub reserved: BTreeMap<String, Option<u32>>,
    /// The account's concurrent executions.
    pub account: Option<u32>,
}

impl Ledger {
    /// Reads every throttle out of the series, each once.
    #[must_use]
    pub fn of(series: &[Series], limits: &Limits, complete_to: Option<Timestamp>) -> Self {
        let mut entries = lambda_throttles::find(series, limits);
        entries.extend(dynamodb_throttles::find(series));
        entries.extend(balancers(series));
        let mut throttles: Vec<Throttle> = entries.into_iter().filter_map(Entry::close).collect();
        throttles.sort_by(|a, b| {
            b.count
                .total_cmp(&a.count)
                .then_with(|| a.resource.cmp(&b.resource))
                .then_with(|| a.cause.cmp(&b.cause))
        });
        let (looked_at, not_looked_at) = looked(series);
        Self {
            throttles,
            looked_at,
            not_looked_at,
            complete_to,
        }
    }

    /// All throttles of a kind of resource.
    #[must_use]
    pub fn total(&self, kind: &str) -> f64 {
        self.throttles
            .iter()
            .filter(|throttle| throttle.resource.split('/').next() == Some(kind))
            .map(|throttle| throttle.count)
            .sum()
    }
}

/// A throttle while its minutes are gathered.
pub(super) struct Entry {
    pub(super) resource: String,
    pub(super) part: String,
    pub(super) cause: String,
    pub(super) says: Says,
    pub(super) minutes: BTreeMap<Timestamp, f64>,
}

impl Entry {
    /// `None` when there was nothing after all.
    fn close(self) -> Option<Throttle> {
        let minutes: Vec<(Timestamp, f64)> = self.minutes.into_iter().filter(|(_, count)| *count > 0.0).collect();
        let (first, last) = (minutes.first()?.0, minutes.last()?.0);
        let (peak_at, peak) = minutes
            .iter()
            .fold((first, 0.0), |peak, point| if point.1 > peak.1 { *point } else { peak });
        Some(Throttle {
            resource: self.resource,
            part: self.part,
            count: minutes.iter().map(|(_, count)| count).sum(),
            peak,
            peak_at,
            first,
            last,
            cause: self.cause,
            says: self.says,
            minutes,
        })
    }
}

/// Adds to the entry of the same resource and cause, or begins it.
pub(super) fn note(entries: &mut Vec<Entry>, series: &Series, cause: String, says: Says, at: Timestamp, count: f64) {
    let found = entries
        .iter_mut()
        .position(|entry| entry.resource == series.resource && entry.part == series.part && entry.cause == cause && entry.says == says);
    let index = found.unwrap_or_else(|| {
        entries.push(Entry {
            resource: series.resource.clone(),
            part: series.part.clone(),
            cause,
            says,
            minutes: BTreeMap::new(),
        });
        entries.len() - 1
    });
    *entries[index].minutes.entry(at).or_default() += count;
}

/// The per-minute series of a metric.
pub(super) fn by_minute<'a>(series: &'a [Series], metric: &'a str, statistic: Statistic) -> impl Iterator<Item = &'a Series> {
    series
        .iter()
        .filter(move |series| series.metric == metric && series.statistic == statistic && series.period == MINUTE)
}

/// What a load balancer turned away.
fn balancers(series: &[Series]) -> Vec<Entry> {
    const CAUSES: [(&str, &str, Says); 2] = [
        ("aws.alb.rejected_connection_count", "connections at the maximum", Says::Aws),
        (
            "aws.alb.http_code_elb_503_count",
            "503 by the balancer: no target or no room",
            Says::Inferred,
        ),
    ];
    let mut entries = Vec::new();
    for (metric, cause, says) in CAUSES {
        for series in by_minute(series, metric, Statistic::Sum) {
            for (at, count) in &series.points {
                note(&mut entries, series, cause.to_owned(), says, *at, *count);
            }
        }
    }
    entries
}

/// Whether a series is one that throttles are read from.
fn tells_throttles(series: &Series) -> bool {
    series.metric.contains("throttle")
        || series.metric == "aws.alb.rejected_connection_count"
        || series.metric == "aws.alb.http_code_elb_503_count"
}

/// Resources looked at, and what could not be, with the reason.
fn looked(series: &[Series]) -> (Vec<String>, Vec<String>) {
    let mut looked: BTreeSet<String> = BTreeSet::new();
    let mut not: BTreeMap<(String, String), (String, usize)> = BTreeMap::new();
    for series in series {
        if series.resource.starts_with("rest-api/") {
            not.insert((series.resource.clone(), String::new()), ("429s need access logs".to_owned(), 1));
        }
        if !tells_throttles(series) {
            continue;
        }
        let why = match &series.completeness {
            Completeness::Failed { error } => error.clone(),
            Completeness::Empty => "nothing was ever published".to_owned(),
            Completeness::Settled | Completeness::Provisional => {
                looked.insert(series.resource.clone());
                continue;
            }
        };
        let metric = series.metric.rsplit('.').next().unwrap_or_default().to_owned();
        not.entry((series.resource.clone(), why.clone())).or_insert((metric, 0)).1 += 1;
    }
    let not = not
        .into_iter()
        .map(|((resource, why), (what, count))| match (why.is_empty(), count) {
            (true, _) => format!("{resource}: {what}"),
            (false, 1) => format!("{resource} {what}: {why}"),
            (false, more) => format!("{resource} {what} and {} more: {why}", more - 1),
        });
    (looked.into_iter().collect(), not.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Missing, catalogue};

    fn at(minute: u32) -> Timestamp {
        format!("2026-11-21T14:{minute:02}:00Z").parse().unwrap()
    }

    /// `lambda/a/index` with `lambda.throttles` by minute from 14:04.
    fn series(resource: &str, part: &str, metric: &str, statistic: Statistic, values: &[f64]) -> Series {
        let (kind, name) = metric.split_once('.').unwrap();
        let row = catalogue::find(kind, name).unwrap();
        Series {
            resource: resource.to_owned(),
            part: part.to_owned(),
            metric: row.full_name(),
            statistic,
            unit: row.unit.word().to_owned(),
            period: MINUTE,
            points: (4..).map(at).zip(values.iter().copied()).collect(),
            missing: row.missing,
            completeness: Completeness::Settled,
        }
    }

    fn throttles(name: &str, values: &[f64]) -> Series {
        series(name, "", "lambda.throttles", Statistic::Sum, values)
    }

    fn concurrency(name: &str, values: &[f64]) -> Series {
        series(name, "", "lambda.concurrent_executions", Statistic::Maximum, values)
    }

    fn table(part: &str, metric: &str, values: &[f64]) -> Series {
        series("dynamodb/t", part, &format!("dynamodb.{metric}"), Statistic::Sum, values)
    }

    fn limits(reserved: Option<u32>) -> Limits {
        Limits {
            reserved: [("a".to_owned(), reserved)].into(),
            account: Some(1_000),
        }
    }

    fn causes(ledger: &Ledger) -> Vec<(&str, &str, f64, Says)> {
        ledger
            .throttles
            .iter()
            .map(|throttle| (throttle.part.as_str(), throttle.cause.as_str(), throttle.count, throttle.says))
            .collect()
    }

    #[test]
    fn a_lambda_throttle_is_blamed_on_what_was_full_in_the_same_minute() {
        for (reserved, own, account, cause) in [
            (Some(100), 100.0, 300.0, "reserved limit 100"),
            (Some(100), 99.0, 300.0, "reserved limit 100"),
            (Some(100), 40.0, 1_000.0, "unknown"),
            (Some(0), 0.0, 10.0, "reserved limit 0: the function is blocked"),
            (None, 700.0, 1_000.0, "account concurrency 1,000"),
            (None, 300.0, 400.0, "unknown"),
            (Some(5_000), 1_200.0, 1_200.0, "scaling rate"),
        ] {
            let all = [
                throttles("lambda/a", &[0.0, 5.0]),
                concurrency("lambda/a", &[10.0, own]),
                concurrency("lambda/*", &[20.0, account]),
            ];
            let ledger = Ledger::of(&all, &limits(reserved), None);
            assert_eq!(causes(&ledger), [("", cause, 5.0, Says::Inferred)], "{reserved:?} {own} {account}");
        }
    }

    #[test]
    fn a_limit_that_has_changed_since_is_read_off_the_plateau_of_concurrency() {
        const CHANGED: &str = "reserved limit about 50 (as observed; the limit has changed since)";
        for (own, expected) in [
            // Below today's limit of 100 whenever runs were refused; more after the change does not matter.
            ([50.0, 50.0, 50.0, 90.0], vec![("", CHANGED, 15.0, Says::Inferred)]),
            // No plateau.
            ([20.0, 35.0, 50.0, 60.0], vec![("", "unknown", 15.0, Says::Inferred)]),
            // Today's limit explains one minute, and one minute alone is no plateau.
            (
                [100.0, 99.0, 50.0, 0.0],
                vec![
                    ("", "reserved limit 100", 10.0, Says::Inferred),
                    ("", "unknown", 5.0, Says::Inferred),
                ],
            ),
            (
                [100.0, 50.0, 50.0, 0.0],
                vec![("", CHANGED, 10.0, Says::Inferred), ("", "reserved limit 100", 5.0, Says::Inferred)],
            ),
        ] {
            let all = [throttles("lambda/a", &[5.0, 5.0, 5.0, 0.0]), concurrency("lambda/a", &own)];
            let ledger = Ledger::of(&all, &limits(Some(100)), None);
            assert_eq!(causes(&ledger), expected, "{own:?}");
        }
    }

    #[test]
    fn a_function_without_concurrency_data_has_no_known_cause() {
        let ledger = Ledger::of(&[throttles("lambda/a", &[5.0])], &limits(Some(100)), None);
        assert_eq!(causes(&ledger), [("", "unknown", 5.0, Says::Inferred)]);
        let not_asked = Ledger::of(&[throttles("lambda/b", &[5.0])], &Limits::default(), None);
        assert_eq!(causes(&not_asked), [("", "unknown", 5.0, Says::Inferred)]);
    }

    #[test]
    fn minutes_peak_first_and_last_are_told() {
        let all = [
            throttles("lambda/a", &[0.0, 5.0, 61.0, 0.0, 3.0]),
            concurrency("lambda/a", &[100.0; 5]),
        ];
        let ledger = Ledger::of(&all, &limits(Some(100)), Some(at(9)));
        let throttle = &ledger.throttles[0];
        assert_eq!((throttle.count, throttle.peak, throttle.peak_at), (69.0, 61.0, at(6)));
        assert_eq!((throttle.first, throttle.last), (at(5), at(8)));
        assert_eq!(throttle.minutes.len(), 3);
        assert_eq!(ledger.complete_to, Some(at(9)));
    }

    #[test]
    fn dynamodb_throttles_count_once_under_the_best_known_cause() {
        let all = [
            table("", "write_key_range_throughput_throttle_events", &[40.0]),
            table("", "write_throttle_events", &[40.0, 7.0]),
            table("PutItem", "throttled_requests", &[30.0, 5.0, 2.0]),
            table("by-user", "write_throttle_events", &[9.0]),
        ];
        let ledger = Ledger::of(&all, &Limits::default(), None);
        assert_eq!(
            causes(&ledger),
            [
                ("", "key range, write", 40.0, Says::Aws),
                ("by-user", "provisioned units, write", 9.0, Says::Inferred),
                ("", "no reason given, write", 7.0, Says::Inferred),
                ("", "capacity, PutItem", 2.0, Says::Inferred),
            ]
        );
    }

    #[test]
    fn every_reason_of_aws_has_its_words() {
        let reasons = [
            "provisioned_throughput",
            "key_range_throughput",
            "account_limit",
            "max_on_demand_throughput",
        ];
        let all: Vec<Series> = reasons
            .iter()
            .zip([4.0, 3.0, 2.0, 1.0])
            .map(|(reason, count)| table("", &format!("read_{reason}_throttle_events"), &[count]))
            .collect();
        let ledger = Ledger::of(&all, &Limits::default(), None);
        let words: Vec<&str> = causes(&ledger).iter().map(|cause| cause.1).collect();
        assert_eq!(
            words,
            [
                "provisioned units, read",
                "key range, read",
                "account limit, read",
                "on-demand maximum, read"
            ]
        );
        assert!(causes(&ledger).iter().all(|cause| cause.3 == Says::Aws));
    }

    #[test]
    fn a_balancer_that_turns_clients_away_is_listed() {
        let all = [
            series("alb/front", "", "alb.rejected_connection_count", Statistic::Sum, &[2.0]),
            series("alb/front", "", "alb.http_code_elb_503_count", Statistic::Sum, &[8.0]),
        ];
        let ledger = Ledger::of(&all, &Limits::default(), None);
        assert!((ledger.total("alb") - 10.0).abs() < 1e-9);
        assert_eq!(ledger.throttles[0].says, Says::Inferred);
        assert_eq!(ledger.throttles[1].says, Says::Aws);
    }

    #[test]
    fn what_could_not_be_looked_at_is_named_with_the_reason() {
        let denied = |series: Series| Series {
            points: Vec::new(),
            completeness: Completeness::Failed {
                error: "AWS refused: denied".to_owned(),
            },
            ..series
        };
        let all = [
            throttles("lambda/a", &[]),
            denied(throttles("lambda/b", &[])),
            denied(table("GetItem", "throttled_requests", &[])),
            denied(table("PutItem", "throttled_requests", &[])),
            series("rest-api/api", "", "rest-api.count", Statistic::Sum, &[5.0]),
        ];
        let ledger = Ledger::of(&all, &Limits::default(), None);
        assert!(ledger.throttles.is_empty());
        assert_eq!(ledger.looked_at, ["lambda/a"]);
        assert_eq!(
            ledger.not_looked_at,
            [
                "dynamodb/t throttled_requests and 1 more: AWS refused: denied",
                "lambda/b throttles: AWS refused: denied",
                "rest-api/api: 429s need access logs",
            ]
        );
    }

    #[test]
    fn a_series_of_other_periods_is_not_counted_again() {
        let whole = Series {
            period: 300,
            ..throttles("lambda/a", &[9.0])
        };
        assert!(Ledger::of(&[whole], &Limits::default(), None).throttles.is_empty());
        assert_eq!(throttles("lambda/a", &[]).missing, Missing::Zero);
    }
}
