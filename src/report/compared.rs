//! The comparison with a baseline as rows and sentences, shared by the reports that people read.

use super::figures::NONE;
use crate::comparison::cause::{Cause, causes, follows};
use crate::comparison::rule::{Reason, Word};
use crate::comparison::terms::is_share;
use crate::comparison::{Comparison, EndpointComparison, Row, RunFacts};
use crate::metric::Metric;
use crate::tally::Endpoint;
use crate::units;

/// Rows a terminal shows.
pub const MOST_ROWS: usize = 60;
/// Longest name beside the figures.
const LONGEST_NAME: usize = 32;
/// Columns of [`grouped`].
pub const GROUPED_COLUMNS: [&str; 7] = [
    "Endpoint, metric",
    "Baseline",
    "Current",
    "Change",
    "Bounds",
    "Margin",
    "Verdict",
];
/// Sentences and names shown.
const MOST_LINES: usize = 20;

/// Columns of the compared figures; the first is text.
pub const COLUMNS: [&str; 8] = [
    "Endpoint", "Metric", "Baseline", "Current", "Change", "Bounds", "Margin", "Verdict",
];
/// What is said of a row of the total that says again what an endpoint's says.
pub const FOLLOWS: &str = "follows";

fn rank(word: Word) -> u8 {
    match word {
        Word::Regressed => 0,
        Word::Suspect => 1,
        Word::Improved => 2,
        Word::Unchanged => 3,
        Word::NotEnoughData => 4,
    }
}

/// Every compared figure, what needs attention first; what only follows comes behind its cause.
fn sorted(comparison: &Comparison) -> Vec<(&EndpointComparison, &Row)> {
    let endpoints = comparison.endpoints.iter();
    let mut all: Vec<_> = endpoints
        .flat_map(|e| e.rows.iter().map(move |row| (e, row)))
        .collect();
    all.sort_by_key(|(e, row)| (rank(row.judgement.word), follows(comparison, e, row)));
    all
}

/// One row for each figure.
pub fn rows(comparison: &Comparison) -> Vec<[String; 8]> {
    sorted(comparison)
        .into_iter()
        .map(|(endpoint, row)| cells(comparison, endpoint, row))
        .collect()
}

/// The same for a terminal: the endpoint on a line of its own above its metrics, notable endpoints first.
pub fn grouped(comparison: &Comparison) -> Vec<[String; 7]> {
    let mut endpoints: Vec<_> = comparison.endpoints.iter().collect();
    endpoints.sort_by_key(|e| {
        let rows = e.rows.iter();
        rows.map(|row| (rank(row.judgement.word), follows(comparison, e, row)))
            .min()
    });
    let mut lines = Vec::new();
    for endpoint in endpoints {
        let mut head: [String; 7] = Default::default();
        head[0] = cut(&endpoint.name());
        lines.push(head);
        lines.extend(endpoint.rows.iter().map(|row| {
            let [_, metric, rest @ ..] = cells(comparison, endpoint, row);
            let [baseline, current, change, bounds, margin, verdict] = rest;
            [
                format!("  {metric}"),
                baseline,
                current,
                change,
                bounds,
                margin,
                verdict,
            ]
        }));
    }
    lines
}

/// A name that leaves room for the figures, cut in its middle.
fn cut(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    let half = LONGEST_NAME / 2;
    let (head, tail) = (&chars[..half], &chars[chars.len() - half + 1..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

fn cells(comparison: &Comparison, endpoint: &EndpointComparison, row: &Row) -> [String; 8] {
    let none = || NONE.to_owned();
    let value = |value: &Result<f64, String>| {
        value
            .as_ref()
            .map_or_else(|_| none(), |v| row.metric.unit().human(*v))
    };
    let share = is_share(&row.metric);
    let (size, bounds) = row.shown();
    let text = |size: f64| {
        if share {
            units::points(size)
        } else {
            units::change(size)
        }
    };
    let margin = |margin: f64| {
        if share {
            units::points(margin).trim_start_matches('+').to_owned()
        } else {
            units::share(margin)
        }
    };
    let verdict = if follows(comparison, endpoint, row) {
        FOLLOWS
    } else {
        row.judgement.word.name()
    };
    [
        endpoint.name(),
        row.metric.to_string(),
        value(&row.baseline),
        value(&row.current),
        size.map_or_else(none, text),
        bounds.map_or_else(none, |(low, high)| {
            if share {
                units::points_between(low, high)
            } else {
                units::changes_between(low, high)
            }
        }),
        row.margin().map_or_else(none, margin),
        verdict.to_owned(),
    ]
}

/// How an endpoint's p95 changed (`None` is the total), and the word for it.
pub fn p95(comparison: &Comparison, endpoint: Option<&Endpoint>) -> Option<(Option<f64>, Word)> {
    let row = comparison.of(endpoint)?.row(&Metric::Quantile(0.95))?;
    Some((row.relative, row.judgement.word))
}

/// What there is to say besides the rows: with what, how many of which verdict, doubts, findings, and what could not be judged.
pub fn lines(comparison: &Comparison) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} against {}; each bound is {} sure",
            runs(&comparison.current),
            runs(&comparison.baseline),
            units::share(1.0 - comparison.alpha)
        ),
        census(comparison),
    ];
    let doubts = comparison.preconditions.iter();
    lines.extend(doubts.map(|p| format!("doubt ({}): {}", p.subject.name(), p.message)));
    lines.extend(endpoints("new, not in the baseline", &comparison.new));
    lines.extend(endpoints(
        "vanished, only in the baseline",
        &comparison.vanished,
    ));
    let notable = [Word::Regressed, Word::Suspect, Word::Improved].into_iter();
    let sentences = notable
        .flat_map(|word| causes(comparison, word))
        .map(|c| cause(&c));
    lines.extend(sentences.take(MOST_LINES));
    lines.extend(untold(comparison));
    lines
}

/// `GET /search slower (p50 +20 %, mean +18 %): regressed: …; the total follows`.
fn cause(cause: &Cause<'_>) -> String {
    let follows = if cause.total_follows {
        "; the total follows"
    } else {
        ""
    };
    format!(
        "{} {} ({}): {}{follows}",
        cause.endpoint.name(),
        cause.what(),
        cause.figures(),
        cause.surest().because
    )
}

fn runs(side: &[RunFacts]) -> String {
    if side.is_empty() {
        return "no run".to_owned();
    }
    let labels: Vec<&str> = side.iter().take(5).map(|r| r.label.as_str()).collect();
    let more = match side.len() - labels.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", labels.join(", "))
}

fn census(comparison: &Comparison) -> String {
    let c = comparison.census;
    format!(
        "{} regressed, {} suspect, {} improved, {} unchanged, {} not enough data",
        c.regressed, c.suspect, c.improved, c.unchanged, c.not_enough_data
    )
}

fn endpoints(what: &str, endpoints: &[Endpoint]) -> Option<String> {
    let names: Vec<String> = endpoints
        .iter()
        .take(MOST_LINES)
        .map(ToString::to_string)
        .collect();
    let more = match endpoints.len() - names.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (!names.is_empty()).then(|| format!("{what}: {}{more}", names.join(", ")))
}

/// Why figures could not be judged, and how large a change would be seen; one line for each reason.
fn untold(comparison: &Comparison) -> Vec<String> {
    let mut groups: Vec<(Reason, Vec<&Row>)> = Vec::new();
    for (_, row) in sorted(comparison) {
        if row.judgement.word != Word::NotEnoughData {
            continue;
        }
        let reason = row.judgement.reason;
        match groups.iter_mut().find(|(r, _)| r.name() == reason.name()) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((reason, vec![row])),
        }
    }
    groups
        .into_iter()
        .map(|(reason, rows)| {
            format!(
                "not enough data for {} of {}: {}{}",
                rows.len(),
                comparison
                    .endpoints
                    .iter()
                    .map(|e| e.rows.len())
                    .sum::<usize>(),
                reason.words(),
                unseen(&rows)
            )
        })
        .collect()
}

fn unseen(rows: &[&Row]) -> String {
    let visible = rows
        .iter()
        .filter(|row| !is_share(&row.metric))
        .filter_map(|row| row.detectable);
    let (least, most) = visible.fold((f64::INFINITY, 0.0), |(a, b): (f64, f64), v| {
        (a.min(v), b.max(v))
    });
    if least > most {
        return String::new();
    }
    let (least, most) = (units::share(least), units::share(most));
    let range = if least == most {
        least
    } else {
        format!("{least} to {most}")
    };
    format!("; a change of {range} would be seen 4 times in 5")
}
