//! Does a resource match? The reference semantics of filters.
//!
//! An attribute with several values matches if one of them does (RFC 7644
//! section 3.4.2.2); `ne` is the opposite of `eq` throughout.

use super::{Filter, Literal, Operator, fold};
use crate::scim::Timestamp;
use crate::scim::path::Path;
use crate::scim::schema::{Attribute, Type};
use serde_json::{Map, Value};
use std::cmp::Ordering;

impl Filter<'_> {
    /// Whether the resource, or element of a complex attribute, matches.
    /// Derived attributes that the filter names must be in the object.
    pub fn matches(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::And(terms) => terms.iter().all(|term| term.matches(object)),
            Self::Or(terms) => terms.iter().any(|term| term.matches(object)),
            Self::Not(term) => !term.matches(object),
            Self::Present(path) => any_value(path, object, &mut is_present),
            Self::Compare(path, Operator::Ne, literal) => {
                !compares(path, Operator::Eq, literal, object)
            }
            Self::Compare(path, operator, literal) => compares(path, *operator, literal, object),
            Self::Element(path, filter) => any_value(path, object, &mut |element| {
                element.as_object().is_some_and(|element| filter.matches(element))
            }),
        }
    }
}

fn compares(
    path: &Path<'_>,
    operator: Operator,
    literal: &Literal,
    object: &Map<String, Value>,
) -> bool {
    if *literal == Literal::Null {
        return operator == Operator::Eq && !any_value(path, object, &mut is_present);
    }
    // RFC 7643 section 2.4: `primary` is false if it is not given.
    let absent = (path.leaf().name == "primary").then_some(&Value::Bool(false));
    any_value_or(path, object, absent, &mut |value| compare(path.leaf(), operator, literal, value))
}

/// Whether some value that the path yields satisfies `test`.
fn any_value(
    path: &Path<'_>,
    object: &Map<String, Value>,
    test: &mut dyn FnMut(&Value) -> bool,
) -> bool {
    any_value_or(path, object, None, test)
}

/// As [`any_value`], with `absent` in the place of a value that an object does
/// not have.
fn any_value_or(
    path: &Path<'_>,
    object: &Map<String, Value>,
    absent: Option<&Value>,
    test: &mut dyn FnMut(&Value) -> bool,
) -> bool {
    let holder = match path.extension {
        None => Some(object),
        Some(extension) => object.get(&extension.id).and_then(Value::as_object),
    };
    let value = holder.and_then(|holder| holder.get(&path.attribute.name));
    let Some(sub) = path.sub else {
        return value.or(absent).is_some_and(|value| any_element(value, test));
    };
    value.is_some_and(|value| {
        any_element(value, &mut |element| {
            let value = element.as_object().and_then(|element| element.get(&sub.name)).or(absent);
            value.is_some_and(|value| any_element(value, test))
        })
    })
}

fn any_element(value: &Value, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(test),
        single => test(single),
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(object) => !object.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        _ => true,
    }
}

fn compare(attribute: &Attribute, operator: Operator, literal: &Literal, value: &Value) -> bool {
    let ordering = match (literal, value) {
        (Literal::Boolean(wanted), Value::Bool(found)) => found.cmp(wanted),
        (Literal::Number(wanted), Value::Number(found)) => {
            let Some(ordering) = found.as_f64().and_then(|found| found.partial_cmp(wanted)) else {
                return false;
            };
            ordering
        }
        (Literal::Time(wanted), Value::String(found)) => {
            let Some(found) = Timestamp::parse(found) else { return false };
            found.cmp(wanted)
        }
        (Literal::Text(wanted), Value::String(found)) => {
            if attribute.case_exact || attribute.kind == Type::DateTime {
                return compare_text(operator, found, &wanted.key);
            }
            return compare_text(operator, &fold(found), &wanted.key);
        }
        _ => return false,
    };
    holds(operator, ordering)
}

fn compare_text(operator: Operator, found: &str, wanted: &str) -> bool {
    match operator {
        Operator::Co => found.contains(wanted),
        Operator::Sw => found.starts_with(wanted),
        Operator::Ew => found.ends_with(wanted),
        _ => holds(operator, found.cmp(wanted)),
    }
}

fn holds(operator: Operator, ordering: Ordering) -> bool {
    match operator {
        Operator::Eq => ordering.is_eq(),
        Operator::Ne => ordering.is_ne(),
        Operator::Gt => ordering.is_gt(),
        Operator::Ge => ordering.is_ge(),
        Operator::Lt => ordering.is_lt(),
        Operator::Le => ordering.is_le(),
        Operator::Co | Operator::Sw | Operator::Ew => false,
    }
}
