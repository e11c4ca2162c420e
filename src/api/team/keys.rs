//! SCIM switched on and off, and the keys of identity providers.

use super::{Answer, Call, ok, page};
use crate::api::{body, problem};
use crate::directory::credential::Minted;
use crate::directory::keys::{self, Key};
use crate::directory::problem::Problem;
use crate::directory::team::{self, Team};
use crate::scim::Timestamp;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

fn scim(call: &Call<'_>, team: &Team) -> Answer {
    let keys = keys::list(call.context)?;
    let last_used = keys.iter().filter_map(|key| key.last_used).max();
    let progress = team::progress(call.context)?;
    let shown = |at: Option<Timestamp>| at.map(|at| at.to_string());
    ok(&json!({
        "enabled": team.scim_enabled,
        "baseUrl": format!("{}/scim/v2", call.context.deployment.base_url),
        "keyGenerated": !keys.is_empty(),
        "lastUsedAt": shown(last_used),
        "firstProbeAt": shown(progress.probed),
        "firstProbeBy": Some(progress.probed_by).filter(|client| !client.is_empty()),
        "firstUserAt": shown(progress.first_user),
    }))
}

pub(super) fn read_scim(call: &Call<'_>) -> Answer {
    scim(call, &call.team)
}

pub(super) fn enable_scim(call: &Call<'_>) -> Answer {
    scim(call, &team::set_scim(call.context, &call.actor, true)?)
}

pub(super) fn disable_scim(call: &Call<'_>) -> Answer {
    scim(call, &team::set_scim(call.context, &call.actor, false)?)
}

fn shown(key: &Key) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "state": key.state.name(),
        "createdAt": key.created.to_string(),
        "createdBy": key.created_by,
        "expiresAt": key.expires.map(|at| at.to_string()),
        "lastUsedAt": key.last_used.map(|at| at.to_string()),
        "lastUsedBy": Some(&key.last_client).filter(|client| !client.is_empty()),
        "lastUsedFrom": Some(&key.last_country).filter(|country| !country.is_empty()),
    })
}

/// A new key with its secret, which is shown here and never again.
fn shown_once(key: &Key, minted: Minted) -> Response<Vec<u8>> {
    let mut body = shown(key);
    if let Value::Object(body) = &mut body {
        body.insert("key".into(), minted.text.into());
    }
    problem::answer(StatusCode::CREATED, &body)
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let (keys, next) = page(call, keys::list(call.context)?, |key| &key.id)?;
    ok(&json!({ "keys": keys.iter().map(shown).collect::<Vec<_>>(), "next": next }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewKey {
    name: String,
    expires_at: Option<String>,
}

pub(super) fn generate(call: &Call<'_>) -> Answer {
    let new: NewKey = body::read(&call.body)?;
    let expires = match &new.expires_at {
        None => None,
        Some(text) => Some(Timestamp::parse(text).ok_or_else(|| {
            Problem::invalid("`expiresAt` must be a time such as \"2027-01-31T00:00:00Z\"")
        })?),
    };
    let (key, minted) = keys::generate(call.context, &call.actor, &call.id, &new.name, expires)?;
    Ok(shown_once(&key, minted))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Regenerate {
    grace_seconds: i64,
}

pub(super) fn regenerate(call: &Call<'_>) -> Answer {
    let asked: Regenerate = body::read(&call.body)?;
    let (key, minted) =
        keys::regenerate(call.context, &call.actor, &call.id, call.last(), asked.grace_seconds)?;
    Ok(shown_once(&key, minted))
}

pub(super) fn revoke(call: &Call<'_>) -> Answer {
    keys::revoke(call.context, &call.actor, call.last())?;
    Ok(problem::empty())
}
