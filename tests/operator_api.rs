//! The operator API: teams made, suspended, deleted, and what a crash leaves.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use http::{Request, StatusCode};
use serde_json::{Value, json};
use world::{Crash, OPERATOR_TOKEN, SIGNING_SECRETS, World};

const TEAMS: &str = "/operator/v1/teams";
const ACME: &str = "/operator/v1/teams/acme";
/// A second signing secret, besides the world's first.
const NEXT_SECRET: &str = "2:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA";

fn acme() -> Value {
    json!({
        "id": "acme", "name": "Acme", "seats": 50,
        "admin": { "name": "Ada", "email": "ada@acme.example" },
    })
}

/// [`acme`] with one field set, or left out.
fn with(name: &str, value: Value) -> Value {
    let mut body = acme();
    let object = body.as_object_mut().unwrap();
    match value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value)),
    }
    body
}

fn call(world: &World, method: &str, path: &str, body: Value) -> (u16, Value) {
    let (status, body) = world.call(OPERATOR_TOKEN, method, path, body);
    (status.as_u16(), body)
}

#[track_caller]
fn refused(world: &World, request: (&str, &str, Value), status: u16, code: &str, says: &str) {
    let (method, path, body) = request;
    let what = format!("{method} {path} {body}");
    let (got, answer) = call(world, method, path, body);
    assert_eq!((got, &answer["error"]["code"]), (status, &json!(code)), "{what}: {answer}");
    assert!(answer["error"]["message"].as_str().unwrap().contains(says), "{what}: {answer}");
}

#[track_caller]
fn state(world: &World, path: &str) -> String {
    let (status, body) = call(world, "GET", path, Value::Null);
    assert_eq!(status, 200, "{body}");
    body["state"].as_str().unwrap().to_owned()
}

fn actions(world: &World) -> Vec<String> {
    let page = world.ok(OPERATOR_TOKEN, "GET", "/operator/v1/audit", Value::Null);
    let records = page["records"].as_array().unwrap().iter();
    records.map(|record| record["action"].as_str().unwrap().to_owned()).collect()
}

fn admin(world: &World, token: &str) -> u16 {
    world.call(token, "GET", "/teams/acme/v1", Value::Null).0.as_u16()
}

#[test]
fn a_team_is_made() {
    let world = World::new();
    let (status, made) = call(&world, "POST", TEAMS, acme());
    assert_eq!(status, 201, "{made}");
    for (name, value) in [
        ("id", json!("acme")),
        ("name", json!("Acme")),
        ("state", json!("live")),
        ("seats", json!(50)),
        ("jurisdiction", Value::Null),
        ("locationHint", Value::Null),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    let token = made["adminToken"].as_str().unwrap();
    assert!(token.starts_with("kfm_admin_"));
    assert_eq!(admin(&world, token), 200);
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("adminToken");
    assert_eq!(call(&world, "GET", ACME, Value::Null), (200, shown.clone()));
    let list = json!({ "teams": [shown], "next": null });
    assert_eq!(call(&world, "GET", TEAMS, Value::Null), (200, list));
    assert_eq!(actions(&world), ["team.created"]);
}

#[test]
fn what_is_no_team_is_not_made() {
    let world = World::new();
    let admin = |name: &str, email: &str| json!({ "name": name, "email": email });
    for (body, says) in [
        (with("id", Value::Null), "`id`"),
        (with("id", json!("a")), "`id`"),
        (with("id", json!("a".repeat(41))), "`id`"),
        (with("id", json!("Acme")), "`id`"),
        (with("id", json!("ac me")), "`id`"),
        (with("id", json!("acmé")), "`id`"),
        (with("id", json!("a/b")), "`id`"),
        (with("id", json!("../b")), "`id`"),
        (with("id", json!("asia.acme")), "`id`"),
        (with("jurisdiction", json!("asia")), "`jurisdiction`"),
        (with("name", json!(" ")), "`name`"),
        (with("name", json!("a".repeat(201))), "`name`"),
        (with("seats", json!(0)), "`seats`"),
        (with("seats", json!(10_000_001)), "`seats`"),
        (with("seats", json!("50")), "i64"),
        (with("admin", Value::Null), "`admin`"),
        (with("admin", admin("", "a@acme.example")), "`admin.name`"),
        (with("admin", admin("Ada", "")), "`admin.email`"),
        (with("locationHint", json!("moon")), "`locationHint`"),
        (with("seat", json!(50)), "`seat`"),
        (json!([]), "an array"),
        (Value::Null, "empty"),
    ] {
        refused(&world, ("POST", TEAMS, body), 400, "invalid", says);
    }
    assert_eq!(
        call(&world, "GET", TEAMS, Value::Null),
        (200, json!({ "teams": [], "next": null }))
    );
    assert!(actions(&world).is_empty());
    assert_eq!(call(&world, "POST", TEAMS, acme()).0, 201, "the id is still free");
}

#[test]
fn an_admin_who_cannot_be_a_member_leaves_the_id_free() {
    let world = World::new();
    let body = with("admin", json!({ "name": "A\u{0}", "email": "ada@acme.example" }));
    refused(&world, ("POST", TEAMS, body), 400, "invalid", "admin");
    assert_eq!(call(&world, "GET", ACME, Value::Null).0, 404);
    assert_eq!(call(&world, "POST", TEAMS, acme()).0, 201);
}

#[test]
fn a_team_in_a_jurisdiction_says_so_in_its_id() {
    let world = World::new();
    let (status, made) = call(&world, "POST", TEAMS, with("jurisdiction", json!("eu")));
    assert_eq!(
        (status, &made["id"], &made["jurisdiction"]),
        (201, &json!("eu.acme"), &json!("eu"))
    );
    let token = made["adminToken"].as_str().unwrap();
    assert_eq!(world.call(token, "GET", "/teams/eu.acme/v1", Value::Null).0, 200);
    assert_eq!(admin(&world, token), 401, "`acme` is another team");
    assert_eq!(call(&world, "POST", TEAMS, acme()).0, 201);
}

#[test]
fn a_team_can_be_placed() {
    let world = World::new();
    let (status, made) = call(&world, "POST", TEAMS, with("locationHint", json!("weur")));
    assert_eq!((status, &made["locationHint"]), (201, &json!("weur")));
}

#[test]
fn ids_are_given_once() {
    let world = World::new();
    assert_eq!(call(&world, "POST", TEAMS, acme()).0, 201);
    refused(&world, ("POST", TEAMS, acme()), 409, "team_exists", "exists already");
    assert_eq!(call(&world, "DELETE", ACME, Value::Null).0, 204);
    refused(&world, ("POST", TEAMS, acme()), 409, "team_exists", "not given again");
}

#[test]
fn a_deleted_team_is_gone_with_all_its_data() {
    let world = World::new();
    let acme = world.team("acme");
    assert_eq!(call(&world, "DELETE", ACME, Value::Null), (204, Value::Null));
    assert_eq!(world.call(&acme.key, "GET", "/scim/v2/Users", Value::Null).0, 401);
    assert_eq!(admin(&world, &acme.admin), 401);
    let tables = world.in_team("acme", |context| {
        context.sql.all("SELECT name FROM sqlite_master", &[], |mut row| row.text()).unwrap()
    });
    assert!(tables.is_empty(), "{tables:?} are left");
    for (method, path) in [
        ("GET", ACME.to_owned()),
        ("DELETE", ACME.to_owned()),
        ("POST", format!("{ACME}/suspend")),
        ("POST", format!("{ACME}/resume")),
        ("POST", format!("{ACME}/admin-token")),
    ] {
        refused(&world, (method, &path, Value::Null), 404, "team_not_found", "no such team");
    }
    assert_eq!(
        call(&world, "GET", TEAMS, Value::Null),
        (200, json!({ "teams": [], "next": null }))
    );
    assert_eq!(actions(&world), ["team.deleted", "team.created"]);
}

#[test]
fn a_team_is_suspended_and_resumed() {
    let world = World::new();
    let token = world.new_team("acme");
    let turn = |what: &str| call(&world, "POST", &format!("{ACME}/{what}"), Value::Null);
    for (what, expected) in
        [("suspend", "suspended"), ("suspend", "suspended"), ("resume", "live"), ("resume", "live")]
    {
        let (status, body) = turn(what);
        assert_eq!((status, &body["state"]), (200, &json!(expected)), "{what}");
        assert!(body["adminToken"].is_null(), "{what}");
        assert_eq!(state(&world, ACME), expected);
        let seen = world.ok(&token, "GET", "/teams/acme/v1", Value::Null);
        assert_eq!(seen["state"], expected, "the team knows");
    }
    turn("suspend");
    assert_eq!(call(&world, "DELETE", ACME, Value::Null).0, 204, "a suspended team can go");
}

#[test]
fn a_new_admin_token_ends_the_operator_s_last_one() {
    let world = World::new();
    let first = world.new_team("acme");
    let (status, made) = call(&world, "POST", &format!("{ACME}/admin-token"), Value::Null);
    assert_eq!(status, 200, "{made}");
    assert_eq!(admin(&world, made["adminToken"].as_str().unwrap()), 200);
    assert_eq!(admin(&world, &first), 401);
    assert_eq!(actions(&world), ["admin_token.issued", "team.created"]);
}

#[test]
fn a_creation_that_crashed_is_finished_by_the_next_call() {
    for crash in [Crash::BeforeCall, Crash::AfterCall] {
        let world = World::new();
        world.crash.set(Some(crash));
        call(&world, "POST", TEAMS, acme());
        assert_eq!(state(&world, ACME), "creating");
        let suspend = format!("{ACME}/suspend");
        refused(&world, ("POST", &suspend, Value::Null), 409, "team_unsettled", "creating");
        // It could still be on its way.
        refused(&world, ("POST", TEAMS, acme()), 409, "team_exists", "being created");
        world.pass(60_000);
        let (status, made) = call(&world, "POST", TEAMS, acme());
        assert_eq!((status, &made["state"]), (201, &json!("live")), "{made}");
        assert_eq!(admin(&world, made["adminToken"].as_str().unwrap()), 200);
        assert_eq!(actions(&world), ["team.created"]);
    }
}

#[test]
fn a_creation_that_crashed_is_finished_by_the_alarm() {
    for crash in [Crash::BeforeCall, Crash::AfterCall] {
        let world = World::new();
        world.crash.set(Some(crash));
        call(&world, "POST", TEAMS, acme());
        world.alarm();
        assert_eq!(state(&world, ACME), "live");
        let made = call(&world, "POST", &format!("{ACME}/admin-token"), Value::Null).1;
        assert_eq!(admin(&world, made["adminToken"].as_str().unwrap()), 200);
        refused(&world, ("POST", TEAMS, acme()), 409, "team_exists", "exists already");
        let woken = world.woken();
        world.alarm();
        assert_eq!(world.woken(), woken, "nothing is left to do");
    }
}

#[test]
fn a_deletion_that_crashed_is_finished() {
    for crash in [Crash::BeforeCall, Crash::AfterCall] {
        for by_alarm in [true, false] {
            let world = World::new();
            let token = world.new_team("acme");
            world.crash.set(Some(crash));
            call(&world, "DELETE", ACME, Value::Null);
            assert_eq!(state(&world, ACME), "deleting");
            let resume = format!("{ACME}/resume");
            refused(&world, ("POST", &resume, Value::Null), 409, "team_unsettled", "deleting");
            refused(&world, ("POST", TEAMS, acme()), 409, "team_exists", "not given again");
            match by_alarm {
                true => world.alarm(),
                false => assert_eq!(call(&world, "DELETE", ACME, Value::Null).0, 204),
            }
            assert_eq!(call(&world, "GET", ACME, Value::Null).0, 404);
            assert_eq!(admin(&world, &token), 401);
            refused(&world, ("POST", TEAMS, acme()), 409, "team_exists", "not given again");
            assert_eq!(actions(&world), ["team.deleted", "team.created"]);
        }
    }
}

#[test]
fn a_suspension_that_crashed_can_be_repeated() {
    for crash in [Crash::BeforeCall, Crash::AfterCall] {
        let world = World::new();
        world.new_team("acme");
        let suspend = format!("{ACME}/suspend");
        world.crash.set(Some(crash));
        call(&world, "POST", &suspend, Value::Null);
        assert_eq!(call(&world, "POST", &suspend, Value::Null).0, 200);
        assert_eq!(state(&world, ACME), "suspended");
    }
}

#[test]
fn teams_are_listed_by_the_page() {
    let world = World::new();
    for id in ["eu.acme", "cc", "aa", "bb", "dd"] {
        world.new_team(id);
    }
    let ids = |query: &str| -> Vec<String> {
        let (status, page) = call(&world, "GET", &format!("{TEAMS}{query}"), Value::Null);
        assert_eq!(status, 200, "{query}: {page}");
        let teams = page["teams"].as_array().unwrap().iter();
        teams.map(|team| team["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(""), ["aa", "bb", "cc", "dd", "eu.acme"]);
    assert_eq!(ids("?count=2"), ["aa", "bb"]);
    assert_eq!(ids("?count=2&after=bb"), ["cc", "dd"]);
    assert_eq!(ids("?after=dd"), ["eu.acme"]);
    assert_eq!(ids("?after=eu.acme"), [""; 0]);
    assert_eq!(ids("?count=0"), [""; 0]);
    let bad = format!("{TEAMS}?count=-1");
    refused(&world, ("GET", &bad, Value::Null), 400, "invalid", "`count`");
}

#[test]
fn seats_are_the_operators_to_set() {
    let world = World::new();
    let admin = world.new_team("acme");
    let (status, team) = call(&world, "PATCH", ACME, json!({ "seats": 7 }));
    assert_eq!((status, &team["seats"]), (200, &json!(7)));
    assert_eq!(call(&world, "GET", ACME, Value::Null).1["seats"], 7);
    assert_eq!(world.ok(&admin, "GET", "/teams/acme/v1", Value::Null)["seats"], 7);
    assert_eq!(actions(&world)[0], "team.seats.set");
    for (body, says) in [
        (json!({ "seats": 0 }), "from 1 to"),
        (json!({ "seats": 10_000_001 }), "from 1 to"),
        (json!({ "seats": 1.5 }), "invalid type"),
        (json!({}), "missing field"),
        (json!({ "seats": 1, "name": "x" }), "unknown field"),
    ] {
        refused(&world, ("PATCH", ACME, body), 400, "invalid", says);
    }
    let path = format!("{TEAMS}/nobody");
    refused(&world, ("PATCH", &path, json!({ "seats": 1 })), 404, "team_not_found", "no such team");
}

#[test]
fn a_signing_secret_is_retired_when_nothing_needs_it() {
    let world = World::new();
    let old = world.team("acme");
    world.new_team("other");
    let service = call(
        &world,
        "POST",
        &format!("{TEAMS}/acme/service-tokens"),
        json!({ "name": "login", "scopes": ["sessions"] }),
    );
    let (service, service_id) = (&service.1["token"], &service.1["id"]);
    let member = world.ok(&old.admin, "GET", "/teams/acme/v1/members", Value::Null);
    let session = json!({ "member": { "id": member["members"][0]["id"] }, "method": "saml" });
    let path = "/teams/acme/v1/sessions";
    world.ok(service.as_str().unwrap(), "POST", path, session);
    let path = format!("/teams/acme/v1/service-tokens/{}", service_id.as_str().unwrap());
    world.ok(&old.admin, "DELETE", &path, Value::Null);
    world.sign_with(&format!("{SIGNING_SECRETS},{NEXT_SECRET}"));
    let retire = |version: u8| {
        let path = format!("/operator/v1/signing-secrets/{version}/retire");
        call(&world, "POST", &path, Value::Null)
    };
    assert_eq!(retire(2).0, 200, "nothing was made under it yet");
    let (status, told) = retire(1);
    assert_eq!((status, &told["error"]["code"]), (409, &json!("signing_secret_in_use")), "{told}");
    let teams = told["error"]["teams"].as_array().unwrap();
    assert_eq!((&teams[0]["team"], &teams[1]["team"]), (&json!("acme"), &json!("other")));
    assert_eq!(teams[0]["credentials"].as_array().unwrap().len(), 3, "a key, a token, a session");

    let keys = world.ok(&old.admin, "GET", "/teams/acme/v1/scim/keys", Value::Null);
    let key = keys["keys"][0]["id"].as_str().unwrap();
    let path = format!("/teams/acme/v1/scim/keys/{key}/regenerate");
    world.ok(&old.admin, "POST", &path, json!({ "graceSeconds": 0 }));
    for team in ["acme", "other"] {
        assert_eq!(
            call(&world, "POST", &format!("{TEAMS}/{team}/admin-token"), Value::Null).0,
            200
        );
    }
    assert_eq!(retire(1).0, 409, "somebody is signed in under it");
    world.pass(8 * 3_600_000);
    assert_eq!(retire(1).0, 200);
    assert_eq!(retire(2).0, 409);
}

#[test]
fn paths_and_methods_are_matched_as_they_are_sent() {
    let world = World::new();
    world.new_team("acme");
    for path in [
        "/operator/",
        "/operator/v1",
        "/operator/v2/teams",
        "/operator/v1/t%65ams",
        "/operator/v1/teams/",
    ] {
        refused(&world, ("GET", path, Value::Null), 404, "not_found", "nothing at this path");
    }
    for path in
        ["/operator/v1/teams/acm%65", "/operator/v1/teams/ACME", "/operator/v1/teams/nobody"]
    {
        refused(&world, ("GET", path, Value::Null), 404, "team_not_found", "no such team");
    }
    for (method, path, allow) in [
        ("PUT", TEAMS, "GET, POST"),
        ("POST", ACME, "GET, PATCH, DELETE"),
        ("GET", "/operator/v1/teams/acme/suspend", "POST"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {OPERATOR_TOKEN}"));
        let answer = world.send(request.body(Vec::new()).unwrap());
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(answer.headers()["allow"], allow, "{method} {path}");
    }
}
