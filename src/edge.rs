//! Cloudflare's runtime around the rest: the only code that names `worker`.
//!
//! In scope: the fetch event, the Team and Registry objects, the SQL adapter,
//! conversions, what is fetched of identity providers, the log and its data points,
//! refusals counted by the platform. Out of scope: decisions, which are `entry`'s.
//! Around all of it stands `guard.mjs`, the module that the runtime starts: it calls
//! what is exported here, and answers should the wasm ever trap.
//!
//! Most requests are one call into the wasm in the Worker, one in the object, and
//! few out of it: each costs, and so does every promise. See `glue.mjs`.

mod analytics;
mod clock;
mod convert;
mod errand;
mod glue;
mod log;
mod objects;
mod refusals;
mod registry;
mod settings;
mod sql;
mod team;
#[cfg(feature = "testing")]
mod testing;
mod unreached;

use crate::api::scim::{self, discovery};
use crate::directory::Fault;
use crate::directory::team_id::TeamId;
use crate::entry::attempts::Attempts;
use crate::entry::front::{self, Decision};
use crate::scim::Error;
use crate::web::answered::Answered;
use http::request::Parts;
use http::{Response as HttpResponse, StatusCode};
use log::Route;
use objects::Object;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use worker::wasm_bindgen_futures::future_to_promise;
use worker::web_sys::Request;
use worker::{Env, Result};

/// The Worker: decides from the head. Answers a `Response`, or a promise of one, or
/// the object that the request is to be forwarded to, unread.
///
/// # Errors
/// Where there is no answer; `guard.mjs` has one.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "exported to JavaScript")]
pub fn fetch(request: Request, head: &str, env: Env) -> std::result::Result<JsValue, JsValue> {
    let started = clock::milliseconds();
    let Ok(head) = convert::head(head) else {
        let error = Error::status_only(400, "the request's target is not one that HTTP has");
        return convert::response(&scim::refusal(&error, scim::SCIM_JSON));
    };
    #[cfg(feature = "testing")]
    if let Some(response) = testing::route(&head) {
        return response;
    }
    match decide(&env, &head) {
        Ok(Target::Object(object)) if !Attempts::are_counted(&head) => {
            #[cfg(feature = "testing")]
            if let Some(error) = testing::pretended() {
                return forwarded_in_vain(env, object, head, request, error);
            }
            Ok(object.stub(&env)?.into())
        }
        Ok(Target::Object(object)) => promise(async move {
            match unreached::ask(&env, &object, &head, &request).await {
                Ok(response) => match instead_of(&head, response.status()) {
                    Some(instead) => answer(&env, started, &head, Answered::of(instead)),
                    None => Ok(response.into()),
                },
                Err(instead) => answer(&env, started, &head, instead),
            }
        }),
        Ok(Target::SignIn(team)) => promise(async move {
            match errand::sign_in(&env, &team, &head.headers, &request).await {
                Ok(response) => Ok(response.into()),
                Err(error) => {
                    let instead = unreached::answered(head.uri.path(), &error);
                    answer(&env, started, &head, instead)
                }
            }
        }),
        Ok(Target::Nowhere(response)) if refusals::are_counted(&env, response.status()) => {
            promise(async move {
                let counted = refusals::instead_of(&env, &head).await;
                answer(&env, started, &head, Answered::of(counted.unwrap_or(response)))
            })
        }
        Ok(Target::Nowhere(response)) => {
            let instead = instead_of(&head, response.status().as_u16());
            answer(&env, started, &head, Answered::of(instead.unwrap_or(response)))
        }
        Err(error) => {
            let fault = Fault::new(error.to_string());
            answer(&env, started, &head, scim::failed(fault))
        }
    }
}

/// The Worker, where forwarding a request to an object ended with an error: a promise
/// of what `fetch` would have answered.
///
/// # Errors
/// As above.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "exported to JavaScript")]
pub fn unreached(
    request: Request,
    head: &str,
    env: Env,
    error: JsValue,
) -> std::result::Result<JsValue, JsValue> {
    let head = convert::head(head)?;
    let Target::Object(object) = decide(&env, &head)? else { return Err(error) };
    forwarded_in_vain(env, object, head, request, error)
}

fn forwarded_in_vain(
    env: Env,
    object: Object,
    head: Parts,
    request: Request,
    error: JsValue,
) -> std::result::Result<JsValue, JsValue> {
    let started = clock::milliseconds();
    promise(async move {
        match unreached::ask_again(&env, &object, &head, &request, error.into()).await {
            Ok(response) => Ok(response.into()),
            Err(instead) => answer(&env, started, &head, instead),
        }
    })
}

fn promise(
    work: impl Future<Output = std::result::Result<JsValue, JsValue>> + 'static,
) -> std::result::Result<JsValue, JsValue> {
    Ok(future_to_promise(work).into())
}

/// Logs an answer of the Worker's own.
fn answer(
    env: &Env,
    started: u64,
    head: &Parts,
    answered: Answered,
) -> std::result::Result<JsValue, JsValue> {
    let Answered { response, fault, .. } = answered;
    log::Line {
        env,
        part: "worker",
        request_id: &log::request_id(&head.headers),
        team: None,
        route: Route::Of(&head.method, head.uri.path()),
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
    Object(Object),
    SignIn(TeamId),
    Nowhere(HttpResponse<Vec<u8>>),
}

fn decide(env: &Env, head: &Parts) -> Result<Target> {
    if let Some(instead) = ATTEMPTS.with_borrow(|attempts| attempts.before(head, clock::now())) {
        return Ok(Target::Nowhere(instead));
    }
    let deployment = settings::deployment(env)?;
    Ok(match front::decide(&deployment, head) {
        Decision::Team(team) => Target::Object(Object::Team(team)),
        Decision::SignIn(team) => Target::SignIn(team),
        Decision::Registry(_) => Target::Object(Object::Registry),
        Decision::Answer(response) => Target::Nowhere(response),
        Decision::Discovery => Target::Nowhere(discovery::handle(&deployment.base_url, head)),
    })
}
