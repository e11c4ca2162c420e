//! Searches by POST, and over both types at once (RFC 7644 sections 3.4.2.1
//! and 3.4.3).

use super::answer::{unmet, with_body};
use super::ask::Ask;
use crate::directory::resource::Kind;
use crate::directory::{Context, Failure, search};
use crate::scim::list::{Page, Parameters, Query};
use crate::scim::{Error, ScimType};
use http::{Method, Response, StatusCode};

/// `GET` at the base URL: a filter over Users and Groups.
pub(super) fn everywhere(context: &Context<'_>, ask: &Ask) -> Result<Response<Vec<u8>>, Failure> {
    if !matches!(ask.method, Method::GET | Method::HEAD) {
        return Ok(unmet(ask, "GET, HEAD"));
    }
    answer(context, None, &ask.parameters, ask)
}

/// `POST` at a `.search` endpoint, of one type or of both.
pub(super) fn by_post(
    context: &Context<'_>,
    kind: Option<Kind>,
    ask: &Ask,
) -> Result<Response<Vec<u8>>, Failure> {
    if ask.method != Method::POST {
        return Ok(unmet(ask, "POST"));
    }
    let parameters = Parameters::from_search(ask.object()?)?;
    answer(context, kind, &parameters, ask).map_err(|failure| match failure {
        // A body is no URL, so that nothing is disclosed; it stays refused.
        Failure::Refused(error) if error.scim_type() == Some(ScimType::Sensitive) => {
            Error::invalid_filter(error.detail()).into()
        }
        other => other,
    })
}

fn answer(
    context: &Context<'_>,
    kind: Option<Kind>,
    parameters: &Parameters,
    ask: &Ask,
) -> Result<Response<Vec<u8>>, Failure> {
    let page = match kind {
        Some(kind) => {
            let query = Query::parse(context.resource_type(kind), parameters)?;
            search::search(context, kind, &query)?
        }
        None => both(context, parameters)?,
    };
    Ok(with_body(StatusCode::OK, ask.media_type, page.to_json()))
}

/// A filter may name attributes that only one of the types has; the other has
/// no match then. What neither type understands is refused.
fn both(context: &Context<'_>, parameters: &Parameters) -> Result<Page, Failure> {
    let users = of_one(context, Kind::User, parameters);
    let groups = of_one(context, Kind::Group, parameters);
    let queries = match (&users, &groups) {
        (Ok(users), Ok(groups)) => vec![(Kind::User, users), (Kind::Group, groups)],
        (Ok(users), Err(_)) => vec![(Kind::User, users)],
        (Err(_), Ok(groups)) => vec![(Kind::Group, groups)],
        (Err(error), Err(_)) => return Err(error.clone().into()),
    };
    search::search_all(context, &queries)
}

/// The query as one of the types reads it. A type that lacks the attribute
/// that is sorted by has all its resources where those without a value stand.
fn of_one<'c>(
    context: &Context<'c>,
    kind: Kind,
    parameters: &Parameters,
) -> Result<Query<'c>, Error> {
    let other = if kind == Kind::User { Kind::Group } else { Kind::User };
    let (own, other) = (context.resource_type(kind), Some(context.resource_type(other)));
    let query = Query::parse_among(own, other, parameters);
    match query {
        Err(error) if error.scim_type() == Some(ScimType::InvalidPath) => {
            Query::parse_among(own, other, &parameters.without("sortBy"))
        }
        query => query,
    }
}
