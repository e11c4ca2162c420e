//! Tables, made and changed by append-only migrations.
//!
//! The platform refuses `PRAGMA user_version`, so the version stands in a
//! table of one row. A migration that was ever deployed never changes; during
//! a deploy old and new code run side by side, so each must leave tables that
//! the code before it can still use.

use super::sql::{Sql, SqlError};

/// The migrations of a Team object, from version 1 on.
pub const TEAM: &[&str] = &[
    include_str!("../../migrations/team/0001-team.sql"),
    include_str!("../../migrations/team/0002-directory.sql"),
    include_str!("../../migrations/team/0003-schemas.sql"),
    include_str!("../../migrations/team/0004-people.sql"),
    include_str!("../../migrations/team/0005-departures.sql"),
    include_str!("../../migrations/team/0006-activity.sql"),
    include_str!("../../migrations/team/0007-break-glass.sql"),
    include_str!("../../migrations/team/0008-import.sql"),
    include_str!("../../migrations/team/0009-sign-in.sql"),
    include_str!("../../migrations/team/0010-rate.sql"),
    include_str!("../../migrations/team/0011-departed-suspended.sql"),
    include_str!("../../migrations/team/0012-session-proven.sql"),
    include_str!("../../migrations/team/0013-joined.sql"),
    include_str!("../../migrations/team/0014-gone-lately.sql"),
    include_str!("../../migrations/team/0015-provider-failure.sql"),
    include_str!("../../migrations/team/0016-milestones.sql"),
];

/// The migrations of the Registry object, from version 1 on.
pub const REGISTRY: &[&str] = &[
    include_str!("../../migrations/registry/0001-registry.sql"),
    include_str!("../../migrations/registry/0002-origin.sql"),
    include_str!("../../migrations/registry/0003-rate.sql"),
];

/// How many migrations a storage has seen. `None` if it has no tables at all:
/// it was addressed, but never made into anything.
pub fn version(sql: &dyn Sql) -> Result<Option<i64>, SqlError> {
    let found = sql.first("SELECT version FROM migration", &[], |mut row| row.integer());
    match found {
        Err(error) if error.is_missing_table() => Ok(None),
        found => found,
    }
}

/// Brings a storage up to date. To be run in a transaction.
pub fn apply(sql: &dyn Sql, migrations: &[&str]) -> Result<(), SqlError> {
    let done = match version(sql)? {
        Some(version) => version,
        None => {
            sql.execute("CREATE TABLE migration (version INTEGER NOT NULL) STRICT", &[])?;
            sql.execute("INSERT INTO migration (version) VALUES (0)", &[])?;
            0
        }
    };
    let latest = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if done >= latest {
        return Ok(());
    }
    for migration in migrations.iter().skip(usize::try_from(done).unwrap_or(0)) {
        for statement in statements(migration) {
            sql.execute(&statement, &[])?;
        }
    }
    sql.execute("UPDATE migration SET version = ?", &[latest.into()])
}

/// The statements of a migration. Ours hold no semicolon but at their ends, and those
/// of a trigger at the ends of what it does, which are indented.
fn statements(migration: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.is_empty() && !line.trim_start().starts_with("--");
    let mut statements = vec![String::new()];
    for line in migration.lines().filter(is_code) {
        let Some(statement) = statements.last_mut() else { continue };
        statement.push_str(line);
        statement.push('\n');
        let is_within = statement.starts_with("CREATE TRIGGER") && line.starts_with(' ');
        if line.ends_with(';') && !is_within {
            statements.push(String::new());
        }
    }
    statements.retain(|one| !one.is_empty());
    statements
}
