//! Whom a provider's word lets in, and whom it puts out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/stage.rs"]
mod stage;

use http::Request;
use kafkaman_scim::dashboard::sso;
use kafkaman_scim::directory::Origin;
use kafkaman_scim::directory::sign_in::Errand;
use kafkaman_scim::directory::team_id::TeamId;
use kafkaman_scim::entry::object::{self, Memory};
use serde_json::{Value, json};
use stage::acme::Acme;
use stage::acme::world::{OPERATOR_TOKEN, SIGNING_SECRETS};
use stage::provider::{CLIENT, ISSUER, Key};
use stage::{ADMIN, KEY, Stage, code, page};
use std::cell::Cell;

#[test]
fn a_suspended_member_is_refused_and_was_out_at_once() {
    let (stage, key) = Stage::with_scim();
    let world = &stage.acme.world;
    let user = json!({ "userName": "ada@acme.example", "active": true });
    let made = world.ok(&key, "POST", "/scim/v2/Users", user);
    let path = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
    assert_eq!(code(&stage.sign_in("ol-ada", "nobody@acme.example")), "not_a_member");
    assert_eq!(code(&stage.sign_in("ol-ada", "ada@acme.example")), "in");
    assert_eq!(stage.me(), 200);
    let set = |active: bool| {
        let operation = json!({ "op": "replace", "path": "active", "value": active });
        let urn = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
        world.ok(&key, "PATCH", &path, json!({ "schemas": [urn], "Operations": [operation] }));
    };
    set(false);
    assert_eq!(stage.me(), 303, "to the sign-in page");
    assert_eq!(code(&stage.sign_in("ol-ada", "ada@acme.example")), "member_suspended");
    let refused = stage.acme.ok("GET", "/audit?action=sign_in.refused", Value::Null);
    assert_eq!(refused["records"][0]["subject"], made["id"], "the audit says who");
    assert_eq!(refused["records"][1]["subject"], "", "nobody whom the team knows");
    set(true);
    assert_eq!(stage.me(), 303, "the old session is gone for good");
    assert_eq!(code(&stage.sign_in("ol-ada", "ada@acme.example")), "in");
    assert_eq!(stage.me(), 200);
    world.ok(&key, "DELETE", &path, Value::Null);
    assert_eq!(stage.me(), 303);
    assert_eq!(code(&stage.sign_in("ol-ada", "ada@acme.example")), "not_a_member");
    world.ok(OPERATOR_TOKEN, "POST", "/operator/v1/teams/acme/suspend", Value::Null);
    assert_eq!(code(&stage.open("/teams/acme/sign-in/start")), "team_suspended");
}

#[test]
fn who_was_verified_joins_only_where_the_team_wants_it() {
    let stage = Stage::new();
    let eve = || code(&stage.sign_in("ol-eve", "eve@acme.example"));
    assert_eq!(eve(), "not_a_member");
    stage.acme.ok("PATCH", "/settings", json!({ "justInTime": true }));
    let unverified = {
        let asked = stage.begin("");
        let mut claims = stage.claims(&asked, "ol-eve", "eve@acme.example");
        claims["email_verified"] = json!(false);
        code(&stage.come_back(&asked, KEY.token(&claims)))
    };
    assert_eq!(unverified, "unverified_email");
    let seats = |seats: i64| {
        let path = "/operator/v1/teams/acme";
        stage.acme.world.ok(OPERATOR_TOKEN, "PATCH", path, json!({ "seats": seats }));
    };
    seats(1);
    assert_ne!(eve(), "in", "no seat is free");
    seats(2);
    assert_eq!(eve(), "in");
    let found = || stage.acme.ok("GET", "/members?search=eve", Value::Null)["members"][0].clone();
    assert_eq!(found()["source"], "sso");
    let id = found()["id"].as_str().unwrap().to_owned();
    stage.acme.ok("DELETE", &format!("/members/{id}"), Value::Null);
    stage.acme.ok("POST", &format!("/departed/{id}/restore"), Value::Null);
    assert_eq!(found()["source"], "sso", "restored as they were");
    stage.acme.ok("POST", "/scim/enable", Value::Null);
    seats(9);
    assert_eq!(code(&stage.sign_in("ol-bob", "bob@acme.example")), "not_a_member");
}

#[test]
fn the_claim_and_the_pins_are_the_admins() {
    let stage = Stage::new();
    assert_eq!(code(&stage.sign_in("old-1", ADMIN)), "in");
    assert_eq!(code(&stage.sign_in("new-1", ADMIN)), "subject_changed");
    let page = page(&stage.open("/teams/acme/authentication"));
    let (_, rest) = page.split_once("name=\"form\" value=\"").unwrap();
    let form = format!("form={}", rest.split('"').next().unwrap());
    let jar = stage.cookies.borrow()["__Host-kafkaman-acme"].clone();
    let request = Request::post("/teams/acme/authentication/pins/reset")
        .header("cookie", format!("__Host-kafkaman-acme={jar}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.into_bytes());
    assert_eq!(stage.acme.world.send(request.unwrap()).status(), 303);
    assert_eq!(code(&stage.sign_in("new-1", ADMIN)), "in");

    let upn = json!({ "issuer": ISSUER, "clientId": CLIENT, "matchClaim": "upn" });
    stage.acme.ok("PUT", "/sso/oidc", upn);
    let other = json!({ "name": "Bo", "email": "bo@acme.example" });
    stage.acme.ok("POST", "/members", other);
    let by = |claims: Value| {
        let asked = stage.begin("");
        let mut whole = stage.claims(&asked, "ol-bo", "else@acme.example");
        for (name, value) in claims.as_object().unwrap() {
            whole[name] = value.clone();
        }
        code(&stage.come_back(&asked, KEY.token(&whole)))
    };
    assert_eq!(by(json!({})), "no_claim");
    assert_eq!(by(json!({ "upn": "BO@acme.example" })), "in");
    let secret = stage.acme.ok("GET", "/sso", Value::Null);
    assert_eq!(secret["methods"][0]["hasClientSecret"], true, "the same client keeps its secret");
    assert!(!secret.to_string().contains("very secret"));
}

#[test]
fn the_same_provider_with_another_secret_signs_nobody_out() {
    let stage = Stage::new();
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    let put = |client: &str, secret: &str| {
        let body = json!({ "issuer": ISSUER, "clientId": client, "clientSecret": secret });
        stage.acme.ok("PUT", "/sso/oidc", body);
        (stage.acme.actions().len(), stage.me())
    };
    let before = stage.acme.actions().len();
    assert_eq!(put(CLIENT, "very secret"), (before, 200), "as it was");
    assert_eq!(put(CLIENT, "another secret"), (before + 1, 200));
    assert_eq!(put("another client", "another secret").1, 303);
}

#[test]
fn a_test_sign_in_changes_nothing() {
    let stage = Stage::new();
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    let session = stage.cookies.borrow()["__Host-kafkaman-acme"].clone();
    let asked = stage.begin("?test=1&back=/teams/acme/authentication");
    let token = KEY.token(&stage.claims(&asked, "ol-9", "nobody@acme.example"));
    let shown = page(&stage.come_back(&asked, token));
    assert!(shown.contains("ol-9") && shown.contains("No member of this team"), "{shown}");
    assert_eq!(stage.cookies.borrow()["__Host-kafkaman-acme"], session);
    assert_eq!(stage.me(), 200);
}

#[test]
fn a_provider_ends_sessions_by_a_logout_token() {
    let stage = Stage::new();
    let world = &stage.acme.world;
    let post = |token: &str| {
        let request = Request::post("/teams/acme/sign-in/logout")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("logout_token={token}").into_bytes());
        world.send(request.unwrap()).status().as_u16()
    };
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let claims = |id: &str| {
        json!({ "iss": ISSUER, "aud": CLIENT, "sub": "ol-1", "jti": id, "iat": stage.now(),
                "events": { event: {} } })
    };
    let logout = |claims: &Value| KEY.token_with(json!({ "typ": "logout+jwt" }), claims);
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    let mut nonce = claims("1");
    nonce["nonce"] = json!("x");
    let mut no_event = claims("1");
    no_event["events"] = json!({});
    let forged = Key::P256(9).token_with(json!({ "kid": "es-7" }), &claims("1"));
    for (what, token) in [
        ("with a nonce", logout(&nonce)),
        ("without the event", logout(&no_event)),
        ("an ID token", KEY.token(&stage.claims(&stage.begin(""), "ol-1", ADMIN))),
        ("another kind", KEY.token_with(json!({ "typ": "at+jwt" }), &claims("1"))),
        ("forged", forged),
        ("nothing", String::new()),
    ] {
        assert_eq!(post(&token), 400, "{what}");
        assert_eq!(stage.me(), 200, "{what}");
    }
    assert_eq!(post(&logout(&claims("1"))), 200);
    assert_eq!(stage.me(), 303);
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    assert_eq!(post(&logout(&claims("1"))), 400, "used before");
    assert_eq!(stage.me(), 200);
}

#[test]
fn a_logout_is_obeyed_though_another_request_fetched_the_document_meanwhile() {
    let stage = Stage::new();
    let world = &stage.acme.world;
    let days = json!({ "sessionIdleSeconds": 172_800, "sessionLifetimeSeconds": 172_800 });
    stage.acme.ok("PATCH", "/settings", days);
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    // The provider's document is too old by now.
    world.pass(25 * 60 * 60 * 1000);
    assert_eq!(stage.me(), 200);
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let claims = json!({ "iss": ISSUER, "aud": CLIENT, "sub": "ol-1", "jti": "1",
                         "iat": stage.now(), "events": { event: {} } });
    let token = KEY.token_with(json!({ "typ": "logout+jwt" }), &claims);
    let id = TeamId::parse("acme").unwrap();
    let ask = |request: Request<Vec<u8>>| {
        world.in_team("acme", |context| {
            object::handle(context, &id, &Memory::default(), request).response
        })
    };
    let request = Request::post("/teams/acme/sign-in/logout")
        .header("content-type", "application/x-www-form-urlencoded");
    let mut answer = ask(request.body(format!("logout_token={token}").into_bytes()).unwrap());
    let mut errands = 0;
    while answer.headers().contains_key(sso::ERRAND) {
        errands += 1;
        assert!(errands < 4, "errands without end");
        // Somebody else signs in while the provider answers.
        stage.begin("");
        let errand: Errand = serde_json::from_slice(answer.body()).unwrap();
        let found = stage.provider.borrow_mut().answer(&errand);
        answer = ask(sso::back(errand, found, Origin::default()));
    }
    assert_eq!((answer.status().as_u16(), errands), (200, 2));
    assert_eq!(stage.me(), 303);
}

#[test]
fn what_an_earlier_provider_said_counts_for_nobody_when_another_is_set() {
    let stage = Stage::new();
    let world = &stage.acme.world;
    let id = TeamId::parse("acme").unwrap();
    let ask = |request: Request<Vec<u8>>| {
        world.in_team("acme", |context| {
            object::handle(context, &id, &Memory::default(), request).response
        })
    };
    for (what, change) in [
        ("issuer", json!({ "issuer": "https://new.example/oidc", "clientId": CLIENT })),
        ("client", json!({ "issuer": ISSUER, "clientId": "another" })),
    ] {
        for errand_of_the_change in 0..2 {
            let was = json!({ "issuer": ISSUER, "clientId": CLIENT, "clientSecret": "x" });
            stage.acme.ok("PUT", "/sso/oidc", was);
            world.in_team("acme", |context| {
                context.sql.execute("DELETE FROM provider WHERE kind = 'keys'", &[]).unwrap();
            });
            let asked = stage.begin("");
            let mut claims = stage.claims(&asked, "ol-1", ADMIN);
            claims["aud"] = json!([CLIENT, "another"]);
            claims["azp"] = json!(if what == "client" { "another" } else { CLIENT });
            stage.provider.borrow_mut().id_token = KEY.token(&claims);
            let state = &asked["state"];
            let jar = stage.cookies.borrow()["__Host-kafkaman-sign-in-acme"].clone();
            let request =
                Request::get(format!("/teams/acme/sign-in/callback?code=abc&state={state}"))
                    .header("cookie", format!("__Host-kafkaman-sign-in-acme={jar}"));
            let mut answer = ask(request.body(Vec::new()).unwrap());
            let mut errands = 0;
            while answer.headers().contains_key(sso::ERRAND) {
                let errand: Errand = serde_json::from_slice(answer.body()).unwrap();
                let found = stage.provider.borrow_mut().answer(&errand);
                if errands == errand_of_the_change {
                    stage.acme.ok("PUT", "/sso/oidc", change.clone());
                }
                errands += 1;
                answer = ask(sso::back(errand, found, Origin::default()));
            }
            assert_eq!(errands, errand_of_the_change + 1, "{what}");
            assert_eq!(code(&answer), "changed", "{what} at errand {errand_of_the_change}");
        }
    }
    let pins = world.in_team("acme", |context| {
        let count = "SELECT count(*) FROM pin";
        context.sql.first(count, &[], |mut row| row.integer()).unwrap()
    });
    assert_eq!(pins, Some(0));
}

#[test]
fn a_provider_revokes_everything_of_a_person() {
    let stage = Stage::new();
    let world = &stage.acme.world;
    let address = "http://localhost:8787/teams/acme/sign-in/revoke";
    let post = |claims: Value, subject: Value| {
        let token = KEY.token_with(json!({ "typ": "global-token-revocation+jwt" }), &claims);
        let request = Request::post("/teams/acme/sign-in/revoke")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(json!({ "sub_id": subject }).to_string().into_bytes());
        world.send(request.unwrap()).status().as_u16()
    };
    let number = Cell::new(0);
    let good = || {
        number.set(number.get() + 1);
        json!({ "iss": ISSUER, "aud": address, "iat": stage.now(), "exp": stage.now() + 60,
                "jti": number.get().to_string() })
    };
    let by_email = |email: &str| json!({ "format": "email", "email": email });
    let by_subject = |iss: &str| json!({ "format": "iss_sub", "iss": iss, "sub": "ol-1" });
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    let mut elsewhere = good();
    elsewhere["aud"] = json!("http://localhost:8787/teams/other/sign-in/revoke");
    assert_eq!(post(elsewhere, by_email(ADMIN)), 400);
    assert_eq!(post(good(), json!({ "format": "opaque", "id": "x" })), 400);
    assert_eq!(post(good(), by_email("nobody@acme.example")), 404);
    assert_eq!(post(good(), by_subject("https://evil.example")), 404);
    assert_eq!(stage.me(), 200);
    assert_eq!(post(good(), by_email(ADMIN)), 204);
    assert_eq!(stage.me(), 303);
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    let once = good();
    assert_eq!(post(once.clone(), by_subject(ISSUER)), 204);
    assert_eq!(stage.me(), 303);
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    assert_eq!(post(once, by_email(ADMIN)), 400, "used before");
    let mut nameless = good();
    nameless.as_object_mut().unwrap().remove("jti");
    assert_eq!(stage.me(), 200);
    assert_eq!(post(nameless.clone(), by_email(ADMIN)), 204, "one without an id");
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    assert_eq!(post(nameless, by_email(ADMIN)), 400, "is good once, too");
    assert_eq!(stage.me(), 200);
}

#[test]
fn sign_ins_that_never_end_do_not_pile_up() {
    let stage = Stage::new();
    for _ in 0..30 {
        stage.begin("");
    }
    assert_eq!(code(&stage.open("/teams/acme/sign-in/start")), "too_many_sign_ins");
    stage.acme.world.pass(600_000);
    stage.begin("");
}

#[test]
fn a_team_without_openid_says_so() {
    let acme = Acme::enabled();
    let start = Request::get("/teams/acme/sign-in/start").body(vec![]).unwrap();
    assert_eq!(code(&acme.world.send(start)), "sso_not_configured");
    let nobody = Request::get("/teams/nobody/sign-in/start").body(vec![]).unwrap();
    assert_eq!(acme.world.send(nobody).status(), 404);
}

#[test]
fn a_client_secret_outlives_the_signing_secret_it_was_sealed_under() {
    let stage = Stage::new();
    let world = &stage.acme.world;
    let both = format!("{SIGNING_SECRETS},2:OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk");
    let retire = || {
        let path = "/operator/v1/signing-secrets/1/retire";
        world.call(OPERATOR_TOKEN, "POST", path, Value::Null).1.to_string()
    };
    let exchange = || {
        assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
        let asked = stage.provider.borrow().asked.clone();
        let (_, body) = asked.iter().rev().find(|(url, _)| url.ends_with("/token")).unwrap();
        body.contains("client_secret=very+secret")
    };
    world.sign_with(&both);
    assert!(retire().contains("sso:oidc"), "it is needed still");
    assert!(exchange());
    world.upkeep("acme");
    assert!(!retire().contains("sso:oidc"), "the alarm sealed it anew");
    world.sign_with("2:OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk");
    assert!(exchange());
    let stored = world.in_team("acme", |context| {
        let text = "SELECT settings || hex(secret) FROM sso_method";
        context.sql.first(text, &[], |mut row| row.text()).unwrap().unwrap()
    });
    assert!(!stored.contains("very secret") && !stored.contains(&hex("very secret")));
    let logged = stage.acme.world.in_team("acme", |context| {
        let text = "SELECT group_concat(detail) FROM audit";
        context.sql.first(text, &[], |mut row| row.text()).unwrap().unwrap()
    });
    assert!(!logged.contains("very secret"));
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}
