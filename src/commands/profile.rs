//! Loading a profile the way every command does.

use std::path::Path;

use super::error::Error;
use crate::cli::ProfileArgs;
use crate::profile::{Override, Profile, ProfileError, library};
use crate::setting::Refusal;

/// Finds, reads and validates a profile with the command line's overrides.
pub(crate) fn load(args: &ProfileArgs) -> Result<Profile, Error> {
    let overrides: Vec<Override> = args
        .overrides
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map_err(|error: crate::profile::OverrideError| Error::Profile(error.into()))?;
    let profile = by_name(&args.profile, &overrides)?;
    if let Some(name) = &args.scenario
        && !profile.scenarios().any(|scenario| scenario.name == name)
    {
        return Err(unknown_scenario(profile.scenario(Some(name), "").err()));
    }
    Ok(profile)
}

/// The same without a command line's overrides.
pub(crate) fn by_name(name: &str, overrides: &[Override]) -> Result<Profile, Error> {
    library::load(Path::new("."), name, overrides).map_err(|error| Error::Profile(error.into()))
}

pub(crate) fn unknown_scenario(error: Option<ProfileError>) -> Error {
    error.map_or_else(
        || Error::Bug("a scenario is known and unknown".to_owned()),
        |error| Error::Profile(error.into()),
    )
}

/// The scenario that will run: its name and how long it takes.
pub(crate) fn chosen(profile: &Profile, name: Option<&str>) -> Option<(String, std::time::Duration)> {
    let mut scenarios = profile.scenarios();
    let scenario = match name {
        Some(name) => scenarios.find(|scenario| scenario.name == name),
        None => scenarios.next(),
    };
    scenario.map(|scenario| (scenario.name.to_owned(), scenario.duration))
}

/// Refusals shown at their places in the profile.
pub(crate) fn at_their_places(profile: &Profile, refusals: &[Refusal]) -> String {
    let shown: Vec<String> = refusals
        .iter()
        .map(|refusal| {
            let diagnostic = profile.diagnostic(&refusal.about, format!("{}: {}", refusal.about, refusal.text), refusal.help.clone());
            // One at a time: these are AWS's facts, not mistakes of the profile.
            diagnostic
                .mistakes()
                .iter()
                .map(|mistake| format!("{:?}", miette::Report::new(mistake.clone())))
                .collect::<Vec<_>>()
                .join("\n")
        })
        .collect();
    shown.join("\n")
}
