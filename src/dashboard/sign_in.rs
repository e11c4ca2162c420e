//! Signing in: the page that leads to the provider, and what is said on the way
//! back and when a session is over.

use super::cookie;
use super::page::{self, Plain};
use crate::directory::team_id::TeamId;
use crate::scim::list::Parameters;
use http::request::Parts;
use http::{Method, Response, StatusCode};

/// The address of the sign-in page, with the page to come back to.
fn address(team: &TeamId, back: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("back", back);
    format!("/teams/{team}/sign-in?{}", query.finish())
}

/// Where a request without a session is sent: to the sign-in page, and back from
/// there if it only looked.
pub(super) fn first(team: &TeamId, head: &Parts) -> Response<Vec<u8>> {
    let looked = matches!(head.method, Method::GET | Method::HEAD);
    let root = format!("/teams/{team}");
    page::see(&address(team, if looked { head.uri.path() } else { &root }))
}

/// The same where there was a session that has ended.
pub(super) fn ended(team: &TeamId, head: &Parts) -> Response<Vec<u8>> {
    page::with_cookie(first(team, head), &cookie::forget_session(team))
}

/// The sign-in page, if that is what a request is for. It wakes no object: who
/// asks has shown nothing yet.
pub fn page(head: &Parts) -> Option<Response<Vec<u8>>> {
    let mut segments = head.uri.path().strip_prefix("/teams/")?.split('/');
    let (team, word) = (segments.next()?, segments.next()?);
    if word != "sign-in" || segments.next().is_some() || head.method == Method::POST {
        return None;
    }
    let query = Parameters::parse(head.uri.query().unwrap_or_default());
    let back = query.get("back").ok().flatten().unwrap_or_default();
    Some(TeamId::parse(team).map_or_else(page::lost, |team| offer(&team, back)))
}

fn offer(team: &TeamId, back: &str) -> Response<Vec<u8>> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("back", back);
    let start = format!("/teams/{team}/sign-in/start?{}", query.finish());
    let lines = [
        "This team signs in with its company's identity provider.",
        "If you cannot get in, ask a team admin or whoever runs your identity provider whether \
         your account is active and may use kafkaman.",
    ];
    let title = format!("Sign in to {team}");
    let action = Some(("Continue with single sign-on", start.as_str()));
    page::html(StatusCode::OK, &Plain { title: &title, lines: &lines, is_refusal: false, action })
}

/// What is asked of an admin whose sign-in is too long ago for this.
pub(super) fn again(team: &TeamId, back: &str) -> Response<Vec<u8>> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("back", back).append_pair("again", "1");
    let start = format!("/teams/{team}/sign-in/start?{}", query.finish());
    let lines =
        ["Changing keys or single sign-on takes that you proved within the last hour who you \
                  are, so that a screen left open cannot do it. Nothing was changed."];
    let action = Some(("Sign in again", start.as_str()));
    let page = Plain { title: "Please sign in again", lines: &lines, is_refusal: false, action };
    page::html(StatusCode::FORBIDDEN, &page)
}

/// After signing out.
pub(super) fn signed_out(team: &TeamId) -> Response<Vec<u8>> {
    let way = format!("/teams/{team}/sign-in");
    let lines = ["Your session here has ended. You may still be signed in at your company's \
                  identity provider."];
    let action = Some(("Sign in again", way.as_str()));
    page::html(
        StatusCode::OK,
        &Plain { title: "Signed out", lines: &lines, is_refusal: false, action },
    )
}

/// After leaving.
pub(super) fn left(team: &TeamId) -> Response<Vec<u8>> {
    let title = format!("You have left {team}");
    let lines = ["Your sessions here have ended. A team admin can add you again."];
    let page = Plain { title: &title, lines: &lines, is_refusal: false, action: None };
    page::html(StatusCode::OK, &page)
}
