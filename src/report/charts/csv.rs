//! The numbers of a chart as CSV: what the page shows on demand, what its script reads, what people copy.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::moment;
use super::{Chart, Shape};

/// A column a line, a row a moment; a gap is an empty field.
#[must_use]
pub fn csv(chart: &Chart) -> String {
    let lines: Vec<_> = chart.lines.iter().filter(|line| line.shape != Shape::Level).collect();
    let mut rows: BTreeMap<i64, Vec<Option<f64>>> = BTreeMap::new();
    for (column, line) in lines.iter().enumerate() {
        for (at, value) in &line.points {
            let row = rows.entry(millis(*at)).or_insert_with(|| vec![None; lines.len()]);
            row[column] = Some(*value);
        }
    }
    let mut out = String::from("time");
    for line in &lines {
        out.push(',');
        out.push_str(&field(&line.label));
    }
    for (at, values) in rows {
        let at = moment::at(seconds(at));
        if at.subsec_millisecond() == 0 {
            let _ = write!(out, "\n{}", moment::iso(at));
        } else {
            let _ = write!(out, "\n{}", at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"));
        }
        for value in values {
            out.push(',');
            if let Some(value) = value {
                let _ = write!(out, "{}", significant(value));
            }
        }
    }
    out
}

/// Quoted when it must be; a text that a spreadsheet would take for a formula gets an apostrophe in front.
fn field(text: &str) -> String {
    let safe = if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if safe.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", safe.replace('"', "\"\"").replace(['\n', '\r'], " "))
    } else {
        safe
    }
}

/// Six digits are more than any of these numbers is worth.
fn significant(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let factor = 10_f64.powf(5.0 - value.abs().log10().floor());
    (value * factor).round() / factor
}

#[expect(clippy::cast_possible_truncation, reason = "moments of a run")]
fn millis(at: f64) -> i64 {
    (at * 1_000.0).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^52")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_survive_commas_quotes_newlines_and_spreadsheets() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,\"b\"\nc"), "\"a,\"\"b\"\" c\"");
        assert_eq!(field("=1+1"), "'=1+1");
    }

    #[test]
    fn numbers_keep_six_digits() {
        assert_eq!(significant(1.0 / 3.0).to_string(), "0.333333");
        assert_eq!(significant(1_234_567.0).to_string(), "1234570");
    }
}
