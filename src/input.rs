//! Reading what a load test left behind: find, decompress, recognise by content, count.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use crate::diagnostic::{Diagnostic, Origin};
use crate::progress::Progress;
use crate::summary::Source;
use crate::tally::{Concern, Doubts, Tally};

pub mod locust;
pub mod report;
pub mod request_log;
mod span;

use locust::{Kind, Tables};
use request_log::{Bounds, Content, Survey};
use span::bounds;

/// How much of a file is looked at to recognise it.
const HEAD: u64 = 1 << 16;

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--format`: overrides detection.
    pub format: Option<String>,
    /// `--map` and `[input.map]`: canonical field → key, with an optional unit (`latency:ms`).
    pub map: Vec<(String, String)>,
    /// `--allow-bad-lines`.
    pub allow_bad_lines: u64,
    /// Which part of the run counts.
    pub span: Span,
    /// Who is told how many bytes were read.
    pub progress: Progress,
}

/// Which part of a run counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    /// Left out: this many ms after the first start.
    pub warmup_ms: Option<f64>,
    /// Only what starts from here on.
    pub from: Option<Moment>,
    /// Only what starts before.
    pub to: Option<Moment>,
    /// Only the time during which the most users ran.
    pub steady: bool,
}

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// Epoch ms.
    At(i64),
    /// So many ms after the first start.
    After(f64),
}

impl Moment {
    /// Whether it comes at or after another, if that can be told before the run is known.
    pub fn is_surely_after(self, other: Self) -> bool {
        match (self, other) {
            (Self::At(a), Self::At(b)) => a >= b,
            (Self::After(a), Self::After(b)) => a >= b,
            (Self::At(_), Self::After(_)) | (Self::After(_), Self::At(_)) => false,
        }
    }
}

impl Span {
    /// Whether the whole run counts.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
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
    /// Standard input: its beginning, or all of it.
    stdin: Option<Stdin>,
    /// Whether it was found in a folder, where what is not recognised is not an error.
    in_folder: bool,
}

/// What was read of standard input to recognise it.
struct Stdin {
    bytes: Vec<u8>,
    is_all: bool,
}

/// Reads all inputs as one run.
pub fn load(runs: &[String], options: &Options) -> Result<Loaded, Vec<Diagnostic>> {
    let forced = forced_format(options)?;
    let mut problems = Vec::new();
    let mut logs = Vec::new();
    let mut tables = Tables::default();
    let mut loaded = Loaded::default();
    let mut allowance = options.allow_bad_lines;
    for found in discover(runs, options, &mut problems) {
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
    let users = tables.users();
    read_logs(
        &logs,
        users,
        options,
        &mut allowance,
        &mut loaded,
        &mut problems,
    );
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
    loaded.forget_folders(runs);
    Ok(loaded)
}

impl Loaded {
    /// Leaves out where on the machine inputs lie that were named by absolute paths: a report says nothing of it.
    fn forget_folders(&mut self, runs: &[String]) {
        let absolute = runs.iter().map(Path::new).filter(|p| p.is_absolute());
        let folders = absolute.filter_map(|path| path.parent());
        for folder in folders.filter(|folder| folder.parent().is_some()) {
            let prefix = format!("{}/", folder.display());
            let paths = self.sources.iter_mut().map(|source| &mut source.path);
            for text in paths.chain(&mut self.notes) {
                *text = text.replace(&prefix, "");
            }
        }
    }
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
    let reconcile = (from_log && options.span.is_whole()).then_some(&loaded.tally);
    let (tally, notes) = tables.finish(reconcile);
    loaded.notes.extend(notes);
    if let Some(tally) = tally {
        if from_log {
            if loaded.tally.users.is_empty() {
                loaded.tally.users = tally.users;
            }
        } else {
            let doubts = std::mem::take(&mut loaded.tally.doubts);
            loaded.tally = tally;
            loaded.tally.doubts.merge(&doubts);
            if !options.span.is_whole() {
                let why = "a part of the run was asked for, but finished tables hold only the whole; a request log can be cut";
                loaded.tally.doubts.add(&Concern::ALL, why);
            }
        }
    }
}

fn read_logs(
    logs: &[Found],
    users: Option<&BTreeMap<i64, u64>>,
    options: &Options,
    allowance: &mut u64,
    loaded: &mut Loaded,
    problems: &mut Vec<Diagnostic>,
) {
    let passes = if options.span.is_whole() { 1 } else { 2 };
    let known: Option<u64> = logs.iter().map(size).sum();
    options
        .progress
        .begin_bytes(known.map(|bytes| bytes * passes));
    let mut refused = Doubts::default();
    let bounds = if options.span.is_whole() {
        Bounds::default()
    } else {
        let mut survey = survey(logs, options);
        if let Some(users) = users.filter(|_| survey.users.is_empty()) {
            survey.users.clone_from(users);
        }
        let cut = bounds(&survey, &options.span);
        loaded.notes.extend(cut.note);
        if let Some(why) = cut.refused {
            refused.add(&Concern::ALL, &why);
        }
        cut.bounds
    };
    let mut reader = request_log::Reader::new(&options.map, bounds);
    for log in logs {
        let read = content(log, &options.progress).map_err(|d| vec![d]);
        match read.and_then(|content| reader.read(&log.name, content, allowance)) {
            Ok(source) => loaded.sources.push(source),
            Err(found) => problems.extend(found),
        }
    }
    options.progress.finish();
    let (tally, notes) = reader.finish();
    loaded.tally = tally;
    loaded.tally.doubts.merge(&refused);
    loaded.notes.extend(notes);
}

/// Bytes as they are stored, if that can be known before they are read.
fn size(found: &Found) -> Option<u64> {
    if found.stdin.is_some() {
        return None;
    }
    let about = std::fs::metadata(&found.name).ok()?;
    about.is_file().then_some(about.len())
}

fn survey(logs: &[Found], options: &Options) -> Survey {
    let reader = request_log::Reader::new(&options.map, Bounds::default());
    let mut survey = Survey::default();
    // What cannot be read is told when it is read to be counted.
    for content in logs
        .iter()
        .filter_map(|log| content(log, &options.progress).ok())
    {
        reader.survey(content, &mut survey);
    }
    survey
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

/// The files that may belong to a Locust prefix, whether they are there or not.
pub fn of_prefix(prefix: &str) -> impl Iterator<Item = String> {
    PREFIX_ENDINGS
        .iter()
        .map(move |ending| format!("{prefix}{ending}"))
}

/// Whether a file in a folder that is an input would be read.
pub fn is_read_in_folder(path: &Path, options: &Options) -> bool {
    let found = Found {
        name: path.display().to_string(),
        stdin: None,
        in_folder: true,
    };
    path.is_file()
        && !is_hidden(path)
        // A history that lies beside the results of the runs it holds.
        && !crate::history::store::is_history(path)
        && forced_format(options)
            .is_ok_and(|forced| recognise(&found, forced, options).is_ok_and(|f| f.is_some()))
}

fn discover(runs: &[String], options: &Options, problems: &mut Vec<Diagnostic>) -> Vec<Found> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for run in runs {
        let path = Path::new(run);
        let mut named = Vec::new();
        if run == "-" {
            // What is looked over twice has to be kept.
            let limit = if options.span.is_whole() {
                HEAD
            } else {
                u64::MAX
            };
            let mut bytes = Vec::new();
            match std::io::stdin().lock().take(limit).read_to_end(&mut bytes) {
                Ok(read) => named.push(Found {
                    name: "-".to_owned(),
                    stdin: Some(Stdin {
                        bytes,
                        is_all: (read as u64) < limit,
                    }),
                    in_folder: false,
                }),
                Err(error) => problems.push(unreadable("-", &error)),
            }
        } else if path.is_dir() {
            named.extend(in_folder(path, problems));
        } else if path.exists() {
            named.push(Found {
                name: run.clone(),
                stdin: None,
                in_folder: false,
            });
        } else {
            named.extend(
                of_prefix(run)
                    .filter(|p| Path::new(p).is_file())
                    .map(|name| Found {
                        name,
                        stdin: None,
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
        .filter(|p| p.is_file() && !is_hidden(p))
        .map(|p| p.display().to_string())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| Found {
            name,
            stdin: None,
            in_folder: true,
        })
        .collect()
}

/// A hidden file is no result: a report half written by a process that was killed, say.
fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
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

/// The content, decompressed if it begins with the magic bytes of gzip or Zstandard. `only_head`: of standard input only
/// what was already read.
fn open(
    found: &Found,
    only_head: bool,
    progress: &Progress,
) -> Result<Box<dyn BufRead + Send>, Diagnostic> {
    let failed = |error: std::io::Error| unreadable(&found.name, &error);
    let mut raw: Box<dyn BufRead + Send> = if let Some(stdin) = &found.stdin {
        let begin = Cursor::new(stdin.bytes.clone());
        if stdin.is_all || only_head {
            Box::new(begin)
        } else {
            Box::new(BufReader::with_capacity(
                1 << 18,
                progress.watch(begin.chain(std::io::stdin())),
            ))
        }
    } else {
        let file = std::fs::File::open(&found.name).map_err(failed)?;
        Box::new(BufReader::with_capacity(1 << 18, progress.watch(file)))
    };
    let head = raw.fill_buf().map_err(failed)?;
    if head.starts_with(GZIP) {
        let decoder = flate2::bufread::MultiGzDecoder::new(raw);
        return Ok(Box::new(BufReader::with_capacity(1 << 18, decoder)));
    }
    if head.starts_with(ZSTD) {
        let decoder = zstd::stream::read::Decoder::with_buffer(raw).map_err(failed)?;
        return Ok(Box::new(BufReader::with_capacity(1 << 18, decoder)));
    }
    Ok(raw)
}

/// A request log: a plain file of lines can be read by several threads at once.
fn content(found: &Found, progress: &Progress) -> Result<Content, Diagnostic> {
    let mut stream = open(found, false, progress)?;
    let failed = |error: std::io::Error| unreadable(&found.name, &error);
    if found.stdin.is_none() {
        let file = std::fs::File::open(&found.name).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        let mut magic = [0; 4];
        let is_plain = about.is_file() && {
            let read = (&file).take(4).read(&mut magic).map_err(failed)?;
            !(magic[..read].starts_with(GZIP) || magic[..read].starts_with(ZSTD))
        };
        let is_array = stream
            .fill_buf()
            .map_err(failed)?
            .iter()
            .find(|b| !b.is_ascii_whitespace())
            == Some(&b'[');
        if is_plain && !is_array {
            return Ok(Content::File(file, about.len(), progress.clone()));
        }
    }
    Ok(Content::Stream(stream))
}

fn read_all(found: &Found) -> Result<Vec<u8>, Diagnostic> {
    let mut bytes = Vec::new();
    open(found, false, &Progress::default())?
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
    let mut head = Vec::new();
    let read = open(found, true, &Progress::default())?
        .take(HEAD)
        .read_to_end(&mut head);
    // The beginning of a compressed stream ends in its middle.
    let is_part = found.stdin.as_ref().is_some_and(|stdin| !stdin.is_all) && !head.is_empty();
    if let Err(error) = read
        && !is_part
    {
        return Err(unreadable(&found.name, &error));
    }
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
