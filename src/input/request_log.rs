//! Request logs: JSON Lines or one JSON array, one object for each request.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufRead;

use serde_json::{Map, Value};

use super::extent::Extent;
use super::open::unreadable;
use super::width::Width;
use crate::diagnostic::{Diagnostic, Origin};
use crate::parallel;
use crate::progress::Progress;
use crate::summary::Source;
use crate::tally::Tally;

mod aliases;
mod blocks;
mod durations;
mod keys;
mod layouts;
mod outcome;
mod queue;
mod series;
mod shape;
mod signs;
mod values;
mod worker;

use blocks::{Block, Blocks, FileBlocks, STREAM_BLOCK};
use keys::Keys;
use queue::Queue;
use signs::Signs;
use worker::{Counted, MOST_SHAPES, Task, Worker};

/// Bad lines shown one by one; the rest is counted.
const SHOWN: usize = 5;

/// Whether the first bytes of a file are those of a request log.
pub fn looks_like_one(head: &[u8]) -> bool {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    text.starts_with(b"{")
        || text
            .strip_prefix(b"[")
            .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"))
}

/// Whether the first bytes of a file hold at least one whole record of a request log. A folder may also hold other JSON
/// (a report, notes on the run), which begins like a log and is none.
pub fn holds_a_record(head: &[u8], map: &[(String, String)]) -> bool {
    let keys = Keys::new(map);
    let is_record = |text: &[u8]| {
        let object: Option<Map<String, Value>> = serde_json::from_slice(text).ok();
        object.is_some_and(|object| keys.read(&object).is_ok())
    };
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    if let Some(elements) = text.strip_prefix(b"[") {
        let first = serde_json::Deserializer::from_slice(elements)
            .into_iter::<Map<String, Value>>()
            .next();
        return first
            .and_then(Result::ok)
            .is_some_and(|object| keys.read(&object).is_ok());
    }
    text.split(|b| *b == b'\n').any(is_record)
}

/// What is wrong with a record: the message, where, what to do.
#[derive(Debug)]
pub(crate) struct Bad {
    message: String,
    /// Column from 1, in characters.
    column: usize,
    help: &'static str,
}

const HELP: &str = "one JSON object for each request, with a name and a response time; `--map FIELD=KEY` names other keys, \
                    `--allow-bad-lines N` goes on without bad lines";

/// Where a log's bytes come from.
pub enum Content {
    /// A plain file of that length, which several threads can read at once.
    File(File, u64, Progress),
    /// Anything that only comes in order.
    Stream(Box<dyn BufRead + Send>),
}

/// Which records count, by their start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// From this moment on, epoch ms.
    pub from_ms: Option<i64>,
    /// Before this moment, epoch ms.
    pub to_ms: Option<i64>,
}

/// What a first look over the logs tells.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Earliest start, epoch ms.
    pub first_start_ms: Option<i64>,
    /// Latest start, epoch ms.
    pub last_start_ms: Option<i64>,
    /// Most users per epoch second.
    pub users: BTreeMap<i64, u64>,
}

impl Survey {
    /// Adds what another log tells.
    pub fn merge(&mut self, other: Self) {
        let starts = [self.first_start_ms, other.first_start_ms];
        self.first_start_ms = starts.into_iter().flatten().min();
        self.last_start_ms = self.last_start_ms.max(other.last_start_ms);
        for (second, users) in other.users {
            let most = self.users.entry(second).or_default();
            *most = (*most).max(users);
        }
    }
}

/// Reads the request logs of one run.
pub struct Reader {
    keys: Keys,
    bounds: Bounds,
    most_shapes: usize,
    tally: Tally,
    notes: Vec<String>,
    left_out: u64,
    without_start: u64,
    records: u64,
    signs: Signs,
    /// `[failures] unstated = "success"`.
    unstated_success: bool,
    /// Most users at once, where only something else than the logs tells.
    users: Option<u64>,
    extents: Vec<(String, Extent)>,
}

impl Reader {
    /// A reader that knows where the user's fields are, and which records count.
    pub fn new(map: &[(String, String)], bounds: Bounds) -> Self {
        Self {
            keys: Keys::new(map),
            bounds,
            most_shapes: MOST_SHAPES,
            tally: Tally::default(),
            notes: Vec::new(),
            left_out: 0,
            without_start: 0,
            records: 0,
            signs: Signs::default(),
            unstated_success: false,
            users: None,
            extents: Vec::new(),
        }
    }

    /// Takes requests for successes of which the log does not say how they ended.
    #[must_use]
    pub fn unstated_is_success(mut self, yes: bool) -> Self {
        self.unstated_success = yes;
        self
    }

    /// Tells how many users ran, for logs that do not.
    #[must_use]
    pub fn with_users(mut self, users: Option<u64>) -> Self {
        self.users = users;
        self
    }

    /// The time and the sums of each log that was read.
    pub(super) fn extents(&self) -> &[(String, Extent)] {
        &self.extents
    }

    /// Reads every line by the JSON library: slower, and what the quick reading is tested against.
    #[must_use]
    pub fn plainly(mut self) -> Self {
        self.most_shapes = 0;
        self
    }

    fn job(&self, task: Task) -> Job<'_> {
        Job {
            keys: &self.keys,
            task,
            most_shapes: self.most_shapes,
        }
    }

    /// Looks for the earliest start and the users; what is bad is left to the reading itself.
    pub fn survey(&self, content: Content, survey: &mut Survey) {
        let read = each_block(content, &self.job(Task::Survey)).counted;
        survey.merge(Survey {
            first_start_ms: read.first_start_ms,
            last_start_ms: read.last_start_ms,
            users: read.tally.users,
        });
    }

    /// Counts one log.
    pub fn read(
        &mut self,
        file: &str,
        content: Content,
        allowance: &mut u64,
    ) -> Result<Source, Vec<Diagnostic>> {
        let task = Task::Count(self.bounds.from_ms, self.bounds.to_ms);
        let read = each_block(content, &self.job(task));
        // Threads stop reading beyond a limit: what they did not see must not matter.
        if let Some(problem) = Width::of(&read.counted.tally).beyond() {
            return Err(vec![problem.at(Origin::file(file))]);
        }
        let mut bad: Vec<Diagnostic> = read
            .bad
            .into_iter()
            .map(|(line, wrong)| {
                Diagnostic::new("bad-line", wrong.message)
                    .at(Origin::at(file, line, wrong.column as u64))
                    .help(wrong.help)
            })
            .collect();
        if let Some(line) = read.cut {
            self.notes.push(format!(
                "{file}: the last line ({line}) is cut off and was left out"
            ));
        }
        if let Some(error) = read.error {
            bad.push(unreadable(file, &error));
            return Err(bad);
        }
        if read.bad_count > *allowance {
            if read.bad_count > SHOWN as u64 {
                let more = read.bad_count - SHOWN as u64;
                bad.push(
                    Diagnostic::new("bad-line", format!("… and {more} more bad lines"))
                        .at(Origin::file(file)),
                );
            }
            return Err(bad);
        }
        *allowance -= read.bad_count;
        let mut tally = read.counted.tally;
        self.extents.push((file.to_owned(), Extent::of(&tally)));
        self.left_out += read.counted.left_out;
        self.without_start += read.counted.without_start;
        let mut signs = read.counted.signs;
        tally.end_of_log();
        tally.until_ms = self.bounds.to_ms;
        self.records += read.records;
        self.notes.extend(signs.settle(&mut tally));
        self.notes.extend(signs.layout_notes());
        let users = tally.users.values().max().copied().or(self.users);
        let said = signs::judge_units(&signs, &mut tally, users, file);
        self.notes.extend(said.map_err(|problem| vec![problem])?);
        self.signs.merge(&signs);
        self.tally.absorb(tally);
        Ok(Source {
            path: file.to_owned(),
            format: "request-log",
            records: read.records,
            rejected: read.bad_count,
        })
    }

    /// The user's own keys that no line had.
    pub fn unmapped(&self) -> Vec<Diagnostic> {
        if self.records == 0 {
            return Vec::new();
        }
        let each = self.keys.mapped().iter().enumerate();
        let missing = each.filter(|(place, _)| !self.signs.has_mapped(*place));
        missing
            .map(|(_, mapping)| {
                Diagnostic::new(
                    "unmapped-key",
                    format!(
                        "no line has the key `{}`, which is mapped to `{}`",
                        mapping.key, mapping.field
                    ),
                )
                .at(Origin::file("--map"))
                .help("write the key as the log does, with dots for keys inside of others; `[input.map]` may name it, too")
            })
            .collect()
    }

    /// The counts, and what the reader of a report must know of them.
    pub fn finish(mut self) -> (Tally, Vec<String>) {
        let mut signs = std::mem::take(&mut self.signs);
        self.notes.extend(signs.settle(&mut self.tally));
        if self.unstated_success {
            let settled = signs::succeed(&mut self.tally);
            self.notes.extend((settled > 0).then(|| {
                format!(
                    "{} do not say whether they failed and count as successes, as `[failures] unstated = \"success\"` says",
                    crate::units::counted(settled, "request")
                )
            }));
        }
        let untimed: u64 = self.tally.endpoints.values().map(|e| e.untimed).sum();
        if untimed > 0 {
            self.notes.push(format!(
                "{} without a response time: they count, but are in no percentile and no mean",
                crate::units::counted(untimed, "request")
            ));
        }
        self.notes.dedup();
        self.tally.put_in_order();
        if self.left_out > 0 {
            let left_out = crate::units::Unit::Count.human(self.left_out as f64);
            self.notes.push(format!(
                "{left_out} records outside the time that was asked for were left out"
            ));
        }
        if self.without_start > 0 {
            self.notes.push(format!(
                "{} requests have no timestamp: they count, but not over time",
                self.without_start
            ));
        }
        (self.tally, self.notes)
    }
}

/// A whole log, read.
#[derive(Default)]
struct Read {
    counted: Counted,
    records: u64,
    /// The first bad lines, each with its number.
    bad: Vec<(u64, Bad)>,
    bad_count: u64,
    /// Number of a last line that is cut off.
    cut: Option<u64>,
    error: Option<std::io::Error>,
}

/// What is to be done with a log.
#[derive(Clone, Copy)]
struct Job<'k> {
    keys: &'k Keys,
    task: Task,
    /// Shapes that may be learnt.
    most_shapes: usize,
}

/// Smallest file for which a second thread is worth starting.
const WORTH_A_THREAD: u64 = 1 << 21;

/// Blocks of a stream that may wait for each of its readers.
const WAITING: usize = 4;

fn each_block(content: Content, job: &Job<'_>) -> Read {
    match content {
        Content::File(file, len, progress) => {
            let threads = parallel::threads().min((len / WORTH_A_THREAD) as usize + 1);
            let blocks = Blocks::File(FileBlocks::new(file, len, threads, progress));
            work(&blocks, threads, job)
        }
        Content::Stream(mut stream) => {
            match is_array(stream.as_mut()) {
                Ok(true) => return array(stream.as_mut(), job),
                Ok(false) => {}
                Err(error) => {
                    return Read {
                        error: Some(error),
                        ..Read::default()
                    };
                }
            }
            // The decoder has a core of its own: where a reader takes it, all the others wait.
            let threads = (parallel::threads() - 1).max(1);
            let queue = Queue::new(threads * WAITING);
            std::thread::scope(|scope| {
                let _ending = queue.ending();
                scope.spawn(|| {
                    let _ending = queue.ending();
                    blocks::decode(stream, STREAM_BLOCK, &queue);
                });
                work(&Blocks::Stream(&queue), threads, job)
            })
        }
    }
}

/// Threads take blocks until there are no more; their counts are merged in the end.
fn work(blocks: &Blocks<'_>, threads: usize, job: &Job<'_>) -> Read {
    let share = |reader: usize| {
        let mut worker = Worker::new(job);
        let (mut answers, mut block) = (Vec::new(), Block::default());
        let error = loop {
            match blocks.next(reader, &mut block) {
                Ok(true) => answers.push(worker.block(&block)),
                Ok(false) => break None,
                Err(error) => break Some(error),
            }
            if worker.is_too_wide() {
                break None;
            }
        };
        (worker.finish(), answers, error)
    };
    let (mut read, mut answers, mut tallies) = (Read::default(), Vec::new(), Vec::new());
    for (counted, answered, error) in parallel::shares(threads, share) {
        read.error = read.error.or(error);
        let whole = &mut read.counted;
        whole.left_out += counted.left_out;
        whole.without_start += counted.without_start;
        whole.signs.merge(&counted.signs);
        whole.see_start(counted.first_start_ms);
        whole.see_start(counted.last_start_ms);
        tallies.push(counted.tally);
        answers.extend(answered);
    }
    read.counted.tally = Tally::joined(tallies);
    read.counted.tally.pool_errors();
    // Blocks were read in any order; only now is it known how many lines stand before each.
    answers.sort_by_key(|answer| answer.index);
    let mut before = 0;
    for answer in answers {
        read.records += answer.records;
        read.bad_count += answer.bad_count;
        let room = SHOWN - read.bad.len();
        read.bad.extend(
            answer
                .bad
                .into_iter()
                .take(room)
                .map(|(line, bad)| (before + line, bad)),
        );
        read.cut = answer.cut.map(|line| before + line).or(read.cut);
        before += answer.lines;
    }
    read
}

fn is_array(stream: &mut dyn BufRead) -> std::io::Result<bool> {
    let head = stream.fill_buf()?;
    let head = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    Ok(head
        .strip_prefix(b"[")
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{")))
}

/// Elements of an array after which it is asked whether it is beyond a limit.
const LOOK: usize = 1 << 10;

/// One JSON array, read whole.
fn array(stream: &mut dyn BufRead, job: &Job<'_>) -> Read {
    let mut read = Read::default();
    let mut all = Vec::new();
    if let Err(error) = stream.read_to_end(&mut all) {
        read.error = Some(error);
        return read;
    }
    let all = all.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&all);
    let values: Vec<&serde_json::value::RawValue> = match serde_json::from_slice(all) {
        Ok(values) => values,
        Err(error) => {
            let message = format!("not a JSON array: {}", values::without_position(&error));
            let column = error.column().max(1);
            let bad = Bad {
                message,
                column,
                help: HELP,
            };
            read.bad.push((error.line() as u64, bad));
            read.bad_count = 1;
            return read;
        }
    };
    let mut worker = Worker::new(job);
    let (mut line, mut counted) = (1, 0);
    for (at, value) in values.into_iter().enumerate() {
        if at % LOOK == 0 && worker.is_too_wide() {
            break;
        }
        // Lines are counted from one element to the next, so that each is looked at once.
        let at = value.get().as_ptr() as usize - all.as_ptr() as usize;
        line += all[counted..at].split(|b| *b == b'\n').count() as u64 - 1;
        counted = at;
        let text = value.get().as_bytes();
        match worker::parse(text).and_then(|object| worker.record(&object, text)) {
            Ok(()) => read.records += 1,
            Err(bad) => {
                read.bad_count += 1;
                if read.bad.len() < SHOWN {
                    read.bad.push((line, bad));
                }
            }
        }
    }
    read.counted = worker.finish();
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        text: &str,
        map: &[(&str, &str)],
    ) -> (Result<Source, Vec<Diagnostic>>, Tally, Vec<String>) {
        let map: Vec<(String, String)> = map
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        let mut reader = Reader::new(&map, Bounds::default());
        let content = Content::Stream(Box::new(std::io::Cursor::new(text.to_owned())));
        let source = reader.read("log", content, &mut 0);
        let (tally, notes) = reader.finish();
        (source, tally, notes)
    }

    /// Response time in µs, failures, status, start of the only request.
    fn one(text: &str, map: &[(&str, &str)]) -> (u64, u64, Option<u16>, Option<i64>) {
        let (source, tally, _) = read(text, map);
        assert_eq!(source.expect("good").records, 1);
        let total = tally.total();
        let us = total.response_times.first().expect("one") as u64;
        (
            us,
            total.failures,
            total.statuses.keys().next().copied(),
            total.first_start_ms,
        )
    }

    #[test]
    fn three_styles_are_one() {
        let flat = r#"{"timestamp":"2026-01-01T00:00:01.1+00:00","start_time":1767225601.0,"request_type":"GET","name":"a","response_time":100.5,"status_code":200,"success":true,"exception":null}"#;
        let epoch = r#"{"ts":1767225601000,"method":"GET","endpoint":"a","latency_s":0.1005,"status":200,"error":null}"#;
        let nested = r#"{"time":"2026-01-01T00:00:01Z","request":{"method":"GET","name":"a"},"response":{"status":200,"time_ms":100.5},"error":null}"#;
        for line in [flat, epoch, nested] {
            assert_eq!(
                one(line, &[]),
                (100_500, 0, Some(200), Some(1_767_225_601_000)),
                "{line}"
            );
        }
    }

    #[test]
    fn failure_is_what_the_log_says_then_error_then_status() {
        let failures = |rest: &str| {
            one(
                &format!(r#"{{"name":"a","response_time_ms":1,{rest}}}"#),
                &[],
            )
            .1
        };
        assert_eq!(failures(r#""success":true,"status":500"#), 0);
        assert_eq!(failures(r#""error":"boom","status":200"#), 1);
        assert_eq!(failures(r#""status":404"#), 1);
        assert_eq!(failures(r#""status":399,"error":"""#), 0);
    }

    #[test]
    fn a_map_names_other_keys_with_their_unit() {
        let line = r#"{"who":{"op":"a"},"took":2500,"time":0}"#;
        assert_eq!(
            one(line, &[("name", "who.op"), ("response_time", "took:us")]).0,
            2500
        );
    }

    #[test]
    fn numbers_beside_the_request_are_fields_and_the_last_of_two_keys_wins() {
        let line = r#"{"name":"a","response_time_ms":1,"api_calls":1,"api_calls":2,"db":{"ms":3.5},"ok_flag":true,"user":"x"}"#;
        let (_, tally, _) = read(line, &[]);
        let fields = tally.total().fields;
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["api_calls", "db.ms"]);
        assert_eq!(fields["api_calls"].sum(), 2.0);
    }

    #[test]
    fn lines_without_a_request_are_samples() {
        let (source, tally, _) = read("{\"timestamp\":1767225601,\"memory_mb\":100}\n", &[]);
        assert!(source.is_ok() && tally.endpoints.is_empty());
        assert_eq!(tally.samples["memory_mb"].count(), 1);
    }

    #[test]
    fn an_array_is_a_log() {
        let (source, tally, _) = read(
            "[\n{\"name\":\"a\",\"response_time_ms\":1},\n{\"name\":\"a\",\"response_time_ms\":2}]",
            &[],
        );
        assert_eq!(
            (source.expect("good").records, tally.total().requests),
            (2, 2)
        );
        let (source, ..) = read(
            "[\n{\"name\":\"a\",\"response_time_ms\":1},\n{\"name\":\"a\"}]",
            &[],
        );
        assert_eq!(
            source.expect_err("bad")[0]
                .origin
                .as_ref()
                .and_then(|o| o.line),
            Some(3)
        );
    }

    #[test]
    fn five_bad_lines_are_shown_and_the_rest_is_counted() {
        let (source, ..) = read(&"nonsense\n".repeat(8), &[]);
        let problems = source.expect_err("bad");
        assert_eq!(problems.len(), 6);
        assert!(problems[5].message.contains("3 more"));
    }
}
