//! What AWS measured: the catalogue, the queries, the settling rule and the throttle ledger.
//!
//! The catalogue is data. It knows units and the resources of `setting`, nothing of the SDK; `aws` implements the
//! source.

pub mod align;
pub mod catalogue;
pub mod collect;
mod dynamodb_throttles;
mod lambda_throttles;
pub mod ledger;
pub mod queries;
pub mod series;
pub mod settle;
pub mod source;

pub use crate::setting::resource::wildcard;
pub use catalogue::{Pattern, Row};
pub use collect::collect;
pub use ledger::{Ledger, Limits, Says, Throttle};
pub use queries::{Ask, Queries, SeriesKey, queries};
pub use series::{Completeness, Missing, Series, Statistic};
pub use settle::{Next, Patience, Settling};
pub use source::{Activity, MetricError, MetricQuery, MetricSource, TimeWindow};
