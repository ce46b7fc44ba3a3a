//! The sandbox's data plane.

mod model;
mod settings;

fn main() {}
