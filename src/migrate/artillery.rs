//! Artillery: `ensure`, its thresholds and conditions, and the older short form.
//!
//! <https://www.artillery.io/docs/reference/extensions/ensure>

use super::yaml::{self, Node};
use super::{Carried, Found, NewGate, Threshold, Unreadable};

/// Everything that is ensured.
pub fn ensured(text: &str) -> Found {
    let mut found = Vec::new();
    for document in yaml::documents(text)? {
        let mut all = Vec::new();
        yaml::everywhere(&document, "ensure", &mut all);
        for ensure in all {
            section(ensure, &mut found);
        }
    }
    found.sort_by_key(|threshold| threshold.line);
    if found.is_empty() {
        return Err(Unreadable::nothing_found(
            "name the YAML that holds `config.ensure`",
        ));
    }
    Ok(found)
}

fn section(ensure: &Node<'_>, found: &mut Vec<Threshold>) {
    for (key, value) in yaml::members(ensure) {
        match key.as_str() {
            "thresholds" => {
                for item in yaml::items(value) {
                    for (metric, limit) in yaml::members(item) {
                        let limit = yaml::text(limit).unwrap_or_default();
                        push(found, item, &format!("{metric} < {limit}"), false);
                    }
                }
            }
            "conditions" => {
                for item in yaml::items(value) {
                    let part = |name| yaml::member(item, name).and_then(yaml::text);
                    let is_lax = part("strict").as_deref() == Some("false");
                    push(found, item, &part("expression").unwrap_or_default(), is_lax);
                }
            }
            // `maxErrorRate: 1` is in percent; a run at the limit passes.
            "maxErrorRate" => {
                let limit = yaml::text(value).unwrap_or_default();
                push(found, value, &format!("failure_ratio <= {limit}%"), false);
            }
            key => {
                let limit = yaml::text(value).unwrap_or_default();
                push(
                    found,
                    value,
                    &format!("http.response_time.{key} <= {limit}"),
                    false,
                );
            }
        }
    }
}

fn push(found: &mut Vec<Threshold>, node: &Node<'_>, text: &str, is_lax: bool) {
    let carried = match gate(text) {
        Ok(mut gate) => {
            gate.warn = is_lax;
            Carried::Gate(gate)
        }
        Err(why) => Carried::Not(why),
    };
    found.push(Threshold {
        line: yaml::line(node),
        subject: text
            .split([' ', '<', '>', '='])
            .next()
            .unwrap_or_default()
            .to_owned(),
        text: text.to_owned(),
        carried,
    });
}

/// `a < 1 and b > 2` as a gate.
fn gate(text: &str) -> Result<NewGate, String> {
    if text.contains(['(', ')']) {
        return Err("brackets group what one gate cannot; write a gate for each part".to_owned());
    }
    let lower = text.to_ascii_lowercase();
    let (is_all, is_any) = (lower.contains(" and "), lower.contains(" or "));
    if is_all && is_any {
        return Err("a gate joins its requirements by `and` or by `or`, not by both".to_owned());
    }
    let joint = if is_any { " or " } else { " and " };
    let mut require = Vec::new();
    let (mut rest, mut lower) = (text, lower.as_str());
    while let Some(at) = lower.find(joint) {
        require.push(requirement(&rest[..at])?);
        (rest, lower) = (&rest[at + joint.len()..], &lower[at + joint.len()..]);
    }
    require.push(requirement(rest)?);
    Ok(NewGate {
        any: is_any,
        require,
        ..NewGate::default()
    })
}

fn requirement(text: &str) -> Result<String, String> {
    let at = text
        .find(['<', '>', '='])
        .ok_or_else(|| format!("`{}` is no comparison", text.trim()))?;
    let signs = text[at..]
        .chars()
        .take_while(|c| matches!(c, '<' | '>' | '='))
        .count();
    let (metric, limit) = (text[..at].trim(), text[at + signs..].trim());
    let comparator = match &text[at..at + signs] {
        "=" | "==" => "==",
        sign @ ("<" | "<=" | ">" | ">=") => sign,
        sign => return Err(format!("`{sign}` has no counterpart")),
    };
    let bare = limit.trim_end_matches('%');
    if bare.parse::<f64>().is_err() {
        return Err(format!("`{limit}` is not a number"));
    }
    let (metric, unit) = metric_of(metric)?;
    let unit = if limit.ends_with('%') { "%" } else { unit };
    Ok(format!("{metric} {comparator} {bare}{unit}"))
}

/// Our metric and the unit of its limits.
fn metric_of(name: &str) -> Result<(String, &'static str), String> {
    let name = name.strip_prefix("engine.").unwrap_or(name);
    if let Some(statistic) = name.strip_prefix("http.response_time.") {
        let metric = match statistic {
            "min" | "max" | "mean" | "median" => statistic.to_owned(),
            "p999" => "p99.9".to_owned(),
            p if p
                .strip_prefix('p')
                .is_some_and(|n| n.parse::<u8>().is_ok_and(|n| (1..100).contains(&n))) =>
            {
                p.to_owned()
            }
            _ => {
                return Err(format!(
                    "`{name}` has no counterpart: response times are not kept apart by status"
                ));
            }
        };
        return Ok((metric, "ms"));
    }
    if let Some(status) = name
        .strip_prefix("http.codes.")
        .filter(|s| s.parse::<u16>().is_ok())
    {
        return Ok((format!("count(status={status})"), ""));
    }
    match name {
        "failure_ratio" => Ok((name.to_owned(), "")),
        "http.requests" | "http.responses" => Ok(("requests".to_owned(), "")),
        "http.request_rate" => Ok(("rps".to_owned(), "")),
        name if name.starts_with("vusers.") => {
            Err("loadgate measures requests, not virtual users' sessions".to_owned())
        }
        name => Err(format!("`{name}` has no counterpart")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        let text = "config:\n  ensure:\n    thresholds:\n      - http.response_time.p95: 250\n      - vusers.failed: 1\n    conditions:\n      - expression: http.response_time.p99 < 500 and http.request_rate > 10\n        strict: false\n      - expression: http.codes.500 == 0 or http.requests < 5\n    maxErrorRate: 1\n    p95: 200\n";
        let found = ensured(text).expect("ensured");
        let gates: Vec<(usize, Option<&NewGate>)> = found
            .iter()
            .map(|t| match &t.carried {
                Carried::Gate(gate) => (t.line, Some(gate)),
                Carried::Not(_) => (t.line, None),
            })
            .collect();
        assert_eq!(gates[0], (4, Some(&NewGate::new("p95 < 250ms"))));
        assert_eq!(gates[1], (5, None));
        let lax = gates[2].1.expect("a gate");
        assert!(lax.warn && lax.require == ["p99 < 500ms", "rps > 10"]);
        let any = gates[3].1.expect("a gate");
        assert!(any.any && any.require == ["count(status=500) == 0", "requests < 5"]);
        assert_eq!(gates[4], (10, Some(&NewGate::new("failure_ratio <= 1%"))));
        assert_eq!(gates[5], (11, Some(&NewGate::new("p95 <= 200ms"))));
    }

    #[test]
    fn what_cannot_be_said_is_not() {
        assert!(gate("(a < 1 or b < 2) and c < 3").is_err());
        assert!(gate("http.requests < 1 or http.requests < 2 and http.requests < 3").is_err());
        assert!(gate("http.response_time.2xx.p95 < 3").is_err());
        assert!(gate("").is_err());
    }
}
