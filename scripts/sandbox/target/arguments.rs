//! The command line.

use crate::model::System;

/// The sandbox's data plane: a simulated service whose capacity obeys the settings.
#[derive(Clone, Debug, clap::Parser)]
pub(crate) struct Arguments {
    /// The system to simulate.
    #[arg(long, value_enum, default_value = "empty")]
    pub(crate) system: System,
    /// The control plane's address; without one the settings stay as they start.
    #[arg(long)]
    pub(crate) control: Option<String>,
    /// The port to listen on; 0 takes any.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Seeds every draw.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// How many times faster than real the control plane's waiting times pass.
    #[arg(long, default_value_t = 1)]
    pub(crate) pace: u64,
    /// Worker threads.
    #[arg(long, default_value_t = 2)]
    pub(crate) workers: usize,
}
