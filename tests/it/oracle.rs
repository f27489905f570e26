//! Our numbers against those of an independent program, on real runs.

use serde_json::Value;

use crate::harness::{report, root};

const TOLERANCE_MS: f64 = 0.001;

fn close(ours: &Value, theirs: &Value, what: &str) {
    let (ours, theirs) = (ours.as_f64().unwrap_or(f64::NAN), theirs.as_f64().unwrap());
    assert!(
        (ours - theirs).abs() <= TOLERANCE_MS,
        "{what}: {ours}, the oracle says {theirs}"
    );
}

fn compare(ours: &Value, theirs: &Value, run: &str) {
    let what = format!("{run}: {} {}", theirs["method"], theirs["name"]);
    assert_eq!(ours["requests"], theirs["count"], "{what}: requests");
    assert_eq!(ours["failures"], theirs["failures"], "{what}: failures");
    let times = &ours["response_time_ms"];
    for figure in ["mean", "min", "max"] {
        close(
            &times[figure],
            &theirs[figure],
            &format!("{what}: {figure}"),
        );
    }
    for (quantile, name) in [
        ("0.5", "p50"),
        ("0.9", "p90"),
        ("0.95", "p95"),
        ("0.99", "p99"),
        ("0.999", "p99.9"),
    ] {
        close(
            &times["quantiles"][name],
            &theirs["linear_type7"][quantile],
            &format!("{what}: {name}"),
        );
    }
}

#[test]
fn request_logs_agree_with_the_oracle_to_the_microsecond() {
    let mut runs = 0;
    for file in std::fs::read_dir(root("testdata/oracle")).unwrap() {
        let path = file.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (version, run) = stem.split_once('_').unwrap();
        let oracle: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let log = format!("testdata/locust/{version}/{run}/requests.jsonl.gz");
        let (ours, _) = report(&[&log]);
        let entries = oracle["entries"].as_array().unwrap();
        let (total, endpoints) = entries.split_last().unwrap();
        compare(&ours["total"], total, &stem);
        let found = ours["endpoints"].as_array().unwrap();
        assert_eq!(found.len(), endpoints.len(), "{stem}: endpoints");
        for theirs in endpoints {
            let same = |e: &&Value| e["method"] == theirs["method"] && e["name"] == theirs["name"];
            compare(
                found
                    .iter()
                    .find(same)
                    .unwrap_or_else(|| panic!("{stem}: {theirs}")),
                theirs,
                &stem,
            );
        }
        runs += 1;
    }
    assert!(runs >= 9, "only {runs} runs were compared");
}

/// Counts of every table against the numbers of the table itself, read by the plain `csv` crate.
#[test]
fn tables_alone_give_the_numbers_of_the_tables() {
    for run in [
        "2.47.0/batch",
        "2.20.1/batch",
        "1.6.0/batch",
        "0.14.6/batch",
        "2.47.0/weird_names",
    ] {
        let file = format!("testdata/locust/{run}/run_stats.csv");
        let (ours, _) = report(&[&file]);
        let mut table = csv::Reader::from_path(root(&file)).unwrap();
        let header = table.headers().unwrap().clone();
        let column = |names: [&str; 2]| header.iter().position(|h| names.contains(&h)).unwrap();
        let (requests, failures) = (
            column(["Request Count", "# requests"]),
            column(["Failure Count", "# failures"]),
        );
        let (mean, p95) = (
            column(["Average Response Time", "Average response time"]),
            column(["95%", "95%"]),
        );
        let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        let (total, rows) = rows.split_last().unwrap();
        assert_eq!(
            ours["endpoints"].as_array().unwrap().len(),
            rows.len(),
            "{run}"
        );
        let check = |ours: &Value, row: &csv::StringRecord| {
            assert_eq!(ours["requests"].to_string(), row[requests], "{run} {row:?}");
            assert_eq!(ours["failures"].to_string(), row[failures], "{run} {row:?}");
            close(
                &ours["response_time_ms"]["mean"],
                &row[mean].parse::<f64>().unwrap().into(),
                run,
            );
            close(
                &ours["response_time_ms"]["quantiles"]["p95"],
                &row[p95].parse::<f64>().unwrap().into(),
                run,
            );
        };
        check(&ours["total"], total);
        for row in rows {
            let same = |e: &&Value| {
                e["method"] == row[0]
                    && e["name"].as_str().unwrap().replace('\r', "") == row[1].replace('\r', "")
            };
            let found: Vec<&Value> = ours["endpoints"]
                .as_array()
                .unwrap()
                .iter()
                .filter(same)
                .collect();
            // Two names that differ only in their line end are told apart by their counts.
            let found = found
                .iter()
                .find(|e| e["requests"].as_u64() == row[requests].parse().ok());
            check(found.unwrap_or_else(|| panic!("{run}: {row:?}")), row);
        }
    }
}

/// A log beside Locust's tables: what the tables lack is named in numbers.
#[test]
fn log_and_tables_are_reconciled() {
    for (run, log, table) in [
        ("2.20.1/batch", "3,429", "3,345"),
        ("2.32.10/no_full_history", "1,578", "1,572"),
        ("2.47.0/killed", "1,323", "1,338"),
    ] {
        let (ours, _) = report(&[&format!("testdata/locust/{run}")]);
        let notes = ours["notes"].to_string();
        assert!(
            notes.contains(log) && notes.contains(table),
            "{run}: {notes}"
        );
        assert_eq!(
            ours["total"]["requests"].to_string(),
            log.replace(',', ""),
            "{run}: the log gives the numbers"
        );
    }
    for run in [
        "2.47.0/batch",
        "1.6.0/batch",
        "0.14.6/batch",
        "2.47.0/style_b",
        "2.47.0/shape_ramp",
    ] {
        let (ours, _) = report(&[&format!("testdata/locust/{run}")]);
        let notes = ours["notes"].to_string();
        assert!(notes.contains("agree"), "{run}: {notes}");
    }
}
