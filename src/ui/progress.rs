//! What `prepare` and `cleanup` do, line by line, as it happens.

use crate::change::Event;
use crate::ui::changes;
use crate::units::{self, Timestamp};

/// One line for an event; `None` for what is not worth one.
#[must_use]
pub fn line(event: &Event, now: Timestamp) -> Option<String> {
    let at = now.strftime("%H:%M:%S");
    Some(match event {
        Event::Setting { .. } => return None,
        Event::Set { setting, from, to } => format!(
            "✓ {at} {} {} → {}",
            changes::setting(setting),
            changes::value(setting, from, Some(to)),
            changes::value(setting, to, Some(from))
        ),
        Event::Waiting { setting, why } => format!("… {at} {}: {why}", changes::setting(setting)),
        Event::InDoubt { setting, wait } => {
            format!(
                "… {at} {}: an answer was lost; waiting {} until it cannot take effect any more",
                changes::setting(setting),
                units::duration(*wait)
            )
        }
        Event::Deferred { setting, until } => format!(
            "… {at} {}: AWS allows it from {}",
            changes::setting(setting),
            until.strftime("%H:%M UTC")
        ),
        Event::PuttingBack => format!("! {at} putting back what was changed"),
        Event::JournalLost { error } => format!("! {at} the journal cannot be written any more, going on without: {error}"),
    })
}
