//! What a profile wants changed, before anybody has looked at the account.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One `set` of a profile. Planning expands it into changes by what the account holds now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "kebab-case")]
pub enum Wish {
    /// `reserved-concurrency`; `None` is `"unset"`.
    LambdaReserved {
        /// Function name.
        function: String,
        /// Concurrent executions.
        limit: Option<u32>,
    },
    /// `read`, `write` and `indexes` of a table.
    TableScaling {
        /// Table name.
        table: String,
        /// The table's own.
        own: BTreeMap<Dimension, Scaling>,
        /// By index name; an index that is not named gets what the table gets.
        indexes: BTreeMap<String, BTreeMap<Dimension, Scaling>>,
    },
    /// `desired` and `autoscale` of a service.
    Service {
        /// Cluster name.
        cluster: String,
        /// Service name.
        service: String,
        /// Tasks.
        desired: Option<u32>,
        /// Least and greatest number of tasks.
        range: Option<(u32, u32)>,
    },
}

/// Read or write capacity of a table or index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Dimension {
    Read,
    Write,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// `{ autoscale = "5..100", utilization = "70%", start = 50 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// Least units.
    pub min: u32,
    /// Greatest units.
    pub max: u32,
    /// Target utilisation in percent, 20 to 90.
    pub utilization: f64,
    /// Units from the first second; `None` leaves what is there.
    pub start: Option<u32>,
}
