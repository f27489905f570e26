//! Reports: formats, destinations, atomic writes. Reports show; they never compute.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::analysis::Analysis;
use crate::atomic::temporary_in;
use crate::diagnostic::{Diagnostic, Origin};

pub mod alarm;
pub mod annotations;
pub mod chart;
pub mod csv;
mod figures;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod openmetrics;
pub mod schema;
pub mod slack;
pub mod teams;
pub mod terminal;

/// Renders one report.
type Render = fn(&Analysis) -> anyhow::Result<String>;

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
    /// Every report to be written, with its renderer.
    fn all(&self) -> Vec<(PathBuf, Render)> {
        let formats: [(&str, &Option<PathBuf>, Render); 6] = [
            ("report.html", &self.html, html::render),
            ("report.json", &self.json, json::render),
            ("metrics.csv", &self.csv, csv::render),
            ("junit.xml", &self.junit, junit::render),
            ("report.md", &self.markdown, markdown::render),
            ("metrics.txt", &self.openmetrics, openmetrics::render),
        ];
        let messages: [(&Option<PathBuf>, Render); 2] =
            [(&self.slack, slack::render), (&self.teams, teams::render)];
        let mut all = Vec::new();
        for (standard, named, render) in formats {
            all.extend(self.out.iter().map(|dir| (dir.join(standard), render)));
            all.extend(named.iter().map(|path| (path.clone(), render)));
        }
        for (named, render) in messages {
            all.extend(named.iter().map(|path| (path.clone(), render)));
        }
        all
    }

    /// Whether a report takes standard output, so that the terminal report must not.
    pub fn uses_stdout(&self) -> bool {
        self.all().iter().any(|(path, _)| is_stdout(path))
    }

    /// Finds what cannot be written, before anything is analysed.
    pub fn check(&self) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        if let Some(dir) = &self.out
            && !dir.is_dir()
            && let Err(error) = std::fs::create_dir_all(dir)
        {
            problems.push(not_writable(
                dir,
                &format!("cannot create the folder: {error}"),
            ));
        }
        for (path, _) in self.all() {
            let dir = folder(&path);
            if is_stdout(&path) || (self.out.as_deref() == Some(dir) && !problems.is_empty()) {
                continue;
            }
            if path.is_dir() {
                problems.push(not_writable(&path, "a folder is in the way"));
            } else if !dir.is_dir() {
                problems.push(not_writable(
                    &path,
                    &format!("the folder `{}` does not exist", dir.display()),
                ));
            } else if let Err(error) = temporary_in(dir) {
                problems.push(not_writable(
                    &path,
                    &format!("cannot write into the folder: {error}"),
                ));
            }
        }
        if self
            .all()
            .iter()
            .filter(|(path, _)| is_stdout(path))
            .count()
            > 1
        {
            problems.push(not_writable(
                Path::new("-"),
                "only one report can go to standard output",
            ));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// Writes every report: to a temporary sibling that is then renamed, so that none is ever half there.
    pub fn write(&self, analysis: &Analysis, stdout: &mut dyn Write) -> anyhow::Result<()> {
        for (path, render) in self.all() {
            let text =
                render(analysis).with_context(|| format!("cannot render `{}`", path.display()))?;
            if is_stdout(&path) {
                stdout.write_all(text.as_bytes())?;
            } else {
                write_atomically(&path, &text)
                    .with_context(|| format!("cannot write `{}`", path.display()))?;
            }
        }
        Ok(())
    }
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn not_writable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::new("output-not-writable", why)
        .at(Origin::file(path.display().to_string()))
        .help("create the folder, or name another place")
}

/// Writes a file whole or not at all.
pub(crate) fn write_atomically(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = temporary_in(folder(path))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
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
            quota::judge(&summary, &quotas(), &Terms::default())
                .into_iter()
                .unzip();
        verdicts.extend(of_quotas);
        let outcome = Outcome::new(&verdicts, false);
        Analysis {
            summary,
            verdicts,
            quotas,
            outcome,
        }
    }
}
