//! What resources have of a team's own extensions: rows beside the document.
//!
//! A resource is read with them merged into its document and written with them
//! split off again, so that nothing else knows of it; and removing a schema
//! rewrites nobody: its rows are no longer read, and go when they are purged.

use super::resource::{Document, Kind};
use super::schemas::Schemas;
use super::sql::SqlError;
use super::{Context, Failure};
use crate::scim::Error;
use serde_json::{Map, Value};

/// Bytes of a resource. A photograph and certificates inline have half of it,
/// and a page of 200 such stays within an object's memory.
const RESOURCE_BYTES_MAX: usize = 256 << 10;

/// The text of a whole document, as it is rendered.
///
/// # Errors
/// 400 `invalidValue` if it is larger than is kept.
pub(super) fn whole_text(document: &Document) -> Result<String, Failure> {
    let text = Value::Object(document.clone()).to_string();
    if text.len() > RESOURCE_BYTES_MAX {
        let bytes = text.len();
        let detail =
            format!("the resource would have {bytes} bytes; at most {RESOURCE_BYTES_MAX} are kept");
        return Err(Error::invalid_value(detail).into());
    }
    Ok(text)
}

/// The text that the resource's row keeps; `whole` if all of it is.
pub(super) fn own_text(schemas: &Schemas, kind: Kind, document: &Document, whole: &str) -> String {
    let mut kept = document.clone();
    for own in schemas.own(kind) {
        kept.shift_remove(&own.schema.id);
    }
    if kept.len() == document.len() {
        return whole.to_owned();
    }
    if let Some(Value::Array(urns)) = kept.get_mut("schemas") {
        urns.retain(|urn| schemas.own(kind).all(|own| *urn != *own.schema.id));
    }
    Value::Object(kept).to_string()
}

/// A document with the values of extensions, if there are any: an object by URN in JSON.
pub(super) fn merged(document: String, values: Option<String>) -> Result<String, SqlError> {
    let Some(values) = values.filter(|values| values != "{}") else { return Ok(document) };
    let broken = |_| SqlError::new("a stored document is not a JSON object");
    let mut whole: Map<String, Value> = serde_json::from_str(&document).map_err(broken)?;
    let values: Map<String, Value> = serde_json::from_str(&values).map_err(broken)?;
    if let Some(Value::Array(urns)) = whole.get_mut("schemas") {
        urns.extend(values.keys().map(|urn| urn.as_str().into()));
    }
    whole.extend(values);
    Ok(Value::Object(whole).to_string())
}

/// Brings a resource's rows from what they were to what they are to be.
pub(super) fn change(
    context: &Context<'_>,
    kind: Kind,
    seq: i64,
    before: &Document,
    after: &Document,
) -> Result<(), SqlError> {
    for own in context.schemas.own(kind) {
        let urn = &own.schema.id;
        match (before.get(urn), after.get(urn)) {
            (before, after) if before == after => {}
            (_, Some(value)) => context.sql.execute(
                "INSERT INTO extension_value (seq, extension, document) VALUES (?, ?, ?)
                 ON CONFLICT DO UPDATE SET document = excluded.document",
                &[seq.into(), own.seq.into(), value.to_string().into()],
            )?,
            (_, None) => context.sql.execute(
                "DELETE FROM extension_value WHERE seq = ? AND extension = ?",
                &[seq.into(), own.seq.into()],
            )?,
        }
    }
    Ok(())
}

/// Removes all that a resource has, of whatever extension.
pub(super) fn forget(context: &Context<'_>, seq: i64) -> Result<(), SqlError> {
    if !context.schemas.has_values() {
        return Ok(());
    }
    context.sql.execute("DELETE FROM extension_value WHERE seq = ?", &[seq.into()])
}
