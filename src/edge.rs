//! Cloudflare's runtime around the rest: the only code that names `worker`.
//!
//! In scope: the fetch event, the Team and Registry objects, the SQL adapter
//! and conversions. Out of scope: decisions, which are `api`'s.

mod registry;
mod team;

use worker::{Context, Env, Request, Response, Result, event};

/// The name of the Team namespace binding in `wrangler.toml`.
const TEAM_BINDING: &str = "TEAM";

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    env.durable_object(TEAM_BINDING)?.get_by_name("acme")?.fetch_with_request(request).await
}
