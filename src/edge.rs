//! Cloudflare's runtime around the rest: the only code that names `worker`.
//!
//! In scope: the fetch event, the Team and Registry objects, the SQL adapter,
//! conversions, the log. Out of scope: decisions, which are `api`'s. Around
//! all of it stands `guard.mjs`, which answers should the wasm ever trap.

mod convert;
mod log;
mod objects;
mod registry;
mod settings;
mod sql;
mod team;
#[cfg(feature = "testing")]
mod testing;

use crate::api::front::{self, Decision};
use crate::api::scim::discovery;
use worker::{Context, Date, Env, Request, Response, Result, event};

/// The Worker: decides from the head, answers itself or forwards unread.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let started = Date::now().as_millis();
    #[cfg(feature = "testing")]
    if let Some(response) = testing::route(&request) {
        return response;
    }
    let head = convert::head(&request)?;
    let deployment = settings::deployment(&env)?;
    let response = match front::decide(&deployment, &head) {
        Decision::Team(team) => {
            return objects::team(&env, &team, None)?.fetch_with_request(request).await;
        }
        Decision::Registry(_) => return objects::registry(&env)?.fetch_with_request(request).await,
        Decision::Answer(response) => response,
        Decision::Discovery => discovery::handle(&deployment.base_url, &head),
    };
    log::Line {
        part: "worker",
        request_id: &log::request_id(&head.headers),
        team: None,
        route: &log::route(&head.method, head.uri.path()),
        status: response.status().as_u16(),
        started,
        rows: (0, 0),
        fault: None,
    }
    .answer(response)
}
