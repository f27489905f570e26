//! Reading what a load test left behind: find, decompress, recognise by content, count.

//!
//! In three steps: [`mod@discover`] finds, opens and recognises; what was found is read and counted; then it is checked whether
//! it is one run, whole and without copies ([`copies`], [`one_run`]).

use std::path::Path;

use crate::diagnostic::{Diagnostic, Origin};
use crate::progress::Progress;
use crate::summary::Source;
use crate::tally::{Concern, Doubts, Tally};

mod copies;
mod discover;
mod extent;
pub(crate) mod foreign;
pub mod locust;
mod names;
mod one_run;
pub mod open;
mod recognise;
pub mod report;
pub mod request_log;
mod rows;
mod silence;
mod span;
mod width;

use discover::{Discovery, Found, discover};
pub use discover::{is_read_in_folder, of_prefix};
use extent::Extent;
use locust::{Kind, Tables};
use one_run::Part;
use open::{Input, unreadable};
use request_log::{Bounds, Survey};
use span::bounds;
use width::Width;

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--format`: overrides detection.
    pub format: Option<String>,
    /// `--map` and `[input.map]`: canonical field → key, with an optional unit (`latency:ms`).
    pub map: Vec<(String, String)>,
    /// `--allow-bad-lines`.
    pub allow_bad_lines: u64,
    /// `[failures] unstated = "success"`: a request whose line does not say whether it failed succeeded.
    pub unstated_success: bool,
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

/// Reads all inputs as one run.
pub fn load(runs: &[String], options: &Options) -> Result<Loaded, Vec<Diagnostic>> {
    let forced = forced_format(options)?;
    load_found(discover(runs, forced, options), runs, options)
}

fn load_found(
    discovery: Discovery,
    runs: &[String],
    options: &Options,
) -> Result<Loaded, Vec<Diagnostic>> {
    let Discovery {
        mut found,
        mut not_read,
        notes,
        mut problems,
        ..
    } = discovery;
    // Among several inputs a stream may be a copy: it has to be looked at twice.
    if found.len() > 1 {
        let kept = found.iter_mut().filter_map(|one| one.input.keep().err());
        problems.extend(kept);
    }
    let copies = copies::take_out(&mut found);
    not_read.extend(copies.left_out);
    problems.extend(copies.problems);
    let several = one_run::by_name(&found);
    if several.is_some() {
        problems.extend(several);
        return Err(problems);
    }
    let mut reading = Reading {
        allowance: options.allow_bad_lines,
        problems,
        loaded: Loaded {
            notes: notes.into_iter().chain(copies.notes).collect(),
            ..Loaded::default()
        },
        ..Reading::default()
    };
    let (logs, tables): (Vec<Found>, Vec<Found>) = found
        .into_iter()
        .partition(|one| one.format == Format::RequestLog);
    for table in &tables {
        reading.table(table);
    }
    let mut logs: Vec<Input> = logs.into_iter().map(|log| log.input).collect();
    reading.logs(&mut logs, options);
    let mut loaded = reading.finish(options)?;
    let unread = |path| Source {
        path,
        format: NOT_READ,
        records: 0,
        rejected: 0,
    };
    loaded.sources.extend(not_read.into_iter().map(unread));
    loaded.notes.splice(0..0, rejected_note(&loaded.sources));
    loaded.forget_folders(runs);
    Ok(loaded)
}

/// The format of a file that is listed, but was not read.
pub const NOT_READ: &str = "not-read";

/// What was read so far.
#[derive(Default)]
struct Reading {
    allowance: u64,
    problems: Vec<Diagnostic>,
    loaded: Loaded,
    tables: Tables,
    parts: Vec<Part>,
}

impl Reading {
    fn table(&mut self, found: &Found) {
        let Format::Locust(kind) = found.format else {
            return;
        };
        let input = &found.input;
        let read = rows::read(input, kind).map_err(|problem| vec![problem]);
        let read = read.and_then(|bytes| {
            self.tables
                .read(&input.name, kind, &bytes, &mut self.allowance)
        });
        match read {
            Ok(source) => self.loaded.sources.push(source),
            Err(problems) => self.problems.extend(problems),
        }
    }

    fn logs(&mut self, logs: &mut [Input], options: &Options) {
        if logs.is_empty() {
            return;
        }
        let passes = if options.span.is_whole() { 1 } else { 2 };
        if passes > 1 {
            let kept = logs.iter_mut().filter_map(|log| log.keep().err());
            self.problems.extend(kept);
        }
        let known: Option<u64> = logs.iter().map(Input::stored_len).sum();
        options
            .progress
            .begin_bytes(known.map(|bytes| bytes * passes));
        let mut refused = Doubts::default();
        let bounds = if options.span.is_whole() {
            Bounds::default()
        } else {
            let mut survey = self.survey(logs, options);
            if let Some(users) = self.tables.users().filter(|_| survey.users.is_empty()) {
                survey.users.clone_from(users);
            }
            let cut = bounds(&survey, &options.span);
            self.loaded.notes.extend(cut.note);
            if let Some(why) = cut.refused {
                refused.add(&Concern::ALL, &why);
            }
            cut.bounds
        };
        let users = self.tables.users();
        let most_users = users.and_then(|users| users.values().max().copied());
        let mut reader = request_log::Reader::new(&options.map, bounds)
            .unstated_is_success(options.unstated_success)
            .with_users(most_users.filter(|users| *users > 0));
        for log in &*logs {
            let content = log
                .content(&options.progress)
                .map_err(|error| vec![unreadable(&log.name, &error)]);
            let read =
                content.and_then(|content| reader.read(&log.name, content, &mut self.allowance));
            match read {
                Ok(source) if source.records == 0 && source.rejected > 0 => {
                    self.problems.push(without_a_record(&source));
                }
                Ok(source) => self.loaded.sources.push(source),
                Err(found) => self.problems.extend(found),
            }
        }
        options.progress.finish();
        // What was cut has its whole length from the survey, unless it was cut to pick one of several runs.
        if self.parts.is_empty() {
            let extents = reader.extents().iter();
            self.parts.extend(extents.map(|(name, extent)| Part {
                name: name.clone(),
                extent: *extent,
                must_overlap: false,
            }));
        }
        self.problems.extend(reader.unmapped());
        let (tally, notes) = reader.finish();
        self.loaded.tally = tally;
        self.loaded.tally.doubts.merge(&refused);
        self.loaded.notes.extend(notes);
    }

    /// Looks over the logs for the first start and the users.
    fn survey(&mut self, logs: &[Input], options: &Options) -> Survey {
        let reader = request_log::Reader::new(&options.map, Bounds::default());
        let mut survey = Survey::default();
        let picks_one = options.span.from.is_some() || options.span.to.is_some();
        for log in logs {
            // What cannot be read is told when it is read to be counted.
            let Ok(content) = log.content(&options.progress) else {
                continue;
            };
            let mut of_log = Survey::default();
            reader.survey(content, &mut of_log);
            if let (false, Some(first), Some(last)) =
                (picks_one, of_log.first_start_ms, of_log.last_start_ms)
            {
                let mut extent = Extent::default();
                extent.see(first, last);
                self.parts.push(Part {
                    name: log.name.clone(),
                    extent,
                    must_overlap: false,
                });
            }
            survey.merge(of_log);
        }
        survey
    }

    /// The run, if it is one.
    fn finish(mut self, options: &Options) -> Result<Loaded, Vec<Diagnostic>> {
        let json = |kind: &Kind| *kind == Kind::Json;
        let many = self
            .tables
            .extents()
            .iter()
            .filter(|(kind, ..)| json(kind))
            .count()
            > 1;
        for (kind, name, extent) in self.tables.extents() {
            self.parts.push(Part {
                name: name.clone(),
                extent: *extent,
                must_overlap: many && json(kind),
            });
        }
        match one_run::by_time(&self.parts) {
            Ok(note) => self.loaded.notes.extend(note),
            Err(problem) => self.problems.push(problem),
        }
        if self.problems.is_empty() {
            combine(&mut self.loaded, self.tables, options);
            self.loaded.tally.pool_errors();
            silence::doubt(&mut self.loaded.tally);
            self.problems.extend(Width::of(&self.loaded.tally).beyond());
        }
        if self.problems.is_empty() {
            Ok(self.loaded)
        } else {
            Err(self.problems)
        }
    }
}

/// A log of which no line is a record, however many bad ones are allowed.
fn without_a_record(source: &Source) -> Diagnostic {
    let message = format!("none of its {} lines is a request", source.rejected);
    Diagnostic::new("bad-line", message)
        .at(Origin::file(&source.path))
        .help("bad lines were allowed, but a whole log of them is none: mend it, or do not name it")
}

impl Loaded {
    /// Leaves out where on the machine inputs lie that were named by absolute paths: a report says nothing of it.
    fn forget_folders(&mut self, runs: &[String]) {
        let absolute = runs.iter().map(Path::new).filter(|p| p.is_absolute());
        let folders = absolute.filter_map(|path| path.parent());
        // What lies among the system's devices is a stream, and tells nothing.
        let tells = |folder: &&Path| folder.parent().is_some() && !folder.starts_with("/dev");
        for folder in folders.filter(tells) {
            let prefix = format!("{}/", folder.display());
            let paths = self.sources.iter_mut().map(|source| &mut source.path);
            for text in paths.chain(&mut self.notes) {
                *text = text.replace(&prefix, "");
            }
            let tally = &mut self.tally;
            let rows = tally
                .endpoints
                .values_mut()
                .chain(&mut tally.reported_total);
            let doubts = rows.map(|row| &mut row.doubts).chain([&mut tally.doubts]);
            for doubts in doubts.filter(|doubts| !doubts.is_empty()) {
                doubts.reword(|because| because.replace(&prefix, ""));
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
    let (tally, notes) = if from_log && !options.span.is_whole() {
        let logs = loaded.sources.iter();
        let logs = logs.filter(|source| source.format == "request-log");
        tables.finish_beside_part(logs.map(|source| source.records).sum())
    } else {
        tables.finish(from_log.then_some(&loaded.tally))
    };
    loaded.notes.extend(notes);
    if let Some(tally) = tally {
        if from_log {
            if loaded.tally.users.is_empty() {
                loaded.tally.users = tally.users;
            }
            loaded.tally.doubts.merge(&tally.doubts);
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

fn rejected_note(sources: &[Source]) -> Option<String> {
    let rejected: u64 = sources.iter().map(|s| s.rejected).sum();
    (rejected > 0)
        .then(|| format!("{rejected} bad lines were left out, as allowed by `--allow-bad-lines`"))
}
