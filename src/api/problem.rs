//! The team's and operator's API: answers and refusals in JSON.
//!
//! Every refusal is `{"error": {"code": …, "message": …}}`: the code stays
//! the same for ever, the message is for whoever reads it.

use crate::directory::Failure;
use crate::directory::problem::{Kind, Problem};
use crate::web::answered::Answered;
use crate::web::headers::put;
use http::header;
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// An answer with a JSON body.
pub fn answer(status: StatusCode, body: &Value) -> Response<Vec<u8>> {
    let mut response = Response::new(body.to_string().into_bytes());
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_TYPE, "application/json");
    put(&mut response, header::CACHE_CONTROL, "no-store");
    put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// A file to keep.
pub fn download(media_type: &str, name: &str, text: String) -> Response<Vec<u8>> {
    let mut response = Response::new(text.into_bytes());
    put(&mut response, header::CONTENT_TYPE, media_type);
    put(&mut response, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
    put(&mut response, header::CACHE_CONTROL, "no-store");
    put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Lines of JSON.
pub fn lines(text: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(text);
    put(&mut response, header::CONTENT_TYPE, "application/x-ndjson");
    put(&mut response, header::CACHE_CONTROL, "no-store");
    put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// An answer without a body.
pub fn empty() -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    put(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

/// The response to a refusal.
pub fn refusal(problem: &Problem) -> Response<Vec<u8>> {
    let status = match problem.kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
    };
    let mut response = shaped(status, problem.code, &problem.message);
    if status == StatusCode::UNAUTHORIZED {
        put(&mut response, header::WWW_AUTHENTICATE, "Bearer realm=\"kafkaman\"");
    }
    response
}

/// A refusal with a status of its own.
pub fn shaped(status: StatusCode, code: &str, message: &str) -> Response<Vec<u8>> {
    answer(status, &json!({ "error": { "code": code, "message": message } }))
}

/// 405 for a method that a route does not have.
pub fn unmet(allow: &str) -> Response<Vec<u8>> {
    let message = format!("this path allows {allow}");
    let mut response = shaped(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &message);
    put(&mut response, header::ALLOW, allow);
    response
}

/// The refusal of whoever has no credential that opens this.
pub fn unauthorized() -> Problem {
    let message = "send `Authorization: Bearer` and a token that is valid for this";
    Problem::new(Kind::Unauthorized, "unauthorized", message)
}

/// The refusal of a path that leads nowhere.
pub fn no_such_path() -> Problem {
    Problem::new(Kind::NotFound, "not_found", "there is nothing at this path")
}

/// The answer of the team's or operator's API.
pub fn answered(result: Result<Response<Vec<u8>>, Failure<Problem>>) -> Answered {
    match result {
        Ok(response) => Answered::of(response),
        Err(Failure::Refused(problem)) => Answered::of(refusal(&problem)),
        Err(Failure::Fault(fault)) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            let message = "the service failed; see what has come of it before you ask again";
            Answered::instead(shaped(status, "internal", message), fault)
        }
    }
}
