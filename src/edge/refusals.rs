//! Refusals that the platform counts by address, where the deployment has bound a
//! rate limit. A request with a good credential costs no call.

use crate::entry::attempts;
use http::request::Parts;
use http::{Response, StatusCode};
use std::cell::OnceCell;
use worker::Env;

/// The binding in `wrangler.toml`.
const BINDING: &str = "REFUSALS";

thread_local! {
    /// Looked up once: an instance never sees another environment.
    static IS_BOUND: OnceCell<bool> = const { OnceCell::new() };
}

/// Whether the platform counts an answer of this status.
pub(super) fn are_counted(env: &Env, status: StatusCode) -> bool {
    let look = || env.rate_limiter(BINDING).is_ok();
    status == StatusCode::UNAUTHORIZED && IS_BOUND.with(|cell| *cell.get_or_init(look))
}

/// The answer to an address that was refused too often, in place of one more
/// refusal by the Worker.
pub(super) async fn instead_of(env: &Env, head: &Parts) -> Option<Response<Vec<u8>>> {
    let address = attempts::address(head)?;
    let counted = env.rate_limiter(BINDING).ok()?.limit(address).await.ok()?;
    (!counted.success).then(|| attempts::too_many(head))
}
