//! The first runs of a level: nothing judged them, as there was nothing to judge them by.

use super::evidence::{Basis, plain};
use super::figures::Figures;
use super::{Event, Hit, Standing, Subject};
use crate::history::newest::MIN_RUNS;

/// While a level has no more runs than this, its first ones are judged by the others.
const LOOKED_BACK: usize = 2 * MIN_RUNS;
/// The chance that a first run is taken for a spike although it is none: a run is left out only for good reason.
const ALPHA: f64 = 0.001;

impl Subject {
    /// Leaves out a run among the first that the others show to be a spike. One at most: two may be a level.
    pub(super) fn leave_out_first(&mut self, figures: &Figures) {
        let runs = self.level.len();
        if !self.earlier.is_empty() || !(MIN_RUNS + 1..=LOOKED_BACK).contains(&runs) {
            return;
        }
        let first = |place: usize| place < MIN_RUNS && self.level[place] <= MIN_RUNS;
        for place in (0..runs).filter(|place| first(*place)) {
            let mut others = self.level.clone();
            let run = others.remove(place);
            let basis = Basis {
                earlier: &[],
                level: &others,
            };
            let hit = |i: &usize| {
                let found = plain(figures, *i, basis, &[run])?;
                let p = found.p(true).min(found.p(false));
                (p <= ALPHA / MIN_RUNS as f64).then_some(Hit {
                    series: *i,
                    adjusted: false,
                    effect: found.effect,
                    p,
                })
            };
            let hits: Vec<Hit> = self.series.iter().filter_map(hit).collect();
            if !hits.is_empty() && !self.events.iter().any(|e| e.standing == Standing::Spike) {
                self.level = others;
                self.events.push(Event {
                    since: run,
                    worse: hits[0].effect > 0.0,
                    hits,
                    standing: Standing::Spike,
                });
                return;
            }
        }
    }
}
