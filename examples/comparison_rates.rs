//! How often a comparison finds a regression where there is none, and where there is one.
//!
//! `cargo run --release --example comparison_rates FOLDER [DRAWS]`: FOLDER holds runs of one load test, each a file
//! `NAME.raw.csv` with a header and rows `start_s,name,rt_ms,ok`, and beside it Locust's `NAME_stats.csv` and
//! `NAME_stats_history.csv`. Names beginning with A are runs of identical code; B10 and B20 do 10 % and 20 % more work.
//! DRAWS random groups per row, 1000 unless given. Everything goes through [`comparison::compare`], as in the program.
//! Seeded: prints the same table everywhere.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use loadgate::baseline;
use loadgate::comparison::random::Draws;
use loadgate::comparison::rule::Word;
use loadgate::comparison::{Comparison, Sample, Terms, compare};
use loadgate::input::Options;
use loadgate::metric::Metric;
use loadgate::summary::{About, Summary};
use loadgate::tally::{Endpoint, ErrorKey, Request, Tally};

/// Left out of every request log: users are still starting.
const WARM_UP_S: f64 = 3.0;

/// Runs of one kind of code, by their names' first letters.
type Groups = BTreeMap<String, Vec<Sample>>;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("name the folder of the runs")?;
    let draws: u32 = arguments.next().map_or(Ok(1000), |n| n.parse())?;
    let defaults = Terms::default();
    println!(
        "Verdicts `regressed` (`suspect` in brackets): share of the figures of each endpoint, and of whole comparisons."
    );
    let requests = from_requests(Path::new(&folder), &defaults)?;
    table("Requests", &requests, &defaults, draws);
    table(
        "Locust's tables alone",
        &from_tables(Path::new(&folder), &defaults)?,
        &defaults,
        draws,
    );
    Ok(())
}

/// File names of the folder with this ending, without it, in order.
fn names(folder: &Path, ending: &str) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(ending).map(ToOwned::to_owned));
    }
    names.sort();
    Ok(names)
}

fn group_of(name: &str) -> String {
    name.split_once('_')
        .map_or_else(|| name[..1].to_owned(), |(group, _)| group.to_owned())
}

fn from_requests(folder: &Path, terms: &Terms) -> anyhow::Result<Groups> {
    let mut groups = Groups::new();
    for name in names(folder, ".raw.csv")? {
        let tally = read(&folder.join(format!("{name}.raw.csv")))?;
        let summary = Summary::new(tally, About::default());
        let group = groups.entry(group_of(&name)).or_default();
        group.push(Sample::of(&summary, terms));
    }
    Ok(groups)
}

fn read(path: &Path) -> anyhow::Result<Tally> {
    let text = std::fs::read_to_string(path)?;
    let row = |line: &str| -> Option<(f64, Endpoint, f64, bool)> {
        let mut cells = line.split(',');
        let start = cells.next()?.parse().ok()?;
        let name = cells.next()?.to_owned();
        let ms = cells.next()?.parse().ok()?;
        let method = String::new();
        Some((start, Endpoint { name, method }, ms, cells.next()? == "1"))
    };
    let rows: Vec<_> = text.lines().skip(1).filter_map(row).collect();
    anyhow::ensure!(!rows.is_empty(), "{} holds no rows", path.display());
    let first = rows.iter().map(|r| r.0).fold(f64::INFINITY, f64::min);
    let mut tally = Tally::default();
    let failed = ErrorKey::new(None, "failed");
    for (start, endpoint, ms, ok) in rows {
        if start >= first + WARM_UP_S {
            let request = Request {
                start_ms: Some((start * 1e3) as i64),
                response_time_us: (ms * 1e3).round() as u64,
                failure: (!ok).then_some(&failed),
                ..Request::default()
            };
            tally.add(endpoint, &request);
        }
    }
    Ok(tally)
}

fn from_tables(folder: &Path, terms: &Terms) -> anyhow::Result<Groups> {
    let mut groups = Groups::new();
    for name in names(folder, "_stats.csv")? {
        let path = folder.join(&name).display().to_string();
        let samples = baseline::load(&path, &Options::default(), terms)
            .map_err(|problems| anyhow::anyhow!("{}", problems[0].short()))?;
        groups.entry(group_of(&name)).or_default().extend(samples);
    }
    Ok(groups)
}

/// Figures with a given word, of all figures of that metric at endpoints, and comparisons with any at all.
#[derive(Default)]
struct Rates {
    figures: BTreeMap<String, (u32, u32, u32)>,
    any_regressed: u32,
    any_suspect: u32,
}

fn table(title: &str, groups: &Groups, terms: &Terms, draws: u32) {
    println!("\n{title}\n");
    println!("| baseline v current | p50 | mean | p95 | any figure |\n|---|---|---|---|---|");
    let Some(baseline) = groups.get("A") else {
        return;
    };
    for (name, current) in groups {
        for (k_baseline, k_current) in [(1, 1), (3, 1), (5, 1), (10, 1), (3, 3), (5, 5)] {
            let mut random =
                Draws::new(u64::from(draws) + k_baseline as u64 * 7 + k_current as u64);
            let mut rates = Rates::default();
            for _ in 0..draws {
                let (before, now) = if name == "A" {
                    let mut both = pick(baseline, k_baseline + k_current, &mut random);
                    let now = both.split_off(k_baseline);
                    (both, now)
                } else {
                    (
                        pick(baseline, k_baseline, &mut random),
                        pick(current, k_current, &mut random),
                    )
                };
                count(&mut rates, &compare(&before, &now, terms));
            }
            print(
                &format!("A v {name}, {k_baseline} v {k_current}"),
                &rates,
                draws,
            );
        }
    }
}

/// So many different runs.
fn pick(runs: &[Sample], k: usize, random: &mut Draws) -> Vec<Sample> {
    let mut left: Vec<&Sample> = runs.iter().collect();
    (0..k)
        .map(|_| {
            left.remove(random.below(left.len() as u64) as usize)
                .clone()
        })
        .collect()
}

fn count(rates: &mut Rates, comparison: &Comparison) {
    let mut any = (false, false);
    for endpoint in &comparison.endpoints {
        for row in &endpoint.rows {
            let word = row.judgement.word;
            any.0 |= word == Word::Regressed;
            any.1 |= word == Word::Suspect;
            if endpoint.endpoint.is_some() {
                let entry = rates.figures.entry(row.metric.to_string()).or_default();
                entry.0 += u32::from(word == Word::Regressed);
                entry.1 += u32::from(word == Word::Suspect);
                entry.2 += 1;
            }
        }
    }
    rates.any_regressed += u32::from(any.0);
    rates.any_suspect += u32::from(any.1);
}

fn print(title: &str, rates: &Rates, draws: u32) {
    let cell = |regressed: u32, suspect: u32, of: u32| {
        let percent = |n: u32| f64::from(n) * 100.0 / f64::from(of.max(1));
        format!("{:.1} % ({:.1})", percent(regressed), percent(suspect))
    };
    let metrics = [Metric::Quantile(0.5), Metric::Mean, Metric::Quantile(0.95)];
    let cells: Vec<String> = metrics
        .iter()
        .map(|metric| {
            let counts = rates.figures.get(&metric.to_string());
            counts.map_or_else(String::new, |(r, s, n)| cell(*r, *s, *n))
        })
        .collect();
    let any = cell(rates.any_regressed, rates.any_suspect, draws);
    println!("| {title} | {} | {any} |", cells.join(" | "));
}
