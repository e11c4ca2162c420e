//! Members as admins see them.

use super::{Answer, Call, ok};
use crate::api::{body, problem};
use crate::directory::members::{self, Member, NewMember, Query, Role, Source, unrefused};
use crate::directory::problem::{Kind, Problem};
use crate::directory::resource::{self, Kind as ResourceKind};
use crate::directory::{audit, render};
use crate::scim::project::Projection;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn shown(member: &Member) -> Value {
    json!({
        "id": member.id,
        "userName": member.user_name,
        "email": member.email,
        "name": member.name,
        "state": if member.is_active { "active" } else { "suspended" },
        "role": member.role,
        "source": member.source.as_str(),
        "createdAt": member.created.to_string(),
        "signedInAt": member.signed_in.map(|at| at.to_string()),
    })
}

/// `?state=active` or `suspended`, `?search=`, and `?after=` what the last page
/// called `next`.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let active = match call.parameter("state")? {
        None | Some("active") => true,
        Some("suspended") => false,
        Some(_) => return Err(Problem::invalid("`state` must be active or suspended").into()),
    };
    let count = super::whole(&call.parameters, "count")?.unwrap_or(members::PAGE_MAX);
    let query = Query {
        active,
        search: call.parameter("search")?.unwrap_or_default(),
        after: call.parameter("after")?.unwrap_or_default(),
        count,
    };
    let found = members::list(call.context, &query)?;
    let next = super::next(&found, count, |last| last.id.as_str().into());
    ok(&json!({ "members": found.iter().map(shown).collect::<Vec<_>>(), "next": next }))
}

/// The member with the attributes that the provider sent, and their groups.
pub(super) fn read(call: &Call<'_>) -> Answer {
    let member = members::fetch(call.context, call.second())?;
    let stored =
        resource::fetch(call.context, ResourceKind::User, &member.id).map_err(unrefused)?;
    let user = render::one(call.context, &stored, &Projection::Default).map_err(unrefused)?;
    let mut body = shown(&member);
    if let Value::Object(body) = &mut body {
        body.insert("user".into(), serde_json::from_str(&user.text).unwrap_or_default());
    }
    ok(&body)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    name: String,
    email: String,
    role: Option<Role>,
}

pub(super) fn add(call: &Call<'_>) -> Answer {
    let asked: Add = body::read(&call.body)?;
    if call.team.scim_enabled {
        let message = "the identity provider manages who is in the team; add the person there";
        return Err(Problem::new(Kind::Conflict, "managed_by_identity_provider", message).into());
    }
    let role = asked.role.unwrap_or(Role::Developer);
    let new = NewMember {
        name: asked.name.trim(),
        email: asked.email.trim(),
        role,
        source: Source::Team,
    };
    let member = call.context.transaction(|| {
        let id = members::add(call.context, &new).map_err(unrefused)?;
        let detail = json!({ "userName": new.email, "role": role });
        audit::record(call.context, &call.actor, audit::Action::MemberAdded, &id, &detail)?;
        members::fetch(call.context, &id)
    })?;
    Ok(problem::answer(StatusCode::CREATED, &shown(&member)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    role: Role,
}

pub(super) fn change(call: &Call<'_>) -> Answer {
    let asked: Change = body::read(&call.body)?;
    ok(&shown(&members::set_role(call.context, &call.actor, call.second(), asked.role)?))
}

pub(super) fn remove(call: &Call<'_>) -> Answer {
    members::remove(call.context, &call.actor, call.second())?;
    Ok(problem::empty())
}

pub(super) fn reactivate(call: &Call<'_>) -> Answer {
    let scim_enabled = call.team.scim_enabled;
    let member = members::reactivate(call.context, &call.actor, scim_enabled, call.second())?;
    ok(&shown(&member))
}

pub(super) fn sign_out(call: &Call<'_>) -> Answer {
    let ended = members::sign_out(call.context, &call.actor, call.second())?;
    ok(&json!({ "ended": ended }))
}
