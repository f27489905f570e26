//! What can be done to JSON as keys and values: of lines, of Locust's entries, and of kept runs.

use serde_json::{Map, Number, Value};

use super::super::random::Random;
use super::super::subject::Kind;
use super::{Mutation, Operator, harmful, harmless, jsons, logs};

/// All of them.
pub fn all() -> Vec<Operator> {
    let mut all = of_any_json();
    all.extend(of_logs());
    all
}

fn of_any_json() -> Vec<Operator> {
    vec![
        harmful("drop-key-one", jsons, |m| {
            one(m, any, |_, _, _| Some(Vec::new()))
        }),
        harmful("drop-key-some", jsons, |m| {
            some(m, any, |_, _, _| Some(Vec::new()))
        }),
        harmful("drop-key-all", jsons, |m| {
            every(m, any, |_, _, _| Some(Vec::new()))
        }),
        harmful("rename-key-camel", jsons, |m| {
            every(m, any, |k, v, _| named(camel(k), k, v))
        }),
        harmful("rename-key-snake", jsons, |m| {
            every(m, any, |k, v, _| named(snake(k), k, v))
        }),
        harmful("rename-key-other", jsons, |m| {
            every(m, any, |k, v, _| named(format!("x_{k}"), k, v))
        }),
        harmful("rename-key-some", jsons, |m| {
            some(m, any, |k, v, _| named(format!("x_{k}"), k, v))
        }),
        harmful("null-one", jsons, |m| {
            one(m, any, |k, _, _| Some(vec![(k.to_owned(), Value::Null)]))
        }),
        harmful("null-some", jsons, |m| {
            some(m, any, |k, _, _| Some(vec![(k.to_owned(), Value::Null)]))
        }),
        harmful("null-all", jsons, |m| {
            every(m, any, |k, _, _| Some(vec![(k.to_owned(), Value::Null)]))
        }),
        harmful("number-as-text-all", jsons, |m| every(m, number, as_text)),
        harmful("number-as-text-some", jsons, |m| some(m, number, as_text)),
        harmful("number-as-bool", jsons, |m| {
            one(m, number, |k, _, _| is(k, true.into()))
        }),
        harmful("number-as-list", jsons, |m| {
            one(m, number, |k, v, _| is(k, vec![v.clone()].into()))
        }),
        harmful("text-as-number", jsons, |m| {
            every(m, text, |k, v, _| is(k, v.as_str()?.len().into()))
        }),
        harmful("bool-as-text", jsons, |m| {
            every(m, truth, |k, v, _| is(k, v.to_string().into()))
        }),
        harmful("bool-as-number", jsons, |m| {
            every(m, truth, |k, v, _| is(k, u8::from(v.as_bool()?).into()))
        }),
        harmful("negate-number-one", jsons, |m| {
            one(m, number, |k, v, _| times(k, v, -1.0))
        }),
        harmful("negate-number-all", jsons, |m| {
            every(m, number, |k, v, _| times(k, v, -1.0))
        }),
        harmful("zero-one", jsons, |m| {
            one(m, number, |k, _, _| is(k, 0.into()))
        }),
        harmful("zero-some", jsons, |m| {
            some(m, number, |k, _, _| is(k, 0.into()))
        }),
        harmful("zero-all", jsons, |m| {
            every(m, number, |k, _, _| is(k, 0.into()))
        }),
        harmful("thousandth-one", jsons, |m| {
            one(m, number, |k, v, _| times(k, v, 1e-3))
        }),
        harmful("thousandth-some", jsons, |m| {
            some(m, number, |k, v, _| times(k, v, 1e-3))
        }),
        harmful("thousandth-all", jsons, |m| {
            every(m, number, |k, v, _| times(k, v, 1e-3))
        }),
        harmful("times-a-thousand-one", jsons, |m| {
            one(m, number, |k, v, _| times(k, v, 1e3))
        }),
        harmful("times-a-thousand-all", jsons, |m| {
            every(m, number, |k, v, _| times(k, v, 1e3))
        }),
        harmful("halve-one", jsons, |m| {
            one(m, number, |k, v, _| times(k, v, 0.5))
        }),
        harmful("halve-all", jsons, |m| {
            every(m, number, |k, v, _| times(k, v, 0.5))
        }),
        harmful("huge-one", jsons, |m| {
            one(m, number, |k, _, _| is(k, 1e300.into()))
        }),
        harmful("nan-one", jsons, |m| literal(m, "NaN")),
        harmful("beyond-floats-one", jsons, |m| literal(m, "1e999")),
        harmful("nan-as-text", jsons, |m| {
            one(m, number, |k, _, _| is(k, "NaN".into()))
        }),
        harmful("decimal-comma-text", jsons, |m| {
            every(m, number, |k, v, _| {
                is(k, v.to_string().replace('.', ",").into())
            })
        }),
        harmful("duplicate-key", jsons, duplicate_key),
        harmful("swap-values", jsons, |m| on_documents(m, swap_values)),
        harmful("nest-object", jsons, |m| on_documents(m, nest)),
        harmful("swap-objects-key", jsons, |m| on_documents(m, swap_between)),
    ]
}

fn of_logs() -> Vec<Operator> {
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
        harmful("shift-one-by-a-day", logs, |m| {
            on_log(m, |log, r| shift_one(log, r))
        }),
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

/// The JSON of a file: one document, or one for each line.
struct Documents {
    all: Vec<Value>,
    are_lines: bool,
}

impl Documents {
    fn read(bytes: &[u8], are_lines: bool) -> Option<Self> {
        let all = if are_lines {
            let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
            let read = lines.map(|line| serde_json::from_slice(line).ok());
            read.collect::<Option<Vec<Value>>>()?
        } else {
            vec![serde_json::from_slice(bytes).ok()?]
        };
        Some(Self { all, are_lines })
    }

    fn write(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for value in &self.all {
            if self.are_lines {
                serde_json::to_writer(&mut bytes, value).ok()?;
            } else {
                serde_json::to_writer_pretty(&mut bytes, value).ok()?;
            }
            bytes.push(b'\n');
        }
        Some(bytes)
    }

    /// Every object, by its document and its pointer.
    fn objects(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (i, value) in self.all.iter().enumerate() {
            objects(value, &mut String::new(), &mut |pointer| {
                found.push((i, pointer.to_owned()));
            });
        }
        found
    }

    fn object(&mut self, at: &(usize, String)) -> Option<&mut Map<String, Value>> {
        self.all.get_mut(at.0)?.pointer_mut(&at.1)?.as_object_mut()
    }
}

fn objects(value: &Value, pointer: &mut String, found: &mut dyn FnMut(&str)) {
    let length = pointer.len();
    match value {
        Value::Object(map) => {
            found(pointer);
            for (key, value) in map {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                objects(value, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Array(all) => {
            for (i, value) in all.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&i.to_string());
                objects(value, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// The file that holds the JSON, and whether it does so line by line.
fn json_file(m: &Mutation<'_>) -> Option<(usize, bool)> {
    let (name, are_lines) = match m.subject.kind {
        Kind::Log | Kind::LogBesideTables => ("requests.jsonl", true),
        Kind::History => ("history.jsonl", true),
        Kind::Report => ("report.json", false),
        Kind::LocustJson => ("run.json", false),
        Kind::Tables => return None,
    };
    let at = m.files.iter().position(|f| f.name == name)?;
    Some((at, are_lines))
}

fn on_documents(
    m: &mut Mutation<'_>,
    change: impl FnOnce(&mut Documents, &mut Random) -> Option<String>,
) -> Option<String> {
    let (at, are_lines) = json_file(m)?;
    let file = m.files.get_mut(at)?;
    let mut documents = Documents::read(&file.bytes, are_lines)?;
    let before = documents.all.clone();
    let said = change(&mut documents, &mut m.random)?;
    (documents.all != before).then_some(())?;
    file.bytes = documents.write()?;
    Some(format!("{}: {said}", file.name))
}

fn any(_: &Value) -> bool {
    true
}

fn number(value: &Value) -> bool {
    value.is_number()
}

fn text(value: &Value) -> bool {
    value.is_string()
}

fn truth(value: &Value) -> bool {
    value.is_boolean()
}

/// What a member becomes: nothing, or others.
type Change = fn(&str, &Value, &mut Random) -> Option<Vec<(String, Value)>>;

/// A key of the figures, as a rule, and the places where it is.
fn places(
    documents: &Documents,
    wanted: fn(&Value) -> bool,
    random: &mut Random,
) -> Option<(String, Vec<(usize, String)>)> {
    let objects = documents.objects();
    let member = |at: &(usize, String)| -> Option<&Map<String, Value>> {
        documents.all.get(at.0)?.pointer(&at.1)?.as_object()
    };
    let mut keys: Vec<String> = Vec::new();
    for at in &objects {
        for (key, value) in member(at).into_iter().flatten() {
            // Keys that are numbers are bins and seconds, of which there are many.
            let is_bin = key.parse::<f64>().is_ok();
            if wanted(value) && !keys.contains(key) && !(is_bin && !keys.is_empty()) {
                keys.push(key.clone());
            }
        }
        if keys.len() > 80 {
            break;
        }
    }
    let asked = [
        "response_time",
        "success",
        "status",
        "failures",
        "requests",
        "mean",
        "p95",
        "max",
        "times",
        "num_requests",
        "num_failures",
        "total_response_time",
        "max_response_time",
        "response_times",
        "rps",
        "latency_s",
        "api_calls",
    ];
    let weighty: Vec<String> = keys
        .iter()
        .filter(|key| asked.iter().any(|a| key == a || key.starts_with(a)))
        .cloned()
        .collect();
    let from = if weighty.is_empty() || random.once_in(3) {
        &keys
    } else {
        &weighty
    };
    let key = random.pick(from)?.clone();
    let has =
        |at: &(usize, String)| member(at).is_some_and(|map| map.get(&key).is_some_and(wanted));
    let places = objects.into_iter().filter(has).collect();
    Some((key, places))
}

fn change_at(
    documents: &mut Documents,
    key: &str,
    places: &[(usize, String)],
    change: Change,
    random: &mut Random,
) -> Option<String> {
    let mut example = None;
    for place in places {
        let Some(map) = documents.object(place) else {
            continue;
        };
        let Some(value) = map.get(key).cloned() else {
            continue;
        };
        let Some(into) = change(key, &value, random) else {
            continue;
        };
        map.remove(key);
        let told: Vec<String> = into
            .iter()
            .map(|(k, v)| format!("\"{k}\":{}", short(v)))
            .collect();
        example.get_or_insert_with(|| {
            format!(
                "{}/{key}: {} is {{{}}}",
                place.1,
                short(&value),
                told.join(",")
            )
        });
        map.extend(into);
    }
    example
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(40).collect()
}

fn one(m: &mut Mutation<'_>, wanted: fn(&Value) -> bool, change: Change) -> Option<String> {
    on_documents(m, |documents, random| {
        let (key, places) = places(documents, wanted, random)?;
        let place = random.pick(&places)?.clone();
        change_at(documents, &key, &[place], change, random)
    })
}

fn some(m: &mut Mutation<'_>, wanted: fn(&Value) -> bool, change: Change) -> Option<String> {
    on_documents(m, |documents, random| {
        let (key, mut places) = places(documents, wanted, random)?;
        places.retain(|_| random.once_in(3));
        let said = change_at(documents, &key, &places, change, random)?;
        Some(format!("in {} places, as {said}", places.len()))
    })
}

fn every(m: &mut Mutation<'_>, wanted: fn(&Value) -> bool, change: Change) -> Option<String> {
    on_documents(m, |documents, random| {
        let (key, places) = places(documents, wanted, random)?;
        let said = change_at(documents, &key, &places, change, random)?;
        Some(format!("in all {} places, as {said}", places.len()))
    })
}

fn is(key: &str, value: Value) -> Option<Vec<(String, Value)>> {
    Some(vec![(key.to_owned(), value)])
}

fn named(name: String, key: &str, value: &Value) -> Option<Vec<(String, Value)>> {
    (name != key).then(|| vec![(name, value.clone())])
}

fn camel(key: &str) -> String {
    let mut parts = key.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let mut letters = part.chars();
        let head = letters.next().map(|c| c.to_ascii_uppercase());
        name + &head.into_iter().chain(letters).collect::<String>()
    })
}

fn snake(key: &str) -> String {
    key.to_uppercase()
}

fn as_text(key: &str, value: &Value, _: &mut Random) -> Option<Vec<(String, Value)>> {
    is(key, value.to_string().into())
}

fn times(key: &str, value: &Value, factor: f64) -> Option<Vec<(String, Value)>> {
    let to = value.as_f64()? * factor;
    // A count stays one where it can.
    if value.is_u64() && to.fract() == 0.0 && to.abs() < 9e15 {
        return is(key, (to as i64).into());
    }
    is(key, Number::from_f64(to)?.into())
}

/// A number in one place that JSON does not have.
fn literal(m: &mut Mutation<'_>, literal: &str) -> Option<String> {
    let (at, _) = json_file(m)?;
    let said = one(m, number, |k, _, _| is(k, "@@".into()))?;
    let file = m.files.get_mut(at)?;
    let text = String::from_utf8(std::mem::take(&mut file.bytes)).ok()?;
    file.bytes = text.replace("\"@@\"", literal).into_bytes();
    Some(said.replace("\"@@\"", literal))
}

/// The same key twice in an object, with two values.
fn duplicate_key(m: &mut Mutation<'_>) -> Option<String> {
    let (at, _) = json_file(m)?;
    let said = one(m, number, |k, v, _| {
        let other = times(k, v, 0.1)?.pop()?.1;
        let pair = Value::Array(vec![v.clone(), other]);
        is(k, Value::Array(vec!["@@".into(), pair]))
    })?;
    let file = m.files.get_mut(at)?;
    let text = String::from_utf8(file.bytes.clone()).ok()?;
    let compact: String = if text.contains("[\"@@\",") {
        text
    } else {
        // A document over many lines.
        let value: Value = serde_json::from_str(&text).ok()?;
        value.to_string() + "\n"
    };
    let (before, rest) = compact.split_once("[\"@@\",[")?;
    let (pair, after) = rest.split_once("]]")?;
    let (first, second) = pair.split_once(',')?;
    let key = before.rsplit('"').nth(1)?;
    file.bytes = format!("{before}{first},\"{key}\":{second}{after}").into_bytes();
    Some(said.replace("[\"@@\",", "twice: "))
}

/// Two numbers of one object change places.
fn swap_values(documents: &mut Documents, random: &mut Random) -> Option<String> {
    let objects = documents.objects();
    let at = random.pick(&objects)?.clone();
    let map = documents.object(&at)?;
    let keys: Vec<String> = map
        .iter()
        .filter(|(_, v)| v.is_number())
        .map(|(k, _)| k.clone())
        .collect();
    let (a, b) = (random.pick(&keys)?, random.pick(&keys)?);
    let (first, second) = (map.get(a)?.clone(), map.get(b)?.clone());
    map.insert(a.clone(), second);
    map.insert(b.clone(), first);
    Some(format!("{}: {a} and {b} swapped", at.1))
}

/// Everything an object has is in another one below it.
fn nest(documents: &mut Documents, random: &mut Random) -> Option<String> {
    let objects = documents.objects();
    let at = random.pick(&objects)?.clone();
    let map = documents.object(&at)?;
    let inner = std::mem::take(map);
    map.insert("data".to_owned(), Value::Object(inner));
    Some(format!("{} below `data`", at.1))
}

/// A value of one object is another object's.
fn swap_between(documents: &mut Documents, random: &mut Random) -> Option<String> {
    let (key, places) = places(documents, any, random)?;
    let (a, b) = (random.pick(&places)?.clone(), random.pick(&places)?.clone());
    let first = documents.object(&a)?.get(&key)?.clone();
    let second = documents.object(&b)?.insert(key.clone(), first)?;
    documents.object(&a)?.insert(key.clone(), second);
    Some(format!(
        "{key} of {}{} and {}{} swapped",
        a.0, a.1, b.0, b.1
    ))
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
