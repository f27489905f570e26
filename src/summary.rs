//! The run as plain, documented data: what gates judge and reports show.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::parallel;
use crate::tally::fields::Slope;
use crate::tally::windows::{self, Peak};
use crate::tally::{Category, Endpoint, EndpointTally, Evidence, FieldTally, Tally, WORTH_THREADS};

pub mod distribution;
pub mod over_time;
pub mod quantile;
pub mod timeline;

pub use distribution::Distribution;
pub use over_time::OverTime;
pub use timeline::{Interval, Timeline};

/// The quantiles every report shows, in millionths.
pub const SHOWN_QUANTILES: [u32; 5] = [500_000, 900_000, 950_000, 990_000, 999_000];

/// The windows of which every report shows the busiest, in milliseconds.
const PEAK_WINDOWS_MS: [i64; 3] = [1000, 10_000, 60_000];

/// One file the run was read from.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Source {
    /// The path as the user gave it, or found below what the user gave; never made absolute.
    pub path: String,
    /// What it was recognised as: `request-log`, `locust-stats`, `locust-history`, `locust-failures`,
    /// `locust-exceptions`, `locust-distribution`, `locust-json`; `not-read` if it is listed only.
    pub format: &'static str,
    /// Requests, rows or entries taken from it.
    pub records: u64,
    /// Lines or rows that could not be used and were allowed by `--allow-bad-lines`.
    pub rejected: u64,
}

/// A run, or what is known of it.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The run's name: `--label name=…`, else the inputs' common name.
    pub label: String,
    /// First start, epoch ms.
    pub started_ms: Option<i64>,
    /// Last end, epoch ms.
    pub ended_ms: Option<i64>,
    /// First start to last end, in seconds; 0 if all started and ended at once.
    pub duration_s: Option<f64>,
    /// The most concurrent users seen.
    pub users_max: Option<u64>,
    /// Files read, in the order read.
    pub sources: Vec<Source>,
    /// Labels of the run.
    pub metadata: BTreeMap<String, String>,
    /// The whole run.
    pub total: EndpointSummary,
    /// Every endpoint, by name, then method.
    pub endpoints: Vec<EndpointSummary>,
    /// Failures, most frequent first.
    pub errors: Vec<ErrorSummary>,
    /// Requests, failures, percentiles and users over time.
    pub timeline: Timeline,
    /// Statuses, kinds of failure and measured fields in the intervals of the timeline.
    pub over_time: OverTime,
    /// How the run's response times are distributed.
    pub distribution: Distribution,
    /// The busiest windows of one second, ten seconds and a minute, as far as the source tells when requests happened.
    pub peaks: Vec<PeakWindow>,
    /// What the reader must know to trust the numbers, in sentences.
    pub notes: Vec<String>,
}

/// The run's busiest window of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct PeakWindow {
    /// How many requests, from when on.
    pub peak: Peak,
    /// Which endpoints they went to, the most first.
    pub contributors: Vec<(Endpoint, u64)>,
    /// Whether the run was at least as long as the window; if not, a whole window could have held more.
    pub whole: bool,
}

impl PeakWindow {
    /// Whether the figure is the very one: from a run as long as the window, and from the starts themselves.
    pub fn is_exact(&self) -> bool {
        self.whole && self.peak.at_most == Some(self.peak.count)
    }
}

/// One endpoint, or the run's total (`endpoint` is `None`).
#[derive(Clone, Debug, Default)]
pub struct EndpointSummary {
    /// Which endpoint; `None` for the total.
    pub endpoint: Option<Endpoint>,
    /// Requests, failures included.
    pub requests: u64,
    /// Requests known to have failed.
    pub failures: u64,
    /// Requests of which the source does not say whether they failed.
    pub unknown_outcomes: u64,
    /// Failures ÷ requests, 0 to 1; `None` without requests, or if it is not known of some whether they failed.
    pub failure_ratio: Option<f64>,
    /// Requests per second over the run's duration.
    pub rps: Option<f64>,
    /// Response times in milliseconds.
    pub response_time: ResponseTimeSummary,
    /// HTTP status → requests.
    pub statuses: BTreeMap<u16, u64>,
    /// How exact the response times are.
    pub evidence: Evidence,
    /// Measured fields.
    pub fields: BTreeMap<String, FieldSummary>,
    /// The counts behind these figures, from which gates measure what no table shows.
    pub tally: EndpointTally,
    frame: Arc<timeline::Frame>,
    timeline: OnceLock<Timeline>,
}

/// Response times of one endpoint in milliseconds; what the source does not hold is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseTimeSummary {
    /// Shortest.
    pub min: Option<f64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Longest.
    pub max: Option<f64>,
    /// Population standard deviation.
    pub stddev: Option<f64>,
    /// Quantile in millionths → milliseconds, for [`SHOWN_QUANTILES`] as far as known.
    pub quantiles: BTreeMap<u32, f64>,
}

/// One measured field, in the log's unit.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct FieldSummary {
    /// Requests (or samples) that have it.
    pub count: u64,
    /// Requests that lack it; 0 when only samples beside the requests have it.
    pub missing: u64,
    /// Smallest value.
    pub min: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Population standard deviation.
    pub stddev: f64,
    /// Median, numpy's `linear` as all percentiles.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest value.
    pub max: f64,
    /// Sum.
    pub sum: f64,
    /// The value measured first; `None` without timestamps, as the next three.
    pub first: Option<f64>,
    /// The value measured last.
    pub last: Option<f64>,
    /// Largest minus first.
    pub increase: Option<f64>,
    /// Least-squares slope per hour.
    pub slope_per_hour: Option<f64>,
    /// Its 95 % interval (Student's t on the residuals); `None` for fewer than three values.
    pub slope_interval: Option<(f64, f64)>,
}

/// One kind of failure at one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorSummary {
    /// Where it happened.
    pub endpoint: Endpoint,
    /// HTTP status, if there was one.
    pub status: Option<u16>,
    /// What kind.
    pub category: Category,
    /// The message, ids and long numbers folded to `#`.
    pub message: String,
    /// How many requests.
    pub count: u64,
    /// Share of the endpoint's requests, 0 to 1.
    pub share: Option<f64>,
    /// First seen, epoch ms.
    pub first_ms: Option<i64>,
    /// Last seen, epoch ms.
    pub last_ms: Option<i64>,
}

/// Everything besides the counts that a summary is made of.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The run's name.
    pub label: String,
    /// Files read.
    pub sources: Vec<Source>,
    /// Labels.
    pub metadata: BTreeMap<String, String>,
    /// Notes gathered while reading.
    pub notes: Vec<String>,
}

impl EndpointSummary {
    /// The endpoint's name for people; `Total` for the run.
    pub fn name(&self) -> String {
        self.endpoint
            .as_ref()
            .map_or_else(|| "Total".to_owned(), ToString::to_string)
    }

    fn new(
        endpoint: Option<Endpoint>,
        tally: EndpointTally,
        duration_s: Option<f64>,
        frame: &Arc<timeline::Frame>,
    ) -> Self {
        let requests = tally.requests;
        Self {
            endpoint,
            requests,
            failures: tally.failures,
            unknown_outcomes: tally.unknown_outcomes,
            failure_ratio: (requests > 0 && tally.unknown_outcomes == 0)
                .then(|| tally.failures as f64 / requests as f64),
            rps: tally
                .reported_rps
                .or_else(|| quantile::rate(requests, duration_s)),
            response_time: quantile::response_times(&tally),
            statuses: tally.statuses.clone(),
            evidence: tally.evidence,
            fields: tally
                .fields
                .iter()
                .filter_map(|(n, f)| Some((n.clone(), field(f, requests)?)))
                .collect(),
            tally,
            frame: Arc::clone(frame),
            timeline: OnceLock::new(),
        }
    }

    /// The endpoint over time, in the same intervals as the run; computed when it is first asked for, as only the HTML
    /// report shows it.
    pub fn timeline(&self) -> &Timeline {
        self.timeline.get_or_init(|| self.frame.of(&self.tally))
    }
}

fn field(tally: &FieldTally, requests: u64) -> Option<FieldSummary> {
    let count = tally.count();
    let (min, max) = (tally.min()?, tally.max()?);
    let slope = tally.slope();
    let sum = tally.sum();
    let quantiles = quantile::quantiles_by_rank(count, &[0.5, 0.9, 0.95, 0.99], |ranks| {
        tally.at_ranks(ranks)
    });
    let [p50, p90, p95, p99] = quantiles[..] else {
        return None;
    };
    Some(FieldSummary {
        count,
        missing: tally.missing_of(requests),
        min,
        mean: sum / count as f64,
        stddev: tally.stddev()?,
        p50: p50?,
        p90: p90?,
        p95: p95?,
        p99: p99?,
        max,
        sum,
        first: tally.first(),
        last: tally.last(),
        increase: tally.increase(),
        slope_per_hour: slope.map(|s| s.per_hour),
        slope_interval: slope.and_then(|s| slope_interval(&s)),
    })
}

/// 95 % interval of a least-squares slope: Student's t with n − 2 degrees of freedom times its standard error.
pub fn slope_interval(slope: &Slope) -> Option<(f64, f64)> {
    let error = slope.standard_error?;
    let student = StudentsT::new(0.0, 1.0, slope.samples as f64 - 2.0).ok()?;
    let half = student.inverse_cdf(0.975) * error;
    Some((slope.per_hour - half, slope.per_hour + half))
}

impl Summary {
    /// Computes every figure from the counts.
    pub fn new(tally: Tally, about: About) -> Self {
        let mut tally = tally;
        let run_wide = std::mem::take(&mut tally.doubts);
        let mut total = tally.total();
        for counts in tally.endpoints.values_mut().chain([&mut total]) {
            counts.doubts.merge(&run_wide);
        }
        let doubted = total.doubts.reasons().into_iter().map(str::to_owned);
        let mut notes = about.notes;
        notes.extend(doubted);
        for (name, samples) in &tally.samples {
            total.fields.entry(name.clone()).or_default().merge(samples);
        }
        // Of a part of a run nothing is known from its end on, however long its last requests took.
        total.last_end_ms = match (total.last_end_ms, tally.until_ms) {
            (Some(end), Some(until)) => Some(end.min(until)),
            (end, _) => end,
        };
        let duration_s = match (total.first_start_ms, total.last_end_ms) {
            (Some(first), Some(last)) => Some((last - first) as f64 / 1e3),
            _ => None,
        };
        let frame = Arc::new(timeline::Frame::new(&tally, &total));
        let over_time = OverTime::new(&total, &frame);
        let distribution = Distribution::new(&total);
        let (started_ms, ended_ms) = (total.first_start_ms, total.last_end_ms);
        let (errors, users_max) = (errors(&tally), tally.users.values().max().copied());
        let is_large = total.requests >= WORTH_THREADS;
        // The total takes longest and comes first.
        let mut all = vec![(None, total)];
        all.extend(
            tally
                .endpoints
                .into_iter()
                .map(|(key, counts)| (Some(key), counts)),
        );
        let mut endpoints = parallel::each(all, is_large, |(key, counts)| {
            let is_total = key.is_none();
            let summary = EndpointSummary::new(key, counts, duration_s, &frame);
            // The only timeline that every report has.
            is_total.then(|| summary.timeline());
            summary
        });
        let total = endpoints.remove(0);
        Self {
            label: about.label,
            started_ms,
            ended_ms,
            duration_s,
            users_max,
            sources: about.sources,
            metadata: about.metadata,
            timeline: total.timeline().clone(),
            over_time,
            distribution,
            peaks: peaks(&total.tally, &endpoints, duration_s),
            errors,
            total,
            endpoints,
            notes,
        }
    }
}

fn peaks(
    total: &EndpointTally,
    endpoints: &[EndpointSummary],
    duration_s: Option<f64>,
) -> Vec<PeakWindow> {
    let found = windows::of_each(total, &PEAK_WINDOWS_MS);
    let peak = |(peak, ms): (Peak, i64)| {
        let each = endpoints.iter().filter_map(|e| {
            let count = windows::within(&e.tally, peak.start_ms, peak.start_ms + ms);
            (count > 0).then(|| Some((e.endpoint.clone()?, count)))?
        });
        let mut contributors: Vec<_> = each.collect();
        contributors.sort_by_key(|(_, count)| std::cmp::Reverse(*count)); // stable: equals in endpoint order
        PeakWindow {
            peak,
            contributors,
            whole: duration_s.is_some_and(|s| s * 1e3 >= ms as f64),
        }
    };
    let found = found.into_iter().zip(PEAK_WINDOWS_MS);
    let known = found.filter_map(|(found, ms)| Some((found?, ms)));
    known.map(peak).collect()
}

fn errors(tally: &Tally) -> Vec<ErrorSummary> {
    let mut errors: Vec<ErrorSummary> = tally
        .endpoints
        .iter()
        .flat_map(|(endpoint, counts)| {
            counts.errors.iter().map(move |(key, error)| ErrorSummary {
                endpoint: endpoint.clone(),
                status: key.status,
                category: error.category,
                message: key.message.clone(),
                count: error.count,
                share: (counts.requests > 0).then(|| error.count as f64 / counts.requests as f64),
                first_ms: error.first_ms,
                last_ms: error.last_ms,
            })
        })
        .collect();
    errors.sort_by_key(|e| std::cmp::Reverse(e.count)); // stable: equal counts stay in endpoint order
    errors
}
