//! What an ID token says of a person, and whether it says it to us, now (OpenID
//! Connect Core 1.0 section 3.1.3.7).

use super::Refusal;
use serde_json::{Map, Value};

/// Seconds by which two clocks may differ.
const LEEWAY_SECONDS: i64 = 60;
/// Seconds for which a token that was just made may have travelled.
const AGE_SECONDS_MAX: i64 = 600;
/// Seconds within which a person who was asked afresh has signed in.
const FRESH_SECONDS: i64 = 300;
/// Characters of a subject (OpenID Connect Core 1.0 section 2).
const SUBJECT_CHARS_MAX: usize = 255;

/// What a token must say.
pub struct Expected<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// The name under which it knows us.
    pub client_id: &'a str,
    /// The nonce of this sign-in.
    pub nonce: &'a str,
    /// Seconds since 1970.
    pub now: i64,
    /// Whether the person was asked to prove themselves afresh.
    pub again: bool,
}

/// Whom a provider verified.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name under which it knows them for ever.
    pub subject: String,
    /// When they last proved themselves to it, in seconds, if it says so. What a
    /// sign-in that was to be afresh brought always does.
    pub authenticated: Option<i64>,
    claims: Map<String, Value>,
}

impl Person {
    /// A claim that is text.
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether the provider says that it never checked the address.
    pub fn has_unverified_email(&self) -> bool {
        matches!(self.claims.get("email_verified"), Some(Value::Bool(false)))
            || self.claim("email_verified") == Some("false")
    }

    /// What to call them.
    pub fn name(&self) -> String {
        let whole = self.claim("name").map(str::to_owned);
        let parts = || {
            let parts = [self.claim("given_name"), self.claim("family_name")];
            let parts: Vec<&str> = parts.into_iter().flatten().collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        whole.or_else(parts).unwrap_or_else(|| self.claim("email").unwrap_or_default().to_owned())
    }
}

/// Whom the claims of a token with a good signature speak of.
///
/// # Errors
/// What does not hold: `issuer`, `audience`, `authorized_party`, `expired`,
/// `not_yet_valid`, `nonce`, `subject`, `not_recent`.
pub fn person(claims: Map<String, Value>, expected: &Expected<'_>) -> Result<Person, Refusal> {
    issued_to_us(&claims, expected.issuer, expected.client_id)?;
    let expires = number(&claims, "exp").ok_or_else(expired)?;
    if expires.saturating_add(LEEWAY_SECONDS) <= expected.now {
        return Err(expired());
    }
    in_time(&claims, expected.now)?;
    if string(&claims, "nonce") != Some(expected.nonce) {
        let message = "the provider's token is for another sign-in; start again";
        return Err(Refusal::new("nonce", message));
    }
    let authenticated = number(&claims, "auth_time").map(|at| at.min(expected.now));
    if expected.again {
        let oldest = expected.now.saturating_sub(FRESH_SECONDS);
        if authenticated.is_none_or(|at| at < oldest) {
            let message = "the provider did not ask for the sign-in afresh; sign out there first";
            return Err(Refusal::new("not_recent", message));
        }
    }
    let subject = subject(&claims)?;
    Ok(Person { subject, authenticated, claims })
}

fn expired() -> Refusal {
    Refusal::new("expired", "the provider's token has expired; start again")
}

pub(super) fn string<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

/// A time; some providers send one with a fraction.
fn number(claims: &Map<String, Value>, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second does not count")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

/// Issuer, audience and authorized party.
pub(super) fn issued_to_us(
    claims: &Map<String, Value>,
    issuer: &str,
    client_id: &str,
) -> Result<(), Refusal> {
    if string(claims, "iss") != Some(issuer) {
        return Err(Refusal::new("issuer", "the token is from another provider"));
    }
    let (is_ours, are_several) = match claims.get("aud") {
        Some(Value::String(own)) => (own == client_id, false),
        Some(Value::Array(all)) => (all.iter().any(|own| own == client_id), all.len() > 1),
        _ => (false, false),
    };
    if !is_ours {
        let message = "the provider's token is for another application; check the client id";
        return Err(Refusal::new("audience", message));
    }
    match claims.get("azp") {
        Some(party) if party != client_id => {
            let message = "the provider made its token for another application";
            Err(Refusal::new("authorized_party", message))
        }
        None if are_several => {
            let message = "the provider's token is for several applications and does not say which";
            Err(Refusal::new("authorized_party", message))
        }
        _ => Ok(()),
    }
}

/// Neither before its time nor made long ago.
pub(super) fn in_time(claims: &Map<String, Value>, now: i64) -> Result<(), Refusal> {
    let latest = now.saturating_add(LEEWAY_SECONDS);
    let made = number(claims, "iat");
    if made.is_none_or(|at| at > latest) || number(claims, "nbf").is_some_and(|at| at > latest) {
        let message = "the provider's token is from the future; check the provider's clock";
        return Err(Refusal::new("not_yet_valid", message));
    }
    if made.is_some_and(|at| at.saturating_add(AGE_SECONDS_MAX) < now) {
        return Err(expired());
    }
    Ok(())
}

pub(super) fn subject(claims: &Map<String, Value>) -> Result<String, Refusal> {
    let subject = string(claims, "sub").unwrap_or_default();
    if (1..=SUBJECT_CHARS_MAX).contains(&subject.len()) && subject.is_ascii() {
        return Ok(subject.to_owned());
    }
    Err(Refusal::new("subject", "the provider's token does not say who signed in"))
}

/// Whether the claims are of a request that the provider signed for this very
/// address, now (RFC 7523 section 3).
///
/// # Errors
/// What does not hold, as for an ID token.
pub fn signed_request(
    claims: &Map<String, Value>,
    issuer: &str,
    audience: &str,
    now: i64,
) -> Result<(), Refusal> {
    issued_to_us(claims, issuer, audience)?;
    let expires = number(claims, "exp").ok_or_else(expired)?;
    if expires.saturating_add(LEEWAY_SECONDS) <= now {
        return Err(expired());
    }
    in_time(claims, now)
}
