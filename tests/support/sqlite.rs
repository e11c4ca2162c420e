//! A native storage that refuses what a Durable Object refuses.
//!
//! The same limits, the same forbidden statements, so that SQL which passes
//! the native tests runs on workerd too. `tests/sqlite_refusals.rs` shows each.

use kafkaman_scim::directory::sql::{
    COMPOUND_SELECT_MAX, Cells, EXPRESSION_DEPTH_MAX, INTEGER_MAX, Outcome, PARAMETERS_MAX,
    PATTERN_BYTES_MAX, ROW_BYTES_MAX, Row, STATEMENT_BYTES_MAX, Sql, SqlError, Value,
};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql};
use std::cell::RefCell;

/// What the platform's authorizer refuses, as first words of a statement.
const REFUSED: [&str; 9] =
    ["PRAGMA", "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "VACUUM"];

/// One object's storage, in memory.
pub struct Sqlite {
    connection: Connection,
    /// What is run, in order, while somebody listens.
    pub heard: RefCell<Option<Vec<Heard>>>,
}

/// A statement that was run, or a transaction that was begun.
#[allow(dead_code, reason = "not every test listens")]
#[derive(Debug)]
pub struct Heard {
    /// Its text.
    pub text: String,
    /// How many parameters it was given.
    pub parameters: usize,
}

impl Sqlite {
    /// An empty storage.
    pub fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        for (limit, value) in [
            (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, PARAMETERS_MAX),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, STATEMENT_BYTES_MAX),
            (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_BYTES_MAX),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, EXPRESSION_DEPTH_MAX),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, COMPOUND_SELECT_MAX),
            (Limit::SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX),
        ] {
            connection.set_limit(limit, i32::try_from(value).unwrap()).unwrap();
        }
        Self { connection, heard: RefCell::default() }
    }

    fn hear(&self, text: &str, parameters: usize) {
        if let Some(heard) = self.heard.borrow_mut().as_mut() {
            heard.push(Heard { text: text.to_owned(), parameters });
        }
    }
}

impl Sql for Sqlite {
    fn each(
        &self,
        statement: &str,
        parameters: &[Value],
        row: &mut dyn FnMut(Row<'_>) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let first = statement.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        if REFUSED.contains(&first.as_str()) {
            return Err(SqlError::new(format!("not authorized: {first}")));
        }
        self.hear(statement, parameters.len());
        let mut prepared = self.connection.prepare_cached(statement).map_err(told)?;
        let columns = prepared.column_count();
        let bound: Vec<_> = parameters.iter().map(bind).collect::<Result<_, _>>()?;
        let mut rows = prepared.query(rusqlite::params_from_iter(bound)).map_err(told)?;
        while let Some(found) = rows.next().map_err(told)? {
            let values: Result<Vec<_>, _> =
                (0..columns).map(|column| value(found.get_ref(column).map_err(told)?)).collect();
            row(Row::new(&Found(values?)))?;
        }
        Ok(())
    }

    fn atomically(&self, body: &mut dyn FnMut() -> Outcome) -> Result<(), SqlError> {
        self.hear("SAVEPOINT", 0);
        self.connection.execute_batch("SAVEPOINT nested").map_err(told)?;
        let end = match body() {
            Outcome::Commit => "RELEASE nested",
            Outcome::Rollback => "ROLLBACK TO nested; RELEASE nested",
        };
        self.connection.execute_batch(end).map_err(told)
    }
}

/// A row's columns.
struct Found(Vec<Value>);

impl Cells for Found {
    fn integer(&self, column: usize) -> Result<Option<i64>, SqlError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Integer(value)) => Ok(Some(*value)),
            _ => Err(SqlError::column("an integer")),
        }
    }

    fn text(&self, column: usize) -> Result<Option<String>, SqlError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(value)) => Ok(Some(value.clone())),
            _ => Err(SqlError::column("text")),
        }
    }

    fn blob(&self, column: usize) -> Result<Option<Vec<u8>>, SqlError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Blob(value)) => Ok(Some(value.clone())),
            _ => Err(SqlError::column("a blob")),
        }
    }
}

fn bind(value: &Value) -> Result<Box<dyn ToSql>, SqlError> {
    Ok(match value {
        Value::Null => Box::new(rusqlite::types::Null),
        Value::Integer(value) if value.saturating_abs() <= INTEGER_MAX => Box::new(*value),
        Value::Integer(_) => return Err(SqlError::new("an integer beyond 2^53 was bound")),
        Value::Text(text) => Box::new(text.clone()),
        Value::Blob(bytes) => Box::new(bytes.clone()),
    })
}

fn value(found: ValueRef<'_>) -> Result<Value, SqlError> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) if value.saturating_abs() <= INTEGER_MAX => Value::Integer(value),
        ValueRef::Integer(_) => return Err(SqlError::new("an integer beyond 2^53 was read")),
        ValueRef::Real(_) => return Err(SqlError::new("a column holds a boolean or a float")),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

fn told(error: rusqlite::Error) -> SqlError {
    SqlError::new(error.to_string())
}
