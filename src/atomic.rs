//! Files that are whole or not there: written beside their place, then renamed into it.

use std::path::Path;

use crate::interrupt;

/// A temporary file in the folder where the finished one will be, as a rename does not cross file systems.
pub fn temporary_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".loadgate");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file: the umask takes away what the user does not want.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    interrupt::remember(|| builder.tempfile_in(folder))
}

/// A file without a name, for what has to be kept while the program runs: nothing of it stays behind, however it ends.
pub fn unnamed() -> std::io::Result<std::fs::File> {
    tempfile::tempfile()
}
