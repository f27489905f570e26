//! A series in one line of text.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A run without a value.
const GAP: char = '·';

/// The last `width` values, from the lowest bar for the smallest to the highest for the largest; flat if they differ by
/// less than a hundredth.
pub fn sparkline(values: &[Option<f64>], width: usize) -> String {
    let shown = &values[values.len().saturating_sub(width)..];
    let known = || shown.iter().flatten().copied();
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(f64::NEG_INFINITY, f64::max);
    let flat = high - low <= 0.01 * high.abs();
    let bar = |value: f64| {
        let share = if flat {
            0.5
        } else {
            (value - low) / (high - low)
        };
        BARS[((share * 8.0) as usize).min(7)]
    };
    shown.iter().map(|value| value.map_or(GAP, bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_and_high_and_none() {
        let values = [Some(1.0), Some(8.9), None, Some(9.0), Some(5.0)];
        assert_eq!(sparkline(&values, 5), "▁█·█▅");
        assert_eq!(sparkline(&values, 2), "█▁");
        assert_eq!(sparkline(&[Some(3.0); 3], 9), "▅▅▅");
        assert_eq!(sparkline(&[None], 9), "·");
        assert_eq!(sparkline(&[], 9), "");
    }
}
