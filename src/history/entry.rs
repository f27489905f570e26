//! One run as a history keeps it: plain figures, and counts from which others can be computed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::provenance;
use super::time_counts::TimeCounts;
use crate::analysis::Analysis;
use crate::comparison::sample::kept::Kept;
use crate::input::report::{self, Ends, Field, Peak, Rates, tidy};
use crate::metric::measure::{measure, without_known_status};
use crate::metric::{Aggregate, Context, Metric};
use crate::summary::{EndpointSummary, Summary};
use crate::tally::{Doubts, Endpoint, EndpointTally, Evidence};

pub use crate::input::report::Times;

mod stored;

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Sixteen hexadecimal digits that belong to what was measured and to where it comes from, not to the verdict: the
    /// same run recorded twice has the same id.
    pub id: String,
    /// The run's name.
    pub label: String,
    /// First start, epoch ms; written as RFC 3339.
    #[serde(rename = "started_at", with = "report::moments")]
    pub started_ms: Option<i64>,
    /// First start to last end, in seconds.
    pub duration_s: Option<f64>,
    /// The most concurrent users seen.
    pub users_max: Option<u64>,
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// What the run was made on, if the user says so.
    pub machine: Option<String>,
    /// The processor it was judged on: architecture, number and model; absent in lines of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    /// What was run.
    pub scenario: Option<String>,
    /// The other labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// `pass`, `fail` or `undecided`, as the gates of that day had it.
    pub verdict: String,
    /// The busiest second and minute; absent in lines of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<Rates>,
    /// The whole run.
    pub total: EndpointEntry,
    /// Every endpoint, by name, then method.
    pub endpoints: Vec<EndpointEntry>,
}

/// One endpoint of a run, or its total.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndpointEntry {
    /// `GET`, `POST`, …; empty for the total.
    pub method: String,
    /// The endpoint's name; `Total` for the total.
    pub name: String,
    /// Requests, failures included.
    pub requests: u64,
    /// Requests known to have failed.
    pub failures: u64,
    /// Failures whose status is not declared as expected, if that could be told.
    pub unexpected_failures: Option<u64>,
    /// Requests per second over the run's duration.
    pub rps: Option<f64>,
    /// Response times, exact as far as `evidence` says.
    pub response_time_ms: Times,
    /// How exact they are.
    pub evidence: Evidence,
    /// How the requests ended, beside their failures.
    #[serde(flatten)]
    pub ends: Ends,
    /// Why some figures cannot be judged; those that can be absent are.
    #[serde(default, skip_serializing_if = "Doubts::is_empty")]
    pub doubts: Doubts,
    /// Measured fields; absent in lines of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, Field>>,
    /// Response times of all requests; absent where the source holds none, and of the total where the endpoints have
    /// theirs ([`Entry::times_of`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<TimeCounts>,
    /// How sure the run is of its figures, for comparisons with it; absent where the source does not tell.
    #[serde(default, skip_serializing_if = "Sureness::is_empty")]
    pub sureness: Sureness,
}

/// How much an endpoint's figures would move, were the run repeated under the very same conditions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sureness {
    /// Metric → standard error of its logarithm.
    pub relative_error: BTreeMap<String, f64>,
    /// Metric → independent requests that the run is worth.
    pub effective_requests: BTreeMap<String, f64>,
}

impl Sureness {
    fn of(tally: &EndpointTally) -> Self {
        let kept = Kept::of(tally);
        let mut found = Self::default();
        // JSON has no infinite numbers.
        let known = |v: f64| Some(tidy(v)).filter(|v| v.is_finite());
        for (metric, spread) in kept.spreads {
            let Some(error) = known(spread.standard_error) else {
                continue;
            };
            let name = metric.to_string();
            found.relative_error.insert(name.clone(), error);
            let effective = spread.effective.and_then(known);
            found
                .effective_requests
                .extend(effective.map(|n| (name, n)));
        }
        if kept.effective_of_failures < tally.requests as f64 {
            let worth = tidy(kept.effective_of_failures);
            found
                .effective_requests
                .insert("failure_ratio".to_owned(), worth);
        }
        found
    }

    fn is_empty(&self) -> bool {
        self.relative_error.is_empty() && self.effective_requests.is_empty()
    }
}

/// Where a run comes from, as far as the figures do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// What the run was made on, if the user says so.
    pub machine: Option<String>,
    /// This machine's processor: architecture, number and model.
    pub processor: Option<String>,
    /// What was run.
    pub scenario: Option<String>,
    /// The other labels.
    pub labels: BTreeMap<String, String>,
}

impl Entry {
    /// The run that was judged; `expected` are the statuses that are expected failures.
    pub fn new(analysis: &Analysis, expected: &[u16], from: Provenance) -> Self {
        let summary = &analysis.summary;
        let context = Context {
            duration_s: summary.duration_s,
            users_max: summary.users_max,
            expected: expected.to_vec(),
        };
        let mut entry = Self {
            id: String::new(),
            label: summary.label.clone(),
            started_ms: summary.started_ms,
            duration_s: summary.duration_s.map(tidy),
            users_max: summary.users_max,
            commit: from.commit,
            branch: from.branch,
            machine: from.machine,
            processor: from.processor,
            scenario: from.scenario,
            labels: from.labels,
            verdict: analysis.outcome.verdict.to_owned(),
            rates: Some(rates(summary)),
            total: endpoint(&summary.total, &context),
            endpoints: summary
                .endpoints
                .iter()
                .map(|e| endpoint(e, &context))
                .collect(),
        };
        if entry.endpoints.iter().all(|e| e.times.is_some()) {
            entry.total.times = None;
        }
        entry.leave_out_doubtful();
        entry.id = entry.identity();
        entry
    }

    /// Leaves out every figure that cannot be judged, so that nothing that reads the history takes it for sound. Counts
    /// cannot be absent: of them the doubt is told.
    pub(super) fn leave_out_doubtful(&mut self) {
        let of_run = self.total.doubts.clone();
        let keep = |metric: Metric| of_run.on(&metric).is_none();
        self.duration_s = self.duration_s.filter(|_| keep(Metric::Duration));
        self.users_max = self.users_max.filter(|_| keep(Metric::Users));
        self.rates = self.rates.take().filter(|_| keep(Metric::Peak(1.0)));
        for endpoint in self.endpoints.iter_mut().chain([&mut self.total]) {
            endpoint.leave_out_doubtful();
        }
    }

    /// Response times of an endpoint, or of the total (`None`), where the source holds them.
    pub fn times_of(&self, endpoint: Option<&Endpoint>) -> Option<TimeCounts> {
        let entry = self.of(endpoint)?;
        if entry.doubts.on(&Metric::Quantile(0.5)).is_some() {
            return None;
        }
        let written = entry.times.clone();
        if endpoint.is_some() || written.is_some() {
            return written;
        }
        let mut all = TimeCounts::default();
        for endpoint in &self.endpoints {
            all.merge(endpoint.times.as_ref()?);
        }
        Some(all)
    }

    /// FNV-1a (Fowler, Noll and Vo 1991) of the entry as JSON, without id and verdict, and without what later versions
    /// keep besides: a run has the same id whichever version recorded it.
    pub fn identity(&self) -> String {
        let mut bare = Self {
            id: String::new(),
            verdict: String::new(),
            rates: None,
            ..self.clone()
        };
        bare.labels.remove(provenance::REPORT);
        // Older versions kept it in the label's place.
        let processor = bare.processor.take();
        bare.machine = bare.machine.or(processor);
        for endpoint in bare.endpoints.iter_mut().chain([&mut bare.total]) {
            endpoint.ends = Ends::default();
            endpoint.doubts = Doubts::default();
            endpoint.fields = None;
            endpoint.times = None;
            endpoint.sureness = Sureness::default();
        }
        // Nothing in an entry can fail to be written; were it so, the id would only be less distinct.
        let text = serde_json::to_vec(&bare).unwrap_or_default();
        format!("{:016x}", fnv1a(&text))
    }

    /// The endpoint's entry; `None` is the total.
    pub fn of(&self, endpoint: Option<&Endpoint>) -> Option<&EndpointEntry> {
        match endpoint {
            None => Some(&self.total),
            Some(key) => self
                .endpoints
                .iter()
                .find(|e| e.name == key.name && e.method == key.method),
        }
    }
}

impl EndpointEntry {
    /// Which endpoint.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            name: self.name.clone(),
            method: self.method.clone(),
        }
    }

    /// Requests known to have failed; `None` if it is not known of all whether they did, or if the count is in doubt.
    pub fn known_failures(&self) -> Option<u64> {
        let is_known =
            self.ends.unknown_outcomes == 0 && self.doubts.on(&Metric::FailureRatio).is_none();
        is_known.then_some(self.failures)
    }

    fn leave_out_doubtful(&mut self) {
        let doubts = self.doubts.clone();
        let keep = |metric: Metric| doubts.on(&metric).is_none();
        if self.known_failures().is_none() || !keep(Metric::UnexpectedFailures) {
            self.unexpected_failures = None;
        }
        self.rps = self.rps.filter(|_| keep(Metric::Rps));
        let times = &mut self.response_time_ms;
        times.min = times.min.filter(|_| keep(Metric::Min));
        times.mean = times.mean.filter(|_| keep(Metric::Mean));
        times.max = times.max.filter(|_| keep(Metric::Max));
        times.stddev = times.stddev.filter(|_| keep(Metric::Stddev));
        if !keep(Metric::Quantile(0.5)) {
            times.quantiles.clear();
            self.times = None;
        }
        if !keep(Metric::Field(Aggregate::Mean, String::new())) {
            self.fields = self.fields.take().map(|_| BTreeMap::new());
        }
    }
}

/// A hash that is the same on every machine.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The busiest second and minute, as far as the source tells when requests happened.
fn rates(summary: &Summary) -> Rates {
    let of = |window_ms| {
        let found = summary.peaks.iter().find(|p| p.peak.window_ms == window_ms);
        found.map(|window| Peak {
            value: window.peak.count,
            at_most: window.peak.at_most,
            whole: window.whole,
        })
    };
    Rates {
        peak_rps: of(1000),
        peak_rpm: of(60_000),
    }
}

/// How an endpoint's requests ended.
pub fn ends(tally: &EndpointTally) -> Ends {
    let failed = tally.failures_by_status.iter();
    let failed = failed.filter_map(|(status, n)| Some(((*status)?, *n)));
    Ends {
        unknown_outcomes: tally.unknown_outcomes,
        untimed: tally.untimed,
        statuses: Some(tally.statuses.clone()),
        failed_statuses: Some(failed.collect()),
        unknown_statuses: Some(without_known_status(tally)),
    }
}

fn endpoint(summary: &EndpointSummary, context: &Context) -> EndpointEntry {
    let times = &summary.response_time;
    let unexpected = measure(&Metric::UnexpectedFailures, &summary.tally, context);
    let unexpected = unexpected.ok().filter(|m| m.precision.is_none());
    let counts = &summary.tally.response_times;
    let key = summary.endpoint.clone();
    EndpointEntry {
        method: key
            .as_ref()
            .map_or_else(String::new, |key| key.method.clone()),
        name: key.map_or_else(|| "Total".to_owned(), |key| key.name),
        requests: summary.requests,
        failures: summary.failures,
        unexpected_failures: unexpected.map(|m| m.value as u64),
        rps: summary.rps.map(tidy),
        response_time_ms: Times {
            min: times.min.map(tidy),
            mean: times.mean.map(tidy),
            max: times.max.map(tidy),
            stddev: times.stddev.map(tidy),
            quantiles: times
                .quantiles
                .iter()
                .map(|(q, ms)| (*q, tidy(*ms)))
                .collect(),
        },
        evidence: summary.evidence,
        ends: ends(&summary.tally),
        doubts: summary.tally.doubts.clone(),
        fields: Some(fields(summary)),
        times: (!counts.is_empty()).then(|| TimeCounts::of(counts)),
        sureness: Sureness::of(&summary.tally),
    }
}

fn fields(summary: &EndpointSummary) -> BTreeMap<String, Field> {
    let fields = summary.fields.iter();
    fields
        .map(|(name, field)| (name.clone(), Field::of(field)))
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::report::fixture;

    /// The fixture's run of a hundred requests, from a commit.
    pub fn entry(requests: u64, commit: &str) -> Entry {
        let from = Provenance {
            commit: Some(commit.to_owned()),
            machine: Some("bench-1".to_owned()),
            ..Provenance::default()
        };
        Entry::new(&fixture::analysis(requests), &[], from)
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        for requests in [0, 1, 400] {
            let written = entry(requests, "4f2a");
            let text = serde_json::to_string(&written).unwrap();
            assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), written);
        }
    }

    #[test]
    fn the_id_is_of_the_run_and_not_of_its_verdict() {
        let first = entry(100, "4f2a");
        let mut failed = first.clone();
        failed.verdict = "fail".to_owned();
        assert_eq!(failed.identity(), first.id);
        assert_ne!(entry(100, "77aa").id, first.id);
        assert_eq!(first.id.len(), 16);
    }

    #[test]
    fn the_total_is_its_endpoints_together() {
        let entry = entry(400, "a");
        assert_eq!(entry.total.times, None);
        let all = entry.times_of(None).unwrap();
        assert_eq!(all.total(), 400);
        // 1.5 ms, 3 ms, … 600 ms: the median is 300.75 ms.
        assert!((all.quantile(0.5).unwrap() / 300.75 - 1.0).abs() < 0.005);
        assert_eq!(entry.total.response_time_ms.quantiles[&500_000], 300.75);
    }

    #[test]
    fn a_published_hash() {
        // From the authors' test vectors.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
