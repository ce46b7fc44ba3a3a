//! When load is due: pure functions of the arrival's number, or of the time.
//!
//! No clock, no waiting, no randomness. A pacer never waits for a slot; what finds none is the worker's business.

use std::time::Duration;

use crate::scenario::{Phase, Shape};

/// Arrivals of an open phase.
pub trait Pacer {
    /// When the nth arrival (counted from 0) is due, from the start of the phase; `None` when the phase is over by then.
    fn due(&self, n: u64) -> Option<Duration>;
}

/// Arrivals whose rate goes in a line from one value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Arrivals a second at the start.
    pub from: f64,
    /// Arrivals a second at the end.
    pub to: f64,
    /// How long the line is.
    pub length: Duration,
}

impl Pacer for Line {
    /// The time `t` at which the area under the line reaches n: slope/2 t² + from t = n.
    ///
    /// The form t = 2n / (from + sqrt(from² + 2 slope n)) has no difference of near numbers in it, so it holds for any
    /// slope, none included.
    fn due(&self, n: u64) -> Option<Duration> {
        let length = self.length.as_secs_f64();
        if length <= 0.0 || (self.from <= 0.0 && self.to <= 0.0) {
            return None;
        }
        if n == 0 {
            return Some(Duration::ZERO);
        }
        #[expect(clippy::cast_precision_loss, reason = "runs stay far below 2^52 arrivals")]
        let n = n as f64;
        let slope = (self.to - self.from) / length;
        let inside = self.from * self.from + 2.0 * slope * n;
        if inside < 0.0 {
            return None;
        }
        let at = 2.0 * n / (self.from + inside.sqrt());
        (at < length).then(|| Duration::from_secs_f64(at))
    }
}

/// How many users a closed phase has at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crowd {
    start: u32,
    end: u32,
    way: Way,
}

/// How the number of users changes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    AtOnce,
    /// Users a second, the first at once.
    Spawn(f64),
    /// In a line over the phase.
    Over(Duration),
}

impl Crowd {
    /// Users at a time from the start of the phase. A line is at `end` exactly when the phase is over.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value lies between two numbers of users"
    )]
    pub fn at(&self, time: Duration) -> u32 {
        let (start, end) = (f64::from(self.start), f64::from(self.end));
        let value = match self.way {
            Way::AtOnce => end,
            Way::Spawn(rate) => (start + 1.0 + rounded(rate * time.as_secs_f64()).floor()).min(end),
            Way::Over(length) if time >= length => end,
            Way::Over(length) => {
                let value = rounded(start + (end - start) * time.as_secs_f64() / length.as_secs_f64());
                if end >= start { value.floor() } else { value.ceil() }
            }
        };
        value as u32
    }

    /// When the number of users changes next after a time; `None` when it does not any more.
    #[must_use]
    pub fn next_change(&self, time: Duration) -> Option<Duration> {
        let now = self.at(time);
        if now == self.end {
            return None;
        }
        let at = match self.way {
            Way::AtOnce => return None,
            Way::Spawn(rate) => f64::from(now - self.start) / rate,
            Way::Over(length) => {
                let done = f64::from(now.abs_diff(self.start) + 1);
                length.as_secs_f64() * done / f64::from(self.end.abs_diff(self.start))
            }
        };
        Duration::try_from_secs_f64(at)
            .ok()
            .map(|at| at.max(time + Duration::from_nanos(1)))
    }

    /// The most users there are at any time.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.start.max(self.end)
    }

    /// Users when the phase ends.
    fn last(&self, length: Duration) -> u32 {
        match self.way {
            Way::Over(_) | Way::AtOnce => self.end,
            Way::Spawn(_) => self.at(length),
        }
    }
}

/// Takes the noise of floating point out before rounding down or up.
fn rounded(value: f64) -> f64 {
    if (value - value.round()).abs() < 1e-6 {
        value.round()
    } else {
        value
    }
}

/// One phase with its place in the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// From the start of the load.
    pub from: Duration,
    /// Where the next one begins.
    pub to: Duration,
    /// What is due in it.
    pub load: Load,
}

/// What is due in a phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// So many users, each busy all the time.
    Closed(Crowd),
    /// Arrivals on time.
    Open(Line),
}

/// Lays phases out one after the other; users carry over from a closed phase to the next.
#[must_use]
pub fn lay_out(phases: &[Phase]) -> Vec<Stretch> {
    let mut from = Duration::ZERO;
    let mut users = 0;
    let mut stretches = Vec::with_capacity(phases.len());
    for phase in phases {
        let load = match phase.shape {
            Shape::Users { from, to, spawn_rate } => Load::Closed(crowd(users, from, to, spawn_rate.map(|rate| rate.0), phase.duration)),
            Shape::Arrivals { from, to } => Load::Open(Line {
                from: from.0,
                to: to.0,
                length: phase.duration,
            }),
        };
        users = match load {
            Load::Closed(crowd) => crowd.last(phase.duration),
            Load::Open(_) => 0,
        };
        let to = from + phase.duration;
        stretches.push(Stretch { from, to, load });
        from = to;
    }
    stretches
}

fn crowd(carried: u32, from: u32, to: u32, spawn_rate: Option<f64>, length: Duration) -> Crowd {
    match spawn_rate {
        Some(rate) if rate > 0.0 && from == to && to > carried => Crowd {
            start: carried,
            end: to,
            way: Way::Spawn(rate),
        },
        _ if from != to && !length.is_zero() => Crowd {
            start: from,
            end: to,
            way: Way::Over(length),
        },
        _ => Crowd {
            start: to,
            end: to,
            way: Way::AtOnce,
        },
    }
}

/// One of several that share a load: threads today, machines later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// From 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

impl Share {
    /// How many of so many fall to this one, dealt in turn.
    #[must_use]
    pub fn part(self, all: u32) -> u32 {
        (all + self.of - 1 - self.index) / self.of
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Rate;

    fn users(from: u32, to: u32, spawn: Option<f64>, seconds: u64) -> Phase {
        Phase {
            name: String::new(),
            duration: Duration::from_secs(seconds),
            shape: Shape::Users {
                from,
                to,
                spawn_rate: spawn.map(Rate),
            },
            expect: Vec::new(),
        }
    }

    fn line(from: f64, to: f64, seconds: f64) -> Line {
        Line {
            from,
            to,
            length: Duration::from_secs_f64(seconds),
        }
    }

    fn crowd_of(stretch: &Stretch) -> Crowd {
        match stretch.load {
            Load::Closed(crowd) => crowd,
            Load::Open(_) => panic!("an open phase"),
        }
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced_and_ends_with_the_phase() {
        let pacer = line(10.0, 10.0, 1.0);
        let due: Vec<f64> = (0..).map_while(|n| pacer.due(n)).map(|due| due.as_secs_f64()).collect();
        assert_eq!(due.len(), 10);
        for (n, at) in due.iter().enumerate() {
            assert!((at - f64::from(u32::try_from(n).unwrap()) / 10.0).abs() < 1e-9);
        }
    }

    #[test]
    fn lines_hold_as_many_arrivals_as_the_area_under_them() {
        for (from, to, seconds, arrivals) in [
            (0.0, 100.0, 10.0, 500),
            (100.0, 0.0, 10.0, 500),
            (10.0, 20.0, 60.0, 900),
            (1000.0 / 30.0, 1000.0 / 30.0, 30.0, 1000),
            (0.0, 0.0, 10.0, 0),
            (5.0, 5.0, 0.0, 0),
            (0.5, 0.5, 10.0, 5),
        ] {
            let pacer = line(from, to, seconds);
            let count = (0..2_000).filter(|n| pacer.due(*n).is_some()).count();
            assert!(count.abs_diff(arrivals) <= 1, "{from}..{to} over {seconds}: {count}");
        }
    }

    proptest! {
        #[test]
        fn arrivals_are_in_order_and_the_area_up_to_each_is_its_number(
            from in 0.0_f64..1_000.0, to in 0.0_f64..1_000.0, seconds in 0.1_f64..10_000.0, n in 0_u64..1_000_000,
        ) {
            let pacer = line(from, to, seconds);
            if let Some(due) = pacer.due(n) {
                let t = due.as_secs_f64();
                let area = (to - from) / seconds / 2.0 * t * t + from * t;
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let number = n as f64;
                // A nanosecond of rounding is worth up to a millionth of an arrival, and more where the line is flat.
                prop_assert!((area - number).abs() < 1e-3 + number * 1e-6, "area {} for {}", area, n);
                prop_assert!(due < pacer.length);
                if let Some(next) = pacer.due(n + 1) {
                    prop_assert!(next >= due);
                }
            } else {
                prop_assert_eq!(pacer.due(n + 1), None);
            }
        }

        #[test]
        fn every_change_of_a_crowd_is_announced(
            start in 0_u32..50, end in 0_u32..50, spawn in prop::option::of(0.5_f64..20.0), seconds in 1_u64..60,
        ) {
            let from = if spawn.is_some() { end } else { start };
            let stretches = lay_out(&[users(start, start, None, 5), users(from, end, spawn, seconds)]);
            let crowd = crowd_of(&stretches[1]);
            let mut time = Duration::ZERO;
            let mut steps = 0;
            while let Some(next) = crowd.next_change(time) {
                let middle = time + next.saturating_sub(time) / 2;
                prop_assert_eq!(crowd.at(middle), crowd.at(time));
                prop_assert!(crowd.at(next + Duration::from_micros(1)) != crowd.at(time));
                time = next + Duration::from_micros(1);
                steps += 1;
                prop_assert!(steps < 200);
            }
            prop_assert_eq!(crowd.at(time), end);
        }

        #[test]
        fn shares_add_up_to_the_whole(all in 0_u32..10_000, of in 1_u32..64) {
            let sum: u32 = (0..of).map(|index| Share { index, of }.part(all)).sum();
            prop_assert_eq!(sum, all);
        }
    }

    #[test]
    fn users_spawn_at_their_rate_with_the_first_at_once() {
        let crowd = crowd_of(&lay_out(&[users(500, 500, Some(10.0), 300)])[0]);
        for (millis, count) in [(0, 1), (99, 1), (100, 2), (1_000, 11), (49_899, 499), (49_900, 500), (300_000, 500)] {
            assert_eq!(crowd.at(Duration::from_millis(millis)), count, "at {millis} ms");
        }
    }

    #[test]
    fn a_ramp_reaches_its_end_with_the_phase_in_both_directions() {
        for (from, to, table) in [
            (0, 10, [(0, 0), (999, 0), (1_000, 1), (5_500, 5), (10_000, 10)]),
            (10, 0, [(0, 10), (1, 10), (1_000, 9), (5_500, 5), (10_000, 0)]),
        ] {
            let crowd = crowd_of(&lay_out(&[users(from, to, None, 10)])[0]);
            for (millis, count) in table {
                assert_eq!(crowd.at(Duration::from_millis(millis)), count, "{from}..{to} at {millis} ms");
            }
        }
    }

    #[test]
    fn users_carry_over_and_only_the_missing_ones_spawn() {
        let stretches = lay_out(&[
            users(100, 100, None, 10),
            users(150, 150, Some(10.0), 10),
            users(50, 50, Some(10.0), 10),
        ]);
        assert_eq!(crowd_of(&stretches[1]).at(Duration::ZERO), 101);
        assert_eq!(crowd_of(&stretches[1]).at(Duration::from_secs(10)), 150);
        assert_eq!(crowd_of(&stretches[2]).at(Duration::ZERO), 50);
        assert_eq!(stretches[2].from, Duration::from_secs(20));
    }
}
