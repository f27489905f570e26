//! `TeamCity`: a test for each verdict, the build's status text and statistics.
//!
//! <https://www.jetbrains.com/help/teamcity/service-messages.html>

use std::fmt::Write as _;

use crate::analysis::Analysis;
use crate::diagnostic::Diagnostic;
use crate::report::alarm::{Severity, alarms, plain, unjudged};

const LONGEST: usize = 1000;

/// Service messages. Undecided is a failed test: an ignored one would leave the build green.
pub fn messages(analysis: &Analysis) -> String {
    let mut text = String::new();
    message(&mut text, "testSuiteStarted", &[("name", "loadgate")]);
    let alarms = alarms(analysis);
    for verdict in &analysis.verdicts {
        let name = format!(
            "{}: {} [{}]",
            verdict.id,
            verdict.require,
            verdict.endpoint_name()
        );
        message(&mut text, "testStarted", &[("name", &name)]);
        let alarm = alarms
            .iter()
            .find(|alarm| std::ptr::eq(alarm.verdict, verdict));
        match alarm.map(|alarm| alarm.severity) {
            None => {}
            Some(Severity::Failed | Severity::Undecided) => message(
                &mut text,
                "testFailed",
                &[
                    ("name", &name),
                    ("message", verdict.decision.name()),
                    (
                        "details",
                        &format!("{} ({})", verdict.because, verdict.origin),
                    ),
                ],
            ),
            Some(Severity::Warning) => message(
                &mut text,
                "testStdOut",
                &[
                    ("name", &name),
                    ("out", &format!("warning: {}", verdict.because)),
                ],
            ),
        }
        message(&mut text, "testFinished", &[("name", &name)]);
    }
    message(&mut text, "testSuiteFinished", &[("name", "loadgate")]);
    if let Some((title, why)) = unjudged(analysis) {
        let why = format!("{title}: {why}");
        message(
            &mut text,
            "message",
            &[("text", &why), ("status", "WARNING")],
        );
    }
    for (key, value) in [
        ("loadgate.passed", analysis.outcome.passed),
        ("loadgate.failed", analysis.outcome.failed),
        ("loadgate.undecided", analysis.outcome.undecided),
        ("loadgate.requests", analysis.summary.total.requests),
    ] {
        let value = value.to_string();
        message(
            &mut text,
            "buildStatisticValue",
            &[("key", key), ("value", &value)],
        );
    }
    let sentence = analysis.outcome.sentence();
    message(
        &mut text,
        "buildStatus",
        &[("text", &format!("{{build.status.text}}; {sentence}"))],
    );
    text
}

/// A build problem for each problem with the user's files.
pub fn problems(problems: &[Diagnostic]) -> String {
    let mut text = String::new();
    for problem in problems {
        message(
            &mut text,
            "buildProblem",
            &[("description", &problem.short())],
        );
    }
    text
}

fn message(text: &mut String, name: &str, attributes: &[(&str, &str)]) {
    let _ = write!(text, "##teamcity[{name}");
    for (key, value) in attributes {
        let _ = write!(text, " {key}='{}'", escaped(&plain(value, LONGEST)));
    }
    text.push_str("]\n");
}

/// The escapes of service messages; line ends are already gone.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '|' | '\'' | '[' | ']' => {
                safe.push('|');
                safe.push(c);
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_test_for_each_verdict() {
        let analysis = fixture::analysis(50);
        let text = messages(&analysis);
        let count = |name: &str| text.matches(&format!("##teamcity[{name} ")).count();
        assert_eq!(count("testStarted"), analysis.verdicts.len());
        assert_eq!(count("testFinished"), analysis.verdicts.len());
        // The fixture has no gates at level `warn`.
        assert_eq!(count("testFailed"), alarms(&analysis).len());
        assert!(
            text.lines()
                .all(|l| l.starts_with("##teamcity[") && l.ends_with(']'))
        );
        assert!(text.contains("message='undecided'"));
    }

    #[test]
    fn what_would_end_a_value_is_escaped() {
        assert_eq!(escaped("it's [a|b]"), "it|'s |[a||b|]");
    }
}
