//! Limits that a story cannot reach: an hour, fifty thousand people, eight
//! mebibytes; and what cursors are written with.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use http::Request;
use serde_json::{Value, json};
use world::World;

const HOUR: i64 = 60 * 60 * 1000;
const MINUTE: i64 = 60 * 1000;

/// A team with people in it, and its key.
fn team(world: &World, people: usize) -> String {
    let key = world.team("acme").key;
    for n in 0..people {
        let user = json!({ "userName": format!("u{n}@example.com"), "title": "Guide" });
        world.ok(&key, "POST", "/scim/v2/Users", user);
    }
    key
}

fn get(world: &World, key: &str, query: &str) -> (u16, Value) {
    let (status, body) = world.call(key, "GET", &format!("/scim/v2/Users?{query}"), Value::Null);
    (status.as_u16(), body)
}

#[test]
fn a_cursor_ends_after_an_hour() {
    let world = World::new();
    let key = team(&world, 3);
    let (_, first) = get(&world, &key, "count=1&cursor=");
    let next = format!("count=1&cursor={}", first["nextCursor"].as_str().unwrap());
    world.pass(HOUR - MINUTE);
    assert_eq!(get(&world, &key, &next).0, 200);
    world.pass(MINUTE);
    let (status, body) = get(&world, &key, &next);
    assert_eq!((status, &body["scimType"]), (400, &json!("expiredCursor")));
}

#[test]
fn a_cursor_outlives_no_key() {
    let world = World::new();
    let acme = world.team("acme");
    let keys = "/teams/acme/v1/scim/keys";
    let made = world.ok(&acme.admin, "POST", keys, json!({ "name": "second" }));
    let key = made["key"].as_str().unwrap();
    world.ok(key, "POST", "/scim/v2/Users", json!({ "userName": "a@example.com" }));
    let (_, first) = get(&world, key, "count=1&cursor=");
    let next = format!("count=1&cursor={}", first["nextCursor"].as_str().unwrap());
    assert_eq!(get(&world, key, &next).0, 200);
    let path = format!("{keys}/{}", made["id"].as_str().unwrap());
    world.ok(&acme.admin, "DELETE", &path, Value::Null);
    assert_eq!(get(&world, key, &next).0, 401);
}

#[test]
fn a_cursor_needs_no_encoding() {
    let world = World::new();
    let key = team(&world, 40);
    for order in ["", "&sortBy=userName", "&sortBy=title&filter=title%20pr"] {
        let mut cursor = String::new();
        loop {
            let (_, page) = get(&world, &key, &format!("count=1{order}&cursor={cursor}"));
            for name in ["nextCursor", "previousCursor"] {
                let text = page[name].as_str().unwrap_or_default();
                // RFC 9865 section 2 has RFC 3986's unreserved characters.
                let fits = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
                assert!(text.chars().all(fits), "{text}");
            }
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = next.to_owned();
        }
    }
}

#[test]
fn a_search_through_too_many_is_refused() {
    let world = World::new();
    let key = team(&world, 1);
    world.in_team("acme", |context| {
        let people = "WITH RECURSIVE counted (n) AS
             (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 50000)
             INSERT INTO resource (type, id, key, active, version, created, modified, source,
                 display, document)
             SELECT 'User', 'x' || n, 'x' || n, 1, 1, 0, 0, 'scim', '', '{}' FROM counted";
        context.sql.execute(people, &[]).unwrap();
        context.sql.execute("UPDATE tally SET total = 50001 WHERE type = 'User'", &[]).unwrap();
    });
    let (status, body) = get(&world, &key, "filter=title%20eq%20%22Guide%22");
    assert_eq!((status, &body["scimType"]), (400, &json!("tooMany")));
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "title pr",
    });
    let (status, body) = world.call(&key, "POST", "/scim/v2/.search", search);
    assert_eq!((status.as_u16(), &body["scimType"]), (400, &json!("tooMany")));
    // What an index finds is found in a team of any size.
    let (status, body) = get(&world, &key, "filter=userName%20eq%20%22u0@example.com%22");
    assert_eq!((status, &body["totalResults"]), (200, &json!(1)));
}

#[test]
fn a_bulk_request_that_is_too_large_is_told_the_limit() {
    let world = World::new();
    let key = team(&world, 0);
    let config = world.ok(&key, "GET", "/scim/v2/ServiceProviderConfig", Value::Null);
    let limit = &config["bulk"]["maxPayloadSize"];
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            { "method": "POST", "path": "/Users", "bulkId": "a", "data": { "userName": "a@b.c" } },
        ],
    })
    .to_string()
    .into_bytes();
    body.resize(usize::try_from(limit.as_u64().unwrap()).unwrap() + 1, b' ');
    for announced in [false, true] {
        let mut request = Request::post("/scim/v2/Bulk")
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/scim+json");
        if announced {
            request = request.header("content-length", body.len());
        }
        let answer = world.send(request.body(body.clone()).unwrap());
        assert_eq!(answer.status(), 413, "announced: {announced}");
        let error: Value = serde_json::from_slice(answer.body()).unwrap();
        assert!(error["detail"].as_str().unwrap().contains(&limit.to_string()), "{error}");
    }
    let total = get(&world, &key, "count=0").1["totalResults"].clone();
    assert_eq!(total, json!(1), "the admin alone");
}

/// The names of the groups that somebody is in: the same wherever they are shown.
fn groups_of(world: &World, key: &str, id: &str) -> Vec<String> {
    let path = format!("/scim/v2/Users/{id}");
    let user = world.ok(key, "GET", &path, Value::Null);
    let (_, found) = get(world, key, &format!("filter=id%20eq%20%22{id}%22"));
    let (_, listed) = get(world, key, "");
    let listed = listed["Resources"].as_array().unwrap();
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "value": { "title": "Lead" } }],
    });
    let patched = world.ok(key, "PATCH", &path, patch);
    let listed = listed.iter().find(|own| own["id"] == id).unwrap();
    for other in [&found["Resources"][0], listed, &patched] {
        assert_eq!(other["groups"], user["groups"]);
    }
    let groups = user["groups"].as_array().unwrap();
    assert!(groups.iter().all(|own| own["type"] == "direct"));
    let mut names: Vec<String> =
        groups.iter().map(|own| own["display"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn groups_are_shown_whole_however_many_they_are_and_however_long_their_names() {
    let world = World::new();
    let key = team(&world, 0);
    let long = |chars: usize| "é".repeat(chars);
    for to_come in [vec![long(400), long(401)], (0..53).map(|n| format!("g{n}")).collect()] {
        let user = json!({ "userName": format!("in {}", to_come.len()) });
        let user = world.ok(&key, "POST", "/scim/v2/Users", user);
        let id = user["id"].as_str().unwrap();
        let mut names: Vec<String> = Vec::new();
        for name in to_come {
            let group = json!({ "displayName": name, "members": [{ "value": id }] });
            world.ok(&key, "POST", "/scim/v2/Groups", group);
            names.push(name);
            names.sort();
            assert_eq!(groups_of(&world, &key, id), names);
        }
    }
}
