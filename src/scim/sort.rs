//! Sorting (RFC 7644 section 3.4.2.3): what a resource is sorted by.
//!
//! A key is taken from each resource once; comparing keys is all that the
//! sorting does. Text that ignores case is compared folded, dates as instants,
//! and a multi-valued attribute by its primary value, or else its first.

use super::error::shorten;
use super::filter::fold;
use super::path::{self, Path};
use super::schema::{ResourceType, Returned, Type};
use super::{Error, ScimType, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// What to sort by, and which way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sort<'s> {
    /// The attribute; one with a value of its own, not a complex one.
    pub path: Path<'s>,
    /// Whether the last come first.
    pub descending: bool,
}

/// Where a resource stands in the order.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Key(Option<Ordered>);

impl Key {
    /// The text that is compared, where it is text: folded if case is ignored.
    pub fn text(&self) -> Option<&str> {
        match &self.0 {
            Some(Ordered::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The milliseconds that are compared, where it is a date.
    pub fn milliseconds(&self) -> Option<i64> {
        match &self.0 {
            Some(Ordered::Time(milliseconds)) => Some(*milliseconds),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
enum Ordered {
    Boolean(bool),
    Number(f64),
    Time(i64),
    Text(String),
}

impl<'s> Sort<'s> {
    /// Reads `sortBy` and `sortOrder`. Without the first there is no order to
    /// speak of, whatever the second says.
    ///
    /// # Errors
    /// 400 `invalidPath` for what is no attribute or has no value to sort by,
    /// 400 `invalidValue` for another order than the two, 403 `sensitive` for
    /// what may never be read.
    pub fn parse(
        resource_type: &'s ResourceType,
        by: Option<&str>,
        order: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let descending = match order.map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "ascending") => false,
            Some("descending") => true,
            Some(other) => {
                return Err(Error::invalid_value(format!(
                    "`sortOrder` must be ascending or descending, not `{}`",
                    shorten(other)
                )));
            }
        };
        let Some(by) = by.map(str::trim).filter(|by| !by.is_empty()) else { return Ok(None) };
        let path = path::resolve_attribute(resource_type, by)
            .map_err(|what| Error::invalid_path(format!("sortBy: {what}")))?;
        if path.leaf().returned == Returned::Never {
            return Err(Error::of(ScimType::Sensitive, format!("`{path}` is never returned")));
        }
        let path = path.comparable().ok_or_else(|| {
            Error::invalid_path(format!("sortBy: `{path}` is complex; name a sub-attribute of it"))
        })?;
        Ok(Some(Self { path, descending }))
    }

    /// Where the resource stands. Derived attributes that the order needs must
    /// be in the object.
    pub fn key(&self, object: &Map<String, Value>) -> Key {
        let holder = match self.path.extension {
            None => Some(object),
            Some(extension) => object.get(&extension.id).and_then(Value::as_object),
        };
        let value = holder.and_then(|holder| holder.get(&self.path.attribute.name));
        let value = value.and_then(preferred);
        let value = match self.path.sub {
            None => value,
            Some(sub) => value.and_then(|value| value.get(&sub.name)).and_then(preferred),
        };
        Key(value.and_then(|value| self.ordered(value)))
    }

    /// Compares two resources. Those without a value come last, and first in
    /// descending order.
    pub fn compare(&self, one: &Key, other: &Key) -> Ordering {
        let ordering = match (&one.0, &other.0) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(other)) => one.compare(other),
        };
        if self.descending { ordering.reverse() } else { ordering }
    }

    fn ordered(&self, value: &Value) -> Option<Ordered> {
        let leaf = self.path.leaf();
        match value {
            Value::Bool(value) => Some(Ordered::Boolean(*value)),
            Value::Number(number) => number.as_f64().map(Ordered::Number),
            Value::String(text) if leaf.kind == Type::DateTime => {
                Timestamp::parse(text).map(|instant| Ordered::Time(instant.0))
            }
            Value::String(text) if leaf.case_exact => Some(Ordered::Text(text.clone())),
            Value::String(text) => Some(Ordered::Text(fold(text))),
            _ => None,
        }
    }
}

impl Ordered {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Time(one), Self::Time(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            // One attribute has one type.
            _ => Ordering::Equal,
        }
    }
}

/// The value that stands for several: the primary one, or else the first.
fn preferred(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(elements) => {
            let is_primary = |element: &&Value| super::ingest::is_primary(element);
            elements.iter().find(is_primary).or_else(|| elements.first())
        }
        single => Some(single),
    }
}
