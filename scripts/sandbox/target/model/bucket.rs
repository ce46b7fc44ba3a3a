//! A token bucket in exact integers: `DynamoDB`'s burst, API Gateway's throttle.
//!
//! Knows neither; it has a rate a second, a depth, and a level that is never negative.

use super::time::Time;

/// A cost or a level, in billionths of a unit, so that a nanosecond's refill is a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tokens(u128);

const BILLION: u128 = 1_000_000_000;

impl Tokens {
    pub(crate) const HALF: Self = Self(BILLION / 2);
    pub(crate) const ONE: Self = Self(BILLION);

    fn units(count: u64) -> Self {
        Self(u128::from(count) * BILLION)
    }

    /// As `CloudWatch` shows it.
    pub(crate) fn as_units(self) -> f64 {
        let whole = u32::try_from(self.0 / BILLION).unwrap_or(u32::MAX);
        let part = u32::try_from(self.0 % BILLION).unwrap_or(0);
        f64::from(whole) + f64::from(part) / 1e9
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    rate: u64,
    depth: u64,
    level: Tokens,
    at: Time,
}

impl Bucket {
    /// A bucket that starts full.
    pub(crate) fn full(now: Time, rate: u64, depth: u64) -> Self {
        Self::holding(now, rate, depth, depth)
    }

    /// A bucket that starts with so many units.
    pub(crate) fn holding(now: Time, rate: u64, depth: u64, units: u64) -> Self {
        Self {
            rate,
            depth,
            level: Tokens::units(units.min(depth)),
            at: now,
        }
    }

    /// Changes rate and depth; the tokens that are there stay, as far as they still fit.
    pub(crate) fn resize(&mut self, now: Time, rate: u64, depth: u64) {
        self.refill(now);
        self.rate = rate;
        self.depth = depth;
        self.level = self.level.min(Tokens::units(depth));
    }

    /// Whether `cost` could be taken now.
    pub(crate) fn has(&mut self, now: Time, cost: Tokens) -> bool {
        self.refill(now);
        self.level >= cost
    }

    /// Takes all of `cost`, or nothing.
    pub(crate) fn take(&mut self, now: Time, cost: Tokens) -> bool {
        self.refill(now);
        match self.level.0.checked_sub(cost.0) {
            Some(left) => {
                self.level = Tokens(left);
                true
            }
            None => false,
        }
    }

    pub(crate) const fn rate(&self) -> u64 {
        self.rate
    }

    fn refill(&mut self, now: Time) {
        let gained = u128::from(self.rate) * now.since(self.at).as_nanos();
        self.level = Tokens(self.level.0.saturating_add(gained)).min(Tokens::units(self.depth));
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Time {
        Time::since_epoch(Duration::from_millis(millis))
    }

    #[test]
    fn a_drained_bucket_gives_its_rate() {
        let mut bucket = Bucket::full(at(0), 5, 1500);
        let mut taken = 0;
        while bucket.take(at(0), Tokens::ONE) {
            taken += 1;
        }
        assert_eq!(taken, 1500);
        let later = (0..1000).filter(|n| bucket.take(at(n * 10), Tokens::ONE)).count();
        assert_eq!(later, 49, "five a second for the 9.99 s after");
    }

    #[test]
    fn resizing_keeps_the_tokens_that_fit() {
        let mut bucket = Bucket::full(at(0), 5, 1500);
        for _ in 0..1400 {
            assert!(bucket.take(at(0), Tokens::ONE));
        }
        bucket.resize(at(0), 50, 15_000);
        assert_eq!((0..1000).filter(|_| bucket.take(at(0), Tokens::ONE)).count(), 100);
        bucket.resize(at(100_000), 1, 300);
        assert_eq!((0..1000).filter(|_| bucket.take(at(100_000), Tokens::ONE)).count(), 300);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_twice() {
        let mut bucket = Bucket::full(at(1000), 1, 1);
        assert!(bucket.take(at(2000), Tokens::ONE));
        assert!(!bucket.take(at(1000), Tokens::ONE));
        assert!(!bucket.take(at(2000), Tokens::ONE));
    }

    proptest! {
        #[test]
        fn never_more_is_taken_than_was_there_and_came(
            rate in 0_u64..100,
            depth in 0_u64..500,
            asks in proptest::collection::vec((0_u64..200, any::<bool>()), 1..400),
        ) {
            let mut bucket = Bucket::full(at(0), rate, depth);
            let (mut now, mut halves) = (0, 0_u64);
            for (gap, half) in asks {
                now += gap;
                let (cost, in_halves) = if half { (Tokens::HALF, 1) } else { (Tokens::ONE, 2) };
                let before = bucket.clone().has(at(now), cost);
                let taken = bucket.take(at(now), cost);
                prop_assert_eq!(before, taken);
                halves += if taken { in_halves } else { 0 };
                prop_assert!(halves * 500 <= depth * 1000 + rate * now);
            }
        }

        #[test]
        fn with_a_rate_at_least_the_load_nothing_is_refused(rate in 1_u64..200, seconds in 1_u64..1000) {
            let mut bucket = Bucket::full(at(0), rate, rate.max(1));
            for n in 0..rate * seconds.min(20_000 / rate + 1) {
                prop_assert!(bucket.take(at(n * 1000 / rate), Tokens::ONE));
            }
        }
    }
}
