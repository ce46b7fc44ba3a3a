//! API Gateway: facts and the address of a REST API's stage.
//!
//! A REST API is named by people, and several may have one name; then nobody can say which is meant, and their metrics
//! are one series.

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::operation::get_stage::GetStageOutput;
use aws_sdk_apigateway::types::ThrottleSettings;

use crate::change::CloudError;
use crate::setting::{Fact, Facts};
use crate::units::Quantity;

use super::error::Call;

/// How many APIs are looked through at most. AWS's default quota is 600 a region.
pub(super) const LISTED: usize = 5_000;

/// A REST API: its name and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Api {
    pub(super) name: String,
    pub(super) id: String,
}

/// The region's REST APIs, and whether there are more.
pub(super) async fn list(client: Client) -> Result<(Vec<Api>, bool), CloudError> {
    let call = Call::new("apigateway:GET", "/restapis");
    let mut apis = Vec::new();
    let mut pages = client.get_rest_apis().limit(500).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| call.error(&error))?;
        apis.extend(page.items().iter().filter_map(|api| {
            Some(Api {
                name: api.name()?.to_owned(),
                id: api.id()?.to_owned(),
            })
        }));
        if apis.len() > LISTED {
            apis.truncate(LISTED);
            return Ok((apis, true));
        }
    }
    Ok((apis, false))
}

/// The id behind a name.
pub(super) fn id<'a>(apis: &'a [Api], name: &str) -> Result<&'a str, CloudError> {
    let mut named = apis.iter().filter(|api| api.name == name);
    match (named.next(), named.next()) {
        (Some(api), None) => Ok(&api.id),
        (None, _) => Err(CloudError::Missing {
            what: format!("rest-api/{name}"),
        }),
        (Some(one), Some(other)) => Err(CloudError::Rejected {
            code: "DuplicateName".to_owned(),
            message: format!(
                "several REST APIs are named {name} ({}, {} …): it is not clear which one is meant, and their metrics are one series",
                one.id, other.id
            ),
        }),
    }
}

/// What the account may ask of API Gateway in this region.
pub(super) async fn account_throttle(client: Client) -> Result<Option<ThrottleSettings>, CloudError> {
    let call = Call::new("apigateway:GET", "/account");
    let answer = client.get_account().send().await.map_err(|error| call.error(&error))?;
    Ok(answer.throttle_settings().cloned())
}

/// A stage of an API.
pub(super) async fn stage(client: Client, name: String, id: String, stage: String) -> Result<GetStageOutput, CloudError> {
    let call = Call::new("apigateway:GET", format!("stage {stage} of rest-api/{name}"));
    let answer = client.get_stage().rest_api_id(id).stage_name(stage).send().await;
    answer.map_err(|error| call.error(&error))
}

/// The names of an API's stages.
pub(super) async fn stages(client: Client, id: String) -> Result<Vec<String>, CloudError> {
    let call = Call::new("apigateway:GET", format!("/restapis/{id}/stages"));
    let answer = client
        .get_stages()
        .rest_api_id(id)
        .send()
        .await
        .map_err(|error| call.error(&error))?;
    let names = answer.item().iter();
    Ok(names.filter_map(|stage| stage.stage_name().map(str::to_owned)).collect())
}

/// What AWS says of a stage; the account's limits when they could be had.
pub(super) fn facts(id: &str, stage: &GetStageOutput, account: Option<&ThrottleSettings>) -> Facts {
    let rate = |rate: f64| Fact::Quantity(Quantity::PerSecond(rate));
    let number = |number: i32| Fact::Quantity(Quantity::Number(f64::from(number)));
    let mut facts = Facts::from([("id".to_owned(), Fact::Text(id.to_owned()))]);
    if let Some(throttle) = account {
        facts.insert("account-rate-limit".to_owned(), rate(throttle.rate_limit()));
        facts.insert("account-burst-limit".to_owned(), number(throttle.burst_limit()));
    }
    // The stage's default for all methods; absent when the account's limit is the only one.
    if let Some(method) = stage.method_settings().and_then(|settings| settings.get("*/*"))
        && method.throttling_rate_limit() > 0.0
    {
        facts.insert("stage-rate-limit".to_owned(), rate(method.throttling_rate_limit()));
        facts.insert("stage-burst-limit".to_owned(), number(method.throttling_burst_limit()));
    }
    facts
}

/// Where a stage is called: at AWS, or where emulators answer for it.
pub(super) fn address(id: &str, stage: &str, region: &str, emulator: Option<&str>) -> String {
    if let Some(base) = emulator {
        return format!("{}/restapis/{id}/{stage}/_user_request_", base.trim_end_matches('/'));
    }
    let suffix = if region.starts_with("cn-") { ".com.cn" } else { ".com" };
    format!("https://{id}.execute-api.{region}.amazonaws{suffix}/{stage}")
}

#[cfg(test)]
mod tests {
    use aws_sdk_apigateway::types::MethodSetting;

    use super::*;

    fn api(name: &str, id: &str) -> Api {
        Api {
            name: name.to_owned(),
            id: id.to_owned(),
        }
    }

    #[test]
    fn a_name_that_two_apis_have_is_refused() {
        let apis = [api("a", "1"), api("b", "2"), api("b", "3")];
        assert_eq!(id(&apis, "a"), Ok("1"));
        assert!(matches!(id(&apis, "c"), Err(CloudError::Missing { .. })));
        assert!(matches!(id(&apis, "b"), Err(CloudError::Rejected { code, .. }) if code == "DuplicateName"));
    }

    #[test]
    fn the_address_is_aws_s_or_the_emulator_s() {
        assert_eq!(
            address("abc", "prod", "eu-west-1", None),
            "https://abc.execute-api.eu-west-1.amazonaws.com/prod"
        );
        assert_eq!(
            address("abc", "prod", "cn-north-1", None),
            "https://abc.execute-api.cn-north-1.amazonaws.com.cn/prod"
        );
        assert_eq!(
            address("abc", "prod", "eu-west-1", Some("http://127.0.0.1:4566/")),
            "http://127.0.0.1:4566/restapis/abc/prod/_user_request_"
        );
    }

    #[test]
    fn limits_are_rates() {
        let account = ThrottleSettings::builder().rate_limit(10_000.0).burst_limit(5_000).build();
        let method = MethodSetting::builder()
            .throttling_rate_limit(50.0)
            .throttling_burst_limit(20)
            .build();
        let stage = GetStageOutput::builder().method_settings("*/*", method).build();
        let facts_both = facts("abc", &stage, Some(&account));
        assert_eq!(facts_both["account-rate-limit"], Fact::Quantity(Quantity::PerSecond(10_000.0)));
        assert_eq!(facts_both["stage-rate-limit"], Fact::Quantity(Quantity::PerSecond(50.0)));
        assert_eq!(facts("abc", &GetStageOutput::builder().build(), None).len(), 1);
    }
}
