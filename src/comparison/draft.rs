//! One row in the making: everything but the word, which waits for all other hypotheses of the comparison.

use super::errors::{self, RiskDifference, Share};
use super::estimate::{self, Estimate, Side, estimate, replication, rounding_slack};
use super::family::Standing;
use super::power::{self, POWER, runs_needed};
use super::rounding::Rounded;
use super::rule::{self, Adjusted, Judgement, Reason, Replication, Survives, Test, Word};
use super::sample::EndpointSample;
use super::shortfall::Shortfall;
use super::terms::{Terms, is_share};
use super::{Change, Evidence, Noise, Row, Size, sentence, share};
use crate::metric::Metric;
use crate::statistics::covariance::Effect;

/// A row without its word.
pub struct Draft {
    metric: Metric,
    baseline: Result<f64, String>,
    current: Result<f64, String>,
    sizes: (Size, Size),
    ranges: ((f64, f64), (f64, f64)),
    kind: Kind,
    rounded: bool,
    /// ln(value) of every run, the baseline's first, in the order given; `None` unless all have it.
    column: Option<Vec<f64>>,
    /// The difference at equal response times of the other endpoints, with its bounds' reach.
    adjusted: Option<Effect>,
    /// The least deviation of a log value that rounding allows.
    sd_floor: f64,
}

enum Kind {
    Log(Result<Estimate, Shortfall>, rule::Evidence),
    Share(
        Result<RiskDifference, Shortfall>,
        share::Evidence,
        (Share, Share),
    ),
    Missing,
}

impl Draft {
    /// Sets the runs of both sides against each other.
    pub fn of(
        metric: &Metric,
        baseline: &[&EndpointSample],
        current: &[&EndpointSample],
        runs: (usize, usize),
        terms: &Terms,
    ) -> Self {
        if is_share(metric) {
            return shares(metric, baseline, current, terms);
        }
        let mut draft = logs(metric, baseline, current, terms);
        if (baseline.len(), current.len()) == runs {
            draft.column = baseline
                .iter()
                .chain(current)
                .map(|sample| logarithm(sample, metric))
                .collect();
        }
        draft
    }

    /// What is compared.
    pub fn metric(&self) -> &Metric {
        &self.metric
    }

    /// Whether less of it is worse.
    pub fn less_is_worse(&self) -> bool {
        self.metric.less_is_worse()
    }

    /// ln(value) of every run, if all have it.
    pub fn column(&self) -> Option<&[f64]> {
        self.column.as_deref()
    }

    /// The least deviation of a log value that rounding allows.
    pub fn sd_floor(&self) -> f64 {
        self.sd_floor
    }

    /// Takes the difference at equal response times of the other endpoints.
    pub fn set_adjusted(&mut self, effect: Option<Effect>) {
        self.adjusted = effect;
    }

    /// Chances of at least so much worse, and so much better, than the other endpoints would lead to expect.
    pub fn adjusted_p(&self) -> Option<(f64, f64)> {
        let (Kind::Log(Ok(estimate), _), Some(effect)) = (&self.kind, &self.adjusted) else {
            return None;
        };
        let more = effect.p_of(effect.effect - estimate.hidden.0);
        let less = effect.p_of(-effect.effect - estimate.hidden.1);
        Some(if self.less_is_worse() {
            (less, more)
        } else {
            (more, less)
        })
    }

    /// Chance of at least so much worse, were there no change.
    pub fn p_worse(&self) -> Option<f64> {
        self.p(self.metric.less_is_worse())
    }

    /// Chance of at least so much better.
    pub fn p_better(&self) -> Option<f64> {
        self.p(!self.metric.less_is_worse())
    }

    fn p(&self, less: bool) -> Option<f64> {
        match &self.kind {
            Kind::Log(Ok(e), _) => Some(if less { e.p_less } else { e.p_more }),
            // Without a failure on either side there is nothing to reject, whatever the numbers of requests: such
            // hypotheses would only dilute the others (Tarone 1990, Biometrics 46, 515).
            Kind::Share(Ok(d), _, _) if d.p_greater >= 1.0 && d.p_less >= 1.0 => None,
            Kind::Share(Ok(d), _, _) => Some(if less { d.p_less } else { d.p_greater }),
            Kind::Log(Err(_), _) | Kind::Share(Err(_), _, _) | Kind::Missing => None,
        }
    }

    /// Finds the word, now that it is known what holds among all figures.
    ///
    /// `recorded`: the baseline's runs are of a history.
    pub fn finish(self, standing: Standing, recorded: bool, alpha: f64) -> Row {
        let (p_worse, p_better) = (self.p_worse(), self.p_better());
        let adjusted_p = self.adjusted_p();
        let mut row = Row {
            change: None,
            relative: None,
            interval: None,
            adjusted: None,
            noise: Noise::Unknown,
            judgement: missing(Shortfall::NoRequests),
            evidence: Evidence::Missing,
            p_worse,
            p_better,
            detectable: None,
            runs_needed: None,
            rounded: self.rounded,
            because: String::new(),
            metric: self.metric,
            baseline: self.baseline,
            current: self.current,
            baseline_range: self.ranges.0,
            current_range: self.ranges.1,
            baseline_size: self.sizes.0,
            current_size: self.sizes.1,
        };
        if let (Ok(b), Ok(c)) = (&row.baseline, &row.current) {
            row.change = Some(c - b);
            row.relative = (*b > 0.0 && !is_share(&row.metric)).then(|| c / b - 1.0);
        }
        match self.kind {
            Kind::Log(estimate, evidence) => {
                let effect = self.adjusted.zip(adjusted_p);
                finish_log(&mut row, estimate, evidence, effect, standing, alpha);
            }
            Kind::Share(difference, evidence, (before, now)) => {
                row.evidence = Evidence::Share(share::Evidence {
                    survives: standing.plain,
                    ..evidence
                });
                let detectable =
                    power::detectable_share(before, now, standing.plain_level, evidence.margin);
                row.noise = if row.baseline_size.runs.min(row.current_size.runs) >= 2 {
                    Noise::Counts
                } else {
                    Noise::Unknown
                };
                row.interval = difference.ok().map(|d| (d.lower, d.upper));
                row.detectable = detectable;
            }
            Kind::Missing => {}
        }
        if let (true, Noise::Replicates(noise)) = (recorded, row.noise) {
            row.noise = Noise::History(noise);
        }
        row.judgement = row.evidence.judge().unwrap_or(row.judgement);
        row.because = sentence::of(&row);
        row
    }
}

fn finish_log(
    row: &mut Row,
    estimate: Result<Estimate, Shortfall>,
    evidence: rule::Evidence,
    effect: Option<(Effect, (f64, f64))>,
    standing: Standing,
    alpha: f64,
) {
    let mut evidence = rule::Evidence {
        survives: standing.plain,
        ..evidence
    };
    row.evidence = Evidence::Log(evidence);
    let Ok(estimate) = estimate else { return };
    // The ratio that the interval belongs to, that of the geometric means.
    let d = estimate.difference;
    row.relative = Some(d.estimate.exp_m1());
    row.interval = Some((d.lower.exp_m1(), d.upper.exp_m1()));
    row.noise = estimate.noise.map_or(Noise::Unknown, Noise::Replicates);
    if let Some((effect, (p_worse, p_better))) = effect {
        let difference = of_effect(&effect, estimate.hidden, alpha);
        row.adjusted = Some(Change {
            relative: difference.estimate.exp_m1(),
            interval: (difference.lower.exp_m1(), difference.upper.exp_m1()),
            p_worse,
            p_better,
        });
        evidence.adjusted = Some(Adjusted {
            difference: if row.metric.less_is_worse() {
                difference.reversed()
            } else {
                difference
            },
            survives: standing.adjusted,
        });
        row.evidence = Evidence::Log(evidence);
    }
    let margin = rule::judge(&evidence).margin;
    let effect = effect.map(|(effect, _)| effect);
    row.detectable =
        power::detectable(&estimate, effect.as_ref(), &standing, margin).map(f64::exp_m1);
    row.runs_needed = estimate
        .noise
        .and_then(|noise| runs_needed(margin, noise.sigma, standing.plain_level, POWER))
        .map(|runs| runs.max(estimate::REPLICATED as u32));
}

/// The coefficient with its bounds, worst cases of rounding included.
fn of_effect(effect: &Effect, hidden: (f64, f64), alpha: f64) -> rule::Difference {
    let reach = effect.reach(alpha);
    rule::Difference {
        estimate: effect.effect,
        lower: effect.effect - reach - hidden.0,
        upper: effect.effect + reach + hidden.1,
    }
}

/// A run's figure as a logarithm; `None` if it has none or it is not positive.
fn logarithm(sample: &EndpointSample, metric: &Metric) -> Option<f64> {
    let value = sample.figure(metric)?.value.as_ref().ok()?.value;
    (value > 0.0 && value.is_finite()).then(|| value.ln())
}

fn missing(why: Shortfall) -> Judgement {
    Judgement {
        word: Word::NotEnoughData,
        reason: Reason::Missing(why),
        by: Test::Plain,
        margin: 0.0,
    }
}

impl Evidence {
    /// The word and its reason; `None` if a side has no value.
    pub fn judge(&self) -> Option<Judgement> {
        match self {
            Self::Log(evidence) => Some(rule::judge(evidence)),
            Self::Share(evidence) => Some(share::judge(evidence)),
            Self::Missing => None,
        }
    }
}

/// The runs of a side that have the figure, and what they say.
struct Runs<'a> {
    with: Vec<(&'a EndpointSample, Rounded)>,
    value: Result<f64, String>,
    size: Size,
    side: Side,
}

impl Runs<'_> {
    /// The typical value of all least, and of all greatest, values that rounding allows.
    fn range(&self) -> (f64, f64) {
        let of = |bound: fn(&Rounded) -> f64| {
            let bounds: Vec<f64> = self.side.values.iter().map(bound).collect();
            typical(&bounds).unwrap_or(0.0)
        };
        (of(|v| v.lower), of(|v| v.upper))
    }
}

fn runs<'a>(metric: &Metric, samples: &[&'a EndpointSample]) -> Runs<'a> {
    let mut with = Vec::new();
    let mut why = "no run has the endpoint".to_owned();
    let mut effective = Some(0.0);
    let mut spread = Err(Shortfall::NothingOverTime);
    for sample in samples {
        let Some(figure) = sample.figure(metric) else {
            "the run does not hold it".clone_into(&mut why);
            continue;
        };
        match &figure.value {
            Ok(value) => {
                with.push((*sample, *value));
                let known = figure.spread.ok().and_then(|s| s.effective);
                effective = effective.zip(known).map(|(sum, n)| sum + n);
                spread = figure.spread;
            }
            Err(reason) => why.clone_from(reason),
        }
    }
    with.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let values: Vec<Rounded> = with.iter().map(|(_, v)| *v).collect();
    let size = Size {
        runs: with.len() as u32,
        requests: with.iter().map(|(s, _)| s.requests).sum(),
        effective: effective.filter(|_| !with.is_empty()),
    };
    Runs {
        value: typical(&values.iter().map(|v| v.value).collect::<Vec<_>>()).ok_or(why),
        with,
        size,
        side: Side { values, spread },
    }
}

/// One run's value; of several their geometric mean, as their logarithms are compared, or the mean if one is not positive.
fn typical(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    match values {
        [] => None,
        [one] => Some(*one),
        several if several.iter().all(|v| *v > 0.0) => {
            Some((several.iter().map(|v| v.ln()).sum::<f64>() / n).exp())
        }
        several => Some(several.iter().sum::<f64>() / n),
    }
}

fn logs(
    metric: &Metric,
    baseline: &[&EndpointSample],
    current: &[&EndpointSample],
    terms: &Terms,
) -> Draft {
    let (b, c) = (runs(metric, baseline), runs(metric, current));
    let is_rounded = |side: &Side| side.values.iter().any(|v| v.lower < v.upper);
    let rounded = is_rounded(&b.side) || is_rounded(&c.side);
    let kind = match (&b.value, &c.value) {
        (Ok(from), Ok(to)) => {
            let wide = wide_margin(metric);
            let estimate = estimate(metric, &b.side, &c.side, wide.ln_1p(), terms.alpha);
            let evidence = log_evidence(metric, (&b.side, &c.side), (*from, *to), estimate, terms);
            Kind::Log(estimate, evidence)
        }
        _ => Kind::Missing,
    };
    Draft {
        metric: metric.clone(),
        sizes: (b.size, c.size),
        ranges: (b.range(), c.range()),
        baseline: b.value,
        current: c.value,
        kind,
        rounded,
        column: None,
        adjusted: None,
        sd_floor: b.side.sd_floor().max(c.side.sd_floor()),
    }
}

fn log_evidence(
    metric: &Metric,
    sides: (&Side, &Side),
    (baseline, current): (f64, f64),
    estimate: Result<Estimate, Shortfall>,
    terms: &Terms,
) -> rule::Evidence {
    let turned = |d: rule::Difference| {
        if metric.less_is_worse() {
            d.reversed()
        } else {
            d
        }
    };
    let half_steps = rounding_slack(sides.0, sides.1).map_or(0.0, |(down, up)| down.max(up));
    let known = estimate.is_ok_and(|e| e.noise.is_some());
    rule::Evidence {
        difference: estimate.map(|e| turned(e.difference)),
        baseline,
        current,
        margin: terms.margin(metric).max(half_steps.exp_m1()),
        floor: terms.floor(metric),
        noise: if known {
            rule::Noise::Known
        } else {
            rule::Noise::Unknown {
                wide_margin: wide_margin(metric),
            }
        },
        replication: replication(sides.0, sides.1),
        survives: Survives::default(),
        adjusted: None,
    }
}

fn wide_margin(metric: &Metric) -> f64 {
    match metric {
        Metric::Quantile(q) if *q > 0.5 => rule::UNKNOWN_NOISE_TAIL_MARGIN,
        Metric::Max => rule::UNKNOWN_NOISE_TAIL_MARGIN,
        _ => rule::UNKNOWN_NOISE_MARGIN,
    }
}

fn shares(
    metric: &Metric,
    baseline: &[&EndpointSample],
    current: &[&EndpointSample],
    terms: &Terms,
) -> Draft {
    let (b, c) = (runs(metric, baseline), runs(metric, current));
    let (before, now) = (share_of(&b), share_of(&c));
    let value = |side: &Result<f64, String>, share: Share| {
        side.clone()
            .map(|_| share.failures as f64 / share.requests.max(1) as f64)
    };
    let (from, to) = (value(&b.value, before), value(&c.value, now));
    let kind = match (&from, &to) {
        (Ok(from), Ok(_)) => {
            let difference = errors::risk_difference(before, now, terms.alpha);
            let evidence = share_evidence(metric, difference, *from, (&b.side, &c.side), terms);
            Kind::Share(difference, evidence, (before, now))
        }
        _ => Kind::Missing,
    };
    let sized = |size: Size, share: Share| Size {
        effective: (size.runs > 0).then_some(share.effective),
        ..size
    };
    let exact = |value: &Result<f64, String>| value.as_ref().map_or((0.0, 0.0), |v| (*v, *v));
    Draft {
        metric: metric.clone(),
        ranges: (exact(&from), exact(&to)),
        sizes: (sized(b.size, before), sized(c.size, now)),
        baseline: from,
        current: to,
        kind,
        rounded: false,
        column: None,
        adjusted: None,
        sd_floor: 0.0,
    }
}

/// The counts behind a side's ratios: of several runs together, the worth of each thinned by its bursts.
fn share_of(runs: &Runs<'_>) -> Share {
    let each: Vec<Share> = runs
        .with
        .iter()
        .map(|(sample, ratio)| Share {
            failures: (ratio.value * sample.requests as f64).round() as u64,
            requests: sample.requests,
            effective: sample.effective_of_failures,
        })
        .collect();
    share::together(each)
}

fn share_evidence(
    metric: &Metric,
    difference: Result<RiskDifference, Shortfall>,
    baseline: f64,
    sides: (&Side, &Side),
    terms: &Terms,
) -> share::Evidence {
    let several = sides.0.values.len().min(sides.1.values.len()) >= 2;
    let less = metric.less_is_worse();
    share::Evidence {
        difference: difference.map(|d| {
            let bounds = rule::Difference {
                estimate: d.difference,
                lower: d.lower,
                upper: d.upper,
            };
            if less { bounds.reversed() } else { bounds }
        }),
        baseline: if less { 1.0 - baseline } else { baseline },
        margin: terms.floor(metric),
        noise: if several {
            rule::Noise::Known
        } else {
            rule::Noise::Unknown { wide_margin: 0.0 }
        },
        replication: if several {
            replication(sides.0, sides.1)
        } else {
            Replication::OneRun
        },
        survives: Survives::default(),
    }
}
