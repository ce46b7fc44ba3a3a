//! A stretch of the load with one shape.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Criterion;
use crate::units::Rate;

/// One phase of a scenario. A sample belongs to the phase of its due time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Unique within the scenario.
    pub name: String,
    /// How long it lasts.
    pub duration: Duration,
    /// How the load is shaped.
    pub shape: Shape,
    /// Missed = WARN, judged over this phase alone.
    pub expect: Vec<Criterion>,
}

/// How journeys are started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Closed: each user starts its next journey when the last one ended (think times included).
    Users {
        /// At the start of the phase.
        from: u32,
        /// At the end; equal to `from` when constant.
        to: u32,
        /// How fast missing users arrive; `None` is at once. Only for a constant number.
        spawn_rate: Option<Rate>,
    },
    /// Open: journeys start on time, whatever the target does.
    Arrivals {
        /// At the start of the phase.
        from: Rate,
        /// At the end; equal to `from` when constant.
        to: Rate,
    },
}
