//! An extension schema that a team defines (RFC 7643 sections 3.3 and 7): what
//! is accepted, and the form in which it is stored and published.
//!
//! Out of scope: which schemas a team has, and what resources have of them.
//! Only what works everywhere that a built-in attribute does is accepted; the
//! rest is refused with the reason, since a schema that is published and not
//! kept to is worse than none.

mod attribute;

use super::error::shorten;
use super::schema::{Schema, Type};
use super::urn;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Attributes and sub-attributes in one schema.
pub const ATTRIBUTES_MAX: usize = 100;
/// Characters in a URN.
pub const URN_CHARS_MAX: usize = 200;
/// Characters in a name or description.
const TEXT_CHARS_MAX: usize = 1_000;
/// Where the URNs of standards and of SCIM 1.1 begin.
const TAKEN: [&str; 2] = ["urn:ietf:", "urn:scim:"];

/// A schema as an admin describes it. What RFC 7643 section 7 gives a default
/// may be left out.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Description {
    /// What people call the schema; the last part of its URN if left out.
    #[serde(default)]
    name: String,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// Its attributes.
    attributes: Vec<attribute::Description>,
}

/// Whether a URN may name a team's schema.
///
/// # Errors
/// A sentence that says why not.
pub fn check_urn(text: &str) -> Result<(), String> {
    let named = || shorten(text);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-._".contains(&byte);
    let parts: Vec<&str> = text.split(':').collect();
    let is_urn = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
    if !is_urn || parts.len() < 3 || parts.iter().any(|part| part.is_empty()) {
        return Err(format!("`{}` is no URN such as urn:example:acme:1.0:User", named()));
    }
    if !text.bytes().all(is_plain) || text.len() > URN_CHARS_MAX {
        let signs = "letters, digits, `:`, `-`, `.` and `_`";
        return Err(format!("a schema's URN has {signs}, {URN_CHARS_MAX} at most"));
    }
    let lower = text.to_ascii_lowercase();
    if TAKEN.iter().any(|taken| lower.starts_with(taken)) {
        return Err(format!("`{}` is taken: URNs of standards cannot be registered", named()));
    }
    Ok(())
}

/// The schema that a description makes under a URN, as JSON for `/Schemas`.
/// `core_names` are names that no attribute may take: those of the core
/// attributes of the types that it is for, since clients send them without a
/// URN.
///
/// # Errors
/// A sentence that names the attribute and says what is wrong with it.
pub fn define(
    urn_text: &str,
    described: &Description,
    core_names: &BTreeSet<String>,
) -> Result<Value, String> {
    check_urn(urn_text)?;
    let last = urn_text.rsplit(':').next().unwrap_or_default();
    let name = if described.name.trim().is_empty() { last } else { described.name.as_str() };
    for (what, text) in [("name", name), ("description", &described.description)] {
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(format!("`{what}` may have {TEXT_CHARS_MAX} characters"));
        }
    }
    let count: usize = described.attributes.iter().map(attribute::Description::count).sum();
    if count == 0 || count > ATTRIBUTES_MAX {
        let message = format!(
            "a schema has 1 to {ATTRIBUTES_MAX} attributes, sub-attributes among them, not {count}"
        );
        return Err(message);
    }
    let attributes = attribute::list(&described.attributes, core_names, "")?;
    Ok(json!({
        "schemas": [urn::SCHEMA],
        "id": urn_text,
        "name": name,
        "description": described.description,
        "attributes": attributes,
    }))
}

/// Whether `name`, an attribute or a sub-attribute after a dot, can be found
/// by equality in this schema.
pub fn is_indexable(schema: &Schema, name: &str) -> bool {
    let (attribute, sub) = match name.split_once('.') {
        Some((attribute, sub)) => (attribute, Some(sub)),
        None => (name, None),
    };
    let attribute = schema.attributes.iter().find(|own| own.name == attribute);
    let leaf = attribute.and_then(|own| match sub {
        None => Some(own),
        Some(sub) => own.sub_attributes.iter().find(|own| own.name == sub),
    });
    leaf.is_some_and(|leaf| leaf.kind != Type::Complex)
}

/// Whether what was stored under one definition can be read under another: all
/// its attributes are there with the same characteristics. New ones may be.
///
/// # Errors
/// A sentence that names the attribute that differs.
pub fn check_successor(old: &Schema, new: &Schema) -> Result<(), String> {
    let differs = |name: &str| {
        format!(
            "`{name}` exists with other characteristics and values may be stored; remove the schema \
             with its data first, or give the attribute another name"
        )
    };
    for before in &old.attributes {
        let after = new.attributes.iter().find(|own| own.name == before.name);
        let Some(after) = after else { return Err(differs(&before.name)) };
        let is_same = after.kind == before.kind
            && after.multi_valued == before.multi_valued
            && after.case_exact == before.case_exact;
        let keeps = |sub: &super::schema::Attribute| after.sub_attributes.contains(sub);
        if !is_same || !before.sub_attributes.iter().all(keeps) {
            return Err(differs(&before.name));
        }
    }
    Ok(())
}
