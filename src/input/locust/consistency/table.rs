//! A statistics table as a whole: its rows and its total row.

use super::rows::is_shifted;
use super::{COUNTED, Findings, Left, Pair, Place, is_same};
use crate::input::locust::figures::Figures;
use crate::input::locust::stats::Stats;
use crate::input::locust::text::{plural, thousands};
use crate::tally::Concern;
use crate::units::{Unit, quantile_name};

/// Checks the total row against the others.
pub fn check(stats: &Stats, left: &Left, findings: &mut Findings) {
    let file = &stats.file;
    let Some(total) = stats.total() else {
        if !stats.rows.is_empty() {
            without_total(stats, left, findings);
        }
        return;
    };
    if stats.totals.len() > 1 {
        let lines: Vec<String> = stats
            .totals
            .iter()
            .map(|(line, _)| line.to_string())
            .collect();
        let because = format!(
            "{file} has {} total rows, on lines {}: these are two tables in one file, or one that was edited",
            lines.len(),
            lines.join(" and ")
        );
        findings.doubt(Place::Run, &COUNTED, because);
    }
    let sum = sum(stats);
    let said = Pair::from(total);
    // Of a table of which rows were left out, the others can only say too much.
    let differs = |sum: u64, said: u64| sum > said || (sum < said && !left.is_partial);
    let concerns: &[Concern] = if differs(sum.requests, said.requests) {
        &COUNTED
    } else if differs(sum.failures, said.failures) {
        &[Concern::Failures]
    } else {
        if !left.is_partial {
            times(stats, total, findings);
        }
        return;
    };
    let because = format!(
        "the rows of {file} add up to {} and {}, its total row says {} and {}",
        plural(sum.requests, "request"),
        plural(sum.failures, "failure"),
        thousands(said.requests),
        thousands(said.failures),
    );
    findings.doubt(Place::Run, concerns, because);
}

fn sum(stats: &Stats) -> Pair {
    let mut sum = Pair::default();
    stats.rows.values().for_each(|row| sum.add(Pair::from(row)));
    sum
}

/// A table without a total row was cut off or edited: only another account can tell that no other row is gone, too.
fn without_total(stats: &Stats, left: &Left, findings: &mut Findings) {
    let file = &stats.file;
    let sum = sum(stats);
    let histories = || {
        left.histories
            .iter()
            .filter_map(|history| history.last.get(&None))
    };
    let is_confirmed = left.stats.len() == 1 && histories().any(|last| Pair::from(last) == sum);
    let said = "the total's counts are sums of the rows, its percentiles are unknown";
    if is_confirmed || !left.json.is_empty() {
        findings.note(format!("{file} has no total row: {said}"));
    } else {
        let because = format!("{file} has no total row, and may lack others: {said}");
        findings.doubt(Place::Run, &COUNTED, because);
    }
}

/// The total's times lie among those of the endpoints.
fn times(stats: &Stats, total: &Figures, findings: &mut Findings) {
    let timed: Vec<&Figures> = stats
        .rows
        .values()
        .filter(|row| row.requests > 0 && !row.is_untimed())
        .collect();
    if timed.is_empty() || total.is_untimed() {
        return;
    }
    let file = &stats.file;
    let ms = |ms: f64| Unit::Time.human(ms);
    let range = |of: fn(&Figures) -> Option<f64>| {
        let known: Option<Vec<f64>> = timed.iter().map(|row| of(row)).collect();
        known.map(|known| {
            let least = known.iter().copied().fold(f64::INFINITY, f64::min);
            (least, known.into_iter().fold(0.0, f64::max))
        })
    };
    let mut wrong = Vec::new();
    let longest = range(|row| row.max).map(|(_, longest)| longest);
    let shortest = range(|row| row.min).map(|(shortest, _)| shortest);
    for (name, said, of_rows) in [
        ("longest", total.max, longest),
        ("shortest", total.min, shortest),
    ] {
        if let (Some(said), Some(of_rows)) = (said, of_rows)
            && !is_same(said, of_rows)
        {
            wrong.push(format!(
                "its {name} is {}, that of the rows {}",
                ms(said),
                ms(of_rows)
            ));
        }
    }
    let mut among = |name: String, said: Option<f64>, range: Option<(f64, f64)>| {
        if let (Some(said), Some((low, high))) = (said, range)
            && !((low..=high).contains(&said) || is_same(said, low) || is_same(said, high))
        {
            let (low, high) = (ms(low), ms(high));
            wrong.push(format!(
                "its {name} is {}, those of the rows from {low} to {high}",
                ms(said)
            ));
        }
    };
    among(
        "average".to_owned(),
        total.average,
        range(|row| row.average),
    );
    // Where requests have no response time, some versions take percentiles of other ranks.
    let is_plain = timed.len() == stats.rows.values().filter(|row| row.requests > 0).count()
        && stats.each().all(|(_, row)| !is_shifted(row));
    for (q, said) in total.quantiles.iter().filter(|_| is_plain) {
        // For each endpoint no more than ⌊n·p⌋ requests lie below its own percentile, so that the run's is among them.
        let of_rows: Option<Vec<f64>> = timed
            .iter()
            .map(|row| row.quantiles.get(q).copied())
            .collect();
        let range = of_rows.map(|known| {
            let least = known.iter().copied().fold(f64::INFINITY, f64::min);
            (least, known.into_iter().fold(0.0, f64::max))
        });
        among(quantile_name(*q), Some(*said), range);
    }
    if let Some(first) = wrong.first() {
        let more = match wrong.len() {
            1 => String::new(),
            n => format!(", and so are {} other figures", n - 1),
        };
        let because = format!("the total row of {file} is not that of its rows: {first}{more}");
        findings.doubt(Place::Run, &[Concern::Times], because);
    }
}
