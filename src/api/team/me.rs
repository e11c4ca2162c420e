//! A member and themselves.

use super::access::Caller;
use super::{Answer, Call, members as shown, ok};
use crate::api::problem;
use crate::directory::members::{self, Member};
use crate::directory::policy::{self, Action};
use crate::directory::problem::Problem;
use crate::directory::{Failure, audit, sessions};
use serde_json::{Map, Value, json};

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

/// Leaves the team, where its rules allow that.
pub(super) fn leave(call: &Call<'_>) -> Answer {
    let member = member(call)?;
    call.context.transaction(|| {
        let state = members::state_of(call.context, &member)?;
        policy::decide(call.team.state(call.context, None)?, state, Action::LeaveTeam)
            .map_err(sessions::refused)?;
        members::remove(call.context, &call.actor, &member.id)?;
        let (action, detail) = (audit::Action::MemberLeft, json!({}));
        Ok::<_, Failure<Problem>>(audit::record(
            call.context,
            &call.actor,
            action,
            &member.id,
            &detail,
        )?)
    })?;
    Ok(problem::empty())
}

/// Ends the session that the member calls with.
pub(super) fn sign_out(call: &Call<'_>) -> Answer {
    if let Caller::Member(session) = &call.caller {
        sessions::end(call.context, &session.id)?;
    }
    Ok(problem::empty())
}
