//! What an operator sees and ends of a team's tokens, and what is kept of links.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use serde_json::{Value, json};
use world::{OPERATOR_TOKEN, World};

#[test]
fn service_tokens_are_listed_and_revoked_whoever_made_them() {
    let world = World::new();
    let admin = world.new_team("acme");
    let path = "/operator/v1/teams/acme/service-tokens";
    let new = json!({ "name": "login", "scopes": ["sessions"] });
    let made = world.ok(OPERATOR_TOKEN, "POST", path, new.clone());
    world.ok(&admin, "POST", "/teams/acme/v1/service-tokens", new);
    let list = || world.ok(OPERATOR_TOKEN, "GET", path, Value::Null)["serviceTokens"].clone();
    assert_eq!(list().as_array().unwrap().len(), 2);
    assert!(!list().to_string().contains("kfm_service_"), "no secret");
    let id = made["id"].as_str().unwrap();
    let one = format!("{path}/{id}");
    world.ok(OPERATOR_TOKEN, "DELETE", &one, Value::Null);
    let own = list().as_array().unwrap().iter().find(|own| own["id"] == id).cloned().unwrap();
    assert_eq!(own["state"], "revoked");
    let token = made["token"].as_str().unwrap();
    let ask = "/teams/acme/v1/sessions/introspect";
    assert_eq!(world.call(token, "POST", ask, json!({ "token": "x" })).0, 401);
    let none = format!("{path}/none");
    let code = |method: &str, path: &str| {
        let (status, told) = world.call(OPERATOR_TOKEN, method, path, Value::Null);
        assert_eq!(status, 404, "{told}");
        told["error"]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("DELETE", &none), "token_not_found");
    assert_eq!(code("GET", "/operator/v1/teams/no/service-tokens"), "team_not_found");
    let newest = world.ok(OPERATOR_TOKEN, "GET", "/operator/v1/audit", Value::Null);
    let newest = &newest["records"][0];
    assert_eq!(
        (&newest["action"], &newest["detail"]["token"]),
        (&json!("service_token.revoked"), &json!(id))
    );
}

#[test]
fn the_operators_audit_says_for_whom_a_break_glass_link_is() {
    let world = World::new();
    world.new_team("acme");
    let person = json!({ "name": "Eve", "email": "Eve@kafkaman.example" });
    let path = "/operator/v1/teams/acme/break-glass";
    let link = world.ok(OPERATOR_TOKEN, "POST", path, person);
    let newest = world.ok(OPERATOR_TOKEN, "GET", "/operator/v1/audit", Value::Null);
    let newest = &newest["records"][0];
    assert_eq!(newest["action"], "break_glass.issued");
    assert_eq!(newest["detail"], json!({ "name": "Eve", "email": "Eve@kafkaman.example" }));
    let secret = link["url"].as_str().unwrap().rsplit('/').next().unwrap();
    assert!(!newest.to_string().contains(secret));
}
