//! Signing in through the team's OpenID provider, a step at a time.
//!
//! The Team object never waits for the network: where something must be fetched,
//! a function here returns the [`Errand`] and whoever runs the object comes back
//! with what was found. Between the two nothing is held but what the errand
//! [carries](Carry).
//!
//! In scope: which sign-ins are on their way, what is cached of the provider, whom
//! its word stands for, and logout by the provider. Out of scope: what a token
//! must look like (`oidc`), whether a member may sign in (`policy`), cookies and
//! pages. A second method comes in at [`member::admit`].

mod callback;
mod member;
mod provider;
mod revoked;

use super::audit::{self, Action, Actor};
use super::credential::sha256;
use super::problem::{self, Problem};
use super::sql::{self, SqlError};
use super::sso::{self, Configured, Method};
use super::team::Team;
use super::team_id::TeamId;
use super::{Context, Failure, Fault};
use crate::oidc::request::{self, text_of};
use crate::oidc::{Refusal, discovery};
pub use callback::callback;
pub(super) use member::forget;
pub use member::{Outcome, Report, pins, reset_pins};
pub use revoked::{Subject, back_channel, global_revocation};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How long a sign-in may take at the provider.
const LIFE_MS: i64 = 10 * 60 * 1000;
/// Sign-ins that may be on their way at once from one address. What is beyond waits;
/// ten minutes later there is room.
const OF_ONE_ADDRESS_MAX: i64 = 30;
/// Sign-ins of a team that may be on their way at once. One more takes the place of
/// the oldest from the address that has the most.
const ON_THE_WAY_MAX: i64 = 1_000;

/// The code of what is no sign-in of ours, or none any more.
const UNKNOWN_STATE: &str = "state";

/// What to fetch, and what to come back with.
#[derive(Debug, Deserialize, Serialize)]
pub struct Errand {
    /// The address.
    pub url: String,
    /// The body of a POST in `application/x-www-form-urlencoded`; none of a GET.
    pub body: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// What is needed afterwards.
    pub carry: Carry,
}

/// What was found.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Found {
    /// The status, 0 if nothing answered.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What goes along on an errand.
#[derive(Debug, Deserialize, Serialize)]
pub enum Carry {
    /// The provider's document is fetched to begin a sign-in.
    Start(Start),
    /// A code is being exchanged.
    Exchange(Pending),
    /// The provider's keys are fetched for the token of a sign-in.
    Keys(Pending, String),
    /// The provider's document is fetched for a token that ends sessions.
    RevokeDocument(revoked::Order),
    /// The keys of this provider are, for such a token.
    RevokeKeys(revoked::Order, String),
}

/// What a browser asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Start {
    /// What binds the sign-in to the browser.
    pub browser: String,
    /// The page to come back to.
    pub back: String,
    /// Whether it is only tried.
    pub is_test: bool,
    /// Whether the person must prove themselves afresh.
    pub again: bool,
}

/// A sign-in that came back, and is spent.
#[derive(Debug, Deserialize, Serialize)]
pub struct Pending {
    issuer: String,
    /// The name under which the provider knew us when it was asked for the token.
    client_id: String,
    nonce: String,
    verifier: String,
    back: String,
    is_test: bool,
    again: bool,
}

/// What to do next.
pub enum Step {
    /// Fetch this and come back to [`resume`].
    Errand(Box<Errand>),
    /// Send the browser to the provider, with what binds the sign-in to it.
    Redirect(String, String),
    /// The provider's word was checked.
    Done(Box<Outcome>),
    /// A logout token was obeyed.
    LoggedOut,
    /// A revocation was carried out.
    Revoked,
}

/// What comes of a step.
pub type Result = std::result::Result<Step, Failure<Problem>>;

/// The page to come back to: one of this team's, whatever was asked for.
pub fn back_to(team: &TeamId, asked: &str) -> String {
    let root = format!("/teams/{team}");
    let is_below = asked.strip_prefix(&root).is_some_and(|rest| {
        rest.is_empty() || rest.starts_with('/') && !rest.starts_with("/sign-in")
    });
    let is_plain =
        asked.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte))
            && !asked.contains("//")
            && !asked.contains("..");
    if is_below && is_plain { asked.to_owned() } else { root }
}

/// Where the provider sends people back to.
pub fn redirect_uri(context: &Context<'_>, team: &TeamId) -> String {
    format!("{}/teams/{team}/sign-in/callback", context.deployment.base_url)
}

/// Begins a sign-in.
///
/// # Errors
/// `team_suspended`, `sso_not_configured`, `too_many_sign_ins`; what is wrong with
/// the provider.
pub fn start(context: &Context<'_>, team: &Team, id: &TeamId, start: Start) -> Result {
    let configured = configured(context)?;
    if team.is_suspended {
        let message = "This team is suspended. A team admin can ask kafkaman's support why.";
        return Err(forbidden("team_suspended", message).into());
    }
    match provider::document(context, &configured.settings.issuer)? {
        Some(provider) => to_provider(context, id, &configured, &provider, &start),
        None => Ok(document(&configured.settings.issuer, Carry::Start(start))),
    }
}

/// Goes on after an errand.
///
/// # Errors
/// Why the sign-in ends here.
pub fn resume(
    context: &Context<'_>,
    team: &Team,
    id: &TeamId,
    carry: Carry,
    found: &Found,
) -> Result {
    match carry {
        Carry::Start(start) => {
            let configured = configured(context)?;
            let provider = provider::keep_document(context, &configured.settings.issuer, found)
                .map_err(told)?;
            to_provider(context, id, &configured, &provider, &start)
        }
        Carry::Exchange(pending) => callback::exchanged(context, team, id, pending, found),
        Carry::Keys(pending, token) => {
            callback::with_keys(context, team, id, pending, token, found)
        }
        Carry::RevokeDocument(order) => revoked::with_document(context, id, order, found),
        Carry::RevokeKeys(order, issuer) => revoked::with_keys(context, id, order, &issuer, found),
    }
}

fn configured(context: &Context<'_>) -> std::result::Result<Configured, Failure<Problem>> {
    let methods = sso::list(context)?;
    let message = if methods.is_empty() {
        "This team has not set up single sign-on yet. Ask a team admin."
    } else {
        "This team signs in by SAML, which begins on kafkaman's own sign-in page."
    };
    let found = methods.into_iter().find(|own| own.method == Method::Oidc);
    Ok(found.ok_or_else(|| forbidden("sso_not_configured", message))?)
}

fn document(issuer: &str, carry: Carry) -> Step {
    let url = discovery::address(issuer);
    Step::Errand(Box::new(Errand { url, body: None, authorization: None, carry }))
}

fn to_provider(
    context: &Context<'_>,
    id: &TeamId,
    configured: &Configured,
    provider: &discovery::Provider,
    start: &Start,
) -> Result {
    let state = text_of(&context.random_bytes::<24>()?);
    let nonce = text_of(&context.random_bytes::<24>()?);
    let verifier = text_of(&context.random_bytes::<32>()?);
    context.transaction(|| {
        make_room(context)?;
        Ok::<_, Failure<Problem>>(context.sql.execute(
            "INSERT INTO sign_in (state, browser, issuer, nonce, verifier, back, test, again, ip,
             expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            &[
                sha256(state.as_bytes()).as_slice().into(),
                sha256(start.browser.as_bytes()).as_slice().into(),
                provider.issuer.as_str().into(),
                nonce.as_str().into(),
                verifier.as_str().into(),
                back_to(id, &start.back).as_str().into(),
                start.is_test.into(),
                start.again.into(),
                context.origin.network().into(),
                context.now.plus(LIFE_MS).0.into(),
            ],
        )?)
    })?;
    let asked = request::Asked {
        client_id: configured.settings.client_id.as_deref().unwrap_or_default(),
        redirect_uri: &redirect_uri(context, id),
        state: &state,
        nonce: &nonce,
        verifier: &verifier,
        again: start.again,
    };
    let place = request::authorization(provider, &asked);
    Ok(Step::Redirect(place, start.browser.clone()))
}

fn make_room(context: &Context<'_>) -> std::result::Result<(), Failure<Problem>> {
    context.sql.execute("DELETE FROM sign_in WHERE expires <= ?", &[context.now.0.into()])?;
    let counted = context.sql.first(
        "SELECT count(*) FILTER (WHERE ip = ?), count(*) FROM sign_in",
        &[context.origin.network().into()],
        |mut row| Ok((row.integer()?, row.integer()?)),
    )?;
    let (own, all) = counted.unwrap_or_default();
    if own >= OF_ONE_ADDRESS_MAX {
        let message = "Too many sign-ins were begun and not finished. Wait ten minutes.";
        return Err(forbidden("too_many_sign_ins", message).into());
    }
    if all >= ON_THE_WAY_MAX {
        context.sql.execute(
            "DELETE FROM sign_in WHERE state = (SELECT state FROM sign_in WHERE ip =
             (SELECT ip FROM sign_in GROUP BY ip ORDER BY count(*) DESC, min(expires) LIMIT 1)
             ORDER BY expires LIMIT 1)",
            &[],
        )?;
    }
    Ok(())
}

fn forbidden(code: &'static str, message: impl Into<String>) -> Problem {
    Problem::new(problem::Kind::Forbidden, code, message)
}

/// The refusal of what was begun with other settings than today's.
fn changed() -> Problem {
    forbidden("changed", "Single sign-on was changed meanwhile. Start again.")
}

/// What is wrong with a provider's answer, as a refusal of the sign-in.
fn told(failure: Failure<Refusal>) -> Failure<Problem> {
    match failure {
        Failure::Refused(refusal) => {
            let mut letters = refusal.message.chars();
            let first: String =
                letters.next().map(char::to_uppercase).into_iter().flatten().collect();
            let message = format!("{first}{}.", letters.as_str().trim_end_matches('.'));
            forbidden(refusal.code, message).into()
        }
        Failure::Fault(fault) => fault.into(),
    }
}

/// Keeps in the audit why a sign-in was refused that had come back from the
/// provider. What nobody began writes nothing, however often it is tried.
///
/// # Errors
/// A fault of storage.
pub fn note_refusal(context: &Context<'_>, problem: &Problem) -> std::result::Result<(), Fault> {
    if problem.code == UNKNOWN_STATE {
        return Ok(());
    }
    let detail = json!({ "code": problem.code, "message": problem.message });
    Ok(audit::record(context, &Actor::System, Action::SignInRefused, &problem.about, &detail)?)
}

/// Forgets sign-ins and logout tokens whose time is over; returns whether there may
/// be more.
pub(super) fn prune(context: &Context<'_>, rows: i64) -> std::result::Result<bool, SqlError> {
    context.sql.execute("DELETE FROM sign_in WHERE expires <= ?", &[context.now.0.into()])?;
    sql::prune(context.sql, "logout", "token", "expires", context.now.0, rows)
}
