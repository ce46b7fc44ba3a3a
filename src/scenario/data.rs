//! Rows that templates draw from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A named list of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feeder {
    /// The name that templates use: `{{data.NAME}}` or `{{data.NAME.COLUMN}}`.
    pub name: String,
    /// How rows are drawn.
    pub pick: Pick,
    /// Never empty.
    pub rows: Vec<Row>,
}

/// One row: column to value. A plain list of values has the single column `""`.
pub type Row = BTreeMap<String, serde_json::Value>;

/// How rows are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// Any, from the run's seed.
    #[default]
    Random,
    /// One after the other, over and over, striped over threads.
    InOrder,
    /// Each at most once; a journey that finds none left is not started.
    Once,
}
