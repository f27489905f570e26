//! Patterns for error messages, which are matched against folded text.

use super::fold::numbers;

/// What to write instead of a pattern that looks for digits that folding takes away; `None` if the pattern can be kept.
///
/// A pattern that can never match would let `count(error~"…") == 0` pass whatever happened.
pub fn foldable(pattern: &str) -> Option<String> {
    let mut scan = Scan::default();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let len = match c {
            '\\' => scan.escape(rest),
            '[' => scan.class(rest),
            '{' => scan.copy(rest, through(rest, '}')),
            '(' => scan.open(rest),
            ')' | '|' | '.' | '*' | '+' | '?' | '$' | '^' => scan.mark(c),
            _ => {
                scan.literal.push(c);
                scan.source.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[len..];
    }
    scan.flush();
    scan.is_folded.then(|| joined(&scan.out))
}

/// Bytes up to and with the first `end`, or all.
fn through(text: &str, end: char) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len_utf8())
}

/// Several numbers in a row fold to one, and so does a quantified one.
fn joined(out: &str) -> String {
    let mut text = out.to_owned();
    for part in ["#+", "#*", "#?", "##", "#\\.#", "#.#", "#:#", "#,#"] {
        while text.contains(part) {
            text = text.replace(part, "#");
        }
    }
    text
}

#[derive(Default)]
struct Scan {
    out: String,
    /// Literal text not yet written, plain and as the pattern spells it.
    literal: String,
    source: String,
    /// Literal text directly before, and before each open group.
    before: String,
    groups: Vec<String>,
    is_folded: bool,
}

impl Scan {
    /// Writes the literal text, folded as a message with it would be.
    fn flush(&mut self) {
        // Without `^` a number is not the first of its message, where it could be a status.
        let before = match self.before.as_str() {
            "^" => "",
            before => &format!("x {before}"),
        };
        let whole = format!("{before}{}", self.literal);
        let folded = numbers(&whole);
        let is_kept = folded == whole || self.literal.is_empty();
        if is_kept {
            self.out.push_str(&self.source);
        } else {
            self.is_folded = true;
            let folded = numbers(&self.literal);
            let folded = if folded == self.literal.as_str() {
                self.literal.replace(|c: char| c.is_ascii_digit(), "#")
            } else {
                folded.into_owned()
            };
            self.out.push_str(&escaped(&folded));
        }
        if !self.literal.is_empty() {
            if self.before == "^" {
                self.before.clear();
            }
            self.before.push_str(&self.literal);
        }
        self.literal.clear();
        self.source.clear();
    }

    fn copy(&mut self, rest: &str, len: usize) -> usize {
        self.flush();
        let digit_before = self.out.ends_with('#');
        if !(digit_before && rest.starts_with('{')) {
            self.out.push_str(&rest[..len]);
        }
        self.before.clear();
        len
    }

    fn digit(&mut self, len: usize) -> usize {
        self.flush();
        self.is_folded = true;
        self.out.push('#');
        self.before.clear();
        len
    }

    fn escape(&mut self, rest: &str) -> usize {
        let Some(c) = rest[1..].chars().next() else {
            return self.copy(rest, 1);
        };
        let len = 1 + c.len_utf8();
        match c {
            'd' => self.digit(len),
            'x' | 'u' | 'U' | 'p' | 'P' if rest[len..].starts_with('{') => {
                self.copy(rest, through(rest, '}'))
            }
            c if c.is_ascii_alphanumeric() => self.copy(rest, len),
            c => {
                self.literal.push(c);
                self.source.push_str(&rest[..len]);
                len
            }
        }
    }

    fn class(&mut self, rest: &str) -> usize {
        let mut escaped = false;
        let mut end = rest.len();
        for (at, c) in rest.char_indices().skip(2) {
            if c == ']' && !escaped {
                end = at + 1;
                break;
            }
            escaped = c == '\\' && !escaped;
        }
        let class = &rest[..end];
        let negated = class.starts_with("[^");
        let has_digits = class.contains(|c: char| c.is_ascii_digit()) || class.contains("\\d");
        if has_digits && !negated && !class.contains('#') {
            self.digit(end)
        } else {
            self.copy(rest, end)
        }
    }

    fn open(&mut self, rest: &str) -> usize {
        self.flush();
        self.groups.push(self.before.clone());
        if !rest.starts_with("(?") {
            self.out.push('(');
            return 1;
        }
        let len = rest.find([':', '>', ')']).map_or(rest.len(), |at| at + 1);
        if rest[..len].ends_with(')') {
            self.groups.pop();
        }
        self.out.push_str(&rest[..len]);
        len
    }

    fn mark(&mut self, mark: char) -> usize {
        self.flush();
        self.before = match mark {
            '^' => "^".to_owned(),
            '|' => self.groups.last().cloned().unwrap_or_default(),
            _ => String::new(),
        };
        if mark == ')' {
            self.groups.pop();
        }
        self.out.push(mark);
        1
    }
}

/// As literal text of a pattern; `#` needs no escape.
fn escaped(text: &str) -> String {
    regex::escape(text).replace("\\#", "#").replace("\\-", "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_folding_takes_away_are_refused() {
        for (pattern, instead) in [
            ("timeout after 5001", "timeout after #"),
            (r"timeout after \d+ms", "timeout after #ms"),
            ("order [0-9]{3,} gone", "order # gone"),
            ("took [0-9]+\\.[0-9]+s", "took #s"),
            (r"10\.0\.0\.7", "#"),
            ("(?i)order 7", "(?i)order #"),
            ("backend 503", "backend #"),
            ("503", "#"),
            ("[0-9a-f]{8} gone", "# gone"),
            ("ORD123456", "ORD#"),
        ] {
            assert_eq!(foldable(pattern).as_deref(), Some(instead), "{pattern}");
            assert_eq!(foldable(instead), None, "{instead}");
        }
    }

    #[test]
    fn what_folding_leaves_is_kept() {
        for pattern in [
            "timeout",
            "Conflict|Gone",
            "^503",
            "status 503",
            "status (429|503)",
            "404 Client Error",
            "arm_50",
            "arm_(10|50)",
            "a{2,3}b",
            "[^0-9]+",
            r"\p{L}+ \x{41}",
            "timeout after #",
            "[#0-9]+",
        ] {
            assert_eq!(foldable(pattern), None, "{pattern}");
        }
    }
}
