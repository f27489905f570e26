use super::fold::fold;
use super::*;
use proptest::prelude::*;

#[test]
fn repr_and_plain_text_fold_to_one() {
    let aborted = "('Connection aborted.', RemoteDisconnected('Remote end closed connection'))";
    for (repr, plain, folded) in [
        (
            "CatchResponseError('Conflict: order 123456 gone')",
            "Conflict: order 99887766 gone",
            "Conflict: order # gone",
        ),
        (
            "CatchResponseError(\"can't find order 7\")",
            "can't find order 8",
            "can't find order #",
        ),
        (
            "JSONDecodeError('Expecting value: line 1 column 1 (char 0)')",
            "Expecting value: line 1 column 1 (char 0)",
            "Expecting value: line # column # (char #)",
        ),
        (
            "ConnectionRefusedError(111, 'Connection refused')",
            "[Errno 111] Connection refused",
            "[Errno #] Connection refused",
        ),
        (
            "ConnectionResetError(10054, 'closed', None, 10054, None)",
            "[WinError 10054] closed",
            "[WinError #] closed",
        ),
        (
            "SSLError(1, '[SSL] bad handshake')",
            "[SSL] bad handshake",
            "[SSL] bad handshake",
        ),
        (
            &format!("ConnectionError(ProtocolError{aborted})"),
            aborted,
            aborted,
        ),
        (
            &format!("requests.exceptions.ConnectionError(ProtocolError{aborted})"),
            aborted,
            aborted,
        ),
        (
            r#"CatchResponseError('it\'s "late"')"#,
            "it's \"late\"",
            "it's \"late\"",
        ),
        (
            r"ValueError('a\tb\\c caf\xe9 \u6f22\n')",
            "a\tb\\c café 漢\n",
            "a b\\c café 漢",
        ),
        ("CatchResponseError(404)", "404", "404"),
        (
            "HTTPError('404 Client Error: Not Found for url: x',)",
            "404 Client Error: Not Found for url: x",
            "404 Client Error: Not Found for url: x",
        ),
        ("KeyError('id')", "KeyError: 'id'", "KeyError: id"),
        ("TimeoutError()", "TimeoutError", "TimeoutError"),
    ] {
        assert_eq!(fold(repr), folded);
        assert_eq!(fold(plain), folded);
    }
    assert_eq!(
        fold("Pool(host='a', port=443): no"),
        "Pool(host='a', port=#): no"
    );
    assert_eq!(fold("Pool(host='a', port=443)"), "Pool(host='a', port=#)");
}

#[test]
fn deep_nesting_is_left_alone() {
    let deep = format!("{}1{}", "E(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(fold(&deep), deep.replace('1', "#"));
}

#[test]
fn ids_numbers_and_addresses_fold() {
    for (message, folded) in [
        ("<Response at 0x7f3a22>", "<Response at #>"),
        ("503 from 10.0.0.7:8080 after 30.01s", "503 from # after #s"),
        ("row 7 of 12 in arm_50", "row # of # in arm_50"),
        ("order 149 gone", "order # gone"),
        ("149 orders", "# orders"),
        ("took 250ms", "took #ms"),
        ("/claims/101/items", "/claims/#/items"),
        ("port=443", "port=#"),
        ("to [2001:db8::1]:443: refused", "to [#]:#: refused"),
        ("to 2001:db8::1: refused", "to #: refused"),
        ("1,234,567.5 rows, 12 left", "# rows, # left"),
        ("at 12:30:05.123", "at #"),
        ("at 2026-11-21T09:43:46Z", "at #Z"),
        ("1.5e-05 s", "# s"),
        ("id 550e8400-e29b-41d4-a716-446655440000", "id #"),
        ("req_8f3a22bc91 of ORD123456", "req_# of ORD#"),
        ("错误123次", "错误#次"),
    ] {
        assert_eq!(fold(message), folded, "{message}");
    }
}

#[test]
fn statuses_stay_where_they_are_statuses() {
    for message in [
        "404",
        "(503) no",
        "status 418",
        "status_code=200",
        "HTTP 503",
        "HTTP/# 503 x",
        "error 500",
        "expected 200 got 503",
        "assert 500 == 200",
        "code: 599",
        "page 404 Client Error",
        "it was 404 Not Found",
    ] {
        assert_eq!(fold(message), message);
    }
    assert_eq!(fold("HTTP/1.1 503 x"), "HTTP/# 503 x");
    assert_eq!(
        fold("expected 250 rows, found 200"),
        "expected # rows, found #"
    );
}

#[test]
fn the_most_telling_spelling_names_the_category() {
    let keys = ["JSONDecodeError('no value')", "no value"].map(|m| ErrorKey::new(None, m));
    assert_eq!(keys[0], keys[1]);
    let tally = |keys: &[&ErrorKey]| {
        let mut tally = ErrorTally::default();
        for key in keys {
            tally.add(key.category, 1, None, None);
        }
        tally
    };
    let both = tally(&[&keys[0], &keys[1]]);
    assert_eq!((both.category, both.count), (Category::Exception, 2));
    assert_eq!(both, tally(&[&keys[1], &keys[0]]));
    assert_eq!(ErrorKey::new(Some(500), "").message, "status 500");
}

/// An exception as Python would hold it.
#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Number(i32),
    Exception(&'static str, Vec<Value>),
}

fn repr(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Exception(name, arguments) => {
            let arguments: Vec<String> = arguments.iter().map(repr).collect();
            format!("{name}({})", arguments.join(", "))
        }
        Value::Text(text) => {
            let quote = if text.contains('\'') && !text.contains('"') {
                '"'
            } else {
                '\''
            };
            let mut literal = String::from(quote);
            for c in text.chars() {
                match c {
                    '\\' => literal.push_str("\\\\"),
                    '\n' => literal.push_str("\\n"),
                    '\t' => literal.push_str("\\t"),
                    'é' => literal.push_str("\\xe9"),
                    c if c == quote => literal.extend(['\\', c]),
                    c => literal.push(c),
                }
            }
            literal.push(quote);
            literal
        }
    }
}

/// Python's `str`.
fn str_of(value: &Value) -> String {
    let Value::Exception(name, arguments) = value else {
        return match value {
            Value::Text(text) => text.clone(),
            other => repr(other),
        };
    };
    match &arguments[..] {
        [one] => str_of(one),
        [number, reason] if *name == "ConnectionResetError" => {
            format!("[Errno {}] {}", str_of(number), str_of(reason))
        }
        several => {
            let several: Vec<String> = several.iter().map(repr).collect();
            format!("({})", several.join(", "))
        }
    }
}

fn messages() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "order",
        " ",
        "404",
        "149",
        "7",
        "1,234",
        ":",
        "::",
        "db8",
        "a4",
        "_",
        "-",
        "#",
        ".",
        "'",
        "\"",
        "\\",
        "\n",
        "\t",
        "(",
        ")",
        ",",
        "é",
        "status",
        "HTTP/1.1",
        "Not Found",
        "KeyError",
        "ValueError",
        "0x1f",
        "12345",
        "e",
        "x",
        "==",
        "550e8400-e29b-41d4-a716-446655440000",
        "2026-11-21",
        "T09:43",
        "[",
        "]",
        "漢",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn exceptions() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        messages().prop_map(Value::Text),
        any::<i32>().prop_map(Value::Number)
    ];
    let names = ["ValueError", "ProtocolError", "CatchResponseError"];
    let os_error = (any::<i32>(), leaf.clone()).prop_map(|(number, reason)| {
        Value::Exception("ConnectionResetError", vec![Value::Number(number), reason])
    });
    let exception = move |value| {
        (
            prop::sample::select(names.to_vec()),
            prop::collection::vec(value, 1..3),
        )
            .prop_map(|(name, arguments)| Value::Exception(name, arguments))
    };
    let value = prop_oneof![3 => leaf, 1 => os_error];
    exception(value.prop_recursive(3, 8, 2, exception).boxed())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn folding_is_idempotent(message in prop_oneof![messages(), ".{0,40}"]) {
        let once = fold(&message);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn a_repr_and_its_str_fold_to_one(exception in exceptions()) {
        let repr = ErrorKey::new(None, &repr(&exception));
        let plain = ErrorKey::new(None, &str_of(&exception));
        prop_assert_eq!(repr, plain);
    }
}
