//! Text for a terminal with a tone for each part, so that whoever prints may colour it and nobody has to.
//!
//! Knows no colours and no terminal. Every mark has a word or a sign, so nothing is lost in plain text.

use std::fmt;

/// What a part of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tone {
    Plain,
    Strong,
    Dim,
    Good,
    Warn,
    Bad,
}

/// Lines of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styled {
    lines: Vec<Vec<(Tone, String)>>,
}

impl Styled {
    /// Adds a line. Control characters become `�`: names come from anywhere and must not command a terminal.
    pub fn line(&mut self, parts: impl IntoIterator<Item = (Tone, String)>) {
        let clean = |text: String| text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        self.lines.push(parts.into_iter().map(|(tone, text)| (tone, clean(text))).collect());
    }

    /// Adds a paragraph: its first line begins with `label`, the others are indented by as much.
    pub fn paragraph(&mut self, (tone, label): (Tone, &str), text: &str, width: usize) {
        let indent = label.chars().count();
        for (index, line) in wrapped(text, width.saturating_sub(indent).max(20)).into_iter().enumerate() {
            let label = if index == 0 { label.to_owned() } else { " ".repeat(indent) };
            self.line([(tone, label), (Tone::Plain, line)]);
        }
    }

    /// The text, each part as `paint` makes it; lines without spaces at their ends.
    #[must_use]
    pub fn paint(&self, paint: impl Fn(Tone, &str) -> String) -> String {
        let mut out = String::new();
        for line in &self.lines {
            let text: String = line.iter().map(|(tone, part)| paint(*tone, part)).collect();
            out.push_str(text.trim_end());
            out.push('\n');
        }
        out
    }
}

impl fmt::Display for Styled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paint(|_, part| part.to_owned()))
    }
}

/// Breaks at spaces; what has none and is too long is broken where it must be.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        while !word.is_empty() {
            let used = lines.last().map_or(0, |line| line.chars().count());
            let space = usize::from(used > 0);
            if used + space + word.len() <= width {
                push(&mut lines, space, word.drain(..));
            } else if word.len() > width && used == 0 {
                let head = word.drain(..width);
                push(&mut lines, 0, head);
                lines.push(String::new());
            } else {
                lines.push(String::new());
            }
        }
    }
    lines
}

fn push(lines: &mut [String], space: usize, word: impl Iterator<Item = char>) {
    if let Some(line) = lines.last_mut() {
        line.push_str(&" ".repeat(space));
        line.extend(word);
    }
}

/// At most so many characters; what is cut out of the middle becomes `…`, since both ends of a name tell it apart.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= width {
        return text.to_owned();
    }
    let head = width.saturating_sub(1) / 2;
    let tail = width.saturating_sub(1) - head;
    let (start, end) = (&letters[..head], &letters[letters.len() - tail..]);
    start.iter().chain(&['…']).chain(end).collect()
}

/// Filled up with spaces on the right.
pub(super) fn left(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

/// Filled up with spaces on the left.
pub(super) fn right(text: &str, width: usize) -> String {
    format!("{text:>width$}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_cannot_command_a_terminal() {
        let mut text = Styled::default();
        text.line([(Tone::Bad, "a\u{1b}[2Jb\nc".to_owned())]);
        assert_eq!(text.to_string(), "a\u{fffd}[2Jb\u{fffd}c\n");
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shortened("hcg-demo-supervisor-agent", 11), "hcg-d…agent");
        assert_eq!(shortened("short", 11), "short");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked_and_nothing_is_lost(text in "[a-zé ]{0,200}", width in 20_usize..90) {
            let lines = wrapped(&text, width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
