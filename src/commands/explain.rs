//! `loadgate explain`: a gate, a metric or an error code in sentences.

use std::io::Write;

use super::Failure;
use super::check::{gate_file, read_gate_file};
use crate::cli::project::Explain;
use crate::config::Config;
use crate::config::mistakes::nearest;
use crate::diagnostic::{CODES, Diagnostic};
use crate::explain;

/// Says what the topic means; a gate of the user's goes before a word of ours.
pub fn run(args: &Explain, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let topic = args.topic.as_str();
    let config = match gates(args) {
        Ok(config) => config,
        // A broken gate file is just when its error's code is asked for.
        Err(_) if explain::codes::page(topic).is_some() => Config::default(),
        Err(failure) => return Err(failure),
    };
    if let Some(gate) = config.gates.iter().find(|gate| gate.id == topic) {
        stdout.write_all(explain::gate(gate).as_bytes())?;
    } else if let Some(quota) = config.quotas.iter().find(|quota| quota.id == topic) {
        stdout.write_all(explain::quota(quota).as_bytes())?;
    } else if let Some(page) = explain::codes::page(topic) {
        stdout.write_all(page.as_bytes())?;
    } else if let Some(metric) = explain::metrics::named(topic) {
        stdout.write_all(explain::metrics::page(topic, &metric).as_bytes())?;
    } else if topic == "codes" {
        for (code, meaning) in CODES {
            writeln!(stdout, "{code:<20} {meaning}")?;
        }
    } else {
        return Err(vec![unknown(topic, &config)].into());
    }
    Ok(0)
}

fn gates(args: &Explain) -> Result<Config, Failure> {
    match gate_file(args.config.as_deref()) {
        Some(path) => Ok(read_gate_file(path)?),
        None => Ok(Config::default()),
    }
}

fn unknown(topic: &str, config: &Config) -> Diagnostic {
    let gates = config.gates.iter().map(|gate| gate.id.as_str());
    let gates = gates.chain(config.quotas.iter().map(|quota| quota.id.as_str()));
    let metrics = crate::metric::ALL.iter().map(|(name, ..)| *name);
    let codes = CODES.iter().map(|(code, _)| *code);
    let help = match nearest(topic, gates.chain(metrics).chain(codes)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`loadgate metrics` lists the metrics, `loadgate explain codes` the error codes"
            .to_owned(),
    };
    let message = format!("`{topic}` is no gate, no quota, no metric and no error code");
    Diagnostic::new("unknown-topic", message).help(help)
}
