//! Percentiles as Locust writes them: each stands for an interval of response times.

/// A percentile of a Locust table, and the response times it may have been rounded from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounded {
    /// The written value in milliseconds.
    pub value: f64,
    /// Least response time that rounds to it, in milliseconds.
    pub lower: f64,
    /// Greatest response time that rounds to it, in milliseconds.
    pub upper: f64,
}

/// Locust's rounding of a response time in milliseconds: below 100 to 1, below 1,000 to 10, below 10,000 to 100,
/// above to 1,000; halves to even (`locust/stats.py`, `bucket_response_time` at 407343d).
pub fn rounded(ms: f64) -> f64 {
    let step = step_of(ms);
    (ms / step).round_ties_even() * step
}

fn step_of(ms: f64) -> f64 {
    match ms {
        ms if ms < 100.0 => 1.0,
        ms if ms < 1_000.0 => 10.0,
        ms if ms < 10_000.0 => 100.0,
        _ => 1_000.0,
    }
}

impl Rounded {
    /// The interval of a written value. At 100, 1,000 and 10,000 the finer step of the values below rounds up to it,
    /// so the interval is lopsided: 100 stands for 99.5 to 105.
    pub fn of(value: f64) -> Self {
        let below = match value {
            100.0 | 1_000.0 | 10_000.0 => step_of(value) / 10.0,
            _ => step_of(value),
        };
        Self {
            value,
            lower: (value - below / 2.0).max(0.0),
            upper: value + step_of(value) / 2.0,
        }
    }

    /// A value that was not rounded.
    pub fn exact(value: f64) -> Self {
        Self {
            value,
            lower: value,
            upper: value,
        }
    }

    /// The least standard deviation of the log value that the rounding allows: width / √12 / value.
    ///
    /// That of a uniform error over one step; a scale estimated from rounded values must not fall below it.
    pub fn sd_floor(self) -> f64 {
        if self.value > 0.0 {
            (self.upper - self.lower) / 12_f64.sqrt() / self.value
        } else {
            0.0
        }
    }
}

/// Worst cases of ln(current / baseline): ln(`c.lower` / `b.upper`) and ln(`c.upper` / `b.lower`).
/// `None` if a side may be zero.
pub fn log_ratio_bounds(baseline: Rounded, current: Rounded) -> Option<(f64, f64)> {
    (baseline.lower > 0.0 && current.lower > 0.0).then(|| {
        (
            (current.lower / baseline.upper).ln(),
            (current.upper / baseline.lower).ln(),
        )
    })
}

/// How far the rounding alone can move ln(current / baseline) from that of the written values: the least margin
/// two rounded values can be held to. `None` if a side may be zero.
pub fn combined_half_steps(baseline: Rounded, current: Rounded) -> Option<f64> {
    let (low, high) = log_ratio_bounds(baseline, current)?;
    let written = (current.value / baseline.value).ln();
    Some((written - low).max(high - written))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(value: f64) -> (f64, f64) {
        let r = Rounded::of(value);
        (r.lower, r.upper)
    }

    #[test]
    fn intervals_of_written_values() {
        assert_eq!(span(0.0), (0.0, 0.5));
        assert_eq!(span(5.0), (4.5, 5.5));
        assert_eq!(span(99.0), (98.5, 99.5));
        assert_eq!(span(100.0), (99.5, 105.0));
        assert_eq!(span(250.0), (245.0, 255.0));
        assert_eq!(span(1_000.0), (995.0, 1_050.0));
        assert_eq!(span(10_000.0), (9_950.0, 10_500.0));
        assert_eq!(span(12_000.0), (11_500.0, 12_500.0));
    }

    #[test]
    fn halves_round_to_even() {
        assert_eq!([2.5, 3.5, 99.5].map(rounded), [2.0, 4.0, 100.0]);
        assert_eq!([105.0, 115.0, 995.0].map(rounded), [100.0, 120.0, 1_000.0]);
        assert_eq!([1_050.0, 10_500.0].map(rounded), [1_000.0, 10_000.0]);
    }

    #[test]
    fn every_response_time_lies_in_the_interval_of_its_rounding() {
        for tenth in 0..300_000 {
            let ms = f64::from(tenth) / 10.0;
            let r = Rounded::of(rounded(ms));
            assert!(r.lower <= ms && ms <= r.upper, "{ms} outside {r:?}");
        }
    }

    #[test]
    fn worst_cases_of_two_written_values() {
        // 200 (195..205) to 220 (215..225): ln(215/205) and ln(225/195).
        let (low, high) =
            log_ratio_bounds(Rounded::of(200.0), Rounded::of(220.0)).expect("positive");
        assert!((low - (215.0_f64 / 205.0).ln()).abs() < 1e-15);
        assert!((high - (225.0_f64 / 195.0).ln()).abs() < 1e-15);
        // ln 1.1 = 0.09531; 0.09531 − 0.04763 = 0.04768; 0.14310 − 0.09531 = 0.04779.
        let half = combined_half_steps(Rounded::of(200.0), Rounded::of(220.0)).expect("positive");
        assert!((half - 0.047_79).abs() < 1e-5);
    }

    #[test]
    fn exact_values_have_no_half_step() {
        let half = combined_half_steps(Rounded::exact(3.0), Rounded::exact(4.0));
        assert_eq!(half, Some(0.0));
        assert_eq!(Rounded::exact(3.0).sd_floor(), 0.0);
    }

    #[test]
    fn zero_milliseconds_has_no_ratio() {
        assert_eq!(log_ratio_bounds(Rounded::of(0.0), Rounded::of(1.0)), None);
    }
}
