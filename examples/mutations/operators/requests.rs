//! What can be done to the requests of a log, by what their keys mean.

use serde_json::{Map, Value};

use super::super::random::Random;
use super::json::{Documents, on_documents};
use super::{Mutation, Operator, harmful, harmless, logs};

/// All of them.
pub fn all() -> Vec<Operator> {
    vec![
        harmful("remove-outcome-all", logs, |m| {
            on_log(m, |log, _| outcome(log, 1, &mut never()))
        }),
        harmful("remove-outcome-some", logs, |m| {
            on_log(m, |log, r| outcome(log, 3, r))
        }),
        harmful("negate-success", logs, |m| on_log(m, negate_success)),
        harmful("all-succeed", logs, |m| {
            on_log(m, |log, _| set(log, "success", &true.into(), true))
        }),
        harmful("success-as-word", logs, |m| on_log(m, success_as_word)),
        harmful("status-only", logs, |m| on_log(m, status_only)),
        harmful("status-as-phrase", logs, |m| on_log(m, status_as_phrase)),
        harmful("status-0", logs, |m| {
            on_log(m, |log, _| set(log, "status_code", &0.into(), true))
        }),
        harmful("error-only", logs, |m| on_log(m, error_only)),
        harmful("error-as-dash", logs, |m| {
            on_log(m, |log, _| set(log, "exception", &"-".into(), false))
        }),
        harmful("drop-slow-requests", logs, |m| on_log(m, drop_slow)),
        harmful("drop-failed-requests", logs, |m| on_log(m, drop_failed)),
        harmful("drop-endpoint", logs, |m| on_log(m, drop_endpoint)),
        harmful("thin-out", logs, |m| on_log(m, thin_out)),
        harmful("remove-times-some", logs, |m| {
            on_log(m, |log, r| unset(log, TIMES, 3, r))
        }),
        harmful("null-times-of-slow", logs, |m| on_log(m, null_slow)),
        harmful("seconds-for-milliseconds", logs, |m| {
            on_log(m, |log, _| seconds(log, "response_time"))
        }),
        harmful("seconds-under-ms-key", logs, |m| {
            on_log(m, |log, _| seconds(log, "response_time_ms"))
        }),
        harmful("seconds-as-latency", logs, |m| {
            on_log(m, |log, _| seconds(log, "latency"))
        }),
        harmful("milliseconds-as-duration", logs, |m| {
            on_log(m, |log, _| rename(log, "duration"))
        }),
        harmful("milliseconds-under-s-key", logs, |m| {
            on_log(m, |log, _| rename(log, "response_time_s"))
        }),
        harmless("milliseconds-in-the-value", logs, |m| {
            on_log(m, unit_in_value)
        }),
        harmful("remove-starts-all", logs, |m| {
            on_log(m, |log, _| unset(log, STARTS, 1, &mut never()))
        }),
        harmful("remove-starts-some", logs, |m| {
            on_log(m, |log, r| unset(log, STARTS, 3, r))
        }),
        harmful("shift-half-by-a-day", logs, |m| {
            on_log(m, |log, _| shift(log, 2))
        }),
        harmful("shift-one-by-a-day", logs, |m| on_log(m, shift_one)),
        harmful("starts-in-milliseconds", logs, |m| {
            on_log(m, |log, _| starts_in_ms(log))
        }),
        harmful("starts-all-alike", logs, |m| on_log(m, starts_alike)),
        harmless("one-list", logs, one_list),
        harmless("escaped-letters", logs, escaped),
        harmful("field-only-here-and-there", logs, |m| {
            on_log(m, |log, r| unset(log, &["api_calls"], 2, r))
        }),
    ]
}

const TIMES: &[&str] = &["response_time", "latency_s"];
const STARTS: &[&str] = &["start_time", "timestamp", "ts"];
const OUTCOMES: &[&str] = &[
    "success",
    "status_code",
    "status",
    "exception",
    "exception_type",
    "error",
];

/// A chance that is not asked.
fn never() -> Random {
    Random::new(0, "")
}

/// The requests of a log.
type Log = Vec<Map<String, Value>>;

fn on_log(
    m: &mut Mutation<'_>,
    change: impl FnOnce(&mut Log, &mut Random) -> Option<String>,
) -> Option<String> {
    on_documents(m, |documents, random| {
        let take = |value: Value| match value {
            Value::Object(map) => Some(map),
            _ => None,
        };
        let all = std::mem::take(&mut documents.all);
        let mut log = all.into_iter().map(take).collect::<Option<Log>>()?;
        let said = change(&mut log, random)?;
        documents.all = log.into_iter().map(Value::Object).collect();
        Some(said)
    })
}

fn outcome(log: &mut Log, once_in: usize, random: &mut Random) -> Option<String> {
    unset(log, OUTCOMES, once_in, random)
}

fn unset(log: &mut Log, keys: &[&str], once_in: usize, random: &mut Random) -> Option<String> {
    let mut lines = 0;
    for request in log.iter_mut() {
        if random.once_in(once_in) {
            request.retain(|key, _| !keys.contains(&key.as_str()));
            lines += 1;
        }
    }
    Some(format!(
        "{lines} of {} lines without {}",
        log.len(),
        keys.join(", ")
    ))
}

fn negate_success(log: &mut Log, _: &mut Random) -> Option<String> {
    for request in log.iter_mut() {
        let success = request.get("success")?.as_bool()?;
        request.insert("success".to_owned(), (!success).into());
    }
    Some("success is failure, and failure success".to_owned())
}

fn set(log: &mut Log, key: &str, to: &Value, everywhere: bool) -> Option<String> {
    for request in log.iter_mut() {
        if everywhere || !request.get(key).is_none_or(Value::is_null) {
            request.insert(key.to_owned(), to.clone());
        }
    }
    Some(format!("{key} is {to}"))
}

fn success_as_word(log: &mut Log, random: &mut Random) -> Option<String> {
    let words = [
        ("OK", "KO"),
        ("yes", "no"),
        ("pass", "fail"),
        ("1", "0"),
        ("good", "bad"),
    ];
    let (yes, no) = *random.pick(&words)?;
    for request in log.iter_mut() {
        let success = request.get("success")?.as_bool()?;
        let word = if success { yes } else { no };
        request.insert("success".to_owned(), word.into());
    }
    Some(format!("success is {yes} or {no}"))
}

fn status_only(log: &mut Log, _: &mut Random) -> Option<String> {
    for request in log.iter_mut() {
        request.retain(|key, _| {
            !["success", "exception", "exception_type", "error"].contains(&key.as_str())
        });
    }
    Some("of the outcome only the status".to_owned())
}

fn status_as_phrase(log: &mut Log, _: &mut Random) -> Option<String> {
    status_only(log, &mut never());
    for request in log.iter_mut() {
        for key in ["status_code", "status"] {
            if let Some(status) = request.get(key).and_then(Value::as_u64) {
                let phrase = if status < 400 { "OK" } else { "Failed" };
                request.insert(key.to_owned(), format!("{status} {phrase}").into());
            }
        }
    }
    Some("statuses with a phrase".to_owned())
}

fn error_only(log: &mut Log, _: &mut Random) -> Option<String> {
    for request in log.iter_mut() {
        request.retain(|key, value| match key.as_str() {
            "success" | "status_code" | "status" => false,
            "exception" | "exception_type" | "error" => !value.is_null(),
            _ => true,
        });
    }
    Some("of the outcome only errors, of those that have one".to_owned())
}

fn time_of(request: &Map<String, Value>) -> Option<f64> {
    TIMES.iter().find_map(|key| request.get(*key)?.as_f64())
}

/// The response time that a twentieth of the requests exceed.
fn slow(log: &Log) -> Option<f64> {
    let mut times: Vec<f64> = log.iter().filter_map(time_of).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() * 19 / 20).copied()
}

fn drop_slow(log: &mut Log, _: &mut Random) -> Option<String> {
    let slow = slow(log)?;
    log.retain(|request| time_of(request).is_none_or(|ms| ms < slow));
    Some(format!("without requests of {slow} and more"))
}

fn null_slow(log: &mut Log, _: &mut Random) -> Option<String> {
    let slow = slow(log)?;
    for request in log.iter_mut() {
        if time_of(request).is_some_and(|ms| ms >= slow) {
            for key in TIMES
                .iter()
                .filter(|key| request.contains_key(**key))
                .copied()
                .collect::<Vec<_>>()
            {
                request.insert(key.to_owned(), Value::Null);
            }
        }
    }
    Some(format!("response times of {slow} and more are null"))
}

fn drop_failed(log: &mut Log, _: &mut Random) -> Option<String> {
    log.retain(|request| request.get("success") != Some(&false.into()));
    Some("without failures".to_owned())
}

fn drop_endpoint(log: &mut Log, random: &mut Random) -> Option<String> {
    let key = ["name", "endpoint"]
        .into_iter()
        .find(|key| log[0].contains_key(*key))?;
    let at = random.below(log.len());
    let name = log.get(at)?.get(key)?.clone();
    log.retain(|request| request.get(key) != Some(&name));
    Some(format!("without {name}"))
}

fn thin_out(log: &mut Log, random: &mut Random) -> Option<String> {
    log.retain(|_| random.once_in(2));
    Some("every other request, by chance".to_owned())
}

fn seconds(log: &mut Log, key: &str) -> Option<String> {
    for request in log.iter_mut() {
        let ms = request.remove("response_time")?.as_f64()?;
        request.insert(key.to_owned(), (ms / 1e3).into());
    }
    Some(format!("{key} in seconds"))
}

fn rename(log: &mut Log, key: &str) -> Option<String> {
    for request in log.iter_mut() {
        let ms = request.remove("response_time")?;
        request.insert(key.to_owned(), ms);
    }
    Some(format!("response_time is called {key}"))
}

fn unit_in_value(log: &mut Log, _: &mut Random) -> Option<String> {
    for request in log.iter_mut() {
        let ms = request.get("response_time")?.as_f64()?;
        request.insert("response_time".to_owned(), format!("{ms}ms").into());
    }
    Some("the unit in the value".to_owned())
}

fn shift_by_a_day(request: &mut Map<String, Value>) {
    for key in ["start_time", "ts"] {
        if let Some(at) = request.get(key).and_then(Value::as_f64) {
            let day = if at > 1e12 { 86_400_000.0 } else { 86_400.0 };
            request.insert(key.to_owned(), (at + day).into());
        }
    }
    request.remove("timestamp");
}

fn shift(log: &mut Log, part: usize) -> Option<String> {
    let from = log.len() / part;
    log.get_mut(from..)?.iter_mut().for_each(shift_by_a_day);
    Some(format!("from line {} on a day later", from + 1))
}

fn shift_one(log: &mut Log, random: &mut Random) -> Option<String> {
    let at = random.below(log.len());
    shift_by_a_day(log.get_mut(at)?);
    Some(format!("line {} a day later", at + 1))
}

fn starts_in_ms(log: &mut Log) -> Option<String> {
    for request in log.iter_mut() {
        let start = request.get("start_time")?.as_f64()?;
        request.insert("start_time".to_owned(), (start * 1e3).into());
    }
    Some("starts in milliseconds".to_owned())
}

fn starts_alike(log: &mut Log, _: &mut Random) -> Option<String> {
    let first = log.first()?.get("start_time")?.clone();
    for request in log.iter_mut() {
        request.remove("timestamp");
        request.insert("start_time".to_owned(), first.clone());
    }
    Some("all start at once".to_owned())
}

/// One JSON array instead of lines.
fn one_list(m: &mut Mutation<'_>) -> Option<String> {
    let at = m.files.iter().position(|f| f.name == "requests.jsonl")?;
    let file = m.files.get_mut(at)?;
    let documents = Documents::read(&file.bytes, true)?;
    file.bytes = serde_json::to_vec(&documents.all).ok()?;
    Some("one list".to_owned())
}

/// Keys with a letter as its number.
fn escaped(m: &mut Mutation<'_>) -> Option<String> {
    let at = m.files.iter().position(|f| f.name == "requests.jsonl")?;
    let file = m.files.get_mut(at)?;
    let text = String::from_utf8(file.bytes.clone()).ok()?;
    let changed = text
        .replace("\"success\"", "\"s\\u0075ccess\"")
        .replace("\"response_time\"", "\"response\\u005ftime\"");
    (changed != text).then(|| file.bytes = changed.into_bytes())?;
    Some("keys with escaped letters".to_owned())
}
