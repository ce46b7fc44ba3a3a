//! Criteria over what Application Auto Scaling did.

use super::bands::{Outcome, Reading, assess};
use super::cloudwatch::stretches;
use super::tally::{Gap, float};
use super::verdict::Evidence;
use super::words::Scale;
use crate::metrics::wildcard;
use crate::scenario::{Aggregation, Criterion};

/// Counts what Application Auto Scaling did; what failed has moved nothing.
pub(super) fn judge<'a>(criterion: &'a Criterion, evidence: &Evidence<'_>) -> (Outcome<'a>, Option<String>) {
    let windows = stretches(&criterion.scope, evidence);
    let outcome = assess(criterion, |aggregation| {
        let activities = evidence.activities.map_err(|error| Gap(error.to_owned()))?;
        if aggregation != Aggregation::Count {
            return Err(Gap("`aws.autoscaling.activities` has only a count".to_owned()));
        }
        if windows.is_empty() {
            return Err(Gap("the run reached none of its phases".to_owned()));
        }
        let count = activities
            .iter()
            .filter(|activity| windows.iter().any(|window| window.contains(activity.at)))
            .filter(|activity| !matches!(activity.status.as_str(), "Failed" | "Unfulfilled"))
            .filter(|activity| {
                criterion.scope.on.is_empty() || criterion.scope.on.iter().any(|selector| moved(selector, &activity.resource_id))
            })
            .count() as u64;
        Ok(Reading {
            value: float(count),
            scale: Scale::NUMBER,
            samples: count,
            note: None,
            provisional: false,
            at_least: None,
        })
    });
    (outcome, None)
}

/// Whether a selector such as `dynamodb/orders` means `table/orders/index/by-day`.
fn moved(selector: &str, resource_id: &str) -> bool {
    let mut words = resource_id.split('/');
    let resource = match (words.next(), words.next(), words.next()) {
        (Some("table"), Some(table), _) => format!("dynamodb/{table}"),
        (Some("service"), Some(_), Some(service)) => format!("ecs/{service}"),
        _ => match resource_id.split(':').collect::<Vec<_>>().as_slice() {
            ["function", name, ..] => format!("lambda/{name}"),
            _ => return false,
        },
    };
    wildcard(selector, &resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Status;
    use crate::analysis::fixture::{self, criterion};
    use crate::metrics::Activity;
    use crate::scenario::Metric;

    fn status(on: &str, edit: impl FnOnce(&mut Activity)) -> Status {
        let mut activities = fixture::activities();
        edit(&mut activities[0]);
        let mut criterion = criterion("scales", Metric::ScalingActivities, &[("pass", "count >= 1")]);
        criterion.scope.on = vec![on.to_owned()];
        let recording = fixture::small(&[("load", 300.0)], 60.0, Vec::new());
        judge(&criterion, &fixture::evidence(&recording, &[], &activities)).0.status
    }

    #[test]
    fn what_moved_the_resource_in_the_window_counts() {
        assert_eq!(status("dynamodb/hcg-demo-conversations", |_| {}), Status::Pass);
        assert_eq!(status("dynamodb/hcg-*", |_| {}), Status::Pass);
        assert_eq!(status("dynamodb/other", |_| {}), Status::Fail);
        assert_eq!(
            status("dynamodb/hcg-*", |activity| activity.at = fixture::at("13:59:00")),
            Status::Fail
        );
        assert_eq!(
            status("dynamodb/hcg-*", |activity| activity.status = "Failed".to_owned()),
            Status::Fail
        );
    }

    #[test]
    fn resource_ids_mean_the_profiles_resources() {
        for (selector, id, meant) in [
            ("dynamodb/t", "table/t/index/by-day", true),
            ("ecs/api", "service/cluster/api", true),
            ("ecs/cluster", "service/cluster/api", false),
            ("lambda/f", "function:f:live", true),
            ("dynamodb/t", "something-else", false),
        ] {
            assert_eq!(moved(selector, id), meant, "{selector} {id}");
        }
    }
}
