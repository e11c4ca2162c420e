//! Who answers what: the decisions above the APIs and the pages.
//!
//! In scope: what the stateless Worker decides from a request's head
//! ([`front`]), and which part of a Team object ([`object`]) or of the Registry
//! ([`registry`]) answers. Out of scope: the answers, and the runtime that carries them (`edge`). Everything
//! here runs natively, so that whole conversations are tested in milliseconds.

pub mod front;
pub mod object;
pub mod registry;
