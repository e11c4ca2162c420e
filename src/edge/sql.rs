//! [`Sql`] over a Durable Object's storage: `exec`, `raw()` and
//! `transactionSync`, and nothing else of the platform's SQL API.
//!
//! `raw()` because the cursor's other readers never answer when a later row
//! fails; `transactionSync` because an error in a handler undoes nothing by
//! itself. The runtime's crate does not bind the latter, hence the one extern
//! block here.

use crate::directory::sql::{INTEGER_MAX, Outcome, Row, Sql, SqlError, Value};
use std::cell::Cell;
use wasm_bindgen::prelude::*;
use worker::{SqlStorage, SqlStorageValue, Storage};

#[wasm_bindgen]
extern "C" {
    type SyncStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &SyncStorage,
        body: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// The storage of the object that answers a request, with a count of the rows
/// that the request has cost.
pub(super) struct Engine {
    sql: SqlStorage,
    storage: Storage,
    rows_read: Cell<usize>,
    rows_written: Cell<usize>,
}

impl Engine {
    /// The engine over an object's storage, its counts at zero.
    pub(super) fn new(storage: Storage) -> Self {
        Self { sql: storage.sql(), storage, rows_read: Cell::new(0), rows_written: Cell::new(0) }
    }

    /// Rows read and written so far.
    pub(super) fn rows(&self) -> (usize, usize) {
        (self.rows_read.get(), self.rows_written.get())
    }
}

impl Sql for Engine {
    fn each(
        &self,
        statement: &str,
        parameters: &[Value],
        row: &mut dyn FnMut(Row) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let bindings = parameters.iter().map(bound).collect::<Result<Vec<_>, _>>()?;
        let cursor = self.sql.exec(statement, Some(bindings)).map_err(told)?;
        let mut result = Ok(());
        for columns in cursor.raw() {
            result = columns.map_err(told).and_then(|columns| {
                let columns = columns.into_iter().map(value).collect::<Result<Vec<_>, _>>()?;
                row(Row::new(columns))
            });
            if result.is_err() {
                break;
            }
        }
        self.rows_read.set(self.rows_read.get().saturating_add(cursor.rows_read()));
        self.rows_written.set(self.rows_written.get().saturating_add(cursor.rows_written()));
        result
    }

    fn atomically(&self, body: &mut dyn FnMut() -> Outcome) -> Result<(), SqlError> {
        let storage = self.storage.as_raw().unchecked_ref::<SyncStorage>();
        let mut outcome = None;
        // A rollback is asked for by throwing; a returned error would commit.
        let done = storage.transaction_sync(&mut || match outcome.insert(body()) {
            Outcome::Commit => Ok(JsValue::UNDEFINED),
            Outcome::Rollback => Err(JsValue::NULL),
        });
        match (done, outcome) {
            (Ok(_), _) | (Err(_), Some(Outcome::Rollback)) => Ok(()),
            (Err(error), _) => Err(told(error.into())),
        }
    }
}

fn bound(value: &Value) -> Result<SqlStorageValue, SqlError> {
    Ok(match value {
        Value::Null => SqlStorageValue::Null,
        Value::Integer(value) if value.saturating_abs() <= INTEGER_MAX => {
            SqlStorageValue::Integer(*value)
        }
        Value::Integer(_) => return Err(SqlError::new("an integer beyond 2^53 was bound")),
        Value::Text(text) => SqlStorageValue::String(text.clone()),
        Value::Blob(bytes) => SqlStorageValue::Blob(bytes.clone()),
    })
}

fn value(value: SqlStorageValue) -> Result<Value, SqlError> {
    Ok(match value {
        SqlStorageValue::Null => Value::Null,
        SqlStorageValue::Integer(value) => Value::Integer(value),
        SqlStorageValue::String(text) => Value::Text(text),
        SqlStorageValue::Blob(bytes) => Value::Blob(bytes),
        SqlStorageValue::Boolean(_) | SqlStorageValue::Float(_) => {
            return Err(SqlError::new("a column holds a boolean or a float"));
        }
    })
}

/// The platform's message; SQLite's name tables and columns, never values.
fn told(error: worker::Error) -> SqlError {
    SqlError::new(error.to_string())
}
