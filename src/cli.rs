//! What people type. No behaviour.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Open an AWS environment up for a load test, drive it, learn what throttled and why, and get every setting back
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Around a test: plan, prepare, run, cleanup. At 2 a.m.: status, throttles.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    /// What stdout carries; everything else goes to stderr
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, env = "TIDEGATE_OUTPUT")]
    pub output: Output,

    /// Say more; twice for AWS calls
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Validate a profile; nothing is contacted
    Check {
        #[command(flatten)]
        profile: ProfileArgs,
    },
    /// Show what `prepare` would change, and whether `cleanup` can undo it
    Plan {
        #[command(flatten)]
        profile: ProfileArgs,
    },
    /// Change the environment for the test: everything in the plan, or nothing
    Prepare {
        #[command(flatten)]
        profile: ProfileArgs,
        #[command(flatten)]
        consent: Consent,
    },
    /// Drive the load, pull metrics, write the report; never changes a setting
    Run {
        #[command(flatten)]
        profile: ProfileArgs,
        #[command(flatten)]
        load: LoadArgs,
    },
    /// Put everything back; without a profile: every outstanding journal of this account, all regions
    Cleanup {
        /// Only what this profile has changed
        profile: Option<String>,
        #[command(flatten)]
        drift: DriftArgs,
        /// Clean up although a run uses the environment, by another process that is alive
        #[arg(long)]
        despite_run: bool,
    },
    /// Prepare, run and clean up as one
    Test {
        #[command(flatten)]
        profile: ProfileArgs,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        load: LoadArgs,
    },
    /// What is changed right now, since when and by whom; needs no credentials
    Status,
    /// What throttled, and why; needs no run and no journal
    Throttles {
        /// Look at the resources of this profile; without it, at what the account has
        profile: Option<String>,
        /// How far back
        #[arg(long, default_value = "1h", value_parser = duration)]
        since: std::time::Duration,
    },
    /// Render a run's report again, with AWS's numbers pulled again
    Report {
        /// The run's folder, or its name under `tidegate-runs`
        run: PathBuf,
        /// Do not ask AWS again
        #[arg(long)]
        offline: bool,
        /// WARN counts as failed
        #[arg(long)]
        strict: bool,
    },
    /// Print a completion script
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// A profile's name or path
    pub profile: String,
    /// Override a `set` key, such as 'lambda/*.reserved-concurrency=200'
    #[arg(long = "set", value_name = "SELECTOR.KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Which scenario; the first is the default
    #[arg(long)]
    pub scenario: Option<String>,
}

#[derive(Debug, Args)]
pub struct Consent {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Overwrite what somebody else changed meanwhile: everything, or one setting
    #[arg(long, value_name = "SETTING", num_args = 0..=1, default_missing_value = "*", require_equals = true)]
    pub force: Vec<String>,
    /// Keep today's value of a setting, and close it
    #[arg(long, value_name = "SETTING")]
    pub accept: Vec<String>,
    /// Wait for what AWS refuses until later
    #[arg(long)]
    pub wait: bool,
}

#[derive(Debug, Args)]
pub struct LoadArgs {
    /// The target's address, instead of the one that the profile leads to
    #[arg(long)]
    pub url: Option<String>,
    /// Divide phases and ramps (never rates, think times or timeouts): a rehearsal
    #[arg(long, default_value_t = 1.0, value_parser = time_scale)]
    pub time_scale: f64,
    /// Repeat a run's random choices
    #[arg(long)]
    pub seed: Option<u64>,
    /// Load threads; the default is one a core
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Start at once instead of on a minute boundary, and do not wait for the last minute to close
    #[arg(long)]
    pub no_align: bool,
    /// WARN counts as failed
    #[arg(long)]
    pub strict: bool,
    /// Where the run's folder is made
    #[arg(long, default_value = "tidegate-runs", env = "TIDEGATE_RUNS")]
    pub out: PathBuf,
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    crate::units::parse_duration(text).map_err(|error| error.to_string())
}

fn time_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale >= 1.0 && scale.is_finite() => Ok(scale),
        _ => Err("must be a number of 1 or more: 10 makes five minutes thirty seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn force_alone_means_everything() {
        let cli = Cli::parse_from(["tidegate", "cleanup", "--force"]);
        let Command::Cleanup { drift, profile, .. } = cli.command else {
            panic!()
        };
        assert_eq!((drift.force, profile), (vec!["*".to_owned()], None));
        let cli = Cli::parse_from(["tidegate", "cleanup", "hcg-demo", "--force=lambda/a", "--accept", "lambda/b"]);
        let Command::Cleanup { drift, .. } = cli.command else { panic!() };
        assert_eq!(
            (drift.force, drift.accept),
            (vec!["lambda/a".to_owned()], vec!["lambda/b".to_owned()])
        );
    }
}
