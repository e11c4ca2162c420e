//! The settings that one deployment gives to all of its teams.

use super::credential::{SigningSecret, SigningSecrets, sha256};
use super::{Fault, Timestamp};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// Characters that an operator's token has at least: 192 random bits and more.
const OPERATOR_TOKEN_CHARS_MIN: usize = 32;
/// Bytes that a signing secret has at least: what HMAC-SHA256 uses whole.
const SIGNING_SECRET_BYTES_MIN: usize = 32;
/// Signing secrets that are live at once: the next, the current, the last.
const SIGNING_SECRETS_MAX: usize = 3;

/// What the operator configured, read once from the Worker's environment.
pub struct Deployment {
    /// Scheme and host under which clients reach the deployment, with no
    /// slash at the end: every `meta.location` starts with it.
    pub base_url: String,
    /// What credentials are tagged with.
    pub signing: SigningSecrets,
    operators: Vec<Operator>,
}

/// Someone who may use the operator API.
struct Operator {
    name: String,
    token_hash: [u8; 32],
}

impl Deployment {
    /// Reads the environment. `signing_secrets` is `1:<base64url>`, several
    /// separated by commas; `operator_tokens` one token, or several as
    /// `name:token` separated by commas or spaces.
    ///
    /// # Errors
    /// A fault that names the setting and what it must look like.
    pub fn read(
        base_url: &str,
        signing_secrets: &str,
        operator_tokens: &str,
    ) -> Result<Self, Fault> {
        let base_url = base_url.trim_end_matches('/');
        let is_address = base_url.starts_with("https://") || base_url.starts_with("http://");
        // It goes into JSON as it is.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if !is_address || !base_url.bytes().all(is_plain) {
            return Err(Fault::new("BASE_URL must be the address of the service, https://…"));
        }
        let signing = read_secrets(signing_secrets).ok_or_else(|| {
            Fault::new(
                "SIGNING_SECRETS must be `1:` and 32 or more bytes in base64url, at most three \
                 such with different numbers from 1 to 255, separated by commas",
            )
        })?;
        let operators = read_operators(operator_tokens).ok_or_else(|| {
            Fault::new(
                "OPERATOR_TOKEN must be a token of 32 or more characters, or several as \
                 `name:token` separated by commas",
            )
        })?;
        Ok(Self { base_url: base_url.to_owned(), signing, operators })
    }

    /// What a browser holds in an operator's place until then. It ends with the
    /// operator's token, too.
    pub fn operator_session(&self, token: &str, until: Timestamp) -> String {
        let hash = sha256(token.as_bytes());
        let tag = self.session_tag(&hash, until.0);
        format!("{}.{}", until.0, BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    /// The name of the operator whose session this is, and until when. Whether that
    /// is over is for whoever has a clock.
    pub fn operator_of_session(&self, text: &str) -> Option<(&str, Timestamp)> {
        let (until, tag) = text.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).ok()?;
        let mut found = None;
        for operator in &self.operators {
            let own = self.session_tag(&operator.token_hash, until);
            if bool::from(own.as_slice().ct_eq(&tag)) {
                found = Some((operator.name.as_str(), Timestamp(until)));
            }
        }
        found
    }

    fn session_tag(&self, token_hash: &[u8; 32], until: i64) -> [u8; 32] {
        let key = self.signing.derived("operator session", &until.to_string());
        sha256(&[key.as_slice(), token_hash].concat())
    }

    /// The name of the operator whose token this is. Every token is compared,
    /// each in constant time.
    pub fn operator(&self, token: &str) -> Option<&str> {
        let hash = sha256(token.as_bytes());
        let mut found = None;
        for operator in &self.operators {
            if bool::from(operator.token_hash.ct_eq(&hash)) {
                found = Some(operator.name.as_str());
            }
        }
        found
    }
}

fn read_secrets(text: &str) -> Option<SigningSecrets> {
    let mut secrets: Vec<SigningSecret> = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (version, secret) = entry.split_once(':')?;
        let version: u8 = version.parse().ok().filter(|version| *version > 0)?;
        let secret = BASE64_URL_SAFE_NO_PAD.decode(secret.trim_end_matches('=')).ok()?;
        let is_known = secrets.iter().any(|other| other.version() == version);
        if secret.len() < SIGNING_SECRET_BYTES_MIN || is_known {
            return None;
        }
        secrets.push(SigningSecret::new(version, &secret)?);
    }
    if secrets.len() > SIGNING_SECRETS_MAX { None } else { SigningSecrets::new(secrets) }
}

fn read_operators(text: &str) -> Option<Vec<Operator>> {
    let entries = text.split([',', ' ', '\n', '\t']).filter(|entry| !entry.is_empty());
    let operators: Option<Vec<Operator>> = entries
        .map(|entry| {
            let (name, token) = entry.split_once(':').unwrap_or(("operator", entry));
            let fits = !name.is_empty() && token.len() >= OPERATOR_TOKEN_CHARS_MIN;
            fits.then(|| Operator { name: name.into(), token_hash: sha256(token.as_bytes()) })
        })
        .collect();
    operators.filter(|operators| !operators.is_empty())
}
