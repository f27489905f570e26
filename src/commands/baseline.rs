//! What a check is compared with: the runs of `--baseline` and `--replicate`.

use crate::baseline;
use crate::cli::Check;
use crate::comparison::{Comparison, Sample, Terms, compare};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::gate::Limit;
use crate::input::Options;
use crate::summary::Summary;

/// Compares the run with its baseline, if there is one; every baseline that cannot be read is told at once.
pub fn against(
    args: &Check,
    config: &Config,
    options: &Options,
    summary: &Summary,
) -> Result<Option<Comparison>, Vec<Diagnostic>> {
    if args.baseline.is_empty() {
        return Ok(None);
    }
    let terms = terms(config);
    let mut problems = Vec::new();
    let mut load = |paths: &[String]| -> Vec<Sample> {
        let mut samples = Vec::new();
        for path in paths {
            match baseline::load(path, options, &terms) {
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
    let mut now = vec![Sample::of(summary, &terms)];
    now.extend(further);
    Ok(Some(compare(&before, &now, &terms)))
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
