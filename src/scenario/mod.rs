//! What a load test does, as plain data: phases, journeys, checks, data and criteria.
//!
//! The profile produces it, the engine runs it, the analysis judges by it. It knows nothing of files, AWS or HTTP.

pub mod check;
pub mod cloud_metrics;
pub mod criterion;
pub mod data;
pub mod journey;
pub mod phase;
pub mod template;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use check::{Check, Literal, Subject, Test};
pub use criterion::{Aggregation, Condition, Criterion, Limit, Measure, Metric, Op, Recovery, Scope};
pub use data::{Feeder, Pick, Row};
pub use journey::{Body, Journey, Method, Save, Step, Think};
pub use phase::{Phase, Shape};
pub use template::{JsonTemplate, Part, Template, Value};

/// One named load, ready to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// The name that `--scenario` takes.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// In sequence; users carry over from one to the next.
    pub phases: Vec<Phase>,
    /// Chosen by weight.
    pub journeys: Vec<Journey>,
    /// What templates draw from.
    pub data: Vec<Feeder>,
    /// Where the load goes.
    pub target: Target,
    /// How long to watch on after the load.
    pub observe: Duration,
}

impl Scenario {
    /// How long the phases last in all.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.phases.iter().map(|phase| phase.duration).sum()
    }

    /// The same load in a shorter time: phases and ramps are divided, rates, think times and timeouts are not.
    #[must_use]
    pub fn rehearsal(mut self, time_scale: f64) -> Self {
        for phase in &mut self.phases {
            phase.duration = phase.duration.div_f64(time_scale);
            if let Shape::Users {
                spawn_rate: Some(rate), ..
            } = &mut phase.shape
            {
                rate.0 *= time_scale;
            }
        }
        self.observe = self.observe.div_f64(time_scale);
        self
    }
}

/// Where the load goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Scheme, host, port and base path, without a trailing slash. Steps' paths are appended.
    pub url: String,
    /// Per request, from the send (waiting for a connection included) to the last byte.
    pub timeout: Duration,
    /// Sent with every request; steps' own headers override.
    pub headers: Vec<(String, Template)>,
}
