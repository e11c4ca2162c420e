//! What a provider publishes about itself (OpenID Connect Discovery 1.0 section
//! 4).

use super::{Refusal, object};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Bytes of the document.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 10;

/// Where a provider is reached.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Provider {
    /// Who it says it is; the issuer that the admin entered, to the letter.
    pub issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: String,
    /// Where a code is exchanged.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Whether it takes the client's secret in the `Authorization` header only.
    pub needs_basic: bool,
    /// Whether its answers always carry `iss` (RFC 9207 section 3).
    pub sends_issuer: bool,
}

/// The address of the document (section 4.1).
pub fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl Provider {
    /// Reads the document of this issuer.
    ///
    /// # Errors
    /// `malformed`; `issuer` if the document is another's (section 4.3);
    /// `endpoint` if one is missing or is not `https`.
    pub fn read(issuer: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        let document = object("discovery document", bytes, DOCUMENT_BYTES_MAX)?;
        let named = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if named != issuer {
            let message = format!("the provider calls itself `{named}`; enter just that as issuer");
            return Err(Refusal::new("issuer", message));
        }
        let endpoint = |name: &str| {
            let found = document.get(name).and_then(Value::as_str).unwrap_or_default();
            if is_safe(found, issuer) {
                return Ok(found.to_owned());
            }
            let message = format!("the provider publishes no https address as `{name}`");
            Err(Refusal::new("endpoint", message))
        };
        let takes = |method: &str| {
            lists(&document, "token_endpoint_auth_methods_supported")
                .is_some_and(|all| all.iter().any(|own| own == method))
        };
        let sends_issuer = "authorization_response_iss_parameter_supported";
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            jwks_uri: endpoint("jwks_uri")?,
            needs_basic: takes("client_secret_basic") && !takes("client_secret_post"),
            sends_issuer: document.get(sends_issuer) == Some(&Value::Bool(true)),
        })
    }
}

fn lists<'d>(document: &'d Map<String, Value>, name: &str) -> Option<&'d Vec<Value>> {
    document.get(name)?.as_array()
}

/// `https`; or the issuer's own plain origin, which only this machine may have.
fn is_safe(address: &str, issuer: &str) -> bool {
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic());
    let local = || {
        let (scheme, rest) = issuer.split_once("://")?;
        let host = rest.split('/').next()?;
        (scheme == "http").then(|| format!("http://{host}/"))
    };
    is_plain
        && (address.starts_with("https://")
            || local().is_some_and(|origin| address.starts_with(&origin)))
}
