//! `junit.xml`: one case for each gate and endpoint; fail is a failure, undecided an error, warn is in the output.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::analysis::Analysis;
use crate::gate::{Decision, Level, Verdict};

/// Renders the whole report.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let mut suite = TestSuite::new("gates");
    suite.add_property(Property::new(
        "outcome",
        xml_text(&analysis.outcome.sentence()),
    ));
    suite.add_property(Property::new("run", xml_text(&analysis.summary.label)));
    suite.add_test_cases(analysis.verdicts.iter().map(case));
    let mut report = Report::new("loadgate");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}

fn case(verdict: &Verdict) -> TestCase {
    let status = match (verdict.decision, verdict.level) {
        (Decision::Fail, Level::Fail) => non_success(NonSuccessKind::Failure, verdict),
        (Decision::Undecided, Level::Fail) => non_success(NonSuccessKind::Error, verdict),
        _ => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(
        xml_text(&format!("{}: {}", verdict.id, verdict.require)),
        status,
    );
    case.set_classname(xml_text(&verdict.endpoint_name()));
    case.set_system_out(xml_text(&format!(
        "{} (level {}): {}\n{}",
        verdict.decision.name(),
        if verdict.level == Level::Warn {
            "warn"
        } else {
            "fail"
        },
        verdict.because,
        verdict.origin
    )));
    case
}

fn non_success(kind: NonSuccessKind, verdict: &Verdict) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(verdict.decision.name());
    status.set_message(xml_text(&verdict.because));
    status.set_description(xml_text(&format!(
        "{}\n{}",
        verdict.because, verdict.origin
    )));
    status
}

/// Text without the characters that XML 1.0 forbids, and without marks that turn the reading direction.
fn xml_text(text: &str) -> String {
    text.chars()
        .filter(|c| {
            matches!(c, '\n' | '\t') || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn one_case_for_each_verdict() {
        let text = render(&fixture::analysis(50)).expect("renders");
        assert_eq!(text.matches("<testcase ").count(), 5);
        assert_eq!(text.matches("<failure ").count(), 1);
        assert_eq!(text.matches("<error ").count(), 1);
        assert!(!text.contains("<script>") && !text.contains('\u{1b}'));
    }
}
