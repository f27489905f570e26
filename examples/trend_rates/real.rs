//! Histories made of real runs of unchanged code: a folder of `NAME.raw.csv`, rows `start_s,name,rt_ms,ok`; those whose
//! name begins with A are unchanged. Runs are drawn into a history in random order, each once as long as there are enough.
//! A slowdown is a factor on every response time of an endpoint.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use loadgate::analysis::Analysis;
use loadgate::diagnostic::Origin;
use loadgate::history::entry::{Entry, Provenance};
use loadgate::history::store::{History, RecordedRun};
use loadgate::outcome::Outcome;
use loadgate::summary::{About, Summary};
use loadgate::tally::{Endpoint, ErrorKey, Request, Tally};
use loadgate::trend::collect::Selection;
use loadgate::trend::{Settings, Trend, follow};

use super::Draws;

/// Left out of every run: users are still starting.
const WARM_UP_S: f64 = 3.0;
/// Runs after the step that are looked at.
const AFTER: usize = 8;

struct Row {
    start_s: f64,
    name: String,
    ms: f64,
    ok: bool,
}

/// The runs of a folder, and each with a slowdown, made when it is first needed.
struct Runs {
    rows: Vec<Vec<Row>>,
    made: BTreeMap<(usize, String, u64), Entry>,
    endpoints: Vec<String>,
}

impl Runs {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with('A') && name.ends_with(".raw.csv"))
            .collect();
        names.sort();
        anyhow::ensure!(!names.is_empty(), "{} holds no run A*", folder.display());
        let mut rows = Vec::new();
        for name in names {
            rows.push(read(&folder.join(name))?);
        }
        let mut endpoints: Vec<String> = rows[0].iter().map(|row| row.name.clone()).collect();
        endpoints.sort();
        endpoints.dedup();
        Ok(Self {
            rows,
            made: BTreeMap::new(),
            endpoints,
        })
    }

    /// The run `i`, slower by `factor` at an endpoint, or at all of them (no name).
    fn entry(&mut self, i: usize, endpoint: &str, factor: f64) -> Entry {
        let rows = &self.rows[i];
        let key = (i, endpoint.to_owned(), factor.to_bits());
        let make = || {
            let mut tally = Tally::default();
            let failed = ErrorKey::new(None, "failed");
            for row in rows {
                let factor = if endpoint.is_empty() || endpoint == row.name {
                    factor
                } else {
                    1.0
                };
                let request = Request {
                    start_ms: Some((row.start_s * 1e3) as i64),
                    response_time_us: (factor * row.ms * 1e3).round() as u64,
                    failure: (!row.ok).then_some(&failed),
                    ..Request::default()
                };
                let endpoint = Endpoint {
                    name: row.name.clone(),
                    method: String::new(),
                };
                tally.add(endpoint, &request);
            }
            let analysis = Analysis {
                summary: Summary::new(tally, About::default()),
                comparison: None,
                verdicts: Vec::new(),
                quotas: Vec::new(),
                outcome: Outcome::new(&[], false),
                trend: None,
            };
            Entry::new(&analysis, &[], Provenance::default())
        };
        self.made.entry(key).or_insert_with(make).clone()
    }

    /// Which runs make a history: a random order, anew as often as is needed.
    fn order(&self, runs: usize, draws: &mut Draws) -> Vec<usize> {
        let mut all = Vec::new();
        while all.len() < runs {
            let mut order: Vec<usize> = (0..self.rows.len()).collect();
            for last in (1..order.len()).rev() {
                order.swap(last, (draws.uniform() * (last + 1) as f64) as usize);
            }
            all.extend(order);
        }
        all.truncate(runs);
        all
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    let text = std::fs::read_to_string(path)?;
    let row = |line: &str| -> Option<Row> {
        let mut cells = line.split(',');
        Some(Row {
            start_s: cells.next()?.parse().ok()?,
            name: cells.next()?.to_owned(),
            ms: cells.next()?.parse().ok()?,
            ok: cells.next()? == "1",
        })
    };
    let mut rows: Vec<Row> = text.lines().skip(1).filter_map(row).collect();
    let first = rows
        .iter()
        .map(|row| row.start_s)
        .fold(f64::INFINITY, f64::min);
    rows.retain(|row| row.start_s >= first + WARM_UP_S);
    anyhow::ensure!(!rows.is_empty(), "{} holds no rows", path.display());
    Ok(rows)
}

/// A history of these runs, a day apart.
fn history(entries: Vec<Entry>) -> History {
    let run = |(i, entry): (usize, Entry)| RecordedRun {
        entry: Entry {
            id: format!("{i:016x}"),
            label: format!("run-{i}"),
            started_ms: Some(i as i64 * 86_400_000),
            ..entry
        },
        origin: Origin::line("history.jsonl", i as u64 + 1),
    };
    History {
        runs: entries.into_iter().enumerate().map(run).collect(),
        ..History::default()
    }
}

fn judge(entries: &[Entry]) -> anyhow::Result<Trend> {
    follow(
        &history(entries.to_vec()),
        &Selection::default(),
        &Settings::default(),
    )
}

fn percent(count: u64, of: u64) -> f64 {
    100.0 * count as f64 / of.max(1) as f64
}

/// Prints the tables for a folder.
pub fn tables(folder: &Path, count: u64) -> anyhow::Result<()> {
    let mut runs = Runs::read(folder)?;
    println!(
        "\n{}: {} runs of unchanged code, {count} histories per row\n",
        folder.file_name().unwrap_or_default().display(),
        runs.rows.len()
    );
    println!("| unchanged, runs | suspect (exit 0) | exit 1 | exit 3 |");
    println!("|---|---|---|---|");
    for length in [8, 12, 20, 40] {
        unchanged(&mut runs, length, count)?;
    }
    println!(
        "\n| a step after 12 runs | at its first run suspect or red | red at its second | at its third | goes out while it lasts | another endpoint named |"
    );
    println!("|---|---|---|---|---|---|");
    let endpoints = runs.endpoints.clone();
    for endpoint in &endpoints {
        step(&mut runs, endpoint, 1.2, None, count)?;
    }
    step(&mut runs, "", 1.25, None, count)?;
    step(&mut runs, "", 1.25, Some(2.0), count)
}

fn unchanged(runs: &mut Runs, length: usize, count: u64) -> anyhow::Result<()> {
    let (mut suspect, mut red, mut undecided) = (0, 0, 0);
    for seed in 0..count {
        let mut draws = Draws::new(7 * seed + length as u64);
        let order = runs.order(length, &mut draws);
        let entries: Vec<Entry> = order.iter().map(|i| runs.entry(*i, "", 1.0)).collect();
        let trend = judge(&entries)?;
        let outcome = &trend.outcome;
        suspect += u64::from(outcome.suspect > 0);
        red += u64::from(outcome.exit_code == 1);
        undecided += u64::from(outcome.exit_code == 3);
    }
    let [suspect, red, undecided] = [suspect, red, undecided].map(|n| percent(n, count));
    println!("| {length} | {suspect:.1} % | {red:.1} % | {undecided:.1} % |");
    Ok(())
}

/// A step of an endpoint, or of all; `outlier` is the factor of one run somewhere before.
fn step(
    runs: &mut Runs,
    endpoint: &str,
    factor: f64,
    outlier: Option<f64>,
    count: u64,
) -> anyhow::Result<()> {
    const BEFORE: usize = 12;
    let (mut seen, mut second, mut third, mut out, mut other) = (0, 0, 0, 0, 0);
    for seed in 0..count {
        let mut draws = Draws::new(13 * seed + 5);
        let order = runs.order(BEFORE + AFTER, &mut draws);
        let bad = (draws.uniform() * BEFORE as f64) as usize;
        let entries: Vec<Entry> = order
            .iter()
            .enumerate()
            .map(|(place, i)| match outlier {
                Some(outlier) if place == bad => runs.entry(*i, "", outlier),
                _ if place >= BEFORE => runs.entry(*i, endpoint, factor),
                _ => runs.entry(*i, "", 1.0),
            })
            .collect();
        let mut was_red = false;
        let (mut went_out, mut wrong) = (false, false);
        for after in 1..=AFTER {
            let trend = judge(&entries[..BEFORE + after])?;
            let red = trend.outcome.exit_code == 1;
            seen += u64::from(after == 1 && (red || trend.outcome.suspect > 0));
            second += u64::from(after == 2 && red);
            third += u64::from(after == 3 && red);
            went_out |= was_red && !red;
            was_red |= red;
            let changes = trend.groups.iter().flat_map(|group| &group.changes);
            wrong |= !endpoint.is_empty()
                && changes
                    .filter(|c| c.fails() && c.follows.is_none())
                    .any(|c| c.endpoint.as_ref().is_some_and(|e| e.name != endpoint));
        }
        out += u64::from(went_out);
        other += u64::from(wrong);
    }
    let [seen, second, third, out, other] =
        [seen, second, third, out, other].map(|n| percent(n, count));
    let what = if endpoint.is_empty() {
        "everything"
    } else {
        endpoint
    };
    let before = outlier.map_or_else(String::new, |by| {
        format!(", one run before {by} times as slow")
    });
    let by = 100.0 * (factor - 1.0);
    println!(
        "| {what} +{by:.0} %{before} | {seen:.1} % | {second:.1} % | {third:.1} % | {out:.1} % | {other:.1} % |"
    );
    Ok(())
}
