//! Credentials: one layout for everything that opens something.
//!
//! `prefix` and base64url of `version (1 byte) | id (8) | secret (24) |
//! tag (12) | team id`. The tag is the first 96 bits of HMAC-SHA256, under the
//! deployment's signing secret of that version, over the prefix and all the
//! rest. So the Worker tells a forgery without asking any object, and the
//! object then compares the secret's hash: whoever learned a signing secret
//! could wake objects, not enter them.

use super::team_id::TeamId;
use super::{Context, Fault};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 24;
const TAG_BYTES: usize = 12;
/// Characters of the longest credential: prefix, fixed part and longest team.
const TEXT_CHARS_MAX: usize = 160;

/// What a credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A SCIM API key, for a team's identity provider.
    Scim,
    /// A token for the team API, for one of its admins.
    Admin,
    /// A token for one of kafkaman's other services.
    Service,
    /// A member's session.
    Session,
    /// A link that makes someone admin.
    BreakGlass,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Scim, Self::Admin, Self::Service, Self::Session, Self::BreakGlass];

    /// What the text of such a credential begins with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Scim => "kfm_scim_",
            Self::Admin => "kfm_admin_",
            Self::Service => "kfm_service_",
            Self::Session => "kfm_session_",
            Self::BreakGlass => "kfm_link_",
        }
    }

    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scim => "scim",
            Self::Admin => "admin",
            Self::Service => "service",
            Self::Session => "session",
            Self::BreakGlass => "break_glass",
        }
    }
}

/// One of the deployment's signing secrets.
pub struct SigningSecret {
    version: u8,
    /// Has taken the secret and no message yet: half of the work of a short tag.
    keyed: Hmac<Sha256>,
}

impl SigningSecret {
    /// A secret, and the number by which credentials refer to it. `None` for one that
    /// HMAC cannot take.
    pub fn new(version: u8, secret: &[u8]) -> Option<Self> {
        Some(Self { version, keyed: Hmac::new_from_slice(secret).ok()? })
    }

    /// The number by which credentials refer to it.
    pub fn version(&self) -> u8 {
        self.version
    }

    fn derived(&self, purpose: &str, team: &str) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        for part in [purpose, "\0", team] {
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    fn tag(&self, kind: Kind, id: &[u8], secret: &[u8], team: &[u8]) -> Option<[u8; TAG_BYTES]> {
        let mut mac = self.keyed.clone();
        // Every part but the last has a fixed length, so no two inputs are alike.
        for part in [kind.prefix().as_bytes(), &[self.version], id, secret, team] {
            mac.update(part);
        }
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        full.first_chunk().copied()
    }
}

/// The deployment's signing secrets, one at least.
pub struct SigningSecrets {
    current: SigningSecret,
    others: Vec<SigningSecret>,
}

impl SigningSecrets {
    /// These secrets; the one with the highest version signs. `None` of none.
    pub fn new(mut secrets: Vec<SigningSecret>) -> Option<Self> {
        let (newest, _) = secrets.iter().enumerate().max_by_key(|(_, secret)| secret.version)?;
        let current = secrets.remove(newest);
        Some(Self { current, others: secrets })
    }

    /// A key of its own for one purpose and team, from the current secret. It
    /// changes when the secret does, so it is for what lives shortly.
    pub(super) fn derived(&self, purpose: &str, team: &str) -> [u8; 32] {
        self.current.derived(purpose, team)
    }

    /// The same from the secret of this version, if it is live.
    pub(super) fn derived_under(&self, version: u8, purpose: &str, team: &str) -> Option<[u8; 32]> {
        Some(self.version(version)?.derived(purpose, team))
    }

    /// The version of the secret that signs.
    pub(super) fn current_version(&self) -> u8 {
        self.current.version
    }

    fn version(&self, version: u8) -> Option<&SigningSecret> {
        std::iter::once(&self.current).chain(&self.others).find(|secret| secret.version == version)
    }
}

/// A credential that carries a good tag. It proves that this deployment made
/// it, not yet that it still opens anything.
pub struct Credential {
    /// What it is for.
    pub kind: Kind,
    /// Its id, in hexadecimal.
    pub id: String,
    /// The team that it was made for.
    pub team: TeamId,
    secret: [u8; SECRET_BYTES],
}

impl Credential {
    /// Reads a credential's text and checks its tag. `None` for whatever is
    /// not exactly a text that [`mint`] returned under a live signing secret.
    pub fn read(signing: &SigningSecrets, text: &str) -> Option<Self> {
        if text.len() > TEXT_CHARS_MAX {
            return None;
        }
        let kind = Kind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        let encoded = text.strip_prefix(kind.prefix())?;
        // This engine refuses padding and stray trailing bits, so that no two
        // texts are one credential.
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (id, rest) = rest.split_first_chunk::<ID_BYTES>()?;
        let (secret, rest) = rest.split_first_chunk::<SECRET_BYTES>()?;
        let (tag, team) = rest.split_first_chunk::<TAG_BYTES>()?;
        let expected = signing.version(*version)?.tag(kind, id, secret, team)?;
        if !bool::from(expected.ct_eq(tag)) {
            return None;
        }
        let team = TeamId::parse(std::str::from_utf8(team).ok()?)?;
        Some(Self { kind, id: hex(id), team, secret: *secret })
    }

    /// Whether the secret is the one with this SHA-256, in constant time.
    pub fn has_hash(&self, hash: &[u8]) -> bool {
        sha256(&self.secret).ct_eq(hash).into()
    }
}

/// A new credential.
pub struct Minted {
    /// What its holder gets, once.
    pub text: String,
    /// Its id, in hexadecimal.
    pub id: String,
    /// The SHA-256 of its secret, which is all that is kept.
    pub hash: [u8; 32],
    /// The version of the signing secret that tags it.
    pub signing_version: u8,
}

/// Makes a credential for a team.
pub fn mint(context: &Context<'_>, kind: Kind, team: &TeamId) -> Result<Minted, Fault> {
    let id = context.random_bytes::<ID_BYTES>()?;
    let secret = context.random_bytes::<SECRET_BYTES>()?;
    let signing = &context.deployment.signing.current;
    let team = team.as_str().as_bytes();
    let tag = signing
        .tag(kind, &id, &secret, team)
        .ok_or_else(|| Fault::new("a tag could not be computed"))?;
    let bytes = [&[signing.version], id.as_slice(), &secret, &tag, team].concat();
    Ok(Minted {
        text: format!("{}{}", kind.prefix(), BASE64_URL_SAFE_NO_PAD.encode(bytes)),
        id: hex(&id),
        hash: sha256(&secret),
        signing_version: signing.version,
    })
}

/// SHA-256. A fast hash without salt is right here: nobody guesses 192 random
/// bits.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
