//! Reports: formats, destinations, atomic writes. Reports show; they never compute.

use std::io::Write;
use std::path::PathBuf;

use crate::analysis::Analysis;
use crate::diagnostic::Diagnostic;

pub mod alarm;
pub mod annotations;
pub mod chart;
mod compared;
pub mod csv;
mod figures;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod openmetrics;
mod outputs;
pub mod schema;
pub mod slack;
pub mod teams;
pub mod terminal;
pub mod trend;

use outputs::Outputs;
pub(crate) use outputs::write_atomically;

/// Where reports go; `-` is standard output.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    /// A folder for every report under its standard name.
    pub out: Option<PathBuf>,
    /// The HTML page.
    pub html: Option<PathBuf>,
    /// The JSON report.
    pub json: Option<PathBuf>,
    /// The long-form CSV.
    pub csv: Option<PathBuf>,
    /// The `JUnit` file.
    pub junit: Option<PathBuf>,
    /// The Markdown report.
    pub markdown: Option<PathBuf>,
    /// The figures as `OpenMetrics` text.
    pub openmetrics: Option<PathBuf>,
    /// A Slack message; not in the folder of all reports.
    pub slack: Option<PathBuf>,
    /// A Teams message; not in the folder of all reports.
    pub teams: Option<PathBuf>,
}

impl Destinations {
    fn outputs(&self) -> Outputs<Analysis> {
        Outputs::new(
            self.out.as_deref(),
            &[
                ("report.html", self.html.as_deref(), html::render),
                ("report.json", self.json.as_deref(), json::render),
                ("metrics.csv", self.csv.as_deref(), csv::render),
                ("junit.xml", self.junit.as_deref(), junit::render),
                ("report.md", self.markdown.as_deref(), markdown::render),
                (
                    "metrics.txt",
                    self.openmetrics.as_deref(),
                    openmetrics::render,
                ),
            ],
        )
        .and(self.slack.as_deref(), slack::render)
        .and(self.teams.as_deref(), teams::render)
    }

    /// Whether a report takes standard output, so that the terminal report must not.
    pub fn uses_stdout(&self) -> bool {
        self.outputs().uses_stdout()
    }

    /// Finds what cannot be written, before anything is analysed.
    pub fn check(&self) -> Result<(), Vec<Diagnostic>> {
        self.outputs().check()
    }

    /// Writes every report.
    pub fn write(&self, analysis: &Analysis, stdout: &mut dyn Write) -> anyhow::Result<()> {
        self.outputs().write(analysis, stdout)
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    //! A small run with hostile names, shared by the tests of all reports.

    use super::Analysis;
    use crate::config;
    use crate::gate::{Quota, Terms, judge, quota};
    use crate::outcome::Outcome;
    use crate::summary::{About, Summary};
    use crate::tally::{Endpoint, ErrorKey, Request, Tally};

    /// A name that breaks out of whatever does not escape it.
    pub const HOSTILE: &str =
        "=1+1|</td><script>alert(\"x\")</script>\u{1b}[31m\u{202e}\n]]>`@all`";

    /// A quota with everything a quota can have: 4 requests a second are beyond 20 in 10 s.
    fn quotas() -> Vec<Quota> {
        let text = "[[quota]]\nid = \"Q\"\nlimit = \"60 per 10s\"\ntarget = \"50%\"\ncost = 2\n\
                    burst = \"20 per 10s\"\nbucket = \"1/s burst 20\"\n";
        config::parse(text, "loadgate.toml").expect("valid").quotas
    }

    /// `requests` requests, every tenth failed, judged against a gate that passes, one that fails, one undecided.
    pub fn analysis(requests: u64) -> Analysis {
        let mut tally = Tally::default();
        let unavailable = ErrorKey::new(Some(503), HOSTILE);
        for i in 0..requests {
            let endpoint = Endpoint {
                name: if i % 2 == 0 { HOSTILE } else { "/plain" }.to_owned(),
                method: "GET".to_owned(),
            };
            let request = Request {
                start_ms: Some(1_767_225_600_000 + i as i64 * 250),
                response_time_us: (i + 1) * 1500,
                status: Some(if i % 10 == 9 { 503 } else { 200 }),
                failure: (i % 10 == 9).then_some(&unavailable),
                users: Some(i),
                ..Request::default()
            };
            tally.add(endpoint, &request);
        }
        let about = About {
            label: HOSTILE.to_owned(),
            notes: vec![HOSTILE.to_owned()],
            ..About::default()
        };
        let summary = Summary::new(tally, about);
        let gates: Vec<_> = ["p95 < 10s", "p95 < 1ms", "max(rows) < 5", "p95 < 1s on *"]
            .iter()
            .enumerate()
            .map(|(i, text)| config::require(text, i + 1).expect("valid"))
            .collect();
        let mut verdicts = judge(&summary, &gates, &Terms::default());
        let (quotas, of_quotas): (Vec<_>, Vec<_>) =
            quota::judge(&summary, &quotas()).into_iter().unzip();
        verdicts.extend(of_quotas);
        let outcome = Outcome::new(&verdicts, false);
        Analysis {
            summary,
            comparison: None,
            verdicts,
            quotas,
            outcome,
            trend: None,
        }
    }
}
