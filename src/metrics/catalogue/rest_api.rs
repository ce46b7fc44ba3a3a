//! The metrics of API Gateway, REST.
//!
//! Its own 429s are among 4XXError, when they are counted at all.

use super::rows::{Service, counter, gauge, raw};
use super::{Pattern, Row, Unit};
use crate::metrics::Statistic::{Average, Maximum, Sum};

const REST_API: Service = ("rest-api", "AWS/ApiGateway", &[Pattern::Stage]);

pub(super) const ROWS: &[Row] = &[
    counter(REST_API, "count", "Count", "Requests."),
    shares(counter(
        REST_API,
        "4xx_error",
        "4XXError",
        "Answers 4xx, 429s of the gateway among them; the average is their share.",
    )),
    shares(counter(
        REST_API,
        "5xx_error",
        "5XXError",
        "Answers 5xx; the average is their share.",
    )),
    raw(gauge(
        REST_API,
        "latency",
        "Latency",
        Unit::Milliseconds,
        &[Average, Maximum],
        "From the request's arrival at the gateway to the answer.",
    )),
    raw(gauge(
        REST_API,
        "integration_latency",
        "IntegrationLatency",
        Unit::Milliseconds,
        &[Average, Maximum],
        "What of it the backend took.",
    )),
    shares(counter(
        REST_API,
        "cache_hit_count",
        "CacheHitCount",
        "Requests answered from the cache; the average is their share.",
    )),
    shares(counter(
        REST_API,
        "cache_miss_count",
        "CacheMissCount",
        "Requests that the cache could not answer; the average is their share.",
    )),
];

/// Every request counts 0 or 1, so that the average is the share.
const fn shares(row: Row) -> Row {
    Row {
        unit: Unit::CountOrShare,
        statistics: &[Sum, Average],
        ..row
    }
}
