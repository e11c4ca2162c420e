//! HTTP over plain values: a request comes in, a response goes out.
//!
//! In scope: the endpoints of the three APIs, with their methods, headers and
//! status codes. Out of scope: what a change means (`directory`), pages for
//! people (`dashboard`), and who is sent where (`entry`).

pub mod activity;
mod body;
pub mod control;
pub mod openapi;
pub mod operator;
pub mod problem;
pub mod scim;
pub mod team;
