//! Locust's JSON, whose histograms, seconds and sums must all count the same requests.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::subject::{Figure, File, Gate};
use super::{Figures, Said, is_on, rounded_from, text};

#[derive(Deserialize)]
struct Entry {
    name: String,
    method: String,
    start_time: f64,
    last_request_timestamp: Option<f64>,
    num_requests: u64,
    #[serde(default)]
    num_none_requests: u64,
    num_failures: u64,
    total_response_time: f64,
    max_response_time: Option<f64>,
    min_response_time: Option<f64>,
    response_times: BTreeMap<String, u64>,
    num_reqs_per_sec: BTreeMap<String, u64>,
    num_fail_per_sec: BTreeMap<String, u64>,
}

/// What the JSON says.
pub fn said(files: &[File], gate: &Gate) -> Said {
    match read(files, gate) {
        Ok(value) => Said::Figure(
            value,
            "histogram, seconds, sums and counts of Locust's JSON agree on it",
        ),
        Err(why) => Said::Nothing(why),
    }
}

fn read(files: &[File], gate: &Gate) -> Result<f64, String> {
    let mut seen: Vec<&[u8]> = Vec::new();
    for file in files {
        if !seen.contains(&&file.bytes[..]) {
            seen.push(&file.bytes);
        }
    }
    let [bytes] = seen[..] else {
        return Err(format!("{} different files are not one run", seen.len()));
    };
    let text = text(bytes).ok_or("the file is not whole")?;
    let all: Vec<Entry> = serde_json::from_str(&text).map_err(|e| format!("not an entry: {e}"))?;
    let mut names: Vec<(&str, &str)> = all.iter().map(|e| (&*e.name, &*e.method)).collect();
    names.sort_unstable();
    if names.windows(2).any(|two| two[0] == two[1]) {
        return Err("an entry is there twice".to_owned());
    }
    let mut figures = Figures {
        failures: Some(0.0),
        ..Figures::default()
    };
    let (mut times, mut sum, mut summed) = (Vec::new(), 0.0, 0_u64);
    let mut max = 0.0_f64;
    let mut span = (f64::MAX, f64::MIN);
    for entry in &all {
        entry
            .is_sound()
            .map_err(|why| format!("{}: {why}", entry.name))?;
        span.0 = span.0.min(entry.start_time);
        span.1 = span.1.max(entry.last_request_timestamp.unwrap_or(f64::MIN));
        if !is_on(gate.on.as_ref(), &entry.method, &entry.name) {
            continue;
        }
        figures.requests += entry.num_requests as f64;
        figures.failures = figures.failures.map(|n| n + entry.num_failures as f64);
        sum += entry.total_response_time;
        summed += entry.num_requests - entry.num_none_requests;
        max = max.max(entry.max_response_time.unwrap_or(0.0));
        for (ms, n) in &entry.response_times {
            let ms: f64 = ms.parse().map_err(|_| "a response time is not a number")?;
            times.extend(std::iter::repeat_n(ms, *n as usize));
        }
    }
    times.sort_by(f64::total_cmp);
    figures.times = Some(times);
    match gate.figure {
        Figure::Mean if summed > 0 => Ok(sum / summed as f64),
        Figure::Max if summed > 0 => Ok(max),
        Figure::Rps if span.1 > span.0 => Ok(figures.requests / (span.1 - span.0)),
        _ => figures.figure(&gate.figure),
    }
}

impl Entry {
    fn is_sound(&self) -> Result<(), String> {
        let count = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        if self.num_none_requests > self.num_requests || self.num_failures > self.num_requests {
            return Err("more failures than requests".to_owned());
        }
        let timed = self.num_requests - self.num_none_requests;
        for (what, n, of) in [
            ("histogram", count(&self.response_times), timed),
            (
                "requests per second",
                count(&self.num_reqs_per_sec),
                self.num_requests,
            ),
            (
                "failures per second",
                count(&self.num_fail_per_sec),
                self.num_failures,
            ),
        ] {
            if n != of {
                return Err(format!("the {what} count {n}, not {of}"));
            }
        }
        let mut bins = Vec::new();
        for (ms, n) in &self.response_times {
            let ms: f64 = ms
                .parse()
                .map_err(|_| format!("`{ms}` ms is not a number"))?;
            bins.push((ms, *n));
        }
        bins.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (Some(first), Some(last)) = (bins.first(), bins.last()) else {
            return Ok(());
        };
        let (min, max) = (self.min_response_time, self.max_response_time);
        let (Some(min), Some(max)) = (min, max) else {
            return Err("no shortest or longest response time".to_owned());
        };
        let within = |ms: f64, written: f64| {
            let (low, high) = rounded_from(written);
            (low - 1.0..=high + 1.0).contains(&ms)
        };
        if !within(min, first.0) || !within(max, last.0) {
            return Err(format!(
                "{min} to {max} ms are not the ends of the histogram"
            ));
        }
        let bound = |end: fn((f64, f64)) -> f64| -> f64 {
            bins.iter()
                .map(|(ms, n)| end(rounded_from(*ms)) * *n as f64)
                .sum()
        };
        let (low, high) = (bound(|b| b.0), bound(|b| b.1));
        if self.total_response_time < low - 1.0 || self.total_response_time > high + 1.0 {
            return Err("the sum of the response times is not that of the histogram".to_owned());
        }
        let seconds: Vec<f64> = self
            .num_reqs_per_sec
            .keys()
            .filter_map(|s| s.parse().ok())
            .collect();
        let (from, to) = (
            self.start_time,
            self.last_request_timestamp.unwrap_or(self.start_time),
        );
        let strays = seconds.iter().any(|s| *s < from - 2.0 || *s > to + 2.0);
        if strays {
            return Err("seconds with requests lie outside of the run".to_owned());
        }
        Ok(())
    }
}
