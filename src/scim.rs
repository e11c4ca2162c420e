//! SCIM 2.0 as values: schemas, paths, filters, resources, PATCH, errors.
//!
//! In scope: everything RFC 7643 and RFC 7644 say that can be decided from
//! the message and the resource alone. Out of scope: clocks, randomness, SQL
//! and HTTP. Every function here is a pure one, so that the whole protocol is
//! tested in milliseconds.

pub mod bulk;
pub mod datetime;
pub mod error;
pub mod extension;
pub mod filter;
pub mod ingest;
pub mod json;
pub mod list;
pub mod patch;
pub mod path;
pub mod project;
pub mod schema;
pub mod sort;
pub mod urn;
pub mod version;

pub use datetime::Timestamp;
pub use error::{Error, ScimType};
