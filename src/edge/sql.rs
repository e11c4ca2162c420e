//! [`Sql`] over a Durable Object's storage: `exec`, `raw()` and
//! `transactionSync`, and nothing else of the platform's SQL API.
//!
//! `raw()` because the cursor's other readers never answer when a later row
//! fails; `transactionSync` because an error in a handler undoes nothing by
//! itself. Neither goes through the runtime's crate: it does not bind the latter,
//! and takes a call out of the wasm for every part of every cell of the former.

use super::glue::{self, Portion};
use crate::directory::sql::{Cells, INTEGER_MAX, Outcome, Row, Sql, SqlError, Value};
use std::cell::Cell;
use wasm_bindgen::prelude::*;
use worker::js_sys::{Array, Uint8Array};
use worker::{SqlStorage, Storage};

#[wasm_bindgen]
extern "C" {
    type SyncStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &SyncStorage,
        body: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// Where a portion has how many columns a row has, what its rows cost, what it left,
/// and where its cells begin.
const WIDTH: usize = 0;
const ROWS_READ: usize = 1;
const ROWS_WRITTEN: usize = 2;
const LEFT: usize = 3;
const CELLS: usize = 4;

/// An object's storage.
pub(super) struct Database {
    sql: SqlStorage,
    storage: Storage,
}

impl Database {
    /// The storage of an object.
    pub(super) fn new(storage: Storage) -> Self {
        Self { sql: storage.sql(), storage }
    }
}

/// The storage of the object that answers a request, with a count of the rows
/// that the request has cost.
pub(super) struct Engine<'a> {
    database: &'a Database,
    rows_read: Cell<usize>,
    rows_written: Cell<usize>,
}

impl<'a> Engine<'a> {
    /// The engine over an object's storage, its counts at zero.
    pub(super) fn new(database: &'a Database) -> Self {
        Self { database, rows_read: Cell::new(0), rows_written: Cell::new(0) }
    }

    /// Rows read and written so far.
    pub(super) fn rows(&self) -> (usize, usize) {
        (self.rows_read.get(), self.rows_written.get())
    }
}

impl Sql for Engine<'_> {
    fn each(
        &self,
        statement: &str,
        parameters: &[Value],
        row: &mut dyn FnMut(Row<'_>) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let bindings = Array::new();
        for parameter in parameters {
            bindings.push(&bound(parameter)?);
        }
        let mut portion =
            glue::exec(self.database.sql.as_ref(), statement, &bindings).map_err(told)?;
        loop {
            let width = whole(&portion, WIDTH);
            let rows = glue::rows(&portion);
            let mut result = Ok(());
            for number in 0..rows {
                let first = number.saturating_mul(width).saturating_add(CELLS);
                result = row(Row::new(&Found { portion: &portion, first, width }));
                if result.is_err() {
                    break;
                }
            }
            let left = portion.at(LEFT);
            if result.is_err() || left.is_undefined() {
                // A cursor counts from its beginning on, so its last count is the sum.
                count(&self.rows_read, whole(&portion, ROWS_READ));
                count(&self.rows_written, whole(&portion, ROWS_WRITTEN));
                return result;
            }
            portion = glue::more(&left).map_err(told)?;
        }
    }

    fn atomically(&self, body: &mut dyn FnMut() -> Outcome) -> Result<(), SqlError> {
        let storage = self.database.storage.as_raw().unchecked_ref::<SyncStorage>();
        let mut outcome = None;
        // A rollback is asked for by throwing; a returned error would commit.
        let done = storage.transaction_sync(&mut || match outcome.insert(body()) {
            Outcome::Commit => Ok(JsValue::UNDEFINED),
            Outcome::Rollback => Err(JsValue::NULL),
        });
        match (done, outcome) {
            (Ok(_), _) | (Err(_), Some(Outcome::Rollback)) => Ok(()),
            (Err(error), _) => Err(told(error)),
        }
    }
}

fn count(counter: &Cell<usize>, rows: usize) {
    counter.set(counter.get().saturating_add(rows));
}

/// A number of ours in a portion: never negative, never a fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
fn whole(portion: &Portion, index: usize) -> usize {
    glue::number(portion, index) as usize
}

/// A row of a portion.
struct Found<'a> {
    portion: &'a Portion,
    first: usize,
    width: usize,
}

impl Found<'_> {
    fn index(&self, column: usize) -> Result<usize, SqlError> {
        match column < self.width {
            true => Ok(self.first.saturating_add(column)),
            false => Err(SqlError::column("any more columns")),
        }
    }
}

impl Cells for Found<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>, SqlError> {
        let number = glue::number(self.portion, self.index(column)?);
        if number.is_nan() {
            return Ok(None);
        }
        #[expect(clippy::cast_precision_loss, reason = "2^53 is a number that f64 has")]
        let is_integer = number.fract() == 0.0 && number.abs() <= INTEGER_MAX as f64;
        match is_integer {
            #[expect(clippy::cast_possible_truncation, reason = "within ±2^53 and whole")]
            true => Ok(Some(number as i64)),
            false => Err(SqlError::column("an integer")),
        }
    }

    fn text(&self, column: usize) -> Result<Option<String>, SqlError> {
        let index = self.index(column)?;
        glue::text(self.portion, index).map_err(|_| SqlError::column("text"))
    }

    fn blob(&self, column: usize) -> Result<Option<Vec<u8>>, SqlError> {
        let index = self.index(column)?;
        glue::bytes(self.portion, index).map_err(|_| SqlError::column("a blob"))
    }
}

fn bound(value: &Value) -> Result<JsValue, SqlError> {
    Ok(match value {
        Value::Null => JsValue::NULL,
        #[expect(clippy::cast_precision_loss, reason = "within ±2^53")]
        Value::Integer(value) if value.saturating_abs() <= INTEGER_MAX => (*value as f64).into(),
        Value::Integer(_) => return Err(SqlError::new("an integer beyond 2^53 was bound")),
        Value::Text(text) => text.as_str().into(),
        Value::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
    })
}

/// The platform's message; SQLite's name tables and columns, never values.
fn told(error: JsValue) -> SqlError {
    SqlError::new(worker::Error::from(error).to_string())
}
