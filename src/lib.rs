//! tidegate opens an AWS environment up for a load test, drives the test, explains what the environment did, and puts
//! every setting back exactly as it was.
//!
//! Glossary. A *setting* is the address of one AWS setting, its *state* a value (absence included), a *change* both
//! with before and after, a *plan* all changes. The *journal* holds intents, written before each call; what is not
//! closed in it is *outstanding*. A *scenario* has *phases* (how much load) and *journeys* of *steps* (what a user
//! does). A *sample* is one ended request, a *recording* all of them as histograms, a *series* one metric of one
//! resource. A *criterion* is judged into a *verdict*. The *ledger* lists every throttle by cause.

pub mod analysis;
pub mod aws;
pub mod change;
pub mod cli;
pub mod commands;
pub mod exit;
pub mod journal;
pub mod load;
pub mod metrics;
pub mod profile;
pub mod report;
pub mod scenario;
pub mod setting;
pub mod ui;
pub mod units;
