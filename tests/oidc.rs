//! Signing in by OpenID Connect, and every way in which a provider's word is not
//! what it seems.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;
#[path = "support/provider.rs"]
mod provider;

use acme::Acme;
use acme::world::OPERATOR_TOKEN;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::{Request, Response};
use provider::{CLIENT, ISSUER, Key, Provider};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A team that signs in by OpenID Connect, its provider, and a browser.
struct Stage {
    acme: Acme,
    provider: Rc<RefCell<Provider>>,
    cookies: RefCell<HashMap<String, String>>,
}

const KEY: Key = Key::P256(7);

impl Stage {
    fn new() -> Self {
        let acme = Acme::new();
        acme.ok(
            "PUT",
            "/sso/oidc",
            json!({
                "issuer": ISSUER, "clientId": CLIENT, "clientSecret": "very secret",
            }),
        );
        let provider = Provider::new(&[KEY, Key::Rsa]);
        let answering = Rc::clone(&provider);
        acme.world.ask_provider(move |errand| answering.borrow_mut().answer(errand));
        Self { acme, provider, cookies: RefCell::default() }
    }

    fn with_scim() -> (Self, String) {
        let stage = Self::new();
        stage.acme.ok("POST", "/scim/enable", Value::Null);
        let key = stage.acme.key("provider").1;
        (stage, key)
    }

    /// A browser opens a page; its cookies are kept.
    fn open(&self, path: &str) -> Response<Vec<u8>> {
        let jar: Vec<String> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().uri(path).header("cookie", jar.join("; "));
        let response = self.acme.world.send(request.body(vec![]).unwrap());
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.borrow_mut().insert(name.into(), value.into());
        }
        response
    }

    /// Begins a sign-in; returns what the provider is asked.
    #[track_caller]
    fn begin(&self, query: &str) -> HashMap<String, String> {
        let response = self.open(&format!("/teams/acme/sign-in/start{query}"));
        assert_eq!(response.status(), 303, "{}", page(&response));
        let place = response.headers()["location"].to_str().unwrap().to_owned();
        let (address, asked) = place.split_once('?').unwrap();
        assert_eq!(address, format!("{ISSUER}/auth"));
        form_urlencoded::parse(asked.as_bytes()).into_owned().collect()
    }

    fn now(&self) -> i64 {
        self.acme.world.in_team("acme", |context| context.now.0) / 1000
    }

    /// The claims of a good token for this sign-in.
    fn claims(&self, asked: &HashMap<String, String>, subject: &str, email: &str) -> Value {
        json!({
            "iss": ISSUER, "aud": CLIENT, "sub": subject, "email": email, "name": "Ada Byron",
            "nonce": asked["nonce"], "iat": self.now(), "exp": self.now() + 300,
            "auth_time": self.now(),
        })
    }

    /// Comes back from the provider with a token.
    fn come_back(&self, asked: &HashMap<String, String>, token: String) -> Response<Vec<u8>> {
        self.provider.borrow_mut().id_token = token;
        let state = &asked["state"];
        self.open(&format!("/teams/acme/sign-in/callback?code=abc&state={state}"))
    }

    /// A whole sign-in.
    fn sign_in(&self, subject: &str, email: &str) -> Response<Vec<u8>> {
        let asked = self.begin("");
        self.come_back(&asked, KEY.token(&self.claims(&asked, subject, email)))
    }

    fn me(&self) -> u16 {
        self.open("/teams/acme/me").status().as_u16()
    }
}

fn page(response: &Response<Vec<u8>>) -> String {
    String::from_utf8(response.body().clone()).unwrap()
}

/// The code of the refusal that a page tells; none of a sign-in that worked.
fn code(response: &Response<Vec<u8>>) -> String {
    if response.status() == 303 {
        return "in".into();
    }
    let page = page(response);
    let (_, rest) = page.split_once("Reason: ").unwrap_or_else(|| panic!("{page}"));
    rest.split('<').next().unwrap().to_owned()
}

const ADMIN: &str = "admin@kafkaman.example";

#[test]
fn the_first_sign_in_matches_by_address_and_the_next_by_subject() {
    let stage = Stage::new();
    let asked = stage.begin("?back=/teams/acme/settings");
    assert_eq!(asked["client_id"], CLIENT);
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["redirect_uri"], "http://localhost:8787/teams/acme/sign-in/callback");
    let claims = stage.claims(&asked, "ol-1", "ADMIN@kafkaman.example");
    let response = stage.come_back(&asked, KEY.token(&claims));
    assert_eq!(code(&response), "in");
    assert_eq!(response.headers()["location"], "/teams/acme/settings");
    assert_eq!(stage.me(), 200);
    let asked = stage.provider.borrow().asked.clone();
    let (_, exchange) = asked.iter().find(|(url, _)| url.ends_with("/token")).unwrap();
    assert!(
        exchange.contains("client_secret=very+secret&")
            || exchange.ends_with("client_secret=very+secret")
    );
    assert!(exchange.contains("code_verifier="));

    // Another address, the same subject: the same person.
    assert_eq!(code(&stage.sign_in("ol-1", "new@kafkaman.example")), "in");
    // The same address, another subject: not them.
    assert_eq!(code(&stage.sign_in("ol-2", ADMIN)), "subject_changed");
    let actions = stage.acme.actions();
    assert_eq!(actions.iter().filter(|action| *action == "sign_in.pinned").count(), 1);
    assert_eq!(actions[0], "sign_in.refused");
}

#[test]
fn tokens_that_lie_are_refused() {
    let stage = Stage::new();
    let now = stage.now();
    let with = |claims: &Value, name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let without = |claims: &Value, name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let unsigned = |head: Value, claims: &Value| {
        let part = |value: &Value| BASE64.encode(value.to_string());
        format!("{}.{}.", part(&head), part(claims))
    };
    type Make = Box<dyn Fn(&Value) -> String>;
    let claimed = |name: &'static str, value: Value| -> Make {
        Box::new(move |claims| KEY.token(&with(claims, name, value.clone())))
    };
    let lacking =
        |name: &'static str| -> Make { Box::new(move |claims| KEY.token(&without(claims, name))) };
    let headed =
        |header: Value| -> Make { Box::new(move |claims| KEY.token_with(header.clone(), claims)) };
    let table: Vec<(&str, Make, &str)> = vec![
        ("ES256", Box::new(|claims| KEY.token(claims)), "in"),
        ("RS256", Box::new(|claims| Key::Rsa.token(claims)), "in"),
        ("audiences with azp", claimed("aud", json!([CLIENT])), "in"),
        (
            "alg none",
            Box::new(move |claims| unsigned(json!({ "alg": "none" }), claims)),
            "algorithm",
        ),
        (
            "alg None",
            Box::new(move |claims| unsigned(json!({ "alg": "None", "kid": "es-7" }), claims)),
            "algorithm",
        ),
        ("no alg", headed(json!({ "alg": null })), "algorithm"),
        ("HS256 with the public key", Box::new(hs256), "algorithm"),
        ("HS256 in the header alone", headed(json!({ "alg": "HS256" })), "algorithm"),
        ("another algorithm than the key's", headed(json!({ "alg": "RS256" })), "algorithm"),
        ("an unknown key", Box::new(|claims| Key::P256(9).token(claims)), "key"),
        (
            "another's key under a known name",
            Box::new(|claims| Key::P256(9).token_with(json!({ "kid": "es-7" }), claims)),
            "signature",
        ),
        ("a key of its own", headed(json!({ "jwk": Key::P256(9).jwk() })), "header"),
        ("an address of keys", headed(json!({ "jku": "https://evil.example/certs" })), "header"),
        ("a rule that must be known", headed(json!({ "crit": ["exp"] })), "header"),
        (
            "no signature",
            Box::new(|claims| {
                let token = KEY.token(claims);
                format!("{}.", token.rsplit_once('.').unwrap().0)
            }),
            "signature",
        ),
        ("four parts", Box::new(|claims| format!("{}.x", KEY.token(claims))), "malformed"),
        ("padded", Box::new(|claims| format!("{}=", KEY.token(claims))), "malformed"),
        (
            "claims exchanged",
            Box::new(move |claims| {
                let token = KEY.token(claims);
                let parts: Vec<&str> = token.split('.').collect();
                let other = BASE64.encode(with(claims, "sub", json!("other")).to_string());
                format!("{}.{other}.{}", parts[0], parts[2])
            }),
            "signature",
        ),
        ("another issuer", claimed("iss", json!("https://evil.example")), "issuer"),
        ("a longer issuer", claimed("iss", json!(format!("{ISSUER}/"))), "issuer"),
        ("no issuer", lacking("iss"), "issuer"),
        ("another audience", claimed("aud", json!("other")), "audience"),
        ("no audience", lacking("aud"), "audience"),
        (
            "several audiences and no party",
            claimed("aud", json!([CLIENT, "other"])),
            "authorized_party",
        ),
        ("another party", claimed("azp", json!("other")), "authorized_party"),
        ("another nonce", claimed("nonce", json!("x")), "nonce"),
        ("no nonce", lacking("nonce"), "nonce"),
        ("expired", claimed("exp", json!(now - 61)), "expired"),
        ("expired just now", claimed("exp", json!(now - 30)), "in"),
        ("no expiry", lacking("exp"), "expired"),
        ("made long ago", claimed("iat", json!(now - 700)), "expired"),
        ("from the future", claimed("iat", json!(now + 120)), "not_yet_valid"),
        ("not yet valid", claimed("nbf", json!(now + 120)), "not_yet_valid"),
        ("no subject", lacking("sub"), "subject"),
        ("an empty subject", claimed("sub", json!("")), "subject"),
        ("a subject that is no text", claimed("sub", json!(7)), "subject"),
        ("a long subject", claimed("sub", json!("a".repeat(256))), "subject"),
    ];
    for (what, make, expected) in table {
        let asked = stage.begin("");
        let token = make(&stage.claims(&asked, "ol-1", ADMIN));
        assert_eq!(code(&stage.come_back(&asked, token)), expected, "{what}");
    }
}

/// A token signed with HMAC, the provider's public key being the secret.
fn hs256(claims: &Value) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let part = |value: &Value| BASE64.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "kid": "rs" })), part(claims));
    let secret = BASE64.decode(Key::Rsa.jwk()["n"].as_str().unwrap()).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

#[test]
fn no_byte_of_a_token_can_be_changed() {
    let stage = Stage::new();
    let token = |asked: &HashMap<String, String>| KEY.token(&stage.claims(asked, "ol-1", ADMIN));
    let length = token(&stage.begin("")).len();
    for at in (0..length).step_by(17) {
        stage.acme.world.pass(600_000);
        let asked = stage.begin("");
        let mut bytes = token(&asked).into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_ne!(code(&stage.come_back(&asked, changed)), "in", "byte {at}");
    }
}

#[test]
fn a_state_is_good_once_for_ten_minutes_in_one_browser() {
    let stage = Stage::new();
    let asked = stage.begin("");
    let good = || KEY.token(&stage.claims(&asked, "ol-1", ADMIN));
    assert_eq!(code(&stage.come_back(&asked, good())), "in");
    assert_eq!(code(&stage.come_back(&asked, good())), "state", "replayed");

    let asked = stage.begin("");
    stage.acme.world.pass(600_000);
    let late = KEY.token(&stage.claims(&asked, "ol-1", ADMIN));
    assert_eq!(code(&stage.come_back(&asked, late)), "state", "too late");

    let asked = stage.begin("");
    stage.cookies.borrow_mut().clear();
    let elsewhere = KEY.token(&stage.claims(&asked, "ol-1", ADMIN));
    assert_eq!(code(&stage.come_back(&asked, elsewhere.clone())), "state", "another browser");
    assert_eq!(code(&stage.come_back(&asked, elsewhere)), "state", "and it is spent");
    let before = stage.provider.borrow().asked.len();
    let response = stage.open("/teams/acme/sign-in/callback?code=abc&state=made-up");
    assert_eq!(code(&response), "state");
    assert_eq!(stage.provider.borrow().asked.len(), before, "nobody was asked for it");
}

#[test]
fn another_providers_answer_is_not_taken() {
    let stage = Stage::new();
    let back = |asked: &HashMap<String, String>, more: &str| {
        let claims = stage.claims(asked, "ol-1", ADMIN);
        stage.provider.borrow_mut().id_token = KEY.token(&claims);
        let state = &asked["state"];
        code(&stage.open(&format!("/teams/acme/sign-in/callback?code=abc&state={state}{more}")))
    };
    let own: String = form_urlencoded::byte_serialize(ISSUER.as_bytes()).collect();
    assert_eq!(back(&stage.begin(""), "&iss=https%3A%2F%2Fevil.example"), "mix_up");
    assert_eq!(back(&stage.begin(""), &format!("&iss={own}")), "in");
    assert_eq!(back(&stage.begin(""), "&error=access_denied"), "provider_refused");
    stage.provider.borrow_mut().document =
        json!({ "authorization_response_iss_parameter_supported": true });
    stage.acme.world.pass(25 * 3_600_000);
    assert_eq!(back(&stage.begin(""), ""), "mix_up", "it says that it always names itself");

    let asked = stage.begin("");
    let other = json!({ "issuer": "https://other.example", "clientId": CLIENT });
    stage.acme.ok("PUT", "/sso/oidc", other);
    assert_eq!(back(&asked, ""), "changed", "the provider was exchanged meanwhile");
}

#[test]
fn a_document_that_is_not_the_providers_is_not_taken() {
    let refused = |document: Value| {
        let stage = Stage::new();
        stage.provider.borrow_mut().document = document;
        code(&stage.open("/teams/acme/sign-in/start"))
    };
    assert_eq!(refused(json!({ "issuer": "https://evil.example" })), "issuer");
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert_eq!(refused(json!({ name: "http://acme.onelogin.example/x" })), "endpoint");
        assert_eq!(refused(json!({ name: null })), "endpoint");
    }
    let stage = Stage::new();
    stage.acme.world.ask_provider(|_| kafkaman_scim::directory::sign_in::Found::default());
    assert_eq!(code(&stage.open("/teams/acme/sign-in/start")), "unreachable");
    stage.provider.borrow_mut().error = Some(json!({ "error": "invalid_client" }));
    let answering = Rc::clone(&stage.provider);
    stage.acme.world.ask_provider(move |errand| answering.borrow_mut().answer(errand));
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "exchange");
}

#[test]
fn keys_may_change_on_the_way_but_are_not_fetched_for_every_forgery() {
    let stage = Stage::new();
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    let fetched = || {
        let provider = stage.provider.borrow();
        provider.asked.iter().filter(|(url, _)| url.ends_with("/certs")).count()
    };
    let before = fetched();
    stage.acme.world.pass(120_000);
    let new = Key::P256(8);
    stage.provider.borrow_mut().keys = vec![new.clone()];
    let with_new = || {
        let asked = stage.begin("");
        let token = new.token(&stage.claims(&asked, "ol-1", ADMIN));
        code(&stage.come_back(&asked, token))
    };
    assert_eq!(with_new(), "in", "a key that was not there before");
    assert_eq!(fetched(), before + 1);
    for _ in 0..5 {
        let asked = stage.begin("");
        let forged = Key::P256(66).token(&stage.claims(&asked, "ol-1", ADMIN));
        assert_eq!(code(&stage.come_back(&asked, forged)), "key");
    }
    assert_eq!(fetched(), before + 1, "at most once a minute");
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "key", "the old key is out");
}

#[test]
fn the_way_back_stays_within_the_team() {
    let stage = Stage::new();
    let table = [
        ("/teams/acme/members", "/teams/acme/members"),
        ("/teams/acme", "/teams/acme"),
        ("", "/teams/acme"),
        ("https://evil.example/", "/teams/acme"),
        ("//evil.example", "/teams/acme"),
        ("/teams/acme//evil.example", "/teams/acme"),
        ("/teams/acme/../other", "/teams/acme"),
        ("/teams/acme.evil.example", "/teams/acme"),
        ("/teams/acmeevil", "/teams/acme"),
        ("/teams/other/members", "/teams/acme"),
        ("/teams/acme/x%0d%0aset-cookie:a", "/teams/acme"),
        ("/teams/acme/x\\y", "/teams/acme"),
        ("/teams/acme/sign-in/start", "/teams/acme"),
    ];
    for (back, expected) in table {
        let encoded: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
        let asked = stage.begin(&format!("?back={encoded}"));
        let token = KEY.token(&stage.claims(&asked, "ol-1", ADMIN));
        let response = stage.come_back(&asked, token);
        assert_eq!(response.headers()["location"], expected, "{back}");
    }
}

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
    let good =
        || json!({ "iss": ISSUER, "aud": address, "iat": stage.now(), "exp": stage.now() + 60 });
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
    assert_eq!(post(good(), by_email(ADMIN)), 200);
    assert_eq!(stage.me(), 303);
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    assert_eq!(post(good(), by_subject(ISSUER)), 200);
    assert_eq!(stage.me(), 303);
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
