//! Bytes to text.

use encoding_rs::{EUC_KR, Encoding, GBK, WINDOWS_1252};

/// Decodes a file: UTF-8, UTF-16 by its mark, else CP949, GBK or Windows-1252; the note names a guessed encoding.
pub fn decode(file: &str, bytes: &[u8]) -> (String, Option<String>) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return (text.into_owned(), None);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), None);
    }
    if hangul(bytes)
        && let Some(text) = EUC_KR.decode_without_bom_handling_and_without_replacement(bytes)
    {
        return (
            text.into_owned(),
            Some(format!("{file} is not UTF-8; it was read as CP949")),
        );
    }
    let gbk = GBK.decode_without_bom_handling_and_without_replacement(bytes);
    let (text, name) = match gbk {
        Some(text)
            if paired(bytes) && text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) =>
        {
            (text, "GBK")
        }
        _ => (
            WINDOWS_1252.decode_without_bom_handling(bytes).0,
            "Windows-1252",
        ),
    };
    (
        text.into_owned(),
        Some(format!("{file} is not UTF-8; it was read as {name}")),
    )
}

/// Whether at least eight pairs of bytes above 0x7f all begin as Hangul does; Chinese text goes beyond that range.
fn hangul(bytes: &[u8]) -> bool {
    let runs = || bytes.split(u8::is_ascii).filter(|run| !run.is_empty());
    let pairs: usize = runs().map(|run| run.len() / 2).sum();
    pairs >= 8
        && runs().all(|run| {
            run.chunks(2)
                .all(|pair| pair.len() == 2 && (0xb0..=0xc8).contains(&pair[0]))
        })
}

/// Whether most runs of bytes above 0x7f are of even length, as in Chinese text, unlike single accented letters.
fn paired(bytes: &[u8]) -> bool {
    let runs = bytes
        .split(u8::is_ascii)
        .map(<[u8]>::len)
        .filter(|len| *len > 0);
    let (even, odd) = runs.fold((0, 0), |(even, odd), len| {
        if len % 2 == 0 {
            (even + 1, odd)
        } else {
            (even, odd + 1)
        }
    });
    even > odd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(decode("f", b"\xef\xbb\xbfa").0, "a");
        assert_eq!(decode("f", b"\xff\xfea\0").0, "a");
        let (text, note) = decode("f", b"n\x92a pu");
        assert_eq!(text, "n’a pu");
        assert!(note.is_some_and(|n| n.contains("Windows-1252")));
        assert_eq!(decode("f", b"\xd6\xd0\xce\xc4").0, "中文");
    }
}
