//! What a check is compared with: the runs of `--baseline` and `--replicate`.

use std::path::Path;

use crate::baseline::{self, history::Chosen};
use crate::cli::Check;
use crate::comparison::{Comparison, Sample, Terms, compare};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Origin};
use crate::gate::Limit;
use crate::history::provenance;
use crate::history::store::is_history;
use crate::input::{Options, open};
use crate::summary::Summary;

/// Compares the run with its baseline, if there is one; every baseline that cannot be read is told at once.
pub fn against(
    args: &Check,
    config: &Config,
    options: &Options,
    summary: &mut Summary,
) -> Result<Option<Comparison>, Vec<Diagnostic>> {
    if args.baseline.is_empty() {
        return Ok(None);
    }
    let terms = terms(config);
    let mut problems = Vec::new();
    let mut notes = Vec::new();
    let mut load = |paths: &[String]| -> Vec<Sample> {
        let mut samples = Vec::new();
        for path in paths {
            let _held = match open::hold(path) {
                Ok(held) => held,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let found = if is_history(Path::new(path)) {
                of_history(path, summary, &terms, options.allow_bad_lines).map(|chosen| {
                    notes.extend(chosen.notes);
                    chosen.samples
                })
            } else {
                baseline::load(path, options, &terms)
            };
            match found {
                Ok(found) => samples.extend(found),
                Err(found) => problems.extend(found),
            }
        }
        samples
    };
    let before = load(&args.baseline);
    let further = load(&args.replicate);
    if !problems.is_empty() {
        return Err(problems);
    }
    summary.notes.extend(notes);
    let mut now = vec![Sample::of(summary, &terms)];
    now.extend(further);
    Ok(Some(compare(&before, &now, &terms)))
}

/// The runs of a history that were made as this one was.
fn of_history(
    path: &str,
    summary: &Summary,
    terms: &Terms,
    allowed_bad: u64,
) -> Result<Chosen, Vec<Diagnostic>> {
    let conditions = provenance::of_this_run(&summary.metadata);
    let chosen = baseline::history::choose(path, summary, &conditions, terms, allowed_bad)?;
    if chosen.samples.is_empty() {
        let problem = Diagnostic::new(
            "no-comparable-run",
            "no run of the history was made under the same conditions",
        )
        .at(Origin::file(path))
        .help(
            "runs are compared with those of the same machine, scenario and number of users; `--label machine=…` and \
             `--label scenario=…` name them",
        );
        return Err(vec![problem]);
    }
    Ok(chosen)
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
