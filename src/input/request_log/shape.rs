//! The shape of log lines: the same keys, in the same order, with the same punctuation.
//!
//! A log says the same thing a million times. A [`Shape`] is learnt from a line that was understood the long way; lines
//! that follow it to the byte are read without building a JSON value. On any difference the shape answers `None`, and the
//! line takes the long way, so that a shape is never less strict than the library.

use serde_json::{Map, Value};

use super::blocks::LONGEST_LINE;
use super::keys::{Keys, MILLISECONDS, Roles, microseconds, path_of, source, start_of};
use super::outcome::{self, ErrorSays, Outcome as Ended, Told};
use super::values::{self, Clock, Number};
use crate::tally::whole_bytes;

mod learner;

use learner::Learner;

/// What to do with the value that follows a piece of fixed text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Start,
    StartNumber,
    Method,
    Name,
    Status,
    Success,
    Error,
    Users,
    Length,
    Time(f64),
    Field,
    SkipText,
    SkipNumber,
    SkipBool,
    /// Status, or success, or both: see [`Outcome`].
    Outcome,
}

/// A value, then fixed text up to the next value or the line's end.
#[derive(Debug)]
struct Piece {
    part: Part,
    literal: Literal,
}

/// Fixed text. A short one, as most are, is compared in one step.
#[derive(Debug)]
struct Literal {
    text: Vec<u8>,
    /// The text and ones where it is, if it is short; else nothing of any text.
    short: u128,
    mask: u128,
}

impl Literal {
    fn new(text: &[u8]) -> Self {
        let mut short = [0; 16];
        let mut mask = [0; 16];
        if text.len() <= short.len() {
            short[..text.len()].copy_from_slice(text);
            mask[..text.len()].fill(u8::MAX);
        }
        Self {
            text: text.to_vec(),
            short: u128::from_le_bytes(short),
            mask: u128::from_le_bytes(mask),
        }
    }

    /// What follows it.
    #[inline]
    fn after<'l>(&self, rest: &'l [u8]) -> Option<&'l [u8]> {
        match rest.first_chunk::<16>() {
            Some(first) if self.text.len() <= 16 => {
                let is_same = (u128::from_le_bytes(*first) ^ self.short) & self.mask == 0;
                rest.get(self.text.len()..).filter(|_| is_same)
            }
            _ => after(rest, &self.text),
        }
    }
}

/// The shape of a line.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a line"
)]
pub struct Shape {
    /// Fixed text before the first value.
    begin: Literal,
    pieces: Vec<Piece>,
    outcome: Outcome,
    /// Names of the measured fields, in the order of their pieces.
    pub fields: Vec<String>,
    is_request: bool,
    says_no_error: bool,
    stamp_is_end: bool,
    name_is_target: bool,
    states_outcome: bool,
}

/// How a request ended, as the last line had it. Most lines end like the one before: one look at all of it takes the place
/// of a look at each piece.
#[derive(Debug, Default)]
struct Outcome {
    pieces: Vec<Piece>,
    /// The pieces as they stood in the line: values and fixed texts.
    bytes: Vec<u8>,
    status: Option<u16>,
    success: Option<bool>,
}

/// A line read by its shape. Texts are as they stand in the line, escapes included.
#[derive(Debug, Default, PartialEq)]
pub struct Fast<'l> {
    /// Start, epoch ms.
    pub start_ms: Option<i64>,
    /// Whether it is a request, not a sample.
    pub is_request: bool,
    /// HTTP method or the like; empty when absent.
    pub method: &'l [u8],
    /// The endpoint's name.
    pub name: &'l [u8],
    /// Response time.
    pub response_time_us: u64,
    /// HTTP status.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Ended,
    /// Whether the line says that no answer came.
    pub no_answer: bool,
    /// Whether more than an error tells the outcome.
    pub states_outcome: bool,
    /// The error's text; empty when there is none.
    pub error: &'l [u8],
    /// Concurrent users.
    pub users: Option<u64>,
    /// Body bytes.
    pub bytes: u64,
    /// Bytes of the line with its end.
    pub len: usize,
}

impl Shape {
    /// Learns from a line that was understood the long way; `None` for a line of which too much is unusual.
    pub fn learn(line: &[u8], object: &Map<String, Value>, keys: &Keys) -> Option<Self> {
        let roles = keys.roles(object);
        if !roles.are_simple() || object.get("attributes").is_some_and(Value::is_array) {
            return None;
        }
        let mut learner = Learner::of(line, &roles);
        learner.object("")?;
        let has = |is: fn(&Part) -> bool| learner.parts.iter().any(is);
        let is_request = has(|p| *p == Part::Name) && has(|p| matches!(p, Part::Time(_)));
        // What a sample was taken from is looked up the long way.
        if !is_request && source(object).is_some() {
            return None;
        }
        let last = Literal::new(&line[learner.fixed..]);
        let mut literals = learner.literals.into_iter().chain([last]);
        let begin = literals.next()?;
        let pieces = learner.parts.into_iter().zip(literals);
        let mut pieces = pieces
            .map(|(part, literal)| Piece { part, literal })
            .collect();
        Some(Self {
            begin,
            outcome: Outcome::out_of(&mut pieces),
            pieces,
            fields: learner.fields,
            is_request,
            says_no_error: roles.says_no_error,
            stamp_is_end: roles.stamp_is_end,
            name_is_target: roles.name_is_target,
            states_outcome: roles.state_outcome(),
        })
    }

    /// Reads a line of this shape from the front of a text, and the line's end. What follows is there to be looked at eight
    /// bytes at a time. Measured fields go to `values`, in the shape's order. Texts that are handed out may still hold what
    /// no JSON text may: the caller looks at them, unless it knows them.
    pub fn read<'l>(
        &mut self,
        text: &'l [u8],
        clock: &mut Clock,
        values: &mut Vec<f64>,
    ) -> Option<Fast<'l>> {
        let mut rest = self.begin.after(text)?;
        let mut fast = Fast {
            is_request: self.is_request,
            states_outcome: self.states_outcome,
            ..Fast::default()
        };
        let mut told = Told::default();
        if self.says_no_error {
            told.error = ErrorSays::None;
        }
        values.clear();
        for piece in &self.pieces {
            match piece.part {
                Part::Start => fast.start_ms = Some(clock.take(&mut rest)?),
                Part::StartNumber => {
                    fast.start_ms = Some(values::epoch_ms(number(&mut rest)?)?);
                }
                Part::Method => fast.method = take_text(&mut rest)?,
                Part::Name => fast.name = take_text(&mut rest)?,
                Part::Status => told.status = Some(take_status(&mut rest)?),
                Part::Success => told.success = Some(boolean(&mut rest)?),
                Part::Error => {
                    let text = take_text(&mut rest)?;
                    match says(text) {
                        ErrorSays::Error => {
                            told.error = ErrorSays::Error;
                            fast.error = text;
                        }
                        ErrorSays::Empty if self.says_no_error => {}
                        says => told.error = says,
                    }
                }
                Part::Users => {
                    fast.users = match values::take_whole(&mut rest) {
                        None => counted(number(&mut rest)?).map(|n| n as u64),
                        users => users,
                    };
                }
                Part::Length => {
                    fast.bytes = match values::take_whole(&mut rest) {
                        None => whole_bytes(counted(number(&mut rest)?)),
                        Some(bytes) => bytes,
                    };
                }
                Part::Time(factor) => {
                    fast.response_time_us = time(values::take_number(&mut rest)?, factor)?;
                }
                Part::Field => values.push(number(&mut rest)?),
                Part::SkipText => skip_text(&mut rest)?,
                Part::SkipNumber => {
                    if values::take_whole(&mut rest).is_none() {
                        values::take_number(&mut rest)?;
                    }
                }
                Part::SkipBool => drop(boolean(&mut rest)?),
                Part::Outcome => {
                    self.outcome.take(&mut rest)?;
                    (told.status, told.success) = (self.outcome.status, self.outcome.success);
                    continue;
                }
            }
            rest = piece.literal.after(rest)?;
        }
        let line_end = match rest {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            [] | [b'\r'] => rest.len(),
            _ => return None,
        };
        let len = text.len() - rest.len();
        if len > LONGEST_LINE {
            return None;
        }
        fast.len = len + line_end;
        if self.stamp_is_end && self.is_request {
            let us = fast.response_time_us;
            fast.start_ms = fast.start_ms.map(|end| start_of(end, us));
        }
        if self.name_is_target {
            // What is no text, and escapes, are left to the long way; the query is looked at only here.
            let name = std::str::from_utf8(fast.name).ok()?;
            if name.contains('\\') || !is_valid(fast.name) {
                return None;
            }
            fast.name = path_of(name).as_bytes();
        }
        if told.status == Some(0) && fast.method.eq_ignore_ascii_case(b"grpc") {
            // A code of gRPC's, which means that it went well.
            return None;
        }
        fast.outcome = outcome::outcome(&told);
        fast.no_answer = told.status == Some(0);
        fast.status = told.status.filter(|status| *status > 0);
        Some(fast)
    }
}

impl Outcome {
    /// Takes the longest run of pieces that have few values out of a line's, and puts one for all of them in its place.
    fn out_of(pieces: &mut Vec<Piece>) -> Self {
        let is_outcome = |piece: &Piece| matches!(piece.part, Part::Status | Part::Success);
        let runs = (0..pieces.len()).map(|from| {
            let run = pieces[from..].iter().take_while(|p| is_outcome(p)).count();
            from..from + run
        });
        let longest = runs.max_by_key(|run| (run.len(), std::cmp::Reverse(run.start)));
        let mut outcome = Self::default();
        if let Some(run) = longest.filter(|run| !run.is_empty()) {
            let whole = Piece {
                part: Part::Outcome,
                literal: Literal::new(b""),
            };
            outcome.pieces = pieces.splice(run, [whole]).collect();
        }
        outcome
    }

    /// Takes an outcome, with the fixed text behind it, from the front of a line.
    #[inline]
    fn take(&mut self, rest: &mut &[u8]) -> Option<()> {
        match after(rest, &self.bytes).filter(|_| !self.bytes.is_empty()) {
            Some(after) => *rest = after,
            None => self.learn(rest)?,
        }
        Some(())
    }

    #[inline(never)]
    fn learn(&mut self, rest: &mut &[u8]) -> Option<()> {
        let begin = *rest;
        let (mut status, mut success) = (None, None);
        for piece in &self.pieces {
            if piece.part == Part::Status {
                status = Some(take_status(rest)?);
            } else {
                success = Some(boolean(rest)?);
            }
            *rest = piece.literal.after(rest)?;
        }
        self.bytes.clear();
        self.bytes
            .extend_from_slice(&begin[..begin.len() - rest.len()]);
        (self.status, self.success) = (status, success);
        Some(())
    }
}

/// What follows some fixed text.
#[inline]
pub fn after<'l>(line: &'l [u8], fixed: &[u8]) -> Option<&'l [u8]> {
    let (begin, rest) = line.split_at_checked(fixed.len())?;
    is_same(begin, fixed).then_some(rest)
}

/// Whether two short texts are the same. By words and here, because a call costs as much as all of it; with empty texts
/// even ten times as much, where the C library reads them with masks.
#[inline]
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // What the last chunk holds may be looked at twice.
    if let (Some((first, rest)), Some((other_first, other_rest))) =
        (a.split_first_chunk::<16>(), b.split_first_chunk::<16>())
    {
        let (chunks, other_chunks) = (rest.as_chunks::<16>().0, other_rest.as_chunks::<16>().0);
        first == other_first
            && a.last_chunk::<16>() == b.last_chunk::<16>()
            && chunks.iter().zip(other_chunks).all(|(a, b)| a == b)
    } else if let (Some(first), Some(other_first)) = (a.first_chunk::<8>(), b.first_chunk::<8>()) {
        first == other_first && a.last_chunk::<8>() == b.last_chunk::<8>()
    } else {
        word(a) == word(b)
    }
}

/// All bytes of a text that is shorter than eight, some of them twice: texts of one length have the same word only if they
/// are the same.
#[inline]
pub fn word(text: &[u8]) -> u64 {
    match (text.first_chunk::<4>(), text.last_chunk::<4>(), text) {
        (Some(first), Some(last), _) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        (_, _, [first, .., last]) => {
            let middle = text[text.len() / 2];
            u64::from(*first) | u64::from(middle) << 8 | u64::from(*last) << 16
        }
        (_, _, [only]) => u64::from(*only),
        (_, _, []) => 0,
    }
}

#[inline]
fn number(rest: &mut &[u8]) -> Option<f64> {
    values::take_number(rest).map(Number::value)
}

/// A number that only counts from zero on.
fn counted(n: f64) -> Option<f64> {
    (n >= 0.0).then_some(n)
}

/// A response time in µs.
#[inline]
fn time(number: Number, factor: f64) -> Option<u64> {
    match number.whole_thousandths() {
        Some(us) if factor == MILLISECONDS => Some(us),
        _ => microseconds(number.value(), factor).ok(),
    }
}

/// The text after an opening quote up to its closing one, as it stands.
#[inline]
fn take_text<'l>(rest: &mut &'l [u8]) -> Option<&'l [u8]> {
    let mut from = 0;
    loop {
        let at = from + quote_or_backslash(&rest[from..])?;
        if rest[at] == b'"' {
            let text = &rest[..at];
            *rest = &rest[at + 1..];
            return Some(text);
        }
        from = (at + 2).min(rest.len());
    }
}

/// Where the first quote or backslash is. Most texts are short: eight bytes at a time, before a search for longer ones.
#[inline]
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    const EACH: u64 = u64::MAX / 255;
    let zeros = |word: u64| word.wrapping_sub(EACH) & !word & (EACH * 0x80);
    let (words, _) = text.as_chunks::<8>();
    for (i, word) in words.iter().take(4).enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest byte that is marked is right; above it a borrow may have marked others.
        let found =
            zeros(word ^ (EACH * u64::from(b'"'))) | zeros(word ^ (EACH * u64::from(b'\\')));
        if found != 0 {
            return Some(i * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let from = words.len().min(4) * 8;
    memchr::memchr2(b'"', b'\\', &text[from..]).map(|at| from + at)
}

/// The same without escapes and what no JSON text may hold.
pub fn plain_text<'l>(rest: &mut &'l [u8]) -> Option<&'l [u8]> {
    take_text(rest).filter(|text| !text.contains(&b'\\') && is_valid(text))
}

/// A text that nothing is done with must still be valid.
fn skip_text(rest: &mut &[u8]) -> Option<()> {
    is_valid(take_text(rest)?).then_some(())
}

/// Whether a text is UTF-8 without control characters, and its escapes, if it has any, mean something.
#[inline]
pub fn is_valid(raw: &[u8]) -> bool {
    let is_plain = |b: u8| (b' '..0x80).contains(&b) && b != b'\\';
    raw.iter().fold(true, |plain, b| plain & is_plain(*b)) || unescape(raw).is_some()
}

/// A JSON text between its quotes, its escapes resolved; `None` if they are invalid, or if it holds what no text may.
pub fn unescape(raw: &[u8]) -> Option<String> {
    let raw = std::str::from_utf8(raw).ok()?;
    if raw.bytes().any(|b| b < b' ') {
        None
    } else if raw.contains('\\') {
        serde_json::from_str(&format!("\"{raw}\"")).ok()
    } else {
        Some(raw.to_owned())
    }
}

/// What a text in the place of an error says.
#[inline]
fn says(text: &[u8]) -> ErrorSays {
    /// No longer text says that there was no error.
    const LONGEST: usize = 12;
    if text.len() > LONGEST {
        return ErrorSays::Error;
    }
    if text.is_empty() {
        return ErrorSays::Empty;
    }
    unescape(text).map_or(ErrorSays::Error, |text| outcome::error_text(&text))
}

/// An HTTP status, or 0, which means that no answer came.
fn take_status(rest: &mut &[u8]) -> Option<u16> {
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, after) = rest.split_at(digits);
    if matches!(after.first(), Some(b'.' | b'e' | b'E')) {
        return None;
    }
    let status = match number {
        b"0" => 0,
        [a @ b'1'..=b'9', b, c] => {
            u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
        }
        _ => return None,
    };
    *rest = after;
    Some(status)
}

fn boolean(rest: &mut &[u8]) -> Option<bool> {
    let (value, after) = match rest {
        [b't', b'r', b'u', b'e', after @ ..] => (true, after),
        [b'f', b'a', b'l', b's', b'e', after @ ..] => (false, after),
        _ => return None,
    };
    *rest = after;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_to_the_last_byte() {
        for len in 0..70 {
            let text: Vec<u8> = (0..len).collect();
            assert!(is_same(&text, &text.clone()));
            assert!(!is_same(&text, &[&text[..], b"a"].concat()));
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 0x80;
                assert!(!is_same(&text, &other), "byte {at} of {len}");
            }
        }
    }
}
