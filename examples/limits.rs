//! What no reader of a log can be faster than.
//!
//! `limits lines FILE` reads a plain file on all cores and counts its line ends; `limits decode FILE` inflates a gzip or
//! zstd file to nowhere, with the decoders that loadgate has. `benches/peers/run.py` measures both beside loadgate.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};

const BLOCK: usize = 1 << 18;

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(what), Some(path)) = (args.next(), args.next()) else {
        return Err(io::Error::other("usage: limits lines|decode FILE"));
    };
    match what.as_str() {
        "lines" => println!("{} lines", lines(&File::open(path)?)?),
        "decode" => println!("{} bytes", decode(File::open(path)?)?),
        _ => return Err(io::Error::other("usage: limits lines|decode FILE")),
    }
    Ok(())
}

/// Each thread reads the next block and counts the line ends in it.
fn lines(file: &File) -> io::Result<usize> {
    let next = AtomicU64::new(0);
    let share = || {
        let (mut block, mut found) = (vec![0; BLOCK], 0);
        loop {
            let at = next.fetch_add(BLOCK as u64, Ordering::Relaxed);
            let read = read_at(file, &mut block, at)?;
            if read == 0 {
                return Ok(found);
            }
            found += memchr::memchr_iter(b'\n', &block[..read]).count();
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let shares: Vec<_> = (0..threads).map(|_| scope.spawn(share)).collect();
        let found = shares.into_iter().map(|share| {
            share
                .join()
                .map_err(|_| io::Error::other("a thread panicked"))?
        });
        found.sum()
    })
}

#[cfg(unix)]
fn read_at(file: &File, block: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, block, at)
}

#[cfg(windows)]
fn read_at(file: &File, block: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, block, at)
}

fn decode(file: File) -> io::Result<u64> {
    let mut file = BufReader::with_capacity(BLOCK, file);
    let mut magic = [0; 2];
    file.read_exact(&mut magic)?;
    let whole = io::Cursor::new(magic).chain(file);
    let mut stream: Box<dyn Read> = if magic == [0x1f, 0x8b] {
        Box::new(flate2::bufread::MultiGzDecoder::new(
            BufReader::with_capacity(BLOCK, whole),
        ))
    } else {
        Box::new(zstd::Decoder::new(whole)?)
    };
    let (mut block, mut bytes) = (vec![0; BLOCK], 0);
    loop {
        match stream.read(&mut block)? {
            0 => return Ok(bytes),
            n => bytes += n as u64,
        }
    }
}
