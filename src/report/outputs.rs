//! Where reports of one kind are written: found out before anything is read, written whole or not at all.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use super::no_verdict::NoVerdict;
use crate::atomic::{self, Draft};
use crate::diagnostic::{Diagnostic, Origin};
use crate::place::{FileId, Place, folder, shown};

/// How much of a file is looked at to know it as a report of ours.
const HEAD: u64 = 4096;

/// Renders one report of `T`.
pub type Render<T> = fn(&T) -> anyhow::Result<String>;

/// A kind of report.
pub struct Format<T> {
    /// Its name in the folder of all reports; empty if it has no place there.
    pub name: &'static str,
    /// Renders it.
    pub render: Render<T>,
    /// What becomes of it when there is no verdict.
    pub without: Without,
}

impl<T> Clone for Format<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Format<T> {}

/// What becomes of a report when there is no verdict: one of an earlier run must not be taken for this one's.
#[derive(Clone, Copy)]
pub enum Without {
    /// It tells the problems instead.
    Tell(Render<NoVerdict>),
    /// It cannot say so, so it is removed, if what stands there is known to be one of ours.
    Remove(fn(&str) -> bool),
}

/// The reports that are to be written; `-` is standard output.
pub struct Outputs<T> {
    folder: Option<PathBuf>,
    all: Vec<(PathBuf, Format<T>)>,
}

impl<T> Outputs<T> {
    /// Every format and the path it was given; those that have a name go into `out` as well, if there is one.
    pub fn new(out: Option<&Path>, formats: &[(Format<T>, Option<&Path>)]) -> Self {
        let mut all = Vec::new();
        for (format, named) in formats {
            let standard = out.filter(|_| !format.name.is_empty());
            all.extend(standard.map(|dir| (dir.join(format.name), *format)));
            all.extend(named.map(|path| (path.to_path_buf(), *format)));
        }
        Self {
            folder: out.map(Path::to_path_buf),
            all,
        }
    }

    /// Every path that is written.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.all.iter().map(|(path, _)| path.as_path())
    }

    /// Whether a report takes standard output.
    pub fn uses_stdout(&self) -> bool {
        self.paths().any(is_stdout)
    }

    /// Finds what cannot be written.
    pub fn check(&self) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        if let Some(dir) = &self.folder
            && !dir.is_dir()
            && let Err(error) = std::fs::create_dir_all(dir)
        {
            problems.push(not_writable(
                dir,
                &format!("cannot create the folder: {error}"),
            ));
        }
        for path in self.paths() {
            let in_folder = self.folder.as_deref() == Some(folder(path));
            if !in_folder || problems.is_empty() {
                problems.extend(cannot_be_written(path));
            }
        }
        problems.extend(self.written_twice());
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// Two outputs that are one file: the second would replace the first.
    fn written_twice(&self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        if self.paths().filter(|path| is_stdout(path)).count() > 1 {
            problems.push(not_writable(
                Path::new("-"),
                "only one report can go to standard output",
            ));
        }
        // What is not a report goes to standard output, too.
        let mut seen: Vec<(FileId, &Path)> = Vec::new();
        let stdout = Place::Stdout.file();
        seen.extend(stdout.map(|file| (file, Path::new("-"))));
        for path in self.paths().filter(|path| !is_stdout(path)) {
            let Some(file) = Place::of(path).ok().and_then(|place| place.file()) else {
                continue;
            };
            match seen.iter().find(|(known, _)| *known == file) {
                Some((_, other)) => problems.push(same_file(path, &name_of(other))),
                None => seen.push((file, path)),
            }
        }
        problems
    }

    /// Writes every report: to a temporary sibling that is then renamed, so that none is ever half there. All are tried;
    /// what could not be written is told.
    pub fn write(&self, of: &T, stdout: &mut dyn Write) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        for (path, format) in &self.all {
            let written = match (format.render)(of) {
                Ok(text) => put(path, &text, stdout),
                Err(error) => Err(internal(path, &error)),
            };
            problems.extend(written.err());
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// There is no verdict: each report that can tell why does, and others that are left of an earlier run are removed.
    /// Files of `spared` are left alone. What was removed is returned as notes, what could not be written as problems.
    pub fn tell(
        &self,
        why: &NoVerdict,
        spared: &BTreeSet<FileId>,
        stdout: &mut dyn Write,
    ) -> (Vec<String>, Vec<Diagnostic>) {
        let (mut notes, mut problems) = (Vec::new(), Vec::new());
        let at_stdout = self.paths().filter(|path| is_stdout(path)).count();
        let mut done = BTreeSet::new();
        for (path, format) in &self.all {
            let place = Place::of(path).ok();
            let file = place.as_ref().and_then(Place::file);
            if place == Some(Place::Stdout) {
                if at_stdout > 1 {
                    continue;
                }
            } else if file.is_some_and(|file| spared.contains(&file) || !done.insert(file)) {
                continue;
            }
            match format.without {
                Without::Tell(render) => {
                    let written = match render(why) {
                        Ok(text) => put(path, &text, stdout),
                        Err(error) => Err(internal(path, &error)),
                    };
                    problems.extend(written.err());
                }
                Without::Remove(is_ours) => {
                    let Some(Place::File(end)) = place else {
                        continue;
                    };
                    if head(&end).is_some_and(|head| is_ours(&head)) {
                        match std::fs::remove_file(&end) {
                            Ok(()) => notes.push(format!(
                                "removed {}: it was of an earlier run",
                                shown(&path.display().to_string())
                            )),
                            Err(error) => problems.push(write_failed(path, &error)),
                        }
                    }
                }
            }
        }
        (notes, problems)
    }
}

/// The begin of a file, if there is one.
fn head(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(HEAD).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn put(path: &Path, text: &str, stdout: &mut dyn Write) -> Result<(), Diagnostic> {
    if is_stdout(path) {
        return stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(|error| write_failed(path, &error));
    }
    Draft::begin(path)
        .and_then(|mut draft| {
            draft.write(text.as_bytes())?;
            draft.keep()
        })
        .map_err(|error| write_failed(path, &error))
}

/// Why a file cannot be written, if that can be told before.
fn cannot_be_written(path: &Path) -> Option<Diagnostic> {
    let place = match Place::of(path) {
        Ok(place) => place,
        Err(error) => return Some(not_writable(path, &format!("cannot write there: {error}"))),
    };
    match place {
        Place::Folder => Some(not_writable(path, "a folder is in the way")),
        Place::File(end) if !folder(&end).is_dir() => Some(not_writable(
            path,
            &format!("the folder `{}` does not exist", folder(&end).display()),
        )),
        Place::File(_) => atomic::try_out(path)
            .err()
            .map(|error| not_writable(path, &format!("cannot write into the folder: {error}"))),
        Place::Stdout | Place::Stderr | Place::Open(_) => None,
    }
}

/// Whether writing to this path is writing to standard output.
pub fn is_stdout(path: &Path) -> bool {
    Place::of(path).is_ok_and(|place| place == Place::Stdout)
}

fn name_of(path: &Path) -> String {
    if is_stdout(path) {
        "standard output".to_owned()
    } else {
        format!("`{}`", path.display())
    }
}

fn not_writable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::new("output-not-writable", why)
        .at(Origin::file(path.display().to_string()))
        .help("create the folder, or name another place")
}

/// An output that is also something else.
pub fn same_file(path: &Path, other: &str) -> Diagnostic {
    Diagnostic::new(
        "output-is-input",
        format!("it is the same file as {other}, which would be lost"),
    )
    .at(Origin::file(path.display().to_string()))
    .help("name another file for the output")
}

/// Writing began, and did not come to its end.
pub fn write_failed(path: &Path, error: &io::Error) -> Diagnostic {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space, or name a place on another disk"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "name a place that can be written"
        }
        _ => "look at the disk, or name another place",
    };
    let file = if is_stdout(path) {
        "standard output".to_owned()
    } else {
        path.display().to_string()
    };
    Diagnostic::new("write-failed", format!("cannot write it: {error}"))
        .at(Origin::file(file))
        .help(help)
}

/// A fault of ours.
pub fn internal(path: &Path, error: &anyhow::Error) -> Diagnostic {
    Diagnostic::new("internal", format!("cannot render the report: {error:#}"))
        .at(Origin::file(path.display().to_string()))
        .help("this is a fault of loadgate: please report it, with the input if you can")
}
