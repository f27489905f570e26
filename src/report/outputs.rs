//! Where reports of one kind are written: found out before anything is read, written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::atomic::temporary_in;
use crate::diagnostic::{Diagnostic, Origin};

/// Renders one report of `T`.
pub type Render<T> = fn(&T) -> anyhow::Result<String>;

/// The reports that are to be written; `-` is standard output.
pub struct Outputs<T> {
    folder: Option<PathBuf>,
    all: Vec<(PathBuf, Render<T>)>,
}

impl<T> Outputs<T> {
    /// Every format's standard name, the path it was given, and its renderer; all of them go into `out` if there is one.
    pub fn new(out: Option<&Path>, formats: &[(&str, Option<&Path>, Render<T>)]) -> Self {
        let mut all = Vec::new();
        for (standard, named, render) in formats {
            all.extend(out.iter().map(|dir| (dir.join(standard), *render)));
            all.extend(named.iter().map(|path| (path.to_path_buf(), *render)));
        }
        Self {
            folder: out.map(Path::to_path_buf),
            all,
        }
    }

    /// One more report, which has no place in the folder.
    pub fn and(mut self, named: Option<&Path>, render: Render<T>) -> Self {
        self.all
            .extend(named.iter().map(|path| (path.to_path_buf(), render)));
        self
    }

    /// Whether a report takes standard output.
    pub fn uses_stdout(&self) -> bool {
        self.all.iter().any(|(path, _)| is_stdout(path))
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
        for (path, _) in &self.all {
            let dir = folder(path);
            if is_stdout(path) || (self.folder.as_deref() == Some(dir) && !problems.is_empty()) {
                continue;
            }
            if path.is_dir() {
                problems.push(not_writable(path, "a folder is in the way"));
            } else if !dir.is_dir() {
                problems.push(not_writable(
                    path,
                    &format!("the folder `{}` does not exist", dir.display()),
                ));
            } else if let Err(error) = temporary_in(dir) {
                problems.push(not_writable(
                    path,
                    &format!("cannot write into the folder: {error}"),
                ));
            }
        }
        if self.all.iter().filter(|(path, _)| is_stdout(path)).count() > 1 {
            problems.push(not_writable(
                Path::new("-"),
                "only one report can go to standard output",
            ));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// Writes every report: to a temporary sibling that is then renamed, so that none is ever half there.
    pub fn write(&self, of: &T, stdout: &mut dyn Write) -> anyhow::Result<()> {
        for (path, render) in &self.all {
            let text = render(of).with_context(|| format!("cannot render `{}`", path.display()))?;
            if is_stdout(path) {
                stdout.write_all(text.as_bytes())?;
            } else {
                write_atomically(path, &text)
                    .with_context(|| format!("cannot write `{}`", path.display()))?;
            }
        }
        Ok(())
    }
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn not_writable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::new("output-not-writable", why)
        .at(Origin::file(path.display().to_string()))
        .help("create the folder, or name another place")
}

/// Writes a file whole or not at all.
pub fn write_atomically(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = temporary_in(folder(path))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
