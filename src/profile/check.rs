//! The grammar of checks: `status == 200`, `json($.answer) exists`, `time < 2s`, `status in [200, 201]`.
//!
//! Owns how a check is read, JSON paths included. Knows nothing of steps.

use super::condition;
use super::diagnose::Fault;
use super::{suggest, value};
use crate::scenario::{Check, Literal, Op, Subject, Test};
use crate::units::Quantity;

const HELP: &str = "write it such as `status == 200`, `time < 2s`, `json($.answer) exists` or `body contains ok`";

const SUBJECTS: [&str; 6] = ["status", "time", "size", "body", "header(NAME)", "json(PATH)"];

/// Reads a check.
pub(super) fn read(text: &str) -> Result<Check, Fault> {
    let (subject, end) = subject_prefix(text)?;
    let rest = &text[end..];
    let begin = end + (rest.len() - rest.trim_start().len());
    Ok(Check {
        text: text.trim().to_owned(),
        test: demand(text, begin, &subject)?,
        subject,
    })
}

/// Reads a subject alone, as `save` has it.
pub(super) fn subject(text: &str) -> Result<Subject, Fault> {
    let (subject, end) = subject_prefix(text)?;
    if text[end..].trim().is_empty() {
        Ok(subject)
    } else {
        Err(Fault::new(
            "a part of the answer stands alone here",
            "write only what is taken, such as `json($.id)` or `header(location)`",
        )
        .within(end..text.len()))
    }
}

fn subject_prefix(text: &str) -> Result<(Subject, usize), Fault> {
    let begin = text.len() - text.trim_start().len();
    let rest = &text[begin..];
    let word_end = begin + rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let word = &text[begin..word_end];
    let simple = |subject| Ok((subject, word_end));
    match word {
        "status" => simple(Subject::Status),
        "time" => simple(Subject::Time),
        "size" => simple(Subject::Size),
        "body" => simple(Subject::Body),
        "header" | "json" => parameterised(text, word, word_end),
        "chunks" | "exit" | "stdout" | "stderr" | "before" => Err(Fault::new(
            format!("`{word}` is not supported by this version"),
            format!("subjects: {}", suggest::list(SUBJECTS)),
        )
        .within(begin..word_end)),
        "" => Err(Fault::new("the check has no subject", HELP)),
        _ => Err(Fault::new(format!("unknown subject `{word}`"), suggest::help(word, SUBJECTS, "subjects")).within(begin..word_end)),
    }
}

fn parameterised(text: &str, word: &str, open: usize) -> Result<(Subject, usize), Fault> {
    let example = if word == "json" { "json($.answer)" } else { "header(content-type)" };
    let close = text[open..]
        .starts_with('(')
        .then(|| closing(&text[open..]))
        .flatten()
        .map(|at| open + at)
        .ok_or_else(|| Fault::new(format!("`{word}` needs its parentheses"), format!("write `{example}`")))?;
    let inside = text[open + 1..close].trim();
    let range = open + 1..close;
    if inside.is_empty() {
        return Err(Fault::new(format!("`{word}()` names nothing"), format!("write `{example}`")).within(open..close + 1));
    }
    if word == "header" {
        return Ok((Subject::Header(inside.to_ascii_lowercase()), close + 1));
    }
    match serde_json_path::JsonPath::parse(inside) {
        Ok(_) => Ok((Subject::Json(inside.to_owned()), close + 1)),
        Err(error) => Err(Fault::new(
            format!("`{inside}` is not a JSONPath: {}", error.message()),
            "write it as RFC 9535 has it, such as `$.answer`, `$.items[0].id` or `$['a b']`",
        )
        .within(range)),
    }
}

/// The index of the parenthesis that closes the first one; quotes inside are skipped.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        if let Some(open) = quote {
            if c == open {
                quote = None;
            }
            continue;
        }
        match c {
            '\'' | '"' => quote = Some(c),
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn demand(text: &str, begin: usize, subject: &Subject) -> Result<Test, Fault> {
    let rest = text[begin..].trim_end();
    let range = begin..begin + rest.len();
    let may_be_absent = matches!(subject, Subject::Header(_) | Subject::Json(_));
    if rest == "exists" {
        return if may_be_absent {
            Ok(Test::Exists)
        } else {
            Err(Fault::new("this always exists", "only `header(NAME)` and `json(PATH)` may be absent").within(range))
        };
    }
    if let Some(wanted) = rest.strip_prefix("contains ") {
        return if may_be_absent || matches!(subject, Subject::Body) {
            Ok(Test::Contains(unquoted(wanted.trim()).to_owned()))
        } else {
            Err(Fault::new(
                "this is no text to contain another",
                "`contains` applies to `body`, `header` and `json`",
            )
            .within(range))
        };
    }
    if let Some(list) = rest.strip_prefix("in ") {
        let at = text[begin..].find(list).map_or(begin, |offset| begin + offset);
        return any_of(list.trim(), subject).map_err(|fault| fault.within(at..at + list.len()));
    }
    let Some((op, length)) = condition::op(rest) else {
        let message = if rest.is_empty() {
            "the check says nothing of its subject".to_owned()
        } else {
            format!("`{}` is not a comparison", rest.split_whitespace().next().unwrap_or_default())
        };
        let range = if rest.is_empty() { 0..text.len() } else { range };
        return Err(Fault::new(message, HELP).within(range));
    };
    let wanted = rest[length..].trim();
    let at = begin + length + (rest[length..].len() - rest[length..].trim_start().len());
    let literal = literal(wanted, subject).map_err(|fault| fault.within(at..at + wanted.len()))?;
    if matches!(literal, Literal::Text(_)) && !matches!(op, Op::Equal | Op::NotEqual) {
        return Err(Fault::new(
            format!("a text cannot be compared by `{}`", op.symbol()),
            "compare texts by `==`, `!=`, `contains` or `in`",
        )
        .within(begin..begin + rest.len()));
    }
    Ok(Test::Compare(op, literal))
}

fn any_of(text: &str, subject: &Subject) -> Result<Test, Fault> {
    let inside = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .ok_or_else(|| Fault::new(format!("`{text}` is not a list"), "write a list such as `status in [200, 201]`"))?;
    let literals: Result<Vec<Literal>, Fault> = inside.split(',').map(|item| literal(item.trim(), subject)).collect();
    Ok(Test::In(literals?))
}

fn literal(text: &str, subject: &Subject) -> Result<Literal, Fault> {
    if text.is_empty() {
        return Err(Fault::new("the check has no value", HELP));
    }
    match subject {
        Subject::Status => match text.parse::<u16>() {
            Ok(status) if (100..600).contains(&status) => Ok(Literal::Quantity(Quantity::Number(f64::from(status)))),
            _ => Err(Fault::new(
                format!("`{text}` is not a status code"),
                "write a number from 100 to 599, such as `status == 200` or `status < 400`",
            )),
        },
        Subject::Time => value::duration(text).map(|time| Literal::Quantity(Quantity::Seconds(time.as_secs_f64()))),
        Subject::Size => match value::quantity(text)? {
            Quantity::Number(bytes) | Quantity::Bytes(bytes) => Ok(Literal::Quantity(Quantity::Bytes(bytes))),
            _ => Err(Fault::new(format!("`{text}` is not a size"), "write a size such as `512` or `2KB`")),
        },
        Subject::Body | Subject::Header(_) | Subject::Json(_) => Ok(match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Literal::Quantity(Quantity::Number(number)),
            _ => Literal::Text(unquoted(text).to_owned()),
        }),
    }
}

fn unquoted(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: f64) -> Literal {
        Literal::Quantity(Quantity::Number(n))
    }

    #[test]
    fn every_documented_form_is_read() {
        let json = |path: &str| Subject::Json(path.to_owned());
        for (text, subject, test) in [
            ("status == 200", Subject::Status, Test::Compare(Op::Equal, number(200.0))),
            ("status < 400", Subject::Status, Test::Compare(Op::Less, number(400.0))),
            (
                "status in [200, 201]",
                Subject::Status,
                Test::In(vec![number(200.0), number(201.0)]),
            ),
            ("json($.answer) exists", json("$.answer"), Test::Exists),
            ("json($[?(@.a == ')')].b) exists", json("$[?(@.a == ')')].b"), Test::Exists),
            (
                "json($.state) == ready",
                json("$.state"),
                Test::Compare(Op::Equal, Literal::Text("ready".into())),
            ),
            (
                "header(Content-Type) contains json",
                Subject::Header("content-type".into()),
                Test::Contains("json".into()),
            ),
            ("body contains \"a b\"", Subject::Body, Test::Contains("a b".into())),
        ] {
            let check = read(text).unwrap();
            assert_eq!((check.subject, check.test), (subject, test), "{text}");
        }
    }

    #[test]
    fn a_fault_points_at_its_own_part() {
        for (text, part) in [
            ("status == 20", "20"),
            ("status is 200", "is 200"),
            ("statsu == 200", "statsu"),
            ("json($.) exists", "$."),
            ("time < 5x", "5x"),
            ("body > abc", "> abc"),
            ("status exists", "exists"),
            ("status in 200", "200"),
        ] {
            let fault = read(text).unwrap_err();
            assert_eq!(&text[fault.range.clone().unwrap()], part, "{text}: {fault:?}");
        }
    }
}
