//! Setting the units of a table and of its indexes.
//!
//! They change in one `UpdateTable`, which costs one unit of each one's daily budget of decreases. AWS refuses such a
//! call whole when a single budget is spent, and refuses units that are as they are; so a look comes first, only what
//! differs is sent, and after a refusal what the spent budgets do not bar is sent again without the rest.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{GlobalSecondaryIndexUpdate, ProvisionedThroughput, UpdateGlobalSecondaryIndexAction};
use tokio::time::{Instant, timeout_at};

use crate::change::CloudError;
use crate::setting::{Capacity, Units};
use crate::units::Timestamp;

use super::connect::{BEGIN, Pair};
use super::decreases;
use super::dynamodb::{Table, call, describe};

/// What one `UpdateTable` may change by itself: the table's own units, or one index's.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    index: Option<String>,
    from: Units,
    to: Units,
}

impl Part {
    fn is_decrease(&self) -> bool {
        self.to.read < self.from.read || self.to.write < self.from.write
    }
}

/// A table that is being set: where the calls go, and until when one may begin.
struct Update<'a> {
    client: &'a Client,
    table: &'a str,
    now: &'a Table,
    until: Instant,
}

/// Sets the units of a table and of its indexes: one call, or none when nothing differs. Only after AWS has refused
/// that call are parts of it sent by themselves.
pub(super) async fn set(clients: &Pair<Client>, table: &str, want: &Capacity) -> Result<(), CloudError> {
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
    let parts = differences(&now, table, want)?;
    if parts.is_empty() {
        return Ok(());
    }
    if let Some(busy) = &now.busy {
        return Err(CloudError::Throttled {
            code: "ResourceInUseException".to_owned(),
            message: format!("dynamodb/{table}: {busy}"),
        });
    }
    let update = Update {
        client: &clients.writing,
        table,
        now: &now,
        until,
    };
    update.together(&parts).await
}

/// What differs from what is wanted: the indexes first, since a change of the table's own units bars all others until
/// it is over.
fn differences(now: &Table, table: &str, want: &Capacity) -> Result<Vec<Part>, CloudError> {
    let mut parts = Vec::new();
    for (name, units) in &want.indexes {
        let index = now.capacity.indexes.get(name);
        let from = *index.ok_or_else(|| CloudError::Missing {
            what: format!("index {name} of dynamodb/{table}"),
        })?;
        parts.push(Part {
            index: Some(name.clone()),
            from,
            to: *units,
        });
    }
    parts.push(Part {
        index: None,
        from: now.capacity.table,
        to: want.table,
    });
    parts.retain(|part| part.from != part.to);
    Ok(parts)
}

/// Of the parts, those that a spent budget bars, by what the last look told of the budgets.
fn barred(now: &Table, parts: &[Part], at: Timestamp) -> Vec<Part> {
    let spent = |part: &Part| {
        let budget = now.budgets.iter().find(|budget| budget.index == part.index);
        budget.is_some_and(|budget| decreases::spent(budget.used, budget.last, at))
    };
    parts.iter().filter(|part| part.is_decrease() && spent(part)).cloned().collect()
}

/// When the last of the budgets that the parts draw on allows a decrease again.
fn allowed_from(now: &Table, parts: &[Part], at: Timestamp) -> Timestamp {
    parts
        .iter()
        .filter_map(|part| now.budgets.iter().find(|budget| budget.index == part.index))
        .map(|budget| decreases::by_rule(budget.last, at))
        .max()
        .unwrap_or_else(|| decreases::by_rule(None, at))
}

impl Update<'_> {
    async fn together(&self, parts: &[Part]) -> Result<(), CloudError> {
        let refused = match self.send(parts).await {
            Err(error) if unchanged(&error) && parts.len() == 1 => return Ok(()),
            Err(error) if unchanged(&error) => return self.one_by_one(parts).await,
            Err(error @ CloudError::NotBefore { .. }) if parts.len() > 1 => error,
            other => return other,
        };
        let barred = barred(self.now, parts, Timestamp::now());
        let rest: Vec<Part> = parts.iter().filter(|part| !barred.contains(part)).cloned().collect();
        if rest.is_empty() {
            return Err(refused);
        }
        if barred.is_empty() {
            return self.one_by_one(parts).await;
        }
        match self.send(&rest).await {
            Ok(()) => Err(after_accepted(self.table, &rest, &barred, refused)),
            Err(error) if unchanged(&error) => Err(refused),
            Err(error) => Err(error),
        }
    }

    /// When the look does not tell which part AWS minds. An answer that was lost, or a no that holds for all, ends it.
    /// What an accepted part bars for now is "busy": the next look finds less to do.
    async fn one_by_one(&self, parts: &[Part]) -> Result<(), CloudError> {
        let mut left: Option<CloudError> = None;
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for part in parts {
            match self.send(std::slice::from_ref(part)).await {
                Ok(()) => accepted.push(part.clone()),
                Err(error) if unchanged(&error) => {}
                Err(error) => {
                    refused.push(part.clone());
                    let ends = !matches!(error, CloudError::Throttled { .. } | CloudError::NotBefore { .. });
                    left = Some(if ends { error } else { worse(left, error) });
                    if ends {
                        break;
                    }
                }
            }
        }
        left.map_or(Ok(()), |error| Err(after_accepted(self.table, &accepted, &refused, error)))
    }

    async fn send(&self, parts: &[Part]) -> Result<(), CloudError> {
        if Instant::now() > self.until {
            return Err(too_late(self.table));
        }
        let call = call("dynamodb:UpdateTable", self.table);
        let mut update = self.client.update_table().table_name(self.table);
        for part in parts {
            let throughput = throughput(part.to)?;
            update = match &part.index {
                None => update.provisioned_throughput(throughput),
                Some(index) => update.global_secondary_index_updates(index_update(index, throughput)?),
            };
        }
        match update.send().await.map_err(|error| call.error(&error)) {
            Ok(_) => Ok(()),
            Err(CloudError::NotBefore { message, .. }) => Err(CloudError::NotBefore {
                until: decreases::named(&message).unwrap_or_else(|| allowed_from(self.now, parts, Timestamp::now())),
                message,
            }),
            Err(error) => Err(error),
        }
    }
}

/// What is not begun in time is not begun at all, or it might land after everybody has stopped reckoning with it.
fn too_late(table: &str) -> CloudError {
    CloudError::Throttled {
        code: "SlowAnswers".to_owned(),
        message: format!("dynamodb/{table}: AWS answered too slowly to go on"),
    }
}

/// Of two reasons why parts are left, the one to act on: busy before deferred, the later time before the sooner.
fn worse(one: Option<CloudError>, other: CloudError) -> CloudError {
    match (one, other) {
        (Some(busy @ CloudError::Throttled { .. }), _) => busy,
        (Some(CloudError::NotBefore { until: first, message }), CloudError::NotBefore { until, .. }) if first > until => {
            CloudError::NotBefore { until: first, message }
        }
        (_, other) => other,
    }
}

/// What to say of an error once AWS has accepted parts: every other kind of it would promise that nothing happened.
/// A refusal until some time stays one, since that time must be told.
fn after_accepted(table: &str, accepted: &[Part], refused: &[Part], error: CloudError) -> CloudError {
    if accepted.is_empty() {
        return error;
    }
    let said = format!("dynamodb/{table}: accepted {}, not {}", named(accepted), named(refused));
    match error {
        CloudError::NotBefore { until, message } => CloudError::NotBefore {
            until,
            message: format!("{said}: {message}"),
        },
        error => CloudError::Unknown {
            message: format!("{said}: {error}"),
        },
    }
}

fn named(parts: &[Part]) -> String {
    let name = |part: &Part| {
        part.index
            .as_ref()
            .map_or_else(|| "the table's own units".to_owned(), |index| format!("index {index}"))
    };
    parts.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// AWS refuses units that are already so.
fn unchanged(error: &CloudError) -> bool {
    matches!(error, CloudError::Rejected { code, message } if code == "ValidationException" && message.contains("will not change"))
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

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{
        GlobalSecondaryIndexDescription, IndexStatus, ProvisionedThroughputDescription, TableDescription, TableStatus,
    };
    use aws_smithy_types::DateTime;

    use super::super::dynamodb::table_of;
    use super::*;

    const LAST: i64 = 1_790_000_000;

    fn provisioned(units: (i64, i64), decreases: i64) -> ProvisionedThroughputDescription {
        ProvisionedThroughputDescription::builder()
            .read_capacity_units(units.0)
            .write_capacity_units(units.1)
            .number_of_decreases_today(decreases)
            .last_decrease_date_time(DateTime::from_secs(LAST))
            .build()
    }

    fn table(own_decreases: i64, index_decreases: i64) -> Table {
        table_of(
            &TableDescription::builder()
                .table_status(TableStatus::Active)
                .provisioned_throughput(provisioned((5, 7), own_decreases))
                .global_secondary_indexes(
                    GlobalSecondaryIndexDescription::builder()
                        .index_name("by-user")
                        .index_status(IndexStatus::Active)
                        .provisioned_throughput(provisioned((5, 6), index_decreases))
                        .build(),
                )
                .build(),
        )
    }

    fn want(table: (u32, u32), by_user: (u32, u32)) -> Capacity {
        let units = |(read, write)| Units { read, write };
        Capacity {
            table: units(table),
            indexes: [("by-user".to_owned(), units(by_user))].into(),
        }
    }

    #[test]
    fn only_what_differs_is_sent_and_the_table_comes_last() {
        let table = table(0, 0);
        assert_eq!(differences(&table, "t", &want((5, 7), (5, 6))), Ok(vec![]));
        let both = differences(&table, "t", &want((9, 7), (5, 9))).unwrap();
        let names: Vec<_> = both.iter().map(|part| part.index.as_deref()).collect();
        assert_eq!(names, [Some("by-user"), None]);
        assert_eq!(both[1].to, Units { read: 9, write: 7 });
        let mut gone = want((5, 7), (5, 6));
        gone.indexes.insert("gone".to_owned(), Units { read: 1, write: 1 });
        assert!(matches!(differences(&table, "t", &gone), Err(CloudError::Missing { .. })));
    }

    #[test]
    fn a_spent_budget_bars_a_decrease_of_its_own_part_only() {
        let soon = Timestamp::from_second(LAST + 600).unwrap();
        let table = table(1, 4);
        let down = differences(&table, "t", &want((1, 1), (1, 1))).unwrap();
        let names = |parts: Vec<Part>| parts.into_iter().map(|part| part.index).collect::<Vec<_>>();
        assert_eq!(names(barred(&table, &down, soon)), [Some("by-user".to_owned())]);
        let up = differences(&table, "t", &want((1, 1), (50, 60))).unwrap();
        assert!(barred(&table, &up, soon).is_empty());
        let later = Timestamp::from_second(LAST + 3_601).unwrap();
        assert!(barred(&table, &down, later).is_empty());
        assert_eq!(allowed_from(&table, &down, soon), Timestamp::from_second(LAST + 3_600).unwrap());
    }

    #[test]
    fn the_reason_to_act_on_is_busy_before_deferred_and_the_later_time() {
        let deferred = |second| CloudError::NotBefore {
            until: Timestamp::from_second(second).unwrap(),
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
    fn after_an_accepted_part_no_error_says_that_nothing_happened() {
        let part = |index: Option<&str>| Part {
            index: index.map(str::to_owned),
            from: Units { read: 1, write: 1 },
            to: Units { read: 2, write: 2 },
        };
        let (index, own) = ([part(Some("by-user"))], [part(None)]);
        let busy = CloudError::Throttled {
            code: "ResourceInUseException".to_owned(),
            message: "it is being updated".to_owned(),
        };
        assert_eq!(after_accepted("t", &[], &own, busy.clone()), busy);
        let CloudError::Unknown { message } = after_accepted("t", &index, &own, busy) else {
            panic!("it must be in doubt");
        };
        assert_eq!(
            message,
            "dynamodb/t: accepted index by-user, not the table's own units: AWS is busy: it is being updated (ResourceInUseException)"
        );
        let rejected = CloudError::Rejected {
            code: "LimitExceededException".to_owned(),
            message: "too many units".to_owned(),
        };
        assert!(matches!(after_accepted("t", &index, &own, rejected), CloudError::Unknown { .. }));
        let until = Timestamp::from_second(LAST).unwrap();
        let deferred = CloudError::NotBefore {
            until,
            message: "the budget is spent".to_owned(),
        };
        assert_eq!(
            after_accepted("t", &own, &index, deferred),
            CloudError::NotBefore {
                until,
                message: "dynamodb/t: accepted the table's own units, not index by-user: the budget is spent".to_owned(),
            },
            "the time is told"
        );
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
