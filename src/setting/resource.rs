//! The resources that a profile names, and what is demanded of them before the load starts.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::{Op, Quantity};

/// One resource of the account. Displayed as `KIND/NAME`, the way profiles and flags point at it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Resource {
    /// A Lambda function.
    Lambda {
        /// Function name.
        name: String,
    },
    /// A DynamoDB table with its indexes.
    Dynamodb {
        /// Table name.
        name: String,
    },
    /// An ECS service.
    Ecs {
        /// Cluster name.
        cluster: String,
        /// Service name.
        name: String,
    },
    /// An Application Load Balancer with its target groups.
    Alb {
        /// Load balancer name.
        name: String,
    },
    /// An API Gateway REST API.
    RestApi {
        /// API name; two APIs of one name share their metrics.
        name: String,
        /// Stage name.
        stage: String,
    },
}

impl Resource {
    /// `lambda`, `dynamodb`, `ecs`, `alb`, `rest-api`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Lambda { .. } => "lambda",
            Self::Dynamodb { .. } => "dynamodb",
            Self::Ecs { .. } => "ecs",
            Self::Alb { .. } => "alb",
            Self::RestApi { .. } => "rest-api",
        }
    }

    /// The name within its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Lambda { name } | Self::Dynamodb { name } | Self::Ecs { name, .. } | Self::Alb { name } | Self::RestApi { name, .. } => {
                name
            }
        }
    }

    /// Whether a selector such as `lambda/orders` or `dynamodb/hcg-*` points at it.
    #[must_use]
    pub fn matches(&self, selector: &str) -> bool {
        selector
            .split_once('/')
            .is_some_and(|(kind, pattern)| kind == self.kind() && wildcard(pattern, self.name()))
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.name())
    }
}

/// Whether a name fits a pattern in which `*` stands for any run of characters.
#[must_use]
pub fn wildcard(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|at| rest.is_char_boundary(*at))
                .any(|at| wildcard(tail, &rest[at..]))
        }),
    }
}

/// Something that must be so before the load starts; nothing is changed to make it so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Of which resource.
    pub resource: Resource,
    /// The profile's key: `timeout`, `memory`, `steady`, `status`, `account-rate-limit` …
    pub key: String,
    /// As written, for people.
    pub text: String,
    /// What it must be.
    pub wanted: Wanted,
}

/// What a required fact must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// Compared as a quantity.
    Quantity(Op, Quantity),
    /// Equal as text.
    Text(String),
    /// Equal as a truth value.
    Flag(bool),
}

/// What AWS says of a resource, by the profile's `require` keys and by what the preflight asks.
pub type Facts = BTreeMap<String, Fact>;

/// One thing that AWS says of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact {
    /// A truth value.
    Flag(bool),
    /// A number with its unit.
    Quantity(Quantity),
    /// A text.
    Text(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_within_a_name() {
        assert!(wildcard("hcg-*", "hcg-demo"));
        assert!(wildcard("*", ""));
        assert!(wildcard("a*c*e", "abcde"));
        assert!(!wildcard("a*c", "abcd"));
        assert!(Resource::Lambda { name: "orders".into() }.matches("lambda/*"));
        assert!(!Resource::Lambda { name: "orders".into() }.matches("dynamodb/*"));
    }
}
