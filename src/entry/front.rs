//! What the stateless Worker decides, from a request's head alone.
//!
//! Credential first, path second: a request that lacks a good one learns
//! nothing of which paths there are, and however its path is encoded, it is
//! refused before anybody decodes it. What can be refused here wakes no
//! object and costs nothing.

use crate::api::{openapi, problem, scim};
use crate::dashboard::{self, break_glass, operator, sign_in, sso};
use crate::directory::Deployment;
use crate::directory::credential::{Credential, Kind};
use crate::directory::team_id::TeamId;
use crate::scim::Error;
use crate::web::bearer;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

/// Bytes that any endpoint takes at most; what announces more is refused
/// unread. Endpoints have lower limits of their own.
const BODY_BYTES_MAX: u64 = 8 << 20;

/// Where a request goes.
pub enum Decision {
    /// Nowhere: this is the answer.
    Answer(Response<Vec<u8>>),
    /// To this team's object.
    Team(TeamId),
    /// To the Registry object, in the name of this operator.
    Registry(String),
    /// To this team's object, and with it to the provider and back: a sign-in.
    SignIn(TeamId),
    /// To `scim::discovery`, here and without a key.
    Discovery,
}

/// Decides where a request goes.
pub fn decide(deployment: &Deployment, head: &Parts) -> Decision {
    let path = head.uri.path();
    if is_below(path, "/scim") {
        return scim_request(deployment, head);
    }
    if is_below(path, "/teams") {
        return team_request(deployment, head);
    }
    if is_below(path, "/operator") {
        return operator_request(deployment, head);
    }
    let is_read = matches!(head.method, Method::GET | Method::HEAD);
    if path == "/openapi.json" && is_read {
        return Decision::Answer(openapi::answer());
    }
    if path == "/" && is_read {
        let about = serde_json::json!({
            "service": "kafkaman SCIM",
            "scim": format!("{}/scim/v2", deployment.base_url),
        });
        return Decision::Answer(problem::answer(StatusCode::OK, &about));
    }
    Decision::Answer(problem::refusal(&problem::no_such_path()))
}

/// Whether a path is this root or below it.
pub(super) fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn scim_request(deployment: &Deployment, head: &Parts) -> Decision {
    if !head.headers.contains_key(header::AUTHORIZATION) && is_open(head) {
        return Decision::Discovery;
    }
    let credential = bearer::token(&head.headers)
        .and_then(|text| Credential::read(&deployment.signing, text))
        .filter(|credential| credential.kind == Kind::Scim);
    let Some(credential) = credential else {
        return Decision::Answer(scim_unauthorized());
    };
    if let Some(announced) = announced_excess(&head.headers) {
        let detail = format!("the body has {announced} bytes; at most {BODY_BYTES_MAX} are read");
        return scim_refusal(&Error::status_only(413, detail));
    }
    match head.uri.path().split('/').nth(2) {
        Some("v2") => Decision::Team(credential.team),
        Some(version) if is_version(version) => scim_refusal(&Error::of(
            crate::scim::ScimType::InvalidVers,
            format!("SCIM {version} is not supported; the base URL ends in /scim/v2"),
        )),
        _ => {
            let detail = "there is no such endpoint; the base URL ends in /scim/v2";
            scim_refusal(&Error::status_only(404, detail))
        }
    }
}

/// Whether a request without a key may be answered: reading what RFC 7644
/// section 4 publishes.
fn is_open(head: &Parts) -> bool {
    let mut segments = head.uri.path().split('/').filter(|part| !part.is_empty()).skip(1);
    segments.next() == Some("v2")
        && matches!(segments.next(), Some("ServiceProviderConfig" | "ResourceTypes" | "Schemas"))
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn team_request(deployment: &Deployment, head: &Parts) -> Decision {
    if let Some(link) = break_glass::credential(deployment, head.uri.path()) {
        let dead = || Decision::Answer(break_glass::dead());
        return link.map_or_else(dead, |link| Decision::Team(link.team));
    }
    if dashboard::is_page(head.uri.path()) {
        return page_request(deployment, head);
    }
    let credential = bearer::token(&head.headers)
        .and_then(|text| Credential::read(&deployment.signing, text))
        .filter(|credential| !matches!(credential.kind, Kind::Scim | Kind::BreakGlass));
    let Some(credential) = credential else {
        return Decision::Answer(problem::refusal(&problem::unauthorized()));
    };
    // A token for another team opens nothing here, and does not learn whether
    // there is anything to open.
    if head.uri.path().split('/').nth(2) != Some(credential.team.as_str()) {
        return Decision::Answer(problem::refusal(&problem::unauthorized()));
    }
    match announced_excess(&head.headers) {
        Some(_) => Decision::Answer(too_large()),
        None => Decision::Team(credential.team),
    }
}

/// A page: the sign-in page is for anybody, the others for who carries a session
/// with a good tag.
fn page_request(deployment: &Deployment, head: &Parts) -> Decision {
    if let Some(page) = sign_in::page(head) {
        return Decision::Answer(page);
    }
    if let Some(team) = sso::team(&head.method, head.uri.path()) {
        return match announced_excess(&head.headers) {
            Some(_) => Decision::Answer(too_large()),
            None => Decision::SignIn(team),
        };
    }
    match dashboard::visitor(deployment, head) {
        Ok(team) => Decision::Team(team),
        Err(page) => Decision::Answer(*page),
    }
}

fn operator_request(deployment: &Deployment, head: &Parts) -> Decision {
    if operator::is_its(head.uri.path()) {
        return match operator::visitor(deployment, head) {
            Ok(name) if announced_excess(&head.headers).is_none() => Decision::Registry(name),
            Ok(_) => Decision::Answer(too_large()),
            Err(page) => Decision::Answer(*page),
        };
    }
    let operator = bearer::token(&head.headers).and_then(|token| deployment.operator(token));
    match (operator, announced_excess(&head.headers)) {
        (None, _) => Decision::Answer(problem::refusal(&problem::unauthorized())),
        (Some(_), Some(_)) => Decision::Answer(too_large()),
        (Some(name), None) => Decision::Registry(name.to_owned()),
    }
}

fn announced_excess(headers: &HeaderMap) -> Option<u64> {
    let announced = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    (announced > BODY_BYTES_MAX).then_some(announced)
}

fn too_large() -> Response<Vec<u8>> {
    let message = format!("the body may have {BODY_BYTES_MAX} bytes");
    problem::shaped(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &message)
}

fn scim_refusal(error: &Error) -> Decision {
    Decision::Answer(scim::refusal(error, scim::SCIM_JSON))
}

/// 401: the same for every key that opens nothing, whatever is wrong with it.
pub fn scim_unauthorized() -> Response<Vec<u8>> {
    let detail = "send `Authorization: Bearer` and a SCIM API key of the team that is active";
    let mut response = scim::refusal(&Error::status_only(401, detail), scim::SCIM_JSON);
    let challenge = HeaderValue::from_static("Bearer realm=\"kafkaman SCIM\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}
