//! The same results twice: copies, compressed twins, older snapshots of a file that grew, extracts from its end.
//!
//! A run is not counted twice. Files are compared only where their beginnings (or their ends) are the same, so that logs
//! of several workers, which differ in their first line, cost nothing.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};

use super::Format;
use super::discover::{BEGINNING, Found};
use super::locust::Kind;
use super::open::{Input, unreadable};
use crate::diagnostic::{Diagnostic, Origin};
use crate::limits;
use crate::progress::Progress;

/// Lines that two logs that differ further down can have in common by chance.
const BY_CHANCE: u64 = 20;
/// Bytes of the end of a file that are compared first.
const END: u64 = 1 << 12;

/// What was left out, and what cannot be told.
#[derive(Default)]
pub struct Copies {
    /// Names of the files that are not read.
    pub left_out: Vec<String>,
    /// Sentences for every report.
    pub notes: Vec<String>,
    /// Files that seem to be changed copies of one another.
    pub problems: Vec<Diagnostic>,
}

/// Takes out of `found` what is there already.
pub fn take_out(found: &mut Vec<Found>) -> Copies {
    let mut copies = Copies::default();
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    for (of, at) in same_files(found) {
        let (name, first) = (&found[at].input.name, &found[of].input.name);
        if name == first {
            copies
                .notes
                .push(format!("{name} is named twice and counts once"));
        } else {
            copies.notes.push(format!(
                "{name} is the same file as {first} and counts once"
            ));
            copies.left_out.push(name.clone());
        }
        gone.insert(at);
    }
    let order = by_preference(found);
    let looked: Vec<Looked<'_>> = found.iter().map(Looked::at).collect();
    for (i, a) in order.iter().enumerate() {
        for b in &order[i + 1..] {
            if gone.contains(a) {
                break;
            }
            if gone.contains(b) || found[*a].format != found[*b].format {
                continue;
            }
            match relation(&looked[*a], &looked[*b]) {
                Ok(relation) => {
                    let out = copies.add(&found[*a], &found[*b], relation);
                    gone.extend(out.map(|first| if first { *a } else { *b }));
                }
                Err(error) => {
                    copies
                        .problems
                        .push(unreadable(&found[*b].input.name, &error));
                    gone.insert(*b);
                }
            }
        }
    }
    drop(looked);
    let mut at = 0;
    found.retain(|_| {
        at += 1;
        !gone.contains(&(at - 1))
    });
    copies
}

/// Pairs of places of files that are one file, the first of each before.
fn same_files(found: &[Found]) -> Vec<(usize, usize)> {
    let mut firsts = BTreeMap::new();
    let mut same = Vec::new();
    for (at, one) in found.iter().enumerate() {
        let Some(identity) = one.input.identity else {
            continue;
        };
        match firsts.get(&identity) {
            Some(of) => same.push((*of, at)),
            None => {
                firsts.insert(identity, at);
            }
        }
    }
    same
}

/// Of two copies the first in this order counts: the plain one, then the shorter name, then what was named first.
fn by_preference(found: &[Found]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..found.len())
        .filter(|at| !found[*at].input.is_stream())
        .collect();
    order.sort_by_key(|at| {
        let input = &found[*at].input;
        (input.is_compressed, input.name.len(), *at)
    });
    order
}

/// How two files stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    /// They have nothing, or little, in common.
    None,
    /// They are the same.
    Same,
    /// The first, or else the second, is a part of the other.
    Part { first: bool, at_end: bool },
    /// They have so many lines in common, and then differ.
    Parted(u64),
}

impl Copies {
    /// Says what a relation means; whether the first (`true`) or the second is left out.
    fn add(&mut self, a: &Found, b: &Found, relation: Relation) -> Option<bool> {
        let (a_name, b_name) = (&a.input.name, &b.input.name);
        match relation {
            Relation::None => None,
            Relation::Same => {
                self.left_out.push(b_name.clone());
                // A table without rows says nothing, however often it is there.
                if a.format == Format::RequestLog || has_rows(&a.input) {
                    self.notes
                        .push(format!("{b_name} is a copy of {a_name} and counts once"));
                }
                Some(false)
            }
            Relation::Part { first, at_end } => {
                let (part, whole) = if first {
                    (a_name, b_name)
                } else {
                    (b_name, a_name)
                };
                let place = if at_end { "end" } else { "beginning" };
                self.left_out.push(part.clone());
                self.notes
                    .push(format!("{part} is the {place} of {whole} and counts once"));
                Some(first)
            }
            Relation::Parted(lines) => {
                let message = format!(
                    "it begins with the same {lines} lines as `{a_name}` and then differs: one seems to be a changed copy \
                     of the other"
                );
                self.problems.push(
                    Diagnostic::new("changed-copy", message)
                        .at(Origin::file(b_name))
                        .help("requests are not counted twice: name the file that counts, or move the other elsewhere"),
                );
                Some(false)
            }
        }
    }
}

/// Whether a table has more than its header.
fn has_rows(input: &Input) -> bool {
    let head = input.head().trim_ascii_end();
    !input.head_is_all() || memchr::memchr(b'\n', head).is_some()
}

fn relation(a: &Looked<'_>, b: &Looked<'_>) -> io::Result<Relation> {
    let is_log = a.found.format == Format::RequestLog;
    let may_grow = is_log || a.found.format == Format::Locust(Kind::History);
    let (one, other) = (a.input(), b.input());
    if begin_alike(one, other) {
        let relation = compare(one, other)?;
        let is_told = match relation {
            Relation::Same => true,
            Relation::Part { first, .. } => {
                may_grow && (is_log || has_rows(if first { one } else { other }))
            }
            Relation::Parted(lines) => is_log && lines >= BY_CHANCE,
            Relation::None => false,
        };
        return Ok(if is_told { relation } else { Relation::None });
    }
    match (a.plain_len(), b.plain_len()) {
        (Some(a_len), Some(b_len)) if is_log && a_len == b_len => {
            let is_sorted_copy = a.lines_hash()? == b.lines_hash()?;
            Ok(if is_sorted_copy {
                Relation::Same
            } else {
                Relation::None
            })
        }
        (Some(a_len), Some(b_len)) if is_log => ends_alike((a, a_len), (b, b_len)),
        _ => Ok(Relation::None),
    }
}

/// A file with what is found out of it once, however many it is compared with.
struct Looked<'f> {
    found: &'f Found,
    end: OnceCell<Vec<u8>>,
    lines: OnceCell<u128>,
}

impl<'f> Looked<'f> {
    fn at(found: &'f Found) -> Self {
        Self {
            found,
            end: OnceCell::new(),
            lines: OnceCell::new(),
        }
    }

    fn input(&self) -> &'f Input {
        &self.found.input
    }

    /// Bytes of a plain file that is not empty.
    fn plain_len(&self) -> Option<u64> {
        let len = self.input().stored_len();
        len.filter(|len| *len > 0 && !self.input().is_compressed)
    }

    fn from(&self, at: u64) -> io::Result<BufReader<File>> {
        let mut file = self.input().plain()?;
        file.seek(SeekFrom::Start(at))?;
        Ok(BufReader::with_capacity(1 << 16, file))
    }

    /// The last bytes of a plain file of that length.
    fn end(&self, len: u64) -> io::Result<&[u8]> {
        if self.end.get().is_none() {
            let mut end = Vec::new();
            self.from(len.saturating_sub(END))?
                .take(END)
                .read_to_end(&mut end)?;
            return Ok(self.end.get_or_init(|| end));
        }
        Ok(self.end.get().map_or(&[], Vec::as_slice))
    }

    /// A number that is the same for the same lines in any order, of so many bits that chance does not match them.
    fn lines_hash(&self) -> io::Result<u128> {
        if let Some(known) = self.lines.get() {
            return Ok(*known);
        }
        let mut reader = self.input().reader(&Progress::default())?;
        let (mut sum, mut line) = (0_u128, Vec::new());
        loop {
            line.clear();
            // A longer line is no request, and is told when it is read.
            let most = limits::TABLE_ROW as u64;
            if reader.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
                return Ok(*self.lines.get_or_init(|| sum));
            }
            let text = line.trim_ascii_end();
            let half = |seed: u8| {
                let mut hasher = DefaultHasher::new();
                hasher.write_u8(seed);
                hasher.write(text);
                u128::from(hasher.finish())
            };
            sum = sum.wrapping_add(half(1) << 64 | half(2));
        }
    }
}

/// Whether the beginnings are the same, as far as the shorter file goes.
fn begin_alike(a: &Input, b: &Input) -> bool {
    let beginning = |input: &Input| input.head().len().min(BEGINNING);
    let len = beginning(a).min(beginning(b));
    let is_whole = |input: &Input| input.head_is_all() && input.head().len() == len;
    len > 0
        && a.head()[..len] == b.head()[..len]
        && (len == BEGINNING || is_whole(a) || is_whole(b))
}

/// Reads both side by side for as long as they are the same.
fn compare(a: &Input, b: &Input) -> io::Result<Relation> {
    let nobody = Progress::default();
    let (mut one, mut other) = (a.reader(&nobody)?, b.reader(&nobody)?);
    let mut lines = 0;
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        match (left.is_empty(), right.is_empty()) {
            (true, true) => return Ok(Relation::Same),
            (first @ true, false) | (first @ false, true) => {
                return Ok(Relation::Part {
                    first,
                    at_end: false,
                });
            }
            (false, false) => {}
        }
        let len = left.len().min(right.len());
        let alike = if left[..len] == right[..len] {
            len
        } else {
            let pairs = left.iter().zip(right);
            pairs.take_while(|(a, b)| a == b).count()
        };
        lines += memchr::memchr_iter(b'\n', &left[..alike]).count() as u64;
        if alike < len {
            return Ok(Relation::Parted(lines));
        }
        one.consume(len);
        other.consume(len);
    }
}

/// Whether the shorter of two plain files is the end of the longer.
fn ends_alike(a: (&Looked<'_>, u64), b: (&Looked<'_>, u64)) -> io::Result<Relation> {
    let first = a.1 < b.1;
    let ((short, short_len), (long, long_len)) = if first { (a, b) } else { (b, a) };
    if !long.end(long_len)?.ends_with(short.end(short_len)?) {
        return Ok(Relation::None);
    }
    // The part begins where a line of the whole begins.
    let begin = long_len - short_len;
    let mut before = [0];
    long.from(begin - 1)?.read_exact(&mut before)?;
    let is_part = before == *b"\n" && is_same(short.from(0)?, long.from(begin)?)?;
    Ok(if is_part {
        Relation::Part {
            first,
            at_end: true,
        }
    } else {
        Relation::None
    })
}

fn is_same(mut a: impl BufRead, mut b: impl BufRead) -> io::Result<bool> {
    loop {
        let (left, right) = (a.fill_buf()?, b.fill_buf()?);
        let len = left.len().min(right.len());
        if len == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left[..len] != right[..len] {
            return Ok(false);
        }
        a.consume(len);
        b.consume(len);
    }
}
