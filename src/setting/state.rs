//! The value of a setting. Absence is a value: it is restored by deleting.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units;

/// The value of one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum State {
    /// Not there: no reservation, no scalable target, no policy. Never the same as zero.
    Absent,
    /// A reservation; 0 stops the function.
    Reserved {
        /// Concurrent executions.
        limit: u32,
    },
    /// Units of a table and its indexes.
    Capacity(Capacity),
    /// The table is on-demand: it has no units to set. Only ever observed.
    OnDemand,
    /// Desired tasks of a service.
    Count {
        /// Tasks.
        desired: u32,
    },
    /// A scalable target.
    Scalable {
        /// Least capacity.
        min: u32,
        /// Greatest capacity.
        max: u32,
        /// What is suspended.
        suspended: Suspended,
    },
    /// A target-tracking policy.
    Tracking(Tracking),
}

/// Provisioned units of a table and of every index, which one call sets together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// The table's own.
    pub table: Units,
    /// By index name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub indexes: BTreeMap<String, Units>,
}

/// Read and write capacity units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the field names are the unit")]
pub struct Units {
    pub read: u32,
    pub write: u32,
}

/// The three suspensions of a scalable target; true suspends. AWS: always send all three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "these are AWS's three independent switches")]
pub struct Suspended {
    pub scale_in: bool,
    pub scale_out: bool,
    pub scheduled: bool,
}

impl Suspended {
    /// Everything suspended.
    pub const ALL: Self = Self {
        scale_in: true,
        scale_out: true,
        scheduled: true,
    };
}

/// Every field of a target-tracking policy, so that it can be sent again unchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracking {
    /// AWS's name of the predefined metric, such as `DynamoDBWriteCapacityUtilization`.
    pub metric: String,
    /// For `ALBRequestCountPerTarget`.
    pub resource_label: Option<String>,
    /// Percent for utilisations.
    pub target: f64,
    /// Seconds.
    pub scale_in_cooldown: Option<i32>,
    /// Seconds.
    pub scale_out_cooldown: Option<i32>,
    /// AWS's default when absent is false.
    pub disable_scale_in: Option<bool>,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Reserved { limit } => write!(f, "{limit}"),
            Self::Capacity(capacity) => write!(f, "{capacity}"),
            Self::OnDemand => f.write_str("on-demand"),
            Self::Count { desired } => write!(f, "{desired}"),
            Self::Scalable { min, max, suspended } => write!(f, "{min}–{max}{suspended}"),
            Self::Tracking(tracking) => write!(f, "@{}%", units::number(tracking.target)),
        }
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table)?;
        for (index, units) in &self.indexes {
            write!(f, ", {index} {units}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}r/{}w", self.read, self.write)
    }
}

impl fmt::Display for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = [(self.scale_in, "in"), (self.scale_out, "out"), (self.scheduled, "scheduled")]
            .into_iter()
            .filter_map(|(on, name)| on.then_some(name))
            .collect();
        if names.is_empty() {
            Ok(())
        } else {
            write!(f, " (suspended: {})", names.join(", "))
        }
    }
}
