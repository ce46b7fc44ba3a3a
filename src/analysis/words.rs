//! Values, targets and scopes for people.

use crate::load::Recording;
use crate::metrics::align;
use crate::metrics::catalogue::{Row, Unit};
use crate::scenario::{Aggregation, Condition, Criterion, Limit, Measure, Metric, Op, Scope};
use crate::units::{self, Quantity, Timestamp};

/// What a value is, so that it can be shown and compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Natural {
    Number,
    PerSecond,
    Share,
    Seconds,
    Bytes,
}

/// A value's kind, and how many of the metric's own unit are one of the base unit. A limit without a unit is in the
/// metric's own: k6's milliseconds, CloudWatch's percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) natural: Natural,
    pub(super) own_per_base: f64,
}

impl Scale {
    pub(super) const NUMBER: Self = Self::plain(Natural::Number);

    const fn plain(natural: Natural) -> Self {
        Self {
            natural,
            own_per_base: 1.0,
        }
    }

    /// Of a client metric.
    pub(super) fn of_client(metric: &Metric, aggregation: Aggregation) -> Self {
        let is_time = matches!(metric, Metric::ResponseTime | Metric::ServiceTime | Metric::JourneyTime);
        match aggregation {
            Aggregation::GrowthAvg | Aggregation::GrowthPercentile(_) | Aggregation::Share => Self::plain(Natural::Share),
            Aggregation::PerSecond => Self::plain(Natural::PerSecond),
            Aggregation::Time => Self::plain(Natural::Seconds),
            Aggregation::Count | Aggregation::Sum => Self::NUMBER,
            _ if is_time => Self {
                natural: Natural::Seconds,
                own_per_base: 1_000.0,
            },
            _ => Self::NUMBER,
        }
    }

    /// Of an AWS metric.
    pub(super) fn of_row(row: &Row, aggregation: Aggregation) -> Self {
        match aggregation {
            Aggregation::Avg if row.unit == Unit::CountOrShare => return Self::plain(Natural::Share),
            Aggregation::GrowthAvg | Aggregation::GrowthPercentile(_) | Aggregation::Share => return Self::plain(Natural::Share),
            Aggregation::PerSecond => return Self::plain(Natural::PerSecond),
            Aggregation::Count => return Self::NUMBER,
            _ => {}
        }
        let (natural, own_per_base) = match row.unit {
            Unit::Milliseconds => (Natural::Seconds, 1_000.0),
            Unit::Seconds => (Natural::Seconds, 1.0),
            Unit::Percent => (Natural::Share, 100.0),
            Unit::Bytes | Unit::BytesPerSecond => (Natural::Bytes, 1.0),
            Unit::Megabytes => (Natural::Bytes, 1.0 / 1_048_576.0),
            Unit::Count | Unit::CountOrShare | Unit::CapacityUnits | Unit::CpuUnits => (Natural::Number, 1.0),
        };
        Self { natural, own_per_base }
    }

    /// Whether a limit holds for a value in base units.
    pub(super) fn holds(self, limit: &Limit, value: f64) -> Option<bool> {
        let plain = |quantity: &Quantity| matches!(quantity, Quantity::Number(_));
        let own = match limit {
            Limit::Compare(_, bound) => plain(bound),
            Limit::Range { from, to, .. } => plain(from) && plain(to),
            Limit::Ask(_) => false,
        };
        limit.holds(if own { value * self.own_per_base } else { value })
    }

    /// Whether a limit holds for a value and for every greater one alike; `None` when it depends.
    pub(super) fn holds_from(self, limit: &Limit, least: f64) -> Option<bool> {
        let here = self.holds(limit, least)?;
        let far = self.holds(limit, f64::MAX)?;
        let passed_by = match limit {
            Limit::Compare(Op::Equal | Op::NotEqual, bound) => least > bound.base(),
            Limit::Range { to, .. } => least > to.base(),
            _ => true,
        };
        (here == far && passed_by).then_some(here)
    }

    /// How bad a value is against a limit; greater is worse. `wanted`: the limit is a target and not an alarm.
    pub(super) fn badness(limit: &Limit, wanted: bool, value: f64) -> f64 {
        let upward = match limit {
            Limit::Compare(op, bound) => match op {
                Op::Less | Op::AtMost => value,
                Op::More | Op::AtLeast => -value,
                Op::Equal => (value - bound.base()).abs(),
                Op::NotEqual => -(value - bound.base()).abs(),
            },
            Limit::Range { from, to, not } => {
                let outside = (from.base() - value).max(value - to.base());
                if *not { -outside } else { outside }
            }
            Limit::Ask(Op::More | Op::AtLeast) => -value,
            Limit::Ask(_) => value,
        };
        if wanted { upward } else { -upward }
    }

    /// For people.
    pub(super) fn show(self, value: f64) -> String {
        if value == f64::INFINITY {
            return "never".to_owned();
        }
        match self.natural {
            Natural::Number => units::number(value),
            Natural::PerSecond => format!("{}/s", units::number(value)),
            Natural::Share => units::percent(value),
            Natural::Seconds => units::seconds(value),
            Natural::Bytes => units::bytes(value),
        }
    }
}

/// `p(95)`, `growth(avg)`.
pub(super) fn aggregation(aggregation: Aggregation) -> String {
    match aggregation {
        Aggregation::Avg => "avg".to_owned(),
        Aggregation::Min => "min".to_owned(),
        Aggregation::Med => "med".to_owned(),
        Aggregation::Max => "max".to_owned(),
        Aggregation::Percentile(p) => format!("p({p})"),
        Aggregation::Sum => "sum".to_owned(),
        Aggregation::Count => "count".to_owned(),
        Aggregation::PerSecond | Aggregation::Share => "rate".to_owned(),
        Aggregation::Value => "value".to_owned(),
        Aggregation::Time => "time".to_owned(),
        Aggregation::GrowthAvg => "growth(avg)".to_owned(),
        Aggregation::GrowthPercentile(p) => format!("growth(p({p}))"),
    }
}

/// `response_time p(95)`, `errors timeout rate`.
pub(super) fn measured(measure: &Measure, condition: Option<&Condition>) -> String {
    let what = match measure {
        Measure::Recovery(recovery) => return format!("time after {}", recovery.after_phase),
        Measure::Metric(metric) => match metric {
            Metric::Responses { status: Some(which) } | Metric::Errors { kind: Some(which) } => format!("{metric} {which}"),
            _ => metric.to_string(),
        },
    };
    match condition {
        Some(condition) => format!("{what} {}", aggregation(condition.aggregation)),
        None => what,
    }
}

/// `< 15s`, `in 20%..40%`; with the band before it when it is no target: `fail > 50%`.
pub(super) fn target(criterion: &Criterion, condition: &Condition) -> String {
    let limit = limit(&condition.limit);
    let band = [
        ("warn", &criterion.warn),
        ("fail", &criterion.fail),
        ("invalid", &criterion.invalid),
    ]
    .into_iter()
    .find(|(_, band)| band.as_ref() == Some(condition));
    match band {
        Some((word, _)) if criterion.pass.as_ref() != Some(condition) => format!("{word} {limit}"),
        _ => limit,
    }
}

fn limit(limit: &Limit) -> String {
    match limit {
        Limit::Compare(op, quantity) => format!("{} {quantity}", op.symbol()),
        Limit::Range { from, to, not } => format!("{}in {from}..{to}", if *not { "not " } else { "" }),
        Limit::Ask(op) => format!("{} ?", op.symbol()),
    }
}

/// `baseline, ramp · step ask · lambda/orders`; empty is everything.
pub(super) fn scope(scope: &Scope) -> String {
    let mut parts = Vec::new();
    for (word, names) in [
        ("", &scope.phases),
        ("journey ", &scope.journeys),
        ("step ", &scope.steps),
        ("tag ", &scope.tags),
        ("", &scope.on),
    ] {
        if !names.is_empty() {
            parts.push(format!("{word}{}", names.join(", ")));
        }
    }
    parts.join(" · ")
}

/// `14:08`, in UTC.
pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}

/// The moment of an offset into the load.
pub(super) fn moment(recording: &Recording, seconds: f64) -> Timestamp {
    align::offset(recording.started, seconds)
}
