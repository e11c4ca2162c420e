//! Secrets that must be read again: sealed under the deployment's signing secrets.
//!
//! Everything else that is secret is kept as a hash. A client secret of single
//! sign-on is not ours and goes to the provider with each sign-in, so it cannot
//! be. What is sealed is bound to its purpose.

use super::{Context, Fault};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};

const NONCE_BYTES: usize = 12;

/// Something sealed, and the version of the signing secret that opens it.
pub(super) struct Sealed {
    pub(super) version: u8,
    pub(super) bytes: Vec<u8>,
}

fn cipher(context: &Context<'_>, version: u8) -> Option<ChaCha20Poly1305> {
    let key = context.deployment.signing.derived_under(version, "sealed", "");
    key.map(|key| ChaCha20Poly1305::new(&key.into()))
}

/// Seals a text for a purpose, under the current signing secret.
pub(super) fn seal(context: &Context<'_>, purpose: &str, text: &str) -> Result<Sealed, Fault> {
    let version = context.deployment.signing.current_version();
    let nonce = context.random_bytes::<NONCE_BYTES>()?;
    let payload = Payload { msg: text.as_bytes(), aad: purpose.as_bytes() };
    let failed = || Fault::new("a secret could not be sealed");
    let cipher = cipher(context, version).ok_or_else(failed)?;
    let hidden = cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| failed())?;
    Ok(Sealed { version, bytes: [nonce.as_slice(), &hidden].concat() })
}

/// Opens what was sealed for this purpose; `None` if the signing secret is no
/// longer there.
pub(super) fn open(
    context: &Context<'_>,
    purpose: &str,
    sealed: &Sealed,
) -> Result<Option<String>, Fault> {
    let Some(cipher) = cipher(context, sealed.version) else { return Ok(None) };
    let damaged = || Fault::new("a sealed secret is damaged");
    let (nonce, hidden) = sealed.bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
    let payload = Payload { msg: hidden, aad: purpose.as_bytes() };
    let text = cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| damaged())?;
    Ok(Some(String::from_utf8(text).map_err(|_| damaged())?))
}
