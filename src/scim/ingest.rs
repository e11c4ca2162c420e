//! What clients send, made canonical (RFC 7643 section 2, RFC 7644 section 3.3).
//!
//! A body becomes a document: attributes under their published names, in the
//! schema's order, of the right types; nothing read-only, nothing unknown,
//! nothing empty (RFC 7643 section 2.5 makes `null`, `[]` and absence one).
//! Tolerances that real clients need are here, each beside the client that
//! needs it, so that nothing after this module knows of them; a team that reads
//! strictly has none of them.

mod elements;
mod given;
mod schemas;
mod value;

use super::Error;
use super::error::shorten;
use super::json::kind;
use super::schema::{Mutability, ResourceType, Schema};
pub use elements::{Identity, drop_repeated, is_bare, is_primary};
use given::{Given, given_twice};
use serde_json::{Map, Value};
pub use value::{IDENTIFIER_BYTES_MAX, TEXT_BYTES_MAX, element, value};

/// Values of one attribute that are kept with a resource. People have a dozen;
/// a group's members are not among them.
pub const VALUES_MAX: usize = 1_000;
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
    let reading = resource_type.reading;
    if reading.is_strict() {
        schemas::check(resource_type, &body)?;
    }
    let mut given = Given::default();
    let mut extensions: Vec<(&Schema, Value)> = Vec::new();
    for (name, value) in body {
        if let Some(extension) = resource_type.extension(&name) {
            if extensions.iter().any(|(other, _)| other.id == extension.id) {
                return Err(given_twice(&name));
            }
            extensions.push((extension, value));
        } else if resource_type.is_core(&name) && !reading.is_strict() {
            // Some clients nest the core attributes under the core schema's URN.
            for (name, value) in object_of(&name, value)? {
                given.put(name, value)?;
            }
        } else {
            given.put(name, value)?;
        }
    }
    let mut ingested = Ingested::default();
    let attributes = resource_type.plain_attributes();
    ingested.document = value::members(attributes, &mut given, reading, "")?;
    ingested.document.shift_remove("schemas");
    ingested.ignored.extend(given.left(reading, resource_type.name)?);
    for (extension, content) in extensions {
        let mut given = Given::of(object_of(&extension.id, content)?)?;
        let document = value::members(extension.attributes.iter(), &mut given, reading, "")?;
        let left = given.left(reading, &extension.id)?;
        ingested.ignored.extend(left.map(|name| format!("{}:{name}", extension.id)));
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

/// Whether a document may stand: every required attribute has a value, and no
/// attribute more values than are kept.
///
/// # Errors
/// 400 `invalidValue` that names the attribute.
pub fn check(resource_type: &ResourceType, document: &Map<String, Value>) -> Result<(), Error> {
    check_counts(document)?;
    for extension in &resource_type.extensions {
        if let Some(Value::Object(own)) = document.get(&extension.id) {
            check_counts(own)?;
        }
    }
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

/// Gives a document that replaces another what is immutable and was set
/// already, where it does not say: a client need not repeat what it cannot
/// change.
pub fn keep_immutable(
    resource_type: &ResourceType,
    old: &Map<String, Value>,
    new: &mut Map<String, Value>,
) {
    for (urn, name, value) in immutable(resource_type, old) {
        let holder = new.entry(urn).or_insert_with(|| Map::new().into());
        if let Value::Object(holder) = holder {
            holder.entry(name).or_insert_with(|| value.clone());
        }
    }
}

/// Whether a document may become another: what is immutable keeps the value
/// that it once got (RFC 7643 section 7).
///
/// # Errors
/// 400 `mutability` that names the attribute.
pub fn check_change(
    resource_type: &ResourceType,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<(), Error> {
    for (urn, name, value) in immutable(resource_type, old) {
        if new.get(urn).and_then(|own| own.get(name)) != Some(value) {
            let detail = format!("`{urn}:{name}` is immutable and has a value already");
            return Err(Error::mutability(detail));
        }
    }
    Ok(())
}

/// The immutable attributes that have a value: their extension, name and
/// value. Of the built-in ones only sub-attributes are immutable.
fn immutable<'d>(
    resource_type: &'d ResourceType,
    document: &'d Map<String, Value>,
) -> impl Iterator<Item = (&'d str, &'d str, &'d Value)> {
    resource_type.extensions.iter().flat_map(move |schema| {
        let own = document.get(&schema.id);
        let attributes = schema.attributes.iter();
        let immutable = attributes.filter(|own| own.mutability == Mutability::Immutable);
        immutable.filter_map(move |attribute| {
            let value = own?.get(&attribute.name)?;
            Some((schema.id.as_str(), attribute.name.as_str(), value))
        })
    })
}

/// Members of a group are rows of their own; any other list is kept with its
/// resource.
fn check_counts(holder: &Map<String, Value>) -> Result<(), Error> {
    for (name, value) in holder.iter().filter(|(name, _)| *name != "members") {
        if let Value::Array(elements) = value
            && elements.len() > VALUES_MAX
        {
            return Err(Error::invalid_value(format!(
                "`{name}` has {} values; at most {VALUES_MAX} are kept",
                elements.len()
            )));
        }
    }
    Ok(())
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
