//! ecs-chatbot: a chatbot of several ECS tasks behind a load balancer.
//!
//! Puts the balancer's and the tasks' models together; knows no HTTP.

use std::time::Duration;

use super::Context;
use super::agenda::{Ticket, Wake};
use super::alb::Balancer;
use super::book::Book;
use super::draw::{Draw, Law};
use super::ecs::Tasks;
use super::flights::Flights;
use super::outcome::{Arrival, Call, Finished, Outcome};
use super::settings::Settings;
use super::time::Time;

const CHAT_WORK: Law = Law::About(Duration::from_millis(65));
/// What needs no processor to speak of.
const LIGHT_WORK: Duration = Duration::from_micros(500);
/// How long the balancer waits for a target.
const PATIENCE: Duration = Duration::from_mins(1);
const SERVICE: &str = "chatbot-staging/chatbot-api";
const BALANCER: &str = "chatbot-staging";
const DIMENSION: &str = "app/chatbot-staging/50dc6c495c0c9188";
const TARGET_GROUP: &str = "targetgroup/chatbot-api/73e2d6bc24d8a067";
/// Seconds between two samples of the gauges.
const SAMPLE_EVERY: u64 = 10;

#[derive(Debug)]
struct Flight {
    arrived: Time,
    outcome: Outcome,
}

#[derive(Debug)]
pub(crate) struct Container {
    dimensions: [String; 2],
    balancer: Balancer,
    tasks: Tasks,
    flights: Flights<Flight>,
    sample_every: u64,
}

impl Container {
    /// `pace` shortens the minute in which the control plane looks at the gauges, so they come more often.
    pub(crate) fn new(now: Time, pace: u64, book: &mut Book) -> Self {
        Self {
            dimensions: [DIMENSION, TARGET_GROUP].map(str::to_owned),
            balancer: Balancer::new(book, DIMENSION, TARGET_GROUP),
            tasks: Tasks::new(now, book, "chatbot-staging", "chatbot-api"),
            flights: Flights::default(),
            sample_every: (SAMPLE_EVERY / pace.max(1)).max(1),
        }
    }

    pub(crate) fn apply(&mut self, settings: &Settings, book: &mut Book) {
        let running = settings.services.get(SERVICE).map_or(0, |service| service.running);
        self.tasks.set_running(usize::try_from(running).unwrap_or(usize::MAX));
        if let Some(named) = settings.load_balancers.get(BALANCER) {
            let dimensions = [named.dimension.clone(), named.target_group.clone()];
            if dimensions != self.dimensions {
                self.balancer = Balancer::new(book, &named.dimension, &named.target_group);
                self.dimensions = dimensions;
            }
        }
    }

    pub(crate) fn arrive(&mut self, now: Time, call: Call, mut draw: Draw, context: &mut Context<'_>) -> Arrival {
        if self.tasks.running() == 0 {
            return self.refuse(now, context.book);
        }
        let light = match call {
            Call::Chat => None,
            Call::Health => Some(Outcome::Answered),
            Call::Malformed => Some(Outcome::Malformed),
            Call::Unknown | Call::Webhook { .. } | Call::Feedback => Some(Outcome::NotFound),
        };
        if let Some(outcome) = light {
            self.balancer.routed(now, self.tasks.running(), context.book);
            self.balancer.answered(now, outcome, LIGHT_WORK, context.book);
            return Arrival::Now(outcome);
        }
        let Some(done) = self.tasks.accept(now, draw.duration(CHAT_WORK)) else {
            return self.refuse(now, context.book);
        };
        self.balancer.routed(now, self.tasks.running(), context.book);
        let given_up = now + PATIENCE;
        let outcome = if done > given_up { Outcome::TimedOut } else { Outcome::Answered };
        let ticket = self.flights.start(Flight { arrived: now, outcome });
        context.agenda.wake(done.min(given_up), Wake::Flight(ticket));
        Arrival::Later(ticket)
    }

    pub(crate) fn wake(&mut self, now: Time, ticket: Ticket, context: &mut Context<'_>) {
        let Some(Flight { arrived, outcome }) = self.flights.take(ticket) else {
            return;
        };
        self.flights.land(ticket);
        self.balancer.answered(now, outcome, now.since(arrived), context.book);
        context.finished.push(Finished { ticket, at: now, outcome });
    }

    pub(crate) fn connected(&mut self, now: Time, book: &mut Book) {
        self.balancer.connected(now, book);
    }

    pub(crate) const fn disconnected(&mut self) {
        self.balancer.disconnected();
    }

    pub(crate) fn tick(&mut self, at: Time, second: u64, book: &mut Book) {
        if second.is_multiple_of(self.sample_every) {
            self.tasks.sample(at, book);
            self.balancer.sample_targets(at, self.tasks.running(), book);
        }
        if second.is_multiple_of(60) {
            self.balancer.end_minute(at, book);
        }
    }

    fn refuse(&self, now: Time, book: &mut Book) -> Arrival {
        self.balancer.answered(now, Outcome::NoCapacity, Duration::ZERO, book);
        Arrival::Now(Outcome::NoCapacity)
    }
}
