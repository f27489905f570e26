//! The gate file's bytes: few enough, and text.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Origin, Snippet};

/// The gate file that is read when none is named.
pub const DEFAULT: &str = "loadgate.toml";
/// A gate file is not larger: what is, is something else, or has no end.
const MOST_BYTES: u64 = 1 << 20;

/// Whether something of the default's name is there, be it readable or not.
pub fn default_is_there() -> bool {
    Path::new(DEFAULT).symlink_metadata().is_ok()
}

/// The text of a gate file. `name` is its path as it is shown.
pub fn read(path: &Path, name: &str) -> Result<String, Vec<Diagnostic>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            let message = format!("cannot read the gate file: {error}");
            let help = "`--config` takes the path of a `loadgate.toml`";
            vec![
                Diagnostic::new("missing-input", message)
                    .at(Origin::file(name))
                    .help(help),
            ]
        })?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = "the gate file is larger than 1 MiB";
        let help = "name a `loadgate.toml`; results are given without `--config`";
        return Err(vec![
            Diagnostic::new("config-too-large", message)
                .at(Origin::file(name))
                .help(help),
        ]);
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        vec![not_text(&error.into_bytes(), at, name)]
    })
}

/// The place of the first byte that is no text.
fn not_text(bytes: &[u8], at: usize, name: &str) -> Diagnostic {
    let begin = bytes[..at]
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |i| i + 1);
    let line = bytes[..at].split(|b| *b == b'\n').count() as u64;
    let end = bytes[at..].iter().position(|b| *b == b'\n');
    let end = end.map_or(bytes.len(), |i| at + i);
    let column = String::from_utf8_lossy(&bytes[begin..at]).chars().count();
    let help = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "this is UTF-16: save the file as UTF-8",
        _ => "save the file as UTF-8",
    };
    let message = format!("the byte 0x{:02x} is not UTF-8", bytes[at]);
    Diagnostic::new("config-syntax", message)
        .at(Origin::at(name, line, column as u64 + 1))
        .snippet(Snippet::of(
            &String::from_utf8_lossy(&bytes[begin..end]),
            column,
            1,
        ))
        .help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> Result<String, Vec<Diagnostic>> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        read(file.path(), "g.toml")
    }

    #[test]
    fn the_byte_that_is_no_text_is_shown() {
        let problems = written("a = 1\né = \"x\u{e9}".as_bytes()).expect("text");
        assert!(problems.ends_with('é'));
        let problems = written(b"a = 1\n\xc3\xa9 = \"caf\xe9\"\nb = 2\n").expect_err("latin 1");
        let problem = &problems[0];
        assert_eq!(problem.origin, Some(Origin::at("g.toml", 2, 9)));
        assert_eq!(problem.message, "the byte 0xe9 is not UTF-8");
        let shown = problem.snippet.as_ref().expect("a line");
        assert_eq!(
            (shown.text.as_str(), shown.start),
            ("é = \"caf\u{fffd}\"", 8)
        );
        let utf16: Vec<u8> = "\u{feff}a"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let problems = written(&utf16).expect_err("UTF-16");
        assert!(
            problems[0]
                .help
                .as_ref()
                .is_some_and(|h| h.contains("UTF-16"))
        );
    }

    #[test]
    fn a_file_has_an_end() {
        let most = vec![b' '; MOST_BYTES as usize];
        assert!(written(&most).is_ok());
        let more = vec![b' '; MOST_BYTES as usize + 1];
        assert_eq!(
            written(&more).map_err(|p| p[0].code),
            Err("config-too-large")
        );
    }
}
