//! The `schemas` attribute of a body (RFC 7643 section 3), where a team reads
//! strictly: it names the core schema and each extension that the body has,
//! and nothing else. Tolerantly it is not looked at, since OneLogin's templates
//! are edited by hand; what is shown is always true.

use crate::scim::Error;
use crate::scim::error::shorten;
use crate::scim::schema::ResourceType;
use serde_json::{Map, Value};

/// Checks a body's `schemas` against what the body holds.
///
/// # Errors
/// 400 `invalidSyntax` that names the URN.
pub(super) fn check(resource_type: &ResourceType, body: &Map<String, Value>) -> Result<(), Error> {
    let given = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("schemas"));
    let core = resource_type.core.id.as_str();
    let Some(urns) = given.and_then(|(_, value)| value.as_array()) else {
        let detail = format!("`schemas` must be an array that names `{core}`");
        return Err(Error::invalid_syntax(detail));
    };
    let mut named: Vec<&str> = Vec::new();
    for urn in urns {
        let known = urn.as_str().and_then(|urn| known(resource_type, urn));
        let Some(known) = known else {
            let urn = shorten(urn.as_str().unwrap_or("a value that is no string"));
            let name = resource_type.name;
            let detail = format!("`schemas`: `{urn}` is not a schema of {name}");
            return Err(Error::invalid_syntax(detail));
        };
        if named.contains(&known) {
            return Err(Error::invalid_syntax(format!("`schemas` names `{known}` twice")));
        }
        named.push(known);
    }
    let extensions = body.keys().filter_map(|name| resource_type.extension(name));
    let needed = [core].into_iter().chain(extensions.map(|extension| extension.id.as_str()));
    for urn in needed {
        if !named.contains(&urn) {
            return Err(Error::invalid_syntax(format!("`schemas` must name `{urn}`")));
        }
    }
    Ok(())
}

/// The URN as the schema spells it, if the type has such a schema.
fn known<'s>(resource_type: &'s ResourceType, urn: &str) -> Option<&'s str> {
    if resource_type.is_core(urn) {
        return Some(&resource_type.core.id);
    }
    resource_type.extension(urn).map(|extension| extension.id.as_str())
}
