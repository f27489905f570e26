//! Single runs that stand alone: one bad run is not a change of level.

use super::effect::{deviation_by_steps, median};

/// A run counts as a spike beyond this many robust deviations.
const LIMIT: f64 = 3.0;
/// … and beyond this many deviations of a rounding error, which is 1.5 · √12 of them: 1.5 steps of rounding.
const ROUNDING_LIMIT: f64 = 5.196_152_422_706_632;
/// At most one run in so many is a spike.
const RARE: usize = 10;
/// Other runs whose median is the local level, the nearest ones.
const NEIGHBOURHOOD: usize = 6;

/// A run that was clipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    /// Its index.
    pub index: usize,
    /// What it is taken for: the local median, three deviations towards the value.
    pub to: f64,
}

/// Finds the runs that are farther than three robust deviations from both neighbours and from the median of the six
/// nearest other runs, all on the same side. The first and the last run have one neighbour.
///
/// The deviation is [`deviation_by_steps`]; `rounding` is that of a rounding error, of which a spike must be
/// 5.2 (one and a half rounding steps). If more than one run in ten stood alone, none does: the series has two modes.
pub fn find(logs: &[f64], rounding: f64) -> Vec<Clip> {
    if logs.len() < 5 {
        return Vec::new();
    }
    let limit = (LIMIT * deviation_by_steps(logs)).max(ROUNDING_LIMIT * rounding);
    if limit == 0.0 {
        return Vec::new();
    }
    let clips: Vec<Clip> = (0..logs.len())
        .filter_map(|index| {
            let level = local_median(logs, index);
            let side = (logs[index] - level).signum();
            let previous = index.checked_sub(1).map(|i| logs[i]);
            let next = logs.get(index + 1).copied();
            let stands_out = [Some(level), previous, next]
                .into_iter()
                .flatten()
                .all(|other| side * (logs[index] - other) > limit);
            stands_out.then_some(Clip {
                index,
                to: level + side * limit,
            })
        })
        .collect();
    if clips.len() > 1 && clips.len() > logs.len() / RARE {
        return Vec::new();
    }
    clips
}

/// Median of the six nearest other runs, as many before as after where there are enough.
fn local_median(logs: &[f64], index: usize) -> f64 {
    let width = NEIGHBOURHOOD + 1;
    let start = index
        .saturating_sub(NEIGHBOURHOOD / 2)
        .min(logs.len().saturating_sub(width));
    let end = (start + width).min(logs.len());
    let others: Vec<f64> = (start..end)
        .filter(|i| *i != index)
        .map(|i| logs[i])
        .collect();
    median(&others)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of ±1: their deviation is 1.4826 / √2 = 1.0484, the limit 3.1451.
    const CALM: [f64; 10] = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0];

    #[test]
    fn one_run_that_stands_alone_is_clipped() {
        let mut logs = CALM;
        logs[4] = 9.0;
        // The others near it: 1 0 1, 1 0 1 → median 1.
        let clips = find(&logs, 0.0);
        assert_eq!(clips.len(), 1);
        assert_eq!(clips[0].index, 4);
        assert!((clips[0].to - (1.0 + 3.1451)).abs() < 1e-3, "{clips:?}");
    }

    #[test]
    fn the_last_run_may_stand_alone() {
        let mut logs = CALM;
        logs[9] = -9.0;
        assert_eq!(find(&logs, 0.0)[0].index, 9);
    }

    #[test]
    fn two_runs_together_are_a_level() {
        let mut logs = CALM;
        logs[8] = 9.0;
        logs[9] = 10.0;
        assert_eq!(find(&logs, 0.0), []);
    }

    #[test]
    fn one_rounding_step_is_no_spike() {
        // A step of 1 has the rounding error 1 / √12 = 0.288675.
        let mut logs = [0.0; 20];
        logs[9] = 1.0;
        assert_eq!(find(&logs, 0.288_675), []);
        logs[9] = 2.0;
        assert_eq!(find(&logs, 0.288_675).len(), 1);
    }

    #[test]
    fn many_spikes_are_two_modes() {
        let mut logs = [
            0.0, 0.1, 0.0, -0.1, 0.0, 0.1, 0.0, -0.1, 0.0, 0.1, 0.0, -0.1,
        ];
        logs[3] = 5.0;
        assert_eq!(find(&logs, 0.0).len(), 1);
        logs[8] = 5.0;
        assert_eq!(find(&logs, 0.0), []);
    }

    #[test]
    fn equal_runs_have_no_spikes() {
        assert_eq!(find(&[3.0; 8], 0.0), []);
    }
}
