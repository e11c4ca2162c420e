//! Signed tokens: JSON Web Signatures in compact form (RFC 7515 section 7.1).
//!
//! What a token's header says decides nothing but which of the provider's keys is
//! tried. The algorithm is the key's, and whatever would bring a key or a rule of
//! its own along is refused.

use super::jwks::{Key, Keys};
use super::{Refusal, object};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Bytes of a token.
const TOKEN_BYTES_MAX: usize = 16 << 10;
/// Header parameters that name a key, or a rule that readers must know (RFC 7515
/// section 4.1; RFC 7797 section 3). None is needed; each has been an attack.
const FORBIDDEN: [&str; 6] = ["jku", "jwk", "x5u", "x5c", "crit", "b64"];

/// An algorithm that is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
}

impl Algorithm {
    /// The algorithm of this name (RFC 7518 section 3.1).
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A token that was read, not yet believed.
pub struct Token<'t> {
    algorithm: Algorithm,
    /// The key that it says signed it.
    pub key_id: Option<String>,
    /// What kind of token it says it is.
    pub kind: Option<String>,
    signed: &'t str,
    payload: &'t str,
    signature: Vec<u8>,
}

/// What came of looking for a token's key.
pub enum Checked {
    /// The signature is good: these are the claims.
    Claims(Map<String, Value>),
    /// None of these keys is the one it names; the provider may have new ones.
    UnknownKey,
}

fn decoded(part: &str) -> Result<Vec<u8>, Refusal> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refusal::new("malformed", "the provider's token is not base64url"))
}

impl<'t> Token<'t> {
    /// Reads a token.
    ///
    /// # Errors
    /// `malformed`; `algorithm` for one that is not understood, `none` among them;
    /// `header` for a parameter that is not allowed.
    pub fn read(text: &'t str) -> Result<Self, Refusal> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::new("malformed", "the provider's token is too long"));
        }
        let three = || Refusal::new("malformed", "the provider's token has not three parts");
        let (signed, signature) = text.rsplit_once('.').ok_or_else(three)?;
        let (head, payload) = signed.split_once('.').ok_or_else(three)?;
        if payload.contains('.') {
            return Err(three());
        }
        let header = object("token's header", &decoded(head)?, TOKEN_BYTES_MAX)?;
        if let Some(name) = FORBIDDEN.iter().find(|name| header.contains_key(**name)) {
            let message =
                format!("the provider's token has the header `{name}`, which is not taken");
            return Err(Refusal::new("header", message));
        }
        let string = |name: &str| header.get(name).and_then(Value::as_str);
        let named = string("alg").unwrap_or_default();
        let algorithm = Algorithm::named(named).ok_or_else(|| {
            let message = "the provider must sign tokens with RS256 or ES256; set that for this \
                           application";
            Refusal::new("algorithm", message)
        })?;
        Ok(Self {
            algorithm,
            key_id: string("kid").map(str::to_owned),
            kind: string("typ").map(str::to_owned),
            signed,
            payload,
            signature: decoded(signature)?,
        })
    }

    /// Checks the signature by the provider's keys.
    ///
    /// # Errors
    /// `algorithm` for a key of another kind, `signature`, `malformed` for claims
    /// that are no object.
    pub fn check(&self, keys: &Keys) -> Result<Checked, Refusal> {
        let found: Vec<&Key> = match &self.key_id {
            Some(id) => keys.0.iter().filter(|key| key.id.as_ref() == Some(id)).collect(),
            // Without a name only the one key that there is can be meant.
            None => keys.0.iter().filter(|key| key.algorithm() == self.algorithm).collect(),
        };
        let key = match found.as_slice() {
            [] => return Ok(Checked::UnknownKey),
            [key] => key,
            _ => {
                let message = "the provider's token does not say which of its keys signed it";
                return Err(Refusal::new("key", message));
            }
        };
        if key.algorithm() != self.algorithm {
            let message = "the provider's token names another algorithm than its key has";
            return Err(Refusal::new("algorithm", message));
        }
        if !key.verifies(self.signed.as_bytes(), &self.signature) {
            let message = "the provider's token does not carry the provider's signature";
            return Err(Refusal::new("signature", message));
        }
        Ok(Checked::Claims(object("token", &decoded(self.payload)?, TOKEN_BYTES_MAX)?))
    }
}
