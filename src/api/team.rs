//! The team API, `/teams/{team}/v1`: admins run their team, members see to
//! themselves, kafkaman's services ask.
//!
//! One table of routes that says who may call each, one way to read a body, one
//! shape of errors. The Worker has seen to it that the credential is one for
//! this very team with a good tag; here it is found out whether it still opens
//! anything.

mod access;
mod activity;
pub(super) mod audit;
mod departures;
mod keys;
mod me;
mod members;
mod schemas;
pub(super) mod service_tokens;
mod sessions;
mod settings;
mod sso;

use super::problem;
use crate::directory::activity::Activity;
use crate::directory::audit::{Actor, PAGE_MAX};
use crate::directory::problem::{Kind, Problem};
use crate::directory::schemas::Schemas;
use crate::directory::service_tokens::Scope;
use crate::directory::team::{self, Team};
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, seats};
use crate::scim::Timestamp;
use crate::scim::list::Parameters;
use crate::web::answered::{After, Answered};
use crate::web::route::{Captures, Found, Route, find};
pub use access::Access;
use access::Caller;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::cell::Cell;

/// A request on its way to an endpoint.
pub struct Call<'a> {
    context: &'a Context<'a>,
    activity: &'a Activity,
    team: Team,
    id: TeamId,
    caller: Caller,
    actor: Actor,
    captures: Captures<'a>,
    parameters: Parameters,
    body: Vec<u8>,
    /// What the runtime has to do besides answering.
    after: &'a Cell<After>,
}

type Answer = Result<Response<Vec<u8>>, Failure<Problem>>;

/// What answers a call, and whose.
pub struct Endpoint {
    /// Who may call.
    pub access: Access,
    answer: fn(&Call<'_>) -> Answer,
}

const fn route(
    method: Method,
    pattern: &'static str,
    access: Access,
    answer: fn(&Call<'_>) -> Answer,
) -> Route<Endpoint> {
    Route { method, pattern, handler: Endpoint { access, answer } }
}

/// The endpoints.
#[rustfmt::skip]
pub const ROUTES: &[Route<Endpoint>] = &[
    route(Method::GET, "/teams/{team}/v1", Access::Admin, read_team),
    route(Method::GET, "/teams/{team}/v1/settings", Access::Admin, settings::read),
    route(Method::PATCH, "/teams/{team}/v1/settings", Access::Admin, settings::change),
    route(Method::GET, "/teams/{team}/v1/sso", Access::Admin, sso::list),
    route(Method::PUT, "/teams/{team}/v1/sso/{method}", Access::Recent, sso::put),
    route(Method::DELETE, "/teams/{team}/v1/sso/{method}", Access::Recent, sso::delete),
    route(Method::GET, "/teams/{team}/v1/scim", Access::Admin, keys::read_scim),
    route(Method::POST, "/teams/{team}/v1/scim/enable", Access::Recent, keys::enable_scim),
    route(Method::POST, "/teams/{team}/v1/scim/disable", Access::Recent, keys::disable_scim),
    route(Method::GET, "/teams/{team}/v1/scim/activity", Access::Admin, activity::read),
    route(Method::GET, "/teams/{team}/v1/scim/keys", Access::Admin, keys::list),
    route(Method::POST, "/teams/{team}/v1/scim/keys", Access::Recent, keys::generate),
    route(Method::POST, "/teams/{team}/v1/scim/keys/{key}/regenerate", Access::Recent, keys::regenerate),
    route(Method::DELETE, "/teams/{team}/v1/scim/keys/{key}", Access::Recent, keys::revoke),
    route(Method::GET, "/teams/{team}/v1/scim/schemas", Access::Admin, schemas::list_all),
    route(Method::PUT, "/teams/{team}/v1/scim/schemas/{urn}", Access::Admin, schemas::register),
    route(Method::DELETE, "/teams/{team}/v1/scim/schemas/{urn}", Access::Admin, schemas::remove),
    route(Method::GET, "/teams/{team}/v1/members", Access::Admin, members::list),
    route(Method::POST, "/teams/{team}/v1/members", Access::Admin, members::add),
    route(Method::GET, "/teams/{team}/v1/members/{member}", Access::Admin, members::read),
    route(Method::PATCH, "/teams/{team}/v1/members/{member}", Access::Admin, members::change),
    route(Method::DELETE, "/teams/{team}/v1/members/{member}", Access::Admin, members::remove),
    route(Method::POST, "/teams/{team}/v1/members/{member}/reactivate", Access::Admin, members::reactivate),
    route(Method::POST, "/teams/{team}/v1/members/{member}/sign-out", Access::Admin, members::sign_out),
    route(Method::GET, "/teams/{team}/v1/departed", Access::Admin, departures::list),
    route(Method::POST, "/teams/{team}/v1/departed/{member}/restore", Access::Admin, departures::restore),
    route(Method::GET, "/teams/{team}/v1/brake", Access::Admin, departures::brake),
    route(Method::POST, "/teams/{team}/v1/brake/confirm", Access::Admin, departures::confirm),
    route(Method::POST, "/teams/{team}/v1/brake/undo", Access::Admin, departures::undo),
    route(Method::GET, "/teams/{team}/v1/service-tokens", Access::Admin, service_tokens::list),
    route(Method::POST, "/teams/{team}/v1/service-tokens", Access::Recent, service_tokens::issue),
    route(Method::DELETE, "/teams/{team}/v1/service-tokens/{token}", Access::Recent, service_tokens::revoke),
    route(Method::GET, "/teams/{team}/v1/audit", Access::Admin, audit::list),
    route(Method::GET, "/teams/{team}/v1/audit/export", Access::Admin, audit::export),
    route(Method::GET, "/teams/{team}/v1/me", Access::Member, me::read),
    route(Method::PATCH, "/teams/{team}/v1/me", Access::Member, me::change),
    route(Method::POST, "/teams/{team}/v1/me/leave", Access::Member, me::leave),
    route(Method::POST, "/teams/{team}/v1/me/sign-out", Access::Member, me::sign_out),
    route(Method::POST, "/teams/{team}/v1/sessions", Access::Service(Scope::Sessions), sessions::open),
    route(Method::POST, "/teams/{team}/v1/sessions/introspect", Access::Service(Scope::Sessions), sessions::introspect),
    route(Method::POST, "/teams/{team}/v1/sessions/end", Access::Service(Scope::Sessions), sessions::end),
    route(Method::POST, "/teams/{team}/v1/policy/decide", Access::Service(Scope::Policy), sessions::decide),
];

/// Answers a request to the team API.
pub fn handle(
    context: &Context<'_>,
    name: &TeamId,
    activity: &Activity,
    request: Request<Vec<u8>>,
) -> Answered {
    let after = Cell::new(After::Nothing);
    let answered = problem::answered(answer(context, name, activity, request, &after));
    Answered { after: after.get(), ..answered }
}

fn answer(
    context: &Context<'_>,
    name: &TeamId,
    activity: &Activity,
    request: Request<Vec<u8>>,
    after: &Cell<After>,
) -> Answer {
    let (head, body) = request.into_parts();
    let caller = access::caller(context, &head.headers, name)?.ok_or_else(problem::unauthorized)?;
    let Some(team) = team::read(context)? else { return Err(team::not_found().into()) };
    let (route, captures) = match find(ROUTES, &head.method, head.uri.path()) {
        Found::Route(route, captures) => (route, captures),
        Found::OtherMethods(allow) => return Ok(problem::unmet(&allow)),
        Found::Nothing => return Err(problem::no_such_path().into()),
    };
    let actor = access::admitted(&caller, route.handler.access, context.now)?;
    // Services go on asking: what a suspended team's members may do is the
    // answer, not the question. And whoever wants to go can.
    let is_service = matches!(route.handler.access, Access::Service(_));
    let ends_session = route.pattern.ends_with("/me/sign-out");
    if team.is_suspended && route.method != Method::GET && !is_service && !ends_session {
        let message = "the team is suspended; its settings can be read, not changed";
        return Err(Problem::new(Kind::Forbidden, "team_suspended", message).into());
    }
    let schemas = Schemas::read(context, team.schemas)?;
    let context = context.with_schemas(&schemas);
    let call = Call {
        context: &context,
        activity,
        team,
        id: name.clone(),
        caller,
        actor,
        captures,
        parameters: Parameters::parse(head.uri.query().unwrap_or_default()),
        body,
        after,
    };
    (route.handler.answer)(&call)
}

impl Call<'_> {
    /// The last variable segment of the path.
    fn last(&self) -> &str {
        self.captures.last().copied().unwrap_or_default()
    }

    /// The variable segment after the team's.
    fn second(&self) -> &str {
        self.captures.get(1).copied().unwrap_or_default()
    }

    /// A query parameter.
    fn parameter(&self, name: &str) -> Result<Option<&str>, Problem> {
        self.parameters.get(name).map_err(|error| Problem::invalid(error.detail()))
    }
}

fn ok(body: &Value) -> Answer {
    Ok(problem::answer(StatusCode::OK, body))
}

fn read_team(call: &Call<'_>) -> Answer {
    let team = &call.team;
    ok(&json!({
        "id": team.id,
        "name": team.name,
        "state": if team.is_suspended { "suspended" } else { "live" },
        "seats": team.seats,
        "seatsTaken": seats::taken(call.context)?,
        "scimEnabled": team.scim_enabled,
        "createdAt": Timestamp(team.created).to_string(),
    }))
}

/// What the next page begins after, if this one is full: `next` of an answer,
/// `?after=` of the next request.
pub(super) fn next<T>(page: &[T], count: i64, key: impl Fn(&T) -> Value) -> Value {
    let shown = i64::try_from(page.len()).unwrap_or(i64::MAX);
    let is_full = shown > 0 && shown >= count.min(PAGE_MAX);
    page.last().filter(|_| is_full).map_or(Value::Null, key)
}

/// A page of a list that is read whole, since no team has much of it: what is
/// after the one that `?after=` names, and `next`.
fn page<T>(
    call: &Call<'_>,
    all: Vec<T>,
    id: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Value), Problem> {
    let count = whole(&call.parameters, "count")?.unwrap_or(PAGE_MAX);
    let skipped = match call.parameter("after")? {
        None | Some("") => 0,
        Some(after) => {
            let at = all.iter().position(|one| id(one) == after);
            let unknown = || Problem::invalid("`after` must be the `next` of a page before");
            at.ok_or_else(unknown)?.saturating_add(1)
        }
    };
    let most = usize::try_from(count.min(PAGE_MAX)).unwrap_or(0);
    let page: Vec<T> = all.into_iter().skip(skipped).take(most).collect();
    let next = next(&page, count, |last| id(last).into());
    Ok((page, next))
}

/// A query parameter that is a number from 0 on.
pub(super) fn whole(parameters: &Parameters, name: &str) -> Result<Option<i64>, Problem> {
    let text = parameters.get(name).map_err(|error| Problem::invalid(error.detail()))?;
    let Some(text) = text else { return Ok(None) };
    let number = text
        .parse()
        .ok()
        .filter(|number| (0..=crate::directory::sql::INTEGER_MAX).contains(number));
    let message = || Problem::invalid(format!("`{name}` must be a whole number from 0 on"));
    Ok(Some(number.ok_or_else(message)?))
}
