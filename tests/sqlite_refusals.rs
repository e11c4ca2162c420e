//! The native storage refuses what a Durable Object refuses, and takes what
//! it takes, so that SQL which passes natively runs on workerd too.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
#![allow(unreachable_pub, reason = "the storage is shared by several test files")]

#[path = "support/sqlite.rs"]
mod sqlite;

use kafkaman_scim::directory::sql::{
    COMPOUND_SELECT_MAX, EXPRESSION_DEPTH_MAX, INTEGER_MAX, Outcome, PARAMETERS_MAX,
    PATTERN_BYTES_MAX, ROW_BYTES_MAX, STATEMENT_BYTES_MAX, Sql, SqlError, Value,
};
use sqlite::Sqlite;

fn storage() -> Sqlite {
    let storage = Sqlite::new();
    run(&storage, "CREATE TABLE one (id INTEGER PRIMARY KEY, text TEXT) STRICT", &[]).unwrap();
    let sql = "CREATE TABLE two (one INTEGER NOT NULL REFERENCES one (id)) STRICT";
    run(&storage, sql, &[]).unwrap();
    storage
}

fn run(sql: &dyn Sql, statement: &str, parameters: &[Value]) -> Result<(), SqlError> {
    sql.execute(statement, parameters)
}

#[track_caller]
fn takes(statement: &str, parameters: &[Value]) {
    let told = run(&storage(), statement, parameters);
    assert_eq!(told, Ok(()), "{}", statement.get(..80).unwrap_or(statement));
}

#[track_caller]
fn refuses(statement: &str, parameters: &[Value], because: &str) {
    let told = run(&storage(), statement, parameters).map_err(|error| error.to_string());
    let start = statement.get(..80).unwrap_or(statement);
    match told {
        Ok(()) => panic!("taken: {start}"),
        Err(told) => assert!(told.contains(because), "{start}: {told}"),
    }
}

#[test]
fn transactions_and_pragmas_are_not_statements() {
    for statement in [
        "BEGIN",
        "begin immediate",
        "COMMIT",
        "END",
        "ROLLBACK",
        "SAVEPOINT a",
        "RELEASE a",
        "ATTACH ':memory:' AS other",
        "VACUUM",
        "PRAGMA user_version",
        "PRAGMA user_version = 1",
        "  \n pragma foreign_keys = OFF",
    ] {
        refuses(statement, &[], "not authorized");
    }
}

#[test]
fn one_call_is_one_statement() {
    takes("SELECT 1;", &[]);
    refuses("SELECT 1; SELECT 2", &[], "Multiple statements");
}

#[test]
fn parameters_end_at_the_limit() {
    let statement = |count: usize| format!("SELECT {}", vec!["?"; count].join(", "));
    takes(&statement(PARAMETERS_MAX), &vec![Value::Integer(1); PARAMETERS_MAX]);
    let beyond = PARAMETERS_MAX + 1;
    refuses(&statement(beyond), &vec![Value::Integer(1); beyond], "too many SQL variables");
}

#[test]
fn parameters_are_as_many_as_the_statement_has() {
    refuses("SELECT ?, ?", &[Value::Integer(1)], "Wrong number of parameters");
    refuses("SELECT ?", &[Value::Integer(1), Value::Integer(2)], "Wrong number of parameters");
}

#[test]
fn statements_end_at_the_limit() {
    let statement = |bytes: usize| format!("SELECT '{}'", "a".repeat(bytes - "SELECT ''".len()));
    takes(&statement(STATEMENT_BYTES_MAX), &[]);
    refuses(&statement(STATEMENT_BYTES_MAX + 1), &[], "statement too long");
}

#[test]
fn patterns_end_at_the_limit_in_bytes() {
    for operator in ["LIKE", "GLOB"] {
        let statement = format!("SELECT 'a' {operator} ?");
        takes(&statement, &["a".repeat(PATTERN_BYTES_MAX).into()]);
        refuses(&statement, &["a".repeat(PATTERN_BYTES_MAX + 1).into()], "pattern too complex");
        refuses(&statement, &["é".repeat(PATTERN_BYTES_MAX / 2 + 1).into()], "pattern too complex");
    }
    takes("SELECT instr('a', ?)", &["a".repeat(1_000).into()]);
}

#[test]
fn expressions_end_at_the_limit() {
    // A chain of n terms is n deep.
    let statement = |terms: usize| format!("SELECT 1 WHERE {}", vec!["1"; terms].join(" AND "));
    takes(&statement(EXPRESSION_DEPTH_MAX - 1), &[]);
    refuses(&statement(EXPRESSION_DEPTH_MAX + 1), &[], "Expression tree is too large");
}

#[test]
fn compound_selects_end_at_the_limit() {
    let statement = |terms: usize| vec!["SELECT 1"; terms].join(" UNION ALL ");
    takes(&statement(COMPOUND_SELECT_MAX), &[]);
    refuses(&statement(COMPOUND_SELECT_MAX + 1), &[], "too many terms in compound SELECT");
}

#[test]
fn rows_end_at_the_limit() {
    let statement = "INSERT INTO one (text) VALUES (?)";
    takes(statement, &["a".repeat(ROW_BYTES_MAX - 100).into()]);
    refuses(statement, &["a".repeat(ROW_BYTES_MAX + 1).into()], "too big");
}

#[test]
fn integers_end_where_javascript_s_do() {
    takes("SELECT ?", &[INTEGER_MAX.into()]);
    takes("SELECT ?", &[(-INTEGER_MAX).into()]);
    refuses("SELECT ?", &[(INTEGER_MAX + 1).into()], "beyond 2^53 was bound");
    refuses("SELECT 9007199254740993", &[], "beyond 2^53 was read");
}

#[test]
fn floats_are_not_read() {
    refuses("SELECT 0.5", &[], "a boolean or a float");
}

#[test]
fn strict_tables_and_foreign_keys_hold() {
    refuses("INSERT INTO one (id) VALUES ('a')", &[], "datatype mismatch");
    refuses("INSERT INTO one (text) VALUES (x'00')", &[], "cannot store BLOB value in TEXT column");
    refuses("INSERT INTO two (one) VALUES (7)", &[], "FOREIGN KEY constraint failed");
}

#[test]
fn errors_are_told_apart() {
    let storage = storage();
    let missing = run(&storage, "SELECT * FROM three", &[]).unwrap_err();
    assert!(missing.is_missing_table());
    run(&storage, "CREATE UNIQUE INDEX by_text ON one (text)", &[]).unwrap();
    let insert = "INSERT INTO one (text) VALUES (?)";
    run(&storage, insert, &["secret".into()]).unwrap();
    let taken = run(&storage, insert, &["secret".into()]).unwrap_err();
    assert!(taken.violates_unique("one.text"));
    assert!(!taken.violates_unique("one.id"));
    assert!(!taken.to_string().contains("secret"), "a bound value is told: {taken}");
}

#[test]
fn nested_transactions_undo_their_own_writes() {
    let storage = storage();
    let insert = |text: &str| {
        run(&storage, "INSERT INTO one (text) VALUES (?)", &[text.into()]).unwrap();
    };
    let texts = || -> Vec<String> {
        let sql: &dyn Sql = &storage;
        sql.all("SELECT text FROM one ORDER BY id", &[], |mut row| row.text()).unwrap()
    };
    storage
        .atomically(&mut || {
            insert("outer");
            let inner = storage.atomically(&mut || {
                insert("inner");
                Outcome::Rollback
            });
            inner.unwrap();
            Outcome::Commit
        })
        .unwrap();
    assert_eq!(texts(), ["outer"]);
    storage
        .atomically(&mut || {
            storage
                .atomically(&mut || {
                    insert("kept by the inner");
                    Outcome::Commit
                })
                .unwrap();
            Outcome::Rollback
        })
        .unwrap();
    assert_eq!(texts(), ["outer"]);
}

#[test]
fn an_error_of_the_reader_ends_the_reading() {
    let storage = storage();
    let mut read = 0;
    let told = storage.each("SELECT value FROM json_each('[1, 2, 3]')", &[], &mut |_| {
        read += 1;
        Err(SqlError::new("enough"))
    });
    assert_eq!(told, Err(SqlError::new("enough")));
    assert_eq!(read, 1);
}
