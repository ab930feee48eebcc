//! The contents of the watched files, for comparison: a mounted file is often replaced without any event.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// No file of a configuration is larger; of what is, only so much is compared.
const LIMIT_BYTES: u64 = 4 * 1024 * 1024;
/// A folder with more entries holds no templates.
const LIMIT_ENTRIES: usize = 10_000;

/// What a set of paths held at one moment, as hashes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contents(BTreeMap<PathBuf, Content>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    File([u8; 32]),
    /// The names in it.
    Folder([u8; 32]),
    /// A pipe or a device: reading it again would not give the same, or wait for ever.
    Other,
    Unreadable(ErrorKind),
}

impl Contents {
    /// What `paths` hold now. Symbolic links are followed, so that what they are swapped for is seen.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        Self(paths.into_iter().map(|path| (path.clone(), content(path))).collect())
    }

    /// What the same paths hold now.
    pub fn again(&self) -> Self {
        Self::of(self.0.keys())
    }

    /// The paths that are not as in `before`, and can be read: what cannot be may not be the name of a file at
    /// all, but a secret in its place.
    pub fn changed_since(&self, before: &Self) -> Vec<&Path> {
        let changed = self.0.iter().filter(|(path, content)| {
            !matches!(content, Content::Unreadable(_)) && before.0.get(*path) != Some(content)
        });
        changed.map(|(path, _)| path.as_path()).collect()
    }

    /// Whether all of it can be read a second time.
    pub(super) fn can_be_read_again(&self) -> bool {
        !self.0.values().any(|content| *content == Content::Other)
    }
}

/// Prints neither hashes of secrets nor a secret that was written in place of a file name.
impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contents of {} paths", self.0.len())
    }
}

fn content(path: &Path) -> Content {
    let read = || -> std::io::Result<Content> {
        let kind = std::fs::metadata(path)?.file_type();
        if kind.is_dir() {
            return folder(path);
        }
        if !kind.is_file() {
            return Ok(Content::Other);
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(LIMIT_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(Content::File(Sha256::digest(&bytes).into()))
    };
    read().unwrap_or_else(|error| Content::Unreadable(error.kind()))
}

fn folder(path: &Path) -> std::io::Result<Content> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)?.take(LIMIT_ENTRIES + 1) {
        names.push(entry?.file_name());
    }
    if names.len() > LIMIT_ENTRIES {
        return Ok(Content::Other);
    }
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name.as_encoded_bytes());
        // No name holds it.
        hash.update([0]);
    }
    Ok(Content::Folder(hash.finalize().into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_holds_counts_and_not_when_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let (file, missing) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&file, "one").unwrap();
        let first = Contents::of([&file, &missing]);
        std::fs::write(&file, "one").unwrap();
        assert_eq!(first.again(), first);
        std::fs::write(&file, "two").unwrap();
        assert_eq!(first.again().changed_since(&first), [file.as_path()]);
        std::fs::write(&file, "one").unwrap();
        std::fs::write(&missing, "").unwrap();
        assert_eq!(first.again().changed_since(&first), [missing.as_path()]);
        std::fs::remove_file(&file).unwrap();
        assert!(first.again() != first && !first.again().changed_since(&first).contains(&file.as_path()));
    }

    #[test]
    fn a_new_file_is_a_change_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_path_buf();
        let first = Contents::of([&path]);
        std::fs::write(path.join("review.json"), "{}").unwrap();
        assert_ne!(first.again(), first);
    }

    #[cfg(unix)]
    #[test]
    fn a_swapped_link_is_a_change_and_a_device_is_never_read() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        for (name, text) in [("old", "1"), ("new", "2")] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("secret"), text).unwrap();
        }
        std::os::unix::fs::symlink("old", &link).unwrap();
        let secret = link.join("secret");
        let first = Contents::of([&secret]);
        let staged = folder.path().join("staged");
        std::os::unix::fs::symlink("new", &staged).unwrap();
        std::fs::rename(&staged, &link).unwrap();
        assert_ne!(first.again(), first);
        let endless = Contents::of([&PathBuf::from("/dev/zero")]);
        assert!(!endless.can_be_read_again() && endless.again() == endless && first.can_be_read_again());
    }

    #[test]
    fn nothing_of_them_is_printed() {
        assert_eq!(format!("{:?}", Contents::of([&PathBuf::from("s3cret")])), "Contents of 1 paths");
    }
}
