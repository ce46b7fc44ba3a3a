//! Values with units as profiles write them: durations, rates, ranges, percentages.
//!
//! Owns their faults with help. Knows nothing of the keys that hold them.

use std::time::Duration;

use super::diagnose::Fault;
use crate::units::{self, Quantity, Rate};

/// Longer than any test; a bound keeps sums of durations from overflowing.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// More than any generator sends.
const FASTEST: f64 = 1e7;

/// `300ms`, `5s`, `3m30s`, `24h`.
pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    let help = "write a duration such as `300ms`, `5s`, `3m30s` or `24h`";
    let duration = units::parse_duration(text).map_err(|_| not(text, "a duration", help))?;
    if duration > LONGEST {
        return Err(Fault::new(format!("`{text}` is longer than a year"), help));
    }
    Ok(duration)
}

/// `10/s`, `150/min`, `1000/30s`.
pub(super) fn rate(text: &str) -> Result<Rate, Fault> {
    let help = "write a rate such as `10/s`, `150/min` or `1000/30s`";
    if text.contains("requests") {
        return Err(Fault::new(
            "a rate in requests is not supported by this version",
            "write the rate of journeys, such as `10/s`",
        ));
    }
    let rate = units::parse_rate(text).map_err(|_| not(text, "a rate", help))?;
    if rate.0 > FASTEST {
        return Err(Fault::new(format!("`{text}` is more than 10,000,000 a second"), help));
    }
    Ok(rate)
}

/// A rate or a range of rates: `10/s`, `10..100/s`, `10/s..100/s`.
pub(super) fn rates(text: &str) -> Result<(Rate, Rate), Fault> {
    span(
        text,
        rate,
        |low| low.parse::<f64>().is_ok(),
        |high| high.find('/').map(|at| &high[at..]),
    )
}

/// A duration or a range of durations: `5s`, `1s..3s`, `1..3s`.
pub(super) fn durations(text: &str) -> Result<(Duration, Duration), Fault> {
    let (min, max) = span(text, duration, |low| low.parse::<f64>().is_ok(), unit_of)?;
    if min > max {
        return Err(backwards(text));
    }
    Ok((min, max))
}

/// `5..100`.
pub(super) fn counts(text: &str) -> Result<(u32, u32), Fault> {
    let help = "write a range such as `5..100`";
    let (low, high) = text.split_once("..").ok_or_else(|| not(text, "a range", help))?;
    let read = |part: &str| part.trim().parse::<u32>().map_err(|_| not(part.trim(), "a whole number", help));
    Ok((
        read(low).map_err(|fault| fault.within(0..low.len()))?,
        read(high).map_err(|fault| fault.within(low.len() + 2..text.len()))?,
    ))
}

/// `5..100`, the lower bound first.
pub(super) fn limits(text: &str) -> Result<(u32, u32), Fault> {
    let (min, max) = counts(text)?;
    if min > max { Err(backwards(text)) } else { Ok((min, max)) }
}

/// `70%`, as 70.
pub(super) fn percent(text: &str) -> Result<f64, Fault> {
    units::parse_percent(text)
        .map(|share| (share * 1e8).round() / 1e6)
        .map_err(|_| not(text, "a percentage", "write a percentage such as `70%`"))
}

/// Any quantity.
pub(super) fn quantity(text: &str) -> Result<Quantity, Fault> {
    let help = "write a number with its unit, such as `15s`, `1%`, `512MB`, `10/s` or `0`";
    match Quantity::parse(text) {
        Ok(quantity) if quantity.base().is_finite() => Ok(quantity),
        _ => Err(not(text, "a number with a known unit", help)),
    }
}

/// Two quantities of one unit: `20..40%`, `1s..3s`; the lower bound first.
pub(super) fn quantities(text: &str) -> Result<(Quantity, Quantity), Fault> {
    let (from, to) = span(text, quantity, |low| low.parse::<f64>().is_ok(), unit_of)?;
    if !text.contains("..") {
        return Err(not(text, "a range", "write a range such as `20%..40%`"));
    }
    if std::mem::discriminant(&from) != std::mem::discriminant(&to) {
        return Err(Fault::new("the bounds have different units", "give both bounds the same unit"));
    }
    if from.base() > to.base() {
        return Err(backwards(text));
    }
    Ok((from, to))
}

/// One value or two; the lower of two may leave its unit to the upper.
fn span<T: Copy>(
    text: &str,
    one: impl Fn(&str) -> Result<T, Fault>,
    bare: impl Fn(&str) -> bool,
    unit: impl Fn(&str) -> Option<&str>,
) -> Result<(T, T), Fault> {
    let Some((low, high)) = text.split_once("..") else {
        let value = one(text.trim())?;
        return Ok((value, value));
    };
    let to = one(high.trim()).map_err(|fault| fault.within(low.len() + 2..text.len()))?;
    let low_text = low.trim();
    let with_unit = match unit(high.trim()) {
        Some(unit) if bare(low_text) => format!("{low_text}{unit}"),
        _ => low_text.to_owned(),
    };
    let from = one(&with_unit).map_err(|fault| fault.within(0..low.len()))?;
    Ok((from, to))
}

/// What follows the digits of a value with one unit.
fn unit_of(text: &str) -> Option<&str> {
    text.find(|c: char| !c.is_ascii_digit() && c != '.').map(|at| &text[at..])
}

fn not(text: &str, what: &str, help: &str) -> Fault {
    if text.trim() == "?" {
        return Fault::new("`?` can only stand as the limit of a criterion", help);
    }
    Fault::new(format!("`{text}` is not {what}"), help)
}

fn backwards(text: &str) -> Fault {
    let swapped = text
        .split_once("..")
        .map(|(low, high)| format!("{}..{}", high.trim(), low.trim()))
        .unwrap_or_default();
    Fault::new(format!("the range `{text}` ends below its start"), format!("write `{swapped}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_bound_may_leave_its_unit_to_the_upper() {
        let seconds = Duration::from_secs;
        assert_eq!(durations("1..3s"), Ok((seconds(1), seconds(3))));
        assert_eq!(durations("1s..3s"), Ok((seconds(1), seconds(3))));
        assert_eq!(durations("5s"), Ok((seconds(5), seconds(5))));
        assert_eq!(rates("10..100/s"), Ok((Rate(10.0), Rate(100.0))));
        assert_eq!(quantities("20..40%"), Ok((Quantity::Share(0.2), Quantity::Share(0.4))));
    }

    #[test]
    fn a_percentage_is_exact() {
        assert_eq!(percent("70%"), Ok(70.0));
        assert_eq!(percent("57%"), Ok(57.0));
    }

    #[test]
    fn a_range_that_runs_backwards_says_how_to_write_it() {
        assert_eq!(limits("100..5").unwrap_err().help, "write `5..100`");
    }
}
