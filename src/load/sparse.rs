//! Latencies in little space: a dense scratch to count in, and a packed form to keep.
//!
//! The buckets are those of an `HdrHistogram` with 3 significant digits over microseconds, so that adding a packed
//! one to a dense one loses nothing. Knows nothing of requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Values below this have a bucket each.
const FINE: u32 = 2_048;
/// Buckets of each further power of two.
const HALF: usize = 1_024;
/// Buckets up to the greatest `u32`.
const BUCKETS: usize = 22 * HALF + HALF;

/// The bucket of a value.
fn index(micros: u32) -> usize {
    if micros < FINE {
        return micros as usize;
    }
    let shift = 21 - micros.leading_zeros();
    shift as usize * HALF + (micros >> shift) as usize
}

/// The least value of a bucket.
fn lowest(index: usize) -> u64 {
    if index < FINE as usize {
        return index as u64;
    }
    ((index % HALF + HALF) as u64) << (index / HALF - 1)
}

/// A dense counter that is emptied again and again.
#[derive(Debug)]
pub struct Scratch {
    counts: Box<[u32]>,
    touched: Vec<u16>,
}

impl Scratch {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            counts: vec![0; BUCKETS].into_boxed_slice(),
            touched: Vec::new(),
        }
    }

    /// Counts one value of microseconds.
    pub fn add(&mut self, micros: u32) {
        let index = index(micros);
        let count = &mut self.counts[index];
        if *count == 0 {
            #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^16 buckets")]
            self.touched.push(index as u16);
        }
        *count = count.saturating_add(1);
    }

    /// Everything counted, packed; empty afterwards.
    pub fn drain(&mut self) -> Sparse {
        self.touched.sort_unstable();
        let mut packed = Packer::default();
        for index in self.touched.drain(..) {
            let count = std::mem::take(&mut self.counts[usize::from(index)]);
            packed.push(usize::from(index), u64::from(count));
        }
        packed.finish()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// Latencies packed: for each bucket in use the distance to the one before and the count, as variable-length numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sparse {
    bytes: Box<[u8]>,
    len: u64,
}

impl Sparse {
    /// How many values.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds another, exactly.
    pub fn merge(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            self.clone_from(other);
            return;
        }
        let mut packed = Packer::default();
        let mut ours = self.buckets().peekable();
        let mut theirs = other.buckets().peekable();
        loop {
            match (ours.peek().copied(), theirs.peek().copied()) {
                (Some(a), Some(b)) if a.0 == b.0 => {
                    packed.push(a.0, a.1 + b.1);
                    ours.next();
                    theirs.next();
                }
                (Some(a), b) if b.is_none_or(|b| a.0 < b.0) => {
                    packed.push(a.0, a.1);
                    ours.next();
                }
                (_, Some(b)) => {
                    packed.push(b.0, b.1);
                    theirs.next();
                }
                (_, None) => break,
            }
        }
        *self = packed.finish();
    }

    /// Adds everything to a dense histogram of the same buckets, which grows by itself.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn add_to(&self, histogram: &mut Histogram<u64>) {
        for (micros, count) in self.iter() {
            #[expect(clippy::expect_used, reason = "the histogram grows by itself")]
            histogram.record_n(micros, count).expect("every packed value is in range");
        }
    }

    /// The least microseconds of each bucket in use with its count, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.buckets().map(|(index, count)| (lowest(index), count))
    }

    /// The value in microseconds that a share (0 to 1) of all does not exceed; `None` when there are none.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank is between 1 and the count, and counts stay far below 2^52"
    )]
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let rank = ((share * self.len as f64).ceil() as u64).clamp(1, self.len.max(1));
        let mut seen = 0;
        self.iter().find_map(|(micros, count)| {
            seen += count;
            (seen >= rank).then_some(micros)
        })
    }

    /// The greatest value in microseconds.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        self.iter().last().map(|(micros, _)| micros)
    }

    fn buckets(&self) -> Buckets<'_> {
        Buckets {
            bytes: &self.bytes,
            index: 0,
        }
    }
}

/// Unpacks (index, count).
struct Buckets<'a> {
    bytes: &'a [u8],
    index: usize,
}

impl Buckets<'_> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

impl Iterator for Buckets<'_> {
    type Item = (usize, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let distance = self.number()?;
        let count = self.number()?;
        self.index = self.index.checked_add(usize::try_from(distance).ok()?)?;
        (self.index < BUCKETS).then_some((self.index, count))
    }
}

/// Packs ascending (index, count).
#[derive(Default)]
struct Packer {
    bytes: Vec<u8>,
    last: usize,
    len: u64,
}

impl Packer {
    fn push(&mut self, index: usize, count: u64) {
        self.number((index - self.last) as u64);
        self.number(count);
        self.last = index;
        self.len += count;
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven bits are taken at a time")]
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn finish(self) -> Sparse {
        Sparse {
            bytes: self.bytes.into_boxed_slice(),
            len: self.len,
        }
    }
}

impl Serialize for Sparse {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.bytes))
    }
}

impl<'de> Deserialize<'de> for Sparse {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        // Packed again, so that nothing but what can be read is kept.
        let mut packed = Packer::default();
        let buckets = Buckets { bytes: &bytes, index: 0 };
        for (index, count) in buckets {
            packed.push(index, count);
        }
        Ok(packed.finish())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::recording::histogram;
    use super::*;

    fn packed(values: &[u32]) -> Sparse {
        let mut scratch = Scratch::new();
        for value in values {
            scratch.add(*value);
        }
        scratch.drain()
    }

    #[test]
    fn a_drained_scratch_starts_again_from_nothing() {
        let mut scratch = Scratch::new();
        scratch.add(5);
        assert_eq!(scratch.drain().len(), 1);
        assert!(scratch.drain().is_empty());
    }

    #[test]
    fn garbage_on_disk_is_read_as_far_as_it_makes_sense() {
        for text in ["\"\"", "\"gICAgICAgICAgICA\"", "\"//8=\""] {
            let read: Sparse = serde_json::from_str(text).unwrap();
            assert_eq!(read.len(), read.iter().map(|(_, count)| count).sum::<u64>(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn packing_keeps_exactly_the_buckets_of_a_dense_histogram(values in prop::collection::vec(1_u32..3_600_000_000, 0..200)) {
            let mut dense = histogram();
            for value in &values {
                dense.record(u64::from(*value)).unwrap();
            }
            let mut unpacked = histogram();
            packed(&values).add_to(&mut unpacked);
            prop_assert_eq!(dense.len(), unpacked.len());
            for quantile in [0.0, 0.5, 0.9, 0.95, 0.99, 1.0] {
                prop_assert_eq!(dense.value_at_quantile(quantile), unpacked.value_at_quantile(quantile));
            }
        }

        #[test]
        fn merging_is_the_same_as_counting_together(
            a in prop::collection::vec(1_u32..100_000, 0..100),
            b in prop::collection::vec(1_u32..100_000, 0..100),
        ) {
            let mut merged = packed(&a);
            merged.merge(&packed(&b));
            let together: Vec<u32> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(&merged, &packed(&together));
            let text = serde_json::to_string(&merged).unwrap();
            prop_assert_eq!(serde_json::from_str::<Sparse>(&text).unwrap(), merged);
        }

        #[test]
        fn a_bucket_holds_its_values_to_three_digits(value in 1_u32..3_600_000_000) {
            let low = lowest(index(value));
            prop_assert!(low <= u64::from(value));
            prop_assert!(u64::from(value) - low <= u64::from(value) / 1_000);
        }
    }
}
