//! When a subject is back at its level.

use super::evidence::{Adjusted, moments};
use super::figures::Figures;
use super::{Hit, Subject};

/// How much likelier the runs must be at the level than away from it: log of a thousand.
const EVIDENCE: f64 = 6.9;
/// Runs that must be back, at least.
const LEAST: usize = 2;

impl Subject {
    /// How many of the newest of `runs`, all since the subject was away, are clearly back. The series that showed the
    /// change best is the witness: each of those runs lies nearer to the level than to the runs away, and together they
    /// are a thousand times as likely there.
    pub(super) fn back(
        &self,
        figures: &Figures,
        runs: &[usize],
        worse: bool,
        left_out: &[bool],
    ) -> Option<usize> {
        let event = self.events.last()?;
        let witness = event.hits.iter().min_by(|a, b| a.p.total_cmp(&b.p))?;
        let mut distances = self.distances(figures, runs, witness, left_out);
        if !worse {
            for (distance, _) in &mut distances {
                *distance = -*distance;
            }
        }
        let most = distances.len().saturating_sub(LEAST);
        (LEAST..=most).find(|newest| {
            let (away, back) = distances.split_at(distances.len() - newest);
            let away: Vec<f64> = away.iter().map(|(distance, _)| *distance).collect();
            let (away, _) = moments(&away);
            let nearer = |(distance, _): &(f64, f64)| *distance < away / 2.0;
            let likelier: f64 = back
                .iter()
                .map(|(d, scale)| ((d - away).powi(2) - d.powi(2)) / (2.0 * scale * scale))
                .sum();
            away > 0.0 && back.iter().all(nearer) && likelier >= EVIDENCE
        })
    }

    /// Distance of each run from the level, and its deviation.
    fn distances(
        &self,
        figures: &Figures,
        runs: &[usize],
        witness: &Hit,
        left_out: &[bool],
    ) -> Vec<(f64, f64)> {
        let one = |run: &usize| {
            let basis = self.basis();
            if witness.adjusted
                && let Some(fit) = Adjusted::fit(figures, witness.series, basis, &[*run], left_out)
            {
                return Some((fit.effect.effect, fit.effect.standard_error));
            }
            super::evidence::distance(figures, witness.series, basis, *run)
        };
        runs.iter().filter_map(one).collect()
    }
}
