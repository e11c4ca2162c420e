//! Forms that make and end secrets: SCIM API keys and service tokens. What is
//! made is shown in the answer itself, once, and stands in no address.

use super::visit::Visit;
use super::{Outcome, authentication, settings};
use crate::directory::keys;
use crate::directory::problem::Problem;
use crate::directory::service_tokens::{self, Scope};
use crate::scim::Timestamp;
use std::collections::BTreeSet;

/// The end of the day that a date field names; none if it was left empty.
fn expiry(visit: &Visit<'_>) -> Result<Option<Timestamp>, Problem> {
    let Some(day) = visit.form.filled("expires") else { return Ok(None) };
    let end = Timestamp::parse(&format!("{day}T23:59:59Z"));
    Ok(Some(end.ok_or_else(|| Problem::invalid("the expiry must be a date such as 2027-01-31"))?))
}

pub(super) fn generate(visit: &Visit<'_>) -> Outcome {
    let expires = expiry(visit)?;
    let name = visit.form.get("name");
    let (_, minted) = keys::generate(&visit.context(), &visit.actor(), visit.id, name, expires)?;
    authentication::shown(visit, Some(minted.text))
}

pub(super) fn regenerate(visit: &Visit<'_>) -> Outcome {
    let grace = visit.form.get("grace").parse();
    let grace =
        grace.map_err(|_| Problem::invalid("choose how long the old key goes on working"))?;
    let (_, minted) =
        keys::regenerate(&visit.context(), &visit.actor(), visit.id, visit.named(), grace)?;
    authentication::shown(visit, Some(minted.text))
}

pub(super) fn revoke(visit: &Visit<'_>) -> Outcome {
    keys::revoke(&visit.context(), &visit.actor(), visit.named())?;
    visit.done("/authentication", "key-revoked")
}

pub(super) fn issue_service_token(visit: &Visit<'_>) -> Outcome {
    let named = |name| match name {
        "sessions" => Some(Scope::Sessions),
        "policy" => Some(Scope::Policy),
        _ => None,
    };
    let mut scopes = BTreeSet::new();
    scopes.extend(visit.form.all("scope").filter_map(named));
    let name = visit.form.get("name");
    let (_, minted) =
        service_tokens::issue(&visit.context(), &visit.actor(), visit.id, name, &scopes)?;
    settings::shown(visit, Some(minted.text))
}

pub(super) fn revoke_service_token(visit: &Visit<'_>) -> Outcome {
    service_tokens::revoke(&visit.context(), &visit.actor(), visit.named())?;
    visit.done("/settings", "token-revoked")
}
