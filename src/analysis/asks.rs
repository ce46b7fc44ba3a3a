//! What criteria need from CloudWatch beside the statistics that are always collected.

use super::cloudwatch::{minutes_of, stretches};
use super::verdict::{Evidence, all_criteria};
use crate::metrics::align::MINUTE;
use crate::metrics::catalogue::{self, Basis, Row};
use crate::metrics::{Ask, Statistic, TimeWindow};
use crate::scenario::{Aggregation, Criterion, Measure, Metric, Scenario};

/// The further queries of the criteria that are judged in this scenario. Of the evidence it reads the recording (when
/// phases were) and the window.
#[must_use]
pub fn asks(criteria: &[Criterion], scenario: &Scenario, evidence: &Evidence<'_>) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (criterion, _) in all_criteria(criteria, scenario) {
        let Measure::Metric(Metric::Aws { kind, metric }) = &criterion.measure else {
            continue;
        };
        let Some(row) = catalogue::find(kind, metric) else { continue };
        let windows = stretches(&criterion.scope, evidence);
        let conditions = [&criterion.pass, &criterion.warn, &criterion.fail, &criterion.invalid];
        for condition in conditions.into_iter().flatten() {
            for window in &windows {
                asks.extend(ask(row, condition.aggregation, criterion.window.map(minutes_of), *window));
            }
        }
    }
    asks
}

fn ask(row: &Row, aggregation: Aggregation, sliding: Option<u32>, window: TimeWindow) -> Vec<Ask> {
    let ask = |statistic, period| Ask {
        kind: row.kind.to_owned(),
        metric: row.name.to_owned(),
        statistic,
        window,
        period,
    };
    let whole = sliding.unwrap_or_else(|| window.seconds());
    let percentile = |p| match row.basis(Statistic::Percentile(p)) {
        Some(Basis::CloudWatch) => vec![ask(Statistic::Percentile(p), whole), ask(Statistic::Average, MINUTE)],
        _ => vec![ask(Statistic::Average, MINUTE)],
    };
    match aggregation {
        Aggregation::Avg => vec![ask(Statistic::Average, whole), ask(Statistic::Average, MINUTE)],
        Aggregation::Min => vec![ask(Statistic::Minimum, MINUTE)],
        Aggregation::Max => vec![ask(Statistic::Maximum, MINUTE)],
        Aggregation::Med => percentile(50.0),
        Aggregation::Percentile(p) => percentile(p),
        Aggregation::Count if !row.is_counter() => vec![ask(Statistic::SampleCount, MINUTE)],
        Aggregation::GrowthAvg | Aggregation::GrowthPercentile(_) => vec![ask(Statistic::Average, MINUTE)],
        _ => Vec::new(),
    }
}
