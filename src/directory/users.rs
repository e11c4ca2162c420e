//! Members through SCIM: create, replace, patch.
//!
//! Each function is one endpoint's change with its audit record, in the caller's
//! transaction: it happens whole or not at all. A suspension (`active: false`) is a
//! change like any other here, on purpose: nothing may stand in its way.

use super::audit::{self, Action, Actor};
use super::change::{note_ignored, with_schemas};
use super::resource::{self, Document, Kind, Stored};
use super::{Context, Failure, Fault, departures, settings};
use crate::scim::{Error, ScimType, ingest, patch};
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
    let (settings, is_first) = context
        .sql
        .first("SELECT settings, first_user IS NULL FROM team", &[], |mut row| {
            Ok((row.text()?, row.boolean()?))
        })?
        .ok_or_else(|| Fault::new("no team"))?;
    let role = settings::parse(&settings)?.default_role.as_str();
    let stored = match resource::insert(context, Kind::User, &document, "scim", Some(role)) {
        Ok(stored) => {
            if is_first {
                let first = "UPDATE team SET first_user = ?";
                context.sql.execute(first, &[context.now.0.into()])?;
            }
            let detail = json!({ "userName": document.get("userName"), "active": stored.active });
            audit::record(context, actor, Action::MemberProvisioned, &stored.id, &detail)?;
            stored
        }
        Err(Failure::Refused(error)) if error.scim_type() == Some(ScimType::Uniqueness) => {
            bring_back(context, actor, &document, error)?
        }
        Err(failure) => return Err(failure),
    };
    note_ignored(context, actor, &stored, &ingested.ignored)?;
    Ok(stored)
}

/// Brings back who has the name of a document, if they are suspended and may be meant;
/// else that it is taken is the answer.
fn bring_back(
    context: &Context<'_>,
    actor: &Actor,
    document: &Document,
    taken: Error,
) -> Result<Stored, Failure> {
    let user_name = document.get("userName").and_then(Value::as_str).unwrap_or_default();
    let Some(stored) = resource::fetch_by_key(context, Kind::User, user_name)? else {
        return Err(taken.into());
    };
    let old = stored.parse()?;
    let is_strict = context.resource_type(Kind::User).reading.is_strict();
    if stored.active || is_strict || is_someone_else(&old, document) {
        return Err(taken.into());
    }
    change(context, actor, &stored, &old, document)
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
    let stored = resource::fetch_for_change(context, Kind::User, id, if_match)?;
    let ingested = ingest::resource(user, body)?;
    let old = stored.parse()?;
    let mut new = ingested.document;
    new.entry("active").or_insert(Value::Bool(stored.active));
    ingest::keep_immutable(user, &old, &mut new);
    let stored = change(context, actor, &stored, &old, &with_schemas(user, new))?;
    note_ignored(context, actor, &stored, &ingested.ignored)?;
    Ok(stored)
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
