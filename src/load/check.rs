//! Checks and saves of an answer, compiled once at start.
//!
//! The body is parsed as JSON only when one of them needs it. Knows no HTTP beyond [`Answer`].

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value as Json;

use super::error::LoadError;
use super::path::Path;
use super::render::Interner;
use super::sample::Failure;
use crate::scenario::{Check, Literal, Op, Save, Step, Subject, Test};

/// What came back, as far as the step wants to know. Reused from request to request.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Empty unless the step wants it.
    pub(super) body: Vec<u8>,
    /// Length of the body.
    pub(super) size: u64,
    /// Values of the headers that the step wants, in its order.
    pub(super) headers: Vec<Option<String>>,
}

/// What a step looks at in its answers.
#[derive(Debug, Default)]
pub(super) struct Inspection {
    checks: Vec<Checked>,
    saves: Vec<Saved>,
    /// Whether the body's bytes are needed.
    pub(super) wants_body: bool,
    /// Lower-case names of headers that are needed.
    pub(super) wants_headers: Vec<String>,
}

#[derive(Debug)]
struct Checked {
    look: Look,
    test: Test,
}

#[derive(Debug)]
struct Saved {
    look: Look,
    slot: usize,
    for_user: bool,
}

/// A subject, resolved.
#[derive(Debug)]
enum Look {
    Status,
    Time,
    Size,
    Body,
    Header(usize),
    Json(Path),
}

/// What came of the checks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inspected {
    /// The first that did not hold.
    pub(super) failure: Option<Failure>,
    /// How many were evaluated and how many held.
    pub(super) checks: (u16, u16),
}

/// Where saved values go.
pub(super) struct Memory<'a> {
    pub(super) saved: &'a mut [Option<Json>],
    pub(super) kept: &'a mut [Option<Json>],
}

impl Inspection {
    /// Compiles the checks and saves of a step, named `journey/step` in errors.
    pub(super) fn new(step: &Step, name: &str, names: &mut Interner) -> Result<Self, LoadError> {
        let mut inspection = Self::default();
        for Check { subject, test, .. } in &step.pass {
            let look = inspection.look(subject, name)?;
            inspection.checks.push(Checked { look, test: test.clone() });
        }
        for Save {
            name: target,
            for_user,
            from,
        } in &step.save
        {
            let look = inspection.look(from, name)?;
            let target = target.strip_prefix("user.").unwrap_or(target);
            let slot = if *for_user {
                names.kept.slot(target)
            } else {
                names.saved.slot(target)
            };
            inspection.saves.push(Saved {
                look,
                slot,
                for_user: *for_user,
            });
        }
        Ok(inspection)
    }

    fn look(&mut self, subject: &Subject, step: &str) -> Result<Look, LoadError> {
        Ok(match subject {
            Subject::Status => Look::Status,
            Subject::Time => Look::Time,
            Subject::Size => Look::Size,
            Subject::Body => {
                self.wants_body = true;
                Look::Body
            }
            Subject::Header(name) => {
                let name = name.to_ascii_lowercase();
                let position = self.wants_headers.iter().position(|known| *known == name);
                Look::Header(position.unwrap_or_else(|| {
                    self.wants_headers.push(name);
                    self.wants_headers.len() - 1
                }))
            }
            Subject::Json(path) => {
                self.wants_body = true;
                Look::Json(Path::new(path).map_err(|reason| LoadError::JsonPath {
                    step: step.to_owned(),
                    path: path.clone(),
                    reason,
                })?)
            }
        })
    }

    /// Evaluates every check, and the saves when all hold.
    pub(super) fn inspect(&self, answer: &Answer, time: Duration, memory: &mut Memory<'_>) -> Inspected {
        let mut view = View {
            answer,
            time,
            parsed: None,
        };
        let mut inspected = Inspected {
            failure: None,
            checks: (0, 0),
        };
        for (position, check) in self.checks.iter().enumerate() {
            inspected.checks.0 += 1;
            if view.see(&check.look).is_some_and(|seen| seen.holds(&check.test)) {
                inspected.checks.1 += 1;
            } else if inspected.failure.is_none() {
                inspected.failure = Some(match check.look {
                    Look::Status => Failure::Status,
                    _ => Failure::Check(u16::try_from(position).unwrap_or(u16::MAX)),
                });
            }
        }
        if inspected.failure.is_none() && !self.saves.iter().all(|save| save.keep(&mut view, memory)) {
            inspected.failure = Some(Failure::Data);
        }
        inspected
    }
}

impl Saved {
    /// Whether there was a value.
    fn keep(&self, view: &mut View<'_>, memory: &mut Memory<'_>) -> bool {
        let value = match view.see(&self.look) {
            None | Some(Seen::Json(Json::Null)) => return false,
            Some(seen) => seen.into_json(),
        };
        let memory = if self.for_user { &mut memory.kept } else { &mut memory.saved };
        memory[self.slot] = Some(value);
        true
    }
}

/// An answer being looked at.
struct View<'a> {
    answer: &'a Answer,
    time: Duration,
    /// The body as JSON, once it was needed.
    parsed: Option<Parsed>,
}

/// A body, parsed.
enum Parsed {
    Json(Json),
    /// It is no JSON.
    Other,
}

/// A part of an answer.
enum Seen<'a> {
    Number(f64),
    Text(Cow<'a, str>),
    Json(&'a Json),
}

impl View<'_> {
    #[expect(clippy::cast_precision_loss, reason = "bodies are far smaller than 2^52")]
    fn see(&mut self, look: &Look) -> Option<Seen<'_>> {
        let answer = self.answer;
        match look {
            Look::Status => Some(Seen::Number(f64::from(answer.status))),
            Look::Time => Some(Seen::Number(self.time.as_secs_f64())),
            Look::Size => Some(Seen::Number(answer.size as f64)),
            Look::Body => Some(Seen::Text(String::from_utf8_lossy(&answer.body))),
            Look::Header(position) => answer
                .headers
                .get(*position)?
                .as_deref()
                .map(|text| Seen::Text(Cow::Borrowed(text))),
            Look::Json(path) => {
                let parse = || serde_json::from_slice(&answer.body).map_or(Parsed::Other, Parsed::Json);
                match self.parsed.get_or_insert_with(parse) {
                    Parsed::Json(document) => path.first(document).map(Seen::Json),
                    Parsed::Other => None,
                }
            }
        }
    }
}

impl Seen<'_> {
    fn holds(&self, test: &Test) -> bool {
        match test {
            Test::Exists => !matches!(self, Self::Json(Json::Null)),
            Test::Contains(part) => self.contains(part),
            Test::Compare(op, literal) => self.compare(*op, literal),
            Test::In(literals) => literals.iter().any(|literal| self.compare(Op::Equal, literal)),
        }
    }

    /// A text holds the text; a list holds it as an element.
    fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::Json(Json::Array(items)) => items.iter().any(|item| Seen::Json(item).as_text() == wanted),
            seen => seen.as_text().contains(wanted),
        }
    }

    /// Numbers compare as numbers, all else as text.
    fn compare(&self, op: Op, literal: &Literal) -> bool {
        match literal {
            Literal::Quantity(quantity) => match self.as_number() {
                Some(number) => op.holds(number, quantity.base()),
                None => op == Op::NotEqual,
            },
            Literal::Text(text) => {
                let order = self.as_text().as_ref().cmp(text.as_str());
                match op {
                    Op::Less => order.is_lt(),
                    Op::AtMost => order.is_le(),
                    Op::More => order.is_gt(),
                    Op::AtLeast => order.is_ge(),
                    Op::Equal => order.is_eq(),
                    Op::NotEqual => order.is_ne(),
                }
            }
        }
    }

    fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Json(Json::Number(number)) => number.as_f64(),
            Self::Json(Json::String(text)) => text.trim().parse().ok(),
            Self::Json(_) => None,
        }
    }

    fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(Json::String(text)) => Cow::Borrowed(text),
            Self::Json(value) => Cow::Owned(value.to_string()),
        }
    }

    fn into_json(self) -> Json {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "statuses and sizes are whole numbers")]
            Self::Number(number) if number.fract() == 0.0 => Json::from(number as i64),
            Self::Number(number) => Json::from(number),
            Self::Text(text) => Json::String(text.into_owned()),
            Self::Json(value) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scenario::{Body, Method, Template};
    use crate::units::Quantity;

    fn step(pass: Vec<(Subject, Test)>, save: Vec<(&str, bool, Subject)>) -> Step {
        Step {
            name: "s".to_owned(),
            method: Method::Get,
            path: Template::literal("/"),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            pass: pass
                .into_iter()
                .map(|(subject, test)| Check {
                    text: String::new(),
                    subject,
                    test,
                })
                .collect(),
            save: save
                .into_iter()
                .map(|(name, for_user, from)| Save {
                    name: name.to_owned(),
                    for_user,
                    from,
                })
                .collect(),
            timeout: None,
        }
    }

    fn answer(body: &str) -> Answer {
        Answer {
            status: 200,
            body: body.as_bytes().to_vec(),
            size: body.len() as u64,
            headers: vec![Some("text/plain".to_owned())],
        }
    }

    fn number(value: f64) -> Literal {
        Literal::Quantity(Quantity::Number(value))
    }

    fn json_path(path: &str) -> Subject {
        Subject::Json(path.to_owned())
    }

    fn inspect(step: &Step, answer: &Answer) -> (Inspected, Vec<Option<Json>>) {
        let inspection = Inspection::new(step, "j/s", &mut Interner::default()).unwrap();
        let mut saved = vec![None; 4];
        let mut memory = Memory {
            saved: &mut saved,
            kept: &mut [None, None],
        };
        let inspected = inspection.inspect(answer, Duration::from_millis(120), &mut memory);
        (inspected, saved)
    }

    #[test]
    fn checks_hold_or_not_as_the_table_says() {
        let body = r#"{"answer":"hello world","n":3,"s":"3","null":null,"ok":true,"list":[{"id":1},{"id":2}],"tags":["a","b"]}"#;
        let text = |text: &str| Literal::Text(text.to_owned());
        for (subject, test, holds) in [
            (Subject::Status, Test::Compare(Op::Equal, number(200.0)), true),
            (Subject::Status, Test::Compare(Op::AtLeast, number(400.0)), false),
            (Subject::Status, Test::In(vec![number(201.0), number(200.0)]), true),
            (
                Subject::Time,
                Test::Compare(Op::Less, Literal::Quantity(Quantity::Seconds(0.2))),
                true,
            ),
            (Subject::Size, Test::Compare(Op::Less, number(10.0)), false),
            (Subject::Body, Test::Contains("world".to_owned()), true),
            (
                Subject::Header("Content-Type".to_owned()),
                Test::Compare(Op::Equal, text("text/plain")),
                true,
            ),
            (json_path("$.answer"), Test::Exists, true),
            (json_path("$.answer"), Test::Contains("hello".to_owned()), true),
            (json_path("$.n"), Test::Compare(Op::AtLeast, number(3.0)), true),
            (json_path("$.s"), Test::Compare(Op::Equal, number(3.0)), true),
            (json_path("$.answer"), Test::Compare(Op::Equal, number(3.0)), false),
            (json_path("$.answer"), Test::Compare(Op::NotEqual, number(3.0)), true),
            (json_path("$.ok"), Test::Compare(Op::Equal, text("true")), true),
            (json_path("$.null"), Test::Exists, false),
            (json_path("$.absent"), Test::Compare(Op::NotEqual, number(1.0)), false),
            (json_path("$.list[1].id"), Test::Compare(Op::Equal, number(2.0)), true),
            (json_path("$.list[9].id"), Test::Exists, false),
            (json_path("$.list[?@.id > 1].id"), Test::Compare(Op::Equal, number(2.0)), true),
            (json_path("$..id"), Test::Compare(Op::Equal, number(1.0)), true),
            (json_path("$.tags"), Test::Contains("a".to_owned()), true),
        ] {
            let label = format!("{subject:?} {test:?}");
            let (inspected, _) = inspect(&step(vec![(subject, test)], Vec::new()), &answer(body));
            assert_eq!(inspected.failure.is_none(), holds, "{label}");
        }
    }

    #[test]
    fn the_first_failed_check_names_the_class_and_all_are_counted() {
        let checks = vec![
            (Subject::Status, Test::Compare(Op::Equal, number(200.0))),
            (json_path("$.answer"), Test::Exists),
            (Subject::Status, Test::Compare(Op::Equal, number(500.0))),
        ];
        let (inspected, _) = inspect(&step(checks, Vec::new()), &answer("no json"));
        assert_eq!(
            inspected,
            Inspected {
                failure: Some(Failure::Check(1)),
                checks: (3, 1)
            }
        );
    }

    #[test]
    fn values_are_saved_with_their_type_and_a_missing_one_fails() {
        let body = answer(r#"{"id":7,"name":"x"}"#);
        let save = vec![("id", false, json_path("$.id")), ("code", false, Subject::Status)];
        let (inspected, saved) = inspect(&step(Vec::new(), save), &body);
        assert_eq!(inspected.failure, None);
        assert_eq!(saved[..2], [Some(json!(7)), Some(json!(200))]);
        let (inspected, _) = inspect(&step(Vec::new(), vec![("id", false, json_path("$.gone"))]), &body);
        assert_eq!(inspected.failure, Some(Failure::Data));
    }

    #[test]
    fn a_path_that_does_not_parse_is_refused_with_its_step() {
        let step = step(vec![(json_path("$.["), Test::Exists)], Vec::new());
        let error = Inspection::new(&step, "j/s", &mut Interner::default()).unwrap_err();
        assert!(error.to_string().contains("`$.[` in step `j/s`"));
    }
}
