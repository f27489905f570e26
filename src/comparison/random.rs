//! Random numbers that mean the same everywhere.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// PCG's stream: the published default increment of PCG-64 (O'Neill 2014), fixed so that the seed is the whole state.
const STREAM: u128 = 0x0a02_bdbf_7bb3_c0a7_ac28_fa16_a64a_bf96;

/// Draws from PCG XSL RR 128/64 with a fixed stream: same seed, same draws, on every machine.
#[derive(Debug)]
pub struct Draws(Pcg64);

impl Draws {
    /// Starts the stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Pcg64::new(u128::from(seed), STREAM))
    }

    /// A whole number from 0 to `n` − 1 (0 when `n` is 0).
    ///
    /// The upper half of the 128-bit product `next_u64` × n (Lemire 2019, without the rejection step): the bias is
    /// below n / 2^64, nothing for the few thousand seconds of a run.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// A number in [0, 1): the upper 53 bits of `next_u64`, divided by 2^53.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_draws() {
        let of = |seed| {
            let mut draws = Draws::new(seed);
            (0..4).map(|_| draws.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn draws_below_nothing_and_one() {
        let mut draws = Draws::new(3);
        assert_eq!(draws.below(0), 0);
        assert_eq!(draws.below(1), 0);
    }

    #[test]
    fn uniforms_fill_the_unit_interval_evenly() {
        // Mean of 10,000 uniforms: 0.5 ± 4 × 0.0029.
        let mut draws = Draws::new(7);
        let mean = (0..10_000).map(|_| draws.uniform()).sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.012, "{mean}");
    }
}
