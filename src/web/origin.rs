//! From where a request came, as its head says.

use crate::directory::Origin;
use http::HeaderMap;

/// Characters of a header that the audit keeps.
const CHARS_MAX: usize = 200;

/// Reads what Cloudflare and the client say. Nothing is decided by it.
pub fn of(headers: &HeaderMap) -> Origin {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.chars().take(CHARS_MAX).collect()
    };
    Origin {
        client: text("user-agent"),
        ip: text("cf-connecting-ip"),
        country: text("cf-ipcountry"),
        request_id: text("x-request-id"),
    }
}
