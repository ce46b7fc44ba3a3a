//! A scenario made ready to run: everything that a request needs and that is known beforehand.
//!
//! Built once, read by every thread, never changed.

use std::time::Duration;

use bytes::Bytes;

use super::check::Inspection;
use super::dice::Dice;
use super::document::Document;
use super::error::LoadError;
use super::recording::JourneyNames;
use super::render::{Interner, Text};
use super::shape::{Stretch, lay_out};
use crate::scenario::{Body, Feeder, Journey, JsonTemplate, Method, Scenario, Step, Target, Template, Think};

/// A scenario, ready to run.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) phases: Vec<String>,
    pub(super) stretches: Vec<Stretch>,
    pub(super) journeys: Vec<JourneyScript>,
    /// Of all journeys, one after the other.
    pub(super) steps: Vec<StepScript>,
    pub(super) feeders: Vec<Feeder>,
    pub(super) url: String,
    pub(super) run_id: String,
    /// How many values a journey and a user can keep.
    pub(super) saved: usize,
    pub(super) kept: usize,
}

/// A journey, ready to run.
#[derive(Debug)]
pub(super) struct JourneyScript {
    pub(super) name: String,
    pub(super) tags: Vec<String>,
    /// The sum of the weights up to this one.
    weight_up_to: f64,
    pub(super) think: Think,
    /// Where its steps are in [`Script::steps`].
    pub(super) first: usize,
    pub(super) last: usize,
    /// Feeders of which it takes a row.
    pub(super) feeders: Vec<usize>,
}

/// A step, ready to run.
#[derive(Debug)]
pub(super) struct StepScript {
    pub(super) journey: u16,
    pub(super) step: u16,
    pub(super) name: String,
    pub(super) method: Method,
    pub(super) address: Address,
    /// The target's and the step's own, names in lower case.
    pub(super) headers: Vec<(String, Header)>,
    pub(super) body: Payload,
    pub(super) timeout: Duration,
    pub(super) inspection: Inspection,
    /// The checks as written, by index.
    pub(super) check_texts: Vec<String>,
}

/// Path and query.
#[derive(Debug)]
pub(super) enum Address {
    Fixed(String),
    Rendered { path: Text, query: Vec<(String, Text)> },
}

/// A header's value.
#[derive(Debug)]
pub(super) enum Header {
    Fixed(String),
    Rendered(Text),
}

/// What a step sends.
#[derive(Debug)]
pub(super) enum Payload {
    None,
    Fixed(Bytes),
    Json(Document),
    Text(Text),
}

impl Script {
    /// Compiles a scenario; every name is resolved, every `JSONPath` parsed.
    pub(super) fn new(scenario: Scenario, run_id: &str) -> Result<Self, LoadError> {
        if let Some(reason) = nothing_to_do(&scenario) {
            return Err(LoadError::Empty {
                scenario: scenario.name,
                reason,
            });
        }
        let mut names = Interner::default();
        let mut script = Self {
            phases: scenario.phases.iter().map(|phase| phase.name.clone()).collect(),
            stretches: lay_out(&scenario.phases),
            journeys: Vec::new(),
            steps: Vec::new(),
            feeders: scenario.data,
            url: scenario.target.url.clone(),
            run_id: run_id.to_owned(),
            saved: 0,
            kept: 0,
        };
        for journey in &scenario.journeys {
            script.add(journey, &scenario.target, &mut names)?;
        }
        script.saved = names.saved.len();
        script.kept = names.kept.len();
        Ok(script)
    }

    fn add(&mut self, journey: &Journey, target: &Target, names: &mut Interner) -> Result<(), LoadError> {
        let before = self.journeys.last().map_or(0.0, |journey| journey.weight_up_to);
        let first = self.steps.len();
        names.feeders.clear();
        for step in &journey.steps {
            let label = format!("{}/{}", journey.name, step.name);
            let script = StepScript {
                journey: index16(self.journeys.len()),
                step: index16(self.steps.len() - first),
                name: label.clone(),
                method: step.method,
                address: address(step, names),
                headers: headers(step, target, names),
                body: payload(&step.body, names),
                timeout: step.timeout.unwrap_or(target.timeout),
                inspection: Inspection::new(step, &label, names)?,
                check_texts: step.pass.iter().map(|check| check.text.clone()).collect(),
            };
            self.steps.push(script);
        }
        self.journeys.push(JourneyScript {
            name: journey.name.clone(),
            tags: journey.tags.clone(),
            weight_up_to: before + journey.weight.max(0.0),
            think: journey.think,
            first,
            last: self.steps.len(),
            feeders: names.feeders.clone(),
        });
        Ok(())
    }

    /// Chooses a journey by weight.
    pub(super) fn choose(&self, dice: &mut Dice) -> usize {
        if self.journeys.len() == 1 {
            return 0;
        }
        let total = self.journeys.last().map_or(0.0, |journey| journey.weight_up_to);
        let drawn = dice.unit() * total;
        self.journeys
            .partition_point(|journey| journey.weight_up_to <= drawn)
            .min(self.journeys.len() - 1)
    }

    /// The longest that any request may take.
    pub(super) fn longest_timeout(&self) -> Duration {
        self.steps.iter().map(|step| step.timeout).max().unwrap_or_default()
    }

    /// Names for the recording.
    pub(super) fn journey_names(&self) -> Vec<JourneyNames> {
        self.journeys
            .iter()
            .map(|journey| JourneyNames {
                name: journey.name.clone(),
                tags: journey.tags.clone(),
                steps: self.steps[journey.first..journey.last]
                    .iter()
                    .map(|step| step.name[journey.name.len() + 1..].to_owned())
                    .collect(),
            })
            .collect()
    }
}

fn nothing_to_do(scenario: &Scenario) -> Option<&'static str> {
    if scenario.phases.is_empty() {
        Some("it has no phases")
    } else if scenario.journeys.is_empty() {
        Some("it has no journeys")
    } else if scenario.journeys.iter().any(|journey| journey.steps.is_empty()) {
        Some("one of its journeys has no steps")
    } else if !scenario.journeys.iter().any(|journey| journey.weight > 0.0) {
        Some("none of its journeys has a weight")
    } else {
        None
    }
}

/// Profiles are far smaller than 2^16 journeys or steps.
fn index16(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

fn address(step: &Step, names: &mut Interner) -> Address {
    let path = Text::new(&step.path, names);
    let query: Vec<_> = step
        .query
        .iter()
        .map(|(name, value)| (name.clone(), Text::new(value, names)))
        .collect();
    match path.fixed() {
        Some(path) if query.is_empty() => Address::Fixed(path),
        _ => Address::Rendered { path, query },
    }
}

/// The target's headers, those of the body, and the step's own, the later overriding the earlier.
fn headers(step: &Step, target: &Target, names: &mut Interner) -> Vec<(String, Header)> {
    let agent = Template::literal(concat!("tidegate/", env!("CARGO_PKG_VERSION")));
    let json = Template::literal("application/json");
    let mut all: Vec<(String, &Template)> = vec![("user-agent".to_owned(), &agent)];
    if matches!(step.body, Body::Json(_)) {
        all.push(("content-type".to_owned(), &json));
    }
    let mut merged: Vec<(String, &Template)> = Vec::new();
    all.extend(
        target
            .headers
            .iter()
            .chain(&step.headers)
            .map(|(name, value)| (name.to_ascii_lowercase(), value)),
    );
    for (name, value) in all {
        match merged.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => merged.push((name, value)),
        }
    }
    merged
        .into_iter()
        .map(|(name, value)| {
            let text = Text::new(value, names);
            let header = text.fixed().map_or_else(|| Header::Rendered(text), Header::Fixed);
            (name, header)
        })
        .collect()
}

fn payload(body: &Body, names: &mut Interner) -> Payload {
    match body {
        Body::None => Payload::None,
        Body::Text(template) => {
            let text = Text::new(template, names);
            text.fixed().map_or_else(|| Payload::Text(text), |text| Payload::Fixed(text.into()))
        }
        Body::Json(template) => json(template, names),
    }
}

fn json(template: &JsonTemplate, names: &mut Interner) -> Payload {
    let document = Document::new(template, names);
    match document.fixed() {
        Some(text) => Payload::Fixed(Bytes::copy_from_slice(text.as_bytes())),
        None => Payload::Json(document),
    }
}
