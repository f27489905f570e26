//! Which part of a run counts: warm-up, from and to, or the steady phase.

use super::request_log::{Bounds, Survey};
use super::{Moment, Span};
use crate::units::{Unit, moment};

/// The part as moments, with what must be said of it.
#[derive(Debug, Default, PartialEq)]
pub struct Cut {
    /// The moments.
    pub bounds: Bounds,
    /// What was cut, for every report.
    pub note: Option<String>,
    /// Why it could not be found, so that no gate can be decided.
    pub refused: Option<String>,
}

/// Turns what was asked for into moments. Where several bounds are given, the narrowest counts.
pub fn bounds(survey: &Survey, span: &Span) -> Cut {
    let Some(first) = survey.first_start_ms else {
        return Cut {
            refused: Some(
                "a part of the run was asked for, but the log has no timestamps".to_owned(),
            ),
            ..Cut::default()
        };
    };
    let at = |moment: Moment| match moment {
        Moment::At(ms) => ms,
        Moment::After(ms) => first + ms.round() as i64,
    };
    let mut from = [span.warmup_ms.map(Moment::After), span.from]
        .into_iter()
        .flatten()
        .map(at)
        .max();
    let mut to = span.to.map(at);
    let mut words = String::new();
    if span.steady {
        let Some((begin, end, users)) = steady(survey) else {
            return Cut {
                refused: Some(no_phase(survey)),
                ..Cut::default()
            };
        };
        from = from.max(Some(begin));
        to = Some(to.map_or(end, |to| to.min(end)));
        words = format!(" (steady phase, {} users)", Unit::Count.human(users as f64));
    }
    let text = |ms: Option<i64>, other: &str| ms.map_or_else(|| other.to_owned(), moment);
    Cut {
        bounds: Bounds {
            from_ms: from,
            to_ms: to,
        },
        note: Some(format!(
            "only requests that start from {} up to {} count{words}",
            text(from, "the run's begin"),
            text(to, "its end")
        )),
        refused: None,
    }
}

fn no_phase(survey: &Survey) -> String {
    let why = if survey.users.is_empty() {
        "neither the log (`users`) nor Locust's history says how many users ran"
    } else {
        "no number of users held for ten seconds and a tenth of the run"
    };
    format!("the steady phase was asked for, but {why}")
}

/// A shorter time is a spike, not a phase.
const SHORTEST_PHASE_S: i64 = 10;

/// The longest time during which the most users ran that ran for long: at least ten seconds, and a tenth of the run. 2 %
/// more or less do not end it.
///
/// Begin and end in epoch ms, and the users.
fn steady(survey: &Survey) -> Option<(i64, i64, u64)> {
    let (first, _) = survey.users.first_key_value()?;
    let (last, _) = survey.users.last_key_value()?;
    let shortest = SHORTEST_PHASE_S.max((last - first + 1) / 10);
    let mut levels: Vec<u64> = survey.users.values().copied().collect();
    levels.sort_unstable();
    levels.dedup();
    levels.into_iter().rev().find_map(|level| {
        let (begin, end) = stretch(survey, level)?;
        (end - begin + 1 >= shortest).then_some((begin * 1000, (end + 1) * 1000, level))
    })
}

/// The longest time with so many users, within 2 %: first and last second.
fn stretch(survey: &Survey, level: u64) -> Option<(i64, i64)> {
    let enough = |users: u64| users.abs_diff(level) as f64 <= level as f64 * 0.02;
    let (mut best, mut open): (Option<(i64, i64)>, Option<i64>) = (None, None);
    let mut last = 0;
    for (&second, &users) in &survey.users {
        if enough(users) {
            open = open.or(Some(second));
            last = second;
        } else {
            best = longer(best, open.take().map(|begin| (begin, last)));
        }
    }
    longer(best, open.map(|begin| (begin, last)))
}

fn longer(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.1 - b.0 > a.1 - a.0 { b } else { a }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn survey() -> Survey {
        // A ramp to 50, a dip of one user, ten seconds at 50, a ramp down.
        let mut users: BTreeMap<i64, u64> = (0..5).map(|s| (s, (s as u64 + 1) * 10)).collect();
        users.extend((5..15).map(|s| (s, if s == 8 { 49 } else { 50 })));
        users.extend([(15, 30), (16, 10)]);
        Survey {
            first_start_ms: Some(120),
            last_start_ms: None,
            users,
        }
    }

    #[test]
    fn steady_is_where_the_most_users_run() {
        let cut = bounds(
            &survey(),
            &Span {
                steady: true,
                ..Span::default()
            },
        );
        let found = Bounds {
            from_ms: Some(4000),
            to_ms: Some(15_000),
        };
        assert_eq!(cut.bounds, found);
        assert!(
            cut.note
                .is_some_and(|n| n.contains("steady phase, 50 users"))
        );
    }

    #[test]
    fn a_spike_is_no_phase() {
        // 50 users for two minutes, and 100 for one second of it.
        let users = (0..120)
            .map(|s| (s, if s == 60 { 100 } else { 50 }))
            .collect();
        let survey = Survey {
            first_start_ms: Some(0),
            last_start_ms: None,
            users,
        };
        assert_eq!(steady(&survey), Some((0, 60_000, 50)));
        // A ramp that doubles every other second.
        let ramp = Survey {
            first_start_ms: Some(0),
            last_start_ms: None,
            users: (0..60).map(|s| (s, 1 << (s / 2))).collect(),
        };
        assert_eq!(steady(&ramp), None);
        assert!(no_phase(&ramp).contains("no number of users held"));
    }

    #[test]
    fn the_narrowest_bound_counts() {
        let span = Span {
            warmup_ms: Some(1000.0),
            from: Some(Moment::At(500)),
            to: Some(Moment::After(9000.0)),
            steady: false,
        };
        let found = Bounds {
            from_ms: Some(1120),
            to_ms: Some(9120),
        };
        assert_eq!(bounds(&survey(), &span).bounds, found);
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        let span = Span {
            steady: true,
            ..Span::default()
        };
        assert!(bounds(&Survey::default(), &span).refused.is_some());
        let without_users = Survey {
            users: BTreeMap::new(),
            ..survey()
        };
        assert!(bounds(&without_users, &span).refused.is_some());
    }
}
