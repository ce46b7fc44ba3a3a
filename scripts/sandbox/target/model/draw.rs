//! Seeded draws: how long a piece of work takes.
//!
//! Each request has its own stream, a function of the seed and the request's number, so that what a request
//! draws does not depend on how it interleaves with others.

use std::f64::consts::TAU;
use std::time::Duration;

/// One request's stream of random numbers (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

/// How a duration is distributed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Law {
    /// Evenly within a tenth above or below.
    About(Duration),
    /// Lognormal: long answers of a language model. `sigma` is that of the logarithm.
    LogNormal { median: Duration, sigma: f64, longest: Duration },
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Draw {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut of_seed = Self(seed);
        let base = of_seed.next();
        let mut of_number = Self(base ^ number.wrapping_mul(STEP));
        Self(of_number.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Evenly in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(high) / 4_294_967_296.0
    }

    /// Standard normal (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }

    pub(crate) fn duration(&mut self, law: Law) -> Duration {
        match law {
            Law::About(mean) => mean.mul_f64(0.9 + 0.2 * self.unit()),
            Law::LogNormal { median, sigma, longest } => median.mul_f64((sigma * self.normal()).exp().min(1e6)).min(longest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_number_draw_the_same() {
        let law = Law::About(Duration::from_millis(50));
        let (mut first, mut second) = (Draw::new(7, 3), Draw::new(7, 3));
        assert_eq!(first.duration(law), second.duration(law));
        assert_ne!(Draw::new(7, 3).duration(law), Draw::new(7, 4).duration(law));
        assert_ne!(Draw::new(7, 3).duration(law), Draw::new(8, 3).duration(law));
    }

    #[test]
    fn draws_have_the_mean_they_say() {
        let supervisor = Law::LogNormal {
            median: Duration::from_millis(850),
            sigma: 0.35,
            longest: Duration::from_secs(8),
        };
        let mean = |law| (0..20_000).map(|n| Draw::new(1, n).duration(law).as_secs_f64()).sum::<f64>() / 20_000.0;
        assert!((mean(supervisor) - 0.903).abs() < 0.02, "{}", mean(supervisor));
        let work = Law::About(Duration::from_millis(50));
        assert!((mean(work) - 0.05).abs() < 0.001, "{}", mean(work));
    }
}
