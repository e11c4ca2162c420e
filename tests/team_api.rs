//! The team API: what an admin sends, and what comes of it. The keys have
//! `scim_keys.rs` to themselves.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::world::{OPERATOR_TOKEN, certificate};
use acme::{Acme, oidc, saml};
use http::Request;
use serde_json::{Value, json};

/// `settings` with one of them set, or left out.
fn with(mut settings: Value, name: &str, value: Value) -> Value {
    let object = settings.as_object_mut().unwrap();
    match value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value)),
    }
    settings
}

#[test]
fn a_new_team_says_what_it_is() {
    let acme = Acme::new();
    let team = acme.ok("GET", "", Value::Null);
    for (name, value) in [
        ("id", json!("acme")),
        ("name", json!("A team")),
        ("state", json!("live")),
        ("seats", json!(100_000)),
        ("seatsTaken", json!(1)),
        ("scimEnabled", json!(false)),
    ] {
        assert_eq!(team[name], value, "{name}");
    }
    assert_eq!(acme.ok("GET", "/sso", Value::Null), json!({ "methods": [] }));
    assert_eq!(acme.ok("GET", "/scim/keys", Value::Null), json!({ "keys": [], "next": null }));
    let scim = acme.ok("GET", "/scim", Value::Null);
    let base = acme.world.base();
    let expected = json!({ "enabled": false, "baseUrl": base, "keyGenerated": false,
        "lastUsedAt": null, "firstProbeAt": null, "firstProbeBy": null, "firstUserAt": null });
    assert_eq!(scim, expected);
}

#[test]
fn scim_needs_exactly_one_sso_method() {
    let acme = Acme::new();
    let enable = || ("POST", "/scim/enable", Value::Null);
    acme.refused(enable(), 409, "sso_required", "configure SAML or OpenID Connect first");
    acme.ok("PUT", "/sso/saml", saml());
    acme.ok("PUT", "/sso/oidc", oidc());
    acme.refused(enable(), 409, "sso_ambiguous", "remove SAML or OpenID Connect first");
    acme.ok("DELETE", "/sso/oidc", Value::Null);
    assert_eq!(acme.ok("POST", "/scim/enable", Value::Null)["enabled"], true);

    let code = "scim_needs_one_sso_method";
    acme.refused(("PUT", "/sso/oidc", oidc()), 409, code, "before you add a second");
    acme.refused(("DELETE", "/sso/saml", Value::Null), 409, code, "before you remove");
    let replaced = with(saml(), "issuer", json!("urn:another"));
    acme.ok("PUT", "/sso/saml", replaced.clone());
    let listed = acme.ok("GET", "/sso", Value::Null);
    assert_eq!(listed["methods"][0]["settings"], replaced);
    assert_eq!(listed["methods"].as_array().unwrap().len(), 1);

    assert_eq!(acme.ok("POST", "/scim/disable", Value::Null)["enabled"], false);
    acme.ok("DELETE", "/sso/saml", Value::Null);
    acme.refused(("DELETE", "/sso/saml", Value::Null), 404, "sso_not_found", "saml");
    acme.refused(enable(), 409, "sso_required", "first");
}

#[test]
fn sso_settings_are_checked() {
    let acme = Acme::new();
    let pem = |base64: &str| {
        json!(format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----"))
    };
    for (method, settings, says) in [
        ("saml", with(saml(), "issuer", Value::Null), "`issuer`"),
        ("saml", with(saml(), "issuer", json!("")), "`issuer`"),
        ("saml", with(saml(), "issuer", json!("a".repeat(8_193))), "`issuer`"),
        ("saml", with(saml(), "issuer", json!(7)), "string"),
        ("saml", with(saml(), "signInUrl", Value::Null), "`signInUrl` is required"),
        ("saml", with(saml(), "signInUrl", json!("acme.example/sso")), "`signInUrl`"),
        ("saml", with(saml(), "signInUrl", json!("http://acme.example/sso")), "https"),
        ("saml", with(saml(), "signInUrl", json!("javascript:alert(1)")), "https"),
        ("saml", with(saml(), "signInUrl", json!("https://")), "https"),
        ("saml", with(saml(), "signInUrl", json!("https://a@acme.example/")), "https"),
        ("saml", with(saml(), "signInUrl", json!("https://acme.example/ a")), "https"),
        ("saml", with(saml(), "signInUrl", json!("http://localhost.acme.example/")), "https"),
        ("saml", with(saml(), "certificate", Value::Null), "`certificate` is required"),
        ("saml", with(saml(), "certificate", json!("nonsense")), "`certificate`"),
        ("saml", with(saml(), "certificate", pem("")), "`certificate`"),
        ("saml", with(saml(), "certificate", pem("bm90IGEgY2VydGlmaWNhdGU=")), "`certificate`"),
        ("saml", with(saml(), "clientId", json!("kafkaman")), "`clientId`"),
        ("saml", with(saml(), "certficate", json!("")), "`certficate`"),
        ("oidc", with(oidc(), "issuer", json!("urn:acme")), "`issuer`"),
        ("oidc", with(oidc(), "clientId", Value::Null), "`clientId` is required"),
        ("oidc", with(oidc(), "certificate", json!(certificate())), "`certificate`"),
        ("oidc", json!([]), "an array"),
    ] {
        let path = format!("/sso/{method}");
        acme.refused(("PUT", &path, settings), 400, "invalid", says);
    }
    assert_eq!(acme.ok("GET", "/sso", Value::Null), json!({ "methods": [] }));
    acme.refused(("PUT", "/sso/kerberos", saml()), 404, "not_found", "nothing");
    for (method, settings) in [
        ("saml", saml()),
        ("saml", with(saml(), "signInUrl", json!("http://localhost:8080/sso"))),
        ("saml", with(saml(), "issuer", json!("urn:not:a:url"))),
        ("oidc", oidc()),
        ("oidc", with(oidc(), "signInUrl", json!("https://acme.onelogin.example/authorize"))),
    ] {
        acme.ok("PUT", &format!("/sso/{method}"), settings);
    }
}

#[test]
fn a_suspended_team_is_read_only_and_scim_goes_on() {
    let acme = Acme::enabled();
    let (id, key) = acme.key("a");
    let operate = |path: &str| acme.world.ok(OPERATOR_TOKEN, "POST", path, Value::Null);
    operate("/operator/v1/teams/acme/suspend");
    assert_eq!(acme.ok("GET", "", Value::Null)["state"], "suspended");
    for path in ["/sso", "/scim", "/scim/keys", "/audit"] {
        acme.ok("GET", path, Value::Null);
    }
    let (path, again) = (format!("/scim/keys/{id}"), format!("/scim/keys/{id}/regenerate"));
    for (method, path, body) in [
        ("PUT", "/sso/saml", saml()),
        ("DELETE", "/sso/saml", Value::Null),
        ("POST", "/scim/enable", Value::Null),
        ("POST", "/scim/disable", Value::Null),
        ("POST", "/scim/keys", json!({ "name": "b" })),
        ("POST", &again, json!({ "graceSeconds": 0 })),
        ("DELETE", &path, Value::Null),
    ] {
        acme.refused((method, path, body), 403, "team_suspended", "not changed");
    }
    assert_eq!(acme.users(&key), 200);
    let person = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@acme.example",
    });
    acme.world.ok(&key, "POST", "/scim/v2/Users", person);
    operate("/operator/v1/teams/acme/resume");
    acme.key("b");
}

#[test]
fn the_audit_names_who_did_what() {
    let acme = Acme::enabled();
    let (id, key) = acme.key("a");
    let person = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@acme.example",
    });
    let person = acme.world.ok(&key, "POST", "/scim/v2/Users", person);
    let regenerate = format!("/scim/keys/{id}/regenerate");
    acme.ok("POST", &regenerate, json!({ "graceSeconds": 3_600 }));
    acme.ok("DELETE", &format!("/scim/keys/{id}"), Value::Null);
    acme.ok("POST", "/scim/disable", Value::Null);
    acme.ok("POST", "/scim/disable", Value::Null);
    acme.ok("DELETE", "/sso/saml", Value::Null);
    let expected = [
        "sso.removed",
        "scim.disabled",
        "scim.key.revoked",
        "scim.key.regenerated",
        "member.provisioned",
        "scim.key.generated",
        "scim.enabled",
        "sso.configured",
        "admin_token.issued",
        "team.created",
    ];
    assert_eq!(acme.actions(), expected);

    let page = acme.ok("GET", "/audit?count=6", Value::Null);
    let records = page["records"].as_array().unwrap();
    assert_eq!(records.len(), 6);
    assert_eq!((&records[2]["subject"], &records[5]["subject"]), (&json!(id), &json!(id)));
    assert_eq!(records[4]["actor"], format!("key:{id}"));
    assert_eq!(records[4]["subject"], person["id"]);
    assert!(records[5]["actor"].as_str().unwrap().starts_with("admin:"));
    let before = records[5]["seq"].as_i64().unwrap();
    let rest = acme.ok("GET", &format!("/audit?after={before}"), Value::Null);
    let rest: Vec<&str> =
        rest["records"].as_array().unwrap().iter().map(|r| r["action"].as_str().unwrap()).collect();
    assert_eq!(rest, expected[6..]);
    for query in ["count=-1", "count=a", "after=1.5", "count=1&count=2"] {
        let path = format!("/audit?{query}");
        acme.refused(("GET", &path, Value::Null), 400, "invalid", "`");
    }
}

#[test]
fn what_is_refused_is_not_in_the_audit() {
    let acme = Acme::new();
    let before = acme.actions();
    acme.call("POST", "/scim/enable", Value::Null);
    acme.call("PUT", "/sso/saml", json!({}));
    acme.call("POST", "/scim/keys", json!({}));
    acme.call("DELETE", "/scim/keys/0", Value::Null);
    acme.call("POST", "/scim/disable", Value::Null);
    assert_eq!(acme.actions(), before);
}

#[test]
fn paths_and_methods_are_matched_as_they_are_sent() {
    let acme = Acme::new();
    for path in [
        "/nothing",
        "/",
        "/scim/",
        "/scim//keys",
        "/sc%69m",
        "/Scim",
        "/scim/keys/",
        "/sso/saml/x",
        "/-/command",
    ] {
        acme.refused(("GET", path, Value::Null), 404, "not_found", "nothing at this path");
    }
    for (method, path, allow) in [
        ("POST", "", "GET"),
        ("DELETE", "/scim/keys", "GET, POST"),
        ("POST", "/sso/saml", "PUT, DELETE"),
        ("GET", "/scim/enable", "POST"),
        ("PATCH", "/audit", "GET"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(format!("/teams/acme/v1{path}"))
            .header("authorization", format!("Bearer {}", acme.admin));
        let answer = acme.world.send(request.body(Vec::new()).unwrap());
        assert_eq!(answer.status(), 405, "{method} {path}");
        assert_eq!(answer.headers()["allow"], allow, "{method} {path}");
    }
}

#[test]
fn answers_are_json_that_nobody_keeps() {
    let acme = Acme::new();
    for path in ["", "/scim", "/nothing"] {
        let request = Request::get(format!("/teams/acme/v1{path}"))
            .header("authorization", format!("Bearer {}", acme.admin));
        let answer = acme.world.send(request.body(Vec::new()).unwrap());
        for (name, value) in [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.headers()[name], value, "{path}: {name}");
        }
    }
}

#[test]
fn bodies_are_bounded_and_strict() {
    let acme = Acme::new();
    for (body, says) in [
        ("{\"name\": \"a\", \"name\": \"b\"}", "name"),
        ("{\"name\": \"a\"} x", "trailing"),
        ("{\"name\": ", "EOF"),
        ("not json", "expected"),
        (&format!("{{\"name\": \"{}\"}}", "a".repeat(70_000)), "bytes"),
    ] {
        let request = Request::post("/teams/acme/v1/scim/keys")
            .header("authorization", format!("Bearer {}", acme.admin))
            .header("content-type", "application/json");
        let answer = acme.world.send(request.body(body.as_bytes().to_vec()).unwrap());
        let start: String = body.chars().take(40).collect();
        assert_eq!(answer.status(), 400, "{start}");
        let told: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(told["error"]["code"], "invalid", "{start}");
        assert!(told["error"]["message"].as_str().unwrap().contains(says), "{told}");
    }
}
