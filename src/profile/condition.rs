//! The grammar of conditions: `p(95) < 15s`, `rate in 0.1%..1%`, `avg ~ 200ms +-10%`, `rate < ?`.
//!
//! Owns how a condition is read. Which statistic applies to which metric is `metric`'s part.

use std::ops::Range;

use super::diagnose::Fault;
use super::{suggest, value};
use crate::scenario::{Limit, Op};
use crate::units::Quantity;

/// A statistic as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stat {
    Avg,
    Min,
    Max,
    Med,
    Percentile(f64),
    Sum,
    Count,
    Rate,
    Value,
    Time,
    GrowthAvg,
    GrowthPercentile(f64),
}

impl Stat {
    /// As people write it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Avg => "avg".to_owned(),
            Self::Min => "min".to_owned(),
            Self::Max => "max".to_owned(),
            Self::Med => "med".to_owned(),
            Self::Percentile(n) => format!("p({n})"),
            Self::Sum => "sum".to_owned(),
            Self::Count => "count".to_owned(),
            Self::Rate => "rate".to_owned(),
            Self::Value => "value".to_owned(),
            Self::Time => "time".to_owned(),
            Self::GrowthAvg => "growth(avg)".to_owned(),
            Self::GrowthPercentile(n) => format!("growth(p({n}))"),
        }
    }
}

/// A condition before the metric's units are known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    pub(super) stat: Stat,
    pub(super) stat_at: Range<usize>,
    pub(super) limit: Limit,
    pub(super) limit_at: Range<usize>,
}

const NAMES: [&str; 11] = [
    "avg",
    "min",
    "max",
    "med",
    "p(N)",
    "sum",
    "count",
    "rate",
    "value",
    "time",
    "growth(avg)",
];

/// Comparisons, longer ones first.
const OPS: [(&str, Op); 6] = [
    ("<=", Op::AtMost),
    (">=", Op::AtLeast),
    ("==", Op::Equal),
    ("!=", Op::NotEqual),
    ("<", Op::Less),
    (">", Op::More),
];

const HELP: &str = "write it such as `p(95) < 15s`, `rate < 1%`, `sum == 0` or `avg in 20%..40%`";

/// Reads a condition.
pub(super) fn read(text: &str) -> Result<Written, Fault> {
    let begin = text.len() - text.trim_start().len();
    let stat_end = stat_end(text, begin);
    let stat = stat(&text[begin..stat_end]).map_err(|fault| fault.within(begin..stat_end.max(begin + 1)))?;
    let rest = &text[stat_end..];
    let rest_at = stat_end + (rest.len() - rest.trim_start().len());
    let (limit, limit_at) = limit(text, rest_at)?;
    Ok(Written {
        stat,
        stat_at: begin..stat_end,
        limit,
        limit_at,
    })
}

/// Reads a comparison operator at the beginning of a text.
pub(super) fn op(text: &str) -> Option<(Op, usize)> {
    OPS.iter()
        .find(|(symbol, _)| text.starts_with(symbol))
        .map(|(symbol, op)| (*op, symbol.len()))
}

/// A statistic ends at a blank or an operator outside of parentheses.
fn stat_end(text: &str, begin: usize) -> usize {
    let mut depth = 0_i32;
    for (at, c) in text[begin..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth <= 0 && (c.is_whitespace() || "<>=!~".contains(c)) => return begin + at,
            _ => {}
        }
    }
    text.len()
}

fn stat(name: &str) -> Result<Stat, Fault> {
    Ok(match name {
        "avg" => Stat::Avg,
        "min" => Stat::Min,
        "max" => Stat::Max,
        "med" => Stat::Med,
        "sum" => Stat::Sum,
        "count" => Stat::Count,
        "rate" => Stat::Rate,
        "value" => Stat::Value,
        "time" => Stat::Time,
        "growth(avg)" => Stat::GrowthAvg,
        "" => return Err(Fault::new("the condition is empty", HELP)),
        _ => return parameterised(name),
    })
}

fn parameterised(name: &str) -> Result<Stat, Fault> {
    let inside = |prefix: &str, text: &str| {
        text.strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(')'))
            .map(str::trim)
            .map(ToOwned::to_owned)
    };
    if let Some(n) = inside("p(", name) {
        return percentile(&n).map(Stat::Percentile);
    }
    if let Some(of) = inside("growth(", name) {
        let Some(n) = inside("p(", &of) else {
            return Err(Fault::new(
                format!("`{name}` is not a growth"),
                "write `growth(avg)` or `growth(p(95))`",
            ));
        };
        return percentile(&n).map(Stat::GrowthPercentile);
    }
    let digits = name.strip_prefix('p').filter(|digits| digits.parse::<f64>().is_ok());
    if let Some(digits) = digits {
        return Err(Fault::new(format!("unknown statistic `{name}`"), format!("write `p({digits})`")));
    }
    Err(Fault::new(
        format!("unknown statistic `{name}`"),
        match name {
            "mean" | "average" => "did you mean `avg`?".to_owned(),
            "median" => "did you mean `med`?".to_owned(),
            _ => suggest::help(name, NAMES, "statistics"),
        },
    ))
}

fn percentile(text: &str) -> Result<f64, Fault> {
    match text.parse::<f64>() {
        Ok(n) if n > 0.0 && n <= 100.0 => Ok(n),
        _ => Err(Fault::new(
            format!("`p({text})` is not a percentile"),
            "write a number above 0 and up to 100, such as `p(95)` or `p(99.9)`",
        )),
    }
}

fn limit(text: &str, begin: usize) -> Result<(Limit, Range<usize>), Fault> {
    let rest = &text[begin..];
    if let Some((op, length)) = op(rest) {
        let (value, at) = trimmed(text, begin + length);
        let limit = if value == "?" {
            Limit::Ask(op)
        } else {
            Limit::Compare(op, value::quantity(value).map_err(|fault| fault.within(at.clone()))?)
        };
        return Ok((limit, at));
    }
    if let Some(range) = rest.strip_prefix("not in ").or_else(|| rest.strip_prefix("in ")) {
        let (value, at) = trimmed(text, text.len() - range.len());
        let (from, to) = value::quantities(value).map_err(|fault| fault.shifted(at.start, value.len()))?;
        let not = rest.starts_with("not");
        return Ok((Limit::Range { from, to, not }, at));
    }
    if let Some(about) = rest.strip_prefix('~') {
        let (value, at) = trimmed(text, text.len() - about.len());
        return Ok((tolerance(value).map_err(|fault| fault.within(at.clone()))?, at));
    }
    let message = if rest.trim().is_empty() {
        "the condition has no limit".to_owned()
    } else {
        format!("`{}` is not a comparison", rest.split_whitespace().next().unwrap_or_default())
    };
    let range = if rest.is_empty() { 0..text.len() } else { begin..text.len() };
    Err(Fault::new(message, HELP).within(range))
}

fn tolerance(text: &str) -> Result<Limit, Fault> {
    let help = "write it such as `avg ~ 200ms +-10%`";
    let (value, percent) = text
        .split_once("+-")
        .ok_or_else(|| Fault::new(format!("`{text}` has no tolerance"), help))?;
    let share = value::percent(percent.trim())? / 100.0;
    let around = |factor: f64| -> Result<Quantity, Fault> {
        Ok(match value::quantity(value.trim())? {
            Quantity::Number(v) => Quantity::Number(v * factor),
            Quantity::Seconds(v) => Quantity::Seconds(v * factor),
            Quantity::Share(v) => Quantity::Share(v * factor),
            Quantity::Bytes(v) => Quantity::Bytes(v * factor),
            Quantity::PerSecond(v) => Quantity::PerSecond(v * factor),
        })
    };
    Ok(Limit::Range {
        from: around(1.0 - share)?,
        to: around(1.0 + share)?,
        not: false,
    })
}

fn trimmed(text: &str, begin: usize) -> (&str, Range<usize>) {
    let rest = &text[begin..];
    let value = rest.trim();
    let start = begin + (rest.len() - rest.trim_start().len());
    (value, start..start + value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_is_read() {
        let less = |v| Limit::Compare(Op::Less, v);
        for (text, stat, limit) in [
            ("p(95) < 15s", Stat::Percentile(95.0), less(Quantity::Seconds(15.0))),
            ("p(99.9)<15s", Stat::Percentile(99.9), less(Quantity::Seconds(15.0))),
            ("rate < 1%", Stat::Rate, less(Quantity::Share(0.01))),
            ("rate > ?", Stat::Rate, Limit::Ask(Op::More)),
            ("sum == 0", Stat::Sum, Limit::Compare(Op::Equal, Quantity::Number(0.0))),
            ("growth(p(95)) < 20%", Stat::GrowthPercentile(95.0), less(Quantity::Share(0.2))),
        ] {
            let written = read(text).unwrap();
            assert_eq!((written.stat, written.limit), (stat, limit), "{text}");
        }
        assert!(matches!(read("avg not in 1s..2s").unwrap().limit, Limit::Range { not: true, .. }));
        assert!(matches!(read("avg ~ 200ms +-10%").unwrap().limit, Limit::Range { not: false, .. }));
    }

    #[test]
    fn a_fault_points_at_the_wrong_half() {
        let wrong = |text: &str| {
            let fault = read(text).unwrap_err();
            text[fault.range.unwrap()].to_owned()
        };
        assert_eq!(wrong("p(95) < 15x"), "15x");
        assert_eq!(wrong("p95 < 15s"), "p95");
        assert_eq!(wrong("avg is 5s"), "is 5s");
        assert_eq!(wrong("avg in 5s..1x"), "1x");
    }
}
