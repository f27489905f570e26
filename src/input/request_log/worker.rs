//! One thread's share of a log: blocks of lines in, counts out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

mod width;

use super::blocks::{Block, LONGEST_LINE};
use super::keys::{Keys, Line, lookup};
use super::outcome::{ErrorSays, Outcome};
use super::series::{Found, Gathered, Known};
use super::shape::{Fast, Shape, is_valid, unescape};
use super::signs::{Ending, Signs};
use super::values::{self, Clock};
use super::{Bad, HELP, Job, SHOWN};
use crate::limits;
use crate::tally::{Endpoint, EndpointTally, ErrorKey, Request, Tally};

/// Shapes a log may have; lines of further ones take the long way.
pub const MOST_SHAPES: usize = 16;
/// Series that are gathered at a time. A log with an error of its own in every line has more.
const MOST_SERIES: usize = 1 << 13;

/// What to do with each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Count what starts from the first moment on and before the second (epoch ms).
    Count(Option<i64>, Option<i64>),
    /// Only look for the first start and the users over time.
    Survey,
}

/// What became of a block.
#[derive(Default)]
pub struct Answer {
    /// The block's number.
    pub index: u64,
    /// Lines in it.
    pub lines: u64,
    /// Records used.
    pub records: u64,
    /// The first bad lines, each with its line in the block, from 1.
    pub bad: Vec<(u64, Bad)>,
    /// All bad lines.
    pub bad_count: u64,
    /// The line of the block, from 1, that is the log's last and is cut off.
    pub cut: Option<u64>,
}

/// Counts blocks.
pub struct Worker<'k> {
    keys: &'k Keys,
    task: Task,
    most_shapes: usize,
    shapes: Vec<Shape>,
    /// The shape that fitted last.
    likely: usize,
    clock: Clock,
    values: Vec<f64>,
    endpoints: Vec<(Endpoint, EndpointTally)>,
    known: HashMap<Endpoint, usize>,
    series: Known,
    /// Names of the measured fields of lines that went the long way: all that there are.
    names: BTreeSet<String>,
    /// Blocks that were looked at.
    blocks: u64,
    /// Whether there were more error messages than are kept.
    errors_are_pooled: bool,
    users: BTreeMap<i64, u64>,
    /// The second last seen and its users, not yet in `users`.
    users_now: Option<(i64, u64)>,
    counted: Counted,
}

/// What a worker counted.
#[derive(Default)]
pub struct Counted {
    /// The requests and samples.
    pub tally: Tally,
    /// Earliest start seen by [`Task::Survey`].
    pub first_start_ms: Option<i64>,
    /// Latest start seen by [`Task::Survey`].
    pub last_start_ms: Option<i64>,
    /// Records outside the bounds.
    pub left_out: u64,
    /// Requests without a timestamp.
    pub without_start: u64,
    /// What the lines tell of one another.
    pub signs: Signs,
}

impl Counted {
    /// Notes a start, if there is one.
    pub fn see_start(&mut self, start_ms: Option<i64>) {
        self.first_start_ms = [self.first_start_ms, start_ms].into_iter().flatten().min();
        self.last_start_ms = self.last_start_ms.max(start_ms);
    }
}

impl<'k> Worker<'k> {
    /// A worker that has seen nothing.
    pub fn new(job: &Job<'k>) -> Self {
        Self {
            keys: job.keys,
            task: job.task,
            most_shapes: job.most_shapes,
            shapes: Vec::new(),
            likely: 0,
            clock: Clock::default(),
            values: Vec::new(),
            endpoints: Vec::new(),
            known: HashMap::new(),
            series: Known::default(),
            names: BTreeSet::new(),
            blocks: 0,
            errors_are_pooled: false,
            users: BTreeMap::new(),
            users_now: None,
            counted: Counted::default(),
        }
    }

    /// Counts every line of a block.
    pub fn block(&mut self, block: &Block) -> Answer {
        let mut answer = Answer {
            index: block.index,
            ..Answer::default()
        };
        let mut bytes = &block.bytes[block.begin..];
        if block.index == 0 {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            answer.lines += 1;
            if let Some(len) = self.short_way(rest) {
                answer.records += 1;
                rest = &rest[len..];
                continue;
            }
            let end = memchr::memchr(b'\n', rest);
            let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
            rest = after.get(1..).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let is_cut = block.is_last && end.is_none();
            match self.long_way(line, is_cut) {
                Ok(Used::Counted) => answer.records += 1,
                Ok(Used::Blank) => {}
                Ok(Used::Cut) => answer.cut = Some(answer.lines),
                Err(bad) => {
                    answer.bad_count += 1;
                    if answer.bad.len() < SHOWN {
                        answer.bad.push((answer.lines, bad));
                    }
                }
            }
        }
        answer
    }

    /// Counts the first line of a text by its shape; its length with its end, or `None` if it has to go the long way.
    #[inline]
    fn short_way(&mut self, text: &[u8]) -> Option<usize> {
        for turn in 0..self.shapes.len() {
            let mut at = self.likely + turn;
            if at >= self.shapes.len() {
                at -= self.shapes.len();
            }
            let shape = &mut self.shapes[at];
            if let Some(fast) = shape.read(text, &mut self.clock, &mut self.values)
                && self.fast(&fast, at)
            {
                self.likely = at;
                return Some(fast.len);
            }
        }
        None
    }

    /// Builds the JSON value, and learns the line's shape.
    fn long_way(&mut self, line: &[u8], may_be_cut: bool) -> Result<Used, Bad> {
        if line.len() > LONGEST_LINE {
            return Err(Bad {
                message: "the line is longer than 1 MiB".to_owned(),
                column: 1,
                help: HELP,
            });
        }
        if line.trim_ascii().is_empty() {
            return Ok(Used::Blank);
        }
        let object = match parse(line) {
            Err(_) if may_be_cut && is_cut(line) => return Ok(Used::Cut),
            object => object?,
        };
        self.record(&object, line)?;
        if self.shapes.len() < self.most_shapes {
            let shape = Shape::learn(line, &object, self.keys);
            self.shapes.extend(shape);
        }
        Ok(Used::Counted)
    }

    /// Counts a record that was parsed from this text.
    pub fn record(&mut self, object: &Map<String, Value>, text: &[u8]) -> Result<(), Bad> {
        let line = self.keys.read(object).map_err(|(key, message)| Bad {
            message,
            column: column_of(text, &key),
            help: HELP,
        })?;
        for (place, mapping) in self.keys.mapped().iter().enumerate() {
            if lookup(object, &mapping.key).is_some() {
                self.counted.signs.see_mapped(place);
            }
        }
        if line.fields.len() > limits::FIELDS {
            return Err(Bad {
                message: format!("the line has more than {} measured fields", limits::FIELDS),
                column: 1,
                help: "every number in a line is a measured field: log ids as texts, and lists of values as lists",
            });
        }
        if self.is_left_out(line.start_ms, line.users, line.request.is_some()) {
            return Ok(());
        }
        for (name, _) in &line.fields {
            if !self.names.contains(name) {
                self.names.insert(name.clone());
            }
        }
        let fields: Vec<(&str, f64)> = line.fields.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        let Some((name, us)) = &line.request else {
            for (name, value) in fields {
                self.counted
                    .tally
                    .add_sample(name, value, line.start_ms, line.source.as_deref());
            }
            return Ok(());
        };
        let endpoint = self.endpoint(Endpoint {
            name: name.clone(),
            method: line.method.clone(),
        });
        let error = line.error.as_deref();
        self.counted.signs.see(Ending {
            outcome: line.outcome,
            error: error.map_or(ErrorSays::Nothing, |_| ErrorSays::Error),
            status: line.status,
            states_outcome: line.states_outcome,
        });
        if let Some(layout) = line.layout {
            self.counted.signs.see_layout(layout);
        }
        if let Some((key, unit)) = &line.unit_of {
            self.counted.signs.see_unit(key, *unit);
        }
        let failure = failure(
            line.outcome,
            line.status,
            line.no_answer,
            error.unwrap_or_default(),
        );
        let request = request(&line, us.unwrap_or(0), failure.as_ref(), &fields);
        self.count(endpoint, &request, us.is_some());
        Ok(())
    }

    /// Counts a line read by its shape; `false` if it must go the long way after all.
    fn fast(&mut self, line: &Fast<'_>, shape: usize) -> bool {
        if !line.is_request {
            return self.sample(line, shape);
        }
        let Some(series) = self.series(line) else {
            return false;
        };
        if self.is_left_out(line.start_ms, line.users, true) {
            return true;
        }
        see_users(
            &mut self.users_now,
            &mut self.users,
            line.start_ms,
            line.users,
        );
        let gathered = self.series.at(series);
        let endpoint = &mut self.endpoints[gathered.endpoint].1;
        let fields = self.shapes[shape].fields.iter().zip(&self.values);
        if let Some(start) = line.start_ms {
            for (place, (name, value)) in fields.enumerate() {
                gathered.measure(place, name, start, *value);
            }
            gathered.add(start, line.response_time_us, line.bytes, endpoint);
        } else {
            self.counted.without_start += 1;
            gathered.add_without_start(line.response_time_us, line.bytes, endpoint);
            for (name, value) in fields {
                endpoint.add_fields(&[(name, *value)], None);
            }
        }
        true
    }

    fn sample(&mut self, line: &Fast<'_>, shape: usize) -> bool {
        // Nothing is done with these texts; they must be valid all the same.
        if ![line.error, line.method, line.name]
            .iter()
            .all(|text| is_valid(text))
        {
            return false;
        }
        if !self.is_left_out(line.start_ms, line.users, false) {
            for (name, value) in self.shapes[shape].fields.iter().zip(&self.values) {
                self.counted
                    .tally
                    .add_sample(name, *value, line.start_ms, None);
            }
        }
        true
    }

    fn count(&mut self, endpoint: usize, request: &Request<'_>, is_timed: bool) {
        self.counted.without_start += u64::from(request.start_ms.is_none());
        let tally = &mut self.endpoints[endpoint].1;
        if is_timed {
            tally.add(request);
        } else {
            tally.add_untimed(request);
        }
        see_users(
            &mut self.users_now,
            &mut self.users,
            request.start_ms,
            request.users,
        );
    }

    /// Whether a record lies outside the bounds, or only had to be looked at.
    fn is_left_out(&mut self, start_ms: Option<i64>, users: Option<u64>, is_request: bool) -> bool {
        match self.task {
            Task::Survey => {
                // A run begins with its first request, however early its memory was sampled.
                let start = start_ms.filter(|_| is_request);
                self.counted.see_start(start);
                see_users(&mut self.users_now, &mut self.users, start_ms, users);
                true
            }
            Task::Count(from, to) => {
                let outside = start_ms.is_some_and(|at| {
                    from.is_some_and(|from| at < from) || to.is_some_and(|to| at >= to)
                });
                self.counted.left_out += u64::from(outside);
                outside
            }
        }
    }

    fn endpoint(&mut self, key: Endpoint) -> usize {
        if let Some(at) = self.known.get(&key) {
            return *at;
        }
        self.endpoints.push((key.clone(), EndpointTally::default()));
        self.known.insert(key, self.endpoints.len() - 1);
        self.endpoints.len() - 1
    }

    /// The series of a line; `None` if an escape in its texts is invalid.
    fn series(&mut self, line: &Fast<'_>) -> Option<usize> {
        let place = match self.series.find(line) {
            Found::At(at) => return Some(at),
            Found::Free(place) => place,
        };
        let key = Endpoint {
            name: unescape(line.name)?,
            method: unescape(line.method)?,
        };
        let error = unescape(line.error)?;
        self.counted.signs.see(Ending {
            outcome: line.outcome,
            error: if error.is_empty() {
                ErrorSays::Nothing
            } else {
                ErrorSays::Error
            },
            status: line.status,
            states_outcome: line.states_outcome,
        });
        let failure = failure(line.outcome, line.status, line.no_answer, &error);
        let is_open = line.outcome.is_open();
        let gathered = Gathered::new(self.endpoint(key), line.status, failure, is_open);
        if self.series.len() < MOST_SERIES {
            return Some(self.series.insert(place, line, gathered));
        }
        self.count_series();
        self.series = Known::default();
        match self.series.find(line) {
            Found::Free(place) => Some(self.series.insert(place, line, gathered)),
            Found::At(at) => Some(at),
        }
    }

    fn count_series(&mut self) {
        for gathered in self.series.all() {
            gathered.count(&mut self.endpoints[gathered.endpoint].1);
        }
    }

    /// Everything counted.
    pub fn finish(mut self) -> Counted {
        self.count_series();
        let mut counted = self.counted;
        let tally = &mut counted.tally;
        if let Some((second, users)) = self.users_now {
            see_most(&mut self.users, second, users);
        }
        tally.users = self.users;
        tally.endpoints = self
            .endpoints
            .into_iter()
            .filter(|(_, counts)| counts.requests > 0)
            .collect();
        counted
    }
}

/// What kind of failure it was, if it was one.
fn failure(
    outcome: Outcome,
    status: Option<u16>,
    no_answer: bool,
    error: &str,
) -> Option<ErrorKey> {
    (outcome == Outcome::Failure).then(|| {
        if no_answer {
            ErrorKey::without_answer(error)
        } else {
            ErrorKey::new(status, error)
        }
    })
}

/// What became of a line.
enum Used {
    Counted,
    Blank,
    Cut,
}

fn request<'l>(
    line: &Line,
    us: u64,
    failure: Option<&'l ErrorKey>,
    fields: &'l [(&'l str, f64)],
) -> Request<'l> {
    Request {
        start_ms: line.start_ms,
        response_time_us: us,
        status: line.status,
        failure,
        unknown_outcome: line.outcome.is_open(),
        users: line.users,
        response_length: line.response_length,
        fields,
    }
}

/// Lines come nearly in order: the map is touched once for each second, not for each request.
fn see_users(
    now: &mut Option<(i64, u64)>,
    users: &mut BTreeMap<i64, u64>,
    start: Option<i64>,
    count: Option<u64>,
) {
    let (Some(start), Some(count)) = (start, count) else {
        return;
    };
    match now {
        // Without a division, which takes longer than all the rest.
        Some((at, most)) if (0..1000).contains(&(start - *at * 1000)) => *most = (*most).max(count),
        _ => {
            if let Some((at, most)) = now.replace((start.div_euclid(1000), count)) {
                see_most(users, at, most);
            }
        }
    }
}

fn see_most(users: &mut BTreeMap<i64, u64>, second: i64, count: u64) {
    let most = users.entry(second).or_default();
    *most = (*most).max(count);
}

fn column_of(text: &[u8], key: &str) -> usize {
    let text = String::from_utf8_lossy(text);
    let last = key.rsplit('.').next().unwrap_or(key);
    let at = text.find(&format!("\"{last}\"")).unwrap_or(0);
    text[..at].chars().count() + 1
}

/// A last line without its end that begins like a record: the writer was stopped.
fn is_cut(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{")
        && serde_json::from_slice::<Value>(line).is_err_and(|error| error.is_eof())
}

/// A line as a JSON object.
pub fn parse(line: &[u8]) -> Result<Map<String, Value>, Bad> {
    let text = std::str::from_utf8(line).map_err(|error| Bad {
        message: format!("byte {} is not UTF-8", error.valid_up_to() + 1),
        column: String::from_utf8_lossy(&line[..error.valid_up_to()])
            .chars()
            .count()
            + 1,
        help: HELP,
    })?;
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(Bad {
            message: format!("expected an object, found {}", values::kind(&other)),
            column: 1,
            help: HELP,
        }),
        Err(error) => Err(Bad {
            message: format!("not JSON: {}", values::without_position(&error)),
            column: error.column().max(1),
            help: HELP,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STYLES: [&str; 9] = [
        r#"{"timestamp":"2026-01-01T00:00:01.100298Z","type":"GET","name":"/health","response_time_ms":1.903,"status":200,"success":true,"response_length":17,"user":426,"users":7,"error":null}"#,
        r#"{"ts":1767225601.123456,"method":"GET","endpoint":"caf\u00e9 \"x\"","latency_s":0.1005,"status":404,"error":"gone \\ 12"}"#,
        r#"{"time": "2026-01-01T00:00:01+01:00", "request": {"method": "GET", "name": "a"}, "response": {"status": 503, "time_ms": 100.5}, "error": null, "exception": null}"#,
        r#"{"start_time":"2026-01-01 00:00:01","name":"b","response_time":7,"success":false,"rows":900,"db":{"ms":1.25},"tags":[1,2]}"#,
        r#"{"timestamp":1767225601000,"memory_mb":181.5,"cpu":{"share":0.5}}"#,
        r#"{"@timestamp":"2026-01-01T00:00:01Z","label":"c","elapsed":"12.5","responseCode":200,"status":0,"ok":"true","api_calls":2,"who":null}"#,
        r#"{"level":"info","ts":1767225601.25,"logger":"http.log.access.log0","request":{"method":"GET","uri":"/a?b=1"},"duration":0.0125,"size":44,"status":404}"#,
        r#"{"timestamp":1767225601,"name":"d","latency":12,"error":"-"}"#,
        r#"{"timestamp":1767225601,"name":"e","duration_ms":12,"statusCode":0,"failed":true}"#,
    ];
    /// What a hostile writer puts where a value was.
    const VALUES: [&str; 31] = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1",
        "01",
        "1.",
        "1e3",
        "1e999",
        "NaN",
        "200.5",
        "99",
        "1000",
        "\"\"",
        "404",
        "\"-\"",
        "\"None\"",
        r#""N\u006fne""#,
        "\"12ms\"",
        "\"ko\"",
        "\"503 Service Unavailable\"",
        "\"x\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"2026-13-01T00:00:00Z\"",
        "{}",
        "[]",
        "9007199254740993",
        "3.3e15",
        "0.1e-400",
    ];

    /// Each line by a worker that has seen no other, so that none can go the short way.
    fn one_by_one(lines: &[String], keys: &Keys) -> (Tally, Signs, Vec<String>) {
        let mut all = (Tally::default(), Signs::default(), Vec::new());
        for line in lines {
            let (tally, signs, said) = together(std::slice::from_ref(line), keys);
            all.0.absorb(tally);
            all.1.merge(&signs);
            all.2.extend(said);
        }
        all
    }

    fn together(lines: &[String], keys: &Keys) -> (Tally, Signs, Vec<String>) {
        let mut worker = Worker::new(&Job {
            keys,
            task: Task::Count(None, None),
            most_shapes: MOST_SHAPES,
        });
        let mut problems = Vec::new();
        for line in lines {
            let block = Block {
                index: 1,
                bytes: format!("{line}\n").into_bytes(),
                ..Block::default()
            };
            let answer = worker.block(&block);
            problems.extend(
                answer
                    .bad
                    .into_iter()
                    .map(|(_, bad)| format!("{}: {}", bad.column, bad.message)),
            );
        }
        let counted = worker.finish();
        (counted.tally, counted.signs, problems)
    }

    #[derive(Clone, Debug)]
    enum Change {
        None,
        Byte(usize, u8),
        Insert(usize, u8),
        Delete(usize),
        Value(usize, usize),
        Repeat(usize),
        Return,
    }

    fn change() -> impl Strategy<Value = Change> {
        let at = || 0..400_usize;
        prop_oneof![
            2 => Just(Change::None),
            2 => (at(), any::<u8>()).prop_map(|(at, b)| Change::Byte(at, b)),
            1 => (at(), any::<u8>()).prop_map(|(at, b)| Change::Insert(at, b)),
            1 => at().prop_map(Change::Delete),
            6 => (at(), 0..VALUES.len()).prop_map(|(at, v)| Change::Value(at, v)),
            1 => at().prop_map(Change::Repeat),
            1 => Just(Change::Return),
        ]
    }

    /// Begin and end of every value that follows a colon.
    fn values_of(line: &str) -> Vec<(usize, usize)> {
        let starts = line.match_indices(':').map(|(at, _)| at + 1);
        let inside = |at: &usize| line[..*at].matches('"').count().is_multiple_of(2);
        let end = |at: usize| line[at..].find([',', '}']).map_or(line.len(), |e| at + e);
        starts.filter(inside).map(|at| (at, end(at))).collect()
    }

    fn changed(line: &str, change: &Change) -> String {
        let mut bytes = line.as_bytes().to_vec();
        match change {
            Change::None => {}
            Change::Byte(at, b) => {
                let at = at % bytes.len();
                bytes[at] = *b;
            }
            Change::Insert(at, b) => bytes.insert(at % bytes.len(), *b),
            Change::Delete(at) => drop(bytes.remove(at % line.len())),
            Change::Value(at, value) => {
                let places = values_of(line);
                let (start, end) = places[at % places.len()];
                bytes.splice(start..end, VALUES[*value].bytes());
            }
            Change::Repeat(at) => {
                let places = values_of(line);
                let (_, end) = places[at % places.len()];
                bytes.splice(
                    end..end,
                    br#","name":"again","status":500,"response_time_ms":3"#
                        .iter()
                        .copied(),
                );
            }
            Change::Return => bytes.push(b'\r'),
        }
        String::from_utf8_lossy(&bytes).replace('\n', " ")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_short_way_is_the_long_way(style in 0..STYLES.len(), changes in prop::collection::vec(change(), 1..5)) {
            let keys = Keys::new(&[]);
            let mut lines = vec![STYLES[style].to_owned()];
            lines.extend(changes.iter().map(|change| changed(STYLES[style], change)));
            // Once more, so that what a changed line taught is used as well.
            lines.extend(lines.clone());
            let ((fast, signs, said), (plain, same, expected)) = (together(&lines, &keys), one_by_one(&lines, &keys));
            prop_assert_eq!(said, expected);
            prop_assert_eq!(fast, plain);
            prop_assert_eq!(signs, same);
        }
    }

    #[test]
    fn common_lines_go_the_short_way() {
        let keys = Keys::new(&[]);
        let mut learnt = Vec::new();
        for style in STYLES {
            let object = parse(style.as_bytes()).expect("valid");
            learnt.push(Shape::learn(style.as_bytes(), &object, &keys).is_some());
        }
        // The fourth has a list, the sixth numbers written as text, the last a word of failure.
        let simple = [true, true, true, false, true, false, true, true, false];
        assert_eq!(learnt, simple);
    }
}
