//! `[regression]`: every metric it names, at every endpoint it selects, by the verdict of the statistics.

use super::{Decision, Inconclusive, Level, Policy, Selector, Terms, Verdict, relative};
use crate::comparison::rule::{Noise, Word};
use crate::comparison::{EndpointComparison, Evidence, Row};
use crate::diagnostic::Origin;
use crate::metric::Metric;
use crate::summary::Summary;
use crate::tally::Endpoint;
use crate::units::{self, Unit};

/// The id of its verdicts.
pub const ID: &str = "regression";

/// The section as it was written.
#[derive(Clone, Debug)]
pub struct Regression {
    /// What must not become worse.
    pub metrics: Vec<Metric>,
    /// Where; `None` for the total and every endpoint.
    pub on: Option<Selector>,
    /// What a regression means.
    pub level: Level,
    /// What a suspicion means, and what it means that nothing can be told.
    pub policy: Policy,
    /// Least relative change that matters; `None` for each metric's own.
    pub margin: Option<f64>,
    /// Passes where the change is surely less than this, whatever it is; `None` to judge every change by the margin.
    pub tolerance: Option<f64>,
    /// Error allowed on each side of an interval, and in the whole comparison.
    pub alpha: f64,
    /// Least absolute change of a time that matters, in ms.
    pub floor_ms: Option<f64>,
    /// Where it was written.
    pub origin: Origin,
}

impl Regression {
    /// The rule with its defaults.
    pub fn new(origin: Origin) -> Self {
        Self {
            metrics: vec![Metric::Mean, Metric::Quantile(0.95), Metric::FailureRatio],
            on: None,
            level: Level::Fail,
            policy: Policy::default(),
            margin: None,
            tolerance: None,
            alpha: 0.01,
            floor_ms: None,
            origin,
        }
    }

    fn undecided(&self, endpoint: Option<Endpoint>, because: String) -> Verdict {
        let otherwise = Inconclusive::Undecided;
        let (decision, level) =
            relative::decision(Word::NotEnoughData, self.level, self.policy, otherwise);
        Verdict {
            id: ID.to_owned(),
            require: "no regression".to_owned(),
            endpoint,
            selector: self.on.as_ref().map(|s| s.text.clone()),
            decision,
            level,
            observed: None,
            limit: None,
            unit: Unit::Plain,
            margin: None,
            samples: 0,
            interval: None,
            because,
            origin: self.origin.clone(),
            metric: Metric::Requests,
        }
    }
}

/// One verdict for each endpoint and metric; what the baseline had and the run has not is undecided.
pub fn judge(summary: &Summary, rule: &Regression, terms: &Terms<'_>) -> Vec<Verdict> {
    if let Some(because) = &terms.waiting {
        return vec![Verdict {
            decision: Decision::Undecided,
            level: Level::Warn,
            ..rule.undecided(None, because.clone())
        }];
    }
    let Some(comparison) = terms.comparison else {
        let because = "no baseline given: name one by `--baseline`";
        return vec![rule.undecided(None, because.to_owned())];
    };
    let mut verdicts = Vec::new();
    let compared = comparison.endpoints.iter();
    let there = compared.filter_map(|e| e.endpoint.as_ref());
    let there = there.chain(&comparison.vanished);
    let selection = rule.on.as_ref().map(|on| on.among(there));
    let selects = |endpoint: Option<&Endpoint>| match (&selection, endpoint) {
        (None, _) => true,
        (Some(selection), Some(endpoint)) => selection.matches(endpoint),
        (Some(_), None) => false,
    };
    let selected = comparison
        .endpoints
        .iter()
        .filter(|e| selects(e.endpoint.as_ref()));
    let judged: Vec<(&EndpointComparison, &Row)> = selected
        .flat_map(|e| {
            rule.metrics
                .iter()
                .filter_map(move |m| Some((e, e.row(m)?)))
        })
        .collect();
    // What is not enough data is a warning, as long as anything could be judged.
    let is_told = |row: &Row| row.judgement.word != Word::NotEnoughData || is_tolerated(rule, row);
    let otherwise = if judged.iter().any(|(_, row)| is_told(row)) {
        Inconclusive::Warn
    } else {
        Inconclusive::Undecided
    };
    let rows = judged.into_iter();
    verdicts.extend(rows.map(|(endpoint, row)| verdict(rule, endpoint, row, otherwise)));
    let gone = comparison.vanished.iter().filter(|e| selects(Some(e)));
    verdicts.extend(gone.map(|endpoint| {
        let because = "requested in the baseline, but not in this run";
        rule.undecided(Some(endpoint.clone()), because.to_owned())
    }));
    if let (Some(first), Some(selection)) = (verdicts.first_mut(), &selection) {
        super::judge::remark(&mut first.because, selection);
    }
    if verdicts.is_empty() {
        let because = rule.on.as_ref().map_or_else(
            || "nothing was compared".to_owned(),
            |selector| super::judge::no_match(selector, summary),
        );
        verdicts.push(rule.undecided(None, because));
    }
    verdicts
}

/// Whether the change is surely less than the tolerance; without the noise between runs nothing is sure.
fn is_tolerated(rule: &Regression, row: &Row) -> bool {
    let (Some(tolerance), Evidence::Log(evidence)) = (rule.tolerance, row.evidence) else {
        return false;
    };
    evidence.noise == Noise::Known
        && evidence
            .difference
            .is_ok_and(|d| d.upper < tolerance.ln_1p())
}

fn verdict(
    rule: &Regression,
    endpoint: &EndpointComparison,
    row: &Row,
    otherwise: Inconclusive,
) -> Verdict {
    let tolerated = is_tolerated(rule, row);
    let (decision, level) = if tolerated {
        (Decision::Pass, rule.level)
    } else {
        relative::decision(row.judgement.word, rule.level, rule.policy, otherwise)
    };
    let tolerance = rule.tolerance.filter(|_| tolerated).map(f64::ln_1p);
    let margin = tolerance.unwrap_or(row.judgement.margin);
    let less = row.metric.less_is_worse();
    let is_share = matches!(row.evidence, Evidence::Share(_));
    let limit = row
        .baseline
        .as_ref()
        .ok()
        .map(|from| match (is_share, less) {
            (true, false) => from + margin,
            (true, true) => from - margin,
            (false, false) => from * margin.exp(),
            (false, true) => from * (-margin).exp(),
        });
    let observed = row.current.as_ref().ok().copied();
    let room = limit.zip(observed).map(
        |(limit, value)| {
            if less { value - limit } else { limit - value }
        },
    );
    let allowed = if is_share {
        units::points(margin).trim_start_matches('+').to_owned()
    } else {
        units::share(margin.exp_m1())
    };
    Verdict {
        id: ID.to_owned(),
        require: format!("{} not worse by {allowed}", row.metric),
        endpoint: endpoint.endpoint.clone(),
        selector: rule.on.as_ref().map(|s| s.text.clone()),
        decision,
        level,
        observed,
        limit,
        unit: row.metric.unit(),
        margin: room,
        samples: row.current_size.requests,
        interval: None,
        because: if tolerated {
            format!("surely not worse by {allowed}; {}", row.because)
        } else {
            row.because.clone()
        },
        origin: rule.origin.clone(),
        metric: row.metric.clone(),
    }
}
