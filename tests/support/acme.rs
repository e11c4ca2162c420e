//! A team and its admin, for the tests of the team API.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of it")]

#[path = "world.rs"]
pub mod world;

use http::StatusCode;
use serde_json::{Value, json};
use world::{World, certificate};

/// A team, and its admin at the API.
pub struct Acme {
    /// Its deployment.
    pub world: World,
    /// Its admin's token.
    pub admin: String,
}

impl Acme {
    /// As an operator makes it: no SSO, SCIM off, no key.
    pub fn new() -> Self {
        let world = World::new();
        let admin = world.new_team("acme");
        Self { world, admin }
    }

    /// With SAML set and SCIM on.
    pub fn enabled() -> Self {
        let acme = Self::new();
        acme.ok("PUT", "/sso/saml", saml());
        acme.ok("POST", "/scim/enable", Value::Null);
        acme
    }

    /// The answer to a request below `/teams/acme/v1`.
    pub fn call(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.world.call(&self.admin, method, &format!("/teams/acme/v1{path}"), body)
    }

    /// The answer to one that must succeed.
    #[track_caller]
    pub fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        self.world.ok(&self.admin, method, &format!("/teams/acme/v1{path}"), body)
    }

    /// Expects a refusal of this status and code whose sentence says `says`.
    #[track_caller]
    pub fn refused(&self, request: (&str, &str, Value), status: u16, code: &str, says: &str) {
        let (method, path, body) = request;
        let what = format!("{method} {path} {body}");
        let (got, answer) = self.call(method, path, body);
        assert_eq!(got, status, "{what}: {answer}");
        assert_eq!(answer["error"]["code"], code, "{what}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{what}: {message}");
        assert_eq!(answer.as_object().unwrap().len(), 1, "{what}: {answer}");
    }

    /// A new key: its id and its text.
    #[track_caller]
    pub fn key(&self, name: &str) -> (String, String) {
        pair(&self.ok("POST", "/scim/keys", json!({ "name": name })))
    }

    /// What a key gets at `/Users`.
    pub fn users(&self, key: &str) -> u16 {
        self.world.call(key, "GET", "/scim/v2/Users", Value::Null).0.as_u16()
    }

    /// The state of a key by id.
    #[track_caller]
    pub fn state(&self, id: &str) -> String {
        let keys = self.ok("GET", "/scim/keys", Value::Null);
        let key = keys["keys"].as_array().unwrap().iter().find(|key| key["id"] == id).unwrap();
        key["state"].as_str().unwrap().to_owned()
    }

    /// What was done, the newest first.
    pub fn actions(&self) -> Vec<String> {
        let page = self.ok("GET", "/audit", Value::Null);
        let records = page["records"].as_array().unwrap().iter();
        records.map(|record| record["action"].as_str().unwrap().to_owned()).collect()
    }
}

/// A new key's id and text.
pub fn pair(made: &Value) -> (String, String) {
    (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

/// Good settings of SAML.
pub fn saml() -> Value {
    json!({
        "issuer": "https://app.onelogin.example/saml/metadata/1",
        "signInUrl": "https://acme.onelogin.example/trust/saml2/http-post/sso/1",
        "certificate": certificate(),
    })
}

/// Good settings of OpenID Connect.
pub fn oidc() -> Value {
    json!({ "issuer": "https://acme.onelogin.example/oidc/2", "clientId": "kafkaman" })
}
