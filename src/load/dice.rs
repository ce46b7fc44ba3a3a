//! Random numbers that the run's seed repeats on every machine and in every version.
//!
//! `SplitMix64`: eight bytes a stream, so that every journey has one of its own. Not for secrets.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The stream of that seed with that address, such as (user, iteration).
    pub(super) fn new(seed: u64, address: [u64; 2]) -> Self {
        let mut dice = Self(seed);
        for part in address {
            dice.0 = dice.next() ^ part;
        }
        dice.next();
        dice
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least 0 and less than 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Less than `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Between both, inclusive.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low);
        let offset = match span.checked_add(1) {
            Some(bound) => self.below(bound),
            None => self.next(),
        };
        low.min(high).wrapping_add_unsigned(offset)
    }

    /// A version 4 UUID.
    pub(super) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_address_repeat_and_others_differ() {
        let draw = |seed, address| Dice::new(seed, address).next();
        assert_eq!(draw(7, [1, 2]), draw(7, [1, 2]));
        assert_ne!(draw(7, [1, 2]), draw(8, [1, 2]));
        assert_ne!(draw(7, [1, 2]), draw(7, [2, 1]));
    }

    #[test]
    fn draws_stay_inside_their_bounds_and_reach_both_ends() {
        let mut dice = Dice::new(1, [0, 0]);
        let draws: Vec<i64> = (0..1_000).map(|_| dice.between(-2, 2)).collect();
        assert_eq!((draws.iter().min(), draws.iter().max()), (Some(&-2), Some(&2)));
        assert!((0..1_000).all(|_| (0.0..1.0).contains(&dice.unit())));
        assert_eq!(dice.between(i64::MIN, i64::MIN), i64::MIN);
        dice.between(i64::MIN, i64::MAX);
    }

    #[test]
    fn a_uuid_is_of_version_4() {
        let uuid = Dice::new(1, [0, 0]).uuid();
        let parsed = uuid::Uuid::parse_str(&uuid).unwrap();
        assert_eq!(parsed.get_version_num(), 4);
        assert_eq!(parsed.get_variant(), uuid::Variant::RFC4122);
    }
}
