//! Tokens for kafkaman's other services: the login service opens and asks about
//! sessions, others ask what a member may do. A token says what it is good for.

use super::audit::{self, Action, Actor};
use super::credential::{self, Kind, Minted};
use super::problem::{self, Problem};
use super::sql::SqlError;
use super::team_id::TeamId;
use super::tokens::{self, NewToken};
use super::{Context, Failure, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;

/// Tokens that work at once.
const LIVE_MAX: usize = 20;
/// Characters in a token's name.
const NAME_CHARS_MAX: usize = 100;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Opening, asking about and ending sessions.
    Sessions,
    /// Asking what a member may do.
    Policy,
}

impl Scope {
    /// The name that is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Policy => "policy",
        }
    }
}

/// A token, without its secret.
#[derive(Clone, Debug)]
pub struct ServiceToken {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is good for, separated by spaces.
    pub scopes: String,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it, as `kind:id`.
    pub created_by: String,
    /// Whether it was revoked.
    pub is_revoked: bool,
    /// When it was last used, to five minutes.
    pub last_used: Option<Timestamp>,
}

/// Makes a token.
///
/// # Errors
/// `invalid` for a name that cannot be or no scope, `too_many_tokens`.
pub fn issue(
    context: &Context<'_>,
    actor: &Actor,
    team: &TeamId,
    name: &str,
    scopes: &BTreeSet<Scope>,
) -> Result<(ServiceToken, Minted), Failure<Problem>> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let message = format!("`name` must have 1 to {NAME_CHARS_MAX} characters");
        return Err(Problem::invalid(message).into());
    }
    if scopes.is_empty() {
        return Err(Problem::invalid("`scopes` must name sessions, policy or both").into());
    }
    let scopes = scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ");
    context.transaction(|| {
        if list(context)?.iter().filter(|token| !token.is_revoked).count() >= LIVE_MAX {
            let message =
                format!("a team has at most {LIVE_MAX} service tokens that work; revoke one first");
            let kind = problem::Kind::Conflict;
            return Err(Problem::new(kind, "too_many_tokens", message).into());
        }
        let minted = credential::mint(context, Kind::Service, team)?;
        let new =
            NewToken { kind: Kind::Service, name, member: None, expires: None, scopes: &scopes };
        tokens::store(context, &minted, actor, &new)?;
        let detail = json!({ "name": name, "scopes": scopes });
        audit::record(context, actor, Action::ServiceTokenIssued, &minted.id, &detail)?;
        let token = ServiceToken {
            id: minted.id.clone(),
            name: name.to_owned(),
            scopes,
            created: context.now,
            created_by: actor.to_string(),
            is_revoked: false,
            last_used: None,
        };
        Ok((token, minted))
    })
}

/// Revokes a token: it fails from the next request on. Once is enough.
///
/// # Errors
/// `token_not_found`.
pub fn revoke(context: &Context<'_>, actor: &Actor, id: &str) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        let Some(token) = list(context)?.into_iter().find(|token| token.id == id) else {
            let message = "the team has no service token with this id";
            let kind = problem::Kind::NotFound;
            return Err(Problem::new(kind, "token_not_found", message).into());
        };
        if token.is_revoked {
            return Ok(());
        }
        context.sql.execute(
            "UPDATE credential SET revoked = ? WHERE id = ?",
            &[context.now.0.into(), id.into()],
        )?;
        Ok(audit::record(context, actor, Action::ServiceTokenRevoked, id, &json!({}))?)
    })
}

/// All tokens, the newest first.
pub fn list(context: &Context<'_>) -> Result<Vec<ServiceToken>, SqlError> {
    context.sql.all(
        "SELECT id, name, scopes, created, created_by, revoked, last_used FROM credential
         WHERE kind = 'service' ORDER BY created DESC, id",
        &[],
        |mut row| {
            Ok(ServiceToken {
                id: row.text()?,
                name: row.text()?,
                scopes: row.text()?,
                created: Timestamp(row.integer()?),
                created_by: row.text()?,
                is_revoked: row.optional_integer()?.is_some(),
                last_used: row.optional_integer()?.map(Timestamp),
            })
        },
    )
}
