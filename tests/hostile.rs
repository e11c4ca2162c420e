//! Hostile input: whatever bytes come, the parsers answer, and the service
//! never fails for a reason of its own (`World` panics on a fault).
//!
//! What well-known bad inputs are answered is in `tests/exchanges/bad-inputs`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use http::Request;
use kafkaman_scim::scim::{filter, json, path, schema};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::cell::OnceCell;
use world::World;

/// Text made of the pieces that the grammars are made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(
            &[
                "userName",
                "emails",
                "[",
                "]",
                "(",
                ")",
                " ",
                "\"",
                "\\",
                ".",
                ":",
                "urn:",
                "eq",
                "pr",
                "and",
                "or",
                "not",
                "true",
                "null",
                "1e9",
                "é",
                "\u{0}",
                "type",
                "value",
                "$ref",
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "members",
                "%",
                "meta.created"
            ][..]
        )
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// JSON of the names that bodies are made of, and of others.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        pieces().prop_map(Value::from),
    ];
    let name = select(
        &[
            "schemas",
            "userName",
            "active",
            "emails",
            "members",
            "value",
            "type",
            "primary",
            "name",
            "displayName",
            "Operations",
            "op",
            "path",
            "id",
            "meta",
            "externalId",
            "groups",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "manager",
            "x",
            "",
        ][..],
    );
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..5).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, own)| (name.into(), own)).collect())
            }),
        ]
    })
}

fn with_world<T>(run: impl FnOnce(&World, &str, &str) -> T) -> T {
    thread_local! {
        static WORLD: OnceCell<(World, String, String)> = const { OnceCell::new() };
    }
    WORLD.with(|cell| {
        let (world, key, id) = cell.get_or_init(|| {
            let world = World::new();
            let key = world.team("acme").key;
            let made = world.ok(&key, "POST", "/scim/v2/Users", json!({ "userName": "target" }));
            let id = made.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            (world, key, id)
        });
        run(world, key, id)
    })
}

fn send(method: &str, path: &str, body: Vec<u8>) -> u16 {
    with_world(|world, key, id| {
        let request = Request::builder()
            .method(method)
            .uri(path.replace("ID", id))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/scim+json");
        let response = world.send(request.body(body).unwrap());
        let status = response.status().as_u16();
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let told = body["status"].as_str().and_then(|told| told.parse().ok());
        assert!(status < 400 || told == Some(status), "{status} {body}");
        status
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsers_answer(text in pieces(), bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        drop(path::resolve(schema::user(), &text));
        drop(json::parse(&bytes));
        drop(json::parse(text.as_bytes()));
        if let Ok(filter) = filter::parse(schema::user(), &text) {
            let again = filter::parse(schema::user(), &filter.to_string());
            prop_assert_eq!(again.as_ref(), Ok(&filter));
        }
    }

    #[test]
    fn bodies_are_answered(body in value(), method in select(&["POST", "PUT", "PATCH"][..]),
                           endpoint in select(&["Users", "Groups", "Bulk", ".search"][..])) {
        let path = match method {
            "POST" => format!("/scim/v2/{endpoint}"),
            _ => format!("/scim/v2/{endpoint}/ID"),
        };
        send(method, &path, body.to_string().into_bytes());
    }

    #[test]
    fn patches_are_answered(path in pieces(), value in value(), op in select(&["add", "remove", "replace"][..])) {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        let operations = json!([{ "op": op, "path": path, "value": value }]);
        let body = json!({ "schemas": schemas, "Operations": operations });
        send("PATCH", "/scim/v2/Users/ID", body.to_string().into_bytes());
    }

    #[test]
    fn queries_are_answered(name in select(&["filter", "sortBy", "cursor", "count", "attributes", "startIndex"][..]), text in pieces()) {
        let text: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        send("GET", &format!("/scim/v2/Users?{name}={text}"), Vec::new());
        send("GET", &format!("/scim/v2?{name}={text}"), Vec::new());
    }
}
