//! The statistics against scipy, numpy and pragmastat.
//!
//! The numbers kept in the repository are those of synthetic series. `LOADGATE_VECTORS=folder` also runs every test on
//! the `two_sample.json` and `quantiles.json` of that folder, which hold series of other projects.

use std::path::PathBuf;

use loadgate::comparison::hodges_lehmann::{bounds_at, log_ratios, ratio_shift};
use loadgate::comparison::interval::{fewest_values, harrell_davis, order_statistic_ranks};
use loadgate::comparison::mann_whitney::{asymptotic, mann_whitney, outermost_rank};
use loadgate::comparison::rounding::rounded;
use loadgate::comparison::shortfall::Shortfall;
use loadgate::comparison::welch;
use serde_json::Value;

use crate::harness::root;

/// The vectors of the repository, and of the folder the environment names.
#[expect(clippy::print_stdout, reason = "a skipped test says why")]
fn vectors(file: &str) -> Vec<Value> {
    let mut paths: Vec<PathBuf> = vec![root("testdata/vectors").join(file)];
    match std::env::var_os("LOADGATE_VECTORS") {
        Some(folder) => paths.push(PathBuf::from(folder).join(file)),
        None => println!("skipped: LOADGATE_VECTORS does not name a folder with a full {file}"),
    }
    paths
        .iter()
        .map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

/// Every case of every `two_sample.json`: name, baseline, current and the answers of others.
fn two_samples() -> Vec<(String, Vec<f64>, Vec<f64>, Value)> {
    vectors("two_sample.json")
        .iter()
        .flat_map(|file| file["cases"].as_array().unwrap())
        .map(|case| {
            let name = case["name"].as_str().unwrap().to_owned();
            let results = case["results"].clone();
            (name, numbers(&case["a"]), numbers(&case["b"]), results)
        })
        .collect()
}

fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap()).collect()
}

fn close(what: &str, ours: f64, theirs: &Value, tolerance: f64) {
    let theirs = theirs.as_f64().unwrap();
    assert!(
        (ours - theirs).abs() <= tolerance * theirs.abs().max(1e-300),
        "{what}: {ours}, they say {theirs}"
    );
}

#[test]
fn welch_on_logs_equals_scipy() {
    for (name, a, b, results) in two_samples() {
        let theirs = &results["welch_on_log_ratio_ci99"];
        // Their "ci99" errs by 1 % on each side.
        let ours = welch::of_logs(&a, &b, 0.01, 0.0);
        if theirs["p"].is_null() {
            assert_eq!(ours, Err(Shortfall::TooFewRuns { runs: 1, needed: 2 }));
            continue;
        }
        let ours = ours.unwrap();
        close(
            &name,
            ours.difference.exp(),
            &theirs["ratio_b_over_a"],
            1e-12,
        );
        close(&name, ours.lower.exp(), &theirs["lo"], 1e-9);
        close(&name, ours.upper.exp(), &theirs["hi"], 1e-9);
        close(&name, ours.p_two_sided, &theirs["p"], 1e-9);
    }
}

#[test]
fn mann_whitney_equals_scipy_and_full_enumeration() {
    for (name, a, b, results) in two_samples() {
        let theirs = &results["mannwhitneyu_asymptotic_two_sided"];
        let near = asymptotic(&a, &b).unwrap();
        close(&name, near.p_two_sided, &theirs["p"], 1e-9);
        assert_eq!(Some(near.u), theirs["U_a"].as_f64(), "{name}");
        let ours = mann_whitney(&a, &b).unwrap();
        close(
            &name,
            ours.superiority,
            &results["A12_prob_b_greater"],
            1e-12,
        );
        let enumerated = &results["mannwhitney_exact_permutation_with_ties"];
        if !enumerated.is_null() {
            assert!(ours.exact);
            close(&name, ours.p_two_sided, &enumerated["two_sided_2min"], 1e-9);
        }
        // Without ties scipy's exact test is exact, too.
        let mut pooled = [a.as_slice(), b.as_slice()].concat();
        pooled.sort_by(f64::total_cmp);
        let ties = pooled.windows(2).any(|pair| pair[0] >= pair[1]);
        if ours.exact && !ties {
            let exact = &results["mannwhitneyu_exact_two_sided(no tie handling)"];
            close(&name, ours.p_two_sided, &exact["p"], 1e-9);
        }
    }
}

/// Pragmastat cuts off one difference more than P(U ≤ c) ≤ alpha allows: at the smallest c with P(U ≤ c) ≥ alpha.
/// Its bounds are ours at that rank, and lie within ours.
#[test]
fn hodges_lehmann_bounds_are_those_of_pragmastat_but_for_one_rank() {
    for (name, a, b, results) in two_samples() {
        for misrate in [0.05, 0.01] {
            let key = format!("pragmastat_ratio_bounds_b_over_a(misrate={misrate})");
            let theirs = &results[&key];
            let ours = ratio_shift(&a, &b, misrate / 2.0);
            if theirs["lower"].is_null() {
                assert!(matches!(ours, Err(Shortfall::AlphaOutOfReach { .. })));
                continue;
            }
            let ours = ours.unwrap();
            assert!(ours.error <= misrate / 2.0);
            close(
                &name,
                ours.difference.exp(),
                &results["pragmastat_ratio_b_over_a"],
                1e-12,
            );
            let differences = log_ratios(&a, &b).unwrap();
            let rank = outermost_rank(a.len(), b.len(), misrate / 2.0).unwrap();
            let (lower, upper) = bounds_at(&differences, rank.outside + 1);
            // Above 80 values ours is the normal approximation; a rank or two of 40,000 is then a few 10⁻⁴.
            let tolerance = if a.len() + b.len() <= 80 { 1e-12 } else { 1e-3 };
            close(&name, lower.exp(), &theirs["lower"], tolerance);
            close(&name, upper.exp(), &theirs["upper"], tolerance);
            assert!(ours.lower <= lower && upper <= ours.upper);
        }
    }
}

#[test]
fn order_statistic_ranks_equal_the_table() {
    for file in vectors("quantiles.json") {
        for row in file["order_statistic_ci"].as_array().unwrap() {
            let n = row["n"].as_u64().unwrap();
            let q = row["p"].as_f64().unwrap();
            let alpha = (1.0 - row["conf"].as_f64().unwrap()) / 2.0;
            let ranks = order_statistic_ranks(n, q, alpha);
            let exists = |key: &str| row[key].as_bool().unwrap();
            let lower = exists("lo_exists").then(|| row["lo_rank"].as_u64().unwrap());
            let upper = exists("hi_exists").then(|| row["hi_rank"].as_u64().unwrap());
            assert_eq!((ranks.lower, ranks.upper), (lower, upper), "{row}");
            close(&row.to_string(), ranks.coverage, &row["coverage"], 1e-9);
        }
        for row in file["min_n"].as_array().unwrap() {
            let q = row["p"].as_f64().unwrap();
            let alpha = (1.0 - row["conf"].as_f64().unwrap()) / 2.0;
            let n = fewest_values(q, alpha);
            assert_eq!(Some(n), row["equal_tailed_upper_exists"].as_u64(), "{row}");
            assert!(order_statistic_ranks(n, q, alpha).upper.is_some());
            assert!(order_statistic_ranks(n - 1, q, alpha).upper.is_none());
        }
    }
}

#[test]
fn harrell_davis_equals_scipy() {
    for file in vectors("quantiles.json") {
        for case in file["quantiles"].as_array().unwrap() {
            let mut values = numbers(&case["x"]);
            values.sort_by(f64::total_cmp);
            let counted = values.iter().map(|v| (*v, 1));
            let quantiles = numbers(&case["q"]);
            for (q, theirs) in quantiles
                .iter()
                .zip(case["harrell_davis"].as_array().unwrap())
            {
                let ours = harrell_davis(counted.clone(), values.len() as u64, *q).unwrap();
                close(&format!("{} {q}", case["name"]), ours, theirs, 1e-9);
            }
        }
    }
}

/// Locust takes the first rounded value at which int(q · n) requests are reached; the vectors are such values.
#[test]
fn locust_values_are_fixed_points_of_its_rounding() {
    for file in vectors("quantiles.json") {
        for case in file["quantiles"].as_array().unwrap() {
            for value in numbers(&case["locust_bucketed_percentile"]) {
                assert!((rounded(value) - value).abs() < 1e-9, "{value}");
                let near = numbers(&case["x"]).into_iter().map(rounded);
                assert!(
                    near.into_iter().any(|v| (v - value).abs() < 1e-9),
                    "{value}"
                );
            }
        }
    }
}
