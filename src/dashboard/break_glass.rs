//! The page behind a break-glass link, `/teams/{team}/break-glass/{link}`.
//!
//! Mail scanners open links, so that GET only shows a button and POST does it.
//! The link is the one secret of ours that stands in an address: it works once,
//! and the page tells browsers to pass it on to nobody. In scope: HTML and its
//! headers; `directory::break_glass` has the rules.

use super::cookie;
use super::page::{self, Plain};
use super::text;
use crate::directory::break_glass::{self, Link};
use crate::directory::credential::{Credential, Kind};
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Deployment, Failure, Fault, team};
use crate::web::answered::Answered;
use crate::web::headers::put;
use askama::Template;
use http::header;
use http::{Method, Response, StatusCode};

#[derive(Template)]
#[template(path = "dashboard/break_glass.html")]
struct Page<'a> {
    title: &'a str,
    link: &'a Link,
    team: &'a str,
}

/// The credential in the path of such a link, if it is one with a good tag, and
/// for the team that the path names. `None` of another path.
pub fn credential(deployment: &Deployment, path: &str) -> Option<Option<Credential>> {
    let mut segments = path.strip_prefix("/teams/")?.split('/');
    let (team, word, text) = (segments.next()?, segments.next()?, segments.next()?);
    if word != "break-glass" || segments.next().is_some() {
        return None;
    }
    let credential = Credential::read(&deployment.signing, text);
    Some(credential.filter(|own| own.kind == Kind::BreakGlass && own.team.as_str() == team))
}

/// Answers a request for such a page.
pub fn handle(
    context: &Context<'_>,
    id: &TeamId,
    credential: &Credential,
    method: &Method,
) -> Answered {
    match answer(context, id, credential, method) {
        Ok(response) => Answered::of(response),
        Err(fault) => {
            let why = "Something of ours failed. Try the link again in a minute.";
            let response = refused(StatusCode::INTERNAL_SERVER_ERROR, why);
            Answered { fault: Some(fault), ..Answered::of(response) }
        }
    }
}

fn answer(
    context: &Context<'_>,
    id: &TeamId,
    credential: &Credential,
    method: &Method,
) -> Result<Response<Vec<u8>>, Fault> {
    if *method == Method::POST {
        return match break_glass::consume(context, id, credential) {
            Ok(Some(minted)) => {
                let dashboard = page::see(&format!("/teams/{id}/authentication"));
                Ok(page::with_cookie(dashboard, &cookie::keep_session(id, &minted.text)))
            }
            Ok(None) => Ok(dead()),
            Err(Failure::Refused(problem)) => Ok(refused(StatusCode::CONFLICT, &problem.message)),
            Err(Failure::Fault(fault)) => Err(fault),
        };
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, "Open this link in a browser.");
        put(&mut response, header::ALLOW, "GET, HEAD, POST");
        return Ok(response);
    }
    let (Some(link), Some(team)) = (break_glass::find(context, credential)?, team::read(context)?)
    else {
        return Ok(dead());
    };
    let page = Page { title: "Become an admin", link: &link, team: &team.name };
    let mut response = told_to_nobody(page::html(StatusCode::OK, &page));
    if *method == Method::HEAD {
        response.body_mut().clear();
    }
    Ok(response)
}

/// The page of a link that works no longer, or never did.
pub fn dead() -> Response<Vec<u8>> {
    let why = "Such a link works once, for 15 minutes. Ask whoever gave it to you for another.";
    refused(StatusCode::NOT_FOUND, why)
}

fn refused(status: StatusCode, why: &str) -> Response<Vec<u8>> {
    let title = "This link does not work";
    let page = Plain { title, lines: &[why], is_refusal: true, action: None };
    told_to_nobody(page::html(status, &page))
}

/// The address is the secret: a browser passes it on to nobody.
fn told_to_nobody(mut response: Response<Vec<u8>>) -> Response<Vec<u8>> {
    put(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}
