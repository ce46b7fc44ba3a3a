//! Where text goes: stdout for data, stderr for everything else, colours only on a terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};

use crate::report::styled::{Styled, Tone};

/// The terminal.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Whether stderr is a terminal: progress and redrawing.
    pub live: bool,
    /// Columns.
    pub width: usize,
    colour: bool,
}

impl Screen {
    /// The terminal as the environment has it.
    #[must_use]
    pub fn detect() -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let terminal = std::io::stdout().is_terminal();
        let columns = if terminal {
            rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |size| usize::from(size.ws_col))
        } else {
            0
        };
        Self {
            live: std::io::stderr().is_terminal(),
            width: if columns == 0 { 80 } else { columns.clamp(60, 120) },
            colour: terminal && !no_colour,
        }
    }

    /// Data, on stdout. A reader that went away is no error of ours.
    pub fn data(&self, text: &str) {
        let mut out = anstream::stdout();
        let _ = writeln!(out, "{}", self.paint(text));
    }

    /// Data whose parts know what they mean, on stdout.
    pub fn styled(&self, text: &Styled) {
        let painted = text.paint(|tone, part| {
            if !self.colour || part.trim().is_empty() {
                return part.to_owned();
            }
            let style = style(tone);
            format!("{style}{part}{style:#}")
        });
        let mut out = anstream::stdout();
        let _ = write!(out, "{painted}");
    }

    /// Anything else, on stderr.
    pub fn note(&self, text: &str) {
        let mut out = anstream::stderr();
        let _ = writeln!(out, "{}", self.paint(text));
    }

    /// Asks a question on stderr and reads a line; `None` when there is nobody to answer. The line is read by a thread of
    /// its own, so that a signal can end the waiting.
    pub async fn ask(&self, question: &str) -> Option<String> {
        if !std::io::stdin().is_terminal() {
            return None;
        }
        let mut err = anstream::stderr();
        let _ = write!(err, "{question} ");
        let _ = err.flush();
        let (answer, answered) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line).is_ok();
            let _ = answer.send(read.then(|| line.trim().to_owned()));
        });
        answered.await.ok().flatten()
    }

    /// Colours the words that carry a meaning; everything reads the same without.
    fn paint(&self, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        text.lines().map(paint_line).collect::<Vec<_>>().join("\n")
    }
}

fn paint_line(line: &str) -> String {
    let tone = match line.split_whitespace().next() {
        Some("✓" | "PASS" | "READY" | "CLEAN" | "QUIET" | "+") => Tone::Good,
        Some("WARN" | "!" | "CHANGED" | "~" | "…" | "NOT" | "UNKNOWN" | "PROVISIONAL") => Tone::Warn,
        Some("✗" | "FAIL" | "REFUSED" | "error:" | "INVALID" | "THROTTLED" | "LEFT") => Tone::Bad,
        Some("=") => Tone::Dim,
        Some(word) if word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase()) => Tone::Strong,
        _ => return line.to_owned(),
    };
    let indent = line.len() - line.trim_start().len();
    let end = line[indent..].find(' ').map_or(line.len(), |at| indent + at);
    let style = style(tone);
    format!("{}{style}{}{style:#}{}", &line[..indent], &line[indent..end], &line[end..])
}

fn style(tone: Tone) -> Style {
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    match tone {
        Tone::Good => colour(AnsiColor::Green),
        Tone::Warn => colour(AnsiColor::Yellow),
        Tone::Bad => colour(AnsiColor::Red).bold(),
        Tone::Dim => Style::new().dimmed(),
        Tone::Strong => Style::new().bold(),
        Tone::Plain => Style::new(),
    }
}
