//! The runs before this one in the history that it is recorded in, followed up to this one.

use std::path::Path;

use crate::commands::Failure;
use crate::diagnostic::Origin;
use crate::history::entry::Entry;
use crate::history::store::{self, RecordedRun};
use crate::trend::collect::Selection;
use crate::trend::{Group, Settings, follow};

/// The runs that may be compared with this one, and this one as the newest; `None` if there are none yet, or if newer
/// ones are recorded.
pub fn with(
    history: &Path,
    entry: Entry,
    allowed_bad_lines: u64,
) -> Result<Option<Group>, Failure> {
    if !history.exists() {
        return Ok(None);
    }
    let path = history.display().to_string();
    let mut recorded = store::read_all(std::slice::from_ref(&path), allowed_bad_lines)?;
    // Recorded before: it stands where it was made, not twice.
    recorded.runs.retain(|run| run.entry.id != entry.id);
    let newer = |run: &RecordedRun| run.entry.started_ms > entry.started_ms;
    if recorded.runs.is_empty() || recorded.runs.iter().any(newer) {
        return Ok(None);
    }
    recorded.runs.push(RecordedRun {
        entry,
        origin: Origin::file(path),
    });
    let trend = follow(&recorded, &Selection::default(), &Settings::default())?;
    let group = trend.groups.into_iter().next();
    Ok(group.filter(|group| group.runs.len() > 1))
}
