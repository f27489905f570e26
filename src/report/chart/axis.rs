//! Axes: where a value lies between the two ends, and which values are written beside it.

use plotters::coord::ranged1d::{BoldPoints, Ranged};
use plotters::coord::types::RangedCoordf64;

use crate::units::{self, Unit};

/// Steps of a time axis, in seconds.
const STEPS: [f64; 18] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
    14_400.0, 21_600.0, 43_200.0, 86_400.0,
];
/// What fits side by side on a phone.
const MOST_ACROSS: f64 = 6.0;
const MOST_DOWN: usize = 5;

/// One axis.
#[derive(Clone, Debug)]
pub struct Axis {
    from: f64,
    to: f64,
    logarithmic: bool,
    /// Value and text, ascending.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Seconds since the run's start, from 0 on.
    pub fn time(to: f64) -> Self {
        let to = to.max(1.0);
        let step = STEPS.iter().copied().find(|step| to / step < MOST_ACROSS);
        let step = step.unwrap_or_else(|| (to / MOST_ACROSS / 86_400.0).ceil() * 86_400.0);
        let ticks =
            std::iter::successors(Some(0.0), |at| Some(at + step)).take_while(|at| *at <= to);
        Self {
            from: 0.0,
            to,
            logarithmic: false,
            ticks: ticks.map(|at| (at, units::elapsed(at))).collect(),
        }
    }

    /// Values from 0 to a little above the highest.
    pub fn values(unit: Unit, highest: f64) -> Self {
        Self::between(unit, 0.0, highest)
    }

    /// Values from the lowest to a little above the highest.
    pub fn between(unit: Unit, lowest: f64, highest: f64) -> Self {
        let spread = highest - lowest;
        let room = if spread > 0.0 && spread.is_finite() {
            spread * 0.06
        } else {
            highest.abs().max(1.0)
        };
        let (from, to) = (
            if lowest == 0.0 { 0.0 } else { lowest - room },
            highest + room,
        );
        let points: Vec<f64> = RangedCoordf64::from(from..to).key_points(BoldPoints(MOST_DOWN));
        let whole = |tick: &f64| unit != Unit::Count || tick.fract() == 0.0;
        let ticks: Vec<f64> = points.into_iter().filter(whole).collect();
        let texts = units::axis(unit, &ticks);
        Self {
            from,
            to,
            logarithmic: false,
            ticks: ticks.into_iter().zip(texts).collect(),
        }
    }

    /// Positive values on a logarithmic scale, with ticks at 1, 2 and 5 times powers of ten as far as they fit.
    pub fn logarithmic(unit: Unit, lowest: f64, highest: f64) -> Self {
        let from = if lowest > 0.0 { lowest } else { 1e-3 };
        let to = highest.max(from * 1.5);
        let (first, last) = (from.log10().floor() as i32, to.log10().ceil() as i32);
        let candidates = |leads: &[f64]| -> Vec<f64> {
            (first..=last)
                .flat_map(|power| leads.iter().map(move |lead| lead * 10_f64.powi(power)))
                .filter(|tick| (from..=to).contains(tick))
                .collect()
        };
        let mut ticks = candidates(&[1.0, 2.0, 5.0]);
        if ticks.len() > MOST_ACROSS as usize {
            ticks = candidates(&[1.0]);
        }
        let ticks = ticks.into_iter().map(|tick| (tick, unit.human(tick)));
        Self {
            from,
            to,
            logarithmic: true,
            ticks: ticks.collect(),
        }
    }

    /// With ticks of one's own, from the first to the last end.
    pub fn named(from: f64, to: f64, ticks: Vec<(f64, String)>) -> Self {
        Self {
            from,
            to: if to > from { to } else { from + 1.0 },
            logarithmic: false,
            ticks,
        }
    }

    /// Where a value lies: 0 at the begin, 1 at the end; what lies outside is at the nearer end.
    pub fn place(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(f64::MIN_POSITIVE) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        }
    }

    /// Thousandths of the width, for [`super::Reading`].
    pub fn thousandths(&self, value: f64) -> u16 {
        (self.place(value) * 1000.0).round() as u16
    }

    /// Whether a value lies on it.
    pub fn holds(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_of_time_are_round_and_few() {
        assert_eq!(texts(&Axis::time(3600.0)).len(), 5);
        assert_eq!(texts(&Axis::time(100.0)), ["0", "30 s", "60 s", "90 s"]);
        assert_eq!(texts(&Axis::time(0.0)), ["0", "1 s"]);
        assert!(texts(&Axis::time(40.0 * 86_400.0)).len() <= 6);
    }

    #[test]
    fn values_have_a_few_round_ticks_and_whole_counts() {
        assert_eq!(
            texts(&Axis::values(Unit::Time, 180.0)),
            ["0", "50", "100", "150 ms"]
        );
        assert_eq!(texts(&Axis::values(Unit::Count, 1.0)), ["0", "1"]);
        assert!(!texts(&Axis::values(Unit::Count, 0.0)).is_empty());
    }

    #[test]
    fn a_logarithm_gives_every_decade_the_same_room() {
        let axis = Axis::logarithmic(Unit::Time, 1.0, 10_000.0);
        assert_eq!(texts(&axis), ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert!((axis.place(100.0) - 0.5).abs() < 1e-12);
        assert_eq!((axis.place(0.0), axis.place(1e9)), (0.0, 1.0));
    }
}
