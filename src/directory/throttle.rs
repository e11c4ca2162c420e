//! How much a team's provider may ask: so many requests a second, and a burst.
//!
//! A bucket in the memory of the team's object, so that a request costs no row.
//! An object that was away begins with a full one. What is refused is only put
//! off: providers ask again, and a suspension that met the limit is obeyed then.

use super::sql::{Row, SqlError};
use crate::scim::Timestamp;
use serde::{Deserialize, Serialize};
use std::cell::Cell;

/// Requests a second that go on for ever; a sync of Entra's has 25.
const PER_SECOND: i64 = 50;
/// Requests that may come at once.
const BURST: i64 = 500;
/// The most that an operator can set of either: no limit at all.
pub const MOST: i64 = 1_000_000;
/// A request, in the thousandths that a bucket holds.
const REQUEST: i64 = 1_000;
const SECOND_MS: i64 = 1_000;

/// What an operator said of a team's rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Rate {
    /// Requests a second, if not the default.
    pub per_second: Option<i64>,
    /// Requests at once, if not the default.
    pub burst: Option<i64>,
}

impl Rate {
    /// Reads the columns `requests_per_second` and `request_burst`.
    pub(super) fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self { per_second: row.optional_integer()?, burst: row.optional_integer()? })
    }

    /// Requests a second that go on for ever.
    pub fn per_second(self) -> i64 {
        self.per_second.unwrap_or(PER_SECOND)
    }

    /// Requests that may come at once.
    pub fn burst(self) -> i64 {
        self.burst.unwrap_or(BURST)
    }

    /// The same with what `changes` says.
    pub fn with(self, changes: Self) -> Self {
        Self {
            per_second: changes.per_second.or(self.per_second),
            burst: changes.burst.or(self.burst),
        }
    }
}

/// The bucket of one team.
#[derive(Debug, Default)]
pub struct Throttle {
    /// What was taken and has not run in again, in thousandths of a request, ...
    taken: Cell<i64>,
    /// ... when the last request came, in milliseconds.
    at: Cell<i64>,
}

impl Throttle {
    /// Takes one request out of the bucket.
    ///
    /// # Errors
    /// The seconds until there is one in it, if there is none; nothing is taken then.
    pub fn take(&self, rate: Rate, now: Timestamp) -> Result<(), i64> {
        let per_second = rate.per_second().max(1);
        // A clock that was set back fills nothing and empties nothing. Requests a
        // second are thousandths of one in a millisecond.
        let passed = now.0.saturating_sub(self.at.replace(now.0)).max(0);
        let taken = self.taken.get().saturating_sub(passed.saturating_mul(per_second)).max(0);
        let wanted = taken.saturating_add(REQUEST);
        let lacking = wanted.saturating_sub(rate.burst().max(1).saturating_mul(REQUEST));
        if lacking <= 0 {
            self.taken.set(wanted);
            return Ok(());
        }
        self.taken.set(taken);
        Err(rounded_up(lacking, per_second.saturating_mul(SECOND_MS)))
    }
}

/// The quotient of two numbers above 0.
fn rounded_up(dividend: i64, divisor: i64) -> i64 {
    dividend.saturating_add(divisor).saturating_sub(1).checked_div(divisor).unwrap_or(0)
}
