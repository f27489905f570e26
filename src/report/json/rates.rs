//! `rates` and `quotas` of `report.json`.

use serde::Serialize;

use super::tidy;
use crate::gate::QuotaReport;
use crate::gate::quota::{Burst, Usage};
use crate::summary::{PeakWindow, Summary};
use crate::tally::Endpoint;
use crate::units::moment;

/// The busiest windows of the run.
#[derive(Serialize)]
pub struct Rates<'a> {
    #[serde(rename = "peak_rps")]
    second: Option<Peak<'a>>,
    #[serde(rename = "peak_10s")]
    ten_seconds: Option<Peak<'a>>,
    #[serde(rename = "peak_rpm")]
    minute: Option<Peak<'a>>,
}

#[derive(Serialize)]
struct Peak<'a> {
    value: u64,
    at_most: Option<u64>,
    window_s: i64,
    start: String,
    end: String,
    whole: bool,
    contributors: Vec<Contributor<'a>>,
}

#[derive(Serialize)]
struct Contributor<'a> {
    method: &'a str,
    name: &'a str,
    count: u64,
}

impl<'a> Rates<'a> {
    /// Those of a summary.
    pub fn of(summary: &'a Summary) -> Self {
        let of = |window_ms| {
            let found = summary
                .peaks
                .iter()
                .find(|p| p.peak.window_ms == window_ms)?;
            Some(peak(found))
        };
        Self {
            second: of(1000),
            ten_seconds: of(10_000),
            minute: of(60_000),
        }
    }
}

fn peak(window: &PeakWindow) -> Peak<'_> {
    let peak = &window.peak;
    Peak {
        value: peak.count,
        at_most: peak.at_most,
        window_s: peak.window_ms / 1000,
        start: moment(peak.start_ms),
        end: moment(peak.start_ms + peak.window_ms),
        whole: window.whole,
        contributors: contributors(&window.contributors),
    }
}

fn contributors(each: &[(Endpoint, u64)]) -> Vec<Contributor<'_>> {
    let each = each.iter().map(|(endpoint, count)| Contributor {
        method: &endpoint.method,
        name: &endpoint.name,
        count: *count,
    });
    each.collect()
}

/// One quota.
#[derive(Serialize)]
pub struct QuotaJson<'a> {
    id: &'a str,
    cost: &'a str,
    on: Option<&'a str>,
    limit: u64,
    window_s: f64,
    target: Option<f64>,
    peak: Option<u64>,
    at_most: Option<u64>,
    utilization: Option<f64>,
    target_utilization: Option<f64>,
    headroom: Option<i64>,
    window: Option<Window>,
    requests: Option<u64>,
    total: Option<u64>,
    contributors: Vec<Contributor<'a>>,
    bursts: Option<usize>,
    burst_windows: Vec<BurstJson>,
    rejected: Option<u64>,
    bucket: Option<BucketJson>,
    series: Vec<u64>,
}

#[derive(Serialize)]
struct Window {
    start: String,
    end: String,
    unseen_s: f64,
}

#[derive(Serialize)]
struct BurstJson {
    start: String,
    end: String,
    worst: u64,
}

#[derive(Serialize)]
struct BucketJson {
    asked: u64,
    rejected: u64,
    first_rejected: Option<String>,
    longest_run: u64,
    longest_run_from: Option<String>,
}

impl<'a> QuotaJson<'a> {
    /// That of a report on it.
    pub fn of(quota: &'a QuotaReport) -> Self {
        let usage = quota.usage.as_ref();
        let bursts = usage.and_then(|u| u.bursts.as_deref());
        let replay = usage.and_then(|u| u.replay);
        Self {
            id: &quota.id,
            cost: &quota.cost,
            on: quota.selector.as_deref(),
            limit: quota.limit,
            window_s: quota.window_ms as f64 / 1e3,
            target: quota.target.and_then(tidy),
            peak: usage.map(|u| u.peak),
            at_most: usage.and_then(|u| u.at_most),
            utilization: usage.and_then(|u| tidy(u.utilization)),
            target_utilization: usage.and_then(|u| u.target_utilization).and_then(tidy),
            headroom: usage.map(|u| u.headroom),
            window: usage.map(Window::of),
            requests: usage.map(|u| u.requests),
            total: usage.and_then(|u| u.total),
            contributors: usage.map_or_else(Vec::new, |u| contributors(&u.contributors)),
            bursts: bursts.map(<[Burst]>::len),
            burst_windows: bursts
                .unwrap_or_default()
                .iter()
                .map(BurstJson::of)
                .collect(),
            rejected: replay.map(|r| r.rejected),
            bucket: replay.map(|r| BucketJson {
                asked: r.asked,
                rejected: r.rejected,
                first_rejected: r.first_ms.map(moment),
                longest_run: r.longest_run,
                longest_run_from: r.longest_run_ms.map(moment),
            }),
            series: usage.map_or_else(Vec::new, |u| u.series.iter().map(|(_, n)| *n).collect()),
        }
    }
}

impl Window {
    fn of(usage: &Usage) -> Self {
        Self {
            start: moment(usage.start_ms),
            end: moment(usage.end_ms),
            unseen_s: usage.unseen_ms as f64 / 1e3,
        }
    }
}

impl BurstJson {
    fn of(burst: &Burst) -> Self {
        Self {
            start: moment(burst.start_ms),
            end: moment(burst.end_ms),
            worst: burst.worst,
        }
    }
}
