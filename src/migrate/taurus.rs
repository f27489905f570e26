//! Taurus: the criteria of its `passfail` module. They say when a run fails; a gate says what must hold, so each is turned
//! round.
//!
//! <https://gettaurus.org/docs/PassFail/>

use regex::Regex;

use crate::gate::selector::exactly;

use super::yaml::{self, Node};
use super::{Carried, Found, NewGate, Threshold, Unreadable};

const FORM: &str = r"^\s*([A-Za-z0-9?.-]+)(?:\s+of\s+(.+?))?\s*(>=|<=|==|=|>|<)\s*([0-9.]+)\s*([A-Za-z%]*)(?:\s+(for|within|over)\s+([0-9.]+\s*[a-z]+))?\s*(?:,\s*(.*))?$";

/// Every criterion of the file.
pub fn criteria(text: &str) -> Found {
    let mut found = Vec::new();
    for document in yaml::documents(text)? {
        let mut lists = Vec::new();
        yaml::everywhere(&document, "criteria", &mut lists);
        // As the module was configured when it was still called `fail-criteria`.
        yaml::everywhere(&document, "criterias", &mut lists);
        for list in lists {
            for item in yaml::items(list) {
                found.push(criterion(item));
            }
            for (name, item) in yaml::members(list) {
                let mut threshold = criterion(item);
                threshold.subject = name;
                found.push(threshold);
            }
        }
    }
    if found.is_empty() {
        return Err(Unreadable::nothing_found(
            "name the YAML that holds `criteria` of the module `passfail`",
        ));
    }
    Ok(found)
}

fn criterion(item: &Node<'_>) -> Threshold {
    let text = yaml::text(item).unwrap_or_else(|| from_parts(item));
    let (subject, carried) = match gate(&text) {
        Ok((subject, gate)) => (subject, Carried::Gate(gate)),
        Err(why) => ("criterion".to_owned(), Carried::Not(why)),
    };
    Threshold {
        line: yaml::line(item),
        subject,
        text,
        carried,
    }
}

/// The long form, `{subject: avg-rt, label: x, condition: '>', threshold: 150ms, timeframe: 10s, logic: for}`, as the short one.
fn from_parts(item: &Node<'_>) -> String {
    let part = |name: &str| yaml::member(item, name).and_then(yaml::text);
    let mut text = part("subject").unwrap_or_default();
    if let Some(label) = part("label").filter(|l| !l.is_empty()) {
        text = format!("{text} of {label}");
    }
    text = format!(
        "{text}{}{}",
        part("condition").unwrap_or_default(),
        part("threshold").unwrap_or_default()
    );
    if let Some(timeframe) = part("timeframe") {
        text = format!(
            "{text} {} {timeframe}",
            part("logic").unwrap_or_else(|| "for".to_owned())
        );
    }
    let (stops, fails) = (part("stop"), part("fail"));
    let verb = if stops.as_deref() == Some("false") {
        "continue"
    } else {
        "stop"
    };
    let status = if fails.as_deref() == Some("false") {
        "non-failed"
    } else {
        "failed"
    };
    format!("{text}, {verb} as {status}")
}

/// What it is about, and the gate that must hold.
fn gate(text: &str) -> Result<(String, NewGate), String> {
    let form = Regex::new(FORM).map_err(|error| error.to_string())?;
    let found = form
        .captures(text)
        .ok_or("it is not `SUBJECT CONDITION THRESHOLD`")?;
    let part = |i: usize| found.get(i).map(|m| m.as_str().trim());
    let subject = part(1).unwrap_or_default();
    let required = match part(3) {
        Some(">") => "<=",
        Some(">=") => "<",
        Some("<") => ">=",
        Some("<=") => ">",
        _ => return Err("loadgate has no `not equal`".to_owned()),
    };
    let (limit, unit) = (part(4).unwrap_or_default(), part(5).unwrap_or_default());
    if limit.parse::<f64>().is_err() {
        return Err(format!("`{limit}` is not a number"));
    }
    let metric = metric(subject, unit == "%")?;
    let unit = match (subject.ends_with("-rt") || subject.starts_with('p'), unit) {
        // Taurus reads a bare number as seconds.
        (true, "") => "s",
        (true, "m") => "min",
        (_, unit) => unit,
    };
    let mut gate = NewGate::new(format!("{metric} {required} {limit}{unit}"));
    gate.on = part(2).map(exactly);
    window(&mut gate, part(6), part(7));
    let action = part(8).unwrap_or_default();
    gate.warn = action.contains("non-failed");
    if action.contains("stop") || (action.is_empty() && part(7).is_some()) {
        gate.notes
            .push("Taurus stopped the test at that moment; loadgate only judges".to_owned());
    }
    Ok((subject.to_owned(), gate))
}

fn window(gate: &mut NewGate, logic: Option<&str>, length: Option<&str>) {
    let (Some(logic), Some(length)) = (logic, length) else {
        return;
    };
    let length = length.replace(' ', "");
    gate.require[0] = format!("{} within {length}", gate.require[0]);
    if logic == "for" {
        gate.notes.push(format!(
            "Taurus failed when every second of {length} was beyond the limit; loadgate judges every window of {length} as a whole"
        ));
    }
}

/// The metric of a subject.
fn metric(subject: &str, is_share: bool) -> Result<String, String> {
    let counted = |count: &str, ratio: &str| Ok(if is_share { ratio } else { count }.to_owned());
    match subject {
        "avg-rt" => Ok("mean".to_owned()),
        "stdev-rt" => Ok("stddev".to_owned()),
        "hits" => Ok("requests".to_owned()),
        "fail" | "failures" => counted("failures", "failure_ratio"),
        "succ" | "success" if is_share => Ok("success_ratio".to_owned()),
        "succ" | "success" => Err("successes are not counted; require a `success_ratio` or `requests`".to_owned()),
        "avg-lt" | "avg-ct" => Err("the time to the first byte or to the connection is in no request log; `mean` is the whole response time".to_owned()),
        "concurr" | "concurrency" => Ok("users".to_owned()),
        "bytes" => Err("loadgate does not measure traffic".to_owned()),
        _ => {
            if let Some(percent) = subject.strip_prefix('p').filter(|p| p.parse::<f64>().is_ok_and(|p| p > 0.0 && p <= 100.0)) {
                return Ok(format!("p{percent}"));
            }
            let status = subject.strip_prefix("rc").ok_or_else(|| format!("`{subject}` has no counterpart"))?;
            let status = status.replace('?', "x").replace('*', "xx");
            let is_class = status.len() == 3 && status.ends_with("xx");
            if !is_class && status.parse::<u16>().is_err() {
                return Err(format!("`{subject}` is no HTTP status and no class of them"));
            }
            counted(&format!("count(status={status})"), &format!("ratio(status={status})"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn require(text: &str) -> String {
        gate(text).map_or_else(|why| format!("NOT: {why}"), |(_, g)| g.require[0].clone())
    }

    #[test]
    fn criteria_are_turned_round() {
        assert_eq!(require("avg-rt>150ms"), "mean <= 150ms");
        assert_eq!(require("p90 >= 2s"), "p90 < 2s");
        assert_eq!(
            require("fail>50% for 10s, stop as failed"),
            "failure_ratio <= 50% within 10s"
        );
        assert_eq!(
            require("rc500>20 over 5s"),
            "count(status=500) <= 20 within 5s"
        );
        assert_eq!(require("rc5??>10%"), "ratio(status=5xx) <= 10%");
        assert_eq!(require("hits<100"), "requests >= 100");
        assert_eq!(require("p99>1"), "p99 <= 1s");
        assert!(require("avg-lt>1s").starts_with("NOT: "));
        assert!(require("rubbish").starts_with("NOT: "));
    }

    #[test]
    fn labels_and_actions() {
        let (_, gate) =
            gate("avg-rt of Sample Label>150ms for 10s, continue as non-failed").expect("known");
        assert_eq!(gate.on.as_deref(), Some("Sample Label"));
        assert!(gate.warn);
    }

    #[test]
    fn all_forms_of_a_file() {
        let text = "reporting:\n- module: passfail\n  criteria:\n  - avg-rt>150ms\n  - subject: p95\n    label: login\n    condition: '>'\n    threshold: 1s\n    stop: false\n- module: passfail\n  criteria:\n    My Message: fail>1%\n";
        let found = criteria(text).expect("criteria");
        let lines: Vec<usize> = found.iter().map(|t| t.line).collect();
        assert_eq!(lines, [4, 5, 12]);
        assert_eq!(found[2].subject, "My Message");
        assert_eq!(found[1].text, "p95 of login>1s, continue as failed");
        let old = "services:\n- module: fail-criteria\n  criterias:\n  - fail>50% for 10s, stop as failed\n";
        assert_eq!(criteria(old).expect("criteria").len(), 1);
        assert_eq!(criteria("a: [").expect_err("no YAML").code, "bad-line");
        assert_eq!(criteria("a: 1").expect_err("none").code, "no-thresholds");
    }
}
