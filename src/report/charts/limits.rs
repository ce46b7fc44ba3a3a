//! The reserved concurrency of functions, as far as the report holds evidence of it.

use std::collections::BTreeMap;

use super::super::model::Report;

/// By resource. The setting in force wins over the words of the ledger.
pub(super) fn reserved(report: &Report) -> BTreeMap<String, f64> {
    let mut limits = BTreeMap::new();
    for throttle in &report.throttles.throttles {
        if let Some(limit) = throttle.cause.strip_prefix("reserved limit ").and_then(number) {
            limits.insert(throttle.resource.clone(), limit);
        }
    }
    for change in &report.settings.outstanding {
        if let (Some(resource), Some(limit)) = (change.setting.strip_suffix(" reserved"), number(&change.now)) {
            limits.insert(resource.to_owned(), limit);
        }
    }
    limits
}

fn number(text: &str) -> Option<f64> {
    let digits: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(|c| *c != ',')
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::*;

    #[test]
    fn a_limit_is_known_from_the_setting_or_from_the_ledger() {
        let report = fixtures::throttled();
        let limits = reserved(&report);
        assert_eq!(limits.get("lambda/hcg-demo-supervisor-agent"), Some(&100.0));
        assert_eq!(number("1,000: all of it"), Some(1_000.0));
        assert_eq!(number("unset"), None);
    }
}
