//! Sessions: who gets one, and that none outlives the right to it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::world::OPERATOR_TOKEN;
use acme::{Acme, saml};
use http::StatusCode;
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;

/// A team with SCIM on, its provider's key, and a login service.
struct Login {
    acme: Acme,
    key: String,
    service: String,
}

impl Login {
    fn new() -> Self {
        let acme = Acme::enabled();
        let key = acme.key("provider").1;
        let service = service(&acme, &["sessions"]);
        Self { acme, key, service }
    }

    fn ask(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let path = format!("/teams/acme/v1/{path}");
        self.acme.world.call(&self.service, "POST", &path, body)
    }

    fn scim(&self, method: &str, path: &str, body: Value) -> Value {
        self.acme.world.ok(&self.key, method, &format!("/scim/v2{path}"), body)
    }

    fn person(&self, name: &str) -> String {
        let made = self.scim("POST", "/Users", json!({ "userName": name }));
        made["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn open(&self, name: &str) -> String {
        let body = json!({ "member": { "userName": name }, "method": "saml" });
        let (status, opened) = self.ask("sessions", body);
        assert_eq!(status, StatusCode::CREATED, "{opened}");
        opened["token"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn refused(&self, name: &str, method: &str, code: &str) {
        let body = json!({ "member": { "userName": name }, "method": method });
        let (status, answer) = self.ask("sessions", body);
        assert_eq!(
            (status, &answer["error"]["code"]),
            (StatusCode::FORBIDDEN, &json!(code)),
            "{answer}"
        );
    }

    #[track_caller]
    fn stands(&self, token: &str) -> bool {
        let (status, answer) = self.ask("sessions/introspect", json!({ "token": token }));
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["active"].as_bool().unwrap()
    }

    fn set_active(&self, id: &str, active: bool) {
        let operation = json!({ "op": "replace", "path": "active", "value": active });
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                           "Operations": [operation] });
        self.scim("PATCH", &format!("/Users/{id}"), body);
    }
}

fn service(acme: &Acme, scopes: &[&str]) -> String {
    let made = acme.ok("POST", "/service-tokens", json!({ "name": "login", "scopes": scopes }));
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_session_says_whose_it_is_and_its_secret_is_shown_once() {
    let login = Login::new();
    let ada = login.person("Ada@example.com");
    let body = json!({ "member": { "id": ada }, "method": "saml" });
    let (_, opened) = login.ask("sessions", body);
    let token = opened["token"].as_str().unwrap();
    assert!(token.starts_with("kfm_session_"));
    let (_, seen) = login.ask("sessions/introspect", json!({ "token": token }));
    assert_eq!((&seen["active"], &seen["session"]["member"]["id"]), (&json!(true), &json!(ada)));
    assert_eq!(seen["session"]["method"], "saml");
    assert_eq!(seen["session"]["token"], Value::Null);
    let stored = login.acme.world.in_team("acme", |context| {
        let mut found = false;
        context
            .sql
            .each("SELECT hash FROM session", &[], &mut |mut row| {
                let secret = token.rsplit('_').next().unwrap().as_bytes().to_vec();
                found |=
                    row.blob()?.windows(8).any(|part| secret.windows(8).any(|own| own == part));
                Ok(())
            })
            .unwrap();
        found
    });
    assert!(!stored, "only a hash is kept");
    let me = login.acme.world.ok(token, "GET", "/teams/acme/v1/me", Value::Null);
    assert_eq!(me["allowed"]["leave_team"]["code"], "managed_by_identity_provider");
    assert_eq!(me["allowed"]["use_api_key"], json!({ "allowed": true }));
    let one = login.acme.ok("GET", &format!("/members/{ada}"), Value::Null);
    assert!(one["signedInAt"].is_string());
}

#[test]
fn who_may_not_sign_in_gets_none() {
    let login = Login::new();
    let ada = login.person("ada");
    login.refused("ada", "password", "sso_required");
    login.refused("ada", "google", "sso_required");
    login.refused("ada", "oidc", "sso_not_configured");
    login.set_active(&ada, false);
    login.refused("ada", "saml", "member_suspended");
    login.set_active(&ada, true);
    login.open("ada");
    login.acme.world.ok(OPERATOR_TOKEN, "POST", "/operator/v1/teams/acme/suspend", Value::Null);
    login.refused("ada", "saml", "team_suspended");
    for (body, status, code) in [
        (json!({ "member": { "userName": "nobody" }, "method": "saml" }), 404, "member_not_found"),
        (json!({ "member": { "id": "x", "userName": "y" }, "method": "saml" }), 400, "invalid"),
        (json!({ "member": {}, "method": "saml" }), 400, "invalid"),
        (json!({ "member": { "userName": "ada" }, "method": "magic" }), 400, "invalid"),
    ] {
        let (got, answer) = login.ask("sessions", body);
        assert_eq!((got.as_u16(), &answer["error"]["code"]), (status, &json!(code)));
    }
}

/// Each of these ends a member's right to be here, in its own transaction.
#[test]
fn none_outlives_what_it_stands_on() {
    type End = fn(&Login, &str);
    let patch: End = |login, ada| login.set_active(ada, false);
    let ends: [(&str, End); 9] = [
        ("PATCH active", patch),
        ("PUT active", |login, ada| {
            let body = json!({ "userName": "ada", "active": false });
            login.scim("PUT", &format!("/Users/{ada}"), body);
        }),
        ("DELETE", |login, ada| drop(login.scim("DELETE", &format!("/Users/{ada}"), Value::Null))),
        ("bulk", |login, ada| {
            let operation = json!({ "method": "DELETE", "path": format!("/Users/{ada}") });
            login.scim(
                "POST",
                "/Bulk",
                json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "Operations": [operation] }),
            );
        }),
        ("removal", |login, ada| {
            drop(login.acme.ok("DELETE", &format!("/members/{ada}"), Value::Null))
        }),
        ("sign out", |login, ada| {
            let ended = login.acme.ok("POST", &format!("/members/{ada}/sign-out"), Value::Null);
            assert_eq!(ended["ended"], 2);
        }),
        ("SSO changed", |login, _| {
            let mut other = saml();
            other["issuer"] = json!("https://app.onelogin.example/saml/metadata/2");
            login.acme.ok("PUT", "/sso/saml", other);
        }),
        ("in a suspended team", |login, ada| {
            login.acme.world.ok(
                OPERATOR_TOKEN,
                "POST",
                "/operator/v1/teams/acme/suspend",
                Value::Null,
            );
            login.set_active(ada, false);
            login.acme.world.ok(
                OPERATOR_TOKEN,
                "POST",
                "/operator/v1/teams/acme/resume",
                Value::Null,
            );
        }),
        ("suspended and back", |login, ada| {
            login.set_active(ada, false);
            login.set_active(ada, true);
        }),
    ];
    for (what, end) in ends {
        let login = Login::new();
        let ada = login.person("ada");
        login.person("bob");
        let tokens = [login.open("ada"), login.open("ada")];
        let bobs = login.open("bob");
        assert!(tokens.iter().all(|token| login.stands(token)), "{what}");
        end(&login, &ada);
        assert!(!tokens.iter().any(|token| login.stands(token)), "{what}");
        assert_eq!(login.stands(&bobs), what != "SSO changed", "{what}: others stay");
        for token in &tokens {
            let (status, _) = login.acme.world.call(token, "GET", "/teams/acme/v1/me", Value::Null);
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}");
        }
    }
}

#[test]
fn single_sign_on_that_is_saved_as_it_was_signs_nobody_out() {
    let login = Login::new();
    login.person("ada");
    let token = login.open("ada");
    let actions = login.acme.actions();
    login.acme.ok("PUT", "/sso/saml", saml());
    assert!(login.stands(&token));
    assert_eq!(login.acme.actions(), actions, "nothing was changed");
}

#[test]
fn a_suspended_teams_sessions_rest() {
    let login = Login::new();
    login.person("ada");
    let token = login.open("ada");
    let operator = |what: &str| {
        let path = format!("/operator/v1/teams/acme/{what}");
        login.acme.world.ok(OPERATOR_TOKEN, "POST", &path, Value::Null);
    };
    operator("suspend");
    assert!(!login.stands(&token));
    operator("resume");
    assert!(login.stands(&token));
    operator("suspend");
    login.acme.world.ok(&token, "POST", "/teams/acme/v1/me/sign-out", Value::Null);
    operator("resume");
    assert!(!login.stands(&token), "whoever wants to go can");
}

#[test]
fn switching_scim_on_ends_what_sso_did_not_open() {
    let login = Login::new();
    login.person("ada");
    login.acme.ok("POST", "/scim/disable", Value::Null);
    let body = json!({ "member": { "userName": "ada" }, "method": "password" });
    let (_, opened) = login.ask("sessions", body);
    let (password, sso) = (opened["token"].as_str().unwrap(), login.open("ada"));
    assert!(login.stands(password) && login.stands(&sso));
    login.acme.ok("POST", "/scim/enable", Value::Null);
    assert!(!login.stands(password));
    assert!(login.stands(&sso));
}

#[test]
fn it_ends_when_idle_and_when_old() {
    let login = Login::new();
    login.person("ada");
    let world = &login.acme.world;
    let token = login.open("ada");
    for _ in 0..4 {
        world.pass(29 * MINUTE);
        assert!(login.stands(&token), "asked about in time");
    }
    world.pass(30 * MINUTE);
    assert!(!login.stands(&token), "idle");

    let token = login.open("ada");
    for _ in 0..19 {
        world.pass(25 * MINUTE);
        assert!(login.stands(&token));
    }
    world.pass(5 * MINUTE);
    assert!(!login.stands(&token), "eight hours old");

    let settings = json!({ "sessionIdleSeconds": 60, "sessionLifetimeSeconds": 120 });
    login.acme.ok("PATCH", "/settings", settings);
    let token = login.open("ada");
    world.pass(MINUTE - 10);
    assert!(login.stands(&token));
    world.pass(MINUTE - 10_000);
    assert!(login.stands(&token));
    world.pass(MINUTE);
    assert!(!login.stands(&token));
}

#[test]
fn what_is_no_session_of_this_team_stands_not() {
    let login = Login::new();
    login.person("ada");
    let token = login.open("ada");
    let other = login.acme.world.team("other");
    let mut forged = token.clone().into_bytes();
    forged[20] = if forged[20] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for text in ["", "kfm_session_", &forged, &login.key, &login.acme.admin, &login.service] {
        assert!(!login.stands(text), "{text}");
    }
    let made = login.acme.world.ok(
        &other.admin,
        "POST",
        "/teams/other/v1/service-tokens",
        json!({ "name": "theirs", "scopes": ["sessions"] }),
    );
    let path = "/teams/other/v1/sessions/introspect";
    let theirs = made["token"].as_str().unwrap();
    let seen = login.acme.world.ok(theirs, "POST", path, json!({ "token": token }));
    assert_eq!(seen, json!({ "active": false }));
    assert_eq!(login.ask("sessions/end", json!({ "token": token })).0, StatusCode::NO_CONTENT);
    assert!(!login.stands(&token));
    assert_eq!(login.ask("sessions/end", json!({ "token": token })).0, StatusCode::NO_CONTENT);
}

#[test]
fn a_member_signs_out_and_leaves_where_the_rules_allow() {
    let login = Login::new();
    login.person("ada");
    let world = &login.acme.world;
    let token = login.open("ada");
    let (status, answer) = world.call(&token, "POST", "/teams/acme/v1/me/leave", Value::Null);
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("managed_by_identity_provider"))
    );
    world.ok(&token, "POST", "/teams/acme/v1/me/sign-out", Value::Null);
    assert!(!login.stands(&token));
    login.acme.ok("POST", "/scim/disable", Value::Null);
    let token = login.open("ada");
    world.ok(&token, "POST", "/teams/acme/v1/me/leave", Value::Null);
    assert!(!login.stands(&token));
    assert_eq!(login.acme.actions()[..2], ["member.left", "session.opened"]);
    let (status, answer) =
        world.call(&login.acme.admin, "POST", "/teams/acme/v1/me/leave", Value::Null);
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::FORBIDDEN, &json!("last_admin")));
}

#[test]
fn services_ask_what_a_member_may_do() {
    let login = Login::new();
    let ada = login.person("ada");
    let policy = service(&login.acme, &["policy"]);
    let ask = |action: &str| {
        let body = json!({ "member": { "id": ada }, "action": action });
        login.acme.world.call(&policy, "POST", "/teams/acme/v1/policy/decide", body)
    };
    assert_eq!(ask("use_api_key").1, json!({ "allowed": true }));
    assert_eq!(ask("change_email").1["code"], "managed_by_identity_provider");
    assert_eq!(ask("fly").0, StatusCode::BAD_REQUEST);
    login.set_active(&ada, false);
    assert_eq!(ask("use_api_key").1["code"], "member_suspended");
}

#[test]
fn a_member_has_so_many_sessions_and_the_oldest_end_first() {
    let login = Login::new();
    login.person("ada");
    let tokens: Vec<String> = (0..51).map(|_| login.open("ada")).collect();
    assert!(!login.stands(&tokens[0]));
    assert!(tokens[1..].iter().all(|token| login.stands(token)));
}

#[test]
fn the_audit_knows_of_every_session_that_ended() {
    let login = Login::new();
    let ada = login.person("ada");
    let ended = || {
        let page = login.acme.ok("GET", "/audit?action=session.ended", Value::Null);
        page["records"].as_array().unwrap().clone()
    };
    let world = &login.acme.world;
    world.ok(&login.open("ada"), "POST", "/teams/acme/v1/me/sign-out", Value::Null);
    assert_eq!((ended().len(), &ended()[0]["subject"]), (1, &json!(ada)));
    assert_eq!(ended()[0]["actor"], format!("member:{ada}"));
    login.ask("sessions/end", json!({ "token": login.open("ada") }));
    assert_eq!((ended().len(), &ended()[0]["subject"]), (2, &json!(ada)));
    assert!(ended()[0]["actor"].as_str().unwrap().starts_with("service:"));
    login.ask("sessions/end", json!({ "token": "nothing" }));
    assert_eq!(ended().len(), 2);

    let _sso = (login.open("ada"), login.open("ada"));
    let mut other = saml();
    other["issuer"] = json!("https://app.onelogin.example/saml/metadata/2");
    login.acme.ok("PUT", "/sso/saml", other);
    assert_eq!((ended().len(), &ended()[0]["detail"]["sessions"]), (3, &json!(2)));
    login.acme.ok("POST", "/scim/disable", Value::Null);
    login.ask("sessions", json!({ "member": { "id": ada }, "method": "google" }));
    login.acme.ok("POST", "/scim/enable", Value::Null);
    assert_eq!((ended().len(), &ended()[0]["detail"]["sessions"]), (4, &json!(1)));
}

#[test]
fn a_shorter_life_and_a_shorter_rest_hold_for_sessions_that_stand() {
    let login = Login::new();
    login.person("ada");
    let world = &login.acme.world;
    let token = login.open("ada");
    // How many sessions a new one sees on the member's own page.
    let shown = || {
        let own = login.open("ada");
        let request = http::Request::get("/teams/acme/me")
            .header("cookie", format!("__Host-kafkaman-acme={own}"));
        let page = world.send(request.body(Vec::new()).unwrap());
        login.ask("sessions/end", json!({ "token": own }));
        String::from_utf8(page.into_body()).unwrap().matches("/me/sessions/").count()
    };
    assert_eq!(shown(), 1);
    world.pass(10 * MINUTE);
    let settings = json!({ "sessionLifetimeSeconds": 900 });
    login.acme.ok("PATCH", "/settings", settings);
    assert!(login.stands(&token));
    let (_, seen) = login.ask("sessions/introspect", json!({ "token": token }));
    let at = |name: &str| {
        let text = seen["session"][name].as_str().unwrap();
        kafkaman_scim::scim::Timestamp::parse(text).unwrap().0
    };
    assert_eq!(at("expiresAt") - at("createdAt"), 15 * MINUTE);
    world.pass(6 * MINUTE);
    assert!(!login.stands(&token), "sixteen minutes old");
    assert_eq!(shown(), 0);
    login.acme.ok("PATCH", "/settings", json!({ "sessionLifetimeSeconds": null }));
    login.open("ada");
    world.pass(31 * MINUTE);
    assert_eq!(shown(), 0, "idle for too long, and listed as ended");
}
