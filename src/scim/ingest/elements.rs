//! The elements of a multi-valued attribute (RFC 7643 section 2.4).

use serde_json::Value;
use std::collections::HashSet;

/// What makes two elements of a multi-valued attribute one: the same `value`
/// and `type` (RFC 7643 section 2.4), or equality where there is no `value`.
#[derive(PartialEq, Eq, Hash)]
pub enum Identity<'v> {
    /// The element's value and type.
    Valued(&'v Value, Option<&'v Value>),
    /// All of it.
    Whole(&'v Value),
}

impl<'v> Identity<'v> {
    /// The identity of an element.
    pub fn of(element: &'v Value) -> Self {
        match element.get("value") {
            Some(value) => Self::Valued(value, element.get("type")),
            None => Self::Whole(element),
        }
    }
}

/// Keeps the first of several elements that are one.
pub fn drop_repeated(elements: &mut Vec<Value>) {
    let mut seen = HashSet::with_capacity(elements.len());
    let is_first: Vec<bool> =
        elements.iter().map(|element| seen.insert(Identity::of(element))).collect();
    let mut is_first = is_first.into_iter();
    elements.retain(|_| is_first.next().unwrap_or(true));
}

/// Whether an element says what kind of value it is but has none: what is left
/// of `{"value": "{$user.email}", "type": "work"}` when the macro is empty.
pub fn is_bare(element: &Value) -> bool {
    let about = |name: &String| ["type", "primary", "display"].contains(&name.as_str());
    element.as_object().is_some_and(|element| element.keys().all(about))
}

/// Whether an element is the preferred one.
pub fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}
