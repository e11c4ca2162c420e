//! Single sign-on: how members sign in.

use super::{Answer, Call, ok};
use crate::api::{body, problem};
use crate::directory::problem::Problem;
use crate::directory::sso::{self, Method, Settings};
use serde_json::{Value, json};

pub(super) fn list(call: &Call<'_>) -> Answer {
    let methods: Vec<Value> = sso::list(call.context)?
        .into_iter()
        .map(|configured| {
            json!({
                "method": configured.method.name(),
                "settings": configured.settings,
                "hasClientSecret": configured.has_secret,
                "changedAt": configured.changed.to_string(),
            })
        })
        .collect();
    ok(&json!({ "methods": methods }))
}

fn named(call: &Call<'_>) -> Result<Method, Problem> {
    Method::named(call.last()).ok_or_else(problem::no_such_path)
}

pub(super) fn put(call: &Call<'_>) -> Answer {
    let method = named(call)?;
    let settings: Settings = body::read(&call.body)?;
    sso::put(call.context, &call.actor, call.team.scim_enabled, method, &settings)?;
    ok(&json!({ "method": method.name(), "settings": settings }))
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    sso::remove(call.context, &call.actor, call.team.scim_enabled, named(call)?)?;
    Ok(problem::empty())
}
