//! What is around every page: its frame, its headers, and what it says when
//! something cannot be.

use super::Outcome;
use super::text;
use super::visit::Visit;
use crate::directory::departures;
use crate::directory::members::Role;
use crate::directory::problem::{Kind, Problem};
use crate::directory::{Fault, sessions};
use crate::web::headers::put;
use askama::Template;
use http::{Response, StatusCode, header};

/// Nothing but what this deployment serves itself, no script in a page, and
/// nobody's frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// What stands around a page of a team.
pub(super) struct Frame {
    pub(super) title: String,
    /// The page in the menu that this one is or belongs to.
    pub(super) at: &'static str,
    pub(super) team: String,
    /// `/teams/{team}`.
    pub(super) base: String,
    pub(super) who: String,
    pub(super) is_admin: bool,
    pub(super) is_suspended: bool,
    /// Whether too many people were suspended at once and nobody answered yet.
    pub(super) has_alarm: bool,
    /// What every form carries.
    pub(super) form_token: String,
    pub(super) notice: Option<Notice>,
}

impl Frame {
    /// The frame of a page.
    pub(super) fn of(visit: &Visit<'_>, at: &'static str, title: &str) -> Result<Self, Fault> {
        let member = &visit.session.member;
        let is_admin = member.role == Role::Admin;
        Ok(Self {
            title: title.to_owned(),
            at,
            team: visit.team.name.clone(),
            base: visit.path(""),
            who: member.name.clone(),
            is_admin,
            is_suspended: visit.team.is_suspended,
            has_alarm: is_admin && departures::alarm_stands(&visit.context())?,
            form_token: visit.form_token.clone(),
            notice: visit.notice.clone(),
        })
    }
}

/// What was done, or why not.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) is_refusal: bool,
    pub(super) text: String,
}

impl Notice {
    pub(super) fn refused(problem: &Problem) -> Self {
        Self { is_refusal: true, text: text::prose(&problem.message) }
    }

    /// What `?done=` stands for. A word that nobody of ours put there says
    /// nothing, so that no link can make a page claim anything.
    pub(super) fn done(word: &str) -> Option<Self> {
        let text = match word {
            "member-added" => "The person was added.",
            "member-removed" => "The member was removed and signed out.",
            "role" => "The role was changed.",
            "signed-out" => "All sessions of this member have ended.",
            "reactivated" => "The member can work here again.",
            "restored" => "The member was restored.",
            "scim-on" => "SCIM is on: the identity provider manages who is in the team.",
            "scim-off" => "SCIM is off: every key is refused, and members have their rights back.",
            "sso" => "Single sign-on was saved. Try it with “Test sign-in”.",
            "sso-removed" => "The sign-in method was removed, and whoever used it was signed out.",
            "pins" => "At their next sign-in, members are matched anew.",
            "key-revoked" => "The key was revoked: it fails from the next request on.",
            "token-revoked" => "The service token was revoked.",
            "confirmed" => "The alarm was answered: it was meant.",
            "settings" => "The settings were saved.",
            "schema" => "The schema was saved.",
            "schema-removed" => "The schema was removed.",
            "email" => "Your address was changed.",
            "session-ended" => "The session has ended.",
            _ => return None,
        };
        Some(Self { is_refusal: false, text: text.to_owned() })
    }
}

/// A page as a response.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Response<Vec<u8>> {
    // Rendering fails if a value's own formatting does; none of these can.
    let mut response = Response::new(page.render().unwrap_or_default().into_bytes());
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    protect(&mut response);
    response
}

/// A page of a team as it answers a visit.
pub(super) fn shown(page: &impl Template) -> Outcome {
    Ok(html(StatusCode::OK, page))
}

fn protect(response: &mut Response<Vec<u8>>) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer` a form of ours would arrive from the origin `null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        put(response, name, value);
    }
}

/// To another page (303: by GET, whatever led here).
pub(super) fn see(place: &str) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    put(&mut response, header::LOCATION, place);
    protect(&mut response);
    response
}

/// With a cookie to keep, or to forget.
pub(super) fn with_cookie(mut response: Response<Vec<u8>>, cookie: &str) -> Response<Vec<u8>> {
    if let Ok(value) = http::HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// A page without a team's frame around it: one thing to say, one way on.
#[derive(Template)]
#[template(path = "dashboard/plain.html")]
pub(super) struct Plain<'a> {
    pub(super) title: &'a str,
    pub(super) lines: &'a [&'a str],
    pub(super) is_refusal: bool,
    pub(super) action: Option<(&'a str, &'a str)>,
}

fn plain(status: StatusCode, title: &str, why: &str, way: Option<&str>) -> Response<Vec<u8>> {
    let action = way.map(|way| ("Go on", way));
    html(status, &Plain { title, lines: &[why], is_refusal: true, action })
}

/// A path that leads nowhere, or to a team that is none.
pub(super) fn lost() -> Response<Vec<u8>> {
    let why =
        "There is nothing at this address. It may have been removed, or the address is wrong.";
    plain(StatusCode::NOT_FOUND, "Nothing here", why, None)
}

/// What a visitor may not do.
pub(super) fn forbidden(title: &str, why: &str, way: &str) -> Response<Vec<u8>> {
    plain(StatusCode::FORBIDDEN, title, why, Some(way))
}

/// What went wrong of ours.
pub(super) fn broken() -> Response<Vec<u8>> {
    let why = "Something of ours failed, and it was noted. Look whether what you wanted has \
               happened before you try again.";
    plain(StatusCode::INTERNAL_SERVER_ERROR, "That did not work", why, None)
}

/// More is asked than can be answered.
pub(super) fn busy() -> Response<Vec<u8>> {
    let why = "Too much is asked of this team at once. Wait a moment and try again.";
    plain(StatusCode::SERVICE_UNAVAILABLE, "One moment", why, None)
}

/// A refusal that no page shows.
pub(super) fn refusal(problem: &Problem) -> Response<Vec<u8>> {
    let text = Notice::refused(problem).text;
    plain(status_of(problem), "That is not possible", &text, None)
}

/// The status of a page that says so.
pub(super) fn status_of(problem: &Problem) -> StatusCode {
    match problem.kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
    }
}

/// How a session's method is called on a page.
pub(super) fn method_name(name: &str) -> &'static str {
    match sessions::Method::named(name) {
        Some(sessions::Method::Saml) => "SAML",
        Some(sessions::Method::Oidc) => "OpenID Connect",
        Some(sessions::Method::Google) => "Google",
        Some(sessions::Method::Password) => "Password",
        _ => "Break-glass link",
    }
}
