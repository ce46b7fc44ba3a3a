//! `plan`: what `prepare` would change. Nothing is changed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::account::Account;
use super::error::Error;
use super::profile::{at_their_places, chosen, load};
use crate::change::preflight::{self, CapInput, Demand};
use crate::change::{Surroundings as _, plan::plan};
use crate::cli::{Output, ProfileArgs};
use crate::exit::Exit;
use crate::metrics::{MetricQuery, MetricSource as _, Statistic, TimeWindow};
use crate::profile::Profile;
use crate::scenario::{Scenario, Shape};
use crate::setting::{Facts, Plan, Refusal, Resource, Setting, Warning};
use crate::ui::plan::Around;
use crate::ui::{self, Screen};
use crate::units::Timestamp;

/// How far back a function's own peak is looked for.
const PEAK_WINDOW: Duration = Duration::from_hours(14 * 24);

/// What the preflight found.
pub(crate) struct Preflight {
    pub(crate) plan: Plan,
    pub(crate) around: Around,
}

/// Shows the plan. Exit 3 when `prepare` would refuse.
pub(crate) async fn run(screen: &Screen, output: Output, verbose: u8, args: &ProfileArgs) -> Result<Exit, Error> {
    let profile = load(args)?;
    let Some(aws) = &profile.aws else {
        screen.data("this profile has no `[aws]`: there is nothing to change, and AWS is not asked");
        return Ok(Exit::Done);
    };
    let account = Account::connect(Some(&aws.region)).await?;
    guard(&profile, &account)?;
    let mut preflight = preflight(&profile, &account, args.scenario.as_deref()).await;
    let settings: Vec<Setting> = preflight.plan.changes.iter().map(|change| change.setting.clone()).collect();
    preflight.plan.refusals.extend(account.refuse_outstanding(&settings)?);
    match output {
        Output::Text => {
            screen.data(&shown(&preflight, verbose, screen.width));
            screen.data("Nothing was changed.");
        }
        Output::Json => screen.data(&format!(
            "{:#}",
            json!({ "account": account.caller.account, "region": account.aws.region(), "plan": preflight.plan })
        )),
    }
    Ok(refuse(screen, &profile, &preflight.plan))
}

/// The plan as a screen, without its refusals, which are shown at their places in the profile.
pub(crate) fn shown(preflight: &Preflight, verbose: u8, width: usize) -> String {
    let plan = Plan {
        refusals: Vec::new(),
        ..preflight.plan.clone()
    };
    ui::plan::plan(&plan, &preflight.around, verbose > 0, width)
}

/// Shows refusals with their places; `Refused` when there are any.
pub(crate) fn refuse(screen: &Screen, profile: &Profile, plan: &Plan) -> Exit {
    if plan.refusals.is_empty() {
        return Exit::Done;
    }
    screen.note(&at_their_places(profile, &plan.refusals));
    screen.note(&format!(
        "REFUSED for {}; nothing was changed",
        crate::units::count(plan.refusals.len(), "reason")
    ));
    Exit::Refused
}

/// The account guard, before anything of the account is read.
pub(crate) fn guard(profile: &Profile, account: &Account) -> Result<(), Error> {
    let wanted = profile.aws.as_ref().map_or("", |aws| aws.account.as_str());
    preflight::account(&account.caller, wanted).map_or(Ok(()), |refusal| Err(Error::Refused(vec![refusal])))
}

/// Looks at everything: the changes, what is required, what speaks against it.
pub(crate) async fn preflight(profile: &Profile, account: &Account, scenario: Option<&str>) -> Preflight {
    let mut plan = plan(&account.aws, &profile.wishes).await;
    let facts = gather(profile, account, &mut plan).await;
    let known: Vec<_> = profile
        .requirements
        .iter()
        .filter(|requirement| facts.contains_key(&requirement.resource))
        .cloned()
        .collect();
    plan.refusals.extend(preflight::requirements(&known, &facts));
    plan.warnings.extend(preflight::gateway_timeout(&profile.resources, &facts));
    if let Some((name, duration)) = chosen(profile, scenario) {
        plan.refusals
            .extend(preflight::session(&account.caller, Timestamp::now(), duration));
        if let Some(demand) = profile.scenario(Some(&name), "").ok().as_ref().and_then(demand) {
            let inputs = past(account, &mut plan).await;
            let warnings = preflight::caps(&plan, &inputs, demand);
            plan.warnings.extend(warnings);
        }
    }
    let around = Around {
        who: account.who(),
        endpoint: account.aws.endpoint(),
        cannot_undo: profile
            .cannot_undo()
            .into_iter()
            .map(|undo| format!("journey `{}` {}", undo.journey, undo.text))
            .collect(),
        asks: profile.asks.iter().map(|ask| ask.criterion.clone()).collect(),
    };
    Preflight { plan, around }
}

/// What AWS says of every listed resource. One that does not exist is refused, unless planning has said so already.
async fn gather(profile: &Profile, account: &Account, plan: &mut Plan) -> BTreeMap<Resource, Facts> {
    let mut known = BTreeMap::new();
    for (resource, facts) in profile.resources.iter().zip(account.aws.facts(&profile.resources).await) {
        match facts {
            Ok(facts) => {
                known.insert(resource.clone(), facts);
            }
            Err(error) => {
                let about = resource.to_string();
                if !plan.refusals.iter().any(|refusal| refusal.about == about) {
                    let help = "check the name, the account, the region and the permissions".to_owned();
                    plan.refusals.push(Refusal {
                        about,
                        text: error.to_string(),
                        help,
                    });
                }
            }
        }
    }
    known
}

/// The heaviest phase, for Little's law.
fn demand(scenario: &Scenario) -> Option<Demand> {
    let weight: f64 = scenario.journeys.iter().map(|journey| journey.weight).sum();
    let think = |journey: &crate::scenario::Journey| (journey.think.min + journey.think.max).as_secs_f64() / 2.0 * journey.weight / weight;
    let think: f64 = scenario.journeys.iter().map(think).sum();
    let demands = scenario.phases.iter().map(|phase| match phase.shape {
        Shape::Users { from, to, .. } => Demand::Users(f64::from(from.max(to)), think),
        Shape::Arrivals { from, to } => Demand::Rate(from.0.max(to.0)),
    });
    let size = |demand: &Demand| match demand {
        Demand::Users(users, _) => *users,
        Demand::Rate(rate) => *rate,
    };
    demands.max_by(|a, b| size(a).total_cmp(&size(b)))
}

/// Each capped function's own last 14 days.
async fn past(account: &Account, plan: &mut Plan) -> BTreeMap<String, CapInput> {
    let functions: Vec<String> = plan
        .changes
        .iter()
        .filter_map(|change| {
            if let Setting::LambdaReserved { function } = &change.setting {
                Some(function.clone())
            } else {
                None
            }
        })
        .collect();
    let query = |function: &String, metric: &str, statistic| MetricQuery {
        namespace: "AWS/Lambda".to_owned(),
        metric: metric.to_owned(),
        dimensions: vec![("FunctionName".to_owned(), function.clone())],
        statistic,
        period: 3_600,
    };
    let queries: Vec<MetricQuery> = functions
        .iter()
        .flat_map(|function| {
            [
                query(function, "ConcurrentExecutions", Statistic::Maximum),
                query(function, "Duration", Statistic::Average),
            ]
        })
        .collect();
    let Some(window) = hours(Timestamp::now()) else {
        return BTreeMap::new();
    };
    let answers = account.aws.fetch(&queries, window).await;
    if let Some(Err(error)) = answers.iter().find(|answer| answer.is_err()) {
        let text = format!("the functions' last 14 days could not be read ({error}), so their caps were not compared with their own peaks");
        plan.warnings.push(Warning {
            about: "lambda".to_owned(),
            text,
        });
    }
    let values = |index: usize| {
        answers
            .get(index)
            .and_then(|answer| answer.as_ref().ok())
            .map(|points| points.iter().map(|(_, value)| *value).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    functions
        .into_iter()
        .enumerate()
        .map(|(index, function)| {
            let durations = values(index * 2 + 1);
            #[expect(clippy::cast_precision_loss, reason = "336 hours")]
            let answer = (!durations.is_empty()).then(|| durations.iter().sum::<f64>() / durations.len() as f64 / 1_000.0);
            (
                function,
                CapInput {
                    peak: values(index * 2).into_iter().reduce(f64::max),
                    answer,
                },
            )
        })
        .collect()
}

fn hours(now: Timestamp) -> Option<TimeWindow> {
    let to = Timestamp::from_second((now.as_second() / 3_600 + 1) * 3_600).ok()?;
    Some(TimeWindow {
        from: to.checked_sub(PEAK_WINDOW).ok()?,
        to,
    })
}
