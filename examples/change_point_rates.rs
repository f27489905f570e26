//! How often changes are found where there are none, and how soon where there are.
//!
//! `cargo run --release --example change_point_rates [SERIES]`: SERIES simulated histories per row, 300 unless given.
//! Runs vary by 5 % from run to run unless the row says otherwise. Seeded: prints the same table everywhere.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::f64::consts::TAU;

use loadgate::history::{counts, drift, newest, otava, segment};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Standard deviation between runs, in logs.
const NOISE: f64 = 0.05;

struct Draws(Pcg64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    /// Student's t with three degrees of freedom, of variance one.
    fn heavy(&mut self) -> f64 {
        let chi_squared: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
        self.normal() / chi_squared.sqrt()
    }

    /// n correlated normals of variance one.
    fn correlated(&mut self, rho: f64, n: usize) -> Vec<f64> {
        let mut value = self.normal();
        (0..n)
            .map(|_| {
                value = rho * value + (1.0 - rho * rho).sqrt() * self.normal();
                value
            })
            .collect()
    }
}

/// Draws the logarithms of one history about zero, in deviations between runs.
type Draw = fn(&mut Draws, usize) -> Vec<f64>;

fn independent(draws: &mut Draws, n: usize) -> Vec<f64> {
    (0..n).map(|_| draws.normal()).collect()
}

fn spike_last(draws: &mut Draws, n: usize) -> Vec<f64> {
    let mut logs = independent(draws, n);
    logs[n - 1] += 1.5_f64.ln() / NOISE;
    logs
}

fn two_modes(draws: &mut Draws, n: usize) -> Vec<f64> {
    let apart = 1.2_f64.ln() / NOISE;
    let mut mode = || if draws.uniform() < 0.5 { apart } else { 0.0 };
    let modes: Vec<f64> = (0..n).map(|_| mode()).collect();
    modes.iter().map(|m| m + draws.normal()).collect()
}

/// A shifted exponential of variance one: a long tail upwards, as tails of response times have.
fn skewed(draws: &mut Draws, n: usize) -> Vec<f64> {
    (0..n).map(|_| -draws.uniform().ln() - 1.0).collect()
}

/// Normal, but every tenth run five times as far.
fn contaminated(draws: &mut Draws, n: usize) -> Vec<f64> {
    let mut one = || {
        let far = if draws.uniform() < 0.1 { 5.0 } else { 1.0 };
        far * draws.normal()
    };
    (0..n).map(|_| one()).collect()
}

fn heavy(draws: &mut Draws, n: usize) -> Vec<f64> {
    (0..n).map(|_| draws.heavy()).collect()
}

const UNCHANGED: [(&str, usize, Draw); 18] = [
    ("independent", 10, independent),
    ("independent", 30, independent),
    ("independent", 60, independent),
    ("independent", 100, independent),
    ("heavy tails (t, 3 df)", 30, heavy),
    ("heavy tails (t, 3 df)", 100, heavy),
    ("skewed (exponential)", 12, skewed),
    ("skewed (exponential)", 30, skewed),
    ("skewed (exponential)", 100, skewed),
    ("one run in ten 5 times as far", 30, contaminated),
    ("one run in ten 5 times as far", 100, contaminated),
    ("AR(1) 0.3", 30, |d, n| d.correlated(0.3, n)),
    ("AR(1) 0.6", 30, |d, n| d.correlated(0.6, n)),
    ("AR(1) 0.3", 60, |d, n| d.correlated(0.3, n)),
    ("AR(1) 0.6", 60, |d, n| d.correlated(0.6, n)),
    ("last run +50 %", 30, spike_last),
    ("two modes 20 % apart", 40, two_modes),
    ("AR(1) 0.6", 100, |d, n| d.correlated(0.6, n)),
];

/// Runs before the change.
const BEFORE: usize = 20;
/// The change, and the runs after it.
const CHANGED: [(f64, &[usize]); 2] = [(0.2, &[1, 2, 3, 5, 8, 12]), (0.1, &[3, 5, 8, 12])];

fn ours(series: &[f64], seed: u64) -> Vec<usize> {
    let options = segment::Options {
        seed,
        ..segment::Options::default()
    };
    let found = segment::segment(series, &options);
    found.map_or(Vec::new(), |found| {
        found.change_points.iter().map(|c| c.index).collect()
    })
}

fn otavas(series: &[f64]) -> Vec<usize> {
    let found = otava::detect(series, &otava::Parameters::default());
    found.iter().map(|c| c.index).collect()
}

/// Shares, in percent, of the histories for which our and Otava's change points satisfy `hit`.
fn shares(
    count: u64,
    draw: impl Fn(&mut Draws) -> Vec<f64>,
    hit: impl Fn(&[usize]) -> bool,
) -> (f64, f64) {
    let (mut by_us, mut by_otava) = (0, 0);
    for seed in 0..count {
        let logs = draw(&mut Draws(Pcg64::seed_from_u64(1_000_003 * (seed + 1))));
        let series: Vec<f64> = logs.iter().map(|z| 100.0 * (NOISE * z).exp()).collect();
        by_us += u32::from(hit(&ours(&series, seed)));
        by_otava += u32::from(hit(&otavas(&series)));
    }
    let percent = |n: u32| 100.0 * f64::from(n) / count as f64;
    (percent(by_us), percent(by_otava))
}

fn main() {
    let count = std::env::args().nth(1);
    let count = count.and_then(|n| n.parse().ok()).unwrap_or(300);
    println!("{count} histories per row");
    false_alarms(count);
    delays(count);
    failure_alarms(count);
    drifts(count);
    newest_runs(40 * count);
    newest_after_holding_out(10 * count);
    newest_of_young_levels(40 * count);
    newest_failures(10 * count);
}

fn false_alarms(count: u64) {
    println!("\n| change found, there is none | runs | loadgate | Otava |\n|---|---|---|---|");
    for (name, runs, draw) in UNCHANGED {
        let (ours, otavas) = shares(count, |draws| draw(draws, runs), |found| !found.is_empty());
        println!("| {name} | {runs} | {ours:.1} % | {otavas:.1} % |");
    }
}

fn delays(count: u64) {
    println!(
        "\n| change found within ±1 | runs after {BEFORE} | loadgate | Otava |\n|---|---|---|---|"
    );
    for (change, all_after) in CHANGED {
        for &after in all_after {
            let draw = |draws: &mut Draws| {
                let mut logs = independent(draws, BEFORE + after);
                for log in &mut logs[BEFORE..] {
                    *log += change.ln_1p() / NOISE;
                }
                logs
            };
            let near = |found: &[usize]| found.iter().any(|i| i.abs_diff(BEFORE) <= 1);
            let (ours, otavas) = shares(count, draw, near);
            let percent = 100.0 * change;
            println!("| +{percent:.0} % | {after} | {ours:.1} % | {otavas:.1} % |");
        }
    }
}

/// Failures that vary more than a binomial: the ratio of each run is `ratio` times a lognormal of deviation 0.5.
fn failures(draws: &mut Draws, ratio: f64) -> counts::Failures {
    let requests = 10_000_u64;
    let expected = requests as f64 * ratio * (0.5 * draws.normal()).exp();
    let failures = (expected + expected.sqrt() * draws.normal()).round();
    counts::Failures {
        failures: (failures.max(0.0) as u64).min(requests),
        requests,
    }
}

fn failure_alarms(count: u64) {
    println!("\n| failure ratio | runs | change found |\n|---|---|---|");
    for (name, before, after, runs) in [
        ("none", 0.0, 0.0, 30),
        ("0.5 % throughout", 0.005, 0.005, 30),
        ("5 % throughout", 0.05, 0.05, 60),
        ("none, then 0.5 % for 2 runs", 0.0, 0.005, 22),
        ("none, then 0.5 % for 3 runs", 0.0, 0.005, 23),
        ("none, then 0.5 % for 5 runs", 0.0, 0.005, 25),
        ("0.5 %, then 2 % for 5 runs", 0.005, 0.02, 25),
    ] {
        let found = percent(count, |draws, seed| {
            let series: Vec<counts::Failures> = (0..runs)
                .map(|i| failures(draws, if i < BEFORE { before } else { after }))
                .collect();
            let options = counts::Options {
                seed,
                ..counts::Options::default()
            };
            !counts::segment(&series, &options).change_points.is_empty()
        });
        println!("| {name} | {runs} | {found:.1} % |");
    }
}

fn drifts(count: u64) {
    println!("\n| drift | runs | found |\n|---|---|---|");
    let unchanged = UNCHANGED
        .iter()
        .map(|(name, runs, draw)| (*name, *runs, *draw, 0.0));
    let drifting = [
        ("+0.4 % a run", 30, 0.004),
        ("+0.4 % a run", 60, 0.004),
        ("+1 % a run", 20, 0.01),
    ];
    let drifting = drifting.map(|(name, runs, slope)| (name, runs, independent as Draw, slope));
    for (name, runs, draw, slope) in unchanged.chain(drifting) {
        let found = percent(count, |draws, seed| {
            let logs = draw(draws, runs);
            let series: Vec<f64> = logs
                .iter()
                .enumerate()
                .map(|(i, z)| 100.0 * (NOISE * z + slope * i as f64).exp())
                .collect();
            drifts_by_our_reckoning(&series, seed)
        });
        println!("| {name} | {runs} | {found:.1} % |");
    }
}

fn drifts_by_our_reckoning(series: &[f64], seed: u64) -> bool {
    let options = segment::Options {
        seed,
        ..segment::Options::default()
    };
    let Ok(segments) = segment::segment(series, &options) else {
        return false;
    };
    drift::detect(series, &segments, &drift::Options::default()).is_ok_and(|drift| drift.is_some())
}

fn newest_runs(count: u64) {
    println!(
        "\n| newest run outside and ≥ 5 %, {count} draws | noise | earlier runs | unchanged | +10 % | +20 % |\n|---|---|---|---|---|---|"
    );
    for noise in [0.05, 0.1] {
        for runs in [5, 10, 20] {
            let outside = |change: f64| {
                percent(count, |draws, _| {
                    let mut value = |level: f64| level * (noise * draws.normal()).exp();
                    let earlier: Vec<f64> = (0..runs).map(|_| value(100.0)).collect();
                    let newest = value(100.0 * (1.0 + change));
                    newest::predict(&earlier, newest, &newest::Options::default())
                        .is_ok_and(|p| p.side == newest::Side::Above && p.beyond_margin)
                })
            };
            let shares = [outside(0.0), outside(0.1), outside(0.2)].map(|s| format!("{s:.1} %"));
            println!(
                "| | {:.0} % | {runs} | {} |",
                100.0 * noise,
                shares.join(" | ")
            );
        }
    }
}

/// The newest run of a long level whose bad runs were held out one after the other, as `loadgate trend` does.
fn newest_after_holding_out(count: u64) {
    println!(
        "\n| newest run outside and ≥ 5 %, bad runs held out | earlier runs | unchanged | +20 % |\n|---|---|---|---|"
    );
    for (name, draw) in [
        ("normal", independent as Draw),
        ("t, 3 df", heavy),
        ("exponential", skewed),
    ] {
        for runs in [10, 20, 50] {
            let outside = |change: f64| {
                percent(count, |draws, _| {
                    let logs = draw(draws, runs + 1);
                    let values: Vec<f64> = logs.iter().map(|z| 100.0 * (NOISE * z).exp()).collect();
                    let options = newest::Options::default();
                    let (earlier, newest) = (&values[..runs], values[runs] * (1.0 + change));
                    let kept = newest::baseline(&[], earlier, newest::Side::Above, &options);
                    newest::predict(&earlier[..kept], newest, &options)
                        .is_ok_and(|p| p.side == newest::Side::Above && p.beyond_margin)
                })
            };
            let shares = [outside(0.0), outside(0.2)].map(|s| format!("{s:.1} %"));
            println!("| {name} | {runs} | {} |", shares.join(" | "));
        }
    }
}

/// A level that has just begun, judged with the noise of the one before.
fn newest_of_young_levels(count: u64) {
    println!(
        "\n| newest run of a young level outside and ≥ 5 % | runs before, runs of it | unchanged | +20 % |\n|---|---|---|---|"
    );
    for (before, young) in [(5, 1), (10, 1), (10, 2), (20, 3), (20, 4)] {
        let outside = |change: f64| {
            percent(count, |draws, _| {
                let mut runs = |level: f64, n: usize| -> Vec<f64> {
                    let value = |_| level * (NOISE * draws.normal()).exp();
                    (0..n).map(value).collect()
                };
                let (before, young) = (runs(100.0, before), runs(130.0, young));
                let newest = runs(130.0 * (1.0 + change), 1)[0];
                let options = newest::Options::default();
                newest::predict_from(&[&before, &young], newest, &options)
                    .is_ok_and(|p| p.side == newest::Side::Above && p.beyond_margin)
            })
        };
        let shares = [outside(0.0), outside(0.2)].map(|s| format!("{s:.1} %"));
        println!("| | {before}, {young} | {} |", shares.join(" | "));
    }
}

/// Failures of the newest run, of runs that vary more than a binomial.
fn newest_failures(count: u64) {
    println!(
        "\n| newest failure ratio outside and ≥ 0.1 points | earlier runs | unchanged | 4 times |\n|---|---|---|---|"
    );
    for ratio in [0.0, 0.0005, 0.005, 0.05] {
        for runs in [5, 10, 20] {
            let outside = |times: f64| {
                percent(count, |draws, _| {
                    let earlier: Vec<_> = (0..runs).map(|_| failures(draws, ratio)).collect();
                    let newest = failures(draws, (ratio * times).min(1.0));
                    let options = newest::failures::Options::default();
                    newest::failures::predict(&[&earlier], newest, &options)
                        .is_ok_and(|p| p.side == newest::Side::Above && p.beyond_margin)
                })
            };
            let shares = [outside(1.0), outside(4.0)].map(|s| format!("{s:.1} %"));
            println!("| {} % | {runs} | {} |", 100.0 * ratio, shares.join(" | "));
        }
    }
}

/// Share, in percent, of `count` seeded draws for which `holds`.
fn percent(count: u64, holds: impl Fn(&mut Draws, u64) -> bool) -> f64 {
    let held = (0..count)
        .filter(|&seed| {
            holds(
                &mut Draws(Pcg64::seed_from_u64(1_000_003 * (seed + 1))),
                seed,
            )
        })
        .count();
    100.0 * held as f64 / count as f64
}
