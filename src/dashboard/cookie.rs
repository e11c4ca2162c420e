//! The cookies: a session's, one a team, and that of a sign-in on its way.
//!
//! `__Host-` (RFC 6265bis section 4.1.3.2) keeps other hosts and plain HTTP from
//! setting them. `Lax`, not `Strict`: a person who comes from their provider's
//! page is signed in all the same, and no form of another site brings them
//! along.

use crate::directory::Deployment;
use crate::directory::credential::{Credential, Kind};
use crate::directory::team_id::TeamId;
use http::{HeaderMap, header};

/// Seconds that a sign-in may take at the provider.
const SIGN_IN_SECONDS: i64 = 600;

fn session_name(team: &TeamId) -> String {
    format!("__Host-kafkaman-{team}")
}

fn sign_in_name(team: &TeamId) -> String {
    format!("__Host-kafkaman-sign-in-{team}")
}

/// The value of a cookie. `None` if there is none of this name, or several.
pub(super) fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut found = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(own, _)| *own == name);
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

/// The session credential with a good tag that a request carries for a team.
pub(super) fn session(
    deployment: &Deployment,
    headers: &HeaderMap,
    team: &TeamId,
) -> Option<Credential> {
    Credential::read(&deployment.signing, value(headers, &session_name(team))?)
        .filter(|credential| credential.kind == Kind::Session && credential.team == *team)
}

/// What binds a sign-in to the browser that began it.
pub(super) fn sign_in<'h>(headers: &'h HeaderMap, team: &TeamId) -> Option<&'h str> {
    value(headers, &sign_in_name(team))
}

/// Keeps a session until the browser closes; the server ends it before.
pub(super) fn keep_session(team: &TeamId, text: &str) -> String {
    format!("{}={text}; Path=/; Secure; HttpOnly; SameSite=Lax", session_name(team))
}

/// Forgets a session.
pub(super) fn forget_session(team: &TeamId) -> String {
    format!("{}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0", session_name(team))
}

/// Keeps what binds a sign-in.
pub(super) fn keep_sign_in(team: &TeamId, text: &str) -> String {
    let name = sign_in_name(team);
    format!("{name}={text}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={SIGN_IN_SECONDS}")
}
