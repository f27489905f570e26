//! The folder a run is written into: nothing that was there is lost, and no file is ever half there.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::{JSON, LOG, TABLES};
use crate::atomic::{self, Draft};
use crate::diagnostic::{Diagnostic, Origin};

/// Every file that can be written, whether this run writes it or not.
const NAMES: [&str; 6] = [LOG, TABLES[0], TABLES[1], TABLES[2], TABLES[3], JSON];

/// Files on their way into a folder.
pub struct Files {
    folder: PathBuf,
    overwrite: bool,
    pending: Vec<(PathBuf, Draft)>,
}

impl Files {
    /// Makes the folder if need be. Without `overwrite`, every file of these names that is there already is a problem.
    pub fn new(
        folder: &Path,
        names: &[&'static str],
        overwrite: bool,
    ) -> Result<Self, Vec<Diagnostic>> {
        let wrong = |path: &Path, why: String, help: &str| {
            Diagnostic::new("output-not-writable", why)
                .at(Origin::file(path.display().to_string()))
                .help(help)
        };
        std::fs::create_dir_all(folder).map_err(|error| {
            let why = format!("cannot create the folder: {error}");
            vec![wrong(folder, why, "name another place for `--out`")]
        })?;
        let mut problems = Vec::new();
        for name in names {
            let path = folder.join(name);
            // A dangling link is a file of the user's, too.
            let Ok(found) = path.symlink_metadata() else {
                continue;
            };
            if found.is_dir() {
                let why = "a folder is in the way".to_owned();
                problems.push(wrong(&path, why, "name another place for `--out`"));
            } else if !overwrite {
                let why = "the file is there already".to_owned();
                let help = "name another place for `--out`; `--force` overwrites this command's files and no others";
                problems.push(wrong(&path, why, help));
            }
        }
        for name in NAMES {
            atomic::clear(&folder.join(name));
        }
        if problems.is_empty() {
            Ok(Self {
                folder: folder.to_owned(),
                overwrite,
                pending: Vec::new(),
            })
        } else {
            Err(problems)
        }
    }

    /// A file that will get this name at the end.
    pub fn create(&mut self, name: &'static str) -> io::Result<BufWriter<File>> {
        let path = self.folder.join(name);
        let draft = Draft::begin(&path)?;
        let writer = BufWriter::with_capacity(1 << 18, draft.file()?);
        self.pending.push((path, draft));
        Ok(writer)
    }

    /// Gives every file its name. Everything must have been flushed before.
    pub fn keep(self) -> io::Result<Vec<PathBuf>> {
        if self.overwrite {
            // Whoever is killed between two names leaves files of one run, and not of two.
            for (path, draft) in &self.pending {
                draft.make_room(path)?;
            }
        }
        let mut kept = Vec::new();
        for (path, draft) in self.pending {
            if self.overwrite {
                draft.keep()?;
            } else {
                draft.keep_if_new()?;
            }
            kept.push(path);
        }
        Ok(kept)
    }
}
