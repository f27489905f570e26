//! Where in a JSON text a value stands, so that what is wrong with it can be shown there.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Line and column, from 1, of the value that keys (or positions in arrays) lead to; of the last one on the way that is
/// there. The end is a line feed, a column counts characters.
pub fn place(text: &str, at: &[String]) -> (u64, u64) {
    let mut here = text.trim_start();
    for key in at {
        let Some(next) = child(here, key) else {
            break;
        };
        here = next;
    }
    let before = &text[..here.as_ptr() as usize - text.as_ptr() as usize];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let lines = before.bytes().filter(|b| *b == b'\n').count();
    (lines as u64 + 1, line.chars().count() as u64 + 1)
}

/// The text of a member of an object or an array, which is a part of the whole text.
fn child<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    if text.starts_with('[') {
        let all: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        let at: usize = key.parse().ok()?;
        return all.get(at).map(|value| value.get());
    }
    let all: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    all.get(key).map(|value| value.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_where_it_stands() {
        let text = "\n{\"a\": 1,\n \"b\": [{\"é\": 2, \"c\": 3}, 4]}";
        let of = |at: &[&str]| {
            place(
                text,
                &at.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(of(&[]), (2, 1));
        assert_eq!(of(&["a"]), (2, 7));
        assert_eq!(of(&["b", "0", "c"]), (3, 22));
        assert_eq!(of(&["b", "1"]), (3, 26));
        // What is not there is shown where it should be.
        assert_eq!(of(&["b", "0", "d"]), (3, 8));
        assert_eq!(of(&["b", "7"]), (3, 7));
    }
}
