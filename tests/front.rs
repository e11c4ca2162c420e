//! What the Worker decides once it knows who asks: sizes, versions, paths.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use http::Request;
use serde_json::{Value, json};
use world::{OPERATOR_TOKEN, World};

#[test]
fn what_announces_too_much_is_refused_unread() {
    let world = World::new();
    let acme = world.team("acme");
    for (token, path) in [
        (acme.key.as_str(), "/scim/v2/Users"),
        (&acme.admin, "/teams/acme/v1/scim/keys"),
        (OPERATOR_TOKEN, "/operator/v1/teams"),
    ] {
        for (length, expected) in [("8388609", 413), ("8388608", 400)] {
            let before = world.woken();
            let request = Request::post(path)
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .header("content-length", length);
            let answer = world.send(request.body(b"{}".to_vec()).unwrap());
            assert_eq!(answer.status(), expected, "{path} {length}");
            assert_eq!(world.woken() - before, usize::from(expected != 413), "{path} {length}");
        }
    }
    let request = Request::post("/scim/v2/Users").header("content-length", "99999999");
    assert_eq!(world.send(request.body(vec![]).unwrap()).status(), 401, "credential first");
}

#[test]
fn the_rest_of_the_world_is_404() {
    let world = World::new();
    let key = world.team("acme").key;
    let before = world.woken();
    for path in ["/-/command", "/-/", "/scimitar", "/teamster", "/operators", "/favicon.ico", "//"]
    {
        for token in ["", &key] {
            assert_eq!(world.call(token, "POST", path, Value::Null).0, 404, "{path}");
        }
    }
    assert_eq!(world.call("", "GET", "/", Value::Null).0, 200);
    assert_eq!(world.woken(), before);
}

#[test]
fn other_protocol_versions_are_named() {
    let world = World::new();
    let key = world.team("acme").key;
    for path in ["/scim/v1/Users", "/scim/v9/Users", "/scim/v1.1", "/scim/v3"] {
        let (status, body) = world.call(&key, "GET", path, Value::Null);
        assert_eq!((status.as_u16(), &body["scimType"]), (400, &json!("invalidVers")), "{path}");
    }
    for path in ["/scim", "/scim/", "/scim/Users", "/scim/v2x/Users", "/scim/V2/Users"] {
        let (status, body) = world.call(&key, "GET", path, Value::Null);
        assert_eq!((status.as_u16(), &body["status"]), (404, &json!("404")), "{path}");
    }
}
