//! Places in the file system: where an output goes, whether two names are one file, and what of a path reports tell.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// The most links that are followed before it is called a loop.
const MOST_LINKS: usize = 40;

/// Where an output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The program's standard output: `-`, `/dev/stdout`, `/dev/fd/1`.
    Stdout,
    /// Its standard error: `/dev/stderr`, `/dev/fd/2`.
    Stderr,
    /// A device, a pipe or a file that somebody holds open (`/dev/fd/3`): written into, never replaced.
    Open(PathBuf),
    /// A file that is there or will be, with all links followed: replaced whole.
    File(PathBuf),
    /// A folder is in the way.
    Folder,
}

impl Place {
    /// Where writing to a path ends.
    pub fn of(path: &Path) -> io::Result<Self> {
        match descriptor(path) {
            Some(1) => return Ok(Self::Stdout),
            Some(2) => return Ok(Self::Stderr),
            Some(_) => return Ok(Self::Open(path.to_owned())),
            None => {}
        }
        let end = end_of_links(path)?;
        if end != path && descriptor(&end).is_some() {
            return Self::of(&end);
        }
        match std::fs::metadata(&end) {
            Ok(about) if about.is_dir() => Ok(Self::Folder),
            Ok(about) if about.is_file() => Ok(Self::File(end)),
            Ok(_) => Ok(Self::Open(end)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::File(end)),
            Err(error) => Err(error),
        }
    }

    /// The file it is, if it is one that is there and can be replaced or read.
    pub fn file(&self) -> Option<FileId> {
        match self {
            Self::File(path) => FileId::of(path),
            Self::Stdout => FileId::of(Path::new("/dev/stdout")),
            Self::Open(_) | Self::Stderr | Self::Folder => None,
        }
    }
}

/// The number of an open file that a path stands for: `-` is standard output.
fn descriptor(path: &Path) -> Option<u32> {
    let text = path.to_str()?;
    match text {
        "-" | "/dev/stdout" => return Some(1),
        "/dev/stderr" => return Some(2),
        _ => {}
    }
    let number = text
        .strip_prefix("/dev/fd/")
        .or_else(|| text.strip_prefix("/proc/self/fd/"))?;
    number.parse().ok()
}

/// Follows links to their end, which need not be there.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut end = path.to_owned();
    for _ in 0..MOST_LINKS {
        if descriptor(&end).is_some() {
            return Ok(end);
        }
        let Ok(target) = std::fs::read_link(&end) else {
            return Ok(end);
        };
        // A link's target is seen from the folder of the link.
        end = folder(&end).join(target);
    }
    Err(io::Error::other("the links lead in a circle"))
}

/// The folder of a file.
pub fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A file, by whatever name it is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(Id);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Id {
    /// Device and number in it: the same through symbolic and hard links.
    #[cfg(unix)]
    Number(u64, u64),
    /// Where it is, or will be, with every link followed.
    Path(PathBuf),
}

impl FileId {
    /// A file that is there, or the place where one could be; `None` for folders, devices, pipes, and where nothing can be.
    pub fn of(path: &Path) -> Option<Self> {
        match std::fs::metadata(path) {
            Ok(about) if about.is_file() => Some(Self::known(path, &about)),
            Ok(_) => None,
            Err(_) => {
                let end = end_of_links(path).ok()?;
                let folder = folder(&end).canonicalize().ok()?;
                Some(Self(Id::Path(folder.join(end.file_name()?))))
            }
        }
    }

    #[cfg(unix)]
    fn known(_: &Path, about: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self(Id::Number(about.dev(), about.ino()))
    }

    #[cfg(not(unix))]
    fn known(path: &Path, _: &std::fs::Metadata) -> Self {
        Self(Id::Path(
            path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        ))
    }

    /// The file on standard input, if it is one.
    pub fn of_stdin() -> Option<Self> {
        Self::of(Path::new("/dev/stdin"))
    }
}

/// What reports tell of a path: nothing of where on the machine it lies. Below the working directory it is seen from there;
/// elsewhere its last part is left, with the folder above where the last part alone says little.
pub fn shown(path: &str) -> String {
    let given = Path::new(path);
    if !given.is_absolute() {
        return path.to_owned();
    }
    let here = std::env::current_dir().ok();
    let below = here
        .as_deref()
        .and_then(|here| given.strip_prefix(here).ok());
    if let Some(below) = below.filter(|below| !below.as_os_str().is_empty()) {
        return below.display().to_string();
    }
    last(given).to_string_lossy().into_owned()
}

fn last(path: &Path) -> &OsStr {
    path.file_name().unwrap_or(OsStr::new("run"))
}

/// Takes the folders of paths that were named in full out of a text that may quote them.
#[derive(Clone, Debug, Default)]
pub struct Forget {
    /// Each with a `/` at its end, the longest first, so that what is left of one is no part of another.
    folders: Vec<String>,
}

impl Forget {
    /// Forgets where these paths lie; relative ones say nothing.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let named = paths.into_iter().map(Path::new).filter(|p| p.is_absolute());
        let parents = named.filter_map(|path| path.parent().map(Path::to_owned));
        let here = std::env::current_dir().ok();
        let mut folders: Vec<String> = parents
            .chain(here)
            // Everything lies below the root: to leave it out would leave out the beginning of any name.
            .filter(|folder| folder.parent().is_some())
            .map(|folder| format!("{}/", folder.display()))
            .collect();
        folders.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        folders.dedup();
        Self { folders }
    }

    /// The text without them.
    pub fn within(&self, text: &str) -> String {
        let known = |text: &str| {
            self.folders
                .iter()
                .find(|f| text.contains(f.as_str()))
                .cloned()
        };
        let mut left = text.to_owned();
        while let Some(folder) = known(&left) {
            left = left.replace(&folder, "");
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_streams_have_many_names() {
        for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert_eq!(Place::of(Path::new(name)).expect("a place"), Place::Stdout);
        }
        assert_eq!(
            Place::of(Path::new("/dev/fd/2")).expect("a place"),
            Place::Stderr
        );
    }

    #[cfg(unix)]
    #[test]
    fn one_file_has_one_identity() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("a"), "a").expect("writes");
        std::fs::write(path("b"), "a").expect("writes");
        std::os::unix::fs::symlink("a", path("link")).expect("links");
        std::os::unix::fs::symlink("new", path("dangling")).expect("links");
        std::fs::hard_link(path("a"), path("hard")).expect("links");
        let id = |name: &str| FileId::of(&path(name)).expect("a file");
        assert_eq!(id("a"), id("link"));
        assert_eq!(id("a"), id("hard"));
        assert_ne!(id("a"), id("b"));
        assert_eq!(id("dangling"), id("new"));
        assert_eq!(FileId::of(dir.path()), None);
        assert_eq!(FileId::of(Path::new("/dev/null")), None);
        assert_eq!(
            Place::of(&path("dangling")).expect("a place"),
            Place::File(path("new"))
        );
        assert_eq!(
            Place::of(Path::new("/dev/null")).expect("a place"),
            Place::Open("/dev/null".into())
        );
        std::os::unix::fs::symlink("loop", path("loop")).expect("links");
        assert!(Place::of(&path("loop")).is_err());
    }

    #[test]
    fn reports_tell_nothing_of_the_machine() {
        assert_eq!(shown("runs/nightly"), "runs/nightly");
        assert_eq!(shown("/srv/build/17/run.jsonl"), "run.jsonl");
        assert_eq!(shown("/srv/build/17/nightly/"), "nightly");
        let here = std::env::current_dir().expect("a folder");
        assert_eq!(shown(&here.join("a/b").display().to_string()), "a/b");
        let forget = Forget::new(["/srv/build/17/run", "relative"]);
        assert_eq!(
            forget.within("cannot read `/srv/build/17/run_stats.csv`, /srv/build/17/run/x"),
            "cannot read `run_stats.csv`, run/x"
        );
    }
}
