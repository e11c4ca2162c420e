//! A limit on guessing: how often one address may show a token that opens nothing.
//!
//! Nobody guesses 192 random bits; what this keeps off is the noise of those who
//! try, and a client that goes on for ever with a token that was revoked. It
//! counts in the memory of one instance of the Worker, so it costs nothing and
//! promises nothing exact. An address beyond it wakes nothing for the rest of the
//! minute, whatever it shows. Providers are not counted: a key that is revoked and
//! made anew must work at once.

use crate::api::problem;
use crate::directory::network;
use crate::scim::Timestamp;
use crate::web::headers::put;
use http::request::Parts;
use http::{Response, StatusCode, header};
use std::collections::HashMap;

/// Refusals that one address gets in a minute before it is told to wait.
pub const REFUSALS_MAX: u32 = 600;
/// Addresses that are counted at once; beyond it the count starts afresh.
const ADDRESSES_MAX: usize = 10_000;
const MINUTE_MS: i64 = 60_000;

/// Who was refused how often in this minute, by network.
#[derive(Debug, Default)]
pub struct Attempts {
    minute: i64,
    refusals: HashMap<String, u32>,
}

impl Attempts {
    /// The answer to whoever was refused too often before, to be given before
    /// anything is asked, so that it wakes nothing.
    pub fn before(&self, head: &Parts, now: Timestamp) -> Option<Response<Vec<u8>>> {
        if head.uri.path().starts_with("/scim") || now.0.div_euclid(MINUTE_MS) != self.minute {
            return None;
        }
        let count = self.refusals.get(&address(head)?)?;
        (*count >= REFUSALS_MAX).then(too_many)
    }

    /// The answer to whoever was refused too often, in place of the refusal.
    pub fn instead_of(
        &mut self,
        head: &Parts,
        now: Timestamp,
        status: StatusCode,
    ) -> Option<Response<Vec<u8>>> {
        let path = head.uri.path();
        let is_guess = status == StatusCode::UNAUTHORIZED && !path.starts_with("/scim");
        let address = address(head)?;
        if !is_guess {
            return None;
        }
        let minute = now.0.div_euclid(MINUTE_MS);
        if minute != self.minute || self.refusals.len() >= ADDRESSES_MAX {
            self.minute = minute;
            self.refusals.clear();
        }
        let count = self.refusals.entry(address).or_default();
        *count = count.saturating_add(1);
        (*count > REFUSALS_MAX).then(too_many)
    }
}

fn address(head: &Parts) -> Option<String> {
    Some(network(head.headers.get("cf-connecting-ip")?.to_str().ok()?))
}

fn too_many() -> Response<Vec<u8>> {
    let message = "too many tokens that open nothing came from this address; wait a minute";
    let mut response = problem::shaped(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message);
    put(&mut response, header::RETRY_AFTER, "60");
    response
}
