//! The team's settings.

use super::{Answer, Call, ok};
use crate::api::body;
use crate::directory::team;
use serde::Deserialize;
use serde_json::json;

pub(super) fn read(call: &Call<'_>) -> Answer {
    ok(&json!({ "strictMode": call.team.schemas.reading.is_strict() }))
}

/// What is not named stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Change {
    strict_mode: Option<bool>,
}

pub(super) fn change(call: &Call<'_>) -> Answer {
    let change: Change = body::read(&call.body)?;
    let strict = change.strict_mode.unwrap_or(call.team.schemas.reading.is_strict());
    team::set_strict(call.context, &call.actor, strict)?;
    ok(&json!({ "strictMode": strict }))
}
