//! A criterion with `from` and `until`: how long it takes until all is well again.
//!
//! Owns moments and the conditions of `until`. Bands and scopes are `criterion`'s part.

use std::time::Duration;

use super::criterion::{Known, noted, phase_names};
use super::diagnose::Fault;
use super::fields::{Fields, Text};
use super::metric::{self, Meaning};
use super::phases::Outline;
use super::{condition, names};
use crate::scenario::{Condition, Limit, Measure, Metric, Recovery};

/// Reads the `from`, `until` and `hold` of a criterion.
pub(super) fn read(
    fields: &Fields<'_>,
    known: &Known<'_>,
    scenarios: &[String],
    (from, until, hold): (Text<'_>, &[Text<'_>], Option<Duration>),
) -> Option<(Meaning, Measure)> {
    let after_phase = noted(fields, from, moment(from.text))?;
    let place = fields
        .problems
        .narrow(from.text, from.at, from.text.len() - after_phase.len()..from.text.len());
    let text = Text {
        text: after_phase,
        at: place,
    };
    names::known(fields, &[text], "phase", phase_names(known, scenarios));
    if never_followed(known, scenarios, after_phase) {
        fields.problems.add(
            place,
            format!("no phase follows `{after_phase}`, so nothing can tell how it recovers"),
            "add a phase after it, with a load that the target should bear",
        );
    }
    if fields.key_at("until").is_none() {
        fields.missing("until", "say what must hold again, such as `until = [\"errors rate < 1%\"]`");
    }
    let until = until
        .iter()
        .filter_map(|text| noted(fields, *text, condition_of(text.text)))
        .collect();
    let recovery = Recovery {
        after_phase: after_phase.to_owned(),
        until,
        hold: hold.unwrap_or_default(),
    };
    Some((metric::recovery(), Measure::Recovery(recovery)))
}

/// Whether a phase is there, and the last one wherever it is.
fn never_followed(known: &Known<'_>, scenarios: &[String], phase: &str) -> bool {
    let phases = |scenario: &Outline| -> Vec<String> { scenario.phases.iter().map(|phase| phase.name.clone()).collect() };
    let holding: Vec<Vec<String>> = known
        .scenarios
        .iter()
        .filter(|scenario| scenarios.is_empty() || scenarios.contains(&scenario.name))
        .map(phases)
        .filter(|phases| phases.iter().any(|name| name == phase))
        .collect();
    !holding.is_empty() && holding.iter().all(|phases| phases.last().is_some_and(|last| last == phase))
}

/// `end of phase NAME`.
fn moment(text: &str) -> Result<&str, Fault> {
    let help = "write `end of phase NAME`";
    if let Some(phase) = text.trim().strip_prefix("end of phase ") {
        return Ok(phase.trim());
    }
    let later = ["start of phase ", "start of event ", "end of event ", "end of load"];
    if later.iter().any(|moment| text.trim().starts_with(moment)) {
        return Err(Fault::new(format!("`{text}` is not supported by this version"), help));
    }
    Err(Fault::new(format!("`{text}` is not a moment"), help))
}

/// `METRIC STAT OP VALUE`.
fn condition_of(text: &str) -> Result<(Metric, Condition), Fault> {
    let (name, rest) = text
        .split_once(' ')
        .ok_or_else(|| Fault::new("the condition names no metric", "write it such as `errors rate < 1%`"))?;
    let meaning = metric::meaning(name).map_err(|fault| fault.within(0..name.len()))?;
    if !meaning.is_in_time_line() {
        return Err(Fault::new(
            format!("`{name}` in `until` is not supported by this version"),
            "use what the client sees, such as `errors rate < 1%`",
        )
        .within(0..name.len()));
    }
    let shift = name.len() + 1;
    let read = |rest: &str| meaning.condition(rest, &condition::read(rest)?);
    let condition = read(rest).map_err(|fault| fault.shifted(shift, rest.len()))?;
    if matches!(condition.limit, Limit::Ask(_)) {
        return Err(Fault::new("`?` can only stand in `pass`, `warn`, `fail` and `invalid`", "write the limit").within(shift..text.len()));
    }
    Ok((meaning.metric, condition))
}
