//! `FIELD=KEY[:UNIT]`: where a request log keeps a field.

/// The units a response time may be in.
const UNITS: [&str; 6] = ["ms", "us", "ns", "s", "min", "h"];

/// What is wrong with a mapping: code, message, help.
pub type Wrong = (&'static str, String, String);

/// Whether a mapping says what it means. A key may have colons; what stands behind the last one is a unit if it is the name
/// of one. Of a response time anything else there is a slip: as a part of the key it would leave the unit to be guessed.
pub fn check(field: &str, key: &str) -> Result<(), Wrong> {
    let bad = |message: String, help: String| Err(("bad-value", message, help));
    if field.trim().is_empty() || key.trim().is_empty() {
        let help = "write `FIELD=KEY`, as `name=label`".to_owned();
        return bad("a mapping needs a field and a key".to_owned(), help);
    }
    let is_time = field.starts_with("response_time");
    let Some((path, unit)) = key.rsplit_once(':') else {
        return Ok(());
    };
    let known = UNITS.contains(&unit);
    match (is_time, known) {
        (_, true) if path.trim().is_empty() => bad(
            format!("`{key}` has no key before its unit"),
            format!("write `took:{unit}`"),
        ),
        (true, true) | (false, false) => Ok(()),
        (true, false) => bad(
            format!("`{unit}` in `{key}` is not a unit of time"),
            format!(
                "the units are {}; of a key with a colon name the unit, too, as `{key}:ms`",
                UNITS.join(", ")
            ),
        ),
        (false, true) => Err((
            "no-effect",
            format!("`{field}` has no unit, so `:{unit}` changes nothing"),
            "only `response_time` has one; whether a time stamp is in s, ms, us or ns is told by its size"
                .to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_a_unit_is_never_a_part_of_the_key() {
        for (field, key) in [
            ("response_time", "latency:parsecs"),
            ("response_time", "latency:MS"),
            ("response_time", "latency:ms:"),
            ("response_time", "http:duration"),
            ("response_time_ms", "took:sec"),
            ("response_time", ":ms"),
            ("name", ""),
            ("", "key"),
        ] {
            assert_eq!(
                check(field, key).map_err(|w| w.0),
                Err("bad-value"),
                "{field}={key}"
            );
        }
        let (_, message, help) = check("response_time", "latency:parsecs").expect_err("no unit");
        assert_eq!(
            message,
            "`parsecs` in `latency:parsecs` is not a unit of time"
        );
        assert!(
            help.starts_with("the units are ms, us, ns, s, min, h;"),
            "{help}"
        );
        assert_eq!(check("name", "label:ms").map_err(|w| w.0), Err("no-effect"));
    }

    #[test]
    fn keys_may_have_colons() {
        for (field, key) in [
            ("response_time", "latency"),
            ("response_time", "latency:s"),
            ("response_time", "http:duration:min"),
            ("response_time", "a.b:h"),
            ("name", "http:route"),
            ("calls", "api:calls"),
        ] {
            assert_eq!(check(field, key), Ok(()), "{field}={key}");
        }
    }
}
