//! Instants, and the `dateTime` of RFC 7643 section 2.3.5.
//!
//! A [`Timestamp`] counts milliseconds because that is what the platform's
//! clock gives; `meta.created` and `meta.lastModified` carry no finer part.

use chrono::{DateTime, Datelike, Timelike, Utc};
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
        // 1970 for what is beyond chrono's years: no clock of ours gives it.
        let instant = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default();
        // Digit by digit: a page has 200 of these, and chrono's own way takes its time.
        let mut text = String::with_capacity(24);
        for (number, digits, after) in [
            (instant.year().unsigned_abs(), 4, '-'),
            (instant.month(), 2, '-'),
            (instant.day(), 2, 'T'),
            (instant.hour(), 2, ':'),
            (instant.minute(), 2, ':'),
            (instant.second(), 2, '.'),
            (instant.timestamp_subsec_millis(), 3, 'Z'),
        ] {
            for place in (0..digits).rev() {
                let digit = number.wrapping_div(10_u32.pow(place)) % 10;
                text.extend(char::from_digit(digit, 10));
            }
            text.push(after);
        }
        f.write_str(&text)
    }
}
