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
