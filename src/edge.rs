//! Cloudflare's runtime around the rest: the only code that names `worker`.
//!
//! In scope: the fetch event, the Team and Registry objects, the SQL adapter,
//! conversions, what is fetched of identity providers, the log. Out of scope:
//! decisions, which are `entry`'s. Around all of it stands `guard.mjs`, which
//! answers should the wasm ever trap.

mod clock;
mod convert;
mod errand;
mod log;
mod objects;
mod registry;
mod settings;
mod sql;
mod team;
#[cfg(feature = "testing")]
mod testing;

use crate::api::scim::{self, discovery};
use crate::dashboard;
use crate::directory::Fault;
use crate::directory::team_id::TeamId;
use crate::entry::attempts::Attempts;
use crate::entry::front::{self, Decision};
use crate::scim::Error;
use crate::web::answered::Answered;
use http::request::Parts;
use http::{Response as HttpResponse, StatusCode};
use std::cell::RefCell;
use worker::{Context, Date, Env, Request, Response, Result, Stub, event};

/// The Worker: decides from the head, answers itself or forwards unread.
///
/// An `Err` here would be answered by the runtime's crate in plain text, so
/// that none may leave.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let started = Date::now().as_millis();
    #[cfg(feature = "testing")]
    if let Some(response) = testing::route(&request) {
        return response;
    }
    let Ok(head) = convert::head(&request) else {
        let error = Error::status_only(400, "the request's target is not one that HTTP has");
        return convert::response(scim::refusal(&error, scim::SCIM_JSON));
    };
    let answered = match decide(&env, &head) {
        Ok(Target::Object(object)) => match object.fetch_with_request(request).await {
            Ok(response) => match instead_of(&head, response.status_code()) {
                Some(instead) => Answered::of(instead),
                None => return Ok(response),
            },
            Err(error) => scim::failed(Fault::new(error.to_string())),
        },
        Ok(Target::SignIn(team)) => {
            match errand::sign_in(&env, &team, &head.headers, request).await {
                Ok(response) => return Ok(response),
                Err(error) => Answered::instead(dashboard::broken(), Fault::new(error.to_string())),
            }
        }
        Ok(Target::Nowhere(response)) => {
            let instead = instead_of(&head, response.status().as_u16());
            Answered::of(instead.unwrap_or(response))
        }
        Err(error) => scim::failed(Fault::new(error.to_string())),
    };
    let Answered { response, fault, .. } = answered;
    log::Line {
        part: "worker",
        request_id: &log::request_id(&head.headers),
        team: None,
        route: &log::route(&head.method, head.uri.path()),
        status: response.status().as_u16(),
        started,
        rows: (0, 0),
        fault: fault.map(|fault| fault.to_string()),
    }
    .answer(response)
}

thread_local! {
    static ATTEMPTS: RefCell<Attempts> = RefCell::default();
}

/// The answer to whoever goes on guessing, in place of one of this status.
fn instead_of(head: &Parts, status: u16) -> Option<HttpResponse<Vec<u8>>> {
    let status = StatusCode::from_u16(status).ok()?;
    ATTEMPTS.with_borrow_mut(|attempts| attempts.instead_of(head, clock::now(), status))
}

/// Where a request goes: to an object, or no further.
enum Target {
    Object(Stub),
    SignIn(TeamId),
    Nowhere(HttpResponse<Vec<u8>>),
}

fn decide(env: &Env, head: &Parts) -> Result<Target> {
    if let Some(instead) = ATTEMPTS.with_borrow(|attempts| attempts.before(head, clock::now())) {
        return Ok(Target::Nowhere(instead));
    }
    let deployment = settings::deployment(env)?;
    Ok(match front::decide(&deployment, head) {
        Decision::Team(team) => Target::Object(objects::team(env, &team, None)?),
        Decision::SignIn(team) => Target::SignIn(team),
        Decision::Registry(_) => Target::Object(objects::registry(env)?),
        Decision::Answer(response) => Target::Nowhere(response),
        Decision::Discovery => Target::Nowhere(discovery::handle(&deployment.base_url, head)),
    })
}
