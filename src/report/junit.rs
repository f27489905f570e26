//! `junit.xml`: one case for each gate and endpoint; fail is a failure, undecided an error; what only warns is skipped,
//! with its reason.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::figures::NONE;
use super::no_verdict::NoVerdict;
use crate::analysis::Analysis;
use crate::diagnostic::Diagnostic;
use crate::gate::{Decision, Level, Verdict};
use crate::place::shown;
use crate::units::Unit;
use crate::visible;

/// Renders the whole report.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let mut suite = TestSuite::new("gates");
    suite.add_property(Property::new(
        "outcome",
        xml_text(&analysis.outcome.sentence()),
    ));
    suite.add_property(Property::new("run", xml_text(&analysis.summary.label)));
    // Undecided verdicts that the outcome does not count only warn.
    let undecided_warns = analysis.outcome.undecided == 0;
    suite.add_test_cases(analysis.verdicts.iter().map(|v| case(v, undecided_warns)));
    written(suite)
}

/// The file of no verdict: an error for each problem.
pub fn no_verdict(why: &NoVerdict) -> anyhow::Result<String> {
    let mut suite = TestSuite::new("gates");
    suite.add_property(Property::new("outcome", xml_text(&why.sentence())));
    suite.add_test_cases(why.problems.iter().map(problem));
    written(suite)
}

fn problem(problem: &Diagnostic) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(problem.code);
    status.set_message(xml_text(&problem.message));
    status.set_description(xml_lines(&problem.long()));
    let place = problem.origin.as_ref().map(ToString::to_string);
    let name = match &place {
        Some(place) => format!("{}: {place}", problem.code),
        None => problem.code.to_owned(),
    };
    let mut case = TestCase::new(xml_text(&name), status);
    case.set_classname("no verdict");
    case
}

fn written(suite: TestSuite) -> anyhow::Result<String> {
    let mut report = Report::new("loadgate");
    report.add_test_suite(suite);
    // The schema of Jenkins' xUnit plugin calls it `skipped`; the first one is that of our only suite.
    Ok(report
        .to_string()?
        .replacen(" disabled=\"", " skipped=\"", 1))
}

fn case(verdict: &Verdict, undecided_warns: bool) -> TestCase {
    let status = match (verdict.decision, verdict.level) {
        (Decision::Pass, _) => TestCaseStatus::success(),
        (Decision::Fail, Level::Fail) => non_success(NonSuccessKind::Failure, verdict),
        (Decision::Undecided, Level::Fail) if !undecided_warns => {
            non_success(NonSuccessKind::Error, verdict)
        }
        (Decision::Fail | Decision::Undecided, _) => skipped(verdict),
    };
    let mut case = TestCase::new(
        xml_text(&format!("{}: {}", verdict.id, verdict.require)),
        status,
    );
    case.set_classname(xml_text(&verdict.endpoint_name()));
    let level = if verdict.level == Level::Warn {
        "warn"
    } else {
        "fail"
    };
    case.set_system_out(format!(
        "{} (level {level}): {}\n{}\n{}",
        verdict.decision.name(),
        xml_text(&verdict.because),
        figures(verdict),
        place(verdict)
    ));
    case
}

/// `observed 1 s, limit 900 ms, margin -100 ms, 10 samples`.
fn figures(verdict: &Verdict) -> String {
    let human =
        |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |v| verdict.unit.human(v));
    format!(
        "observed {}, limit {}, margin {}, samples {}",
        human(verdict.observed),
        human(verdict.limit),
        human(verdict.margin),
        Unit::Count.human(verdict.samples as f64)
    )
}

/// Where the gate was written, on a line of its own.
fn place(verdict: &Verdict) -> String {
    let mut origin = verdict.origin.clone();
    origin.file = shown(&origin.file);
    xml_lines(&origin.to_string())
}

fn skipped(verdict: &Verdict) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_type(verdict.decision.name());
    status.set_message(xml_text(&format!("only warns: {}", verdict.because)));
    status
}

fn non_success(kind: NonSuccessKind, verdict: &Verdict) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(verdict.decision.name());
    status.set_message(xml_text(&verdict.because));
    status.set_description(format!(
        "{}\n{}",
        xml_text(&verdict.because),
        place(verdict)
    ));
    status
}

/// Text in which nothing is hidden; what XML 1.0 forbids is among that.
fn xml_text(text: &str) -> String {
    visible::text(text).into_owned()
}

/// Lines of ours.
fn xml_lines(text: &str) -> String {
    visible::lines(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn one_case_for_each_verdict() {
        let text = render(&fixture::analysis(50)).expect("renders");
        assert_eq!(text.matches("<testcase ").count(), 6);
        assert_eq!(text.matches("<failure ").count(), 2);
        assert_eq!(text.matches("<error ").count(), 1);
        assert!(!text.contains("<script>") && !text.contains('\u{1b}'));
    }

    /// Elements and their attributes in the schema of Jenkins' xUnit plugin (`junit-10.xsd`), as far as used here.
    const ALLOWED: &[(&str, &[&str])] = &[
        ("testsuites", &["name", "tests", "failures", "errors"]),
        (
            "testsuite",
            &["name", "tests", "skipped", "failures", "errors"],
        ),
        ("properties", &[]),
        ("property", &["name", "value"]),
        ("testcase", &["name", "classname"]),
        ("failure", &["message", "type"]),
        ("error", &["message", "type"]),
        ("skipped", &["message", "type"]),
        ("system-out", &[]),
    ];

    #[test]
    fn only_what_the_schema_of_jenkins_allows() {
        let text = render(&fixture::analysis(50)).expect("renders");
        let tag = regex::Regex::new(r#"<([a-z-]+)((?: [a-z]+="[^"]*")*) ?/?>"#).expect("constant");
        let attribute = regex::Regex::new(r#" ([a-z]+)=""#).expect("constant");
        let mut seen = 0;
        for found in tag.captures_iter(&text) {
            let (_, allowed) = ALLOWED
                .iter()
                .find(|(name, _)| *name == &found[1])
                .unwrap_or_else(|| panic!("<{}> is in no schema", &found[1]));
            for name in attribute.captures_iter(&found[2]) {
                assert!(
                    allowed.contains(&&name[1]),
                    "{} has no `{}`",
                    &found[1],
                    &name[1]
                );
            }
            seen += 1;
        }
        // Every tag was understood: five cases, their outputs, the suite, its two properties.
        assert!(seen >= 5 + 5 + 4, "{seen} elements in {text}");
    }
}
