//! Break-glass links: an operator appoints an admin, whatever the team's
//! provider did, and a mail scanner that opens the link does not.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use acme::world::{OPERATOR_TOKEN, SIGNING_SECRETS, World};
use http::{Request, Response};
use serde_json::{Value, json};

const ISSUE: &str = "/operator/v1/teams/acme/break-glass";
const MINUTE: i64 = 60_000;

fn issue(world: &World, email: &str) -> (u16, Value) {
    let body = json!({ "name": "Eve <b>Helper</b>", "email": email });
    let (status, body) = world.call(OPERATOR_TOKEN, "POST", ISSUE, body);
    (status.as_u16(), body)
}

/// The path of a new link.
#[track_caller]
fn link(world: &World, email: &str) -> String {
    let (status, body) = issue(world, email);
    assert_eq!(status, 201, "{body}");
    body["url"].as_str().unwrap().strip_prefix("http://localhost:8787").unwrap().to_owned()
}

fn open(world: &World, method: &str, path: &str) -> (u16, String) {
    let response = answer(world, method, path);
    (response.status().as_u16(), String::from_utf8(response.into_body()).unwrap())
}

fn answer(world: &World, method: &str, path: &str) -> Response<Vec<u8>> {
    world.send(Request::builder().method(method).uri(path).body(vec![]).unwrap())
}

/// Presses the button; returns the session that the browser keeps.
#[track_caller]
fn press(world: &World, path: &str) -> String {
    let response = answer(world, "POST", path);
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/teams/acme/authentication");
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    let (name, rest) = cookie.split_once('=').unwrap();
    assert_eq!(name, "__Host-kafkaman-acme");
    assert!(rest.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{rest}");
    rest.split(';').next().unwrap().to_owned()
}

#[test]
fn opening_a_link_changes_nothing_and_its_button_works_once() {
    let acme = Acme::enabled();
    let world = &acme.world;
    let path = link(world, "Eve@kafkaman.example");
    let members = || acme.ok("GET", "/members", Value::Null);
    let before = members();
    for method in ["GET", "GET", "HEAD"] {
        let (status, page) = open(world, method, &path);
        assert_eq!((status, page.is_empty()), (200, method == "HEAD"));
        assert!(!page.contains("<b>"), "names are escaped");
        assert_eq!(page.contains("<form method=\"post\">"), method == "GET");
    }
    assert_eq!(open(world, "DELETE", &path).0, 405);
    assert_eq!(members(), before);

    let eve = press(world, &path);
    let me = world.ok(&eve, "GET", "/teams/acme/v1/me", Value::Null);
    assert_eq!((&me["role"], &me["userName"]), (&json!("admin"), &json!("eve@kafkaman.example")));
    for method in ["GET", "POST"] {
        let (status, page) = open(world, method, &path);
        assert_eq!((status, page.contains("kfm_")), (404, false), "{method}");
    }
    assert!(acme.actions().starts_with(&[
        "session.opened".into(),
        "break_glass.used".into(),
        "member.added".into(),
        "break_glass.issued".into()
    ]));
    let page = acme.ok("GET", "/audit?action=break_glass", Value::Null);
    assert!(page["records"][0]["actor"].as_str().unwrap().starts_with("operator:"));
    let (_, audit) = world.call(OPERATOR_TOKEN, "GET", "/operator/v1/audit", Value::Null);
    assert_eq!(audit["records"][0]["action"], "break_glass.issued");
}

#[test]
fn the_page_is_passed_on_to_nobody() {
    let acme = Acme::new();
    let path = link(&acme.world, "eve@kafkaman.example");
    for path in [path.as_str(), "/teams/acme/break-glass/kfm_link_AAAA"] {
        let response = answer(&acme.world, "GET", path);
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; "), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}

#[test]
fn a_member_becomes_admin_with_a_link_and_a_suspended_one_does_not() {
    let acme = Acme::enabled();
    let world = &acme.world;
    let key = acme.key("provider").1;
    let add = |name: &str, active: bool| {
        let body = json!({ "userName": name, "active": active });
        world.ok(&key, "POST", "/scim/v2/Users", body)["id"].as_str().unwrap().to_owned()
    };
    let ada = add("ada@kafkaman.example", true);
    let gone = add("gone@kafkaman.example", false);
    let path = link(world, "ADA@kafkaman.example");
    let me = world.ok(&press(world, &path), "GET", "/teams/acme/v1/me", Value::Null);
    assert_eq!((&me["id"], &me["role"]), (&json!(ada), &json!("admin")));

    let (status, body) = issue(world, "gone@kafkaman.example");
    assert_eq!((status, &body["error"]["code"]), (409, &json!("member_suspended")));

    let path = link(world, "ada@kafkaman.example");
    let suspend = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "active", "value": false }],
    });
    world.ok(&key, "PATCH", &format!("/scim/v2/Users/{ada}"), suspend);
    let (status, page) = open(world, "POST", &path);
    assert_eq!((status, page.contains("suspended")), (409, true), "{page}");
    for id in [ada, gone] {
        let member = acme.ok("GET", &format!("/members/{id}"), Value::Null);
        assert_eq!(member["state"], "suspended");
    }
}

#[test]
fn the_last_admin_may_be_gone() {
    let acme = Acme::enabled();
    let world = &acme.world;
    let key = acme.key("provider").1;
    let me = acme.ok("GET", "/me", Value::Null)["id"].as_str().unwrap().to_owned();
    world.ok(&key, "DELETE", &format!("/scim/v2/Users/{me}"), Value::Null);
    assert_eq!(acme.call("GET", "/me", Value::Null).0, 401);
    let path = "/operator/v1/teams/acme/admin-token";
    assert_eq!(world.call(OPERATOR_TOKEN, "POST", path, Value::Null).0, 409);
    let eve = press(world, &link(world, "eve@kafkaman.example"));
    world.ok(&eve, "GET", "/teams/acme/v1/members", Value::Null);
}

#[test]
fn a_link_ends_by_time_by_another_and_with_its_signing_secret() {
    let acme = Acme::new();
    let world = &acme.world;
    let first = link(world, "eve@kafkaman.example");
    let other = link(world, "other@kafkaman.example");
    let second = link(world, "EVE@kafkaman.example");
    assert_eq!(open(world, "GET", &first).0, 404, "replaced");
    assert_eq!((open(world, "GET", &other).0, open(world, "GET", &second).0), (200, 200));
    world.pass(15 * MINUTE - 1_000);
    assert_eq!(open(world, "GET", &second).0, 200);
    world.pass(1_000);
    assert_eq!((open(world, "GET", &second).0, open(world, "POST", &second).0), (404, 404));
    acme.world.upkeep("acme");
    let rows = |context: &kafkaman_scim::directory::Context<'_>| {
        context.sql.first("SELECT count(*) FROM break_glass", &[], |mut row| row.integer())
    };
    assert_eq!(world.in_team("acme", rows).unwrap(), Some(0));

    let third = link(world, "eve@kafkaman.example");
    world.sign_with("2:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY");
    let woken = world.woken();
    assert_eq!(
        (open(world, "POST", &third).0, world.woken()),
        (404, woken),
        "a forgery wakes none"
    );
    world.sign_with(SIGNING_SECRETS);
    assert_eq!(open(world, "GET", &third).0, 200);
    let elsewhere = third.replace("/teams/acme/", "/teams/other/");
    assert_eq!(open(world, "GET", &elsewhere).0, 404);
    let text = third.rsplit('/').next().unwrap();
    for path in ["/teams/acme/v1/me", "/scim/v2/Users", "/operator/v1/teams"] {
        assert_eq!(world.call(text, "GET", path, Value::Null).0, 401, "{path}");
    }
    for text in [acme.admin.as_str(), "", "x"] {
        let (status, _) = open(world, "POST", &format!("/teams/acme/break-glass/{text}"));
        assert_eq!(status, 404, "{text}");
    }
}

#[test]
fn what_cannot_be_is_refused_when_the_link_is_made_or_used() {
    let acme = Acme::new();
    let world = &acme.world;
    let code = |answer: (u16, Value)| (answer.0, answer.1["error"]["code"].clone());
    assert_eq!(code(issue(world, "eve")), (400, json!("invalid")));
    let nameless = json!({ "name": " ", "email": "eve@kafkaman.example" });
    assert_eq!(world.call(OPERATOR_TOKEN, "POST", ISSUE, nameless).0, 400);
    assert_eq!(world.call(&acme.admin, "POST", ISSUE, json!({})).0, 401, "operators alone");

    let path = link(world, "eve@kafkaman.example");
    let team = |path: &str, body: Value| {
        let method = if body.is_null() { "POST" } else { "PATCH" };
        world.ok(OPERATOR_TOKEN, method, &format!("/operator/v1/teams/acme{path}"), body);
    };
    team("", json!({ "seats": 1 }));
    assert_eq!(open(world, "POST", &path).0, 409, "no seat");
    assert_eq!(code(issue(world, "new@kafkaman.example")), (409, json!("no_free_seat")));
    assert_eq!(issue(world, "admin@kafkaman.example").0, 201, "who is there needs no other seat");
    team("", json!({ "seats": 2 }));
    team("/suspend", Value::Null);
    assert_eq!(open(world, "POST", &path).0, 409);
    assert_eq!(code(issue(world, "new@kafkaman.example")), (409, json!("team_suspended")));
    team("/resume", Value::Null);
    assert!(!press(world, &path).is_empty(), "what was refused spent nothing");
}

#[test]
fn an_operator_makes_service_tokens() {
    let acme = Acme::enabled();
    let world = &acme.world;
    let path = "/operator/v1/teams/acme/service-tokens";
    let body = json!({ "name": "login", "scopes": ["policy"] });
    let made = world.ok(OPERATOR_TOKEN, "POST", path, body);
    let decide =
        json!({ "member": { "userName": "admin@kafkaman.example" }, "action": "leave_team" });
    let decided =
        world.ok(made["token"].as_str().unwrap(), "POST", "/teams/acme/v1/policy/decide", decide);
    assert_eq!(decided["allowed"], false);
    let listed = acme.ok("GET", "/service-tokens", Value::Null);
    let one = &listed["serviceTokens"][0];
    assert_eq!((&one["id"], &one["name"]), (&made["id"], &json!("login")));
    assert!(one["createdBy"].as_str().unwrap().starts_with("operator:"));
    for body in [json!({ "name": "x", "scopes": [] }), json!({ "name": "x", "scopes": ["all"] })] {
        assert_eq!(world.call(OPERATOR_TOKEN, "POST", path, body).0, 400);
    }
    let nowhere = "/operator/v1/teams/nowhere/service-tokens";
    let body = json!({ "name": "x", "scopes": ["policy"] });
    assert_eq!(world.call(OPERATOR_TOKEN, "POST", nowhere, body).0, 404);
}
