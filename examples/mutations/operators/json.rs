//! What can be done to JSON as keys and values: of lines, of Locust's entries, and of kept runs.

use serde_json::{Map, Number, Value};

use super::super::random::Random;
use super::super::subject::Kind;
use super::{Mutation, Operator, harmful, jsons};

/// All of them.
pub fn all() -> Vec<Operator> {
    [keys(), numbers(), others()]
        .into_iter()
        .flatten()
        .collect()
}

fn keys() -> Vec<Operator> {
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
    ]
}

fn numbers() -> Vec<Operator> {
    vec![
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
    ]
}

fn others() -> Vec<Operator> {
    vec![
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

/// The JSON of a file: one document, or one for each line.
pub struct Documents {
    /// The documents.
    pub all: Vec<Value>,
    are_lines: bool,
}

impl Documents {
    /// Reads them; `None` if they are none.
    pub fn read(bytes: &[u8], are_lines: bool) -> Option<Self> {
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

/// Changes the JSON of the file that has it.
pub fn on_documents(
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
            if wanted(value) && !keys.contains(key) && (!is_bin || keys.is_empty()) {
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
