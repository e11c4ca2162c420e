//! SCIM answers: media type, entity tags, locations, and no caching.

use super::ask::{Ask, SCIM_JSON};
use crate::directory::Fault;
use crate::directory::render::Rendered;
use crate::scim::Error;
use crate::web::answered::Answered;
pub(super) use crate::web::headers::put;
use http::header;
use http::{Method, Response, StatusCode};

/// A response with a body in a media type, which nobody between us and the
/// client may keep or guess at.
pub(super) fn with_body(status: StatusCode, media_type: &str, text: String) -> Response<Vec<u8>> {
    let mut response = Response::new(text.into_bytes());
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_TYPE, media_type);
    put(&mut response, header::CACHE_CONTROL, "no-store");
    put(&mut response, header::VARY, "Accept, Authorization");
    put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// A response without a body.
pub(super) fn empty(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    put(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

/// A response about one resource: its address and version in headers. The
/// address is in both headers, since RFC 7644 section 3.3 asks for `Location`
/// and section 3.4.1 shows it on reads, where HTTP would have
/// `Content-Location`.
pub(super) fn about(rendered: &Rendered, mut response: Response<Vec<u8>>) -> Response<Vec<u8>> {
    put(&mut response, header::ETAG, &rendered.version.tag());
    located(&rendered.location, response)
}

/// A response about what is at this address.
pub(super) fn located(location: &str, mut response: Response<Vec<u8>>) -> Response<Vec<u8>> {
    put(&mut response, header::LOCATION, location);
    put(&mut response, header::CONTENT_LOCATION, location);
    response
}

/// An error in SCIM's shape. A status outside HTTP's range cannot be built.
pub fn refusal(error: &Error, media_type: &str) -> Response<Vec<u8>> {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    with_body(status, media_type, error.to_json().to_string())
}

/// The answer to a method that an endpoint does not have: 405, or, to OPTIONS,
/// which methods there are (RFC 9110 section 9.3.7).
pub(super) fn unmet(ask: &Ask, methods: &str) -> Response<Vec<u8>> {
    let allow = format!("{methods}, OPTIONS");
    let mut response = match ask.method {
        Method::OPTIONS => empty(StatusCode::NO_CONTENT),
        _ => {
            let error = Error::status_only(405, format!("this endpoint allows {allow}"));
            refusal(&error, ask.media_type)
        }
    };
    put(&mut response, header::ALLOW, &allow);
    response
}

/// The answer to a provider when something of ours went wrong.
pub fn failed(fault: Fault) -> Answered {
    let error = Error::status_only(500, "the service failed and could not answer; ask again");
    Answered::instead(refusal(&error, SCIM_JSON), fault)
}
