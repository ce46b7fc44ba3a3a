//! DynamoDB: what a table is now. How its units are set is in `capacity`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{BillingMode, IndexStatus, ProvisionedThroughputDescription, TableDescription, TableStatus};

use crate::change::{CloudError, Observed};
use crate::setting::{Capacity, Fact, Facts, State, Units};
use crate::units::Timestamp;

use super::convert::{count, timestamp};
use super::error::Call;

/// How many tables are listed at most.
pub(super) const LISTED: usize = 500;

/// A table as AWS describes it, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    id: String,
    arn: String,
    status: String,
    pub(super) on_demand: bool,
    pub(super) capacity: Capacity,
    pub(super) busy: Option<String>,
    pub(super) budgets: Vec<Budget>,
}

/// What one table or index has used of its day's decreases.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Budget {
    /// `None` is the table's own.
    pub(super) index: Option<String>,
    pub(super) used: u32,
    pub(super) last: Option<Timestamp>,
}

pub(super) fn call(action: &'static str, table: &str) -> Call {
    Call::new(action, format!("dynamodb/{table}"))
}

/// Looks at a table.
pub(super) async fn describe(client: Client, table: String) -> Result<Table, CloudError> {
    let call = call("dynamodb:DescribeTable", &table);
    let answer = client.describe_table().table_name(&table).send().await;
    let answer = answer.map_err(|error| call.error(&error))?;
    answer.table().map(table_of).ok_or_else(|| call.missing())
}

pub(super) fn table_of(described: &TableDescription) -> Table {
    let own = described.provisioned_throughput();
    let mut table = Table {
        id: described.table_id().unwrap_or_default().to_owned(),
        arn: described.table_arn().unwrap_or_default().to_owned(),
        status: described
            .table_status()
            .map_or_else(String::new, |status| status.as_str().to_owned()),
        // AWS leaves the summary out for a table that has never been on demand.
        on_demand: described.billing_mode_summary().and_then(|summary| summary.billing_mode()) == Some(&BillingMode::PayPerRequest),
        capacity: Capacity {
            table: units(own),
            indexes: std::collections::BTreeMap::new(),
        },
        busy: None,
        budgets: vec![budget(None, own)],
    };
    if described.table_status() != Some(&TableStatus::Active) {
        table.busy = Some(format!("table is {}", table.status));
    }
    for index in described.global_secondary_indexes() {
        let name = index.index_name().unwrap_or_default().to_owned();
        table.capacity.indexes.insert(name.clone(), units(index.provisioned_throughput()));
        if table.busy.is_none() && index.index_status() != Some(&IndexStatus::Active) {
            let status = index.index_status().map_or("without a status", IndexStatus::as_str);
            table.busy = Some(format!("index {name} is {status}"));
        }
        table.budgets.push(budget(Some(name), index.provisioned_throughput()));
    }
    table
}

fn units(throughput: Option<&ProvisionedThroughputDescription>) -> Units {
    Units {
        read: count(
            throughput
                .and_then(ProvisionedThroughputDescription::read_capacity_units)
                .unwrap_or(0),
        ),
        write: count(
            throughput
                .and_then(ProvisionedThroughputDescription::write_capacity_units)
                .unwrap_or(0),
        ),
    }
}

fn budget(index: Option<String>, throughput: Option<&ProvisionedThroughputDescription>) -> Budget {
    Budget {
        index,
        used: count(
            throughput
                .and_then(ProvisionedThroughputDescription::number_of_decreases_today)
                .unwrap_or(0),
        ),
        last: throughput
            .and_then(ProvisionedThroughputDescription::last_decrease_date_time)
            .and_then(timestamp),
    }
}

impl Table {
    /// The table's units as a setting. On demand there are none to set.
    pub(super) fn observed(&self) -> Observed {
        Observed {
            state: if self.on_demand {
                State::OnDemand
            } else {
                State::Capacity(self.capacity.clone())
            },
            identity: self.id.clone(),
            busy: self.busy.clone(),
            decreases_today: self.budgets.iter().map(|budget| budget.used).max(),
        }
    }

    /// What AWS says of the table.
    pub(super) fn facts(&self) -> Facts {
        let text = |text: &str| Fact::Text(text.to_owned());
        let indexes: Vec<&str> = self.capacity.indexes.keys().map(String::as_str).collect();
        Facts::from([
            ("arn".to_owned(), text(&self.arn)),
            ("id".to_owned(), text(&self.id)),
            ("status".to_owned(), text(&self.status.to_ascii_lowercase())),
            ("billing".to_owned(), text(if self.on_demand { "on-demand" } else { "provisioned" })),
            ("indexes".to_owned(), text(&indexes.join(","))),
        ])
    }
}

/// The names of the region's tables, and whether there are more.
pub(super) async fn list(client: Client) -> Result<(Vec<String>, bool), CloudError> {
    let call = Call::new("dynamodb:ListTables", "the tables");
    let mut names = Vec::new();
    let mut pages = client.list_tables().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| call.error(&error))?;
        names.extend(page.table_names().iter().cloned());
        if names.len() > LISTED {
            names.truncate(LISTED);
            return Ok((names, true));
        }
    }
    Ok((names, false))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{BillingModeSummary, GlobalSecondaryIndexDescription};
    use aws_smithy_types::DateTime;

    use super::*;

    fn provisioned(read: i64, write: i64, decreases: i64) -> ProvisionedThroughputDescription {
        ProvisionedThroughputDescription::builder()
            .read_capacity_units(read)
            .write_capacity_units(write)
            .number_of_decreases_today(decreases)
            .last_decrease_date_time(DateTime::from_secs(1_790_000_000))
            .build()
    }

    fn index(name: &str, status: IndexStatus, decreases: i64) -> GlobalSecondaryIndexDescription {
        GlobalSecondaryIndexDescription::builder()
            .index_name(name)
            .index_status(status)
            .provisioned_throughput(provisioned(5, 6, decreases))
            .build()
    }

    fn described(index: GlobalSecondaryIndexDescription) -> aws_sdk_dynamodb::types::builders::TableDescriptionBuilder {
        TableDescription::builder()
            .table_id("1234")
            .table_arn("arn:aws:dynamodb:eu-west-1:1:table/t")
            .table_status(TableStatus::Active)
            .provisioned_throughput(provisioned(5, 7, 1))
            .global_secondary_indexes(index)
    }

    fn want(table: (u32, u32), by_user: (u32, u32)) -> Capacity {
        let units = |(read, write)| Units { read, write };
        Capacity {
            table: units(table),
            indexes: [("by-user".to_owned(), units(by_user))].into(),
        }
    }

    #[test]
    fn a_table_is_seen_with_its_indexes_and_the_larger_count_of_decreases() {
        let seen = table_of(&described(index("by-user", IndexStatus::Active, 3)).build()).observed();
        assert_eq!(
            seen,
            Observed {
                state: State::Capacity(want((5, 7), (5, 6))),
                identity: "1234".to_owned(),
                busy: None,
                decreases_today: Some(3),
            }
        );
    }

    #[test]
    fn a_table_is_busy_while_it_or_an_index_is_not_active() {
        let updating = described(index("by-user", IndexStatus::Active, 0)).table_status(TableStatus::Updating);
        assert_eq!(table_of(&updating.build()).busy, Some("table is UPDATING".to_owned()));
        let index_updating = described(index("by-user", IndexStatus::Updating, 0));
        assert_eq!(table_of(&index_updating.build()).busy, Some("index by-user is UPDATING".to_owned()));
    }

    #[test]
    fn an_on_demand_table_has_no_units_and_a_silent_summary_means_provisioned() {
        let summary = BillingModeSummary::builder().billing_mode(BillingMode::PayPerRequest).build();
        let table = table_of(
            &described(index("by-user", IndexStatus::Active, 0))
                .billing_mode_summary(summary)
                .build(),
        );
        assert_eq!(table.observed().state, State::OnDemand);
        assert_eq!(table.facts()["billing"], Fact::Text("on-demand".to_owned()));
        let silent = table_of(&described(index("by-user", IndexStatus::Active, 0)).build());
        assert_eq!(silent.facts()["billing"], Fact::Text("provisioned".to_owned()));
        assert_eq!(silent.facts()["indexes"], Fact::Text("by-user".to_owned()));
        assert_eq!(silent.facts()["status"], Fact::Text("active".to_owned()));
    }
}
