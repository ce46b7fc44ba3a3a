//! The plan's screen.

use crate::setting::{Change, Plan, Refusal, State, Undo};
use crate::ui::{changes, table::table};
use crate::units;

/// What stands around a plan.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// `123456789012 · ap-southeast-1 · role loadtest, session ends 15:58`.
    pub who: String,
    /// The AWS endpoint when it is not AWS itself.
    pub endpoint: Option<String>,
    /// What the load leaves behind for ever.
    pub cannot_undo: Vec<String>,
    /// Criteria whose limit only the owner knows.
    pub asks: Vec<String>,
}

/// The whole screen. With `all`, what stays as it is is listed too.
#[must_use]
pub fn plan(plan: &Plan, around: &Around, all: bool, width: usize) -> String {
    let mut lines = Vec::new();
    if !around.who.is_empty() {
        lines.push(around.who.clone());
    }
    if let Some(endpoint) = &around.endpoint {
        lines.push(format!("not AWS itself: {endpoint}"));
    }
    let shown: Vec<&Change> = plan.changes.iter().filter(|change| all || !change.is_noop()).collect();
    let rows: Vec<Vec<String>> = shown.iter().map(|change| row(change)).collect();
    if !rows.is_empty() {
        lines.push(table(&["", "SETTING", "NOW", "TEST", "UNDO"], &rows, width));
    }
    let same = plan.changes.len() - plan.changes.iter().filter(|change| !change.is_noop()).count();
    if same > 0 && !all {
        lines.push(format!("({same} more stay as they are: -v)"));
    }
    lines.push(format!("{} to make", units::count(plan.changes.len() - same, "change")));
    lines.extend(
        plan.warnings
            .iter()
            .map(|warning| format!("WARN {}: {}", warning.about, warning.text)),
    );
    lines.extend(around.cannot_undo.iter().map(|text| format!("WARN cannot be undone: {text}")));
    lines.extend(
        around
            .asks
            .iter()
            .map(|name| format!("WARN `{name}` has `?` for a limit: it will be UNKNOWN until you put your number there")),
    );
    lines.extend(plan.refusals.iter().map(refusal));
    lines.join("\n")
}

/// One refusal with what to do.
#[must_use]
pub fn refusal(refusal: &Refusal) -> String {
    format!("REFUSED {}: {}\n        {}", refusal.about, refusal.text, refusal.help)
}

fn row(change: &Change) -> Vec<String> {
    let mark = match (&change.before, &change.after) {
        (before, after) if before == after => "=",
        (State::Absent, _) => "+",
        (_, State::Absent) => "-",
        _ => "~",
    };
    let undo = match &change.undo {
        _ if change.is_noop() => "–".to_owned(),
        Undo::Exact => "exact".to_owned(),
        Undo::Delayed { why } => format!("exact; {why}"),
    };
    vec![
        mark.to_owned(),
        changes::setting(&change.setting),
        changes::value(&change.setting, &change.before, Some(&change.after)),
        changes::value(&change.setting, &change.after, Some(&change.before)),
        undo,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::{Setting, Warning};

    #[test]
    fn a_plan_shows_what_changes_and_counts_what_stays() {
        let change = |function: &str, before: State| Change {
            setting: Setting::LambdaReserved { function: function.into() },
            before,
            after: State::Reserved { limit: 100 },
            undo: Undo::Exact,
        };
        let text = plan(
            &Plan {
                changes: vec![
                    change("webhook-handler", State::Absent),
                    change("servicenow-action", State::Reserved { limit: 100 }),
                ],
                warnings: vec![Warning {
                    about: "lambda/webhook-handler".into(),
                    text: "100 is a cap".into(),
                }],
                refusals: vec![],
            },
            &Around {
                who: "123456789012 · ap-southeast-1".into(),
                ..Around::default()
            },
            false,
            80,
        );
        insta::assert_snapshot!(text, @r"
        123456789012 · ap-southeast-1
           SETTING                          NOW    TEST  UNDO
        +  lambda webhook-handler reserved  unset  100   exact
        (1 more stay as they are: -v)
        1 change to make
        WARN lambda/webhook-handler: 100 is a cap
        ");
    }
}
