//! The simulated systems: a pure function of settings, arrivals, a seed and the time it is told.
//!
//! Knows no real clock, no threads and no HTTP. Whoever drives it tells it every arrival and asks it to advance;
//! it says how requests ended, when, and what `CloudWatch` would have been told.
//! Its only neighbour is `settings`, so that a test in virtual time can take both in by path.

mod agenda;
mod alb;
mod book;
mod bucket;
mod container;
mod draw;
mod dynamodb;
mod ecs;
mod flights;
mod gateway;
mod lambda;
mod outcome;
mod serverless;
mod time;
mod world;

use super::settings;

pub(crate) use agenda::Ticket;
pub(crate) use book::Point;
pub(crate) use outcome::{Arrival, Call, Failure, Finished, Outcome};
pub(crate) use time::Time;
pub(crate) use world::{System, World};

/// What a system writes to while it handles an event.
struct Context<'a> {
    book: &'a mut book::Book,
    agenda: &'a mut agenda::Agenda,
    finished: &'a mut Vec<Finished>,
}
