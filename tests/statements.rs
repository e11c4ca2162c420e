//! How many statements a request of a provider takes, and that an index leads each of
//! them: what SQLite plans here, it plans in a team of a million, since nothing tells it
//! how many there are. What they read and write, exactly, is counted on workerd.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use http::Request;
use serde_json::{Value, json};
use world::{Heard, World};

/// What has one row, or as many as a request names.
const SMALL: [&str; 6] = ["team", "t", "tally", "wanted", "json_each", "CONSTANT"];

fn request(key: &str, method: &str, path: &str, body: &Value) -> Request<Vec<u8>> {
    let request = Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/scim+json");
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    request.body(body).unwrap()
}

/// The steps of SQLite's plan for a statement.
fn plan(world: &World, heard: &Heard) -> Vec<String> {
    let statement = format!("EXPLAIN QUERY PLAN {}", heard.text);
    let nothing = vec![kafkaman_scim::directory::sql::Value::Null; heard.parameters];
    world.in_team("acme", |context| {
        let steps = context.sql.all(&statement, &nothing, |mut row| {
            // Its id, its parent and a number that means nothing come first.
            for _ in 0..3 {
                row.integer()?;
            }
            row.text()
        });
        steps.unwrap()
    })
}

fn patch(operations: Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
    })
}

#[test]
fn requests_take_few_statements_and_an_index_leads_each() {
    let world = World::new();
    let key = world.team("acme").key;
    let user = |n: usize, title: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("u{n}@example.com"), "externalId": format!("e{n}"),
            "displayName": format!("User {n}"), "active": true, "title": title,
            "emails": [{ "value": format!("u{n}@example.com"), "primary": true }],
        })
    };
    let ids: Vec<String> = (0..3)
        .map(|n| {
            let made = world.ok(&key, "POST", "/scim/v2/Users", user(n, "Guide"));
            made["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let group = json!({ "displayName": "Crew", "members": [{ "value": ids[0] }] });
    let group = world.ok(&key, "POST", "/scim/v2/Groups", group);
    let (one, crew) = (format!("/Users/{}", ids[0]), group["id"].as_str().unwrap());
    let crew = format!("/Groups/{crew}");
    let active = |active: bool| patch(json!([{ "op": "replace", "value": { "active": active } }]));
    let member =
        |op: &str| patch(json!([{ "op": op, "path": "members", "value": [{ "value": ids[1] }] }]));
    let first = world.ok(&key, "GET", "/scim/v2/Users?count=1&cursor=", Value::Null);
    let next = format!("/Users?count=1&cursor={}", first["nextCursor"].as_str().unwrap());
    let none = Value::Null;
    let operations = [
        ("GET", one.clone(), none.clone(), 2),
        ("GET", "/Users?filter=userName%20eq%20%22u1@example.com%22".into(), none.clone(), 2),
        ("GET", "/Users?filter=externalId%20eq%20%22e1%22".into(), none.clone(), 2),
        ("GET", "/Users?filter=emails.value%20eq%20%22u1@example.com%22".into(), none.clone(), 2),
        ("GET", "/Users".into(), none.clone(), 3),
        ("GET", "/Users?startIndex=5000".into(), none.clone(), 4),
        ("GET", next, none.clone(), 4),
        ("GET", "/Users?sortBy=userName".into(), none.clone(), 3),
        ("GET", "/Users?sortBy=meta.lastModified&sortOrder=descending".into(), none.clone(), 3),
        ("GET", "/Users?filter=active%20eq%20true".into(), none.clone(), 3),
        ("GET", "/Users?filter=active%20eq%20true&sortBy=userName".into(), none.clone(), 3),
        ("GET", "/Users?filter=userName%20sw%20%22u%22".into(), none.clone(), 3),
        ("GET", "/Users?filter=userName%20sw%20%22u%22&cursor=".into(), none.clone(), 4),
        ("GET", format!("{crew}?excludedAttributes=members"), none.clone(), 2),
        ("GET", crew.clone(), none, 3),
        ("POST", "/Users".into(), user(9, "Guide"), 7),
        ("PUT", one.clone(), user(0, "Lead"), 5),
        ("PUT", one.clone(), user(0, "Lead"), 3),
        ("PATCH", one.clone(), active(false), 8),
        ("PATCH", one, active(true), 6),
        ("PATCH", crew.clone(), member("add"), 9),
        ("PATCH", crew, member("remove"), 9),
    ];
    let mut found = Vec::new();
    for (method, path, body, expected) in &operations {
        let heard = world.statements("acme", request(&key, method, path, body));
        if heard.len() != *expected {
            let texts: Vec<&str> = heard.iter().map(|own| own.text.as_str()).collect();
            found.push(format!("{method} {path} took {}: {texts:#?}", heard.len()));
        }
        for own in heard.iter().filter(|own| own.text != "SAVEPOINT") {
            let steps = plan(&world, own);
            for step in &steps {
                let scanned = step.strip_prefix("SCAN ").and_then(|step| step.split(' ').next());
                let is_small = scanned.is_none_or(|table| {
                    // What a subquery goes through is a step of its own.
                    SMALL.contains(&table) || table.starts_with("(subquery")
                });
                assert!(is_small, "{method} {path}: {step}: {}", own.text);
            }
            // A document that is sorted along is one of a page: its row was chosen before.
            let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
            let by_row = "SEARCH resource USING INTEGER PRIMARY KEY (rowid=?)";
            let is_chosen = steps.iter().any(|step| step == by_row);
            let sorts_documents = sorts && own.text.contains("document") && !is_chosen;
            assert!(!sorts_documents, "{method} {path}: {steps:?}: {}", own.text);
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
