//! The one mergeable value through which everything a run knows flows.
//!
//! A tally counts; it keeps no request. Response times are counted at 1 µs, start times at 1 ms, so that memory grows with
//! distinct values, not with requests (but for a few bytes each while there are few), and [`Tally::merge`] gives the same
//! numbers however a run was split.

use std::collections::BTreeMap;

use crate::parallel;

pub mod alike;
pub mod counts;
pub mod doubts;
pub mod errors;
pub mod fields;
pub mod seconds;
pub mod windows;

pub use alike::Alike;
pub use counts::Counts;
pub use doubts::{Concern, Doubts};
pub use errors::{Category, ErrorKey, ErrorTally};
pub use fields::FieldTally;
pub use seconds::Seconds;

/// Longest response time that a source may state, in microseconds: a century. Sums and buckets hold it.
pub const LONGEST_US: f64 = 3.2e15;

/// Requests from which on several threads are worth starting.
pub const WORTH_THREADS: u64 = 100_000;

/// Which endpoint a request went to. Ordered by name, then method, as Locust's tables are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Endpoint {
    /// The name the load script gave.
    pub name: String,
    /// `GET`, `POST`, `grpc`, …; empty when the source has none.
    pub method: String,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.method.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{} {}", self.method, self.name)
        }
    }
}

/// Where a number comes from, and so how exact it is. Ordered from best to worst.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Counted request by request, exact to 1 µs.
    #[default]
    Requests,
    /// Locust's histogram of response times rounded to two significant digits; counts, mean, min and max exact.
    Histogram,
    /// A finished table: percentiles as Locust rounded them (two significant digits).
    Reported,
}

/// One request as any log tells it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Start, epoch milliseconds.
    pub start_ms: Option<i64>,
    /// Response time in microseconds, rounded half up.
    pub response_time_us: u64,
    /// HTTP status; `None` when there was no response (0 in the log).
    pub status: Option<u16>,
    /// What kind of failure it was; `None` for a success.
    pub failure: Option<&'a ErrorKey>,
    /// Whether the log does not say if it failed; it is then no failure.
    pub unknown_outcome: bool,
    /// Concurrent users at that moment, if the log says.
    pub users: Option<u64>,
    /// Body bytes, if the log says.
    pub response_length: Option<f64>,
    /// Measured fields, in the unit the log uses.
    pub fields: &'a [(&'a str, f64)],
}

/// Whole bytes of a body, so that their sum is the same in any order.
#[inline]
pub fn whole_bytes(response_length: Option<f64>) -> u64 {
    // A cast from a float saturates, and what is below zero is 0.
    response_length.map_or(0, |length| length.round() as u64)
}

/// Everything counted about one endpoint, or about the whole run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointTally {
    /// How exact the response times are.
    pub evidence: Evidence,
    /// Requests, failures included.
    pub requests: u64,
    /// Requests known to have failed.
    pub failures: u64,
    /// Requests of which the source does not say whether they failed.
    pub unknown_outcomes: u64,
    /// Requests of which the source gives no response time: they are in no percentile and no mean.
    pub untimed: u64,
    /// Why some of the figures cannot be judged.
    pub doubts: Doubts,
    /// Response times: microseconds → requests. Empty for [`Evidence::Reported`].
    pub response_times: Counts,
    /// Response times of the failed requests only (subset of `response_times`); empty unless from requests.
    pub failed_response_times: Counts,
    /// Sum of the requests' response times in microseconds; `None` unless from requests.
    pub exact_sum_us: Option<u64>,
    /// Sum of response times in microseconds as a finished table gives it, if it does.
    pub reported_sum_us: Option<f64>,
    /// Sum of the squares of the response times in microseconds; 0 unless from requests.
    pub sum_squares_us: u128,
    /// Shortest response time in microseconds, if known.
    pub min_us: Option<f64>,
    /// Longest response time in microseconds, if known.
    pub max_us: Option<f64>,
    /// Percentiles as the source printed them: quantile in millionths → milliseconds. Only for `Reported`.
    pub reported_quantiles: BTreeMap<u32, f64>,
    /// Requests per second as the source printed it, when it cannot be computed.
    pub reported_rps: Option<f64>,
    /// Start times: epoch milliseconds → requests. Empty unless from requests.
    pub starts: Counts,
    /// Requests whose start is not known.
    pub without_start: u64,
    /// The longest time between two rows of Locust's history, in seconds: so late a request may be counted there.
    pub row_gap_s: Option<i64>,
    /// Whether the source ends before the run, so that what came last is not in it.
    pub is_open: bool,
    /// First start, epoch ms.
    pub first_start_ms: Option<i64>,
    /// Latest end (start plus response time), epoch ms.
    pub last_end_ms: Option<i64>,
    /// HTTP status → requests.
    pub statuses: BTreeMap<u16, u64>,
    /// HTTP status → epoch second of the start → requests; those without a start are left out.
    pub status_seconds: BTreeMap<u16, Counts>,
    /// Requests without any status.
    pub without_status: u64,
    /// Failures by HTTP status (`None`: no status).
    pub failures_by_status: BTreeMap<Option<u16>, u64>,
    /// Errors by status and folded message.
    pub errors: BTreeMap<ErrorKey, ErrorTally>,
    /// Measured fields.
    pub fields: BTreeMap<String, FieldTally>,
    /// Counts per epoch second.
    pub seconds: Seconds,
    /// Sum of body bytes over the requests that state them.
    pub bytes: u64,
}

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Why some figures of the run and of all its endpoints cannot be judged.
    pub doubts: Doubts,
    /// Per endpoint.
    pub endpoints: BTreeMap<Endpoint, EndpointTally>,
    /// The total row of a finished table, when the source has one that cannot be computed from the endpoints.
    pub reported_total: Option<EndpointTally>,
    /// Measured fields of samples that belong to no request (memory, say).
    pub samples: BTreeMap<String, FieldTally>,
    /// Most concurrent users seen per epoch second.
    pub users: BTreeMap<i64, u64>,
    /// Before this moment (epoch ms) the part of the run ends that was counted; `None` if all of it was.
    pub until_ms: Option<i64>,
    /// Percentiles per epoch second as Locust's history printed them (10 s sliding window): second → (quantile in
    /// millionths → ms). Empty when the columns are cumulative.
    pub reported_timeline: BTreeMap<i64, BTreeMap<u32, f64>>,
}

fn add_counts<K: Ord + Clone>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key.clone()).or_default() += count;
    }
}

/// The entry of that name; the name is copied only when it is new.
fn named<'f>(fields: &'f mut BTreeMap<String, FieldTally>, name: &str) -> &'f mut FieldTally {
    if !fields.contains_key(name) {
        fields.insert(name.to_owned(), FieldTally::default());
    }
    fields
        .get_mut(name)
        .expect("it was there, or was put there")
}

fn merge_option<T: Copy>(a: Option<T>, b: Option<T>, f: impl Fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(f(a, b)),
        (a, b) => a.or(b),
    }
}

impl EndpointTally {
    /// Requests whose response time is known.
    pub fn timed(&self) -> u64 {
        self.requests.saturating_sub(self.untimed)
    }

    /// Counts one request.
    pub fn add(&mut self, request: &Request<'_>) {
        self.add_alike(&Alike {
            status: request.status,
            failure: request.failure,
            unknown_outcome: request.unknown_outcome,
            starts_ms: request.start_ms.as_slice(),
            response_times_us: &[request.response_time_us],
            bytes: whole_bytes(request.response_length),
        });
        self.add_fields(request.fields, request.start_ms);
    }

    /// Sum of response times in microseconds, if known.
    pub fn sum_us(&self) -> Option<f64> {
        let exact = self.exact_sum_us.map(|us| us as f64);
        merge_option(exact, self.reported_sum_us, |a, b| a + b)
    }

    /// Counts the measured fields of one request.
    pub fn add_fields(&mut self, fields: &[(&str, f64)], start_ms: Option<i64>) {
        for (name, value) in fields {
            named(&mut self.fields, name).add(*value, start_ms);
        }
    }

    /// The same of one field of many requests.
    pub fn add_field(&mut self, name: &str, starts_ms: &[i64], values: &[f64]) {
        named(&mut self.fields, name).add_each(starts_ms, values);
    }

    /// Adds everything another tally counted. Associative and commutative (sums are of whole microseconds).
    pub fn merge(&mut self, other: &Self) {
        self.response_times.merge(&other.response_times);
        self.starts.merge(&other.starts);
        self.seconds.merge(&other.seconds);
        for (name, field) in &other.fields {
            named(&mut self.fields, name).merge(field);
        }
        self.merge_rest(other);
    }

    /// Puts the counts that are large in order, so that looking at them needs no copy.
    fn put_in_order(&mut self) {
        self.response_times.put_in_order();
        self.starts.put_in_order();
        self.seconds.put_in_order();
    }

    /// All but the counts and fields, which are large.
    fn merge_rest(&mut self, other: &Self) {
        self.evidence = self.evidence.max(other.evidence);
        // Percentiles of two tables cannot be joined: what differs is unknown.
        if self.requests == 0 {
            self.reported_quantiles
                .clone_from(&other.reported_quantiles);
        } else if self.reported_quantiles != other.reported_quantiles {
            self.reported_quantiles.clear();
        }
        self.requests += other.requests;
        self.failures += other.failures;
        self.unknown_outcomes += other.unknown_outcomes;
        self.untimed += other.untimed;
        self.doubts.merge(&other.doubts);
        self.failed_response_times
            .merge(&other.failed_response_times);
        self.exact_sum_us =
            merge_option(self.exact_sum_us, other.exact_sum_us, u64::saturating_add);
        self.reported_sum_us =
            merge_option(self.reported_sum_us, other.reported_sum_us, |a, b| a + b);
        self.sum_squares_us = self.sum_squares_us.saturating_add(other.sum_squares_us);
        self.min_us = merge_option(self.min_us, other.min_us, f64::min);
        self.max_us = merge_option(self.max_us, other.max_us, f64::max);
        self.reported_rps = merge_option(self.reported_rps, other.reported_rps, |a, b| a + b);
        self.without_start += other.without_start;
        self.row_gap_s = self.row_gap_s.max(other.row_gap_s);
        self.is_open |= other.is_open;
        self.first_start_ms = match (self.first_start_ms, other.first_start_ms) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last_end_ms = self.last_end_ms.max(other.last_end_ms);
        add_counts(&mut self.statuses, &other.statuses);
        for (status, seconds) in &other.status_seconds {
            self.status_seconds
                .entry(*status)
                .or_default()
                .merge(seconds);
        }
        self.without_status += other.without_status;
        add_counts(&mut self.failures_by_status, &other.failures_by_status);
        for (key, error) in &other.errors {
            self.errors.entry(key.clone()).or_default().merge(error);
        }
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Tally {
    /// Counts one request of an endpoint.
    pub fn add(&mut self, endpoint: Endpoint, request: &Request<'_>) {
        self.endpoints.entry(endpoint).or_default().add(request);
        if let (Some(users), Some(start)) = (request.users, request.start_ms) {
            self.add_users(start.div_euclid(1000), users);
        }
    }

    /// Counts one value of a sample that belongs to no request; `source` names what it was taken from, if the log does.
    pub fn add_sample(&mut self, name: &str, value: f64, at: Option<i64>, source: Option<&str>) {
        named(&mut self.samples, name).add_sample(value, at, source);
    }

    /// Notes that all samples so far are of one log.
    pub fn end_of_log(&mut self) {
        self.samples.values_mut().for_each(FieldTally::end_of_log);
    }

    /// Notes how many users ran in a second; the most seen counts.
    pub fn add_users(&mut self, second: i64, users: u64) {
        let most = self.users.entry(second).or_default();
        *most = (*most).max(users);
    }

    /// Adds everything another tally counted, and takes over what it can instead of copying it.
    pub fn absorb(&mut self, other: Self) {
        *self = Self::joined(vec![std::mem::take(self), other]);
    }

    /// All that several tallies counted. Endpoints are merged on several threads, and each share is let go once merged.
    pub fn joined(tallies: Vec<Self>) -> Self {
        let mut joined = Self::default();
        let mut shares: BTreeMap<Endpoint, Vec<EndpointTally>> = BTreeMap::new();
        for mut tally in tallies {
            for (key, counts) in std::mem::take(&mut tally.endpoints) {
                shares.entry(key).or_default().push(counts);
            }
            joined.merge(&tally);
        }
        let is_large = shares.values().flatten().map(|e| e.requests).sum::<u64>() >= WORTH_THREADS;
        let endpoints = parallel::each(shares.into_iter().collect(), is_large, |(key, counts)| {
            let sum = counts.into_iter().reduce(|mut sum, counts| {
                sum.merge(&counts);
                sum
            });
            (key, sum.unwrap_or_default())
        });
        joined.endpoints.extend(endpoints);
        joined
    }

    /// Puts the counts that are large in order, on several threads: nothing changes but the time and memory that looking at
    /// them takes. For a tally to which nothing is added any more.
    pub fn put_in_order(&mut self) {
        let is_large = self.endpoints.values().map(|e| e.requests).sum::<u64>() >= WORTH_THREADS;
        let all = self.endpoints.values_mut().collect();
        parallel::each(all, is_large, EndpointTally::put_in_order);
    }

    /// Adds everything another tally counted.
    pub fn merge(&mut self, other: &Self) {
        for (key, endpoint) in &other.endpoints {
            match self.endpoints.get_mut(key) {
                Some(known) => known.merge(endpoint),
                None => {
                    self.endpoints.insert(key.clone(), endpoint.clone());
                }
            }
        }
        match (&mut self.reported_total, &other.reported_total) {
            (Some(total), Some(other)) => total.merge(other),
            (None, Some(other)) => self.reported_total = Some(other.clone()),
            (_, None) => {}
        }
        for (name, field) in &other.samples {
            self.samples.entry(name.clone()).or_default().merge(field);
        }
        for (second, users) in &other.users {
            self.add_users(*second, *users);
        }
        self.doubts.merge(&other.doubts);
        self.until_ms = [self.until_ms, other.until_ms].into_iter().flatten().min();
        for (second, quantiles) in &other.reported_timeline {
            self.reported_timeline.insert(*second, quantiles.clone());
        }
    }

    /// The run as one endpoint: the source's own total row where there is one, else the sum of all endpoints.
    pub fn total(&self) -> EndpointTally {
        if let Some(total) = &self.reported_total {
            let mut total = total.clone();
            // Locust's total row has no messages of its own; the failures table has them by endpoint.
            if total.errors.is_empty() {
                let errors = self.endpoints.values().flat_map(|e| &e.errors);
                for (key, error) in errors {
                    total.errors.entry(key.clone()).or_default().merge(error);
                }
            }
            self.endpoints
                .values()
                .for_each(|e| total.doubts.merge(&e.doubts));
            return total;
        }
        let mut total = EndpointTally::default();
        let all = || self.endpoints.values();
        all().for_each(|e| total.merge_rest(e));
        let is_large = total.requests >= WORTH_THREADS;
        let EndpointTally {
            response_times,
            starts,
            seconds,
            fields,
            ..
        } = &mut total;
        for name in all().flat_map(|e| e.fields.keys()) {
            named(fields, name);
        }
        // What takes longest comes first.
        let mut parts: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        for (name, field) in fields {
            parts.push(Box::new(|| {
                let having = || all().filter_map(|e| Some((e.requests, e.fields.get(name)?)));
                having().for_each(|(_, of_endpoint)| field.merge(of_endpoint));
                // An endpoint that never has a field does not lack it.
                let carrying = having().filter(|(_, of_endpoint)| of_endpoint.carried() > 0);
                field.expect_of(carrying.map(|(requests, _)| requests).sum());
            }));
        }
        parts.push(Box::new(|| {
            all().for_each(|e| seconds.merge(&e.seconds));
            seconds.put_in_order();
        }));
        parts.push(Box::new(|| {
            all().for_each(|e| starts.merge(&e.starts));
            starts.put_in_order();
        }));
        parts.push(Box::new(|| {
            all().for_each(|e| response_times.merge(&e.response_times));
            response_times.put_in_order();
        }));
        parallel::each(parts, is_large, |part| part());
        if total.evidence == Evidence::Reported && self.endpoints.len() > 1 {
            total.reported_quantiles.clear();
        }
        total
    }
}
