//! Versions (RFC 7644 section 3.14): weak entity tags, `If-Match` and
//! `If-None-Match`.
//!
//! A tag is `W/"7"`: the count of changes to the resource. An answer that also
//! shows derived attributes (`groups`, `members.display`) has a second part,
//! `W/"7-1f3a9c02"`, a digest of those, so that a cached copy is not taken for
//! fresh after a group was renamed. `If-Match` guards against lost updates and
//! compares the first part alone: what we derive is not the client's to lose.

use super::Error;

/// The version of a resource as an answer shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// How many times the resource has changed, creation being the first.
    pub stored: i64,
    /// A digest of the derived attributes that the answer shows.
    pub derived: Option<u32>,
}

impl Version {
    /// The entity tag, for the `ETag` header and `meta.version`.
    pub fn tag(self) -> String {
        ["W/\"", &self.opaque(), "\""].concat()
    }

    /// What the entity tag has between its quotes: letters, digits and `-` alone.
    pub fn opaque(self) -> String {
        match self.derived {
            None => self.stored.to_string(),
            Some(derived) => format!("{}-{derived:08x}", self.stored),
        }
    }
}

/// A digest that changes with the text, given in parts: FNV-1a, 32 bits. It guards a
/// cache, not a secret.
pub fn digest(parts: &[&str]) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    for part in parts {
        for byte in part.bytes() {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    hash
}

/// Whether a change may go ahead under the `If-Match` header, if there is one.
///
/// # Errors
/// 412 if the resource has changed since the client read it.
pub fn check_match(if_match: Option<&str>, stored: i64) -> Result<(), Error> {
    let Some(header) = if_match else { return Ok(()) };
    let own = stored.to_string();
    let matches = header.trim() == "*"
        || tags(header).any(|tag| tag.split_once('-').map_or(tag, |(first, _)| first) == own);
    if matches {
        return Ok(());
    }
    Err(Error::status_only(
        412,
        format!("the resource has changed: its version is now W/\"{stored}\"; read it again first"),
    ))
}

/// Whether the client's copy under `If-None-Match` is this very version.
pub fn is_unchanged(if_none_match: Option<&str>, version: Version) -> bool {
    let Some(header) = if_none_match else { return false };
    let own = version.opaque();
    header.trim() == "*" || tags(header).any(|tag| tag == own)
}

/// The opaque parts of a list of entity tags; weak and strong compare alike.
fn tags(header: &str) -> impl Iterator<Item = &str> {
    header.split(',').map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'))
}
