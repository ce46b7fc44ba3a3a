//! Recordings on disk, so that a killed run can still be reported.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::error::LoadError;
use super::recording::Recording;

/// The file's name in a window directory.
const NAME: &str = "recording.json";

impl Recording {
    /// Where the record of a run is kept while it goes on.
    #[must_use]
    pub fn path(directory: &Path) -> PathBuf {
        directory.join(NAME)
    }

    /// Writes the record beside its place and then puts it there, so that a reader never sees half of it.
    pub fn save(&self, path: &Path) -> Result<(), LoadError> {
        let beside = path.with_extension("json.new");
        let failed = |step| {
            let path = path.to_owned();
            move |source: io::Error| LoadError::Store { step, path, source }
        };
        let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside);
        let mut file = BufWriter::new(open.map_err(failed("create"))?);
        serde_json::to_writer(&mut file, self).map_err(|error| failed("write")(error.into()))?;
        file.flush().map_err(failed("write"))?;
        file.get_ref().sync_all().map_err(failed("sync"))?;
        fs::rename(&beside, path).map_err(failed("rename"))
    }

    /// Reads a record.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let file = File::open(path).map_err(|source| LoadError::Store {
            step: "read",
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_reader(BufReader::new(file)).map_err(|source| LoadError::Format {
            path: path.to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::testing;
    use super::*;

    #[test]
    fn a_recording_comes_back_as_it_was_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = Recording::path(directory.path());
        let recording = testing::recording();
        recording.save(&path).unwrap();
        recording.save(&path).unwrap();
        let read = Recording::load(&path).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&recording).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        // What was read merges like what was recorded.
        let (_, cell) = &read.cells[0];
        assert_eq!(cell.response_all().len(), cell.counts.ended());
    }

    #[test]
    fn what_is_missing_or_torn_is_an_error_with_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = Recording::path(directory.path());
        assert!(matches!(Recording::load(&path), Err(LoadError::Store { step: "read", .. })));
        fs::write(&path, "{\"started\":").unwrap();
        assert!(matches!(Recording::load(&path), Err(LoadError::Format { .. })));
    }
}
