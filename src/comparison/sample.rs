//! One run as a comparison sees it: its figures, how rounded they are, and how sure the run itself is of them.

use std::collections::BTreeMap;

use super::batch_means::{self, batch_means};
use super::bootstrap::{self, Plan, Statistic, resample};
use super::rounding::Rounded;
use super::seconds::Seconds;
use super::shortfall::Shortfall;
use super::terms::{Terms, is_share};
use crate::metric::{Context, Measurement, Metric, measure::measure};
use crate::summary::{EndpointSummary, Summary};
use crate::tally::seconds::bucket_value_ms;
use crate::tally::{Endpoint, EndpointTally, Evidence};

mod digest;
pub mod failures;
pub mod kept;

/// A run, whatever it was read from.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Its label.
    pub label: String,
    /// First start, epoch ms, if known.
    pub started_ms: Option<i64>,
    /// First start to last end in seconds, if known.
    pub duration_s: Option<f64>,
    /// The most concurrent users seen, if known.
    pub users_max: Option<u64>,
    /// Its labels (`commit`, `machine`, …).
    pub metadata: BTreeMap<String, String>,
    /// Whether it is of a history.
    pub recorded: bool,
    /// The whole run.
    pub total: EndpointSample,
    /// Every endpoint.
    pub endpoints: BTreeMap<Endpoint, EndpointSample>,
}

/// One endpoint of one run, or its total.
#[derive(Clone, Debug, Default)]
pub struct EndpointSample {
    /// How exact the response times are.
    pub evidence: Evidence,
    /// Requests, failures included.
    pub requests: u64,
    /// Failed requests.
    pub failures: u64,
    /// How many independent requests they are worth where failures are concerned; at most `requests`.
    pub effective_of_failures: f64,
    /// Response times in ms, ascending, with their requests; empty if not held.
    pub times: Vec<(f64, u64)>,
    /// The metrics asked for, in any order.
    pub figures: Vec<Figure>,
}

/// One metric of one run.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Which.
    pub metric: Metric,
    /// Its value in base units and what that was rounded from, or why there is none.
    pub value: Result<Rounded, String>,
    /// How sure the run is of it.
    pub spread: Result<Spread, Shortfall>,
}

/// How much a figure would move, were the run repeated under the very same conditions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Standard error of ln(figure).
    pub standard_error: f64,
    /// How many independent requests the run is worth for this figure, if known.
    pub effective: Option<f64>,
}

impl EndpointSample {
    /// The figure of a metric.
    pub fn figure(&self, metric: &Metric) -> Option<&Figure> {
        self.figures.iter().find(|f| f.metric == *metric)
    }
}

impl Sample {
    /// Measures all metrics of the terms at every endpoint, and resamples the run second by second.
    ///
    /// The draws are seeded from the run's own counts: the same run gives the same sample, however its files are
    /// named, split or ordered.
    pub fn of(summary: &Summary, terms: &Terms) -> Self {
        let context = Context {
            duration_s: summary.duration_s,
            users_max: summary.users_max,
            expected: terms.expected.clone(),
        };
        let endpoints: Vec<&EndpointSummary> = std::iter::once(&summary.total)
            .chain(&summary.endpoints)
            .collect();
        let mut sampled = in_parallel(&endpoints, |e| {
            endpoint_sample(&e.tally, e.endpoint.is_none(), terms, &context)
        })
        .into_iter();
        Self {
            label: summary.label.clone(),
            started_ms: summary.started_ms,
            duration_s: summary.duration_s,
            users_max: summary.users_max,
            metadata: summary.metadata.clone(),
            recorded: false,
            total: sampled.next().unwrap_or_default(),
            endpoints: summary
                .endpoints
                .iter()
                .zip(sampled)
                .filter_map(|(e, sample)| Some((e.endpoint.clone()?, sample)))
                .collect(),
        }
    }
}

/// Works on every item, by several threads where there is much to do; the answers keep the items' order.
fn in_parallel<T: Sync, A: Send>(items: &[T], work: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(|| part.iter().map(&work).collect::<Vec<A>>()))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| match part.join() {
                Ok(answers) => answers,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

fn endpoint_sample(
    tally: &EndpointTally,
    total: bool,
    terms: &Terms,
    context: &Context,
) -> EndpointSample {
    let metrics: Vec<&Metric> = terms.metrics_of(total).collect();
    let spreads = spreads(tally, &metrics, terms.alpha);
    let figures = metrics
        .iter()
        .zip(spreads)
        .map(|(metric, spread)| Figure {
            metric: (*metric).clone(),
            value: measure(metric, tally, context).and_then(|m| rounded(metric, &m)),
            spread,
        })
        .collect();
    EndpointSample {
        evidence: tally.evidence,
        requests: tally.requests,
        failures: tally.failures,
        effective_of_failures: failures::effective(tally),
        times: times(tally),
        figures,
    }
}

/// The value with the bounds that its source leaves open; Locust's rounding is lopsided at powers of ten.
fn rounded(metric: &Metric, measured: &Measurement) -> Result<Rounded, String> {
    match (metric, &measured.precision) {
        (_, None) => Ok(Rounded::exact(measured.value)),
        (Metric::Quantile(_), Some(_)) => Ok(Rounded::of(measured.value)),
        // A share is compared by its counts, of which some are not known.
        (metric, Some(known)) if is_share(metric) => Err(known.because.clone()),
        (_, Some(known)) if known.high.is_finite() => Ok(Rounded {
            value: measured.value,
            lower: known.low,
            upper: known.high,
        }),
        (_, Some(known)) => Err(known.because.clone()),
    }
}

/// Response times in bins of 0.8 %, as a chart needs no more.
fn times(tally: &EndpointTally) -> Vec<(f64, u64)> {
    let mut bins: BTreeMap<u16, u64> = BTreeMap::new();
    for (us, n) in tally.response_times.iter() {
        *bins
            .entry(crate::tally::seconds::bucket(us.max(0) as u64))
            .or_default() += n;
    }
    bins.into_iter()
        .map(|(bin, n)| (bucket_value_ms(bin), n))
        .collect()
}

/// How sure the run is of each metric, in the metrics' order.
fn spreads(
    tally: &EndpointTally,
    metrics: &[&Metric],
    alpha: f64,
) -> Vec<Result<Spread, Shortfall>> {
    let statistics: Vec<Option<Statistic>> = metrics.iter().map(|m| statistic(m)).collect();
    let wanted: Vec<Statistic> = statistics.iter().copied().flatten().collect();
    let mut resampled = match over_time(tally) {
        Some(seconds) => from_requests(seconds, &wanted, tally, alpha),
        None => wanted.iter().map(|s| from_rows(*s, tally)).collect(),
    }
    .into_iter();
    metrics
        .iter()
        .zip(&statistics)
        .map(|(metric, statistic)| match (metric, statistic) {
            (_, Some(_)) => resampled.next().unwrap_or(Err(Shortfall::NothingOverTime)),
            (Metric::Rps | Metric::Rpm, None) => rate(tally),
            // A share is compared by its counts.
            (metric, None) if is_share(metric) => Err(Shortfall::NothingOverTime),
            (_, None) => Err(Shortfall::NothingOverTime),
        })
        .collect()
}

fn statistic(metric: &Metric) -> Option<Statistic> {
    match metric {
        Metric::Mean => Some(Statistic::Mean),
        Metric::Quantile(q) if *q > 0.0 && *q < 1.0 => Some(Statistic::Quantile(*q)),
        _ => None,
    }
}

/// Second, response time and requests; `None` if the source does not say when which response time was seen.
fn over_time(tally: &EndpointTally) -> Option<Result<Seconds, Shortfall>> {
    let (first, _) = tally.seconds.span()?;
    if tally.evidence != Evidence::Requests || tally.without_start > 0 {
        return None;
    }
    let times = tally.seconds.all_buckets().map(|(second, bucket, n)| {
        let us = (bucket_value_ms(bucket) * 1e3).round() as u64;
        ((second - first) as u64, us, n)
    });
    Some(Seconds::collect(times))
}

fn from_requests(
    seconds: Result<Seconds, Shortfall>,
    statistics: &[Statistic],
    tally: &EndpointTally,
    alpha: f64,
) -> Vec<Result<Spread, Shortfall>> {
    let plan = Plan {
        replicates: bootstrap::REPLICATES,
        alpha,
        seed: digest::of(tally),
    };
    match seconds.and_then(|seconds| resample(&seconds, statistics, plan)) {
        Err(why) => vec![Err(why); statistics.len()],
        Ok(resampled) => resampled
            .spreads
            .into_iter()
            .map(|spread| {
                spread.map(|s| Spread {
                    standard_error: s.standard_error,
                    effective: Some(s.effective_requests),
                })
            })
            .collect(),
    }
}

/// The mean of a table whose history has running totals; nothing else is known of it over time.
fn from_rows(statistic: Statistic, tally: &EndpointTally) -> Result<Spread, Shortfall> {
    if statistic != Statistic::Mean || tally.seconds.batches.is_empty() {
        return Err(Shortfall::NothingOverTime);
    }
    let rows: Vec<batch_means::Batch> = tally
        .seconds
        .batches
        .values()
        .map(|b| batch_means::Batch {
            requests: b.requests,
            sum_ms: b.sum_us as f64 / 1e3,
        })
        .collect();
    batch_means(&rows).map(|means| Spread {
        standard_error: means.log_standard_error,
        effective: None,
    })
}

/// Requests per second, from the seconds between the first and the last: the mean of their counts.
fn rate(tally: &EndpointTally) -> Result<Spread, Shortfall> {
    let (first, last) = tally.seconds.span().ok_or(Shortfall::NothingOverTime)?;
    if last - first >= 7 * 24 * 3600 {
        return Err(Shortfall::TooLong {
            seconds: (last - first) as u64,
        });
    }
    let mut counts = vec![0; (last - first + 1) as usize];
    for (second, n) in tally.seconds.requests.iter() {
        counts[(second - first) as usize] += n;
    }
    let rows: Vec<batch_means::Batch> = counts
        .iter()
        .map(|n| batch_means::Batch {
            requests: 1,
            sum_ms: *n as f64,
        })
        .collect();
    batch_means(&rows).map(|means| Spread {
        standard_error: means.log_standard_error,
        effective: None,
    })
}
