//! The pages under `/teams/{team}`, for the people of a team.
//!
//! In scope: HTML, forms, cookies, and what a browser must be told so that
//! nobody else can use them. Out of scope: what a change means and who may make
//! it, which `directory` decides for the pages as it does for the APIs. Every
//! page works without JavaScript; `public/assets` adds copying and what happens
//! live.

mod audit;
mod authentication;
pub mod break_glass;
mod cookie;
mod form;
mod groups;
mod guides;
mod keys;
mod me;
mod member;
mod members;
pub mod operator;
mod page;
mod provisioning;
mod settings;
pub mod sign_in;
pub mod sso;
mod text;
mod visit;

use crate::directory::activity::Activity;
use crate::directory::problem::Problem;
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Deployment, Failure, team};
use crate::web::answered::{After, Answered};
use crate::web::route::{Found, Route, find};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use page::Notice;
use std::cell::Cell;
pub use visit::Access;
use visit::Visit;

type Outcome = Result<Response<Vec<u8>>, Failure<Problem>>;
type Handler = fn(&Visit<'_>) -> Outcome;

/// What answers a visit, and whose.
pub struct Endpoint {
    /// Who may.
    pub access: Access,
    answer: Handler,
    /// The page that a refused change is shown on.
    on: Option<Handler>,
}

const fn get(pattern: &'static str, access: Access, answer: Handler) -> Route<Endpoint> {
    Route { method: Method::GET, pattern, handler: Endpoint { access, answer, on: None } }
}

const fn post(
    pattern: &'static str,
    access: Access,
    answer: Handler,
    on: Handler,
) -> Route<Endpoint> {
    Route { method: Method::POST, pattern, handler: Endpoint { access, answer, on: Some(on) } }
}

/// The pages, and what their forms do.
#[rustfmt::skip]
pub const ROUTES: &[Route<Endpoint>] = &[
    get("/teams/{team}", Access::Admin, members::list),
    post("/teams/{team}/members", Access::Admin, members::add, members::list),
    get("/teams/{team}/members/{member}", Access::Admin, member::show),
    get("/teams/{team}/members/{member}/remove", Access::Admin, member::ask_removal),
    post("/teams/{team}/members/{member}/remove", Access::Admin, member::remove, member::ask_removal),
    post("/teams/{team}/members/{member}/role", Access::Admin, member::set_role, member::show),
    post("/teams/{team}/members/{member}/sign-out", Access::Admin, member::sign_out, member::show),
    post("/teams/{team}/members/{member}/reactivate", Access::Admin, member::reactivate, member::show),
    get("/teams/{team}/departed", Access::Admin, members::departed),
    post("/teams/{team}/departed/{member}/restore", Access::Admin, members::restore, members::departed),
    get("/teams/{team}/groups", Access::Admin, groups::list),
    get("/teams/{team}/groups/{group}", Access::Admin, groups::show),
    get("/teams/{team}/authentication", Access::Admin, authentication::show),
    post("/teams/{team}/authentication/scim", Access::Recent, authentication::set_scim, authentication::show),
    post("/teams/{team}/authentication/sso", Access::Recent, authentication::set_sso, authentication::show),
    post("/teams/{team}/authentication/sso/remove", Access::Recent, authentication::remove_sso, authentication::show),
    post("/teams/{team}/authentication/pins/reset", Access::Recent, authentication::reset_pins, authentication::show),
    post("/teams/{team}/keys", Access::Recent, keys::generate, authentication::show),
    post("/teams/{team}/keys/{key}/regenerate", Access::Recent, keys::regenerate, authentication::show),
    post("/teams/{team}/keys/{key}/revoke", Access::Recent, keys::revoke, authentication::show),
    get("/teams/{team}/guides/{provider}", Access::Admin, guides::show),
    get("/teams/{team}/provisioning", Access::Admin, provisioning::show),
    post("/teams/{team}/brake/confirm", Access::Admin, provisioning::confirm, provisioning::show),
    post("/teams/{team}/brake/undo", Access::Admin, provisioning::undo, provisioning::show),
    get("/teams/{team}/audit", Access::Admin, audit::show),
    get("/teams/{team}/audit/export", Access::Admin, audit::export),
    get("/teams/{team}/settings", Access::Admin, settings::show),
    post("/teams/{team}/settings", Access::Admin, settings::change, settings::show),
    post("/teams/{team}/settings/schemas", Access::Admin, settings::register_schema, settings::show),
    post("/teams/{team}/settings/schemas/remove", Access::Admin, settings::remove_schema, settings::show),
    post("/teams/{team}/service-tokens", Access::Recent, keys::issue_service_token, settings::show),
    post("/teams/{team}/service-tokens/{token}/revoke", Access::Recent, keys::revoke_service_token, settings::show),
    get("/teams/{team}/me", Access::Member, me::show),
    post("/teams/{team}/me/email", Access::Member, me::set_email, me::show),
    post("/teams/{team}/me/leave", Access::Member, me::leave, me::show),
    post("/teams/{team}/me/sessions/{session}/end", Access::Member, me::end_session, me::show),
    post("/teams/{team}/sign-out", Access::Member, me::sign_out, me::show),
];

/// Whether a path below `/teams/{team}` is a page's: all but the team API's are.
pub fn is_page(path: &str) -> bool {
    let mut segments = path.split('/').skip(2);
    segments.next().is_some_and(|team| !team.is_empty()) && segments.next() != Some("v1")
}

/// The team whose session cookie with a good tag a request for a page carries.
/// Without one, the way to sign in.
///
/// # Errors
/// The answer for whoever is not signed in.
pub fn visitor(deployment: &Deployment, head: &Parts) -> Result<TeamId, Box<Response<Vec<u8>>>> {
    let named = head.uri.path().split('/').nth(2).unwrap_or_default();
    let Some(team) = TeamId::parse(named) else { return Err(page::lost().into()) };
    match cookie::session(deployment, &head.headers, &team) {
        Some(_) => Ok(team),
        None => Err(sign_in::first(&team, head).into()),
    }
}

/// The page where something of ours failed.
pub fn broken() -> Response<Vec<u8>> {
    page::broken()
}

/// The page where more is asked of a team than it can answer.
pub fn busy() -> Response<Vec<u8>> {
    page::busy()
}

/// Answers a request for a page of this team.
pub fn handle(
    context: &Context<'_>,
    id: &TeamId,
    activity: &Activity,
    request: Request<Vec<u8>>,
) -> Answered {
    let after = Cell::new(After::Nothing);
    let is_head = request.method() == Method::HEAD;
    match answer(context, id, activity, request, &after) {
        Ok(mut response) => {
            if is_head {
                response.body_mut().clear();
            }
            Answered { after: after.get(), ..Answered::of(response) }
        }
        Err(Failure::Refused(problem)) => Answered::of(page::refusal(&problem)),
        Err(Failure::Fault(fault)) => Answered::instead(page::broken(), fault),
    }
}

fn answer(
    context: &Context<'_>,
    id: &TeamId,
    activity: &Activity,
    request: Request<Vec<u8>>,
    after: &Cell<After>,
) -> Outcome {
    let (head, body) = request.into_parts();
    let Some(team) = team::read(context)? else { return Ok(page::lost()) };
    let Some(session) = visit::session(context, &head.headers, id)? else {
        return Ok(sign_in::ended(id, &head));
    };
    let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    let (route, captures) = match find(ROUTES, method, head.uri.path()) {
        Found::Route(route, captures) => (route, captures),
        // A form's address that is opened or reloaded: its page has the form.
        Found::OtherMethods(_) => return Ok(page::see(&format!("/teams/{id}"))),
        Found::Nothing => return Ok(page::lost()),
    };
    let mut visit = Visit::new(context, activity, team, id, session, after)?;
    visit.captures = captures;
    visit.read(&head);
    if let Some(refused) = visit.admission(&route.handler.access, &head) {
        return refused;
    }
    if route.method == Method::POST
        && let Some(refused) = visit.read_form(&head, &body)
    {
        return refused;
    }
    let answered = (route.handler.answer)(&visit);
    match (answered, route.handler.on) {
        (Err(Failure::Refused(problem)), Some(on)) => {
            visit.notice = Some(Notice::refused(&problem));
            let mut response = on(&visit)?;
            *response.status_mut() = page::status_of(&problem);
            Ok(response)
        }
        (Err(Failure::Refused(problem)), None)
            if page::status_of(&problem) == StatusCode::NOT_FOUND =>
        {
            Ok(page::lost())
        }
        (answered, _) => answered,
    }
}
