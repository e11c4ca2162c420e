//! What is cached of the provider: its document and its keys.

use super::Found;
use crate::directory::{Context, Failure, Fault, Timestamp};
use crate::oidc::Refusal;
use crate::oidc::discovery::Provider;
use crate::oidc::jwks::Keys;

/// How long the document is good.
const DOCUMENT_MS: i64 = 24 * 60 * 60 * 1000;
/// How long keys are good that nobody misses one among: a provider that withdrew one
/// is heard within the hour.
const KEYS_MS: i64 = 60 * 60 * 1000;
/// How often keys are fetched at most because a token names another.
const REFETCH_MS: i64 = 60 * 1000;

fn cached(
    context: &Context<'_>,
    issuer: &str,
    kind: &str,
) -> Result<Option<(String, Timestamp)>, Fault> {
    Ok(context.sql.first(
        "SELECT body, fetched FROM provider WHERE issuer = ? AND kind = ?",
        &[issuer.into(), kind.into()],
        |mut row| Ok((row.text()?, Timestamp(row.integer()?))),
    )?)
}

fn keep(context: &Context<'_>, issuer: &str, kind: &str, body: &str) -> Result<(), Fault> {
    // One provider at a time is a team's.
    context.sql.execute("DELETE FROM provider WHERE issuer <> ?", &[issuer.into()])?;
    Ok(context.sql.execute(
        "INSERT INTO provider (issuer, kind, body, fetched) VALUES (?, ?, ?, ?)
         ON CONFLICT (issuer, kind) DO UPDATE SET body = excluded.body,
         fetched = excluded.fetched",
        &[issuer.into(), kind.into(), body.into(), context.now.0.into()],
    )?)
}

fn age(context: &Context<'_>, fetched: Timestamp) -> i64 {
    context.now.0.saturating_sub(fetched.0)
}

/// The provider's document, unless it is not cached or too old to begin with.
pub(super) fn document(context: &Context<'_>, issuer: &str) -> Result<Option<Provider>, Fault> {
    let found = cached(context, issuer, "document")?;
    let young = found.filter(|(_, fetched)| age(context, *fetched) < DOCUMENT_MS);
    Ok(young.and_then(|(body, _)| Provider::read(issuer, body.as_bytes()).ok()))
}

/// The same for what was begun with it, however old it has become meanwhile.
pub(super) fn known(context: &Context<'_>, issuer: &str) -> Result<Option<Provider>, Fault> {
    let found = cached(context, issuer, "document")?;
    Ok(found.and_then(|(body, _)| Provider::read(issuer, body.as_bytes()).ok()))
}

/// Keeps the document that was fetched.
pub(super) fn keep_document(
    context: &Context<'_>,
    issuer: &str,
    found: &Found,
) -> Result<Provider, Failure<Refusal>> {
    let provider =
        Provider::read(issuer, answered(found, "discovery document")?).map_err(Failure::Refused)?;
    keep(context, issuer, "document", &found.body)?;
    Ok(provider)
}

/// The provider's keys, and whether newer ones may be asked for. None cached are
/// none.
pub(super) fn keys(context: &Context<'_>, issuer: &str) -> Result<(Keys, bool), Fault> {
    let none = || Keys::read(b"{\"keys\":[]}").map_err(|_| Fault::new("no keys are keys"));
    match cached(context, issuer, "keys")? {
        None => Ok((none()?, true)),
        Some((_, fetched)) if age(context, fetched) >= KEYS_MS => Ok((none()?, true)),
        Some((body, fetched)) => {
            let keys = Keys::read(body.as_bytes()).or_else(|_| none())?;
            Ok((keys, age(context, fetched) >= REFETCH_MS))
        }
    }
}

/// Keeps the keys that were fetched.
pub(super) fn keep_keys(
    context: &Context<'_>,
    issuer: &str,
    found: &Found,
) -> Result<(), Failure<Refusal>> {
    Keys::read(answered(found, "key set")?).map_err(Failure::Refused)?;
    Ok(keep(context, issuer, "keys", &found.body)?)
}

/// Keeps in mind that something could not be fetched for a token.
pub(super) fn remember_failure(
    context: &Context<'_>,
    issuer: &str,
    kind: &str,
) -> Result<(), Fault> {
    context.sql.execute("DELETE FROM provider_failure WHERE issuer <> ?", &[issuer.into()])?;
    Ok(context.sql.execute(
        "INSERT OR REPLACE INTO provider_failure (issuer, kind, at) VALUES (?, ?, ?)",
        &[issuer.into(), kind.into(), context.now.0.into()],
    )?)
}

/// Refuses to fetch something once more that could not be fetched a moment ago:
/// tokens can be forged as fast as one likes.
pub(super) fn may_fetch(
    context: &Context<'_>,
    issuer: &str,
    kind: &str,
) -> Result<(), Failure<Refusal>> {
    let failed = context.sql.first(
        "SELECT 1 FROM provider_failure WHERE issuer = ? AND kind = ? AND at > ?",
        &[issuer.into(), kind.into(), context.now.plus(-REFETCH_MS).0.into()],
        |mut row| row.integer(),
    )?;
    if failed.is_none() {
        return Ok(());
    }
    let message = "the identity provider did not answer a moment ago; try again in a minute";
    Err(Failure::Refused(Refusal::new("unreachable", message)))
}

fn answered<'f>(found: &'f Found, what: &str) -> Result<&'f [u8], Failure<Refusal>> {
    if found.status == 200 {
        return Ok(found.body.as_bytes());
    }
    let how = match found.status {
        0 => "did not answer".to_owned(),
        status => format!("answered {status}"),
    };
    let message =
        format!("the identity provider {how} when asked for its {what}; check the issuer");
    Err(Failure::Refused(Refusal::new("unreachable", message)))
}
