//! What a log as a whole tells of its lines: how those ended that do not say it, and in which unit their times are.

use std::collections::{BTreeMap, BTreeSet};

use super::aliases::Unit;
use super::layouts::Layout;
use super::outcome::{ErrorSays, Outcome};
use crate::diagnostic::{Diagnostic, Origin};
use crate::tally::{Concern, Counts, Tally};
use crate::units;

/// What was seen of a log.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a line"
)]
pub struct Signs {
    /// A line does not say how its request ended.
    unknown: bool,
    /// A status of 4xx stands beside an error that is null.
    disputed: bool,
    /// An error stands beside a status of 4xx.
    error_beside_4xx: bool,
    /// A line has an error, and no other key that tells how it ended.
    only_error: bool,
    /// A line has such another key.
    states_outcome: bool,
    /// Keys of response times that leave their unit open.
    open_units: BTreeMap<String, bool>,
    /// Which of the user's own keys a line had, by their places.
    mapped: Vec<bool>,
    /// Whose layouts were seen, and whether the time stamp of each is of the end.
    layouts: BTreeSet<(&'static str, bool)>,
}

/// What one line, or one series of lines that end alike, says.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it has an error.
    pub error: ErrorSays,
    /// HTTP status.
    pub status: Option<u16>,
    /// Whether more than an error tells the outcome.
    pub states_outcome: bool,
}

impl Signs {
    /// Notes how a line ended.
    pub fn see(&mut self, ending: Ending) {
        let has_error = ending.error == ErrorSays::Error;
        self.unknown |= ending.outcome == Outcome::Unknown;
        self.disputed |= ending.outcome == Outcome::Disputed;
        self.error_beside_4xx |= has_error && ending.status.is_some_and(|s| s / 100 == 4);
        self.only_error |= has_error && !ending.states_outcome;
        self.states_outcome |= ending.states_outcome;
    }

    /// Notes a key that leaves its unit open.
    pub fn see_unit(&mut self, key: &str, unit: Unit) {
        if !self.open_units.contains_key(key) {
            let is_conventional = unit == Unit::Conventional;
            self.open_units.insert(key.to_owned(), is_conventional);
        }
    }

    /// Notes that a line has the user's own key of that place.
    pub fn see_mapped(&mut self, place: usize) {
        if self.mapped.len() <= place {
            self.mapped.resize(place + 1, false);
        }
        self.mapped[place] = true;
    }

    /// Notes whose layout a line has.
    pub fn see_layout(&mut self, layout: &Layout) {
        self.layouts.insert((layout.name, layout.stamp_is_end));
    }

    /// What is to be said of the layouts.
    pub fn layout_notes(&self) -> impl Iterator<Item = String> {
        self.layouts.iter().map(|(name, stamp_is_end)| {
            let end = if *stamp_is_end {
                "; its time stamps are of a request's end, its start was computed"
            } else {
                ""
            };
            format!("read as a log in the layout of {name}, which states its units{end}")
        })
    }

    /// Whether a line had the user's own key of that place.
    pub fn has_mapped(&self, place: usize) -> bool {
        self.mapped.get(place).copied().unwrap_or(false)
    }

    /// Takes over what was seen elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.unknown |= other.unknown;
        self.disputed |= other.disputed;
        self.error_beside_4xx |= other.error_beside_4xx;
        self.only_error |= other.only_error;
        self.states_outcome |= other.states_outcome;
        for (key, is_conventional) in &other.open_units {
            self.open_units.insert(key.clone(), *is_conventional);
        }
        self.layouts.extend(other.layouts.iter().copied());
        for place in (0..other.mapped.len()).filter(|place| other.mapped[*place]) {
            self.see_mapped(place);
        }
    }

    /// Whether the other lines tell that those succeeded which do not say it.
    fn open_are_successes(&self) -> bool {
        // It writes an error only where there was one.
        let unknown = !self.unknown || (self.only_error && !self.states_outcome);
        // It writes an error beside a 4xx that the load script did not want.
        let disputed = !self.disputed || self.error_beside_4xx;
        unknown && disputed
    }

    /// Decides on requests of which it is not known how they ended; a sentence if that rests on the log's habit.
    pub fn settle(&mut self, tally: &mut Tally) -> Option<String> {
        let is_open = self.unknown || self.disputed;
        if !is_open || !self.open_are_successes() {
            return None;
        }
        let settled = succeed(tally);
        let is_habit = std::mem::take(&mut self.unknown);
        self.disputed = false;
        (settled > 0 && is_habit).then(|| {
            "the log writes an error only for requests that failed: those without one count as successes".to_owned()
        })
    }
}

/// Takes all requests of which it is not known how they ended for successes; how many they are.
pub fn succeed(tally: &mut Tally) -> u64 {
    let mut settled = 0;
    for endpoint in tally.endpoints.values_mut() {
        settled += endpoint.unknown_outcomes;
        endpoint.unknown_are_successes();
    }
    settled
}

/// Most requests at once that are believed where the log does not say how many users there were.
const MOST_AT_ONCE: f64 = 1000.0;
/// Response times that are so many times longer than their log, and a minute, cannot be.
const TIMES_THE_LOG: f64 = 100.0;
const MINUTE_S: f64 = 60.0;
/// Fewest requests that tell a unit, and the shortest log: many requests may start at once and take long.
const FEWEST: u64 = 10;
const SHORTEST_S: f64 = 10.0;

/// The response times of a log in one number each.
struct Times {
    requests: u64,
    sum_ms: f64,
    median_ms: f64,
    longest_ms: f64,
    /// First to last start, in seconds, if the log has time stamps.
    span_s: Option<f64>,
}

impl Times {
    fn of(tally: &Tally) -> Option<Self> {
        let all = || tally.endpoints.values();
        let mut counts = Counts::default();
        all().for_each(|e| counts.merge(&e.response_times));
        let median = crate::summary::quantile::quantiles(&counts, &[0.5])[0]?;
        Some(Self {
            requests: counts.total(),
            sum_ms: all()
                .filter_map(|e| e.exact_sum_us)
                .map(|us| us as f64)
                .sum::<f64>()
                / 1e3,
            median_ms: median / 1e3,
            longest_ms: counts.last()? as f64 / 1e3,
            span_s: span_s(tally),
        })
    }

    /// Whether they can be, were each so many times longer: not more at once than there were users, and not most of them
    /// longer than twice the log. `None` where the log is too short to tell.
    fn can_be(&self, factor: f64, users: f64) -> Option<bool> {
        let span = self.span_s.filter(|span| *span >= SHORTEST_S)?;
        if self.requests < FEWEST {
            return None;
        }
        let [sum, median, longest] =
            [self.sum_ms, self.median_ms, self.longest_ms].map(|ms| ms / 1e3 * factor);
        Some(sum <= users * (span + longest) && median <= 2.0 * span)
    }
}

/// First to last start, in seconds.
fn span_s(tally: &Tally) -> Option<f64> {
    let all = || tally.endpoints.values();
    let first = all().filter_map(|e| e.first_start_ms).min()?;
    let last = all().filter_map(|e| e.starts.last()).max()?;
    Some((last - first) as f64 / 1e3)
}

/// Units below the millisecond, with how many of them it has.
const SMALLER: [(&str, f64); 2] = [("us", 1e3), ("ns", 1e6)];

/// Decides in which unit the response times of a log are that leave it open, and whether any can be. What is not known is a
/// doubt on the log's tally; the answer is what is to be said of what is known.
pub fn judge_units(
    signs: &Signs,
    tally: &mut Tally,
    users: Option<u64>,
    file: &str,
) -> Result<Vec<String>, Diagnostic> {
    // A key that states no unit is asked for it, below.
    if signs
        .open_units
        .values()
        .all(|is_conventional| *is_conventional)
    {
        impossible(signs, tally, file)?;
    }
    if signs.open_units.is_empty() {
        return Ok(Vec::new());
    }
    let Some(times) = Times::of(tally) else {
        return Ok(Vec::new());
    };
    let users = users.map_or(MOST_AT_ONCE, |users| users.max(1) as f64);
    let mut notes = Vec::new();
    for (key, is_conventional) in &signs.open_units {
        let can_be = |(_, parts): &&(&str, f64)| times.can_be(1.0 / parts, users) == Some(true);
        let as_ms = times.can_be(1.0, users);
        let smaller = SMALLER.iter().find(can_be).map(|(unit, _)| *unit);
        let likely = smaller.filter(|_| as_ms == Some(false));
        let is_ms = if *is_conventional {
            times.median_ms >= 1.0
        } else {
            as_ms == Some(true) && times.can_be(1e3, users) == Some(false)
        };
        if is_ms && *is_conventional {
            continue;
        }
        if is_ms {
            notes.push(format!(
                "`{key}` does not state its unit; it was read as milliseconds, because as seconds the requests would not fit \
                 into the run"
            ));
            continue;
        }
        let unit = match (likely, is_conventional) {
            (Some(unit), _) => unit,
            (None, true) => "s",
            (None, false) => "UNIT",
        };
        let why = match (likely, is_conventional) {
            (Some(_), _) => "as milliseconds the requests would not fit into the run",
            (None, true) => {
                "half of its values are below 1, which is more likely seconds than milliseconds"
            }
            (None, false) => "milliseconds and seconds are both possible",
        };
        let because = format!(
            "the unit of `{key}` is not known ({why}); response times are shown as milliseconds, but not judged: say \
             `--map response_time={key}:{unit}`{}",
            if unit == "UNIT" {
                ", where UNIT is ms, s, us or ns"
            } else {
                ""
            }
        );
        tally
            .doubts
            .add(&[Concern::Times, Concern::Course], &because);
    }
    Ok(notes)
}

/// An error for response times that are longer than their log many times over.
fn impossible(signs: &Signs, tally: &Tally, file: &str) -> Result<(), Diagnostic> {
    let longest = tally.endpoints.values().filter_map(|e| e.max_us);
    let longest_s = longest.fold(0.0, f64::max) / 1e6;
    // Most logs are seen to be possible without a look at their starts.
    if longest_s <= TIMES_THE_LOG * MINUTE_S {
        return Ok(());
    }
    let Some(span) = span_s(tally) else {
        return Ok(());
    };
    if longest_s <= TIMES_THE_LOG * (span + MINUTE_S) {
        return Ok(());
    }
    let times = Times::of(tally);
    let likely = SMALLER.iter().find(|(_, parts)| {
        let can_be = |t: &Times| t.can_be(1.0 / parts, MOST_AT_ONCE) == Some(true);
        times.as_ref().is_some_and(can_be)
    });
    let unit = likely.map_or("us", |(unit, _)| unit);
    let key = signs.open_units.keys().next();
    let key = key.map_or("KEY", String::as_str);
    let (longest, span) = (
        units::Unit::Time.human(longest_s * 1e3),
        units::Unit::Time.human(span * 1e3),
    );
    Err(Diagnostic::new(
        "impossible-time",
        format!(
            "the longest response time would be {longest}, in a log whose requests all start within {span}: its unit is \
             more likely {unit}"
        ),
    )
    .at(Origin::file(file))
    .help(format!(
        "say `--map response_time={key}:{unit}`, or in the gate file `[input.map]` `response_time = \"{key}:{unit}\"`"
    )))
}
