//! The history against itself and against the tables that were written with it.

use std::collections::{BTreeMap, BTreeSet};

use super::rates::duration_s;
use super::rows::{more_failures, order};
use super::{Alike, COUNTED, Findings, Left, Pair, Place, comparable, is_same};
use crate::input::locust::figures::Figures;
use crate::input::locust::history::History;
use crate::input::locust::stats::Stats;
use crate::input::locust::text::{plural, thousands};
use crate::tally::{Concern, Endpoint};
use crate::units::Unit;

/// Seconds after which Locust writes its history to the disk, in the versions that wait longest.
const FLUSH_S: i64 = 10;
/// Seconds by which moments of the history and of the other tables may differ besides.
const SLACK_S: f64 = 5.0;
/// Seconds by which the clocks of several machines may differ, and a history may end early.
const CLOCKS_S: i64 = 300;
/// So many times as many requests as in its busiest ten seconds may come in as long a time that the history lacks.
const RAMP: f64 = 3.0;
/// Requests that may come at any time.
const FEW: f64 = 10.0;

/// Everything but measured fields: the history may be another run's.
const ALL: [Concern; 5] = [
    Concern::Requests,
    Concern::Failures,
    Concern::Times,
    Concern::Course,
    Concern::Users,
];

/// Checks the order of the rows, and the figures of the last ones where nothing else gives them.
pub fn check(history: &History, left: &Left, findings: &mut Findings) {
    if let Some(because) = &history.disorder {
        findings.doubt(
            Place::Run,
            &[Concern::Course, Concern::Users],
            because.clone(),
        );
    }
    if !left.stats.is_empty() || !left.json.is_empty() {
        return;
    }
    let mut failures = Alike::new(&history.file, "more failures than requests");
    let mut times = Alike::new(
        &history.file,
        "shortest, average, median and longest are not in order",
    );
    for (key, row) in &history.last {
        if let Some(detail) = more_failures(row) {
            failures.add(key.as_ref(), detail);
        }
        if let Some(detail) = order(row) {
            times.add(key.as_ref(), detail);
        }
    }
    failures.tell(&[Concern::Requests, Concern::Failures], findings);
    times.tell(&[Concern::Times], findings);
    sum_of_the_last_rows(history, findings);
}

/// The rows of one moment add up, where there are rows of endpoints.
fn sum_of_the_last_rows(history: &History, findings: &mut Findings) {
    let Some(total) = history.last.get(&None).map(Pair::from) else {
        return;
    };
    let mut sum = Pair::default();
    let rows = history.last.iter().filter(|(key, _)| key.is_some());
    let count = rows.map(|(_, row)| sum.add(Pair::from(row))).count();
    if count > 0 && sum != total {
        let because = format!(
            "the last rows of {} add up to {} and {}, that of the total says {} and {}",
            history.file,
            plural(sum.requests, "request"),
            plural(sum.failures, "failure"),
            thousands(total.requests),
            thousands(total.failures),
        );
        findings.doubt(Place::Run, &COUNTED, because);
    }
}

/// Checks the histories' last rows against the statistics or the JSON.
pub fn against_the_rest(left: &Left, findings: &mut Findings) {
    let Some(first) = left.histories.first() else {
        return;
    };
    let mut known = Pair::default();
    let file = if let Some(stats) = left.stats.first() {
        for stats in left.stats {
            known.add(Pair {
                requests: stats.requests(),
                failures: stats.failures(),
            });
        }
        &stats.file
    } else if let Some(entry) = left.json.first() {
        left.json
            .iter()
            .for_each(|e| known.add(Pair::from(&e.tally)));
        &entry.file
    } else if let Some(table) = left.failures.first() {
        return failures_alone(first, left, &table.file, findings);
    } else {
        return;
    };
    let mut said = Pair::default();
    for last in left
        .histories
        .iter()
        .filter_map(|history| history.last.get(&None))
    {
        said.add(Pair::from(last));
    }
    let single = left
        .stats
        .first()
        .filter(|_| left.stats.len() == 1 && left.histories.len() == 1);
    let duration_s = single.and_then(duration_s);
    let wrong = if said.requests > known.requests || said.failures > known.failures {
        Some(String::new())
    } else {
        let lacks = known.requests - said.requests;
        if known.failures - said.failures > lacks {
            Some(String::new())
        } else {
            too_late(left.histories, lacks, duration_s)
        }
    };
    if let Some(why) = wrong {
        let because = format!(
            "{} ends with {} and {}, {file} with {} and {}{why}: they are of different runs, or one is not whole",
            first.file,
            plural(said.requests, "request"),
            plural(said.failures, "failure"),
            thousands(known.requests),
            thousands(known.failures),
        );
        findings.doubt(Place::Run, &ALL, because);
        return;
    }
    if let Some(stats) = single {
        endpoints(first, stats, findings);
        span(first, stats, findings);
    }
    moments(left, findings);
}

/// What has moments of its own lies in the time of the history.
fn moments(left: &Left, findings: &mut Findings) {
    let rows = |of: fn(&History) -> Option<i64>| left.histories.iter().filter_map(of);
    let first = rows(|history| history.course.first_row).min();
    let last = rows(|history| history.course.last_row).max();
    let (Some(first), Some(last)) = (first, last) else {
        return;
    };
    let entries = left.json.iter().flat_map(|entry| {
        let seconds = &entry.tally.seconds.requests;
        [seconds.first(), seconds.last()].map(|second| Some((&entry.file, second?)))
    });
    let failures = left.failures.iter().flat_map(|table| {
        let seen = table.rows.iter().flat_map(|row| [row.seen.0, row.seen.1]);
        seen.map(|ms| Some((&table.file, ms?.div_euclid(1000))))
    });
    let mut outside = entries.chain(failures).flatten();
    let found = outside.find(|(_, at)| *at < first - CLOCKS_S || *at > last + CLOCKS_S);
    if let Some((file, at)) = found {
        let moment = |s: i64| crate::units::moment(s * 1000);
        let because = format!(
            "{file} tells of {}, {} of {} to {}: they are of different runs",
            moment(at),
            left.histories[0].file,
            moment(first),
            moment(last)
        );
        findings.doubt(Place::Run, &ALL, because);
    }
}

/// Why a history lacks more than what Locust had not written yet, if so.
fn too_late(histories: &[History], lacks: u64, duration_s: Option<f64>) -> Option<String> {
    if lacks == 0 {
        return None;
    }
    let gap_s = histories
        .iter()
        .filter_map(|h| h.course.gap_s)
        .max()
        .unwrap_or(1);
    let most_s = (FLUSH_S + gap_s) as f64 + SLACK_S;
    let mut lag_s = most_s;
    if let (Some(duration_s), [history]) = (duration_s, histories)
        && history.course.resets == 0
    {
        let course = &history.course;
        let covered = course
            .last_row
            .zip(course.first_busy)
            .map_or(0, |(last, first)| last - first);
        let missing_s = duration_s - covered as f64;
        if missing_s > most_s {
            let seconds = Unit::Time.human(missing_s * 1e3);
            return Some(format!(", {seconds} later"));
        }
        lag_s = missing_s.max(0.0) + gap_s as f64 + 1.0;
    }
    // One that ends before the requests begin tells no rate.
    let grows = |h: &History| {
        h.course
            .last_growth
            .zip(h.course.first_growth)
            .map_or(0, |(last, first)| last - first)
    };
    if histories.iter().all(|history| grows(history) < 3) {
        return None;
    }
    let busiest: u64 = histories.iter().map(|h| h.course.busiest).sum();
    let users: u64 = histories.iter().map(|h| h.course.users).sum();
    let most = FEW + users as f64 + RAMP * busiest as f64 / 10.0 * lag_s;
    (lacks as f64 > most).then(|| ", more than came at any time".to_owned())
}

/// A failures table beside a history, and nothing else.
fn failures_alone(history: &History, left: &Left, file: &str, findings: &mut Findings) {
    let listed: u64 = left
        .failures
        .iter()
        .flat_map(|table| &table.rows)
        .map(|row| row.count)
        .sum();
    let known = history.last.get(&None).map_or(0, |last| last.failures);
    let wrong = match listed.checked_sub(known) {
        Some(lacks) => too_late(left.histories, lacks, None).is_some(),
        None => !left.is_partial,
    };
    if wrong {
        let because = format!(
            "{file} lists {}, {} ends with {}",
            plural(listed, "failure"),
            history.file,
            thousands(known)
        );
        findings.doubt(Place::Run, &[Concern::Failures], because);
    }
}

/// Each endpoint's last row, and the total's, against the statistics.
fn endpoints(history: &History, stats: &Stats, findings: &mut Findings) {
    let named = history.last.iter();
    let named = named.map(|(key, row)| (key.as_ref().map(comparable), row));
    let named: BTreeMap<Option<Endpoint>, &Figures> = named.collect();
    let last = |key: Option<&Endpoint>| {
        let exact = history.last.get(&key.cloned());
        exact.or_else(|| named.get(&key.map(comparable)).copied())
    };
    let lacks = last(None).map_or(0, |total| stats.requests().saturating_sub(total.requests));
    let has_endpoints = history.last.keys().any(Option::is_some);
    let what = format!("other counts than in {}", history.file);
    let mut counts = Alike::new(&stats.file, &what);
    let what = format!("other times than in {}", history.file);
    let mut times = Alike::new(&stats.file, &what);
    for (key, row) in stats
        .each()
        .filter(|(key, _)| key.is_none() || has_endpoints)
    {
        let before = last(key).map(Pair::from).unwrap_or_default();
        let fits = before.requests <= row.requests
            && before.failures <= row.failures
            && row.requests - before.requests <= lacks
            && row.failures - before.failures <= row.requests - before.requests;
        if !fits {
            counts.add(
                key,
                format!(
                    "{} with {} failed to {} with {}",
                    thousands(row.requests),
                    thousands(row.failures),
                    thousands(before.requests),
                    thousands(before.failures)
                ),
            );
        } else if let Some(detail) = last(key).and_then(|before| other_times(row, before)) {
            times.add(key, detail);
        }
    }
    let known: BTreeSet<Endpoint> = stats.rows.keys().map(comparable).collect();
    for (key, row) in &history.last {
        if let Some(key) = key
            .as_ref()
            .filter(|key| row.requests > 0 && !known.contains(&comparable(key)))
        {
            counts.add(Some(key), format!("no row to {}", thousands(row.requests)));
        }
    }
    if counts.rows.len() > 1 {
        // One row may have another name; several are of another run.
        findings.doubt(Place::Run, &ALL, counts.sentence());
    } else {
        counts.tell(&COUNTED, findings);
    }
    times.tell(&[Concern::Times], findings);
}

/// What of a row's times differs from those of the same requests, or cannot come of fewer.
fn other_times(row: &Figures, before: &Figures) -> Option<String> {
    let is_later = row.requests > before.requests;
    // 0 stands for none.
    let least = |row: &Figures| row.min.filter(|ms| *ms > 0.0);
    let pairs = [
        (
            "shortest",
            least(row),
            least(before),
            f64::le as fn(&f64, &f64) -> bool,
        ),
        ("longest", row.max, before.max, f64::ge),
        ("average", row.average, before.average, |_, _| true),
        ("median", row.median, before.median, |_, _| true),
    ];
    pairs
        .into_iter()
        .find_map(|(name, said, before, may_move)| {
            let (said, before) = (said?, before?);
            let fits = is_same(said, before) || (is_later && may_move(&said, &before));
            let human = |ms: f64| Unit::Time.human(ms);
            (!fits).then(|| format!("{name} {} to {}", human(said), human(before)))
        })
}

/// The duration by the statistics' rates against that of the history.
fn span(history: &History, stats: &Stats, findings: &mut Findings) {
    let course = &history.course;
    let (Some(seconds), Some(first), Some(growth), Some(last)) = (
        duration_s(stats),
        course.first_row,
        course.first_growth,
        course.last_growth,
    ) else {
        return;
    };
    let ends = history.last.get(&None).map(|last| last.requests) == Some(stats.requests());
    if course.resets > 0 || !ends {
        return;
    }
    let slack = SLACK_S + course.gap_s.unwrap_or(1) as f64;
    let begin = course.first_busy.unwrap_or(first);
    let (at_least, at_most) = (
        (last - growth) as f64 - slack,
        (last - begin) as f64 + slack,
    );
    if !(at_least..=at_most).contains(&seconds) {
        let human = |s: f64| Unit::Time.human(s * 1e3);
        let because = format!(
            "by the rates of {} the run took {}, by the rows of {} {}",
            stats.file,
            human(seconds),
            history.file,
            human((last - begin) as f64)
        );
        findings.doubt(Place::Run, &[Concern::Course], because);
    }
}
