//! The verdicts: what needs attention as cards; what passed, or only could not be told, as rows when there is much of it.

use minijinja::{Value, context};

use super::figures::Anchors;
use super::{NONE, names, top};
use crate::analysis::Analysis;
use crate::gate::{Decision, Level, Verdict};
use crate::place::shown;
use crate::report::chart::bullet::bullet;
use crate::units::Unit;

/// Up to this many verdicts, every one has a card.
const ALL_CARDS: usize = 12;
/// The most cards of verdicts that failed, or that the run's outcome hangs on.
const MOST_CARDS: usize = 48;

/// What `gates.html` shows.
pub fn view(analysis: &Analysis, anchors: &Anchors) -> Value {
    let mut sorted: Vec<&Verdict> = analysis.verdicts.iter().collect();
    sorted.sort_by_key(|v| match (v.decision, v.level) {
        (Decision::Fail, Level::Fail) => 0,
        (Decision::Undecided, Level::Fail) => 1,
        (Decision::Fail, Level::Warn) => 2,
        (Decision::Undecided, Level::Warn) => 3,
        (Decision::Pass, _) => 4,
    });
    let carded = if sorted.len() <= ALL_CARDS {
        sorted.len()
    } else {
        let troubled = sorted.iter().filter(|v| match v.decision {
            Decision::Fail => true,
            Decision::Undecided => v.level == Level::Fail,
            Decision::Pass => false,
        });
        troubled.count().min(MOST_CARDS)
    };
    let rest = sorted.split_off(carded);
    let (passed, others): (Vec<&Verdict>, Vec<&Verdict>) =
        rest.into_iter().partition(|v| v.decision == Decision::Pass);
    let views = |verdicts: &[&Verdict]| -> Vec<Value> {
        verdicts.iter().map(|v| verdict(v, anchors)).collect()
    };
    context! {
        any => !analysis.verdicts.is_empty(),
        cards => views(&sorted),
        rows => views(&others),
        passed => views(&passed),
        // What passed is behind a click where something else needs to be seen.
        open => sorted.is_empty() && others.is_empty(),
    }
}

/// Where the gate was written.
fn origin(v: &Verdict) -> String {
    let mut origin = v.origin.clone();
    origin.file = shown(&origin.file);
    origin.to_string()
}

fn verdict(v: &Verdict, anchors: &Anchors) -> Value {
    let human = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |x| v.unit.human(x));
    let (word, symbol) = top::word(v.decision.name());
    let (href, evidence) = anchors.evidence(v);
    context! {
        id => names::brief(&v.id),
        require => names::text(&v.require),
        endpoint => names::text(&v.endpoint_name()),
        total => v.endpoint.is_none() && v.selector.is_none(),
        verdict => v.decision.name(),
        word,
        symbol,
        warns => v.level == Level::Warn,
        observed => human(v.observed),
        limit => human(v.limit),
        margin => human(v.margin),
        samples => Unit::Count.human(v.samples as f64),
        because => names::sentence(&v.because),
        origin => names::brief(&origin(v)),
        method => v.metric.listed().0,
        method_name => v.metric.listed().1,
        href,
        evidence,
        bullet => Value::from_safe_string(bullet(v).unwrap_or_default()),
    }
}
