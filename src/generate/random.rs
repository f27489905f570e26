//! Random numbers that mean the same for ever.
//!
//! # The stream
//!
//! A run's seed is a `u64`. Every user has a generator of its own, so that what one user does never shifts the
//! numbers of another. User `i`'s is PCG64 (`pcg64`, XSL-RR 128/64, O'Neill 2014), set up from four words of
//! `SplitMix64` (Steele, Lea, Flood 2014): with `mix` its output function and `G` = 0x9E3779B97F4A7C15,
//!
//! ```text
//! base = mix(seed + G)        word(k) = mix(base + (4i + k + 1) * G), all modulo 2^64
//! initstate = word(0) << 64 | word(1)        initseq = word(2) << 64 | word(3)
//! ```
//!
//! A uniform number is the upper 53 bits of one `next_u64`, times 2^-53: from 0, below 1. A normal one takes two
//! (Box and Muller's cosine, with `ln` and `cos` of the `libm` crate). No distribution of `rand` is used, so none
//! can change what a seed means.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng as _;

/// `SplitMix64`'s increment, 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// One user's random numbers.
pub struct Random(Pcg64);

impl Random {
    /// The generator of user `user` in the run with this seed.
    pub fn new(seed: u64, user: u64) -> Self {
        let base = mix(seed.wrapping_add(GOLDEN));
        let word = |k: u64| {
            let index = user.wrapping_mul(4).wrapping_add(k + 1);
            u128::from(mix(base.wrapping_add(index.wrapping_mul(GOLDEN))))
        };
        Self(Pcg64::new(word(0) << 64 | word(1), word(2) << 64 | word(3)))
    }

    /// From 0, below 1.
    pub fn uniform(&mut self) -> f64 {
        // 53 bits fit a float exactly.
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0, standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        normal(radius, angle)
    }

    /// From `low` to `high`, both included, every whole number as likely.
    pub fn whole(&mut self, (low, high): (u64, u64)) -> u64 {
        let span = (high - low) as f64 + 1.0;
        (low + (self.uniform() * span) as u64).min(high)
    }

    /// An index, by weights that are given as running sums.
    pub fn choice(&mut self, running: &[f64]) -> usize {
        let total = running.last().copied().unwrap_or(0.0);
        let at = self.uniform() * total;
        let last = running.len().saturating_sub(1);
        running.iter().position(|sum| at < *sum).unwrap_or(last)
    }
}

/// Box and Muller's transform of two uniform numbers; 1 − radius is never 0, so its logarithm is finite.
fn normal(radius: f64, angle: f64) -> f64 {
    let length = (-2.0 * libm::log(1.0 - radius)).sqrt();
    length * libm::cos(std::f64::consts::TAU * angle)
}

/// `SplitMix64`'s output function.
fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published first outputs of `SplitMix64` with seed 1234567.
    #[test]
    fn splitmix_is_the_published_one() {
        let outputs =
            [1_u64, 2, 3].map(|k| mix(1_234_567_u64.wrapping_add(k.wrapping_mul(GOLDEN))));
        assert_eq!(
            outputs,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn normal_of_known_uniforms() {
        // 1 - radius = e^-0.5: length 1; angle 0: cosine 1, angle 1/2: cosine -1.
        let radius = 1.0 - libm::exp(-0.5);
        assert!((normal(radius, 0.0) - 1.0).abs() < 1e-15);
        assert!((normal(radius, 0.5) + 1.0).abs() < 1e-15);
        assert_eq!(normal(0.0, 0.3), 0.0);
    }

    #[test]
    fn uniform_numbers_stay_in_their_bounds() {
        let mut random = Random::new(1, 0);
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&random.uniform()));
            assert!((3..=5).contains(&random.whole((3, 5))));
            assert_eq!(random.whole((7, 7)), 7);
            // The first weight is zero: never chosen.
            assert!(random.choice(&[0.0, 1.0, 4.0]) > 0);
        }
    }

    #[test]
    fn users_have_numbers_of_their_own_and_a_seed_means_the_same_for_ever() {
        let first = |seed, user| Random::new(seed, user).0.next_u64();
        assert_ne!(first(1, 0), first(1, 1));
        assert_ne!(first(1, 0), first(2, 0));
        assert_eq!(first(1, 0), PINNED);
    }

    /// Changing this value changes every generated file: a breaking change.
    const PINNED: u64 = 14_601_441_739_308_872_479;
}
