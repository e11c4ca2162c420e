//! One operation on one document.
//!
//! Where the RFC is silent or real clients differ from it, what happens is
//! said at the branch that does it. On `Err` the document may hold part of
//! the operation; callers apply to a copy or inside a transaction.

use super::{Op, Operation, Target};
use crate::scim::Error;
use crate::scim::error::shorten;
use crate::scim::filter::{Filter, Literal, Operator};
use crate::scim::ingest::VALUES_MAX;
use crate::scim::ingest::{self, Identity, drop_repeated, is_bare, is_primary};
use crate::scim::path::Path;
use crate::scim::schema::{Attribute, Reading, Type};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Applies an operation to a document.
///
/// # Errors
/// 400 `noTarget`, `invalidValue` or `mutability`, with the operation's place.
pub fn apply(document: &mut Map<String, Value>, operation: &Operation<'_>) -> Result<(), Error> {
    let extension = operation.target.path.extension;
    let result = match extension {
        None => in_holder(document, operation),
        Some(extension) => {
            let holder = document.entry(extension.id.clone()).or_insert_with(|| Map::new().into());
            match holder {
                Value::Object(holder) => in_holder(holder, operation),
                _ => Ok(()),
            }
        }
    };
    if let Some(extension) = extension
        && document.get(&extension.id).and_then(Value::as_object).is_some_and(Map::is_empty)
    {
        document.remove(&extension.id);
    }
    result.map_err(|error| error.at(&operation.place))
}

/// Applies to the object that holds the attribute itself.
fn in_holder(holder: &mut Map<String, Value>, operation: &Operation<'_>) -> Result<(), Error> {
    let Target { path, filter } = &operation.target;
    if operation.op == Op::Remove {
        return remove(holder, operation, operation.value.as_ref());
    }
    let given = operation.value.clone().unwrap_or(Value::Null);
    let place = path.to_string();
    if operation.op == Op::Replace && clear_parts(holder, operation, &given)? {
        return Ok(());
    }
    let value = match (filter, path.sub) {
        (Some(_), None) => ingest::element(path.attribute, given, &place, operation.reading)?,
        _ => ingest::value(path.leaf(), given, &place, operation.reading)?,
    };
    let Some(value) = value else {
        // Null or empty is absence (RFC 7643 section 2.5): replacing by it
        // clears, adding it adds nothing.
        return match operation.op {
            Op::Replace => remove(holder, operation, None),
            _ => Ok(()),
        };
    };
    let name = &path.attribute.name;
    if !path.attribute.multi_valued {
        match path.sub {
            Some(sub) => {
                let slot = holder.entry(name.clone()).or_insert_with(|| Map::new().into());
                put(slot, &sub.name, value);
            }
            None => match (holder.get_mut(name), value) {
                // A complex value changes the sub-attributes that it names.
                (Some(Value::Object(present)), Value::Object(given)) => present.extend(given),
                (_, value) => {
                    holder.insert(name.clone(), value);
                }
            },
        }
        return Ok(());
    }
    let mut elements = take_elements(holder, name);
    match (filter, path.sub) {
        (None, None) if operation.op == Op::Replace => elements = elements_of(value),
        (None, None) => add_elements(&mut elements, elements_of(value)),
        (None, Some(sub)) => {
            if elements.is_empty() {
                elements.push(Map::new().into());
            }
            let all = vec![true; elements.len()];
            set_sub(&mut elements, &all, sub, &value);
        }
        (Some(filter), sub) => {
            in_elements(&mut elements, filter, sub, value, operation)?;
        }
    }
    drop_repeated(&mut elements);
    if !elements.is_empty() {
        holder.insert(name.clone(), Value::Array(elements));
    }
    Ok(())
}

/// Clears the parts of a complex value that a replacement names without a value:
/// those that it does not name stay (RFC 7644 section 3.5.2.3). Returns whether
/// that was all that it said.
fn clear_parts(
    holder: &mut Map<String, Value>,
    operation: &Operation<'_>,
    given: &Value,
) -> Result<bool, Error> {
    let Path { attribute, sub, .. } = operation.target.path;
    let is_one = attribute.kind == Type::Complex && !attribute.multi_valued && sub.is_none();
    let (true, Value::Object(parts)) = (is_one, given) else { return Ok(false) };
    let mut says_more = parts.is_empty();
    for (name, part) in parts {
        let Some(sub) = attribute.sub(name) else {
            // Another name for a part, or one that there is not.
            says_more |= !part.is_null() && name.eq_ignore_ascii_case("managerId");
            continue;
        };
        let place = format!("{}.{}", attribute.name, sub.name);
        if ingest::value(sub, part.clone(), &place, operation.reading)?.is_some() {
            says_more = true;
        } else if let Some(Value::Object(present)) = holder.get_mut(&attribute.name)
            && !sub.is_ignored_in_bodies()
        {
            present.remove(&sub.name);
        }
    }
    if holder.get(&attribute.name).and_then(Value::as_object).is_some_and(Map::is_empty) {
        holder.remove(&attribute.name);
    }
    Ok(!says_more && !operation.reading.is_strict())
}

/// Adds or replaces where the elements match a filter.
fn in_elements(
    elements: &mut Vec<Value>,
    filter: &Filter<'_>,
    sub: Option<&Attribute>,
    value: Value,
    operation: &Operation<'_>,
) -> Result<(), Error> {
    let mut matching: Vec<bool> = elements.iter().map(|element| matches(filter, element)).collect();
    if !matching.contains(&true) {
        // RFC 7644 section 3.5.2.3 asks for `noTarget` here. Entra sets
        // `emails[type eq "work"].value` on people who have no such address
        // yet, and one such error would fail its whole request, so the
        // element that the filter describes is made.
        let sub = sub.filter(|_| !operation.reading.is_strict());
        let Some(element) = sub.and_then(|_| described_by(filter)) else {
            return Err(Error::no_target(format!(
                "no value of `{}` matches `{}`",
                operation.target.path.attribute.name,
                shorten(&filter.to_string())
            )));
        };
        // What a filter says has not been looked at as a value yet.
        let attribute = operation.target.path.attribute;
        let made = ingest::element(attribute, element.into(), &attribute.name, operation.reading)?;
        elements.push(made.unwrap_or_else(|| Map::new().into()));
        matching.push(true);
    }
    match sub {
        Some(sub) => set_sub(elements, &matching, sub, &value),
        None => {
            if operation.op == Op::Replace {
                for (element, matches) in elements.iter_mut().zip(&matching) {
                    if *matches {
                        *element = Map::new().into();
                    }
                }
            }
            merge_matching(elements, &matching, &value);
            keep_one_primary(elements, &matching);
        }
    }
    Ok(())
}

fn remove(
    holder: &mut Map<String, Value>,
    operation: &Operation<'_>,
    value: Option<&Value>,
) -> Result<(), Error> {
    let Target { path, filter } = &operation.target;
    let name = &path.attribute.name;
    if path.attribute.required && path.sub.is_none() && filter.is_none() {
        return Err(Error::mutability(format!("`{path}` is required and cannot be removed")));
    }
    if !path.attribute.multi_valued {
        match (path.sub, holder.get_mut(name)) {
            (Some(sub), Some(Value::Object(present))) => {
                present.remove(&sub.name);
                if present.is_empty() {
                    holder.remove(name);
                }
            }
            (Some(_), _) => {}
            (None, _) => {
                holder.remove(name);
            }
        }
        return Ok(());
    }
    // A list of values says which elements go, not which of their parts.
    let value = value.filter(|_| path.sub.is_none() && filter.is_none());
    let listed = listed_values(path.attribute, value, operation.reading)?;
    let mut elements = take_elements(holder, name);
    let chosen = |element: &Value| match (filter, &listed) {
        (Some(filter), _) => matches(filter, element),
        // Entra names what to remove in `value` instead of the path: those
        // only, never all.
        (None, Some(listed)) => listed.iter().any(|listed| is_listed(element, listed)),
        (None, None) => true,
    };
    match path.sub {
        None => elements.retain(|element| !chosen(element)),
        Some(sub) => {
            for element in &mut elements {
                if chosen(element)
                    && let Value::Object(element) = element
                {
                    element.remove(&sub.name);
                }
            }
            elements.retain(|element| !is_bare(element));
            // What told two of them apart may be gone.
            drop_repeated(&mut elements);
        }
    }
    if !elements.is_empty() {
        holder.insert(name.clone(), Value::Array(elements));
    }
    Ok(())
}

/// The elements that a remove operation lists in its `value`, if it does.
fn listed_values(
    attribute: &Attribute,
    value: Option<&Value>,
    reading: Reading,
) -> Result<Option<Vec<Value>>, Error> {
    let Some(value) = value else { return Ok(None) };
    if value.is_null() {
        return Ok(None);
    }
    let value = ingest::value(attribute, value.clone(), &attribute.name, reading)?;
    let listed = value.map_or_else(Vec::new, elements_of);
    if listed.len() > VALUES_MAX {
        let count = listed.len();
        let detail = format!("`value` lists {count} values; at most {VALUES_MAX} are kept");
        return Err(Error::invalid_value(detail));
    }
    Ok(Some(listed))
}

/// Whether an element has everything that a listed one names.
fn is_listed(element: &Value, listed: &Value) -> bool {
    match (element, listed) {
        (Value::Object(element), Value::Object(listed)) => {
            listed.iter().all(|(name, value)| element.get(name) == Some(value))
        }
        _ => element == listed,
    }
}

fn matches(filter: &Filter<'_>, element: &Value) -> bool {
    element.as_object().is_some_and(|element| filter.matches(element))
}

fn take_elements(holder: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    holder.remove(name).map_or_else(Vec::new, elements_of)
}

fn elements_of(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        single => vec![single],
    }
}

fn put(slot: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = slot {
        object.insert(name.to_owned(), value);
    }
}

/// Appends what is not there yet. One that is there (same value and type)
/// takes over what else the new one says.
fn add_elements(elements: &mut Vec<Value>, given: Vec<Value>) {
    let mut touched = vec![false; elements.len()];
    let places: HashMap<Identity<'_>, usize> =
        elements.iter().enumerate().rev().map(|(at, own)| (Identity::of(own), at)).collect();
    let places: Vec<Option<usize>> =
        given.iter().map(|new| places.get(&Identity::of(new)).copied()).collect();
    for (new, place) in given.into_iter().zip(places) {
        let Some(place) = place else {
            elements.push(new);
            touched.push(true);
            continue;
        };
        // One that was primary already takes the mark from nobody.
        let was_primary = elements.get(place).is_some_and(is_primary);
        if let (Some(Value::Object(element)), Value::Object(new)) = (elements.get_mut(place), new) {
            element.extend(new);
        }
        if let Some(touched) = touched.get_mut(place) {
            *touched |= !was_primary;
        }
    }
    keep_one_primary(elements, &touched);
}

fn set_sub(elements: &mut [Value], chosen: &[bool], sub: &Attribute, value: &Value) {
    for (element, chosen) in elements.iter_mut().zip(chosen) {
        if *chosen {
            put(element, &sub.name, value.clone());
        }
    }
    keep_one_primary(elements, chosen);
}

fn merge_matching(elements: &mut [Value], chosen: &[bool], value: &Value) {
    let Some(given) = value.as_object() else { return };
    for (element, chosen) in elements.iter_mut().zip(chosen) {
        if *chosen && let Value::Object(element) = element {
            element.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }
}

/// A new primary value takes the mark from the old one (RFC 7644 section
/// 3.5.2). Among several new ones, the first keeps it.
fn keep_one_primary(elements: &mut [Value], new: &[bool]) {
    let newest = elements.iter().zip(new).position(|(element, new)| *new && is_primary(element));
    let Some(newest) = newest else { return };
    for (index, element) in elements.iter_mut().enumerate() {
        if index != newest && is_primary(element) {
            put(element, "primary", Value::Bool(false));
        }
    }
}

/// The element that a filter of equalities describes: `type eq "work"` is
/// `{"type": "work"}`. `None` for any other filter.
fn described_by(filter: &Filter<'_>) -> Option<Map<String, Value>> {
    match filter {
        Filter::And(terms) => {
            let mut element = Map::new();
            for term in terms {
                element.extend(described_by(term)?);
            }
            Some(element)
        }
        Filter::Compare(path, Operator::Eq, literal) if path.attribute.kind != Type::Complex => {
            let value = match literal {
                Literal::Boolean(value) => Value::Bool(*value),
                Literal::Text(text) => text.given.as_str().into(),
                _ => return None,
            };
            Some(Map::from_iter([(path.attribute.name.clone(), value)]))
        }
        _ => None,
    }
}
