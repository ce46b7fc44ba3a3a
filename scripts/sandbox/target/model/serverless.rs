//! hcg-demo: a help desk assistant of API Gateway, three Lambda functions and two `DynamoDB` tables.
//!
//! A request is a script of steps over the services' models; this owns the scripts and walks them. Knows no HTTP.

use std::time::Duration;

use super::Context;
use super::agenda::{Ticket, Wake};
use super::book::Book;
use super::draw::{Draw, Law};
use super::dynamodb::{DynamoDb, Operation, Refusal, TableId};
use super::flights::Flights;
use super::gateway::Gateway;
use super::lambda::{FunctionId, Invocation, Lambda};
use super::outcome::{Arrival, Call, Failure, Finished, Outcome};
use super::settings::Settings;
use super::time::Time;

const GATEWAY_WORK: Law = Law::About(Duration::from_millis(3));
/// What the gateway answers itself, it answers at once; its metric says a millisecond.
const GATEWAY_REFUSAL: Duration = Duration::from_millis(1);
const WEBHOOK_WORK: Law = Law::About(Duration::from_millis(50));
const REFUSAL_WORK: Law = Law::About(Duration::from_millis(5));
const SUPERVISOR_WORK: Law = Law::LogNormal {
    median: Duration::from_millis(560),
    sigma: 0.35,
    longest: Duration::from_secs(8),
};
const SERVICENOW_WORK: Law = Law::About(Duration::from_millis(400));
const TABLE_WORK: Law = Law::About(Duration::from_millis(4));
/// How often a function tries a throttled table again, and how long it waits first; doubled each time.
const RETRIES: u32 = 2;
const BACKOFF: Law = Law::About(Duration::from_millis(50));

#[derive(Clone, Copy, Debug)]
enum Step {
    Invoke(FunctionId),
    Work(Law),
    Table(TableId, Operation),
    Return,
}

#[derive(Debug)]
struct Scripts {
    talk: Vec<Step>,
    ticket: Vec<Step>,
    feedback: Vec<Step>,
    malformed: Vec<Step>,
}

#[derive(Debug)]
struct Flight {
    call: Call,
    draw: Draw,
    arrived: Time,
    integrated: Option<Time>,
    step: usize,
    retries: u32,
    /// Functions that hold a slot, the outermost first.
    held: Vec<Invocation>,
}

enum Progress {
    Wait(Duration),
    Go,
    Over(Outcome),
}

#[derive(Debug)]
pub(crate) struct Serverless {
    gateway: Gateway,
    lambda: Lambda,
    dynamo: DynamoDb,
    scripts: Scripts,
    flights: Flights<Flight>,
}

impl Serverless {
    pub(crate) fn new(now: Time, book: &mut Book) -> Self {
        let gateway = Gateway::new(now, book, "hcg-demo-api", "prod");
        let (mut lambda, mut dynamo) = (Lambda::new(book), DynamoDb::default());
        let webhook = lambda.function(book, "hcg-demo-webhook-handler");
        let supervisor = lambda.function(book, "hcg-demo-supervisor-agent");
        let servicenow = lambda.function(book, "hcg-demo-servicenow-action");
        let conversations = dynamo.table(now, book, "hcg-demo-conversations");
        let feedback = dynamo.table(now, book, "hcg-demo-user-feedback");
        let asked = [
            Step::Invoke(webhook),
            Step::Work(WEBHOOK_WORK),
            Step::Invoke(supervisor),
            Step::Table(conversations, Operation::GetItem),
            Step::Work(SUPERVISOR_WORK),
            Step::Table(conversations, Operation::PutItem),
        ];
        let ticket = [Step::Invoke(servicenow), Step::Work(SERVICENOW_WORK), Step::Return];
        let back = [Step::Return, Step::Return];
        let scripts = Scripts {
            talk: [&asked[..], &back].concat(),
            ticket: [&asked[..], &ticket, &back].concat(),
            feedback: vec![
                Step::Invoke(webhook),
                Step::Work(WEBHOOK_WORK),
                Step::Table(feedback, Operation::PutItem),
                Step::Return,
            ],
            malformed: vec![Step::Invoke(webhook), Step::Work(REFUSAL_WORK), Step::Return],
        };
        Self {
            gateway,
            lambda,
            dynamo,
            scripts,
            flights: Flights::default(),
        }
    }

    pub(crate) fn apply(&mut self, now: Time, settings: &Settings, fresh: bool, book: &mut Book) {
        self.lambda.apply(settings);
        self.dynamo.apply(now, settings, fresh, book);
    }

    pub(crate) fn arrive(&mut self, now: Time, call: Call, mut draw: Draw, context: &mut Context<'_>) -> Arrival {
        let at_once = match call {
            Call::Unknown | Call::Chat | Call::Health => Some(Outcome::Forbidden),
            _ if self.gateway.admits(now) => None,
            _ => Some(Outcome::TooManyRequests),
        };
        if let Some(outcome) = at_once {
            self.gateway.answered(now, outcome, GATEWAY_REFUSAL, None, context.book);
            return Arrival::Now(outcome);
        }
        let begins = now + draw.duration(GATEWAY_WORK);
        let flight = Flight {
            call,
            draw,
            arrived: now,
            integrated: None,
            step: 0,
            retries: 0,
            held: Vec::with_capacity(3),
        };
        let ticket = self.flights.start(flight);
        context.agenda.wake(begins, Wake::Flight(ticket));
        Arrival::Later(ticket)
    }

    pub(crate) fn wake(&mut self, now: Time, ticket: Ticket, context: &mut Context<'_>) {
        let Some(mut flight) = self.flights.take(ticket) else { return };
        flight.integrated.get_or_insert(now);
        loop {
            match self.step(now, &mut flight, context.book) {
                Progress::Go => {}
                Progress::Wait(more) => {
                    context.agenda.wake(now + more, Wake::Flight(ticket));
                    self.flights.put(ticket, flight);
                    return;
                }
                Progress::Over(outcome) => {
                    self.end(now, flight, outcome, context.book);
                    self.flights.land(ticket);
                    context.finished.push(Finished { ticket, at: now, outcome });
                    return;
                }
            }
        }
    }

    pub(crate) fn tick(&self, at: Time, second: u64, book: &mut Book) {
        self.lambda.tick(at, book);
        self.dynamo.tick(at, second, book);
    }

    fn step(&mut self, now: Time, flight: &mut Flight, book: &mut Book) -> Progress {
        let step = self.scripts.of(flight.call).get(flight.step).copied();
        match step {
            None if flight.call == Call::Malformed => Progress::Over(Outcome::Malformed),
            None => Progress::Over(Outcome::Answered),
            Some(Step::Invoke(function)) => match self.lambda.invoke(now, function, book) {
                Ok(invocation) => {
                    flight.held.push(invocation);
                    flight.go()
                }
                Err(_) if flight.held.is_empty() => Progress::Over(Outcome::FrontThrottled),
                Err(_) => Progress::Over(Outcome::Failed(Failure::FunctionThrottled)),
            },
            Some(Step::Work(law)) => {
                flight.step += 1;
                Progress::Wait(flight.draw.duration(law))
            }
            Some(Step::Table(table, operation)) => self.table(now, flight, table, operation, book),
            Some(Step::Return) => {
                if let Some(invocation) = flight.held.pop() {
                    self.lambda.end(now, invocation, false, book);
                }
                flight.go()
            }
        }
    }

    fn table(&mut self, now: Time, flight: &mut Flight, table: TableId, operation: Operation, book: &mut Book) -> Progress {
        match self.dynamo.take(now, table, operation, book) {
            Ok(()) => {
                let took = flight.draw.duration(TABLE_WORK);
                self.dynamo.answered(now, table, operation, took, book);
                flight.step += 1;
                flight.retries = 0;
                Progress::Wait(took)
            }
            Err(Refusal::NoSuchTable) => Progress::Over(Outcome::Failed(Failure::TableMissing)),
            Err(Refusal::Throttled) if flight.retries == RETRIES => Progress::Over(Outcome::Failed(Failure::TableThrottled)),
            Err(Refusal::Throttled) => {
                let wait = flight.draw.duration(BACKOFF) * 2_u32.pow(flight.retries);
                flight.retries += 1;
                Progress::Wait(wait)
            }
        }
    }

    /// An inner function fails with an error; the outermost catches it and answers, so it has none.
    fn end(&mut self, now: Time, mut flight: Flight, outcome: Outcome, book: &mut Book) {
        while let Some(invocation) = flight.held.pop() {
            self.lambda.end(now, invocation, !flight.held.is_empty(), book);
        }
        let integration = flight.integrated.map(|began| now.since(began));
        self.gateway.answered(now, outcome, now.since(flight.arrived), integration, book);
    }
}

impl Flight {
    const fn go(&mut self) -> Progress {
        self.step += 1;
        Progress::Go
    }
}

impl Scripts {
    fn of(&self, call: Call) -> &[Step] {
        match call {
            Call::Webhook { ticket: false } => &self.talk,
            Call::Webhook { ticket: true } => &self.ticket,
            Call::Feedback => &self.feedback,
            Call::Malformed | Call::Chat | Call::Health | Call::Unknown => &self.malformed,
        }
    }
}
