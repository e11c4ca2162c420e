//! A chunk of an import.

use super::{FORMAT, Foot, Head, TABLES, Table};
use crate::directory::audit::{self, Action, Actor};
use crate::directory::credential::{hex, sha256};
use crate::directory::problem::{Kind, Problem};
use crate::directory::sql::SqlError;
use crate::directory::{Context, Failure, migrate, seats, team};
use serde_json::{Map, Value, json};

/// Bytes of rows that one statement takes.
const STATEMENT_BYTES: usize = 1 << 20;

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last chunk that is here.
    pub reached: i64,
    /// Whether that was the last of all.
    pub is_finished: bool,
}

/// Whether the team waits for the rest of an import.
pub fn is_unfinished(context: &Context<'_>) -> Result<bool, SqlError> {
    Ok(standing(context)?.is_some())
}

/// Takes a chunk in. The first makes a new team forget its first admin. One that
/// is here already changes nothing.
///
/// # Errors
/// `chunk_damaged`; `tables_differ` if the other deployment has another build;
/// `team_in_use` for the first chunk into a team that holds more than its first
/// admin; `chunk_out_of_order` with the one that is wanted; `too_few_seats` for the
/// last chunk of a team with more active members than seats.
pub fn import(
    context: &Context<'_>,
    actor: &Actor,
    chunk: &str,
) -> Result<Progress, Failure<Problem>> {
    let (head, rows, foot) = read(chunk)?;
    let is_last = foot.next.is_none();
    context.transaction(|| {
        let Some(team) = team::read(context)? else { return Err(team::not_found().into()) };
        if head.format != FORMAT || Some(head.tables) != migrate::version(context.sql)? {
            let message = "the export is from another build of kafkaman SCIM; deploy the same \
                           build on both sides";
            return Err(conflict("tables_differ", message));
        }
        let reached = match standing(context)? {
            Some((export, reached)) if export == head.export => reached,
            None if finished(context, &head)? => {
                return Ok(Progress { reached: head.chunk, is_finished: true });
            }
            Some(_) => 0,
            None => {
                must_be_new(context)?;
                0
            }
        };
        if head.chunk <= reached {
            return Ok(Progress { reached, is_finished: false });
        }
        if head.chunk != reached.saturating_add(1) {
            let wanted = reached.saturating_add(1);
            return Err(conflict(
                "chunk_out_of_order",
                &format!("this is chunk {} of {}; send chunk {wanted}", head.chunk, head.export),
            ));
        }
        if head.chunk == 1 {
            empty(context)?;
        }
        store(context, &rows)?;
        if is_last {
            // Of whom there are more than seats nobody is left out: the operator says
            // how many the team may have, then sends this chunk again.
            let active = seats::taken(context)?;
            if active > team.seats {
                let message = format!(
                    "the team has {active} active members and {} seats here; give it more seats, \
                     then send this chunk again",
                    team.seats
                );
                return Err(conflict("too_few_seats", &message));
            }
            context.sql.execute("DELETE FROM import", &[])?;
            let detail = json!({ "export": head.export });
            audit::record(context, actor, Action::TeamImported, &team.id, &detail)?;
        } else {
            context.sql.execute(
                "INSERT OR REPLACE INTO import (one, export, reached) VALUES (1, ?, ?)",
                &[head.export.as_str().into(), head.chunk.into()],
            )?;
        }
        Ok(Progress { reached: head.chunk, is_finished: is_last })
    })
}

fn conflict(code: &'static str, message: &str) -> Failure<Problem> {
    Problem::new(Kind::Conflict, code, message).into()
}

/// The export that is being imported, and its last chunk that is here.
fn standing(context: &Context<'_>) -> Result<Option<(String, i64)>, SqlError> {
    let found = context.sql.first("SELECT export, reached FROM import", &[], |mut row| {
        Ok((row.text()?, row.integer()?))
    });
    match found {
        Err(error) if error.is_missing_table() => Ok(None),
        found => found,
    }
}

/// Whether the newest thing that happened is that this export was imported.
fn finished(context: &Context<'_>, head: &Head) -> Result<bool, SqlError> {
    let newest = "SELECT action, detail FROM audit ORDER BY seq DESC LIMIT 1";
    let newest = context.sql.first(newest, &[], |mut row| Ok((row.text()?, row.text()?)))?;
    let detail = json!({ "export": head.export }).to_string();
    Ok(newest.is_some_and(|newest| newest == (Action::TeamImported.name().to_owned(), detail)))
}

fn must_be_new(context: &Context<'_>) -> Result<(), Failure<Problem>> {
    let held = context.sql.first(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM resource LIMIT 2))
         + (SELECT count(*) FROM (SELECT 1 FROM credential WHERE kind <> 'admin' LIMIT 1))
         + (SELECT count(*) FROM sso_method) + (SELECT count(*) FROM extension)",
        &[],
        |mut row| row.integer(),
    )?;
    if held.unwrap_or(0) <= 1 {
        return Ok(());
    }
    let message = "the team holds more than its first admin; import into a new team";
    Err(conflict("team_in_use", message))
}

/// Forgets a new team's first admin, or what an import before began.
fn empty(context: &Context<'_>) -> Result<(), SqlError> {
    for table in TABLES.iter().filter(|table| table.name != "team") {
        context.sql.execute(&format!("DELETE FROM {}", table.name), &[])?;
    }
    for table in ["credential", "session", "break_glass"] {
        context.sql.execute(&format!("DELETE FROM {table}"), &[])?;
    }
    Ok(())
}

/// Puts rows into their tables.
fn store(context: &Context<'_>, rows: &[(&Table, String)]) -> Result<(), SqlError> {
    let mut rows = rows.iter().peekable();
    while let Some((table, first)) = rows.next() {
        let mut text = format!("[{first}");
        while text.len() < STATEMENT_BYTES {
            let Some((_, row)) = rows.next_if(|(own, _)| own.name == table.name) else { break };
            text.push(',');
            text.push_str(row);
        }
        text.push(']');
        let values = |of: &str| {
            let value = |column: &str| format!("json_extract(value, '$.{column}')");
            of.split(", ").map(value).collect::<Vec<_>>().join(", ")
        };
        let Table { name, columns, .. } = table;
        let statement = match *name {
            // Its row is there, and says what the new deployment's operator said.
            "team" => format!(
                "UPDATE team SET ({columns}) = (SELECT {} FROM json_each(?))",
                values(columns)
            ),
            _ => format!(
                "INSERT INTO {name} ({columns}) SELECT {} FROM json_each(?)",
                values(columns)
            ),
        };
        context.sql.execute(&statement, &[text.as_str().into()])?;
    }
    Ok(())
}

/// The parts of a chunk: every row with its table, as JSON.
type Parts = (Head, Vec<(&'static Table, String)>, Foot);

fn read(chunk: &str) -> Result<Parts, Problem> {
    let damaged = |what: &str| {
        let message = format!("the chunk is not as it was exported: {what}");
        Problem::new(Kind::Invalid, "chunk_damaged", message)
    };
    let body = chunk.strip_suffix('\n').unwrap_or(chunk);
    let (_, last) = body.rsplit_once('\n').ok_or_else(|| damaged("it has not two lines"))?;
    let before = body.strip_suffix(last).unwrap_or_default();
    let foot: Foot =
        serde_json::from_str(last).map_err(|_| damaged("its last line is no end of a chunk"))?;
    if foot.sha256 != hex(&sha256(before.as_bytes())) {
        return Err(damaged("its lines do not have the SHA-256 that the last one names"));
    }
    let mut lines = before.lines();
    let head = lines.next().and_then(|line| serde_json::from_str(line).ok());
    let head = head.ok_or_else(|| damaged("its first line is no beginning of a chunk"))?;
    let rows = lines.enumerate().map(|(at, line)| {
        row(line).ok_or_else(|| damaged(&format!("line {} is no row", at.saturating_add(2))))
    });
    Ok((head, rows.collect::<Result<_, _>>()?, foot))
}

fn row(line: &str) -> Option<(&'static Table, String)> {
    let mut line: Map<String, Value> = serde_json::from_str(line).ok()?;
    let name = line.remove("table")?;
    let table = TABLES.iter().find(|table| name == table.name)?;
    let Value::Object(row) = line.remove("row")? else { return None };
    let columns = table.columns.split(", ");
    let is_whole = line.is_empty()
        && row.len() == columns.clone().count()
        && columns.clone().all(|column| row.contains_key(column));
    is_whole.then(|| (table, Value::Object(row).to_string()))
}
