//! `report`: render a run again; AWS's numbers are pulled again unless told not to.

use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::Error;
use super::evaluate::{self, Minutes};
use super::run::{Driven, exit, report, show};
use super::signals::Signals;
use crate::cli::Output;
use crate::exit::Exit;
use crate::load::Recording;
use crate::report::Report;
use crate::ui::Screen;

/// What the command line asks for.
pub(crate) struct Options {
    pub(crate) run: PathBuf,
    pub(crate) offline: bool,
    pub(crate) strict: bool,
}

/// Renders again.
pub(crate) async fn run(screen: &Screen, output: Output, options: &Options, signals: &Signals) -> Result<Exit, Error> {
    let folder = find(&options.run)?;
    let setup = evaluate::read_setup(&folder)?;
    let path = Recording::path(&folder);
    let recording = Recording::load(&path).map_err(|error| Error::Load {
        message: format!("failed to {error}"),
        help: "a run that was killed in its first seconds left nothing to report".to_owned(),
    })?;
    let driven = Driven { setup, recording, folder };
    let report = if options.offline || driven.setup.run.account.is_empty() {
        again(&driven)?
    } else {
        let account = Account::connect(Some(&driven.setup.run.region)).await?;
        same_place(&account, &driven)?;
        report(screen, Some(&account), &driven, Minutes::Closed, true, signals).await?
    };
    let exit = exit(&report, options.strict, signals);
    show(screen, output, &driven, &report, exit)?;
    Ok(exit)
}

/// Without AWS: what was pulled before is kept, or nothing was.
fn again(driven: &Driven) -> Result<Report, Error> {
    let path = driven.folder.join("run.json");
    let report = match std::fs::read(&path) {
        Ok(text) => {
            let report: Report = serde_json::from_slice(&text).map_err(|error| Error::File {
                step: "understand",
                path: path.clone(),
                source: error.into(),
            })?;
            if report.version > crate::report::model::VERSION {
                return Err(Error::Usage {
                    message: format!(
                        "`{}` is of version {}, this tidegate knows {}",
                        path.display(),
                        report.version,
                        crate::report::model::VERSION
                    ),
                    help: "use the tidegate that wrote it".to_owned(),
                });
            }
            report
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => evaluate::judge(&driven.setup, &driven.recording, None),
        Err(source) => {
            return Err(Error::File {
                step: "read",
                path,
                source,
            });
        }
    };
    evaluate::write(&driven.folder, &report)?;
    Ok(report)
}

/// Numbers of another account or endpoint would be another run's.
fn same_place(account: &Account, driven: &Driven) -> Result<(), Error> {
    let run = &driven.setup.run;
    if account.caller.account == run.account && account.aws.endpoint() == run.endpoint {
        return Ok(());
    }
    Err(Error::Usage {
        message: format!(
            "the run was in account {} at {}, these credentials are of {} at {}",
            run.account,
            run.endpoint.as_deref().unwrap_or("AWS"),
            account.caller.account,
            account.aws.endpoint().as_deref().unwrap_or("AWS")
        ),
        help: "set AWS_PROFILE, or render what is there with --offline".to_owned(),
    })
}

fn find(run: &Path) -> Result<PathBuf, Error> {
    let runs = std::env::var_os("TIDEGATE_RUNS").map_or_else(|| PathBuf::from("tidegate-runs"), PathBuf::from);
    let candidates = [run.to_owned(), runs.join(run)];
    candidates
        .iter()
        .find(|folder| folder.join("setup.json").is_file())
        .cloned()
        .ok_or_else(|| Error::Usage {
            message: format!("`{}` is no run's folder", run.display()),
            help: "give the folder that `run` printed; runs lie under tidegate-runs/ (or TIDEGATE_RUNS), each with a setup.json".to_owned(),
        })
}
