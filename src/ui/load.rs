//! The load's progress: one line that redraws itself on a terminal, plain lines otherwise.

use std::fmt::Write as _;

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::ui::Screen;
use crate::units;

/// Plain lines come this often.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// What is shown, once a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Since the start.
    pub elapsed: Duration,
    /// The scenario's length.
    pub planned: Duration,
    /// The phase's name.
    pub phase: String,
    /// Users.
    pub users: u32,
    /// Requests so far.
    pub requests: u64,
    /// Errors so far.
    pub errors: u64,
    /// Requests in the last second.
    pub rate: u64,
    /// Of the last second.
    pub p95: Option<Duration>,
    /// Arrivals that found no slot.
    pub dropped: u64,
}

/// Draws progress on stderr.
pub struct LoadView {
    screen: Screen,
    bar: Option<ProgressBar>,
    last: Option<Duration>,
}

impl LoadView {
    /// For a load of this length.
    #[must_use]
    pub fn new(screen: Screen, planned: Duration) -> Self {
        let bar = screen.live.then(|| {
            let bar = ProgressBar::new(planned.as_millis().try_into().unwrap_or(u64::MAX));
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { screen, bar, last: None }
    }

    /// Shows the newest figures.
    pub fn show(&mut self, shown: &Shown) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(shown.elapsed.as_millis().try_into().unwrap_or(u64::MAX));
                bar.set_message(line(shown));
            }
            None => {
                if self.last.is_none_or(|last| shown.elapsed >= last + PLAIN_EVERY) {
                    self.last = Some(shown.elapsed);
                    self.screen.note(&format!("  {}", line(shown)));
                }
            }
        }
    }

    /// Takes the line away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// One line of figures.
#[must_use]
pub fn line(shown: &Shown) -> String {
    let whole = |duration: Duration| units::duration(Duration::from_secs(duration.as_secs()));
    let mut text = format!(
        "{} of {} · {} · {} · {} req/s · {} errors",
        whole(shown.elapsed),
        whole(shown.planned),
        shown.phase,
        units::count(shown.users as usize, "user"),
        shown.rate,
        shown.errors
    );
    if let Some(p95) = shown.p95 {
        let _ = write!(text, " · p95 {}", units::duration(p95));
    }
    if shown.dropped > 0 {
        let _ = write!(text, " · {} dropped", shown.dropped);
    }
    text
}
