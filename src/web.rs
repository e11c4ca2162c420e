//! What every surface of the service shares over HTTP: routes, credentials in
//! headers, answers on their way out.
//!
//! In scope: what the APIs (`api`) and the pages (`dashboard`) would otherwise
//! each have. Out of scope: what any answer says.

pub mod answered;
pub mod bearer;
pub mod headers;
pub mod origin;
pub mod route;
