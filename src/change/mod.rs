//! The verbs over settings: plan, prepare, cleanup.
//!
//! It knows settings and the journal; AWS is behind the `Cloud` trait, profiles and screens are not known here.

pub mod cloud;

pub use cloud::{Caller, Cloud, CloudError, Concurrency, Observed, ScalingNow, Surroundings};
