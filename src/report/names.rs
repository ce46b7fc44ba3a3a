//! Resources as people call them: `lambda supervisor-agent` for `lambda/hcg-demo-supervisor-agent`.

/// Kind and name, without the prefix that everything of the profile has.
#[must_use]
pub fn short(resource: &str, profile: &str) -> String {
    let (kind, name) = split(resource);
    let name = without_prefix(name, profile);
    if kind.is_empty() {
        name.to_owned()
    } else {
        format!("{} {name}", kind_word(kind))
    }
}

/// The name alone; the account's own series are the whole account.
#[must_use]
pub fn bare<'a>(resource: &'a str, profile: &str) -> &'a str {
    match split(resource).1 {
        "*" => "whole account",
        name => without_prefix(name, profile),
    }
}

/// The kind and the rest of `KIND/NAME`.
#[must_use]
pub fn split(resource: &str) -> (&str, &str) {
    resource.split_once('/').unwrap_or(("", resource))
}

/// The kind as the narrow screens write it.
#[must_use]
pub fn kind_word(kind: &str) -> &str {
    match kind {
        "dynamodb" => "ddb",
        "rest-api" => "apigw",
        other => other,
    }
}

/// The service's own name, for headings.
#[must_use]
pub fn service(kind: &str) -> &str {
    match kind {
        "lambda" => "Lambda",
        "dynamodb" => "DynamoDB",
        "rest-api" => "API Gateway",
        "alb" => "Load balancer",
        "ecs" => "ECS",
        other => other,
    }
}

/// The part after a resource's name: ` / by-user`, or nothing.
#[must_use]
pub fn with_part(name: &str, part: &str) -> String {
    // A target group's dimension is `targetgroup/NAME/ID`.
    let part = part
        .strip_prefix("targetgroup/")
        .and_then(|rest| rest.rsplit_once('/'))
        .map_or(part, |(group, _)| group);
    if part.is_empty() {
        name.to_owned()
    } else {
        format!("{name}/{part}")
    }
}

fn without_prefix<'a>(name: &'a str, profile: &str) -> &'a str {
    name.strip_prefix(profile)
        .and_then(|rest| rest.strip_prefix('-'))
        .filter(|rest| !rest.is_empty() && !profile.is_empty())
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_the_profile_and_keep_their_kind() {
        assert_eq!(short("lambda/hcg-demo-supervisor-agent", "hcg-demo"), "lambda supervisor-agent");
        assert_eq!(short("dynamodb/tickets", "hcg-demo"), "ddb tickets");
        assert_eq!(short("rest-api/hcg-demo", "hcg-demo"), "apigw hcg-demo");
        assert_eq!(short("lambda/hcg-demo-", "hcg-demo"), "lambda hcg-demo-");
        assert_eq!(bare("lambda/*", ""), "whole account");
        assert_eq!(with_part("conversations", "by-user"), "conversations/by-user");
        assert_eq!(with_part("chat", "targetgroup/api/50dc6c495c0c9188"), "chat/api");
    }
}
