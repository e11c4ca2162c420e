//! What a form sent: `application/x-www-form-urlencoded`.

use std::borrow::Cow;

/// Bytes in a form; the largest holds a certificate or a schema.
const FORM_BYTES_MAX: usize = 64 << 10;

/// A form's fields.
#[derive(Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body; `None` of one that is too large.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into(), value.into());
        (body.len() <= FORM_BYTES_MAX)
            .then(|| Self(form_urlencoded::parse(body).map(owned).collect()))
    }

    /// The field of this name, without space around it; empty where there is
    /// none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.trim())
    }

    /// The same, if anything was filled in.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Every value of a field that may be there several times.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box of this name is ticked.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }
}
