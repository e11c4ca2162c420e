//! Inputs as large as the limits let through: each is answered, and no answer
//! costs the square of its request. A cost that does shows as a test that takes
//! minutes; what a request costs in rows is shown on workerd.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use http::StatusCode;
use serde_json::{Map, Value, json};
use world::World;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn world() -> (World, String) {
    let world = World::new();
    let key = world.team("acme").key;
    (world, key)
}

#[test]
fn a_body_of_unknown_names() {
    let (world, key) = world();
    let mut body: Map<String, Value> = (0..60_000).map(|n| (format!("a{n}"), json!(1))).collect();
    body.insert("userName".into(), "ada".into());
    let (status, _) = world.call(&key, "POST", "/scim/v2/Users", body.into());
    assert_eq!(status, StatusCode::CREATED);
}

#[test]
fn a_group_of_unknown_names() {
    let (world, key) = world();
    let name = |n| format!("a{n:079}");
    let mut body: Map<String, Value> = (0..80_000).map(|n| (name(n), json!(1))).collect();
    body.insert("displayName".into(), "Crew".into());
    let (status, _) = world.call(&key, "POST", "/scim/v2/Groups", body.into());
    assert_eq!(status, StatusCode::CREATED);
}

#[test]
fn a_person_with_more_addresses_than_are_kept() {
    let (world, key) = world();
    let emails = |from: usize, to: usize| -> Value {
        (from..to).map(|n| json!({ "value": format!("a{n}@example.com") })).collect()
    };
    let body = |to: usize| json!({ "userName": "ada", "emails": emails(0, to) });
    let refused = |(status, body): (StatusCode, Value)| {
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(body["scimType"], "invalidValue");
        assert!(body["detail"].as_str().unwrap().contains("at most 1000 are kept"), "{body}");
    };
    refused(world.call(&key, "POST", "/scim/v2/Users", body(20_000)));
    refused(world.call(&key, "POST", "/scim/v2/Users", body(1_001)));
    let made = world.ok(&key, "POST", "/scim/v2/Users", body(1_000));
    let path = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
    let patch = |op: &str, value: Value| {
        let operation = json!({ "op": op, "path": "emails", "value": value });
        world.call(&key, "PATCH", &path, json!({ "schemas": [PATCH], "Operations": [operation] }))
    };
    refused(patch("add", emails(500, 20_000)));
    refused(patch("remove", emails(0, 20_000)));
    let (status, body) = patch("add", emails(0, 1_000));
    assert_eq!((status, body["meta"]["version"].clone()), (StatusCode::OK, json!("W/\"1\"")));
    let found = "/scim/v2/Users?attributes=id&filter=emails.value%20eq%20%22A999@example.com%22";
    assert_eq!(world.ok(&key, "GET", found, Value::Null)["totalResults"], 1);
}

#[test]
fn a_person_larger_than_is_kept() {
    let (world, key) = world();
    let photo = "p".repeat(60_000);
    let photos: Value = (0..5)
        .map(|n| json!({ "value": format!("data:{n},{photo}"), "type": n.to_string() }))
        .collect();
    let body = json!({ "userName": "ada", "photos": photos });
    let (status, body) = world.call(&key, "POST", "/scim/v2/Users", body);
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    assert!(body["detail"].as_str().unwrap().contains("at most 262144 are kept"), "{body}");
}

#[test]
fn a_search_that_names_more_attributes_than_are_looked_for() {
    let (world, key) = world();
    let search = |count: usize| {
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "attributes": vec!["name.givenName"; count] })
    };
    let path = "/scim/v2/Users/.search";
    world.ok(&key, "POST", path, search(200));
    let (status, body) = world.call(&key, "POST", path, search(201));
    assert_eq!(
        (status, body["scimType"].clone()),
        (StatusCode::BAD_REQUEST, json!("invalidValue"))
    );
}

#[test]
fn a_group_of_a_hundred_thousand_names_of_whom_few_exist() {
    let (world, key) = world();
    let ids: Vec<String> = (0..50)
        .map(|n| {
            let made =
                world.ok(&key, "POST", "/scim/v2/Users", json!({ "userName": format!("u{n}") }));
            made["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let unknown = (0..100_000).map(|n| json!({ "value": format!("unknown-{n:08}") }));
    let known = ids.iter().map(|id| json!({ "value": id }));
    let members: Value = unknown.chain(known).collect();
    let body = json!({ "displayName": "All", "members": members });
    let made = world.ok(&key, "POST", "/scim/v2/Groups", body.clone());
    assert_eq!(made["members"].as_array().unwrap().len(), 50);
    let path = format!("/scim/v2/Groups/{}", made["id"].as_str().unwrap());
    let replaced = world.ok(&key, "PUT", &path, body);
    assert_eq!(replaced["meta"]["version"], made["meta"]["version"]);
}

#[test]
fn members_with_long_names() {
    let (world, key) = world();
    let long = "x".repeat(1_000);
    let members: Value =
        (0..7_000).map(|n| json!({ "value": format!("unknown-{n}"), "display": long })).collect();
    let body = json!({ "displayName": "All", "members": members });
    let made = world.ok(&key, "POST", "/scim/v2/Groups", body);
    assert!(made["members"].is_null());
}

#[test]
fn members_by_the_thousand_with_long_names() {
    let (world, key) = world();
    let long = "x".repeat(1_000);
    let operation = |n: usize| {
        json!({ "method": "POST", "path": "/Users", "bulkId": format!("b{n}"),
                "data": { "userName": format!("u{n}") } })
    };
    let mut ids = Vec::new();
    for batch in 0..4 {
        let operations: Value = (batch * 1_000..(batch + 1) * 1_000).map(operation).collect();
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        let body = json!({ "schemas": schemas, "Operations": operations });
        let made = world.ok(&key, "POST", "/scim/v2/Bulk", body);
        for one in made["Operations"].as_array().unwrap() {
            ids.push(one["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned());
        }
    }
    let members: Value = ids.iter().map(|id| json!({ "value": id, "display": long })).collect();
    let body = json!({ "displayName": "All", "members": members });
    let made = world.ok(&key, "POST", "/scim/v2/Groups", body);
    assert_eq!(made["members"].as_array().unwrap().len(), 4_000);
    let path = format!("/scim/v2/Groups/{}", made["id"].as_str().unwrap());
    let half: Value = ids.iter().skip(2_000).map(|id| json!({ "value": id })).collect();
    let body = json!({ "displayName": "All", "members": half });
    assert_eq!(world.ok(&key, "PUT", &path, body)["members"].as_array().unwrap().len(), 2_000);
}

#[test]
fn a_bulk_request_in_which_each_waits_for_the_next() {
    let (world, key) = world();
    let operations: Value = (0..1_000)
        .map(|n| {
            let members = if n < 999 { json!([{ "value": format!("bulkId:{}", n + 1) }]) } else { json!([]) };
            json!({ "method": "POST", "path": "/Groups", "bulkId": n.to_string(),
                    "data": { "displayName": format!("g{n}"), "members": members, "x": "y".repeat(4_000) } })
        })
        .collect();
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
    let body = json!({ "schemas": schemas, "Operations": operations });
    let done = world.ok(&key, "POST", "/scim/v2/Bulk", body);
    let done = done["Operations"].as_array().unwrap();
    assert!(done.len() == 1_000 && done.iter().all(|one| one["status"] == "201"));
}
