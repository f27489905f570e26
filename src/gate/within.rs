//! `within DURATION`: the worst of all windows of that length, moved in steps of one second.

use super::Requirement;
use crate::metric::measure::NO_OUTCOME;
use crate::metric::{Measurement, Metric, Precision};
use crate::summary::quantile::quantile;
use crate::tally::EndpointTally;
use crate::tally::seconds::bucket_value_ms;
use crate::units;

/// Relative error of a percentile from the logarithmic buckets.
const BUCKET_ERROR: f64 = 1.0 / 256.0;

/// What happened in the seconds of a window.
#[derive(Default)]
struct Window {
    requests: u64,
    failures: u64,
    /// Requests that do not say whether they failed.
    unknown: u64,
    buckets: Histogram,
}

/// Measures every window that lies wholly in the run and returns the one furthest beyond (or nearest to) the limit.
pub fn worst(
    requirement: &Requirement,
    tally: &EndpointTally,
    window_s: f64,
    needed: u64,
) -> Result<Measurement, String> {
    if let Some(because) = tally.doubts.on(&requirement.metric) {
        return Err(because.to_owned());
    }
    let length = window_s.ceil().max(1.0) as i64;
    let Some((first, last)) = tally.seconds.span() else {
        return Err("the source does not say when requests happened".to_owned());
    };
    if tally.without_start > 0 {
        return Err(format!(
            "{} requests have no timestamp",
            tally.without_start
        ));
    }
    if last - first + 1 < length {
        return Err(format!("the run is shorter than the window of {length} s"));
    }
    let mut worst: Option<Measurement> = None;
    let mut window = Window::default();
    let mut thin = 0_u64;
    for end in first..=last {
        add(&mut window, tally, end);
        let start = end - length + 1;
        if start < first {
            continue;
        }
        if window.requests >= needed || counts(&requirement.metric) {
            let measured = measure(&requirement.metric, &window, length, start)?;
            if worst
                .as_ref()
                .is_none_or(|w| is_worse(requirement, measured.value, w.value))
            {
                worst = Some(measured);
            }
        } else if window.requests > 0 {
            thin += 1;
        }
        remove(&mut window, tally, start);
    }
    let worst = worst.ok_or_else(|| {
        format!("no window of {length} s has the {needed} requests that are needed")
    })?;
    if thin > 0 && requirement_holds(requirement, worst.value) {
        return Err(format!(
            "{thin} windows of {length} s have fewer than the {needed} requests that are needed"
        ));
    }
    Ok(worst)
}

/// Metrics that are measured even in a window without requests.
fn counts(metric: &Metric) -> bool {
    matches!(
        metric,
        Metric::Requests | Metric::Failures | Metric::Rps | Metric::Rpm
    )
}

fn requirement_holds(requirement: &Requirement, value: f64) -> bool {
    match requirement.limit {
        super::Limit::Absolute(limit) => requirement.comparator.holds(value, limit),
        super::Limit::Baseline { .. } => false,
    }
}

fn is_worse(requirement: &Requirement, value: f64, than: f64) -> bool {
    match requirement.limit {
        super::Limit::Absolute(limit) => {
            requirement.comparator.margin(value, limit) < requirement.comparator.margin(than, limit)
        }
        super::Limit::Baseline { .. } => value > than,
    }
}

fn add(window: &mut Window, tally: &EndpointTally, second: i64) {
    window.requests += tally.seconds.requests.get(second);
    window.failures += tally.seconds.failures.get(second);
    window.unknown += tally.seconds.unknown.get(second);
    for (bucket, n) in tally.seconds.buckets(second) {
        window.buckets.add(bucket, n);
    }
}

fn remove(window: &mut Window, tally: &EndpointTally, second: i64) {
    window.requests -= tally.seconds.requests.get(second);
    window.failures -= tally.seconds.failures.get(second);
    window.unknown -= tally.seconds.unknown.get(second);
    for (bucket, n) in tally.seconds.buckets(second) {
        window.buckets.remove(bucket, n);
    }
}

fn measure(
    metric: &Metric,
    window: &Window,
    length: i64,
    start: i64,
) -> Result<Measurement, String> {
    let n = window.requests as f64;
    let mut precision = None;
    let mut failed = |of: &dyn Fn(u64) -> f64| {
        let (value, other) = (of(window.failures), of(window.failures + window.unknown));
        if window.unknown > 0 {
            let unknown = window.unknown;
            precision = Some(Precision {
                low: value.min(other),
                high: value.max(other),
                because: format!("{unknown} of {} requests {NO_OUTCOME}", window.requests),
            });
        }
        value
    };
    let value = match metric {
        Metric::Requests => n,
        Metric::Failures => failed(&|failures| failures as f64),
        Metric::FailureRatio => failed(&|failures| failures as f64 / n),
        Metric::SuccessRatio => failed(&|failures| 1.0 - failures as f64 / n),
        Metric::Rps => n / length as f64,
        Metric::Rpm => n / length as f64 * 60.0,
        Metric::Quantile(q) => {
            let value = window.buckets.percentile(*q).ok_or("the source does not say when which response time was seen")?;
            precision = Some(Precision {
                low: value * (1.0 - BUCKET_ERROR),
                high: value * (1.0 + BUCKET_ERROR),
                because: "percentiles of a window come from buckets".to_owned(),
            });
            value
        }
        _ => return Err("this metric cannot be judged in windows; requests, failures, ratios, rates and percentiles can".to_owned()),
    };
    Ok(Measurement {
        value,
        // A window without requests is a measured zero for a count.
        samples: window.requests.max(u64::from(counts(metric))),
        interval: None,
        precision,
        missing: None,
        remark: Some(format!(
            "worst window of {length} s from {}",
            units::moment(start * 1000)
        )),
    })
}

/// Requests in each bucket of response times.
#[derive(Default)]
struct Histogram {
    counts: Vec<u64>,
    /// First and last bucket that may hold something.
    span: Option<(usize, usize)>,
    total: u64,
}

impl Histogram {
    /// Adds requests to a bucket.
    fn add(&mut self, bucket: u16, n: u64) {
        let at = usize::from(bucket);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += n;
        self.total += n;
        self.span = Some(
            self.span
                .map_or((at, at), |(first, last)| (first.min(at), last.max(at))),
        );
    }

    /// Takes requests away again.
    fn remove(&mut self, bucket: u16, n: u64) {
        self.counts[usize::from(bucket)] -= n;
        self.total -= n;
    }

    /// A percentile in milliseconds, within 0.4 %.
    fn percentile(&self, q: f64) -> Option<f64> {
        let (first, last) = self.span?;
        let held = self.counts[first..=last]
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0);
        let values = held.map(|(i, n)| (bucket_value_ms((first + i) as u16), *n));
        quantile(values, self.total, q)
    }
}
