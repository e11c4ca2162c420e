//! What is done a step at a time, by alarm: indexes filled and emptied, the
//! data of removed schemas purged, sessions and audit records pruned whose time
//! is over, admins warned of keys that are about to end, a provider's activity
//! stored.
//!
//! A step is one transaction over a bounded number of rows, so that no request
//! waits long for it and a crash loses none: what is left to do is what the
//! tables say, and doing it twice does nothing more.

use super::activity::{self, Activity};
use super::extensions::{self, Extension, State};
use super::lookup::{self, Lookup};
use super::resource::{Document, Kind};
use super::schemas::{Registered, Schemas};
use super::sql::SqlError;
use super::{
    Context, Failure, Fault, Timestamp, audit, break_glass, departures, keys, sessions, settings,
    sign_in, sso,
};
use serde_json::Value;

/// Rows that one step reads or removes.
const ROWS: i64 = 1_000;

/// How often the clock alone gives something to do.
const ROUND_MS: i64 = 6 * 60 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Does one step, and stores what waits of a provider's activity; returns when
/// the next is due.
pub fn step(context: &Context<'_>, activity: &Activity) -> Result<Timestamp, Fault> {
    let done: Result<bool, Failure<Fault>> = context.transaction(|| {
        activity::store(context, activity)?;
        Ok(one(context)?)
    });
    let is_more = done.map_err(|failure| match failure {
        Failure::Refused(fault) | Failure::Fault(fault) => fault,
    })?;
    activity.clear();
    Ok(if is_more { context.now } else { context.now.plus(ROUND_MS) })
}

fn one(context: &Context<'_>) -> Result<bool, Fault> {
    if schemas(context)?
        || sessions::prune(context, ROWS)?
        || departures::prune(context, ROWS)?
        || break_glass::prune(context, ROWS)?
        || sign_in::prune(context, ROWS)?
    {
        return Ok(true);
    }
    let days = settings::read(context)?.audit_days;
    if audit::prune(context, context.now.plus(days.saturating_mul(-DAY_MS)), ROWS)? {
        return Ok(true);
    }
    keys::warn(context)?;
    sso::reseal(context)?;
    Ok(false)
}

fn schemas(context: &Context<'_>) -> Result<bool, Fault> {
    for own in extensions::list(context)? {
        let index = |wanted: &str| own.indexes.iter().find(|(_, state)| state == wanted);
        if let Some((name, _)) = index("emptying") {
            empty(context, own.seq, name)?;
            return Ok(true);
        }
        if let Some((name, _)) = index("filling") {
            fill(context, &own, name)?;
            return Ok(true);
        }
        if own.state == State::Purging {
            purge(context, own.seq)?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn empty(context: &Context<'_>, seq: i64, name: &str) -> Result<(), SqlError> {
    let attribute = lookup::index_name(seq, name);
    let removed = context.sql.all(
        "DELETE FROM lookup WHERE attribute = ? AND (key, seq) IN
         (SELECT key, seq FROM lookup WHERE attribute = ? LIMIT ?) RETURNING seq",
        &[attribute.as_str().into(), attribute.as_str().into(), ROWS.into()],
        |mut row| row.integer(),
    )?;
    if removed.is_empty() {
        context.sql.execute(
            "DELETE FROM extension_index WHERE extension = ? AND name = ?",
            &[seq.into(), name.into()],
        )?;
    }
    Ok(())
}

fn fill(context: &Context<'_>, own: &Extension, name: &str) -> Result<(), Fault> {
    let registered = Registered::of(own);
    let lookup = Lookup::of(&registered, name, false);
    let rows: Vec<(i64, String)> = context.sql.all(
        "SELECT v.seq, v.document FROM extension_index AS i
         CROSS JOIN extension_value AS v ON v.extension = i.extension AND v.seq > i.reached
         WHERE i.extension = ? AND i.name = ? ORDER BY v.seq LIMIT ?",
        &[own.seq.into(), name.into(), ROWS.into()],
        |mut row| Ok((row.integer()?, row.text()?)),
    )?;
    for (seq, document) in &rows {
        let value: Value = serde_json::from_str(document)
            .map_err(|_| Fault::new("a stored value of an extension is not JSON"))?;
        let document = Document::from_iter([(own.urn.clone(), value)]);
        // Which type it is makes no difference to an extension's attributes.
        let kind = Schemas::built_in().resource_type(Kind::User);
        let keys = lookup.keys(kind, &document);
        let entries = keys.into_iter().map(|key| (lookup.name.clone(), key)).collect();
        lookup::change(context, *seq, &lookup::Entries::new(), &entries)?;
    }
    let (statement, reached) = match rows.last() {
        Some((last, _)) => ("UPDATE extension_index SET reached = ?", *last),
        None => ("UPDATE extension_index SET state = 'ready', reached = ?", 0),
    };
    context.sql.execute(
        &format!("{statement} WHERE extension = ? AND name = ?"),
        &[reached.into(), own.seq.into(), name.into()],
    )?;
    Ok(())
}

fn purge(context: &Context<'_>, seq: i64) -> Result<(), SqlError> {
    let removed = context.sql.all(
        "DELETE FROM extension_value WHERE extension = ? AND seq IN
         (SELECT seq FROM extension_value WHERE extension = ? LIMIT ?) RETURNING seq",
        &[seq.into(), seq.into(), ROWS.into()],
        |mut row| row.integer(),
    )?;
    if removed.is_empty() {
        context.sql.execute("DELETE FROM extension WHERE seq = ?", &[seq.into()])?;
    }
    Ok(())
}
