//! The operator API, `/operator/v1`, answered by the Registry object.
//!
//! Some of it takes a word with a Team object. The Registry never waits for
//! that in the middle of its own work: [`start`] writes down what is about to
//! happen and returns the [`Step`] to take; whoever runs the object takes it
//! and comes back to [`resume`] with what the team said. A crash in between
//! leaves the team `creating` or `deleting`, and [`unfinished`] finds it.

mod health;
mod retire;
mod teams;

use super::control::{Command, Task};
use super::{problem, team as team_api};
use crate::directory::audit::{Action, Actor};
use crate::directory::problem::Problem;
use crate::directory::registry::{self, Entry, State};
use crate::directory::service_tokens::Scope;
use crate::directory::sql::transaction;
use crate::directory::team::Limits;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, Fault, migrate};
use crate::scim::list::Parameters;
use crate::web::answered::Answered;
use crate::web::origin;
use crate::web::route::{Captures, Found, Route, find};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

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

impl Pending {
    /// Whether it is written down what was begun, so that [`unfinished`] finds it
    /// should the answer never come.
    pub fn is_written_down(&self) -> bool {
        matches!(self.what, Begun::Create | Begun::Delete)
    }
}

enum Begun {
    Create,
    IssueAdminToken,
    Suspend,
    Resume,
    SetLimits(Limits),
    BreakGlass {
        name: String,
        email: String,
    },
    IssueServiceToken {
        name: String,
        scopes: BTreeSet<Scope>,
    },
    ListServiceTokens,
    RevokeServiceToken {
        id: String,
    },
    Export {
        after: Option<String>,
    },
    Import {
        chunk: String,
    },
    Delete,
    /// Asking how the team is.
    Health,
    /// Asking one team after the other, with what the earlier ones said.
    Retire {
        version: u8,
        in_use: Vec<Value>,
    },
}

/// A request on its way to an endpoint.
pub struct Call<'a> {
    context: &'a Context<'a>,
    operator: String,
    captures: Captures<'a>,
    parameters: Parameters,
    body: Vec<u8>,
}

/// What comes of a call at first.
pub type Outcome = Result<Step, Failure<Problem>>;
/// What answers a call.
pub type Handler = fn(&Call<'_>) -> Outcome;

const fn route(method: Method, pattern: &'static str, handler: Handler) -> Route<Handler> {
    Route { method, pattern, handler }
}

/// The endpoints, all for operators.
#[rustfmt::skip]
pub const ROUTES: &[Route<Handler>] = &[
    route(Method::GET, "/operator/v1/teams", teams::list),
    route(Method::POST, "/operator/v1/teams", teams::create),
    route(Method::GET, "/operator/v1/teams/{team}", teams::read),
    route(Method::PATCH, "/operator/v1/teams/{team}", teams::change),
    route(Method::DELETE, "/operator/v1/teams/{team}", teams::delete),
    route(Method::POST, "/operator/v1/teams/{team}/suspend", teams::suspend),
    route(Method::POST, "/operator/v1/teams/{team}/resume", teams::resume),
    route(Method::POST, "/operator/v1/teams/{team}/admin-token", teams::issue_admin_token),
    route(Method::POST, "/operator/v1/teams/{team}/break-glass", teams::break_glass),
    route(Method::POST, "/operator/v1/teams/{team}/service-tokens", teams::issue_service_token),
    route(Method::GET, "/operator/v1/teams/{team}/service-tokens", teams::list_service_tokens),
    route(Method::DELETE, "/operator/v1/teams/{team}/service-tokens/{token}", teams::revoke_service_token),
    route(Method::GET, "/operator/v1/teams/{team}/export", teams::export),
    route(Method::POST, "/operator/v1/teams/{team}/import", teams::import),
    route(Method::POST, "/operator/v1/signing-secrets/{version}/retire", retire::retire),
    route(Method::GET, "/operator/v1/audit", list_audit),
    route(Method::GET, health::PATH, health::check),
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
    let begun = prepare(context).map_err(Failure::from).and_then(|()| (route.handler)(&call));
    begun.unwrap_or_else(|failure| Step::Answer(failed(is_health(head.uri.path()), failure)))
}

/// Goes on where [`start`] left off: the team's object answered.
pub fn resume(context: &Context<'_>, pending: Pending, told: &Response<Vec<u8>>) -> Step {
    let asks_health = matches!(pending.what, Begun::Health);
    let next = match pending {
        Pending { team, what: Begun::Health, .. } => health::finish(context, &team, told),
        Pending { operator, team, what: Begun::Retire { version, in_use } } => {
            retire::ask_next(context, operator, &team, version, in_use, told)
        }
        pending => finish(context, pending, told).map(|told| Step::Answer(Answered::of(told))),
    };
    next.unwrap_or_else(|failure| Step::Answer(failed(asks_health, failure)))
}

/// Whether somebody who asks for this path asks how the service is.
pub fn is_health(path: &str) -> bool {
    path == health::PATH
}

/// The answer to them where something of ours failed.
pub fn ill(fault: Fault) -> Answered {
    health::ill(fault)
}

fn failed(asks_health: bool, failure: Failure<Problem>) -> Answered {
    match failure {
        Failure::Fault(fault) if asks_health => health::ill(fault),
        failure => problem::answered(Err(failure)),
    }
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
    prepare(context)?;
    let step = |entry: &Entry| {
        let begun = if entry.state == State::Creating { Begun::Create } else { Begun::Delete };
        call_team("system", entry, begun)
    };
    Ok(registry::unfinished(context)?.iter().map(step).collect())
}

/// Sees to it that the Registry has its tables.
///
/// # Errors
/// A fault of storage.
pub fn prepare(context: &Context<'_>) -> Result<(), Fault> {
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
    let is_creation = matches!(what, Begun::Create);
    let note = |action, detail| registry::note(context, &actor, &team, action, &detail);
    let advance = |state, action| registry::advance(context, &actor, &team, state, Some(action));
    match what {
        Begun::Create => advance(State::Live, Action::TeamCreated)?,
        Begun::Suspend => advance(State::Suspended, Action::TeamSuspended)?,
        Begun::Resume => advance(State::Live, Action::TeamResumed)?,
        Begun::SetLimits(limits) => registry::set_limits(context, &actor, &team, &limits)?,
        Begun::Delete => {
            advance(State::Gone, Action::TeamDeleted)?;
            return Ok(problem::empty());
        }
        Begun::IssueAdminToken => {
            note(Action::AdminTokenIssued, json!({}))?;
        }
        Begun::Export { after } => {
            if after.is_none() {
                note(Action::TeamExported, json!({}))?;
            }
            return Ok(problem::lines(told.body().clone()));
        }
        Begun::Import { .. } => {
            if body.get("finished") == Some(&Value::Bool(true)) {
                note(Action::TeamImported, json!({}))?;
            }
            return Ok(problem::answer(StatusCode::OK, &body));
        }
        // The team's own answer holds what is shown once.
        Begun::BreakGlass { name, email } => {
            note(Action::BreakGlassIssued, json!({ "name": name, "email": email }))?;
            return Ok(problem::answer(StatusCode::CREATED, &body));
        }
        Begun::IssueServiceToken { .. } => {
            let token = body.get("id").cloned().unwrap_or_default();
            note(Action::ServiceTokenIssued, json!({ "token": token }))?;
            return Ok(problem::answer(StatusCode::CREATED, &body));
        }
        Begun::ListServiceTokens => return Ok(problem::answer(StatusCode::OK, &body)),
        Begun::RevokeServiceToken { id } => {
            note(Action::ServiceTokenRevoked, json!({ "token": id }))?;
            return Ok(problem::empty());
        }
        // Their answers end elsewhere.
        Begun::Retire { .. } | Begun::Health => {}
    }
    let mut shown = shown(&registry::fetch(context, &team)?);
    if let (Value::Object(shown), Some(Value::String(token))) = (&mut shown, body.get("adminToken"))
    {
        shown.insert("adminToken".into(), token.as_str().into());
    }
    let status = if is_creation { StatusCode::CREATED } else { StatusCode::OK };
    Ok(problem::answer(status, &shown))
}

fn call_team(operator: &str, entry: &Entry, mut what: Begun) -> Step {
    let task = match what {
        Begun::Create => Task::Create {
            name: entry.new.name.clone(),
            seats: entry.new.seats,
            rate: entry.new.rate,
            admin_name: entry.new.admin_name.clone(),
            admin_email: entry.new.admin_email.clone(),
        },
        Begun::IssueAdminToken => Task::IssueAdminToken,
        Begun::Suspend => Task::Suspend,
        Begun::Resume => Task::Resume,
        Begun::SetLimits(limits) => Task::SetLimits(limits),
        Begun::BreakGlass { ref name, ref email } => {
            Task::BreakGlass { name: name.clone(), email: email.clone() }
        }
        Begun::IssueServiceToken { ref name, ref scopes } => {
            Task::IssueServiceToken { name: name.clone(), scopes: scopes.clone() }
        }
        Begun::ListServiceTokens => Task::ListServiceTokens,
        Begun::RevokeServiceToken { ref id } => Task::RevokeServiceToken { id: id.clone() },
        Begun::Export { ref after } => Task::Export { after: after.clone() },
        Begun::Import { ref mut chunk } => Task::Import { chunk: std::mem::take(chunk) },
        Begun::Delete => Task::Delete,
        Begun::Health => Task::Health,
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
        "requestsPerSecond": entry.new.rate.per_second(),
        "requestBurst": entry.new.rate.burst(),
        "jurisdiction": entry.id.jurisdiction(),
        "locationHint": entry.location_hint,
        "createdAt": entry.created.to_string(),
    })
}

fn answered(status: StatusCode, body: &Value) -> Outcome {
    Ok(Step::Answer(Answered::of(problem::answer(status, body))))
}

fn list_audit(call: &Call<'_>) -> Outcome {
    let page = team_api::audit::page(call.context, &call.parameters)?;
    Ok(Step::Answer(Answered::of(page)))
}
