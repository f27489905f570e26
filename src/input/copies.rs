//! The same results twice: copies, compressed twins, older snapshots of a file that grew, extracts from its end.
//!
//! A run is not counted twice. Files are compared only where their beginnings (or their ends) are the same, so that logs
//! of several workers, which differ in their first line, cost nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read as _, Seek as _, SeekFrom};

use super::Format;
use super::discover::{BEGINNING, Found};
use super::locust::Kind;
use super::open::{Input, unreadable};
use crate::diagnostic::{Diagnostic, Origin};
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
    for (i, a) in order.iter().enumerate() {
        for b in &order[i + 1..] {
            if gone.contains(a) {
                break;
            }
            if gone.contains(b) || found[*a].format != found[*b].format {
                continue;
            }
            match relation(&found[*a], &found[*b]) {
                Ok(relation) => {
                    let out = copies.add(&found[*a], &found[*b], relation);
                    gone.extend(out.map(|first| if first { *a } else { *b }));
                }
                Err(problem) => {
                    copies.problems.push(problem);
                    gone.insert(*b);
                }
            }
        }
    }
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
        .filter(|at| found[*at].input.is_file())
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

fn relation(a: &Found, b: &Found) -> Result<Relation, Diagnostic> {
    let is_log = a.format == Format::RequestLog;
    let may_grow = is_log || a.format == Format::Locust(Kind::History);
    let failed = |error: io::Error| unreadable(&b.input.name, &error);
    if begin_alike(&a.input, &b.input) {
        let relation = compare(&a.input, &b.input).map_err(failed)?;
        return Ok(match relation {
            Relation::Same => relation,
            Relation::Part { first, .. } if may_grow => {
                let part = if first { &a.input } else { &b.input };
                if is_log || has_rows(part) {
                    relation
                } else {
                    Relation::None
                }
            }
            Relation::Parted(lines) if is_log && lines >= BY_CHANCE => relation,
            _ => Relation::None,
        });
    }
    if is_log {
        return ends_alike(&a.input, &b.input).map_err(failed);
    }
    Ok(Relation::None)
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
fn ends_alike(a: &Input, b: &Input) -> io::Result<Relation> {
    let (Some(a_len), Some(b_len)) = (a.stored_len(), b.stored_len()) else {
        return Ok(Relation::None);
    };
    let first = a_len < b_len;
    let (short, long) = if first { (a, b) } else { (b, a) };
    let (short_len, long_len) = (a_len.min(b_len), a_len.max(b_len));
    if a.is_compressed || b.is_compressed || short_len == 0 || short_len == long_len {
        return Ok(Relation::None);
    }
    let from = |input: &Input, at: u64| -> io::Result<_> {
        let mut file = std::fs::File::open(&input.name)?;
        file.seek(SeekFrom::Start(at))?;
        Ok(io::BufReader::with_capacity(1 << 16, file))
    };
    let end = END.min(short_len);
    if !is_same(from(short, short_len - end)?, from(long, long_len - end)?)? {
        return Ok(Relation::None);
    }
    // The part begins where a line of the whole begins.
    let mut before = [0];
    from(long, long_len - short_len - 1)?.read_exact(&mut before)?;
    let is_part = before == *b"\n" && is_same(from(short, 0)?, from(long, long_len - short_len)?)?;
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
