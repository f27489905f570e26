//! What can be done to files as bytes and lines, whatever they hold.

use std::io::Write as _;

use super::super::random::Random;
use super::super::subject::{File, Kind};
use super::{
    Mutation, Operator, anything, harmful, harmless, jsons, lined, logs, nothing, runs, sets,
    tables,
};

/// All of them.
pub fn all() -> Vec<Operator> {
    vec![
        harmful("cut-at-byte", anything, cut_at_byte),
        harmful("cut-at-line", anything, cut_at_line),
        harmful("flip-byte", anything, |m| flip(m, 1)),
        harmful("flip-ten-bytes", anything, |m| flip(m, 10)),
        harmful("insert-garbage-line", anything, insert_garbage),
        harmful("insert-nul-block", anything, insert_nuls),
        harmful("repeat-line", anything, repeat_line),
        harmful("repeat-block", anything, repeat_block),
        harmful("drop-line", anything, drop_line),
        harmful("drop-block", anything, drop_block),
        harmful("drop-head", anything, drop_head),
        harmful("swap-lines", anything, swap_lines),
        harmful("shuffle-lines", tables, |m| on_lines(m, shuffle)),
        harmless("shuffle-log", logs, |m| on_log(m, shuffle)),
        harmless("reverse-log", logs, |m| on_log(m, reverse)),
        harmful("merge-lines", anything, merge_lines),
        harmful("split-line", anything, split_line),
        harmful("head-in-the-middle", anything, head_in_the_middle),
        harmful("empty-file", anything, empty_file),
        harmful("delete-file", sets, delete_file),
        Operator {
            name: "copy-file",
            of: runs,
            apply: copy_file,
            // A copy counts once, or the folder is refused as two runs.
            harmless: nothing,
        },
        harmful("double-file", anything, double_file),
        harmful("append-other-run", anything, append_other),
        harmful("mix-file-of-other-run", sets, mix_file),
        harmful("add-other-run", runs, add_other),
        harmful("rename-ending", anything, rename_ending),
        harmful("cut-gzip", anything, cut_gzip),
        harmful("garbage-behind-gzip", anything, garbage_behind_gzip),
        harmful("utf16", anything, utf16),
        harmful("latin1", anything, latin1),
        Operator {
            name: "crlf",
            of: anything,
            apply: |m| line_ends(m, b"\r\n"),
            harmless: runs,
        },
        Operator {
            name: "cr-cr-lf",
            of: tables,
            apply: |m| line_ends(m, b"\r\r\n"),
            harmless: nothing,
        },
        harmful("cr", anything, |m| line_ends(m, b"\r")),
        Operator {
            name: "byte-order-mark",
            of: anything,
            apply: byte_order_mark,
            harmless: runs,
        },
        Operator {
            name: "blank-lines",
            of: lined,
            apply: blank_lines,
            harmless: logs,
        },
        Operator {
            name: "gzip",
            of: anything,
            apply: |m| packed(m, gzip),
            harmless: runs,
        },
        Operator {
            name: "zstd",
            of: anything,
            apply: |m| packed(m, |bytes| zstd::encode_all(bytes, 1).ok()),
            harmless: runs,
        },
        harmful("open-quote", anything, open_quote),
        harmful("digit", anything, digit),
        harmful("array-bracket", jsons, bracket),
    ]
}

type Lines = Vec<Vec<u8>>;

fn lines(bytes: &[u8]) -> Lines {
    bytes
        .split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// Changes the lines of one file.
fn on_lines(
    m: &mut Mutation<'_>,
    change: fn(&mut Lines, &mut Random) -> Option<String>,
) -> Option<String> {
    let at = m.victim_at()?;
    on_lines_of(m, at, change)
}

/// Changes the lines of the request log.
fn on_log(
    m: &mut Mutation<'_>,
    change: fn(&mut Lines, &mut Random) -> Option<String>,
) -> Option<String> {
    let at = m.files.iter().position(|f| f.name == "requests.jsonl")?;
    on_lines_of(m, at, change)
}

fn on_lines_of(
    m: &mut Mutation<'_>,
    at: usize,
    change: fn(&mut Lines, &mut Random) -> Option<String>,
) -> Option<String> {
    let file = m.files.get_mut(at)?;
    let mut lines = lines(&file.bytes);
    // A last line without an end could not be moved.
    if let Some(last) = lines.last_mut()
        && !last.ends_with(b"\n")
    {
        last.push(b'\n');
    }
    let said = change(&mut lines, &mut m.random)?;
    let bytes = lines.concat();
    (bytes != file.bytes).then(|| {
        file.bytes = bytes;
        format!("{}: {said}", file.name)
    })
}

/// Changes the bytes of one file.
fn on_bytes(
    m: &mut Mutation<'_>,
    change: impl Fn(&mut Vec<u8>, &mut Random) -> Option<String>,
) -> Option<String> {
    let at = m.victim_at()?;
    let file = m.files.get_mut(at)?;
    let mut bytes = file.bytes.clone();
    let said = change(&mut bytes, &mut m.random)?;
    (bytes != file.bytes).then(|| {
        file.bytes = bytes;
        format!("{}: {said}", file.name)
    })
}

fn cut_at_byte(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, random| {
        let at = random.below(bytes.len());
        bytes.truncate(at);
        Some(format!("only the first {at} bytes"))
    })
}

fn cut_at_line(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let at = random.below(lines.len());
        lines.truncate(at);
        Some(format!("only the first {at} lines"))
    })
}

fn flip(m: &mut Mutation<'_>, times: usize) -> Option<String> {
    on_bytes(m, |bytes, random| {
        let mut places = Vec::new();
        for _ in 0..times {
            let at = random.below(bytes.len());
            *bytes.get_mut(at)? ^= 1 << random.below(7);
            places.push(at.to_string());
        }
        Some(format!("bits flipped at bytes {}", places.join(", ")))
    })
}

fn insert_garbage(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let all: [&[u8]; 5] = [
            b"#### worker-2 restarted ####\n",
            b"Traceback (most recent call last):\n",
            b"\xff\xfe\x00garbage\n",
            b"{}\n",
            b",,,,,,\n",
        ];
        let garbage = random.pick(&all)?;
        let at = random.below(lines.len() + 1);
        lines.insert(at, garbage.to_vec());
        Some(format!("garbage at line {}", at + 1))
    })
}

fn insert_nuls(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, random| {
        let at = random.below(bytes.len());
        let end = (at + 512).min(bytes.len());
        bytes.get_mut(at..end)?.fill(0);
        Some(format!("NUL bytes from byte {at} on"))
    })
}

fn repeat_line(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let at = random.below(lines.len());
        let line = lines.get(at)?.clone();
        lines.insert(at, line);
        Some(format!("line {} twice", at + 1))
    })
}

/// From one line to another, up to half of all.
fn block(lines: &Lines, random: &mut Random) -> (usize, usize) {
    let from = random.below(lines.len());
    let most = (lines.len() / 2).max(1);
    let end = (from + 1 + random.below(most)).min(lines.len());
    (from, end)
}

fn repeat_block(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let (from, end) = block(lines, random);
        let part = lines.get(from..end)?.to_vec();
        lines.splice(end..end, part);
        Some(format!("lines {} to {end} twice", from + 1))
    })
}

fn drop_line(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let at = random.below(lines.len());
        (at < lines.len()).then(|| lines.remove(at))?;
        Some(format!("without line {}", at + 1))
    })
}

fn drop_block(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let (from, end) = block(lines, random);
        lines.drain(from..end);
        Some(format!("without lines {} to {end}", from + 1))
    })
}

fn drop_head(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, _| {
        (!lines.is_empty()).then(|| lines.remove(0))?;
        Some("without its first line".to_owned())
    })
}

fn swap_lines(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let (a, b) = (random.below(lines.len()), random.below(lines.len()));
        (a < lines.len() && b < lines.len()).then(|| lines.swap(a, b))?;
        Some(format!("lines {} and {} swapped", a + 1, b + 1))
    })
}

fn shuffle(lines: &mut Lines, random: &mut Random) -> Option<String> {
    random.shuffle(lines);
    Some("lines in any order".to_owned())
}

fn reverse(lines: &mut Lines, _: &mut Random) -> Option<String> {
    lines.reverse();
    Some("the last line first".to_owned())
}

fn merge_lines(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let at = random.below(lines.len());
        let line = lines.get_mut(at)?;
        line.pop();
        Some(format!("line {} without its end", at + 1))
    })
}

fn split_line(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let at = random.below(lines.len());
        let line = lines.get_mut(at)?;
        let middle = random.below(line.len());
        line.insert(middle, b'\n');
        Some(format!("line {} broken in two", at + 1))
    })
}

fn head_in_the_middle(m: &mut Mutation<'_>) -> Option<String> {
    on_lines(m, |lines, random| {
        let head = lines.first()?.clone();
        let at = 1 + random.below(lines.len());
        lines.insert(at, head);
        Some(format!("the first line again as line {}", at + 1))
    })
}

fn empty_file(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, _| {
        bytes.clear();
        Some("no bytes".to_owned())
    })
}

fn delete_file(m: &mut Mutation<'_>) -> Option<String> {
    let at = m.victim_at()?;
    let file = m.files.remove(at);
    Some(format!("without {}", file.name))
}

fn copy_file(m: &mut Mutation<'_>) -> Option<String> {
    let file = m.victim()?.clone();
    let name = if m.random.once_in(2) {
        format!("copy_of_{}", file.name)
    } else {
        format!("{}.bak", file.name)
    };
    let said = format!("{} also as {name}", file.name);
    m.files.push(File { name, ..file });
    Some(said)
}

fn double_file(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, _| {
        bytes.extend_from_within(..);
        Some("its content twice".to_owned())
    })
}

fn append_other(m: &mut Mutation<'_>) -> Option<String> {
    let at = m.victim_at()?;
    let file = m.files.get_mut(at)?;
    let other = m.subject.other.iter().find(|f| f.name == file.name)?;
    file.bytes.extend(&other.bytes);
    Some(format!("{}: another run's behind it", file.name))
}

fn mix_file(m: &mut Mutation<'_>) -> Option<String> {
    let at = m.victim_at()?;
    let file = m.files.get_mut(at)?;
    let other = m.subject.other.iter().find(|f| f.name == file.name)?;
    file.bytes.clone_from(&other.bytes);
    Some(format!("{} is another run's", file.name))
}

fn add_other(m: &mut Mutation<'_>) -> Option<String> {
    let other = m.subject.other.iter().map(|f| File {
        name: format!("other_{}", f.name),
        bytes: f.bytes.clone(),
    });
    let before = m.files.len();
    m.files.extend(other);
    (m.files.len() > before).then(|| "another run's files beside it".to_owned())
}

fn rename_ending(m: &mut Mutation<'_>) -> Option<String> {
    let ending = *m.random.pick(&[".txt", ".json", ".csv", ".log", ""])?;
    let at = m.victim_at()?;
    let file = m.files.get_mut(at)?;
    let stem = file.name.split('.').next()?.to_owned();
    let name = format!("{stem}{ending}");
    let said = format!("{} is called {name}", file.name);
    (name != file.name).then(|| {
        file.name = name;
        said
    })
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

fn packed(m: &mut Mutation<'_>, pack: fn(&[u8]) -> Option<Vec<u8>>) -> Option<String> {
    on_bytes(m, |bytes, _| {
        *bytes = pack(bytes)?;
        Some("compressed".to_owned())
    })
}

fn cut_gzip(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, random| {
        *bytes = gzip(bytes)?;
        let at = random.below(bytes.len());
        bytes.truncate(at);
        Some(format!("compressed, only the first {at} bytes"))
    })
}

fn garbage_behind_gzip(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, _| {
        *bytes = gzip(bytes)?;
        bytes.extend(b"garbage behind it");
        Some("compressed, with garbage behind it".to_owned())
    })
}

fn utf16(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, random| {
        let text = String::from_utf8(bytes.clone()).ok()?;
        let little = random.once_in(2);
        let mut wide = vec![0xff, 0xfe];
        if !little {
            wide.swap(0, 1);
        }
        for unit in text.encode_utf16() {
            let pair = if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            };
            wide.extend(pair);
        }
        *bytes = wide;
        Some("in UTF-16".to_owned())
    })
}

fn latin1(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, random| {
        let letters: Vec<usize> = (0..bytes.len())
            .filter(|i| bytes[*i].is_ascii_lowercase())
            .collect();
        let at = *random.pick(&letters)?;
        bytes[at] = 0xe9;
        Some(format!("a Latin-1 letter at byte {at}"))
    })
}

fn line_ends(m: &mut Mutation<'_>, end: &[u8]) -> Option<String> {
    on_bytes(m, |bytes, _| {
        let text: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'\r').collect();
        let parts: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
        *bytes = parts.join(end);
        Some("other line ends".to_owned())
    })
}

fn byte_order_mark(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, _| {
        bytes.splice(0..0, [0xef, 0xbb, 0xbf]);
        Some("a byte order mark".to_owned())
    })
}

fn blank_lines(m: &mut Mutation<'_>) -> Option<String> {
    let name = match m.subject.kind {
        Kind::History => "history.jsonl",
        _ => "requests.jsonl",
    };
    let at = m.files.iter().position(|f| f.name == name)?;
    on_lines_of(m, at, |lines, random| {
        let at = random.below(lines.len());
        lines.insert(at, b"\n".to_vec());
        lines.push(b"  \n".to_vec());
        Some(format!("blank lines, one at line {}", at + 1))
    })
}

fn open_quote(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, random| {
        let separators: Vec<usize> = (0..bytes.len())
            .filter(|i| matches!(bytes[*i], b',' | b'\n'))
            .collect();
        let at = *random.pick(&separators)? + 1;
        bytes.insert(at, b'"');
        Some(format!("a quote at byte {at}"))
    })
}

fn digit(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, random| {
        let digits: Vec<usize> = (0..bytes.len())
            .filter(|i| bytes[*i].is_ascii_digit())
            .collect();
        let at = *random.pick(&digits)?;
        bytes[at] = b'0' + random.below(10) as u8;
        Some(format!("another digit at byte {at}"))
    })
}

fn bracket(m: &mut Mutation<'_>) -> Option<String> {
    on_bytes(m, |bytes, random| {
        let brackets: Vec<usize> = (0..bytes.len())
            .filter(|i| b"[]{}:".contains(&bytes[*i]))
            .collect();
        let at = *random.pick(&brackets)?;
        bytes.remove(at);
        Some(format!("without the bracket at byte {at}"))
    })
}
