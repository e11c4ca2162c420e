//! What comes of a request whose object the platform could not reach: it is asked
//! once more, or the client is told to.
//!
//! The platform by itself repeats a call that certainly did not arrive. What it
//! gives up on is seen here: an object that more is asked of than it can take,
//! which must be left alone, and a connection that was lost while the object may
//! have been at work.

use super::front::is_below;
use crate::api::{operator, problem, scim};
use crate::dashboard;
use crate::directory::Fault;
use crate::scim::Error;
use crate::web::answered::Answered;
use crate::web::headers::put;
use http::{Method, StatusCode, header};

/// Seconds until an object that was asked too much may be asked again.
const OVERLOADED_SECONDS: u32 = 10;
/// Seconds until a lost connection may be tried again.
const LOST_SECONDS: u32 = 1;

/// What the platform says of a call that failed. It may be neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// More is asked of the object than it can take.
    pub is_overloaded: bool,
    /// It may pass if it is tried again.
    pub is_retryable: bool,
}

/// Whether we ask once more ourselves: never an object that is asked too much,
/// and only what changes nothing. Who sends a change knows better whether it is
/// to be sent twice.
pub fn is_repeated(method: &Method, failed: Failed) -> bool {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    is_read && failed.is_retryable && !failed.is_overloaded
}

/// The answer to a request for this path, in the shape of what is there.
pub fn answer(path: &str, failed: Failed, fault: Fault) -> Answered {
    let (seconds, message) = match failed {
        Failed { is_overloaded: true, .. } => {
            (OVERLOADED_SECONDS, "more is asked at once than can be answered")
        }
        Failed { is_retryable: true, .. } => {
            (LOST_SECONDS, "the connection to the team's data was lost on the way")
        }
        _ if is_below(path, "/scim") => return scim::failed(fault),
        _ if operator::is_health(path) => return operator::ill(fault),
        _ if is_page(path) => return Answered::instead(dashboard::broken(), fault),
        _ => return problem::answered(Err(fault.into())),
    };
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let message = format!("{message}; send this request again in {seconds} s");
    let mut response = if is_below(path, "/scim") {
        scim::refusal(&Error::status_only(status.as_u16(), message), scim::SCIM_JSON)
    } else if is_page(path) {
        dashboard::busy()
    } else {
        problem::shaped(status, "unavailable", &message)
    };
    put(&mut response, header::RETRY_AFTER, &seconds.to_string());
    Answered::instead(response, fault)
}

fn is_page(path: &str) -> bool {
    dashboard::operator::is_its(path) || is_below(path, "/teams") && dashboard::is_page(path)
}
