//! Nothing is half-written: whichever statement of a request fails, the answer
//! is a 500, the team is as it was, and the same request then works.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use http::Request;
use kafkaman_scim::directory::Context;
use kafkaman_scim::directory::sql::{Outcome, Row, Sql, SqlError, Value as Bound};
use kafkaman_scim::directory::team_id::TeamId;
use kafkaman_scim::entry::object::{self, Memory};
use serde_json::{Value, json};
use std::cell::Cell;
use world::{Team, World};

/// Storage whose n-th statement from now on fails.
struct Failing<'a> {
    sql: &'a dyn Sql,
    left: Cell<usize>,
}

impl Sql for Failing<'_> {
    fn each(
        &self,
        statement: &str,
        parameters: &[Bound],
        row: &mut dyn FnMut(Row) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            return Err(SqlError::new("disk I/O error"));
        }
        self.sql.each(statement, parameters, row)
    }

    fn atomically(&self, body: &mut dyn FnMut() -> Outcome) -> Result<(), SqlError> {
        self.sql.atomically(body)
    }
}

/// All that can be seen of a team.
fn seen(world: &World, team: &Team) -> Vec<Value> {
    [
        "/scim/v2/Users?count=200",
        "/scim/v2/Groups?count=200",
        "/scim/v2/Users?count=0&filter=emails%20pr",
    ]
    .iter()
    .map(|path| world.ok(&team.key, "GET", path, Value::Null))
    .chain([world.ok(&team.admin, "GET", "/teams/acme/v1/audit", Value::Null)])
    .collect()
}

/// Makes every statement of the request fail in turn.
#[track_caller]
fn check(name: &str, prepare: impl Fn(&World, &Team) -> (&'static str, String, Value)) {
    let world = World::new();
    let team = world.team("acme");
    let (method, path, body) = prepare(&world, &team);
    let request = || {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder().method(method).uri(&path);
        let request = request.header("authorization", format!("Bearer {}", team.key));
        request.header("content-type", "application/scim+json").body(body).unwrap()
    };
    let before = seen(&world, &team);
    let id = TeamId::parse("acme").unwrap();
    for statement in 1..100 {
        let (status, reached) = world.in_team("acme", |context| {
            let sql = Failing { sql: context.sql, left: Cell::new(statement) };
            let failing = Context { sql: &sql, ..*context };
            let answered = object::handle(&failing, &id, &Memory::default(), request());
            (answered.response.status().as_u16(), sql.left.get() == 0)
        });
        if !reached {
            assert!(statement > 3 && status < 300, "{name}: {status} at {statement}");
            assert_ne!(seen(&world, &team), before, "{name} changes something");
            return;
        }
        assert_eq!(status, 500, "{name}, statement {statement}");
        assert_eq!(seen(&world, &team), before, "{name}, statement {statement}");
    }
    panic!("{name}: no end");
}

fn user(world: &World, team: &Team, name: &str) -> String {
    let email = format!("{name}@example.com");
    let body = json!({ "userName": name, "emails": [{ "value": email }], "externalId": name });
    world.ok(&team.key, "POST", "/scim/v2/Users", body)["id"].as_str().unwrap().to_owned()
}

fn group(world: &World, team: &Team, name: &str, members: &[&str]) -> String {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    let body = json!({ "displayName": name, "members": members });
    world.ok(&team.key, "POST", "/scim/v2/Groups", body)["id"].as_str().unwrap().to_owned()
}

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

#[test]
fn users() {
    check("create", |_, _| {
        let emails = json!([{ "value": "a@example.com" }, { "value": "b@example.com" }]);
        let body = json!({ "userName": "new", "externalId": "e", "emails": emails, "x": 1 });
        ("POST", "/scim/v2/Users".into(), body)
    });
    check("replace", |world, team| {
        let id = user(world, team, "ada");
        let emails = json!([{ "value": "other@example.com" }]);
        ("PUT", format!("/scim/v2/Users/{id}"), json!({ "userName": "eda", "emails": emails }))
    });
    check("suspend", |world, team| {
        let id = user(world, team, "ada");
        let operation = json!({ "op": "replace", "path": "active", "value": false });
        let body = json!({ "schemas": [PATCH], "Operations": [operation] });
        ("PATCH", format!("/scim/v2/Users/{id}"), body)
    });
    check("reactivate", |world, team| {
        let body = json!({ "userName": "back", "active": false });
        world.ok(&team.key, "POST", "/scim/v2/Users", body);
        ("POST", "/scim/v2/Users".into(), json!({ "userName": "BACK", "title": "Dr" }))
    });
    check("delete", |world, team| {
        let id = user(world, team, "ada");
        group(world, team, "Friends", &[&id]);
        ("DELETE", format!("/scim/v2/Users/{id}"), Value::Null)
    });
}

#[test]
fn groups() {
    check("create", |world, team| {
        let members = json!([{ "value": user(world, team, "ada") }, { "value": "nobody" }]);
        let body = json!({ "displayName": "Friends", "members": members });
        ("POST", "/scim/v2/Groups".into(), body)
    });
    check("patch", |world, team| {
        let (ada, bob) = (user(world, team, "ada"), user(world, team, "bob"));
        let id = group(world, team, "Friends", &[&ada]);
        let body = json!({ "schemas": [PATCH], "Operations": [
            { "op": "add", "path": "members", "value": [{ "value": bob }] },
            { "op": "remove", "path": format!("members[value eq \"{ada}\"]") },
            { "op": "replace", "path": "displayName", "value": "Renamed" },
        ] });
        ("PATCH", format!("/scim/v2/Groups/{id}"), body)
    });
    check("replace", |world, team| {
        let (ada, bob) = (user(world, team, "ada"), user(world, team, "bob"));
        let id = group(world, team, "Friends", &[&ada]);
        let body = json!({ "displayName": "Friends", "members": [{ "value": bob }] });
        ("PUT", format!("/scim/v2/Groups/{id}"), body)
    });
    check("delete", |world, team| {
        let id = group(world, team, "Friends", &[&user(world, team, "ada")]);
        ("DELETE", format!("/scim/v2/Groups/{id}"), Value::Null)
    });
}

#[test]
fn bulk() {
    check("bulk", |world, team| {
        let id = user(world, team, "ada");
        let group = |name: &str, other: &str| {
            let members = json!([{ "value": format!("bulkId:{other}") }]);
            json!({ "method": "POST", "path": "/Groups", "bulkId": name,
                    "data": { "displayName": name, "members": members } })
        };
        let delete = json!({ "method": "DELETE", "path": format!("/Users/{id}") });
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        let operations = json!([group("a", "b"), delete, group("b", "a")]);
        let body = json!({ "schemas": schemas, "Operations": operations });
        ("POST", "/scim/v2/Bulk".into(), body)
    });
}
