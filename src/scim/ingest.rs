//! What clients send, made canonical (RFC 7643 section 2, RFC 7644 section 3.3).
//!
//! A body becomes a document: attributes under their published names, in the
//! schema's order, of the right types; nothing read-only, nothing unknown,
//! nothing empty (RFC 7643 section 2.5 makes `null`, `[]` and absence one).
//! Tolerances that real clients need are here, each beside the client that
//! needs it, so that nothing after this module knows of them.

use super::error::shorten;
use super::filter::parse_boolean_text;
use super::json::kind;
use super::schema::{Attribute, ResourceType, Type};
use super::{Error, Timestamp};
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

/// A body, made canonical.
#[derive(Debug, Default)]
pub struct Ingested {
    /// The attributes, without `schemas`, `id`, `meta` and all else that is
    /// read-only.
    pub document: Map<String, Value>,
    /// Names of attributes the schemas do not have, dropped; for the audit.
    pub ignored: Vec<String>,
}

/// Makes the body of a POST or PUT canonical.
///
/// # Errors
/// 400 `invalidValue` or `invalidSyntax` that names the attribute.
pub fn resource(resource_type: &ResourceType, body: Map<String, Value>) -> Result<Ingested, Error> {
    let mut given = Given::default();
    let mut ingested = Ingested::default();
    let mut extensions = Vec::new();
    for (name, value) in body {
        if let Some(extension) = resource_type.extension(&name) {
            extensions.push((extension, value));
        } else if resource_type.is_core(&name) {
            // Some clients nest the core attributes under the core schema's URN.
            for (name, value) in object_of(&name, value)? {
                given.put(name, value)?;
            }
        } else {
            given.put(name, value)?;
        }
    }
    for attribute in resource_type.plain_attributes() {
        if let Some(given) = given.take(&attribute.name)
            && let Some(value) = value(attribute, given, &attribute.name)?
            && attribute.name != "schemas"
        {
            ingested.document.insert(attribute.name.clone(), value);
        }
    }
    ingested.ignored.extend(given.names());
    for (extension, content) in extensions {
        let mut given = Given::default();
        for (name, value) in object_of(&extension.id, content)? {
            given.put(name, value)?;
        }
        let mut document = Map::new();
        for attribute in &extension.attributes {
            if let Some(given) = given.take(&attribute.name)
                && let Some(value) = value(attribute, given, &attribute.name)?
            {
                document.insert(attribute.name.clone(), value);
            }
        }
        ingested.ignored.extend(given.names().map(|name| format!("{}:{name}", extension.id)));
        if !document.is_empty() {
            ingested.document.insert(extension.id.clone(), document.into());
        }
    }
    check(resource_type, &ingested.document)?;
    Ok(ingested)
}

/// The document with its attributes in the order of the schemas, in which
/// resources show them. A PATCH leaves them in the order of its operations.
pub fn in_schema_order(
    resource_type: &ResourceType,
    mut document: Map<String, Value>,
) -> Map<String, Value> {
    let names = resource_type.plain_attributes().map(|attribute| attribute.name.as_str());
    let names = names.chain(resource_type.extensions.iter().map(|schema| schema.id.as_str()));
    let mut ordered = Map::with_capacity(document.len());
    for name in names {
        if let Some((name, value)) = document.remove_entry(name) {
            ordered.insert(name, value);
        }
    }
    ordered
}

/// Whether a document may stand: every required attribute has a value.
///
/// # Errors
/// 400 `invalidValue` that names the attribute.
pub fn check(resource_type: &ResourceType, document: &Map<String, Value>) -> Result<(), Error> {
    for attribute in &resource_type.core.attributes {
        let blank = match document.get(&attribute.name) {
            None => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        if attribute.required && blank {
            return Err(Error::invalid_value(format!(
                "`{}` is required and has no value",
                attribute.name
            )));
        }
    }
    Ok(())
}

/// Makes one attribute's value canonical. `None` if that is no value: null,
/// empty, or an attribute that bodies may not set.
///
/// # Errors
/// 400 `invalidValue` that names `place`.
pub fn value(attribute: &Attribute, given: Value, place: &str) -> Result<Option<Value>, Error> {
    if attribute.is_ignored_in_bodies() || given.is_null() {
        return Ok(None);
    }
    if !attribute.multi_valued {
        return single(attribute, unwrapped(attribute, given), place);
    }
    let given = match given {
        Value::Array(elements) => elements,
        // OneLogin's enterprise template sends one `emails` object, no array.
        one => vec![one],
    };
    let mut elements: Vec<Value> = Vec::with_capacity(given.len());
    for (index, element) in given.into_iter().enumerate() {
        let place = format!("{place}[{index}]");
        let element = if element.is_null() { None } else { single(attribute, element, &place)? };
        if let Some(element) = element
            && !is_bare(&element)
            && !elements.iter().any(|other| is_same_element(other, &element))
        {
            elements.push(element);
        }
    }
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
pub fn element(attribute: &Attribute, given: Value, place: &str) -> Result<Option<Value>, Error> {
    match given {
        Value::Null => Ok(None),
        Value::Array(mut elements) if elements.len() == 1 => {
            single(attribute, elements.pop().unwrap_or(Value::Null), place)
        }
        given => single(attribute, given, place),
    }
}

/// Whether two elements of a multi-valued attribute are one: the same
/// `value` and `type` (RFC 7643 section 2.4), or equal where there is no
/// `value`.
pub fn is_same_element(one: &Value, other: &Value) -> bool {
    match (one.get("value"), other.get("value")) {
        (Some(value), Some(others)) => value == others && one.get("type") == other.get("type"),
        _ => one == other,
    }
}

/// Whether an element says what kind of value it is but has none: what is left
/// of `{"value": "{$user.email}", "type": "work"}` when the macro is empty.
pub fn is_bare(element: &Value) -> bool {
    let about = |name: &String| ["type", "primary", "display"].contains(&name.as_str());
    element.as_object().is_some_and(|element| element.keys().all(about))
}

/// Whether an element is the preferred one.
pub fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
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

fn single(attribute: &Attribute, given: Value, place: &str) -> Result<Option<Value>, Error> {
    // A macro that has no value renders as "" in OneLogin's templates.
    if given.as_str() == Some("") {
        return Ok(None);
    }
    let wrong = |given: &Value, wanted: &str| {
        Err(Error::invalid_value(format!("`{place}` must be {wanted}, not {}", kind(given))))
    };
    match (attribute.kind, given) {
        (Type::Complex, Value::Object(object)) => complex(attribute, object, place),
        // A group member, or Entra's manager, given as a bare string.
        (Type::Complex, Value::String(text)) if attribute.sub("value").is_some() => {
            complex(attribute, Map::from_iter([("value".to_owned(), text.into())]), place)
        }
        (Type::Complex, given) => wrong(&given, "an object"),
        (Type::Boolean, Value::Bool(value)) => Ok(Some(value.into())),
        (Type::Boolean, Value::String(text)) => match parse_boolean_text(&text) {
            Some(value) => Ok(Some(value.into())),
            None => wrong(&Value::String(text), "true or false"),
        },
        (Type::Boolean, given) => wrong(&given, "true or false"),
        (Type::Integer, Value::Number(number)) if number.is_i64() => Ok(Some(number.into())),
        (Type::Integer, given) => wrong(&given, "a whole number without fraction or exponent"),
        (Type::Decimal, Value::Number(number)) => Ok(Some(number.into())),
        (Type::Decimal, given) => wrong(&given, "a number"),
        (_, Value::String(text)) => textual(attribute, text, place).map(Some),
        (_, given) => wrong(&given, "a string"),
    }
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
        _ => true,
    };
    if !fits {
        let wanted = match attribute.kind {
            Type::DateTime => "a dateTime such as \"2026-11-23T21:05:17Z\"",
            _ => "base64 (RFC 4648)",
        };
        return Err(Error::invalid_value(format!(
            "`{place}` must be {wanted}, not `{}`",
            shorten(&text)
        )));
    }
    Ok(text.into())
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
) -> Result<Option<Value>, Error> {
    let mut given = Given::default();
    for (name, value) in object {
        // The 1.1 name of `manager.value`, in OneLogin's enterprise templates.
        let name = if name.eq_ignore_ascii_case("managerId") { "value".into() } else { name };
        given.put(name, value)?;
    }
    let mut document = Map::new();
    for sub in &attribute.sub_attributes {
        if let Some(given) = given.take(&sub.name)
            && let Some(value) = value(sub, given, &format!("{place}.{}", sub.name))?
        {
            document.insert(sub.name.clone(), value);
        }
    }
    Ok(if document.is_empty() { None } else { Some(document.into()) })
}

fn object_of(place: &str, value: Value) -> Result<Map<String, Value>, Error> {
    match value {
        Value::Object(object) => Ok(object),
        Value::Null => Ok(Map::new()),
        other => Err(Error::invalid_value(format!(
            "`{}` must be an object, not {}",
            shorten(place),
            kind(&other)
        ))),
    }
}

/// The attributes of one object as the client spelled them, taken by name.
#[derive(Default)]
struct Given(Vec<(String, Value)>);

impl Given {
    fn put(&mut self, name: String, value: Value) -> Result<(), Error> {
        if self.0.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            return Err(Error::invalid_syntax(format!(
                "`{}` is given twice (attribute names ignore case)",
                shorten(&name)
            )));
        }
        self.0.push((name, value));
        Ok(())
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.0.iter().position(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(self.0.swap_remove(index).1)
    }

    /// The names that nothing took.
    fn names(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|(name, _)| shorten(&name))
    }
}
