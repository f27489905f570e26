//! Why a statistic cannot be had.

/// The named reason a figure is absent: the caller says it, and never shows NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shortfall {
    /// A side has fewer runs (or values) than the statistic needs.
    TooFewRuns {
        /// Runs of the smaller side.
        runs: usize,
        /// Runs a side that would do.
        needed: usize,
    },
    /// A value is zero, negative, infinite or not a number, so that it has no logarithm.
    NotPositive,
    /// All runs of both sides have the same value and no rounding is known that could explain it.
    NoVariance,
    /// The covariate is the same everywhere, or differs between the sides only, so that nothing can be adjusted by it.
    Collinear,
    /// No arrangement of this few runs is rare enough: the smallest one-sided p an exact rank test can give.
    AlphaOutOfReach {
        /// Smallest one-sided p within reach (probability, 0 to 1).
        smallest: f64,
    },
    /// Fewer seconds with requests (or batches with counts) than a dependent series needs.
    TooFewSeconds {
        /// Seconds (batches) that have requests.
        seconds: usize,
        /// Seconds (batches) that would do.
        needed: usize,
    },
    /// The run is longer than can be resampled second by second.
    TooLong {
        /// Seconds from the first to the last request.
        seconds: u64,
    },
    /// A running total shrank between two rows: the counters were reset, or rows are out of order.
    NotMonotone {
        /// Position of the offending row, from 0.
        row: usize,
    },
    /// The source holds no response times over time, so how sure a single run is of this figure is not known.
    NothingOverTime,
    /// Fewer independent requests than the quantile needs to be bounded at all.
    TooFewEffective {
        /// Effective requests of the smaller side, rounded down.
        effective: u64,
        /// Effective requests that would do.
        needed: u64,
    },
    /// Nothing was requested on one side.
    NoRequests,
    /// A parameter is outside its domain: a level not between 0 and 1, a negative deviation.
    OutOfDomain,
}
