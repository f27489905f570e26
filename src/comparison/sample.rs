//! One run as a comparison sees it: its figures, how rounded they are, and how sure the run itself is of them.

use std::collections::BTreeMap;

use super::rounding::Rounded;
use super::shortfall::Shortfall;
use super::terms::{Terms, is_share};
use crate::input::report::tidy;
use crate::metric::{Context, Measurement, Metric, measure::measure};
use crate::parallel;
use crate::summary::{EndpointSummary, Summary};
use crate::tally::{Endpoint, EndpointTally, Evidence, WORTH_THREADS};

pub mod failures;
pub mod kept;

use kept::Kept;

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
    /// Measures all metrics of the terms at every endpoint, to the precision of what is kept of a run.
    pub fn of(summary: &Summary, terms: &Terms) -> Self {
        let context = Context {
            duration_s: summary.duration_s,
            users_max: summary.users_max,
            expected: terms.expected.clone(),
        };
        let endpoints: Vec<&EndpointSummary> = std::iter::once(&summary.total)
            .chain(&summary.endpoints)
            .collect();
        let is_worth_it = summary.total.requests >= WORTH_THREADS;
        let mut sampled = parallel::each(endpoints, is_worth_it, |e| {
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

fn endpoint_sample(
    tally: &EndpointTally,
    total: bool,
    terms: &Terms,
    context: &Context,
) -> EndpointSample {
    let kept = Kept::of(tally);
    let figures = terms.metrics_of(total).map(|metric| Figure {
        metric: metric.clone(),
        value: measure(metric, tally, context).and_then(|m| rounded(metric, &m)),
        spread: kept.spread_of(metric, tally),
    });
    EndpointSample {
        evidence: tally.evidence,
        requests: tally.requests,
        failures: tally.failures,
        effective_of_failures: kept.effective_of_failures,
        figures: figures.collect(),
        times: Kept::middles(&kept.times_us),
    }
}

/// A figure as reports and histories keep it, to a millionth, so that a run compares alike whatever it is read from.
fn exact(value: f64) -> Rounded {
    Rounded::exact(tidy(value))
}

/// The value with the bounds that its source leaves open; Locust's rounding is lopsided at powers of ten.
fn rounded(metric: &Metric, measured: &Measurement) -> Result<Rounded, String> {
    match (metric, &measured.precision) {
        // Shares are counts, which are kept exactly.
        (metric, None) if is_share(metric) => Ok(Rounded::exact(measured.value)),
        (_, None) => Ok(exact(measured.value)),
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
