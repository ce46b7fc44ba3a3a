//! What tidegate changes in an account, as plain data.
//!
//! A `Setting` is the address of one AWS setting, a `State` its value (absence included), a `Change` both with
//! before and after. It knows nothing of the SDK, of profiles or of files.

pub mod change;
pub mod resource;
pub mod state;
pub mod wish;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use change::{Change, Plan, Refusal, Undo, Warning};
pub use resource::{Fact, Facts, Requirement, Resource, Wanted};
pub use state::{Capacity, State, Suspended, Tracking, Units};
pub use wish::{Dimension, Scaling, Wish};

/// The address of one AWS setting within an account and region. Its JSON is the journal's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Setting {
    /// Lambda reserved concurrency of a function, by its unqualified name.
    LambdaReserved {
        /// Function name.
        function: String,
    },
    /// Provisioned units of a table and of all its indexes: one `UpdateTable`, one unit of the decrease budget.
    TableCapacity {
        /// Table name.
        table: String,
    },
    /// Desired count of an ECS service.
    EcsDesired {
        /// Cluster name.
        cluster: String,
        /// Service name.
        service: String,
    },
    /// An Application Auto Scaling target: bounds and suspension.
    ScalableTarget {
        /// What is scaled.
        target: Scalable,
    },
    /// The target-tracking policy of a target, by its name.
    ScalingPolicy {
        /// What is scaled.
        target: Scalable,
        /// Policy name.
        name: String,
    },
}

/// What Application Auto Scaling scales. AWS identifies it by namespace, resource id and dimension.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "scales", rename_all = "kebab-case")]
pub enum Scalable {
    /// One dimension of a table.
    Table {
        /// Table name.
        table: String,
        /// Read or write.
        dimension: Dimension,
    },
    /// One dimension of a global secondary index.
    Index {
        /// Table name.
        table: String,
        /// Index name.
        index: String,
        /// Read or write.
        dimension: Dimension,
    },
    /// The desired count of an ECS service.
    Service {
        /// Cluster name.
        cluster: String,
        /// Service name.
        service: String,
    },
}

/// Settings in one lane are changed one after the other, lanes side by side.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// All reserved concurrency of a region: decreases go first, or the unreserved floor is broken in passing.
    Reserved,
    /// A table with its indexes and targets.
    Table(String),
    /// A service with its target.
    Service(String, String),
}

impl Setting {
    /// The lane in which the setting is changed.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::LambdaReserved { .. } => Lane::Reserved,
            Self::TableCapacity { table } => Lane::Table(table.clone()),
            Self::EcsDesired { cluster, service } => Lane::Service(cluster.clone(), service.clone()),
            Self::ScalableTarget { target } | Self::ScalingPolicy { target, .. } => target.lane(),
        }
    }

    /// The resource that people name, as `KIND/NAME`.
    #[must_use]
    pub fn resource(&self) -> Resource {
        match self {
            Self::LambdaReserved { function } => Resource::Lambda { name: function.clone() },
            Self::TableCapacity { table } => Resource::Dynamodb { name: table.clone() },
            Self::EcsDesired { cluster, service } => Resource::Ecs {
                cluster: cluster.clone(),
                name: service.clone(),
            },
            Self::ScalableTarget { target } | Self::ScalingPolicy { target, .. } => target.resource(),
        }
    }

    /// What of the resource is set, in words: `reserved`, `write scaling`, `units`.
    #[must_use]
    pub fn aspect(&self) -> String {
        match self {
            Self::LambdaReserved { .. } => "reserved".to_owned(),
            Self::TableCapacity { .. } => "units".to_owned(),
            Self::EcsDesired { .. } => "desired count".to_owned(),
            Self::ScalableTarget { target } => format!("{}scaling range", target.prefix()),
            Self::ScalingPolicy { target, name } => format!("{}scaling policy {name}", target.prefix()),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.resource(), self.aspect())
    }
}

impl Scalable {
    /// The lane in which the target is changed.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::Table { table, .. } | Self::Index { table, .. } => Lane::Table(table.clone()),
            Self::Service { cluster, service } => Lane::Service(cluster.clone(), service.clone()),
        }
    }

    /// The resource that people name.
    #[must_use]
    pub fn resource(&self) -> Resource {
        match self {
            Self::Table { table, .. } | Self::Index { table, .. } => Resource::Dynamodb { name: table.clone() },
            Self::Service { cluster, service } => Resource::Ecs {
                cluster: cluster.clone(),
                name: service.clone(),
            },
        }
    }

    fn prefix(&self) -> String {
        match self {
            Self::Table { dimension, .. } => format!("{dimension} "),
            Self::Index { index, dimension, .. } => format!("{index} {dimension} "),
            Self::Service { .. } => String::new(),
        }
    }
}
