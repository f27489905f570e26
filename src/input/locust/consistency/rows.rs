//! What one row says of itself: counts and times in their order.

use super::{Alike, FRACTION_MS, Findings};
use crate::input::locust::figures::Figures;
use crate::input::locust::stats::Stats;
use crate::metric::measure::locust_half_step;
use crate::tally::{Concern, Endpoint};
use crate::units::{Unit, quantile_name};

const WITHOUT_TIME: &str = "; this version of Locust takes percentiles of all requests, those without a response time too, \
    so that they are too low";

/// Something that no row shows; the answer is what stands in one that does.
type Rule = fn(&Figures) -> Option<String>;

/// Rules on times. One column may have been taken for another, so that all times are doubtful.
const ON_TIMES: [(&str, Rule); 6] = [
    ("times without any request", times_of_nothing),
    (
        "shortest, average, median and longest are not in order",
        order,
    ),
    ("percentiles that are not whole milliseconds", fractions),
    ("percentiles that fall", falling),
    ("percentiles beyond the shortest or the longest", outside),
    ("an average that the percentiles rule out", average_off),
];

/// Checks every row of a table.
pub fn check(stats: &Stats, findings: &mut Findings) {
    let file = &stats.file;
    // Locust up to 0.9 has a habit of its own there.
    if !stats.is_old {
        each(
            file,
            stats.each(),
            "more failures than requests",
            more_failures,
        )
        .tell(&[Concern::Requests, Concern::Failures], findings);
    }
    for (what, rule) in ON_TIMES {
        each(file, stats.each(), what, rule).tell(&[Concern::Times], findings);
    }
    let mut alike = each(file, stats.each(), "a 50 % below the median", shifted);
    alike.why = WITHOUT_TIME;
    alike.tell(&[Concern::Percentiles], findings);
}

fn each<'t>(
    file: &'t str,
    rows: impl Iterator<Item = (Option<&'t Endpoint>, &'t Figures)>,
    what: &'t str,
    rule: Rule,
) -> Alike<'t> {
    let mut alike = Alike::new(file, what);
    for (key, row) in rows {
        if let Some(detail) = rule(row) {
            alike.add(key, detail);
        }
    }
    alike
}

fn ms(ms: f64) -> String {
    Unit::Time.human(ms)
}

/// Failures are among the requests.
pub fn more_failures(row: &Figures) -> Option<String> {
    let count = |n: u64| Unit::Count.human(n as f64);
    (row.failures > row.requests)
        .then(|| format!("{} of {}", count(row.failures), count(row.requests)))
}

fn times_of_nothing(row: &Figures) -> Option<String> {
    let times = [row.median, row.average, row.min, row.max];
    let times = times
        .into_iter()
        .flatten()
        .chain(row.quantiles.values().copied());
    let longest = times.fold(0.0, f64::max);
    (row.requests == 0 && longest > 0.0).then(|| format!("0 requests, but {}", ms(longest)))
}

/// Minimum, average and maximum are exact, and the median is clipped to them.
pub fn order(row: &Figures) -> Option<String> {
    if row.requests == 0 {
        return None;
    }
    let is_above = |a: Option<f64>, b: Option<f64>| matches!((a, b), (Some(a), Some(b)) if a > b + FRACTION_MS);
    let pairs = [
        ("shortest", row.min, "average", row.average),
        ("average", row.average, "longest", row.max),
        ("shortest", row.min, "median", row.median),
        ("median", row.median, "longest", row.max),
        ("shortest", row.min, "longest", row.max),
    ];
    pairs.into_iter().find_map(|(lower, a, upper, b)| {
        let known = is_above(a, b).then_some((a?, b?));
        known.map(|(a, b)| format!("the {lower} is {}, the {upper} {}", ms(a), ms(b)))
    })
}

fn fractions(row: &Figures) -> Option<String> {
    let mut broken = row.quantiles.iter().filter(|(_, v)| v.fract() != 0.0);
    broken
        .next()
        .map(|(q, v)| format!("{} is {}", quantile_name(*q), ms(*v)))
}

/// A higher percentile is no shorter.
pub fn falling(row: &Figures) -> Option<String> {
    let pairs = row.quantiles.iter().zip(row.quantiles.iter().skip(1));
    pairs.into_iter().find_map(|((p, low), (q, high))| {
        (high < low).then(|| {
            let (p, q) = (quantile_name(*p), quantile_name(*q));
            format!("{p} is {}, {q} {}", ms(*low), ms(*high))
        })
    })
}

/// How far a percentile may be from an exact time.
fn slack(a: f64, b: f64) -> f64 {
    locust_half_step(a).max(locust_half_step(b)) + FRACTION_MS
}

fn outside(row: &Figures) -> Option<String> {
    if row.requests == 0 || is_shifted(row) {
        return None;
    }
    let beyond = |(q, v): (&u32, &f64)| {
        let too_low = row.min.filter(|min| *v < min - slack(*v, *min));
        let too_high = row.max.filter(|max| *v > max + slack(*v, *max));
        // The 100 % column is the longest, rounded.
        let not_the_longest = row
            .max
            .filter(|max| *q == 1_000_000 && *v < max - slack(*v, *max));
        let bound = too_low
            .map(|min| ("shortest", min))
            .or(too_high.or(not_the_longest).map(|max| ("longest", max)))?;
        Some(format!(
            "{} is {}, the {} {}",
            quantile_name(*q),
            ms(*v),
            bound.0,
            ms(bound.1)
        ))
    };
    row.quantiles
        .iter()
        .find_map(beyond)
        .or_else(|| median_off(row))
}

/// Of an odd number of requests the 50 % column is the median; of an even number it may be the next.
fn median_off(row: &Figures) -> Option<String> {
    let (median, half) = (row.median?, *row.quantiles.get(&500_000)?);
    (!row.requests.is_multiple_of(2) && half > median + slack(half, median))
        .then(|| format!("p50 is {}, the median {}", ms(half), ms(median)))
}

/// Whether percentiles are those of fewer requests than counted. The median is of those with a response time, in every
/// version; in some the percentiles look for their rank among all requests, from the slowest down.
pub fn is_shifted(row: &Figures) -> bool {
    let (Some(median), Some(half)) = (row.median, row.quantiles.get(&500_000)) else {
        return false;
    };
    row.requests > 0 && *half < median - slack(*half, median)
}

fn shifted(row: &Figures) -> Option<String> {
    let half = row.quantiles.get(&500_000)?;
    is_shifted(row).then(|| format!("{} to {}", ms(*half), ms(row.median.unwrap_or_default())))
}

fn average_off(row: &Figures) -> Option<String> {
    if is_shifted(row) || row.is_untimed() {
        return None;
    }
    let (average, (low, high)) = (row.average?, bounds(row)?);
    let is_within = (low - FRACTION_MS..=high + FRACTION_MS).contains(&average);
    (!is_within).then(|| format!("{}, to be from {} to {}", ms(average), ms(low), ms(high)))
}

/// Of n requests in order of their times, the index of the one whose rounded time Locust writes for a percentile.
pub fn index(n: u64, millionths: u32) -> u64 {
    ((n as f64 * (f64::from(millionths) / 1e6)) as u64).min(n.saturating_sub(1))
}

/// Between what the average lies, by the percentiles, the shortest and the longest.
fn bounds(row: &Figures) -> Option<(f64, f64)> {
    let n = row.requests;
    let (min, max) = (row.min?, row.max?);
    if n == 0 || row.quantiles.is_empty() {
        return None;
    }
    let (mut low, mut high) = (0.0, 0.0);
    // From one known index to the next, no time is below the former or above the latter.
    let (mut from, mut least) = (0, min);
    for (q, v) in &row.quantiles {
        let half = locust_half_step(*v);
        let index = index(n, *q);
        let between = index.saturating_sub(from) as f64;
        low += between * least;
        high += between * (v + half).min(max);
        (from, least) = (from.max(index), least.max(v - half));
    }
    low += (n - from) as f64 * least;
    high += (n - from) as f64 * max;
    Some((low / n as f64, high / n as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten requests of 10 to 100 ms.
    fn sound() -> Figures {
        Figures {
            requests: 10,
            failures: 1,
            median: Some(50.0),
            average: Some(55.0),
            min: Some(10.0),
            max: Some(100.4),
            quantiles: [(500_000, 60.0), (900_000, 100.0), (1_000_000, 100.0)].into(),
            ..Figures::default()
        }
    }

    fn broken(change: impl FnOnce(&mut Figures)) -> Vec<&'static str> {
        let mut row = sound();
        change(&mut row);
        let on_times = ON_TIMES.iter().filter(|(_, rule)| rule(&row).is_some());
        let mut names: Vec<&str> = on_times.map(|(what, _)| *what).collect();
        names.extend(more_failures(&row).map(|_| "failures"));
        names.extend(shifted(&row).map(|_| "shifted"));
        names
    }

    /// The same of a percentile.
    fn column(q: u32, ms: f64) -> Vec<&'static str> {
        broken(|row| {
            row.quantiles.insert(q, ms);
        })
    }

    #[test]
    fn each_rule_is_broken_by_its_own_mistake() {
        assert!(broken(|_| ()).is_empty());
        assert_eq!(broken(|row| row.failures = 11), ["failures"]);
        assert_eq!(broken(|row| row.requests = 0), [ON_TIMES[0].0, "failures"]);
        assert_eq!(
            broken(|row| row.min = Some(70.0)),
            [ON_TIMES[1].0, ON_TIMES[4].0, ON_TIMES[5].0]
        );
        assert_eq!(column(900_000, 98.5), [ON_TIMES[2].0]);
        assert_eq!(column(900_000, 59.0)[0], ON_TIMES[3].0);
        assert_eq!(column(1_000_000, 130.0), [ON_TIMES[4].0]);
        assert_eq!(broken(|row| row.average = Some(30.0)), [ON_TIMES[5].0]);
        assert_eq!(broken(|row| row.median = Some(75.0)), ["shifted"]);
    }

    #[test]
    fn the_average_lies_between_what_the_percentiles_allow() {
        // Indices 5, 9 and 9: five from 10, four from 59.5, one from 99.5; five up to 60.5, four up to 100.4, one 100.4.
        let (low, high) = bounds(&sound()).unwrap();
        assert!(
            (low - (5.0 * 10.0 + 4.0 * 59.5 + 95.0) / 10.0).abs() < 1e-9,
            "{low}"
        );
        assert!(
            (high - (5.0 * 60.5 + 5.0 * 100.4) / 10.0).abs() < 1e-9,
            "{high}"
        );
    }

    #[test]
    fn of_an_odd_number_the_half_is_the_median() {
        let row = |requests, half: f64| Figures {
            requests,
            quantiles: [(500_000, half)].into(),
            ..sound()
        };
        assert_eq!(outside(&row(11, 51.0)), None);
        assert!(outside(&row(11, 60.0)).is_some());
        assert_eq!(outside(&row(10, 60.0)), None);
    }

    #[test]
    fn fractions_of_old_versions_were_cut_off() {
        let old = Figures {
            min: Some(9.0),
            average: Some(54.0),
            max: Some(100.0),
            ..sound()
        };
        assert!(ON_TIMES.iter().all(|(_, rule)| rule(&old).is_none()));
    }
}
