//! The operator API, `/operator/v1`, answered by the Registry object.
//!
//! Some of it takes a word with a Team object. The Registry never waits for
//! that in the middle of its own work: [`start`] writes down what is about to
//! happen and returns the [`Step`] to take; whoever runs the object takes it
//! and comes back to [`resume`] with what the team said. A crash in between
//! leaves the team `creating` or `deleting`, and [`unfinished`] finds it.

use super::answered::Answered;
use super::control::{Command, Task};
use super::route::{Captures, Found, Route, find};
use super::{body, origin, problem, team as team_api};
use crate::directory::audit::{Action, Actor};
use crate::directory::problem::Problem;
use crate::directory::registry::{self, Entry, State};
use crate::directory::sql::transaction;
use crate::directory::team::NewTeam;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, Fault, migrate};
use crate::scim::list::Parameters;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// Seats of a team when the operator does not say.
const SEATS_DEFAULT: i64 = 100;
/// Seats of a team at most; no object holds more people.
const SEATS_MAX: i64 = 10_000_000;
/// Where an object may be asked to live, as Cloudflare names places.
const LOCATION_HINTS: [&str; 9] =
    ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

/// What to do next.
pub enum Step {
    /// Send this.
    Answer(Answered),
    /// Call a team and come back to [`resume`].
    CallTeam(Box<TeamCall>),
}

/// A word with a team's object.
pub struct TeamCall {
    /// The team.
    pub team: TeamId,
    /// Where its object should live, if it is to be made.
    pub location_hint: Option<String>,
    /// What to send.
    pub request: Request<Vec<u8>>,
    /// What to come back with.
    pub pending: Pending,
}

/// What was begun when a team was called.
pub struct Pending {
    operator: String,
    team: TeamId,
    what: Begun,
}

enum Begun {
    Create,
    IssueAdminToken,
    Suspend,
    Resume,
    SetSeats(i64),
    Delete,
    /// Asking one team after the other, with what the earlier ones said.
    Retire {
        version: u8,
        in_use: Vec<Value>,
    },
}

struct Call<'a> {
    context: &'a Context<'a>,
    operator: String,
    captures: Captures<'a>,
    parameters: Parameters,
    body: Vec<u8>,
}

type Outcome = Result<Step, Failure<Problem>>;
/// What answers a call.
type Handler = fn(&Call<'_>) -> Outcome;

const ROUTES: &[Route<Handler>] = &[
    Route { method: Method::GET, pattern: "/operator/v1/teams", handler: list },
    Route { method: Method::POST, pattern: "/operator/v1/teams", handler: create },
    Route { method: Method::GET, pattern: "/operator/v1/teams/{team}", handler: read },
    Route { method: Method::PATCH, pattern: "/operator/v1/teams/{team}", handler: change },
    Route { method: Method::DELETE, pattern: "/operator/v1/teams/{team}", handler: delete },
    Route { method: Method::POST, pattern: "/operator/v1/teams/{team}/suspend", handler: suspend },
    Route {
        method: Method::POST,
        pattern: "/operator/v1/teams/{team}/resume",
        handler: resume_team,
    },
    Route {
        method: Method::POST,
        pattern: "/operator/v1/teams/{team}/admin-token",
        handler: issue_admin_token,
    },
    Route {
        method: Method::POST,
        pattern: "/operator/v1/signing-secrets/{version}/retire",
        handler: retire,
    },
    Route { method: Method::GET, pattern: "/operator/v1/audit", handler: list_audit },
];

/// Begins to answer a request of an operator.
pub fn start(context: &Context<'_>, operator: &str, request: Request<Vec<u8>>) -> Step {
    let (head, body) = request.into_parts();
    let origin = origin::of(&head.headers);
    let context = &context.with_origin(&origin);
    let (route, captures) = match find(ROUTES, &head.method, head.uri.path()) {
        Found::Route(route, captures) => (route, captures),
        Found::OtherMethods(allow) => return Step::Answer(Answered::of(problem::unmet(&allow))),
        Found::Nothing => {
            return Step::Answer(Answered::of(problem::refusal(&problem::no_such_path())));
        }
    };
    let parameters = Parameters::parse(head.uri.query().unwrap_or_default());
    let call = Call { context, operator: operator.to_owned(), captures, parameters, body };
    let begun = open(context).map_err(Failure::from).and_then(|()| (route.handler)(&call));
    begun.unwrap_or_else(|failure| Step::Answer(Answered::of_problem(Err(failure))))
}

/// Goes on where [`start`] left off: the team's object answered.
pub fn resume(context: &Context<'_>, pending: Pending, told: &Response<Vec<u8>>) -> Step {
    let next = match pending {
        Pending { operator, team, what: Begun::Retire { version, in_use } } => {
            ask_next(context, operator, &team, version, in_use, told)
        }
        pending => finish(context, pending, told).map(|told| Step::Answer(Answered::of(told))),
    };
    next.unwrap_or_else(|failure| Step::Answer(Answered::of_problem(Err(failure))))
}

/// What a crash interrupted, and how to go on: a step for each team whose
/// creation or deletion is not finished, so that one that cannot be reached
/// keeps no other waiting.
/// An interrupted creation is finished without its token, which nobody waits
/// for any more; the operator asks for another.
///
/// # Errors
/// A fault of storage.
pub fn unfinished(context: &Context<'_>) -> Result<Vec<Step>, Fault> {
    open(context)?;
    let step = |entry: &Entry| {
        let begun = if entry.state == State::Creating { Begun::Create } else { Begun::Delete };
        call_team("system", entry, begun)
    };
    Ok(registry::unfinished(context)?.iter().map(step).collect())
}

fn open(context: &Context<'_>) -> Result<(), Fault> {
    let opened: Result<(), Failure<Fault>> = transaction(context.sql, || {
        migrate::apply(context.sql, migrate::REGISTRY)?;
        Ok(())
    });
    opened.map_err(|failure| match failure {
        Failure::Refused(fault) | Failure::Fault(fault) => fault,
    })
}

fn finish(
    context: &Context<'_>,
    pending: Pending,
    told: &Response<Vec<u8>>,
) -> Result<Response<Vec<u8>>, Failure<Problem>> {
    let Pending { operator, team, what } = pending;
    let body: Value = serde_json::from_slice(told.body()).unwrap_or_default();
    let actor = Actor::Operator(operator);
    if told.status().is_client_error() {
        // What was asked for cannot be: the id is free for another try.
        if matches!(what, Begun::Create) && told.status() == StatusCode::BAD_REQUEST {
            registry::abandon(context, &team)?;
        }
        return Ok(problem::answer(told.status(), &body));
    }
    if !told.status().is_success() {
        return Err(Fault::new(format!("the team answered {}", told.status())).into());
    }
    let advance = |state, action| registry::advance(context, &actor, &team, state, Some(action));
    match what {
        Begun::Create => advance(State::Live, Action::TeamCreated)?,
        Begun::Suspend => advance(State::Suspended, Action::TeamSuspended)?,
        Begun::Resume => advance(State::Live, Action::TeamResumed)?,
        Begun::SetSeats(seats) => registry::set_seats(context, &actor, &team, seats)?,
        Begun::Delete => advance(State::Gone, Action::TeamDeleted)?,
        Begun::IssueAdminToken => {
            registry::note(context, &actor, &team, Action::AdminTokenIssued)?;
        }
        // Its answers end in `ask_next`.
        Begun::Retire { .. } => {}
    }
    if matches!(what, Begun::Delete) {
        return Ok(problem::empty());
    }
    let mut shown = shown(&registry::fetch(context, &team)?);
    if let (Value::Object(shown), Some(Value::String(token))) = (&mut shown, body.get("adminToken"))
    {
        shown.insert("adminToken".into(), token.as_str().into());
    }
    let status = if matches!(what, Begun::Create) { StatusCode::CREATED } else { StatusCode::OK };
    Ok(problem::answer(status, &shown))
}

fn call_team(operator: &str, entry: &Entry, what: Begun) -> Step {
    let task = match what {
        Begun::Create => Task::Create {
            name: entry.new.name.clone(),
            seats: entry.new.seats,
            admin_name: entry.new.admin_name.clone(),
            admin_email: entry.new.admin_email.clone(),
        },
        Begun::IssueAdminToken => Task::IssueAdminToken,
        Begun::Suspend => Task::Suspend,
        Begun::Resume => Task::Resume,
        Begun::SetSeats(seats) => Task::SetSeats { seats },
        Begun::Delete => Task::Delete,
        Begun::Retire { version, .. } => Task::CredentialsUnder { signing_version: version },
    };
    Step::CallTeam(Box::new(TeamCall {
        team: entry.id.clone(),
        location_hint: entry.location_hint.clone(),
        request: Command { operator: operator.to_owned(), task }.into_request(),
        pending: Pending { operator: operator.to_owned(), team: entry.id.clone(), what },
    }))
}

fn shown(entry: &Entry) -> Value {
    json!({
        "id": entry.id.as_str(),
        "name": entry.new.name,
        "state": entry.state.name(),
        "seats": entry.new.seats,
        "jurisdiction": entry.id.jurisdiction(),
        "locationHint": entry.location_hint,
        "createdAt": entry.created.to_string(),
    })
}

fn answered(status: StatusCode, body: &Value) -> Outcome {
    Ok(Step::Answer(Answered::of(problem::answer(status, body))))
}

fn list(call: &Call<'_>) -> Outcome {
    let after = call.parameters.get("after").map_err(|error| Problem::invalid(error.detail()))?;
    let count = team_api::whole(&call.parameters, "count")?.unwrap_or(registry::PAGE_MAX);
    let teams = registry::page(call.context, after.unwrap_or_default(), count)?;
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
    location_hint: Option<String>,
    jurisdiction: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Admin {
    name: String,
    email: String,
}

fn create(call: &Call<'_>) -> Outcome {
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
        if value.trim().is_empty() || value.chars().count() > 200 {
            return Err(Problem::invalid(format!("`{name}` must have 1 to 200 characters")).into());
        }
    }
    let hint = asked.location_hint.as_deref();
    if hint.is_some_and(|hint| !LOCATION_HINTS.contains(&hint)) {
        let message = format!("`locationHint` must be one of {}", LOCATION_HINTS.join(", "));
        return Err(Problem::invalid(message).into());
    }
    let new = NewTeam {
        name: asked.name.trim().to_owned(),
        seats,
        admin_name: asked.admin.name.trim().to_owned(),
        admin_email: asked.admin.email.trim().to_owned(),
    };
    let entry = registry::begin(call.context, &id, &new, hint)?;
    Ok(call_team(&call.operator, &entry, Begun::Create))
}

fn checked_seats(seats: i64) -> Result<i64, Problem> {
    if (1..=SEATS_MAX).contains(&seats) {
        return Ok(seats);
    }
    Err(Problem::invalid(format!("`seats` must be from 1 to {SEATS_MAX}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    seats: i64,
}

/// Sets a team's seats. Fewer than its active members suspends nobody; nobody
/// becomes active then until there are enough.
fn change(call: &Call<'_>) -> Outcome {
    let asked: Change = body::read(&call.body)?;
    let seats = checked_seats(asked.seats)?;
    Ok(call_team(&call.operator, &settled(call)?, Begun::SetSeats(seats)))
}

/// The team that the path names.
fn named(call: &Call<'_>) -> Result<Entry, Failure<Problem>> {
    let id = call.captures.first().and_then(|text| TeamId::parse(text));
    registry::fetch(call.context, &id.ok_or_else(crate::directory::team::not_found)?)
}

fn read(call: &Call<'_>) -> Outcome {
    answered(StatusCode::OK, &shown(&named(call)?))
}

fn delete(call: &Call<'_>) -> Outcome {
    let entry = named(call)?;
    let actor = Actor::Operator(call.operator.clone());
    registry::advance(call.context, &actor, &entry.id, State::Deleting, None)?;
    Ok(call_team(&call.operator, &entry, Begun::Delete))
}

fn suspend(call: &Call<'_>) -> Outcome {
    Ok(call_team(&call.operator, &settled(call)?, Begun::Suspend))
}

fn resume_team(call: &Call<'_>) -> Outcome {
    Ok(call_team(&call.operator, &settled(call)?, Begun::Resume))
}

fn issue_admin_token(call: &Call<'_>) -> Outcome {
    Ok(call_team(&call.operator, &settled(call)?, Begun::IssueAdminToken))
}

/// A team that is neither being made nor being deleted.
fn settled(call: &Call<'_>) -> Result<Entry, Failure<Problem>> {
    let entry = named(call)?;
    match entry.state {
        State::Live | State::Suspended => Ok(entry),
        state => {
            let message = format!("the team is {}; try again in a minute", state.name());
            let kind = crate::directory::problem::Kind::Conflict;
            Err(Problem::new(kind, "team_unsettled", message).into())
        }
    }
}

/// Finds out whether a signing secret can be dropped from the settings: asks
/// every team for credentials that still need it.
fn retire(call: &Call<'_>) -> Outcome {
    let version = call.captures.first().and_then(|text| text.parse().ok());
    let version = version.ok_or_else(problem::no_such_path)?;
    ask_team_after(call.context, &call.operator, "", version, Vec::new())
}

fn ask_next(
    context: &Context<'_>,
    operator: String,
    team: &TeamId,
    version: u8,
    mut in_use: Vec<Value>,
    told: &Response<Vec<u8>>,
) -> Outcome {
    let body: Value = serde_json::from_slice(told.body()).unwrap_or_default();
    match body.get("credentials") {
        Some(Value::Array(credentials)) if credentials.is_empty() => {}
        Some(credentials) => {
            in_use.push(json!({ "team": team.as_str(), "credentials": credentials }));
        }
        None => return Err(Fault::new(format!("the team answered {}", told.status())).into()),
    }
    ask_team_after(context, &operator, team.as_str(), version, in_use)
}

fn ask_team_after(
    context: &Context<'_>,
    operator: &str,
    after: &str,
    version: u8,
    in_use: Vec<Value>,
) -> Outcome {
    if let Some(entry) = registry::page(context, after, 1)?.first() {
        return Ok(call_team(operator, entry, Begun::Retire { version, in_use }));
    }
    if in_use.is_empty() {
        let message = "no credential needs this secret; drop it from SIGNING_SECRETS";
        return answered(StatusCode::OK, &json!({ "version": version, "message": message }));
    }
    let message = format!("{} teams have credentials that work and need it", in_use.len());
    let error = json!({ "code": "signing_secret_in_use", "message": message, "teams": in_use });
    answered(StatusCode::CONFLICT, &json!({ "error": error }))
}

fn list_audit(call: &Call<'_>) -> Outcome {
    let page = team_api::audit::page(call.context, &call.parameters)?;
    Ok(Step::Answer(Answered::of(page)))
}
