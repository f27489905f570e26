//! k6: `options.thresholds`, of a script or of a JSON configuration.
//!
//! <https://grafana.com/docs/k6/latest/using-k6/thresholds/>

use crate::gate::selector::exactly;

use super::javascript::{Literal, Node, values_of};
use super::{Carried, Found, NewGate, Threshold, Unreadable};

const EXPRESSION: &str = "only running the script would tell what this is; write the gate by hand";

/// Every threshold of the script.
pub fn thresholds(script: &str) -> Found {
    let mut found = Vec::new();
    let mut values = values_of(script, &|name| name == "thresholds");
    if values.is_empty() {
        // A file of presets, which scripts import: `smokeThresholds`, `THRESHOLDS`.
        values = values_of(script, &|name| {
            name.to_ascii_lowercase().ends_with("thresholds")
        });
    }
    for node in values {
        match node.literal {
            Literal::Object(metrics) => {
                for (metric, node) in metrics {
                    of_metric(&metric, &node, &mut found);
                }
            }
            _ => found.push(lost("thresholds", &node, &node.source, EXPRESSION)),
        }
    }
    if found.is_empty() {
        return Err(Unreadable::nothing_found(
            "name the script or JSON that holds `options.thresholds`",
        ));
    }
    Ok(found)
}

fn of_metric(metric: &str, node: &Node, found: &mut Vec<Threshold>) {
    match &node.literal {
        Literal::Array(items) => {
            for item in items {
                of_metric(metric, item, found);
            }
        }
        Literal::Text(expression) => found.push(one(metric, expression, node, Vec::new())),
        Literal::Object(members) => {
            let member = |name: &str| {
                members
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, node)| node)
            };
            let stops = member("abortOnFail").is_some_and(|n| n.literal != Literal::Bool(false));
            let notes = if stops {
                vec![
                    "k6 stopped the test when this failed (abortOnFail); loadgate only judges"
                        .to_owned(),
                ]
            } else {
                Vec::new()
            };
            match member("threshold").map(|n| &n.literal) {
                Some(Literal::Text(expression)) => found.push(one(metric, expression, node, notes)),
                _ => found.push(lost(metric, node, &node.source, EXPRESSION)),
            }
        }
        Literal::Bool(_) | Literal::Other => {
            found.push(lost(metric, node, &node.source, EXPRESSION));
        }
    }
}

fn lost(subject: &str, node: &Node, text: &str, why: &str) -> Threshold {
    Threshold {
        line: node.line,
        subject: subject.to_owned(),
        text: text.to_owned(),
        carried: Carried::Not(why.to_owned()),
    }
}

fn one(metric: &str, expression: &str, node: &Node, notes: Vec<String>) -> Threshold {
    let text = format!("{metric}: {expression}");
    match gate(metric, expression) {
        Ok(mut gate) => {
            gate.notes.extend(notes);
            let carried = Carried::Gate(gate);
            Threshold {
                line: node.line,
                subject: metric.to_owned(),
                text,
                carried,
            }
        }
        Err(why) => lost(metric, node, &text, &why),
    }
}

/// `http_req_duration{name:login}` and `p(95)<500` as a gate.
fn gate(metric: &str, expression: &str) -> Result<NewGate, String> {
    let (base, tags) = match metric.split_once('{') {
        Some((base, tags)) => (base.trim(), tags.trim_end().trim_end_matches('}')),
        None => (metric.trim(), ""),
    };
    let (aggregate, comparator, limit) = parts(expression)
        .ok_or_else(|| format!("`{expression}` is not an aggregate, a comparison and a number"))?;
    let (require, note) = requirement(base, aggregate, comparator, limit)?;
    let (on, tag_note) = selector(tags)?;
    Ok(NewGate {
        on,
        notes: note.into_iter().chain(tag_note).collect(),
        ..NewGate::new(require)
    })
}

fn parts(expression: &str) -> Option<(&str, &'static str, f64)> {
    const COMPARATORS: &[(&str, &str)] = &[
        ("===", "=="),
        ("==", "=="),
        ("<=", "<="),
        (">=", ">="),
        ("<", "<"),
        (">", ">"),
    ];
    let (at, (sign, ours)) = COMPARATORS
        .iter()
        .filter_map(|pair| Some((expression.find(pair.0)?, *pair)))
        .min_by_key(|(at, pair)| (*at, std::cmp::Reverse(pair.0.len())))?;
    let limit: f64 = expression[at + sign.len()..].trim().parse().ok()?;
    limit
        .is_finite()
        .then_some((expression[..at].trim(), ours, limit))
}

/// The requirement, and what is not quite the same.
fn requirement(
    base: &str,
    aggregate: &str,
    comparator: &str,
    limit: f64,
) -> Result<(String, Option<String>), String> {
    let plain =
        |metric: &str, unit: &str| Ok((format!("{metric} {comparator} {limit}{unit}"), None));
    let time = || {
        time_metric(aggregate)
            .ok_or_else(|| format!("k6's `{aggregate}` of a time has no counterpart"))
    };
    match (base, aggregate) {
        ("http_req_duration" | "grpc_req_duration", _) => plain(&time()?, "ms"),
        ("http_req_failed", "rate") => plain("failure_ratio", ""),
        ("http_req_failed", "count" | "passes") => plain("failures", ""),
        ("http_reqs" | "grpc_reqs", "count") => plain("requests", ""),
        ("http_reqs" | "grpc_reqs", "rate") => plain("rps", ""),
        ("vus" | "vus_max", "value" | "max") => plain("users", ""),
        ("checks", _) => Err("checks are not requests; let the load script fail the request instead, and limit `failure_ratio`".to_owned()),
        ("iterations" | "iteration_duration" | "dropped_iterations", _) => {
            Err("loadgate measures requests, not iterations of the script".to_owned())
        }
        ("data_received" | "data_sent", _) => Err("loadgate does not measure traffic; `sum(response_length)` needs that field under another name".to_owned()),
        (name, _) if name.starts_with("http_req_") || name.starts_with("browser_") || name.starts_with("ws_") => {
            Err(format!("`{name}` is a part of a request that no request log holds; `http_req_duration` is the whole"))
        }
        (name, "rate") => Err(format!("`{name}` is a rate of the script's own; only failures can be counted")),
        (name, _) => {
            let field = time_metric(aggregate).map(|a| a.replace("median", "p50"));
            let field = field.or_else(|| (aggregate == "count").then(|| "sum".to_owned()));
            let aggregate = field.ok_or_else(|| format!("k6's `{aggregate}` of `{name}` has no counterpart"))?;
            let note = format!("`{name}` is a metric of the script's own: the request log must hold a number of that name");
            Ok((format!("{aggregate}({name}) {comparator} {limit}"), Some(note)))
        }
    }
}

/// `p(95)` → `p95`.
fn time_metric(aggregate: &str) -> Option<String> {
    let named = match aggregate {
        "avg" => "mean",
        "med" => "median",
        "min" => "min",
        "max" => "max",
        _ => {
            let percent = aggregate.strip_prefix("p(")?.strip_suffix(')')?.trim();
            let value: f64 = percent.parse().ok()?;
            return (value > 0.0 && value <= 100.0).then(|| format!("p{percent}"));
        }
    };
    Some(named.to_owned())
}

/// The endpoints that tags choose.
fn selector(tags: &str) -> Result<(Option<String>, Option<String>), String> {
    let (mut on, mut note) = (None, None);
    for tag in tags.split(',').map(str::trim).filter(|t| !t.is_empty()) {
        let (key, value) = tag.split_once(':').unwrap_or((tag, ""));
        let value = value.trim().trim_matches(['"', '\'']);
        match key.trim() {
            "name" | "url" if on.is_none() => on = Some(exactly(value)),
            "method" if on.is_none() => on = Some(format!("{value} *")),
            "expected_response" if value == "true" => {
                note = Some(
                    "k6 judged expected responses only; loadgate's response times include failures"
                        .to_owned(),
                );
            }
            key => {
                return Err(format!(
                    "the tag `{key}` chooses requests that loadgate cannot tell apart"
                ));
            }
        }
    }
    Ok((on, note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn require(metric: &str, expression: &str) -> String {
        gate(metric, expression).map_or_else(|why| format!("NOT: {why}"), |g| g.require[0].clone())
    }

    #[test]
    fn built_in_metrics() {
        assert_eq!(require("http_req_duration", "p(95)<500"), "p95 < 500ms");
        assert_eq!(
            require("http_req_duration", "p(99.9) <= 1.5"),
            "p99.9 <= 1.5ms"
        );
        assert_eq!(require("http_req_duration", "med<200"), "median < 200ms");
        assert_eq!(require("http_req_duration", "avg<200"), "mean < 200ms");
        assert_eq!(
            require("http_req_failed", "rate<0.01"),
            "failure_ratio < 0.01"
        );
        assert_eq!(require("http_reqs", "rate>50"), "rps > 50");
        assert_eq!(require("http_reqs", "count>=1000"), "requests >= 1000");
        assert!(require("checks", "rate>0.9").starts_with("NOT: checks"));
        assert!(require("http_req_waiting", "p(95)<1").starts_with("NOT: `http_req_waiting`"));
        assert!(require("http_req_duration", "p(95)<abc").starts_with("NOT: "));
        assert_eq!(require("rows", "max<900"), "max(rows) < 900");
    }

    #[test]
    fn tags_become_selectors() {
        let on = |metric: &str| gate(metric, "p(95)<500").map(|gate| gate.on);
        assert_eq!(
            on("http_req_duration{name:login}"),
            Ok(Some("login".to_owned()))
        );
        assert_eq!(
            on("http_req_duration{method:GET}"),
            Ok(Some("GET *".to_owned()))
        );
        assert_eq!(on("http_req_duration{expected_response:true}"), Ok(None));
        assert!(on("http_req_duration{scenario:a}").is_err());
        assert!(on("http_req_duration{name:a,status:200}").is_err());
    }

    #[test]
    fn a_file_of_presets() {
        let script = "export const smokeThresholds = {\n  http_reqs: ['rate>5'],\n};\n\nexport const THRESHOLDS = { http_reqs: ['rate>9'] };";
        let found = thresholds(script).expect("thresholds");
        assert_eq!(found.iter().map(|t| t.line).collect::<Vec<_>>(), [2, 5]);
        // Where it is only imported there is nothing to read.
        let found =
            thresholds("export const options = { thresholds: smokeThresholds };").expect("one");
        assert!(matches!(found[0].carried, Carried::Not(_)));
    }

    #[test]
    fn a_script_with_all_forms() {
        let script = "export const options = {\n  thresholds: {\n    http_req_duration: ['p(95)<500', { threshold: 'p(99)<1000', abortOnFail: true }],\n    'http_req_failed': 'rate<0.01',\n    checks: [LIMIT],\n  },\n};";
        let found = thresholds(script).expect("thresholds");
        assert_eq!(
            found.iter().map(|t| t.line).collect::<Vec<_>>(),
            [3, 3, 4, 5]
        );
        let lost = |t: &Threshold| matches!(t.carried, Carried::Not(_));
        assert_eq!(
            found.iter().map(lost).collect::<Vec<_>>(),
            [false, false, false, true]
        );
        assert_eq!(
            thresholds("export default function () {}")
                .expect_err("none")
                .code,
            "no-thresholds"
        );
    }
}
