//! A log in blocks of whole lines, for several readers at once.
//!
//! A plain file is read at offsets by each reader for itself; anything that only comes in order (a pipe, a compressed
//! file) is decoded by a thread of its own. A memory map would end the process when the file shrinks while it is read.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use super::queue::Queue;
use crate::input::open::beyond;
use crate::limits;
use crate::progress::Progress;

/// Bytes in a block, to which the rest of its last line is added.
pub const BLOCK: usize = 1 << 18;
/// The same of a stream: its decoder has to wake a reader for each block.
pub const STREAM_BLOCK: usize = 1 << 20;
/// Longest line that is read.
pub const LONGEST_LINE: usize = 1 << 20;
/// How much is read at a time to find the end of a block's last line.
const STEP: usize = 1 << 12;
/// Where a block begins in memory: at a cache line, to which the kernel copies a tenth faster.
const ALIGNMENT: usize = 64;
/// Room for a block and the rest of its last line.
const ROOM: usize = ALIGNMENT + BLOCK + 2 * STEP;

/// Whole lines of a log. A line longer than [`LONGEST_LINE`] is cut a little beyond that length.
#[derive(Debug, Default)]
pub struct Block {
    /// Number of the block, from 0.
    pub index: u64,
    /// Whether its last line is the log's last.
    pub is_last: bool,
    /// The lines, from `begin` on.
    pub bytes: Vec<u8>,
    /// Where the block's own lines begin; what stands before belongs to another block.
    pub begin: usize,
}

/// Where blocks come from.
pub enum Blocks<'q> {
    /// A plain file, read at offsets.
    File(FileBlocks),
    /// A stream, decoded by another thread.
    Stream(&'q Queue),
}

impl Blocks<'_> {
    /// The next block for one of the readers, written over `block`; `false` at the end.
    pub fn next(&self, reader: usize, block: &mut Block) -> io::Result<bool> {
        match self {
            Self::File(file) => file.next(reader, block),
            Self::Stream(queue) => match queue.next(reader, std::mem::take(&mut block.bytes)) {
                Some(next) => next.map(|next| *block = next).map(|()| true),
                None => Ok(false),
            },
        }
    }
}

/// A plain file. Its length is that at the beginning; what is appended later belongs to a later run of the tool.
pub struct FileBlocks {
    file: File,
    len: u64,
    parts: Vec<Part>,
    progress: Progress,
}

/// Blocks next to one another. Each reader begins with a part of its own, so that it counts a time of its own and little is
/// left to merge, and then helps with the others' parts.
struct Part {
    next: AtomicU64,
    end: u64,
}

impl FileBlocks {
    /// The blocks of a file of that length, for so many readers.
    pub fn new(file: File, len: u64, readers: usize, progress: Progress) -> Self {
        let blocks = len.div_ceil(BLOCK as u64);
        let border = |i: usize| blocks * i as u64 / readers as u64;
        let parts = (0..readers).map(|i| Part {
            next: AtomicU64::new(border(i)),
            end: border(i + 1),
        });
        Self {
            file,
            len,
            parts: parts.collect(),
            progress,
        }
    }

    fn take(&self, reader: usize) -> Option<u64> {
        (0..self.parts.len()).find_map(|i| {
            let part = &self.parts[(reader + i) % self.parts.len()];
            let index = part.next.fetch_add(1, Ordering::Relaxed);
            (index < part.end).then_some(index)
        })
    }

    /// A block holds the lines that begin behind the first byte of its part of the file, up to the first byte of the next;
    /// the log's first line is the first block's.
    fn next(&self, reader: usize, block: &mut Block) -> io::Result<bool> {
        let Some(index) = self.take(reader) else {
            return Ok(false);
        };
        let start = index * BLOCK as u64;
        let end = (start + BLOCK as u64).min(self.len);
        let bytes = &mut block.bytes;
        bytes.reserve(ROOM.saturating_sub(bytes.len()));
        let from = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        // What was read before is read over; only what is longer has to be filled first.
        bytes.resize(from + (end - start) as usize, 0);
        let read = self.read_at(&mut bytes[from..], start)?;
        bytes.truncate(from + read);
        let begin = if index > 0 {
            memchr::memchr(b'\n', &bytes[from..]).map(|at| from + at + 1)
        } else {
            Some(from)
        };
        block.index = index;
        block.begin = begin.unwrap_or(bytes.len());
        if begin.is_some() {
            self.finish_line(bytes, end)?;
        }
        block.is_last = start + (bytes.len() - from) as u64 == self.len;
        self.progress.advance(end - start);
        Ok(true)
    }

    /// Reads on from a place up to the end of the line there.
    fn finish_line(&self, bytes: &mut Vec<u8>, mut at: u64) -> io::Result<()> {
        let before = bytes.len();
        while at < self.len && bytes.len() - before <= LONGEST_LINE {
            let from = bytes.len();
            bytes.resize(from + STEP.min((self.len - at) as usize), 0);
            let read = self.read_at(&mut bytes[from..], at)?;
            bytes.truncate(from + read);
            if let Some(end) = memchr::memchr(b'\n', &bytes[from..]) {
                bytes.truncate(from + end + 1);
                break;
            }
            if read == 0 {
                break;
            }
            at += read as u64;
        }
        Ok(())
    }

    /// Fills as much as the file still holds.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            #[cfg(unix)]
            let read = std::os::unix::fs::FileExt::read_at(&self.file, &mut buffer[filled..], at);
            #[cfg(windows)]
            let read =
                std::os::windows::fs::FileExt::seek_read(&self.file, &mut buffer[filled..], at);
            match read {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// Decodes a stream into blocks of that many bytes until its end, its first error, or until nobody takes them any more.
pub fn decode(mut stream: impl Read, block: usize, queue: &Queue) {
    let mut rest = Vec::new();
    let mut index = 0;
    // Bytes of the line that is not at its end yet.
    let mut line: u64 = 0;
    loop {
        let mut bytes = queue.used();
        // What was written before is written over; only what is longer has to be filled first.
        bytes.resize(rest.len() + block, 0);
        bytes[..rest.len()].copy_from_slice(&rest);
        let (read, error) = fill(&mut stream, &mut bytes[rest.len()..]);
        let is_last = error.is_none() && read < block;
        bytes.truncate(rest.len() + read);
        if !is_last {
            let end = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
            rest.clear();
            rest.extend_from_slice(&bytes[end..]);
            bytes.truncate(end);
            line = if end > 0 {
                rest.len() as u64
            } else {
                line + read as u64
            };
            shorten(&mut rest);
        }
        let is_endless = line > limits::ENDLESS_LINE;
        // What came before an error is still looked at.
        let is_taken = queue.put(Ok(Block {
            index,
            is_last,
            bytes,
            begin: 0,
        }));
        if let Some(error) = error.or_else(|| is_endless.then(endless)) {
            queue.put(Err(error));
            return;
        }
        if is_last || !is_taken {
            return;
        }
        index += 1;
    }
}

/// Why the reading of a stream ends: what has no line ends is no log, and may have no end.
fn endless() -> io::Error {
    let limit = limits::bytes(limits::ENDLESS_LINE);
    beyond(format!(
        "a line is longer than {limit}: it is not a log of lines"
    ))
}

/// Reads until a buffer is full, the stream ends, or it fails; how many bytes were read.
fn fill(stream: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

/// Of a line that is already too long only the length still matters.
fn shorten(line: &mut Vec<u8>) {
    line.truncate(LONGEST_LINE + 2);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Every line of the blocks, in order, with the line's length.
    fn lines(blocks: &Blocks<'_>) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut block = Block::default();
        while blocks.next(1, &mut block).expect("reads") {
            all.extend(
                block.bytes[block.begin..]
                    .split_inclusive(|b| *b == b'\n')
                    .map(<[u8]>::to_vec),
            );
        }
        all
    }

    fn of_file(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(bytes).expect("writes");
        let len = bytes.len() as u64;
        lines(&Blocks::File(FileBlocks::new(
            file,
            len,
            1,
            Progress::default(),
        )))
    }

    fn of_stream(bytes: &[u8]) -> Vec<Vec<u8>> {
        let queue = Queue::new(1000);
        decode(bytes, BLOCK, &queue);
        queue.end();
        lines(&Blocks::Stream(&queue))
    }

    #[test]
    fn every_line_is_in_exactly_one_block() {
        // Line ends just before, at and after the border of a block.
        for first in [
            BLOCK - 2,
            BLOCK - 1,
            BLOCK,
            BLOCK + 1,
            2 * BLOCK - 1,
            2 * BLOCK,
        ] {
            let mut text = vec![b'a'; first];
            text.push(b'\n');
            text.extend(b"b\n\ncc\n".repeat(BLOCK / 3));
            text.extend(b"last");
            let mut expected: Vec<Vec<u8>> = text
                .split_inclusive(|b| *b == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            for mut found in [of_file(&text), of_stream(&text)] {
                assert_eq!(found.len(), expected.len(), "{first}");
                // A line beyond the longest may be cut, but not below what is too long.
                if first > LONGEST_LINE {
                    assert!(found[0].len() > LONGEST_LINE, "{first}: {}", found[0].len());
                    found[0].clear();
                    expected[0].clear();
                }
                assert!(found == expected, "{first}");
            }
        }
    }

    #[test]
    fn the_last_line_is_known_also_beyond_its_block() {
        // The last line begins in the first block and ends, without a line end, in the second.
        let mut file = tempfile::tempfile().expect("a temporary file");
        let mut text = vec![b'a'; BLOCK - 1];
        text.extend(b"\nlast");
        file.write_all(&text).expect("writes");
        let len = text.len() as u64;
        let blocks = Blocks::File(FileBlocks::new(file, len, 1, Progress::default()));
        let mut block = Block::default();
        let mut last = Vec::new();
        while blocks.next(0, &mut block).expect("reads") {
            if block.is_last && block.begin < block.bytes.len() {
                last.push(block.bytes[block.begin..].ends_with(b"\nlast"));
            }
        }
        assert_eq!(last, [true]);
    }

    #[test]
    fn an_empty_log_has_no_lines() {
        assert!(of_file(b"").is_empty() && of_stream(b"").is_empty());
    }
}
