//! How a series of consecutive blocks depends on itself, and how long blocks must be for that not to matter.

/// Lag-1 correlation below which blocks count as independent.
pub const SETTLED: f64 = 0.2;
/// Blocks that must remain when they are made longer.
pub const FEWEST_BLOCKS: usize = 20;
/// Neighbouring pairs below which no correlation is quoted.
const FEWEST_PAIRS: usize = 8;

/// Correlation of each block's figure with the next one's (−1 to 1); blocks without a figure break the chain.
///
/// Mean product of neighbours' deviations over the mean squared deviation, both around the overall mean. A constant
/// series has 0; with fewer than 8 pairs there is none.
pub fn lag1(series: &[Option<f64>]) -> Option<f64> {
    let present: Vec<f64> = series.iter().copied().flatten().collect();
    let first = *present.first()?;
    // Around the first value: a constant series has exactly no deviation.
    let mean = first + present.iter().map(|v| v - first).sum::<f64>() / present.len() as f64;
    let squares = present.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / present.len() as f64;
    let products: Vec<f64> = series
        .windows(2)
        .filter_map(|pair| Some((pair[0]? - mean) * (pair[1]? - mean)))
        .collect();
    if products.len() < FEWEST_PAIRS {
        return None;
    }
    if squares <= 0.0 {
        return Some(0.0);
    }
    let covariance = products.iter().sum::<f64>() / products.len() as f64;
    Some((covariance / squares).clamp(-1.0, 1.0))
}

/// The block length chosen for a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockLength {
    /// Consecutive steps (seconds, or rows) that make a block.
    pub steps: usize,
    /// Lag-1 correlation of the blocks' figures at that length; `None` with too few neighbours to tell.
    pub lag1: Option<f64>,
    /// Whether the correlation fell below 0.2; if not, the standard error is likely too small.
    pub settled: bool,
}

/// Doubles the block length from 1 until the blocks' lag-1 correlation is below 0.2, as long as 20 blocks remain.
/// `figures` gives one figure for each whole block of that many steps.
pub fn block_length(
    steps_in_all: usize,
    mut figures: impl FnMut(usize) -> Vec<Option<f64>>,
) -> BlockLength {
    let mut steps = 1;
    loop {
        let lag1 = lag1(&figures(steps));
        let settled = lag1.is_some_and(|r| r < SETTLED);
        if settled || steps_in_all / (2 * steps) < FEWEST_BLOCKS {
            return BlockLength {
                steps,
                lag1,
                settled,
            };
        }
        steps *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alternating_series_is_anticorrelated() {
        let series: Vec<_> = (0..20).map(|i| Some(f64::from(i % 2))).collect();
        assert_eq!(lag1(&series), Some(-1.0));
    }

    #[test]
    fn lag1_by_hand() {
        // 1, 1, 1, 1, 1, −1, −1, −1, −1, −1: nine products, eight +1 and one −1: 7/9 over mean square 1.
        let series: Vec<_> = (0..10)
            .map(|i| Some(if i < 5 { 1.0 } else { -1.0 }))
            .collect();
        assert!((lag1(&series).expect("ten") - 7.0 / 9.0).abs() < 1e-15);
    }

    #[test]
    fn all_equal_is_uncorrelated() {
        assert_eq!(lag1(&[Some(0.1); 10]), Some(0.0));
    }

    #[test]
    fn empty_and_one_value_have_no_correlation() {
        assert_eq!(lag1(&[]), None);
        assert_eq!(lag1(&[Some(1.0)]), None);
    }

    #[test]
    fn gaps_break_the_chain() {
        let series: Vec<_> = (0..20).map(|i| (i % 2 == 0).then_some(1.0)).collect();
        assert_eq!(lag1(&series), None);
    }

    #[test]
    fn blocks_double_until_twenty_remain() {
        // A slow wave stays correlated: 100 steps allow 1, 2, 4 (25 blocks), not 8 (12).
        let wave = |steps: usize| {
            (0..100 / steps)
                .map(|b| Some(((b * steps) as f64 / 50.0).sin()))
                .collect()
        };
        let chosen = block_length(100, wave);
        assert_eq!((chosen.steps, chosen.settled), (4, false));
    }
}
