//! Teams as operators see them: made, listed, given seats, suspended, deleted,
//! and opened to those who are to run them.

use super::{Begun, Call, Outcome, answered, call_team, shown};
use crate::api::{body, team as team_api};
use crate::directory::Failure;
use crate::directory::audit::Actor;
use crate::directory::problem::{Kind, Problem};
use crate::directory::registry::{self, Entry, State};
use crate::directory::service_tokens::Scope;
use crate::directory::team::{Limits, NewTeam};
use crate::directory::team_id::TeamId;
use crate::directory::throttle::{self, Rate};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Seats of a team when the operator does not say.
const SEATS_DEFAULT: i64 = 100;
/// Seats of a team at most; no object holds more people.
const SEATS_MAX: i64 = 10_000_000;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 200;
/// Where an object may be asked to live, as Cloudflare names places.
const LOCATION_HINTS: [&str; 9] =
    ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

pub(super) fn list(call: &Call<'_>) -> Outcome {
    let text = |name| call.parameters.get(name).map_err(|error| Problem::invalid(error.detail()));
    let (search, after) = (text("search")?.unwrap_or_default(), text("after")?.unwrap_or_default());
    let count = team_api::whole(&call.parameters, "count")?.unwrap_or(registry::PAGE_MAX);
    let teams = registry::page(call.context, search, after, count)?;
    let next = team_api::next(&teams, count, |last| last.id.as_str().into());
    let teams: Vec<Value> = teams.iter().map(shown).collect();
    answered(StatusCode::OK, &json!({ "teams": teams, "next": next }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Create {
    id: String,
    name: String,
    admin: Admin,
    seats: Option<i64>,
    requests_per_second: Option<i64>,
    request_burst: Option<i64>,
    location_hint: Option<String>,
    jurisdiction: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Admin {
    name: String,
    email: String,
}

pub(super) fn create(call: &Call<'_>) -> Outcome {
    let asked: Create = body::read(&call.body)?;
    let id = match &asked.jurisdiction {
        Some(jurisdiction) => format!("{jurisdiction}.{}", asked.id),
        None => asked.id.clone(),
    };
    let id = TeamId::parse(&id).ok_or_else(|| {
        Problem::invalid(
            "`id` must have 2 to 40 of a-z, 0-9 and `-`; `jurisdiction` must be eu, us or fedramp",
        )
    })?;
    let seats = checked_seats(asked.seats.unwrap_or(SEATS_DEFAULT))?;
    for (name, value) in [
        ("name", &asked.name),
        ("admin.name", &asked.admin.name),
        ("admin.email", &asked.admin.email),
    ] {
        check_name(name, value)?;
    }
    let hint = asked.location_hint.as_deref();
    if hint.is_some_and(|hint| !LOCATION_HINTS.contains(&hint)) {
        let message = format!("`locationHint` must be one of {}", LOCATION_HINTS.join(", "));
        return Err(Problem::invalid(message).into());
    }
    let new = NewTeam {
        name: asked.name.trim().to_owned(),
        seats,
        rate: checked_rate(asked.requests_per_second, asked.request_burst)?,
        admin_name: asked.admin.name.trim().to_owned(),
        admin_email: asked.admin.email.trim().to_owned(),
    };
    let entry = registry::begin(call.context, &id, &new, hint)?;
    Ok(call_team(&call.operator, &entry, Begun::Create))
}

fn check_name(what: &str, name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let message = format!("`{what}` must have 1 to {NAME_CHARS_MAX} characters");
        return Err(Problem::invalid(message));
    }
    Ok(())
}

fn checked_seats(seats: i64) -> Result<i64, Problem> {
    if (1..=SEATS_MAX).contains(&seats) {
        return Ok(seats);
    }
    Err(Problem::invalid(format!("`seats` must be from 1 to {SEATS_MAX}")))
}

fn checked_rate(per_second: Option<i64>, burst: Option<i64>) -> Result<Rate, Problem> {
    for (name, value) in [("requestsPerSecond", per_second), ("requestBurst", burst)] {
        if value.is_some_and(|value| !(1..=throttle::MOST).contains(&value)) {
            let message = format!("`{name}` must be from 1 to {}", throttle::MOST);
            return Err(Problem::invalid(message));
        }
    }
    Ok(Rate { per_second, burst })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Change {
    seats: Option<i64>,
    requests_per_second: Option<i64>,
    request_burst: Option<i64>,
}

/// Sets a team's limits. Fewer seats than its active members suspends nobody;
/// nobody becomes active then until there are enough.
pub(super) fn change(call: &Call<'_>) -> Outcome {
    let asked: Change = body::read(&call.body)?;
    let limits = Limits {
        seats: asked.seats.map(checked_seats).transpose()?,
        rate: checked_rate(asked.requests_per_second, asked.request_burst)?,
    };
    if limits.seats.is_none() && limits.rate == Rate::default() {
        let message = "name what to change: `seats`, `requestsPerSecond`, `requestBurst`";
        return Err(Problem::invalid(message).into());
    }
    Ok(call_team(&call.operator, &settled(named(call)?)?, Begun::SetLimits(limits)))
}

/// The team that the path names.
fn named(call: &Call<'_>) -> Result<Entry, Failure<Problem>> {
    let id = call.captures.first().and_then(|text| TeamId::parse(text));
    registry::fetch(call.context, &id.ok_or_else(crate::directory::team::not_found)?)
}

pub(super) fn read(call: &Call<'_>) -> Outcome {
    answered(StatusCode::OK, &shown(&named(call)?))
}

pub(super) fn delete(call: &Call<'_>) -> Outcome {
    let entry = named(call)?;
    let actor = Actor::Operator(call.operator.clone());
    registry::advance(call.context, &actor, &entry.id, State::Deleting, None)?;
    Ok(call_team(&call.operator, &entry, Begun::Delete))
}

pub(super) fn suspend(call: &Call<'_>) -> Outcome {
    Ok(call_team(&call.operator, &settled(named(call)?)?, Begun::Suspend))
}

pub(super) fn resume(call: &Call<'_>) -> Outcome {
    Ok(call_team(&call.operator, &settled(named(call)?)?, Begun::Resume))
}

pub(super) fn issue_admin_token(call: &Call<'_>) -> Outcome {
    Ok(call_team(&call.operator, &settled(named(call)?)?, Begun::IssueAdminToken))
}

/// A team that is neither being made nor being deleted.
pub(super) fn settled(entry: Entry) -> Result<Entry, Failure<Problem>> {
    match entry.state {
        State::Live | State::Suspended => Ok(entry),
        state => {
            let message = format!("the team is {}; try again in a minute", state.name());
            Err(Problem::new(Kind::Conflict, "team_unsettled", message).into())
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BreakGlass {
    name: String,
    email: String,
}

/// Makes a link that makes someone admin.
pub(super) fn break_glass(call: &Call<'_>) -> Outcome {
    let asked: BreakGlass = body::read(&call.body)?;
    check_name("name", &asked.name)?;
    let (name, email) = (asked.name.trim().to_owned(), asked.email.trim().to_owned());
    Ok(call_team(&call.operator, &settled(named(call)?)?, Begun::BreakGlass { name, email }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewServiceToken {
    name: String,
    scopes: BTreeSet<Scope>,
}

/// Makes a token for one of kafkaman's services, as the team's admins can.
pub(super) fn issue_service_token(call: &Call<'_>) -> Outcome {
    let NewServiceToken { name, scopes } = body::read(&call.body)?;
    Ok(call_team(
        &call.operator,
        &settled(named(call)?)?,
        Begun::IssueServiceToken { name, scopes },
    ))
}

/// The tokens of kafkaman's services, whoever made them.
pub(super) fn list_service_tokens(call: &Call<'_>) -> Outcome {
    Ok(call_team(&call.operator, &settled(named(call)?)?, Begun::ListServiceTokens))
}

/// Revokes one.
pub(super) fn revoke_service_token(call: &Call<'_>) -> Outcome {
    let id = call.captures.get(1).copied().unwrap_or_default().to_owned();
    Ok(call_team(&call.operator, &settled(named(call)?)?, Begun::RevokeServiceToken { id }))
}

/// A chunk of an export: the first, or with `?after=` what the one before called
/// `next`.
pub(super) fn export(call: &Call<'_>) -> Outcome {
    let after = call.parameters.get("after").map_err(|error| Problem::invalid(error.detail()))?;
    let after = after.map(str::to_owned);
    Ok(call_team(&call.operator, &settled(named(call)?)?, Begun::Export { after }))
}

/// Takes a chunk of an export in, as it was answered.
pub(super) fn import(call: &Call<'_>) -> Outcome {
    let chunk = std::str::from_utf8(&call.body)
        .map_err(|_| Problem::invalid("the body must be a chunk of an export, in UTF-8"))?;
    let chunk = chunk.to_owned();
    Ok(call_team(&call.operator, &settled(named(call)?)?, Begun::Import { chunk }))
}
