//! OpenID Connect as values: what to send to an identity provider, and what of its
//! answers to believe.
//!
//! In scope: discovery, the authorization request, the token request, signed
//! tokens and their claims, logout tokens. Out of scope: storage, the network, and
//! what a verified person may do (`directory::sign_in`). No clock and no
//! randomness: both are arguments. RS256 and ES256 alone are understood, each
//! bound to a key of its own kind, so that no token chooses how it is checked.

pub mod discovery;
pub mod id_token;
pub mod jwks;
pub mod jws;
pub mod logout;
pub mod request;

/// Why a provider's answer is not believed: a code that stays the same, and a
/// sentence for whoever set the provider up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A word for the audit log and for tests.
    pub code: &'static str,
    /// What is wrong and what to change.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A JSON object of a provider's, no longer than `bytes_max` and with no member
/// named twice, since two readers could each believe another.
///
/// # Errors
/// `malformed`, naming `what` it was to be.
fn object(
    what: &str,
    bytes: &[u8],
    bytes_max: usize,
) -> Result<serde_json::Map<String, serde_json::Value>, Refusal> {
    if bytes.len() > bytes_max {
        let message = format!("the provider's {what} is longer than {bytes_max} bytes");
        return Err(Refusal::new("malformed", message));
    }
    crate::scim::json::parse_object(bytes).map_err(|_| {
        Refusal::new("malformed", format!("the provider's {what} is not a JSON object"))
    })
}
