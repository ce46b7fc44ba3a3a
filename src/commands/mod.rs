//! One file a command; the only place that wires modules together.

mod account;
mod check;
mod cleanup;
mod error;
mod evaluate;
mod plan;
mod prepare;
mod profile;
mod ready;
mod report;
mod run;
mod signals;
mod status;
mod test;
mod throttles;

use error::Error;
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command, Output};
use crate::exit::Exit;
use crate::ui::Screen;

/// Sends logs to stderr; `-v` once is for people, twice for AWS calls.
pub fn log(verbose: u8) {
    let level = if verbose >= 2 {
        "info,aws_config=debug,aws_smithy_runtime=debug"
    } else {
        "error"
    };
    let filter = EnvFilter::try_from_env("TIDEGATE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

/// Runs a command to its end and says how it ended.
#[must_use]
pub fn run(cli: Cli) -> Exit {
    let screen = Screen::detect();
    guarded(&screen, || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return failed(&screen, &Error::Bug(format!("the runtime does not start: {error}"))),
        };
        runtime
            .block_on(dispatch(&screen, cli))
            .unwrap_or_else(|error| failed(&screen, &error))
    })
}

fn failed(screen: &Screen, error: &Error) -> Exit {
    screen.note(&error.to_string());
    error.exit()
}

/// A panic is a bug, and may leave something changed: both are said.
fn guarded(screen: &Screen, command: impl FnOnce() -> Exit) -> Exit {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(command)).unwrap_or_else(|_| {
        screen.note("error: this is a bug in tidegate; what is still changed: tidegate status");
        Exit::Bug
    })
}

async fn dispatch(screen: &Screen, cli: Cli) -> Result<Exit, Error> {
    let signals = signals::Signals::listen().map_err(|error| Error::Bug(format!("signals cannot be listened to: {error}")))?;
    // What changes nothing and drives nothing ends at the first signal; the others have their own ways to stop.
    let looks_only = matches!(
        cli.command,
        Command::Check { .. } | Command::Plan { .. } | Command::Status | Command::Throttles { .. } | Command::Report { .. }
    );
    tokio::select! {
        ended = command(screen, cli, &signals) => ended,
        () = signals.first.cancelled(), if looks_only => Ok(signals.exit()),
    }
}

async fn command(screen: &Screen, cli: Cli, signals: &signals::Signals) -> Result<Exit, Error> {
    let output: Output = cli.output;
    match cli.command {
        Command::Status => status::run(screen, output),
        Command::Cleanup {
            profile,
            drift,
            despite_run,
        } => {
            let options = cleanup::Options {
                profile,
                drift: drift.into(),
                despite_run,
            };
            cleanup::run(screen, output, &options, signals).await
        }
        Command::Check { profile } => check::run(screen, output, &profile),
        Command::Plan { profile } => plan::run(screen, output, cli.verbose, &profile).await,
        Command::Prepare { profile, consent } => prepare::run(screen, output, cli.verbose, &profile, &consent, signals).await,
        Command::Run { profile, load } => run::run(screen, output, &profile, &load, signals).await,
        Command::Test { profile, consent, load } => test::run(screen, output, cli.verbose, &profile, &consent, &load, signals).await,
        Command::Throttles { profile, since } => throttles::run(screen, output, profile.as_deref(), since).await,
        Command::Report { run, offline, strict } => report::run(screen, output, &report::Options { run, offline, strict }, signals).await,
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut <Cli as clap::CommandFactory>::command(),
                "tidegate",
                &mut std::io::stdout(),
            );
            Ok(Exit::Done)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_bug_with_its_own_exit_code() {
        assert_eq!(guarded(&Screen::detect(), || panic!("on purpose")), Exit::Bug);
        assert_eq!(guarded(&Screen::detect(), || Exit::Done), Exit::Done);
    }
}
