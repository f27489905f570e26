//! Rates, quotas and measured fields as rows of text, shared by the reports that people read.

use crate::analysis::Analysis;
use crate::gate::QuotaReport;
use crate::gate::quota::Usage;
use crate::summary::{FieldSummary, PeakWindow, Summary};
use crate::tally::Endpoint;
use crate::units::{Unit, moment};

/// What stands for a figure that was not measured.
pub const NONE: &str = "–";
/// Longest name of a contributor.
const LONGEST_NAME: usize = 40;
/// Contributors that are named.
const MOST_NAMED: usize = 3;

/// Columns of the rates; the first is text, the others are figures.
pub const RATE_COLUMNS: [&str; 7] = [
    "Rate",
    "Window",
    "Peak",
    "Target",
    "Limit",
    "Used",
    "Busiest from",
];

/// One row for each peak of the run and for each quota.
pub fn rates(analysis: &Analysis) -> Vec<[String; 7]> {
    let peaks = analysis.summary.peaks.iter().map(peak);
    peaks.chain(analysis.quotas.iter().map(quota)).collect()
}

fn count(n: u64) -> String {
    Unit::Count.human(n as f64)
}

fn none() -> String {
    NONE.to_owned()
}

fn time(ms: i64) -> String {
    Unit::Time.human(ms as f64)
}

/// `12`; `12 to 19` where only seconds are known; `≥ 12` where the run was shorter than the window.
fn amount(least: u64, at_most: Option<u64>, whole: bool) -> String {
    match at_most.filter(|_| whole) {
        None => format!("≥ {}", count(least)),
        Some(most) if most == least => count(least),
        Some(most) => format!("{} to {}", count(least), count(most)),
    }
}

/// A share of a limit, as well as it is known.
fn used(usage: &Usage, limit: u64) -> String {
    let share = |n: u64| Unit::Ratio.human(n as f64 / limit as f64);
    match usage.at_most {
        None => format!("≥ {}", share(usage.peak)),
        Some(most) if most == usage.peak => share(most),
        Some(most) => format!("{} to {}", share(usage.peak), share(most)),
    }
}

fn peak(window: &PeakWindow) -> [String; 7] {
    let peak = &window.peak;
    [
        "requests".to_owned(),
        time(peak.window_ms),
        amount(peak.count, peak.at_most, window.whole),
        none(),
        none(),
        none(),
        moment(peak.start_ms),
    ]
}

fn quota(quota: &QuotaReport) -> [String; 7] {
    let usage = quota.usage.as_ref();
    let target = quota.target.map_or_else(none, |t| Unit::Count.human(t));
    [
        format!("{} {}", quota.id, quota.cost),
        time(quota.window_ms),
        usage.map_or_else(none, |u| amount(u.peak, u.at_most, true)),
        target,
        count(quota.limit),
        usage.map_or_else(none, |u| used(u, quota.limit)),
        usage.map_or_else(none, |u| moment(u.start_ms)),
    ]
}

/// What there is to say about each quota besides its row.
pub fn quota_details(analysis: &Analysis) -> Vec<String> {
    let of = |quota: &QuotaReport| {
        let usage = quota.usage.as_ref()?;
        Some(format!("{}: {}", quota.id, details(usage)))
    };
    analysis.quotas.iter().filter_map(of).collect()
}

fn details(usage: &Usage) -> String {
    let mut parts = Vec::new();
    if !usage.contributors.is_empty() {
        parts.push(format!(
            "busiest window {}",
            contributors(&usage.contributors)
        ));
    }
    match usage.bursts.as_deref() {
        Some([]) => parts.push("no burst".to_owned()),
        Some(bursts) => parts.push(format!("bursts {}", count(bursts.len() as u64))),
        None => {}
    }
    if let Some(replay) = &usage.replay {
        parts.push(format!(
            "token bucket rejects {} of {}",
            count(replay.rejected),
            count(replay.asked)
        ));
    }
    parts.join("; ")
}

/// `12 POST /a, 5 GET /b and 3 elsewhere`.
pub fn contributors(each: &[(Endpoint, u64)]) -> String {
    let named = each.iter().take(MOST_NAMED);
    let mut parts: Vec<String> = named
        .map(|(endpoint, n)| format!("{} {}", count(*n), cut(&endpoint.to_string())))
        .collect();
    let rest: u64 = each.iter().skip(MOST_NAMED).map(|(_, n)| n).sum();
    if rest > 0 {
        parts.push(format!("{} elsewhere", count(rest)));
    }
    parts.join(", ")
}

fn cut(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    }
}

/// Columns of the measured fields; the first is text, the others are figures.
pub const FIELD_COLUMNS: [&str; 9] = [
    "Field",
    "Values",
    "Missing",
    "First",
    "Mean",
    "p95",
    "Max",
    "Increase",
    "Slope per hour",
];

/// One row for each measured field of the run.
pub fn fields(summary: &Summary) -> Vec<[String; 9]> {
    let fields = summary.total.fields.iter();
    fields.map(|(name, figures)| field(name, figures)).collect()
}

fn field(name: &str, field: &FieldSummary) -> [String; 9] {
    let plain = |v: f64| Unit::Plain.human(v);
    let known = |v: Option<f64>| v.map_or_else(none, plain);
    let slope = match (field.slope_per_hour, field.slope_interval) {
        (Some(slope), Some((low, high))) => {
            format!("{} ({} to {})", plain(slope), plain(low), plain(high))
        }
        (slope, _) => known(slope),
    };
    [
        name.to_owned(),
        count(field.count),
        count(field.missing),
        known(field.first),
        plain(field.mean),
        plain(field.p95),
        plain(field.max),
        known(field.increase),
        slope,
    ]
}
