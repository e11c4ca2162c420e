//! What every surface of the service shares over HTTP: routes, credentials in
//! headers, answers on their way out, the audit log as a file.
//!
//! In scope: what the APIs (`api`) and the pages (`dashboard`) would otherwise
//! each have. Out of scope: what any answer says.

pub mod answered;
pub mod audit;
pub mod bearer;
pub mod headers;
pub mod origin;
pub mod route;
