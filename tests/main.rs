//! Everything that people do with tidegate, through the binary, against the sandbox. One binary, so that the AWS crates
//! are linked once.

mod architecture;
mod catalogue;
mod crash;
mod environment;
mod support;
