//! GitLab's code-quality report: verdicts that did not pass, at the gate file's lines in a merge request.
//!
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use serde_json::json;

use super::PathInRepository;
use crate::analysis::Analysis;
use crate::report::alarm::{Severity, alarms, plain, unjudged};

/// Where a gate without a file is shown: it was written in the pipeline.
const PIPELINE: &str = ".gitlab-ci.yml";
const LONGEST: usize = 1000;

/// Renders the report.
pub fn render(analysis: &Analysis, path: PathInRepository<'_>) -> anyhow::Result<String> {
    let unjudged = unjudged(analysis).map(|(title, why)| {
        json!({
            "description": format!("{title}: {why}"),
            "check_name": title,
            "fingerprint": "loadgate/not-judged",
            "severity": "minor",
            "location": { "path": PIPELINE, "lines": { "begin": 1 } },
        })
    });
    let mut findings: Vec<serde_json::Value> = alarms(analysis)
        .iter()
        .map(|alarm| {
            let severity = match alarm.severity {
                Severity::Failed => "critical",
                Severity::Undecided => "major",
                Severity::Warning => "minor",
            };
            let verdict = alarm.verdict;
            let file = path(&verdict.origin.file).unwrap_or_else(|| PIPELINE.to_owned());
            json!({
                "description": plain(&format!("{}: {}", alarm.title(), alarm.text()), LONGEST),
                "check_name": plain(&verdict.id, LONGEST),
                "fingerprint": plain(&format!("loadgate/{}/{}", verdict.id, verdict.endpoint_name()), LONGEST),
                "severity": severity,
                "location": { "path": file, "lines": { "begin": verdict.origin.line.unwrap_or(1) } },
            })
        })
        .collect();
    findings.extend(unjudged);
    Ok(serde_json::to_string_pretty(&findings)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_finding_for_each_alarm() {
        let analysis = fixture::analysis(50);
        let text = render(&analysis, &|_| None).expect("renders");
        let found: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(found.len(), alarms(&analysis).len());
        assert_eq!(found[0]["severity"], "critical");
        assert_eq!(found[found.len() - 1]["severity"], "major");
        assert_eq!(found[0]["location"]["path"], PIPELINE);
        assert_eq!(found[0]["location"]["lines"]["begin"], 1);
        assert_ne!(found[0]["fingerprint"], found[1]["fingerprint"]);
    }
}
