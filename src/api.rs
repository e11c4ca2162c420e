//! HTTP over plain values: a request comes in, a response goes out.
//!
//! In scope: routes, methods, headers, status codes, and which part of the
//! service answers what. Out of scope: what a change means (`directory`), and
//! the runtime that carries requests (`edge`). Everything here runs natively,
//! so that whole conversations are tested in milliseconds.

mod activity;
pub mod answered;
mod bearer;
mod body;
mod break_glass;
pub mod control;
pub mod front;
pub mod object;
pub mod openapi;
pub mod operator;
mod origin;
mod problem;
pub mod route;
pub mod scim;
pub mod team;
