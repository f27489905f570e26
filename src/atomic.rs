//! Files that are whole or not there: written beside their place, then renamed into it.
//!
//! Devices, pipes and open files cannot be replaced; they are written into. Symbolic links are followed: what they lead to is
//! replaced, and they stay.
//!
//! A program that is killed leaves its draft. Drafts are locked while they are written and carry the name of what they will
//! be, so that whoever writes there next takes away those whose writer is gone.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::interrupt;
use crate::place::{Place, folder};

/// What drafts are called: `.loadgate-report.html-4f2a9c`.
const PREFIX: &str = ".loadgate-";
/// Random characters at the end of a draft's name.
const RANDOM: usize = 6;
/// Longest part of a name that is taken over: file names end at 255 bytes.
const LONGEST_NAME: usize = 200;
/// Times that a draft is begun anew because another program took it for a dead one's.
const TRIES: usize = 20;

/// A file on its way to its place.
#[derive(Debug)]
pub enum Draft {
    /// Beside its place, to be renamed.
    Beside(NamedTempFile, PathBuf),
    /// Written into where it is.
    Open(File),
    /// To standard error.
    Stderr,
}

impl Draft {
    /// Begins to write to a path. Standard output is not a path: whoever holds it writes to it.
    pub fn begin(path: &Path) -> io::Result<Self> {
        match Place::of(path)? {
            Place::Stderr => Ok(Self::Stderr),
            // What stands in a file that somebody holds open stays.
            Place::Open(path) => Ok(Self::Open(
                OpenOptions::new()
                    .append(path.metadata().is_ok_and(|about| about.is_file()))
                    .write(true)
                    .open(path)?,
            )),
            Place::File(end) => Ok(Self::Beside(beside(&end)?, end)),
            Place::Folder => Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "a folder is in the way",
            )),
            Place::Stdout => Err(io::Error::other("it is standard output")),
        }
    }

    /// Where to write.
    pub fn file(&self) -> io::Result<File> {
        match self {
            Self::Beside(file, _) => file.as_file().try_clone(),
            Self::Open(file) => file.try_clone(),
            Self::Stderr => Err(io::Error::other("standard error is no file")),
        }
    }

    /// Writes all of a text.
    pub fn write(&mut self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Beside(file, _) => file.write_all(text),
            Self::Open(file) => unless_nobody_reads(file.write_all(text)),
            Self::Stderr => unless_nobody_reads(io::stderr().lock().write_all(text)),
        }
    }

    /// Gives the file its name, over what is there.
    pub fn keep(self) -> io::Result<()> {
        if let Self::Beside(file, end) = self {
            // Who may read what was there may read what replaces it, and nobody else.
            if let Ok(about) = std::fs::metadata(&end) {
                file.as_file().set_permissions(about.permissions())?;
            }
            file.persist(&end)?;
        }
        Ok(())
    }

    /// Takes away what the file will replace, where its permissions need not be kept.
    pub fn make_room(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Beside(_, end) if end == path && end.exists() => std::fs::remove_file(end),
            _ => Ok(()),
        }
    }

    /// Gives the file its name, unless there is a file by that name now.
    pub fn keep_if_new(self) -> io::Result<()> {
        if let Self::Beside(file, end) = self {
            file.persist_noclobber(&end)?;
        }
        Ok(())
    }
}

/// A reader that has seen enough (`| head`) is no fault of ours.
pub fn unless_nobody_reads(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = Draft::begin(path)?;
    draft.write(text.as_bytes())?;
    draft.keep()
}

/// Whether a file could be written here, found out by beginning one.
pub fn try_out(path: &Path) -> io::Result<()> {
    match Place::of(path)? {
        Place::File(end) => beside(&end).map(drop),
        Place::Folder => Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "a folder is in the way",
        )),
        // To open a pipe is to wait for its reader.
        Place::Stdout | Place::Stderr | Place::Open(_) => Ok(()),
    }
}

/// A locked draft in the folder where the finished file will be, as a rename does not cross file systems.
fn beside(end: &Path) -> io::Result<NamedTempFile> {
    clear(end);
    let mut builder = tempfile::Builder::new();
    let prefix = format!("{PREFIX}{}-", short_name(end));
    builder.prefix(&prefix).rand_bytes(RANDOM);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file: the umask takes away what the user does not want.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    for _ in 0..TRIES {
        let file = interrupt::remember(|| builder.tempfile_in(folder(end)))?;
        if !cfg!(unix) {
            return Ok(file);
        }
        // Where files cannot be locked, no draft is ever taken away.
        let _ = file.as_file().lock();
        // Between its making and its lock another program may have taken it away.
        if file.path().exists() {
            return Ok(file);
        }
    }
    Err(io::Error::other(
        "another program takes away what is begun here",
    ))
}

/// The name of a file as far as it fits into the name of its draft.
fn short_name(end: &Path) -> String {
    let name = end.file_name().unwrap_or_default().to_string_lossy();
    let mut at = name.len().min(LONGEST_NAME);
    while !name.is_char_boundary(at) {
        at -= 1;
    }
    name[..at].to_owned()
}

/// Takes away drafts of this file whose writers were killed: their locks went with them.
pub fn clear(end: &Path) {
    if !cfg!(unix) {
        return;
    }
    let prefix = format!("{PREFIX}{}-", short_name(end));
    let Ok(entries) = std::fs::read_dir(folder(end)) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_draft = name
            .to_str()
            .and_then(|name| name.strip_prefix(&prefix))
            .is_some_and(|rest| {
                rest.len() == RANDOM && rest.bytes().all(|b| b.is_ascii_alphanumeric())
            });
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_draft && is_file {
            // What cannot be opened or removed belongs to somebody else, and harms nothing.
            let _ = remove_if_dead(&entry.path());
        }
    }
}

fn remove_if_dead(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).open(path)?;
    if file.try_lock().is_ok() {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(dir)
            .expect("a folder")
            .map(|e| {
                e.expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_dead_writers_draft_is_taken_away_and_a_living_ones_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let report = dir.path().join("report.html");
        std::fs::write(dir.path().join(".loadgate-report.html-dEad01"), "half").expect("writes");
        std::fs::write(dir.path().join(".loadgate-report.json-dEad01"), "half").expect("writes");
        std::fs::write(dir.path().join(".loadgate-report.html-notes.txt"), "mine").expect("writes");
        let living = Draft::begin(&report).expect("begins");
        write(&report, "whole").expect("writes");
        let Draft::Beside(file, _) = &living else {
            panic!("a file is written beside its place");
        };
        let still = file
            .path()
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let mut expected = vec![
            ".loadgate-report.html-notes.txt".to_owned(),
            ".loadgate-report.json-dEad01".to_owned(),
            still,
            "report.html".to_owned(),
        ];
        expected.sort();
        assert_eq!(names(dir.path()), expected);
    }

    #[test]
    fn links_are_followed_and_stay() {
        let dir = tempfile::tempdir().expect("a folder");
        let other = tempfile::tempdir().expect("a folder");
        let link = dir.path().join("report.md");
        for target in ["there", "not-yet"] {
            let target = other.path().join(target);
            if target.ends_with("there") {
                std::fs::write(&target, "old").expect("writes");
            }
            std::os::unix::fs::symlink(&target, &link).expect("links");
            write(&link, "new").expect("writes");
            assert!(link.symlink_metadata().expect("is there").is_symlink());
            assert_eq!(std::fs::read_to_string(&target).expect("reads"), "new");
            std::fs::remove_file(&link).expect("removes");
        }
    }

    #[test]
    fn who_may_read_stays_the_same() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        std::fs::write(&path, "old").expect("writes");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("sets");
        write(&path, "new").expect("writes");
        let mode = std::fs::metadata(&path)
            .expect("is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn devices_are_written_into() {
        write(Path::new("/dev/null"), "text").expect("takes all");
        let full = write(Path::new("/dev/full"), "text").expect_err("takes nothing");
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert!(write(Path::new("/"), "text").is_err());
    }

    #[test]
    fn a_long_name_has_a_draft() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ü".repeat(120));
        write(&path, "text").expect("writes");
        assert_eq!(names(dir.path()).len(), 1);
    }
}

/// A file without a name, for what has to be kept while the program runs: nothing of it stays behind, however it ends.
pub fn unnamed() -> std::io::Result<std::fs::File> {
    tempfile::tempfile()
}
