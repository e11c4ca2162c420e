//! What kafkaman's services ask: may this person in, does this session stand,
//! may this member do that?

use super::{Answer, Call, ok};
use crate::api::{body, problem};
use crate::directory::Failure;
use crate::directory::credential::{Credential, Kind};
use crate::directory::members::{self, Member};
use crate::directory::policy::{self, Action, Refusal};
use crate::directory::problem::Problem;
use crate::directory::sessions::{self, Method, Session};
use crate::scim::Timestamp;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// How a service names a member: by `id`, or by `userName` ignoring case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Named {
    id: Option<String>,
    user_name: Option<String>,
}

impl Named {
    fn find(&self, call: &Call<'_>) -> Result<Member, Failure<Problem>> {
        match (&self.id, &self.user_name) {
            (Some(id), None) => members::fetch(call.context, id),
            (None, Some(name)) => members::fetch_by_name(call.context, name),
            _ => Err(Problem::invalid("`member` must have either `id` or `userName`").into()),
        }
    }
}

fn shown(session: &Session) -> Value {
    json!({
        "id": session.id,
        "method": session.method,
        "createdAt": session.created.to_string(),
        "expiresAt": session.expires.to_string(),
        "member": super::members::shown(&session.member),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Open {
    member: Named,
    method: String,
    proven_at: Option<String>,
}

impl Open {
    /// When the person proved themselves: with a password now; otherwise when the
    /// service says, which knows what the provider told it.
    fn proven(&self, method: Method, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = &self.proven_at else {
            return Ok((method == Method::Password).then_some(now));
        };
        let message = "`provenAt` must be a time such as \"2027-01-31T00:00:00Z\"";
        let at = Timestamp::parse(text).ok_or_else(|| Problem::invalid(message))?;
        Ok(Some(at.min(now)))
    }
}

/// A session for a person whom the login service verified. Its secret is shown
/// here and never again.
pub(super) fn open(call: &Call<'_>) -> Answer {
    let asked: Open = body::read(&call.body)?;
    let method = Method::named(&asked.method)
        .ok_or_else(|| Problem::invalid("`method` must be password, google, saml or oidc"))?;
    let verified = (method, asked.proven(method, call.context.now)?);
    let member = asked.member.find(call)?;
    let (session, minted) =
        sessions::open(call.context, &call.actor, &call.team, &call.id, &member, verified)?;
    let mut body = shown(&session);
    if let Value::Object(body) = &mut body {
        body.insert("token".into(), minted.text.into());
    }
    Ok(problem::answer(StatusCode::CREATED, &body))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

fn find(call: &Call<'_>) -> Result<Option<Session>, Failure<Problem>> {
    let asked: Token = body::read(&call.body)?;
    let credential = Credential::read(&call.context.deployment.signing, &asked.token)
        .filter(|own| own.kind == Kind::Session && own.team == call.id);
    match credential {
        Some(credential) => Ok(sessions::find(call.context, &credential)?),
        None => Ok(None),
    }
}

/// Whether a session stands now. Nobody's session stands in a suspended team;
/// it does again when the team goes on.
pub(super) fn introspect(call: &Call<'_>) -> Answer {
    match find(call)?.filter(|_| !call.team.is_suspended) {
        Some(session) => ok(&json!({ "active": true, "session": shown(&session) })),
        None => ok(&json!({ "active": false })),
    }
}

/// Ends a session. One that does not stand is as good as ended.
pub(super) fn end(call: &Call<'_>) -> Answer {
    if let Some(session) = find(call)? {
        sessions::end(call.context, &call.actor, &session.member, &session.id)?;
    }
    Ok(problem::empty())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    member: Named,
    action: String,
}

/// What policy says, on the wire.
pub(super) fn decision(decided: Result<(), Refusal>) -> Value {
    match decided {
        Ok(()) => json!({ "allowed": true }),
        Err(refusal) => json!({
            "allowed": false, "code": refusal.code, "message": refusal.message,
        }),
    }
}

/// Whether a member may do something now.
pub(super) fn decide(call: &Call<'_>) -> Answer {
    let asked: Decide = body::read(&call.body)?;
    let action = Action::named(&asked.action).ok_or_else(|| {
        let names: Vec<&str> = Action::ALL.iter().map(|(_, name)| *name).collect();
        Problem::invalid(format!("`action` must be one of {}", names.join(", ")))
    })?;
    let member = asked.member.find(call)?;
    let state = members::state_of(call.context, &member)?;
    let team = call.team.state(call.context, None)?;
    ok(&decision(policy::decide(team, state, action)))
}
