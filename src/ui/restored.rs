//! The screen of `cleanup`: setting by setting, before and now, and what is left to decide.

use std::fmt::Write as _;

use crate::change::{Left, Restored};
use crate::journal::Outcome;
use crate::ui::changes;

/// The whole list and its sum.
#[must_use]
pub fn restored(results: &[Restored]) -> String {
    let mut lines: Vec<String> = results.iter().map(line).collect();
    lines.push(sum(results));
    lines.join("\n")
}

fn line(result: &Restored) -> String {
    let name = changes::setting(&result.setting);
    let value = |state| changes::value(&result.setting, state, None);
    match &result.end {
        Ok(Outcome::Restored) => {
            let found = result.found.as_ref().map_or_else(
                || "?".to_owned(),
                |found| changes::value(&result.setting, found, Some(&result.original)),
            );
            let original = changes::value(&result.setting, &result.original, result.found.as_ref());
            format!("✓ {name}  {found} → {original}, proved")
        }
        Ok(Outcome::AlreadyBefore) => format!("✓ {name}  {} as before, proved", value(&result.original)),
        Ok(Outcome::Gone) => format!("✓ {name}  the resource no longer exists"),
        Ok(Outcome::Accepted { seen }) => format!("✓ {name}  {} kept, was {}", value(seen), value(&result.original)),
        Err(Left::Drift(drift)) => format!(
            "! {name}  was {}, we set {}, now {}\n  left alone; --force='{}' or --accept '{}'",
            value(&drift.was),
            value(&drift.ours),
            value(&drift.now),
            result.setting,
            result.setting
        ),
        Err(Left::Waiting { until, why }) => format!("… {name}  AWS refuses until {}: {why}", until.strftime("%H:%M UTC")),
        Err(Left::Held { by }) => format!("! {name}  left as it is: putting it back would change {by}, which is yours to decide first"),
        Err(Left::Recreated { was, now }) => {
            format!(
                "! {name}  another resource has its name now ({now} instead of {was}); left alone; --accept '{}' closes it",
                result.setting
            )
        }
        Err(Left::Failed { error }) => format!("✗ {name}  {error}"),
        Err(Left::NotProved { seen }) => format!("✗ {name}  was put back to {}, but is {} now", value(&result.original), value(seen)),
    }
}

fn sum(results: &[Restored]) -> String {
    let proved = results
        .iter()
        .filter(|result| matches!(result.end, Ok(Outcome::Restored | Outcome::AlreadyBefore)))
        .count();
    let other = results
        .iter()
        .filter(|result| matches!(result.end, Ok(Outcome::Gone | Outcome::Accepted { .. })))
        .count();
    let yours = results
        .iter()
        .filter(|result| matches!(result.end, Err(Left::Drift(_) | Left::Held { .. } | Left::Recreated { .. })))
        .count();
    let waiting = results
        .iter()
        .filter(|result| matches!(result.end, Err(Left::Waiting { .. })))
        .count();
    let failed = results
        .iter()
        .filter(|result| matches!(result.end, Err(Left::Failed { .. } | Left::NotProved { .. })))
        .count();
    let mut text = format!("{proved} of {} proved equal", results.len());
    for (count, what) in [
        (other, "closed otherwise"),
        (yours, "yours to decide"),
        (waiting, "waiting"),
        (failed, "failed"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text
}
