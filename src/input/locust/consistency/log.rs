//! A request log beside Locust's own results: the log gives the numbers, if it is of the same run and holds all of it.

use super::json_and_table::LAG_S;
use super::rates::duration_s;
use super::{COUNTED, Findings, Left, Pair, Place};
use crate::input::locust::text::{plural, thousands};
use crate::tally::{Concern, EndpointTally};
use crate::units::Unit;

/// What a process that was killed had not written yet: two seconds, or so many lines, but no more than a twentieth.
const UNWRITTEN_S: f64 = 2.0;
const UNWRITTEN_LINES: f64 = 50.0;
const UNWRITTEN_SHARE: f64 = 0.05;
/// Without time stamps: the share of a short run that its last seconds can be.
const LATE_SHARE: f64 = 0.1;
/// Times that differ by so much are in another unit, or of another run.
const OTHER_UNIT: f64 = 10.0;
/// A longest time that the log lacks: further off than two clocks of one request.
const LONGEST_MS: f64 = 5.0;
const LONGEST_SHARE: f64 = 0.1;

/// The request log beside the tables.
#[derive(Clone, Copy)]
pub enum Log<'t> {
    /// All of it.
    Whole(&'t EndpointTally),
    /// A part was asked for; so many requests it holds in all.
    Part(u64),
}

/// What Locust says of the run.
struct Account {
    file: String,
    counts: Pair,
    average_ms: Option<f64>,
    longest_ms: Option<f64>,
    duration_s: Option<f64>,
}

/// Checks what the log holds against what Locust counted.
pub fn check(left: &Left, log: Log) -> Findings {
    let mut findings = Findings::default();
    let was_reset = left
        .histories
        .iter()
        .any(|history| history.course.resets > 0);
    for account in accounts(left) {
        let before = findings.found.len();
        counts(&account, left, was_reset, log, &mut findings);
        if let Log::Whole(log) = log
            && findings.found.len() == before
        {
            failures(&account, log, &mut findings);
            times(&account, log, &mut findings);
        }
    }
    findings
}

/// Each of Locust's results that tells of the whole run; the history only if there is no other.
fn accounts(left: &Left) -> Vec<Account> {
    let mut accounts = Vec::new();
    if let Some(first) = left.stats.first() {
        let mut counts = Pair::default();
        for stats in left.stats {
            counts.add(Pair {
                requests: stats.requests(),
                failures: stats.failures(),
            });
        }
        let single = Some(first).filter(|_| left.stats.len() == 1);
        // Locust up to 0.9 counts no failures as requests.
        let total = single
            .and_then(|stats| stats.total())
            .filter(|_| !first.is_old);
        if first.is_old && counts.failures > counts.requests {
            counts.requests += counts.failures;
        }
        accounts.push(Account {
            file: first.file.clone(),
            counts,
            average_ms: total.and_then(|total| total.average),
            longest_ms: total.and_then(|total| total.max),
            duration_s: single.and_then(duration_s),
        });
    }
    if let Some(first) = left.json.first() {
        let all = || left.json.iter().map(|entry| &entry.tally);
        let mut counts = Pair::default();
        all().for_each(|tally| counts.add(Pair::from(tally)));
        let timed: u64 = all().map(EndpointTally::timed).sum();
        let sum_us: f64 = all().filter_map(EndpointTally::sum_us).sum();
        let longest_us = all().filter_map(|tally| tally.max_us).reduce(f64::max);
        let starts = all().filter_map(|tally| tally.first_start_ms).min();
        let ends = all().filter_map(|tally| tally.last_end_ms).max();
        accounts.push(Account {
            file: first.file.clone(),
            counts,
            average_ms: (timed > 0).then(|| sum_us / timed as f64 / 1e3),
            longest_ms: longest_us.map(|us| us / 1e3),
            duration_s: starts
                .zip(ends)
                .map(|(start, end)| (end - start) as f64 / 1e3),
        });
    }
    if let ([], [history]) = (accounts.as_slice(), left.histories)
        && let Some(total) = history.last.get(&None)
    {
        accounts.push(Account {
            file: history.file.clone(),
            counts: Pair::from(total),
            average_ms: total.average,
            longest_ms: total.max,
            duration_s: None,
        });
    }
    accounts
}

fn counts(account: &Account, left: &Left, was_reset: bool, log: Log, findings: &mut Findings) {
    let theirs = account.counts.requests;
    let ours = match log {
        Log::Whole(log) => log.requests,
        Log::Part(records) => records,
    };
    let file = &account.file;
    let (held, counted) = (plural(ours, "request"), thousands(theirs));
    if let Some(lacks) = theirs.checked_sub(ours) {
        let rate = account
            .duration_s
            .map_or(0.0, |s| theirs as f64 / s.max(1.0));
        let unwritten = (UNWRITTEN_S * rate).max(UNWRITTEN_LINES);
        let most = unwritten.min(UNWRITTEN_SHARE * theirs as f64).max(1.0);
        if lacks as f64 > most && !left.is_partial {
            let because = format!(
                "the request log holds {held}, {file} counts {counted}: the log is only a part of the run, or of another"
            );
            findings.doubt(Place::Run, &COUNTED, because);
        }
        return;
    }
    let more = ours - theirs;
    let most = match log {
        Log::Whole(log) => late(log, left, account),
        Log::Part(_) => theirs + 100,
    };
    if more > most && !was_reset && !left.is_partial {
        let because = format!(
            "the request log holds {held}, {file} counts {counted}, more than the last seconds of a run: the log is of \
             more than this run, or `--reset-stats` was given without a history that tells"
        );
        findings.doubt(Place::Run, &COUNTED, because);
    }
}

/// Requests of the log that tables may not have counted yet.
fn late(log: &EndpointTally, left: &Left, account: &Account) -> u64 {
    let share = (LATE_SHARE * log.requests as f64) as u64;
    let Some(last) = log.starts.last().filter(|_| log.without_start == 0) else {
        return share;
    };
    let gap_s = left
        .histories
        .iter()
        .filter_map(|history| history.course.gap_s)
        .max();
    let mut lag_s = LAG_S.max(gap_s.unwrap_or(0) + 2);
    // A history alone waits for the disk, too.
    if left.stats.is_empty() && left.json.is_empty() && account.duration_s.is_none() {
        lag_s += 10;
    }
    // They count a request when it ends.
    let longest_ms = log.max_us.map_or(0, |us| (us / 1e3) as i64);
    let since = last - lag_s * 1000 - longest_ms;
    log.starts.range(since, i64::MAX).map(|(_, n)| n).sum()
}

/// Failures that Locust counted and the log does not tell. The last lines, if they are gone, hold as many as the others do;
/// twice as many are no reason to doubt.
fn failures(account: &Account, log: &EndpointTally, findings: &mut Findings) {
    let Pair { requests, failures } = account.counts;
    let lacks = requests.saturating_sub(log.requests) as f64;
    let gone = 2.0 * lacks * failures as f64 / requests.max(1) as f64;
    let known = log.failures + log.unknown_outcomes + gone.round() as u64;
    if failures > known {
        let because = format!(
            "{} counts {}, the request log {}: the log does not tell every failure",
            account.file,
            plural(failures, "failure"),
            thousands(log.failures)
        );
        findings.doubt(Place::Run, &[Concern::Failures], because);
    }
}

/// Times in another unit, and a longest one that the log lacks.
fn times(account: &Account, log: &EndpointTally, findings: &mut Findings) {
    let timed = log.timed();
    let human = |ms: f64| Unit::Time.human(ms);
    let ours = log
        .sum_us()
        .filter(|_| timed > 0)
        .map(|us| us / timed as f64 / 1e3);
    if let (Some(theirs), Some(ours)) = (account.average_ms.filter(|ms| *ms > 0.0), ours) {
        let differ = (theirs - ours).abs() > LONGEST_MS.min(theirs);
        if differ && !(1.0 / OTHER_UNIT..=OTHER_UNIT).contains(&(ours / theirs)) {
            let because = format!(
                "the mean response time is {} by the request log and {} by {}: it is in another unit, or of another run",
                human(ours),
                human(theirs),
                account.file
            );
            findings.doubt(Place::Run, &[Concern::Times], because);
            return;
        }
    }
    if let (Some(theirs), Some(ours)) = (account.longest_ms, log.max_us.map(|us| us / 1e3))
        && theirs > ours * (1.0 + LONGEST_SHARE) + LONGEST_MS
    {
        let because = format!(
            "the longest response time is {} by the request log and {} by {}: the log lacks slow requests",
            human(ours),
            human(theirs),
            account.file
        );
        findings.doubt(Place::Run, &[Concern::Times], because);
    }
}
