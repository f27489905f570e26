//! `loadgate migrate`: another tool's thresholds as a gate file.

use std::io::Write;
use std::path::Path;

use super::Failure;
use crate::cli::project::{Migrate, Tool};
use crate::config;
use crate::diagnostic::{Diagnostic, Origin};
use crate::input::open::Input;
use crate::migrate::{artillery, checked, gate_file, k6, taurus};
use crate::report::write_atomically;

/// Reads the thresholds and writes the gate file; the answer is the exit code.
pub fn run(args: &Migrate, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let name = args.file.display().to_string();
    let help = "name the file that holds the thresholds";
    let read = Input::open(&name).and_then(|input| input.whole("a script"));
    let bytes = read.map_err(|problem| vec![problem.help(help)])?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let message = format!("cannot read it: {}", error.utf8_error());
        let problem = Diagnostic::new("missing-input", message);
        vec![problem.at(Origin::file(&name)).help(help)]
    })?;
    let found = match args.from {
        Tool::K6 => k6::thresholds(&text),
        Tool::Taurus => taurus::criteria(&text),
        Tool::Artillery => artillery::ensured(&text),
    }
    .map(checked)
    .map_err(|problem| vec![problem.into_diagnostic(&name)])?;
    let gates = gate_file::render(args.from, &file_name(&args.file), &found);
    // What is written can be read: a gate file that is none would be found out in CI.
    config::parse(&gates, "loadgate.toml")?;
    match &args.out {
        None => stdout.write_all(gates.as_bytes())?,
        Some(path) if path.symlink_metadata().is_ok() => {
            let problem = Diagnostic::new("output-not-writable", "the file is there already");
            let problem = problem.at(Origin::file(path.display().to_string()));
            return Err(vec![problem.help("name another file for `--out`")].into());
        }
        Some(path) => {
            write_atomically(path, &gates)?;
            writeln!(stdout, "{}", gate_file::sentence(&found))?;
            writeln!(stdout, "  {}", path.display())?;
        }
    }
    Ok(0)
}

/// The name alone: the folder is of this machine.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || "-".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
