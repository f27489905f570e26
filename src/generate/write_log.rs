//! The request log: one JSON object per response, written without serde because a long run has millions of lines.

use std::io::{self, Write};

use super::scenario::{Endpoint, Scenario, Values};
use super::users::Response;

/// Writes log lines. What never changes in an endpoint's lines is made into bytes once.
pub struct LogWriter<W> {
    out: W,
    start_us: i64,
    day: Day,
    endpoints: Vec<Template>,
    line: Vec<u8>,
}

/// The fixed parts of an endpoint's lines.
struct Template {
    /// `,"method":"GET","name":"/a","response_time_ms":`
    name: Vec<u8>,
    /// `,"status":200,"success":true,"error":null,"response_length":`, then the same for every failure.
    outcomes: Vec<Vec<u8>>,
    fields: Vec<FieldTemplate>,
}

struct FieldTemplate {
    /// `,"rows":`
    key: Vec<u8>,
    /// The text of each value; empty for a range, whose number is written as it is.
    values: Vec<Vec<u8>>,
}

/// The date of the last line, as most lines have the same.
#[derive(Default)]
struct Day {
    number: Option<i64>,
    /// `2026-01-01T`
    text: Vec<u8>,
}

const DAY_US: i64 = 86_400_000_000;

impl<W: Write> LogWriter<W> {
    /// A writer of the run that starts at `start_us`, epoch microseconds.
    pub fn new(scenario: &Scenario, start_us: i64, out: W) -> Self {
        Self {
            out,
            start_us,
            day: Day::default(),
            endpoints: scenario.endpoints.iter().map(Template::new).collect(),
            line: Vec::with_capacity(512),
        }
    }

    /// One request's line.
    pub fn response(&mut self, response: &Response) -> io::Result<()> {
        self.begin(response.start_us);
        let template = &self.endpoints[response.endpoint];
        let line = &mut self.line;
        line.extend_from_slice(&template.name);
        push_thousandths(line, response.response_time_us);
        let outcome = response.failure.map_or(0, |failure| failure + 1);
        line.extend_from_slice(&template.outcomes[outcome]);
        push(line, response.response_length);
        line.extend_from_slice(b",\"user\":");
        push(line, u64::from(response.user));
        line.extend_from_slice(b",\"users\":");
        push(line, u64::from(response.users));
        for (field, pick) in template.fields.iter().zip(&response.picks) {
            line.extend_from_slice(&field.key);
            match field.values.get(*pick as usize) {
                Some(text) => line.extend_from_slice(text),
                None => push(line, *pick),
            }
        }
        self.end()
    }

    /// One memory sample's line; it has no `name`, so it is no request.
    pub fn memory(&mut self, at_us: u64, thousandths_mb: u64) -> io::Result<()> {
        self.begin(at_us);
        self.line.extend_from_slice(b",\"memory_mb\":");
        push_thousandths(&mut self.line, thousandths_mb);
        self.end()
    }

    /// The writer below, with everything written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn begin(&mut self, at_us: u64) {
        self.line.clear();
        self.line.extend_from_slice(b"{\"timestamp\":\"");
        let at = self.start_us + at_us as i64;
        let in_day = at.rem_euclid(DAY_US) as u64;
        self.line
            .extend_from_slice(self.day.text(at.div_euclid(DAY_US)));
        let (seconds, micros) = (in_day / 1_000_000, in_day % 1_000_000);
        push_two(&mut self.line, seconds / 3600);
        self.line.push(b':');
        push_two(&mut self.line, seconds / 60 % 60);
        self.line.push(b':');
        push_two(&mut self.line, seconds % 60);
        self.line.push(b'.');
        push_two(&mut self.line, micros / 10_000);
        push_two(&mut self.line, micros / 100 % 100);
        push_two(&mut self.line, micros % 100);
        self.line.extend_from_slice(b"Z\"");
    }

    fn end(&mut self) -> io::Result<()> {
        self.line.extend_from_slice(b"}\n");
        self.out.write_all(&self.line)
    }
}

impl Template {
    fn new(endpoint: &Endpoint) -> Self {
        let name = format!(
            ",\"method\":{},\"name\":{},\"response_time_ms\":",
            json(&endpoint.key.method),
            json(&endpoint.key.name)
        );
        let outcome = |status: u16, success: bool, error: &str| {
            format!(
                ",\"status\":{status},\"success\":{success},\"error\":{error},\"response_length\":"
            )
            .into_bytes()
        };
        let mut outcomes = vec![outcome(endpoint.status, true, "null")];
        outcomes.extend(
            endpoint
                .failures
                .iter()
                .map(|f| outcome(f.status, false, &json(&f.error))),
        );
        let fields = endpoint.fields.iter().map(|(name, values)| FieldTemplate {
            key: format!(",{}:", json(name)).into_bytes(),
            values: match values {
                Values::Fixed(value) => vec![value.to_string().into_bytes()],
                Values::Range(..) => Vec::new(),
                Values::Weighted(choices) => choices
                    .iter()
                    .map(|(value, _)| value.to_string().into_bytes())
                    .collect(),
            },
        });
        Self {
            name: name.into_bytes(),
            outcomes,
            fields: fields.collect(),
        }
    }
}

impl Day {
    fn text(&mut self, number: i64) -> &[u8] {
        if self.number != Some(number) {
            self.number = Some(number);
            // Day numbers come from a valid start and a bounded run, so the date exists.
            let date = jiff::Timestamp::from_second(number * 86_400)
                .map_or_else(|_| String::from("1970-01-01"), |t| t.to_string());
            self.text = format!("{}T", &date[..date.find('T').unwrap_or(date.len())]).into_bytes();
        }
        &self.text
    }
}

/// A text as JSON, with its quotes.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A whole number.
fn push(line: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[at..]);
}

/// A number of two digits.
fn push_two(line: &mut Vec<u8>, number: u64) {
    line.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
}

/// A number given in thousandths, with three decimals.
fn push_thousandths(line: &mut Vec<u8>, thousandths: u64) {
    push(line, thousandths / 1000);
    let rest = thousandths % 1000;
    line.extend_from_slice(&[b'.', b'0' + (rest / 100) as u8]);
    push_two(line, rest % 100);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::scenario;

    const TEXT: &str = "[load]\nusers = 2\nspawn-rate = 1\nduration = \"4s\"\nwait = [\"1s\", \"1s\"]\n\
        [[endpoint]]\nname = \"/\\\"q\\\"\"\nmedian = \"100ms\"\np95 = \"100ms\"\n\
        failures = [{ status = 503, ratio = 0.5 }]\n\
        fields = { cost = 0.25, mode = { values = [0, 1.5], weights = [1, 1] }, rows = [1, 900] }\n";

    fn written(write: impl FnOnce(&mut LogWriter<Vec<u8>>) -> io::Result<()>) -> String {
        let scenario = scenario::parse(TEXT, "x").expect("valid");
        // 2026-01-01T00:00:00Z, less one microsecond.
        let mut log = LogWriter::new(&scenario, 1_767_225_599_999_999, Vec::new());
        write(&mut log).expect("memory is writable");
        String::from_utf8(log.finish().expect("memory is writable")).expect("text")
    }

    #[test]
    fn a_line_is_what_the_reader_expects() {
        let line = written(|log| {
            log.response(&Response {
                start_us: 123_457,
                response_time_us: 123_056,
                response_length: 512,
                user: 17,
                users: 30,
                picks: vec![0, 1, 870],
                ..Response::default()
            })
        });
        assert_eq!(
            line,
            "{\"timestamp\":\"2026-01-01T00:00:00.123456Z\",\"method\":\"GET\",\"name\":\"/\\\"q\\\"\",\
             \"response_time_ms\":123.056,\"status\":200,\"success\":true,\"error\":null,\"response_length\":512,\
             \"user\":17,\"users\":30,\"cost\":0.25,\"mode\":1.5,\"rows\":870}\n"
        );
    }

    #[test]
    fn a_failure_has_its_status_and_error_and_the_day_before() {
        let line = written(|log| {
            log.response(&Response {
                failure: Some(0),
                picks: vec![0, 0, 1],
                ..Response::default()
            })
        });
        assert!(
            line.starts_with("{\"timestamp\":\"2025-12-31T23:59:59.999999Z\""),
            "{line}"
        );
        assert!(line.contains("\"response_time_ms\":0.000,\"status\":503,\"success\":false,\"error\":\"HTTPError('503 "), "{line}");
    }

    #[test]
    fn a_memory_sample_has_no_name() {
        let line = written(|log| log.memory(1, 180_042));
        assert_eq!(
            line,
            "{\"timestamp\":\"2026-01-01T00:00:00.000000Z\",\"memory_mb\":180.042}\n"
        );
    }
}
