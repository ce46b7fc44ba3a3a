//! `DynamoDB`'s capacity: tables and indexes, each with a read and a write bucket of 300 seconds.
//!
//! Knows units and `DynamoDB`'s metrics, not items. A write to a table writes to each of its indexes, so an index
//! without units throttles the table's writes.

use std::time::Duration;

use super::book::{Book, SeriesId, Unit};
use super::bucket::{Bucket, Tokens};
use super::settings::{Billing, IndexSettings, Settings, TableSettings};
use super::time::Time;

const NAMESPACE: &str = "AWS/DynamoDB";
/// How many seconds of unused capacity are kept.
const BURST_SECONDS: u64 = 300;
/// How often the provisioned units are published.
const PROVISIONED_EVERY: u64 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableId(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// An eventually consistent read of up to 4 KB.
    GetItem,
    /// A write of up to 1 KB.
    PutItem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Throttled,
    NoSuchTable,
}

/// One of the two capacities of a table or an index.
#[derive(Debug)]
struct Lane {
    bucket: Bucket,
    consumed: SeriesId,
    throttle_events: SeriesId,
    provisioned_throttle_events: SeriesId,
    provisioned: SeriesId,
}

#[derive(Debug)]
struct Lanes {
    /// The index's name; empty for the table itself.
    index: String,
    present: bool,
    read: Lane,
    write: Lane,
}

#[derive(Clone, Copy, Debug)]
struct OperationMeters {
    throttled: SeriesId,
    latency: SeriesId,
}

#[derive(Debug)]
struct Table {
    name: String,
    billing: Billing,
    /// The table first, then its indexes.
    lanes: Vec<Lanes>,
    get: OperationMeters,
    put: OperationMeters,
}

#[derive(Debug, Default)]
pub(crate) struct DynamoDb {
    tables: Vec<Table>,
}

impl DynamoDb {
    /// A table that does not exist until settings name it.
    pub(crate) fn table(&mut self, now: Time, book: &mut Book, name: &str) -> TableId {
        self.tables.push(Table {
            name: name.to_owned(),
            billing: Billing::Provisioned,
            lanes: vec![Lanes::new(now, book, name, "")],
            get: OperationMeters::new(book, name, "GetItem"),
            put: OperationMeters::new(book, name, "PutItem"),
        });
        TableId(self.tables.len() - 1)
    }

    /// `fresh`: the account was built anew, so every bucket starts with what the tables had kept.
    pub(crate) fn apply(&mut self, now: Time, settings: &Settings, fresh: bool, book: &mut Book) {
        let kept = fresh.then(|| settings.kept_seconds.unwrap_or(BURST_SECONDS));
        for table in &mut self.tables {
            table.apply(now, settings.tables.get(&table.name), kept, book);
        }
    }

    pub(crate) fn take(&mut self, now: Time, id: TableId, operation: Operation, book: &mut Book) -> Result<(), Refusal> {
        self.tables.get_mut(id.0).ok_or(Refusal::NoSuchTable)?.take(now, operation, book)
    }

    pub(crate) fn answered(&self, at: Time, id: TableId, operation: Operation, took: Duration, book: &mut Book) {
        if let Some(table) = self.tables.get(id.0) {
            book.record(at, table.meters(operation).latency, took.as_secs_f64() * 1000.0);
        }
    }

    /// `second` is the whole second that has come.
    pub(crate) fn tick(&self, at: Time, second: u64, book: &mut Book) {
        if second.is_multiple_of(PROVISIONED_EVERY) {
            self.tables.iter().for_each(|table| table.publish_provisioned(at, book));
        }
    }
}

impl Table {
    fn apply(&mut self, now: Time, settings: Option<&TableSettings>, kept: Option<u64>, book: &mut Book) {
        self.lanes.iter_mut().for_each(|lanes| lanes.present = false);
        let Some(settings) = settings else { return };
        self.billing = settings.billing;
        self.set_lanes(
            now,
            "",
            IndexSettings {
                read: settings.read,
                write: settings.write,
            },
            kept,
            book,
        );
        for (index, units) in &settings.indexes {
            self.set_lanes(now, index, *units, kept, book);
        }
    }

    fn set_lanes(&mut self, now: Time, index: &str, units: IndexSettings, kept: Option<u64>, book: &mut Book) {
        let at = self.lanes.iter().position(|lanes| lanes.index == index).unwrap_or_else(|| {
            self.lanes.push(Lanes::new(now, book, &self.name, index));
            self.lanes.len() - 1
        });
        let Some(lanes) = self.lanes.get_mut(at) else { return };
        lanes.present = true;
        lanes.read.set(now, units.read, kept);
        lanes.write.set(now, units.write, kept);
    }

    fn take(&mut self, now: Time, operation: Operation, book: &mut Book) -> Result<(), Refusal> {
        if !self.lanes.first().is_some_and(|table| table.present) {
            return Err(Refusal::NoSuchTable);
        }
        let meters = self.meters(operation);
        let on_demand = self.billing == Billing::PayPerRequest;
        let (cost, reach) = match operation {
            Operation::GetItem => (Tokens::HALF, 1),
            Operation::PutItem => (Tokens::ONE, self.lanes.len()),
        };
        let mut lanes: Vec<&mut Lane> = self
            .lanes
            .iter_mut()
            .take(reach)
            .filter(|lanes| lanes.present)
            .map(|lanes| {
                if operation == Operation::GetItem {
                    &mut lanes.read
                } else {
                    &mut lanes.write
                }
            })
            .collect();
        if !on_demand {
            let mut dry = false;
            for lane in &mut lanes {
                if !lane.bucket.has(now, cost) {
                    book.count(now, lane.throttle_events);
                    book.count(now, lane.provisioned_throttle_events);
                    dry = true;
                }
            }
            if dry {
                book.count(now, meters.throttled);
                return Err(Refusal::Throttled);
            }
        }
        for lane in lanes {
            if !on_demand {
                lane.bucket.take(now, cost);
            }
            book.record(now, lane.consumed, cost.as_units());
        }
        Ok(())
    }

    const fn meters(&self, operation: Operation) -> OperationMeters {
        match operation {
            Operation::GetItem => self.get,
            Operation::PutItem => self.put,
        }
    }

    fn publish_provisioned(&self, at: Time, book: &mut Book) {
        if self.billing == Billing::PayPerRequest {
            return;
        }
        for lanes in self.lanes.iter().filter(|lanes| lanes.present) {
            for lane in [&lanes.read, &lanes.write] {
                book.record(
                    at,
                    lane.provisioned,
                    f64::from(u32::try_from(lane.bucket.rate()).unwrap_or(u32::MAX)),
                );
            }
        }
    }
}

impl Lanes {
    fn new(now: Time, book: &mut Book, table: &str, index: &str) -> Self {
        let both = [("TableName", table), ("GlobalSecondaryIndexName", index)];
        let dimensions = if index.is_empty() { both.get(..1).unwrap_or(&both) } else { &both };
        let mut lane = |consumed, events, provisioned_events, provisioned| Lane {
            bucket: Bucket::full(now, 0, 0),
            consumed: book.series(NAMESPACE, consumed, Unit::Count, dimensions),
            throttle_events: book.series(NAMESPACE, events, Unit::Count, dimensions),
            provisioned_throttle_events: book.series(NAMESPACE, provisioned_events, Unit::Count, dimensions),
            provisioned: book.series(NAMESPACE, provisioned, Unit::Count, dimensions),
        };
        Self {
            index: index.to_owned(),
            present: false,
            read: lane(
                "ConsumedReadCapacityUnits",
                "ReadThrottleEvents",
                "ReadProvisionedThroughputThrottleEvents",
                "ProvisionedReadCapacityUnits",
            ),
            write: lane(
                "ConsumedWriteCapacityUnits",
                "WriteThrottleEvents",
                "WriteProvisionedThroughputThrottleEvents",
                "ProvisionedWriteCapacityUnits",
            ),
        }
    }
}

impl Lane {
    fn set(&mut self, now: Time, units: u64, kept: Option<u64>) {
        let depth = units.saturating_mul(BURST_SECONDS);
        match kept {
            Some(seconds) => self.bucket = Bucket::holding(now, units, depth, units.saturating_mul(seconds)),
            None => self.bucket.resize(now, units, depth),
        }
    }
}

impl OperationMeters {
    fn new(book: &mut Book, table: &str, operation: &str) -> Self {
        let dimensions = [("TableName", table), ("Operation", operation)];
        Self {
            throttled: book.series(NAMESPACE, "ThrottledRequests", Unit::Count, &dimensions),
            latency: book.series(NAMESPACE, "SuccessfulRequestLatency", Unit::Milliseconds, &dimensions),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn settings(billing: Billing, write: u64, index_write: Option<u64>) -> Settings {
        let indexes = index_write.map(|write| ("by-user".to_owned(), IndexSettings { read: 5, write }));
        let table = TableSettings {
            billing,
            read: 5,
            write,
            indexes: indexes.into_iter().collect(),
        };
        Settings {
            tables: BTreeMap::from([("t".to_owned(), table)]),
            ..Settings::default()
        }
    }

    fn started(settings: &Settings) -> (DynamoDb, TableId, Book) {
        let (mut book, mut dynamo) = (Book::default(), DynamoDb::default());
        let table = dynamo.table(Time::default(), &mut book, "t");
        dynamo.apply(Time::default(), settings, true, &mut book);
        (dynamo, table, book)
    }

    fn writes(dynamo: &mut DynamoDb, table: TableId, book: &mut Book, second: u64, tries: usize) -> usize {
        let now = Time::since_epoch(Duration::from_secs(second));
        (0..tries)
            .filter(|_| dynamo.take(now, table, Operation::PutItem, book).is_ok())
            .count()
    }

    #[test]
    fn a_table_starts_with_five_minutes_of_burst_and_then_gives_its_rate() {
        let (mut dynamo, table, mut book) = started(&settings(Billing::Provisioned, 5, Some(5)));
        assert_eq!(writes(&mut dynamo, table, &mut book, 0, 2000), 1500);
        assert_eq!(writes(&mut dynamo, table, &mut book, 10, 2000), 50);
    }

    #[test]
    fn an_index_without_units_throttles_the_tables_writes_and_takes_the_blame() {
        let (mut dynamo, table, mut book) = started(&settings(Billing::Provisioned, 50, Some(1)));
        assert_eq!(writes(&mut dynamo, table, &mut book, 0, 400), 300);
        let points = book.drain();
        let sums: Vec<(usize, f64)> = points
            .iter()
            .filter(|point| point.series.metric == "WriteThrottleEvents")
            .map(|point| (point.series.dimensions.len(), point.sum))
            .collect();
        assert_eq!(sums, [(2, 100.0)], "on the index, not on the table");
        let consumed: f64 = points
            .iter()
            .filter(|point| point.series.metric == "ConsumedWriteCapacityUnits" && point.series.dimensions.len() == 1)
            .map(|point| point.sum)
            .sum();
        assert!((consumed - 300.0).abs() < 1e-9, "what was refused consumed nothing");
    }

    #[test]
    fn on_demand_does_not_throttle_and_counts_what_it_consumes() {
        let (mut dynamo, table, mut book) = started(&settings(Billing::PayPerRequest, 0, Some(0)));
        assert_eq!(writes(&mut dynamo, table, &mut book, 0, 5000), 5000);
        let consumed = book
            .drain()
            .into_iter()
            .find(|point| point.series.metric == "ConsumedWriteCapacityUnits");
        assert!((consumed.unwrap().sum - 5000.0).abs() < 1e-9);
    }

    #[test]
    fn more_capacity_keeps_the_empty_bucket_but_fills_it_faster() {
        let (mut dynamo, table, mut book) = started(&settings(Billing::Provisioned, 5, None));
        assert_eq!(writes(&mut dynamo, table, &mut book, 0, 2000), 1500);
        dynamo.apply(Time::default(), &settings(Billing::Provisioned, 50, None), false, &mut book);
        assert_eq!(writes(&mut dynamo, table, &mut book, 0, 10), 0);
        assert_eq!(writes(&mut dynamo, table, &mut book, 2, 1000), 100);
    }

    #[test]
    fn a_table_that_settings_do_not_name_is_not_there() {
        let (mut dynamo, table, mut book) = started(&Settings::default());
        let refused = dynamo.take(Time::default(), table, Operation::GetItem, &mut book);
        assert_eq!(refused, Err(Refusal::NoSuchTable));
    }

    proptest! {
        #[test]
        fn throttles_are_what_is_above_burst_and_rate(units in 1_u64..40, load in 1_u64..80, seconds in 1_u64..120) {
            let (mut dynamo, table, mut book) = started(&settings(Billing::Provisioned, units, None));
            let asked = usize::try_from(load).unwrap();
            let done: usize = (0..seconds).map(|second| writes(&mut dynamo, table, &mut book, second, asked)).sum();
            let there = units * BURST_SECONDS + units * (seconds - 1);
            prop_assert_eq!(done as u64, (load * seconds).min(there));
        }
    }
}
