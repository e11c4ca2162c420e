//! A provider ends sessions: by a logout token of OpenID Connect Back-Channel
//! Logout, or by Global Token Revocation, as Okta's Universal Logout sends it.
//!
//! Either is a request that nobody is signed in for: it counts by the provider's
//! signature alone.

use super::callback::fetch_keys;
use super::{
    Carry, Found, Result, Step, changed, configured, document, forbidden, member, provider, told,
};
use crate::directory::credential::{hex, sha256};
use crate::directory::problem::Problem;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, members};
use crate::oidc::jws::{Checked, Token};
use crate::oidc::{Refusal, id_token, logout};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// For how long a token is remembered: longer than one is taken.
const REMEMBERED_MS: i64 = 60 * 60 * 1000;

/// What was asked for.
#[derive(Debug, Deserialize, Serialize)]
pub enum Order {
    /// A logout token.
    BackChannel(String),
    /// A signed request, and whom it is about.
    Global(String, Subject),
}

/// Whom a revocation is about (RFC 9493 sections 3.2.2 and 3.2.3).
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum Subject {
    /// The provider's name for a person.
    IssSub {
        /// The provider.
        iss: String,
        /// The name.
        sub: String,
    },
    /// An address.
    Email {
        /// It.
        email: String,
    },
}

/// Obeys a logout token.
///
/// # Errors
/// Why it is not believed.
pub fn back_channel(context: &Context<'_>, id: &TeamId, token: &str) -> Result {
    carry_out(context, id, Order::BackChannel(token.to_owned()), false)
}

/// Obeys a revocation.
///
/// # Errors
/// Why it is not believed; `member_not_found`.
pub fn global_revocation(
    context: &Context<'_>,
    id: &TeamId,
    token: &str,
    subject: Subject,
) -> Result {
    carry_out(context, id, Order::Global(token.to_owned(), subject), false)
}

/// Goes on after the provider's document was fetched.
pub(super) fn with_document(
    context: &Context<'_>,
    id: &TeamId,
    order: Order,
    found: &Found,
) -> Result {
    let issuer = configured(context)?.settings.issuer;
    if let Err(failure) = provider::keep_document(context, &issuer, found) {
        provider::remember_failure(context, &issuer, "document")?;
        return Err(told(failure));
    }
    carry_out(context, id, order, false)
}

/// Goes on after the keys of a provider were fetched.
pub(super) fn with_keys(
    context: &Context<'_>,
    id: &TeamId,
    order: Order,
    issuer: &str,
    found: &Found,
) -> Result {
    if configured(context)?.settings.issuer != issuer {
        return Err(changed().into());
    }
    if let Err(failure) = provider::keep_keys(context, issuer, found) {
        provider::remember_failure(context, issuer, "keys")?;
        return Err(told(failure));
    }
    carry_out(context, id, order, true)
}

fn refused(refusal: Refusal) -> Failure<Problem> {
    told(Failure::Refused(refusal))
}

fn carry_out(context: &Context<'_>, id: &TeamId, order: Order, has_fetched: bool) -> Result {
    let issuer = configured(context)?.settings.issuer;
    if provider::document(context, &issuer)?.is_none() {
        // What is no token at all sends us nowhere.
        Token::read(order.token()).map_err(refused)?;
        provider::may_fetch(context, &issuer, "document").map_err(told)?;
        return Ok(document(&issuer, Carry::RevokeDocument(order)));
    }
    let (keys, may_fetch) = provider::keys(context, &issuer)?;
    let token = Token::read(order.token()).map_err(refused)?;
    let claims = match token.check(&keys).map_err(refused)? {
        Checked::Claims(claims) => claims,
        Checked::UnknownKey if may_fetch && !has_fetched => {
            provider::may_fetch(context, &issuer, "keys").map_err(told)?;
            return fetch_keys(context, &issuer, Carry::RevokeKeys(order, issuer.clone()));
        }
        Checked::UnknownKey => {
            let message = "The token is signed with a key that the provider does not publish.";
            return Err(forbidden("key", message).into());
        }
    };
    if token.kind.as_deref().is_some_and(|kind| !order.may_be(kind)) {
        return Err(forbidden("not_a_logout", "The token is of another kind.").into());
    }
    match order {
        Order::BackChannel(_) => {
            log_out(context, &claims)?;
            Ok(Step::LoggedOut)
        }
        Order::Global(text, subject) => {
            revoke(context, id, &claims, &text, &subject)?;
            Ok(Step::Revoked)
        }
    }
}

impl Order {
    fn token(&self) -> &str {
        match self {
            Self::BackChannel(token) | Self::Global(token, _) => token,
        }
    }

    fn may_be(&self, kind: &str) -> bool {
        let own = match self {
            Self::BackChannel(_) => "logout+jwt",
            Self::Global(..) => "global-token-revocation+jwt",
        };
        kind.eq_ignore_ascii_case(own) || kind.eq_ignore_ascii_case("JWT")
    }
}

fn seconds(context: &Context<'_>) -> i64 {
    context.now.0.div_euclid(1000)
}

/// Refuses a token that was obeyed before.
fn once(context: &Context<'_>, token_id: &str) -> std::result::Result<(), Failure<Problem>> {
    let fresh = context.sql.all(
        "INSERT INTO logout (token, expires) VALUES (?, ?) ON CONFLICT DO NOTHING
         RETURNING token",
        &[token_id.into(), context.now.plus(REMEMBERED_MS).0.into()],
        |mut row| row.text(),
    )?;
    if fresh.is_empty() {
        return Err(forbidden("replayed", "The token was used before.").into());
    }
    Ok(())
}

fn log_out(
    context: &Context<'_>,
    claims: &Map<String, Value>,
) -> std::result::Result<(), Failure<Problem>> {
    let settings = configured(context)?.settings;
    let client_id = settings.client_id.as_deref().unwrap_or_default();
    let logout =
        logout::read(claims, &settings.issuer, client_id, seconds(context)).map_err(refused)?;
    context.transaction(|| {
        once(context, &logout.token_id)?;
        match member::of_subject(context, &settings.issuer, &logout.subject)? {
            Some(member) => member::sign_out(context, &member),
            // Who never signed in here has nothing to end.
            None => Ok(()),
        }
    })
}

fn revoke(
    context: &Context<'_>,
    id: &TeamId,
    claims: &Map<String, Value>,
    token: &str,
    subject: &Subject,
) -> std::result::Result<(), Failure<Problem>> {
    let issuer = configured(context)?.settings.issuer;
    let audience = format!("{}/teams/{id}/sign-in/revoke", context.deployment.base_url);
    id_token::signed_request(claims, &issuer, &audience, seconds(context)).map_err(refused)?;
    // The token does not say whom the request is about, so that another request could
    // carry it again. One without an id of its own is known by its text.
    let named = claims.get("jti").and_then(Value::as_str).unwrap_or(token);
    let token_id = format!("revocation {}", hex(&sha256(named.as_bytes())));
    context.transaction(|| {
        once(context, &token_id)?;
        let member = match subject {
            Subject::IssSub { iss, sub } if *iss == issuer => {
                member::of_subject(context, &issuer, sub)?
            }
            Subject::IssSub { .. } => None,
            Subject::Email { email } => members::find_by_name(context, email)?,
        };
        member::sign_out(context, &member.ok_or_else(members::not_found)?)
    })
}
