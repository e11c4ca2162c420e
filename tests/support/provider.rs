//! An OpenID provider on paper: it signs what a test wants signed, by ES256 and by
//! RS256, and answers the errands of a sign-in.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of it")]

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use kafkaman_scim::directory::sign_in::{Errand, Found};
use p256::ecdsa::signature::Signer;
use rsa::pkcs1v15;
use rsa::signature::SignatureEncoding;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::Sha256;
use std::cell::RefCell;
use std::rc::Rc;

/// Who it is.
pub const ISSUER: &str = "https://acme.onelogin.example/oidc/2";
/// The name under which it knows kafkaman.
pub const CLIENT: &str = "kafkaman-client";

/// The primes of a key that nothing but these tests knows.
const P: &str = "c7d1c926119e31d0163ea9e1e1087e961dd1340baba1b7ae4d627f1084faec8363d584856e415175818dd4cf4c0cf611841fb513e5af446d021ed96d736809bcb398a7f5f5bc14dd22b7e4639256698f94d81a1f8efe4e45dfe78d8ed80c41501c6b6b18bfbf108d7b8c075bcf333c8be45b38f5f28ad3e4507c20e113ebac15";
const Q: &str = "bc63b39d1aa83892fed70459130540be20c6e2d6e7f2399ff86fd336499bb787d13dd000604ba3bc95d1004957adb57106d5c9c90c3bf514f2042837cae1840335dc75b40ee83d246d3e63d4771edd85dc69c100d72da057382c98e80f6a11cff4c72b79d2fb55223faae8e257fe210ade76378feef3b67a25d01aafee393469";

/// A key to sign with.
#[derive(Clone)]
pub enum Key {
    /// ES256, from a seed.
    P256(u8),
    /// RS256.
    Rsa,
}

fn rsa_key() -> rsa::PrivateKey {
    let number = |hex: &str| rsa::BoxedUint::from_be_hex(hex, 1024).unwrap();
    rsa::PrivateKey::from_p_q(number(P), number(Q), rsa::BoxedUint::from(65_537u64)).unwrap()
}

fn p256_key(seed: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()
}

impl Key {
    /// Its name.
    pub fn id(&self) -> String {
        match self {
            Self::P256(seed) => format!("es-{seed}"),
            Self::Rsa => "rs".into(),
        }
    }

    /// The algorithm.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Rsa => "RS256",
        }
    }

    /// The public half.
    pub fn jwk(&self) -> Value {
        match self {
            Self::P256(seed) => {
                let key = p256_key(*seed);
                let point = key.verifying_key().to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "kid": self.id(), "use": "sig",
                        "x": BASE64.encode(x), "y": BASE64.encode(y) })
            }
            Self::Rsa => {
                let key = rsa_key();
                json!({ "kty": "RSA", "kid": "rs", "alg": "RS256", "e": "AQAB",
                        "n": BASE64.encode(key.n().to_be_bytes()) })
            }
        }
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(seed) => {
                let signature: p256::ecdsa::Signature = p256_key(*seed).sign(text);
                signature.to_bytes().to_vec()
            }
            Self::Rsa => pkcs1v15::SigningKey::<Sha256>::new(rsa_key()).sign(text).to_vec(),
        }
    }

    /// A token with this header beside `alg` and `kid`.
    pub fn token_with(&self, header: Value, claims: &Value) -> String {
        let mut whole = json!({ "alg": self.algorithm(), "kid": self.id() });
        for (name, value) in header.as_object().unwrap() {
            whole[name] = value.clone();
            if value.is_null() {
                whole.as_object_mut().unwrap().remove(name);
            }
        }
        let part = |value: &Value| BASE64.encode(value.to_string());
        let signed = format!("{}.{}", part(&whole), part(claims));
        let signature = BASE64.encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// A token.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(json!({}), claims)
    }
}

/// What the provider answers next.
pub struct Provider {
    /// The keys that it publishes.
    pub keys: Vec<Key>,
    /// Its document's differences from the usual.
    pub document: Value,
    /// The ID token that a code is good for.
    pub id_token: String,
    /// What answers a token request instead.
    pub error: Option<Value>,
    /// The addresses that were asked, with the bodies sent there.
    pub asked: Vec<(String, String)>,
}

impl Provider {
    /// With these keys.
    pub fn new(keys: &[Key]) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            keys: keys.to_vec(),
            document: json!({}),
            id_token: String::new(),
            error: None,
            asked: Vec::new(),
        }))
    }

    /// Answers an errand.
    pub fn answer(&mut self, errand: &Errand) -> Found {
        self.asked.push((errand.url.clone(), errand.body.clone().unwrap_or_default()));
        let found = |body: Value| Found { status: 200, body: body.to_string() };
        match errand.url.strip_prefix(ISSUER).unwrap_or_default() {
            "/.well-known/openid-configuration" => {
                let mut document = json!({
                    "issuer": ISSUER,
                    "authorization_endpoint": format!("{ISSUER}/auth"),
                    "token_endpoint": format!("{ISSUER}/token"),
                    "jwks_uri": format!("{ISSUER}/certs"),
                });
                for (name, value) in self.document.as_object().unwrap() {
                    document[name] = value.clone();
                }
                found(document)
            }
            "/certs" => {
                let keys: Vec<Value> = self.keys.iter().map(Key::jwk).collect();
                found(json!({ "keys": keys }))
            }
            "/token" => match &self.error {
                Some(error) => Found { status: 400, body: error.to_string() },
                None => found(json!({ "access_token": "x", "id_token": self.id_token })),
            },
            _ => Found { status: 404, body: String::new() },
        }
    }
}
