//! Elastic Load Balancing: facts and the address of an Application Load Balancer.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{
    Listener, LoadBalancer, LoadBalancerStateEnum, LoadBalancerTypeEnum, ProtocolEnum, TargetGroup, TargetHealthDescription,
    TargetHealthStateEnum,
};

use crate::change::CloudError;
use crate::setting::{Fact, Facts};
use crate::units::Quantity;

use super::error::Call;

/// How many balancers are listed at most.
pub(super) const LISTED: usize = 500;

fn call(action: &'static str, name: &str) -> Call {
    Call::new(action, format!("alb/{name}"))
}

async fn describe(client: &Client, name: &str) -> Result<LoadBalancer, CloudError> {
    let call = call("elasticloadbalancing:DescribeLoadBalancers", name);
    let answer = client.describe_load_balancers().names(name).send().await;
    let answer = answer.map_err(|error| call.error(&error))?;
    answer.load_balancers().first().cloned().ok_or_else(|| call.missing())
}

/// What AWS says of a balancer and of the targets behind it.
pub(super) async fn facts(client: Client, name: String) -> Result<Facts, CloudError> {
    let balancer = describe(&client, &name).await?;
    let groups = target_groups(&client, &name, balancer.load_balancer_arn().unwrap_or_default()).await?;
    let mut health = Vec::new();
    for group in &groups {
        let call = call("elasticloadbalancing:DescribeTargetHealth", &name);
        let answer = client
            .describe_target_health()
            .set_target_group_arn(group.target_group_arn().map(str::to_owned))
            .send()
            .await;
        let answer = answer.map_err(|error| call.error(&error))?;
        health.extend_from_slice(answer.target_health_descriptions());
    }
    Ok(facts_of(&balancer, &groups, &health))
}

async fn target_groups(client: &Client, name: &str, arn: &str) -> Result<Vec<TargetGroup>, CloudError> {
    let call = call("elasticloadbalancing:DescribeTargetGroups", name);
    let mut groups = Vec::new();
    let mut pages = client.describe_target_groups().load_balancer_arn(arn).into_paginator().send();
    while let Some(page) = pages.next().await {
        groups.extend_from_slice(page.map_err(|error| call.error(&error))?.target_groups());
    }
    Ok(groups)
}

fn facts_of(balancer: &LoadBalancer, groups: &[TargetGroup], health: &[TargetHealthDescription]) -> Facts {
    let text = |text: Option<&str>| Fact::Text(text.unwrap_or_default().to_owned());
    let arn = balancer.load_balancer_arn();
    let status = balancer.state().and_then(|state| state.code()).map(LoadBalancerStateEnum::as_str);
    let groups: Vec<&str> = groups
        .iter()
        .filter_map(|group| group.target_group_arn())
        .filter_map(group_dimension)
        .collect();
    let number = |count: usize| {
        #[expect(clippy::cast_precision_loss, reason = "a balancer has at most some thousand targets")]
        Fact::Quantity(Quantity::Number(count as f64))
    };
    let in_state = |states: &[TargetHealthStateEnum]| {
        health
            .iter()
            .filter_map(|target| target.target_health().and_then(|health| health.state()))
            .filter(|state| states.contains(state))
            .count()
    };
    Facts::from([
        ("arn".to_owned(), text(arn)),
        ("status".to_owned(), text(status)),
        ("dns-name".to_owned(), text(balancer.dns_name())),
        ("dimension".to_owned(), text(arn.and_then(balancer_dimension))),
        ("target-groups".to_owned(), Fact::Text(groups.join(","))),
        (
            "unhealthy-targets".to_owned(),
            number(in_state(&[
                TargetHealthStateEnum::Unhealthy,
                TargetHealthStateEnum::UnhealthyDraining,
            ])),
        ),
        ("healthy-targets".to_owned(), number(in_state(&[TargetHealthStateEnum::Healthy]))),
    ])
}

/// CloudWatch's dimension is the tail of the ARN: `app/name/id`.
fn balancer_dimension(arn: &str) -> Option<&str> {
    arn.split_once(":loadbalancer/").map(|(_, tail)| tail)
}

/// CloudWatch's dimension is the tail of the ARN: `targetgroup/name/id`.
fn group_dimension(arn: &str) -> Option<&str> {
    arn.rsplit(':').next().filter(|tail| tail.starts_with("targetgroup/"))
}

/// Where the balancer is called.
pub(super) async fn address(client: &Client, name: &str) -> Result<String, CloudError> {
    let balancer = describe(client, name).await?;
    let call = call("elasticloadbalancing:DescribeListeners", name);
    let mut listeners = Vec::new();
    let mut pages = client
        .describe_listeners()
        .set_load_balancer_arn(balancer.load_balancer_arn().map(str::to_owned))
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        listeners.extend_from_slice(page.map_err(|error| call.error(&error))?.listeners());
    }
    address_of(&balancer, &listeners).ok_or_else(|| CloudError::Rejected {
        code: "NoListener".to_owned(),
        message: format!("alb/{name} listens neither to HTTP nor to HTTPS"),
    })
}

/// HTTPS before HTTP, the usual port before others, a low port before a high one.
fn address_of(balancer: &LoadBalancer, listeners: &[Listener]) -> Option<String> {
    let dns_name = balancer.dns_name()?;
    let (_, scheme, usual, port) = listeners
        .iter()
        .filter_map(|listener| {
            let (rank, scheme, usual) = match listener.protocol()? {
                ProtocolEnum::Https => (0, "https", 443),
                ProtocolEnum::Http => (1, "http", 80),
                _ => return None,
            };
            let port = listener.port()?;
            Some(((rank, port != usual, port), scheme, usual, port))
        })
        .min_by_key(|(order, ..)| *order)?;
    Some(if port == usual {
        format!("{scheme}://{dns_name}")
    } else {
        format!("{scheme}://{dns_name}:{port}")
    })
}

/// The names of the region's application load balancers, and whether there are more.
pub(super) async fn list(client: Client) -> Result<(Vec<String>, bool), CloudError> {
    let call = Call::new("elasticloadbalancing:DescribeLoadBalancers", "the balancers");
    let mut names = Vec::new();
    let mut pages = client.describe_load_balancers().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| call.error(&error))?;
        let balancers = page.load_balancers().iter();
        names.extend(
            balancers
                .filter(|balancer| balancer.r#type() == Some(&LoadBalancerTypeEnum::Application))
                .filter_map(|balancer| balancer.load_balancer_name().map(str::to_owned)),
        );
        if names.len() > LISTED {
            names.truncate(LISTED);
            return Ok((names, true));
        }
    }
    Ok((names, false))
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerState, TargetHealth};

    use super::*;

    const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/chatbot/50dc6c495c0c9188";
    const GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/chatbot-api/73e2d6bc24d8a067";

    fn balancer() -> LoadBalancer {
        LoadBalancer::builder()
            .load_balancer_arn(ARN)
            .dns_name("chatbot.elb.amazonaws.com")
            .state(LoadBalancerState::builder().code(LoadBalancerStateEnum::Active).build())
            .build()
    }

    fn listener(protocol: ProtocolEnum, port: i32) -> Listener {
        Listener::builder().protocol(protocol).port(port).build()
    }

    fn target(state: TargetHealthStateEnum) -> TargetHealthDescription {
        let health = TargetHealth::builder().state(state).build();
        TargetHealthDescription::builder().target_health(health).build()
    }

    #[test]
    fn facts_hold_the_dimensions_of_the_metrics() {
        let group = TargetGroup::builder().target_group_arn(GROUP).build();
        let health = [
            target(TargetHealthStateEnum::Healthy),
            target(TargetHealthStateEnum::Unhealthy),
            target(TargetHealthStateEnum::Draining),
        ];
        let facts = facts_of(&balancer(), &[group], &health);
        let text = |text: &str| Fact::Text(text.to_owned());
        assert_eq!(facts["dimension"], text("app/chatbot/50dc6c495c0c9188"));
        assert_eq!(facts["target-groups"], text("targetgroup/chatbot-api/73e2d6bc24d8a067"));
        assert_eq!(facts["status"], text("active"));
        assert_eq!(facts["unhealthy-targets"], Fact::Quantity(Quantity::Number(1.0)));
    }

    #[test]
    fn the_address_prefers_https_and_leaves_usual_ports_out() {
        let address = |listeners: &[Listener]| address_of(&balancer(), listeners);
        assert_eq!(
            address(&[listener(ProtocolEnum::Http, 80), listener(ProtocolEnum::Https, 443)]),
            Some("https://chatbot.elb.amazonaws.com".to_owned())
        );
        assert_eq!(
            address(&[listener(ProtocolEnum::Http, 80), listener(ProtocolEnum::Http, 8_080)]),
            Some("http://chatbot.elb.amazonaws.com".to_owned())
        );
        assert_eq!(
            address(&[listener(ProtocolEnum::Http, 41_234)]),
            Some("http://chatbot.elb.amazonaws.com:41234".to_owned())
        );
        assert_eq!(address(&[listener(ProtocolEnum::Tcp, 80)]), None);
    }
}
