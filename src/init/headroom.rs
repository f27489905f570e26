//! From what was observed to a limit: room above it, then the next round number.

/// Mantissas a limit may have.
const ROUND: [f64; 12] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0];
/// Room above the observed value. Runs of one system differ by this much for no reason of its own.
pub const ROOM: f64 = 1.25;

/// The smallest round number that leaves room above a value.
pub fn above(value: f64) -> f64 {
    round_up(value * ROOM)
}

/// The smallest round number from a value on; 0 stays 0.
pub fn round_up(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 0.0;
    }
    let exponent = value.log10().floor();
    let power = 10_f64.powi(exponent as i32);
    let mantissa = ROUND.iter().find(|m| **m * power >= value * (1.0 - 1e-9));
    let rounded = mantissa.unwrap_or(&10.0) * power;
    // 1.2 × 0.1 is not 0.12 in floats: what is written is read back.
    let places = (2.0 - exponent).max(0.0) as usize;
    format!("{rounded:.places$}").parse().unwrap_or(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_round_and_above() {
        // 266.1 · 1.25 = 332.6, and the next round number is 400.
        assert_eq!(above(266.1), 400.0);
        assert_eq!(above(80.0), 100.0);
        assert_eq!(above(0.0), 0.0);
        assert_eq!(round_up(0.0101), 0.012);
        assert_eq!(round_up(0.12), 0.12);
        assert_eq!(round_up(1000.0), 1000.0);
        assert_eq!(round_up(1001.0), 1200.0);
        assert_eq!(round_up(8.5), 10.0);
        assert_eq!(round_up(f64::NAN), 0.0);
        let mut value = 0.001;
        while value < 1e6 {
            assert!(
                above(value) >= value * ROOM * (1.0 - 1e-9) && above(value) <= value * ROOM * 1.34,
                "{value}"
            );
            value *= 1.013;
        }
    }
}
