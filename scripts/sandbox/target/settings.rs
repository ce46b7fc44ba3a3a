//! The capacity settings in force, as the control plane tells them.
//!
//! Plain data. Knows nothing of how a setting limits anything, nor of how it got here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything the simulated services obey: effective values, never the wished ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) version: u64,
    /// How often the account was built anew; versions start over with each.
    pub(crate) generation: u64,
    pub(crate) account_concurrency: Option<u32>,
    pub(crate) functions: BTreeMap<String, FunctionSettings>,
    pub(crate) tables: BTreeMap<String, TableSettings>,
    /// Keyed by `CLUSTER/NAME`.
    pub(crate) services: BTreeMap<String, ServiceSettings>,
    pub(crate) load_balancers: BTreeMap<String, LoadBalancerSettings>,
    /// How many seconds of unused capacity the tables had kept when the account was built; all of it when not said.
    pub(crate) kept_seconds: Option<u64>,
}

/// Unset, zero and a number are three different reservations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FunctionSettings {
    pub(crate) reserved: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Billing {
    #[default]
    #[serde(rename = "PROVISIONED")]
    Provisioned,
    #[serde(rename = "PAY_PER_REQUEST")]
    PayPerRequest,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableSettings {
    #[serde(default)]
    pub(crate) billing: Billing,
    #[serde(default)]
    pub(crate) read: u64,
    #[serde(default)]
    pub(crate) write: u64,
    #[serde(default)]
    pub(crate) indexes: BTreeMap<String, IndexSettings>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexSettings {
    #[serde(default)]
    pub(crate) read: u64,
    #[serde(default)]
    pub(crate) write: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceSettings {
    #[serde(default)]
    pub(crate) desired: u32,
    #[serde(default)]
    pub(crate) running: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoadBalancerSettings {
    /// The tail of the balancer's ARN, which is its metric dimension.
    pub(crate) dimension: String,
    pub(crate) target_group: String,
}

impl Settings {
    /// What the account of hcg-demo starts with, until the control plane has spoken.
    pub(crate) fn hcg_demo() -> Self {
        let functions = [
            ("hcg-demo-webhook-handler", None),
            ("hcg-demo-supervisor-agent", Some(40)),
            ("hcg-demo-servicenow-action", None),
        ];
        let five = IndexSettings { read: 5, write: 5 };
        let table = |indexes| TableSettings {
            billing: Billing::Provisioned,
            read: 5,
            write: 5,
            indexes,
        };
        Self {
            account_concurrency: Some(1000),
            functions: functions
                .into_iter()
                .map(|(name, reserved)| (name.to_owned(), FunctionSettings { reserved }))
                .collect(),
            tables: BTreeMap::from([
                (
                    "hcg-demo-conversations".to_owned(),
                    table(BTreeMap::from([("by-user".to_owned(), five)])),
                ),
                ("hcg-demo-user-feedback".to_owned(), table(BTreeMap::new())),
            ]),
            ..Self::default()
        }
    }

    /// What the account of ecs-chatbot starts with, until the control plane has spoken.
    pub(crate) fn ecs_chatbot() -> Self {
        Self {
            services: BTreeMap::from([("chatbot-staging/chatbot-api".to_owned(), ServiceSettings { desired: 2, running: 2 })]),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_example_is_understood() {
        let text = r#"{"version":7,"account_concurrency":1000,
            "functions":{"a":{"reserved":null},"b":{"reserved":0},"c":{"reserved":10}},
            "tables":{"t":{"billing":"PAY_PER_REQUEST","read":5,"write":6,"indexes":{"i":{"read":1,"write":2}}}},
            "services":{"c/s":{"desired":3,"running":2}},
            "load_balancers":{"lb":{"dimension":"app/lb/1","target_group":"targetgroup/tg/2"}},
            "something_new":true}"#;
        let settings: Settings = serde_json::from_str(text).unwrap();
        assert_eq!(settings.version, 7);
        assert_eq!(settings.functions["a"].reserved, None);
        assert_eq!(settings.functions["b"].reserved, Some(0));
        assert_eq!(settings.functions["c"].reserved, Some(10));
        assert_eq!(settings.tables["t"].billing, Billing::PayPerRequest);
        assert_eq!(settings.tables["t"].indexes["i"].write, 2);
        assert_eq!(settings.services["c/s"].running, 2);
        assert_eq!(settings.load_balancers["lb"].dimension, "app/lb/1");
    }
}
