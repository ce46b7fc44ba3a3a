//! What speaks against a change before it is made: limits, requirements, and caps that would make their own outage.
//!
//! Pure: AWS's answers come in, refusals and warnings go out.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Caller, Concurrency};
use crate::setting::{Fact, Facts, Plan, Refusal, Requirement, Resource, Setting, State, Wanted, Warning};
use crate::units::{self, Timestamp};

/// AWS documents 100; accounts with small limits were seen with 50 and 10.
const FLOOR: i64 = 100;
const FLOOR_SMALL: i64 = 10;
/// What cleanup may take after the load, for credentials that end.
const CLEANUP_RESERVE: Duration = Duration::from_mins(15);
/// API Gateway's default limit for an integration.
const API_GATEWAY_LIMIT_SECONDS: f64 = 29.0;

/// Whether enough concurrency stays for the functions without a reservation.
pub(crate) fn unreserved_floor(plan: &mut Plan, limits: Concurrency) {
    let growth: i64 = plan
        .changes
        .iter()
        .filter(|change| matches!(change.setting, Setting::LambdaReserved { .. }))
        .map(|change| super::apply::reserved_growth(&change.before, &change.after))
        .sum();
    let left = i64::from(limits.unreserved) - growth;
    let floor = if limits.account >= 1_000 { FLOOR } else { FLOOR_SMALL };
    if growth > 0 && left < floor {
        plan.refusals.push(Refusal {
            about: "lambda".to_owned(),
            text: format!(
                "reserving {growth} more would leave {left} of the account's {} concurrent executions to all other functions; AWS demands {floor}",
                limits.account
            ),
            help: "reserve less, or ask AWS for a higher account limit".to_owned(),
        });
    } else if growth > 0 && left < FLOOR {
        plan.warnings.push(Warning {
            about: "lambda".to_owned(),
            text: format!("only {left} concurrent executions stay for all other functions; AWS may refuse"),
        });
    }
}

/// The account guard.
#[must_use]
pub fn account(caller: &Caller, wanted: &str) -> Option<Refusal> {
    (caller.account != wanted).then(|| Refusal {
        about: "account".to_owned(),
        text: format!("these credentials are of account {}, the profile is for {wanted}", caller.account),
        help: "set AWS_PROFILE to the right account, or change `[aws] account` in the profile".to_owned(),
    })
}

/// Credentials must outlive the load and the cleanup after it.
#[must_use]
pub fn session(caller: &Caller, now: Timestamp, load: Duration) -> Option<Refusal> {
    let expires = caller.expires?;
    let needed = now.checked_add(load + CLEANUP_RESERVE).ok()?;
    (expires < needed).then(|| Refusal {
        about: "credentials".to_owned(),
        text: format!(
            "the session ends at {}, before the load of {} and its cleanup are over",
            expires.strftime("%H:%M UTC"),
            units::duration(load)
        ),
        help: "log in again for a longer session".to_owned(),
    })
}

/// What the profile requires against what AWS says.
#[must_use]
pub fn requirements(requirements: &[Requirement], facts: &BTreeMap<Resource, Facts>) -> Vec<Refusal> {
    requirements
        .iter()
        .filter_map(|requirement| unmet(requirement, facts.get(&requirement.resource)?))
        .collect()
}

fn unmet(requirement: &Requirement, facts: &Facts) -> Option<Refusal> {
    let fact = facts.get(&requirement.key);
    let met = match (fact, &requirement.wanted) {
        (Some(Fact::Quantity(is)), Wanted::Quantity(op, wanted)) => op.holds(is.base(), wanted.base()),
        (Some(Fact::Text(is)), Wanted::Text(wanted)) => is.eq_ignore_ascii_case(wanted),
        (Some(Fact::Flag(is)), Wanted::Flag(wanted)) => is == wanted,
        _ => false,
    };
    let is = fact.map_or_else(|| "not known".to_owned(), describe);
    (!met).then(|| Refusal {
        about: requirement.resource.to_string(),
        text: format!("`{}` must be {}, it is {is}", requirement.key, requirement.text),
        help: "`require` changes nothing: correct the resource, or the profile".to_owned(),
    })
}

fn describe(fact: &Fact) -> String {
    match fact {
        Fact::Flag(flag) => flag.to_string(),
        Fact::Quantity(quantity) => quantity.to_string(),
        Fact::Text(text) => text.clone(),
    }
}

/// What is known of a function that is to be capped.
#[derive(Clone, Debug, PartialEq)]
pub struct CapInput {
    /// Greatest concurrency of the last 14 days; `None` when nothing is known.
    pub peak: Option<f64>,
    /// Mean duration of the last 14 days, seconds.
    pub answer: Option<f64>,
}

/// The load that the scenario's heaviest phase brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Demand {
    /// Closed: so many users with this mean think time in seconds.
    Users(f64, f64),
    /// Open: so many journeys a second.
    Rate(f64),
}

/// A reservation is a cap: it is compared with the function's own past and with Little's law, before a test makes its
/// own outage.
#[must_use]
pub fn caps(plan: &Plan, inputs: &BTreeMap<String, CapInput>, demand: Demand) -> Vec<Warning> {
    let capped = plan.changes.iter().filter_map(|change| match (&change.setting, &change.after) {
        (Setting::LambdaReserved { function }, State::Reserved { limit }) if !change.is_noop() => Some((function, *limit)),
        _ => None,
    });
    capped
        .filter_map(|(function, limit)| cap(function, limit, inputs.get(function)?, demand))
        .collect()
}

fn cap(function: &str, limit: u32, input: &CapInput, demand: Demand) -> Option<Warning> {
    let about = format!("lambda/{function}");
    if let Some(peak) = input.peak.filter(|peak| *peak > f64::from(limit)) {
        let text = format!(
            "{limit} is a cap, and below its own 14-day peak of {}: it will throttle without any test",
            units::number(peak)
        );
        return Some(Warning { about, text });
    }
    let answer = input.answer.filter(|answer| *answer > 0.0)?;
    let (in_flight, formula) = match demand {
        Demand::Users(users, think) => (
            users / (answer + think) * answer,
            format!(
                "{} users / ({} answer + {} think) × {}",
                units::number(users),
                units::seconds(answer),
                units::seconds(think),
                units::seconds(answer)
            ),
        ),
        Demand::Rate(rate) => (
            rate * answer,
            format!("{}/s × {} answer", units::number(rate), units::seconds(answer)),
        ),
    };
    // Arrivals are not even: four standard deviations of a Poisson count above the mean are rarely passed.
    let wanted = in_flight + 4.0 * in_flight.sqrt();
    (wanted > f64::from(limit)).then(|| Warning {
        about,
        text: format!(
            "{limit} is a cap: if every request calls it, {formula} ≈ {} in flight, up to {} at a time",
            units::number(in_flight.round()),
            units::number(wanted.ceil())
        ),
    })
}

/// API Gateway gives up before a slow function does, and the function runs on.
#[must_use]
pub fn gateway_timeout(resources: &[Resource], facts: &BTreeMap<Resource, Facts>) -> Option<Warning> {
    if !resources.iter().any(|resource| matches!(resource, Resource::RestApi { .. })) {
        return None;
    }
    let longest = resources
        .iter()
        .filter(|resource| matches!(resource, Resource::Lambda { .. }))
        .filter_map(|resource| match facts.get(resource)?.get("timeout")? {
            Fact::Quantity(quantity) => Some(quantity.base()),
            _ => None,
        })
        .fold(0.0, f64::max);
    (longest > API_GATEWAY_LIMIT_SECONDS).then(|| Warning {
        about: "rest-api".to_owned(),
        text: format!("API Gateway gives up at 29 s; functions run on to {}", units::seconds(longest)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::{Change, Undo};
    use crate::units::{Op, Quantity};

    fn reserving(limit: u32) -> Plan {
        let setting = Setting::LambdaReserved { function: "f".into() };
        Plan {
            changes: vec![Change {
                setting,
                before: State::Absent,
                after: State::Reserved { limit },
                undo: Undo::Exact,
            }],
            ..Plan::default()
        }
    }

    #[test]
    fn a_reservation_that_breaks_the_floor_is_refused_with_the_numbers() {
        let mut plan = reserving(901);
        unreserved_floor(
            &mut plan,
            Concurrency {
                account: 1_000,
                unreserved: 1_000,
            },
        );
        assert!(plan.refusals[0].text.contains("leave 99"), "{:?}", plan.refusals);
        let mut plan = reserving(900);
        unreserved_floor(
            &mut plan,
            Concurrency {
                account: 1_000,
                unreserved: 1_000,
            },
        );
        assert_eq!(plan.refusals, []);
    }

    #[test]
    fn a_cap_is_compared_with_littles_law() {
        let inputs = BTreeMap::from([(
            "f".to_owned(),
            CapInput {
                peak: Some(50.0),
                answer: Some(1.1),
            },
        )]);
        let warnings = caps(&reserving(100), &inputs, Demand::Users(500.0, 5.0));
        assert!(warnings[0].text.contains("≈ 90 in flight"), "{warnings:?}");
        assert_eq!(caps(&reserving(200), &inputs, Demand::Users(500.0, 5.0)), []);
    }

    #[test]
    fn a_cap_below_the_functions_own_peak_is_named() {
        let inputs = BTreeMap::from([(
            "f".to_owned(),
            CapInput {
                peak: Some(143.0),
                answer: None,
            },
        )]);
        assert!(
            caps(&reserving(100), &inputs, Demand::Rate(1.0))[0]
                .text
                .contains("14-day peak of 143")
        );
    }

    #[test]
    fn a_requirement_that_aws_does_not_know_is_not_met() {
        let resource = Resource::Lambda { name: "f".into() };
        let wanted = Requirement {
            resource: resource.clone(),
            key: "timeout".into(),
            text: "60s".into(),
            wanted: Wanted::Quantity(Op::Equal, Quantity::Seconds(60.0)),
        };
        let met = Facts::from([("timeout".to_owned(), Fact::Quantity(Quantity::Seconds(60.0)))]);
        assert_eq!(
            requirements(std::slice::from_ref(&wanted), &BTreeMap::from([(resource.clone(), met)])),
            []
        );
        let refusals = requirements(&[wanted], &BTreeMap::from([(resource, Facts::new())]));
        assert!(refusals[0].text.contains("it is not known"), "{refusals:?}");
    }
}
