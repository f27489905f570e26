//! Gates: rules on metrics, and the verdicts on them. Pure: no I/O, no clock.

use std::collections::BTreeMap;

use crate::diagnostic::Origin;
use crate::exact::Fraction;
use crate::metric::Metric;
use crate::tally::Endpoint;
use crate::units::Unit;

pub mod comparison;
pub mod judge;
pub mod quota;
pub mod regression;
mod relative;
pub mod selector;
pub(crate) mod within;

pub use judge::{Terms, judge};
pub use quota::{Quota, QuotaReport};
pub use selector::{Selection, Selector};

/// One rule of the gate file or of `--require`.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Its id, unique.
    pub id: String,
    /// What is required.
    pub requirements: Vec<Requirement>,
    /// Whether all must hold or any.
    pub combine: Combine,
    /// Which endpoints are judged; `None` for the run's total.
    pub on: Option<Selector>,
    /// What a breach means.
    pub level: Level,
    /// Fewest values for a verdict; `None` for the metric's own minimum.
    pub min_samples: Option<u64>,
    /// The largest share of requests, 0 to 1, that may lack a measured field for a pass.
    pub max_missing: f64,
    /// Smaller changes against a baseline do not count; in the metric's base unit.
    pub floor: Option<f64>,
    /// Against a baseline only a change fails that is not by chance; else the two numbers alone decide.
    pub significant: bool,
    /// Where it was written.
    pub origin: Origin,
}

impl Gate {
    /// The rule as written, joined by `and` or `or`.
    pub fn text(&self) -> String {
        let joiner = match self.combine {
            Combine::All => " and ",
            Combine::Any => " or ",
        };
        self.requirements
            .iter()
            .map(|r| r.text.as_str())
            .collect::<Vec<_>>()
            .join(joiner)
    }
}

/// Largest share of requests that may lack a measured field for a pass, if the gate names none: what a few failed
/// requests do not tell.
pub const MOST_MISSING: f64 = 0.01;

/// How several requirements of a gate are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// All must hold.
    All,
    /// One is enough.
    Any,
}

/// What a breach means for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The run fails.
    Fail,
    /// It is shown, and the run passes.
    Warn,
}

/// What follows when the statistics cannot say `regressed`, and cannot rule it out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Of `suspect`: it fails, or it warns. Left out, `[regression]` warns, and a limit with a baseline fails.
    pub on_suspect: Option<Level>,
    /// Of `not enough data`. Left out, `[regression]` warns unless nothing at all could be judged, and a limit with a
    /// baseline is undecided.
    pub on_inconclusive: Option<Inconclusive>,
}

/// What `not enough data` means for a rule that asks for significance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inconclusive {
    /// The rule fails.
    Fail,
    /// It is shown as undecided, and the run passes.
    Warn,
    /// The rule is undecided.
    Undecided,
}

impl Requirement {
    /// Whether the limit lets the figure be as bad as the baseline's, and no better. A stricter one asks for an improvement,
    /// and is judged as it stands.
    pub fn leaves_room(&self) -> bool {
        let Limit::Baseline { factor, offset } = self.limit else {
            return false;
        };
        let (one, zero) = (Fraction::ONE, Fraction::ZERO);
        match self.comparator {
            Comparator::Less | Comparator::LessOrEqual => factor >= one && offset >= zero,
            Comparator::Greater | Comparator::GreaterOrEqual => factor <= one && offset <= zero,
            Comparator::Equal => false,
        }
    }
}

/// `METRIC CMP LIMIT [within DURATION]`.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// As written.
    pub text: String,
    /// What is measured.
    pub metric: Metric,
    /// How it is compared.
    pub comparator: Comparator,
    /// With what.
    pub limit: Limit,
    /// Every window of that many seconds must satisfy it.
    pub within_s: Option<f64>,
}

/// How a value is compared with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
}

/// What a value is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// A number in the metric's base unit (ms, ratio, bytes, 1/s, 1/min), or in a measured field's own unit; exactly as it
    /// was written.
    Absolute(Fraction),
    /// The baseline's value, times this factor (1.2 for `baseline + 20%`), plus this offset in base units.
    Baseline {
        /// 6/5 for `+ 20%`.
        factor: Fraction,
        /// Base units.
        offset: Fraction,
    },
}

/// What became of a gate at one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Measured, and within the limit.
    Pass,
    /// Measured, and beyond the limit.
    Fail,
    /// Could not be measured, or not well enough.
    Undecided,
}

impl Decision {
    /// `pass`, `fail`, `undecided`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Undecided => "undecided",
        }
    }
}

/// The verdict on one gate at one endpoint. Everything a report shows of it is here.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The gate's id.
    pub id: String,
    /// The rule as written.
    pub require: String,
    /// Where it was judged; `None` for the run's total, or when the selector matched nothing.
    pub endpoint: Option<Endpoint>,
    /// The selector as written, if the gate has one.
    pub selector: Option<String>,
    /// The verdict.
    pub decision: Decision,
    /// What a breach means.
    pub level: Level,
    /// The measured value in base units.
    pub observed: Option<f64>,
    /// The limit in base units.
    pub limit: Option<f64>,
    /// Unit of both.
    pub unit: Unit,
    /// Room left in base units: positive within the limit, negative beyond.
    pub margin: Option<f64>,
    /// Values measured.
    pub samples: u64,
    /// 95 % confidence interval of the observed value, base units.
    pub interval: Option<(f64, f64)>,
    /// One sentence: why, where and when.
    pub because: String,
    /// Where the gate was written.
    pub origin: Origin,
    /// The metric, so that charts know where a limit belongs.
    pub metric: Metric,
}

impl Verdict {
    /// Whether it breaks the run: failed, at level `fail`.
    pub fn breaks(&self) -> bool {
        self.decision == Decision::Fail && self.level == Level::Fail
    }
    /// The endpoint's name for people: `Total` for the run, the selector when it matched nothing.
    pub fn endpoint_name(&self) -> String {
        match (&self.endpoint, &self.selector) {
            (Some(endpoint), _) => endpoint.to_string(),
            (None, Some(selector)) => selector.clone(),
            (None, None) => "Total".to_owned(),
        }
    }
}

/// Of every verdict, whether another has its id and its endpoint, as those of `[regression]` on several metrics do: then the
/// rule tells them apart.
pub fn alike(verdicts: &[Verdict]) -> Vec<bool> {
    let key = |verdict: &Verdict| (verdict.id.clone(), verdict.endpoint_name());
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for verdict in verdicts {
        *counts.entry(key(verdict)).or_default() += 1;
    }
    let is_alike = |verdict| counts.get(&key(verdict)).is_some_and(|count| *count > 1);
    verdicts.iter().map(is_alike).collect()
}
