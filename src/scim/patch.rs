//! PATCH (RFC 7644 section 3.5.2): parse and apply.
//!
//! A request becomes a list of operations, each with one resolved target: an
//! operation without `path` is expanded into one for every attribute of its
//! value. Applying one changes a document or fails; that all of them happen
//! or none is the caller's transaction.

mod apply;
mod parse;

use super::filter::Filter;
use super::path::Path;
use super::schema::Reading;
pub use apply::apply;
pub use parse::{OPERATIONS_MAX, parse};
use serde_json::Value;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// RFC 7644 section 3.5.2.1.
    Add,
    /// RFC 7644 section 3.5.2.2.
    Remove,
    /// RFC 7644 section 3.5.2.3.
    Replace,
}

/// Where an operation works: an attribute, some elements of it, or a
/// sub-attribute of either.
#[derive(Clone, Debug, PartialEq)]
pub struct Target<'s> {
    /// The attribute and sub-attribute.
    pub path: Path<'s>,
    /// Which elements of a multi-valued attribute; `None` for all.
    pub filter: Option<Filter<'s>>,
}

/// One operation on one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation<'s> {
    /// What to do.
    pub op: Op,
    /// Where.
    pub target: Target<'s>,
    /// With what, as the client sent it.
    pub value: Option<Value>,
    /// How that is read.
    pub reading: Reading,
    /// Which element of `Operations` it comes from, for error messages.
    pub place: String,
}

/// A PATCH request, ready to apply in order.
#[derive(Debug, Default)]
pub struct Patch<'s> {
    /// The operations.
    pub operations: Vec<Operation<'s>>,
    /// Names that no schema has, dropped; for the audit.
    pub ignored: Vec<String>,
}
