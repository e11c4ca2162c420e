//! A member and themselves.

use super::access::Caller;
use super::{Answer, Call, members as shown, ok};
use crate::api::{body, problem};
use crate::directory::members::{self, Member};
use crate::directory::policy::{self, Action};
use crate::directory::problem::Problem;
use crate::directory::{Failure, sessions};
use serde::Deserialize;
use serde_json::{Map, Value};

fn member(call: &Call<'_>) -> Result<Member, Failure<Problem>> {
    members::fetch(call.context, call.caller.member().ok_or_else(problem::unauthorized)?)
}

/// The member, and what they may do: whatever they may not says why.
pub(super) fn read(call: &Call<'_>) -> Answer {
    let member = member(call)?;
    let (team, state) =
        (call.team.state(call.context, None)?, members::state_of(call.context, &member)?);
    let allowed: Map<String, Value> = Action::ALL
        .into_iter()
        .map(|(action, name)| {
            let decision = super::sessions::decision(policy::decide(team, state, action));
            (name.to_owned(), decision)
        })
        .collect();
    let mut body = shown::shown(&member);
    if let Value::Object(body) = &mut body {
        body.insert("allowed".into(), allowed.into());
    }
    ok(&body)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    email: String,
}

/// Changes the member's own address, where the team's rules allow that.
pub(super) fn change(call: &Call<'_>) -> Answer {
    let asked: Change = body::read(&call.body)?;
    let member = member(call)?;
    let member = call.context.transaction(|| {
        permit(call, &member, Action::ChangeEmail)?;
        members::set_email(call.context, &call.actor, &member, asked.email.trim())
    })?;
    ok(&shown::shown(&member))
}

fn permit(call: &Call<'_>, member: &Member, action: Action) -> Result<(), Failure<Problem>> {
    let state = members::state_of(call.context, member)?;
    let decision = policy::decide(call.team.state(call.context, None)?, state, action);
    Ok(decision.map_err(sessions::refused)?)
}

/// Leaves the team, where its rules allow that.
pub(super) fn leave(call: &Call<'_>) -> Answer {
    members::remove(call.context, &call.actor, &member(call)?.id)?;
    Ok(problem::empty())
}

/// Ends the session that the member calls with.
pub(super) fn sign_out(call: &Call<'_>) -> Answer {
    if let Caller::Member(session) = &call.caller {
        sessions::end(call.context, &call.actor, &session.member, &session.id)?;
    }
    Ok(problem::empty())
}
