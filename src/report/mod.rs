//! One model of a run, and its renderings. Each format is a pure function of the model.

pub mod assemble;
pub mod axis;
pub mod cause;
pub mod charts;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod html;
pub mod json;
pub mod model;
pub mod moment;
pub mod names;
pub mod status;
pub mod styled;
pub mod tables;
pub mod text;
pub mod throttles;

pub use assemble::{Inputs, assemble};
pub use model::Report;
