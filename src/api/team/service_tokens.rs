//! Tokens for kafkaman's other services.

use super::{Answer, Call, ok, page};
use crate::api::{body, problem};
use crate::directory::credential::Minted;
use crate::directory::service_tokens::{self, Scope, ServiceToken};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A token without its secret.
pub(in crate::api) fn shown(token: &ServiceToken) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes.split(' ').collect::<Vec<_>>(),
        "state": if token.is_revoked { "revoked" } else { "active" },
        "createdAt": token.created.to_string(),
        "createdBy": token.created_by,
        "lastUsedAt": token.last_used.map(|at| at.to_string()),
    })
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let (tokens, next) = page(call, service_tokens::list(call.context)?, |token| &token.id)?;
    ok(&json!({ "serviceTokens": tokens.iter().map(shown).collect::<Vec<_>>(), "next": next }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    name: String,
    scopes: BTreeSet<Scope>,
}

/// A new token with its secret, which is shown here and never again.
pub(super) fn issue(call: &Call<'_>) -> Answer {
    let asked: Issue = body::read(&call.body)?;
    let (token, minted) =
        service_tokens::issue(call.context, &call.actor, &call.id, &asked.name, &asked.scopes)?;
    Ok(problem::answer(StatusCode::CREATED, &shown_once(&token, minted)))
}

/// A token with its secret.
pub(in crate::api) fn shown_once(token: &ServiceToken, minted: Minted) -> Value {
    let mut body = shown(token);
    if let Value::Object(body) = &mut body {
        body.insert("token".into(), minted.text.into());
    }
    body
}

pub(super) fn revoke(call: &Call<'_>) -> Answer {
    service_tokens::revoke(call.context, &call.actor, call.last())?;
    Ok(problem::empty())
}
