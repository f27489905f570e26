//! Azure Pipelines: an issue for each verdict that did not pass, and output variables.
//!
//! <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>

use std::fmt::Write as _;

use super::PathInRepository;
use crate::analysis::Analysis;
use crate::diagnostic::{Diagnostic, Origin};
use crate::report::alarm::{Severity, alarms, plain, unjudged};

const LONGEST: usize = 1000;

/// Logging commands: issues, worst first, then the variables `loadgate.verdict` and `loadgate.sentence`.
pub fn commands(analysis: &Analysis, path: PathInRepository<'_>) -> String {
    let mut text = String::new();
    if let Some((title, why)) = unjudged(analysis) {
        issue(&mut text, "warning", None, title, why, path);
    }
    for alarm in alarms(analysis) {
        let kind = match alarm.severity {
            Severity::Failed | Severity::Undecided => "error",
            Severity::Warning => "warning",
        };
        let message = format!("{}: {}", alarm.title(), alarm.text());
        issue(
            &mut text,
            kind,
            Some(&alarm.verdict.origin),
            &alarm.verdict.id,
            &message,
            path,
        );
    }
    for (name, value) in [
        ("verdict", analysis.outcome.verdict.to_owned()),
        ("sentence", analysis.outcome.sentence()),
    ] {
        let value = data(&value);
        let _ = writeln!(
            text,
            "##vso[task.setvariable variable=loadgate.{name};isOutput=true]{value}"
        );
    }
    text
}

/// An issue for each problem with the user's files.
pub fn problems(problems: &[Diagnostic], path: PathInRepository<'_>) -> String {
    let mut text = String::new();
    for problem in problems {
        let origin = problem.origin.as_ref();
        issue(
            &mut text,
            "error",
            origin,
            problem.code,
            &problem.message,
            path,
        );
    }
    text
}

fn issue(
    text: &mut String,
    kind: &str,
    origin: Option<&Origin>,
    code: &str,
    message: &str,
    path: PathInRepository<'_>,
) {
    let _ = write!(text, "##vso[task.logissue type={kind}");
    if let Some((origin, file)) = origin.and_then(|o| Some((o, path(&o.file)?))) {
        let _ = write!(text, ";sourcepath={}", property(&file));
        let _ = origin.line.map(|line| write!(text, ";linenumber={line}"));
        let _ = origin
            .column
            .map(|column| write!(text, ";columnnumber={column}"));
    }
    let code = property(&plain(code, LONGEST));
    let _ = writeln!(text, ";code={code}]{}", data(&plain(message, LONGEST)));
}

fn data(text: &str) -> String {
    text.replace('%', "%AZP25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(';', "%3B").replace(']', "%5D")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn each_line_is_one_command() {
        let analysis = fixture::analysis(50);
        let text = commands(&analysis, &|file| Some(format!("a;b]/{file}")));
        assert_eq!(text.lines().count(), alarms(&analysis).len() + 2, "{text}");
        assert!(
            text.lines().all(|line| line.starts_with("##vso[task.")),
            "{text}"
        );
        assert!(
            text.contains(";sourcepath=a%3Bb%5D/--require;code=require-2]"),
            "{text}"
        );
        assert!(
            text.contains("variable=loadgate.verdict;isOutput=true]fail\n"),
            "{text}"
        );
    }
}
