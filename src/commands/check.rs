//! `check`: is the profile valid? Nothing is contacted.

use std::fmt::Write as _;

use serde_json::json;

use super::error::Error;
use super::profile::load;
use crate::cli::{Output, ProfileArgs};
use crate::exit::Exit;
use crate::profile::Profile;
use crate::ui::Screen;
use crate::units;

/// Validates, and says what the profile holds and what it still asks of its owner.
pub(crate) fn run(screen: &Screen, output: Output, args: &ProfileArgs) -> Result<Exit, Error> {
    let profile = load(args)?;
    match output {
        Output::Text => screen.data(&text(&profile)),
        Output::Json => screen.data(&format!("{:#}", as_json(&profile))),
    }
    Ok(Exit::Done)
}

fn text(profile: &Profile) -> String {
    let mut lines = vec![format!("✓ {} is valid · {}", profile.file_name(), profile.description)];
    if let Some(aws) = &profile.aws {
        lines.push(format!("  account {} · {}", aws.account, aws.region));
    }
    lines.push(format!(
        "  {} watched · {} set · {} required",
        units::count(profile.resources.len(), "resource"),
        profile.wishes.len(),
        profile.requirements.len()
    ));
    for scenario in profile.scenarios() {
        let judged = profile.criteria_for(scenario.name).len();
        let mut line = format!(
            "  scenario {} · {} · {}",
            scenario.name,
            units::duration(scenario.duration),
            criteria(judged)
        );
        if !scenario.description.is_empty() {
            let _ = write!(line, " · {}", scenario.description);
        }
        lines.push(line);
        if judged == 0 {
            lines.push(format!("WARN scenario `{}` has no criterion: nothing is judged", scenario.name));
        }
    }
    for undo in profile.cannot_undo() {
        lines.push(format!("WARN journey `{}` cannot be undone: {}", undo.journey, undo.text));
    }
    for ask in &profile.asks {
        lines.push(format!(
            "? line {}: `{}` needs your number: {} = \"{}\"",
            ask.line, ask.criterion, ask.key, ask.text
        ));
    }
    if !profile.asks.is_empty() {
        lines.push(format!("{} UNKNOWN until you fill in the numbers", criteria(profile.asks.len())));
    }
    lines.join("\n")
}

fn criteria(count: usize) -> String {
    if count == 1 {
        "1 criterion".to_owned()
    } else {
        format!("{count} criteria")
    }
}

fn as_json(profile: &Profile) -> serde_json::Value {
    let scenarios: Vec<_> = profile
        .scenarios()
        .map(|scenario| json!({ "name": scenario.name, "description": scenario.description, "seconds": scenario.duration.as_secs_f64() }))
        .collect();
    let asks: Vec<_> = profile
        .asks
        .iter()
        .map(|ask| json!({ "criterion": ask.criterion, "key": ask.key, "text": ask.text, "line": ask.line }))
        .collect();
    json!({
        "profile": profile.name,
        "file": profile.file_name(),
        "resources": profile.resources,
        "wishes": profile.wishes,
        "requirements": profile.requirements,
        "scenarios": scenarios,
        "asks": asks,
    })
}
