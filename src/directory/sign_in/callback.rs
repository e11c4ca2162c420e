//! A browser comes back from the provider.

use super::{
    Carry, Errand, Found, Pending, Result, Step, UNKNOWN_STATE, changed, forbidden, member,
    provider, told,
};
use crate::directory::credential::sha256;
use crate::directory::problem::Problem;
use crate::directory::sso::Configured;
use crate::directory::team::Team;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, sso};
use crate::oidc::id_token::{self, Expected};
use crate::oidc::jws::{Checked, Token};
use crate::oidc::{Refusal, request};
use crate::scim::list::Parameters;
use subtle::ConstantTimeEq;

/// Takes a sign-in up again: spends its state, and exchanges the code.
///
/// # Errors
/// `state` for one that is unknown, used, too old or another browser's;
/// `mix_up` for another provider's answer; `provider_refused`.
pub fn callback(context: &Context<'_>, id: &TeamId, browser: &str, query: &Parameters) -> Result {
    let one = |name: &str| query.get(name).ok().flatten().unwrap_or_default();
    let spent = spend(context, browser, one("state"))?;
    let configured = super::configured(context)?;
    let settings = &configured.settings;
    let client_id = settings.client_id.as_deref().unwrap_or_default();
    let pending = Pending { client_id: client_id.to_owned(), ..spent };
    let provider = provider::known(context, &pending.issuer)?;
    let Some(provider) = provider.filter(|provider| provider.issuer == settings.issuer) else {
        return Err(changed().into());
    };
    // RFC 9207 section 2.4: an answer that says whose it is must be the provider's
    // that was asked.
    let issuer = one("iss");
    if issuer != pending.issuer && (!issuer.is_empty() || provider.sends_issuer) {
        let message = "The answer came from another identity provider. Start again.";
        return Err(forbidden("mix_up", message).into());
    }
    let code = one("code");
    if !one("error").is_empty() || code.is_empty() {
        let message = match one("error") {
            "access_denied" => {
                "Your identity provider did not let you in. Ask whoever runs it whether you may \
                 use kafkaman."
            }
            _ => "Your identity provider could not sign you in. Try again.",
        };
        return Err(forbidden("provider_refused", message).into());
    }
    let secret = sso::client_secret(context)?;
    let exchange = request::exchange(
        &provider,
        client_id,
        secret.as_deref(),
        &super::redirect_uri(context, id),
        code,
        &pending.verifier,
    );
    Ok(Step::Errand(Box::new(Errand {
        url: provider.token_endpoint,
        body: Some(exchange.body),
        authorization: exchange.authorization,
        carry: Carry::Exchange(pending),
    })))
}

/// Finds the sign-in of a state and forgets it, in one.
fn spend(
    context: &Context<'_>,
    browser: &str,
    state: &str,
) -> std::result::Result<Pending, Failure<Problem>> {
    let found = context.sql.all(
        "DELETE FROM sign_in WHERE state = ?
         RETURNING browser, issuer, nonce, verifier, back, test, again, expires",
        &[sha256(state.as_bytes()).as_slice().into()],
        |mut row| {
            let is_its = bool::from(sha256(browser.as_bytes()).ct_eq(&row.blob()?));
            let pending = Pending {
                issuer: row.text()?,
                client_id: String::new(),
                nonce: row.text()?,
                verifier: row.text()?,
                back: row.text()?,
                is_test: row.boolean()?,
                again: row.boolean()?,
            };
            Ok((is_its && row.integer()? > context.now.0).then_some(pending))
        },
    )?;
    let message = "This sign-in was used already, took longer than ten minutes, or was begun in \
                   another browser. Start again.";
    Ok(found.into_iter().flatten().next().ok_or_else(|| forbidden(UNKNOWN_STATE, message))?)
}

/// The code was exchanged.
pub(super) fn exchanged(
    context: &Context<'_>,
    team: &Team,
    id: &TeamId,
    pending: Pending,
    found: &Found,
) -> Result {
    let token = request::id_token(found.status, found.body.as_bytes()).map_err(refused)?;
    verified(context, team, id, pending, token, false)
}

/// The provider's keys were fetched for a token.
pub(super) fn with_keys(
    context: &Context<'_>,
    team: &Team,
    id: &TeamId,
    pending: Pending,
    token: String,
    found: &Found,
) -> Result {
    still_asked(context, &pending)?;
    provider::keep_keys(context, &pending.issuer, found).map_err(told)?;
    verified(context, team, id, pending, token, true)
}

/// The team's settings, if they are those that a sign-in came back under: the word
/// of an earlier provider counts for nobody.
fn still_asked(
    context: &Context<'_>,
    pending: &Pending,
) -> std::result::Result<Configured, Failure<Problem>> {
    let configured = super::configured(context)?;
    let settings = &configured.settings;
    let is_same = settings.issuer == pending.issuer
        && settings.client_id.as_deref().unwrap_or_default() == pending.client_id;
    if is_same { Ok(configured) } else { Err(changed().into()) }
}

fn refused(refusal: Refusal) -> Failure<Problem> {
    told(Failure::Refused(refusal))
}

/// Checks the token, with new keys if it takes them and they were not fetched just
/// now.
pub(super) fn verified(
    context: &Context<'_>,
    team: &Team,
    id: &TeamId,
    pending: Pending,
    text: String,
    has_fetched: bool,
) -> Result {
    let configured = still_asked(context, &pending)?;
    let (keys, may_fetch) = provider::keys(context, &pending.issuer)?;
    let token = Token::read(&text).map_err(refused)?;
    let claims = match token.check(&keys).map_err(refused)? {
        Checked::Claims(claims) => claims,
        Checked::UnknownKey if may_fetch && !has_fetched => {
            return fetch_keys(context, &pending.issuer.clone(), Carry::Keys(pending, text));
        }
        Checked::UnknownKey => {
            let message = "The provider signed with a key that it does not publish.";
            return Err(forbidden("key", message).into());
        }
    };
    let expected = Expected {
        issuer: &pending.issuer,
        client_id: &pending.client_id,
        nonce: &pending.nonce,
        now: context.now.0.div_euclid(1000),
        again: pending.again,
    };
    let person = id_token::person(claims, &expected).map_err(refused)?;
    let outcome = if pending.is_test {
        member::report(context, &configured.settings, &person, pending.back)?
    } else {
        member::admit(context, team, id, &configured.settings, &person, pending.back)?
    };
    Ok(Step::Done(Box::new(outcome)))
}

/// The errand for the provider's keys.
pub(super) fn fetch_keys(context: &Context<'_>, issuer: &str, carry: Carry) -> Result {
    let Some(provider) = provider::known(context, issuer)? else {
        return Err(changed().into());
    };
    let url = provider.jwks_uri;
    Ok(Step::Errand(Box::new(Errand { url, body: None, authorization: None, carry })))
}
