//! How kept figures are written: rounded to a millionth, quantiles and statuses by name, moments as RFC 3339.

/// Rounded to a millionth: below the resolution of what is measured, and as `report.json` has it.
pub fn tidy(value: f64) -> f64 {
    if value.abs() < 1e9 {
        (value * 1e6).round() / 1e6
    } else {
        value
    }
}

/// Epoch milliseconds as RFC 3339.
pub mod moments {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::units::moment;

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub fn serialize<S: Serializer>(ms: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        ms.map(moment).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<i64>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let moment: jiff::Timestamp = text
            .parse()
            .map_err(|_| D::Error::custom(format!("`{text}` is no RFC 3339 moment")))?;
        Ok(Some(moment.as_millisecond()))
    }
}

/// Quantiles under their names, in rising order.
pub mod quantiles {
    use std::collections::BTreeMap;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::units::quantile_name;

    pub fn serialize<S: Serializer>(
        quantiles: &BTreeMap<u32, f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(quantiles.iter().map(|(q, ms)| (quantile_name(*q), ms)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<u32, f64>, D::Error> {
        let named = BTreeMap::<String, f64>::deserialize(deserializer)?;
        let millionths = |(name, ms): (String, f64)| {
            let percent: Option<f64> = name.strip_prefix('p').and_then(|n| n.parse().ok());
            match percent.filter(|p| (0.0..=100.0).contains(p)) {
                Some(percent) => Ok(((percent * 1e4).round() as u32, ms)),
                None => Err(D::Error::custom(format!("`{name}` is no percentile"))),
            }
        };
        named.into_iter().map(millionths).collect()
    }
}

/// Requests by HTTP status, which is a key and so a text.
pub mod statuses {
    use std::collections::BTreeMap;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub fn serialize<S: Serializer>(
        statuses: &Option<BTreeMap<u16, u64>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let named = statuses.iter().flatten();
        serializer.collect_map(named.map(|(status, n)| (status.to_string(), n)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<BTreeMap<u16, u64>>, D::Error> {
        let named = Option::<BTreeMap<String, u64>>::deserialize(deserializer)?;
        let status = |(name, n): (String, u64)| match name.parse() {
            Ok(status) if name.len() == 3 && (100..=999).contains(&status) => Ok((status, n)),
            _ => Err(D::Error::custom(format!("`{name}` is not an HTTP status"))),
        };
        named
            .map(|named| named.into_iter().map(status).collect())
            .transpose()
    }
}
