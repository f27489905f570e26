//! Python's `repr` of an exception, as Locust writes failures, read back to its `str`.

use std::borrow::Cow;

/// A message nested deeper is none that Python wrote, and stays as it is, so that no message takes time without bounds.
const MOST_NESTED: usize = 32;

/// What `str` gives for the exception whose `repr` the text is; any other text as it is.
///
/// `KeyError` keeps its name, because its `str` is the bare key, and so does an exception without arguments, whose `str` is
/// empty: neither would tell a reader anything.
pub fn plain(message: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(message);
    // Each turn takes one call or one pair of quotes away.
    for _ in 0..MOST_NESTED {
        match inner(text.trim()) {
            Some(inner) => text = Cow::Owned(inner),
            None => return text,
        }
    }
    Cow::Borrowed(message)
}

fn inner(text: &str) -> Option<String> {
    if let Some(key) = text.strip_prefix("KeyError: ") {
        return whole_string(key.trim()).map(|key| format!("KeyError: {key}"));
    }
    let (name, rest) = text.strip_suffix(')')?.split_once('(')?;
    if !is_exception(name) {
        return None;
    }
    let arguments = arguments(rest)?;
    let text = |argument: &str| whole_string(argument).unwrap_or_else(|| argument.to_owned());
    Some(match arguments[..] {
        [] => name.to_owned(),
        [key] if name == "KeyError" => format!("KeyError: {}", text(key)),
        [one] => text(one),
        [_, text, ..] if name.starts_with("SSL") && whole_string(text).is_some() => {
            whole_string(text)?
        }
        [number, reason, ..]
            if is_os_error(name) && is_integer(number) && !reason.ends_with(')') =>
        {
            let reason = text(reason);
            match arguments.get(3) {
                Some(windows) if is_integer(windows) => format!("[WinError {windows}] {reason}"),
                _ => format!("[Errno {number}] {reason}"),
            }
        }
        _ => format!("({rest})"),
    })
}

/// A class name that can be an exception's, with or without its module.
fn is_exception(name: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let class = name.rsplit('.').next().unwrap_or(name);
    let ends = ["error", "exception", "timeout"];
    let lower = class.to_ascii_lowercase();
    name.split('.').all(is_name)
        && (class.starts_with(|c: char| c.is_ascii_uppercase())
            || ends.iter().any(|end| lower.ends_with(end)))
}

/// `OSError` and its subclasses, whose `str` is `[Errno 2] No such file`.
fn is_os_error(name: &str) -> bool {
    let names = [
        "OSError",
        "IOError",
        "EnvironmentError",
        "error",
        "gaierror",
        "herror",
        "timeout",
        "BlockingIOError",
        "BrokenPipeError",
        "ChildProcessError",
        "ConnectionAbortedError",
        "ConnectionError",
        "ConnectionRefusedError",
        "ConnectionResetError",
        "FileExistsError",
        "FileNotFoundError",
        "InterruptedError",
        "IsADirectoryError",
        "NotADirectoryError",
        "PermissionError",
        "ProcessLookupError",
        "TimeoutError",
    ];
    names.contains(&name.rsplit('.').next().unwrap_or(name))
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The arguments of a call, if they are values as `repr` writes them; a comma after the last (before Python 3.7) is none.
fn arguments(text: &str) -> Option<Vec<&str>> {
    let mut arguments = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = value_end(rest)?;
        let argument = rest[..end].trim();
        if !is_value(argument) {
            return None;
        }
        arguments.push(argument);
        rest = rest[end..].strip_prefix(',').unwrap_or("").trim();
    }
    Some(arguments)
}

fn is_value(text: &str) -> bool {
    let is_number = || {
        text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && !text.contains(char::is_whitespace)
            && text.parse::<f64>().is_ok()
    };
    let is_bytes = || {
        text.strip_prefix('b')
            .is_some_and(|s| whole_string(s).is_some())
    };
    // What is inside is looked at in its own turn.
    let is_call = || {
        let call = text.strip_suffix(')').and_then(|call| call.split_once('('));
        call.is_some_and(|(name, _)| is_exception(name))
    };
    let is_in = |open, close| text.starts_with(open) && text.ends_with(close);
    matches!(text, "None" | "True" | "False" | "inf" | "nan")
        || is_number()
        || whole_string(text).is_some()
        || is_bytes()
        || is_in('(', ')')
        || is_in('[', ']')
        || is_in('{', '}')
        || is_in('<', '>')
        || is_call()
}

/// Where a value ends: at a comma outside strings and brackets, or with the text.
fn value_end(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if q == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.checked_sub(1)?,
            (None, ',') if depth == 0 => return Some(at),
            (Some(_) | None, _) => {}
        }
    }
    (depth == 0 && quote.is_none()).then_some(text.len())
}

/// The text of a string literal, if the whole text is one.
fn whole_string(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inside = text.get(1..)?.strip_suffix(quote)?;
    let mut plain = String::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        if c == quote {
            return None;
        }
        if c != '\\' {
            plain.push(c);
            continue;
        }
        let escape = rest.next()?;
        match escape {
            'n' => plain.push('\n'),
            'r' => plain.push('\r'),
            't' => plain.push('\t'),
            '\\' | '\'' | '"' => plain.push(escape),
            'x' => plain.push(code(&mut rest, 2)?),
            'u' => plain.push(code(&mut rest, 4)?),
            'U' => plain.push(code(&mut rest, 8)?),
            // Python's repr writes no other.
            _ => plain.extend(['\\', escape]),
        }
    }
    Some(plain)
}

/// The character of so many hexadecimal digits; half a surrogate pair has none.
fn code(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text = rest.as_str().get(..digits)?;
    let number = u32::from_str_radix(text, 16).ok()?;
    *rest = rest.as_str()[digits..].chars();
    Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
}
