//! How rows are written down briefly.

use std::time::Duration;

use super::{Pattern, Row, Unit};
use crate::metrics::Statistic::Sum;
use crate::metrics::{Missing, Statistic};

/// A service: kind, namespace, what its metrics usually have as dimensions.
pub(super) type Service = (&'static str, &'static str, &'static [Pattern]);

pub(super) const fn counter(service: Service, name: &'static str, metric: &'static str, says: &'static str) -> Row {
    gauge(service, name, metric, Unit::Count, &[Sum], says)
}

pub(super) const fn gauge(
    service: Service,
    name: &'static str,
    metric: &'static str,
    unit: Unit,
    statistics: &'static [Statistic],
    says: &'static str,
) -> Row {
    Row {
        kind: service.0,
        name,
        metric,
        namespace: service.1,
        patterns: service.2,
        statistics,
        raw: false,
        unit,
        missing: Missing::Unknown,
        delay: Duration::from_mins(3),
        says,
    }
}

/// Published only when it is not zero.
pub(super) const fn zero(row: Row) -> Row {
    Row {
        missing: Missing::Zero,
        ..row
    }
}

/// CloudWatch keeps every value.
pub(super) const fn raw(row: Row) -> Row {
    Row { raw: true, ..row }
}

pub(super) const fn on(patterns: &'static [Pattern], row: Row) -> Row {
    Row { patterns, ..row }
}
