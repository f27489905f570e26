//! Reading up to a limit, and what is said where reading ends.

use std::io::{self, Read};

use crate::diagnostic::{Diagnostic, Origin};
use crate::limits;

/// Reads all there is, up to the limit of what has to be read whole.
pub fn read_whole(from: impl Read, bytes: &mut Vec<u8>, what: &'static str) -> io::Result<()> {
    Limited::new(from, limits::WHOLE, what).read_to_end(bytes)?;
    Ok(())
}

/// Fails when more bytes come than a limit allows.
pub struct Limited<R> {
    inner: R,
    left: u64,
    limit: u64,
    what: &'static str,
}

impl<R: Read> Limited<R> {
    /// A reader of so many bytes of `what` at most.
    pub fn new(inner: R, limit: u64, what: &'static str) -> Self {
        Self {
            inner,
            left: limit,
            limit,
            what,
        }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let limit = limits::bytes(self.limit);
            beyond(format!(
                "{} is read up to {limit}, and this is longer",
                self.what
            ))
        })?;
        Ok(read)
    }
}

/// Why reading ended at a limit.
#[derive(Debug)]
struct Beyond(String);

impl std::fmt::Display for Beyond {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Beyond {}

/// An error of reading that is one of a limit.
pub fn beyond(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, Beyond(message.into()))
}

/// What is wrong with a file that cannot be opened or read.
pub fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    use io::ErrorKind as Kind;
    if let Some(beyond) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Beyond>())
    {
        return Diagnostic::new("beyond-limit", beyond.to_string())
            .at(Origin::file(name))
            .help("`docs/limits.md` lists what is read at most");
    }
    let is_corrupt = matches!(
        error.kind(),
        // zstd reports its own errors as `Other`.
        Kind::InvalidInput | Kind::InvalidData | Kind::UnexpectedEof | Kind::Other
    );
    let (code, help) = if is_corrupt {
        (
            "corrupt-archive",
            "was the file written, or copied, to its end?",
        )
    } else if error.kind() == Kind::PermissionDenied {
        ("missing-input", "let the user that runs loadgate read it")
    } else {
        (
            "missing-input",
            "is the path right, and was the file written to its end?",
        )
    };
    Diagnostic::new(code, format!("cannot read it: {error}"))
        .at(Origin::file(name))
        .help(help)
}
