//! `GET /operator/v1/health`: it reads the objects it speaks of, says so if one
//! cannot be read, and writes nothing.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use kafkaman_scim::directory::migrate;
use serde_json::{Value, json};
use world::{Crash, OPERATOR_TOKEN, World};

fn ask(world: &World, query: &str) -> (u16, Value) {
    let path = format!("/operator/v1/health{query}");
    let (status, body) = world.call(OPERATOR_TOKEN, "GET", &path, Value::Null);
    (status.as_u16(), body)
}

#[test]
fn the_registry_is_read_and_a_team_if_one_is_named() {
    let world = World::new();
    let registry = json!({ "tables": migrate::REGISTRY.len() });
    let healthy = json!({ "status": "ok", "registry": registry, "team": null });
    assert_eq!(ask(&world, ""), (200, healthy), "before there is any team");
    world.new_team("acme");
    let woken = world.woken();
    let team = json!({ "id": "acme", "tables": migrate::TEAM.len() });
    let healthy = json!({ "status": "ok", "registry": registry, "team": team });
    assert_eq!(ask(&world, "?team=acme"), (200, healthy.clone()));
    assert_eq!(world.woken() - woken, 2, "the Registry and the team");
    world.ok(OPERATOR_TOKEN, "POST", "/operator/v1/teams/acme/suspend", Value::Null);
    assert_eq!(ask(&world, "?team=acme"), (200, healthy), "a suspended team answers, too");
}

#[test]
fn what_is_no_team_is_refused_and_not_ill() {
    let world = World::new();
    for query in ["?team=nobody", "?team=NO", "?team="] {
        let (status, body) = ask(&world, query);
        assert_eq!((status, &body["error"]["code"]), (404, &json!("team_not_found")), "{query}");
    }
    world.crash.set(Some(Crash::BeforeCall));
    world.call(
        OPERATOR_TOKEN,
        "POST",
        "/operator/v1/teams",
        json!({ "id": "half", "name": "Half", "admin": { "name": "A", "email": "a@b.example" } }),
    );
    let (status, body) = ask(&world, "?team=half");
    assert_eq!((status, &body["error"]["code"]), (409, &json!("team_unsettled")));
    assert_eq!(ask(&world, "?team=a&team=b").0, 400);
}

#[test]
fn a_team_that_cannot_be_read_is_ill() {
    let world = World::new();
    world.new_team("acme");
    world.in_team("acme", |context| context.sql.execute("DROP TABLE team", &[]).unwrap());
    let (status, body) = ask(&world, "?team=acme");
    assert_eq!((status, &body["error"]["code"]), (503, &json!("unhealthy")), "{body}");
    assert_eq!(ask(&world, "").0, 200, "the Registry is well");
}

#[test]
fn a_registry_that_cannot_be_read_is_ill() {
    let world = World::new();
    assert_eq!(ask(&world, "").0, 200);
    world.in_registry(|context| context.sql.execute("DELETE FROM migration", &[]).unwrap());
    let (status, body) = ask(&world, "");
    assert_eq!((status, &body["error"]["code"]), (503, &json!("unhealthy")), "{body}");
}
