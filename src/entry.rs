//! Who answers what: the decisions above the APIs and the pages.
//!
//! In scope: what the stateless Worker decides from a request's head
//! ([`front`]), which part of a Team object ([`object`]) or of the Registry
//! ([`registry`]) answers, what is answered where none can be reached
//! ([`unreached`]), and how often one may guess ([`attempts`]). Out of scope: the
//! answers, and the runtime that carries them (`edge`). Everything here
//! runs natively, so that whole conversations are tested in milliseconds.

pub mod attempts;
pub mod front;
pub mod object;
pub mod registry;
pub mod unreached;
