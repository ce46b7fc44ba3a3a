//! The command line: parse, log, run, exit.

use std::process::ExitCode;

use clap::Parser as _;
use tidegate::{cli::Cli, commands};

fn main() -> ExitCode {
    let cli = Cli::parse();
    commands::log(cli.verbose);
    ExitCode::from(commands::run(cli).code())
}
