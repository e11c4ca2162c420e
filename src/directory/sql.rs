//! The seam to storage: what a Durable Object's SQLite offers, and no more.
//!
//! Two engines implement [`Sql`]: `edge::sql` over the platform's storage,
//! and a native one over rusqlite that the tests use and that refuses what a
//! Durable Object refuses, by the limits named here. The trait is synchronous
//! on purpose: with no await between the first read and the last write, no
//! other request can come in between.

use super::Failure;
use std::fmt;

/// Bound parameters in one statement; the platform refuses the next. Lists
/// travel as one JSON parameter and `json_each(?)`.
pub const PARAMETERS_MAX: usize = 100;
/// Bytes in one statement's text.
pub const STATEMENT_BYTES_MAX: usize = 100_000;
/// Bytes in a `LIKE` or `GLOB` pattern. We use `instr` and `substr` instead.
pub const PATTERN_BYTES_MAX: usize = 50;
/// Depth of an expression tree.
pub const EXPRESSION_DEPTH_MAX: usize = 100;
/// Terms of a compound `SELECT`.
pub const COMPOUND_SELECT_MAX: usize = 5;
/// Bytes in one string, blob or row.
pub const ROW_BYTES_MAX: usize = 2_000_000;
/// The largest magnitude an integer keeps on its way through JavaScript.
pub const INTEGER_MAX: i64 = 1 << 53;

/// A storage value: the storage classes we use. No boolean, which the
/// platform would store as the text `true`, and no float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// Within ±2^53.
    Integer(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One result row, its columns taken from the left, one by one.
///
/// An engine keeps its rows as it has them, and a column is converted when it is
/// taken, as what it is taken for.
pub struct Row<'a> {
    cells: &'a dyn Cells,
    column: usize,
}

/// The columns of a row, as an engine has them.
pub trait Cells {
    /// A column's integer, or `None` for NULL.
    ///
    /// # Errors
    /// If it is something else, or there is no such column.
    fn integer(&self, column: usize) -> Result<Option<i64>, SqlError>;

    /// A column's text, likewise.
    ///
    /// # Errors
    /// As above.
    fn text(&self, column: usize) -> Result<Option<String>, SqlError>;

    /// A column's bytes, likewise.
    ///
    /// # Errors
    /// As above.
    fn blob(&self, column: usize) -> Result<Option<Vec<u8>>, SqlError>;
}

impl<'a> Row<'a> {
    /// A row of these columns.
    pub fn new(cells: &'a dyn Cells) -> Self {
        Self { cells, column: 0 }
    }

    fn take(&mut self) -> usize {
        let column = self.column;
        self.column = column.saturating_add(1);
        column
    }

    /// The next column as an integer.
    pub fn integer(&mut self) -> Result<i64, SqlError> {
        self.optional_integer()?.ok_or_else(SqlError::null)
    }

    /// The next column as a truth value.
    pub fn boolean(&mut self) -> Result<bool, SqlError> {
        Ok(self.integer()? != 0)
    }

    /// The next column as text.
    pub fn text(&mut self) -> Result<String, SqlError> {
        self.optional_text()?.ok_or_else(SqlError::null)
    }

    /// The next column as bytes.
    pub fn blob(&mut self) -> Result<Vec<u8>, SqlError> {
        let column = self.take();
        self.cells.blob(column)?.ok_or_else(SqlError::null)
    }

    /// The next column as an integer, or `None` for NULL.
    pub fn optional_integer(&mut self) -> Result<Option<i64>, SqlError> {
        let column = self.take();
        self.cells.integer(column)
    }

    /// The next column as text, or `None` for NULL.
    pub fn optional_text(&mut self) -> Result<Option<String>, SqlError> {
        let column = self.take();
        self.cells.text(column)
    }
}

/// A statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    message: String,
}

impl SqlError {
    /// An error with the engine's message. The engines leave bound values
    /// out of it, so that no person's data reaches the log.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// A column holds something else than what was read.
    pub fn column(wanted: &str) -> Self {
        Self::new(format!("a column does not hold {wanted}, which was read"))
    }

    fn null() -> Self {
        Self::new("a column holds NULL where a value was read")
    }

    /// Whether the statement names a table that does not exist.
    pub fn is_missing_table(&self) -> bool {
        self.message.contains("no such table")
    }

    /// Whether a UNIQUE constraint on `column` (as `table.column`) failed.
    pub fn violates_unique(&self, column: &str) -> bool {
        self.message.contains("UNIQUE constraint failed") && self.message.contains(column)
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What becomes of a transaction's writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Keep them.
    Commit,
    /// Undo them.
    Rollback,
}

/// A team's storage.
///
/// Statements are prepared once and kept by their text. But SQLite looks at the value
/// of a parameter while it plans a `LIMIT`, or a join that an equality narrows, and
/// prepares such a statement anew each time: three times the cost of running it. So
/// what a request often runs says `LIMIT (SELECT ?)` and `= (SELECT ?)` there.
pub trait Sql {
    /// Runs one statement and hands each result row to `row` as it is read.
    /// The first `Err` from `row` ends the reading and is returned.
    fn each(
        &self,
        statement: &str,
        parameters: &[Value],
        row: &mut dyn FnMut(Row<'_>) -> Result<(), SqlError>,
    ) -> Result<(), SqlError>;

    /// Runs `body` inside a transaction and does with its writes as it says.
    /// May be nested: an inner rollback keeps the outer writes.
    fn atomically(&self, body: &mut dyn FnMut() -> Outcome) -> Result<(), SqlError>;
}

impl dyn Sql + '_ {
    /// Runs a statement for its effect.
    pub fn execute(&self, statement: &str, parameters: &[Value]) -> Result<(), SqlError> {
        self.each(statement, parameters, &mut |_| Ok(()))
    }

    /// The first row, mapped, if there is one.
    pub fn first<T>(
        &self,
        statement: &str,
        parameters: &[Value],
        mut map: impl FnMut(Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Option<T>, SqlError> {
        let mut found = None;
        self.each(statement, parameters, &mut |row| {
            if found.is_none() {
                found = Some(map(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// All rows, mapped. For results that the statement itself bounds.
    pub fn all<T>(
        &self,
        statement: &str,
        parameters: &[Value],
        mut map: impl FnMut(Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        let mut found = Vec::new();
        self.each(statement, parameters, &mut |row| {
            found.push(map(row)?);
            Ok(())
        })?;
        Ok(found)
    }
}

/// Removes rows of a table whose time is over, `rows` at most: those in which the
/// column `time` holds `upto` or less. `key` is the table's own. Returns whether
/// there may be more.
pub(super) fn prune(
    sql: &dyn Sql,
    table: &str,
    key: &str,
    time: &str,
    upto: i64,
    rows: i64,
) -> Result<bool, SqlError> {
    let removed = sql.all(
        &format!(
            "DELETE FROM {table} WHERE {key} IN
             (SELECT {key} FROM {table} WHERE {time} <= ? LIMIT (SELECT ?)) RETURNING {key}"
        ),
        &[upto.into(), rows.into()],
        |mut row| row.text(),
    )?;
    Ok(i64::try_from(removed.len()).unwrap_or(rows) >= rows)
}

/// Runs `body` as one transaction and returns what it returned: its writes
/// stay if that is `Ok`, and are undone if it is `Err`.
pub fn transaction<T, R>(
    sql: &dyn Sql,
    body: impl FnOnce() -> Result<T, Failure<R>>,
) -> Result<T, Failure<R>> {
    let mut body = Some(body);
    let mut result = None;
    sql.atomically(&mut || {
        let outcome = body.take().map(|run| run());
        let commit = matches!(outcome, Some(Ok(_)));
        result = outcome;
        if commit { Outcome::Commit } else { Outcome::Rollback }
    })?;
    result.unwrap_or_else(|| Err(SqlError::new("the transaction did not run").into()))
}
