//! Bulk requests (RFC 7644 section 3.7): the operations, and the references
//! between them.
//!
//! In scope: reading a request, finding `bulkId:` references in it and
//! putting ids in their place. Out of scope: carrying operations out.

use super::error::shorten;
use super::json::kind;
use super::{Error, urn};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// Operations in one request.
pub const OPERATIONS_MAX: usize = 1_000;
/// What a reference begins with (RFC 7644 section 3.7.2). No id of ours does.
const REFERENCE: &str = "bulkId:";

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Post, "POST"),
        (Self::Put, "PUT"),
        (Self::Patch, "PATCH"),
        (Self::Delete, "DELETE"),
    ];

    /// The method's name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(own, _)| *own == self).map_or("", |(_, name)| name)
    }
}

/// One operation, as far as it could be read.
#[derive(Clone, Debug)]
pub struct Operation {
    /// What to do.
    pub method: Method,
    /// The name that other operations refer to it by.
    pub bulk_id: Option<String>,
    /// The version that the resource must have, as in `If-Match`.
    pub version: Option<String>,
    /// The endpoint, without its slash: `Users`.
    pub endpoint: String,
    /// The resource, by id or reference.
    pub id: Option<String>,
    /// The body.
    pub data: Value,
}

/// A bulk request.
#[derive(Debug)]
pub struct Request {
    /// The operations; what is wrong with one is its own answer.
    pub operations: Vec<Result<Operation, Refused>>,
    /// After how many errors to stop; `None` for never.
    pub fail_on_errors: Option<usize>,
}

/// An operation that cannot be read.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Its method, as sent; empty if that is no string.
    pub method: String,
    /// Its bulkId, as sent.
    pub bulk_id: Option<String>,
    /// The endpoint and id that its path has, if it has.
    pub target: Option<Box<(String, String)>>,
    /// Why.
    pub error: Error,
}

/// Reads a bulk request.
///
/// # Errors
/// 400 `invalidSyntax` for what is none, 413 for too many operations.
pub fn parse(mut body: Map<String, Value>) -> Result<Request, Error> {
    let schemas = take(&mut body, "schemas");
    let names_bulk = |urns: &Vec<Value>| urns.iter().any(|urn| urn == urn::BULK_REQUEST);
    if !schemas.as_ref().and_then(Value::as_array).is_some_and(names_bulk) {
        let detail = format!("a bulk request must name `{}` in `schemas`", urn::BULK_REQUEST);
        return Err(Error::invalid_syntax(detail));
    }
    let fail_on_errors = match take(&mut body, "failOnErrors") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let count = value.as_u64().filter(|count| *count > 0);
            let count = count.and_then(|count| usize::try_from(count).ok());
            Some(count.ok_or_else(|| {
                Error::invalid_value("`failOnErrors` must be a whole number from 1 on")
            })?)
        }
    };
    let Some(Value::Array(operations)) = take(&mut body, "Operations") else {
        return Err(Error::invalid_syntax("`Operations` must be an array"));
    };
    if operations.len() > OPERATIONS_MAX {
        return Err(Error::status_only(
            413,
            format!(
                "the request holds {} operations; at most {OPERATIONS_MAX} are carried out at \
                 once (maxOperations)",
                operations.len()
            ),
        ));
    }
    let mut seen = BTreeSet::new();
    let operations = operations.into_iter().map(|operation| one(operation, &mut seen)).collect();
    Ok(Request { operations, fail_on_errors })
}

fn one(operation: Value, seen: &mut BTreeSet<String>) -> Result<Operation, Refused> {
    let Value::Object(mut operation) = operation else {
        let detail = format!("an operation must be an object, not {}", kind(&operation));
        let error = Error::invalid_syntax(detail);
        return Err(Refused { method: String::new(), bulk_id: None, target: None, error });
    };
    let method = match take(&mut operation, "method") {
        Some(Value::String(method)) => method,
        _ => String::new(),
    };
    let bulk_id = match take(&mut operation, "bulkId") {
        Some(Value::String(id)) if !id.is_empty() => Some(id),
        _ => None,
    };
    let path = operation.iter().find(|(name, _)| name.eq_ignore_ascii_case("path"));
    let target = path.and_then(|(_, path)| target(path.as_str()?));
    read(&method, bulk_id.clone(), operation, seen).map_err(|error| Refused {
        method,
        bulk_id,
        target,
        error,
    })
}

/// The endpoint and id of a path such as `/Users/2819`.
fn target(path: &str) -> Option<Box<(String, String)>> {
    let (endpoint, id) = path.strip_prefix('/')?.split_once('/')?;
    let is_one = matches!(endpoint, "Users" | "Groups") && !id.is_empty() && !id.contains('/');
    is_one.then(|| Box::new((endpoint.to_owned(), id.to_owned())))
}

fn read(
    method: &str,
    bulk_id: Option<String>,
    mut operation: Map<String, Value>,
    seen: &mut BTreeSet<String>,
) -> Result<Operation, Error> {
    let method = Method::ALL.iter().find(|(_, own)| own.eq_ignore_ascii_case(method));
    let (method, _) = *method
        .ok_or_else(|| Error::invalid_syntax("`method` must be POST, PUT, PATCH or DELETE"))?;
    if method == Method::Post && bulk_id.is_none() {
        return Err(Error::invalid_syntax("a POST operation needs a `bulkId`"));
    }
    if let Some(id) = &bulk_id
        && !seen.insert(id.clone())
    {
        let detail = format!("the bulkId `{}` is used twice", shorten(id));
        return Err(Error::invalid_value(detail));
    }
    let Some(Value::String(path)) = take(&mut operation, "path") else {
        return Err(Error::invalid_syntax("`path` must be a string such as \"/Users\""));
    };
    let wrong_path = || {
        Error::invalid_value(format!(
            "`path` must be \"/Users\" or \"/Groups\" for POST, and end in an id else, not `{}`",
            shorten(&path)
        ))
    };
    let rest = path.strip_prefix('/').ok_or_else(wrong_path)?;
    let (endpoint, id) = match rest.split_once('/') {
        Some((endpoint, id)) => (endpoint, Some(id).filter(|id| !id.is_empty())),
        None => (rest, None),
    };
    let has_id = id.is_some_and(|id| !id.contains('/'));
    if (method == Method::Post) == has_id || !matches!(endpoint, "Users" | "Groups") {
        return Err(wrong_path());
    }
    let data = take(&mut operation, "data").unwrap_or_default();
    if method != Method::Delete && !data.is_object() {
        return Err(Error::invalid_syntax("`data` must be an object for this method"));
    }
    let version = match take(&mut operation, "version") {
        Some(Value::String(version)) => Some(version),
        _ => None,
    };
    let (endpoint, id) = (endpoint.to_owned(), id.map(str::to_owned));
    Ok(Operation { method, bulk_id, version, endpoint, id, data })
}

impl Operation {
    /// The bulkIds that the operation refers to.
    pub fn references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if let Some(id) = self.id.as_deref().and_then(|id| id.strip_prefix(REFERENCE)) {
            found.insert(id.to_owned());
        }
        collect(&self.data, &mut found);
        found
    }

    /// The operation with ids in the place of the references that `ids` has.
    /// With `drops_others`, whatever holds another reference is left out: a
    /// list its element, an object its member.
    #[must_use]
    pub fn resolved(&self, ids: &HashMap<String, String>, drops_others: bool) -> Self {
        let mut resolved = self.clone();
        if let Some(id) = self.id.as_deref().and_then(|id| referred(id, ids)) {
            resolved.id = Some(id.to_owned());
        }
        resolved.data = replaced(resolved.data, ids, drops_others).unwrap_or_default();
        resolved
    }
}

fn referred<'i>(text: &str, ids: &'i HashMap<String, String>) -> Option<&'i str> {
    ids.get(text.strip_prefix(REFERENCE)?).map(String::as_str)
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.extend(text.strip_prefix(REFERENCE).map(str::to_owned));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        _ => {}
    }
}

fn replaced(value: Value, ids: &HashMap<String, String>, drops_others: bool) -> Option<Value> {
    match value {
        Value::String(text) if text.starts_with(REFERENCE) => match referred(&text, ids) {
            Some(id) => Some(id.into()),
            None if drops_others => None,
            None => Some(text.into()),
        },
        Value::Array(elements) => {
            let kept = elements.into_iter().filter_map(|own| replaced(own, ids, drops_others));
            Some(Value::Array(kept.collect()))
        }
        Value::Object(members) => {
            let count = members.len();
            let kept: Map<String, Value> = members
                .into_iter()
                .filter_map(|(name, own)| Some((name, replaced(own, ids, drops_others)?)))
                .collect();
            // A member of a group without its `value` is no member.
            let is_hollow = kept.len() < count && !kept.contains_key("schemas");
            (!is_hollow).then_some(Value::Object(kept))
        }
        other => Some(other),
    }
}

fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = object.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    object.remove(&key)
}
