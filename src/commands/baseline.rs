//! What a check is compared with: the runs of `--baseline` and `--replicate`.

use std::path::Path;

use super::check::Purpose;
use crate::baseline::{self, history};
use crate::cli::Check;
use crate::comparison::{Comparison, Sample, Terms, compare};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Origin};
use crate::gate::Limit;
use crate::history::provenance;
use crate::history::store::is_history;
use crate::input::{Options, open};
use crate::summary::Summary;

/// What a check is compared with.
#[derive(Default)]
pub struct Baseline {
    /// What differs from it; `None` if none was given, or if it has too few runs.
    pub comparison: Option<Comparison>,
    /// Why the gates that need a baseline wait: their history has too few runs yet.
    pub waiting: Option<String>,
}

/// Compares the run with its baseline, if there is one; every baseline that cannot be read is told at once.
pub fn against(
    args: &Check,
    purpose: Purpose,
    config: &Config,
    options: &Options,
    summary: &mut Summary,
) -> Result<Baseline, Vec<Diagnostic>> {
    if args.baseline.is_empty() {
        return Ok(Baseline::default());
    }
    let terms = terms(config);
    let mut reading = Reading {
        summary,
        terms: &terms,
        options,
        record: args.record.as_deref(),
        problems: Vec::new(),
        notes: Vec::new(),
        only_histories: true,
    };
    let before = reading.all(&args.baseline);
    let only_histories = reading.only_histories;
    let further = reading.all(&args.replicate);
    let (problems, notes) = (reading.problems, reading.notes);
    if !problems.is_empty() {
        return Err(problems);
    }
    summary.notes.extend(notes);
    let is_short = only_histories && before.len() < history::FEWEST_RUNS;
    if is_short && purpose == Purpose::Check {
        let waiting = waiting(before.len());
        let recorded = args.record.as_ref().map(|path| path.display().to_string());
        let advice = if recorded.is_some_and(|path| args.baseline.contains(&path)) {
            ""
        } else {
            "; `--record` adds this run to it"
        };
        summary.notes.push(format!(
            "{waiting}, so nothing is compared yet, and what needs the baseline only warns{advice}"
        ));
        return Ok(Baseline {
            comparison: None,
            waiting: Some(waiting),
        });
    }
    if before.is_empty() {
        return Err(vec![nothing_to_compare(&args.baseline)]);
    }
    let mut now = vec![Sample::of(summary, &terms)];
    now.extend(further);
    Ok(Baseline {
        comparison: Some(compare(&before, &now, &terms)),
        waiting: None,
    })
}

/// How far a history is from being a baseline.
fn waiting(runs: usize) -> String {
    let needed = history::FEWEST_RUNS;
    format!(
        "waiting for the history: it has {runs} of {needed} runs made under the same conditions"
    )
}

fn nothing_to_compare(paths: &[String]) -> Diagnostic {
    let history = paths.first().map_or("-", String::as_str);
    Diagnostic::new(
        "no-comparable-run",
        "no run of the history was made under the same conditions",
    )
    .at(Origin::file(history))
    .help(
        "runs are compared with those of the same `scenario`, `machine` and other labels, and of as many users; `check` \
         waits for them",
    )
}

/// The baselines in the reading.
struct Reading<'a> {
    summary: &'a Summary,
    terms: &'a Terms,
    options: &'a Options,
    /// The history that the run will be recorded in.
    record: Option<&'a Path>,
    problems: Vec<Diagnostic>,
    notes: Vec<String>,
    only_histories: bool,
}

impl Reading<'_> {
    /// The runs behind several paths.
    fn all(&mut self, paths: &[String]) -> Vec<Sample> {
        let mut samples = Vec::new();
        for path in paths {
            match self.one(path) {
                Ok(found) => samples.extend(found),
                Err(problems) => self.problems.extend(problems),
            }
        }
        samples
    }

    fn one(&mut self, path: &str) -> Result<Vec<Sample>, Vec<Diagnostic>> {
        if self.is_begun(path) {
            return Ok(Vec::new());
        }
        let _held = open::hold(path).map_err(|problem| vec![problem])?;
        if !is_history(Path::new(path)) {
            self.only_histories = false;
            return baseline::load(path, self.options, self.terms);
        }
        let from = provenance::of_this_run(&self.summary.metadata);
        let allowed = self.options.allow_bad_lines;
        let chosen = history::choose(path, self.summary, &from, self.terms, allowed)?;
        self.notes.extend(chosen.notes);
        Ok(chosen.samples)
    }

    /// Whether this run will be the first of the history, which is not there yet or empty.
    fn is_begun(&self, path: &str) -> bool {
        let path = Path::new(path);
        let is_empty = || std::fs::metadata(path).is_ok_and(|about| about.len() == 0);
        self.record == Some(path) && (!path.exists() || is_empty())
    }
}

/// What `[regression]` and the gates with a baseline ask for.
fn terms(config: &Config) -> Terms {
    let mut terms = Terms {
        expected: config.expected.clone(),
        ..Terms::default()
    };
    if let Some(rule) = &config.regression {
        (terms.margin, terms.alpha, terms.floor_ms) = (rule.margin, rule.alpha, rule.floor_ms);
        for metric in &rule.metrics {
            terms.add(metric, true);
        }
    }
    for gate in &config.gates {
        for requirement in &gate.requirements {
            if let Limit::Baseline { .. } = requirement.limit {
                terms.add(&requirement.metric, gate.on.is_some());
            }
        }
    }
    terms
}
