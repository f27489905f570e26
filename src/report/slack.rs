//! A Slack message: `curl -H 'content-type: application/json' -d @slack.json "$WEBHOOK"`.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks>: 50 blocks, 150 characters in a header, 3000 in a text. Whatever comes
//! from the run is `plain_text`, in which nothing is markup and nobody is mentioned.

use serde_json::{Value, json};

use crate::analysis::Analysis;
use crate::report::alarm::{Severity, alarms, plain};
use crate::report::json;
use crate::report::no_verdict::NoVerdict;
use crate::report::terminal::facts;

const LONGEST_HEADER: usize = 150;
const LONGEST_TEXT: usize = 3000;
/// Verdicts shown one by one: a message is read on a phone.
const MOST: usize = 10;

/// Renders the message.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let outcome = &analysis.outcome;
    let symbol = match outcome.verdict {
        "pass" => "✅",
        "fail" => "❌",
        _ => "❓",
    };
    let header = plain(&format!("{symbol} {}", outcome.sentence()), LONGEST_HEADER);
    let facts = facts(&analysis.summary);
    let mut blocks = vec![
        json!({ "type": "header", "text": text(&header, LONGEST_HEADER) }),
        json!({ "type": "section", "text": text(&facts, LONGEST_TEXT) }),
    ];
    let alarms = alarms(analysis);
    for alarm in alarms.iter().take(MOST) {
        let symbol = match alarm.severity {
            Severity::Failed => "✗",
            Severity::Undecided => "?",
            Severity::Warning => "!",
        };
        let words = format!(
            "{symbol} {}\n{}",
            plain(&alarm.title(), 300),
            plain(&alarm.text(), 2000)
        );
        blocks.push(json!({ "type": "section", "text": lines(&words, LONGEST_TEXT) }));
    }
    if alarms.len() > MOST {
        let more = format!("and {} more that did not pass", alarms.len() - MOST);
        blocks.push(json!({ "type": "context", "elements": [text(&more, LONGEST_TEXT)] }));
    }
    // The text is what notifications show; links and mentions in it are off.
    let message = json!({ "text": header, "blocks": blocks, "unfurl_links": false });
    json::pretty(&message)
}

/// The message of no verdict.
pub fn no_verdict(why: &NoVerdict) -> anyhow::Result<String> {
    let header = plain(&format!("⛔ {}", why.sentence()), LONGEST_HEADER);
    let mut blocks = vec![json!({ "type": "header", "text": text(&header, LONGEST_HEADER) })];
    for problem in why.problems.iter().take(MOST) {
        blocks.push(json!({ "type": "section", "text": text(&problem.short(), LONGEST_TEXT) }));
    }
    let more = why.problems.len().saturating_sub(MOST);
    if more > 0 {
        let more = format!("and {more} more problems");
        blocks.push(json!({ "type": "context", "elements": [text(&more, LONGEST_TEXT)] }));
    }
    let message = json!({ "text": header, "blocks": blocks, "unfurl_links": false });
    json::pretty(&message)
}

fn text(words: &str, longest: usize) -> Value {
    lines(&plain(words, longest), longest)
}

fn lines(words: &str, longest: usize) -> Value {
    let kept: String = words.chars().take(longest).collect();
    json!({ "type": "plain_text", "text": kept, "emoji": false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn within_the_limits_of_block_kit() {
        let mut analysis = fixture::analysis(50);
        let failed = analysis.verdicts[1].clone();
        analysis.verdicts.extend(std::iter::repeat_n(failed, 100));
        analysis.verdicts[1].because = "x".repeat(10_000);
        let more = format!(
            "and {} more that did not pass",
            alarms(&analysis).len() - MOST
        );
        let message: Value =
            serde_json::from_str(&render(&analysis).expect("renders")).expect("JSON");
        let blocks = message["blocks"].as_array().expect("blocks");
        assert_eq!(blocks.len(), 2 + MOST + 1);
        for block in blocks {
            let longest = if block["type"] == "header" { 150 } else { 3000 };
            let part = if block["type"] == "context" {
                &block["elements"][0]
            } else {
                &block["text"]
            };
            assert_eq!(part["type"], "plain_text");
            let length = part["text"].as_str().expect("a text").chars().count();
            assert!((1..=longest).contains(&length), "{length}");
        }
        assert_eq!(blocks[2 + MOST]["elements"][0]["text"], more.as_str());
    }
}
