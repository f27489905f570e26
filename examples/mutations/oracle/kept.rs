//! Kept runs as baselines: what loadgate itself wrote must be there as it was written.

use serde_json::Value;

use super::super::subject::{Figure, File, Gate, Kind, Subject};
use super::text;

/// Why a baseline may have turned a gate green, if it may.
pub fn justification(
    subject: &Subject,
    files: &[File],
    gate: &Gate,
) -> Result<&'static str, String> {
    let original = subject.files.first().ok_or("no baseline")?;
    let file = files
        .iter()
        .find(|f| f.name == original.name)
        .ok_or("the baseline is gone")?;
    let text = text(&file.bytes).ok_or("the baseline is not whole")?;
    let before = self::text(&original.bytes).ok_or("the baseline was not whole")?;
    match subject.kind {
        Kind::History => of_history(&text, &before, gate),
        _ => of_report(&text, &before, gate),
    }
}

fn of_history(text: &str, before: &str, gate: &Gate) -> Result<&'static str, String> {
    let known: Vec<Value> = before
        .lines()
        .filter_map(|l| serde_json::from_str(l).ok())
        .collect();
    let mut changed = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Value =
            serde_json::from_str(line).map_err(|e| format!("a line is not JSON: {e}"))?;
        if known.contains(&line) {
            continue;
        }
        changed += 1;
        let near = known.iter().find(|k| k["started_at"] == line["started_at"]);
        let near = near.or(known.first()).ok_or("there was no run")?;
        is_consistent(near, &line, gate, "times")?;
    }
    Ok(if changed == 0 {
        "every line is one that loadgate wrote, and a history may lack others"
    } else {
        "the line says so everywhere, and nothing else in it says otherwise"
    })
}

fn of_report(text: &str, before: &str, gate: &Gate) -> Result<&'static str, String> {
    let read = |text: &str| -> Result<Value, String> {
        serde_json::from_str(text).map_err(|e| format!("the report is not JSON: {e}"))
    };
    is_consistent(&read(before)?, &read(text)?, gate, "sample")?;
    Ok("the report says so everywhere, and nothing else in it says otherwise")
}

/// A figure that was changed must have been changed in everything that tells it.
fn is_consistent(before: &Value, after: &Value, gate: &Gate, times: &str) -> Result<(), String> {
    let total = |run: &Value, pointer: &str| run["total"].pointer(pointer).cloned();
    let differs = |pointer: &str| total(before, pointer) != total(after, pointer);
    let endpoints = |run: &Value, key: &str| -> Vec<Value> {
        let all = run["endpoints"].as_array().into_iter().flatten();
        all.map(|e| e[key].clone()).collect()
    };
    let everywhere = |keys: &[&str]| {
        keys.iter().all(|key| {
            endpoints(before, key) != endpoints(after, key) || endpoints(before, key).is_empty()
        })
    };
    let (own, others): (String, &[&str]) = match &gate.figure {
        Figure::Mean => ("/response_time_ms/mean".to_owned(), &[][..]),
        Figure::Max => ("/response_time_ms/max".to_owned(), &[]),
        Figure::Percentile(p) => (format!("/response_time_ms/quantiles/p{p}"), &[]),
        Figure::Failures | Figure::FailureRatio => ("/failures".to_owned(), &["failures"]),
        Figure::Requests => ("/requests".to_owned(), &["requests"]),
        Figure::Rps => ("/rps".to_owned(), &["rps"]),
        Figure::FieldMax(name) => (format!("/fields/{name}/max"), &[]),
        Figure::FieldMean(name) => (format!("/fields/{name}/mean"), &[]),
        Figure::Users => return Err("users are not compared".to_owned()),
    };
    let by_requests = gate.figure == Figure::FailureRatio && differs("/requests");
    if !differs(&own) && !by_requests {
        return Err(format!("`total{own}` is what it was"));
    }
    let is_of_times = matches!(
        gate.figure,
        Figure::Mean | Figure::Max | Figure::Percentile(_)
    );
    if is_of_times {
        let sampled = differs(&format!("/{times}")) || everywhere(&[times]);
        if !sampled {
            return Err("the response times that are kept say otherwise".to_owned());
        }
    }
    if !others.is_empty() && !everywhere(others) {
        return Err("the endpoints say otherwise".to_owned());
    }
    Ok(())
}
