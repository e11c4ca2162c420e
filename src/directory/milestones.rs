//! Milestones: where in a list the resource of an index is.
//!
//! SQLite finds an `OFFSET` by walking there. A milestone says how many resources
//! stand from one id on, a thousand or two, so that to a page deep in a list of a
//! million leads a sum of a thousand numbers and a short walk, in place of half a
//! million steps. Triggers keep the numbers, see the migration that makes the table.

use super::Context;
use super::resource::Kind;
use super::sql::SqlError;

/// Resources that are passed over without asking: as many as stand between two
/// milestones.
const NEAR: i64 = 1_000;

/// From which id on to go, and how many to pass over from there, so that `skip` are
/// passed over in all. `None` where that is near the beginning.
pub(super) fn before(
    context: &Context<'_>,
    kind: Kind,
    skip: i64,
) -> Result<Option<(String, i64)>, SqlError> {
    if skip <= NEAR {
        return Ok(None);
    }
    context.sql.first(
        "SELECT first, passed FROM (
             SELECT first, sum(resources) OVER (ORDER BY first) - resources AS passed
             FROM milestone WHERE type = (SELECT ?)
         ) WHERE passed <= (SELECT ?) ORDER BY first DESC LIMIT 1",
        &[kind.name().into(), skip.into()],
        |mut row| Ok((row.text()?, skip.saturating_sub(row.integer()?))),
    )
}
