//! Whether the generator kept up. A run that it could not keep up with is invalid, and not blamed on the target.

use super::recording::Generator;
use super::sparse::Sparse;
use crate::units;

/// Dropped or unbalanced arrivals beyond this share make a run invalid.
const DROPPED_MAX: f64 = 0.001;
/// The 99th percentile of how late open arrivals may be taken up. Their latency counts from due, so more than this
/// would be tidegate's own time in the target's numbers.
const LAG_OPEN_MAX: f64 = 0.020;
/// The same of wake-ups in closed phases, where think times only get a little longer.
const LAG_CLOSED_MAX: f64 = 0.050;

impl Generator {
    /// Fills in the lag and judges it and the drops. CPU only explains, it does not decide.
    pub(super) fn judge(&mut self, lag: &Sparse, is_open: bool) {
        let seconds = |micros: Option<u64>| {
            #[expect(clippy::cast_precision_loss, reason = "microseconds of hours fit into a float")]
            micros.map_or(0.0, |micros| micros as f64 / 1e6)
        };
        self.lag = [seconds(lag.quantile(0.5)), seconds(lag.quantile(0.99)), seconds(lag.max())];
        self.invalid.clear();
        for (count, what) in [
            (self.dropped, "found no free user"),
            (self.imbalance, "were dropped while another thread had a free user"),
        ] {
            #[expect(clippy::cast_precision_loss, reason = "runs stay far below 2^52 arrivals")]
            let share = count as f64 / self.arrivals.max(1) as f64;
            if share > DROPPED_MAX {
                self.invalid.push(format!(
                    "{} of {} arrivals ({}) {what}; at most {} may",
                    units::number(number(count)),
                    units::number(number(self.arrivals)),
                    units::percent(share),
                    units::percent(DROPPED_MAX),
                ));
            }
        }
        let (bound, what) = if is_open {
            (LAG_OPEN_MAX, "99% of the arrivals were started within")
        } else {
            (LAG_CLOSED_MAX, "99% of the load threads' wake-ups came within")
        };
        if self.lag[1] > bound {
            let (got, bound) = (units::seconds(self.lag[1]), units::seconds(bound));
            self.invalid
                .push(format!("{what} {got} of their time only; {bound} is the most that counts"));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "runs stay far below 2^52 arrivals")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::super::sparse::Scratch;
    use super::*;

    fn judged(dropped: u64, imbalance: u64, late: &[u32], is_open: bool) -> Vec<String> {
        let mut scratch = Scratch::new();
        for late in late {
            scratch.add(*late);
        }
        let mut generator = Generator {
            dropped,
            imbalance,
            arrivals: 10_000,
            ..Generator::default()
        };
        generator.judge(&scratch.drain(), is_open);
        generator.invalid
    }

    #[test]
    fn a_generator_that_kept_up_is_valid() {
        assert_eq!(judged(10, 0, &[100, 500, 19_000], true), Vec::<String>::new());
        assert_eq!(judged(0, 0, &[49_000], false), Vec::<String>::new());
        assert_eq!(judged(0, 0, &[], true), Vec::<String>::new());
    }

    #[test]
    fn drops_imbalance_and_lag_make_a_run_invalid_with_numbers() {
        assert_eq!(
            judged(11, 0, &[], true),
            ["11 of 10,000 arrivals (0.11%) found no free user; at most 0.1% may"]
        );
        assert_eq!(judged(20, 20, &[], true).len(), 2);
        assert!(judged(0, 0, &[21_000], true)[0].starts_with("99% of the arrivals were started within"));
        assert!(judged(0, 0, &[51_000], false)[0].contains("wake-ups"));
    }
}
