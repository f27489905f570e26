//! Failures by endpoint, status, kind and folded message.

use minijinja::{Value, context};

use super::{NONE, names};
use crate::summary::{ErrorSummary, Summary};
use crate::units::{Scale, Unit, date_and_time, time_of_day};

/// The most kinds of failure that are listed.
const MOST: usize = 500;
const DAY_MS: i64 = 86_400_000;

/// What `errors.html` shows.
pub fn view(summary: &Summary) -> Value {
    let shown = &summary.errors[..summary.errors.len().min(MOST)];
    let shares = Scale::of(Unit::Ratio, shown.iter().filter_map(|e| e.share));
    // Within a day the time alone tells a moment.
    let within_a_day =
        matches!((summary.started_ms, summary.ended_ms), (Some(a), Some(b)) if b - a < DAY_MS);
    let left: u64 = summary.errors.len().saturating_sub(MOST) as u64;
    context! {
        rows => shown.iter().map(|e| row(e, &shares, within_a_day)).collect::<Vec<_>>(),
        timed => shown.iter().any(|e| e.first_ms.is_some()),
        left => Unit::Count.human(left as f64),
        more => left > 0,
    }
}

fn row(error: &ErrorSummary, shares: &Scale, within_a_day: bool) -> Value {
    let seen = |at: Option<i64>| match at {
        None => NONE.to_owned(),
        Some(ms) if within_a_day => time_of_day(ms.div_euclid(1000)),
        Some(ms) => date_and_time(ms),
    };
    context! {
        message => names::text(&error.message),
        category => error.category.name(),
        status => error.status.map_or_else(|| NONE.to_owned(), |s| s.to_string()),
        endpoint => names::brief(&error.endpoint.to_string()),
        count => Unit::Count.human(error.count as f64),
        share => error.share.map_or_else(|| NONE.to_owned(), |s| shares.text(s)),
        first => seen(error.first_ms),
        last => seen(error.last_ms),
    }
}
