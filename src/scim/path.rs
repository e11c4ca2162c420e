//! Attribute paths (RFC 7644 section 3.10), resolved against a resource type.
//!
//! A path is never kept as text: what parses is a [`Path`] of attributes that
//! exist, so nothing further down can meet an unknown name. A schema URN may
//! hold dots (`…:core:2.0:User:name.givenName`), which is why the URN is
//! matched first, against the schemas there are, and only the rest is split.

use super::error::shorten;
use super::schema::{Attribute, ResourceType, Schema, Type};
use super::urn;
use std::fmt;

/// An attribute, or a sub-attribute of one, of a resource type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path<'s> {
    /// The extension it belongs to; `None` for core and common attributes.
    pub extension: Option<&'s Schema>,
    /// The attribute.
    pub attribute: &'s Attribute,
    /// The sub-attribute, if the path names one.
    pub sub: Option<&'s Attribute>,
}

impl<'s> Path<'s> {
    /// The attribute whose values the path yields.
    pub fn leaf(&self) -> &'s Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The same path for a comparison or an index: a complex attribute stands
    /// for its `value` sub-attribute. `None` if it has none.
    pub fn comparable(self) -> Option<Self> {
        if self.leaf().kind != Type::Complex {
            return Some(self);
        }
        let value = self.attribute.sub("value")?;
        Some(Self { sub: Some(value), ..self })
    }

    /// Whether this is the core or common attribute `name`, and `sub` of it
    /// (both as the schema spells them; an empty `sub` stands for none).
    pub fn is(&self, name: &str, sub: &str) -> bool {
        self.extension.is_none()
            && self.attribute.name == name
            && self.sub.map_or("", |sub| &sub.name) == sub
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(extension) = self.extension {
            write!(f, "{}:", extension.id)?;
        }
        f.write_str(&self.attribute.name)?;
        match self.sub {
            Some(sub) => write!(f, ".{}", sub.name),
            None => Ok(()),
        }
    }
}

/// What a client's path names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<'s> {
    /// The core schema as a whole, by its URN.
    Core,
    /// An extension as a whole, by its URN.
    Extension(&'s Schema),
    /// An attribute or sub-attribute.
    Attribute(Path<'s>),
}

/// Resolves a path's text.
///
/// # Errors
/// A sentence that says which part of the path names nothing.
pub fn resolve<'s>(resource_type: &'s ResourceType, text: &str) -> Result<Target<'s>, String> {
    let (extension, rest) = match split_urn(resource_type, text) {
        Some((schema, "")) => return Ok(schema.map_or(Target::Core, Target::Extension)),
        Some((schema, rest)) => (schema, rest),
        None => (None, text),
    };
    let (name, sub_name) = match rest.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (rest, None),
    };
    let attribute = match extension {
        Some(schema) => super::schema::find(&schema.attributes, name),
        None => resource_type.attribute(name),
    };
    let attribute = attribute.ok_or_else(|| {
        format!("`{}` is not an attribute of {}", shorten(text), resource_type.name)
    })?;
    let sub = match sub_name {
        None => None,
        Some(sub_name) => Some(attribute.sub(sub_name).ok_or_else(|| {
            format!("`{}` is not a sub-attribute of `{}`", shorten(sub_name), attribute.name)
        })?),
    };
    Ok(Target::Attribute(Path { extension, attribute, sub }))
}

/// Resolves a path that must name an attribute.
///
/// # Errors
/// As [`resolve`], and for a bare schema URN.
pub fn resolve_attribute<'s>(
    resource_type: &'s ResourceType,
    text: &str,
) -> Result<Path<'s>, String> {
    match resolve(resource_type, text)? {
        Target::Attribute(path) => Ok(path),
        Target::Core | Target::Extension(_) => {
            Err(format!("`{}` names a schema; name an attribute of it", shorten(text)))
        }
    }
}

/// Whether a path could name an attribute, by RFC 7644 section 3.10: a name,
/// perhaps with one sub-attribute, perhaps after a schema URN.
pub fn is_well_formed(text: &str) -> bool {
    let is_urn = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
    let name = if is_urn { text.rsplit(':').next().unwrap_or_default() } else { text };
    let is_name = |part: &str| {
        let rest = part.strip_prefix('$').unwrap_or(part);
        rest.starts_with(|c: char| c.is_ascii_alphabetic())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.split('.').count() <= 2 && name.split('.').all(is_name)
}

/// Splits off the URN of a known schema: the extension it names (`None` for
/// the core schema), and what follows the colon.
fn split_urn<'s, 't>(
    resource_type: &'s ResourceType,
    text: &'t str,
) -> Option<(Option<&'s Schema>, &'t str)> {
    let known = resource_type.extensions.iter().map(|extension| extension.id.as_str());
    let former: &[&str] = if resource_type.reading.is_strict() { &[] } else { &urn::FORMER };
    let has = |urn: &&str| *urn == urn::CORE_1 || resource_type.extension(urn).is_some();
    let former = former.iter().copied().filter(has);
    let known = known.chain([resource_type.core.id.as_str()]).chain(former);
    known
        .filter_map(|urn| {
            let (prefix, rest) = text.split_at_checked(urn.len())?;
            let rest = if rest.is_empty() { rest } else { rest.strip_prefix(':')? };
            prefix.eq_ignore_ascii_case(urn).then_some((urn, rest))
        })
        // A URN may be the beginning of another.
        .max_by_key(|(urn, _)| urn.len())
        .map(|(urn, rest)| (resource_type.extension(urn), rest))
}
