//! A history as baseline: its newest runs of the same machine and scenario, of each figure those since its last change.

use crate::comparison::rounding::Rounded;
use crate::comparison::sample::{EndpointSample, Figure, Sample};
use crate::comparison::shortfall::Shortfall;
use crate::comparison::terms::{Terms, is_share};
use crate::comparison::{Precondition, Subject};
use crate::history::entry::{EndpointEntry, Entry, Provenance, fnv1a};
use crate::history::segment;
use crate::metric::Metric;
use crate::summary::quantile::millionths;
use crate::tally::{Endpoint, Evidence};

/// Newest runs that are looked at: more would reach far into the past for a deviation that is known well enough.
const WINDOW: usize = 40;
const BEFORE: &str = "it is of before the last change of level";

/// The run that is compared with the history.
#[derive(Clone, Debug, Default)]
pub struct Current {
    /// Its machine and scenario, as the history keeps them.
    pub provenance: Provenance,
    /// Its first start, epoch ms.
    pub started_ms: Option<i64>,
    /// Its requests.
    pub requests: u64,
    /// Its mean response time in ms.
    pub mean_ms: Option<f64>,
}

impl Current {
    /// Whether this is the recorded run itself: it began at the same moment, with as many requests and the same mean, to
    /// the digits that are written.
    fn is(&self, entry: &Entry) -> bool {
        let mean = entry.total.response_time_ms.mean;
        let same_mean = match (mean, self.mean_ms) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-5 * b.abs(),
            (None, None) => true,
            _ => false,
        };
        entry.started_ms.is_some()
            && entry.started_ms == self.started_ms
            && entry.total.requests == self.requests
            && same_mean
    }
}

/// The runs of a history (oldest first) that the current one can be compared with, and what was left out.
pub fn samples(
    entries: Vec<Entry>,
    path: &str,
    terms: &Terms,
    current: &Current,
) -> (Vec<Sample>, Option<Precondition>) {
    let all = entries.len();
    let alike = |e: &Entry| {
        e.machine == current.provenance.machine && e.scenario == current.provenance.scenario
    };
    let earlier: Vec<Entry> = entries.into_iter().filter(|e| !current.is(e)).collect();
    let others = earlier.iter().filter(|e| !alike(e)).count();
    let mut kept: Vec<Entry> = earlier.into_iter().filter(alike).collect();
    kept.drain(..kept.len().saturating_sub(WINDOW));
    let mut samples: Vec<Sample> = kept.iter().map(|e| sample(e, terms)).collect();
    since_last_change(&mut samples, terms);
    let left_out = (others > 0).then(|| Precondition {
        subject: Subject::Conditions,
        message: format!(
            "{others} of {all} runs of {path} are of another machine or scenario and were left out"
        ),
    });
    (samples, left_out)
}

fn sample(entry: &Entry, terms: &Terms) -> Sample {
    Sample {
        label: entry.commit.clone().unwrap_or_else(|| entry.label.clone()),
        duration_s: entry.duration_s,
        users_max: entry.users_max,
        metadata: entry.labels.clone(),
        recorded: true,
        total: endpoint(entry, None, &entry.total, terms),
        endpoints: entry
            .endpoints
            .iter()
            .map(|e| {
                let key = e.endpoint();
                let sample = endpoint(entry, Some(&key), e, terms);
                (key, sample)
            })
            .collect(),
    }
}

fn endpoint(
    entry: &Entry,
    key: Option<&Endpoint>,
    of: &EndpointEntry,
    terms: &Terms,
) -> EndpointSample {
    let times = entry.times_of(key);
    let figures = terms.metrics_of(key.is_none()).map(|metric| Figure {
        metric: metric.clone(),
        value: value(
            metric,
            entry,
            of,
            times.as_ref().and_then(|t| quantile(metric, t)),
        ),
        spread: Err(Shortfall::NothingOverTime),
    });
    EndpointSample {
        evidence: of.evidence,
        requests: of.requests,
        failures: of.failures,
        effective_of_failures: of.requests as f64,
        figures: figures.collect(),
        times: times.map_or_else(Vec::new, |times| times.values().collect()),
    }
}

fn quantile(metric: &Metric, times: &crate::history::time_counts::TimeCounts) -> Option<f64> {
    match metric {
        Metric::Quantile(q) => times.quantile(*q),
        _ => None,
    }
}

fn value(
    metric: &Metric,
    entry: &Entry,
    of: &EndpointEntry,
    from_times: Option<f64>,
) -> Result<Rounded, String> {
    let n = of.requests as f64;
    if of.requests == 0 {
        return Err("there are no requests".to_owned());
    }
    let times = &of.response_time_ms;
    let known = match metric {
        Metric::Quantile(q) => {
            let written = times.quantiles.get(&millionths(*q)).copied();
            let ms = written
                .or(from_times)
                .ok_or_else(|| format!("the history does not keep `{metric}`"))?;
            return Ok(match of.evidence {
                Evidence::Requests => Rounded::exact(ms),
                Evidence::Histogram | Evidence::Reported => Rounded::of(ms),
            });
        }
        Metric::Requests => Some(n),
        Metric::Failures => Some(of.failures as f64),
        Metric::FailureRatio => Some(of.failures as f64 / n),
        Metric::SuccessRatio => Some(1.0 - of.failures as f64 / n),
        Metric::UnexpectedFailures => of.unexpected_failures.map(|k| k as f64),
        Metric::UnexpectedFailureRatio => of.unexpected_failures.map(|k| k as f64 / n),
        Metric::Min => times.min,
        Metric::Mean => times.mean,
        Metric::Max => times.max,
        Metric::Stddev => times.stddev,
        Metric::Rps => of.rps,
        Metric::Rpm => of.rps.map(|r| r * 60.0),
        Metric::Users => entry.users_max.map(|u| u as f64),
        Metric::Duration => entry.duration_s.map(|s| s * 1e3),
        Metric::Ratio(_)
        | Metric::Count(_)
        | Metric::Field(..)
        | Metric::Apdex(_)
        | Metric::Peak(_) => None,
    };
    known
        .map(Rounded::exact)
        .ok_or_else(|| format!("the history does not keep `{metric}`: give a run as the baseline"))
}

/// Takes away, figure by figure, what lies before the last change of level: an accepted regression must neither widen the
/// noise nor alarm for ever, and an improvement must not be given back unseen.
fn since_last_change(samples: &mut [Sample], terms: &Terms) {
    let mut keys: Vec<Option<Endpoint>> = samples
        .iter()
        .flat_map(|s| s.endpoints.keys().cloned().map(Some))
        .collect();
    keys.sort();
    keys.dedup();
    keys.push(None);
    for key in &keys {
        for metric in terms.metrics_of(key.is_none()).filter(|m| !is_share(m)) {
            let mut series: Vec<&mut Figure> = samples
                .iter_mut()
                .filter_map(|s| match key {
                    Some(key) => s.endpoints.get_mut(key),
                    None => Some(&mut s.total),
                })
                .filter_map(|e| e.figures.iter_mut().find(|f| f.metric == *metric))
                .filter(|f| f.value.is_ok())
                .collect();
            let begin = last_change(&series);
            for figure in &mut series[..begin] {
                figure.value = Err(BEFORE.to_owned());
            }
        }
    }
}

/// Where the current level of a series begins.
fn last_change(series: &[&mut Figure]) -> usize {
    let values: Vec<f64> = series
        .iter()
        .filter_map(|f| f.value.as_ref().ok().map(|v| v.value))
        .collect();
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|v| v.to_bits().to_le_bytes())
        .collect();
    let options = segment::Options {
        seed: fnv1a(&bytes),
        ..segment::Options::default()
    };
    // A value of zero has no logarithm; then the comparison says so itself.
    segment::segment(&values, &options)
        .ok()
        .and_then(|found| found.change_points.last().map(|change| change.index))
        .unwrap_or(0)
}
