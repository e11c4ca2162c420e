//! The description of the team and operator API, `/openapi.json`, in OpenAPI 3.1.
//!
//! Kept by hand beside the routes; `tests/openapi.rs` holds it to them.

use http::header::{self, HeaderName};
use http::{HeaderValue, Response};

/// The document.
pub const DOCUMENT: &str = include_str!("openapi.json");

/// The answer to whoever asks for it.
pub fn answer() -> Response<Vec<u8>> {
    let mut response = Response::new(DOCUMENT.as_bytes().to_vec());
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // It is the same for everyone and tells nobody a secret.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ] as [(HeaderName, &str); 4]
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
