//! HTTP over plain values: a request comes in, a response goes out.

pub mod scim;
