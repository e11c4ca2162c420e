//! One attribute's value, made canonical.

use super::elements::{drop_repeated, is_bare, is_primary};
use super::given::Given;
use crate::scim::error::shorten;
use crate::scim::filter::parse_boolean_text;
use crate::scim::json::kind;
use crate::scim::schema::{Attribute, Reading, Type};
use crate::scim::{Error, Timestamp};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

/// Bytes in a text value. A street address, a URI and a certificate fit.
pub const TEXT_BYTES_MAX: usize = 65_536;
/// Bytes in an identifier: what an index holds, and lists show of everyone.
pub const IDENTIFIER_BYTES_MAX: usize = 1_024;
/// The attributes that [`IDENTIFIER_BYTES_MAX`] is for.
const IDENTIFIERS: [&str; 3] = ["userName", "displayName", "externalId"];

/// Takes attributes out of what was given, in the schema's order. `prefix` is
/// what comes before their names in an error.
pub(super) fn members<'s>(
    attributes: impl Iterator<Item = &'s Attribute>,
    given: &mut Given,
    reading: Reading,
    prefix: &str,
) -> Result<Map<String, Value>, Error> {
    let mut document = Map::new();
    for attribute in attributes {
        if let Some(given) = given.take(&attribute.name)
            && let Some(value) =
                value(attribute, given, &format!("{prefix}{}", attribute.name), reading)?
        {
            document.insert(attribute.name.clone(), value);
        }
    }
    Ok(document)
}

/// Makes one attribute's value canonical. `None` if that is no value: null,
/// empty, or an attribute that bodies may not set.
///
/// # Errors
/// 400 `invalidValue` that names `place`.
pub fn value(
    attribute: &Attribute,
    given: Value,
    place: &str,
    reading: Reading,
) -> Result<Option<Value>, Error> {
    if attribute.is_ignored_in_bodies() || given.is_null() {
        return Ok(None);
    }
    if !attribute.multi_valued {
        let given = if reading.is_strict() { given } else { unwrapped(attribute, given) };
        return single(attribute, given, place, reading);
    }
    let given = match given {
        Value::Array(elements) => elements,
        other if reading.is_strict() => return Err(wrong(place, "an array", &other)),
        // OneLogin's enterprise template sends one `emails` object, no array.
        one => vec![one],
    };
    let mut elements: Vec<Value> = Vec::with_capacity(given.len());
    for (index, element) in given.into_iter().enumerate() {
        let place = format!("{place}[{index}]");
        let element = match element {
            Value::Null => None,
            element => single(attribute, element, &place, reading)?,
        };
        elements.extend(element.filter(|element| !is_bare(element)));
    }
    drop_repeated(&mut elements);
    if elements.iter().filter(|element| is_primary(element)).count() > 1 {
        return Err(Error::invalid_value(format!(
            "`{place}` has more than one value with `primary` true; at most one may be primary"
        )));
    }
    Ok(if elements.is_empty() { None } else { Some(Value::Array(elements)) })
}

/// Makes one element of a multi-valued attribute canonical, as a PATCH names
/// it by a value path; it may be only a part of one.
///
/// # Errors
/// 400 `invalidValue` that names `place`.
pub fn element(
    attribute: &Attribute,
    given: Value,
    place: &str,
    reading: Reading,
) -> Result<Option<Value>, Error> {
    match given {
        Value::Null => Ok(None),
        Value::Array(mut elements) if elements.len() == 1 && !reading.is_strict() => {
            single(attribute, elements.pop().unwrap_or(Value::Null), place, reading)
        }
        given => single(attribute, given, place, reading),
    }
}

/// A value out of a list of one. Microsoft's reference code sends each value
/// of a PATCH so, as `[{"$ref": null, "value": "x"}]`.
fn unwrapped(attribute: &Attribute, given: Value) -> Value {
    let mut elements = match given {
        Value::Array(elements) if elements.len() == 1 => elements,
        other => return other,
    };
    match elements.pop() {
        Some(Value::Object(mut object)) if attribute.kind != Type::Complex => {
            object.remove("value").unwrap_or(Value::Object(object))
        }
        Some(Value::Object(object)) => Value::Object(object),
        other => Value::Array(other.into_iter().collect()),
    }
}

fn single(
    attribute: &Attribute,
    given: Value,
    place: &str,
    reading: Reading,
) -> Result<Option<Value>, Error> {
    let is_tolerant = !reading.is_strict();
    // A macro that has no value renders as "" in OneLogin's templates.
    if is_tolerant && given.as_str() == Some("") {
        return Ok(None);
    }
    match (attribute.kind, given) {
        (Type::Complex, Value::Object(object)) => complex(attribute, object, place, reading),
        // A group member, or Entra's manager, given as a bare string.
        (Type::Complex, Value::String(text)) if is_tolerant && attribute.sub("value").is_some() => {
            let object = Map::from_iter([("value".to_owned(), text.into())]);
            complex(attribute, object, place, reading)
        }
        (Type::Complex, given) => Err(wrong(place, "an object", &given)),
        (Type::Boolean, Value::Bool(value)) => Ok(Some(value.into())),
        (Type::Boolean, Value::String(text)) if is_tolerant => match parse_boolean_text(&text) {
            Some(value) => Ok(Some(value.into())),
            None => Err(wrong(place, "true or false", &Value::String(text))),
        },
        (Type::Boolean, given) => Err(wrong(place, "true or false", &given)),
        (Type::Integer, Value::Number(number)) if number.is_i64() => Ok(Some(number.into())),
        (Type::Integer, given) => {
            Err(wrong(place, "a whole number without fraction or exponent", &given))
        }
        (Type::Decimal, Value::Number(number)) => Ok(Some(number.into())),
        (Type::Decimal, given) => Err(wrong(place, "a number", &given)),
        (_, Value::String(text)) => textual(attribute, text, place).map(Some),
        (_, given) => Err(wrong(place, "a string", &given)),
    }
}

fn wrong(place: &str, wanted: &str, given: &Value) -> Error {
    Error::invalid_value(format!("`{place}` must be {wanted}, not {}", kind(given)))
}

fn textual(attribute: &Attribute, text: String, place: &str) -> Result<Value, Error> {
    let is_identifier = IDENTIFIERS.contains(&attribute.name.as_str());
    let bytes_max = if is_identifier { IDENTIFIER_BYTES_MAX } else { TEXT_BYTES_MAX };
    if text.len() > bytes_max {
        return Err(Error::invalid_value(format!(
            "`{place}` has {} bytes; at most {bytes_max} are accepted",
            text.len()
        )));
    }
    // SQLite's text functions stop at NUL, and no name or address holds one.
    if text.contains('\0') {
        return Err(Error::invalid_value(format!("`{place}` contains a NUL character")));
    }
    let fits = match attribute.kind {
        Type::DateTime => Timestamp::parse(&text).is_some(),
        Type::Binary => is_base64(&text),
        Type::Reference => is_uri(&text),
        _ => true,
    };
    if !fits {
        let wanted = match attribute.kind {
            Type::DateTime => "a dateTime such as \"2026-11-23T21:05:17Z\"",
            Type::Reference => "a URI (RFC 3986), absolute or relative",
            _ => "base64 (RFC 4648)",
        };
        return Err(Error::invalid_value(format!(
            "`{place}` must be {wanted}, not `{}`",
            shorten(&text)
        )));
    }
    Ok(text.into())
}

/// RFC 7643 section 2.3.7 wants a URI, absolute or relative, which nearly every
/// text is; these characters it never has (RFC 3986 section 2). Letters beyond
/// ASCII are an IRI's, which clients send as they are typed.
fn is_uri(text: &str) -> bool {
    let is_foreign = |c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c);
    !text.contains(is_foreign)
}

/// RFC 7643 section 2.3.6 takes both alphabets of RFC 4648; padding is left
/// off by some encoders.
fn is_base64(text: &str) -> bool {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .any(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).is_ok())
}

fn complex(
    attribute: &Attribute,
    object: Map<String, Value>,
    place: &str,
    reading: Reading,
) -> Result<Option<Value>, Error> {
    let mut given = Given::default();
    for (name, value) in object {
        // The 1.1 name of `manager.value`, in OneLogin's enterprise templates.
        let is_former = !reading.is_strict() && name.eq_ignore_ascii_case("managerId");
        given.put(if is_former { "value".into() } else { name }, value)?;
    }
    let document =
        members(attribute.sub_attributes.iter(), &mut given, reading, &format!("{place}."))?;
    // Only a body as a whole says in the audit what it left out.
    drop(given.left(reading, place)?);
    Ok(if document.is_empty() { None } else { Some(document.into()) })
}
