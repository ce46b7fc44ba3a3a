//! The plan's screen.

use crate::setting::{Change, Plan, Refusal, Setting, State, Undo};
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
    lines.extend(rows(&plan.changes, all, width));
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

/// A resource in a line, its settings below, in the order of the plan. The range and the policy of one target are one
/// row: they are one thing to people.
fn rows(changes: &[Change], all: bool, width: usize) -> Vec<String> {
    let mut heads: Vec<Option<String>> = Vec::new();
    let mut cells: Vec<Vec<String>> = Vec::new();
    let mut last = None;
    for change in changes
        .iter()
        .filter(|change| !matches!(change.setting, Setting::ScalingPolicy { .. }))
    {
        let policy = policy_of(changes, &change.setting);
        if !all && change.is_noop() && policy.is_none_or(Change::is_noop) {
            continue;
        }
        let resource = change.setting.resource();
        heads.push((last.as_ref() != Some(&resource)).then(|| format!("{} {}", resource.kind(), resource.name())));
        last = Some(resource);
        cells.push(row(change, policy));
    }
    if cells.is_empty() {
        return Vec::new();
    }
    let table = table(&["", "SETTING", "NOW", "TEST", "UNDO"], &cells, width);
    let mut table = table.lines();
    let mut lines: Vec<String> = table.next().map(str::to_owned).into_iter().collect();
    let mut heads = heads.into_iter();
    for line in table {
        // A row that wraps goes on without a mark.
        if !line.starts_with(' ')
            && let Some(Some(head)) = heads.next()
        {
            lines.push(head);
        }
        lines.push(line.to_owned());
    }
    lines
}

fn policy_of<'a>(changes: &'a [Change], setting: &Setting) -> Option<&'a Change> {
    let Setting::ScalableTarget { target } = setting else { return None };
    changes
        .iter()
        .find(|change| matches!(&change.setting, Setting::ScalingPolicy { target: own, .. } if own == target))
}

fn row(change: &Change, policy: Option<&Change>) -> Vec<String> {
    let same = change.is_noop() && policy.is_none_or(Change::is_noop);
    let mark = match (&change.before, &change.after) {
        _ if same => "=",
        (State::Absent, _) => "+",
        (_, State::Absent) => "-",
        _ => "~",
    };
    let undo = match &change.undo {
        _ if same => "–".to_owned(),
        Undo::Exact => "exact".to_owned(),
        Undo::Delayed { why } => format!("exact; {why}"),
        Undo::Inexact { why } => format!("NOT exact: {why}"),
    };
    let value = |own: &State, other: &State, policy: Option<&State>| {
        let tracking = policy
            .filter(|state| **state != State::Absent)
            .map(ToString::to_string)
            .unwrap_or_default();
        let value = changes::value(&change.setting, own, Some(other));
        match value.split_once(" (") {
            Some((range, rest)) => format!("{range}{tracking} ({rest}"),
            None => format!("{value}{tracking}"),
        }
    };
    let aspect = changes::aspect(&change.setting);
    vec![
        mark.to_owned(),
        aspect.strip_suffix("range").map_or_else(
            || aspect.clone(),
            |scaled| {
                if scaled == "scaling " {
                    "scaling".to_owned()
                } else {
                    format!("{scaled}scaling")
                }
            },
        ),
        value(&change.before, &change.after, policy.map(|policy| &policy.before)),
        value(&change.after, &change.before, policy.map(|policy| &policy.after)),
        undo,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::Warning;

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
           SETTING   NOW    TEST  UNDO
        lambda webhook-handler
        +  reserved  unset  100   exact
        (1 more stay as they are: -v)
        1 change to make
        WARN lambda/webhook-handler: 100 is a cap
        ");
    }
}
