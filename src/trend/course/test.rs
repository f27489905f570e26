//! All series of a run, tested together.
//!
//! Each series is judged by itself and, where the run has other endpoints, beside them; half of the chance of a false alarm
//! goes to either. Over the series of a run Holm's control holds, so that a run without change is suspect for any of its
//! series in one run of a hundred at most.

use super::evidence::{Basis, Evidence, adjusted, plain};
use super::figures::Figures;
use super::{Hit, State, Subject, holm};

/// Chance that any series of an unchanged run is outside, for each of the two tests.
const FIRST: f64 = 0.005;
/// The same of the newest two runs together.
const BOTH: f64 = 0.001;
/// Chance for one series of the run after a suspect one.
const AGAIN: f64 = 0.005;
/// Each of two runs must be so far outside by itself.
const EACH: f64 = 0.1;

/// What the run shows of a subject.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// It is worse than the level.
    pub worse: Vec<Hit>,
    /// It is better.
    pub better: Vec<Hit>,
    /// It and the run before are worse together.
    pub both_worse: Vec<Hit>,
    /// … or better.
    pub both_better: Vec<Hit>,
    /// Series outside by themselves, not among all, and in which test; whether it is for the worse.
    pub alone: Vec<(Hit, bool)>,
}

impl Found {
    fn add(&mut self, other: Self) {
        self.worse.extend(other.worse);
        self.better.extend(other.better);
        self.both_worse.extend(other.both_worse);
        self.both_better.extend(other.both_better);
        self.alone.extend(other.alone);
    }
}

/// A test of one series.
struct Tested {
    subject: usize,
    series: usize,
    adjusted: bool,
    one: Evidence,
    both: Option<Evidence>,
}

impl Tested {
    fn p_of_both(&self, worse: bool) -> f64 {
        self.both.map_or(1.0, |both| both.p(worse))
    }

    fn hit(&self, evidence: &Evidence, worse: bool) -> Hit {
        Hit {
            series: self.series,
            adjusted: self.adjusted,
            effect: evidence.effect,
            p: evidence.p(worse),
        }
    }
}

/// Tests the run for every subject; `left_out` are endpoints that tell nothing of the others.
pub fn all(subjects: &[Subject], figures: &Figures, run: usize, left_out: &[bool]) -> Vec<Found> {
    let mut found = vec![Found::default(); subjects.len()];
    let plain = tests(subjects, figures, run, None);
    settle(&plain, subjects, &mut found);
    let mut left_out = left_out.to_vec();
    let mut done = vec![false; subjects.len()];
    // An endpoint that changed makes the others look as if they had changed the other way: it is taken out, the clearest
    // first, and the others are looked at again.
    for _ in 0..=figures.places() {
        let mut beside = tests(subjects, figures, run, Some(&left_out));
        beside.retain(|test| !done[test.subject]);
        let mut now = vec![Found::default(); subjects.len()];
        settle(&beside, subjects, &mut now);
        let Some((subject, place)) = clearest(&beside, figures, &now) else {
            for (found, now) in found.iter_mut().zip(now) {
                found.alone.extend(now.alone);
            }
            break;
        };
        found[subject].add(std::mem::take(&mut now[subject]));
        done[subject] = true;
        left_out[place] = true;
    }
    found
}

fn tests(
    subjects: &[Subject],
    figures: &Figures,
    run: usize,
    beside: Option<&[bool]>,
) -> Vec<Tested> {
    let test = |series: usize, basis: Basis, runs: &[usize]| match beside {
        Some(left_out) => adjusted(figures, series, basis, runs, left_out),
        None => plain(figures, series, basis, runs),
    };
    let mut all = Vec::new();
    for (i, subject) in subjects.iter().enumerate() {
        if matches!(subject.state, State::Away { worse: true, .. }) {
            continue;
        }
        for series in &subject.series {
            let Some(one) = test(*series, subject.basis(), &[run]) else {
                continue;
            };
            let both = subject.suspect_run().and_then(|before| {
                let basis = subject.basis();
                let far = |e: &Evidence| {
                    e.matters
                        && if one.effect > 0.0 {
                            e.p_worse
                        } else {
                            e.p_better
                        } <= EACH
                };
                if !far(&one) {
                    return None;
                }
                let first = test(*series, basis, &[before]).filter(|first| far(first))?;
                // A step is as large in either run; else one of them is far outside, and the other by chance.
                let alike = first.effect / one.effect;
                if !(0.5..=2.0).contains(&alike) {
                    return None;
                }
                test(*series, basis, &[before, run])
            });
            all.push(Tested {
                subject: i,
                series: *series,
                adjusted: beside.is_some(),
                one,
                both,
            });
        }
    }
    all
}

/// Adds what is outside.
fn settle(tests: &[Tested], subjects: &[Subject], found: &mut [Found]) {
    for worse in [true, false] {
        let one = beyond(tests, subjects, FIRST, |t| t.one.p(worse));
        let both = beyond(tests, subjects, BOTH, |t| t.p_of_both(worse));
        for (i, test) in tests.iter().enumerate() {
            let found = &mut found[test.subject];
            if one[i] {
                let hits = if worse {
                    &mut found.worse
                } else {
                    &mut found.better
                };
                hits.push(test.hit(&test.one, worse));
            }
            if let Some(evidence) = test.both.filter(|_| both[i]) {
                let hits = if worse {
                    &mut found.both_worse
                } else {
                    &mut found.both_better
                };
                hits.push(test.hit(&evidence, worse));
            }
            if test.one.p(worse) <= AGAIN {
                found.alone.push((test.hit(&test.one, worse), worse));
            }
        }
    }
}

/// Which of the tests are beyond chance: those that count among each other, those shown only each by itself.
fn beyond(
    tests: &[Tested],
    subjects: &[Subject],
    level: f64,
    p: impl Fn(&Tested) -> f64,
) -> Vec<bool> {
    let counts = |test: &Tested| !subjects[test.subject].advisory;
    let family: Vec<f64> = tests.iter().filter(|t| counts(t)).map(&p).collect();
    let mut rejected = holm::rejected(&family, level).into_iter();
    tests
        .iter()
        .map(|test| {
            if counts(test) {
                rejected.next().unwrap_or(false)
            } else {
                p(test) <= level
            }
        })
        .collect()
}

/// The subject that is clearest outside, and the place of its endpoint.
fn clearest(tests: &[Tested], figures: &Figures, now: &[Found]) -> Option<(usize, usize)> {
    let is_outside = |test: &&Tested| {
        let found = &now[test.subject];
        let all = [
            &found.worse,
            &found.better,
            &found.both_worse,
            &found.both_better,
        ];
        let mut hits = all.into_iter().flatten();
        hits.any(|hit| hit.series == test.series)
    };
    let p = |test: &Tested| {
        let both = test.p_of_both(true).min(test.p_of_both(false));
        test.one.p(true).min(test.one.p(false)).min(both)
    };
    let outside = tests.iter().filter(is_outside);
    let clearest = outside.min_by(|a, b| p(a).total_cmp(&p(b)))?;
    Some((clearest.subject, figures.place(clearest.series)?))
}
