//! What AWS measured: the catalogue, the queries, the settling rule and the throttle ledger.
//!
//! The catalogue is data. It knows nothing of the SDK; `aws` implements the source.

pub mod ledger;
pub mod series;
pub mod source;

pub use ledger::{Ledger, Says, Throttle};
pub use series::{Completeness, Missing, Series, Statistic};
pub use source::{MetricError, MetricQuery, MetricSource, TimeWindow};
