//! How often a comparison, a gate with a baseline and `[regression]` are wrong, and how much they find.
//!
//! `cargo run --release --example comparison_rates FOLDER [DRAWS]`: FOLDER holds runs of one load test of identical code,
//! each a file `A….raw.csv` with a header and rows `start_s,name,rt_ms,ok`, and beside it, if at hand, Locust's
//! `A…_stats.csv` and `A…_stats_history.csv`. DRAWS random groups per row, 1000 unless given. A slowdown is put into a run
//! by multiplying the response times of an endpoint's requests. Everything goes through [`compare`], the gate file and the
//! judges, as in the program. Seeded: prints the same table everywhere.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use anyhow::Context as _;
use loadgate::baseline;
use loadgate::comparison::random::Draws;
use loadgate::comparison::rule::Word;
use loadgate::comparison::{Comparison, Sample, Terms, compare};
use loadgate::config::{self, Config};
use loadgate::gate;
use loadgate::input::Options;
use loadgate::metric::Metric;
use loadgate::outcome::Outcome;
use loadgate::summary::{About, Summary};
use loadgate::tally::{Endpoint, ErrorKey, Request, Tally};

/// Left out of every request log: users are still starting.
const WARM_UP_S: f64 = 3.0;
/// A plain gate with a baseline.
const GATE: &str = "[[gate]]\nid = \"p95\"\nrequire = \"p95 <= baseline + 20%\"\non = \"*\"\n";
/// `[regression]` as the manual prints it.
const REGRESSION: &str = "[regression]\nmetrics = [\"mean\", \"p95\", \"failure_ratio\"]\nmargin = \"10%\"\n\
    floor = \"5ms\"\non = \"*\"\non-suspect = \"warn\"\non-inconclusive = \"warn\"\n";

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("name the folder of the runs")?;
    let draws: u32 = arguments.next().map_or(Ok(1000), |n| n.parse())?;
    let mut pool = Pool::read(Path::new(&folder))?;
    let endpoints = pool.endpoints();
    println!(
        "{} runs of unchanged code, {draws} draws a row\n",
        pool.runs.len()
    );
    println!("| row | baseline v current | share |\n|---|---|---:|");
    unchanged(&mut pool, draws);
    gates(&mut pool, &endpoints, draws)?;
    slower(&mut pool, &endpoints, draws);
    detectable(&mut pool, &endpoints, draws);
    let tables = from_tables(Path::new(&folder))?;
    for (before, now) in [(3, 3), (5, 5)] {
        if tables.len() >= before + now {
            let mut random = random(before, now);
            let wrong = (0..draws).filter(|_| {
                let (b, c) = pick(tables.len(), before, now, &mut random);
                let of = |places: &[usize]| {
                    places
                        .iter()
                        .map(|i| tables[*i].clone())
                        .collect::<Vec<_>>()
                };
                has(
                    &compare(&of(&b), &of(&c), &Terms::default()),
                    Word::Regressed,
                )
            });
            row(
                "Locust's tables alone, unchanged: any `regressed`",
                (before, now),
                wrong.count(),
                draws,
            );
        }
    }
    Ok(())
}

fn row(what: &str, (before, now): (usize, usize), hits: usize, of: u32) {
    let share = hits as f64 * 100.0 / f64::from(of.max(1));
    println!("| {what} | {before} v {now} | {share:.1} % |");
}

fn random(before: usize, now: usize) -> Draws {
    Draws::new((before * 100 + now) as u64)
}

/// One request: start in seconds, endpoint, response time in ms, whether it succeeded.
type Row = (f64, String, f64, bool);

/// Where a slowdown is put, and how large it is.
#[derive(Clone, Copy)]
struct Slower<'a> {
    /// An endpoint; `*` for all.
    on: &'a str,
    factor: f64,
}

const NOT: Slower<'_> = Slower {
    on: "",
    factor: 1.0,
};

/// The runs, and what was made of them.
struct Pool {
    runs: Vec<Vec<Row>>,
    made: BTreeMap<(usize, String, u64), Rc<(Summary, Sample)>>,
}

impl Pool {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let names = names(folder, ".raw.csv")?;
        let runs = names
            .iter()
            .map(|name| rows(&folder.join(format!("{name}.raw.csv"))));
        Ok(Self {
            runs: runs.collect::<anyhow::Result<_>>()?,
            made: BTreeMap::new(),
        })
    }

    fn endpoints(&self) -> Vec<String> {
        let names = self.runs.iter().flatten().map(|row| row.1.clone());
        names
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// A run with a slowdown in it.
    fn run(&mut self, at: usize, slower: Slower<'_>) -> Rc<(Summary, Sample)> {
        let key = (at, slower.on.to_owned(), slower.factor.to_bits());
        if let Some(known) = self.made.get(&key) {
            return Rc::clone(known);
        }
        let mut tally = Tally::default();
        let failed = ErrorKey::new(None, "failed");
        for (start, name, ms, ok) in &self.runs[at] {
            let is_slower = slower.on == "*" || slower.on == name;
            let factor = if is_slower { slower.factor } else { 1.0 };
            let request = Request {
                start_ms: Some((start * 1e3) as i64),
                response_time_us: (ms * 1e3 * factor).round() as u64,
                failure: (!ok).then_some(&failed),
                ..Request::default()
            };
            let endpoint = Endpoint {
                name: name.clone(),
                method: String::new(),
            };
            tally.add(endpoint, &request);
        }
        let summary = Summary::new(tally, About::default());
        let mut sample = Sample::of(&summary, &Terms::default());
        // Only charts look at them.
        for endpoint in sample.endpoints.values_mut().chain([&mut sample.total]) {
            endpoint.times.clear();
        }
        let made = Rc::new((summary, sample));
        // What is drawn again and again is kept, slowdowns of a size of their own are not.
        if [1.0, 1.2, 4.0].contains(&slower.factor) {
            self.made.insert(key, Rc::clone(&made));
        }
        made
    }

    fn samples(&mut self, places: &[usize], slower: Slower<'_>) -> Vec<Sample> {
        places
            .iter()
            .map(|at| self.run(*at, slower).1.clone())
            .collect()
    }
}

/// File names of the folder that begin with A and have this ending, without it, in order.
fn names(folder: &Path, ending: &str) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let name = name
            .strip_suffix(ending)
            .filter(|name| name.starts_with('A'));
        names.extend(name.map(ToOwned::to_owned));
    }
    names.sort();
    Ok(names)
}

fn rows(path: &Path) -> anyhow::Result<Vec<Row>> {
    let text = std::fs::read_to_string(path)?;
    let row = |line: &str| -> Option<Row> {
        let mut cells = line.split(',');
        let start = cells.next()?.parse().ok()?;
        let name = cells.next()?.to_owned();
        let ms = cells.next()?.parse().ok()?;
        Some((start, name, ms, cells.next()? == "1"))
    };
    let mut rows: Vec<Row> = text.lines().skip(1).filter_map(row).collect();
    anyhow::ensure!(!rows.is_empty(), "{} holds no rows", path.display());
    let first = rows.iter().map(|r| r.0).fold(f64::INFINITY, f64::min);
    rows.retain(|row| row.0 >= first + WARM_UP_S);
    Ok(rows)
}

fn from_tables(folder: &Path) -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for name in names(folder, "_stats.csv")? {
        let path = folder.join(&name).display().to_string();
        let loaded = baseline::load(&path, &Options::default(), &Terms::default())
            .map_err(|problems| anyhow::anyhow!("{}", problems[0].short()))?;
        samples.extend(loaded);
    }
    Ok(samples)
}

/// Different runs for either side.
fn pick(runs: usize, before: usize, now: usize, random: &mut Draws) -> (Vec<usize>, Vec<usize>) {
    let mut left: Vec<usize> = (0..runs).collect();
    let mut drawn: Vec<usize> = (0..before + now)
        .map(|_| left.remove(random.below(left.len() as u64) as usize))
        .collect();
    let now = drawn.split_off(before);
    (drawn, now)
}

fn has(comparison: &Comparison, word: Word) -> bool {
    let mut rows = comparison.endpoints.iter().flat_map(|e| &e.rows);
    rows.any(|row| row.judgement.word == word)
}

/// Draws groups, and counts those of which `found` holds.
fn count(
    pool: &mut Pool,
    (before, now): (usize, usize),
    slower: Slower<'_>,
    draws: u32,
    found: impl Fn(&Comparison, &Summary) -> bool,
    terms: &Terms,
) -> usize {
    let mut random = random(before, now);
    (0..draws)
        .filter(|_| {
            let (b, c) = pick(pool.runs.len(), before, now, &mut random);
            let comparison = compare(&pool.samples(&b, NOT), &pool.samples(&c, slower), terms);
            found(&comparison, &pool.run(c[0], slower).0)
        })
        .count()
}

fn unchanged(pool: &mut Pool, draws: u32) {
    let terms = Terms::default();
    for size in [(3, 3), (5, 5)] {
        for (what, word) in [("regressed", Word::Regressed), ("improved", Word::Improved)] {
            let wrong = count(pool, size, NOT, draws, |c, _| has(c, word), &terms);
            row(&format!("unchanged: any `{what}`"), size, wrong, draws);
        }
    }
    for size in [(1, 1), (8, 1)] {
        let wrong = count(pool, size, NOT, draws, |c, _| has(c, Word::Suspect), &terms);
        row("unchanged: any `suspect`", size, wrong, draws);
    }
}

/// The exit code of a gate file.
fn exit_code(config: &Config, comparison: &Comparison, summary: &Summary) -> u8 {
    let policy = config.regression.as_ref().map(|r| r.policy);
    let terms = gate::Terms {
        comparison: Some(comparison),
        policy: policy.unwrap_or_default(),
        ..gate::Terms::default()
    };
    let mut verdicts = gate::judge(summary, &config.gates, &terms);
    if let Some(rule) = &config.regression {
        verdicts.extend(gate::regression::judge(summary, rule, &terms));
    }
    Outcome::new(&verdicts, false).exit_code
}

fn gates(pool: &mut Pool, endpoints: &[String], draws: u32) -> anyhow::Result<()> {
    let parsed = |text: &str| {
        config::parse(text, "loadgate.toml").map_err(|p| anyhow::anyhow!("{}", p[0].short()))
    };
    let gate = parsed(GATE)?;
    let exits = |code: u8, config: &Config| {
        let config = config.clone();
        move |c: &Comparison, s: &Summary| exit_code(&config, c, s) == code
    };
    let terms = Terms::default();
    let name = "`p95 <= baseline + 20%` on every endpoint";
    let fails = count(pool, (1, 1), NOT, draws, exits(1, &gate), &terms);
    row(&format!("{name}, unchanged: fails"), (1, 1), fails, draws);
    for on in endpoints {
        let slower = Slower { on, factor: 4.0 };
        let fails = count(pool, (1, 1), slower, draws, exits(1, &gate), &terms);
        row(
            &format!("{name}, {on} 4 times slower: fails"),
            (1, 1),
            fails,
            draws,
        );
    }
    let regression = parsed(REGRESSION)?;
    let terms = Terms {
        margin: Some(0.10),
        floor_ms: Some(5.0),
        ..Terms::default()
    };
    for size in [(8, 1), (5, 5)] {
        let passes = count(pool, size, NOT, draws, exits(0, &regression), &terms);
        row(
            "`[regression]` of the manual, unchanged: exit 0",
            size,
            passes,
            draws,
        );
    }
    Ok(())
}

fn slower(pool: &mut Pool, endpoints: &[String], draws: u32) {
    let terms = Terms::default();
    for size in [(3, 3), (5, 5)] {
        for on in endpoints.iter().map(String::as_str).chain(["*"]) {
            let slower = Slower { on, factor: 1.2 };
            let is_there = |c: &Comparison, _: &Summary| {
                let at = c
                    .endpoints
                    .iter()
                    .filter(|e| on == "*" || e.endpoint.as_ref().is_some_and(|key| key.name == on));
                at.flat_map(|e| &e.rows)
                    .any(|r| r.judgement.word == Word::Regressed)
            };
            let found = count(pool, size, slower, draws, is_there, &terms);
            let on = if on == "*" { "every endpoint" } else { on };
            row(&format!("+20 % on {on}: found"), size, found, draws);
        }
    }
}

/// Puts the change that is said to be seen 4 times in 5 into the same runs, and looks whether it is.
fn detectable(pool: &mut Pool, endpoints: &[String], draws: u32) {
    let metrics = [Metric::Quantile(0.5), Metric::Mean, Metric::Quantile(0.95)];
    let terms = Terms::default();
    for (before, now) in [(3, 3), (5, 5)] {
        let mut random = random(before, now);
        let (mut seen, mut asked) = (0, 0);
        for _ in 0..draws {
            let (b, c) = pick(pool.runs.len(), before, now, &mut random);
            let on = &endpoints[random.below(endpoints.len() as u64) as usize];
            let metric = &metrics[random.below(metrics.len() as u64) as usize];
            let key = Endpoint {
                name: on.clone(),
                method: String::new(),
            };
            let baseline = pool.samples(&b, NOT);
            let comparison = compare(&baseline, &pool.samples(&c, NOT), &terms);
            let row = |comparison: &Comparison| {
                comparison
                    .of(Some(&key))
                    .and_then(|e| e.row(metric).cloned())
            };
            let Some(least) = row(&comparison).and_then(|r| r.detectable) else {
                continue;
            };
            let slower = Slower {
                on,
                factor: 1.0 + least,
            };
            asked += 1;
            let changed = row(&compare(&baseline, &pool.samples(&c, slower), &terms));
            seen += usize::from(changed.is_some_and(|r| r.judgement.word == Word::Regressed));
        }
        row(
            "the change that would be seen 4 times in 5: seen",
            (before, now),
            seen,
            asked,
        );
    }
}
