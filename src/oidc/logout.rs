//! Logout tokens: a provider says that somebody is out (OpenID Connect
//! Back-Channel Logout 1.0 section 2.4).

use super::Refusal;
use super::id_token::{in_time, issued_to_us, string, subject};
use serde_json::{Map, Value};

/// The event that such a token must carry.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Characters of a token's id.
const ID_CHARS_MAX: usize = 255;

/// Who is out.
#[derive(Debug, PartialEq, Eq)]
pub struct Logout {
    /// The provider's name for them.
    pub subject: String,
    /// The token's own id: once is enough.
    pub token_id: String,
}

/// Reads the claims of a logout token with a good signature (section 2.6).
///
/// # Errors
/// What does not hold: `issuer`, `audience`, `not_yet_valid`, `expired`,
/// `not_a_logout`, `subject` for one that names a session alone.
pub fn read(
    claims: &Map<String, Value>,
    issuer: &str,
    client_id: &str,
    now: i64,
) -> Result<Logout, Refusal> {
    issued_to_us(claims, issuer, client_id)?;
    in_time(claims, now)?;
    let is_logout = claims
        .get("events")
        .and_then(Value::as_object)
        .is_some_and(|events| events.get(EVENT).is_some_and(Value::is_object));
    // With a nonce it would be an ID token, which anybody's browser has seen.
    if !is_logout || claims.contains_key("nonce") {
        return Err(Refusal::new("not_a_logout", "the token is no logout token"));
    }
    let token_id = string(claims, "jti").unwrap_or_default();
    if token_id.is_empty() || token_id.len() > ID_CHARS_MAX {
        return Err(Refusal::new("not_a_logout", "the logout token has no id"));
    }
    Ok(Logout { subject: subject(claims)?, token_id: token_id.to_owned() })
}
