//! How a shape is learnt: which values a line has, what they mean, and the fixed text between them.

use crate::limits;

use super::{Literal, Part, Roles, boolean, plain_text, take_text, values};

/// Keys of a line that has a shape: those of a line with the most fields that is read, and a few more.
const MOST_KEYS: usize = limits::FIELDS + 100;

/// Walks a valid line and notes where its values are.
pub struct Learner<'l> {
    line: &'l [u8],
    at: usize,
    /// Where the fixed text behind the last value begins.
    pub fixed: usize,
    paths: Vec<String>,
    /// Fixed texts, each before one of the values.
    pub literals: Vec<Literal>,
    /// What the values mean.
    pub parts: Vec<Part>,
    /// Names of the measured fields among them.
    pub fields: Vec<String>,
    roles: &'l Roles,
}

impl<'l> Learner<'l> {
    /// At the begin of a line whose keys play these roles.
    pub fn of(line: &'l [u8], roles: &'l Roles) -> Self {
        Self {
            line,
            at: 0,
            fixed: 0,
            paths: Vec::new(),
            literals: Vec::new(),
            parts: Vec::new(),
            fields: Vec::new(),
            roles,
        }
    }

    fn space(&mut self) {
        while self.line.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.space();
        (*self.line.get(self.at)? == byte).then(|| self.at += 1)
    }

    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.line.get(self.at).copied()
    }

    /// Walks an object whose keys begin so; `None` where too much is unusual.
    pub fn object(&mut self, prefix: &str) -> Option<()> {
        if prefix.len() > limits::KEY {
            return None;
        }
        self.take(b'{')?;
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            self.take(b'"')?;
            let mut rest = &self.line[self.at..];
            let key = std::str::from_utf8(plain_text(&mut rest)?).ok()?;
            let path = format!("{prefix}{key}");
            // Every path is compared with all before it.
            if self.paths.len() > MOST_KEYS || path.len() > limits::KEY {
                return None;
            }
            self.at = self.line.len() - rest.len();
            self.take(b':')?;
            if self.peek()? == b'{' {
                if self.paths.contains(&path) || self.parts_played(&path) > 0 {
                    return None;
                }
                self.object(&format!("{path}."))?;
                self.paths.push(path);
            } else {
                self.value(path)?;
            }
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => return self.take(b'}'),
                _ => return None,
            }
        }
    }

    fn value(&mut self, path: String) -> Option<()> {
        // Of two values with one path the last counts: not for a shape.
        if self.paths.contains(&path) || self.parts_played(&path) > 1 {
            return None;
        }
        let start = self.at;
        let mut rest = &self.line[start..];
        let part = match rest.first()? {
            b'n' => {
                // Null is part of the fixed text: where it is something else, other keys may count.
                self.at += b"null".len();
                self.paths.push(path);
                return Some(());
            }
            b'"' => {
                rest = &rest[1..];
                take_text(&mut rest)?;
                self.text_part(&path)
            }
            b't' | b'f' => {
                boolean(&mut rest)?;
                self.bool_part(&path)
            }
            _ => {
                values::take_number(&mut rest)?;
                self.number_part(&path)
            }
        }?;
        let quote = usize::from(self.line[start] == b'"');
        let literal = Literal::new(&self.line[self.fixed..start + quote]);
        self.literals.push(literal);
        self.parts.push(part);
        self.at = self.line.len() - rest.len();
        self.fixed = self.at;
        self.paths.push(path);
        Some(())
    }

    fn text_part(&self, path: &str) -> Option<Part> {
        let is = |role: &Option<String>| role.as_deref() == Some(path);
        let roles = self.roles;
        Some(match () {
            () if is(&roles.start) => Part::Start,
            () if is(&roles.method) => Part::Method,
            () if is(&roles.name) => Part::Name,
            () if roles.error().is_some_and(|key| key == path) => Part::Error,
            () if self.parts_played(path) > 0 => return None,
            () => Part::SkipText,
        })
    }

    fn bool_part(&self, path: &str) -> Option<Part> {
        if self.roles.success.as_deref() == Some(path) {
            return Some(Part::Success);
        }
        (self.parts_played(path) == 0).then_some(Part::SkipBool)
    }

    fn number_part(&mut self, path: &str) -> Option<Part> {
        let is = |role: &Option<String>| role.as_deref() == Some(path);
        let roles = self.roles;
        if let Some((key, unit)) = &roles.time
            && key == path
        {
            return Some(Part::Time(unit.factor()));
        }
        if let Some((_, name)) = roles.fields.iter().find(|(key, _)| key == path) {
            self.fields.push(name.clone());
            return Some(Part::Field);
        }
        Some(match () {
            () if is(&roles.start) => Part::StartNumber,
            () if is(&roles.status) => Part::Status,
            () if is(&roles.users) => Part::Users,
            () if is(&roles.response_length) => Part::Length,
            () if self.parts_played(path) > 0 => return None,
            () => Part::SkipNumber,
        })
    }

    /// How many parts a key plays; with a map of the user's it can be two, which is not for a shape.
    fn parts_played(&self, path: &str) -> usize {
        let r = self.roles;
        let single = [
            &r.start,
            &r.method,
            &r.name,
            &r.status,
            &r.success,
            &r.users,
            &r.response_length,
        ];
        let errors = r.error().filter(|key| *key == path).into_iter().count();
        let single = single
            .into_iter()
            .filter(|role| role.as_deref() == Some(path));
        let time = r.time.iter().filter(|(key, _)| key == path);
        let fields = r.fields.iter().filter(|(key, _)| key == path);
        errors + single.count() + time.count() + fields.count()
    }
}
