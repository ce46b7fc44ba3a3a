//! What is asked of a simulated system, and how it ends.
//!
//! The words both sides of the model share; knows neither HTTP bodies nor how an end is reached.

use super::agenda::Ticket;
use super::time::Time;

/// A request, as far as it matters to capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A message to the help desk assistant; one about a ticket also calls the ticket system.
    Webhook {
        ticket: bool,
    },
    Feedback,
    /// A message to the chatbot on ECS.
    Chat,
    Health,
    /// A known path, but nothing that can be understood.
    Malformed,
    /// A path (or a method on it) that nobody serves.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    Malformed,
    /// API Gateway's answer to a path it has not.
    Forbidden,
    NotFound,
    /// API Gateway's own throttle.
    TooManyRequests,
    /// The function behind the proxy integration had no slot.
    FrontThrottled,
    /// The front function met a failure further in and says so.
    Failed(Failure),
    /// The load balancer had no target with room.
    NoCapacity,
    /// The load balancer gave the target up.
    TimedOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    FunctionThrottled,
    TableThrottled,
    TableMissing,
}

impl Outcome {
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Answered => 200,
            Self::Malformed => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::TooManyRequests => 429,
            Self::FrontThrottled | Self::Failed(_) => 500,
            Self::NoCapacity => 503,
            Self::TimedOut => 504,
        }
    }
}

/// Whether a request ended on arrival or is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Now(Outcome),
    Later(Ticket),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) ticket: Ticket,
    pub(crate) at: Time,
    pub(crate) outcome: Outcome,
}
