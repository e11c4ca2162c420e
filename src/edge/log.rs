//! One JSON line a request or alarm, for whoever operates the deployment, and the
//! request id that client and log share.
//!
//! By default only what failed through a fault of ours is logged: a line is billed at
//! several times what the request costs that it tells of. What everything costs is
//! counted by `analytics`, what providers did is in the team's audit and activity.
//!
//! Ids only: no secret, no name, no address, no query (a filter holds them).

use super::{analytics, clock, convert, settings};
use http::{HeaderMap, HeaderValue, Method, Request as HttpRequest, Response as HttpResponse};
use serde_json::{Value, json};
use std::fmt;
use wasm_bindgen::JsValue;
use worker::{Env, console_log};

const REQUEST_ID: &str = "x-request-id";
/// Characters in a request id that a client may choose.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// What a line says.
pub(super) struct Line<'a> {
    /// Where a dataset is bound that is to have it, too.
    pub(super) env: &'a Env,
    /// Which part answered: `worker`, `team` or `registry`.
    pub(super) part: &'a str,
    /// The id that the client gets in `X-Request-Id`.
    pub(super) request_id: &'a str,
    /// The team, if the request was for one.
    pub(super) team: Option<&'a str>,
    /// What was asked: a method and a path, or a name of ours.
    pub(super) route: Route<'a>,
    /// The HTTP status.
    pub(super) status: u16,
    /// When the request came. The platform's clock stands still while a
    /// request computes, so that the difference to now is what it waited.
    pub(super) started: u64,
    /// Rows read and written.
    pub(super) rows: (usize, usize),
    /// What went wrong of ours.
    pub(super) fault: Option<String>,
}

impl Line<'_> {
    /// Writes the data point, and the line if it is of a failure of ours or the
    /// deployment wants them all.
    pub(super) fn write(&self) {
        let milliseconds = clock::milliseconds().saturating_sub(self.started);
        analytics::write(self.env, self, milliseconds);
        if self.fault.is_none() && self.status < 500 && !settings::logs_all(self.env) {
            return;
        }
        let mut line = json!({
            "part": self.part,
            "requestId": self.request_id,
            "team": self.team,
            "route": self.route.to_string(),
            "status": self.status,
            "ms": milliseconds,
            "rowsRead": self.rows.0,
            "rowsWritten": self.rows.1,
        });
        if let (Some(fault), Value::Object(line)) = (&self.fault, &mut line) {
            line.insert("fault".into(), fault.as_str().into());
        }
        console_log!("{line}");
    }

    /// Writes the line and gives the response its request id.
    pub(super) fn answer(&self, mut response: HttpResponse<Vec<u8>>) -> Result<JsValue, JsValue> {
        self.write();
        if let Ok(id) = HeaderValue::from_str(self.request_id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        convert::response(&response)
    }
}

/// An id for what no client asked for.
pub(super) fn random_id() -> String {
    let mut random = [0; 8];
    // Without randomness the id is all zeros, which breaks nothing.
    drop(settings::random(&mut random));
    format!("{:016x}", u64::from_be_bytes(random))
}

/// The request's id: the client's, if it is one that a log can take, else the
/// platform's, else a random one.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits =
        |id: &&str| (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(allowed);
    if let Some(id) = text(REQUEST_ID).or_else(|| text("cf-ray")).filter(fits) {
        return id.to_owned();
    }
    random_id()
}

/// Gives a request the id that the log has it under, so that the audit can name
/// it too.
pub(super) fn with_request_id(request: &mut HttpRequest<Vec<u8>>) -> String {
    let id = request_id(request.headers());
    if let Ok(value) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    id
}

/// What was asked, as the log may know it.
#[derive(Clone, Copy)]
pub(super) enum Route<'a> {
    /// A request.
    Of(&'a Method, &'a str),
    /// Not a request.
    Named(&'a str),
}

impl fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(method, path) => f.write_str(&shown(method, path)),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// Method and path, with everything that might name a person or be a client's
/// own text left out.
fn shown(method: &Method, path: &str) -> String {
    let known = |segment: &str| {
        const KNOWN: [&str; 68] = [
            "sign-in",
            "",
            "scim",
            "v1",
            "v2",
            "Users",
            "Groups",
            "Me",
            "Bulk",
            ".search",
            "Schemas",
            "ResourceTypes",
            "ServiceProviderConfig",
            "operator",
            "teams",
            "sso",
            "saml",
            "oidc",
            "enable",
            "disable",
            "activity",
            "keys",
            "schemas",
            "settings",
            "members",
            "reactivate",
            "sign-out",
            "service-tokens",
            "me",
            "leave",
            "sessions",
            "introspect",
            "end",
            "policy",
            "decide",
            "export",
            "departed",
            "restore",
            "brake",
            "confirm",
            "undo",
            "regenerate",
            "suspend",
            "resume",
            "admin-token",
            "import",
            "break-glass",
            "signing-secrets",
            "retire",
            "-",
            "command",
            "audit",
            "authentication",
            "groups",
            "provisioning",
            "guides",
            "role",
            "remove",
            "email",
            "pins",
            "reset",
            "start",
            "callback",
            "logout",
            "revoke",
            "errand",
            "assets",
            "health",
        ];
        KNOWN.contains(&segment)
    };
    let shown: Vec<&str> =
        path.split('/').map(|segment| if known(segment) { segment } else { "{}" }).collect();
    format!("{method} {}", shown.join("/"))
}
