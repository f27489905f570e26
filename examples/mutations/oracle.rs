//! What mutated files say by themselves, read by a second, much stricter reader.
//!
//! A mutant that turns a gate green is justified only if the files are whole, say what the gate asks for without anything
//! taken for granted, contradict neither themselves nor each other, and what they say keeps the gate. Then nothing in them
//! tells that they were changed. Everything else is a silent green.

use std::collections::BTreeMap;

use super::subject::{Endpoint, Figure, File, Gate, Kind, Subject};

pub mod kept;
pub mod locust_json;
pub mod log;
pub mod tables;

/// What the files say on a gate.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// This figure, and for that reason nobody can know better.
    Figure(f64, &'static str),
    /// Nothing on which a pass can rest.
    Nothing(String),
}

/// Why a green mutant is no fault of loadgate's; `Err` says why it is one.
///
/// `observed` is the figure that loadgate judged.
pub fn justification(
    subject: &Subject,
    files: &[File],
    gate: &Gate,
    observed: Option<f64>,
) -> Result<&'static str, String> {
    if subject.kind.is_baseline() {
        return kept::justification(subject, files, gate);
    }
    let said = match subject.kind {
        Kind::Tables => tables::said(files, &subject.files, gate),
        Kind::LocustJson => locust_json::said(files, gate),
        Kind::Log | Kind::LogBesideTables | Kind::Report | Kind::History => log::said(files, gate),
    };
    let (value, because) = match said {
        Said::Figure(value, because) => (value, because),
        Said::Nothing(why) => return Err(why),
    };
    if subject.kind == Kind::LogBesideTables && files.iter().any(|f| f.name == "requests.jsonl") {
        tables::reconcile(files, &subject.files, gate)?;
    }
    if !gate.holds(value) {
        return Err(format!("the files say {value}, which breaks the gate"));
    }
    match observed {
        Some(observed) if (observed - value).abs() > 1e-3 * value.abs().max(1.0) => {
            Err(format!("the files say {value}, and {observed} was judged"))
        }
        _ => Ok(because),
    }
}

/// Bytes without compression and byte order mark.
pub fn plain(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = flate2::read::MultiGzDecoder::new(bytes);
        std::io::Read::read_to_end(&mut decoder, &mut plain).ok()?;
    } else if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        plain = zstd::decode_all(bytes).ok()?;
    } else {
        plain = bytes.to_vec();
    }
    if plain.starts_with(&[0xef, 0xbb, 0xbf]) {
        plain.drain(..3);
    }
    Some(plain)
}

/// Bytes as text, in UTF-16 too if a byte order mark says so.
pub fn text(bytes: &[u8]) -> Option<String> {
    let plain = plain(bytes)?;
    let wide = |of: fn([u8; 2]) -> u16| {
        let units = plain.get(2..)?.chunks(2);
        let units = units.map(|pair| Some(of([*pair.first()?, *pair.get(1)?])));
        String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok()
    };
    match plain.get(..2) {
        Some([0xff, 0xfe]) => wide(u16::from_le_bytes),
        Some([0xfe, 0xff]) => wide(u16::from_be_bytes),
        _ => String::from_utf8(plain.clone()).ok(),
    }
}

/// Figures of an endpoint, or of the total, as a source counts them.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Requests.
    pub requests: f64,
    /// Failures; `None` if it is not known of all.
    pub failures: Option<f64>,
    /// Response times in ms, ascending; `None` if their unit is not known.
    pub times: Option<Vec<f64>>,
    /// First start and last end, epoch s.
    pub span: Option<(f64, f64)>,
    /// Measured fields.
    pub fields: BTreeMap<String, Vec<f64>>,
}

impl Figures {
    /// What a gate asks for; `Err` says why it cannot be had.
    pub fn figure(&self, figure: &Figure) -> Result<f64, String> {
        let times = || match &self.times {
            Some(times) if !times.is_empty() => Ok(times),
            Some(_) => Err("no request has a response time".to_owned()),
            None => Err("the unit of the response times is not stated".to_owned()),
        };
        let failures = self
            .failures
            .ok_or("the outcome is not known of every request");
        if self.requests == 0.0 {
            return Err("there are no requests".to_owned());
        }
        match figure {
            Figure::Requests => Ok(self.requests),
            Figure::Failures => Ok(failures?),
            Figure::FailureRatio => Ok(failures? / self.requests),
            Figure::Mean => times().map(|times| mean(times)),
            Figure::Max => times().map(|times| times.last().copied().unwrap_or(0.0)),
            Figure::Percentile(p) => {
                let times = times()?;
                let needed = 100 / (100 - u64::from(*p)).max(1);
                if (times.len() as u64) < needed {
                    return Err(format!("{} values bear no p{p}", times.len()));
                }
                Ok(percentile(times, f64::from(*p) / 100.0))
            }
            Figure::Rps => {
                let (first, last) = self.span.ok_or("not every request says when it started")?;
                if last <= first {
                    return Err("no time passed".to_owned());
                }
                Ok(self.requests / (last - first))
            }
            Figure::Users => Err("the source says nothing of users".to_owned()),
            Figure::FieldMax(name) | Figure::FieldMean(name) => {
                let values = self.fields.get(name);
                let values = values.ok_or("no request has the field")?;
                if (values.len() as f64) < 0.99 * self.requests {
                    return Err(format!(
                        "{} of {} requests have the field",
                        values.len(),
                        self.requests
                    ));
                }
                Ok(match figure {
                    Figure::FieldMean(_) => mean(values),
                    _ => values.iter().copied().fold(f64::MIN, f64::max),
                })
            }
        }
    }
}

/// Arithmetic mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// numpy's `linear`, of ascending values.
pub fn percentile(values: &[f64], q: f64) -> f64 {
    let position = (values.len() - 1) as f64 * q;
    let low = values[position.floor() as usize];
    let high = values[(position.floor() as usize + 1).min(values.len() - 1)];
    low + (high - low) * (position - position.floor())
}

/// Locust's rounding of a response time: the least and the greatest that a written one stands for.
pub fn rounded_from(ms: f64) -> (f64, f64) {
    let step = match ms {
        v if v < 100.0 => 1.0,
        v if v < 1000.0 => 10.0,
        v if v < 10_000.0 => 100.0,
        _ => 1000.0,
    };
    (ms - step / 2.0, ms + step / 2.0)
}

/// Whether two endpoints are the same; of the total `None`.
pub fn is_on(on: Option<&Endpoint>, method: &str, name: &str) -> bool {
    on.is_none_or(|on| on.method == method && on.name == name)
}
