//! Why `DynamoDB` refused reads and writes.
//!
//! Three layers of metrics tell of the same refusals. The reason metrics name the cause; the throttle events do not,
//! and count only for what the reasons leave over; throttled requests count only in minutes in which a table has no
//! events at all. A table's events do not include its indexes', so the two are listed apart.

use std::collections::BTreeMap;

use super::ledger::{Entry, by_minute, note};
use super::{Completeness, Says, Series, Statistic};
use crate::units::Timestamp;

const DIRECTIONS: [&str; 2] = ["read", "write"];

/// What a reason metric is called between its direction and its end, and what it means.
const REASONS: [(&str, &str); 4] = [
    ("provisioned_throughput", "provisioned units"),
    ("key_range_throughput", "key range"),
    ("account_limit", "account limit"),
    ("max_on_demand_throughput", "on-demand maximum"),
];

pub(super) fn find(series: &[Series]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut explained: BTreeMap<(String, Timestamp), f64> = BTreeMap::new();
    for direction in DIRECTIONS {
        let reasons = reasons(series, direction, &mut entries);
        for (key, count) in &reasons.minutes {
            *explained.entry((key.0.clone(), key.2)).or_default() += count;
        }
        leftovers(series, direction, &reasons, &mut entries, &mut explained);
    }
    requests(series, &explained, &mut entries);
    entries
}

/// What AWS itself gave reasons for, by resource, part and minute.
struct Reasons {
    minutes: BTreeMap<(String, String, Timestamp), f64>,
}

impl Reasons {
    fn gave_any(&self, series: &Series) -> bool {
        self.minutes
            .iter()
            .any(|(key, count)| key.0 == series.resource && key.1 == series.part && *count > 0.0)
    }

    fn of(&self, series: &Series, at: Timestamp) -> f64 {
        self.minutes
            .get(&(series.resource.clone(), series.part.clone(), at))
            .copied()
            .unwrap_or(0.0)
    }
}

fn reasons(series: &[Series], direction: &str, entries: &mut Vec<Entry>) -> Reasons {
    let mut minutes = BTreeMap::new();
    for (name, words) in REASONS {
        let metric = format!("aws.dynamodb.{direction}_{name}_throttle_events");
        for series in by_minute(series, &metric, Statistic::Sum) {
            for (at, count) in &series.points {
                note(entries, series, format!("{words}, {direction}"), Says::Aws, *at, *count);
                *minutes.entry((series.resource.clone(), series.part.clone(), *at)).or_default() += count;
            }
        }
    }
    Reasons { minutes }
}

/// Events beyond those with a reason. Where AWS gives no reasons at all, used-up provisioned units are the usual one.
fn leftovers(
    series: &[Series],
    direction: &str,
    reasons: &Reasons,
    entries: &mut Vec<Entry>,
    explained: &mut BTreeMap<(String, Timestamp), f64>,
) {
    let metric = format!("aws.dynamodb.{direction}_throttle_events");
    for events in by_minute(series, &metric, Statistic::Sum) {
        let cause = if reasons.gave_any(events) {
            format!("no reason given, {direction}")
        } else {
            format!("provisioned units, {direction}")
        };
        for (at, count) in &events.points {
            let left = (count - reasons.of(events, *at)).max(0.0);
            note(entries, events, cause.clone(), Says::Inferred, *at, left);
            *explained.entry((events.resource.clone(), *at)).or_default() += left;
        }
    }
}

/// Requests in minutes for which nothing finer is known.
fn requests(series: &[Series], explained: &BTreeMap<(String, Timestamp), f64>, entries: &mut Vec<Entry>) {
    for requests in by_minute(series, "aws.dynamodb.throttled_requests", Statistic::Sum) {
        if matches!(requests.completeness, Completeness::Failed { .. }) {
            continue;
        }
        let operation = Series {
            part: String::new(),
            points: Vec::new(),
            ..requests.clone()
        };
        for (at, count) in &requests.points {
            if explained.get(&(requests.resource.clone(), *at)).is_none_or(|known| *known <= 0.0) {
                note(
                    entries,
                    &operation,
                    format!("capacity, {}", requests.part),
                    Says::Inferred,
                    *at,
                    *count,
                );
            }
        }
    }
}
