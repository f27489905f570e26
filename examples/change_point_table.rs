//! Our change points beside those of other tools and the truth, as Markdown.
//!
//! `cargo run --release --example change_point_table SERIES.json [MORE.json]`: each file holds `cases` with `name`,
//! `series` (one value per run), `truth` (indices of the first runs of new levels) and `answers` of other tools; a
//! further file adds answers to cases of the same name.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::collections::BTreeMap;

use anyhow::Context as _;
use loadgate::history::{counts, drift, newest, segment};
use serde_json::Value;

/// Other tools' answers that are lists of change points: the begin of the key, and the heading.
const FINDERS: [(&str, &str); 9] = [
    ("otava_defaults", "Otava"),
    ("otava_nyrkio", "Otava, 5 %"),
    ("otava_w30", "Otava, old defaults"),
    ("mongodb_e_divisive(p=0.05", "MongoDB, p 0.05"),
    ("perfherder", "Perfherder"),
    ("ruptures_pelt", "PELT"),
    ("asv_detect_steps", "asv"),
    ("edivisive", "edivisive 0.1.0"),
    ("augurs_bocpd_normalgamma_default_z", "augurs, BOCPD"),
];
/// Other tools' answers on the last run only.
const LAST_RUN: [(&str, &str); 3] = [
    ("bencher", "Bencher, t 0.99"),
    ("percentage_10", "mean + 10 %"),
    ("github_action_benchmark", "github-action-benchmark, 200 %"),
];

fn main() -> anyhow::Result<()> {
    let mut cases: BTreeMap<String, Value> = BTreeMap::new();
    let mut names = Vec::new();
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        let file: Value = serde_json::from_str(&text).with_context(|| path.clone())?;
        for case in file["cases"].as_array().into_iter().flatten() {
            let name = case["name"].as_str().unwrap_or_default().to_owned();
            if let Some(known) = cases.get_mut(&name) {
                add_answers(known, case);
            } else {
                names.push(name.clone());
                cases.insert(name, case.clone());
            }
        }
    }
    anyhow::ensure!(
        !names.is_empty(),
        "name a file of series; see the head of this example"
    );
    let cases: Vec<&Value> = names.iter().filter_map(|name| cases.get(name)).collect();
    change_points(&cases);
    last_runs(&cases);
    Ok(())
}

/// Answers of a further file stand beside the name instead of under `answers`.
fn add_answers(known: &mut Value, case: &Value) {
    for (key, value) in case.as_object().into_iter().flatten() {
        if key != "name" {
            known["answers"][key] = value.clone();
        }
    }
}

fn change_points(cases: &[&Value]) {
    println!("Bold: the truth, each change within one run of it, and nothing else.\n");
    let heads: Vec<&str> = FINDERS.iter().map(|(_, head)| *head).collect();
    println!("| series | truth | **loadgate** | {} |", heads.join(" | "));
    println!("|---|---|---|{}", "---|".repeat(FINDERS.len()));
    for case in cases {
        let (truth, series) = (truth(case), series(case));
        let drifting = case["truth"].is_string();
        let mut row = vec![
            case["note"].as_str().unwrap_or_default().to_owned(),
            case["truth"]
                .as_str()
                .map_or_else(|| list(&truth), str::to_owned),
        ];
        let (found, drifts) = ours(&series);
        row.push(match drifts {
            Some(percent) => marked(
                format!("drift of {percent:+.0} %"),
                drifting && found.is_empty(),
            ),
            None => marked(list(&found), !drifting && right(&found, &truth)),
        });
        for (key, _) in FINDERS {
            let found = answer(case, key).map(indices);
            row.push(found.map_or_else(String::new, |found| {
                marked(list(&found), !drifting && right(&found, &truth))
            }));
        }
        println!("| {} |", row.join(" | "));
    }
}

fn last_runs(cases: &[&Value]) {
    println!("\nIs the last run called worse?\n");
    let heads: Vec<&str> = LAST_RUN.iter().map(|(_, head)| *head).collect();
    println!("| series | **loadgate** | {} |", heads.join(" | "));
    println!("|---|---|{}", "---|".repeat(LAST_RUN.len()));
    for case in cases {
        let mut row = vec![
            case["note"].as_str().unwrap_or_default().to_owned(),
            newest_of(&series(case)),
        ];
        for (key, _) in LAST_RUN {
            let alert = answer(case, key).and_then(|answer| answer["alert"].as_bool());
            row.push(match alert {
                Some(true) => "yes".to_owned(),
                Some(false) => "no".to_owned(),
                None => String::new(),
            });
        }
        println!("| {} |", row.join(" | "));
    }
}

fn series(case: &Value) -> Vec<f64> {
    let values = case["series"].as_array().into_iter().flatten();
    values.filter_map(Value::as_f64).collect()
}

fn truth(case: &Value) -> Vec<usize> {
    let indices = case["truth"].as_array().into_iter().flatten();
    indices.filter_map(|i| Some(i.as_u64()? as usize)).collect()
}

fn answer<'a>(case: &'a Value, key: &str) -> Option<&'a Value> {
    let answers = case["answers"].as_object()?;
    answers
        .iter()
        .find(|(k, _)| k.starts_with(key))
        .map(|(_, v)| v)
}

/// Indices as the tools write them: plain, as objects, as segments `[first, end, …]`, or of several calls, of which the
/// first counts. The first run of all is no change.
fn indices(answer: &Value) -> Vec<usize> {
    let items = answer.as_array().into_iter().flatten();
    let nested = answer[0].is_array() && answer[0].as_array().is_none_or(|a| a.len() != 5);
    if nested {
        return indices(&answer[0]);
    }
    let index = |item: &Value| {
        let plain = item.as_u64();
        let index = plain
            .or_else(|| item["index"].as_u64())
            .or_else(|| item[0].as_u64())?;
        Some(index as usize)
    };
    let mut found: Vec<usize> = items.filter_map(index).filter(|i| *i > 0).collect();
    found.sort_unstable();
    found
}

fn right(found: &[usize], truth: &[usize]) -> bool {
    found.len() == truth.len() && found.iter().zip(truth).all(|(f, t)| f.abs_diff(*t) <= 1)
}

fn list(indices: &[usize]) -> String {
    if indices.is_empty() {
        return "none".to_owned();
    }
    let texts: Vec<String> = indices.iter().map(ToString::to_string).collect();
    texts.join(" ")
}

fn marked(text: String, right: bool) -> String {
    if right { format!("**{text}**") } else { text }
}

/// Our change points, and the change in per cent of a drift that takes their place. Series with zeros are failures out
/// of 100,000 requests.
fn ours(series: &[f64]) -> (Vec<usize>, Option<f64>) {
    if series.contains(&0.0) {
        let found = counts::segment(&failures(series), &counts::Options::default());
        return (found.change_points.iter().map(|c| c.index).collect(), None);
    }
    let Ok(found) = segment::segment(series, &segment::Options::default()) else {
        return (Vec::new(), None);
    };
    let drift = drift::detect(series, &found, &drift::Options::default());
    let drift = drift.ok().flatten();
    let replaced: &[usize] = drift.as_ref().map_or(&[], |drift| &drift.replaces);
    let kept = found.change_points.iter().map(|c| c.index);
    let kept = kept.filter(|index| !replaced.contains(index)).collect();
    (kept, drift.map(|drift| 100.0 * drift.change))
}

fn failures(series: &[f64]) -> Vec<counts::Failures> {
    const REQUESTS: u64 = 100_000;
    let of = |ratio: &f64| counts::Failures {
        failures: (ratio * REQUESTS as f64).round() as u64,
        requests: REQUESTS,
    };
    series.iter().map(of).collect()
}

/// Whether the last run is beyond what its level predicts.
fn newest_of(series: &[f64]) -> String {
    let Some((last, earlier)) = series.split_last() else {
        return String::new();
    };
    let begin = ours(series)
        .0
        .last()
        .copied()
        .unwrap_or(0)
        .min(earlier.len());
    let alarm = if series.contains(&0.0) {
        let runs = failures(series);
        let (before, level) = runs[..earlier.len()].split_at(begin);
        let options = newest::failures::Options::default();
        newest::failures::predict(&[before, level], runs[earlier.len()], &options)
            .map(|found| found.side == newest::Side::Above && found.beyond_margin)
    } else {
        let (before, level) = earlier.split_at(begin);
        let options = newest::Options::default();
        let kept = newest::baseline(&[before], level, newest::Side::Above, &options);
        newest::predict_from(&[before, &level[..kept]], *last, &options)
            .map(|found| found.side == newest::Side::Above && found.beyond_margin)
    };
    match alarm {
        Ok(true) => "yes".to_owned(),
        Ok(false) => "no".to_owned(),
        Err(why) => format!("cannot tell: {why}"),
    }
}
