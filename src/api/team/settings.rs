//! The team's settings.

use super::{Answer, Call, ok};
use crate::api::body;
use crate::directory::settings::{self, Settings};
use serde_json::{Map, Value, json};

fn shown(settings: &Settings) -> Answer {
    ok(&json!(settings))
}

pub(super) fn read(call: &Call<'_>) -> Answer {
    shown(&settings::read(call.context)?)
}

pub(super) fn change(call: &Call<'_>) -> Answer {
    let changes: Map<String, Value> = body::read(&call.body)?;
    shown(&settings::change(call.context, &call.actor, changes)?)
}
