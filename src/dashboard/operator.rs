//! The operator's page, `/operator`: which teams there are, and what an operator
//! does to one.
//!
//! Its forms ask nothing of their own: each becomes a request to the operator API
//! ([`asked`]), and the page shows what that answered ([`answered`]). So the two
//! cannot differ. An operator signs in with the token itself, which the browser
//! then no longer holds.

use super::cookie::value;
use super::form::Form;
use super::page::{self, Notice};
use super::text;
use crate::directory::credential::sha256;
use crate::directory::registry::{self, Entry, PAGE_MAX, State};
use crate::directory::{Context, Deployment, Fault};
use crate::scim::list::Parameters;
use crate::web::answered::Answered;
use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;

/// How long an operator stays signed in.
const SESSION_MS: i64 = 60 * 60 * 1000;
const COOKIE: &str = "__Host-kafkaman-operator";

/// Whether a path is this page's or one of its forms'.
pub fn is_its(path: &str) -> bool {
    matches!(path, "/operator" | "/operator/sign-in" | "/operator/sign-out" | "/operator/teams")
        || path.starts_with("/operator/teams/")
}

#[derive(Template)]
#[template(path = "dashboard/operator_sign_in.html")]
struct SignIn {
    title: &'static str,
    is_refused: bool,
}

fn sign_in_page(is_refused: bool) -> Response<Vec<u8>> {
    let status = if is_refused { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    page::html(status, &SignIn { title: "Operator", is_refused })
}

/// The operator whose session cookie a request carries, if it is a good one.
///
/// # Errors
/// The page to sign in on.
pub fn visitor(deployment: &Deployment, head: &Parts) -> Result<String, Box<Response<Vec<u8>>>> {
    // The one form that needs no session makes one; the Registry has the clock.
    if head.uri.path() == "/operator/sign-in" && head.method == Method::POST {
        return Ok(String::new());
    }
    match session(deployment, &head.headers) {
        Some((name, _)) => Ok(name),
        None => Err(sign_in_page(false).into()),
    }
}

fn session(
    deployment: &Deployment,
    headers: &HeaderMap,
) -> Option<(String, crate::scim::Timestamp)> {
    let (name, until) = deployment.operator_of_session(value(headers, COOKIE)?)?;
    Some((name.to_owned(), until))
}

/// What every form of a session carries.
fn form_token(headers: &HeaderMap) -> String {
    let session = value(headers, COOKIE).unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.encode(sha256(&[b"form ", session.as_bytes()].concat()))
}

/// What comes of a request for the page.
pub enum Turn {
    /// This.
    Answer(Answered),
    /// Ask the operator API this, and come back to [`answered`].
    Ask(Request<Vec<u8>>),
}

/// Answers a request, or says what to ask the operator API for it.
pub fn asked(context: &Context<'_>, head: &Parts, body: &[u8]) -> Turn {
    let whole = |response| Turn::Answer(Answered::of(response));
    let path = head.uri.path();
    let form = Form::read(body).unwrap_or_default();
    if path == "/operator/sign-in" && head.method == Method::POST {
        return whole(sign_in(context, form.get("token")));
    }
    let stands =
        session(context.deployment, &head.headers).is_some_and(|(_, until)| until > context.now);
    if !stands {
        return whole(sign_in_page(false));
    }
    if head.method != Method::POST {
        let query = Parameters::parse(head.uri.query().unwrap_or_default());
        return match list(context, &head.headers, &query, None, None) {
            Ok(response) => whole(response),
            Err(fault) => Turn::Answer(Answered::instead(page::broken(), fault)),
        };
    }
    let own = form_token(&head.headers);
    if !is_same_site(context, head)
        || !bool::from(own.as_bytes().ct_eq(form.get("form").as_bytes()))
    {
        let why = "This form is from another sign-in or another site, so nothing was changed.";
        return whole(page::forbidden("Nothing was changed", why, "/operator"));
    }
    if path == "/operator/sign-out" {
        let forget = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
        return whole(page::with_cookie(page::see("/operator"), &forget));
    }
    match request(path, &form) {
        Some(request) => Turn::Ask(request),
        None => whole(page::lost()),
    }
}

fn is_same_site(context: &Context<'_>, head: &Parts) -> bool {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    text("origin").is_none_or(|origin| origin == context.deployment.base_url)
        && text("sec-fetch-site").is_none_or(|site| site == "same-origin")
}

fn sign_in(context: &Context<'_>, token: &str) -> Response<Vec<u8>> {
    if context.deployment.operator(token).is_none() {
        return sign_in_page(true);
    }
    let session = context.deployment.operator_session(token, context.now.plus(SESSION_MS));
    let keep = format!("{COOKIE}={session}; Path=/; Secure; HttpOnly; SameSite=Strict");
    page::with_cookie(page::see("/operator"), &keep)
}

/// The request to the operator API that a form stands for.
fn request(path: &str, form: &Form) -> Option<Request<Vec<u8>>> {
    let rest = path.strip_prefix("/operator/teams")?;
    let person = || json!({ "name": form.get("name"), "email": form.get("email") });
    let seats = || form.get("seats").parse::<i64>().map_or(Value::Null, Value::from);
    let (method, path, body) = match rest.rsplit_once('/') {
        None => {
            let mut team = Map::new();
            team.insert("id".into(), form.get("id").into());
            team.insert("name".into(), form.get("team").into());
            team.insert("admin".into(), person());
            team.insert("seats".into(), seats());
            if let Some(jurisdiction) = form.filled("jurisdiction") {
                team.insert("jurisdiction".into(), jurisdiction.into());
            }
            (Method::POST, String::new(), Value::Object(team))
        }
        Some((team, "suspend")) => (Method::POST, format!("{team}/suspend"), Value::Null),
        Some((team, "resume")) => (Method::POST, format!("{team}/resume"), Value::Null),
        Some((team, "break-glass")) => (Method::POST, format!("{team}/break-glass"), person()),
        Some((team, "seats")) => (Method::PATCH, team.to_owned(), json!({ "seats": seats() })),
        Some(_) => return None,
    };
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = format!("/operator/v1/teams{path}").parse::<Uri>().ok()?;
    Some(request)
}

#[derive(Template)]
#[template(path = "dashboard/operator.html")]
struct Page<'a> {
    form_token: String,
    search: &'a str,
    teams: Vec<Entry>,
    /// What the next page begins after.
    next: Option<String>,
    notice: Option<Notice>,
    link: Option<String>,
}

/// The page after the operator API answered a form.
pub fn answered(context: &Context<'_>, headers: &HeaderMap, told: &Answered) -> Answered {
    let body: Value = serde_json::from_slice(told.response.body()).unwrap_or_default();
    let message = body.pointer("/error/message").and_then(Value::as_str);
    let notice = match message {
        Some(message) => {
            Notice { is_refusal: true, text: message.chars().filter(|c| *c != '`').collect() }
        }
        None => Notice { is_refusal: false, text: "Done.".into() },
    };
    let link = body.get("url").and_then(Value::as_str).map(str::to_owned);
    match list(context, headers, &Parameters::default(), Some(notice), link) {
        Ok(mut response) => {
            if message.is_some() {
                *response.status_mut() = told.response.status();
            }
            Answered::of(response)
        }
        Err(fault) => Answered::instead(page::broken(), fault),
    }
}

fn list(
    context: &Context<'_>,
    headers: &HeaderMap,
    query: &Parameters,
    notice: Option<Notice>,
    link: Option<String>,
) -> Result<Response<Vec<u8>>, Fault> {
    let asked = |name| query.get(name).ok().flatten().unwrap_or_default();
    let search = asked("search").trim();
    let teams = registry::page(context, search, asked("after"), PAGE_MAX)?;
    let is_full = i64::try_from(teams.len()).is_ok_and(|count| count >= PAGE_MAX);
    let next = teams.last().filter(|_| is_full).map(|last| last.id.to_string());
    let page = Page { form_token: form_token(headers), search, teams, next, notice, link };
    Ok(page::html(StatusCode::OK, &page))
}
