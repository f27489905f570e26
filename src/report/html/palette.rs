//! The page's colours can be read: contrast as WCAG 2.2 defines it, in the light and in the dark.

use std::collections::BTreeMap;

use super::STYLE;

/// Colours of text: at least 4.5 to 1 on paper (1.4.3).
const TEXT: [&str; 7] = ["ink", "quiet", "accent", "bad", "pass", "fail", "undecided"];
/// Colours of marks in charts: at least 3 to 1 (1.4.11).
const MARKS: [&str; 7] = ["soft", "calm", "warm", "green", "sky", "plum", "base"];

/// The colours that follow a `:root{`, by name.
fn colours(block: &str) -> BTreeMap<&str, [f64; 3]> {
    let declared = block.split('}').next().unwrap_or_default().split(';');
    declared
        .filter_map(|declaration| {
            let (name, value) = declaration.trim().split_once(':')?;
            Some((name.strip_prefix("--")?, rgb(value.strip_prefix('#')?)?))
        })
        .collect()
}

fn rgb(digits: &str) -> Option<[f64; 3]> {
    let full: String = match digits.len() {
        3 => digits.chars().flat_map(|c| [c, c]).collect(),
        _ => digits.to_owned(),
    };
    let part = |i: usize| {
        let level = u8::from_str_radix(full.get(i..i + 2)?, 16).ok()?;
        Some(f64::from(level) / 255.0)
    };
    Some([part(0)?, part(2)?, part(4)?])
}

fn luminance(rgb: [f64; 3]) -> f64 {
    let [r, g, b] = rgb.map(|c| {
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn contrast_is_that_of_the_standard() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    let grey = rgb("767676").expect("a colour");
    assert!((contrast(grey, [1.0; 3]) - 4.54).abs() < 0.01);
}

#[test]
fn every_colour_can_be_told_from_the_paper() {
    let blocks: Vec<_> = STYLE.split(":root{").skip(1).map(colours).collect();
    assert_eq!(blocks.len(), 3, "light, dark and print");
    for (block, look) in blocks.iter().zip(["light", "dark", "print"]) {
        for (names, papers, least) in [
            (TEXT, &["paper", "wash-fail", "wash-undecided"][..], 4.5),
            (MARKS, &["paper"][..], 3.0),
        ] {
            for (name, paper) in names
                .iter()
                .flat_map(|name| papers.iter().map(move |p| (name, p)))
            {
                let found = contrast(block[name], block[paper]);
                assert!(found >= least, "{look}: {name} on {paper} is {found:.2}");
            }
        }
    }
}

#[test]
fn lines_that_meet_differ_in_lightness() {
    // p50, p95 and p99 of one chart have to be told apart in black and white.
    for block in STYLE.split(":root{").skip(1).map(colours) {
        for (a, b) in [("ink", "accent"), ("accent", "soft"), ("soft", "bad")] {
            assert!(contrast(block[a], block[b]) > 1.3, "{a} and {b}");
        }
    }
}
