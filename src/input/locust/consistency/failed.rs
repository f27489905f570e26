//! The failures table against the failure counts.

use std::collections::BTreeMap;

use super::json_and_table::tail;
use super::{COUNTED, Findings, Left, Pair, Place, by_name};
use crate::input::locust::text::{plural, thousands};
use crate::tally::{Concern, Endpoint};

/// Most endpoints a sentence names.
const NAMED: usize = 3;

/// Who counted the failures, and how many more it may have than the failures table.
struct Counts<'t> {
    file: String,
    failures: BTreeMap<Endpoint, (&'t Endpoint, Pair)>,
    later: BTreeMap<Endpoint, u64>,
}

/// Checks every endpoint's failures, and those of endpoints that no table counts.
pub fn check(left: &Left, findings: &mut Findings) {
    let Some(counts) = counts(left) else { return };
    let rows = left.failures.iter().flat_map(|table| &table.rows);
    let listed = by_name(rows.map(|row| {
        let pair = Pair {
            requests: 0,
            failures: row.count,
        };
        (&row.endpoint, pair)
    }));
    let none = Pair::default();
    let mut wrong = Vec::new();
    let mut keys = Vec::new();
    let (mut all_listed, mut all_counted) = (0, 0);
    // A table that was cut short lists fewer, and those endpoints rightly that it lists to their end.
    let (mut lists_more, mut lists_rightly) = (false, false);
    let names: std::collections::BTreeSet<&Endpoint> =
        listed.keys().chain(counts.failures.keys()).collect();
    for name in names {
        let (told, counted) = (listed.get(name), counts.failures.get(name));
        let said = told.map_or(none, |(_, pair)| *pair).failures;
        let known = counted.map_or(none, |(_, pair)| *pair).failures;
        all_listed += said;
        all_counted += known;
        let later = counts.later.get(name).copied().unwrap_or(0);
        let is_sound = said <= known && (left.is_partial || known - said <= later);
        if is_sound {
            lists_rightly |= said > 0;
            continue;
        }
        lists_more |= said > known;
        let unknown = if counted.is_none() {
            ", which has no row"
        } else {
            ""
        };
        let Some((key, _)) = counted.or(told) else {
            continue;
        };
        wrong.push(format!(
            "`{key}` {} to {}{unknown}",
            thousands(said),
            thousands(known)
        ));
        keys.push((*key).clone());
    }
    if wrong.is_empty() {
        return;
    }
    let files: Vec<&str> = left
        .failures
        .iter()
        .map(|table| table.file.as_str())
        .collect();
    let count = wrong.len();
    wrong.truncate(NAMED);
    let and = if count > NAMED { ", …" } else { "" };
    let because = format!(
        "{} lists {}, {} counts {}; they differ in {}: {}{and}",
        files.join(" with "),
        plural(all_listed, "failure"),
        counts.file,
        thousands(all_counted),
        plural(count as u64, "endpoint"),
        wrong.join(", ")
    );
    if lists_more || (all_listed > 0 && !lists_rightly) {
        // Rows were exchanged, or one of the files is of another run.
        findings.doubt(Place::Run, &COUNTED, because);
    } else {
        findings.doubt(Place::Endpoints(keys), &[Concern::Failures], because);
    }
}

/// The failure counts that the table can be held against: those that were written with it, or those of the JSON.
fn counts<'t>(left: &Left<'t>) -> Option<Counts<'t>> {
    if left.failures.is_empty() {
        return None;
    }
    if let Some(first) = left.stats.first() {
        let rows = left.stats.iter().flat_map(|stats| &stats.rows);
        return Some(Counts {
            file: first.file.clone(),
            failures: by_name(rows.map(|(key, row)| (key, Pair::from(row)))),
            later: BTreeMap::new(),
        });
    }
    let first = left.json.first()?;
    let entries = left
        .json
        .iter()
        .map(|e| (&e.endpoint, Pair::from(&e.tally)));
    let later = tail(left);
    Some(Counts {
        file: first.file.clone(),
        failures: by_name(entries),
        later: later
            .into_iter()
            .map(|(key, pair)| (key, pair.failures))
            .collect(),
    })
}
