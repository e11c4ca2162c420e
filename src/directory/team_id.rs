//! Team ids: slugs that name a Durable Object and where it may live.

use std::fmt;

/// Jurisdictions that an object can be held to. A team in one says so in its
/// id (`eu.acme`), because every later call must name it.
const JURISDICTIONS: [&str; 3] = ["eu", "fedramp", "us"];

/// A team's id: `[a-z0-9-]{2,40}`, after a jurisdiction and a dot if it is
/// held to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamId(String);

impl TeamId {
    /// Reads an id. `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let slug = match text.split_once('.') {
            Some((jurisdiction, slug)) if JURISDICTIONS.contains(&jurisdiction) => slug,
            Some(_) => return None,
            None => text,
        };
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (2..=40).contains(&slug.len()) && slug.bytes().all(allowed);
        fits.then(|| Self(text.to_owned()))
    }

    /// The whole id, which is the object's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The jurisdiction that the team is held to.
    pub fn jurisdiction(&self) -> Option<&str> {
        self.0.split_once('.').map(|(jurisdiction, _)| jurisdiction)
    }
}

impl fmt::Display for TeamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
