//! Lambda's concurrency: a pool per reserved function, one for all the others.
//!
//! Knows slots and Lambda's metrics, not what functions do nor who calls them. Metrics carry the minute in which
//! an invocation started, as Lambda's do.

use std::time::Duration;

use super::book::{Book, SeriesId, Unit};
use super::settings::Settings;
use super::time::Time;

const NAMESPACE: &str = "AWS/Lambda";
const DEFAULT_ACCOUNT_LIMIT: u32 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FunctionId(usize);

/// A slot that is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Invocation {
    function: FunctionId,
    started: Time,
}

/// No slot was free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Throttled {
    /// By the function's own reservation.
    Reserved,
    /// By what the account has left for functions without one.
    Unreserved,
}

#[derive(Clone, Copy, Debug)]
struct Meters {
    invocations: SeriesId,
    errors: SeriesId,
    throttles: SeriesId,
    duration: SeriesId,
    concurrent: SeriesId,
}

#[derive(Debug)]
struct Function {
    name: String,
    reserved: Option<u32>,
    in_flight: u32,
    meters: Meters,
}

#[derive(Debug)]
pub(crate) struct Lambda {
    functions: Vec<Function>,
    account_limit: u32,
    reserved_in_all: u32,
    account: Meters,
    unreserved: SeriesId,
}

impl Meters {
    fn new(book: &mut Book, dimensions: &[(&'static str, &str)]) -> Self {
        let mut series = |metric, unit| book.series(NAMESPACE, metric, unit, dimensions);
        Self {
            invocations: series("Invocations", Unit::Count),
            errors: series("Errors", Unit::Count),
            throttles: series("Throttles", Unit::Count),
            duration: series("Duration", Unit::Milliseconds),
            concurrent: series("ConcurrentExecutions", Unit::Count),
        }
    }
}

impl Lambda {
    pub(crate) fn new(book: &mut Book) -> Self {
        Self {
            functions: Vec::new(),
            account_limit: DEFAULT_ACCOUNT_LIMIT,
            reserved_in_all: 0,
            account: Meters::new(book, &[]),
            unreserved: book.series(NAMESPACE, "UnreservedConcurrentExecutions", Unit::Count, &[]),
        }
    }

    pub(crate) fn function(&mut self, book: &mut Book, name: &str) -> FunctionId {
        let meters = Meters::new(book, &[("FunctionName", name)]);
        self.functions.push(Function {
            name: name.to_owned(),
            reserved: None,
            in_flight: 0,
            meters,
        });
        FunctionId(self.functions.len() - 1)
    }

    /// Running invocations are never killed; a lower limit only refuses new ones.
    pub(crate) fn apply(&mut self, settings: &Settings) {
        self.account_limit = settings.account_concurrency.unwrap_or(DEFAULT_ACCOUNT_LIMIT);
        self.reserved_in_all = settings
            .functions
            .values()
            .filter_map(|function| function.reserved)
            .fold(0, u32::saturating_add);
        for function in &mut self.functions {
            function.reserved = settings.functions.get(&function.name).and_then(|wanted| wanted.reserved);
        }
    }

    pub(crate) fn invoke(&mut self, now: Time, id: FunctionId, book: &mut Book) -> Result<Invocation, Throttled> {
        let refused = self.refuses(id);
        let Some(function) = self.functions.get_mut(id.0) else {
            return Err(Throttled::Unreserved);
        };
        let meters = [function.meters, self.account];
        if let Some(reason) = refused {
            for meters in meters {
                book.count(now, meters.throttles);
            }
            return Err(reason);
        }
        function.in_flight += 1;
        book.record(now, function.meters.concurrent, f64::from(function.in_flight));
        for meters in meters {
            book.count(now, meters.invocations);
            book.record(now, meters.throttles, 0.0);
        }
        book.record(now, self.account.concurrent, f64::from(self.in_flight()));
        book.record(now, self.unreserved, f64::from(self.unreserved_in_flight()));
        Ok(Invocation {
            function: id,
            started: now,
        })
    }

    pub(crate) fn end(&mut self, now: Time, invocation: Invocation, error: bool, book: &mut Book) {
        let Some(function) = self.functions.get_mut(invocation.function.0) else {
            return;
        };
        function.in_flight = function.in_flight.saturating_sub(1);
        let took = now.since(invocation.started);
        for meters in [function.meters, self.account] {
            book.record(invocation.started, meters.errors, if error { 1.0 } else { 0.0 });
            book.record(invocation.started, meters.duration, millis(took));
        }
    }

    /// Long invocations show in the minutes in which nothing starts, too.
    pub(crate) fn tick(&self, at: Time, book: &mut Book) {
        if self.in_flight() == 0 {
            return;
        }
        for function in self.functions.iter().filter(|function| function.in_flight > 0) {
            book.record(at, function.meters.concurrent, f64::from(function.in_flight));
        }
        book.record(at, self.account.concurrent, f64::from(self.in_flight()));
        book.record(at, self.unreserved, f64::from(self.unreserved_in_flight()));
    }

    fn refuses(&self, id: FunctionId) -> Option<Throttled> {
        let function = self.functions.get(id.0)?;
        if let Some(limit) = function.reserved {
            return (function.in_flight >= limit).then_some(Throttled::Reserved);
        }
        let limit = self.account_limit.saturating_sub(self.reserved_in_all);
        (self.unreserved_in_flight() >= limit).then_some(Throttled::Unreserved)
    }

    fn in_flight(&self) -> u32 {
        self.functions.iter().map(|function| function.in_flight).sum()
    }

    fn unreserved_in_flight(&self) -> u32 {
        self.functions
            .iter()
            .filter(|function| function.reserved.is_none())
            .map(|function| function.in_flight)
            .sum()
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::settings::FunctionSettings;
    use super::*;

    fn settings(account: u32, reserved: &[(&str, Option<u32>)]) -> Settings {
        Settings {
            account_concurrency: Some(account),
            functions: reserved
                .iter()
                .map(|(name, reserved)| ((*name).to_owned(), FunctionSettings { reserved: *reserved }))
                .collect(),
            ..Settings::default()
        }
    }

    fn lambda(book: &mut Book, names: &[&str]) -> (Lambda, Vec<FunctionId>) {
        let mut lambda = Lambda::new(book);
        let ids = names.iter().map(|name| lambda.function(book, name)).collect();
        (lambda, ids)
    }

    fn invocations(lambda: &mut Lambda, id: FunctionId, book: &mut Book, tries: u32) -> usize {
        (0..tries).filter(|_| lambda.invoke(Time::default(), id, book).is_ok()).count()
    }

    #[test]
    fn unset_zero_and_a_number_are_three_states() {
        let mut book = Book::default();
        let (mut lambda, ids) = lambda(&mut book, &["unset", "zero", "ten"]);
        lambda.apply(&settings(100, &[("unset", None), ("zero", Some(0)), ("ten", Some(10))]));
        assert_eq!(
            invocations(&mut lambda, ids[0], &mut book, 200),
            90,
            "the account less the reservations"
        );
        assert_eq!(invocations(&mut lambda, ids[1], &mut book, 200), 0);
        assert_eq!(invocations(&mut lambda, ids[2], &mut book, 200), 10);
        assert_eq!(lambda.invoke(Time::default(), ids[0], &mut book).err(), Some(Throttled::Unreserved));
        assert_eq!(lambda.invoke(Time::default(), ids[2], &mut book).err(), Some(Throttled::Reserved));
    }

    #[test]
    fn reservations_of_functions_that_never_run_here_count_too() {
        let mut book = Book::default();
        let (mut lambda, ids) = lambda(&mut book, &["unset"]);
        lambda.apply(&settings(100, &[("elsewhere", Some(95))]));
        assert_eq!(invocations(&mut lambda, ids[0], &mut book, 20), 5);
    }

    #[test]
    fn a_throttle_is_no_invocation_and_an_invocation_says_zero_throttles() {
        let mut book = Book::default();
        let (mut lambda, ids) = lambda(&mut book, &["f"]);
        lambda.apply(&settings(100, &[("f", Some(1))]));
        let held = lambda.invoke(Time::default(), ids[0], &mut book).unwrap();
        let _ = lambda.invoke(Time::default(), ids[0], &mut book);
        lambda.end(Time::default() + Duration::from_secs(61), held, true, &mut book);
        let points = book.drain();
        let of = |metric: &str| {
            let mut found = points
                .iter()
                .filter(|point| point.series.metric == metric && !point.series.dimensions.is_empty());
            let point = found.next().unwrap();
            (point.minute, point.sum, point.count)
        };
        assert_eq!(of("Invocations"), (0, 1.0, 1));
        assert_eq!(of("Throttles"), (0, 1.0, 2));
        assert_eq!(of("Errors"), (0, 1.0, 1));
        assert_eq!(of("Duration"), (0, 61_000.0, 1));
    }

    proptest! {
        #[test]
        fn a_pool_never_exceeds_its_limit(
            account in 0_u32..60,
            first in proptest::option::of(0_u32..30),
            steps in proptest::collection::vec((0_usize..2, any::<bool>()), 1..300),
        ) {
            let mut book = Book::default();
            let (mut lambda, ids) = lambda(&mut book, &["first", "second"]);
            lambda.apply(&settings(account, &[("first", first), ("second", None)]));
            let unreserved = account.saturating_sub(first.unwrap_or(0));
            let mut held: [Vec<Invocation>; 2] = [Vec::new(), Vec::new()];
            for (which, start) in steps {
                if start {
                    held[which].extend(lambda.invoke(Time::default(), ids[which], &mut book).ok());
                } else if let Some(invocation) = held[which].pop() {
                    lambda.end(Time::default(), invocation, false, &mut book);
                }
                if let Some(limit) = first {
                    prop_assert!(lambda.functions[0].in_flight <= limit);
                }
                prop_assert!(lambda.unreserved_in_flight() <= unreserved);
                prop_assert_eq!(lambda.in_flight() as usize, held[0].len() + held[1].len());
            }
        }
    }
}
