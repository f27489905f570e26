//! A row in one sentence: the verdict, its figures, its reason, and what could have been seen.

use std::fmt::Write as _;

use super::estimate::REPLICATED;
use super::rule::{Noise, Reason, Test, Word};
use super::shortfall::Shortfall;
use super::terms::is_share;
use super::{Evidence, Row, share};
use crate::units::{self, Unit};

/// The sentence of a row whose verdict is found.
pub fn of(row: &Row) -> String {
    for (side, value) in [("baseline", &row.baseline), ("current run", &row.current)] {
        if let Err(why) = value {
            return format!("not enough data: the {side} has no value ({why})");
        }
    }
    let word = row.judgement.word;
    let mut text = match word {
        Word::Unchanged => format!("unchanged by {} or more: {}", margin(row), figures(row)),
        _ => format!("{}: {}", word.name(), figures(row)),
    };
    if row.judgement.by == Test::Others {
        let direction = if row.judgement.word == Word::Improved {
            "better"
        } else if row.metric.unit() == Unit::Time {
            "slower"
        } else {
            "worse"
        };
        let _ = write!(
            text,
            "; {direction} than the run's other endpoints would lead to expect"
        );
        if let Some(plain) = row.relative {
            let _ = write!(text, ", {} in itself", change(row, plain));
        }
    }
    let _ = write!(text, "; {}", runs(row));
    if let Some(noise) = row.noise.between_runs() {
        let _ = write!(text, ", noise between runs {}", units::share(noise.sigma));
    }
    if let Some(reason) = reason(row) {
        let _ = write!(text, "; {reason}");
    }
    if word == Word::NotEnoughData {
        visible(&mut text, row);
    }
    text
}

/// `+14 %`, or `+1.2 pp` of a share; `None` if a side has no value, or from zero.
pub fn size_of_change(row: &Row) -> Option<String> {
    row.shown().0.map(|size| change(row, size))
}

/// `p95 +14 % (200 ms to 228 ms, bounds +6 to +23 %)`.
fn figures(row: &Row) -> String {
    let value = |v: &Result<f64, String>| {
        v.as_ref()
            .map_or_else(|_| String::new(), |v| row.metric.unit().human(*v))
    };
    let size = size_of_change(row).map_or_else(String::new, |size| format!(" {size}"));
    let bounds = row.shown().1.map_or_else(String::new, |(low, high)| {
        let bounds = if is_share(&row.metric) {
            units::points_between(low, high)
        } else {
            units::changes_between(low, high)
        };
        format!(", bounds {bounds}")
    });
    format!(
        "{}{size} ({} to {}{bounds})",
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
    row.margin().map_or_else(String::new, |m| size(row, m))
}

/// A size without a direction.
fn size(row: &Row, size: f64) -> String {
    if is_share(&row.metric) {
        units::points(size).trim_start_matches('+').to_owned()
    } else {
        units::share(size)
    }
}

fn runs(row: &Row) -> String {
    match (row.current_size.runs, row.baseline_size.runs) {
        (1, 1) => "one run against one".to_owned(),
        (c, 1) => format!("{c} runs against one"),
        (1, b) => format!("one run against {b}"),
        (c, b) => format!("{c} runs against {b}"),
    }
}

fn reason(row: &Row) -> Option<String> {
    Some(match row.judgement.reason {
        Reason::BeyondMargin | Reason::WithinMargin => return None,
        Reason::OneRun => {
            "too few to know a regression from a bad run: rerun to confirm".to_owned()
        }
        Reason::BeyondWideMargin => "that may be a bad run: rerun to confirm".to_owned(),
        Reason::ChangedWithinMargin => "there is a change, but a small one".to_owned(),
        Reason::IntervalTooWide => {
            format!("the bounds reach from within {} to beyond it", margin(row))
        }
        Reason::LostToMultiplicity => {
            "among so many comparisons this much happens by chance".to_owned()
        }
        Reason::NoiseUnknown => format!(
            "how much runs of the same code differ is not known, so only bounds beyond {} are suspicious",
            wide(row)
        ),
        Reason::UnconfirmedImprovement => "looks better, but too few runs bear it out".to_owned(),
        Reason::Missing(why) => shortfall(why),
    })
}

/// What a change had to exceed while the noise between runs is unknown.
fn wide(row: &Row) -> String {
    match row.evidence {
        Evidence::Log(evidence) => match evidence.noise {
            Noise::Unknown { wide_margin } => size(row, wide_margin),
            Noise::Known => margin(row),
        },
        Evidence::Share(evidence) => {
            size(row, share::wide_margin(evidence.baseline, evidence.margin))
        }
        Evidence::Missing => String::new(),
    }
}

fn shortfall(why: Shortfall) -> String {
    match why {
        Shortfall::TooFewRuns { runs, needed } => format!("{runs} runs, {needed} are needed"),
        Shortfall::NotPositive => "a value of zero has no ratio".to_owned(),
        Shortfall::NoVariance => "all runs have the very same value, so that nothing is known of their noise".to_owned(),
        Shortfall::Collinear => "the run's other endpoints differ with the side only".to_owned(),
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

/// What would be seen, and what it would take.
fn visible(text: &mut String, row: &Row) {
    if let Some(least) = row.detectable {
        let _ = write!(
            text,
            "; a change of {} would be seen 4 times in 5",
            size(row, least)
        );
    }
    let runs = row.baseline_size.runs.min(row.current_size.runs);
    match row.runs_needed {
        Some(needed) if needed > runs => {
            let _ = write!(text, "; {needed} runs a side would see {}", margin(row));
        }
        Some(_) => text.push_str("; one more run a side would narrow it"),
        None if runs < REPLICATED as u32 => {
            let _ = write!(text, "; make {REPLICATED} runs a side");
        }
        None => {}
    }
}
