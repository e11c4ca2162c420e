//! kafkaman SCIM: the provisioning service of kafkaman teams.
//!
//! A company's identity provider pushes people and groups; this crate keeps
//! each team's directory in a SQLite-backed Durable Object of its own and
//! answers SCIM 2.0 (RFC 7643, RFC 7644) from it.
//!
//! The modules, in reading order, each using only those before it:
//!
//! 1. [`scim`]: the protocol as values. No clock, no storage, no HTTP.
//! 2. [`oidc`]: OpenID Connect as values, likewise.
//! 3. [`directory`]: one team's data over a small synchronous SQL trait.
//! 4. [`web`]: what all of HTTP shares.
//! 5. [`api`]: HTTP requests to HTTP responses, one function an endpoint.
//! 6. [`dashboard`]: the pages, for people.
//! 7. [`entry`]: which of the two answers.
//! 8. `edge`: Cloudflare's runtime, the only code that names `worker`; it is
//!    compiled for wasm32 alone, so nothing above can reach it.

pub mod scim;

pub mod oidc;

pub mod directory;

pub mod web;

pub mod api;

pub mod dashboard;

pub mod entry;

#[cfg(target_arch = "wasm32")]
mod edge;
