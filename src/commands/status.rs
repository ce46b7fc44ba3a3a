//! `status`: what is changed right now. Reads journals only; needs no credentials.

use serde_json::json;

use super::account::{is_alive, root};
use super::error::Error;
use crate::cli::Output;
use crate::exit::Exit;
use crate::journal::{Folder, Journal, Outstanding};
use crate::ui::status::{Entry, status};
use crate::ui::{Screen, changes};
use crate::units::Timestamp;

struct Open {
    journal: Journal,
    outstanding: Vec<Outstanding>,
    busy: bool,
}

/// Shows every outstanding journal of every account and endpoint.
pub(crate) fn run(screen: &Screen, output: Output) -> Result<Exit, Error> {
    let root = root()?;
    let mut open = Vec::new();
    let mut unreadable = Vec::new();
    for folder in Folder::all(&root)? {
        let busy = folder.is_locked();
        for found in folder.journals()? {
            match found.journal {
                Ok(journal) => {
                    let outstanding = journal.outstanding();
                    if !outstanding.is_empty() {
                        open.push(Open {
                            journal,
                            outstanding,
                            busy,
                        });
                    }
                }
                Err(error) => unreadable.push(format!("failed to {error}")),
            }
        }
    }
    match output {
        Output::Text => screen.data(&text(&open, &unreadable)),
        Output::Json => screen.data(&format!("{:#}", as_json(&open, &unreadable))),
    }
    Ok(if open.is_empty() && unreadable.is_empty() {
        Exit::Done
    } else {
        Exit::Changed
    })
}

fn text(open: &[Open], unreadable: &[String]) -> String {
    let entries: Vec<Entry<'_>> = open
        .iter()
        .map(|open| Entry {
            started: open.journal.started(),
            outstanding: &open.outstanding,
            in_use: open.journal.in_use().filter(|owner| is_alive(owner)),
            busy: open.busy,
        })
        .collect();
    status(&entries, unreadable, "this machine", Timestamp::now())
}

fn as_json(open: &[Open], unreadable: &[String]) -> serde_json::Value {
    let journals: Vec<_> = open
        .iter()
        .map(|open| {
            let settings: Vec<_> = open
                .outstanding
                .iter()
                .map(|entry| {
                    json!({
                        "setting": entry.setting,
                        "name": changes::setting(&entry.setting),
                        "before": entry.original,
                        "applied": entry.applied,
                        "since": entry.since,
                        "in_doubt": entry.in_doubt.is_some(),
                        "not_before": entry.not_before,
                    })
                })
                .collect();
            json!({ "started": open.journal.started(), "busy": open.busy, "outstanding": settings })
        })
        .collect();
    json!({ "changed": !open.is_empty(), "journals": journals, "unreadable": unreadable })
}
