//! How much is read and kept at most. Beyond a limit there is a clear error, never an abort; `docs/limits.md` states them.

/// Bytes of a file that are looked at to recognise it, decompressed.
pub const HEAD: usize = 1 << 16;
/// Bytes of what has to be read whole, decompressed: tables, JSON arrays, Locust's JSON, reports, histories.
pub const WHOLE: u64 = 256 << 20;
/// Bytes of one row of a table.
pub const TABLE_ROW: usize = 1 << 20;
/// Rows of one table.
pub const TABLE_ROWS: u64 = 2_500_000;
/// Bytes of one line of a log beyond which the reading ends: what has no line ends is no log.
pub const ENDLESS_LINE: u64 = 256 << 20;
/// Bytes of a stream that is kept because it has to be read twice.
pub const KEPT_STREAM: u64 = 16 << 30;
/// Files and folders in a folder.
pub const FILES: usize = 10_000;
/// Endpoints of a run.
pub const ENDPOINTS: usize = 10_000;
/// Names of measured fields in a run, and fields in a line.
pub const FIELDS: usize = 1_000;
/// Endpoints of a run × names of its measured fields.
pub const ENDPOINT_FIELDS: usize = 200_000;
/// Processes, hosts and the like that samples name.
pub const SAMPLED: usize = 10_000;
/// Different error messages of a run; beyond them none is kept by its text.
pub const MESSAGES: usize = 10_000;
/// Bytes of the names of all endpoints of a run, with their methods.
pub const ENDPOINT_NAMES: usize = 64 << 20;
/// Bytes of the names of all measured fields of a run.
pub const FIELD_NAMES: usize = 1 << 20;
/// Bytes of the path of a key in a line (`a.b.c`); longer ones are no fields.
pub const KEY: usize = 1 << 10;

/// A number of bytes in words: `256 MiB`.
pub fn bytes(n: u64) -> String {
    match n {
        n if n >= 1 << 30 => format!("{} GiB", n >> 30),
        n if n >= 1 << 20 => format!("{} MiB", n >> 20),
        n => format!("{} KiB", n >> 10),
    }
}
