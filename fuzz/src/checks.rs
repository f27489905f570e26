//! What must hold for any bytes; the fuzz targets and `tests/it/fuzz.rs` run it.

use std::io::Cursor;

use loadgate::config::{self, expression, quantity};
use loadgate::diagnostic::{CODES, Diagnostic};
use loadgate::generate::scenario;
use loadgate::history::entry::Entry;
use loadgate::history::line::{self, Line};
use loadgate::history::store::{History, RecordedRun};
use loadgate::input::locust::{Kind, Tables};
use loadgate::input::report;
use loadgate::input::request_log::{Bounds, Content, Reader};
use loadgate::migrate::{artillery, k6, taurus};
use loadgate::summary::{About, Summary};
use loadgate::tally::Tally;
use loadgate::trend::{self, Settings, collect::Selection};

/// A log read by shapes learnt from it gives the same counts, or the same errors, as read by the JSON library.
pub fn both_ways_agree(bytes: &[u8]) {
    for allowance in [0, u64::MAX] {
        let quick = read(Reader::new(&[], Bounds::default()), bytes, allowance);
        let plain = read(
            Reader::new(&[], Bounds::default()).plainly(),
            bytes,
            allowance,
        );
        assert_eq!(quick, plain);
    }
}

/// What a reader makes of a log: its counts and notes, how many records were used and left out, or its errors.
type Read = (Tally, Vec<String>, Result<(u64, u64), Vec<String>>);

fn read(mut reader: Reader, bytes: &[u8], mut allowance: u64) -> Read {
    let content = Content::Stream(Box::new(Cursor::new(bytes.to_vec())));
    let source = reader.read("log", content, &mut allowance);
    let (tally, notes) = reader.finish();
    let said = source
        .map(|source| (source.records, source.rejected))
        .map_err(|problems| {
            problems
                .iter()
                .map(|problem| format!("{problem:?}"))
                .collect()
        });
    (tally, notes, said)
}

/// Bytes taken for any of Locust's tables give counts, of which a summary can be made, or errors.
pub fn locust_never_panics(bytes: &[u8]) {
    Kind::detect(bytes);
    for kind in Kind::ALL {
        of_locust(kind, bytes);
    }
}

/// The same of Locust's JSON alone.
pub fn locust_json_never_panics(bytes: &[u8]) {
    of_locust(Kind::Json, bytes);
}

fn of_locust(kind: Kind, bytes: &[u8]) {
    let mut tables = Tables::default();
    let _ = tables.read("file", kind, bytes, &mut 0);
    let _ = tables.read("file", kind, bytes, &mut u64::MAX.clone());
    if let (Some(tally), _) = tables.finish(None) {
        Summary::new(tally, About::default());
    }
}

/// Every problem has a known code, and can be shown.
fn are_told(problems: &[Diagnostic]) {
    assert!(!problems.is_empty(), "refused without a reason");
    for problem in problems {
        assert!(CODES.iter().any(|(code, _)| *code == problem.code));
        assert!(!problem.short().is_empty() && !problem.long().is_empty());
    }
}

/// Any text is a gate file or has its mistakes told.
pub fn gate_file_is_read_or_refused(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(problems) = config::parse(&text, "loadgate.toml") {
        are_told(&problems);
    }
}

/// Any text is a requirement or is refused; what is read means the same when its metric is written out.
pub fn expression_is_read_or_refused(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(read) = expression::parse(&text) {
        let written = read.metric.to_string();
        let again = expression::metric_named(&written);
        assert!(
            again.is_ok_and(|metric| metric == read.metric),
            "{text}: {written}"
        );
    }
    if let Err(problem) = config::require(&text, 1) {
        are_told(&[problem]);
    }
}

/// Any text is a duration above zero, or none.
pub fn duration_is_positive_or_none(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(ms) = quantity::duration(&text) {
        assert!(ms.is_finite() && ms > 0.0, "{text}: {ms}");
    }
    let _ = config::moment(&text);
    if let Some((number, unit)) = quantity::number_and_unit(&text) {
        assert!(number.to_f64().is_finite() && text.contains(unit), "{text}");
    }
}

/// Any text is a line of a history or is refused; a run that is read is written and read as the same, and can be followed.
pub fn history_line_is_read_or_refused(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match line::read(&text, "history.jsonl", 1) {
        Err(problem) => are_told(&[problem]),
        Ok(Line::Run(entry)) => {
            is_kept(&entry);
            can_be_followed(&entry);
        }
        Ok(Line::Acknowledgement(_)) => {}
    }
}

/// Any bytes are a report or are refused; a report that is read is a run of a history.
pub fn report_is_read_or_refused(bytes: &[u8]) {
    report::is_report(bytes);
    match report::read("report.json", bytes) {
        Err(problem) => are_told(&[problem]),
        Ok(report) => {
            let entry = Entry::of_report(report);
            is_kept(&entry);
            can_be_followed(&entry);
        }
    }
}

/// A run is written as a line that is read as the same run.
fn is_kept(entry: &Entry) {
    let line = Line::Run(Box::new(entry.clone()));
    let text = line::write(&line).expect("a run can be written");
    match line::read(text.trim_end(), "history.jsonl", 1) {
        Ok(again) => assert_eq!(again, line),
        Err(problem) => panic!("{}", problem.short()),
    }
    entry.as_report();
}

/// Whatever its figures are, a run has a trend.
fn can_be_followed(entry: &Entry) {
    let run = |started_ms| {
        let mut entry = entry.clone();
        entry.started_ms = Some(started_ms);
        entry.id = entry.identity();
        RecordedRun {
            entry,
            origin: loadgate::diagnostic::Origin::file("history.jsonl"),
        }
    };
    let history = History {
        runs: (0..6).map(run).collect(),
        ..History::default()
    };
    let followed = trend::follow(&history, &Selection::default(), &Settings::default());
    assert!(followed.is_ok());
}

/// Any text is a scenario or has its mistakes told.
pub fn scenario_is_read_or_refused(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(problems) = scenario::parse(&text, "scenario.toml") {
        are_told(&problems);
    }
}

/// Other tools' thresholds are carried over, or it is told why not; never a panic.
pub fn migration_never_panics(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = k6::thresholds(&text);
    let _ = taurus::criteria(&text);
    let _ = artillery::ensured(&text);
}
