//! The history followed run by run, as it arrived: what is said of a run uses the runs up to it and no later one, so that
//! a red run stays red whatever is appended, and its verdict can be explained from what was known then.
//!
//! Metrics of one endpoint that are measured alike (its response times, its failures) are one [`Subject`]. Its runs are
//! judged by the level before them. The first run outside is *suspect*, and the level is frozen; outside again at the
//! next, it is *away* from the level, and stays so until the runs since are clearly back. A run that was outside alone is
//! a spike: it is no part of the level. A new level for the better is taken over after [`ADOPTED`] runs, one for the worse
//! only when somebody acknowledges it.

use super::changes::Accepted;
use super::{Group, Settings};
use crate::statistics::holm;
use crate::tally::Endpoint;
use crate::units::Unit;
use evidence::Basis;
use figures::Figures;

mod back;
pub mod evidence;
pub mod figures;
mod first;
mod parts;
mod test;

/// Runs of a level by which others are judged, at most: the newest.
pub const WINDOW: usize = 100;
/// Runs from which a change can be confirmed: of fewer, runs without a change are too often outside twice.
const SETTLED: usize = 7;
/// Runs after which a level for the better is the one to judge by.
const ADOPTED: usize = 5;

/// What became of every endpoint, run by run.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// The endpoints, each once for every kind of metric.
    pub subjects: Vec<Subject>,
}

/// What is followed together: metrics of one endpoint and of one unit.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Which endpoint; `None` is the total.
    pub endpoint: Option<Endpoint>,
    /// Its series, by index.
    pub series: Vec<usize>,
    /// Whether it is shown only.
    pub advisory: bool,
    /// Runs of the levels before.
    pub earlier: Vec<Vec<usize>>,
    /// Runs of the level; those away from it and spikes are none.
    pub level: Vec<usize>,
    /// What happened, in order.
    pub events: Vec<Event>,
    state: State,
}

/// Something that happened to a subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// First run outside.
    pub since: usize,
    /// Whether it is for the worse.
    pub worse: bool,
    /// What showed it.
    pub hits: Vec<Hit>,
    /// What became of it.
    pub standing: Standing,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Seen in one run, the newest.
    Suspect,
    /// Seen in one run only: the next was inside.
    Spike,
    /// Confirmed, and it lasts.
    Lasting,
    /// Confirmed, and over from that run on.
    Over(usize),
    /// For the better, and by now the level.
    Adopted,
    /// The level from there on, as somebody acknowledged it.
    Acknowledged,
}

/// A series outside its level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Which series.
    pub series: usize,
    /// Whether it was beside the run's other endpoints, instead of by itself.
    pub adjusted: bool,
    /// By how much, in logs; of shares a difference. Larger is worse.
    pub effect: f64,
    /// One-sided p of no such change.
    pub p: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Runs join the level.
    Calm,
    /// The run was outside.
    Suspect { run: usize, worse: bool },
    /// All runs since were.
    Away { since: usize, worse: bool },
}

impl Subject {
    fn new(group: &Group, series: Vec<usize>) -> Self {
        let first = &group.series[series[0]];
        Self {
            endpoint: first.endpoint.clone(),
            advisory: series.iter().all(|i| group.series[*i].advisory),
            series,
            earlier: Vec::new(),
            level: Vec::new(),
            events: Vec::new(),
            state: State::Calm,
        }
    }

    /// The newest runs of the level.
    pub fn basis(&self) -> Basis<'_> {
        Basis {
            earlier: &self.earlier,
            level: &self.level[self.level.len().saturating_sub(WINDOW)..],
        }
    }

    /// Runs from which its noise is known: of the level, and of those before it.
    fn known_runs(&self) -> usize {
        self.level.len() + self.earlier.iter().map(Vec::len).sum::<usize>()
    }

    /// The run that is suspect.
    fn suspect_run(&self) -> Option<usize> {
        match self.state {
            State::Suspect { run, .. } => Some(run),
            State::Calm | State::Away { .. } => None,
        }
    }

    /// Since which run it is away from its level, and whether for the worse.
    pub fn away(&self) -> Option<(usize, bool)> {
        match self.state {
            State::Away { since, worse } => Some((since, worse)),
            State::Calm | State::Suspect { .. } => None,
        }
    }

    /// Single runs that were outside alone.
    pub fn spikes(&self) -> impl Iterator<Item = usize> {
        let spikes = self.events.iter().filter(|e| e.standing == Standing::Spike);
        spikes.map(|event| event.since)
    }

    /// The event that lasts, or that the newest run is suspect of.
    pub fn open(&self) -> Option<&Event> {
        let open = |e: &&Event| matches!(e.standing, Standing::Suspect | Standing::Lasting);
        self.events.last().filter(open)
    }

    fn is_known(&self, figures: &Figures, run: usize) -> bool {
        self.series.iter().any(|i| figures.is_known(*i, run))
    }

    fn conclude(&mut self, standing: Standing) {
        if let Some(event) = self.events.last_mut() {
            event.standing = standing;
        }
    }

    /// The level that was acknowledged begins.
    fn accept(&mut self, figures: &Figures, run: usize) {
        if matches!(self.state, State::Suspect { .. } | State::Away { .. }) {
            // What is acknowledged with the run it was found in has no event of its own.
            self.events.pop();
        }
        let earlier = std::mem::take(&mut self.level);
        let hits = |i: &usize| {
            let effect = evidence::shift(figures, *i, &earlier, &[run])?;
            Some(Hit {
                series: *i,
                adjusted: false,
                effect,
                p: 1.0,
            })
        };
        let hits: Vec<Hit> = self.series.iter().filter_map(hits).collect();
        self.events.push(Event {
            since: run,
            worse: hits.iter().map(|hit| hit.effect).sum::<f64>() > 0.0,
            hits,
            standing: Standing::Acknowledged,
        });
        self.earlier.push(earlier);
        self.level.push(run);
        self.state = State::Calm;
    }

    fn suspect(&mut self, run: usize, worse: bool, hits: Vec<Hit>) {
        self.events.push(Event {
            since: run,
            worse,
            hits,
            standing: Standing::Suspect,
        });
        self.state = State::Suspect { run, worse };
    }

    /// Whether the run is outside in a series in which the suspect run was, by the same test.
    fn is_again(&self, found: &test::Found, worse: bool) -> bool {
        let before = self.events.last().map_or(&[][..], |event| &event.hits);
        found.alone.iter().any(|(hit, is_worse)| {
            let same = |first: &Hit| first.series == hit.series && first.adjusted == hit.adjusted;
            *is_worse == worse && before.iter().any(same)
        })
    }

    fn confirm(&mut self, since: usize, worse: bool, hits: Vec<Hit>) {
        if let Some(event) = self.events.last_mut() {
            event.standing = Standing::Lasting;
            // The two runs together say more than the first alone.
            if !hits.is_empty() {
                event.hits = hits;
            }
        }
        self.state = State::Away { since, worse };
    }

    /// Takes the run in, given what it showed.
    fn take(&mut self, figures: &Figures, run: usize, found: &test::Found, left_out: &[bool]) {
        match self.state {
            State::Calm => self.judge(figures, run, found),
            State::Suspect { run: first, worse } => {
                let both = if worse {
                    &found.both_worse
                } else {
                    &found.both_better
                };
                if !both.is_empty() || self.is_again(found, worse) {
                    if self.known_runs() >= SETTLED {
                        self.confirm(first, worse, both.clone());
                    } else {
                        // So few runs do not tell a level from a run of luck: both belong to it.
                        self.events.pop();
                        self.level.extend([first, run]);
                        self.state = State::Calm;
                    }
                } else {
                    self.conclude(Standing::Spike);
                    self.state = State::Calm;
                    self.judge(figures, run, found);
                }
            }
            State::Away { since, worse } => {
                let runs: Vec<usize> = (since..=run)
                    .filter(|run| self.is_known(figures, *run))
                    .collect();
                if !worse && !found.worse.is_empty() {
                    self.conclude(Standing::Over(run));
                    self.suspect(run, true, found.worse.clone());
                } else if let Some(kept) = self.back(figures, &runs, worse, left_out) {
                    self.conclude(Standing::Over(runs[runs.len() - kept]));
                    self.level.extend(&runs[runs.len() - kept..]);
                    self.state = State::Calm;
                } else if !worse && runs.len() >= ADOPTED {
                    self.conclude(Standing::Adopted);
                    let earlier = std::mem::replace(&mut self.level, runs);
                    self.earlier.push(earlier);
                    self.state = State::Calm;
                }
            }
        }
    }

    /// A run alone: suspect, or part of the level.
    fn judge(&mut self, figures: &Figures, run: usize, found: &test::Found) {
        if !found.worse.is_empty() {
            self.suspect(run, true, found.worse.clone());
        } else if !found.better.is_empty() {
            self.suspect(run, false, found.better.clone());
        } else {
            self.level.push(run);
            self.leave_out_first(figures);
        }
    }
}

/// Follows a group from its first run to its newest.
pub fn follow(group: &Group, accepted: &Accepted, settings: &Settings) -> Course {
    let figures = Figures::of(group, settings);
    let mut subjects: Vec<Subject> = Vec::new();
    for (i, series) in group.series.iter().enumerate() {
        let unit = |s: &Subject| -> Unit { group.series[s.series[0]].metric.unit() };
        let same =
            |s: &&mut Subject| s.endpoint == series.endpoint && unit(s) == series.metric.unit();
        match subjects.iter_mut().find(same) {
            Some(subject) => subject.series.push(i),
            None => subjects.push(Subject::new(group, vec![i])),
        }
    }
    let begins: Vec<Option<usize>> = subjects
        .iter()
        .map(|s| s.series.iter().filter_map(|i| accepted.begin_of(*i)).max())
        .collect();
    for run in 0..group.runs.len() {
        step(&mut subjects, &figures, &begins, run);
    }
    Course { subjects }
}

/// Which endpoints tell nothing of the others, as something is open on them.
fn left_out(subjects: &[Subject], figures: &Figures) -> Vec<bool> {
    let mut left_out = vec![false; figures.places()];
    for subject in subjects.iter().filter(|s| s.state != State::Calm) {
        if let Some(place) = subject.series.iter().find_map(|i| figures.place(*i)) {
            left_out[place] = true;
        }
    }
    left_out
}

/// Takes one more run in.
fn step(subjects: &mut [Subject], figures: &Figures, begins: &[Option<usize>], run: usize) {
    let left_out = left_out(subjects, figures);
    let found = test::all(subjects, figures, run, &left_out);
    for ((subject, found), begin) in subjects.iter_mut().zip(found).zip(begins) {
        if !subject.is_known(figures, run) {
            continue;
        }
        if *begin == Some(run) {
            subject.accept(figures, run);
        } else {
            subject.take(figures, run, &found, &left_out);
        }
    }
}
