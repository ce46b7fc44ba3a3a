//! The end of a run on one screen: the answer first, the next command last.

use crate::analysis::{Judged, Status};
use crate::load::EndReason;
use crate::units;

use super::cause::cause;
use super::model::Report;
use super::styled::{Styled, Tone, left, right, shortened};
use super::{moment, status};

/// What only the command knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing<'a> {
    /// Where the page is.
    pub report: &'a str,
    /// What to type next; empty when there is nothing to do.
    pub next: &'a str,
    /// The exit code.
    pub exit: u8,
}

/// The screen, no wider than `width` but at least 60 columns.
#[must_use]
pub fn summary(report: &Report, closing: Closing<'_>, width: usize) -> Styled {
    let width = width.max(60);
    let mut screen = Styled::default();
    headline(&mut screen, report, width);
    for reason in &report.generator.invalid {
        screen.paragraph((Tone::Bad, "      "), reason, width);
    }
    criteria(&mut screen, &report.verdict.criteria, width);
    if let Some(cause) = cause(report) {
        let text = format!("{}: {}.", cause.first, cause.evidence.join("; "));
        screen.paragraph((Tone::Strong, "CAUSE "), &text, width);
        if let Some(greatest) = cause.greatest {
            screen.paragraph((Tone::Plain, "      "), &format!("most throttles: {greatest}."), width);
        }
    } else if !report.throttles.looked_at.is_empty() {
        let looked = units::count(report.throttles.looked_at.len(), "resource");
        screen.paragraph((Tone::Plain, ""), &format!("No throttles in {looked}."), width);
    }
    if report.reconciliation.client_failures > 0 {
        screen.paragraph((Tone::Plain, ""), &report.reconciliation.sentence, width);
    }
    let open = open_ends(report);
    if !open.is_empty() {
        screen.paragraph((Tone::Plain, ""), &open, width);
    }
    last_lines(&mut screen, closing, width);
    screen
}

/// The tone of a status.
#[must_use]
pub fn tone(status: Status) -> Tone {
    match status {
        Status::Pass => Tone::Good,
        Status::Warn | Status::Unknown => Tone::Warn,
        Status::Fail | Status::Invalid => Tone::Bad,
    }
}

#[expect(clippy::float_cmp, reason = "1 is what the profile says when nothing is scaled")]
fn headline(screen: &mut Styled, report: &Report, width: usize) {
    let (_, word, _) = status::sign(report.verdict.overall);
    let generator = if report.generator.invalid.is_empty() {
        "generator healthy"
    } else {
        "the generator fell behind"
    };
    let mut parts = vec![
        report.run.shape.clone(),
        units::seconds(report.load.seconds),
        requests(report.load.requests),
        generator.to_owned(),
    ];
    if report.run.time_scale != 1.0 {
        parts.insert(0, format!("REHEARSAL {}×", units::number(report.run.time_scale)));
    }
    let label = format!("{word}  ");
    screen.paragraph((tone(report.verdict.overall), &label), &parts.join(" · "), width);
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn requests(count: u64) -> String {
    format!(
        "{} {}",
        units::number(count as f64),
        if count == 1 { "request" } else { "requests" }
    )
}

/// Columns as wide as their longest entry, within reason; what is left is for the last.
fn criteria(screen: &mut Styled, criteria: &[Judged], width: usize) {
    if criteria.is_empty() {
        return;
    }
    let sorted = status::gravest_first(criteria);
    let widest = |text: fn(&Judged) -> &str, head: &str, most: usize| {
        let lengths = criteria.iter().map(|judged| text(judged).chars().count());
        lengths.max().unwrap_or(0).clamp(head.len(), most)
    };
    let name = widest(|judged| &judged.name, "", 26);
    let target = widest(|judged| &judged.target, "target", 14);
    let got = widest(|judged| &judged.got, "got", 11);
    let rest = width.saturating_sub(name + target + got + 8);
    screen.line([(
        Tone::Dim,
        format!(
            "{}  {}  {}   worst minute",
            left("", name),
            left("target", target),
            left("got", got)
        ),
    )]);
    for judged in sorted {
        let (sign, _, _) = status::sign(judged.status);
        let last = match (judged.status, &judged.worst, &judged.note) {
            (Status::Unknown, _, Some(note)) => note,
            (_, Some(worst), _) => worst,
            _ => "",
        };
        screen.line([
            (Tone::Plain, left(&shortened(&judged.name, name), name)),
            (Tone::Plain, format!("  {}", left(&shortened(&judged.target, target), target))),
            (Tone::Strong, format!("  {}", left(&shortened(&judged.got, got), got))),
            (tone(judged.status), format!(" {sign}")),
            (Tone::Plain, format!(" {}", cut(last, rest))),
        ]);
    }
}

/// A sentence is told by its beginning.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// What is not over yet, in sentences.
fn open_ends(report: &Report) -> String {
    let mut sentences = Vec::new();
    match &report.end {
        EndReason::Completed => {}
        EndReason::Aborted { criterion } => sentences.push(format!("Stopped early: `{criterion}` was missed.")),
        EndReason::Interrupted { signal } => sentences.push(format!("Interrupted by signal {signal}.")),
        EndReason::Killed => sentences.push("tidegate died during the load; this is what was on disk.".to_owned()),
    }
    if let Some(until) = report.provisional_until {
        let until = moment::near(until, report.run.ended);
        sentences.push(format!("AWS numbers provisional, final about {until}."));
    }
    let outstanding = report.settings.outstanding.len();
    if outstanding > 0 {
        sentences.push(format!("{} still changed.", units::count(outstanding, "setting")));
    }
    sentences.join(" ")
}

/// The path is not wrapped, so that it can be copied.
fn last_lines(screen: &mut Styled, closing: Closing<'_>, width: usize) {
    if !closing.report.is_empty() {
        screen.line([(Tone::Dim, "report ".to_owned()), (Tone::Plain, closing.report.to_owned())]);
    }
    next(screen, closing.next, closing.exit, width);
}

/// `next   tidegate cleanup hcg-demo                          exit 99`.
pub(super) fn next(screen: &mut Styled, command: &str, exit: u8, width: usize) {
    let exit = format!("exit {exit}");
    let (label, command) = if command.is_empty() { ("", "") } else { ("next   ", command) };
    let used = label.len() + command.chars().count();
    let room = width.min(64).saturating_sub(used).max(exit.len() + 2);
    screen.line([
        (Tone::Dim, label.to_owned()),
        (Tone::Strong, command.to_owned()),
        (Tone::Dim, right(&exit, room)),
    ]);
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    const CLOSING: Closing<'_> = Closing {
        report: "tidegate-runs/2026-11-21T1404-hcg-demo/report.html",
        next: "tidegate cleanup hcg-demo",
        exit: 99,
    };

    #[test]
    fn a_failed_run_reads_on_one_screen() {
        let expected = "\
FAIL  500 users, 10/s · 5m00s · 22,480 requests · generator healthy
                   target  got     worst minute
errors             < 1%    2.31% ✗ 3.5% at 14:07
lambda throttles   == 0    498   ✗ supervisor-agent
p95 all            < 15s   3.9s  ✓ 5.2s at 14:08
dynamodb throttles  == 0    0     ✓
CAUSE lambda supervisor-agent, reserved limit 100, from 14:05: 498 throttles, at
      most 186 a minute at 14:07 (inferred); concurrency reached 100 of 100; the
      same minute as the first client error (HTTP 500).
519 client failures = 498 Lambda throttles + 12 timeouts + 9 unexplained
AWS numbers provisional, final about 14:16. 6 settings still changed.
report tidegate-runs/2026-11-21T1404-hcg-demo/report.html
next   tidegate cleanup hcg-demo                         exit 99
";
        let lines = |text: &str| {
            text.lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        let screen = summary(&fixtures::throttled(), CLOSING, 80).to_string();
        assert_eq!(lines(&screen), lines(expected), "{screen}");
        let column = |start: &str| {
            screen
                .lines()
                .find(|line| line.starts_with(start))
                .and_then(|line| line.find(['✗', '✓']))
        };
        assert_eq!(column("errors"), column("dynamodb"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_whatever_the_names() {
        for (name, report) in fixtures::all() {
            for width in [60, 80, 120] {
                let screen = summary(&report, CLOSING, width).to_string();
                for line in screen.lines() {
                    assert!(line.chars().count() <= width, "{name} at {width}: {line}");
                }
            }
        }
    }

    #[test]
    fn what_is_invalid_unknown_or_rehearsed_is_said() {
        let invalid = summary(&fixtures::invalid(), CLOSING, 80).to_string();
        assert!(invalid.starts_with("INVALID  500 users, 10/s · 5m00s · 22,480 requests · the generator fell"));
        assert!(invalid.contains("found no free slot") && invalid.contains("? no data"), "{invalid}");
        let spike = summary(&fixtures::spike(), CLOSING, 80).to_string();
        assert!(
            spike.contains("REHEARSAL 10×") && spike.contains("No throttles in 3 resources."),
            "{spike}"
        );
    }
}
