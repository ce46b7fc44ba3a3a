//! API Gateway in front of a REST API: its throttle and its metrics.
//!
//! Knows that something is integrated behind it, not what.

use std::time::Duration;

use super::book::{Book, SeriesId, Unit};
use super::bucket::{Bucket, Tokens};
use super::outcome::Outcome;
use super::time::Time;

const NAMESPACE: &str = "AWS/ApiGateway";
/// The account's throttle: requests a second, and how many may come at once.
const RATE: u64 = 10_000;
const BURST: u64 = 5_000;

#[derive(Clone, Copy, Debug)]
struct Meters {
    count: SeriesId,
    client_error: SeriesId,
    server_error: SeriesId,
    latency: SeriesId,
    integration_latency: SeriesId,
}

#[derive(Debug)]
pub(crate) struct Gateway {
    throttle: Bucket,
    meters: [Meters; 2],
}

impl Gateway {
    pub(crate) fn new(now: Time, book: &mut Book, api: &str, stage: &str) -> Self {
        let whole = Meters::new(book, &[("ApiName", api)]);
        let of_stage = Meters::new(book, &[("ApiName", api), ("Stage", stage)]);
        Self {
            throttle: Bucket::full(now, RATE, BURST),
            meters: [whole, of_stage],
        }
    }

    pub(crate) fn admits(&mut self, now: Time) -> bool {
        self.throttle.take(now, Tokens::ONE)
    }

    /// A request has its answer; `integration` is how long the integration took, if it was called.
    pub(crate) fn answered(&self, now: Time, outcome: Outcome, took: Duration, integration: Option<Duration>, book: &mut Book) {
        let status = outcome.status();
        let one_if = |is: bool| if is { 1.0 } else { 0.0 };
        for meters in &self.meters {
            book.count(now, meters.count);
            book.record(now, meters.client_error, one_if((400..500).contains(&status)));
            book.record(now, meters.server_error, one_if(status >= 500));
            book.record(now, meters.latency, took.as_secs_f64() * 1000.0);
            if let Some(integration) = integration {
                book.record(now, meters.integration_latency, integration.as_secs_f64() * 1000.0);
            }
        }
    }
}

impl Meters {
    fn new(book: &mut Book, dimensions: &[(&'static str, &str)]) -> Self {
        let mut series = |metric, unit| book.series(NAMESPACE, metric, unit, dimensions);
        Self {
            count: series("Count", Unit::Count),
            client_error: series("4XXError", Unit::Count),
            server_error: series("5XXError", Unit::Count),
            latency: series("Latency", Unit::Milliseconds),
            integration_latency: series("IntegrationLatency", Unit::Milliseconds),
        }
    }
}
