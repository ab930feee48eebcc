//! The files of a state: created readable by nobody else, locked, and watched while they are in use.

use super::*;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};

/// The process that polls and sends with a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its id, where it could be read.
    pub process: Option<u32>,
}

/// This often, and this long apart, a lock that is held is tried again: [`owner`] holds it for a moment.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Who polls and sends with the state at `path`; `None` where nobody does. Creates nothing.
pub fn owner(path: &Path) -> Option<Owner> {
    let mut file = File::open(beside(&resolved(path), ".lock")).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(Owner { process: holder(&mut file) }),
        // The lock goes with the file; what cannot be locked at all is reported when it is opened.
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// The process that a lock file names.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// A state that may be opened: what is held for as long as it is.
#[derive(Debug)]
pub(super) struct Held {
    /// Says "this process polls and sends", and which process that is.
    _lock: Option<File>,
    /// The state itself. Also locked by its owner, for it may have several names, and each name a lock of its own.
    /// SQLite's own locks are of another kind, and would be lost if this were closed before its connections.
    pub(super) file: File,
}

impl Held {
    /// Creates the file where there is none, and locks it where it is opened as its owner.
    pub(super) async fn take(path: &Path, access: Access) -> Result<Self, StoreError> {
        for _ in 1..LOCK_TRIES {
            match Self::try_take(path, access) {
                Err(StoreError::Locked { .. } | StoreError::OtherName { .. }) => {
                    tokio::time::sleep(LOCK_PAUSE).await
                }
                other => return other,
            }
        }
        Self::try_take(path, access)
    }

    fn try_take(path: &Path, access: Access) -> Result<Self, StoreError> {
        let lock = match access {
            Access::Own => Some(lock_beside(path)?),
            Access::Beside => None,
        };
        let file = open_private(path).map_err(|error| open_error(path, OpenError::File(error)))?;
        match (access, lock_itself(&file)) {
            // Nobody holds the lock beside this name.
            (Access::Own, Err(TryLockError::WouldBlock)) => {
                Err(StoreError::OtherName { path: path.to_owned() })
            }
            (Access::Beside, Err(TryLockError::WouldBlock)) if owner(path).is_none() => {
                Err(StoreError::OtherName { path: path.to_owned() })
            }
            (Access::Beside, Ok(())) => {
                // What cannot be unlocked is when it is closed.
                let _ = file.unlock();
                Ok(Self { _lock: lock, file })
            }
            // Where a file system knows no such locks, the file beside it has to do.
            _ => Ok(Self { _lock: lock, file }),
        }
    }
}

/// Takes the lock on the file beside the state that names this process.
fn lock_beside(path: &Path) -> Result<File, StoreError> {
    let beside = beside(&resolved(path), ".lock");
    let failed = |source| open_error(path, OpenError::Lock { lock: beside.clone(), source });
    let mut file = open_private(&beside).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(failed)?;
            write!(file, "{}", std::process::id()).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Locked { path: path.to_owned(), holder: holder(&mut file) })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Locks the state itself. Not on network file systems, where this lock and those of SQLite are one.
#[cfg(target_os = "linux")]
fn lock_itself(file: &File) -> Result<(), TryLockError> {
    /// NFS, SMB (of two kinds), 9P: statfs(2).
    const NETWORK: [u32; 4] = [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997];
    let kind = rustix::fs::fstatfs(file).map(|found| found.f_type);
    // The type of the number differs from machine to machine; 32 bits of it count.
    match kind {
        Ok(kind) if NETWORK.iter().any(|known| i128::from(*known) == i128::from(kind) & 0xffff_ffff) => {
            Ok(())
        }
        _ => file.try_lock(),
    }
}

#[cfg(not(target_os = "linux"))]
fn lock_itself(_: &File) -> Result<(), TryLockError> {
    Ok(())
}

/// The name that SQLite uses: where links lead to.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Opens a file to read and write; one that is new is readable by nobody else. SQLite gives its -wal and -shm the
/// same mode and owner.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true);
    match private(options.clone().create_new(true)).open(path) {
        Ok(file) => {
            give_away(&file, path);
            Ok(file)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match options.open(path) {
            // A link that leads to nothing exists, too.
            Err(error) if error.kind() == ErrorKind::NotFound => private(options.create(true)).open(path),
            opened => opened,
        },
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// What root creates in the folder of another user belongs to that user, who runs the bridge.
#[cfg(unix)]
fn give_away(file: &File, path: &Path) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let real = resolved(path);
    let Some(folder) = real.parent().and_then(|folder| folder.metadata().ok()) else { return };
    if folder.uid() != 0
        && rustix::process::geteuid().is_root()
        && let Err(error) = fchown(file, Some(folder.uid()), Some(folder.gid()))
    {
        tracing::warn!(file = %real.display(), error = %error, "the new file belongs to root, not to the owner of its folder");
    }
}

#[cfg(not(unix))]
fn give_away(_: &File, _: &Path) {}

/// What tells a file from all others, whatever it is called: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self(0, 0)
    }
}

/// The files of an open state, to see whether they are still in their places.
#[derive(Clone, Debug)]
pub struct Files {
    path: PathBuf,
    known: Vec<(PathBuf, Identity)>,
}

impl Files {
    /// Those of the state at `path`, which is open as `file`.
    pub(super) fn of(path: &Path, file: &File) -> io::Result<Self> {
        let mut known = vec![(path.to_owned(), Identity::of(&file.metadata()?))];
        let log = beside(&resolved(path), "-wal");
        if let Ok(metadata) = log.metadata() {
            known.push((log, Identity::of(&metadata)));
        }
        Ok(Self { path: path.to_owned(), known })
    }

    /// Whether each name still leads to the file that is open.
    ///
    /// # Errors
    /// One was deleted, renamed or replaced: what is written goes to a file that nobody will read again.
    pub fn check(&self) -> Result<(), StoreError> {
        for (name, identity) in &self.known {
            let what = match name.metadata() {
                Ok(metadata) if Identity::of(&metadata) == *identity => continue,
                Ok(_) => FilesFailure::Replaced,
                Err(error) if error.kind() == ErrorKind::NotFound => FilesFailure::Gone,
                // That it cannot be looked at now says nothing about it.
                Err(_) => continue,
            };
            return Err(StoreError::Moved { path: self.path.clone(), file: name.clone(), what });
        }
        Ok(())
    }
}
