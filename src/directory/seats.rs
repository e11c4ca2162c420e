//! Seats: each active member takes one, and an operator says how many there are.
//!
//! Suspending frees a seat and never asks for one: nothing may stand in the way
//! of a suspension, be the team over its seats or not.

use super::sql::SqlError;
use super::{Context, Failure};
use crate::scim::Error;

/// Takes a seat for a member who becomes active.
///
/// # Errors
/// 403 if none is free.
pub(super) fn take(context: &Context<'_>) -> Result<(), Failure> {
    taken_by(context, "type = 'Active'")
}

/// Counts a new member who is active, and takes a seat for them.
///
/// # Errors
/// 403 if none is free; the caller's transaction undoes the count.
pub(super) fn take_new(context: &Context<'_>) -> Result<(), Failure> {
    taken_by(context, "type IN ('Active', 'User')")
}

fn taken_by(context: &Context<'_>, counts: &str) -> Result<(), Failure> {
    let counted = context.sql.all(
        &format!(
            "UPDATE tally SET total = total + 1 WHERE {counts}
             AND (type <> 'Active' OR total < (SELECT seats FROM team)) RETURNING type"
        ),
        &[],
        |mut row| row.text(),
    )?;
    if counted.iter().any(|count| count == "Active") {
        return Ok(());
    }
    let seats = context.sql.first("SELECT seats FROM team", &[], |mut row| row.integer())?;
    let seats = seats.unwrap_or(0);
    let detail = format!(
        "no seat is free: all {seats} seats of this team are taken. Suspend or remove someone, or \
         ask kafkaman for more seats, then provision this person again"
    );
    Err(Error::status_only(403, detail).into())
}

/// Frees the seat of a member who is active no longer.
pub(super) fn free(context: &Context<'_>) -> Result<(), SqlError> {
    context.sql.execute("UPDATE tally SET total = total - 1 WHERE type = 'Active'", &[])
}

/// Counts that a member who was active is gone, and frees their seat.
pub(super) fn free_gone(context: &Context<'_>) -> Result<(), SqlError> {
    let statement = "UPDATE tally SET total = total - 1 WHERE type IN ('Active', 'User')";
    context.sql.execute(statement, &[])
}

/// How many seats are taken.
pub fn taken(context: &Context<'_>) -> Result<i64, SqlError> {
    let statement = "SELECT total FROM tally WHERE type = 'Active'";
    Ok(context.sql.first(statement, &[], |mut row| row.integer())?.unwrap_or(0))
}
