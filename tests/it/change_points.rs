//! Change points of series whose truth is known, and Otava's answers against ours.

use loadgate::history::{counts, drift, newest, otava, segment};
use serde_json::Value;

use crate::harness::root;

fn cases(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(root(&format!("testdata/vectors/{file}"))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_u64().unwrap() as usize).collect()
}

fn close(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    let tolerance = 1e-9 * theirs.abs().max(1e-3);
    assert!(
        (ours - theirs).abs() <= tolerance,
        "{what}: {ours}, Otava says {theirs}"
    );
}

#[test]
fn otava_answers_are_reproduced() {
    for case in cases("otava.json") {
        let what = format!("{} {}", case["name"], case["params"]);
        let parameters = otava::Parameters {
            window_len: case["params"]["window_len"].as_u64().unwrap() as usize,
            max_pvalue: case["params"]["max_pvalue"].as_f64().unwrap(),
            min_magnitude: case["params"]["min_magnitude"].as_f64().unwrap(),
        };
        let ours = otava::detect(&numbers(&case["series"]), &parameters);
        let theirs = case["change_points"].as_array().unwrap();
        assert_eq!(ours.len(), theirs.len(), "{what}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(theirs["index"], ours.index, "{what}");
            close(ours.qhat, &theirs["qhat"], &what);
            let relative = theirs["pvalue"].as_f64().unwrap();
            assert!(
                (ours.pvalue / relative - 1.0).abs() < 1e-9,
                "{what}: p {}",
                ours.pvalue
            );
            close(ours.mean_before, &theirs["mean_before"], &what);
            close(ours.mean_after, &theirs["mean_after"], &what);
            close(ours.std_before, &theirs["std_before"], &what);
            close(ours.std_after, &theirs["std_after"], &what);
            close(ours.relative_change(), &theirs["rel_change"], &what);
        }
    }
}

#[test]
fn otava_finds_the_same_in_the_generated_series() {
    for case in cases("change_points.json") {
        let series = numbers(&case["series"]);
        let found = |parameters| {
            let answer = otava::detect(&series, &parameters);
            answer.iter().map(|c| c.index).collect::<Vec<_>>()
        };
        let defaults = found(otava::Parameters::default());
        assert_eq!(defaults, indices(&case["otava"]), "{}", case["name"]);
        let lenient = found(otava::Parameters {
            window_len: 30,
            max_pvalue: 0.01,
            min_magnitude: 0.05,
        });
        assert_eq!(
            lenient,
            indices(&case["otava_w30_p01_m05"]),
            "{}",
            case["name"]
        );
    }
}

/// What we find in each generated series, and why where it is not the truth.
const FOUND: [(&str, &[usize]); 10] = [
    ("G1_step_up_12pct", &[25]),
    ("G2_no_change_two_spikes", &[]),
    // A drift; no step is true. `drift` replaces these three.
    ("G3_slow_drift", &[13, 29, 45]),
    ("G4_step_and_recover", &[18, 30]),
    ("G5_bimodal_stationary", &[]),
    ("G6_ar1_no_change", &[]),
    // The last run is 15 % up: one run is for `newest`, which sees it.
    ("G8_short_history_last_run", &[]),
    ("G9_two_close_steps", &[20, 23]),
    ("G10_locust_quantised", &[22]),
    ("G11_throughput_flat", &[]),
];

#[test]
fn change_points_of_the_generated_series() {
    let cases = cases("change_points.json");
    for (name, expected) in FOUND {
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        let found = segment::segment(&numbers(&case["series"]), &segment::Options::default());
        let changes = found.unwrap().change_points;
        let ours: Vec<usize> = changes.iter().map(|c| c.index).collect();
        assert_eq!(ours, expected, "{name}");
    }
}

#[test]
fn failures_from_zero_are_found_by_counts_only() {
    let cases = cases("change_points.json");
    let of = |name: &str| cases.iter().find(|case| case["name"] == name).unwrap();
    let ratios = numbers(&of("G7_error_rate_from_zero")["series"]);
    assert_eq!(
        segment::segment(&ratios, &segment::Options::default()).unwrap_err(),
        segment::NotPositive {
            index: 0,
            value: 0.0
        }
    );
    let runs: Vec<counts::Failures> = ratios
        .iter()
        .map(|ratio| counts::Failures {
            failures: (ratio * 10_000.0).round() as u64,
            requests: 10_000,
        })
        .collect();
    let changes = counts::segment(&runs, &counts::Options::default()).change_points;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].index, 20);
}

#[test]
fn a_drift_replaces_the_steps_it_imitates() {
    for case in cases("change_points.json") {
        let series = numbers(&case["series"]);
        let Ok(found) = segment::segment(&series, &segment::Options::default()) else {
            continue;
        };
        let drift = drift::detect(&series, &found, &drift::Options::default()).unwrap();
        if case["name"] == "G3_slow_drift" {
            // True: +0.4 % of the first level per run, 23.6 % over 59 steps.
            let drift = drift.unwrap();
            assert_eq!((drift.start, drift.replaces), (0, vec![13, 29, 45]));
            assert!((drift.change - 0.236).abs() < 0.02, "{}", drift.change);
        } else {
            assert_eq!(drift, None, "{}", case["name"]);
        }
    }
}

#[test]
fn the_last_run_of_a_short_history() {
    let cases = cases("change_points.json");
    let of = |name: &str| cases.iter().find(|case| case["name"] == name).unwrap();
    let series = numbers(&of("G8_short_history_last_run")["series"]);
    let (last, earlier) = series.split_last().unwrap();
    let found = newest::predict(earlier, *last, &newest::Options::default()).unwrap();
    assert_eq!(
        (found.side, found.beyond_margin),
        (newest::Side::Above, true)
    );
}
