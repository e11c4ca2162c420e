//! JSON text to a value, with the strictness that a directory needs.
//!
//! `serde_json` keeps the last of two equal keys and lets keys differ in case
//! alone. To SCIM, whose attribute names ignore case (RFC 7643 section 2.1),
//! both are one attribute given twice: what a proxy, a log and we each make of
//! it could differ, so such a body is refused. Depth is bounded while parsing.

use super::Error;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::collections::HashSet;
use std::fmt;

/// Nested objects and arrays in a body. A Bulk request that carries a PATCH
/// with a complex multi-valued attribute needs 8; extensions a few more.
const DEPTH_MAX: usize = 32;

/// Parses a request body.
///
/// # Errors
/// 400 `invalidSyntax` with line and column for anything that is not one JSON
/// value in UTF-8, repeats a key, or nests deeper than 32.
pub fn parse(body: &[u8]) -> Result<Value, Error> {
    // RFC 8259 section 8.1 lets a parser ignore a byte order mark.
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid_syntax("the request body is empty; it must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    Strict { depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| Error::invalid_syntax(format!("the request body is not valid: {error}")))
}

/// Parses a request body that must be a JSON object.
///
/// # Errors
/// As [`parse`], and 400 `invalidSyntax` for any other JSON value.
pub fn parse_object(body: &[u8]) -> Result<Map<String, Value>, Error> {
    match parse(body)? {
        Value::Object(object) => Ok(object),
        other => Err(Error::invalid_syntax(format!(
            "the request body is {}; it must be a JSON object",
            kind(&other)
        ))),
    }
}

/// What kind of JSON value this is, for an error message.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format!("values nest deeper than {DEPTH_MAX}")));
        }
        Ok(Self { depth: self.depth.saturating_add(1) })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(seed)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut object = Map::new();
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.insert(key.to_ascii_lowercase()) {
                let key = super::error::shorten(&key);
                return Err(de::Error::custom(format!(
                    "`{key}` is given twice (attribute names ignore case)"
                )));
            }
            object.insert(key, entries.next_value_seed(seed)?);
        }
        Ok(Value::Object(object))
    }
}
