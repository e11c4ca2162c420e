//! Every way in which an OpenID provider's word is not what it seems.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/stage.rs"]
mod stage;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use stage::provider::{CLIENT, ISSUER, Key};
use stage::{ADMIN, KEY, Stage, code};
use std::collections::HashMap;
use std::rc::Rc;

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
fn a_sign_in_that_is_on_its_way_outlives_the_documents_cache() {
    let stage = Stage::new();
    stage.begin("");
    stage.acme.world.pass(24 * 3_600_000 - 60_000);
    let asked = stage.begin("");
    stage.acme.world.pass(120_000);
    let token = KEY.token(&stage.claims(&asked, "ol-1", ADMIN));
    assert_eq!(code(&stage.come_back(&asked, token)), "in");
}

#[test]
fn a_key_that_was_withdrawn_is_good_for_an_hour_at_most() {
    let stage = Stage::new();
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    stage.provider.borrow_mut().keys = vec![Key::P256(8)];
    stage.acme.world.pass(59 * 60_000);
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "in");
    stage.acme.world.pass(60_000);
    assert_eq!(code(&stage.sign_in("ol-1", ADMIN)), "key");
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
