//! What changes of people and of groups have in common: deletion, true
//! `schemas`, and what the audit says of them. In the caller's transaction.

use super::audit::{self, Action, Actor};
use super::membership;
use super::resource::{self, Document, Kind, Stored};
use super::{Context, Failure, Fault, departures};
use crate::scim::schema::ResourceType;
use serde_json::{Map, Value, json};

/// Names of ignored attributes that the audit lists.
const IGNORED_SHOWN: usize = 50;

/// Removes a person or group: out of SCIM, out of every group, the name free
/// again. The members of a group stay in the team.
///
/// # Errors
/// 404, 412.
pub fn delete(
    context: &Context<'_>,
    actor: &Actor,
    kind: Kind,
    id: &str,
    if_match: Option<&str>,
) -> Result<(), Failure> {
    let stored = resource::fetch_for_change(context, kind, id, if_match)?;
    if kind == Kind::User {
        departures::keep(context, actor, &stored)?;
    }
    membership::forget(context, stored.seq)?;
    resource::delete(context, &stored)?;
    let action = match kind {
        Kind::User => Action::MemberDeleted,
        Kind::Group => Action::GroupDeleted,
    };
    audit::record(context, actor, action, id, &named(&stored)?)?;
    if kind == Kind::User && stored.active {
        departures::count(context, actor)?;
    }
    Ok(())
}

/// The name by which the audit knows a resource that is no more.
pub(super) fn named(stored: &Stored) -> Result<Value, Fault> {
    let attribute = stored.kind.key_attribute();
    let name = stored.parse()?.get(attribute).cloned().unwrap_or_default();
    Ok(Map::from_iter([(attribute.to_owned(), name)]).into())
}

/// The document with its true `schemas`, first: the core schema, and each
/// extension that has a value (RFC 7643 section 3).
pub(super) fn with_schemas(resource_type: &ResourceType, document: Document) -> Document {
    let mut urns = vec![resource_type.core.id.as_str()];
    for extension in &resource_type.extensions {
        if document.contains_key(&extension.id) {
            urns.push(&extension.id);
        }
    }
    let mut whole = Map::with_capacity(document.len().saturating_add(1));
    whole.insert("schemas".into(), urns.into());
    whole.extend(document.into_iter().filter(|(name, _)| name != "schemas"));
    whole
}

/// Records attributes that no schema has, so that an admin who wonders where
/// they went can find out.
pub(super) fn note_ignored(
    context: &Context<'_>,
    actor: &Actor,
    stored: &Stored,
    ignored: &[String],
) -> Result<(), Failure> {
    if ignored.is_empty() {
        return Ok(());
    }
    let (shown, more) = ignored.split_at(ignored.len().min(IGNORED_SHOWN));
    let detail = match more.len() {
        0 => json!({ "attributes": shown }),
        more => json!({ "attributes": shown, "more": more }),
    };
    audit::record(context, actor, Action::AttributesIgnored, &stored.id, &detail)?;
    Ok(())
}
