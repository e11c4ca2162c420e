//! A limit on guessing: how often one address may show a token that opens nothing.
//!
//! Nobody guesses 192 random bits; what this keeps off is the noise of those who
//! try, and a client that goes on for ever with a token that was revoked. It
//! counts in the memory of one instance of the Worker, so it costs nothing and
//! promises nothing exact. An address beyond it wakes nothing for the rest of the
//! minute, whatever it shows. Providers are not counted here: what they are refused
//! by a team's object must say why. What the Worker itself refuses is counted by
//! the platform as well (`edge::refusals`), across instances, where it is asked to.

use super::front;
use crate::api::{problem, scim};
use crate::directory::network;
use crate::scim::{Error, Timestamp};
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
    /// Whether a refusal of this request would count.
    pub fn are_counted(head: &Parts) -> bool {
        !front::is_below(head.uri.path(), "/scim")
    }

    /// The answer to whoever was refused too often before, to be given before
    /// anything is asked, so that it wakes nothing.
    pub fn before(&self, head: &Parts, now: Timestamp) -> Option<Response<Vec<u8>>> {
        if !Self::are_counted(head) || now.0.div_euclid(MINUTE_MS) != self.minute {
            return None;
        }
        let count = self.refusals.get(&address(head)?)?;
        (*count >= REFUSALS_MAX).then(|| too_many(head))
    }

    /// The answer to whoever was refused too often, in place of the refusal.
    pub fn instead_of(
        &mut self,
        head: &Parts,
        now: Timestamp,
        status: StatusCode,
    ) -> Option<Response<Vec<u8>>> {
        if status != StatusCode::UNAUTHORIZED || !Self::are_counted(head) {
            return None;
        }
        let address = address(head)?;
        let minute = now.0.div_euclid(MINUTE_MS);
        if minute != self.minute || self.refusals.len() >= ADDRESSES_MAX {
            self.minute = minute;
            self.refusals.clear();
        }
        let count = self.refusals.entry(address).or_default();
        *count = count.saturating_add(1);
        (*count > REFUSALS_MAX).then(|| too_many(head))
    }
}

/// Whose refusals are counted together.
pub fn address(head: &Parts) -> Option<String> {
    Some(network(head.headers.get("cf-connecting-ip")?.to_str().ok()?))
}

/// The answer to whoever was refused too often.
pub fn too_many(head: &Parts) -> Response<Vec<u8>> {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let message = "too many tokens that open nothing came from this address; wait a minute";
    let mut response = if front::is_below(head.uri.path(), "/scim") {
        scim::refusal(&Error::status_only(status.as_u16(), message), scim::SCIM_JSON)
    } else {
        problem::shaped(status, "too_many_attempts", message)
    };
    put(&mut response, header::RETRY_AFTER, "60");
    response
}
