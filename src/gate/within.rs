//! `within DURATION`: the worst of all windows of that length, moved in steps of one second.

use super::{Comparator, Requirement};
use crate::exact::Fraction;
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
///
/// From one window to the next something changes only where a second with requests comes in or goes out. Where neither
/// happens all windows are alike, and one stands for them: a gap of years costs no more than one of a second.
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
    if last.saturating_sub(first) < length - 1 {
        return Err(format!("the run is shorter than the window of {length} s"));
    }
    let seconds = active(tally);
    let (mut coming, mut leaving) = (seconds.iter().peekable(), seconds.iter().peekable());
    let mut worst = Worst::default();
    let mut window = Window::default();
    let mut thin = 0_u64;
    // The last second of the window.
    let mut end = first + length - 1;
    while end <= last {
        while let Some(second) = coming.next_if(|second| **second <= end) {
            add(&mut window, tally, *second);
        }
        while let Some(second) = leaving.next_if(|second| **second <= end - length) {
            remove(&mut window, tally, *second);
        }
        let changes = [
            coming.peek().map(|second| **second),
            leaving.peek().map(|second| **second + length),
        ];
        let next = changes.into_iter().flatten().min();
        let next = next.map_or(last + 1, |next| next.min(last + 1));
        if window.requests >= needed || counts(&requirement.metric) {
            worst.see(
                requirement,
                measure(&requirement.metric, &window, length, end - length + 1)?,
            );
        } else if window.requests > 0 {
            thin += (next - end).unsigned_abs();
        }
        end = next;
    }
    let (worst, breaks) = worst.found(requirement).ok_or_else(|| {
        format!("no window of {length} s has the {needed} requests that are needed")
    })?;
    if thin > 0 && !breaks {
        return Err(format!(
            "{thin} windows of {length} s have fewer than the {needed} requests that are needed"
        ));
    }
    Ok(worst)
}

/// The worst windows so far; the earliest of equals.
#[derive(Default)]
struct Worst {
    /// The one that is surely the worst, however its unknown part turns out.
    surely: Option<(f64, Measurement)>,
    /// The one that is perhaps the worst.
    perhaps: Option<(f64, Measurement)>,
}

impl Worst {
    fn see(&mut self, requirement: &Requirement, measured: Measurement) {
        let (least, most) = badness(requirement, &measured);
        if self.perhaps.as_ref().is_none_or(|(worst, _)| most > *worst) {
            self.perhaps = Some((most, measured.clone()));
        }
        if self.surely.as_ref().is_none_or(|(worst, _)| least > *worst) {
            self.surely = Some((least, measured));
        }
    }

    /// The window that decides, and whether it surely breaks the limit. One that does is a failure, whatever is not known
    /// of others; else the one that may be the worst must keep it.
    fn found(self, requirement: &Requirement) -> Option<(Measurement, bool)> {
        let ((_, surely), (_, perhaps)) = self.surely.zip(self.perhaps)?;
        let super::Limit::Absolute(limit) = requirement.limit else {
            return Some((perhaps, false));
        };
        let comparator = requirement.comparator;
        let precision = surely.precision.as_ref();
        let breaks = !comparator.holds(surely.fraction(), limit)
            && !precision.is_some_and(|known| comparator.is_open(known, limit));
        Some((if breaks { surely } else { perhaps }, breaks))
    }
}

/// How far a figure goes in the direction that breaks the limit, at least and at most.
fn badness(requirement: &Requirement, measured: &Measurement) -> (f64, f64) {
    let value = measured.value;
    let known = measured.precision.as_ref();
    let (low, high) = known.map_or((value, value), |known| (known.low, known.high));
    match requirement.comparator {
        Comparator::Less | Comparator::LessOrEqual => (low, high),
        Comparator::Greater | Comparator::GreaterOrEqual => (-high, -low),
        Comparator::Equal => {
            let limit = match requirement.limit {
                super::Limit::Absolute(limit) => limit.to_f64(),
                super::Limit::Baseline { .. } => 0.0,
            };
            let (from, to) = ((low - limit).abs(), (high - limit).abs());
            let least = if (low..=high).contains(&limit) {
                0.0
            } else {
                from.min(to)
            };
            (least, from.max(to))
        }
    }
}

/// Every second in which something happened, in order.
fn active(tally: &EndpointTally) -> Vec<i64> {
    let seconds = &tally.seconds;
    let all = [&seconds.requests, &seconds.failures, &seconds.unknown];
    let mut active: Vec<i64> = all.iter().flat_map(|c| c.iter()).map(|(s, _)| s).collect();
    active.sort_unstable();
    active.dedup();
    active
}

/// Metrics that are measured in windows.
pub fn is_windowed(metric: &Metric) -> bool {
    counts(metric)
        || matches!(
            metric,
            Metric::FailureRatio | Metric::SuccessRatio | Metric::Quantile(_)
        )
}

/// Metrics that are measured even in a window without requests.
pub fn counts(metric: &Metric) -> bool {
    matches!(
        metric,
        Metric::Requests | Metric::Failures | Metric::Rps | Metric::Rpm
    )
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
    let n = window.requests;
    let of = |failures: u64| match metric {
        Metric::Failures => Fraction::share(failures, 1),
        Metric::SuccessRatio => Fraction::share(n.saturating_sub(failures), n),
        _ => Fraction::share(failures, n),
    };
    let rate = |per_s: u64| Fraction::share(n.saturating_mul(per_s), length.unsigned_abs());
    let mut precision = None;
    let exact = match metric {
        Metric::Requests => Fraction::share(n, 1),
        Metric::Failures | Metric::FailureRatio | Metric::SuccessRatio => {
            precision = in_doubt(window, of);
            of(window.failures)
        }
        Metric::Rps => rate(1),
        Metric::Rpm => rate(60),
        _ => None,
    };
    let value = match (metric, exact) {
        (_, Some(exact)) => exact.to_f64(),
        (Metric::Quantile(q), None) => {
            let value = window
                .buckets
                .percentile(*q)
                .ok_or("the source does not say when which response time was seen")?;
            precision = Some(Precision {
                low: value * (1.0 - BUCKET_ERROR),
                high: value * (1.0 + BUCKET_ERROR),
                because: "percentiles of a window come from buckets".to_owned(),
            });
            value
        }
        _ => return Err(format!("`{metric}` is not measured in windows")),
    };
    Ok(Measurement {
        value,
        exact,
        // A window without requests is a measured zero for a count.
        samples: window.requests.max(u64::from(counts(metric))),
        interval: None,
        precision,
        missing: None,
        remark: Some(format!(
            "worst window of {length} s from {}",
            units::moment(start.saturating_mul(1000))
        )),
    })
}

/// The bounds of a figure, if requests of the window do not say whether they failed.
fn in_doubt(window: &Window, of: impl Fn(u64) -> Option<Fraction>) -> Option<Precision> {
    let unknown = window.unknown;
    let known = of(window.failures)?.to_f64();
    let other = of(window.failures + unknown)?.to_f64();
    (unknown > 0).then(|| Precision {
        low: known.min(other),
        high: known.max(other),
        because: format!("{unknown} of {} requests {NO_OUTCOME}", window.requests),
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

#[cfg(test)]
mod tests;
