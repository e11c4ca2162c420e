//! Members who are gone, and the alarm when too many go at once.

use super::{Answer, Call, ok};
use crate::api::{body, problem};
use crate::directory::departures::{self, Departed};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;

fn shown(departed: &Departed) -> Value {
    json!({
        "id": departed.id,
        "userName": departed.user_name,
        "name": departed.name,
        "deletedAt": departed.at.to_string(),
        "deletedBy": departed.actor,
        "restorableUntil": departed.at.plus(departures::KEPT_MS).to_string(),
    })
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let count = super::whole(&call.parameters, "count")?.unwrap_or(departures::PAGE_MAX);
    let after = call.parameter("after")?.unwrap_or_default();
    let found = departures::list(call.context, after, count)?;
    let next = super::next(&found, count, |last| last.id.as_str().into());
    ok(&json!({ "departed": found.iter().map(shown).collect::<Vec<_>>(), "next": next }))
}

pub(super) fn restore(call: &Call<'_>) -> Answer {
    let member = departures::restore(call.context, &call.actor, call.second())?;
    ok(&super::members::shown(&member))
}

/// The alarm that stands on the team, or null; of the people that it is about, 200
/// at a time, from `?after=` on.
pub(super) fn brake(call: &Call<'_>) -> Answer {
    let after = call.parameter("after")?.unwrap_or_default();
    let alarm = departures::alarm(call.context, after)?.map(|alarm| {
        json!({
            "raisedAt": alarm.raised.to_string(),
            "since": alarm.from.to_string(),
            "suspended": alarm.suspended.iter().map(super::members::shown).collect::<Vec<_>>(),
            "deleted": alarm.deleted.iter().map(shown).collect::<Vec<_>>(),
            "suspendedCount": alarm.suspended_count,
            "deletedCount": alarm.deleted_count,
            "next": alarm.next,
        })
    });
    ok(&json!({ "alarm": alarm }))
}

pub(super) fn confirm(call: &Call<'_>) -> Answer {
    departures::confirm(call.context, &call.actor)?;
    Ok(problem::empty())
}

/// Whom to restore: these members, or all whom the alarm is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    members: Option<HashSet<String>>,
}

pub(super) fn undo(call: &Call<'_>) -> Answer {
    let asked: Undo = body::read(&call.body)?;
    let undone = departures::undo(call.context, &call.actor, asked.members.as_ref())?;
    ok(&json!({ "restored": undone.restored, "left": undone.left }))
}
