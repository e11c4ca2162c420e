//! The authorization code flow with PKCE: what is asked of the provider, and what
//! it answers (OpenID Connect Core 1.0 section 3.1; RFC 7636).

use super::discovery::Provider;
use super::{Refusal, object};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use form_urlencoded::Serializer;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Bytes of the answer to a token request.
pub const TOKENS_BYTES_MAX: usize = 64 << 10;

/// Random bytes as text that stands in addresses.
pub fn text_of(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The challenge of a verifier (RFC 7636 section 4.2, method `S256`).
pub fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// What one sign-in asks.
pub struct Asked<'a> {
    /// The name under which the provider knows us.
    pub client_id: &'a str,
    /// Where it sends people back to.
    pub redirect_uri: &'a str,
    /// What binds the answer to the browser.
    pub state: &'a str,
    /// What binds the token to this sign-in.
    pub nonce: &'a str,
    /// What the code's exchange takes.
    pub verifier: &'a str,
    /// Whether the person must prove themselves afresh.
    pub again: bool,
}

/// The address to send a browser to (OpenID Connect Core 1.0 section 3.1.2.1).
pub fn authorization(provider: &Provider, asked: &Asked<'_>) -> String {
    let mut query = Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("scope", "openid email profile")
        .append_pair("client_id", asked.client_id)
        .append_pair("redirect_uri", asked.redirect_uri)
        .append_pair("state", asked.state)
        .append_pair("nonce", asked.nonce)
        .append_pair("code_challenge", &challenge(asked.verifier))
        .append_pair("code_challenge_method", "S256");
    if asked.again {
        query.append_pair("prompt", "login").append_pair("max_age", "0");
    }
    let separator = if provider.authorization_endpoint.contains('?') { '&' } else { '?' };
    format!("{}{separator}{}", provider.authorization_endpoint, query.finish())
}

/// A token request: its body, and an `Authorization` header if there is one.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// `application/x-www-form-urlencoded`.
    pub body: String,
    /// HTTP Basic, where the provider takes nothing else.
    pub authorization: Option<String>,
}

/// The request that exchanges a code (OpenID Connect Core 1.0 section 3.1.3.1).
/// A client without a secret has its verifier alone.
pub fn exchange(
    provider: &Provider,
    client_id: &str,
    secret: Option<&str>,
    redirect_uri: &str,
    code: &str,
    verifier: &str,
) -> TokenRequest {
    let mut body = Serializer::new(String::new());
    body.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("code_verifier", verifier);
    let authorization = match secret {
        Some(secret) if provider.needs_basic => {
            // Both are form-encoded first (RFC 6749 section 2.3.1).
            let encoded = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let pair = format!("{}:{}", encoded(client_id), encoded(secret));
            Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
        }
        _ => {
            body.append_pair("client_id", client_id);
            if let Some(secret) = secret {
                body.append_pair("client_secret", secret);
            }
            None
        }
    };
    TokenRequest { body: body.finish(), authorization }
}

/// The ID token in the answer to a token request.
///
/// # Errors
/// `exchange` with what the provider says (RFC 6749 section 5.2), `malformed`.
pub fn id_token(status: u16, bytes: &[u8]) -> Result<String, Refusal> {
    let answer = object("answer to the token request", bytes, TOKENS_BYTES_MAX)?;
    let string = |name: &str| answer.get(name).and_then(Value::as_str);
    if let Some(error) = string("error") {
        return Err(Refusal::new("exchange", advice(error)));
    }
    match string("id_token") {
        Some(token) if status == 200 => Ok(token.to_owned()),
        _ => {
            Err(Refusal::new("exchange", "the provider gave no ID token; allow the scope `openid`"))
        }
    }
}

fn advice(error: &str) -> String {
    let known = match error {
        "invalid_client" => "enter the client id and secret of this application again",
        "invalid_grant" => "the sign-in took too long or was used before; start again",
        "unauthorized_client" => "allow the authorization code flow for this application",
        "invalid_request" => "check the redirect URI at the provider",
        _ => "see the provider's log",
    };
    // What a provider calls its error is its own text; a word of it will do.
    let word: String =
        error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
    format!("the provider answered `{word}`: {known}")
}
