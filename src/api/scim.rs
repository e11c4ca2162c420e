//! SCIM over HTTP (RFC 7644 section 3): what the Team object answers below
//! `/scim/v2`.
//!
//! In scope: methods, paths, headers, status codes. Out of scope: what a
//! change means (`directory`) and what a message says (`scim`). Every answer
//! is JSON in SCIM's own shape, whatever goes wrong.

mod answer;
mod ask;
mod bulk;
pub mod discovery;
mod resources;
mod search;

use crate::directory::audit::{self, Actor};
use crate::directory::resource::Kind;
use crate::directory::{Context, Failure};
use crate::scim::Error;
pub use answer::{failed, refusal};
use ask::Ask;
pub use ask::SCIM_JSON;
use http::{Method, Request, Response};

/// Answers an authenticated request. `actor` is who the audit will name.
pub fn handle(
    context: &Context<'_>,
    actor: &Actor,
    request: Request<Vec<u8>>,
) -> Result<Response<Vec<u8>>, crate::directory::Fault> {
    let (head, body) = request.into_parts();
    let is_head = head.method == Method::HEAD;
    let reading = context.resource_type(Kind::User).reading;
    let answered = Ask::read(&head, body, reading).map_err(Failure::from).and_then(|ask| {
        if matches!(ask.method, Method::GET | Method::HEAD) {
            return dispatch(context, actor, &ask);
        }
        // Around the change and the answer that shows it: a 500 changed nothing.
        context.transaction(|| dispatch(context, actor, &ask))
    });
    let is_change = !matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let mut response = match answered {
        Ok(response) => response,
        Err(Failure::Refused(error)) => {
            let is_search = head.uri.path().ends_with("/.search");
            if is_change && !is_search {
                // What was begun is undone; that it was refused is kept.
                let asked = format!("{} {}", head.method, head.uri.path());
                audit::problem(context, actor, &asked, &error)?;
            }
            refusal(&error, ask::media_type(&head.headers))
        }
        Err(Failure::Fault(fault)) => return Err(fault),
    };
    if is_head {
        response.body_mut().clear();
    }
    Ok(response)
}

fn dispatch(context: &Context<'_>, actor: &Actor, ask: &Ask) -> Result<Response<Vec<u8>>, Failure> {
    let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["Bulk"] => bulk::answer(context, actor, ask),
        [] => search::everywhere(context, ask),
        [".search"] => search::by_post(context, None, ask),
        ["Users", ".search"] => search::by_post(context, Some(Kind::User), ask),
        ["Groups", ".search"] => search::by_post(context, Some(Kind::Group), ask),
        ["Users"] => resources::collection(context, actor, Kind::User, ask),
        ["Users", id] => resources::single(context, actor, Kind::User, id, ask),
        ["Groups"] => resources::collection(context, actor, Kind::Group, ask),
        ["Groups", id] => resources::single(context, actor, Kind::Group, id, ask),
        ["Me", ..] => Err(Error::status_only(
            501,
            "/Me is not supported: a SCIM API key belongs to a team, not to a person",
        )
        .into()),
        _ => discovery::answer(&context.deployment.base_url, context.schemas, ask)
            .map_err(Failure::from),
    }
}
