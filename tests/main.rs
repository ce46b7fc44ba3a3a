//! Everything that people do with tidegate, through the binary, against the sandbox. One binary, so that the AWS crates
//! are linked once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test whose scaffolding fails has failed")]

mod architecture;
mod catalogue;
mod crash;
mod environment;
mod load;
mod support;
