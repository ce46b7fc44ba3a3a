//! The `throttles` screen: what throttled, why, who says so, and what was not looked at.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::metrics::{Ledger, Throttle, TimeWindow};
use crate::units::{self, Timestamp};

use super::styled::{Styled, Tone, left, right, shortened, wrapped};
use super::{cause, moment, names, text};

/// More rows than this do not fit on a screen.
const ROWS: usize = 20;
/// Nor do more reasons than this.
const REASONS: usize = 8;

/// What is asked, and what only the command knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Asked<'a> {
    pub now: Timestamp,
    pub window: TimeWindow,
    /// What to type next; empty when there is nothing to do.
    pub next: &'a str,
    pub exit: u8,
}

/// The screen, no wider than `width` but at least 60 columns.
#[must_use]
pub fn screen(ledger: &Ledger, asked: Asked<'_>, width: usize) -> Styled {
    let width = width.max(60);
    let mut screen = Styled::default();
    let (tone, word, rest) = headline(ledger, asked);
    screen.paragraph(
        (tone, &format!("{word} ")),
        &format!("{rest} {}", completeness(ledger, asked)),
        width,
    );
    if !ledger.throttles.is_empty() {
        table(&mut screen, ledger, width);
    }
    screen.paragraph((Tone::Plain, ""), &looked(ledger), width);
    for reason in ledger.not_looked_at.iter().take(REASONS) {
        screen.paragraph((Tone::Warn, "Not looked at: "), reason, width);
    }
    if ledger.not_looked_at.len() > REASONS {
        let more = ledger.not_looked_at.len() - REASONS;
        screen.line([(Tone::Warn, format!("Not looked at: {more} more, see --output json"))]);
    }
    text::next(&mut screen, asked.next, asked.exit, width);
    screen
}

/// Whether a whole minute of the window can be judged; without one nothing is quiet.
#[must_use]
pub fn has_complete_minute(ledger: &Ledger, window: TimeWindow) -> bool {
    ledger.complete_to.is_some_and(|complete| complete > window.from)
}

/// The answer: throttling now, throttled before, quiet, too early to tell, or nobody looked.
fn headline(ledger: &Ledger, asked: Asked<'_>) -> (Tone, &'static str, String) {
    let reference = asked.now;
    let near = |at| moment::near(at, reference);
    let span = |first, last| {
        if first == last {
            near(first)
        } else {
            format!("{}–{}", near(first), near(last))
        }
    };
    let first = ledger.throttles.iter().map(|throttle| throttle.first).min();
    let last = ledger.throttles.iter().map(|throttle| throttle.last).max();
    match (first, last) {
        (Some(first), Some(last)) if quiet_since(ledger, last) => (Tone::Warn, "THROTTLED", format!("{}, quiet since.", span(first, last))),
        // Whether it goes on, nobody knows.
        (Some(first), Some(last)) if ledger.complete_to.is_none() => (Tone::Bad, "THROTTLED", format!("{}.", span(first, last))),
        (Some(first), _) => (Tone::Bad, "THROTTLING", format!("since {}.", near(first))),
        _ if ledger.looked_at.is_empty() => (Tone::Warn, "UNKNOWN", "nothing was looked at.".into()),
        _ => {
            let none = format!("no throttles {}–{}.", near(asked.window.from), near(asked.window.to.min(asked.now)));
            if has_complete_minute(ledger, asked.window) {
                (Tone::Good, "QUIET", none)
            } else {
                (Tone::Warn, "NOT KNOWN YET", format!("so far {none}"))
            }
        }
    }
}

/// Quiet needs a complete minute without throttles after the last one with them.
fn quiet_since(ledger: &Ledger, last: Timestamp) -> bool {
    ledger
        .complete_to
        .is_some_and(|complete| complete.duration_since(last).as_secs() >= 120)
}

fn completeness(ledger: &Ledger, asked: Asked<'_>) -> String {
    if ledger.looked_at.is_empty() {
        return String::new();
    }
    let complete = ledger.complete_to.filter(|_| has_complete_minute(ledger, asked.window));
    let Some(complete) = complete else {
        return "No complete minute was looked at.".into();
    };
    let open = asked.window.to.min(asked.now).duration_since(complete);
    let minutes = Duration::try_from(open).unwrap_or_default().as_secs().div_ceil(60);
    let complete = moment::near(complete, asked.now);
    if minutes == 0 {
        format!("Complete to {complete}.")
    } else {
        format!("Complete to {complete}; {minutes} min may change.")
    }
}

fn resource(throttle: &Throttle) -> String {
    let (kind, name) = names::split(&throttle.resource);
    format!("{} {}", left(names::kind_word(kind), 6), names::with_part(name, &throttle.part))
}

fn table(screen: &mut Styled, ledger: &Ledger, width: usize) {
    let shown = &ledger.throttles[..ledger.throttles.len().min(ROWS)];
    let longest = shown.iter().map(|throttle| resource(throttle).chars().count()).max();
    let name = longest.unwrap_or(0).clamp(8, width / 2 - 4);
    let cause_width = width.saturating_sub(name + 20);
    let row = |resource: &str, count: &str, peak: &str| format!("{} {} {}  ", left(resource, name), right(count, 7), right(peak, 9));
    screen.line([(Tone::Dim, format!("{}CAUSE", row("RESOURCE", "COUNT", "PEAK/min")))]);
    for throttle in shown {
        let words = format!("{} ({})", throttle.cause, cause::says(throttle.says));
        for (index, line) in wrapped(&words, cause_width).into_iter().enumerate() {
            let front = if index == 0 {
                row(
                    &shortened(&resource(throttle), name),
                    &figure(throttle.count),
                    &figure(throttle.peak),
                )
            } else {
                row("", "", "")
            };
            screen.line([(Tone::Plain, front), (Tone::Plain, line)]);
        }
    }
    if ledger.throttles.len() > ROWS {
        screen.line([(Tone::Dim, format!("{} more: --output json", ledger.throttles.len() - ROWS))]);
    }
}

/// A number, or `?` for one that nobody knows.
fn figure(value: f64) -> String {
    if value.is_finite() { units::number(value) } else { "?".into() }
}

fn looked(ledger: &Ledger) -> String {
    let services: BTreeSet<&str> = ledger.looked_at.iter().map(|resource| names::split(resource).0).collect();
    format!(
        "Looked at {}, {}.",
        units::count(services.len(), "service"),
        units::count(ledger.looked_at.len(), "resource")
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{self, time};
    use super::*;
    use crate::metrics::Says;

    fn asked(next: &str, exit: u8) -> Asked<'_> {
        Asked {
            now: time("02:12:20"),
            window: TimeWindow {
                from: time("01:12:00"),
                to: time("02:12:00"),
            },
            next,
            exit,
        }
    }

    fn throttle(resource: &str, part: &str, count: f64, cause: &str, says: Says) -> Throttle {
        Throttle {
            resource: resource.into(),
            part: part.into(),
            count,
            peak: (count / 3.5).round(),
            peak_at: time("01:20:00"),
            first: time("01:18:00"),
            last: time("01:31:00"),
            cause: cause.into(),
            says,
            minutes: Vec::new(),
        }
    }

    fn ledger() -> Ledger {
        Ledger {
            throttles: vec![
                throttle("lambda/supervisor-agent", "", 212.0, "reserved limit 200", Says::Inferred),
                throttle("dynamodb/conversations", "by-user", 95.0, "key range, write", Says::Aws),
            ],
            looked_at: vec![
                "lambda/supervisor-agent".into(),
                "dynamodb/conversations".into(),
                "dynamodb/feedback".into(),
            ],
            not_looked_at: vec!["rest-api/hcg-demo-api: 429s need access logs, which are off".into()],
            complete_to: Some(time("02:06:00")),
        }
    }

    #[test]
    fn on_call_reads_what_throttled_and_who_says_so() {
        let screen = screen(&ledger(), asked("tidegate report --since 1h", 99), 80).to_string();
        assert_eq!(
            screen,
            "\
THROTTLED 01:18–01:31, quiet since. Complete to 02:06; 6 min may change.
RESOURCE                       COUNT  PEAK/min  CAUSE
lambda supervisor-agent          212        61  reserved limit 200 (inferred)
ddb    conversations/by-user      95        27  key range, write (AWS says)
Looked at 2 services, 3 resources.
Not looked at: rest-api/hcg-demo-api: 429s need access logs, which are off
next   tidegate report --since 1h                        exit 99
"
        );
    }

    #[test]
    fn quiet_unknown_and_throttling_are_different_answers() {
        let first = |ledger: &Ledger| {
            screen(ledger, asked("", 0), 80)
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let mut quiet = ledger();
        quiet.throttles.clear();
        assert_eq!(
            first(&quiet),
            "QUIET no throttles 01:12–02:12. Complete to 02:06; 6 min may change."
        );
        assert_eq!(first(&Ledger::default()), "UNKNOWN nothing was looked at.");
        for complete_to in [None, Some(time("01:12:00")), Some(time("01:06:00"))] {
            let early = Ledger {
                complete_to,
                ..quiet.clone()
            };
            assert_eq!(
                first(&early),
                "NOT KNOWN YET so far no throttles 01:12–02:12. No complete minute was looked at."
            );
        }
        let mut now = ledger();
        now.throttles[0].last = time("02:05:00");
        assert_eq!(first(&now), "THROTTLING since 01:18. Complete to 02:06; 6 min may change.");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_whatever_the_names() {
        let mut wide = fixtures::hostile().throttles;
        wide.throttles[0].cause = "a cause with a very long explanation that goes on for more than one line".into();
        for width in [60, 80] {
            for line in screen(&wide, asked("", 0), width).to_string().lines() {
                assert!(line.chars().count() <= width, "{line}");
            }
        }
    }
}
