//! How sure one run is of its own figures: a bootstrap of whole blocks of time, as neighbouring requests are alike.

use super::dependence::{BlockLength, block_length};
use super::random::Draws;
use super::seconds::{Histogram, Seconds};
use super::shortfall::Shortfall;

/// Seconds with requests below which blocks of time say nothing.
pub const FEWEST_SECONDS: usize = 10;
/// Replicates unless the caller says otherwise.
pub const REPLICATES: u32 = 2000;

/// A figure of one run that is resampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// The mean response time.
    Mean,
    /// A quantile, 0 to 1, exclusive.
    Quantile(f64),
}

/// How to resample.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Resampled runs.
    pub replicates: u32,
    /// Error allowed on each side of the interval (probability).
    pub alpha: f64,
    /// Seed of the draws: same seed and times, same answer.
    pub seed: u64,
}

/// What resampling one run's seconds says.
#[derive(Clone, Debug, PartialEq)]
pub struct Resampled {
    /// Block length (in seconds), and how the blocks' medians still depend on each other.
    pub block: BlockLength,
    /// Seconds from the first request to the last.
    pub seconds: usize,
    /// Requests.
    pub requests: u64,
    /// One answer for each statistic asked for, in that order.
    pub spreads: Vec<Result<Spread, Shortfall>>,
}

/// How much a figure of one run would move, were the run repeated under the same conditions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// ln of the figure in µs, as resampled: quantiles within 0.4 % of the exact one. Say the exact figure instead.
    pub estimate: f64,
    /// Standard deviation of the replicates' logs. 0 if all are the same: then only the source's rounding is known.
    pub standard_error: f64,
    /// From the log of the figure down to the interval's lower end (≤ 0 as a rule): add it to the exact log.
    pub lower_offset: f64,
    /// From the log of the figure up to the interval's upper end.
    pub upper_offset: f64,
    /// Variance over that of as many independent requests; `None` if independent requests would not vary.
    pub design_effect: Option<f64>,
    /// Requests divided by the design effect, at most the requests.
    pub effective_requests: f64,
    /// Resampled runs that had requests at all.
    pub replicates: usize,
}

/// Circular block bootstrap over the seconds of one run (Politis and Romano 1992; Künsch 1989).
///
/// Blocks of L consecutive seconds, starting anywhere and wrapping round, fill a run of the same length. L is 1 s,
/// doubled until the lag-1 correlation of the blocks' medians is below 0.2, while 20 blocks remain. The interval is
/// the percentile interval of the replicates' logs.
///
/// The design effect of a mean is `se²(mean)` / (s²/n). That of a quantile is the variance of the share of requests
/// up to the quantile's bin over p(1 − p)/n, which needs no density.
pub fn resample(
    seconds: &Seconds,
    statistics: &[Statistic],
    plan: Plan,
) -> Result<Resampled, Shortfall> {
    if !(plan.alpha > 0.0 && plan.alpha < 0.5) || plan.replicates < 2 {
        return Err(Shortfall::OutOfDomain);
    }
    if seconds.busy() < FEWEST_SECONDS {
        return Err(Shortfall::TooFewSeconds {
            seconds: seconds.busy(),
            needed: FEWEST_SECONDS,
        });
    }
    let block = block_length(seconds.len(), |steps| seconds.block_medians(steps));
    let mut whole = Sample::of(seconds);
    whole.take(seconds, &vec![1; seconds.len()]);
    let targets: Vec<_> = statistics.iter().map(|s| Target::of(*s, &whole)).collect();
    let mut replicates = vec![Replicates::default(); statistics.len()];
    let mut draws = Draws::new(plan.seed);
    let mut sample = Sample::of(seconds);
    let mut times = vec![0; seconds.len()];
    for _ in 0..plan.replicates {
        draw_blocks(&mut draws, block.steps, &mut times);
        sample.take(seconds, &times);
        if sample.histogram.requests() == 0 {
            continue;
        }
        for (target, replicates) in targets.iter().zip(&mut replicates) {
            if let Ok(target) = target {
                replicates.push(target, &sample);
            }
        }
    }
    let spreads = targets
        .into_iter()
        .zip(replicates)
        .map(|(target, replicates)| Ok(replicates.spread(&target?, &whole, plan.alpha)))
        .collect();
    Ok(Resampled {
        block,
        seconds: seconds.len(),
        requests: whole.histogram.requests(),
        spreads,
    })
}

/// How often each second comes up in a resampled run of as many seconds.
fn draw_blocks(draws: &mut Draws, steps: usize, times: &mut [u32]) {
    times.fill(0);
    let length = times.len();
    let mut filled = 0;
    while filled < length {
        let start = draws.below(length as u64) as usize;
        let taken = steps.min(length - filled);
        for second in start..start + taken {
            times[second % length] += 1;
        }
        filled += taken;
    }
}

/// The merged counts and sums of some seconds.
struct Sample {
    histogram: Histogram,
    sum_us: f64,
    squares: f64,
}

impl Sample {
    fn of(seconds: &Seconds) -> Self {
        Self {
            histogram: seconds.empty_histogram(),
            sum_us: 0.0,
            squares: 0.0,
        }
    }

    fn take(&mut self, seconds: &Seconds, times: &[u32]) {
        self.histogram.clear();
        let (mut sum, mut squares) = (0_u128, 0_u128);
        for (second, &times) in times.iter().enumerate() {
            if times > 0 {
                seconds.add_to(&mut self.histogram, second, times);
                let totals = &seconds.totals()[second];
                sum += u128::from(totals.sum_us) * u128::from(times);
                squares = squares.saturating_add(totals.squares.saturating_mul(u128::from(times)));
            }
        }
        self.sum_us = sum as f64;
        self.squares = squares as f64;
    }

    fn mean(&self) -> f64 {
        self.sum_us / self.histogram.requests() as f64
    }
}

/// A statistic, its value in the whole run, and the bin whose share of requests tells a quantile's design effect.
struct Target {
    statistic: Statistic,
    estimate: f64,
    edge: usize,
}

impl Target {
    fn of(statistic: Statistic, whole: &Sample) -> Result<Self, Shortfall> {
        let (us, edge) = match statistic {
            Statistic::Mean => (whole.mean(), 0),
            Statistic::Quantile(q) if q > 0.0 && q < 1.0 => {
                let at = whole.histogram.quantile(q).ok_or(Shortfall::NoRequests)?;
                // A bin that reaches to the end of the run's times has share 1, which never varies: use its lower edge.
                let full = whole.histogram.share_up_to(at.bin) >= 1.0;
                (at.us, at.bin.saturating_sub(usize::from(full)))
            }
            Statistic::Quantile(_) => return Err(Shortfall::OutOfDomain),
        };
        if us <= 0.0 {
            return Err(Shortfall::NotPositive);
        }
        Ok(Self {
            statistic,
            estimate: us.ln(),
            edge,
        })
    }
}

/// What the resampled runs gave for one statistic.
#[derive(Clone, Debug, Default)]
struct Replicates {
    logs: Vec<f64>,
    /// Share of requests up to the target's bin.
    shares: Vec<f64>,
}

impl Replicates {
    fn push(&mut self, target: &Target, sample: &Sample) {
        let us = match target.statistic {
            Statistic::Mean => sample.mean(),
            Statistic::Quantile(q) => {
                self.shares.push(sample.histogram.share_up_to(target.edge));
                sample.histogram.quantile(q).map_or(0.0, |at| at.us)
            }
        };
        // Less than the clock's microsecond cannot be told from it, and has no useful log.
        self.logs.push(us.max(1.0).ln());
    }

    fn spread(mut self, target: &Target, whole: &Sample, alpha: f64) -> Spread {
        let n = whole.histogram.requests() as f64;
        let variance_of_log = variance(&self.logs);
        let (seen, independent) = match target.statistic {
            Statistic::Mean => {
                let mean = whole.mean();
                let spread = (whole.squares / n - mean * mean).max(0.0);
                (variance_of_log * mean * mean, spread / n)
            }
            Statistic::Quantile(_) => {
                let p = whole.histogram.share_up_to(target.edge);
                (variance(&self.shares), p * (1.0 - p) / n)
            }
        };
        let design_effect = (independent > 0.0).then(|| seen / independent);
        self.logs.sort_by(f64::total_cmp);
        Spread {
            estimate: target.estimate,
            standard_error: variance_of_log.sqrt(),
            lower_offset: at_share(&self.logs, alpha) - target.estimate,
            upper_offset: at_share(&self.logs, 1.0 - alpha) - target.estimate,
            design_effect,
            effective_requests: n / design_effect.unwrap_or(1.0).max(1.0),
            replicates: self.logs.len(),
        }
    }
}

/// Variance around the mean, with n − 1; 0 for fewer than two values.
fn variance(values: &[f64]) -> f64 {
    let Some(&first) = values.first() else {
        return 0.0;
    };
    // Around the first value, so that equal values have exactly no variance.
    let n = values.len() as f64;
    let mean = values.iter().map(|v| v - first).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - first - mean).powi(2)).sum();
    squares / (n - 1.0).max(1.0)
}

/// Type 7 quantile of ascending values; at least one.
fn at_share(ascending: &[f64], share: f64) -> f64 {
    let position = (ascending.len() - 1) as f64 * share;
    let low = position.floor() as usize;
    let high = (low + 1).min(ascending.len() - 1);
    ascending[low] + (ascending[high] - ascending[low]) * position.fract()
}

#[cfg(test)]
mod tests;
