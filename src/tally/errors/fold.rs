//! Messages of one failure folded to one text: Python's `repr` to the plain text, ids and numbers to `#`.
//!
//! Written by hand instead of as a regular expression: a log may hold a new message in every line.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::python;
use super::status::is_status;

/// Folds ids, addresses and numbers (but HTTP statuses) to `#`, white space to single spaces, and Python's `repr` of an
/// exception to its `str`, so that the same failure has the same text in every Locust version. Folding twice changes nothing.
pub fn fold(message: &str) -> String {
    let text = python::plain(message);
    let text = spaced(text.trim());
    numbers(&text).into_owned()
}

/// Line ends and other white space as single spaces.
fn spaced(text: &str) -> Cow<'_, str> {
    let is_plain = |text: &str| {
        let mut last = 'x';
        text.chars().all(|c| {
            let fine = !c.is_whitespace() || (c == ' ' && last != ' ');
            last = c;
            fine
        })
    };
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Cow::Owned(words.join(" "))
}

/// Folds numbers, ids and addresses. Words are of ASCII letters, digits and `_`; `arm_50` and `v4` are names and stay.
pub fn numbers(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(u8::is_ascii_digit) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    while at < bytes.len() {
        if let Some(end) = address(text, at) {
            folded.push_str(&text[copied..at]);
            folded.push('#');
            (at, copied) = (end, end);
        } else if is_word(bytes[at]) {
            folded.push_str(&text[copied..at]);
            at = word(text, at, &mut folded);
            copied = at;
        } else {
            at += 1;
        }
    }
    folded.push_str(&text[copied..]);
    Cow::Owned(folded)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The end of a run of bytes.
fn run(bytes: &[u8], from: usize, belongs: impl Fn(&u8) -> bool) -> usize {
    let rest = &bytes[from..];
    from + rest.iter().position(|b| !belongs(b)).unwrap_or(rest.len())
}

/// The end of an IPv6 or hardware address that starts here. One beside a `#` is left: it was cut by folding.
fn address(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let belongs = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    if !(belongs(&bytes[at]) && bytes[at] != b'.') {
        return None;
    }
    if at > 0 && (is_word(bytes[at - 1]) || matches!(bytes[at - 1], b'#' | b':' | b'.')) {
        return None;
    }
    let end = run(bytes, at, belongs);
    if bytes.get(end).is_some_and(|b| is_word(*b) || *b == b'#') {
        return None;
    }
    let run = text[at..end].trim_end_matches('.');
    let run = match run.strip_suffix(':') {
        Some(shorter) if !run.ends_with("::") => shorter,
        _ => run,
    };
    let is_hardware = || run.split(':').count() == 6 && run.split(':').all(|pair| pair.len() == 2);
    let has_digit = run.contains(|c: char| c.is_ascii_digit());
    let is_address = run.contains(':') && (run.parse::<Ipv6Addr>().is_ok() || is_hardware());
    (has_digit && is_address).then_some(at + run.len())
}

/// Folds one word, and what follows it if that belongs to its number; returns where it ends.
fn word(text: &str, start: usize, folded: &mut String) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        at = if let Some(end) = uuid(bytes, at) {
            folded.push('#');
            end
        } else if at == start && bytes[at].is_ascii_digit() {
            number(text, at, folded)
        } else {
            name(text, at, folded)
        };
        if bytes.get(at) != Some(&b'_') {
            return at;
        }
        let name = run(bytes, at, |b| *b == b'_');
        folded.push_str(&text[at..name]);
        at = name;
        if !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) {
            return at;
        }
    }
}

/// A part that starts with a letter, or stands after `_`: `FINALIZAR`, `50`, `v4`, `ORD123456`, `8f3a22bc91`.
fn name(text: &str, at: usize, folded: &mut String) -> usize {
    let bytes = text.as_bytes();
    let end = run(bytes, at, u8::is_ascii_alphanumeric);
    let part = &text[at..end];
    let letters = run(bytes, at, u8::is_ascii_alphabetic);
    if letters == end {
        folded.push_str(part);
    } else if is_hex_id(part) {
        folded.push('#');
    } else if part
        .split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() >= 4)
    {
        // The rest goes with the number: what is left of it could otherwise look like an id of its own.
        folded.push_str(&text[at..letters]);
        folded.push('#');
    } else {
        folded.push_str(part);
    }
    end
}

/// Eight or more hexadecimal digits, not all of them letters.
fn is_hex_id(part: &str) -> bool {
    part.len() >= 8
        && part.bytes().all(|b| b.is_ascii_hexdigit())
        && part.bytes().any(|b| b.is_ascii_digit())
}

/// A number with which a word starts: `250ms`, `10.0.0.7:8080`, `1,234.5`, `12:30:05`, `0x7f`, a date, a status.
fn number(text: &str, at: usize, folded: &mut String) -> usize {
    let bytes = text.as_bytes();
    let word = run(bytes, at, u8::is_ascii_alphanumeric);
    if is_hex_id(&text[at..word]) && !text[at..word].bytes().all(|b| b.is_ascii_digit()) {
        folded.push('#');
        return word;
    }
    let end = digits_and_marks(bytes, date(bytes, at).unwrap_or(at));
    let is_bare = !bytes.get(end).copied().is_some_and(is_word);
    if end - at == 3 && is_bare && bytes[at..end].iter().all(u8::is_ascii_digit) {
        if is_status(text, at) {
            folded.push_str(&text[at..end]);
        } else {
            folded.push('#');
        }
        return end;
    }
    folded.push('#');
    let rest = run(bytes, end, u8::is_ascii_alphanumeric);
    let is_hex = text[at..end] == *"0" && matches!(bytes.get(end), Some(b'x' | b'X'));
    let has_digits = bytes[end..rest].iter().any(u8::is_ascii_digit);
    if let Some(end) = exponent(bytes, end, rest) {
        return end;
    }
    // A unit stays; what goes on with digits is an id.
    if !has_digits && !is_hex {
        folded.push_str(&text[end..rest]);
    }
    rest
}

/// Digits, with points and colons between them, and commas before groups of three.
fn digits_and_marks(bytes: &[u8], from: usize) -> usize {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = run(bytes, from, u8::is_ascii_digit);
    loop {
        match bytes.get(at) {
            Some(b'.' | b':') if digit(at + 1) => at = run(bytes, at + 1, u8::is_ascii_digit),
            Some(b',') if (1..=3).all(|i| digit(at + i)) && !digit(at + 4) => at += 4,
            _ => return at,
        }
    }
}

/// The end of the `e-05` of a number, if that is what follows it.
fn exponent(bytes: &[u8], end: usize, rest: usize) -> Option<usize> {
    let is_e = rest == end + 1 && matches!(bytes[end], b'e' | b'E');
    let signed = is_e && matches!(bytes.get(rest), Some(b'-' | b'+'));
    let last = signed.then(|| run(bytes, rest + 1, u8::is_ascii_digit))?;
    (last > rest + 1 && !bytes.get(last).copied().is_some_and(is_word)).then_some(last)
}

/// Where the time of a date begins, `2026-01-31T`, or the date ends.
fn date(bytes: &[u8], at: usize) -> Option<usize> {
    let shape = |shape: &[u8], from: usize| {
        bytes.get(from..from + shape.len()).is_some_and(|text| {
            let same = |(s, b): (&u8, &u8)| {
                if *s == b'0' {
                    b.is_ascii_digit()
                } else {
                    s == b
                }
            };
            shape.iter().zip(text).all(same)
        })
    };
    if !shape(b"0000-00-00", at) || bytes.get(at + 10).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let time = matches!(bytes.get(at + 10), Some(b'T' | b' ')) && shape(b"00:00", at + 11);
    Some(if time { at + 11 } else { at + 10 })
}

/// The end of a UUID that starts here.
fn uuid(bytes: &[u8], at: usize) -> Option<usize> {
    let text = bytes.get(at..at + 36)?;
    let is_uuid = text.iter().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    });
    let ends = !bytes.get(at + 36).is_some_and(u8::is_ascii_alphanumeric);
    (is_uuid && ends && text.iter().any(u8::is_ascii_digit)).then_some(at + 36)
}
