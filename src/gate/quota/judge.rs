//! The verdict on a quota.

use std::fmt::Write as _;

use super::cost::{Spending, spending};
use super::{Cost, Quota, QuotaReport, Replay, Usage, bursts};
use crate::exact::Fraction;
use crate::gate::judge::{remark, selection};
use crate::gate::{Decision, Verdict};
use crate::metric::Metric;
use crate::summary::Summary;
use crate::tally::windows::{Peak, held_at, trailing};
use crate::units::{Unit, moment};

/// Measures and judges every quota, in order.
pub fn judge(summary: &Summary, quotas: &[Quota]) -> Vec<(QuotaReport, Verdict)> {
    quotas
        .iter()
        .map(|quota| judge_one(summary, quota))
        .collect()
}

/// Why a quota is breached, or cannot be said to be kept. Empty lists are a pass.
#[derive(Default)]
struct Findings {
    breaches: Vec<String>,
    doubts: Vec<String>,
}

fn judge_one(summary: &Summary, quota: &Quota) -> (QuotaReport, Verdict) {
    let mut report = QuotaReport {
        id: quota.id.clone(),
        cost: quota.cost.name(),
        selector: quota.on.as_ref().map(|s| s.text.clone()),
        limit: quota.limit.count,
        window_ms: quota.limit.window_ms,
        target: quota.target.as_ref().map(|t| t.value.to_f64()),
        usage: None,
    };
    let mut verdict = blank(quota);
    let measured = spending(quota, summary).and_then(|spent| {
        let peak = spent.peak(quota.limit.window_ms, summary)?;
        Ok((spent, peak))
    });
    match measured {
        Err(reason) => verdict.because = reason,
        Ok((spent, peak)) => {
            let usage = usage(quota, summary, &spent, peak);
            let mut findings = Findings::default();
            windows(quota, &usage, &mut findings);
            bursting(quota, &spent, &usage, summary, &mut findings);
            rejecting(quota, &usage, &mut findings);
            doubt(quota, summary, &spent, &mut findings);
            conclude(&mut verdict, &usage, &findings);
            if let Some(on) = &quota.on {
                remark(&mut verdict.because, &selection(on, summary));
            }
            report.usage = Some(usage);
        }
    }
    (report, verdict)
}

fn blank(quota: &Quota) -> Verdict {
    let limit = quota
        .target
        .as_ref()
        .map_or(quota.limit.count as f64, |target| target.value.to_f64());
    Verdict {
        id: quota.id.clone(),
        require: quota.rule(),
        endpoint: None,
        selector: quota.on.as_ref().map(|s| s.text.clone()),
        decision: Decision::Undecided,
        level: quota.level,
        observed: None,
        limit: Some(limit),
        unit: Unit::Count,
        margin: None,
        samples: 0,
        interval: None,
        because: String::new(),
        origin: quota.origin.clone(),
        metric: Metric::Peak(quota.limit.window_ms as f64 / 1e3),
    }
}

fn usage(quota: &Quota, summary: &Summary, spent: &Spending<'_>, peak: Peak) -> Usage {
    let end_ms = peak.start_ms + peak.window_ms;
    let last_start = summary.total.tally.starts.last();
    let exact = spent.exact.as_ref();
    Usage {
        requests: spent.requests,
        total: exact.map(crate::tally::Counts::total),
        peak: peak.count,
        at_most: peak.at_most,
        start_ms: peak.start_ms,
        end_ms,
        unseen_ms: last_start.map_or(0, |last| (end_ms - 1 - last).max(0)),
        contributors: exact.map_or_else(Vec::new, |_| {
            spent.contributors(quota, peak.start_ms, end_ms)
        }),
        utilization: peak.count as f64 / quota.limit.count as f64,
        target_utilization: quota
            .target
            .as_ref()
            .map(|t| peak.count as f64 / t.value.to_f64()),
        headroom: quota.limit.count as i64 - peak.count as i64,
        bursts: exact
            .zip(quota.burst.as_ref())
            .map(|(costs, rate)| bursts::bursts(costs, rate)),
        replay: quota.bucket.as_ref().and_then(|b| spent.replay(b)),
        series: exact.map_or_else(Vec::new, |costs| series(costs, quota, summary)),
    }
}

/// For every interval of the run's timeline, the most in any window that ends in it.
fn series(costs: &crate::tally::Counts, quota: &Quota, summary: &Summary) -> Vec<(i64, u64)> {
    let timeline = &summary.timeline;
    let begins = || timeline.rows.iter().map(|row| row.start_s);
    // A window that ends in an interval may end at its begin, before anything in it happens.
    let held = held_at(
        costs,
        begins().map(|second| second * 1000),
        quota.limit.window_ms,
    );
    let mut series: Vec<(i64, u64)> = begins().zip(held).collect();
    let Some(&(first, _)) = series.first() else {
        return series;
    };
    for (end, held) in trailing(costs, quota.limit.window_ms) {
        let slot = (end.div_euclid(1000) - first) / timeline.interval_s.max(1);
        if let Some((_, most)) = usize::try_from(slot).ok().and_then(|i| series.get_mut(i)) {
            *most = (*most).max(held);
        }
    }
    series
}

/// What the busiest window says.
fn windows(quota: &Quota, usage: &Usage, findings: &mut Findings) {
    let count = |n: u64| Unit::Count.human(n as f64);
    let limit = quota.limit.count;
    let window = Unit::Time.human(quota.limit.window_ms as f64);
    let kept = |n: u64| {
        n <= limit
            && quota
                .target
                .as_ref()
                .is_none_or(|target| Fraction::share(n, 1) < Some(target.value))
    };
    if !kept(usage.peak) {
        let over = match &quota.target {
            Some(target) if usage.peak <= limit => format!(
                "not under the target of {} ({} of the limit)",
                Unit::Count.human(target.value.to_f64()),
                Unit::Ratio.human(usage.utilization)
            ),
            _ => format!("beyond the limit of {}", count(limit)),
        };
        let cost = quota.cost.name();
        findings
            .breaches
            .push(format!("{} {cost} in {window}, {over}", count(usage.peak)));
    } else if usage.at_most.is_none_or(|most| !kept(most)) {
        findings.doubts.push(bounds(usage, &window));
    }
}

/// How well the busiest window is known.
fn bounds(usage: &Usage, window: &str) -> String {
    let least = Unit::Count.human(usage.peak as f64);
    match usage.at_most {
        Some(most) => format!(
            "the source counts requests in the second they end: between {least} and {} in {window}",
            Unit::Count.human(most as f64)
        ),
        None => format!(
            "the source ends before the run: at least {least} in {window}, and at its end there may have been more"
        ),
    }
}

fn bursting(
    quota: &Quota,
    spent: &Spending<'_>,
    usage: &Usage,
    summary: &Summary,
    findings: &mut Findings,
) {
    let Some(rate) = &quota.burst else { return };
    if let Some(bursts) = &usage.bursts {
        if let Some(worst) = bursts.iter().rev().max_by_key(|b| b.worst) {
            findings.breaches.push(format!(
                "{} beyond {}, the worst with {} from {}",
                counted(bursts.len() as u64, "burst"),
                rate.text,
                Unit::Count.human(worst.worst as f64),
                moment(worst.start_ms)
            ));
        }
        return;
    }
    match spent.peak(rate.window_ms, summary) {
        Ok(peak) if peak.count > rate.count => findings.breaches.push(format!(
            "a burst beyond {}, with at least {} from {}",
            rate.text,
            Unit::Count.human(peak.count as f64),
            moment(peak.start_ms)
        )),
        Ok(peak) if peak.at_most.is_none_or(|most| most > rate.count) => findings.doubts.push(format!(
            "the source counts requests in the second they end: whether there was a burst beyond {} is not known",
            rate.text
        )),
        Ok(_) => {}
        Err(reason) => findings.doubts.push(reason),
    }
}

fn rejecting(quota: &Quota, usage: &Usage, findings: &mut Findings) {
    let Some(bucket) = &quota.bucket else { return };
    match &usage.replay {
        Some(Replay { rejected: 0, .. }) => {}
        Some(replay) => findings.breaches.push(format!(
            "a token bucket of {} would have rejected {} of {} {}{}, {} in a row at worst",
            bucket.text,
            Unit::Count.human(replay.rejected as f64),
            Unit::Count.human(replay.asked as f64),
            match &quota.cost {
                Cost::Fixed(_) => "requests",
                Cost::Field(name) => name,
            },
            replay
                .first_ms
                .map_or_else(String::new, |ms| format!(", first at {}", moment(ms))),
            Unit::Count.human(replay.longest_run as f64)
        )),
        None => findings.doubts.push(
            "a token bucket needs the start of each request; the source counts them in the second they end"
                .to_owned(),
        ),
    }
}

/// What would keep a quota that was not breached from being a pass.
fn doubt(quota: &Quota, summary: &Summary, spent: &Spending<'_>, findings: &mut Findings) {
    findings.doubts.extend(spent.gaps.clone());
    let run_ms = summary.duration_s.map_or(0.0, |s| s * 1e3);
    let burst_ms = quota.burst.as_ref().map_or(0, |burst| burst.window_ms);
    let longest_ms = quota.limit.window_ms.max(burst_ms) as f64;
    if run_ms < longest_ms {
        findings.doubts.push(format!(
            "the run of {} is shorter than the window of {}",
            Unit::Time.human(run_ms),
            Unit::Time.human(longest_ms)
        ));
    }
}

fn conclude(verdict: &mut Verdict, usage: &Usage, findings: &Findings) {
    verdict.observed = Some(usage.peak as f64);
    verdict.margin = verdict.limit.map(|limit| limit - usage.peak as f64);
    verdict.samples = usage.requests;
    let (decision, mut because) = if !findings.breaches.is_empty() {
        (Decision::Fail, findings.breaches.join("; "))
    } else if !findings.doubts.is_empty() {
        (Decision::Undecided, findings.doubts.join("; "))
    } else {
        let mut because = format!("{} of the limit", Unit::Ratio.human(usage.utilization));
        if usage.at_most != Some(usage.peak) {
            because = bounds(
                usage,
                &Unit::Time.human((usage.end_ms - usage.start_ms) as f64),
            );
        }
        (Decision::Pass, because)
    };
    let _ = write!(
        because,
        "; busiest window from {} to {}",
        moment(usage.start_ms),
        moment(usage.end_ms)
    );
    if usage.unseen_ms > 0 {
        let _ = write!(
            because,
            ", of which {} lie after the run's last start",
            Unit::Time.human(usage.unseen_ms as f64)
        );
    }
    verdict.decision = decision;
    verdict.because = because;
}

fn counted(n: u64, thing: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", Unit::Count.human(n as f64))
}
