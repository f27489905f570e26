//! As much JavaScript as it takes to find an object literal: strings, comments, brackets. What is computed stays the text it
//! is; nothing is run.

/// A literal, or the text of what is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `{ … }`: each key with its value.
    Object(Vec<(String, Node)>),
    /// `[ … ]`.
    Array(Vec<Node>),
    /// A string.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// An expression: only running the script would tell.
    Other,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// From 1.
    pub line: usize,
    /// As written.
    pub source: String,
    /// What it is.
    pub literal: Literal,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Word,
    Text(String),
    /// A template with `${…}` in it, or a number.
    Opaque,
    Sign(char),
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

/// Every value with a name that is chosen, `name: VALUE` or `name = VALUE`, in the order of the script. Where the value is only
/// a name, what that name stands for is looked up once.
pub fn values_of(script: &str, is_chosen: &dyn Fn(&str) -> bool) -> Vec<Node> {
    let tokens = tokens(script);
    let mut found = Vec::new();
    let mut at = 0;
    while at + 2 < tokens.len() {
        if is_named(script, &tokens, at, is_chosen, &[':', '=']) {
            let (mut node, next) = Parser {
                script,
                tokens: &tokens,
            }
            .value(at + 2);
            if node.literal == Literal::Other {
                let word = node.source.clone();
                let definition = (0..tokens.len().saturating_sub(2)).find(|i| {
                    !is_chosen(&word) && is_named(script, &tokens, *i, &|name| name == word, &['='])
                });
                if let Some(i) = definition {
                    node = Parser {
                        script,
                        tokens: &tokens,
                    }
                    .value(i + 2)
                    .0;
                }
            }
            found.push(node);
            at = next.max(at + 2);
        } else {
            at += 1;
        }
    }
    found
}

fn is_named(
    script: &str,
    tokens: &[Token],
    at: usize,
    is_chosen: &dyn Fn(&str) -> bool,
    signs: &[char],
) -> bool {
    let token = &tokens[at];
    let is_name = match &token.kind {
        Kind::Word => is_chosen(&script[token.start..token.end]),
        Kind::Text(text) => is_chosen(text),
        Kind::Opaque | Kind::Sign(_) => false,
    };
    // `a.thresholds = …` and `==` are something else.
    let is_member = at > 0 && tokens[at - 1].kind == Kind::Sign('.');
    let assigns = matches!(tokens[at + 1].kind, Kind::Sign(c) if signs.contains(&c));
    is_name && assigns && !is_member && tokens[at + 2].kind != Kind::Sign('=')
}

struct Parser<'s> {
    script: &'s str,
    tokens: &'s [Token],
}

impl Parser<'_> {
    /// The value that begins at a token, and the token after it.
    fn value(&self, at: usize) -> (Node, usize) {
        let Some(first) = self.tokens.get(at) else {
            return (self.node(at, at, Literal::Other), at);
        };
        let (literal, next) = match &first.kind {
            Kind::Sign('{') => self.object(at + 1),
            Kind::Sign('[') => self.array(at + 1),
            Kind::Text(text) => (Literal::Text(text.clone()), at + 1),
            Kind::Word => match &self.script[first.start..first.end] {
                "true" => (Literal::Bool(true), at + 1),
                "false" => (Literal::Bool(false), at + 1),
                _ => (Literal::Other, at + 1),
            },
            Kind::Opaque | Kind::Sign(_) => (Literal::Other, at),
        };
        let end = self.end_of_expression(next);
        // Something follows, as in `'p(95)<' + LIMIT`: the whole is an expression. TypeScript's types are none.
        let literal = if end == next || self.is_type(next) {
            literal
        } else {
            Literal::Other
        };
        (self.node(at, end, literal), end)
    }

    fn is_type(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        token.kind == Kind::Word
            && ["as", "satisfies"].contains(&&self.script[token.start..token.end])
    }

    /// The next comma, semicolon or closing bracket of this level; a new statement ends it, too.
    fn end_of_expression(&self, from: usize) -> usize {
        let mut depth = 0_usize;
        for (i, token) in self.tokens.iter().enumerate().skip(from) {
            match token.kind {
                Kind::Sign('{' | '[' | '(') => depth += 1,
                Kind::Sign('}' | ']' | ')' | ',' | ';') if depth == 0 => return i,
                Kind::Sign('}' | ']' | ')') => depth -= 1,
                Kind::Word if depth == 0 && i == from && self.is_on_new_line(i) => return i,
                _ => {}
            }
        }
        self.tokens.len()
    }

    fn is_on_new_line(&self, at: usize) -> bool {
        at > 0 && self.script[self.tokens[at - 1].end..self.tokens[at].start].contains('\n')
    }

    fn object(&self, mut at: usize) -> (Literal, usize) {
        let mut members = Vec::new();
        loop {
            match self.tokens.get(at).map(|t| &t.kind) {
                None => return (Literal::Other, at),
                Some(Kind::Sign('}')) => return (Literal::Object(members), at + 1),
                Some(Kind::Sign(',')) => at += 1,
                Some(kind) => {
                    let token = &self.tokens[at];
                    let key = match kind {
                        Kind::Text(text) => text.clone(),
                        Kind::Word | Kind::Opaque | Kind::Sign(_) => {
                            self.script[token.start..token.end].to_owned()
                        }
                    };
                    let has_value =
                        self.tokens.get(at + 1).map(|t| &t.kind) == Some(&Kind::Sign(':'));
                    let (node, next) = if has_value {
                        self.value(at + 2)
                    } else {
                        // `...spread`, `[computed]: …`, a shorthand.
                        let end = self.end_of_expression(at);
                        (self.node(at, end, Literal::Other), end)
                    };
                    members.push((key, node));
                    at = next.max(at + 1);
                }
            }
        }
    }

    fn array(&self, mut at: usize) -> (Literal, usize) {
        let mut items = Vec::new();
        loop {
            match self.tokens.get(at).map(|t| &t.kind) {
                None => return (Literal::Other, at),
                Some(Kind::Sign(']')) => return (Literal::Array(items), at + 1),
                Some(Kind::Sign(',')) => at += 1,
                Some(_) => {
                    let (node, next) = self.value(at);
                    items.push(node);
                    at = next.max(at + 1);
                }
            }
        }
    }

    fn node(&self, from: usize, to: usize, literal: Literal) -> Node {
        let start = self.tokens.get(from).map_or(self.script.len(), |t| t.start);
        let end = if to > from {
            self.tokens[to - 1].end
        } else {
            start
        };
        Node {
            line: self.script[..start].matches('\n').count() + 1,
            source: self.script[start..end].to_owned(),
            literal,
        }
    }
}

fn tokens(script: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = script[at..].chars().next() {
        let rest = &script[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            continue;
        }
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (kind, len) = match c {
            '"' | '\'' | '`' => string(rest, c),
            c if is_part_of_word(c) => {
                let len = rest.find(|c| !is_part_of_word(c)).unwrap_or(rest.len());
                let kind = if c.is_ascii_digit() {
                    Kind::Opaque
                } else {
                    Kind::Word
                };
                (kind, len)
            }
            c => (Kind::Sign(c), c.len_utf8()),
        };
        tokens.push(Token {
            kind,
            start: at,
            end: at + len,
        });
        at += len;
    }
    tokens
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// A string and its length in the script, quotes included.
fn string(rest: &str, quote: char) -> (Kind, usize) {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    let mut is_computed = false;
    while let Some((i, c)) = chars.next() {
        match c {
            c if c == quote => {
                let kind = if is_computed {
                    Kind::Opaque
                } else {
                    Kind::Text(text)
                };
                return (kind, i + 1);
            }
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, '\n')) | None => {}
                Some((_, escaped)) => text.push(escaped),
            },
            '$' if quote == '`' && rest[i + 1..].starts_with('{') => is_computed = true,
            c => text.push(c),
        }
    }
    (Kind::Opaque, rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(script: &str) -> Node {
        let mut all = values_of(script, &|name| name == "thresholds");
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn strings_and_comments_hide_names() {
        let script = "// thresholds: { no: 1 }\nlet a = 'thresholds: {}';\n/* thresholds: 1 */ const o = {\n  \"thresholds\": { a: ['x', `y`] },\n}";
        let node = only(script);
        assert_eq!(node.line, 4);
        let Literal::Object(members) = node.literal else {
            panic!("no object")
        };
        assert_eq!(members[0].0, "a");
        let Literal::Array(items) = &members[0].1.literal else {
            panic!("no array")
        };
        assert_eq!(items[1].literal, Literal::Text("y".to_owned()));
    }

    #[test]
    fn what_is_computed_is_no_literal() {
        let script = "x = { thresholds: { a: ['p(95)<' + LIMIT, `p(99)<${n}`, f('x')], ...more, [k]: ['q'], b: ['ok'] } }";
        let Literal::Object(members) = only(script).literal else {
            panic!("no object")
        };
        let keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys.last(), Some(&"b"));
        let Literal::Array(items) = &members[0].1.literal else {
            panic!("no array")
        };
        assert!(
            items.iter().all(|item| item.literal == Literal::Other),
            "{items:?}"
        );
        assert_eq!(items[0].source, "'p(95)<' + LIMIT");
        assert_eq!(members[1].1.literal, Literal::Other);
    }

    #[test]
    fn types_do_not_matter() {
        let node =
            only("export const o = { thresholds: { a: ['x'] } as const } satisfies Options;");
        assert!(matches!(node.literal, Literal::Object(_)), "{node:?}");
    }

    #[test]
    fn a_name_is_looked_up() {
        let script = "const LIMITS = { a: ['x'] }\nexport const options = { thresholds: LIMITS };";
        assert!(matches!(only(script).literal, Literal::Object(_)));
        assert_eq!(only("o = { thresholds: LIMITS }").literal, Literal::Other);
    }

    #[test]
    fn an_unfinished_script_ends() {
        for script in [
            "thresholds: {",
            "thresholds: { a: [",
            "thresholds: { a: 'x",
            "thresholds: `",
            "thresholds:",
            "thresholds: {,,",
        ] {
            let _ = values_of(script, &|name| name == "thresholds");
        }
    }
}
