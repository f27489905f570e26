//! Text that others chose, made to be seen and to do nothing else.
//!
//! Endpoint names, error messages, labels and file names come from the system under test, and so from anybody. A terminal
//! obeys escape sequences, a CI system obeys lines of its job's log, and marks that turn the reading direction let a text be
//! read as another. Two functions stand between:
//!
//! * [`text`] for a piece of text, before it is put into a report: each such character becomes its number, `⟨001B⟩`;
//! * [`lines`] for all that goes to a terminal or a log, on its way out: it knows where lines begin.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What [`painted`] may put around a text, and nobody else.
const COLORS: [&str; 4] = ["\u{1b}[1;31m", "\u{1b}[1;32m", "\u{1b}[1;33m", "\u{1b}[0m"];

/// Whether a character cannot be seen, turns the reading direction, or is an order to a terminal.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A text with all of its characters to be seen: what cannot be seen as its number, and no order to a CI system in it.
pub fn text(text: &str) -> Cow<'_, str> {
    if orders(text).is_empty() && !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(characters(text).map(|(_, seen)| seen).collect())
}

/// Every character of a text, and how it is seen.
pub fn characters(text: &str) -> impl Iterator<Item = (char, String)> {
    let ordered = orders(text);
    text.char_indices().map(move |(at, c)| {
        let mut seen = String::new();
        if is_hidden(c) || ordered.contains(&at) {
            number(&mut seen, c);
        } else {
            seen.push(c);
        }
        (c, seen)
    })
}

/// Lines for a terminal or a job's log, on their way out: as [`text`], but line ends and tabs stay, and no line begins with
/// `::`, which GitHub obeys.
pub fn lines(text: &str) -> Cow<'_, str> {
    harmless(text, &[])
}

/// As [`lines`], but the colours of [`painted`] stay: for reports whose every text went through [`text`].
pub fn lines_in_color(text: &str) -> Cow<'_, str> {
    harmless(text, &COLORS)
}

fn harmless<'t>(text: &'t str, colors: &[&str]) -> Cow<'t, str> {
    let is_harmless = |line: &str| {
        !line.contains(|c| is_hidden(c) && c != '\t')
            && orders(line).is_empty()
            && !line.trim_start().starts_with("::")
    };
    if text.split('\n').all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len() + 64);
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            seen.push('\n');
        }
        harmless_line(&mut seen, line, colors);
    }
    Cow::Owned(seen)
}

fn harmless_line(seen: &mut String, line: &str, colors: &[&str]) {
    let mut ordered = orders(line);
    let begin = line.len() - line.trim_start().len();
    if line[begin..].starts_with("::") {
        ordered.push(begin);
    }
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        if let Some(color) = colors.iter().find(|color| line[at..].starts_with(**color)) {
            seen.push_str(color);
            at += color.len();
            continue;
        }
        if (is_hidden(c) && c != '\t') || ordered.contains(&at) {
            number(seen, c);
        } else {
            seen.push(c);
        }
        at += c.len_utf8();
    }
}

/// A text in the colour of a verdict, if colours are wanted: the only escape sequences that reach a terminal.
pub fn painted(words: &str, verdict: &str, color: bool) -> String {
    let words = text(words);
    if !color {
        return words.into_owned();
    }
    let paint = match verdict {
        "fail" => COLORS[0],
        "pass" => COLORS[1],
        _ => COLORS[2],
    };
    format!("{paint}{words}{}", COLORS[3])
}

/// Where orders to a CI system begin: `##vso[`, `##[`, `##teamcity[`. Azure and `TeamCity` look for them in the middle
/// of a line, too.
fn orders(text: &str) -> Vec<usize> {
    let before_name = |at: usize| {
        let before = &text[..at];
        before.trim_end_matches(|c: char| c.is_ascii_alphanumeric())
    };
    text.match_indices('[')
        .filter_map(|(at, _)| Some(before_name(at).strip_suffix("##")?.len()))
        .collect()
}

fn number(seen: &mut String, c: char) {
    let _ = write!(seen, "⟨{:04X}⟩", u32::from(c));
}

/// JSON that means the same, with nothing in it that a terminal or a CI system obeys: what is hidden, and the first sign of
/// an order, as `\uXXXX`. Between the texts of JSON there is nothing of either kind.
pub fn json(json: &str) -> Cow<'_, str> {
    let ordered = orders(json);
    let is_hidden_in_text = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t' | '\r');
    if ordered.is_empty() && !json.contains(is_hidden_in_text) {
        return Cow::Borrowed(json);
    }
    let mut seen = String::with_capacity(json.len() + 64);
    for (at, c) in json.char_indices() {
        if is_hidden_in_text(c) || ordered.contains(&at) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(seen, "\\u{unit:04x}");
            }
        } else {
            seen.push(c);
        }
    }
    Cow::Owned(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_told() {
        assert_eq!(text("a\nb\u{202e}c\u{1b}[31m"), "a⟨000A⟩b⟨202E⟩c⟨001B⟩[31m");
        assert_eq!(text("\u{9b}31m\u{200d}\u{feff}"), "⟨009B⟩31m⟨200D⟩⟨FEFF⟩");
        assert!(matches!(text("Zürich שלום ⚠️"), Cow::Borrowed(_)));
    }

    #[test]
    fn no_order_to_a_ci_system_is_left() {
        for order in [
            "##vso[task.complete result=Succeeded]",
            "##[error]x",
            "##teamcity[buildStop]",
            "###[error]",
            "####vso[x]",
            "say ##VSO[x] and ##[y]",
        ] {
            for seen in [text(order), lines(order)] {
                let lower = seen.to_lowercase();
                for mark in ["##vso[", "##[", "##teamcity["] {
                    assert!(!lower.contains(mark), "{order}: {seen}");
                }
            }
            let json = serde_json::to_string(order).expect("is JSON");
            let safe = super::json(&json);
            assert!(orders(&safe).is_empty(), "{safe}");
            let back: String = serde_json::from_str(&safe).expect("is JSON");
            assert_eq!(back, order);
        }
        assert_eq!(text("## heading"), "## heading");
    }

    #[test]
    fn no_line_is_a_workflow_command() {
        assert_eq!(
            lines("a :: b\n::error::c\n \u{a0}::add-mask::d\n"),
            "a :: b\n⟨003A⟩:error::c\n \u{a0}⟨003A⟩:add-mask::d\n"
        );
        assert_eq!(lines("a\r::stop-commands::x"), "a⟨000D⟩::stop-commands::x");
    }

    #[test]
    fn only_our_own_colours_pass() {
        let line = format!(
            "{} \u{1b}[2J\u{1b}]8;;http://x\u{7}\n",
            painted("ok\u{1b}[0m", "pass", true)
        );
        assert_eq!(
            lines_in_color(&line),
            "\u{1b}[1;32mok⟨001B⟩[0m\u{1b}[0m ⟨001B⟩[2J⟨001B⟩]8;;http://x⟨0007⟩\n"
        );
    }

    #[test]
    fn without_colours_none_passes() {
        assert_eq!(lines("\u{1b}[1;31mred"), "⟨001B⟩[1;31mred");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({"a\u{202e}": "##vso[x]\u{9b}\u{e0041}\n"});
        let pretty = serde_json::to_string_pretty(&value).expect("is JSON");
        let safe = json(&pretty);
        assert!(safe.chars().all(|c| c == '\n' || !is_hidden(c)), "{safe}");
        let back: serde_json::Value = serde_json::from_str(&safe).expect("is JSON");
        assert_eq!(back, value);
    }
}
