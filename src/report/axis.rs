//! Axes: the one time axis of all charts, and the value axis of each, with round numbers to label.
//!
//! Positions are shares: 0 is left or bottom, 1 right or top.

use crate::units::Timestamp;

use super::moment;

/// A labelled place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Share of the axis.
    pub at: f64,
    /// In words.
    pub label: String,
}

/// Absolute time, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TimeAxis {
    pub from: f64,
    pub to: f64,
}

/// Steps between labels, in seconds.
const STEPS: [f64; 18] = [
    1.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0, 14_400.0, 21_600.0, 43_200.0,
    86_400.0,
];

impl TimeAxis {
    /// The whole minutes around a stretch; never empty.
    #[must_use]
    pub fn around(from: f64, to: f64) -> Self {
        let from = (from / 60.0).floor() * 60.0;
        let to = (to / 60.0).ceil() * 60.0;
        Self {
            from,
            to: to.max(from + 60.0),
        }
    }

    /// Where a moment is; outside of 0 to 1 when it is not on the axis.
    #[must_use]
    pub fn share(&self, epoch: f64) -> f64 {
        (epoch - self.from) / (self.to - self.from)
    }

    /// Round moments, at most `most`.
    #[must_use]
    pub fn ticks(&self, most: f64) -> Vec<Tick> {
        let span = self.to - self.from;
        let days = (span / 86_400.0 / most).ceil().max(1.0) * 86_400.0;
        let step = STEPS.into_iter().find(|step| span / step <= most).unwrap_or(days);
        let mut at = (self.from / step).ceil() * step;
        let mut ticks = Vec::new();
        while at <= self.to {
            ticks.push(Tick {
                at: self.share(at),
                label: tick_label(moment::at(at), step, span),
            });
            at += step;
        }
        ticks
    }
}

fn tick_label(at: Timestamp, step: f64, span: f64) -> String {
    let clock = moment::second(at);
    if step < 60.0 {
        clock
    } else if span > 20.0 * 3_600.0 && clock == "00:00:00" {
        moment::day(at)
    } else {
        moment::minute(at)
    }
}

/// From a value to a height.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scale {
    Linear { top: f64 },
    Log { bottom: f64, top: f64 },
}

impl Scale {
    /// From zero to a round number above the greatest value.
    #[must_use]
    pub fn linear(greatest: f64) -> Self {
        let greatest = if greatest.is_finite() && greatest > 0.0 { greatest } else { 0.9 };
        // A line along the very edge could not be told from the edge.
        let room = greatest * 1.04;
        let step = round_step(room);
        Self::Linear {
            top: (room / step).ceil() * step,
        }
    }

    /// Round numbers around the values; linear when they are not positive or close together.
    #[must_use]
    pub fn spread(least: f64, greatest: f64) -> Self {
        if least <= 0.0 || !least.is_finite() || !greatest.is_finite() || greatest / least < 30.0 {
            return Self::linear(greatest);
        }
        Self::Log {
            bottom: round_steps(least).into_iter().rfind(|step| *step <= least).unwrap_or(least),
            top: round_steps(greatest).into_iter().find(|step| *step >= greatest).unwrap_or(greatest),
        }
    }

    /// How high a value is.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        let share = match *self {
            Self::Linear { top } => value / top,
            Self::Log { bottom, top } => (value.max(bottom) / bottom).ln() / (top / bottom).ln(),
        };
        share.clamp(0.0, 1.0)
    }

    /// Round values to label.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        match *self {
            Self::Linear { top } => {
                let step = round_step(top);
                let mut values = vec![0.0];
                while values.len() < 8 && values.last().is_some_and(|last| last + step <= top * 1.000_001) {
                    values.push(values.last().copied().unwrap_or_default() + step);
                }
                values
            }
            Self::Log { bottom, top } => {
                let mut values = vec![bottom];
                let mut decade = 10_f64.powf(bottom.log10().floor() + 1.0);
                while decade < top && values.len() < 10 {
                    values.push(decade);
                    decade *= 10.0;
                }
                values.push(top);
                values.dedup_by(|next, before| self.share(*next) - self.share(*before) < 0.15);
                values
            }
        }
    }
}

/// 1, 2 and 5 times the power of ten around a value.
fn round_steps(value: f64) -> [f64; 4] {
    let power = 10_f64.powf(value.log10().floor());
    [power, 2.0 * power, 5.0 * power, 10.0 * power]
}

/// 1, 2 or 5 times a power of ten: two to five of it make the value.
fn round_step(value: f64) -> f64 {
    let raw = value / 4.0;
    let power = 10_f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= raw * 0.999_999)
        .unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn epoch(text: &str) -> f64 {
        moment::epoch(text.parse().unwrap())
    }

    #[test]
    fn five_minutes_are_labelled_by_the_minute_and_a_day_by_hours() {
        let short = TimeAxis::around(epoch("2026-11-21T14:04:00Z"), epoch("2026-11-21T14:09:00Z"));
        let labels: Vec<String> = short.ticks(8.0).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["14:04", "14:05", "14:06", "14:07", "14:08", "14:09"]);
        let long = TimeAxis::around(epoch("2026-11-21T14:00:00Z"), epoch("2026-11-22T14:00:00Z"));
        let labels: Vec<String> = long.ticks(8.0).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["15:00", "18:00", "21:00", "22 Nov", "03:00", "06:00", "09:00", "12:00"]);
    }

    #[test]
    fn value_axes_end_on_round_numbers() {
        assert_eq!(Scale::linear(498.0), Scale::Linear { top: 600.0 });
        assert_eq!(Scale::linear(498.0).values(), [0.0, 200.0, 400.0, 600.0]);
        assert_eq!(Scale::linear(100.0), Scale::Linear { top: 150.0 });
        assert_eq!(Scale::linear(0.0), Scale::Linear { top: 1.0 });
        assert_eq!(Scale::spread(0.03, 9.0), Scale::Log { bottom: 0.02, top: 10.0 });
        assert_eq!(Scale::spread(1.0, 9.0), Scale::Linear { top: 10.0 });
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_axis(least in 1e-6..1e3_f64, more in 0.0..1e9_f64, share in 0.0..1.0_f64) {
            let greatest = least + more;
            let value = least + more * share;
            for scale in [Scale::linear(greatest), Scale::spread(least, greatest)] {
                prop_assert!((0.0..=1.0).contains(&scale.share(value)));
                let (top, count) = match scale {
                    Scale::Linear { top } | Scale::Log { top, .. } => (top, scale.values().len()),
                };
                prop_assert!(top >= greatest * 0.999_99 && (2..=11).contains(&count));
            }
        }

        #[test]
        fn no_axis_has_more_labels_than_asked(from in 0.0..4e9_f64, span in 0.0..1e7_f64) {
            let axis = TimeAxis::around(from, from + span);
            let ticks = axis.ticks(8.0);
            prop_assert!(ticks.len() <= 9);
            prop_assert!(ticks.iter().all(|tick| (0.0..=1.0).contains(&tick.at)));
        }
    }
}
