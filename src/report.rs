//! Reports: formats, destinations, atomic writes. Reports show; they never compute.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use crate::analysis::Analysis;
use crate::diagnostic::Diagnostic;
use crate::place::FileId;

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
pub mod no_verdict;
pub mod openmetrics;
mod outputs;
pub mod schema;
pub mod slack;
pub mod teams;
pub mod terminal;
pub mod trend;

pub(crate) use outputs::{Format, Outputs, Without, internal, is_stdout, same_file, write_failed};

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
        use Without::{Remove, Tell};
        let format = |name, render, without| Format {
            name,
            render,
            without,
        };
        let html = format("report.html", html::render, Tell(html::no_verdict));
        let json = format("report.json", json::render, Remove(json::is_report));
        let csv = format("metrics.csv", csv::render, Remove(csv::is_report));
        let junit = format("junit.xml", junit::render, Tell(junit::no_verdict));
        let markdown = format("report.md", markdown::render, Tell(markdown::no_verdict));
        let openmetrics = format(
            "metrics.txt",
            openmetrics::render,
            Remove(openmetrics::is_report),
        );
        let slack = format("", slack::render, Tell(slack::no_verdict));
        let teams = format("", teams::render, Tell(teams::no_verdict));
        Outputs::new(
            self.out.as_deref(),
            &[
                (html, self.html.as_deref()),
                (json, self.json.as_deref()),
                (csv, self.csv.as_deref()),
                (junit, self.junit.as_deref()),
                (markdown, self.markdown.as_deref()),
                (openmetrics, self.openmetrics.as_deref()),
                (slack, self.slack.as_deref()),
                (teams, self.teams.as_deref()),
            ],
        )
    }

    /// Every path that is written.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.outputs().paths().map(Into::into).collect()
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
    pub fn write(
        &self,
        analysis: &Analysis,
        stdout: &mut dyn Write,
    ) -> Result<(), Vec<Diagnostic>> {
        self.outputs().write(analysis, stdout)
    }

    /// There is no verdict: reports tell why, or are removed. Files of `spared` are left alone. Returns notes on what was
    /// removed, and problems.
    pub fn tell(
        &self,
        why: &no_verdict::NoVerdict,
        spared: &BTreeSet<FileId>,
        stdout: &mut dyn Write,
    ) -> (Vec<String>, Vec<Diagnostic>) {
        self.outputs().tell(why, spared, stdout)
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    //! A small run with hostile names, shared by the tests of all reports.

    use super::Analysis;
    use crate::config;
    use crate::diagnostic::Origin;
    use crate::gate::{Decision, Level, Quota, Terms, Verdict, judge, quota};
    use crate::metric::Metric;
    use crate::outcome::Outcome;
    use crate::summary::{About, Summary};
    use crate::tally::{Endpoint, ErrorKey, Request, Tally};
    use crate::units::Unit;

    /// A name that breaks out of whatever does not escape it.
    pub const HOSTILE: &str =
        "=1+1|</td><script>alert(\"x\")</script>\u{1b}[31m\u{202e}\n]]>`@all`";

    /// A quota with everything a quota can have: 4 requests a second are beyond 20 in 10 s.
    fn quotas() -> Vec<Quota> {
        let text = "[[quota]]\nid = \"Q\"\nlimit = \"60 per 10s\"\ntarget = \"50%\"\ncost = 2\n\
                    burst = \"20 per 10s\"\nbucket = \"1/s burst 20\"\n";
        config::parse(text, "loadgate.toml").expect("valid").quotas
    }

    /// A verdict on nothing.
    pub fn verdict(id: &str, decision: Decision, level: Level) -> Verdict {
        Verdict {
            id: id.to_owned(),
            require: "requests > 0".to_owned(),
            endpoint: None,
            selector: None,
            decision,
            level,
            observed: None,
            limit: None,
            unit: Unit::Count,
            margin: None,
            samples: 0,
            interval: None,
            because: "it is made up".to_owned(),
            origin: Origin::file("loadgate.toml"),
            metric: Metric::Requests,
        }
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
