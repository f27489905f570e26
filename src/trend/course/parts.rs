//! What an event or a level amounts to, in the figures of the group.

use super::evidence::Adjusted;
use super::figures::{Figures, sign};
use super::{Course, Event, Hit, Standing, Subject, evidence};
use crate::trend::{Group, Part};

impl Course {
    /// The subject that a series belongs to.
    pub fn subject_of(&self, series: usize) -> Option<&Subject> {
        self.subjects.iter().find(|s| s.series.contains(&series))
    }

    /// Which endpoints tell nothing of the others at the newest run, as something is open on them.
    pub fn left_out(&self, figures: &Figures) -> Vec<bool> {
        super::left_out(&self.subjects, figures)
    }

    /// The runs by which a newest run is judged: of the level last accepted of every endpoint that counts. Spikes of an
    /// endpoint are left out as long as half of the runs remain.
    pub fn baseline(&self, group: &Group) -> Vec<usize> {
        let counts = || self.subjects.iter().filter(|s| !s.advisory);
        let newest_level = |subject: &Subject| {
            let begins = subject
                .events
                .iter()
                .filter(|e| matches!(e.standing, Standing::Adopted | Standing::Acknowledged));
            begins.map(|e| e.since).max().unwrap_or(0)
        };
        let first = counts().map(newest_level).max().unwrap_or(0);
        let away = |subject: &Subject, run: usize| {
            subject.events.iter().any(|event| match event.standing {
                Standing::Lasting => run >= event.since,
                Standing::Suspect => run == event.since,
                Standing::Over(until) => (event.since..until).contains(&run),
                Standing::Spike | Standing::Adopted | Standing::Acknowledged => false,
            })
        };
        let kept: Vec<usize> = (first..group.runs.len())
            .filter(|run| !counts().any(|s| s.endpoint.is_some() && away(s, *run)))
            .filter(|run| !counts().any(|s| away(s, *run)))
            .collect();
        let is_spike = |run: &usize| counts().any(|s| s.spikes().any(|spike| spike == *run));
        let without: Vec<usize> = kept.iter().copied().filter(|run| !is_spike(run)).collect();
        if 2 * without.len() >= kept.len() {
            without
        } else {
            kept
        }
    }
}

impl Subject {
    /// Runs that an event lasted, of those that have a figure.
    pub fn runs_of(&self, figures: &Figures, event: &Event, runs: usize) -> Vec<usize> {
        let end = match event.standing {
            Standing::Suspect | Standing::Spike => event.since + 1,
            Standing::Over(until) => until,
            Standing::Lasting | Standing::Adopted | Standing::Acknowledged => {
                let later = self.events.iter().find(|e| e.since > event.since);
                later
                    .filter(|e| e.standing != Standing::Spike)
                    .map_or(runs, |e| e.since)
            }
        };
        (event.since..end)
            .filter(|run| self.is_known(figures, *run))
            .collect()
    }

    /// One metric of an event: the level and what the runs since were, or what the other endpoints of those runs would
    /// lead to expect and what they were.
    pub fn part(
        &self,
        figures: &Figures,
        event: &Event,
        hit: &Hit,
        runs: usize,
        left_out: &[bool],
    ) -> Part {
        let series = &figures.series[hit.series];
        let since = self.runs_of(figures, event, runs);
        let mut effect = hit.effect;
        if event.standing == Standing::Lasting {
            let fit =
                |hit: &Hit| Adjusted::fit(figures, hit.series, self.basis(), &since, left_out);
            effect = if hit.adjusted {
                fit(hit).map_or(effect, |fit| fit.effect.effect)
            } else {
                evidence::shift(figures, hit.series, self.basis().level, &since).unwrap_or(effect)
            };
        }
        let zero = evidence::shift(figures, hit.series, &since[..since.len().min(1)], &since);
        let first = series.values.get(event.since).copied().flatten();
        let (before, after) = if series.metric.is_share() {
            let after = first.unwrap_or(0.0) + zero.unwrap_or(0.0);
            ((after - effect).max(0.0), after)
        } else {
            let sign = sign(series);
            let after = first.unwrap_or(f64::NAN) * (sign * zero.unwrap_or(0.0)).exp();
            (after * (-sign * effect).exp(), after)
        };
        Part {
            metric: series.metric,
            before,
            after,
            p: hit.p,
            adjusted: hit.adjusted,
        }
    }
}
