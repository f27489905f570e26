//! Which endpoints a gate judges.
//!
//! A text can often be read in more than one way: `/api/v1/claims/` is a path of Django's and a regular expression,
//! `/search?q=*` is a name and a glob. The endpoints that are there decide: the exact name of one goes before a glob, a glob
//! that matches any before a regular expression.

use regex::Regex;

use crate::tally::Endpoint;

/// One or more patterns; an endpoint is selected when any matches.
#[derive(Clone, Debug)]
pub struct Selector {
    /// As written, joined by `, `.
    pub text: String,
    patterns: Vec<Pattern>,
}

/// One text with all that it may be besides a name.
#[derive(Clone, Debug)]
struct Pattern {
    written: String,
    glob: Option<Regex>,
    regex: Option<Regex>,
}

/// What a pattern is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The name of an endpoint, or its method and name.
    Name,
    /// `*` is any text, `?` any character; the whole name, or method and name, must match.
    Glob,
    /// A regular expression, searched in the name and in method and name.
    Regex,
}

/// A selector among the endpoints of a run: each pattern has one reading, or none.
#[derive(Clone, Debug)]
pub struct Selection<'s> {
    patterns: Vec<(&'s Pattern, Option<Reading>)>,
}

impl Selector {
    /// Compiles patterns: the exact name of an endpoint or its `METHOD name`, a glob (`*`, `?`) on either, or `/regex/`
    /// searched in both. The error names the pattern (by index) and what is wrong with it.
    pub fn new(patterns: &[&str]) -> Result<Self, (usize, String)> {
        let compiled = patterns
            .iter()
            .enumerate()
            .map(|(i, p)| Pattern::new(p).map_err(|e| (i, e)));
        Ok(Self {
            text: patterns.join(", "),
            patterns: compiled.collect::<Result<_, _>>()?,
        })
    }

    /// What each pattern means where these endpoints are.
    pub fn among<'e>(&self, endpoints: impl IntoIterator<Item = &'e Endpoint>) -> Selection<'_> {
        let endpoints: Vec<&Endpoint> = endpoints.into_iter().collect();
        let read = |pattern| (pattern, Pattern::reading(pattern, &endpoints));
        Selection {
            patterns: self.patterns.iter().map(read).collect(),
        }
    }

    /// Each pattern as written with what it may be, the first reading that some endpoint bears out being taken.
    pub fn readings(&self) -> impl Iterator<Item = (&str, Vec<Reading>)> {
        self.patterns.iter().map(|pattern| {
            let glob = pattern.glob.as_ref().map(|_| Reading::Glob);
            let regex = pattern.regex.as_ref().map(|_| Reading::Regex);
            let all = [Some(Reading::Name), glob, regex];
            (
                pattern.written.as_str(),
                all.into_iter().flatten().collect(),
            )
        })
    }
}

impl Selection<'_> {
    /// Whether the endpoint is selected.
    pub fn matches(&self, endpoint: &Endpoint) -> bool {
        let mut read = self.patterns.iter();
        read.any(|(pattern, reading)| reading.is_some_and(|r| pattern.matches(r, endpoint)))
    }

    /// What is to be said of patterns that are perhaps a slip of the pen: those of several that match no endpoint, and words
    /// between slashes that are no endpoint's name, but may have been meant as one.
    pub fn remarks(&self) -> Vec<String> {
        let idle = self
            .patterns
            .iter()
            .filter(|(_, reading)| reading.is_none());
        let idle: Vec<&str> = idle.map(|(pattern, _)| pattern.written.as_str()).collect();
        let mut remarks = Vec::new();
        if !idle.is_empty() {
            remarks.push(format!("`{}` matches no endpoint", idle.join("`, `")));
        }
        for (pattern, reading) in &self.patterns {
            let written = &pattern.written;
            if *reading == Some(Reading::Regex) && is_path(written.trim_matches('/')) {
                remarks.push(format!(
                    "no endpoint is called `{written}`, so it was read as a regular expression"
                ));
            }
        }
        remarks
    }

    /// Patterns between slashes that match nothing, and that are read as paths only.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let idle = self
            .patterns
            .iter()
            .filter(|(_, reading)| reading.is_none());
        let written = idle.map(|(pattern, _)| pattern.written.as_str());
        written.filter(|written| inside(written).is_some_and(is_deep_path))
    }
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, String> {
        if pattern.trim().is_empty() {
            return Err("an empty pattern matches nothing".to_owned());
        }
        let regex = inside(pattern).filter(|inner| !is_deep_path(inner));
        let regex =
            regex.map(|inner| Regex::new(inner).map_err(|error| not_a_regex(inner, &error)));
        Ok(Self {
            written: pattern.to_owned(),
            glob: pattern
                .contains(['*', '?'])
                .then(|| glob(pattern))
                .transpose()?,
            regex: regex.transpose()?,
        })
    }

    fn reading(&self, endpoints: &[&Endpoint]) -> Option<Reading> {
        let all = [Reading::Name, Reading::Glob, Reading::Regex];
        all.into_iter()
            .find(|reading| endpoints.iter().any(|e| self.matches(*reading, e)))
    }

    fn matches(&self, reading: Reading, endpoint: &Endpoint) -> bool {
        let regex = match reading {
            Reading::Name => {
                let written = self.written.as_str();
                return written == endpoint.name || endpoint.to_string() == written;
            }
            Reading::Glob => &self.glob,
            Reading::Regex => &self.regex,
        };
        let found = |text: &str| regex.as_ref().is_some_and(|regex| regex.is_match(text));
        found(&endpoint.name) || found(&endpoint.to_string())
    }
}

/// What is wrong with a regular expression, in one line.
pub(crate) fn not_a_regex(text: &str, error: &regex::Error) -> String {
    let why = error.to_string();
    let why = why.lines().last().unwrap_or_default();
    let why = why.strip_prefix("error: ").unwrap_or(why);
    format!("`{text}` is not a regular expression: {why}")
}

/// What stands between the slashes of `/regex/`.
fn inside(pattern: &str) -> Option<&str> {
    let inner = pattern.strip_prefix('/')?.strip_suffix('/')?;
    (!inner.is_empty()).then_some(inner)
}

/// Whether a text has no sign that means something in a regular expression, but for the points and braces of paths.
fn is_path(text: &str) -> bool {
    let is_plain = |c: char| {
        !matches!(
            c,
            '\\' | '^' | '$' | '|' | '?' | '*' | '+' | '(' | ')' | '[' | ']'
        )
    };
    // `{2}` repeats, `{id}` is a part of a path that has a name.
    let mut braces = text.split('{').skip(1);
    text.chars().all(is_plain) && !braces.any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// `api/v1/claims` between slashes is a path and nothing else: searched as a regular expression it would find the paths
/// below it, too.
fn is_deep_path(inner: &str) -> bool {
    inner.contains('/') && is_path(inner)
}

fn glob(pattern: &str) -> Result<Regex, String> {
    let mut regex = String::from(r"(?s)\A");
    for c in pattern.chars() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push_str(r"\z");
    Regex::new(&regex).map_err(|e| e.to_string())
}

/// A selector for this name and no other: where a glob or `/…/` would read it as a pattern, it is escaped in a regular
/// expression, so that it selects nothing else even where no endpoint is called so.
pub fn exactly(name: &str) -> String {
    let is_glob = name.contains(['*', '?']);
    if is_glob || inside(name).is_some_and(|inner| !is_deep_path(inner)) {
        format!("/^{}$/", regex::escape(name))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(method: &str, name: &str) -> Endpoint {
        Endpoint {
            name: name.into(),
            method: method.into(),
        }
    }

    /// Which of the names, all of `GET`, a pattern selects.
    fn selected<'n>(pattern: &str, names: &[&'n str]) -> Vec<&'n str> {
        let selector = Selector::new(&[pattern]).expect("valid");
        let all: Vec<Endpoint> = names.iter().map(|name| endpoint("GET", name)).collect();
        let selection = selector.among(&all);
        let each = names.iter().zip(&all);
        each.filter(|(_, e)| selection.matches(e))
            .map(|(name, _)| *name)
            .collect()
    }

    #[test]
    fn a_name_selects_itself_alone() {
        for name in ["/a", "/users/", "/a?b=*", "[id]", "a\nb", "/^x$/", "/a/b/"] {
            let longer = format!("{name}x");
            for pattern in [exactly(name), exactly(&format!("GET {name}"))] {
                assert_eq!(selected(&pattern, &[name, &longer]), [name], "{pattern}");
                assert!(selected(&pattern, &[&longer]).is_empty(), "{pattern}");
            }
        }
        assert!(selected(&exactly("/a?b"), &["/axb"]).is_empty());
    }

    #[test]
    fn the_exact_name_goes_before_any_pattern() {
        let django = ["/api/v1/claims/", "/api/v1/claims/7/", "/x/api/v1/claims"];
        assert_eq!(selected("/api/v1/claims/", &django), ["/api/v1/claims/"]);
        assert_eq!(
            selected("GET /api/v1/claims/", &django),
            ["/api/v1/claims/"]
        );
        assert_eq!(
            selected("GET /users/", &["/users/", "/users/7", "GET /users/"]),
            ["/users/", "GET /users/"]
        );
        assert_eq!(selected("/a?b", &["/a?b", "/axb"]), ["/a?b"]);
        assert_eq!(selected("/list*", &["/list*", "/list/1"]), ["/list*"]);
        assert_eq!(selected("/.*/", &["/.*/", "/a"]), ["/.*/"]);
        assert_eq!(
            selected("/items/[id]/", &["/items/[id]/", "/items/i/"]),
            ["/items/[id]/"]
        );
        assert_eq!(
            selected("/items/{id}/", &["/items/{id}/", "/items/1/"]),
            ["/items/{id}/"]
        );
        assert_eq!(selected("/a|b/", &["/a|b/", "/a", "/b"]), ["/a|b/"]);
    }

    #[test]
    fn a_glob_goes_before_a_regular_expression() {
        assert_eq!(
            selected("/users/*/", &["/users/7/", "/users", "/old/users"]),
            ["/users/7/"]
        );
        // As a glob it matches nothing here.
        assert_eq!(selected("/^/use.*/", &["/users", "/old/users"]), ["/users"]);
    }

    #[test]
    fn a_path_that_nobody_asked_for_selects_nothing() {
        let below = ["/api/v1/claims/7/", "GET /api/v1/claims/export"];
        for path in [
            "/api/v1/claims/",
            "/api/v1.0/claims/",
            "/users/{id}/",
            "/users/<int:pk>/",
        ] {
            assert!(selected(path, &below).is_empty(), "{path}");
            let selector = Selector::new(&[path]).expect("valid");
            let all: Vec<Endpoint> = below.iter().map(|name| endpoint("GET", name)).collect();
            assert_eq!(selector.among(&all).paths().collect::<Vec<_>>(), [path]);
        }
        // One word between slashes may be either: it is searched, and that is said.
        let selector = Selector::new(&["/claims/"]).expect("valid");
        let all = [endpoint("GET", "/claims/7")];
        let selection = selector.among(&all);
        assert!(selection.matches(&all[0]));
        assert_eq!(
            selection.remarks(),
            ["no endpoint is called `/claims/`, so it was read as a regular expression"]
        );
    }

    #[test]
    fn globs_match_the_name_or_method_and_name() {
        let selects = |pattern: &str, method: &str, name: &str| {
            let endpoint = endpoint(method, name);
            let selector = Selector::new(&[pattern]).expect("valid");
            selector
                .among(std::iter::once(&endpoint))
                .matches(&endpoint)
        };
        assert!(selects("FINALIZAR*", "POST", "FINALIZAR ARM 10"));
        assert!(selects("POST *", "POST", "FINALIZAR"));
        assert!(selects("/a.b", "GET", "/a.b"));
        assert!(!selects("/a.b", "GET", "/axb"));
        assert!(!selects("FINALIZAR", "POST", "FINALIZAR ARM"));
        assert!(selects("/^POST .*ARM/", "POST", "FINALIZAR ARM"));
        assert!(selects("a", "", "a"));
        assert!(Selector::new(&["ok", "/(/"]).is_err_and(|(i, _)| i == 1));
        assert!(Selector::new(&[" "]).is_err());
    }

    #[test]
    fn what_matches_nothing_is_told() {
        let there = endpoint("GET", "a");
        let selector = Selector::new(&["a", "TYPO*"]).expect("valid");
        let selection = selector.among(std::iter::once(&there));
        assert_eq!(selection.remarks(), ["`TYPO*` matches no endpoint"]);
    }

    #[test]
    fn readings_are_in_the_order_in_which_they_are_tried() {
        use Reading::{Glob, Name, Regex};
        let selector = Selector::new(&["/a", "/a*", "/a.*/", "/a/b/"]).expect("valid");
        let readings: Vec<_> = selector.readings().map(|(_, all)| all).collect();
        assert_eq!(
            readings,
            [
                vec![Name],
                vec![Name, Glob],
                vec![Name, Glob, Regex],
                vec![Name]
            ]
        );
    }
}
