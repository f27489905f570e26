//! Reading what a load test left behind: find, decompress, recognise by content, count.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use crate::diagnostic::{Diagnostic, Origin};
use crate::summary::Source;
use crate::tally::Tally;

pub mod locust;
pub mod request_log;

use locust::{Kind, Tables};

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--format`: overrides detection.
    pub format: Option<String>,
    /// `--map` and `[input.map]`: canonical field → key, with an optional unit (`latency:ms`).
    pub map: Vec<(String, String)>,
    /// `--allow-bad-lines`.
    pub allow_bad_lines: u64,
    /// Left out of every metric: this many ms after the first start.
    pub warmup_ms: Option<f64>,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The counts.
    pub tally: Tally,
    /// The files.
    pub sources: Vec<Source>,
    /// Reconciliation, truncated lines, what the source lacks: sentences for every report.
    pub notes: Vec<String>,
    /// A warm-up was asked for, but only finished tables were there, which cannot leave it out.
    pub warmup_not_applied: bool,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    RequestLog,
    Locust(Kind),
}

impl Format {
    fn named(name: &str) -> Option<Self> {
        if name == "request-log" {
            return Some(Self::RequestLog);
        }
        Kind::ALL
            .iter()
            .find(|kind| kind.name() == name)
            .map(|kind| Self::Locust(*kind))
    }

    fn names() -> String {
        let kinds = Kind::ALL.iter().map(|k| k.name());
        std::iter::once("request-log")
            .chain(kinds)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// A file that was named or found.
struct Found {
    name: String,
    /// Standard input, read into memory.
    bytes: Option<Vec<u8>>,
    /// Whether it was found in a folder, where what is not recognised is not an error.
    in_folder: bool,
}

/// Reads all inputs as one run.
pub fn load(runs: &[String], options: &Options) -> Result<Loaded, Vec<Diagnostic>> {
    let forced = forced_format(options)?;
    let mut problems = Vec::new();
    let mut logs = Vec::new();
    let mut tables = Tables::default();
    let mut loaded = Loaded::default();
    let mut allowance = options.allow_bad_lines;
    for found in discover(runs, &mut problems) {
        match recognise(&found, forced, options) {
            Ok(Some(Format::RequestLog)) => logs.push(found),
            Ok(Some(Format::Locust(kind))) => {
                let read = read_all(&found).map_err(|d| vec![d]);
                match read.and_then(|bytes| tables.read(&found.name, kind, &bytes, &mut allowance))
                {
                    Ok(source) => loaded.sources.push(source),
                    Err(found) => problems.extend(found),
                }
            }
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    read_logs(&logs, options, &mut allowance, &mut loaded, &mut problems);
    if problems.is_empty() && loaded.sources.is_empty() {
        problems.push(
            Diagnostic::new(
                "nothing-recognised",
                format!("found no load-test result in `{}`", runs.join("`, `")),
            )
            .help(
                "loadgate reads Locust CSV and JSON, and request logs (JSON Lines or a JSON array)",
            ),
        );
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    combine(&mut loaded, tables, options);
    loaded.notes.splice(0..0, rejected_note(&loaded.sources));
    Ok(loaded)
}

fn forced_format(options: &Options) -> Result<Option<Format>, Vec<Diagnostic>> {
    let Some(name) = &options.format else {
        return Ok(None);
    };
    Format::named(name).map(Some).ok_or_else(|| {
        vec![
            Diagnostic::new("bad-value", format!("`{name}` is not a format"))
                .at(Origin::file("--format"))
                .help(format!("one of {}", Format::names())),
        ]
    })
}

/// The log gives the numbers where it has any; Locust's tables are then reconciled with it.
fn combine(loaded: &mut Loaded, tables: Tables, options: &Options) {
    let from_log = !loaded.tally.endpoints.is_empty() || !loaded.tally.samples.is_empty();
    let reconcile = (from_log && options.warmup_ms.is_none()).then_some(&loaded.tally);
    let (tally, notes) = tables.finish(reconcile);
    loaded.notes.extend(notes);
    if let Some(tally) = tally {
        if from_log {
            if loaded.tally.users.is_empty() {
                loaded.tally.users = tally.users;
            }
        } else {
            loaded.warmup_not_applied = options.warmup_ms.is_some();
            loaded.tally = tally;
        }
    }
}

fn read_logs(
    logs: &[Found],
    options: &Options,
    allowance: &mut u64,
    loaded: &mut Loaded,
    problems: &mut Vec<Diagnostic>,
) {
    let mut reader = request_log::Reader::new(&options.map);
    if let Some(warmup) = options.warmup_ms {
        for log in logs {
            if let Ok(mut bytes) = open(log) {
                reader.find_first_start(&mut bytes);
            }
        }
        reader.leave_out(warmup);
    }
    for log in logs {
        let read = open(log).map_err(|d| vec![d]);
        match read.and_then(|mut bytes| reader.read(&log.name, &mut bytes, allowance)) {
            Ok(source) => loaded.sources.push(source),
            Err(found) => problems.extend(found),
        }
    }
    let (tally, notes) = reader.finish();
    loaded.tally = tally;
    loaded.notes.extend(notes);
}

fn rejected_note(sources: &[Source]) -> Option<String> {
    let rejected: u64 = sources.iter().map(|s| s.rejected).sum();
    (rejected > 0)
        .then(|| format!("{rejected} bad lines were left out, as allowed by `--allow-bad-lines`"))
}

/// Endings of the files that belong to a Locust prefix.
const PREFIX_ENDINGS: [&str; 7] = [
    "_stats.csv",
    "_stats_history.csv",
    "_failures.csv",
    "_exceptions.csv",
    "_requests.csv",
    "_distribution.csv",
    ".json",
];

fn discover(runs: &[String], problems: &mut Vec<Diagnostic>) -> Vec<Found> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for run in runs {
        let path = Path::new(run);
        let mut named = Vec::new();
        if run == "-" {
            let mut bytes = Vec::new();
            match std::io::stdin().lock().read_to_end(&mut bytes) {
                Ok(_) => named.push(Found {
                    name: "-".to_owned(),
                    bytes: Some(bytes),
                    in_folder: false,
                }),
                Err(error) => problems.push(unreadable("-", &error)),
            }
        } else if path.is_dir() {
            named.extend(in_folder(path, problems));
        } else if path.exists() {
            named.push(Found {
                name: run.clone(),
                bytes: None,
                in_folder: false,
            });
        } else {
            let belonging = PREFIX_ENDINGS.iter().map(|ending| format!("{run}{ending}"));
            named.extend(
                belonging
                    .filter(|p| Path::new(p).is_file())
                    .map(|name| Found {
                        name,
                        bytes: None,
                        in_folder: false,
                    }),
            );
            if named.is_empty() {
                problems.push(
                    Diagnostic::new(
                        "missing-input",
                        format!("there is no file, folder or Locust prefix `{run}`"),
                    )
                    .at(Origin::file(run))
                    .help("a prefix is what was given to Locust as `--csv`, as `results/run`"),
                );
            }
        }
        // The same file named twice is read once.
        all.extend(named.into_iter().filter(|f| {
            f.name == "-"
                || std::fs::canonicalize(&f.name).map_or(true, |canonical| seen.insert(canonical))
        }));
    }
    all
}

fn in_folder(path: &Path, problems: &mut Vec<Diagnostic>) -> Vec<Found> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(unreadable(&path.display().to_string(), &error));
            return Vec::new();
        }
    };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|p| p.is_file())
        .map(|p| p.display().to_string())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| Found {
            name,
            bytes: None,
            in_folder: true,
        })
        .collect()
}

fn unreadable(name: &str, error: &std::io::Error) -> Diagnostic {
    let code = match error.kind() {
        std::io::ErrorKind::InvalidInput
        | std::io::ErrorKind::InvalidData
        | std::io::ErrorKind::UnexpectedEof
        // zstd reports its own errors as `Other`.
        | std::io::ErrorKind::Other => "corrupt-archive",
        _ => "missing-input",
    };
    Diagnostic::new(code, format!("cannot read it: {error}"))
        .at(Origin::file(name))
        .help("is the path right, and was the file written to its end?")
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The file's content, decompressed if it begins with the magic bytes of gzip or Zstandard.
fn open(found: &Found) -> Result<Box<dyn BufRead>, Diagnostic> {
    let failed = |error: std::io::Error| unreadable(&found.name, &error);
    let mut raw: Box<dyn BufRead> = match &found.bytes {
        Some(bytes) => Box::new(Cursor::new(bytes.clone())),
        None => Box::new(BufReader::with_capacity(
            1 << 16,
            std::fs::File::open(&found.name).map_err(failed)?,
        )),
    };
    let head = raw.fill_buf().map_err(failed)?;
    if head.starts_with(GZIP) {
        return Ok(Box::new(BufReader::with_capacity(
            1 << 16,
            flate2::bufread::MultiGzDecoder::new(raw),
        )));
    }
    if head.starts_with(ZSTD) {
        let decoder = zstd::stream::read::Decoder::with_buffer(raw).map_err(failed)?;
        return Ok(Box::new(BufReader::with_capacity(1 << 16, decoder)));
    }
    Ok(raw)
}

fn read_all(found: &Found) -> Result<Vec<u8>, Diagnostic> {
    let mut bytes = Vec::new();
    open(found)?
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&found.name, &error))?;
    Ok(bytes)
}

/// What a file is, by its content. `None`: of no concern.
fn recognise(
    found: &Found,
    forced: Option<Format>,
    options: &Options,
) -> Result<Option<Format>, Diagnostic> {
    if let Some(format) = forced {
        return Ok(Some(format));
    }
    let mut reader = open(found)?;
    let mut head = Vec::new();
    reader
        .by_ref()
        .take(1 << 16)
        .read_to_end(&mut head)
        .map_err(|error| unreadable(&found.name, &error))?;
    if head.is_empty() {
        return empty(found);
    }
    if let Some(kind) = Kind::detect(&head) {
        return Ok(Some(Format::Locust(kind)));
    }
    if request_log::looks_like_one(&head)
        && (!found.in_folder || request_log::holds_a_record(&head, &options.map))
    {
        return Ok(Some(Format::RequestLog));
    }
    if found.in_folder {
        return Ok(None);
    }
    let start: String = String::from_utf8_lossy(&head[..head.len().min(60)])
        .chars()
        .map(visible)
        .collect();
    Err(Diagnostic::new(
        "unknown-format",
        format!("unknown format; it begins with `{start}`"),
    )
    .at(Origin::at(&found.name, 1, 1))
    .help(format!("`--format` names it: {}", Format::names())))
}

fn visible(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// A file without bytes: a log to which nothing was written, or an error.
fn empty(found: &Found) -> Result<Option<Format>, Diagnostic> {
    let extension = Path::new(&found.name)
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    if ["jsonl", "ndjson", "log"].contains(&extension) {
        return Ok(Some(Format::RequestLog));
    }
    Err(
        Diagnostic::new("empty-input", "the file is empty, it has not even a header")
            .at(Origin::file(&found.name))
            .help("was the load test ended before it wrote anything?"),
    )
}
