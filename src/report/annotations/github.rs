//! GitHub Actions: annotations on the gate file's lines, the step's summary and outputs.
//!
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use std::fmt::Write as _;

use super::PathInRepository;
use crate::analysis::Analysis;
use crate::diagnostic::{Diagnostic, Origin};
use crate::report::alarm::{Severity, alarms, plain, unjudged};
use crate::report::markdown;

/// GitHub shows ten annotations of each kind for one step; the last place is for the number of the others.
const MOST: usize = 9;
/// GitHub refuses a step's summary above 1 MiB.
const LARGEST_SUMMARY: usize = 1 << 20;
/// Longest title and text.
const LONGEST: usize = 1000;

/// One workflow command for each verdict that did not pass, worst first.
pub fn annotations(analysis: &Analysis, path: PathInRepository<'_>) -> String {
    let mut text = String::new();
    if let Some((title, why)) = unjudged(analysis) {
        command(&mut text, "warning", "", title, why);
    }
    let all = alarms(analysis);
    for (kind, severities) in [
        ("error", [Severity::Failed, Severity::Undecided].as_slice()),
        ("warning", &[Severity::Warning]),
    ] {
        let mut chosen = all.iter().filter(|a| severities.contains(&a.severity));
        for alarm in chosen.by_ref().take(MOST) {
            let place = place(Some(&alarm.verdict.origin), path);
            command(&mut text, kind, &place, &alarm.title(), &alarm.text());
        }
        let more = chosen.count();
        if more > 0 {
            let title = format!("{more} more verdicts did not pass");
            command(
                &mut text,
                kind,
                "",
                &title,
                "all of them are in the step's summary",
            );
        }
    }
    text
}

/// One workflow command for each problem with the user's files.
pub fn problems(problems: &[Diagnostic], path: PathInRepository<'_>) -> String {
    let mut text = String::new();
    for problem in problems {
        let place = place(problem.origin.as_ref(), path);
        let help = problem.help.iter().map(|help| format!("; help: {help}"));
        let message = format!("{}{}", problem.message, help.collect::<String>());
        command(&mut text, "error", &place, problem.code, &message);
    }
    text
}

/// The Markdown report, unless it is larger than GitHub takes.
pub fn summary(analysis: &Analysis) -> anyhow::Result<String> {
    let text = markdown::render(analysis)?;
    Ok(if text.len() < LARGEST_SUMMARY {
        text
    } else {
        let outcome = analysis.outcome.sentence();
        format!("## {outcome}\n\nThe report is too large for a summary; `--out` writes it.\n")
    })
}

/// What later steps can ask: `steps.ID.outputs.verdict`.
pub fn outputs(analysis: &Analysis) -> String {
    let outcome = &analysis.outcome;
    format!(
        "verdict={}\nexit-code={}\npassed={}\nfailed={}\nundecided={}\nwarned={}\nsentence={}\n",
        outcome.verdict,
        outcome.exit_code,
        outcome.passed,
        outcome.failed,
        outcome.undecided,
        outcome.warned,
        outcome.sentence()
    )
}

fn place(origin: Option<&Origin>, path: PathInRepository<'_>) -> String {
    let Some((origin, file)) = origin.and_then(|o| Some((o, path(&o.file)?))) else {
        return String::new();
    };
    let mut place = format!("file={}", property(&file));
    for (name, value) in [("line", origin.line), ("col", origin.column)] {
        let _ = value.map(|value| write!(place, ",{name}={value}"));
    }
    place
}

fn command(text: &mut String, kind: &str, place: &str, title: &str, message: &str) {
    let comma = if place.is_empty() { "" } else { "," };
    let title = property(&plain(title, LONGEST));
    let message = data(&plain(message, LONGEST));
    let _ = writeln!(text, "::{kind} {place}{comma}title={title}::{message}");
}

/// A message: what would end it is escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property: also what separates properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_hostile_name_starts_no_command() {
        let analysis = fixture::analysis(50);
        let text = annotations(&analysis, &|file| Some(file.to_owned()));
        assert_eq!(text.lines().count(), alarms(&analysis).len(), "{text}");
        for line in text.lines() {
            assert!(line.starts_with("::error "), "{line}");
            let (head, message) = line[2..].split_once("::").expect("a command");
            assert!(head.contains(",title="), "{line}");
            assert!(
                !message.contains('\u{1b}') && !message.contains('\r'),
                "{line}"
            );
        }
    }

    #[test]
    fn what_separates_is_escaped() {
        assert_eq!(property("a: 5%, b"), "a%3A 5%25%2C b");
        assert_eq!(data("5%: a,b\r\n"), "5%25: a,b%0D%0A");
        let problem = Diagnostic::new("bad-unit", "no unit").at(Origin::at("a,b.toml", 3, 12));
        assert_eq!(
            problems(&[problem.help("write `ms`")], &|file| Some(file.to_owned())),
            "::error file=a%2Cb.toml,line=3,col=12,title=bad-unit::no unit; help: write `ms`\n"
        );
    }

    #[test]
    fn outputs_are_lines_of_name_and_value() {
        let text = outputs(&fixture::analysis(50));
        assert!(text.starts_with("verdict=fail\nexit-code=1\n"), "{text}");
        assert_eq!(text.lines().count(), 7);
    }
}
