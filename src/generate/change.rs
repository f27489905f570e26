//! What the command line changes about a scenario: `--degrade`, `--burst`, `--leak` and `--set`.

use super::scenario::{Burst, Failure, Length, Scenario, Values, default_error};
use crate::config::quantity::{byte_factor, duration_ms, number_and_unit};
use crate::diagnostic::{Diagnostic, Origin, Snippet};
use crate::gate::Selector;

/// The text of one flag, so that a mistake is shown under its very words.
#[derive(Clone, Copy)]
struct Flag<'a> {
    name: &'static str,
    text: &'a str,
}

/// Most requests of one burst.
const MOST_BURST: u32 = 100_000;

impl<'a> Flag<'a> {
    /// `part` is a slice of the flag's text.
    fn wrong(
        self,
        code: &'static str,
        part: &str,
        message: String,
        help: impl Into<String>,
    ) -> Diagnostic {
        let start = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let column = self.text.get(..start).map_or(0, |t| t.chars().count());
        Diagnostic::new(code, message)
            .at(Origin::at(self.name, 1, column as u64 + 1))
            .snippet(Snippet {
                text: self.text.to_owned(),
                start: column,
                len: part.chars().count().max(1),
                label: String::new(),
            })
            .help(help)
    }

    /// `ENDPOINT:rest`, with the indices of the endpoints that the pattern selects. The last colon divides, as names
    /// may have some.
    fn endpoints(
        self,
        scenario: &Scenario,
        help: &str,
    ) -> Result<(Vec<usize>, &'a str), Diagnostic> {
        let Some((pattern, rest)) = self.text.rsplit_once(':') else {
            let message = format!("`{}` does not name an endpoint", self.text);
            return Err(self.wrong("bad-value", self.text, message, help));
        };
        let selector = Selector::new(&[pattern])
            .map_err(|(_, why)| self.wrong("bad-selector", pattern, why, help))?;
        let selection = selector.among(scenario.endpoints.iter().map(|e| &e.key));
        let all = scenario.endpoints.iter().enumerate();
        let found: Vec<usize> = all
            .filter(|(_, e)| selection.matches(&e.key))
            .map(|(index, _)| index)
            .collect();
        if found.is_empty() {
            let names: Vec<String> = scenario
                .endpoints
                .iter()
                .map(|e| format!("`{}`", e.key))
                .collect();
            let message = format!("no endpoint is called `{pattern}`");
            let help = format!("the scenario has {}", names.join(", "));
            return Err(self.wrong("unknown-endpoint", pattern, message, help));
        }
        Ok((found, rest))
    }
}

/// `ENDPOINT:latency*1.4` or `ENDPOINT:failures*4`.
pub fn degrade(scenario: &mut Scenario, text: &str) -> Result<(), Diagnostic> {
    const HELP: &str =
        "write `ENDPOINT:latency*1.4` or `ENDPOINT:failures*4`; `*` in ENDPOINT matches any text";
    let flag = Flag {
        name: "--degrade",
        text,
    };
    let (found, rest) = flag.endpoints(scenario, HELP)?;
    let factor = rest.split_once('*').and_then(|(what, factor)| {
        let factor: f64 = factor.trim().parse().ok()?;
        ((1e-6..=1e6).contains(&factor)).then_some((what.trim(), factor))
    });
    match factor {
        Some(("latency" | "response-time" | "response_time", factor)) => {
            for index in found {
                let endpoint = &mut scenario.endpoints[index];
                endpoint.median_ms *= factor;
                endpoint.p95_ms *= factor;
            }
            Ok(())
        }
        Some(("failures", factor)) => {
            for index in found {
                let endpoint = &mut scenario.endpoints[index];
                let sum: f64 = endpoint.failures.iter().map(|f| f.ratio).sum();
                if sum <= 0.0 || sum * factor > 1.0 {
                    let message = format!(
                        "`{}` fails with a ratio of {sum}, which times {factor} is no ratio above 0 and up to 1",
                        endpoint.key
                    );
                    let help = "`--set 'ENDPOINT:503=0.02'` sets the ratio of one status";
                    return Err(flag.wrong("bad-value", rest, message, help));
                }
                for failure in &mut endpoint.failures {
                    failure.ratio *= factor;
                }
            }
            Ok(())
        }
        _ => {
            let message = format!("`{rest}` is no degradation");
            Err(flag.wrong("bad-value", rest, message, HELP))
        }
    }
}

/// `ENDPOINT:30@60s`: 30 more requests to each such endpoint, all started 60 s after the start.
pub fn burst(scenario: &mut Scenario, text: &str) -> Result<(), Diagnostic> {
    const HELP: &str = "write `ENDPOINT:30@60s`: 30 requests, 60 s after the start";
    let flag = Flag {
        name: "--burst",
        text,
    };
    let (found, rest) = flag.endpoints(scenario, HELP)?;
    let parsed = rest.split_once('@').and_then(|(count, at)| {
        let count = count.trim().parse().ok()?;
        let at = match at.trim() {
            "0s" => 0.0,
            at => duration_ms(at)?,
        };
        ((1..=MOST_BURST).contains(&count)).then_some((count, (at * 1e3).round() as u64))
    });
    let Some((requests, at_us)) = parsed else {
        let message = format!("`{rest}` is no burst");
        return Err(flag.wrong("bad-value", rest, message, HELP));
    };
    if let Length::Duration(end) = scenario.length
        && at_us >= end
    {
        let message = format!(
            "the burst comes after the run's end at {} s",
            end as f64 / 1e6
        );
        return Err(flag.wrong("bad-value", rest, message, "name an earlier moment"));
    }
    scenario
        .bursts
        .extend(found.into_iter().map(|endpoint| Burst {
            endpoint,
            requests,
            at_us,
        }));
    Ok(())
}

/// `10MB/h`, added to the growth of the memory.
pub fn leak(scenario: &mut Scenario, text: &str) -> Result<(), Diagnostic> {
    let flag = Flag {
        name: "--leak",
        text,
    };
    let rate = text.split_once('/').and_then(|(amount, per)| {
        let (amount, unit) = number_and_unit(amount)?;
        let hours = duration_ms(&format!("1{}", per.trim()))? / 3.6e6;
        Some(amount.to_f64() * byte_factor(unit)? as f64 / 1e6 / hours).filter(|rate| *rate > 0.0)
    });
    let Some(rate) = rate else {
        let message = format!("`{text}` is no growth of memory");
        return Err(flag.wrong("bad-value", text, message, "write `10MB/h` or `200kB/min`"));
    };
    let Some(memory) = &mut scenario.memory else {
        let message = "the scenario does not sample memory, so a leak would not be seen".to_owned();
        let help = "add `[memory]` to the scenario file, or choose `worker-batches`";
        return Err(flag.wrong("bad-value", text, message, help));
    };
    memory.growth_mb_per_h += rate;
    Ok(())
}

/// `ENDPOINT:rows=901`, `ENDPOINT:rows=1..900`, or, for a failure's ratio, `ENDPOINT:503=0.02`.
pub fn set(scenario: &mut Scenario, text: &str) -> Result<(), Diagnostic> {
    const HELP: &str = "write `ENDPOINT:rows=901`, `ENDPOINT:rows=1..900`, or `ENDPOINT:503=0.02` for the ratio of a failure";
    let flag = Flag {
        name: "--set",
        text,
    };
    let (found, rest) = flag.endpoints(scenario, HELP)?;
    let Some((name, value)) = rest.split_once('=') else {
        let message = format!("`{rest}` sets nothing");
        return Err(flag.wrong("bad-value", rest, message, HELP));
    };
    if name.len() == 3 && name.bytes().all(|b| b.is_ascii_digit()) {
        return set_failure(scenario, flag, &found, (name, value));
    }
    let Some(values) = values(value) else {
        let message = format!("`{value}` is neither a number nor a range");
        return Err(flag.wrong("bad-value", value, message, HELP));
    };
    let mut known = Vec::new();
    let mut any = false;
    for index in found {
        for (field, current) in &mut scenario.endpoints[index].fields {
            known.push(format!("`{field}`"));
            if field == name {
                *current = values.clone();
                any = true;
            }
        }
    }
    if any {
        return Ok(());
    }
    known.sort();
    known.dedup();
    let message = format!("no such endpoint has a field `{name}`");
    let help = if known.is_empty() {
        "they have no measured fields".to_owned()
    } else {
        format!("they have {}", known.join(", "))
    };
    Err(flag.wrong("unknown-endpoint", name, message, help))
}

fn values(text: &str) -> Option<Values> {
    if let Some((low, high)) = text.split_once("..") {
        let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        return (low <= high && high <= 1 << 53).then_some(Values::Range(low, high));
    }
    let number: f64 = text.trim().parse().ok()?;
    (number.abs() <= 1e15).then_some(Values::Fixed(number))
}

fn set_failure(
    scenario: &mut Scenario,
    flag: Flag<'_>,
    found: &[usize],
    (status, ratio): (&str, &str),
) -> Result<(), Diagnostic> {
    const HELP: &str = "a ratio is a share of the endpoint's requests: 0.02 is 2 %";
    let code = status.parse().ok().filter(|s| (100..600).contains(s));
    let Some(code) = code else {
        let message = format!("`{status}` is no HTTP status");
        return Err(flag.wrong("bad-value", status, message, "statuses go from 100 to 599"));
    };
    let Some(share) = ratio
        .trim()
        .parse()
        .ok()
        .filter(|r| (0.0..=1.0).contains(r))
    else {
        let message = format!("`{ratio}` is no ratio from 0 to 1");
        return Err(flag.wrong("bad-value", ratio, message, HELP));
    };
    for index in found {
        let endpoint = &mut scenario.endpoints[*index];
        endpoint.failures.retain(|f| f.status != code);
        endpoint.failures.push(Failure {
            status: code,
            ratio: share,
            error: default_error(code, &endpoint.key.name),
        });
        let sum: f64 = endpoint.failures.iter().map(|f| f.ratio).sum();
        if sum > 1.0 {
            let message = format!(
                "the failure ratios of `{}` sum to {sum}, above 1",
                endpoint.key
            );
            return Err(flag.wrong("bad-value", ratio, message, HELP));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::scenario;

    fn workers() -> Scenario {
        let (name, text) = scenario::EMBEDDED[0];
        scenario::parse(text, name).expect("valid")
    }

    #[test]
    fn a_glob_degrades_every_endpoint_it_matches() {
        let mut scenario = workers();
        degrade(&mut scenario, "FINALIZAR*:latency*2").expect("valid");
        assert_eq!(
            scenario
                .endpoints
                .iter()
                .map(|e| e.median_ms)
                .collect::<Vec<_>>(),
            [360.0, 220.0, 900.0, 75.0, 60.0, 18.0]
        );
        degrade(&mut scenario, "GET QUERY STATUS:failures*4").expect("valid");
        assert_eq!(scenario.endpoints[5].failures[0].ratio, 0.02);
    }

    #[test]
    fn bursts_leaks_and_fields() {
        let mut scenario = workers();
        burst(&mut scenario, "FINALIZAR ARM 10:30@60s").expect("valid");
        let expected = Burst {
            endpoint: 0,
            requests: 30,
            at_us: 60_000_000,
        };
        assert_eq!(scenario.bursts, [expected]);
        leak(&mut scenario, "10MB/h").expect("valid");
        assert_eq!(scenario.memory.map(|m| m.growth_mb_per_h), Some(11.5));
        set(&mut scenario, "INICIAR:rows=901").expect("valid");
        set(&mut scenario, "INICIAR:503=0.02").expect("valid");
        let iniciar = &scenario.endpoints[3];
        assert!(
            iniciar
                .fields
                .contains(&("rows".to_owned(), Values::Fixed(901.0)))
        );
        assert_eq!(
            iniciar.failures.last().map(|f| (f.status, f.ratio)),
            Some((503, 0.02))
        );
    }

    #[test]
    fn mistakes_are_shown_under_their_words() {
        let mut scenario = workers();
        let wrong = degrade(&mut scenario, "FINALISAR*:latency*2").expect_err("a typo");
        assert_eq!(wrong.code, "unknown-endpoint");
        let wrong = degrade(&mut scenario, "INICIAR:speed*2").expect_err("no such thing");
        assert_eq!(
            wrong.snippet.as_ref().map(|s| (s.start, s.len)),
            Some((8, 7))
        );
        for text in [
            "INICIAR:failures*400",
            "INICIAR:latency*0",
            "INICIAR",
            "INICIAR:latency*x",
        ] {
            assert!(degrade(&mut scenario, text).is_err(), "{text}");
        }
        for text in ["INICIAR:30@10min", "INICIAR:0@1s", "INICIAR:30", "*:x@1s"] {
            assert!(burst(&mut scenario, text).is_err(), "{text}");
        }
        for text in [
            "INICIAR:rws=1",
            "INICIAR:rows=x",
            "INICIAR:503=2",
            "INICIAR:rows",
            "INICIAR:rows=9..1",
        ] {
            assert!(set(&mut scenario, text).is_err(), "{text}");
        }
        for text in ["10MB", "10/h", "-1MB/h", "10MB/week"] {
            assert!(leak(&mut scenario, text).is_err(), "{text}");
        }
        assert_eq!(scenario, workers(), "a refused change changed something");
    }
}
