//! Headers of answers, set in one way.

use http::header::HeaderName;
use http::{HeaderValue, Response};

/// Sets a header whose value is ours and therefore valid.
pub fn put(response: &mut Response<Vec<u8>>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
