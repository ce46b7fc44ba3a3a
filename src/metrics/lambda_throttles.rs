//! Why Lambda refused runs. `Throttles` carries no reason, so every cause here is inferred from concurrency in the same
//! minute.

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
        for (at, count) in &throttles.points {
            let minute = Minute {
                at: *at,
                own: &own,
                account: &account,
            };
            let cause = match limits.reserved.get(name) {
                Some(Some(limit)) => minute.cause_of_reserved(*limit),
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
    fn cause_of_reserved(&self, limit: u32) -> String {
        match self.own.get(&self.at) {
            _ if limit == 0 => "reserved limit 0: the function is blocked".to_owned(),
            Some(own) if at_limit(*own, limit) => format!("reserved limit {}", number(f64::from(limit))),
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

fn at_limit(used: f64, limit: u32) -> bool {
    used >= f64::from(limit) * AT_LIMIT
}
