//! Members through SCIM: create, replace, patch.
//!
//! Each function is one endpoint's change: it happens whole, with its audit
//! record, or not at all. A suspension (`active: false`) is a change like any
//! other here, on purpose: nothing may stand in its way.

use super::audit::{self, Action, Actor};
use super::change::{note_ignored, with_schemas};
use super::resource::{self, Document, Kind, Stored};
use super::{Context, Failure, departures, settings};
use crate::scim::{ingest, patch};
use serde_json::{Map, Value, json};

/// Adds a person, or brings a suspended one back.
///
/// A suspended member of the same `userName` whose `externalId` is equal, or
/// missing on either side, is reactivated with the attributes of the body, as
/// by PUT: providers that lost their link (OneLogin, Okta's re-assignment)
/// would be stuck at 409 for ever. A team that reads strictly answers 409.
///
/// # Errors
/// 400 for a body that is no User, 409 `uniqueness` if the name is taken.
pub fn create(
    context: &Context<'_>,
    actor: &Actor,
    body: Map<String, Value>,
) -> Result<Stored, Failure> {
    let user = context.resource_type(Kind::User);
    let ingested = ingest::resource(user, body)?;
    let mut document = ingested.document;
    document.entry("active").or_insert(Value::Bool(true));
    let document = with_schemas(user, document);
    context.transaction(|| {
        let user_name = document.get("userName").and_then(Value::as_str).unwrap_or_default();
        let stored = match resource::fetch_by_key(context, Kind::User, user_name)? {
            Some(stored) => {
                let old = stored.parse()?;
                let is_taken = stored.active || user.reading.is_strict();
                if is_taken || is_someone_else(&old, &document) {
                    return Err(resource::duplicate(Kind::User, &document).into());
                }
                change(context, actor, &stored, &old, &document)?
            }
            None => {
                let role = settings::read(context)?.default_role.as_str();
                let stored = resource::insert(context, Kind::User, &document, "scim", Some(role))?;
                context.sql.execute(
                    "UPDATE team SET first_user = ? WHERE first_user IS NULL",
                    &[context.now.0.into()],
                )?;
                let detail = json!({ "userName": user_name, "active": stored.active });
                audit::record(context, actor, Action::MemberProvisioned, &stored.id, &detail)?;
                stored
            }
        };
        note_ignored(context, actor, &stored, &ingested.ignored)?;
        Ok(stored)
    })
}

/// Replaces a person's attributes. Without `active` in the body the person
/// stays as they are: a template that lacks it must never revive anyone.
///
/// # Errors
/// 400 for a body that is no User, 404, 409 `uniqueness`, 412.
pub fn replace(
    context: &Context<'_>,
    actor: &Actor,
    id: &str,
    if_match: Option<&str>,
    body: Map<String, Value>,
) -> Result<Stored, Failure> {
    let user = context.resource_type(Kind::User);
    context.transaction(|| {
        let stored = resource::fetch_for_change(context, Kind::User, id, if_match)?;
        let ingested = ingest::resource(user, body)?;
        let old = stored.parse()?;
        let mut new = ingested.document;
        new.entry("active").or_insert(Value::Bool(stored.active));
        ingest::keep_immutable(user, &old, &mut new);
        let stored = change(context, actor, &stored, &old, &with_schemas(user, new))?;
        note_ignored(context, actor, &stored, &ingested.ignored)?;
        Ok(stored)
    })
}

/// Changes some of a person's attributes. Removing `active` removes the word,
/// not the state: who was suspended stays so.
///
/// # Errors
/// 400 for operations that cannot be applied, 404, 409 `uniqueness`, 412.
pub fn patch(
    context: &Context<'_>,
    actor: &Actor,
    id: &str,
    if_match: Option<&str>,
    body: Map<String, Value>,
) -> Result<Stored, Failure> {
    let user = context.resource_type(Kind::User);
    context.transaction(|| {
        let stored = resource::fetch_for_change(context, Kind::User, id, if_match)?;
        let patch = patch::parse(user, body)?;
        let old = stored.parse()?;
        let mut new = old.clone();
        for operation in &patch.operations {
            patch::apply(&mut new, operation)?;
        }
        ingest::check(user, &new)?;
        let new = ingest::in_schema_order(user, new);
        let stored = change(context, actor, &stored, &old, &with_schemas(user, new))?;
        note_ignored(context, actor, &stored, &patch.ignored)?;
        Ok(stored)
    })
}

/// Stores the new document, if it is one, and says in the audit what changed.
fn change(
    context: &Context<'_>,
    actor: &Actor,
    stored: &Stored,
    old: &Document,
    new: &Document,
) -> Result<Stored, Failure> {
    if old == new && stored.is_scim {
        return Ok(stored.clone());
    }
    ingest::check_change(context.resource_type(Kind::User), old, new)?;
    let changed = resource::update(context, stored, old, new, true)?;
    if !stored.is_scim {
        audit::record(context, actor, Action::MemberAdopted, &stored.id, &json!({}))?;
    }
    let action = match (stored.active, changed.active) {
        (true, false) => Action::MemberSuspended,
        (false, true) => Action::MemberReactivated,
        _ => Action::MemberUpdated,
    };
    let detail = json!({ "changed": audit::changes(old, new) });
    audit::record(context, actor, action, &stored.id, &detail)?;
    if action == Action::MemberSuspended {
        departures::count(context, actor)?;
    }
    Ok(changed)
}

/// Whether two documents carry different `externalId`s: the same name, but
/// given to another person.
fn is_someone_else(old: &Document, new: &Document) -> bool {
    match (old.get("externalId"), new.get("externalId")) {
        (Some(old), Some(new)) => old != new,
        _ => false,
    }
}
