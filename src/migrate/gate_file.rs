//! The thresholds of another tool, written as a gate file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Carried, NewGate, Threshold};
use crate::cli::project::Tool;
use crate::visible;

/// The gate file.
pub fn render(tool: Tool, file: &str, found: &[Threshold]) -> String {
    let name = match tool {
        Tool::K6 => "k6",
        Tool::Taurus => "Taurus",
        Tool::Artillery => "Artillery",
    };
    let mut text = format!("# Thresholds of {name}, from {}.\n", one_line(file));
    let _ = writeln!(text, "# {}", sentence(found));
    text.push_str(
        "#\n# loadgate judges after the run: it stops no test. A gate whose figure is missing is undecided, which is no pass.\n",
    );
    let mut ids = BTreeSet::new();
    for threshold in found {
        let _ = write!(
            text,
            "\n# {file}:{}: ",
            threshold.line,
            file = one_line(file)
        );
        let _ = writeln!(text, "{}", one_line(&threshold.text));
        match &threshold.carried {
            Carried::Gate(gate) => {
                let id = unique(&threshold.subject, &mut ids);
                write_gate(&mut text, &id, gate);
            }
            Carried::Not(why) => {
                let _ = writeln!(text, "# NOT CARRIED OVER: {}", one_line(why));
            }
        }
    }
    text
}

/// `3 of 4 thresholds carried over; look for NOT CARRIED OVER`.
pub fn sentence(found: &[Threshold]) -> String {
    let lost = found
        .iter()
        .filter(|t| matches!(t.carried, Carried::Not(_)))
        .count();
    let carried = found.len() - lost;
    if lost == 0 {
        format!("{carried} of {carried} thresholds carried over")
    } else {
        format!(
            "{carried} of {} thresholds carried over; look for NOT CARRIED OVER",
            found.len()
        )
    }
}

fn write_gate(text: &mut String, id: &str, gate: &NewGate) {
    for note in &gate.notes {
        let _ = writeln!(text, "# {}", one_line(note));
    }
    let _ = writeln!(text, "[[gate]]\nid = {}", quoted(id));
    let key = if gate.any { "any" } else { "require" };
    match gate.require.as_slice() {
        [one] => {
            let _ = writeln!(text, "{key} = {}", quoted(one));
        }
        several => {
            let list: Vec<String> = several.iter().map(|r| quoted(r)).collect();
            let _ = writeln!(text, "{key} = [{}]", list.join(", "));
        }
    }
    if let Some(on) = &gate.on {
        let _ = writeln!(text, "on = {}", quoted(on));
    }
    if gate.warn {
        text.push_str("level = \"warn\"\n");
    }
}

/// An id of letters, digits and dashes that no gate has yet.
pub fn unique(subject: &str, ids: &mut BTreeSet<String>) -> String {
    let slug: String = subject
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let parts: Vec<&str> = slug.split('-').filter(|part| !part.is_empty()).collect();
    let base = if parts.is_empty() {
        "gate".to_owned()
    } else {
        parts.join("-")
    };
    let mut id = base.clone();
    let mut number = 2;
    while !ids.insert(id.clone()) {
        id = format!("{base}-{number}");
        number += 1;
    }
    id
}

/// A TOML basic string, in which nothing is hidden and nothing is an order to a CI system.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (c, seen) in visible::characters(text) {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if seen.chars().ne([c]) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Text that stays on its comment's line.
pub fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    visible::text(&words.join(" ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_a_name() {
        let found = [Threshold {
            line: 3,
            subject: "x\"]\n[run]".to_owned(),
            text: "a\n[run]".to_owned(),
            carried: Carried::Gate(NewGate {
                on: Some("\"\\\n\u{7f}".to_owned()),
                ..NewGate::new("p95 < 1s")
            }),
        }];
        let text = render(Tool::K6, "a\nb.js", &found);
        let config = crate::config::parse(&text, "x").expect(&text);
        assert_eq!(config.gates.len(), 1);
        assert_eq!(config.gates[0].id, "x-run");
    }

    #[test]
    fn ids_differ() {
        let mut ids = BTreeSet::new();
        assert_eq!(unique("http_req_duration", &mut ids), "http-req-duration");
        assert_eq!(unique("http_req_duration", &mut ids), "http-req-duration-2");
        assert_eq!(unique("{}", &mut ids), "gate");
    }
}
