//! Single sign-on over HTTP: a browser on its way to the provider and back, and
//! what the provider itself sends.
//!
//! The Team object answers a request here either as a whole or with an errand:
//! something that the Worker is to fetch before it asks again at [`BACK`]. No
//! errand ever leaves the deployment.

use super::page::{self, Plain};
use super::{cookie, text, visit};
use crate::directory::members::Role;
use crate::directory::problem::Problem;
use crate::directory::sign_in::{
    self, Carry, Errand, Found, Outcome, Report, Result as Turn, Start, Step,
};
use crate::directory::team_id::TeamId;
use crate::directory::{Context, Failure, Fault, Origin, team};
use crate::oidc::request::text_of;
use crate::scim::list::Parameters;
use crate::web::answered::Answered;
use crate::web::bearer;
use crate::web::headers::put;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Where the Worker comes back to with what it found. Not reachable from outside.
pub const BACK: &str = "/-/errand";
/// The header of an answer that is an errand.
pub const ERRAND: &str = "x-kafkaman-errand";
/// Bytes of a body that a provider sends here.
const BODY_BYTES_MAX: usize = 64 << 10;

/// What the Worker comes back with.
#[derive(Deserialize, Serialize)]
pub struct Return {
    carry: Carry,
    found: Found,
    origin: Origin,
}

/// The team of a request that this module answers. `None` of another request.
pub fn team(method: &Method, path: &str) -> Option<TeamId> {
    let mut segments = path.strip_prefix("/teams/")?.split('/');
    let (team, word, what) = (segments.next()?, segments.next()?, segments.next()?);
    if word != "sign-in" || segments.next().is_some() {
        return None;
    }
    let is_ours = match what {
        "start" | "callback" => method == Method::GET,
        "logout" | "revoke" => method == Method::POST,
        _ => false,
    };
    TeamId::parse(team).filter(|_| is_ours)
}

/// The request by which the Worker comes back.
pub fn back(errand: Errand, found: Found, origin: Origin) -> Request<Vec<u8>> {
    let body = serde_json::to_vec(&Return { carry: errand.carry, found, origin });
    let mut request = Request::new(body.unwrap_or_default());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static(BACK);
    request
}

/// Answers a request, or gives an errand.
pub fn handle(context: &Context<'_>, id: &TeamId, request: Request<Vec<u8>>) -> Answered {
    let (head, body) = request.into_parts();
    let query = Parameters::parse(head.uri.query().unwrap_or_default());
    let kind = head.uri.path().rsplit('/').next().unwrap_or_default();
    match kind {
        "start" => for_browser(context, id, start(context, id, &head, &query), false),
        "callback" => {
            let browser = cookie::sign_in(&head.headers, id).unwrap_or_default();
            let turn =
                team_of(context).and_then(|_| sign_in::callback(context, id, browser, &query));
            for_browser(context, id, turn, true)
        }
        "logout" => for_provider(back_channel(context, id, &body)),
        _ => for_provider(revoke(context, id, &head, &body)),
    }
}

/// Goes on after an errand.
pub fn resume(context: &Context<'_>, id: &TeamId, request: &Request<Vec<u8>>) -> Answered {
    let Ok(told) = serde_json::from_slice::<Return>(request.body()) else {
        return Answered::of(page::lost());
    };
    let context = context.with_origin(&told.origin);
    let (is_provider, has_come_back) = match told.carry {
        Carry::RevokeDocument(_) | Carry::RevokeKeys(..) => (true, true),
        Carry::Start(_) => (false, false),
        Carry::Exchange(_) | Carry::Keys(..) => (false, true),
    };
    let turn = team_of(&context)
        .and_then(|team| sign_in::resume(&context, &team, id, told.carry, &told.found));
    if is_provider { for_provider(turn) } else { for_browser(&context, id, turn, has_come_back) }
}

fn team_of(context: &Context<'_>) -> Result<team::Team, Failure<Problem>> {
    Ok(team::read(context)?.ok_or_else(team::not_found)?)
}

fn start(context: &Context<'_>, id: &TeamId, head: &Parts, query: &Parameters) -> Turn {
    let team = team_of(context)?;
    let asked = |name: &str| query.get(name).ok().flatten().unwrap_or_default();
    let session = visit::session(context, &head.headers, id)?;
    let is_admin = session.is_some_and(|session| session.member.role == Role::Admin);
    let kept = cookie::sign_in(&head.headers, id);
    let browser = match kept.filter(|kept| kept.len() == 32) {
        Some(kept) => kept.to_owned(),
        None => text_of(&context.random_bytes::<24>()?),
    };
    let start = Start {
        browser,
        back: asked("back").to_owned(),
        is_test: is_admin && asked("test") == "1",
        again: asked("again") == "1",
    };
    sign_in::start(context, &team, id, start)
}

/// The answer to a browser. Refusals are kept for what came back from the provider.
fn for_browser(context: &Context<'_>, id: &TeamId, turn: Turn, has_come_back: bool) -> Answered {
    let done = match turn {
        Ok(Step::Errand(errand)) => return errand_for(&errand),
        Ok(Step::Redirect(place, browser)) => {
            Ok(page::with_cookie(page::see(&place), &cookie::keep_sign_in(id, &browser)))
        }
        Ok(Step::Done(outcome)) => Ok(match *outcome {
            Outcome::SignedIn(minted, back) => {
                page::with_cookie(page::see(&back), &cookie::keep_session(id, &minted.text))
            }
            Outcome::Tested(report) => tested(&report),
        }),
        Ok(Step::LoggedOut | Step::Revoked) => Ok(page::lost()),
        Err(Failure::Refused(why)) if has_come_back => {
            sign_in::note_refusal(context, &why).map(|()| refused(id, &why))
        }
        Err(Failure::Refused(why)) => Ok(refused(id, &why)),
        Err(Failure::Fault(fault)) => Err(fault),
    };
    done.map_or_else(|fault| Answered::instead(page::broken(), fault), Answered::of)
}

fn refused(id: &TeamId, problem: &Problem) -> Response<Vec<u8>> {
    if problem.code == "team_not_found" {
        return page::lost();
    }
    let way = format!("/teams/{id}/sign-in");
    let text = text::prose(&problem.message);
    let code = format!("Reason: {}", problem.code);
    let page = Plain {
        title: "You could not be signed in",
        lines: &[&text, &code],
        is_refusal: true,
        action: Some(("Back to the sign-in page", &way)),
    };
    page::html(page::status_of(problem), &page)
}

fn tested(report: &Report) -> Response<Vec<u8>> {
    let (claim, value) = &report.claim;
    let said = format!(
        "Your provider knows you as {}, and its claim {claim} says “{value}”.",
        report.subject
    );
    let (title, stands) = match &report.member {
        Ok(member) => ("It works", format!("That is {}, who could sign in.", member.name)),
        Err(why) => ("The provider answers, but you could not sign in", why.clone()),
    };
    let lines = [said.as_str(), stands.as_str(), "This was a test: nobody was signed in or out."];
    let action = Some(("Back to Authentication", report.back.as_str()));
    page::html(StatusCode::OK, &Plain { title, lines: &lines, is_refusal: false, action })
}

fn errand_for(errand: &Errand) -> Answered {
    let body = match serde_json::to_vec(errand) {
        Ok(body) => body,
        Err(error) => return Answered::instead(page::broken(), Fault::new(error.to_string())),
    };
    let mut response = Response::new(body);
    put(&mut response, header::HeaderName::from_static(ERRAND), "1");
    Answered::of(response)
}

fn back_channel(context: &Context<'_>, id: &TeamId, body: &[u8]) -> Turn {
    team_of(context)?;
    let token = form_urlencoded::parse(body.get(..BODY_BYTES_MAX).unwrap_or(body))
        .find(|(name, _)| name == "logout_token")
        .map(|(_, token)| token.into_owned());
    sign_in::back_channel(context, id, &token.unwrap_or_default())
}

#[derive(Deserialize)]
struct Revocation {
    sub_id: sign_in::Subject,
}

fn revoke(context: &Context<'_>, id: &TeamId, head: &Parts, body: &[u8]) -> Turn {
    team_of(context)?;
    let token = bearer::token(&head.headers).unwrap_or_default();
    let asked: Revocation = serde_json::from_slice(body).map_err(|_| {
        Problem::invalid("`sub_id` must be an object with the format iss_sub or email")
    })?;
    sign_in::global_revocation(context, id, token, asked.sub_id)
}

/// The answer to a provider: nothing, or in JSON why not. 200 for a logout token
/// (OpenID Connect Back-Channel Logout 1.0 section 2.8), 204 for a revocation, as
/// Okta expects it.
fn for_provider(turn: Turn) -> Answered {
    let answer = |status, body: Vec<u8>| {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        put(&mut response, header::CACHE_CONTROL, "no-store");
        put(&mut response, header::CONTENT_TYPE, "application/json");
        response
    };
    match turn {
        Ok(Step::Errand(errand)) => errand_for(&errand),
        Ok(Step::Revoked) => Answered::of(answer(StatusCode::NO_CONTENT, Vec::new())),
        Ok(_) => Answered::of(answer(StatusCode::OK, Vec::new())),
        Err(Failure::Refused(problem)) => {
            let status = match page::status_of(&problem) {
                StatusCode::NOT_FOUND => StatusCode::NOT_FOUND,
                _ => StatusCode::BAD_REQUEST,
            };
            let body = json!({ "error": "invalid_request", "error_description": problem.message });
            Answered::of(answer(status, body.to_string().into_bytes()))
        }
        Err(Failure::Fault(fault)) => {
            let body = json!({ "error": "server_error" }).to_string().into_bytes();
            Answered::instead(answer(StatusCode::INTERNAL_SERVER_ERROR, body), fault)
        }
    }
}
