//! Why Lambda refused runs. `Throttles` carries no reason, so every cause here is inferred from concurrency in the same
//! minute. Limits are known only as they are now; where they do not explain what was, an older limit is read off the
//! level at which concurrency stood still.

use std::collections::BTreeMap;

use super::ledger::{Entry, by_minute, note};
use super::{Limits, Says, Series, Statistic};
use crate::units::{Timestamp, number};

/// Concurrency counts as "at the limit" from this share of it: the maximum of a minute is itself a sample.
const AT_LIMIT: f64 = 0.98;

/// More new environments than this in ten seconds are refused.
const SCALING_STEP: f64 = 1_000.0;

const CONCURRENCY: &str = "aws.lambda.concurrent_executions";

pub(super) fn find(series: &[Series], limits: &Limits) -> Vec<Entry> {
    let mut entries = Vec::new();
    let account = concurrency(series, "lambda/*");
    for throttles in by_minute(series, "aws.lambda.throttles", Statistic::Sum) {
        let name = throttles.resource.split_once('/').map_or("", |(_, name)| name);
        let own = concurrency(series, &throttles.resource);
        let throttled = throttles.points.iter().filter(|(_, count)| *count > 0.0);
        let while_throttled: Vec<f64> = throttled.filter_map(|(at, _)| own.get(at).copied()).collect();
        for (at, count) in &throttles.points {
            let minute = Minute {
                at: *at,
                own: &own,
                account: &account,
            };
            let cause = match limits.reserved.get(name) {
                Some(Some(limit)) => minute.cause_of_reserved(*limit, &while_throttled),
                Some(None) => minute.cause_of_unreserved(limits.account),
                // Not knowing whether there is a reservation, nothing can be ruled out.
                None => "unknown".to_owned(),
            };
            note(&mut entries, throttles, cause, Says::Inferred, *at, *count);
        }
    }
    entries
}

fn concurrency(series: &[Series], resource: &str) -> BTreeMap<Timestamp, f64> {
    by_minute(series, CONCURRENCY, Statistic::Maximum)
        .filter(|series| series.resource == resource)
        .flat_map(|series| series.points.iter().copied())
        .collect()
}

/// Concurrency around a minute.
struct Minute<'a> {
    at: Timestamp,
    own: &'a BTreeMap<Timestamp, f64>,
    account: &'a BTreeMap<Timestamp, f64>,
}

impl Minute<'_> {
    fn cause_of_reserved(&self, limit: u32, while_throttled: &[f64]) -> String {
        match self.own.get(&self.at) {
            _ if limit == 0 => "reserved limit 0: the function is blocked".to_owned(),
            Some(own) if at_limit(*own, limit) => format!("reserved limit {}", number(f64::from(limit))),
            Some(own) if let Some(level) = plateau(while_throttled, limit).filter(|level| *own >= level * AT_LIMIT) => {
                format!("reserved limit about {} (as observed; the limit has changed since)", number(level))
            }
            _ => self.cause_of_scaling(),
        }
    }

    fn cause_of_unreserved(&self, account: Option<u32>) -> String {
        match (account, self.account.get(&self.at)) {
            (Some(limit), Some(used)) if at_limit(*used, limit) => format!("account concurrency {}", number(f64::from(limit))),
            _ => self.cause_of_scaling(),
        }
    }

    fn cause_of_scaling(&self) -> String {
        if self.jumped() { "scaling rate" } else { "unknown" }.to_owned()
    }

    /// Whether concurrency grew by more than one step of the scaling rate within the minute.
    fn jumped(&self) -> bool {
        let Some(now) = self.own.get(&self.at) else { return false };
        let before = self.own.range(..self.at).next_back().map_or(0.0, |(_, value)| *value);
        now - before >= SCALING_STEP
    }
}

/// Where concurrency stood still while runs were refused, below the limit of today: the limit was lower then. One
/// minute is no plateau, it is always its own maximum.
fn plateau(while_throttled: &[f64], limit: u32) -> Option<f64> {
    let below = || while_throttled.iter().copied().filter(|own| *own >= 1.0 && !at_limit(*own, limit));
    let level = below().fold(0.0, f64::max);
    (below().filter(|own| *own >= level * AT_LIMIT).count() >= 2).then_some(level)
}

fn at_limit(used: f64, limit: u32) -> bool {
    used >= f64::from(limit) * AT_LIMIT
}
