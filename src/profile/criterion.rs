//! `[[criterion]]` and the `expect` of phases: what the result is judged by.
//!
//! Owns bands and scopes. The grammar of conditions is `condition`'s part, metrics are `metric`'s.

use std::time::Duration;

use super::condition;
use super::diagnose::{At, Fault};
use super::fields::{Fields, Text};
use super::metric::{self, Meaning};
use super::names::{self, Unique};
use super::phases::Outline;
use super::{Ask, recovery, suggest};
use crate::scenario::{Condition, Criterion, Journey, Limit, Measure, Metric, Scope};
use crate::setting::Resource;

/// What criteria may refer to.
pub(super) struct Known<'a> {
    pub(super) resources: &'a [Resource],
    pub(super) scenarios: &'a [Outline],
    pub(super) journeys: &'a [Journey],
}

/// Criteria, and the limits that only the profile's owner can know.
#[derive(Default)]
pub(super) struct Criteria {
    pub(super) all: Vec<Criterion>,
    pub(super) asks: Vec<Ask>,
    /// What errors of later steps may point at.
    pub(super) places: Vec<(String, At)>,
}

/// Kinds of errors.
const KINDS: [&str; 6] = ["timeout", "connect", "tls", "reset", "status", "check"];

/// Reads every `[[criterion]]`. One that names several scenarios becomes one for each.
pub(super) fn read(root: &Fields<'_>, known: &Known<'_>) -> Criteria {
    let mut unique = Unique::new("criterion");
    let mut criteria = Criteria::default();
    for fields in root.tables("criterion", "criterion", "criterion") {
        one(fields, known, &mut unique, &mut criteria);
    }
    criteria
}

fn one(fields: Fields<'_>, known: &Known<'_>, unique: &mut Unique, criteria: &mut Criteria) {
    let name = unique.name(&fields);
    criteria.places.push((format!("criterion/{name}"), fields.at_of("name")));
    let scenario_texts = fields.texts("scenario");
    let names = known.scenarios.iter().map(|scenario| scenario.name.as_str());
    let scenarios = names::known(&fields, &scenario_texts, "scenario", names);
    let subject = subject(&fields, known, &scenarios);
    let scope = scope(&fields, known, &scenarios, subject.as_ref().map(|(meaning, _)| meaning));
    let mut band = |key| {
        band(
            &fields,
            key,
            subject.as_ref().map(|(meaning, _)| meaning),
            &name,
            &mut criteria.asks,
        )
    };
    let (pass, warn, fail, invalid) = (band("pass"), band("warn"), band("fail"), band("invalid"));
    if ["pass", "warn", "fail", "invalid"].iter().all(|key| fields.key_at(key).is_none()) {
        fields.missing("pass", "say what must hold, such as `pass = \"p(95) < 15s\"`");
    }
    let window = nonzero(&fields, "window");
    let abort_after = nonzero(&fields, "abort-after");
    if let Some((meaning, measure)) = &subject {
        check_windows(&fields, meaning, matches!(measure, Measure::Recovery(_)));
    }
    fields.finish();
    let Some((_, measure)) = subject else { return };
    let criterion = |scenario: Option<String>| Criterion {
        name: name.clone(),
        measure: measure.clone(),
        scope: scope.clone(),
        pass: pass.clone(),
        warn: warn.clone(),
        fail: fail.clone(),
        invalid: invalid.clone(),
        scenario,
        window,
        abort_after,
    };
    if scenarios.is_empty() {
        criteria.all.push(criterion(None));
    }
    criteria.all.extend(scenarios.into_iter().map(|scenario| criterion(Some(scenario))));
}

/// What is told by phase only cannot be judged in windows, and a recovery is one time.
fn check_windows(fields: &Fields<'_>, meaning: &Meaning, recovery: bool) {
    for key in ["window", "abort-after"] {
        let Some(at) = fields.key_at(key) else { continue };
        if recovery {
            fields.problems.add(
                at,
                format!("`{key}` does not go with `from`"),
                "leave it out: a recovery is one time",
            );
        } else if key == "abort-after" && meaning.is_aws() {
            fields.problems.add(
                at,
                "`abort-after` does not apply to AWS metrics",
                "leave it out: they arrive minutes late; abort by what the client sees",
            );
        } else if !meaning.is_aws() && !meaning.is_in_time_line() {
            fields.problems.add(
                at,
                format!("`{key}` does not apply to `{}`", meaning.metric),
                "leave it out, or judge `response_time` or `requests`",
            );
        }
    }
}

fn nonzero(fields: &Fields<'_>, key: &'static str) -> Option<Duration> {
    let duration = fields.duration(key)?;
    if duration.is_zero() {
        fields
            .problems
            .add(fields.at_of(key), format!("`{key}` must be longer than 0"), "write such as `30s`");
        return None;
    }
    Some(duration)
}

/// What is measured: a metric, or the time of a recovery.
fn subject(fields: &Fields<'_>, known: &Known<'_>, scenarios: &[String]) -> Option<(Meaning, Measure)> {
    let metric_text = fields.text("metric");
    let from = fields.text("from");
    let until = fields.texts("until");
    let hold = fields.duration("hold");
    let kind = fields.text("kind");
    let status = fields.text("status");
    if let (Some(from), true) = (fields.key_at("from"), fields.key_at("metric").is_some()) {
        fields.problems.add(
            from,
            "a criterion has a `metric` or a `from`, not both",
            "keep `metric`, or keep `from` with `until`",
        );
        return None;
    }
    if let Some(from) = from {
        return recovery::read(fields, known, scenarios, (from, &until, hold));
    }
    for key in ["until", "hold"] {
        if let Some(at) = fields.key_at(key) {
            fields
                .problems
                .add(at, format!("`{key}` goes with `from`"), "add `from = \"end of phase NAME\"`");
        }
    }
    let Some(text) = metric_text else {
        if fields.key_at("metric").is_none() && fields.key_at("from").is_none() {
            fields.missing("metric", "say what is measured, such as `metric = \"response_time\"`");
        }
        return None;
    };
    let mut meaning = noted(fields, text, metric::meaning(text.text))?;
    filter(fields, &mut meaning, kind, status);
    let measure = Measure::Metric(meaning.metric.clone());
    Some((meaning, measure))
}

pub(super) fn noted<T>(fields: &Fields<'_>, text: Text<'_>, result: Result<T, Fault>) -> Option<T> {
    result.map_err(|fault| fields.problems.fault(text.text, text.at, fault)).ok()
}

/// `kind` of errors and `status` of responses.
fn filter(fields: &Fields<'_>, meaning: &mut Meaning, wanted_kind: Option<Text<'_>>, wanted_status: Option<Text<'_>>) {
    if let Some(text) = wanted_kind {
        if let Metric::Errors { kind } = &mut meaning.metric {
            *kind = Some(text.text.to_owned());
            if !KINDS.contains(&text.text) {
                let help = suggest::help(text.text, KINDS, "kinds");
                fields.problems.add(text.at, format!("unknown kind of error `{}`", text.text), help);
            }
        } else {
            fields.problems.add(
                text.at,
                "`kind` applies to `errors` only",
                "leave it out, or write `metric = \"errors\"`",
            );
        }
    }
    if let Some(text) = wanted_status {
        if let Metric::Responses { status } = &mut meaning.metric {
            *status = Some(text.text.to_owned());
            if !is_status(text.text) {
                fields.problems.add(
                    text.at,
                    format!("`{}` is not a status", text.text),
                    "write a code such as `429`, or a class such as `5xx`",
                );
            }
        } else {
            fields.problems.add(
                text.at,
                "`status` applies to `responses` only",
                "leave it out, or write `metric = \"responses\"`",
            );
        }
    }
}

fn is_status(text: &str) -> bool {
    let mut chars = text.chars();
    let class = chars.next().is_some_and(|c| ('1'..='5').contains(&c));
    let rest = chars.as_str();
    class && (rest == "xx" || (rest.len() == 2 && rest.chars().all(|c| c.is_ascii_digit())))
}

pub(super) fn phase_names<'a>(known: &'a Known<'_>, scenarios: &'a [String]) -> impl Iterator<Item = &'a str> + Clone {
    known
        .scenarios
        .iter()
        .filter(move |scenario| scenarios.is_empty() || scenarios.contains(&scenario.name))
        .flat_map(|scenario| scenario.phases.iter().map(|phase| phase.name.as_str()))
}

fn scope(fields: &Fields<'_>, known: &Known<'_>, scenarios: &[String], meaning: Option<&Meaning>) -> Scope {
    let listed = |key, what, names: &mut dyn Iterator<Item = &str>| {
        let names: Vec<&str> = names.collect();
        names::known(fields, &fields.texts(key), what, names.iter().copied())
    };
    let steps = || known.journeys.iter().flat_map(|journey| journey.steps.iter());
    let scope = Scope {
        phases: listed("phase", "phase", &mut phase_names(known, scenarios)),
        journeys: listed(
            "journey",
            "journey",
            &mut known.journeys.iter().map(|journey| journey.name.as_str()),
        ),
        steps: listed("step", "step", &mut steps().map(|step| step.name.as_str())),
        tags: listed(
            "tag",
            "tag",
            &mut known.journeys.iter().flat_map(|journey| journey.tags.iter().map(String::as_str)),
        ),
        on: fields.texts("on").iter().map(|text| text.text.to_owned()).collect(),
    };
    match meaning {
        Some(meaning) if meaning.is_aws() => cloud_scope(fields, known, meaning),
        Some(_) => {
            if let Some(at) = fields.key_at("on") {
                fields.problems.add(
                    at,
                    "`on` applies to AWS metrics only",
                    "leave it out; scope client metrics by `phase`, `journey`, `step` or `tag`",
                );
            }
        }
        None => {}
    }
    scope
}

fn cloud_scope(fields: &Fields<'_>, known: &Known<'_>, meaning: &Meaning) {
    for key in ["journey", "step", "tag"] {
        if let Some(at) = fields.key_at(key) {
            fields.problems.add(
                at,
                format!("`{key}` does not apply to AWS metrics"),
                "AWS cannot tell which step a request came from; scope by `on` or `phase`",
            );
        }
    }
    let kinds: &[&str] = match &meaning.metric {
        Metric::Aws { kind, .. } => &[kind.as_str()],
        _ => &["dynamodb", "ecs"],
    };
    let fits = |resource: &&Resource| kinds.contains(&resource.kind());
    let on = fields.texts("on");
    if on.is_empty() && !known.resources.iter().any(|resource| fits(&resource)) {
        let listed = kinds.iter().map(|kind| format!("`[[{kind}]]`")).collect::<Vec<_>>().join(" or ");
        fields.problems.add(
            fields.at_of("metric"),
            format!("the profile lists no {listed} to measure this on"),
            "list the resource; whatever is listed is watched",
        );
    }
    for text in on {
        let Some(found) = super::resource::select(fields, text, known.resources) else {
            continue;
        };
        if !found.iter().any(fits) {
            fields.problems.add(
                text.at,
                format!("`{}` has no metric `{}`", text.text, meaning.metric),
                format!("name a resource of kind {}", suggest::list(kinds.iter().copied())),
            );
        }
    }
}

fn band(fields: &Fields<'_>, key: &'static str, meaning: Option<&Meaning>, criterion: &str, asks: &mut Vec<Ask>) -> Option<Condition> {
    let text = fields.text(key)?;
    let written = noted(fields, text, condition::read(text.text))?;
    let condition = noted(fields, text, meaning?.condition(text.text, &written))?;
    if matches!(condition.limit, Limit::Ask(_)) {
        asks.push(Ask {
            criterion: criterion.to_owned(),
            key: key.to_owned(),
            text: condition.text.clone(),
            line: fields.problems.line(text.at),
        });
    }
    Some(condition)
}

/// Reads `expect = { response_time = "p(95) < 5s" }` of a phase.
pub(super) fn expectations(table: &Fields<'_>, scenario: &str, phase: &str) -> Vec<Criterion> {
    let mut criteria = Vec::new();
    for entry in table.every() {
        let name = entry.key.as_str();
        let meaning = match metric::meaning(name) {
            Ok(meaning) => meaning,
            Err(fault) => {
                table.problems.add(entry.key_at, fault.message, fault.help);
                continue;
            }
        };
        let Some(text) = table.as_text(&entry.node, name) else { continue };
        let read = || meaning.condition(text.text, &condition::read(text.text)?);
        let Some(condition) = noted(table, text, read()) else { continue };
        if matches!(condition.limit, Limit::Ask(_)) {
            table.problems.add(
                text.at,
                "`?` can only stand in a criterion",
                "write the limit, or a `[[criterion]]`",
            );
        }
        criteria.push(Criterion {
            name: format!("{phase}: {name} {}", condition.text),
            measure: Measure::Metric(meaning.metric),
            scope: Scope {
                phases: vec![phase.to_owned()],
                ..Scope::default()
            },
            pass: Some(condition),
            warn: None,
            fail: None,
            invalid: None,
            scenario: Some(scenario.to_owned()),
            window: None,
            abort_after: None,
        });
    }
    criteria
}
