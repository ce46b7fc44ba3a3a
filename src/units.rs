//! Quantities with their units: what people write in a profile and read on a screen.
//!
//! Owns parsing and rounding for people. Knows nothing of AWS, profiles or reports.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use jiff::Timestamp;

/// A rate of arrivals, in events a second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub f64);

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// A value with its unit, as criteria and requirements compare it. Durations are seconds, percentages are shares
/// (`1%` is 0.01), sizes are bytes, rates are per second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(tag = "unit", content = "value", rename_all = "kebab-case")]
pub enum Quantity {
    /// A plain number.
    Number(f64),
    /// Seconds.
    Seconds(f64),
    /// A share between 0 and 1 (may exceed 1).
    Share(f64),
    /// Bytes.
    Bytes(f64),
    /// Events a second.
    PerSecond(f64),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the symbols say it")]
pub enum Op {
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">")]
    More,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
}

impl Op {
    /// Whether `left OP right` holds.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "`==` in a criterion means equal, and counts are exact")]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }

    /// The symbol.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

/// Why a quantity could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The text is no duration.
    #[error("`{0}` is not a duration, such as `300ms`, `5s`, `3m30s`, `24h`")]
    Duration(String),
    /// The text is no rate.
    #[error("`{0}` is not a rate, such as `10/s`, `150/min`, `1000/30s`")]
    Rate(String),
    /// The text is no size.
    #[error("`{0}` is not a size, such as `512MB` or `2GB`")]
    Bytes(String),
    /// The text is no percentage.
    #[error("`{0}` is not a percentage, such as `70%`")]
    Percent(String),
    /// The text is no quantity at all.
    #[error("`{0}` is not a number with a known unit, such as `15s`, `1%`, `512MB`, `10/s` or `0`")]
    Quantity(String),
}

impl Quantity {
    /// The bare number, in the base unit of its kind.
    #[must_use]
    pub fn base(self) -> f64 {
        match self {
            Self::Number(v) | Self::Seconds(v) | Self::Share(v) | Self::Bytes(v) | Self::PerSecond(v) => v,
        }
    }

    /// Reads any of the units that a profile may hold.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        if let Ok(number) = text.parse::<f64>()
            && number.is_finite()
        {
            return Ok(Self::Number(number));
        }
        if let Ok(share) = parse_percent(text) {
            return Ok(Self::Share(share));
        }
        if let Ok(duration) = parse_duration(text) {
            return Ok(Self::Seconds(duration.as_secs_f64()));
        }
        if let Ok(bytes) = parse_bytes(text) {
            #[expect(clippy::cast_precision_loss, reason = "sizes that people write are far below 2^52")]
            return Ok(Self::Bytes(bytes.0 as f64));
        }
        if let Ok(rate) = parse_rate(text) {
            return Ok(Self::PerSecond(rate.0));
        }
        Err(UnitError::Quantity(text.to_owned()))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Number(v) => write!(f, "{}", number(v)),
            Self::Seconds(v) => write!(f, "{}", seconds(v)),
            Self::Share(v) => write!(f, "{}", percent(v)),
            Self::Bytes(v) => write!(f, "{}", bytes(v)),
            Self::PerSecond(v) => write!(f, "{}/s", number(v)),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", number(self.0))
    }
}

/// Reads `300ms`, `5s`, `3m30s`, `24h`, `7d`; a space before the unit is allowed.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let error = || UnitError::Duration(text.to_owned());
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(error());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(error)?;
        let value: f64 = rest[..digits].parse().map_err(|_| error())?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        total += value * unit_seconds(&rest[..letters]).ok_or_else(error)?;
        rest = rest[letters..].trim_start();
    }
    Duration::try_from_secs_f64(total).map_err(|_| error())
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    })
}

/// Reads `10/s`, `150/min`, `1000/30s`.
pub fn parse_rate(text: &str) -> Result<Rate, UnitError> {
    let error = || UnitError::Rate(text.to_owned());
    let (count, per) = text.split_once('/').ok_or_else(error)?;
    let count: f64 = count.trim().parse().map_err(|_| error())?;
    let per = per.trim();
    let seconds = match unit_seconds(per) {
        Some(seconds) => seconds,
        None => parse_duration(per).map_err(|_| error())?.as_secs_f64(),
    };
    let rate = count / seconds;
    if rate.is_finite() && rate >= 0.0 {
        Ok(Rate(rate))
    } else {
        Err(error())
    }
}

/// Reads `512MB`, `2GB`; powers of 1024, as Lambda and ECS count memory.
pub fn parse_bytes(text: &str) -> Result<Bytes, UnitError> {
    let error = || UnitError::Bytes(text.to_owned());
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
    let value: u64 = text[..digits].parse().map_err(|_| error())?;
    let factor: u64 = match text[digits..].trim() {
        "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return Err(error()),
    };
    value.checked_mul(factor).map(Bytes).ok_or_else(error)
}

/// Reads `70%` as 0.7.
pub fn parse_percent(text: &str) -> Result<f64, UnitError> {
    let error = || UnitError::Percent(text.to_owned());
    let value: f64 = text
        .trim()
        .strip_suffix('%')
        .ok_or_else(error)?
        .trim()
        .parse()
        .map_err(|_| error())?;
    if value.is_finite() { Ok(value / 100.0) } else { Err(error()) }
}

/// A number for people: no more than three decimals, thousands separated.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let decimals = if value.fract() == 0.0 || value.abs() >= 1_000.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        3
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    thousands(&text)
}

fn thousands(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Seconds for people: `740ms`, `3.9s`, `5m00s`, `1h02m`.
#[must_use]
pub fn seconds(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let magnitude = value.abs();
    if magnitude == 0.0 {
        "0s".to_owned()
    } else if magnitude < 0.001 {
        format!("{:.0}µs", value * 1e6)
    } else if magnitude < 0.01 {
        format!("{:.1}ms", value * 1e3)
    } else if magnitude < 1.0 {
        format!("{:.0}ms", value * 1e3)
    } else if magnitude < 10.0 {
        format!("{}s", number((value * 100.0).round() / 100.0))
    } else if magnitude < 60.0 {
        format!("{}s", number((value * 10.0).round() / 10.0))
    } else {
        long_seconds(value)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounded by the caller's finite durations")]
fn long_seconds(value: f64) -> String {
    let whole = value.round() as i64;
    if whole < 3_600 {
        format!("{}m{:02}s", whole / 60, whole % 60)
    } else {
        format!("{}h{:02}m", whole / 3_600, whole % 3_600 / 60)
    }
}

/// A duration for people; see [`seconds`].
#[must_use]
pub fn duration(value: Duration) -> String {
    seconds(value.as_secs_f64())
}

/// A share for people: `2.31%`.
#[must_use]
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if !value.is_finite() {
        "–".to_owned()
    } else if value != 0.0 && value.abs() < 10.0 {
        format!("{}%", format!("{value:.2}").trim_end_matches('0').trim_end_matches('.'))
    } else {
        format!("{}%", format!("{value:.1}").trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Bytes for people: `512 MB`.
#[must_use]
pub fn bytes(value: f64) -> String {
    const NAMES: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut value = value;
    let mut index = 0;
    while value.abs() >= 1024.0 && index + 1 < NAMES.len() {
        value /= 1024.0;
        index += 1;
    }
    format!("{} {}", number(value), NAMES[index])
}

/// `1 change`, `2 changes`.
#[must_use]
pub fn count(amount: usize, noun: &str) -> String {
    if amount == 1 {
        format!("1 {noun}")
    } else {
        format!("{amount} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_every_documented_form() {
        for (text, millis) in [
            ("300ms", 300),
            ("5s", 5_000),
            ("3m30s", 210_000),
            ("24h", 86_400_000),
            ("5 m", 300_000),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "5", "s", "5x", "-5s", "5s5"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_per_second() {
        for (text, rate) in [("10/s", 10.0), ("150/min", 2.5), ("1000/30s", 1000.0 / 30.0)] {
            assert!((parse_rate(text).unwrap().0 - rate).abs() < 1e-9, "{text}");
        }
        for text in ["10", "x/s", "10/", "10/0s", "-1/s"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quantities_know_their_unit() {
        assert_eq!(Quantity::parse("15s"), Ok(Quantity::Seconds(15.0)));
        assert_eq!(Quantity::parse("1%"), Ok(Quantity::Share(0.01)));
        assert_eq!(Quantity::parse("512MB"), Ok(Quantity::Bytes(536_870_912.0)));
        assert_eq!(Quantity::parse("0"), Ok(Quantity::Number(0.0)));
        assert_eq!(Quantity::parse("500/s"), Ok(Quantity::PerSecond(500.0)));
        assert!(Quantity::parse("NaN").is_err());
    }

    #[test]
    fn people_read_rounded_numbers() {
        assert_eq!(seconds(0.74), "740ms");
        assert_eq!(seconds(3.9), "3.9s");
        assert_eq!(seconds(300.0), "5m00s");
        assert_eq!(number(22_480.0), "22,480");
        assert_eq!(percent(0.0231), "2.31%");
        assert_eq!(bytes(536_870_912.0), "512 MB");
        assert_eq!(count(1, "change"), "1 change");
    }
}
