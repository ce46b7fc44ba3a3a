//! Finding a profile by path or name, the shipped ones included.
//!
//! Owns where profiles are looked for. Knows nothing of what is in them.

use std::path::{Path, PathBuf};

use super::{Diagnostics, Override, Profile, suggest, with_overrides};

/// The profiles that come with tidegate.
const SHIPPED: [(&str, &str); 3] = [
    ("hcg-demo", include_str!("../../profiles/hcg-demo.toml")),
    ("ecs-chatbot", include_str!("../../profiles/ecs-chatbot.toml")),
    ("starter", include_str!("../../profiles/starter.toml")),
];

/// A profile that was found and not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The path, or `NAME (shipped)`.
    pub file_name: String,
    /// Its text.
    pub source: String,
}

/// Why a profile could not be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LibraryError {
    /// There is none of this name.
    #[error("no profile `{name}`")]
    NotFound {
        /// What was asked for.
        name: String,
        /// Where it was looked for, and what ships.
        #[help]
        help: String,
    },
    /// The file is there and cannot be read.
    #[error("cannot read profile `{}`", path.display())]
    #[diagnostic(help("it must be a readable text file"))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file holds mistakes.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mistakes(#[from] Diagnostics),
}

/// The names of the shipped profiles.
pub fn shipped() -> impl Iterator<Item = &'static str> + Clone {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// Finds and reads a profile by path or name, from this directory.
pub fn load(directory: &Path, name: &str, overrides: &[Override]) -> Result<Profile, LibraryError> {
    let found = find(directory, name)?;
    Ok(with_overrides(&found.file_name, &found.source, overrides)?)
}

/// Finds a profile: an existing path, else `NAME.toml`, else `profiles/NAME.toml`, else a shipped one.
pub fn find(directory: &Path, name: &str) -> Result<Found, LibraryError> {
    let candidates = [name.to_owned(), format!("{name}.toml"), format!("profiles/{name}.toml")];
    for candidate in &candidates {
        let path = directory.join(candidate);
        if !name.is_empty() && path.is_file() {
            let source = std::fs::read_to_string(&path).map_err(|source| LibraryError::Read {
                path: PathBuf::from(candidate),
                source,
            })?;
            return Ok(Found {
                file_name: candidate.clone(),
                source,
            });
        }
    }
    if let Some((name, source)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
        return Ok(Found {
            file_name: format!("{name} (shipped)"),
            source: (*source).to_owned(),
        });
    }
    let looked = suggest::list(candidates.iter().map(String::as_str));
    let shipped_help = suggest::help(name, shipped(), "shipped profiles");
    Err(LibraryError::NotFound {
        name: name.to_owned(),
        help: format!("looked for {looked}; {shipped_help}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_before_a_shipped_profile() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(find(directory.path(), "hcg-demo").unwrap().file_name, "hcg-demo (shipped)");
        std::fs::create_dir(directory.path().join("profiles")).unwrap();
        std::fs::write(directory.path().join("profiles/hcg-demo.toml"), "in profiles").unwrap();
        assert_eq!(find(directory.path(), "hcg-demo").unwrap().source, "in profiles");
        std::fs::write(directory.path().join("hcg-demo.toml"), "beside").unwrap();
        assert_eq!(find(directory.path(), "hcg-demo").unwrap().file_name, "hcg-demo.toml");
        assert_eq!(find(directory.path(), "profiles/hcg-demo.toml").unwrap().source, "in profiles");
    }

    #[test]
    fn what_is_not_found_says_where_it_was_looked_for() {
        let directory = tempfile::tempdir().unwrap();
        let LibraryError::NotFound { help, .. } = find(directory.path(), "hcg-dmo").unwrap_err() else {
            panic!("found");
        };
        assert_eq!(
            help,
            "looked for `hcg-dmo`, `hcg-dmo.toml`, `profiles/hcg-dmo.toml`; did you mean `hcg-demo`?"
        );
    }

    #[test]
    fn a_file_that_is_no_text_is_an_error_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("bad.toml"), [0xff, 0xfe]).unwrap();
        let error = find(directory.path(), "bad").unwrap_err();
        assert_eq!(error.to_string(), "cannot read profile `bad.toml`");
    }

    #[test]
    fn every_shipped_profile_is_without_mistakes() {
        let directory = tempfile::tempdir().unwrap();
        for name in shipped() {
            if let Err(error) = load(directory.path(), name, &[]) {
                panic!("{name}: {:?}", miette::Report::new(error));
            }
        }
    }
}
