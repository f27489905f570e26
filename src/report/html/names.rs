//! Names and messages that others chose: shown as they are, never obeyed.

use minijinja::{Value, context};

use crate::visible;

/// From this many characters on a text is folded: its begin is shown, the rest opens on demand.
const LONG: usize = 160;
const HEAD: usize = 120;
const PASSAGE: usize = 700;

/// A text with all of its characters to be seen.
pub fn visible(text: &str) -> String {
    visible::text(text).into_owned()
}

/// A text for the template's `words.text`.
pub fn text(text: &str) -> Value {
    folded(text, LONG)
}

fn folded(text: &str, longest: usize) -> Value {
    let full = visible(text);
    let long = full.chars().count() > longest;
    let head: String = if long {
        full.chars().take(HEAD).collect()
    } else {
        String::new()
    };
    context! { full, long, head }
}

/// A sentence of ours that may quote what others chose: folded only when it is far too long.
pub fn sentence(words: &str) -> Value {
    folded(words, PASSAGE)
}

/// The begin of a text where there is no room for all of it and the whole stands elsewhere.
pub fn brief(text: &str) -> String {
    let full = visible(text);
    if full.chars().count() <= LONG {
        return full;
    }
    full.chars()
        .take(HEAD)
        .chain(std::iter::once('…'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_told() {
        assert_eq!(
            visible("a\nb\u{202e}c\u{1b}[31m"),
            "a⟨000A⟩b⟨202E⟩c⟨001B⟩[31m"
        );
        assert_eq!(visible("Zürich שלום"), "Zürich שלום");
    }

    #[test]
    fn long_texts_are_folded() {
        let long = "x".repeat(10_000);
        assert_eq!(brief(&long).chars().count(), HEAD + 1);
        let value = text(&long);
        let full = value.get_attr("full").expect("there").to_string();
        assert_eq!(full.len(), 10_000);
        assert!(value.get_attr("long").expect("there").is_true());
    }
}
