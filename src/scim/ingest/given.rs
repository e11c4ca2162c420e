//! An object of a body, taken apart by attribute names.

use crate::scim::Error;
use crate::scim::error::shorten;
use crate::scim::schema::Reading;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The attributes of one object as the client spelled them, taken by name.
#[derive(Default)]
pub(super) struct Given {
    attributes: Vec<Option<(String, Value)>>,
    /// Where each is, by its name in lower case.
    places: HashMap<String, usize>,
}

impl Given {
    pub(super) fn of(object: Map<String, Value>) -> Result<Self, Error> {
        let mut given = Self::default();
        object.into_iter().try_for_each(|(name, value)| given.put(name, value))?;
        Ok(given)
    }

    pub(super) fn put(&mut self, name: String, value: Value) -> Result<(), Error> {
        if self.places.insert(name.to_ascii_lowercase(), self.attributes.len()).is_some() {
            return Err(given_twice(&name));
        }
        self.attributes.push(Some((name, value)));
        Ok(())
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let place = self.places.get(&name.to_ascii_lowercase())?;
        Some(self.attributes.get_mut(*place)?.take()?.1)
    }

    /// The names that nothing took, which no schema has.
    pub(super) fn left(
        self,
        reading: Reading,
        holder: &str,
    ) -> Result<impl Iterator<Item = String>, Error> {
        let mut left = self.attributes.into_iter().flatten().peekable();
        if reading.is_strict()
            && let Some((name, _)) = left.peek()
        {
            return Err(Error::invalid_syntax(format!(
                "`{}` is not an attribute of `{holder}`",
                shorten(name)
            )));
        }
        Ok(left.map(|(name, _)| shorten(&name)))
    }
}

pub(super) fn given_twice(name: &str) -> Error {
    let name = shorten(name);
    Error::invalid_syntax(format!("`{name}` is given twice (attribute names ignore case)"))
}
