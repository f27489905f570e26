//! One run as a history keeps it: plain figures, and counts from which others can be computed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::time_counts::TimeCounts;
use crate::analysis::Analysis;
use crate::comparison::sample::kept::Kept;
use crate::metric::measure::measure;
use crate::metric::{Context, Metric};
use crate::summary::EndpointSummary;
use crate::tally::{Endpoint, EndpointTally, Evidence};

mod machine_text;

use machine_text::{moments, quantiles, tidy};

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Sixteen hexadecimal digits that belong to what was measured and to where it comes from, not to the verdict: the
    /// same run recorded twice has the same id.
    pub id: String,
    /// The run's name.
    pub label: String,
    /// First start, epoch ms; written as RFC 3339.
    #[serde(rename = "started_at", with = "moments")]
    pub started_ms: Option<i64>,
    /// First start to last end, in seconds.
    pub duration_s: Option<f64>,
    /// The most concurrent users seen.
    pub users_max: Option<u64>,
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// What the run was made on; only runs with the same key are compared.
    pub machine: Option<String>,
    /// What was run; only runs with the same key are compared.
    pub scenario: Option<String>,
    /// The other labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// `pass`, `fail` or `undecided`, as the gates of that day had it.
    pub verdict: String,
    /// The whole run.
    pub total: EndpointEntry,
    /// Every endpoint, by name, then method.
    pub endpoints: Vec<EndpointEntry>,
}

/// One endpoint of a run, or its total.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointEntry {
    /// `GET`, `POST`, …; empty for the total.
    pub method: String,
    /// The endpoint's name; `Total` for the total.
    pub name: String,
    /// Requests, failures included.
    pub requests: u64,
    /// Failed requests.
    pub failures: u64,
    /// Failures whose status is not declared as expected, if that could be told.
    pub unexpected_failures: Option<u64>,
    /// Requests per second over the run's duration.
    pub rps: Option<f64>,
    /// Response times, exact as far as `evidence` says.
    pub response_time_ms: Times,
    /// How exact they are.
    pub evidence: Evidence,
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
        for (metric, spread) in kept.spreads {
            let name = metric.to_string();
            let error = tidy(spread.standard_error);
            found.relative_error.insert(name.clone(), error);
            let effective = spread.effective.map(|n| (name, tidy(n)));
            found.effective_requests.extend(effective);
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

/// Response times in milliseconds; what the source does not hold is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// Shortest.
    pub min: Option<f64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Longest.
    pub max: Option<f64>,
    /// Population standard deviation.
    pub stddev: Option<f64>,
    /// Quantile in millionths → milliseconds; written under their names (`p95`).
    #[serde(with = "quantiles")]
    pub quantiles: BTreeMap<u32, f64>,
}

/// Where a run comes from, as far as the figures do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// What the run was made on.
    pub machine: Option<String>,
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
            scenario: from.scenario,
            labels: from.labels,
            verdict: analysis.outcome.verdict.to_owned(),
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
        entry.id = entry.identity();
        entry
    }

    /// Response times of an endpoint, or of the total (`None`), where the source holds them.
    pub fn times_of(&self, endpoint: Option<&Endpoint>) -> Option<TimeCounts> {
        let written = self.of(endpoint)?.times.clone();
        if endpoint.is_some() || written.is_some() {
            return written;
        }
        let mut all = TimeCounts::default();
        for endpoint in &self.endpoints {
            all.merge(endpoint.times.as_ref()?);
        }
        Some(all)
    }

    /// FNV-1a (Fowler, Noll and Vo 1991) of the entry as JSON, without id and verdict, and without what is computed for
    /// comparisons, which may grow.
    pub fn identity(&self) -> String {
        let mut bare = Self {
            id: String::new(),
            verdict: String::new(),
            ..self.clone()
        };
        for endpoint in bare.endpoints.iter_mut().chain([&mut bare.total]) {
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
}

/// A hash that is the same on every machine.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn endpoint(summary: &EndpointSummary, context: &Context) -> EndpointEntry {
    let times = &summary.response_time;
    let unexpected = measure(&Metric::UnexpectedFailures, &summary.tally, context);
    let counts = &summary.tally.response_times;
    let key = summary.endpoint.clone();
    EndpointEntry {
        method: key
            .as_ref()
            .map_or_else(String::new, |key| key.method.clone()),
        name: key.map_or_else(|| "Total".to_owned(), |key| key.name),
        requests: summary.requests,
        failures: summary.failures,
        unexpected_failures: unexpected.ok().map(|m| m.value as u64),
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
        times: (!counts.is_empty()).then(|| TimeCounts::of(counts)),
        sureness: Sureness::of(&summary.tally),
    }
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
