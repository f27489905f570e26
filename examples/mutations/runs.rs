//! The runs that folders hold, in every form that they are there in.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::subject::{File, Kind, has_ending};

/// What a folder holds of one run.
#[derive(Clone, Default)]
pub struct Run {
    /// The folder.
    pub name: String,
    tables: Vec<File>,
    json: Option<File>,
    /// The log, thinned.
    pub log: Option<File>,
    /// All of it, where it is small: only so it can be beside its tables.
    whole_log: Option<File>,
}

impl Run {
    /// Its files of a kind, if it has them.
    pub fn files(&self, kind: Kind) -> Option<Vec<File>> {
        let has_tables = self.tables.iter().any(|f| f.name.ends_with("_stats.csv"));
        let tables = has_tables.then(|| self.tables.clone());
        match kind {
            Kind::Tables => tables,
            Kind::LocustJson => Some(vec![self.json.clone()?]),
            Kind::Log => Some(vec![self.log.clone()?]),
            Kind::LogBesideTables => Some([vec![self.whole_log.clone()?], tables?].concat()),
            Kind::Report | Kind::History => None,
        }
    }
}

/// Every run in a folder and below.
pub fn collect(path: &Path, name: &str, most_lines: usize, runs: &mut Vec<Run>) -> Result<()> {
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read `{name}`"))?;
    let mut paths: Vec<_> = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.sort_by_key(std::fs::DirEntry::file_name);
    let mut run = Run {
        name: name.to_owned(),
        ..Run::default()
    };
    for entry in paths {
        let (path, file) = (entry.path(), entry.file_name());
        let file = file.to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, &format!("{name}/{file}"), most_lines, runs)?;
            continue;
        }
        let tables = [
            "_stats.csv",
            "_stats_history.csv",
            "_failures.csv",
            "_exceptions.csv",
        ];
        let plain = file.trim_end_matches(".gz");
        if let Some(ending) = tables.iter().find(|ending| plain.ends_with(**ending)) {
            run.tables.push(File {
                name: format!("run{ending}"),
                bytes: read(&path)?,
            });
        } else if has_ending(plain, "jsonl") && run.log.is_none() {
            run.log = log(&read(&path)?, most_lines);
            run.whole_log = log(&read(&path)?, usize::MAX);
            let is_small = |file: &File| line_count(&file.bytes) <= most_lines.max(MOST_WHOLE);
            run.whole_log = run.whole_log.filter(is_small);
        } else if has_ending(plain, "json") && read(&path)?.starts_with(b"[") {
            run.json = Some(File {
                name: "run.json".to_owned(),
                bytes: read(&path)?,
            });
        }
    }
    // Two prefixes in one folder are two runs.
    let prefixes = run
        .tables
        .iter()
        .filter(|f| f.name == "run_stats.csv")
        .count();
    if prefixes > 1 {
        run.tables.clear();
    }
    runs.push(run);
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::MultiGzDecoder::new(&bytes[..]),
        &mut plain,
    )?;
    Ok(plain)
}

/// A log of up to so many lines is also tried whole.
const MOST_WHOLE: usize = 1500;

fn line_count(bytes: &[u8]) -> usize {
    bytes.split(|b| *b == b'\n').count()
}

/// A log of requests, thinned evenly to at most so many lines; `None` of an empty file, or of a history.
fn log(bytes: &[u8], most_lines: usize) -> Option<File> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    let first = lines.first()?;
    if first.windows(17).any(|part| part == b"loadgate.history/") {
        return None;
    }
    let step = lines.len().div_ceil(most_lines.max(1)).max(1);
    Some(File {
        name: "requests.jsonl".to_owned(),
        bytes: lines.into_iter().step_by(step).flatten().copied().collect(),
    })
}
