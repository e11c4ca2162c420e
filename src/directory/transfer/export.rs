//! A chunk of an export.

use super::{FORMAT, Foot, Head, TABLES, Table};
use crate::directory::audit::{self, Action, Actor};
use crate::directory::credential::{hex, sha256};
use crate::directory::problem::{Kind, Problem};
use crate::directory::sql::SqlError;
use crate::directory::{Context, Failure, Fault, migrate, team};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Bytes after which a chunk takes no further row. Its import takes 8 MiB, and
/// the largest row is far from the rest.
const CHUNK_BYTES: usize = 1 << 20;
/// Rows that are read at a time.
const ROWS: i64 = 50;

/// Where a chunk begins.
#[derive(Debug, Deserialize, Serialize)]
struct Place {
    /// Which chunk.
    chunk: i64,
    /// The audit's newest record when the export began.
    audit: i64,
    /// How many tables are done.
    done: usize,
    /// The key of the last row of the table after them; empty for none.
    last: String,
}

/// A chunk of an export of this team: the first, or the one that an earlier
/// chunk named as `next`.
///
/// # Errors
/// `invalid` for another `after`, `team_changed` if the team changed since the
/// export began.
pub fn export(
    context: &Context<'_>,
    actor: &Actor,
    after: Option<&str>,
) -> Result<String, Failure<Problem>> {
    context.transaction(|| {
        let Some(team) = team::read(context)? else { return Err(team::not_found().into()) };
        let mut place = match after {
            Some(after) => read(after)
                .ok_or_else(|| Problem::invalid("`after` must be the `next` of a chunk before"))?,
            None => {
                audit::record(context, actor, Action::TeamExported, &team.id, &json!({}))?;
                Place { chunk: 1, audit: newest(context)?, done: 0, last: String::new() }
            }
        };
        if newest(context)? != place.audit {
            let message = "the team changed since its export began; suspend it, so that only its \
                           provider can change it, and begin again";
            return Err(Problem::new(Kind::Conflict, "team_changed", message).into());
        }
        let head = Head {
            format: FORMAT,
            tables: migrate::version(context.sql)?.unwrap_or(0),
            export: format!("{}@{}", team.id, place.audit),
            chunk: place.chunk,
        };
        let mut text = line(&head)?;
        let is_full = fill(context, &mut text, &mut place)?;
        place.chunk = place.chunk.saturating_add(1);
        let next = if is_full { Some(written(&place)?) } else { None };
        let foot = Foot { sha256: hex(&sha256(text.as_bytes())), next };
        text.push_str(&line(&foot)?);
        Ok(text)
    })
}

/// Adds rows until the chunk is full or there are none; returns whether it is
/// full, and leaves in `place` where the next goes on.
fn fill(context: &Context<'_>, text: &mut String, place: &mut Place) -> Result<bool, SqlError> {
    while let Some(table) = TABLES.get(place.done) {
        let rows = rows(context, table, &place.last)?;
        if rows.is_empty() {
            place.done = place.done.saturating_add(1);
            place.last.clear();
        }
        for (key, row) in rows {
            if text.len() >= CHUNK_BYTES {
                return Ok(true);
            }
            text.push_str(&row);
            text.push('\n');
            place.last = key;
        }
    }
    Ok(false)
}

/// Some rows after the one of this key: each with its key, as JSON.
fn rows(
    context: &Context<'_>,
    table: &Table,
    last: &str,
) -> Result<Vec<(String, String)>, SqlError> {
    let Table { name, columns, key } = table;
    let fields: Vec<String> = columns.split(", ").map(|own| format!("'{own}', {own}")).collect();
    let fields = fields.join(", ");
    let places = 0..key.split(", ").count();
    let values: Vec<String> = places.map(|at| format!("json_extract(?1, '$[{at}]')")).collect();
    let values = values.join(", ");
    let after = if last.is_empty() { "?1 = ''" } else { &format!("({key}) > ({values})") };
    let statement = format!(
        "SELECT json_array({key}), json_object('table', '{name}', 'row', json_object({fields}))
         FROM {name} WHERE {after} ORDER BY {key} LIMIT ?2"
    );
    context
        .sql
        .all(&statement, &[last.into(), ROWS.into()], |mut row| Ok((row.text()?, row.text()?)))
}

fn newest(context: &Context<'_>) -> Result<i64, SqlError> {
    let newest = "SELECT seq FROM audit ORDER BY seq DESC LIMIT 1";
    Ok(context.sql.first(newest, &[], |mut row| row.integer())?.unwrap_or(0))
}

fn line(value: &impl Serialize) -> Result<String, Fault> {
    let mut text = serde_json::to_string(value).map_err(|error| Fault::new(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

fn written(place: &Place) -> Result<String, Fault> {
    let text = serde_json::to_vec(place).map_err(|error| Fault::new(error.to_string()))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(text))
}

fn read(after: &str) -> Option<Place> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(after).ok()?).ok()
}
