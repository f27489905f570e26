//! Which endpoints a gate judges.

use regex::Regex;

use crate::tally::Endpoint;

/// One or more patterns; an endpoint is selected when any matches.
#[derive(Clone, Debug)]
pub struct Selector {
    /// As written, joined by `, `.
    pub text: String,
    patterns: Vec<Regex>,
    /// Each pattern as written.
    written: Vec<String>,
}

impl Selector {
    /// Compiles patterns: a glob (`*`, `?`) on the name or on `METHOD name`, or `/regex/` searched in both. The
    /// error names the pattern (by index) and what is wrong with it.
    pub fn new(patterns: &[&str]) -> Result<Self, (usize, String)> {
        let compiled = patterns
            .iter()
            .enumerate()
            .map(|(i, p)| compile(p).map_err(|e| (i, e)));
        Ok(Self {
            text: patterns.join(", "),
            written: patterns.iter().map(|p| (*p).to_owned()).collect(),
            patterns: compiled.collect::<Result<_, _>>()?,
        })
    }

    /// Those of several patterns that match none of the endpoints, as written: a slip of the pen, perhaps.
    pub fn idle<'a>(&self, endpoints: impl Iterator<Item = &'a Endpoint> + Clone) -> Vec<&str> {
        let each = self.patterns.iter().zip(&self.written);
        let idle = each.filter(|(pattern, _)| !endpoints.clone().any(|e| matches(pattern, e)));
        idle.map(|(_, written)| written.as_str()).collect()
    }

    /// Whether the endpoint is selected.
    pub fn matches(&self, endpoint: &Endpoint) -> bool {
        self.patterns.iter().any(|p| matches(p, endpoint))
    }
}

fn matches(pattern: &Regex, endpoint: &Endpoint) -> bool {
    pattern.is_match(&endpoint.name) || pattern.is_match(&endpoint.to_string())
}

fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.is_empty() {
        return Err("an empty pattern matches nothing".to_owned());
    }
    if let Some(inner) = pattern
        .strip_prefix('/')
        .and_then(|p| p.strip_suffix('/'))
        .filter(|p| is_regex(p))
    {
        return Regex::new(inner).map_err(|e| {
            e.to_string()
                .lines()
                .last()
                .unwrap_or("not a regex")
                .to_owned()
        });
    }
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
/// expression.
pub fn exactly(name: &str) -> String {
    let is_glob = name.contains(['*', '?']);
    if is_glob || (name.starts_with('/') && name.ends_with('/')) {
        format!("/^{}$/", regex::escape(name))
    } else {
        name.to_owned()
    }
}

/// `/users/` may be a path: between two slashes it is a regex.
fn is_regex(inner: &str) -> bool {
    !inner.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(pattern: &str, method: &str, name: &str) -> bool {
        let endpoint = Endpoint {
            name: name.into(),
            method: method.into(),
        };
        Selector::new(&[pattern]).expect("valid").matches(&endpoint)
    }

    #[test]
    fn a_name_selects_itself_alone() {
        for name in ["/a", "/users/", "/a?b=*", "[id]", "a\nb", "/^x$/"] {
            assert!(selects(&exactly(name), "GET", name), "{name}");
            assert!(
                !selects(&exactly(name), "GET", &format!("{name}x")),
                "{name}"
            );
        }
        assert!(!selects(&exactly("/a?b"), "GET", "/axb"));
    }

    #[test]
    fn globs_match_the_name_or_method_and_name() {
        assert!(selects("FINALIZAR*", "POST", "FINALIZAR ARM 10"));
        assert!(selects("POST *", "POST", "FINALIZAR"));
        assert!(selects("/a.b", "GET", "/a.b"));
        assert!(!selects("/a.b", "GET", "/axb"));
        assert!(!selects("FINALIZAR", "POST", "FINALIZAR ARM"));
        assert!(selects("/^POST .*ARM/", "POST", "FINALIZAR ARM"));
        assert!(Selector::new(&["ok", "/(/"]).is_err_and(|(i, _)| i == 1));
        let there = [Endpoint {
            name: "a".into(),
            method: "GET".into(),
        }];
        let selector = Selector::new(&["a", "TYPO*"]).expect("valid");
        assert_eq!(selector.idle(there.iter()), ["TYPO*"]);
    }
}
