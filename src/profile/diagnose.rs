//! Mistakes of a profile, each with a caret under the bytes and a line of help.
//!
//! Owns how mistakes are collected and shown. Knows nothing of what a profile means.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use crate::units;

/// A text that mistakes point into: the profile, or a flag that overrides it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Shown before line and column.
    pub(super) name: String,
    /// The text itself.
    pub(super) text: String,
}

/// Where something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    /// Index of the source; 0 is the profile itself.
    pub(super) source: usize,
    /// First byte.
    pub(super) start: usize,
    /// Byte after the last.
    pub(super) end: usize,
}

impl At {
    /// A place in the profile itself.
    pub(super) fn profile(range: &Range<usize>) -> Self {
        Self {
            source: 0,
            start: range.start,
            end: range.end,
        }
    }
}

/// What is wrong with a text, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The bytes of the text that are wrong; `None` is all of it.
    pub(super) range: Option<Range<usize>>,
    /// A lower-case fragment.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

impl Fault {
    /// A fault of the whole text.
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            range: None,
            message: message.into(),
            help: help.into(),
        }
    }

    /// The same fault, in these bytes only.
    pub(super) fn within(mut self, range: Range<usize>) -> Self {
        self.range.get_or_insert(range);
        self
    }

    /// The same fault, of a text that begins at this byte of a longer one and is `length` bytes long.
    pub(super) fn shifted(mut self, by: usize, length: usize) -> Self {
        let range = self.range.unwrap_or(0..length);
        self.range = Some(range.start + by..range.end + by);
        self
    }
}

struct Found {
    at: At,
    also: Option<(At, &'static str)>,
    message: String,
    help: String,
}

/// Collects the mistakes of a profile while it is read.
pub(super) struct Problems {
    sources: Vec<Source>,
    found: RefCell<Vec<Found>>,
    closed: Cell<bool>,
}

impl Problems {
    /// Nothing wrong yet.
    pub(super) fn new(sources: Vec<Source>) -> Self {
        Self {
            sources,
            found: RefCell::default(),
            closed: Cell::new(false),
        }
    }

    /// Drops what is added from now on: the mistakes that only follow from a syntax error are noise.
    pub(super) fn close(&self) {
        self.closed.set(true);
    }

    /// Adds a mistake.
    pub(super) fn add(&self, at: At, message: impl Into<String>, help: impl Into<String>) {
        self.push(at, None, message.into(), help.into());
    }

    /// Adds a mistake that concerns a second place as well.
    pub(super) fn add_with(&self, at: At, also: (At, &'static str), message: impl Into<String>, help: impl Into<String>) {
        self.push(at, Some(also), message.into(), help.into());
    }

    /// Adds the fault of a text that stands at this place.
    pub(super) fn fault(&self, text: &str, at: At, fault: Fault) {
        let at = fault.range.map_or(at, |range| self.narrow(text, at, range));
        self.push(at, None, fault.message, fault.help);
    }

    /// The place of a part of a text; all of the text where escapes make that impossible to tell.
    pub(super) fn narrow(&self, text: &str, at: At, part: Range<usize>) -> At {
        let written = self.sources.get(at.source).and_then(|source| source.text.get(at.start..at.end));
        let Some(offset) = written.and_then(|written| written.find(text)) else {
            return at;
        };
        let start = at.start + offset + part.start;
        let end = at.start + offset + part.end;
        if start < end && end <= at.end {
            At { start, end, ..at }
        } else {
            at
        }
    }

    fn push(&self, at: At, also: Option<(At, &'static str)>, message: String, help: String) {
        if !self.closed.get() {
            self.found.borrow_mut().push(Found { at, also, message, help });
        }
    }

    /// The line of a place, counted from 1.
    pub(super) fn line(&self, at: At) -> usize {
        self.sources
            .get(at.source)
            .and_then(|source| source.text.get(..at.start))
            .map_or(1, |before| before.matches('\n').count() + 1)
    }

    /// The value when nothing was wrong, else every mistake in the order of the text.
    pub(super) fn into_result<T>(self, value: T) -> Result<T, Diagnostics> {
        let mut found = self.found.into_inner();
        if found.is_empty() {
            return Ok(value);
        }
        found.sort_by_key(|found| found.at);
        let sources: Vec<_> = self.sources.into_iter().map(named).collect();
        let subject = sources.first().map(|source| source.name().to_owned()).unwrap_or_default();
        let mistakes = found
            .into_iter()
            .filter_map(|found| Some(Mistake::new(sources.get(found.at.source)?, found)))
            .collect();
        Err(Diagnostics { subject, mistakes })
    }
}

fn named(source: Source) -> Arc<NamedSource<String>> {
    Arc::new(NamedSource::new(source.name, source.text).with_language("TOML"))
}

/// Everything that is wrong with a profile, in the order of its text.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    subject: String,
    mistakes: Vec<Mistake>,
}

impl Diagnostics {
    /// One mistake at one place of a profile that was read without any.
    pub(super) fn single(source: &Source, at: At, message: String, help: String) -> Self {
        let named = named(source.clone());
        let mistake = Mistake::new(
            &named,
            Found {
                at,
                also: None,
                message,
                help,
            },
        );
        Self {
            subject: source.name.clone(),
            mistakes: vec![mistake],
        }
    }

    /// The mistakes, in the order of the text; never empty.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mistakes = units::count(self.mistakes.len(), "mistake");
        let in_file = self.mistakes.iter().any(|mistake| mistake.source.name() == self.subject);
        match self.mistakes.first() {
            Some(first) if !in_file => write!(f, "{mistakes} in `{}`", first.source.name()),
            _ => write!(f, "{mistakes} in profile `{}`", self.subject),
        }
    }
}

impl std::error::Error for Diagnostics {}

impl Diagnostic for Diagnostics {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.mistakes.iter().map(|mistake| mistake as &dyn Diagnostic)))
    }
}

/// One thing that is wrong, with the place and what to do.
#[derive(Debug, Clone)]
pub struct Mistake {
    message: String,
    help: String,
    labels: Vec<LabeledSpan>,
    source: Arc<NamedSource<String>>,
}

impl Mistake {
    fn new(source: &Arc<NamedSource<String>>, found: Found) -> Self {
        let length = source.inner().len();
        let span = |at: At| {
            let start = at.start.min(length);
            (start, at.end.clamp(start, length) - start)
        };
        let mut labels = vec![LabeledSpan::new_primary_with_span(None, span(found.at))];
        if let Some((at, label)) = found.also
            && at.source == found.at.source
        {
            labels.push(LabeledSpan::new_with_span(Some(label.to_owned()), span(at)));
        }
        Self {
            message: found.message,
            help: found.help,
            labels,
            source: Arc::clone(source),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &str {
        &self.help
    }

    /// The bytes under the caret.
    #[must_use]
    pub fn marked(&self) -> &str {
        let range = self.labels.first().map_or(0..0, |label| {
            let start = label.offset();
            start..start + label.len()
        });
        self.source.inner().get(range).unwrap_or_default()
    }

    /// The line of the caret, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        let start = self.labels.first().map_or(0, LabeledSpan::offset);
        self.source
            .inner()
            .get(..start)
            .map_or(1, |before| before.matches('\n').count() + 1)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

impl Diagnostic for Mistake {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
