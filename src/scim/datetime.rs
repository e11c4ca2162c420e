//! Instants, and the `dateTime` of RFC 7643 section 2.3.5.
//!
//! A [`Timestamp`] counts milliseconds because that is what the platform's
//! clock gives; `meta.created` and `meta.lastModified` carry no finer part.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use std::fmt;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads an `xsd:dateTime`, RFC 7643 section 2.3.5: date and time, with
    /// `T`, seconds, an optional fraction, and `Z` or an offset. A missing
    /// offset reads as UTC. Digits beyond the millisecond are dropped. `None`
    /// for what is none, and for years that four digits do not write.
    pub fn parse(text: &str) -> Option<Self> {
        let instant = DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}Z")))
            .ok()?
            .to_utc();
        // What is written must be read again: four digits of year.
        (0..=9999).contains(&instant.year()).then(|| Self(instant.timestamp_millis()))
    }

    /// This instant, later by `milliseconds`.
    #[must_use]
    pub fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

impl fmt::Display for Timestamp {
    /// `2026-11-23T21:05:17.000Z`: always UTC, always three digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(instant) => f.write_str(&instant.to_rfc3339_opts(SecondsFormat::Millis, true)),
            // Beyond chrono's years; no clock of ours gives it.
            None => f.write_str("1970-01-01T00:00:00.000Z"),
        }
    }
}
