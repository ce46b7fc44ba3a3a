//! AWS behind the seams: settings (`change::cloud`), their surroundings, and metrics (`metrics::source`).
//!
//! One file per service: it holds the service's calls and, as pure functions, what their answers mean. `error` decides
//! in one place what a failed call means. Nothing here knows profiles, load, reports or screens; nothing here logs or
//! returns a secret.
//!
//! Every service that is changed has two clients: the reading one retries as the SDK does, the writing one makes one
//! attempt, since a retried write that had landed the first time looks like a refusal. Retries of writes are
//! `change`'s, with a fresh look between.

mod activities;
mod apigateway;
mod bounded;
mod capacity;
mod cloud;
mod cloudwatch;
mod connect;
mod convert;
mod decreases;
mod discover;
mod dynamodb;
mod ecs;
mod elb;
mod error;
mod lambda;
mod policies;
mod scaling;
mod sts;
mod surroundings;

pub use connect::Aws;
pub use discover::Discovered;
