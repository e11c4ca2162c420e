//! A team that signs in by OpenID Connect, a browser, and a provider on paper.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of it")]

#[path = "acme.rs"]
pub mod acme;
#[path = "provider.rs"]
pub mod provider;

use acme::Acme;
use http::{Request, Response};
use provider::{CLIENT, ISSUER, Key, Provider};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A team that signs in by OpenID Connect, its provider, and a browser.
pub struct Stage {
    /// The team.
    pub acme: Acme,
    /// Its provider.
    pub provider: Rc<RefCell<Provider>>,
    /// What the browser holds.
    pub cookies: RefCell<HashMap<String, String>>,
}

/// The key that the provider signs with.
pub const KEY: Key = Key::P256(7);

impl Stage {
    /// A new one.
    pub fn new() -> Self {
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

    /// With SCIM on, and a key.
    pub fn with_scim() -> (Self, String) {
        let stage = Self::new();
        stage.acme.ok("POST", "/scim/enable", Value::Null);
        let key = stage.acme.key("provider").1;
        (stage, key)
    }

    /// A browser opens a page; its cookies are kept.
    pub fn open(&self, path: &str) -> Response<Vec<u8>> {
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
    pub fn begin(&self, query: &str) -> HashMap<String, String> {
        let response = self.open(&format!("/teams/acme/sign-in/start{query}"));
        assert_eq!(response.status(), 303, "{}", page(&response));
        let place = response.headers()["location"].to_str().unwrap().to_owned();
        let (address, asked) = place.split_once('?').unwrap();
        assert_eq!(address, format!("{ISSUER}/auth"));
        form_urlencoded::parse(asked.as_bytes()).into_owned().collect()
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        self.acme.world.in_team("acme", |context| context.now.0) / 1000
    }

    /// The claims of a good token for this sign-in.
    pub fn claims(&self, asked: &HashMap<String, String>, subject: &str, email: &str) -> Value {
        json!({
            "iss": ISSUER, "aud": CLIENT, "sub": subject, "email": email, "name": "Ada Byron",
            "nonce": asked["nonce"], "iat": self.now(), "exp": self.now() + 300,
            "auth_time": self.now(),
        })
    }

    /// Comes back from the provider with a token.
    pub fn come_back(&self, asked: &HashMap<String, String>, token: String) -> Response<Vec<u8>> {
        self.provider.borrow_mut().id_token = token;
        let state = &asked["state"];
        self.open(&format!("/teams/acme/sign-in/callback?code=abc&state={state}"))
    }

    /// A whole sign-in.
    pub fn sign_in(&self, subject: &str, email: &str) -> Response<Vec<u8>> {
        let asked = self.begin("");
        self.come_back(&asked, KEY.token(&self.claims(&asked, subject, email)))
    }

    /// The status of the member's own page.
    pub fn me(&self) -> u16 {
        self.open("/teams/acme/me").status().as_u16()
    }
}

/// A page's text.
pub fn page(response: &Response<Vec<u8>>) -> String {
    String::from_utf8(response.body().clone()).unwrap()
}

/// The code of the refusal that a page tells; none of a sign-in that worked.
pub fn code(response: &Response<Vec<u8>>) -> String {
    if response.status() == 303 {
        return "in".into();
    }
    let page = page(response);
    let (_, rest) = page.split_once("Reason: ").unwrap_or_else(|| panic!("{page}"));
    rest.split('<').next().unwrap().to_owned()
}

/// The admin's address.
pub const ADMIN: &str = "admin@kafkaman.example";
