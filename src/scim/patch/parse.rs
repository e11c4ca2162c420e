//! A PATCH body to operations with resolved targets.

use super::{Op, Operation, Patch, Target};
use crate::scim::error::shorten;
use crate::scim::filter;
use crate::scim::json::kind;
use crate::scim::path::{self, Target as Named};
use crate::scim::schema::{Mutability, Reading, ResourceType, Type};
use crate::scim::{Error, urn};
use serde_json::{Map, Value};

/// Operations in one request. Entra sends up to 50 member changes, authentik
/// as many operations as a group gains members.
pub const OPERATIONS_MAX: usize = 1_000;

/// Parses a PATCH body against a resource type.
///
/// # Errors
/// 400 `invalidSyntax`, `invalidPath`, `invalidFilter`, `noTarget` or
/// `mutability`, each with the operation's place in `Operations`.
pub fn parse<'s>(
    resource_type: &'s ResourceType,
    mut body: Map<String, Value>,
) -> Result<Patch<'s>, Error> {
    let schemas = take(&mut body, "schemas");
    let is_patch =
        |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(urn::PATCH_OP));
    if !schemas.as_ref().and_then(Value::as_array).is_some_and(|urns| urns.iter().any(is_patch)) {
        return Err(Error::invalid_syntax(format!(
            "a PATCH body must name `{}` in `schemas`",
            urn::PATCH_OP
        )));
    }
    let operations = match take(&mut body, "Operations") {
        Some(Value::Array(operations)) if !operations.is_empty() => operations,
        Some(other) if !other.is_array() => {
            return Err(Error::invalid_syntax(format!(
                "`Operations` must be an array, not {}",
                kind(&other)
            )));
        }
        _ => return Err(Error::invalid_syntax("`Operations` must hold at least one operation")),
    };
    if operations.len() > OPERATIONS_MAX {
        return Err(Error::invalid_syntax(format!(
            "`Operations` holds {} operations; at most {OPERATIONS_MAX} are accepted",
            operations.len()
        )));
    }
    let mut patch = Patch::default();
    for (index, operation) in operations.into_iter().enumerate() {
        let place = format!("Operations[{index}]");
        one(resource_type, operation, &place, &mut patch).map_err(|error| error.at(&place))?;
    }
    Ok(patch)
}

fn one<'s>(
    resource_type: &'s ResourceType,
    operation: Value,
    place: &str,
    patch: &mut Patch<'s>,
) -> Result<(), Error> {
    let Value::Object(mut operation) = operation else {
        return Err(Error::invalid_syntax(format!(
            "an operation must be an object, not {}",
            kind(&operation)
        )));
    };
    let op = match take(&mut operation, "op") {
        Some(Value::String(name)) => op_named(&name, resource_type.reading).ok_or_else(|| {
            Error::invalid_syntax(format!(
                "`op` must be add, remove or replace, not `{}`",
                shorten(&name)
            ))
        })?,
        _ => return Err(Error::invalid_syntax("`op` must be add, remove or replace")),
    };
    let value = take(&mut operation, "value");
    match take(&mut operation, "path") {
        None | Some(Value::Null) => pathless(resource_type, op, value, place, patch),
        Some(Value::String(path)) => with_path(resource_type, op, &path, value, place, patch),
        Some(other) => {
            Err(Error::invalid_path(format!("`path` must be a string, not {}", kind(&other))))
        }
    }
}

/// `Add` and `Replace` are Entra's spelling.
fn op_named(name: &str, reading: Reading) -> Option<Op> {
    let name = if reading.is_strict() { name.to_owned() } else { name.to_ascii_lowercase() };
    match name.as_str() {
        "add" => Some(Op::Add),
        "remove" => Some(Op::Remove),
        "replace" => Some(Op::Replace),
        _ => None,
    }
}

fn with_path<'s>(
    resource_type: &'s ResourceType,
    op: Op,
    text: &str,
    value: Option<Value>,
    place: &str,
    patch: &mut Patch<'s>,
) -> Result<(), Error> {
    if op != Op::Remove && value.is_none() {
        return Err(Error::invalid_value("an operation with a `path` needs a `value`"));
    }
    if text.len() > filter::TEXT_BYTES_MAX {
        let most = filter::TEXT_BYTES_MAX;
        return Err(Error::invalid_path(format!("a `path` may have {most} bytes, not more")));
    }
    let reading = resource_type.reading;
    if reading.is_strict() && op == Op::Remove && value.is_some() {
        // RFC 7644 section 3.5.2.2 knows no `value` here and would have all
        // values go, which is not what a client that lists some of them means.
        return Err(Error::invalid_syntax("a remove operation takes no `value`"));
    }
    match path::resolve(resource_type, text.trim()) {
        Ok(Named::Extension(_) | Named::Core) if reading.is_strict() => {
            Err(Error::invalid_path(format!("`{text}` names a schema; name an attribute of it")))
        }
        // The whole extension, as one object.
        Ok(Named::Extension(schema)) if op == Op::Remove => {
            for attribute in &schema.attributes {
                let path = path::Path { extension: Some(schema), attribute, sub: None };
                push(patch, (op, reading), Target { path, filter: None }, None, place)?;
            }
            Ok(())
        }
        Ok(Named::Extension(schema)) => {
            members_of(resource_type, op, &format!("{}:", schema.id), value, place, patch)
        }
        Ok(Named::Core) => pathless(resource_type, op, value, place, patch),
        Ok(Named::Attribute(path)) => {
            push(patch, (op, reading), Target { path, filter: None }, value, place)
        }
        Err(what) => match text.contains('[') {
            true => {
                let target = value_path(resource_type, text.trim())?;
                push(patch, (op, reading), target, value, place)
            }
            // Entra and Okta push attributes that their admins mapped and we do
            // not have; one such must not fail all the others.
            false if path::is_well_formed(text.trim()) && !reading.is_strict() => {
                patch.ignored.push(shorten(text));
                Ok(())
            }
            false => Err(Error::invalid_path(what)),
        },
    }
}

/// `emails[type eq "work"]`, perhaps with `.value` behind it.
fn value_path<'s>(resource_type: &'s ResourceType, text: &str) -> Result<Target<'s>, Error> {
    let (name, rest) = text.split_once('[').unwrap_or((text, ""));
    let mut path = path::resolve_attribute(resource_type, name).map_err(Error::invalid_path)?;
    if path.sub.is_some() || path.attribute.kind != Type::Complex || !path.attribute.multi_valued {
        return Err(Error::invalid_path(format!(
            "`{path}` takes no `[…]`; only a multi-valued complex attribute does"
        )));
    }
    let (filter, rest) =
        filter::in_value_path(path.attribute, text, rest, resource_type.reading)
            .map_err(|error| Error::invalid_path(error.detail().replacen("filter", "path", 1)))?;
    if let Some(sub) = rest.strip_prefix('.') {
        path.sub = Some(path.attribute.sub(sub).ok_or_else(|| {
            Error::invalid_path(format!(
                "`{}` is not a sub-attribute of `{}`",
                shorten(sub),
                path.attribute.name
            ))
        })?);
    } else if !rest.is_empty() {
        return Err(Error::invalid_path(format!("`{}` cannot follow `]`", shorten(rest))));
    }
    Ok(Target { path, filter: Some(filter) })
}

/// An operation without a path: each member of its value is a path itself.
fn pathless<'s>(
    resource_type: &'s ResourceType,
    op: Op,
    value: Option<Value>,
    place: &str,
    patch: &mut Patch<'s>,
) -> Result<(), Error> {
    if op == Op::Remove {
        return Err(Error::no_target("a remove operation needs a `path`"));
    }
    if resource_type.reading.is_strict() {
        // draft-zollner-scim-interop-profile; RFC 7644 section 3.5.2.1 has them.
        return Err(Error::invalid_syntax("an operation needs a `path`: this team reads strictly"));
    }
    members_of(resource_type, op, "", value, place, patch)
}

/// Expands an object into an operation for each of its members. Names may be
/// dotted or prefixed by a URN (Entra with `aadOptscim062020`). What no schema
/// has, and what is ours to write (`id` in Okta's renames), is left out.
fn members_of<'s>(
    resource_type: &'s ResourceType,
    op: Op,
    prefix: &str,
    value: Option<Value>,
    place: &str,
    patch: &mut Patch<'s>,
) -> Result<(), Error> {
    let Some(Value::Object(members)) = value else {
        return Err(Error::invalid_value("`value` must be an object of attributes here"));
    };
    for (name, value) in members {
        let name = format!("{prefix}{name}");
        if name.len() > filter::TEXT_BYTES_MAX {
            patch.ignored.push(shorten(&name));
            continue;
        }
        let target = match path::resolve(resource_type, &name) {
            Ok(Named::Attribute(path)) => Target { path, filter: None },
            Ok(Named::Extension(schema)) => {
                let prefix = format!("{}:", schema.id);
                members_of(resource_type, op, &prefix, Some(value), place, patch)?;
                continue;
            }
            Ok(Named::Core) => {
                members_of(resource_type, op, "", Some(value), place, patch)?;
                continue;
            }
            Err(_) if name.contains('[') => match value_path(resource_type, &name) {
                Ok(target) => target,
                Err(_) => {
                    patch.ignored.push(shorten(&name));
                    continue;
                }
            },
            Err(_) => {
                patch.ignored.push(shorten(&name));
                continue;
            }
        };
        let path = &target.path;
        if path.is("schemas", "")
            || path.attribute.is_ignored_in_bodies()
            || path.leaf().is_ignored_in_bodies()
        {
            continue;
        }
        push(patch, (op, resource_type.reading), target, Some(value), place)?;
    }
    Ok(())
}

fn push<'s>(
    patch: &mut Patch<'s>,
    (op, reading): (Op, Reading),
    target: Target<'s>,
    value: Option<Value>,
    place: &str,
) -> Result<(), Error> {
    let path = &target.path;
    let ours = |mutability| mutability == Mutability::ReadOnly;
    if path.is("schemas", "") || ours(path.attribute.mutability) || ours(path.leaf().mutability) {
        return Err(Error::mutability(format!("`{path}` is read-only")));
    }
    patch.operations.push(Operation { op, target, value, reading, place: place.to_owned() });
    Ok(())
}

/// Takes the member of this name, ignoring case.
fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = object.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    object.remove(&key)
}
