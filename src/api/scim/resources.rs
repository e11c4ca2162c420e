//! `/Users` and `/Groups`, and single resources below them.

use super::answer::{about, empty, unmet, with_body};
use super::ask::Ask;
use crate::directory::audit::Actor;
use crate::directory::render::{self, Rendered};
use crate::directory::resource::{self, Kind, Stored};
use crate::directory::{Context, Failure, change, groups, membership, search, users};
use crate::scim::list::Query;
use crate::scim::version;
use http::{Method, Response, StatusCode};
use serde_json::{Map, Value};

/// Members beyond which the answer to a group's PATCH is 204: the client has
/// the list it just changed, and Entra advises against sending it back.
const PATCHED_MEMBERS_MAX: i64 = 100;

/// GET and POST on a collection.
pub(super) fn collection(
    context: &Context<'_>,
    actor: &Actor,
    kind: Kind,
    ask: &Ask,
) -> Result<Response<Vec<u8>>, Failure> {
    match ask.method {
        Method::GET | Method::HEAD => {
            let query = Query::parse(context.resource_type(kind), &ask.parameters)?;
            let page = search::search(context, kind, &query)?;
            Ok(with_body(StatusCode::OK, ask.media_type, page.to_json()))
        }
        Method::POST => {
            let projection = ask.parameters.projection(context.resource_type(kind))?;
            let stored = create(context, actor, kind, ask.object()?)?;
            let rendered = render::one(context, &stored, &projection)?;
            Ok(whole(StatusCode::CREATED, ask, rendered))
        }
        _ => Ok(unmet(ask, "GET, HEAD, POST")),
    }
}

/// GET, PUT, PATCH and DELETE on one resource.
pub(super) fn single(
    context: &Context<'_>,
    actor: &Actor,
    kind: Kind,
    id: &str,
    ask: &Ask,
) -> Result<Response<Vec<u8>>, Failure> {
    match ask.method {
        Method::GET | Method::HEAD => read(context, kind, id, ask),
        Method::PUT | Method::PATCH => write(context, actor, kind, id, ask),
        Method::DELETE => {
            change::delete(context, actor, kind, id, ask.if_match.as_deref())?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Ok(unmet(ask, "GET, HEAD, PUT, PATCH, DELETE")),
    }
}

fn read(
    context: &Context<'_>,
    kind: Kind,
    id: &str,
    ask: &Ask,
) -> Result<Response<Vec<u8>>, Failure> {
    let projection = ask.parameters.projection(context.resource_type(kind))?;
    let stored = resource::fetch(context, kind, id)?;
    let rendered = render::one(context, &stored, &projection)?;
    if version::is_unchanged(ask.if_none_match.as_deref(), rendered.version) {
        return Ok(about(&rendered, empty(StatusCode::NOT_MODIFIED)));
    }
    Ok(whole(StatusCode::OK, ask, rendered))
}

fn write(
    context: &Context<'_>,
    actor: &Actor,
    kind: Kind,
    id: &str,
    ask: &Ask,
) -> Result<Response<Vec<u8>>, Failure> {
    let projection = ask.parameters.projection(context.resource_type(kind))?;
    let body = match ask.object() {
        Ok(body) => body,
        Err(error) => {
            // A resource that does not exist is 404 whatever the body is worth.
            resource::fetch(context, kind, id)?;
            return Err(error.into());
        }
    };
    let if_match = ask.if_match.as_deref();
    let is_patch = ask.method == Method::PATCH;
    let stored = match is_patch {
        true => patch(context, actor, kind, id, if_match, body)?,
        false => replace(context, actor, kind, id, if_match, body)?,
    };
    let is_large = is_patch && !projection.is_chosen() && is_large_group(context, &stored)?;
    // Who says which attributes it wants gets them (RFC 7644 section 3.5.2).
    let is_minimal = is_large || (ask.wants_minimal && !projection.is_chosen());
    let rendered = match is_minimal {
        true => render::head(context, &stored),
        false => render::one(context, &stored, &projection)?,
    };
    if is_minimal {
        return Ok(about(&rendered, empty(StatusCode::NO_CONTENT)));
    }
    Ok(whole(StatusCode::OK, ask, rendered))
}

fn is_large_group(context: &Context<'_>, stored: &Stored) -> Result<bool, Failure> {
    match stored.kind {
        Kind::User => Ok(false),
        Kind::Group => Ok(membership::exceeds(context, stored.seq, PATCHED_MEMBERS_MAX)?),
    }
}

fn whole(status: StatusCode, ask: &Ask, mut rendered: Rendered) -> Response<Vec<u8>> {
    let text = std::mem::take(&mut rendered.text);
    about(&rendered, with_body(status, ask.media_type, text))
}

/// Creates a resource of either type.
pub(super) fn create(
    context: &Context<'_>,
    actor: &Actor,
    kind: Kind,
    body: Map<String, Value>,
) -> Result<Stored, Failure> {
    match kind {
        Kind::User => users::create(context, actor, body),
        Kind::Group => groups::create(context, actor, body),
    }
}

/// Replaces a resource of either type.
pub(super) fn replace(
    context: &Context<'_>,
    actor: &Actor,
    kind: Kind,
    id: &str,
    if_match: Option<&str>,
    body: Map<String, Value>,
) -> Result<Stored, Failure> {
    match kind {
        Kind::User => users::replace(context, actor, id, if_match, body),
        Kind::Group => groups::replace(context, actor, id, if_match, body),
    }
}

/// Changes a resource of either type.
pub(super) fn patch(
    context: &Context<'_>,
    actor: &Actor,
    kind: Kind,
    id: &str,
    if_match: Option<&str>,
    body: Map<String, Value>,
) -> Result<Stored, Failure> {
    match kind {
        Kind::User => users::patch(context, actor, id, if_match, body),
        Kind::Group => groups::patch(context, actor, id, if_match, body),
    }
}
