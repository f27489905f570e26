//! Opening: a file can be read as often as it is needed, a stream only once.
//!
//! A pipe, `<(…)`, `/dev/stdin` and `-` are opened once and read from their first byte on; what was read to recognise them
//! is read again from memory. What has to be read twice is kept in a file without a name. gzip and Zstandard are undone by
//! their magic bytes, wherever bytes come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal as _, Read, Seek as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::request_log::Content;
use crate::atomic;
use crate::diagnostic::{Diagnostic, Origin};
use crate::limits;
use crate::progress::Progress;

/// Bytes read at a time.
const BUFFER: usize = 1 << 18;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Longest of the magic bytes.
const MAGIC: usize = 4;

/// Decompressed bytes, in order.
pub type Decoded = Box<dyn BufRead + Send>;

/// What tells a file from others, whatever it is called.
pub type Identity = (u64, u64);

/// A file or stream that can be read.
pub struct Input {
    /// As it was named, or found below what was named.
    pub name: String,
    /// Tells hard links of one file; `None` where the system does not say.
    pub identity: Option<Identity>,
    /// Whether the bytes are compressed where they come from.
    pub is_compressed: bool,
    head: Vec<u8>,
    /// Whether the head is all there is.
    head_is_all: bool,
    body: Body,
}

enum Body {
    /// A plain file of that length as it is stored, opened anew for each reading.
    File(u64),
    /// A stream, from its first byte on, until somebody takes it.
    Stream(Mutex<Option<Decoded>>),
    /// What a stream held, decompressed: all of it is the head.
    Head,
    /// What a stream held, decompressed.
    Kept(File, u64),
}

/// Streams of this process that were opened: their bytes are there only once.
static TAKEN: Mutex<BTreeSet<Identity>> = Mutex::new(BTreeSet::new());
/// Streams that are kept for the moment, by their names: see [`hold`].
static HELD: Mutex<BTreeMap<String, Input>> = Mutex::new(BTreeMap::new());

/// Whatever a thread that panicked did with it, it is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a stream, so that it can be opened again and again until the answer is dropped: what is compared with has to be
/// looked at to tell what it is. Of a file or folder there is nothing to keep.
pub fn hold(name: &str) -> Result<Held, Diagnostic> {
    if is_stream(name) {
        let mut input = Input::open(name)?;
        input.keep()?;
        locked(&HELD).insert(name.to_owned(), input);
    }
    Ok(Held(name.to_owned()))
}

/// See [`hold`].
pub struct Held(String);

impl Drop for Held {
    fn drop(&mut self) {
        locked(&HELD).remove(&self.0);
    }
}

/// Whether what is named can be read only once.
pub fn is_stream(name: &str) -> bool {
    let is_pipe = || {
        let about = std::fs::metadata(name);
        about.is_ok_and(|about| what_special(&about) == Some(PIPE))
    };
    is_stdin(name) || is_inherited(name) || is_pipe()
}

/// Whether a name stands for standard input.
pub fn is_stdin(name: &str) -> bool {
    ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].contains(&name)
}

/// Whether a name stands for a stream that the shell opened for this process.
fn is_inherited(name: &str) -> bool {
    ["/dev/fd/", "/proc/self/fd/"]
        .iter()
        .any(|folder| name.starts_with(folder))
}

impl Input {
    /// Opens what is named, and reads its beginning.
    pub fn open(name: &str) -> Result<Self, Diagnostic> {
        let failed = |error: io::Error| unreadable(name, &error);
        if let Some(held) = locked(&HELD).get(name) {
            return held.again().map_err(failed);
        }
        if is_stdin(name) {
            return Self::stdin(name);
        }
        let about = std::fs::metadata(name).map_err(failed)?;
        if about.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        refuse_special(name, &about)?;
        let identity = identity(&about);
        if about.is_file() && !is_inherited(name) {
            return Self::file(name, about.len(), identity);
        }
        take_once(name, identity)?;
        let file = File::open(name).map_err(failed)?;
        Self::stream(name, identity, Box::new(file))
    }

    /// The same, to be read by somebody else.
    fn again(&self) -> io::Result<Self> {
        let body = match &self.body {
            Body::Kept(file, len) => Body::Kept(file.try_clone()?, *len),
            Body::Head => Body::Head,
            Body::File(len) => Body::File(*len),
            Body::Stream(_) => return Err(io::Error::other("a stream can be read only once")),
        };
        Ok(Self {
            name: self.name.clone(),
            identity: self.identity,
            is_compressed: self.is_compressed,
            head: self.head.clone(),
            head_is_all: self.head_is_all,
            body,
        })
    }

    fn stdin(name: &str) -> Result<Self, Diagnostic> {
        // Where the system has no such file, standard input is known by its name alone.
        let about = std::fs::metadata("/dev/stdin").ok();
        let identity = about.as_ref().and_then(identity);
        take_once(name, identity.or(Some((0, 0))))?;
        let input = Self::stream(name, identity, Box::new(io::stdin()))?;
        let is_device = about.is_some_and(|about| is_device(&about));
        if is_device && !io::stdin().is_terminal() && !input.head.is_empty() {
            return Err(special(name, "a device"));
        }
        Ok(input)
    }

    fn file(name: &str, len: u64, identity: Option<Identity>) -> Result<Self, Diagnostic> {
        let failed = |error: io::Error| unreadable(name, &error);
        let raw = File::open(name).map_err(failed)?;
        let (mut decoded, is_compressed) = decode(Box::new(raw)).map_err(failed)?;
        let (head, head_is_all) = head_of(&mut decoded).map_err(failed)?;
        Ok(Self {
            name: name.to_owned(),
            identity,
            is_compressed,
            head,
            head_is_all,
            body: Body::File(len),
        })
    }

    fn stream(
        name: &str,
        identity: Option<Identity>,
        raw: Box<dyn Read + Send>,
    ) -> Result<Self, Diagnostic> {
        let failed = |error: io::Error| unreadable(name, &error);
        let (mut decoded, is_compressed) = decode(raw).map_err(failed)?;
        let (head, head_is_all) = head_of(&mut decoded).map_err(failed)?;
        let body = if head_is_all {
            Body::Head
        } else {
            let whole: Decoded = Box::new(Cursor::new(head.clone()).chain(decoded));
            Body::Stream(Mutex::new(Some(whole)))
        };
        Ok(Self {
            name: name.to_owned(),
            identity,
            is_compressed,
            head,
            head_is_all,
            body,
        })
    }

    /// The first bytes, decompressed: at most [`limits::HEAD`].
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether the first bytes are all there are.
    pub fn head_is_all(&self) -> bool {
        self.head_is_all
    }

    /// Lets go of all but the first bytes: a folder may hold thousands of files.
    pub fn shorten_head(&mut self, len: usize) {
        if matches!(self.body, Body::File(_)) && self.head.len() > len {
            self.head.truncate(len);
            self.head.shrink_to_fit();
            self.head_is_all = false;
        }
    }

    /// Whether it can be read only once.
    pub fn is_stream(&self) -> bool {
        matches!(self.body, Body::Stream(_))
    }

    /// The bytes as they are stored, where it is a file or was kept as one.
    pub fn plain(&self) -> io::Result<File> {
        match &self.body {
            Body::File(_) => File::open(&self.name),
            Body::Kept(..) => self.kept(),
            Body::Head | Body::Stream(_) => Err(io::Error::other("it is not in a file")),
        }
    }

    /// Bytes as they are stored, if that is known before they are read.
    pub fn stored_len(&self) -> Option<u64> {
        match &self.body {
            Body::File(len) | Body::Kept(_, len) => Some(*len),
            Body::Head | Body::Stream(_) => None,
        }
    }

    /// The decompressed bytes from the first on; of a stream only once.
    pub fn reader(&self, progress: &Progress) -> io::Result<Decoded> {
        match &self.body {
            Body::File(_) => {
                let file = progress.watch(File::open(&self.name)?);
                Ok(decode(Box::new(file))?.0)
            }
            Body::Head => Ok(Box::new(Cursor::new(self.head.clone()))),
            Body::Kept(..) => {
                let file = progress.watch(self.kept()?);
                Ok(Box::new(BufReader::with_capacity(BUFFER, file)))
            }
            Body::Stream(stream) => {
                let taken = locked(stream)
                    .take()
                    .ok_or_else(|| io::Error::other("a stream can be read only once"))?;
                let watched = progress.watch(taken);
                Ok(Box::new(BufReader::with_capacity(BUFFER, watched)))
            }
        }
    }

    fn kept(&self) -> io::Result<File> {
        let Body::Kept(file, _) = &self.body else {
            return Err(io::Error::other("it was not kept"));
        };
        let mut file = file.try_clone()?;
        file.rewind()?;
        Ok(file)
    }

    /// A request log: a plain file of lines can be read by several threads at once.
    pub fn content(&self, progress: &Progress) -> io::Result<Content> {
        let is_array = without_mark(&self.head)
            .trim_ascii_start()
            .starts_with(b"[");
        match &self.body {
            _ if is_array => {
                let limited = Limited::new(self.reader(progress)?, limits::WHOLE, ARRAY);
                Ok(Content::Stream(Box::new(BufReader::new(limited))))
            }
            Body::File(_) if !self.is_compressed => {
                let file = File::open(&self.name)?;
                let len = file.metadata()?.len();
                Ok(Content::File(file, len, progress.clone()))
            }
            Body::Kept(_, len) => Ok(Content::File(self.kept()?, *len, progress.clone())),
            _ => Ok(Content::Stream(self.reader(progress)?)),
        }
    }

    /// All of the decompressed bytes; `what` it is that has to be read whole.
    pub fn whole(&self, what: &'static str) -> Result<Vec<u8>, Diagnostic> {
        let failed = |error: io::Error| unreadable(&self.name, &error);
        let reader = self.reader(&Progress::default()).map_err(failed)?;
        let mut bytes = Vec::new();
        read_whole(reader, &mut bytes, what).map_err(failed)?;
        Ok(bytes)
    }

    /// Keeps a stream, so that it can be read again.
    pub fn keep(&mut self) -> Result<(), Diagnostic> {
        if !matches!(self.body, Body::Stream(_)) {
            return Ok(());
        }
        let kept = self.reader(&Progress::default()).and_then(|stream| {
            let mut file = atomic::unnamed()?;
            let what = "a stream that has to be read twice; save it to a file and name that, as it";
            let mut limited = Limited::new(stream, limits::KEPT_STREAM, what);
            let len = io::copy(&mut limited, &mut file)?;
            file.flush()?;
            Ok((file, len))
        });
        let (file, len) = kept.map_err(|error| unreadable(&self.name, &error))?;
        self.body = Body::Kept(file, len);
        self.is_compressed = false;
        Ok(())
    }
}

/// Reads all there is, up to the limit of what has to be read whole.
pub fn read_whole(from: impl Read, bytes: &mut Vec<u8>, what: &'static str) -> io::Result<()> {
    Limited::new(from, limits::WHOLE, what).read_to_end(bytes)?;
    Ok(())
}

const ARRAY: &str = "a JSON array; write one object a line (JSON Lines), as an array";

/// Bytes without a UTF-8 byte order mark.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Undoes gzip and Zstandard, and tells whether there was anything to undo.
fn decode(mut raw: Box<dyn Read + Send>) -> io::Result<(Decoded, bool)> {
    // A pipe may give its first bytes one by one.
    let mut magic = Vec::with_capacity(MAGIC);
    (&mut raw).take(MAGIC as u64).read_to_end(&mut magic)?;
    let is_gzip = magic.starts_with(GZIP);
    let is_zstd = magic.starts_with(ZSTD);
    let raw = BufReader::with_capacity(BUFFER, Cursor::new(magic).chain(raw));
    let decoded: Decoded = if is_gzip {
        let decoder = flate2::bufread::MultiGzDecoder::new(raw);
        Box::new(BufReader::with_capacity(BUFFER, decoder))
    } else if is_zstd {
        let decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
        Box::new(BufReader::with_capacity(BUFFER, decoder))
    } else {
        Box::new(raw)
    };
    Ok((decoded, is_gzip || is_zstd))
}

/// The first bytes, and whether they are all.
fn head_of(decoded: &mut Decoded) -> io::Result<(Vec<u8>, bool)> {
    let mut head = Vec::new();
    decoded.take(limits::HEAD as u64).read_to_end(&mut head)?;
    let is_all = head.len() < limits::HEAD;
    Ok((head, is_all))
}

/// Fails when more bytes come than a limit allows.
struct Limited<R> {
    inner: R,
    left: u64,
    limit: u64,
    what: &'static str,
}

impl<R: Read> Limited<R> {
    fn new(inner: R, limit: u64, what: &'static str) -> Self {
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

fn take_once(name: &str, identity: Option<Identity>) -> Result<(), Diagnostic> {
    let Some(identity) = identity else {
        return Ok(());
    };
    if locked(&TAKEN).insert(identity) {
        return Ok(());
    }
    let message = if is_stdin(name) {
        "standard input is named twice"
    } else {
        "this stream is named twice"
    };
    Err(Diagnostic::new("input-used-twice", message)
        .at(Origin::file(name))
        .help("its bytes come only once: save them to a file, and name that"))
}

/// Refuses a device or a socket: it has no end.
pub fn refuse_special(name: &str, about: &std::fs::Metadata) -> Result<(), Diagnostic> {
    match what_special(about) {
        Some(what) if what != PIPE => Err(special(name, what)),
        _ => Ok(()),
    }
}

/// Refuses everything but a plain file, where bytes must lie still: a history is read, locked and written. What is not
/// there yet is fine.
pub fn refuse_all_but_files(path: &Path) -> Result<(), Diagnostic> {
    let Ok(about) = std::fs::metadata(path) else {
        return Ok(());
    };
    match what_special(&about) {
        Some(what) => Err(special(&path.display().to_string(), what)),
        None => Ok(()),
    }
}

fn special(name: &str, what: &str) -> Diagnostic {
    Diagnostic::new("special-file", format!("it is {what}, not a file"))
        .at(Origin::file(name))
        .help("name a file; a run may also come from a pipe or from standard input (`-`)")
}

const PIPE: &str = "a pipe";

/// What a file is that is neither plain nor a folder.
#[cfg(unix)]
pub fn what_special(about: &std::fs::Metadata) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = about.file_type();
    match () {
        () if kind.is_fifo() => Some(PIPE),
        () if kind.is_socket() => Some("a socket"),
        () if kind.is_char_device() || kind.is_block_device() => Some("a device"),
        () => None,
    }
}

#[cfg(not(unix))]
pub fn what_special(_: &std::fs::Metadata) -> Option<&'static str> {
    None
}

fn is_device(about: &std::fs::Metadata) -> bool {
    what_special(about) == Some("a device")
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems do not say")]
fn identity(about: &std::fs::Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> Option<Identity> {
    None
}
