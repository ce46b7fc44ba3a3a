//! One simulated system with its clock, its event queue and its metric book.
//!
//! The model's front door; the only part of it that others call.

use super::Context;
use super::agenda::{Agenda, Wake};
use super::book::{Book, Point};
use super::container::Container;
use super::draw::Draw;
use super::outcome::{Arrival, Call, Finished, Outcome};
use super::serverless::Serverless;
use super::settings::Settings;
use super::time::Time;

/// Which system is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum System {
    HcgDemo,
    EcsChatbot,
    /// Nothing but an endpoint that answers.
    Empty,
}

#[derive(Debug)]
enum Application {
    Serverless(Box<Serverless>),
    Container(Box<Container>),
    Empty,
}

#[derive(Debug)]
pub(crate) struct World {
    application: Application,
    book: Book,
    agenda: Agenda,
    finished: Vec<Finished>,
    now: Time,
    seed: u64,
    arrivals: u64,
    /// Generation and version of the settings in force.
    known: Option<(u64, u64)>,
}

impl World {
    /// A system with the settings its account starts with.
    pub(crate) fn new(system: System, seed: u64, pace: u64, now: Time) -> Self {
        let mut book = Book::default();
        let (application, settings) = match system {
            System::HcgDemo => (
                Application::Serverless(Box::new(Serverless::new(now, &mut book))),
                Settings::hcg_demo(),
            ),
            System::EcsChatbot => (
                Application::Container(Box::new(Container::new(now, pace, &mut book))),
                Settings::ecs_chatbot(),
            ),
            System::Empty => (Application::Empty, Settings::default()),
        };
        let mut agenda = Agenda::default();
        agenda.wake(now.next_second(), Wake::Tick);
        let mut world = Self {
            application,
            book,
            agenda,
            finished: Vec::new(),
            now,
            seed,
            arrivals: 0,
            known: None,
        };
        world.apply(now, &settings);
        world.known = None;
        world
    }

    /// The settings now in force. The first ones, those of another generation, and ones whose version went back are
    /// those of an account built anew: its buckets are full.
    pub(crate) fn apply(&mut self, now: Time, settings: &Settings) {
        let now = self.advance(now);
        let fresh = self
            .known
            .is_none_or(|(generation, version)| settings.generation != generation || settings.version < version);
        self.known = Some((settings.generation, settings.version));
        match &mut self.application {
            Application::Serverless(app) => app.apply(now, settings, fresh, &mut self.book),
            Application::Container(app) => app.apply(settings, &mut self.book),
            Application::Empty => {}
        }
    }

    /// The version of the settings in force; none before the first that were applied.
    pub(crate) const fn version(&self) -> Option<u64> {
        match self.known {
            Some((_, version)) => Some(version),
            None => None,
        }
    }

    pub(crate) fn arrive(&mut self, now: Time, call: Call) -> Arrival {
        let now = self.advance(now);
        let draw = Draw::new(self.seed, self.arrivals);
        self.arrivals += 1;
        let mut context = Context {
            book: &mut self.book,
            agenda: &mut self.agenda,
            finished: &mut self.finished,
        };
        match &mut self.application {
            Application::Serverless(app) => app.arrive(now, call, draw, &mut context),
            Application::Container(app) => app.arrive(now, call, draw, &mut context),
            Application::Empty => Arrival::Now(Outcome::Answered),
        }
    }

    /// Lets everything happen that is due by `now`; time never goes back. Returns the time it is.
    pub(crate) fn advance(&mut self, now: Time) -> Time {
        while let Some((at, what)) = self.agenda.pop(now) {
            self.now = self.now.max(at);
            match what {
                Wake::Tick => self.tick(at),
                Wake::Flight(ticket) => {
                    let mut context = Context {
                        book: &mut self.book,
                        agenda: &mut self.agenda,
                        finished: &mut self.finished,
                    };
                    match &mut self.application {
                        Application::Serverless(app) => app.wake(at, ticket, &mut context),
                        Application::Container(app) => app.wake(at, ticket, &mut context),
                        Application::Empty => {}
                    }
                }
            }
        }
        self.now = self.now.max(now);
        self.now
    }

    /// When `advance` is next worth calling.
    pub(crate) fn next(&self) -> Time {
        self.agenda.next().unwrap_or_else(|| self.now.next_second())
    }

    /// The requests that have ended since the last time, in that order.
    pub(crate) fn drain_finished(&mut self) -> std::vec::Drain<'_, Finished> {
        self.finished.drain(..)
    }

    /// What `CloudWatch` is to be told since the last time.
    pub(crate) fn drain_points(&mut self) -> Vec<Point> {
        self.book.drain()
    }

    pub(crate) fn connected(&mut self, now: Time) {
        let now = self.advance(now);
        if let Application::Container(app) = &mut self.application {
            app.connected(now, &mut self.book);
        }
    }

    pub(crate) fn disconnected(&mut self, now: Time) {
        self.advance(now);
        if let Application::Container(app) = &mut self.application {
            app.disconnected();
        }
    }

    /// A gauge's sample is of the time before it, so it belongs to the minute that ends with it.
    fn tick(&mut self, at: Time) {
        let (sampled, second) = (at.just_before(), at.elapsed().as_secs());
        match &mut self.application {
            Application::Serverless(app) => app.tick(sampled, second, &mut self.book),
            Application::Container(app) => app.tick(sampled, second, &mut self.book),
            Application::Empty => {}
        }
        self.agenda.wake(at.next_second(), Wake::Tick);
    }
}

#[cfg(test)]
#[path = "world_tests.rs"]
mod tests;
