//! The `lookup` table: values that equality finds without a scan.
//!
//! Each attribute that it serves has a key a value there, folded as filters
//! fold and cut to a length, since a filter looks at the whole value of all
//! that the table finds. Which attributes those are is the team's `schemas`.

use super::resource::{Document, Kind};
use super::schemas::{Registered, Schemas};
use super::sql::SqlError;
use super::{Context, Timestamp};
use crate::scim::filter::{Literal, fold};
use crate::scim::path::Path;
use crate::scim::schema::{self, Attribute, ResourceType, Schema, Type};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Characters of a value that its key has: an address or an identifier whole.
pub(super) const KEY_CHARS_MAX: usize = 256;

/// An attribute whose values stand in the `lookup` table.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// What the table calls the attribute.
    pub(super) name: String,
    /// Whether every value there is, is there.
    pub(super) is_ready: bool,
    pub(super) of_users: bool,
    pub(super) of_groups: bool,
    extension: Option<Arc<Schema>>,
    attribute: String,
    sub: Option<String>,
}

/// Those that every team has.
pub(super) fn built_in() -> Vec<Lookup> {
    // A group's `displayName` is what it is unique by, and has an index of its own.
    [("externalId", None, true), ("displayName", None, false), ("emails", Some("value"), false)]
        .into_iter()
        .map(|(attribute, sub, of_groups)| Lookup {
            name: attribute.to_owned(),
            is_ready: true,
            of_users: true,
            of_groups,
            extension: None,
            attribute: attribute.to_owned(),
            sub: sub.map(str::to_owned),
        })
        .collect()
}

/// What the table calls an attribute of a registered extension.
pub(super) fn index_name(extension: i64, name: &str) -> String {
    format!("x{extension}.{name}")
}

impl Lookup {
    /// The lookup of an attribute of a registered extension, or of a
    /// sub-attribute after a dot.
    pub(super) fn of(own: &Registered, name: &str, is_ready: bool) -> Self {
        let (attribute, sub) = match name.split_once('.') {
            Some((attribute, sub)) => (attribute, Some(sub.to_owned())),
            None => (name, None),
        };
        Self {
            name: index_name(own.seq, name),
            is_ready,
            of_users: own.of_users,
            of_groups: own.of_groups,
            extension: Some(Arc::clone(&own.schema)),
            attribute: attribute.to_owned(),
            sub,
        }
    }

    /// Whether it has the values of this path.
    pub(super) fn is_for(&self, path: &Path<'_>) -> bool {
        let same_extension = match (&self.extension, path.extension) {
            (None, None) => true,
            (Some(own), Some(other)) => own.id == other.id,
            _ => false,
        };
        same_extension
            && path.attribute.name == self.attribute
            && path.sub.map(|sub| sub.name.as_str()) == self.sub.as_deref()
    }

    /// The keys of a document's values, in the document's order.
    pub(super) fn keys(&self, kind: &ResourceType, document: &Map<String, Value>) -> Vec<String> {
        let (holder, attribute) = match &self.extension {
            None => (Some(document), kind.attribute(&self.attribute)),
            Some(own) => (
                document.get(&own.id).and_then(Value::as_object),
                schema::find(&own.attributes, &self.attribute),
            ),
        };
        let (Some(holder), Some(attribute)) = (holder, attribute) else { return Vec::new() };
        let leaf = match &self.sub {
            None => attribute,
            Some(sub) => match attribute.sub(sub) {
                Some(sub) => sub,
                None => return Vec::new(),
            },
        };
        let elements = match holder.get(&self.attribute) {
            Some(Value::Array(elements)) => elements.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        let values = elements.iter().filter_map(|element| match &self.sub {
            None => Some(element),
            Some(sub) => element.get(sub),
        });
        values.filter_map(|value| key_of(leaf, value)).collect()
    }
}

/// The key of a stored value.
fn key_of(leaf: &Attribute, value: &Value) -> Option<String> {
    match value {
        Value::String(text) if leaf.kind == Type::DateTime => {
            Timestamp::parse(text).map(|instant| instant.0.to_string())
        }
        Value::String(text) => Some(text_key(text, leaf.case_exact)),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => number.as_f64().map(number_key),
        _ => None,
    }
}

/// The key of a value that a filter compares with.
pub(super) fn key_of_literal(leaf: &Attribute, literal: &Literal) -> Option<String> {
    match literal {
        Literal::Null => None,
        Literal::Boolean(value) => Some(value.to_string()),
        Literal::Number(number) => Some(number_key(*number)),
        Literal::Time(instant) => Some(instant.0.to_string()),
        Literal::Text(text) => Some(text_key(&text.given, leaf.case_exact)),
    }
}

/// Zero is one number, whatever its sign.
fn number_key(number: f64) -> String {
    (number + 0.0).to_string()
}

fn text_key(value: &str, case_exact: bool) -> String {
    let folded = if case_exact { value.to_owned() } else { fold(value) };
    match folded.char_indices().nth(KEY_CHARS_MAX) {
        Some((end, _)) => folded.get(..end).unwrap_or_default().to_owned(),
        None => folded,
    }
}

/// What the table has of a resource: the attribute's name there, and a key.
pub(super) type Entries = BTreeSet<(String, String)>;

/// What the table is to have of a document.
pub(super) fn entries(schemas: &Schemas, kind: Kind, document: &Document) -> Entries {
    let resource_type = schemas.resource_type(kind);
    schemas
        .lookups(kind)
        .flat_map(|lookup| {
            let keys = lookup.keys(resource_type, document);
            keys.into_iter().map(|key| (lookup.name.clone(), key))
        })
        .collect()
}

/// Brings a resource's entries from what they were to what they are to be.
pub(super) fn change(
    context: &Context<'_>,
    seq: i64,
    before: &Entries,
    after: &Entries,
) -> Result<(), SqlError> {
    for (name, key) in before.difference(after) {
        context.sql.execute(
            "DELETE FROM lookup WHERE attribute = ? AND key = ? AND seq = ?",
            &[name.as_str().into(), key.as_str().into(), seq.into()],
        )?;
    }
    let added: Vec<_> = after.difference(before).collect();
    if added.is_empty() {
        return Ok(());
    }
    let list = serde_json::json!(added).to_string();
    // Filling an index may have been here already.
    context.sql.execute(
        "INSERT INTO lookup (attribute, key, seq) SELECT value ->> 0, value ->> 1, ?
         FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
        &[seq.into(), list.into()],
    )
}
