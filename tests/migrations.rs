//! Storage that an earlier build wrote opens and works with this one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[allow(unreachable_pub, reason = "other tests share it")]
#[path = "support/sqlite.rs"]
mod sqlite;

use kafkaman_scim::directory::members::{self, Query, Role};
use kafkaman_scim::directory::schemas::Schemas;
use kafkaman_scim::directory::settings::{self, Settings};
use kafkaman_scim::directory::{
    Context, Deployment, Fault, Origin, Sql, audit, migrate, seats, team,
};
use kafkaman_scim::entry::object::{self, Memory};
use kafkaman_scim::scim::Timestamp;
use sqlite::Sqlite;

/// What the build before wrote: a team with an admin, someone a provider added,
/// someone suspended, a group, and a record.
const BEFORE: &str = "
    INSERT INTO team (one, id, name, state, seats, scim_enabled, created)
        VALUES (1, 'acme', 'Acme', 'live', 5, 1, 1000);
    INSERT INTO resource (type, id, key, active, version, created, modified, source, role, display, document)
        VALUES ('User', '0193-a', 'ada@example.com', 1, 3, 1000, 2000, 'team', 'admin', 'Ada',
                '{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"Ada@example.com\",\"active\":true}'),
               ('User', '0193-b', 'bob', 1, 1, 1000, 1000, 'scim', NULL, 'bob',
                '{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"bob\",\"active\":true}'),
               ('User', '0193-c', 'cleo', 0, 1, 1000, 1000, 'scim', NULL, 'cleo',
                '{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"cleo\",\"active\":false}'),
               ('Group', '0193-g', 'crew', 1, 1, 1000, 1000, 'scim', NULL, 'Crew',
                '{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],\"displayName\":\"Crew\"}');
    INSERT INTO membership (group_seq, member_seq) VALUES (4, 2);
    UPDATE tally SET total = 3 WHERE type = 'User';
    UPDATE tally SET total = 1 WHERE type = 'Group';
    INSERT INTO audit (at, actor, action, subject, detail) VALUES (1000, 'operator:ops', 'team.created', 'acme', '{}')";

fn with<T>(sql: &Sqlite, run: impl FnOnce(&Context<'_>) -> T) -> T {
    let secrets = "1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
    let deployment = Deployment::read("http://localhost:8787", secrets, &"o".repeat(40)).unwrap();
    let random = |_: &mut [u8]| -> Result<(), Fault> { Ok(()) };
    let now = Timestamp(1_795_467_917_000);
    let (schemas, origin) = (Schemas::built_in(), Origin::none());
    run(&Context { sql, now, random: &random, deployment: &deployment, schemas, origin })
}

#[test]
fn an_alarm_may_be_the_first_thing_that_a_new_build_hears() {
    let storage = Sqlite::new();
    let sql: &dyn Sql = &storage;
    migrate::apply(sql, &migrate::TEAM[..2]).unwrap();
    for statement in BEFORE.split(";\n") {
        sql.execute(statement, &[]).unwrap();
    }
    with(&storage, |context| {
        assert!(object::upkeep(context, &Memory::default()).unwrap() >= Some(context.now))
    });
    let latest = i64::try_from(migrate::TEAM.len()).unwrap();
    assert_eq!(migrate::version(sql).unwrap(), Some(latest));
}

#[test]
fn a_team_of_any_build_before_opens() {
    // The first two made the tables that BEFORE fills.
    for version in 2..=migrate::TEAM.len() {
        let storage = Sqlite::new();
        let sql: &dyn Sql = &storage;
        migrate::apply(sql, &migrate::TEAM[..2]).unwrap();
        for statement in BEFORE.split(";\n") {
            sql.execute(statement, &[]).unwrap();
        }
        migrate::apply(sql, &migrate::TEAM[..version]).unwrap();
        with(&storage, |context| {
            object::open(context).unwrap();
            let latest = i64::try_from(migrate::TEAM.len()).unwrap();
            assert_eq!(migrate::version(sql).unwrap(), Some(latest), "from {version}");
            let acme = team::read(context).unwrap().unwrap();
            assert_eq!((acme.seats, acme.scim_enabled), (5, true));
            assert_eq!(seats::taken(context).unwrap(), 2);
            assert_eq!(settings::read(context).unwrap(), Settings::default());
            let query = |search| Query { active: true, search, after: "", count: 10 };
            let found = members::list(context, &query("")).unwrap();
            assert_eq!(
                found.iter().map(|own| own.role).collect::<Vec<_>>(),
                [Role::Admin, Role::Developer]
            );
            assert_eq!(members::list(context, &query("ADA")).unwrap().len(), 1);
            let records =
                audit::page(context, &audit::Query { count: 10, ..Default::default() }).unwrap();
            assert_eq!((records.len(), records[0].client.as_str()), (1, ""));
            object::open(context).unwrap();
            object::upkeep(context, &Memory::default()).unwrap();
        });
    }
}

#[test]
fn milestones_are_counted_when_they_come() {
    const BEFORE_MILESTONES: usize = 15;
    let storage = Sqlite::new();
    let sql: &dyn Sql = &storage;
    migrate::apply(sql, &migrate::TEAM[..BEFORE_MILESTONES]).unwrap();
    sql.execute(
        "WITH RECURSIVE counted (n) AS
             (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 2500)
         INSERT INTO resource (type, id, key, active, version, created, modified, source,
             display, document)
         SELECT 'User', printf('%05d', n), n, 1, 1, 0, 0, 'scim', '', '{}' FROM counted",
        &[],
    )
    .unwrap();
    migrate::apply(sql, migrate::TEAM).unwrap();
    let statement = "SELECT type, first, resources FROM milestone ORDER BY type, first";
    let found = sql.all(statement, &[], |mut row| Ok((row.text()?, row.text()?, row.integer()?)));
    let found: Vec<String> = found.unwrap().iter().map(|own| format!("{own:?}")).collect();
    assert_eq!(
        found,
        [
            r#"("Group", "", 0)"#,
            r#"("User", "", 1000)"#,
            r#"("User", "01001", 1000)"#,
            r#"("User", "02001", 500)"#,
        ]
    );
}
