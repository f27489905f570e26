//! The statistics table against the JSON: the JSON is complete, and the table lacks at most the last seconds.

use std::collections::BTreeMap;

use super::rows::index;
use super::{COUNTED, Findings, Left, Pair, Place, by_name, comparable, is_same};
use crate::input::locust::figures::Figures;
use crate::input::locust::json::Counted;
use crate::input::locust::text::thousands;
use crate::metric::measure::locust_half_step;
use crate::tally::{Concern, Endpoint, EndpointTally};
use crate::units::{Unit, quantile_name};

/// Seconds by which a table may lag behind the JSON: a turn of one second takes up to five under load.
pub const LAG_S: i64 = 6;
/// Most endpoints a sentence names.
const NAMED: usize = 3;

/// What the JSON counts in the seconds that a table may lack, by endpoint.
pub fn tail(left: &Left) -> BTreeMap<Endpoint, Pair> {
    let gaps = left
        .histories
        .iter()
        .filter_map(|history| history.course.gap_s);
    counted_since(left.json, LAG_S.max(gaps.max().unwrap_or(0) + 2))
}

/// What the JSON counts in its last seconds.
pub fn counted_since(json: &[Counted], seconds: i64) -> BTreeMap<Endpoint, Pair> {
    let last = json
        .iter()
        .filter_map(|e| e.tally.seconds.requests.last())
        .max();
    let Some(last) = last else {
        return BTreeMap::new();
    };
    let since = last - seconds + 1;
    let rows = json.iter().map(|e| {
        let of =
            |counts: &crate::tally::Counts| counts.range(since, i64::MAX).map(|(_, n)| n).sum();
        let pair = Pair {
            requests: of(&e.tally.seconds.requests),
            failures: of(&e.tally.seconds.failures),
        };
        (&e.endpoint, pair)
    });
    by_name(rows)
        .into_iter()
        .map(|(name, (_, pair))| (name, pair))
        .collect()
}

/// Checks every endpoint's counts, and where one table and one JSON are left, its times.
pub fn check(left: &Left, findings: &mut Findings) {
    let (Some(stats), Some(first)) = (left.stats.first(), left.json.first()) else {
        return;
    };
    let rows = left.stats.iter().flat_map(|stats| &stats.rows);
    let table = by_name(rows.map(|(key, row)| (key, Pair::from(row))));
    let json = by_name(
        left.json
            .iter()
            .map(|e| (&e.endpoint, Pair::from(&e.tally))),
    );
    let tail = tail(left);
    let names: std::collections::BTreeSet<&Endpoint> = table.keys().chain(json.keys()).collect();
    let mut wrong = Vec::new();
    for name in names {
        let of = |rows: &BTreeMap<Endpoint, (&Endpoint, Pair)>| {
            rows.get(name).map_or_else(Pair::default, |(_, pair)| *pair)
        };
        let (said, full) = (of(&table), of(&json));
        let late = tail.get(name).copied().unwrap_or_default();
        let fits = |said: u64, full: u64, late: u64| {
            said <= full && (left.is_partial || full - said <= late)
        };
        if !(fits(said.requests, full.requests, late.requests)
            && fits(said.failures, full.failures, late.failures))
        {
            let key = json.get(name).or(table.get(name)).map(|(key, _)| *key);
            let key = key.map(ToString::to_string).unwrap_or_default();
            wrong.push(format!(
                "`{key}` {} with {} failed to {} with {}",
                thousands(said.requests),
                thousands(said.failures),
                thousands(full.requests),
                thousands(full.failures)
            ));
        }
    }
    let (csv, json_file) = (&stats.file, &first.file);
    if !wrong.is_empty() {
        let count = wrong.len();
        wrong.truncate(NAMED);
        let and = if count > NAMED { ", …" } else { "" };
        let because = format!(
            "{csv} and {json_file} count different requests, more than the last seconds of one run: {}{and}",
            wrong.join(", ")
        );
        findings.doubt(Place::Run, &COUNTED, because);
        return;
    }
    let entries: BTreeMap<Endpoint, &Counted> = left
        .json
        .iter()
        .map(|e| (comparable(&e.endpoint), e))
        .collect();
    if left.stats.len() > 1 || entries.len() < left.json.len() || table.len() < stats.rows.len() {
        return;
    }
    let mut keys = Vec::new();
    let mut example = None;
    for (key, row) in &stats.rows {
        if let Some(entry) = entries.get(&comparable(key))
            && let Some(detail) = other_times(row, &entry.tally)
        {
            example.get_or_insert_with(|| format!("`{}`: {detail}", entry.endpoint));
            keys.push(entry.endpoint.clone());
        }
    }
    if let Some(example) = example {
        let because =
            format!("{csv} and {json_file} give different response times, such as {example}");
        findings.doubt(Place::Endpoints(keys), &[Concern::Times], because);
    }
}

/// What of a row's times cannot be of the first requests of an entry.
fn other_times(row: &Figures, full: &EndpointTally) -> Option<String> {
    if row.requests == 0 || row.is_untimed() {
        return None;
    }
    let ms = |us: Option<f64>| us.map(|us| us / 1e3);
    let later = full.requests - row.requests.min(full.requests);
    let mean = full.sum_us().map(|us| us / full.timed() as f64);
    let exact = [
        (
            "shortest",
            row.min,
            ms(full.min_us),
            f64::ge as fn(&f64, &f64) -> bool,
        ),
        ("longest", row.max, ms(full.max_us), f64::le),
        // What came later moves the average either way.
        ("average", row.average, ms(mean), |_, _| true),
    ];
    let human = |ms: f64| Unit::Time.human(ms);
    for (name, said, known, may_move) in exact {
        let (Some(said), Some(known)) = (said, known) else {
            continue;
        };
        if !(is_same(said, known) || (later > 0 && may_move(&said, &known))) {
            return Some(format!("{name} {} to {}", human(said), human(known)));
        }
    }
    if full.untimed > 0 {
        return None;
    }
    let n = row.requests;
    for (q, said) in &row.quantiles {
        // Of the row's requests the one of this index; those that came later may have put others before it.
        let index = index(n, *q);
        let at = |rank| {
            let us = full.response_times.at_ranks(&[rank]);
            us.first().map(|us| *us as f64 / 1e3)
        };
        let (low, high) = (at(index)?, at(index + later)?);
        // Keys of the histogram may be finer than what Locust rounds to.
        let half = locust_half_step(*said);
        if !(low - half..=high + half).contains(said) {
            return Some(format!(
                "{} {} to {}",
                quantile_name(*q),
                human(*said),
                human(low)
            ));
        }
    }
    None
}
