//! The operator's page: who sees it, and whose forms it takes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use http::{Request, Response};
use world::{OPERATOR_TOKEN, World};

const FORM: &str = "application/x-www-form-urlencoded";

fn send(world: &World, request: http::request::Builder, body: &str) -> Response<Vec<u8>> {
    let request = request.header("content-type", FORM);
    world.send(request.body(body.as_bytes().to_vec()).unwrap())
}

fn text(response: &Response<Vec<u8>>) -> String {
    String::from_utf8(response.body().clone()).unwrap()
}

/// The cookie of an operator who signed in.
fn signed_in(world: &World) -> String {
    let body = format!("token={OPERATOR_TOKEN}");
    let answer = send(world, Request::post("/operator/sign-in"), &body);
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(OPERATOR_TOKEN));
    cookie.split(';').next().unwrap().to_owned()
}

fn form_token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn only_an_operator_sees_the_teams_and_for_an_hour() {
    let world = World::new();
    world.new_team("acme");
    let look = |world: &World, cookie: &str| {
        text(&send(world, Request::get("/operator").header("cookie", cookie), "")).contains("acme")
    };
    let cookie = signed_in(&world);
    assert!(look(&world, &cookie));
    let (name, value) = cookie.split_once('=').unwrap();
    let (until, tag) = value.split_once('.').unwrap();
    let later = until.parse::<i64>().unwrap() + 1;
    for forged in [String::new(), "x.y".into(), format!("{later}.{tag}"), format!("{until}.")] {
        assert!(!look(&world, &format!("{name}={forged}")), "{forged}");
    }
    for refused in ["token=", "token=kfm_admin_AAAA", "", "token=operator"] {
        assert_eq!(send(&world, Request::post("/operator/sign-in"), refused).status(), 401);
    }
    world.pass(3_600_000);
    assert!(!look(&world, &cookie), "over");
}

#[test]
fn a_form_of_another_site_does_nothing() {
    let world = World::new();
    world.new_team("acme");
    let cookie = signed_in(&world);
    let page = text(&send(&world, Request::get("/operator").header("cookie", &cookie), ""));
    let good = format!("form={}", form_token(&page));
    let suspend = || Request::post("/operator/teams/acme/suspend").header("cookie", &cookie);
    for (request, body) in [
        (suspend(), ""),
        (suspend(), "form=x"),
        (suspend().header("origin", "https://evil.example"), good.as_str()),
        (suspend().header("sec-fetch-site", "cross-site"), good.as_str()),
    ] {
        assert_eq!(send(&world, request, body).status(), 403);
    }
    let bare = Request::post("/operator/teams/acme/suspend");
    assert!(text(&send(&world, bare, &good)).contains("Operator token"));
    let done = text(&send(&world, suspend(), &good));
    assert!(done.contains("Done.") && done.contains("Resume"), "{done}");
    let unknown = Request::post("/operator/teams/nobody/suspend").header("cookie", &cookie);
    assert_eq!(send(&world, unknown, &good).status(), 404);
}

#[test]
fn every_team_is_found_by_the_page_and_by_name() {
    let world = World::new();
    for n in 0..203 {
        world.new_team(&format!("team-{n:03}"));
    }
    let cookie = signed_in(&world);
    let get = |path: &str| text(&send(&world, Request::get(path).header("cookie", &cookie), ""));
    let first = get("/operator");
    assert!(first.contains("team-199") && !first.contains("team-200"));
    let (_, rest) = first.split_once("href=\"/operator?").unwrap();
    let next = rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    let second = get(&format!("/operator?{next}"));
    assert!(second.contains("team-202") && !second.contains("team-199"));
    for search in ["M-20", "team-20"] {
        let found = get(&format!("/operator?search={search}"));
        assert!(found.contains("team-200") && !found.contains("team-199"), "{search}");
    }
    let named = get("/operator?search=A+Team");
    assert!(named.contains("team-000") && named.contains("search=A%20Team"), "by its name");
    assert!(get("/operator?search=nobody").contains("No team matches"));
    let token = OPERATOR_TOKEN;
    let path = "/operator/v1/teams?search=TEAM-20";
    let found = world.ok(token, "GET", path, serde_json::Value::Null);
    assert_eq!(found["teams"].as_array().unwrap().len(), 3);
}
