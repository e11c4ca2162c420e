//! Every page and every form before every kind of visitor, from the program's own
//! table, so that a new page without a rule is found.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/stage.rs"]
mod openid;

use http::{Method, Request, Response};
use kafkaman_scim::dashboard::{Access, ROUTES};
use openid::acme::world::World;
use openid::acme::{self, Acme};
use openid::{ADMIN, KEY};
use serde_json::{Value, json};

const COOKIE: &str = "__Host-kafkaman-acme";
const FORM: &str = "application/x-www-form-urlencoded";

/// A team with an admin and a developer who are signed in, and others who are not.
struct Stage {
    acme: Acme,
    member: String,
    admin: String,
    developer: String,
    /// Those who are to be sent away, by what they bring.
    strangers: Vec<(&'static str, String)>,
}

impl Stage {
    fn new() -> Self {
        let acme = Acme::enabled();
        let key = acme.key("provider").1;
        let scopes = json!({ "name": "login", "scopes": ["sessions"] });
        let service = acme.ok("POST", "/service-tokens", scopes)["token"].clone();
        let session = |member: &str| {
            let proven = acme.world.in_team("acme", |context| context.now.to_string());
            let member = json!({ "userName": member });
            let asked = json!({ "member": member, "method": "saml", "provenAt": proven });
            let path = "/teams/acme/v1/sessions";
            let opened = acme.world.ok(service.as_str().unwrap(), "POST", path, asked);
            opened["token"].as_str().unwrap().to_owned()
        };
        let add = |name: &str| {
            let made = acme.world.ok(&key, "POST", "/scim/v2/Users", json!({ "userName": name }));
            made["id"].as_str().unwrap().to_owned()
        };
        let gone = add("gone@acme.example");
        let suspended = add("suspended@acme.example");
        let member = add("dev@acme.example");
        let strangers = vec![
            ("nothing", String::new()),
            ("garbage", "kfm_session_AAAA".into()),
            ("a SCIM API key", key.clone()),
            ("an admin token", acme.admin.clone()),
            ("a deleted member's session", session("gone@acme.example")),
            ("a suspended member's session", session("suspended@acme.example")),
            ("a session of another team", other_session(&acme.world)),
        ];
        acme.world.ok(&key, "DELETE", &format!("/scim/v2/Users/{gone}"), Value::Null);
        let off = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "active", "value": false }],
        });
        acme.world.ok(&key, "PATCH", &format!("/scim/v2/Users/{suspended}"), off);
        let (admin, developer) = (session("admin@kafkaman.example"), session("dev@acme.example"));
        Self { member, admin, developer, strangers, acme }
    }

    /// A path of a route, its segments filled in.
    fn path(&self, pattern: &str) -> String {
        pattern
            .replace("{team}", "acme")
            .replace("{member}", &self.member)
            .replace("{provider}", "okta")
            .replace("{group}", "none")
            .replace("{key}", "none")
            .replace("{token}", "none")
            .replace("{session}", "none")
    }

    fn send(&self, request: http::request::Builder, body: &str) -> Response<Vec<u8>> {
        self.acme.world.send(request.body(body.as_bytes().to_vec()).unwrap())
    }

    fn ask(&self, method: &Method, path: &str, session: &str) -> Response<Vec<u8>> {
        let request = Request::builder().method(method).uri(path).header("content-type", FORM);
        self.send(request.header("cookie", format!("a=b; {COOKIE}={session}")), "")
    }

    /// What this session's forms carry.
    fn form(&self, session: &str) -> String {
        let page = text(&self.ask(&Method::GET, "/teams/acme/me", session));
        let (_, rest) = page.split_once("name=\"form\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

fn other_session(world: &World) -> String {
    let other = world.team("other");
    let scopes = json!({ "name": "login", "scopes": ["sessions"] });
    let made = world.ok(&other.admin, "POST", "/teams/other/v1/service-tokens", scopes);
    let asked = json!({ "member": { "userName": "admin@kafkaman.example" }, "method": "saml" });
    let path = "/teams/other/v1/sessions";
    let opened = world.ok(made["token"].as_str().unwrap(), "POST", path, asked);
    opened["token"].as_str().unwrap().to_owned()
}

fn text(response: &Response<Vec<u8>>) -> String {
    String::from_utf8(response.body().clone()).unwrap()
}

fn place(response: &Response<Vec<u8>>) -> &str {
    response.headers().get("location").map_or("", |place| place.to_str().unwrap())
}

#[test]
fn strangers_are_sent_to_the_sign_in_page_from_everywhere() {
    let stage = Stage::new();
    for route in ROUTES {
        let path = stage.path(route.pattern);
        for (what, cookie) in &stage.strangers {
            let answer = stage.ask(&route.method, &path, cookie);
            assert_eq!(answer.status(), 303, "{what}: {} {path}", route.method);
            assert!(place(&answer).starts_with("/teams/acme/sign-in?back="), "{what}: {path}");
        }
    }
    let woken = stage.acme.world.woken();
    for cookie in ["", "kfm_session_AAAA"] {
        stage.ask(&Method::GET, "/teams/acme", cookie);
        stage.ask(&Method::GET, "/teams/acme/sign-in", cookie);
    }
    assert_eq!(stage.acme.world.woken(), woken, "who shows nothing wakes nobody");
    let twice = Request::get("/teams/acme/me")
        .header("cookie", format!("{COOKIE}={0}; {COOKIE}={0}", stage.admin));
    assert_eq!(stage.send(twice, "").status(), 303, "one of two cookies is not ours");
}

#[test]
fn pages_are_for_those_whom_they_are_for() {
    let stage = Stage::new();
    for route in ROUTES.iter().filter(|route| route.method == Method::GET) {
        let path = stage.path(route.pattern);
        let admin = stage.ask(&Method::GET, &path, &stage.admin);
        let expected = if route.pattern.ends_with("{group}") { 404 } else { 200 };
        assert_eq!(admin.status(), expected, "{path}");
        let head = stage.ask(&Method::HEAD, &path, &stage.admin);
        assert_eq!((head.status(), text(&head).len()), (admin.status(), 0), "{path}");
        let developer = stage.ask(&Method::GET, &path, &stage.developer);
        match (path.as_str(), route.handler.access) {
            ("/teams/acme", _) => assert_eq!(place(&developer), "/teams/acme/me"),
            (_, Access::Member) => assert_eq!(developer.status(), 200, "{path}"),
            _ => assert_eq!(developer.status(), 403, "{path}"),
        }
        for answer in [&admin, &developer] {
            let header =
                |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(header("cache-control"), Some("no-store"), "{path}");
            assert_eq!(header("x-content-type-options"), Some("nosniff"), "{path}");
            if header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
                let policy = header("content-security-policy").unwrap();
                assert!(policy.contains("default-src 'none'"), "{path}");
                assert!(policy.contains("frame-ancestors 'none'"), "{path}");
                assert!(!policy.contains("unsafe"), "{path}");
                let page = text(answer);
                assert!(!page.contains("<script>") && !page.contains("style=\""), "{path}");
                assert!(!page.contains(" onclick"), "{path}");
            }
        }
    }
}

#[test]
fn no_form_but_ours_changes_anything() {
    let stage = Stage::new();
    let before = stage.acme.actions();
    let own = stage.form(&stage.admin);
    let others = stage.form(&stage.developer);
    for route in ROUTES.iter().filter(|route| route.method == Method::POST) {
        let path = stage.path(route.pattern);
        let ask = || {
            let cookie = format!("{COOKIE}={}", stage.admin);
            Request::post(&path).header("cookie", cookie)
        };
        let good = format!("form={own}");
        let table = [
            ("no token", ask().header("content-type", FORM), String::new()),
            ("another session's", ask().header("content-type", FORM), format!("form={others}")),
            ("JSON", ask().header("content-type", "application/json"), good.clone()),
            ("plain text", ask().header("content-type", "text/plain"), good.clone()),
            (
                "another site",
                ask().header("content-type", FORM).header("sec-fetch-site", "cross-site"),
                good.clone(),
            ),
            (
                "a sibling",
                ask().header("content-type", FORM).header("sec-fetch-site", "same-site"),
                good.clone(),
            ),
            (
                "another origin",
                ask().header("content-type", FORM).header("origin", "https://evil.example"),
                good.clone(),
            ),
            ("no origin", ask().header("content-type", FORM).header("origin", "null"), good),
        ];
        for (what, request, body) in table {
            assert_eq!(stage.send(request, &body).status(), 403, "{what}: {path}");
        }
        if route.handler.access != Access::Member {
            let request = Request::post(&path)
                .header("cookie", format!("{COOKIE}={}", stage.developer))
                .header("content-type", FORM);
            assert_eq!(stage.send(request, &format!("form={others}")).status(), 403, "{path}");
        }
    }
    assert_eq!(stage.acme.actions(), before, "nothing was done");
}

#[test]
fn keys_and_sign_in_take_a_recent_sign_in() {
    let stage = Stage::new();
    stage.acme.ok("PATCH", "/settings", json!({ "sessionIdleSeconds": 7200 }));
    stage.acme.world.pass(3_600_001);
    let form = format!("form={}", stage.form(&stage.admin));
    let mut recent = 0;
    for route in ROUTES.iter().filter(|route| route.handler.access == Access::Recent) {
        let path = stage.path(route.pattern);
        let answer = stage.send(
            Request::post(&path)
                .header("cookie", format!("{COOKIE}={}", stage.admin))
                .header("content-type", FORM),
            &form,
        );
        assert_eq!(answer.status(), 403, "{path}");
        assert!(text(&answer).contains("again=1"), "{path}");
        recent += 1;
    }
    assert!(recent >= 8, "keys, single sign-on, SCIM and service tokens");
}

#[test]
fn a_sign_in_that_the_provider_waved_through_is_not_recent() {
    let stage = openid::Stage::new();
    let post = |path: &str, body: &str| {
        let shown = openid::page(&stage.open("/teams/acme/authentication"));
        let (_, rest) = shown.split_once("name=\"form\" value=\"").unwrap();
        let form = rest.split('"').next().unwrap();
        let session = stage.cookies.borrow()[COOKIE].clone();
        let request = Request::post(path)
            .header("cookie", format!("{COOKIE}={session}"))
            .header("content-type", FORM);
        let body = format!("form={form}&{body}");
        stage.acme.world.send(request.body(body.into_bytes()).unwrap())
    };
    let sign_in = |query: &str, proven: Option<i64>| {
        let asked = stage.begin(query);
        let mut claims = stage.claims(&asked, "ol-1", ADMIN);
        claims["auth_time"] = proven.map_or(Value::Null, |ago| json!(stage.now() - ago));
        let back = stage.come_back(&asked, KEY.token(&claims));
        assert_eq!(openid::code(&back), "in", "{query}");
    };
    let key = || post("/teams/acme/keys", "name=provider");
    for proven in [Some(5 * 3_600), Some(3_601), None] {
        sign_in("", proven);
        let answer = key();
        assert_eq!(answer.status(), 403, "{proven:?}");
        assert!(text(&answer).contains("again=1"), "{proven:?}");
        let session = stage.cookies.borrow()[COOKIE].clone();
        let (status, told) = stage.acme.world.call(
            &session,
            "POST",
            "/teams/acme/v1/scim/keys",
            json!({ "name": "x" }),
        );
        assert_eq!(status, 403, "{proven:?}");
        assert_eq!(told["error"]["code"], "recent_sign_in_required");
        let path = "/teams/acme/v1/scim/keys";
        assert_eq!(stage.acme.world.call(&session, "GET", path, Value::Null).0, 200);
    }
    sign_in("?again=1", Some(10));
    assert_eq!(key().status(), 200);
    sign_in("", Some(10));
    assert_eq!(key().status(), 200, "and whoever has just signed in at the provider");
}

#[test]
fn an_alarm_is_answered_as_far_as_it_goes_and_says_how_far() {
    let stage = Stage::new();
    stage.acme.ok("PATCH", "/settings", json!({ "brakeMembers": 1, "brakePercent": 1 }));
    let key = stage.acme.key("second").1;
    let people: Vec<String> = (0..205)
        .map(|n| {
            let body = json!({ "userName": format!("u{n}@acme.example") });
            let made = stage.acme.world.ok(&key, "POST", "/scim/v2/Users", body);
            made["id"].as_str().unwrap().to_owned()
        })
        .collect();
    for id in &people {
        stage.acme.world.ok(&key, "DELETE", &format!("/scim/v2/Users/{id}"), Value::Null);
    }
    let form = format!("form={}", stage.form(&stage.admin));
    let undo = |rest: &str| {
        let request = Request::post("/teams/acme/brake/undo")
            .header("cookie", format!("{COOKIE}={}", stage.admin))
            .header("content-type", FORM);
        stage.send(request, &format!("{form}&{rest}"))
    };
    let shown = text(&stage.ask(&Method::GET, "/teams/acme/provisioning", &stage.admin));
    let last = format!("value=\"{}\"", people[204]);
    assert!(shown.contains("deleted 206") && !shown.contains(&last));
    let (_, rest) = shown.split_once("/provisioning?after=").unwrap();
    let next = format!("/teams/acme/provisioning?after={}", rest.split('"').next().unwrap());
    assert!(text(&stage.ask(&Method::GET, &next, &stage.admin)).contains(&last));
    let nobody = undo("who=some");
    assert_eq!(nobody.status(), 400);
    assert!(text(&nobody).contains("Tick whom to restore"));
    let one = undo(&format!("who=some&member={}", people[204]));
    assert!(text(&one).contains("1 restored, 206 left"), "{}", text(&one));
    assert!(text(&undo("who=all")).contains("200 restored, 6 left"));
    assert!(text(&undo("who=all")).contains("6 restored, none left"));
    assert_eq!(undo("who=all").status(), 409);
}

#[test]
fn a_suspended_team_can_be_read_by_its_admins() {
    let stage = Stage::new();
    let path = "/operator/v1/teams/acme/suspend";
    stage.acme.world.ok(acme::world::OPERATOR_TOKEN, "POST", path, Value::Null);
    let page = text(&stage.ask(&Method::GET, "/teams/acme", &stage.admin));
    assert!(page.contains("kafkaman suspended this team"));
    let form = format!("form={}", stage.form(&stage.admin));
    let request = Request::post(format!("/teams/acme/members/{}/role", stage.member))
        .header("cookie", format!("{COOKIE}={}", stage.admin))
        .header("content-type", FORM);
    let answer = stage.send(request, &format!("{form}&role=admin"));
    assert_eq!(answer.status(), 403);
    assert!(text(&answer).contains("nothing changed"));
}

#[test]
fn what_people_are_called_is_text_and_never_markup() {
    let stage = Stage::new();
    let key = stage.acme.key("second").1;
    let name = "<script>alert(1)</script>\"'><img src=x>";
    let body = json!({ "userName": "evil@acme.example", "displayName": name, "title": name });
    let made = stage.acme.world.ok(&key, "POST", "/scim/v2/Users", body);
    let id = made["id"].as_str().unwrap();
    let group = json!({ "displayName": name, "members": [{ "value": id }] });
    let group = stage.acme.world.ok(&key, "POST", "/scim/v2/Groups", group);
    let group = group["id"].as_str().unwrap();
    for path in [
        String::new(),
        format!("/members/{id}"),
        format!("/members/{id}/remove"),
        "/groups".into(),
        format!("/groups/{group}"),
        "/provisioning".into(),
        "/audit".into(),
        "?search=%3Cscript%3Ealert(1)%3C/script%3E".into(),
        "/audit?action=%22%3E%3Cscript%3E".into(),
    ] {
        let page = text(&stage.ask(&Method::GET, &format!("/teams/acme{path}"), &stage.admin));
        assert!(page.contains("</html>"), "{path}");
        assert!(!page.contains("<script>") && !page.contains("<img"), "{path}");
    }
}

#[test]
fn a_day_in_the_audit_lasts_until_midnight() {
    let stage = Stage::new();
    let now = stage.acme.world.in_team("acme", |context| context.now.0);
    let midnight = kafkaman_scim::scim::Timestamp::parse("2026-11-24T00:00:00Z").unwrap().0;
    stage.acme.ok("PATCH", "/settings", json!({ "sessionIdleSeconds": 86_400 }));
    stage.acme.world.pass(midnight - now - 500);
    stage.acme.ok("PATCH", "/settings", json!({ "auditDays": 100 }));
    stage.acme.world.pass(1_000);
    stage.acme.ok("PATCH", "/settings", json!({ "auditDays": 101 }));
    let days = |query: &str| {
        let path = format!("/teams/acme/audit?action=settings.changed&{query}");
        let page = text(&stage.ask(&Method::GET, &path, &stage.admin));
        page.matches("<code>settings.changed</code>").count()
    };
    assert_eq!((days("until=2026-11-23"), days("since=2026-11-24")), (2, 1));
}

#[test]
fn what_an_export_does_not_hold_is_a_link_away() {
    let stage = Stage::new();
    stage.acme.world.in_team("acme", |context| {
        let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)
            INSERT INTO audit (at, actor, action, subject, detail)
            SELECT ?, 'system', 'made.up', '', '{}' FROM n";
        context.sql.execute(many, &[context.now.0.into()]).unwrap();
    });
    let get = |path: &str| text(&stage.ask(&Method::GET, path, &stage.admin));
    let page = get("/teams/acme/audit?action=made.up");
    let (_, rest) = page.split_once("The rest: <a href=\"").unwrap();
    let next = rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    let lines = |path: &str| get(path).lines().count();
    assert_eq!(lines("/teams/acme/audit/export?format=ndjson&action=made.up"), 10_000);
    assert_eq!(lines(&next), 50);
    assert!(!get("/teams/acme/audit?action=settings").contains("The rest: "));
}

#[test]
fn a_group_says_by_which_key_it_came_or_that_nobody_knows_any_more() {
    let stage = Stage::new();
    let key = stage.acme.key("OneLogin of the head office").1;
    stage.acme.world.ok(&key, "POST", "/scim/v2/Groups", json!({ "displayName": "Crew" }));
    let page = || text(&stage.ask(&Method::GET, "/teams/acme/groups", &stage.admin));
    assert!(page().contains("<td>OneLogin of the head office</td>"));
    stage.acme.world.in_team("acme", |context| {
        context.sql.execute("DELETE FROM audit WHERE action = 'group.created'", &[]).unwrap();
    });
    assert!(page().contains("<td>unknown</td>"));
}

#[test]
fn who_cannot_be_reactivated_here_has_no_button_for_it() {
    let stage = Stage::new();
    let suspended = stage.acme.ok("GET", "/members?state=suspended", Value::Null);
    let id = suspended["members"][0]["id"].as_str().unwrap().to_owned();
    let page = || {
        let path = format!("/teams/acme/members/{id}");
        text(&stage.ask(&Method::GET, &path, &stage.admin))
    };
    assert!(
        !page().contains("/reactivate") && page().contains("the identity provider reactivates")
    );
    stage.acme.ok("POST", "/scim/disable", Value::Null);
    assert!(page().contains("/reactivate"));
}
