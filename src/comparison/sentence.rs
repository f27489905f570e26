//! A row in one sentence: the verdict, its figures, its reason, and what could have been seen.

use std::fmt::Write as _;

use super::rule::{Reason, Word};
use super::shortfall::Shortfall;
use super::terms::is_share;
use super::{Evidence, Noise, Row, share};
use crate::units::{self, Unit};

/// The sentence of a row whose verdict is found.
pub fn of(row: &Row, alpha: f64) -> String {
    for (side, value) in [("baseline", &row.baseline), ("current run", &row.current)] {
        if let Err(why) = value {
            return format!("cannot tell: the {side} has no value ({why})");
        }
    }
    let mut text = match row.judgement.word {
        Word::Regressed => format!("worse: {}", figures(row)),
        Word::Suspect => format!("looks worse: {}", figures(row)),
        Word::Improved => format!("better: {}", figures(row)),
        Word::Unchanged => format!("no change larger than {}: {}", margin(row), figures(row)),
        Word::NotEnoughData => format!("cannot tell: {}", figures(row)),
    };
    if let Some((low, high)) = row.interval {
        let sure = units::share((1.0 - alpha) * 100.0);
        let _ = write!(
            text,
            ", {sure} sure bounds {} and {}",
            change(row, low),
            change(row, high)
        );
    }
    let _ = write!(text, "; {}", runs(row));
    if let Some(noise) = row.noise.between_runs() {
        let _ = write!(
            text,
            ", noise between runs {}",
            Unit::Ratio.human(noise.sigma)
        );
    }
    if let Some(reason) = reason(row) {
        let _ = write!(text, "; {reason}");
    }
    if row.judgement.word == Word::NotEnoughData {
        visible(&mut text, row);
    }
    text
}

/// `p95 +14 % (200 ms → 228 ms)`.
fn figures(row: &Row) -> String {
    let value = |v: &Result<f64, String>| {
        v.as_ref()
            .map_or_else(|_| String::new(), |v| row.metric.unit().human(*v))
    };
    let size = if is_share(&row.metric) {
        row.change
    } else {
        row.relative
    };
    let size = size.map_or_else(String::new, |size| format!(" {}", change(row, size)));
    format!(
        "{}{size} ({} to {})",
        row.metric,
        value(&row.baseline),
        value(&row.current)
    )
}

fn change(row: &Row, value: f64) -> String {
    if is_share(&row.metric) {
        units::points(value)
    } else {
        units::change(value)
    }
}

fn margin(row: &Row) -> String {
    if is_share(&row.metric) {
        units::points(row.judgement.margin)
    } else {
        units::share(row.judgement.margin.exp_m1() * 100.0)
    }
}

fn runs(row: &Row) -> String {
    let (b, c) = (row.baseline_size.runs, row.current_size.runs);
    format!(
        "{c} against {b} {}",
        if b.max(c) == 1 { "run" } else { "runs" }
    )
}

fn reason(row: &Row) -> Option<String> {
    Some(match row.judgement.reason {
        Reason::BeyondMargin | Reason::WithinMargin => return None,
        Reason::OneRun => "fewer than 3 runs on one side cannot tell a regression from a bad run: rerun to confirm".to_owned(),
        Reason::BeyondWideMargin => {
            "one run against one cannot tell a regression from a bad run: rerun to confirm".to_owned()
        }
        Reason::ChangedWithinMargin => "there is a change, but a small one".to_owned(),
        Reason::IntervalTooWide => format!("the bounds reach from within {} to beyond it", margin(row)),
        Reason::LostToMultiplicity => "among so many comparisons this much happens by chance".to_owned(),
        Reason::NoiseUnknown => format!(
            "how much runs of the same code differ is not known, and the change is not surely beyond {}",
            wide(row)
        ),
        Reason::UnconfirmedImprovement => "looks better, but too few runs bear it out".to_owned(),
        Reason::Missing(why) => shortfall(why),
    })
}

/// What a change had to exceed while the noise between runs is unknown.
fn wide(row: &Row) -> String {
    match row.evidence {
        Evidence::Log(s) => match s.evidence.noise {
            super::rule::Noise::Unknown { wide_margin } => units::share(wide_margin * 100.0),
            super::rule::Noise::Known => margin(row),
        },
        Evidence::Share(s) => {
            units::points(share::wide_margin(s.evidence.baseline, s.evidence.margin))
        }
        Evidence::Missing => margin(row),
    }
}

fn shortfall(why: Shortfall) -> String {
    match why {
        Shortfall::TooFewRuns { runs, needed } => format!("{runs} runs, {needed} are needed"),
        Shortfall::NotPositive => "a value of zero has no ratio".to_owned(),
        Shortfall::NoVariance => "all runs have the very same value, so that nothing is known of their noise".to_owned(),
        Shortfall::AlphaOutOfReach { .. } => "so few runs cannot be this sure".to_owned(),
        Shortfall::TooFewSeconds { seconds, needed } => {
            format!("{seconds} seconds with requests, {needed} are needed")
        }
        Shortfall::TooLong { .. } => "the run is longer than a week and is not resampled".to_owned(),
        Shortfall::NotMonotone { row } => format!("the running totals fall at row {}", row + 1),
        Shortfall::NothingOverTime => {
            "the source does not say how this figure moved during the run, so one run against one says nothing".to_owned()
        }
        Shortfall::TooFewEffective { effective, needed } => format!(
            "the requests depend on each other and are worth only {effective}, this percentile needs {needed}"
        ),
        Shortfall::NoRequests => "nothing was requested".to_owned(),
        Shortfall::OutOfDomain => "a figure is not a number".to_owned(),
    }
}

/// What would have been seen, and what it would take.
fn visible(text: &mut String, row: &Row) {
    if let Some(least) = row.detectable {
        let _ = write!(
            text,
            "; a change under {} cannot be seen",
            change(row, least).trim_start_matches('+')
        );
    }
    match (row.noise, row.runs_needed) {
        (Noise::Unknown, _) => {
            text.push_str("; 3 or more runs a side would tell how much runs differ");
        }
        (_, Some(runs)) => {
            let _ = write!(text, "; {runs} runs a side would see {}", margin(row));
        }
        (_, None) => {}
    }
}
