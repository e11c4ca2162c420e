//! The `Authorization` header (RFC 6750 section 2.1).

use http::{HeaderMap, header};

/// The one bearer token that a request carries. `None` for no header, two of
/// them, another scheme, or anything that is not one word after the scheme: a
/// doubled header arrives joined by a comma and must not pass for one.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    let is_word = |token: &str| {
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
    };
    (scheme.eq_ignore_ascii_case("bearer") && is_word(token)).then_some(token)
}
