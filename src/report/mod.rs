//! One model of a run, and its renderings. Each format is a pure function of the model.

pub mod model;

pub use model::Report;
