//! JSON bodies of the team's and operator's API, read in one way.

use crate::directory::problem::Problem;
use crate::scim::json;
use serde::de::DeserializeOwned;

/// Bytes in such a body; the largest holds a certificate.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Reads a body into what the endpoint takes. Unknown fields are refused by
/// the types, so that a misspelt setting is not silently left at its default.
///
/// # Errors
/// `invalid` with what is wrong and where.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Problem::invalid(format!("the body may have {BODY_BYTES_MAX} bytes")));
    }
    let object = json::parse_object(body).map_err(|error| Problem::invalid(error.detail()))?;
    serde_json::from_value(object.into())
        .map_err(|error| Problem::invalid(format!("the request body is not valid: {error}")))
}
