//! The connection to one account and region: clients, time-outs, endpoint.

use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::change::CloudError;

use super::bounded::Slots;

const CONNECT: Duration = Duration::from_secs(3);
const READ: Duration = Duration::from_secs(15);
const ATTEMPT: Duration = Duration::from_secs(20);
/// Three attempts of a reading call and the SDK's pauses between them.
const OPERATION: Duration = Duration::from_secs(65);
/// A write that needs a look or several calls begins the last one within this time.
pub(super) const BEGIN: Duration = Duration::from_secs(10);
/// What AWS and the network may still do with a call after we have stopped waiting for its answer: bytes that the
/// kernel keeps sending, a front end that is late.
const MARGIN: Duration = Duration::from_secs(30);

/// The services whose endpoints can be overridden one by one, by AWS's ids.
const SERVICES: [&str; 8] = [
    "API Gateway",
    "Application Auto Scaling",
    "CloudWatch",
    "DynamoDB",
    "ECS",
    "Elastic Load Balancing v2",
    "Lambda",
    "STS",
];

/// AWS, as one caller sees one region of one account. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Aws {
    pub(super) apigateway: aws_sdk_apigateway::Client,
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) dynamodb: Pair<aws_sdk_dynamodb::Client>,
    pub(super) ecs: Pair<aws_sdk_ecs::Client>,
    pub(super) elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(super) lambda: Pair<aws_sdk_lambda::Client>,
    pub(super) scaling: Pair<aws_sdk_applicationautoscaling::Client>,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) credentials: Option<SharedCredentialsProvider>,
    pub(super) slots: Slots,
    /// Where REST APIs are called, when an override says so.
    pub(super) execute_api: Option<String>,
    region: String,
    endpoint: Option<String>,
}

/// The two clients of a service whose settings are changed.
#[derive(Clone, Debug)]
pub(super) struct Pair<C> {
    /// Retries as the SDK does.
    pub(super) reading: C,
    /// Makes one attempt.
    pub(super) writing: C,
}

impl Aws {
    /// Reads the SDK's configuration (environment, shared files) and makes the clients. No call is made yet: wrong
    /// credentials show at the first one.
    pub async fn connect(region: Option<&str>) -> Result<Self, CloudError> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts(OPERATION));
        if let Ok(name) = AppName::new("tidegate") {
            loader = loader.app_name(name);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let reading = loader.load().await;
        let Some(region) = reading.region().map(ToString::to_string) else {
            return Err(CloudError::Denied {
                code: "NoRegion".to_owned(),
                message: "no AWS region is configured".to_owned(),
                help: "set `region` in the profile, or AWS_REGION, or the region of the shared configuration file".to_owned(),
            });
        };
        let writing = reading
            .to_builder()
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(ATTEMPT))
            .build();
        Ok(Self {
            apigateway: aws_sdk_apigateway::Client::new(&reading),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&reading),
            dynamodb: pair(aws_sdk_dynamodb::Client::new, &reading, &writing),
            ecs: pair(aws_sdk_ecs::Client::new, &reading, &writing),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&reading),
            lambda: pair(aws_sdk_lambda::Client::new, &reading, &writing),
            scaling: pair(aws_sdk_applicationautoscaling::Client::new, &reading, &writing),
            sts: aws_sdk_sts::Client::new(&reading),
            credentials: reading.credentials_provider(),
            slots: Slots::new(),
            execute_api: endpoint_of(&reading, "Execute API"),
            endpoint: summary(&SERVICES.map(|service| (service, endpoint_of(&reading, service)))),
            region,
        })
    }

    /// The region that is called.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Where the calls go when it is not AWS itself. When services differ, each is named.
    #[must_use]
    pub fn endpoint(&self) -> Option<String> {
        self.endpoint.clone()
    }

    /// How long after `set` was entered a call whose answer was lost may still take effect.
    #[must_use]
    pub fn in_doubt(&self) -> Duration {
        BEGIN + ATTEMPT + MARGIN
    }
}

fn pair<C>(client: impl Fn(&SdkConfig) -> C, reading: &SdkConfig, writing: &SdkConfig) -> Pair<C> {
    Pair {
        reading: client(reading),
        writing: client(writing),
    }
}

fn timeouts(operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(operation)
        .build()
}

/// As the service's own client resolves it: its own override before the general one.
fn endpoint_of(config: &SdkConfig, service: &str) -> Option<String> {
    let own = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()
        .and_then(|key| config.service_config()?.load_config(key));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
        .map(|url| url.trim_end_matches('/').to_owned())
}

/// One address when all services have the same; otherwise each service with its own.
fn summary(endpoints: &[(&str, Option<String>)]) -> Option<String> {
    let first = endpoints.first().and_then(|(_, url)| url.clone());
    if endpoints.iter().all(|(_, url)| *url == first) {
        return first;
    }
    let named: Vec<String> = endpoints
        .iter()
        .filter_map(|(service, url)| url.as_ref().map(|url| format!("{service} {url}")))
        .collect();
    Some(named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_once_when_all_services_share_it() {
        let all = |url: Option<&str>| url.map(str::to_owned);
        assert_eq!(summary(&[("A", None), ("B", None)]), None);
        assert_eq!(summary(&[("A", all(Some("x"))), ("B", all(Some("x")))]), Some("x".to_owned()));
        assert_eq!(summary(&[("A", None), ("B", all(Some("x")))]), Some("B x".to_owned()));
    }

    #[test]
    fn a_call_is_in_doubt_for_longer_than_it_may_take() {
        let writing = timeouts(ATTEMPT);
        assert_eq!(writing.operation_timeout(), Some(ATTEMPT));
        assert_eq!(BEGIN + ATTEMPT + MARGIN, Duration::from_mins(1));
    }
}
