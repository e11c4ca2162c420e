//! A provider's public keys: a JWK Set (RFC 7517 section 5).

use super::jws::Algorithm;
use super::{Refusal, object};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier;
use rsa::traits::{PublicKeyParts, SignatureScheme};
use rsa::{BoxedUint, Pkcs1v15Sign, PublicKey};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Bytes of a key set.
pub const KEYS_BYTES_MAX: usize = 64 << 10;
/// Keys that are read; Entra ID publishes six.
const KEYS_MAX: usize = 32;
/// Bits of an RSA key.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2_048..=4_096;
/// What stands before the digest in a signature with SHA-256 (RFC 8017 section
/// 9.2, note 1).
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// The keys that can check a token; others in the set are passed over.
pub struct Keys(pub(super) Vec<Key>);

/// A public key.
pub(super) struct Key {
    pub(super) id: Option<String>,
    public: Public,
}

enum Public {
    Rsa(Box<PublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
}

impl Keys {
    /// Reads a key set.
    ///
    /// # Errors
    /// `malformed` for what is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let set = object("key set", bytes, KEYS_BYTES_MAX)?;
        let Some(Value::Array(keys)) = set.get("keys") else {
            return Err(Refusal::new("malformed", "the provider's key set has no `keys`"));
        };
        let read = keys.iter().take(KEYS_MAX).filter_map(|key| Key::read(key.as_object()?));
        Ok(Self(read.collect()))
    }
}

impl Key {
    fn read(key: &Map<String, Value>) -> Option<Self> {
        let string = |name: &str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(string(name)?).ok();
        if string("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        let public = match string("kty")? {
            "RSA" => {
                let (modulus, exponent) = (bytes("n")?, bytes("e")?);
                let bits = u32::try_from(modulus.len()).ok()?.checked_mul(8)?;
                if !RSA_BITS.contains(&bits) {
                    return None;
                }
                let number = |bytes: &[u8], bits| BoxedUint::from_be_slice(bytes, bits).ok();
                let exponent_bits = u32::try_from(exponent.len()).ok()?.checked_mul(8)?;
                let (n, e) = (number(&modulus, bits)?, number(&exponent, exponent_bits)?);
                let key = PublicKey::new(n, e).ok()?;
                RSA_BITS.contains(&key.n().bit_width()).then(|| Public::Rsa(Box::new(key)))?
            }
            "EC" if string("crv")? == "P-256" => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
                Public::P256(Box::new(key))
            }
            _ => return None,
        };
        let key = Self { id: string("kid").map(str::to_owned), public };
        let is_its_own = |name| Algorithm::named(name) == Some(key.algorithm());
        string("alg").is_none_or(is_its_own).then_some(key)
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self.public {
            Public::Rsa(_) => Algorithm::Rs256,
            Public::P256(_) => Algorithm::Es256,
        }
    }

    /// Whether this is the key's signature of the text.
    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Rsa(key) => {
                let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_PREFIX.into() };
                scheme.verify(key.as_ref(), &Sha256::digest(text), signature).is_ok()
            }
            // Two numbers of 32 bytes, not DER (RFC 7518 section 3.4).
            Public::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(text, &signature).is_ok()),
        }
    }
}
