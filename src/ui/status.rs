//! The screen of `status`.

use std::fmt::Write as _;

use crate::journal::{Outstanding, Owner, Started};
use crate::ui::changes;
use crate::units::Timestamp;

/// What one journal still has outstanding.
pub struct Entry<'a> {
    /// The journal's first line.
    pub started: &'a Started,
    /// What is outstanding.
    pub outstanding: &'a [Outstanding],
    /// Whose living run uses it.
    pub in_use: Option<&'a Owner>,
    /// Somebody holds the account's lock now.
    pub busy: bool,
}

/// The whole screen.
#[must_use]
pub fn status(entries: &[Entry<'_>], unreadable: &[String], looked_at: &str, now: Timestamp) -> String {
    let changed: usize = entries.iter().map(|entry| entry.outstanding.len()).sum();
    let mut lines = Vec::new();
    match (changed, unreadable.is_empty()) {
        (0, true) => lines.push("CLEAN · tidegate has nothing outstanding".to_owned()),
        (0, false) => lines.push("NOT KNOWN · a journal cannot be read".to_owned()),
        _ => lines.push(format!("NOT BACK TO NORMAL · {changed} still changed")),
    }
    lines.push(format!(
        "looked at: {looked_at}, as its journals tell; the account itself was not asked"
    ));
    for entry in entries {
        lines.extend(lines_of(entry, now));
    }
    lines.extend(unreadable.iter().map(|error| format!("! {error}")));
    if changed > 0 {
        lines.push("next   tidegate cleanup".to_owned());
    }
    lines.join("\n")
}

fn lines_of(entry: &Entry<'_>, now: Timestamp) -> Vec<String> {
    let started = entry.started;
    let place = started.endpoint.as_deref().unwrap_or("AWS");
    let used = match (entry.in_use, entry.busy) {
        (Some(owner), _) => format!("a run uses it: {}@{} (pid {})", owner.user, owner.host, owner.pid),
        (None, true) => "being changed right now".to_owned(),
        (None, false) => "idle".to_owned(),
    };
    let mut lines = vec![format!(
        "{} · {} · {} · {place} · prepared {} by {}@{} · {used}",
        started.profile,
        started.account,
        started.region,
        started.at.strftime("%Y-%m-%d %H:%M UTC"),
        started.owner.user,
        started.owner.host
    )];
    for outstanding in entry.outstanding {
        let mut line = format!(
            "  {}  was {}, we set {}",
            changes::setting(&outstanding.setting),
            changes::value(&outstanding.setting, &outstanding.original, Some(&outstanding.applied)),
            changes::value(&outstanding.setting, &outstanding.applied, Some(&outstanding.original))
        );
        if outstanding.in_doubt.is_some() {
            line.push_str("; an answer was lost, so it may or may not be");
        }
        if let Some(until) = outstanding.not_before {
            let verb = if until > now { "revertible from" } else { "revertible since" };
            let _ = write!(line, "; {verb} {}", until.strftime("%H:%M UTC"));
        }
        lines.push(line);
    }
    lines
}
