//! Lambda: reserved concurrency, the region's limits, facts of a function.
//!
//! Reserved concurrency is read with `GetFunctionConcurrency` and not with `GetFunction`, which has it as well: that
//! one also hands out the function's code, and careful accounts do not allow it. A function re-created under its
//! name cannot be told from the old one by its ARN either, so the identity is the name.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;

use crate::change::{CloudError, Concurrency, Observed};
use crate::setting::{Fact, Facts, State};
use crate::units::Quantity;

use super::convert::{amount, count};
use super::error::Call;

/// How many functions are listed at most.
pub(super) const LISTED: usize = 500;

fn call(action: &'static str, function: &str) -> Call {
    Call::new(action, format!("lambda/{function}"))
}

/// The reservation of a function.
pub(super) async fn reserved(client: Client, function: String) -> Result<Observed, CloudError> {
    let call = call("lambda:GetFunctionConcurrency", &function);
    let answer = client.get_function_concurrency().function_name(&function).send().await;
    let answer = answer.map_err(|error| call.error(&error))?;
    Ok(reservation(&function, answer.reserved_concurrent_executions()))
}

/// No reservation is absence, and 0 is a reservation that stops the function.
fn reservation(function: &str, reserved: Option<i32>) -> Observed {
    Observed {
        state: reserved.map_or(State::Absent, |limit| State::Reserved { limit: count(limit) }),
        identity: format!("function/{function}"),
        busy: None,
        decreases_today: None,
    }
}

/// Reserves.
pub(super) async fn reserve(client: &Client, function: &str, limit: u32) -> Result<(), CloudError> {
    let call = call("lambda:PutFunctionConcurrency", function);
    let limit = amount(limit)?;
    let put = client.put_function_concurrency().function_name(function);
    let answer = put.reserved_concurrent_executions(limit).send().await;
    answer.map(|_| ()).map_err(|error| call.error(&error))
}

/// Takes the reservation away. AWS answers the same when there is none.
pub(super) async fn unreserve(client: &Client, function: &str) -> Result<(), CloudError> {
    let call = call("lambda:DeleteFunctionConcurrency", function);
    let answer = client.delete_function_concurrency().function_name(function).send().await;
    answer.map(|_| ()).map_err(|error| call.error(&error))
}

/// The limits of the region.
pub(super) async fn concurrency(client: &Client) -> Result<Concurrency, CloudError> {
    let call = Call::new("lambda:GetAccountSettings", "the account");
    let answer = client.get_account_settings().send().await.map_err(|error| call.error(&error))?;
    let limit = answer.account_limit().ok_or_else(|| call.missing())?;
    let account = count(limit.concurrent_executions());
    Ok(Concurrency {
        account,
        unreserved: limit.unreserved_concurrent_executions().map_or(account, count),
    })
}

/// What AWS says of a function.
pub(super) async fn facts(client: Client, function: String) -> Result<Facts, CloudError> {
    let call = call("lambda:GetFunctionConfiguration", &function);
    let answer = client.get_function_configuration().function_name(&function).send().await;
    Ok(facts_of(&answer.map_err(|error| call.error(&error))?))
}

/// The environment's variables hold secrets and are not looked at.
fn facts_of(answer: &GetFunctionConfigurationOutput) -> Facts {
    let mut facts = Facts::new();
    let mut say = |key: &str, fact: Option<Fact>| {
        if let Some(fact) = fact {
            facts.insert(key.to_owned(), fact);
        }
    };
    say("arn", answer.function_arn().map(|arn| Fact::Text(arn.to_owned())));
    say(
        "timeout",
        answer
            .timeout()
            .map(|seconds| Fact::Quantity(Quantity::Seconds(f64::from(seconds)))),
    );
    say(
        "memory",
        answer
            .memory_size()
            .map(|megabytes| Fact::Quantity(Quantity::Bytes(f64::from(megabytes) * 1_048_576.0))),
    );
    say(
        "package",
        answer.package_type().map(|kind| Fact::Text(kind.as_str().to_ascii_lowercase())),
    );
    say("runtime", answer.runtime().map(|runtime| Fact::Text(runtime.as_str().to_owned())));
    say(
        "status",
        answer.state().map(|state| Fact::Text(state.as_str().to_ascii_lowercase())),
    );
    // Such functions do not scale by concurrency, so that a reservation means nothing to them.
    say("managed-instances", Some(Fact::Flag(answer.capacity_provider_config().is_some())));
    facts
}

/// The names of the region's functions, and whether there are more.
pub(super) async fn list(client: Client) -> Result<(Vec<String>, bool), CloudError> {
    let call = Call::new("lambda:ListFunctions", "the functions");
    let mut names = Vec::new();
    let mut pages = client.list_functions().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| call.error(&error))?;
        names.extend(
            page.functions()
                .iter()
                .filter_map(|function| function.function_name().map(str::to_owned)),
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
    use aws_sdk_lambda::types::{Environment, EnvironmentResponse, PackageType};

    use super::*;

    #[test]
    fn no_reservation_is_absence_and_zero_is_not() {
        assert_eq!(reservation("f", None).state, State::Absent);
        assert_eq!(reservation("f", Some(0)).state, State::Reserved { limit: 0 });
        assert_eq!(reservation("f", Some(100)).state, State::Reserved { limit: 100 });
        assert_eq!(reservation("f", None).identity, reservation("f", Some(1)).identity);
    }

    #[test]
    fn facts_of_a_function_have_units_and_no_secrets() {
        let _ = Environment::builder();
        let facts = facts_of(
            &GetFunctionConfigurationOutput::builder()
                .timeout(60)
                .memory_size(512)
                .package_type(PackageType::Zip)
                .environment(EnvironmentResponse::builder().variables("TOKEN", "hunter2").build())
                .build(),
        );
        assert_eq!(facts["timeout"], Fact::Quantity(Quantity::Seconds(60.0)));
        assert_eq!(facts["memory"], Fact::Quantity(Quantity::Bytes(536_870_912.0)));
        assert_eq!(facts["package"], Fact::Text("zip".to_owned()));
        assert!(!format!("{facts:?}").contains("hunter2"));
    }
}
