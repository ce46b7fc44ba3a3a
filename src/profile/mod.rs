//! The profile: one TOML file that says what a test needs, does and must prove.
//!
//! A document becomes a tree with places ([`document`]), is read by typed readers that note every mistake ([`fields`]
//! and the files named after the tables) and becomes a [`Profile`], in which every name is resolved. Knows nothing of
//! AWS, HTTP or the command line, and prints nothing.

mod check;
mod condition;
mod criterion;
mod data;
mod diagnose;
mod document;
mod fields;
mod journey;
pub mod library;
mod metric;
mod names;
mod overrides;
mod phases;
mod read;
mod recovery;
mod require;
mod resource;
mod suggest;
mod target;
mod template;
mod unbuilt;
mod value;
mod wish;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub use diagnose::{Diagnostics, Mistake};
pub use overrides::{Override, OverrideError};
pub use read::{parse, with_overrides};

use crate::scenario::{self, Criterion, Feeder, Journey, Scenario, Template};
use crate::setting::{Requirement, Resource, Wish};
use diagnose::{At, Source};
use phases::Outline;

/// A profile without mistakes.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The name that artefacts are filed under.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The only account and region that may be touched; without it no AWS call is made.
    pub aws: Option<Aws>,
    /// Where the load goes; always there when there is a scenario.
    pub target: Option<Target>,
    /// Everything listed; all of it is watched.
    pub resources: Vec<Resource>,
    /// What must be so before the load starts.
    pub requirements: Vec<Requirement>,
    /// What is to be changed.
    pub wishes: Vec<Wish>,
    /// Every criterion of every scenario.
    pub criteria: Vec<Criterion>,
    /// Limits that only the profile's owner can know.
    pub asks: Vec<Ask>,
    scenarios: Vec<Outline>,
    journeys: Vec<Journey>,
    data: Vec<Feeder>,
    source: Source,
    places: BTreeMap<String, At>,
}

/// The account that a profile is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aws {
    /// Region code.
    pub region: String,
    /// Twelve digits; any other account is refused.
    pub account: String,
}

/// Where the load goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The address, or whose address it is.
    pub place: Place,
    /// Per request.
    pub timeout: Duration,
    /// Sent with every request.
    pub headers: Vec<(String, Template)>,
}

/// An address, or whose address it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Looked up: a `rest-api` or an `alb`.
    Resource(Resource),
    /// Given, without a trailing slash.
    Url(String),
}

/// A limit that only the profile's owner can know: written as `?`, and UNKNOWN until it is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Name of the criterion.
    pub criterion: String,
    /// `pass`, `warn`, `fail` or `invalid`.
    pub key: String,
    /// As written, such as `avg < ?`.
    pub text: String,
    /// In the profile, counted from 1.
    pub line: usize,
}

/// What a journey leaves behind that nobody can undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannotUndo {
    /// Name of the journey.
    pub journey: String,
    /// In the words of the profile.
    pub text: String,
}

/// A scenario for lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScenarioInfo<'a> {
    /// What `--scenario` takes.
    pub name: &'a str,
    /// One line for people; may be empty.
    pub description: &'a str,
    /// How long its phases last in all.
    pub duration: Duration,
}

/// Bytes of the profile's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// Why a profile has no such scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum ProfileError {
    /// The name is not known.
    #[error("profile `{profile}` has no scenario `{name}`")]
    UnknownScenario {
        /// Name of the profile.
        profile: String,
        /// The name that was asked for.
        name: String,
        /// The names there are.
        #[help]
        help: String,
    },
    /// The profile has none at all.
    #[error("profile `{profile}` has no scenario")]
    #[diagnostic(help("add a `[[scenario]]` with a `[[scenario.phase]]`"))]
    NoScenario {
        /// Name of the profile.
        profile: String,
    },
}

impl Profile {
    /// The scenarios, in the order of the profile; the first is the default.
    pub fn scenarios(&self) -> impl Iterator<Item = ScenarioInfo<'_>> {
        self.scenarios.iter().map(|scenario| ScenarioInfo {
            name: &scenario.name,
            description: &scenario.description,
            duration: scenario.phases.iter().map(|phase| phase.duration).sum(),
        })
    }

    /// A scenario with its load going to this address; without a name the first.
    pub fn scenario(&self, name: Option<&str>, url: &str) -> Result<Scenario, ProfileError> {
        let outline = match name {
            None => self.scenarios.first().ok_or_else(|| ProfileError::NoScenario {
                profile: self.name.clone(),
            })?,
            Some(name) => self.scenarios.iter().find(|scenario| scenario.name == name).ok_or_else(|| {
                let known = self.scenarios.iter().map(|scenario| scenario.name.as_str());
                ProfileError::UnknownScenario {
                    profile: self.name.clone(),
                    name: name.to_owned(),
                    help: suggest::help_with_all(name, known, "scenarios"),
                }
            })?,
        };
        let (timeout, headers) = match &self.target {
            Some(target) => (target.timeout, target.headers.clone()),
            None => (target::TIMEOUT, Vec::new()),
        };
        Ok(Scenario {
            name: outline.name.clone(),
            description: outline.description.clone(),
            phases: outline.phases.clone(),
            journeys: self.journeys.clone(),
            data: self.data.clone(),
            target: scenario::Target {
                url: url.trim_end_matches('/').to_owned(),
                timeout,
                headers,
            },
            observe: outline.observe,
        })
    }

    /// The criteria that a scenario is judged by: those that name it or none, and whose phases it has.
    #[must_use]
    pub fn criteria_for(&self, scenario: &str) -> Vec<Criterion> {
        let phases: Vec<&str> = self
            .scenarios
            .iter()
            .filter(|outline| outline.name == scenario)
            .flat_map(|outline| outline.phases.iter().map(|phase| phase.name.as_str()))
            .collect();
        let has = |phase: &String| phases.contains(&phase.as_str());
        self.criteria
            .iter()
            .filter(|criterion| criterion.scenario.as_ref().is_none_or(|name| name == scenario))
            .filter(|criterion| criterion.scope.phases.is_empty() || criterion.scope.phases.iter().any(has))
            .filter(|criterion| match &criterion.measure {
                scenario::Measure::Recovery(recovery) => has(&recovery.after_phase),
                scenario::Measure::Metric(_) => true,
            })
            .cloned()
            .collect()
    }

    /// What the journeys leave behind that nobody can undo.
    #[must_use]
    pub fn cannot_undo(&self) -> Vec<CannotUndo> {
        self.journeys
            .iter()
            .filter_map(|journey| {
                Some(CannotUndo {
                    journey: journey.name.clone(),
                    text: journey.cannot_undo.clone()?,
                })
            })
            .collect()
    }

    /// The listed resources that a selector such as `lambda/*` points at.
    pub fn select<'a>(&'a self, selector: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |resource| resource.matches(selector))
    }

    /// The file's name.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.source.name
    }

    /// The file's text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source.text
    }

    /// Where a resource is listed.
    #[must_use]
    pub fn locate(&self, resource: &Resource) -> Option<Span> {
        self.places.get(&resource.to_string()).map(|at| Span {
            start: at.start,
            end: at.end,
        })
    }

    /// A mistake that only came out later, such as a function that the account does not have, shown in the profile.
    ///
    /// `about` is a [`Resource`], or a text such as `lambda/orders.require.timeout`, `lambda/orders.set`, `aws.region`,
    /// `aws.account`, `target`, `scenario/load`, `criterion/error rate`. What is not known points at the first line.
    #[must_use]
    pub fn diagnostic(&self, about: impl fmt::Display, message: impl Into<String>, help: impl Into<String>) -> Diagnostics {
        let about = about.to_string();
        let longest = self
            .places
            .iter()
            .filter(|(place, _)| {
                about
                    .strip_prefix(place.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .max_by_key(|(place, _)| place.len());
        let first_line = At {
            source: 0,
            start: 0,
            end: self.source.text.lines().next().map_or(0, str::len),
        };
        let at = longest.map_or(first_line, |(_, at)| *at);
        Diagnostics::single(&self.source, at, message.into(), help.into())
    }
}

#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod robust;
#[cfg(test)]
mod shipped;
