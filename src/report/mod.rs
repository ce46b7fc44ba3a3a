//! One model of a run, and its renderings. Each format is a pure function of the model.

pub mod assemble;
pub mod model;

pub use assemble::{Inputs, assemble};
pub use model::Report;
