//! Application Auto Scaling: what it did, and what it is doing.

use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{ScalingActivity, ScalingActivityStatusCode, ServiceNamespace};

use crate::change::CloudError;
use crate::metrics::TimeWindow;
use crate::metrics::source::Activity;

use super::convert::timestamp;
use super::error::Call;
use super::scaling::Address;

/// The latest activities of one resource; what is under way is among them.
pub(super) async fn latest(client: Client, namespace: &'static str, resource_id: String) -> Result<Vec<ScalingActivity>, CloudError> {
    let call = Call::new("application-autoscaling:DescribeScalingActivities", &resource_id);
    let answer = client
        .describe_scaling_activities()
        .service_namespace(ServiceNamespace::from(namespace))
        .resource_id(resource_id)
        .send()
        .await;
    Ok(answer.map_err(|error| call.error(&error))?.scaling_activities().to_vec())
}

/// What moves a target's capacity at the moment.
pub(super) fn under_way(address: &Address, activities: &[ScalingActivity]) -> Option<String> {
    activities
        .iter()
        .filter(|activity| address.is(activity.resource_id(), Some(activity.scalable_dimension())))
        .find(|activity| {
            matches!(
                activity.status_code(),
                ScalingActivityStatusCode::Pending | ScalingActivityStatusCode::InProgress
            )
        })
        .map(|activity| format!("{} ({})", activity.description().trim_end_matches('.'), activity.status_code()))
}

/// What happened in a namespace in a window, oldest first. AWS keeps six weeks and has no filter by time; reading
/// ends as soon as a page shows that what follows is older.
pub(super) async fn in_window(client: Client, namespace: &'static str, window: TimeWindow) -> Result<Vec<Activity>, CloudError> {
    let call = Call::new(
        "application-autoscaling:DescribeScalingActivities",
        format!("all resources of {namespace}"),
    );
    let mut found = Vec::new();
    let mut pages = client
        .describe_scaling_activities()
        .service_namespace(ServiceNamespace::from(namespace))
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| call.error(&error))?;
        found.extend(page.scaling_activities().iter().filter_map(|activity| within(activity, window)));
        if nothing_newer_follows(page.scaling_activities(), window) {
            break;
        }
    }
    found.sort_by_key(|activity| activity.at);
    Ok(found)
}

/// An activity that overlaps the window.
fn within(activity: &ScalingActivity, window: TimeWindow) -> Option<Activity> {
    let at = timestamp(activity.start_time())?;
    let end = activity.end_time().and_then(timestamp).unwrap_or(at);
    (at < window.to && end >= window.from).then(|| Activity {
        at,
        resource_id: activity.resource_id().to_owned(),
        dimension: activity.scalable_dimension().as_str().to_owned(),
        description: activity.description().to_owned(),
        cause: activity.cause().to_owned(),
        status: activity.status_code().as_str().to_owned(),
    })
}

/// The order of the pages is not documented: it is trusted only where a page shows it.
fn nothing_newer_follows(page: &[ScalingActivity], window: TimeWindow) -> bool {
    /// Longer than any activity takes, so that one which began before the window and ended in it is still found.
    const LONGEST_SECONDS: i64 = 3_600;
    let starts: Vec<i64> = page.iter().map(|activity| activity.start_time().secs()).collect();
    let newest_first = starts.len() > 1 && starts.windows(2).all(|pair| pair[0] >= pair[1]) && starts.first() != starts.last();
    newest_first
        && starts
            .last()
            .is_some_and(|oldest| *oldest < window.from.as_second() - LONGEST_SECONDS)
}

#[cfg(test)]
mod tests {
    use aws_sdk_applicationautoscaling::types::ScalableDimension;
    use aws_smithy_types::DateTime;

    use super::*;
    use crate::setting::{Dimension, Scalable};
    use crate::units::Timestamp;

    fn activity(id: &str, start: i64, status: ScalingActivityStatusCode) -> ScalingActivity {
        ScalingActivity::builder()
            .activity_id(id)
            .service_namespace(ServiceNamespace::Dynamodb)
            .resource_id("table/feedback")
            .scalable_dimension(ScalableDimension::DynamoDbTableWriteCapacityUnits)
            .description("Setting write capacity units to 60.")
            .cause("monitor alarm")
            .start_time(DateTime::from_secs(start))
            .status_code(status)
            .build()
            .unwrap()
    }

    #[test]
    fn what_is_under_way_is_of_one_dimension() {
        let address = |dimension| {
            Address::of(&Scalable::Table {
                table: "feedback".to_owned(),
                dimension,
            })
        };
        let moving = [activity("1", 0, ScalingActivityStatusCode::InProgress)];
        assert_eq!(under_way(&address(Dimension::Read), &moving), None);
        assert_eq!(
            under_way(&address(Dimension::Write), &moving),
            Some("Setting write capacity units to 60 (InProgress)".to_owned())
        );
        let over = [activity("1", 0, ScalingActivityStatusCode::Successful)];
        assert_eq!(under_way(&address(Dimension::Write), &over), None);
    }

    #[test]
    fn reading_ends_only_where_a_page_shows_that_the_rest_is_older() {
        let window = TimeWindow {
            from: Timestamp::from_second(1_000_000).unwrap(),
            to: Timestamp::from_second(1_000_600).unwrap(),
        };
        let done = ScalingActivityStatusCode::Successful;
        let page = |starts: &[i64]| -> Vec<ScalingActivity> { starts.iter().map(|start| activity("a", *start, done.clone())).collect() };
        assert!(nothing_newer_follows(&page(&[1_000_100, 900_000]), window));
        assert!(!nothing_newer_follows(&page(&[900_000, 1_000_100]), window));
        assert!(!nothing_newer_follows(&page(&[1_000_100, 999_000]), window));
        assert!(!nothing_newer_follows(&page(&[900_000]), window));
        assert!(within(&activity("a", 1_000_599, done.clone()), window).is_some());
        assert!(within(&activity("a", 1_000_600, done.clone()), window).is_none());
        assert!(within(&activity("a", 999_999, done.clone()), window).is_none());
    }
}
