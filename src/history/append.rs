//! Adding one line to a history file that other writers may be adding to, too.
//!
//! The file is locked while it is looked at and written, and the line goes out in one write. A writer that was killed
//! leaves a last line without an end: if it is whole it gets its end, else it is moved to `HISTORY.cut`, so that neither
//! it nor the new line is lost.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::line::{self, Line};
use crate::input::open;

/// What became of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its number in the file, from 1.
    pub line: u64,
    /// Whether it was there already and was not written again.
    pub known: bool,
    /// Where an incomplete last line was moved to.
    pub set_aside: Option<PathBuf>,
}

/// Appends a line, and makes the file if there is none. A run whose id is there already is not written again.
pub fn append(path: &Path, line: &Line) -> anyhow::Result<Appended> {
    append_locked(path, line).with_context(|| format!("cannot record in `{}`", path.display()))
}

/// Why nothing can be added to a file, if so; nothing is changed. A file that is not there yet can be made.
pub fn refused(path: &Path) -> Option<String> {
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
            let there = folder.is_none_or(Path::is_dir);
            return (!there).then(|| "its folder does not exist".to_owned());
        }
        Err(error) => return Some(format!("cannot look at it: {error}")),
    };
    if !about.is_file() {
        let what = if about.is_dir() {
            "a folder"
        } else {
            "a device or a pipe"
        };
        return Some(format!(
            "it is {what}, and a history is a file that is read again"
        ));
    }
    let opened = OpenOptions::new().read(true).append(true).open(path);
    let mut start = Vec::new();
    let read = opened.and_then(|file| {
        let mut lines = std::io::BufReader::new(file);
        std::io::BufRead::read_until(&mut lines, b'\n', &mut start)
    });
    match read {
        Err(error) => Some(format!("cannot open it to be read and added to: {error}")),
        Ok(_) => foreign(&start).map(str::to_owned),
    }
}

/// Why a file that begins with this line, or with a part of it, is not a history.
fn foreign(start: &[u8]) -> Option<&'static str> {
    let whole = start.strip_suffix(b"\n");
    let is_ours = match whole {
        Some(line) => line::is_history(&String::from_utf8_lossy(line)),
        None => start.is_empty() || line::begins(start),
    };
    (!is_ours).then_some("its first line is not that of a history")
}

fn append_locked(path: &Path, new: &Line) -> anyhow::Result<Appended> {
    if let Err(problem) = open::refuse_all_but_files(path) {
        bail!("{}", problem.message);
    }
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    // Waits for other writers; let go when the file is closed.
    file.lock()?;
    let mut bytes = Vec::new();
    open::read_whole(&mut file, &mut bytes, "a history")?;
    let first = bytes.split_inclusive(|b| *b == b'\n').next();
    if let Some(why) = foreign(first.unwrap_or_default()) {
        bail!("{why}; name another file, or the one that `--record` made");
    }
    let set_aside = repair(path, &mut file, &mut bytes)?;
    if let Some(line) = known(&bytes, new) {
        return Ok(Appended {
            line,
            known: true,
            set_aside,
        });
    }
    let text = line::write(new)?;
    let end = bytes.len() as u64;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_data());
    if let Err(error) = written {
        // A full disk: take back what part of the line is there.
        file.set_len(end)?;
        return Err(error.into());
    }
    let before = bytes.split(|b| *b == b'\n').count() as u64 - 1;
    Ok(Appended {
        line: before + 1,
        known: false,
        set_aside,
    })
}

/// Makes the file end with the end of a line.
fn repair(path: &Path, file: &mut File, bytes: &mut Vec<u8>) -> anyhow::Result<Option<PathBuf>> {
    let start = bytes
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |end| end + 1);
    let rest = &bytes[start..];
    if rest.is_empty() {
        return Ok(None);
    }
    let complete = std::str::from_utf8(rest).is_ok_and(|text| line::read(text, "", 1).is_ok());
    if complete {
        file.write_all(b"\n")?;
        bytes.push(b'\n');
        return Ok(None);
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".cut");
    let aside = PathBuf::from(name);
    let mut kept = OpenOptions::new().append(true).create(true).open(&aside)?;
    kept.write_all(&[rest, b"\n"].concat())?;
    kept.sync_data()?;
    file.set_len(start as u64)?;
    file.seek(SeekFrom::End(0))?;
    bytes.truncate(start);
    Ok(Some(aside))
}

/// The number of the line that holds this run already.
fn known(bytes: &[u8], new: &Line) -> Option<u64> {
    let Line::Run(entry) = new else {
        return None;
    };
    let has = |line: &[u8]| {
        #[derive(serde::Deserialize)]
        struct Id {
            id: String,
        }
        memchr::memmem::find(line, entry.id.as_bytes()).is_some()
            && serde_json::from_slice(line).is_ok_and(|of: Id| of.id == entry.id)
    };
    let found = bytes.split(|b| *b == b'\n').position(has)?;
    Some(found as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::entry::tests::entry;

    fn run(commit: &str) -> Line {
        Line::Run(Box::new(entry(20, commit)))
    }

    fn in_new_folder() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        (dir, path)
    }

    #[test]
    fn lines_are_added_and_a_known_run_is_not() {
        let (_dir, path) = in_new_folder();
        assert_eq!(append(&path, &run("a")).unwrap().line, 1);
        assert_eq!(append(&path, &run("b")).unwrap().line, 2);
        let again = append(&path, &run("a")).unwrap();
        assert_eq!((again.line, again.known), (1, true));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn a_cut_line_is_kept_aside() {
        let (_dir, path) = in_new_folder();
        append(&path, &run("a")).unwrap();
        let cut = line::write(&run("b")).unwrap()[..90].to_owned();
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{cut}")).unwrap();
        let appended = append(&path, &run("c")).unwrap();
        let aside = appended.set_aside.unwrap();
        assert_eq!(appended.line, 2);
        assert_eq!(std::fs::read_to_string(aside).unwrap(), cut + "\n");
        let lines = std::fs::read_to_string(&path).unwrap();
        assert!(lines.lines().all(line::is_history) && lines.starts_with(&whole));
    }

    #[test]
    fn a_whole_line_without_an_end_gets_one() {
        let (_dir, path) = in_new_folder();
        std::fs::write(&path, line::write(&run("a")).unwrap().trim_end()).unwrap();
        let appended = append(&path, &run("b")).unwrap();
        assert_eq!((appended.line, appended.set_aside), (2, None));
    }

    #[test]
    fn another_file_is_left_alone() {
        let (_dir, path) = in_new_folder();
        for text in ["{\"a\":1}\n", "notes without an end"] {
            std::fs::write(&path, text).unwrap();
            assert!(append(&path, &run("a")).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn what_cannot_be_added_to_is_told_before() {
        let (dir, path) = in_new_folder();
        assert_eq!(refused(&path), None);
        assert!(!path.exists(), "nothing is made by looking");
        append(&path, &run("a")).unwrap();
        assert_eq!(refused(&path), None);
        assert!(refused(dir.path()).unwrap().contains("a folder"));
        assert!(refused(Path::new("/dev/null")).unwrap().contains("device"));
        let below = path.join("history.jsonl");
        assert!(refused(&below).is_some());
        let nowhere = dir.path().join("none/history.jsonl");
        assert!(refused(&nowhere).unwrap().contains("folder does not exist"));
        let other = dir.path().join("other");
        for text in ["{\"a\":1}\n", "notes", "\u{0}\n"] {
            std::fs::write(&other, text).unwrap();
            assert!(refused(&other).unwrap().contains("first line"), "{text}");
        }
    }

    #[test]
    fn many_writers_lose_nothing() {
        let (_dir, path) = in_new_folder();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for i in 0..10 {
                        append(path, &run(&format!("{writer}-{i}"))).unwrap();
                    }
                });
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().filter(|l| line::is_history(l)).count(), 40);
    }
}
