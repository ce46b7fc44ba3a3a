//! Journals on disk: one file a run, by endpoint and account, one lock for both.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::record::{Owner, Record, Started, VERSION};
use super::store::{Journal, JournalError, Store};

/// The journals of one endpoint and account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

/// One journal that was found, or why it cannot be used.
pub struct Found {
    /// Its file.
    pub path: PathBuf,
    /// The journal.
    pub journal: Result<Journal, JournalError>,
}

/// Held for the life of `prepare`, `cleanup` and `test`. The system lets go of it when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Folder {
    /// Where all state lives: `$XDG_STATE_HOME/tidegate`, else `~/.local/state/tidegate`.
    pub fn root() -> Result<PathBuf, JournalError> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        set("XDG_STATE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| set("HOME").map(|home| home.join(".local/state")))
            .map(|state| state.join("tidegate"))
            .ok_or(JournalError::NoHome)
    }

    /// The folder of an endpoint (`None` is AWS itself) and account.
    #[must_use]
    pub fn of(root: &Path, endpoint: Option<&str>, account: &str) -> Self {
        let endpoint = endpoint.map_or_else(|| "aws".to_owned(), file_name);
        Self {
            path: root.join(endpoint).join(file_name(account)),
        }
    }

    /// Every folder under the root, whatever its endpoint and account.
    pub fn all(root: &Path) -> Result<Vec<Self>, JournalError> {
        let mut folders = Vec::new();
        for endpoint in entries(root)? {
            for account in if endpoint.is_dir() { entries(&endpoint)? } else { Vec::new() } {
                if account.is_dir() {
                    folders.push(Self { path: account });
                }
            }
        }
        Ok(folders)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock, or says who has it. Creates the folder.
    pub fn lock(&self, owner: &Owner) -> Result<Lock, JournalError> {
        self.create_folder()?;
        let path = self.path.join("lock");
        // A disk that takes no more bytes must not keep cleanup away: the lock works on a file that is only read.
        let opened = options()
            .read(true)
            .truncate(false)
            .open(&path)
            .or_else(|error| File::open(&path).map_err(|_| error));
        let mut file = opened.map_err(|source| JournalError::Open {
            path: path.clone(),
            source,
        })?;
        if !try_lock(&file) {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(|source| JournalError::Read {
                path: path.clone(),
                source,
            })?;
            let holder = match holder.trim() {
                "" => "another tidegate".to_owned(),
                holder => holder.to_owned(),
            };
            return Err(JournalError::Locked { path, holder });
        }
        // Only for people: the lock holds without a name in it.
        let _ = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}@{} (pid {})", owner.user, owner.host, owner.pid));
        Ok(Lock { _file: file })
    }

    /// Whether somebody holds the lock. Writes nothing, so it also works where nothing may be written.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        File::open(self.path.join("lock")).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Begins the journal of a run; the name must be new.
    pub fn begin(&self, started: Started) -> Result<Journal, JournalError> {
        self.create_folder()?;
        let path = self.path.join(format!("{}.jsonl", file_name(&started.run)));
        let file = options().create_new(true).open(&path).map_err(|source| JournalError::Open {
            path: path.clone(),
            source,
        })?;
        // The names must survive a power cut, not only the content: the file's, and those of folders just made.
        for folder in self.path.ancestors().take(4).filter(|folder| folder.is_dir()) {
            sync_folder(folder)?;
        }
        Journal::begin(
            started,
            Box::new(FileStore {
                path,
                file,
                durable: 0,
                torn: false,
            }),
        )
    }

    /// All journals, oldest first. Those that cannot be used come with the reason.
    pub fn journals(&self) -> Result<Vec<Found>, JournalError> {
        let mut paths: Vec<PathBuf> = entries(&self.path)?
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ext| ext == "jsonl"))
            .collect();
        paths.sort();
        Ok(paths
            .into_iter()
            .filter_map(|path| open(&path).transpose().map(|journal| Found { path, journal }))
            .collect())
    }

    fn create_folder(&self) -> Result<(), JournalError> {
        let create = |source| JournalError::Folder {
            path: self.path.clone(),
            source,
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(create)
    }
}

/// Tries more than once: `status` holds the lock shared for an instant.
fn try_lock(file: &File) -> bool {
    (0..50).any(|_| {
        let locked = file.try_lock().is_ok();
        if !locked {
            std::thread::yield_now();
        }
        locked
    })
}

/// Reads a journal. `None` when nothing of it was ever durable: a run that died before its first line did nothing.
fn open(path: &Path) -> Result<Option<Journal>, JournalError> {
    let read = |source| JournalError::Read {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read(path).map_err(read)?;
    // A line is only there with its newline: what follows the last one was torn by a crash.
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut records = Vec::new();
    for (index, line) in text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
        records.push(parse(path, index + 1, line)?);
    }
    let Some(Record::Started(started)) = records.first().cloned() else {
        return if records.is_empty() {
            Ok(None)
        } else {
            Err(line_error(path, 1, "the first line is not `started`"))
        };
    };
    Ok(Some(Journal::resume(
        started,
        records,
        Box::new(Lazy {
            path: path.to_owned(),
            whole: whole as u64,
            open: None,
        }),
    )))
}

fn parse(path: &Path, line: usize, text: &[u8]) -> Result<Record, JournalError> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    // The version is looked at first: a newer format need not parse as ours.
    if line == 1
        && let Ok(Versioned { version }) = serde_json::from_slice::<Versioned>(text)
        && version > VERSION
    {
        return Err(JournalError::Newer {
            path: path.to_owned(),
            found: version,
            known: VERSION,
        });
    }
    serde_json::from_slice(text).map_err(|error| line_error(path, line, &error.to_string()))
}

fn line_error(path: &Path, line: usize, reason: &str) -> JournalError {
    JournalError::Line {
        path: path.to_owned(),
        line,
        reason: reason.to_owned(),
    }
}

/// What a journal is written to: bytes, and the promise that they survive a power cut.
trait Durable: Write + Send {
    /// Returns only when everything written so far would survive.
    fn sync(&self) -> std::io::Result<()>;

    /// Forgets what was written after the first `length` bytes.
    fn cut(&mut self, length: u64) -> std::io::Result<()>;
}

impl Durable for File {
    fn sync(&self) -> std::io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> std::io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(|_| ())
    }
}

struct FileStore<F> {
    path: PathBuf,
    file: F,
    /// Length of the records that are durable.
    durable: u64,
    /// A write failed: half a line may stand behind the durable ones.
    torn: bool,
}

impl<F: Durable> Store for FileStore<F> {
    fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        let write = |source| JournalError::Write {
            path: self.path.clone(),
            source,
        };
        let mut line = serde_json::to_vec(record).map_err(|error| write(error.into()))?;
        line.push(b'\n');
        if self.torn {
            // Or the next record would be glued to the half line, and the whole journal unreadable.
            self.file.cut(self.durable).map_err(write)?;
        }
        self.torn = true;
        self.file.write_all(&line).map_err(write)?;
        self.file.sync().map_err(|source| JournalError::Sync {
            path: self.path.clone(),
            source,
        })?;
        self.torn = false;
        self.durable += line.len() as u64;
        Ok(())
    }
}

/// A journal that was read is opened for writing, and its torn tail cut, only when something is written: `status` must
/// work on a folder that it may not write.
struct Lazy {
    path: PathBuf,
    whole: u64,
    open: Option<FileStore<File>>,
}

impl Store for Lazy {
    fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        if self.open.is_none() {
            let open = |source| JournalError::Open {
                path: self.path.clone(),
                source,
            };
            let mut file = OpenOptions::new().write(true).open(&self.path).map_err(open)?;
            file.set_len(self.whole).map_err(open)?;
            file.seek(SeekFrom::End(0)).map_err(open)?;
            self.open = Some(FileStore {
                path: self.path.clone(),
                file,
                durable: self.whole,
                torn: false,
            });
        }
        match &mut self.open {
            Some(store) => store.append(record),
            None => Ok(()),
        }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn entries(path: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let read = |source| JournalError::Read {
        path: path.to_owned(),
        source,
    };
    match std::fs::read_dir(path) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path()).map_err(read)).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(read(error)),
    }
}

fn sync_folder(path: &Path) -> Result<(), JournalError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| JournalError::Sync {
            path: path.to_owned(),
            source,
        })
}

/// A name that is safe as one path component.
fn file_name(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
                c
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::setting::{Setting, State};
    use crate::units::Timestamp;

    fn owner() -> Owner {
        Owner {
            user: "maya".into(),
            host: "laptop".into(),
            pid: 7,
        }
    }

    fn started(version: u32) -> Started {
        Started {
            version,
            run: "r1".into(),
            profile: "p".into(),
            account: "1".into(),
            region: "eu-west-1".into(),
            endpoint: None,
            tool: "t".into(),
            in_doubt_seconds: 30.0,
            owner: owner(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn intent(step: u64) -> Record {
        Record::Intent {
            step,
            way: super::super::Way::Apply,
            setting: Setting::LambdaReserved { function: "f".into() },
            identity: String::new(),
            before: State::Absent,
            to: State::Reserved { limit: 1 },
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn only(folder: &Folder) -> Result<Journal, JournalError> {
        folder.journals().unwrap().pop().unwrap().journal
    }

    #[test]
    fn what_was_written_is_read_again_from_private_files() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::of(root.path(), Some("http://127.0.0.1:4566"), "1");
        let mut journal = folder.begin(started(VERSION)).unwrap();
        let step = journal.next_step();
        journal.append(intent(step)).unwrap();
        let read = only(&folder).unwrap();
        assert_eq!(read.records(), journal.records());
        let path = folder.journals().unwrap().pop().unwrap().path;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(Folder::all(root.path()).unwrap(), [folder]);
    }

    /// A disk that loses what was not synced.
    #[derive(Clone, Default)]
    struct Forgetful(std::sync::Arc<std::sync::Mutex<(Vec<u8>, usize)>>);

    impl Write for Forgetful {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Durable for Forgetful {
        fn sync(&self) -> std::io::Result<()> {
            let mut disk = self.0.lock().unwrap();
            disk.1 = disk.0.len();
            Ok(())
        }

        fn cut(&mut self, length: u64) -> std::io::Result<()> {
            self.0.lock().unwrap().0.truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    /// A disk that is full after some bytes, until it is given room.
    struct Full(Forgetful, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.1 == 0 {
                return Err(std::io::Error::other("no space left"));
            }
            let fits = bytes.len().min(self.1);
            self.1 -= fits;
            self.0.write(&bytes[..fits])
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Durable for Full {
        fn sync(&self) -> std::io::Result<()> {
            self.0.sync()
        }

        fn cut(&mut self, length: u64) -> std::io::Result<()> {
            self.0.cut(length)
        }
    }

    #[test]
    fn half_a_line_of_a_full_disk_does_not_spoil_the_journal() {
        let disk = Forgetful::default();
        let line = serde_json::to_vec(&intent(1)).unwrap().len();
        let mut store = FileStore {
            path: "journal".into(),
            file: Full(disk.clone(), line + 20),
            durable: 0,
            torn: false,
        };
        store.append(&intent(1)).unwrap();
        store.append(&intent(2)).unwrap_err();
        store.file.1 = 10_000;
        store.append(&intent(3)).unwrap();
        let text = String::from_utf8(disk.0.lock().unwrap().0.clone()).unwrap();
        let steps: Vec<Record> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(steps, [intent(1), intent(3)]);
    }

    #[test]
    fn a_record_survives_a_power_cut_as_soon_as_append_returns() {
        let disk = Forgetful::default();
        let mut store = FileStore {
            path: "journal".into(),
            file: disk.clone(),
            durable: 0,
            torn: false,
        };
        for step in 1..4 {
            store.append(&intent(step)).unwrap();
            let (written, synced) = disk.0.lock().unwrap().clone();
            let survived: Vec<Record> = written[..synced]
                .split_inclusive(|byte| *byte == b'\n')
                .map(|line| serde_json::from_slice(line).unwrap())
                .collect();
            assert_eq!(survived.len() as u64, step);
        }
    }

    #[test]
    fn a_file_that_cannot_be_synced_fails_the_append() {
        // The system writes to it, and refuses to sync it: the only way to see from here that a sync is asked for.
        let mut store = FileStore {
            path: "journal".into(),
            file: OpenOptions::new().write(true).open("/dev/null").unwrap(),
            durable: 0,
            torn: false,
        };
        assert!(matches!(store.append(&intent(1)), Err(JournalError::Sync { .. })));
    }

    #[test]
    fn a_torn_last_line_is_cut_before_the_next_record() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::of(root.path(), None, "1");
        folder.begin(started(VERSION)).unwrap();
        let path = folder.journals().unwrap().pop().unwrap().path;
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"record\":\"intent\",\"st")
            .unwrap();
        let mut journal = only(&folder).unwrap();
        assert_eq!(journal.records().len(), 1);
        journal.append(intent(1)).unwrap();
        assert_eq!(only(&folder).unwrap().records().len(), 2);
    }

    #[test]
    fn a_bad_line_elsewhere_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::of(root.path(), None, "1");
        let mut journal = folder.begin(started(VERSION)).unwrap();
        journal.append(intent(1)).unwrap();
        let path = folder.journals().unwrap().pop().unwrap().path;
        let text = std::fs::read_to_string(&path).unwrap().replacen("\n{", "\nrubbish\n{", 1);
        std::fs::write(&path, text).unwrap();
        assert!(matches!(only(&folder), Err(JournalError::Line { line: 2, .. })));
    }

    #[test]
    fn a_newer_version_is_refused_even_when_it_does_not_parse() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::of(root.path(), None, "1");
        folder.begin(started(VERSION)).unwrap();
        let path = folder.journals().unwrap().pop().unwrap().path;
        std::fs::write(&path, "{\"version\":2,\"unheard\":true}\n").unwrap();
        assert!(matches!(only(&folder), Err(JournalError::Newer { found: 2, .. })));
    }

    #[test]
    fn a_second_process_is_told_who_holds_the_lock() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::of(root.path(), None, "1");
        let lock = folder.lock(&owner()).unwrap();
        let error = folder.lock(&owner()).unwrap_err();
        assert!(error.to_string().contains("maya@laptop (pid 7)"), "{error}");
        drop(lock);
        folder.lock(&owner()).unwrap();
    }
}
