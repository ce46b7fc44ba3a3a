//! DynamoDB: provisioned units of a table with its indexes, facts of a table.
//!
//! A table's units and those of its indexes change in one `UpdateTable`, which costs one unit of each one's daily
//! budget of decreases. AWS refuses such a call whole when a single budget is spent, and refuses units that are as they
//! are; so a look comes first, only what differs is sent, and a refused call is sent again in parts.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    BillingMode, GlobalSecondaryIndexUpdate, IndexStatus, ProvisionedThroughput, ProvisionedThroughputDescription, TableDescription,
    TableStatus, UpdateGlobalSecondaryIndexAction,
};

use tokio::time::{Instant, timeout_at};

use crate::change::{CloudError, Observed};
use crate::setting::{Capacity, Fact, Facts, State, Units};
use crate::units::Timestamp;

use super::connect::{BEGIN, Pair};
use super::convert::{count, timestamp};
use super::decreases;
use super::error::Call;

/// How many tables are listed at most.
pub(super) const LISTED: usize = 500;

/// A table as AWS describes it, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    id: String,
    arn: String,
    status: String,
    on_demand: bool,
    capacity: Capacity,
    busy: Option<String>,
    budgets: Vec<Budget>,
}

/// What one table or index has used of its day's decreases.
#[derive(Clone, Debug, PartialEq)]
struct Budget {
    index: Option<String>,
    used: u32,
    last: Option<Timestamp>,
}

/// What one `UpdateTable` may change by itself: the table's own units, or one index's.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    index: Option<String>,
    units: Units,
}

fn call(action: &'static str, table: &str) -> Call {
    Call::new(action, format!("dynamodb/{table}"))
}

/// Looks at a table.
pub(super) async fn describe(client: Client, table: String) -> Result<Table, CloudError> {
    let call = call("dynamodb:DescribeTable", &table);
    let answer = client.describe_table().table_name(&table).send().await;
    let answer = answer.map_err(|error| call.error(&error))?;
    answer.table().map(table_of).ok_or_else(|| call.missing())
}

fn table_of(described: &TableDescription) -> Table {
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
        busy: (described.table_status() != Some(&TableStatus::Active)).then(|| "table".to_owned()),
        budgets: vec![budget(None, own)],
    };
    table.busy = table.busy.map(|_| format!("table is {}", table.status));
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

    /// What differs from what is wanted: the indexes first, since a change of the table's own units bars all others
    /// until it is over.
    fn differences(&self, want: &Capacity, call: &Call) -> Result<Vec<Part>, CloudError> {
        let mut parts = Vec::new();
        for (name, units) in &want.indexes {
            let now = self.capacity.indexes.get(name).ok_or_else(|| call.missing())?;
            if now != units {
                parts.push(Part {
                    index: Some(name.clone()),
                    units: *units,
                });
            }
        }
        if self.capacity.table != want.table {
            parts.push(Part {
                index: None,
                units: want.table,
            });
        }
        Ok(parts)
    }

    /// When the last of the budgets that the parts draw on allows a decrease again.
    fn allowed_from(&self, parts: &[Part], now: Timestamp) -> Timestamp {
        parts
            .iter()
            .filter_map(|part| self.budgets.iter().find(|budget| budget.index == part.index))
            .map(|budget| decreases::by_rule(budget.last, now))
            .max()
            .unwrap_or_else(|| decreases::by_rule(None, now))
    }
}

/// Sets the units of a table and of its indexes: one call, or none when nothing differs. Only after AWS has refused
/// that call for a spent budget is each part sent by itself.
pub(super) async fn set_capacity(clients: &Pair<Client>, table: &str, want: &Capacity) -> Result<(), CloudError> {
    let until = Instant::now() + BEGIN;
    let look = describe(clients.reading.clone(), table.to_owned());
    let Ok(now) = timeout_at(until, look).await else {
        return Err(too_late(table));
    };
    let now = now?;
    if now.on_demand {
        return Err(CloudError::Rejected {
            code: "OnDemand".to_owned(),
            message: format!("dynamodb/{table} is on demand: it has no units to set"),
        });
    }
    let parts = now.differences(want, &call("dynamodb:UpdateTable", table))?;
    if parts.is_empty() {
        return Ok(());
    }
    if let Some(busy) = &now.busy {
        return Err(CloudError::Throttled {
            code: "ResourceInUseException".to_owned(),
            message: format!("dynamodb/{table}: {busy}"),
        });
    }
    match update(&clients.writing, table, &now, &parts).await {
        Ok(()) => Ok(()),
        Err(error) if parts.len() > 1 && one_part_may_be_at_fault(&error) => in_parts(&clients.writing, table, &now, &parts, until).await,
        Err(error) if unchanged(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether AWS refused the whole for what may be wrong with one part only.
fn one_part_may_be_at_fault(error: &CloudError) -> bool {
    unchanged(error) || matches!(error, CloudError::NotBefore { .. })
}

/// Sends each part by itself. An answer that was lost, or a no that holds for all, ends it; what is left for later is
/// told by the latest time, and what was barred by an accepted part as "busy": the next look finds less to do.
async fn in_parts(client: &Client, table: &str, now: &Table, parts: &[Part], until: Instant) -> Result<(), CloudError> {
    let mut left: Option<CloudError> = None;
    for part in parts {
        if Instant::now() > until {
            return Err(too_late(table));
        }
        match update(client, table, now, std::slice::from_ref(part)).await {
            Ok(()) => {}
            Err(error) if unchanged(&error) => {}
            Err(error @ (CloudError::Throttled { .. } | CloudError::NotBefore { .. })) => left = Some(worse(left, error)),
            Err(error) => return Err(error),
        }
    }
    left.map_or(Ok(()), Err)
}

/// What is not begun in time is not begun at all, or it might land after everybody has stopped reckoning with it.
fn too_late(table: &str) -> CloudError {
    CloudError::Throttled {
        code: "SlowAnswers".to_owned(),
        message: format!("dynamodb/{table}: AWS answered too slowly to go on"),
    }
}

/// Of two reasons why parts are left, the one to act on: busy before deferred, the later before the sooner.
fn worse(one: Option<CloudError>, other: CloudError) -> CloudError {
    match (one, other) {
        (Some(busy @ CloudError::Throttled { .. }), _) => busy,
        (Some(CloudError::NotBefore { until: first, message }), CloudError::NotBefore { until, .. }) if first > until => {
            CloudError::NotBefore { until: first, message }
        }
        (_, other) => other,
    }
}

/// AWS refuses units that are already so.
fn unchanged(error: &CloudError) -> bool {
    matches!(error, CloudError::Rejected { code, message } if code == "ValidationException" && message.contains("will not change"))
}

async fn update(client: &Client, table: &str, now: &Table, parts: &[Part]) -> Result<(), CloudError> {
    let call = call("dynamodb:UpdateTable", table);
    let mut update = client.update_table().table_name(table);
    for part in parts {
        let throughput = throughput(part.units)?;
        update = match &part.index {
            None => update.provisioned_throughput(throughput),
            Some(index) => update.global_secondary_index_updates(index_update(index, throughput)?),
        };
    }
    match update.send().await.map_err(|error| call.error(&error)) {
        Ok(_) => Ok(()),
        Err(CloudError::NotBefore { message, .. }) => Err(CloudError::NotBefore {
            until: decreases::named(&message).unwrap_or_else(|| now.allowed_from(parts, Timestamp::now())),
            message,
        }),
        Err(error) => Err(error),
    }
}

/// AWS takes read and write together only.
fn throughput(units: Units) -> Result<ProvisionedThroughput, CloudError> {
    ProvisionedThroughput::builder()
        .read_capacity_units(i64::from(units.read))
        .write_capacity_units(i64::from(units.write))
        .build()
        .map_err(|error| not_built(&error))
}

fn index_update(index: &str, throughput: ProvisionedThroughput) -> Result<GlobalSecondaryIndexUpdate, CloudError> {
    let action = UpdateGlobalSecondaryIndexAction::builder()
        .index_name(index)
        .provisioned_throughput(throughput)
        .build()
        .map_err(|error| not_built(&error))?;
    Ok(GlobalSecondaryIndexUpdate::builder().update(action).build())
}

fn not_built(error: &impl ToString) -> CloudError {
    CloudError::Rejected {
        code: "NotSent".to_owned(),
        message: format!("dynamodb:UpdateTable could not be built: {}", error.to_string()),
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

    #[test]
    fn only_what_differs_is_sent_and_the_table_comes_last() {
        let table = table_of(&described(index("by-user", IndexStatus::Active, 0)).build());
        let call = call("dynamodb:UpdateTable", "t");
        assert_eq!(table.differences(&want((5, 7), (5, 6)), &call), Ok(vec![]));
        let both = table.differences(&want((9, 7), (5, 9)), &call).unwrap();
        assert_eq!(both[0].index, Some("by-user".to_owned()));
        assert_eq!(
            both[1],
            Part {
                index: None,
                units: Units { read: 9, write: 7 }
            }
        );
        let mut gone = want((5, 7), (5, 6));
        gone.indexes.insert("gone".to_owned(), Units { read: 1, write: 1 });
        assert!(matches!(table.differences(&gone, &call), Err(CloudError::Missing { .. })));
    }

    #[test]
    fn the_reason_to_act_on_is_busy_before_deferred_and_the_later_time() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let deferred = |second| CloudError::NotBefore {
            until: at(second),
            message: String::new(),
        };
        let busy = CloudError::Throttled {
            code: String::new(),
            message: String::new(),
        };
        assert_eq!(worse(None, deferred(1)), deferred(1));
        assert_eq!(worse(Some(deferred(5)), deferred(1)), deferred(5));
        assert_eq!(worse(Some(deferred(1)), deferred(5)), deferred(5));
        assert_eq!(worse(Some(deferred(1)), busy.clone()), busy);
        assert_eq!(worse(Some(busy.clone()), deferred(1)), busy);
    }

    #[test]
    fn units_that_are_already_so_are_no_error() {
        assert!(unchanged(&CloudError::Rejected {
            code: "ValidationException".to_owned(),
            message: "The provisioned throughput for the table will not change. The requested value equals the current value.".to_owned(),
        }));
        assert!(!unchanged(&CloudError::Rejected {
            code: "ValidationException".to_owned(),
            message: "1 validation error".to_owned(),
        }));
    }
}
