//! Who somebody's manager is, as the enterprise extension shows it (RFC 7643 section
//! 4.3): `$ref` and `displayName` are read of the manager, and never stored.

use super::resource::{Document, Kind, Stored};
use super::{Context, Fault, render};
use crate::scim::urn;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The managers of those who have one in the team, by their rows, read together: in many
/// a company everybody has one. A manager from elsewhere stays the value that was given.
pub(super) fn managers_of(
    context: &Context<'_>,
    resources: &[&Stored],
) -> Result<HashMap<i64, Value>, Fault> {
    let mut managed = Vec::new();
    for stored in resources {
        managed.extend(given(stored)?);
    }
    if managed.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Value = managed.iter().map(|own| own.manager.as_str()).collect();
    let mut names = HashMap::new();
    context.sql.each(
        "SELECT r.id, r.display FROM json_each(?) AS wanted
         CROSS JOIN resource AS r ON r.type = 'User' AND r.id = wanted.value",
        &[ids.to_string().into()],
        &mut |mut row| {
            names.insert(row.text()?, row.text()?);
            Ok(())
        },
    )?;
    let shown = |Managed { seq, manager, mut given }: Managed| {
        given.insert("displayName".into(), names.get(&manager)?.as_str().into());
        given.insert("$ref".into(), render::location(context, Kind::User, &manager).into());
        Some((seq, given.into()))
    };
    Ok(managed.into_iter().filter_map(shown).collect())
}

/// Somebody who has a manager.
struct Managed {
    seq: i64,
    /// The manager's id.
    manager: String,
    /// What was given of the manager.
    given: Map<String, Value>,
}

fn given(stored: &Stored) -> Result<Option<Managed>, Fault> {
    // Most resources are not parsed for this.
    if stored.kind != Kind::User || !stored.document.contains("\"manager\":{") {
        return Ok(None);
    }
    let mut document: Document = stored.parse()?;
    let own = document.get_mut(urn::ENTERPRISE_USER).and_then(Value::as_object_mut);
    let Some(Value::Object(given)) = own.and_then(|own| own.shift_remove("manager")) else {
        return Ok(None);
    };
    let manager = given.get("value").and_then(Value::as_str).map(str::to_owned);
    Ok(manager.map(|manager| Managed { seq: stored.seq, manager, given }))
}
