//! A Microsoft Teams message: an Adaptive Card for a workflow's webhook, by the user's own `curl`.
//!
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>: at most 28 KB. Text of
//! the run stands in `TextRun`s, which know no Markdown.

use serde_json::{Value, json};

use crate::analysis::Analysis;
use crate::report::alarm::{Severity, alarms, plain};
use crate::report::json;
use crate::report::no_verdict::NoVerdict;
use crate::report::terminal::facts;

/// Verdicts shown one by one; with [`LONGEST`] they stay below 28 KB.
const MOST: usize = 10;
const LONGEST: usize = 400;

/// Renders the message.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let outcome = &analysis.outcome;
    let color = match outcome.verdict {
        "pass" => "Good",
        "fail" => "Attention",
        _ => "Warning",
    };
    let mut body = vec![
        json!({
            "type": "TextBlock", "size": "Large", "weight": "Bolder", "wrap": true, "color": color,
            "text": unmarked(&plain(&outcome.sentence(), LONGEST)),
        }),
        words(&facts(&analysis.summary), "Default", "Default"),
    ];
    let alarms = alarms(analysis);
    for alarm in alarms.iter().take(MOST) {
        let color = match alarm.severity {
            Severity::Failed => "Attention",
            Severity::Undecided | Severity::Warning => "Warning",
        };
        body.push(words(&alarm.title(), color, "Bolder"));
        body.push(words(&alarm.text(), "Default", "Default"));
    }
    if alarms.len() > MOST {
        let more = format!("and {} more that did not pass", alarms.len() - MOST);
        body.push(words(&more, "Default", "Default"));
    }
    card(&outcome.sentence(), &body)
}

/// The message of no verdict.
pub fn no_verdict(why: &NoVerdict) -> anyhow::Result<String> {
    let mut body = vec![words(&why.sentence(), "Attention", "Bolder")];
    for problem in why.problems.iter().take(MOST) {
        body.push(words(&problem.short(), "Default", "Default"));
    }
    let more = why.problems.len().saturating_sub(MOST);
    if more > 0 {
        body.push(words(
            &format!("and {more} more problems"),
            "Default",
            "Default",
        ));
    }
    card(&why.sentence(), &body)
}

fn card(sentence: &str, body: &[Value]) -> anyhow::Result<String> {
    let message = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": plain(sentence, LONGEST),
                "msteams": { "width": "Full" },
                "body": body,
            },
        }],
    });
    json::pretty(&message)
}

/// A `TextBlock` knows some Markdown: what would be it, is escaped.
fn unmarked(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        if matches!(
            c,
            '*' | '_' | '[' | ']' | '(' | ')' | '\\' | '`' | '<' | '>' | '#'
        ) {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

fn words(text: &str, color: &str, weight: &str) -> Value {
    let run = json!({ "type": "TextRun", "text": plain(text, LONGEST), "color": color, "weight": weight });
    json!({ "type": "RichTextBlock", "inlines": [run] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn below_what_teams_takes() {
        let mut analysis = fixture::analysis(50);
        analysis.verdicts[1].because = "漢".repeat(10_000);
        let failed = analysis.verdicts[1].clone();
        analysis.verdicts.extend(std::iter::repeat_n(failed, 100));
        let text = render(&analysis).expect("renders");
        assert!(text.len() < 28_000, "{} bytes", text.len());
        let message: Value = serde_json::from_str(&text).expect("JSON");
        let card = &message["attachments"][0]["content"];
        assert_eq!(card["type"], "AdaptiveCard");
        assert_eq!(
            card["body"].as_array().map(Vec::len),
            Some(2 + 2 * MOST + 1)
        );
        assert_eq!(card["body"][0]["color"], "Attention");
    }
}
