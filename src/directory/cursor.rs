//! Cursors (RFC 9865): where a page ended, sealed.
//!
//! A cursor holds the order key and id of one resource, so that the next page
//! begins after it whatever was added or removed meanwhile. Order keys are
//! people's names, so it is encrypted; it is bound to the team and the query,
//! so that it opens nothing elsewhere, and it grants nothing: each page is
//! authorised like any other request.

use super::{Context, Failure, Fault};
use crate::scim::sort::Key;
use crate::scim::{Error, ScimType};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use serde::{Deserialize, Serialize};

/// How long a cursor is good: a provider that pauses its sync over an hour
/// begins anew.
pub const TIMEOUT_SECONDS: i64 = 3_600;
const NONCE_BYTES: usize = 12;

/// Where a page begins.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Cursor {
    /// The order key of the resource at the border; none where nothing sorts.
    pub key: Option<Key>,
    /// Its id.
    pub id: String,
    /// Whether the page lies before it.
    pub backward: bool,
}

#[derive(Deserialize, Serialize)]
struct Sealed {
    cursor: Cursor,
    expires: i64,
}

impl Cursor {
    /// The cursor as the client gets it, for this query of this team.
    pub fn seal(&self, context: &Context<'_>, team: &str, query: &str) -> Result<String, Fault> {
        let expires = context.now.plus(TIMEOUT_SECONDS.saturating_mul(1000)).0;
        let sealed = Sealed { cursor: self.clone(), expires };
        let text = serde_json::to_vec(&sealed).map_err(|error| Fault::new(error.to_string()))?;
        let nonce = context.random_bytes::<NONCE_BYTES>()?;
        let payload = Payload { msg: &text, aad: query.as_bytes() };
        let hidden = cipher(context, team)
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| Fault::new("a cursor could not be sealed"))?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_slice(), &hidden].concat()))
    }

    /// Opens what a client sent.
    ///
    /// # Errors
    /// 400 `invalidCursor` for whatever was not sealed for this query of this
    /// team, 400 `expiredCursor`.
    pub fn open(
        context: &Context<'_>,
        team: &str,
        query: &str,
        text: &str,
    ) -> Result<Self, Failure> {
        let invalid = || {
            let detail = "this cursor does not belong to this query; repeat the query's other \
                          parameters unchanged, or begin with an empty cursor";
            Failure::from(Error::of(ScimType::InvalidCursor, detail))
        };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (nonce, hidden) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(invalid)?;
        let payload = Payload { msg: hidden, aad: query.as_bytes() };
        let text = cipher(context, team).decrypt(&Nonce::from(*nonce), payload);
        let sealed: Option<Sealed> = text.ok().and_then(|text| serde_json::from_slice(&text).ok());
        let sealed = sealed.ok_or_else(invalid)?;
        if sealed.expires <= context.now.0 {
            let detail = format!(
                "this cursor is older than {TIMEOUT_SECONDS} seconds; begin with an empty cursor"
            );
            return Err(Error::of(ScimType::ExpiredCursor, detail).into());
        }
        Ok(sealed.cursor)
    }
}

fn cipher(context: &Context<'_>, team: &str) -> ChaCha20Poly1305 {
    let key = context.deployment.signing.derived("cursor", team);
    ChaCha20Poly1305::new(&key.into())
}
