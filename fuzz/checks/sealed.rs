//! Credentials and cursors: what was not made here does not open.

use super::{object, refused};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use kafkaman_scim::directory::credential::{self, Credential, Kind, Minted};
use kafkaman_scim::directory::cursor::{self, Cursor};
use kafkaman_scim::directory::schemas::Schemas;
use kafkaman_scim::directory::sql::{Outcome, Row, Sql, SqlError, Value as SqlValue};
use kafkaman_scim::directory::team_id::TeamId;
use kafkaman_scim::directory::{Context, Deployment, Failure, Fault, Origin};
use kafkaman_scim::scim::schema;
use kafkaman_scim::scim::sort::{Key, Sort};
use kafkaman_scim::scim::{Error, ScimType, Timestamp};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::LazyLock;

/// Signing secrets of two versions, and one of a deployment that is not ours.
const FIRST_SECRET: &str = "1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
const SECOND_SECRET: &str = "2:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA";
const FOREIGN_SECRET: &str = "1:Zm9yZWlnbi1mb3JlaWduLWZvcmVpZ24tZm9yZWlnbiE";
/// What a new credential or cursor is made at and of.
const NOW: Timestamp = Timestamp(1_795_467_917_000);
/// A credential's parts before the team: version, id, secret and tag.
const CREDENTIAL_BYTES: usize = 1 + 8 + 24 + 12;
/// The team and query whose cursors the corpus holds.
const TEAM: &str = "acme";
const QUERY: &str = "filter=userName+pr&sortBy=userName";

/// What a request without storage has: nothing here may ask for a row.
struct NoStorage;

impl Sql for NoStorage {
    fn each(
        &self,
        statement: &str,
        _parameters: &[SqlValue],
        _row: &mut dyn FnMut(Row) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        panic!("storage was asked: {statement}");
    }

    fn atomically(&self, _body: &mut dyn FnMut() -> Outcome) -> Result<(), SqlError> {
        panic!("storage was changed");
    }
}

/// Runs something at an instant in a deployment with these signing secrets,
/// where randomness is `seed`, over and over. The only place that makes a
/// context.
fn within<T>(secrets: &str, now: Timestamp, seed: &[u8], run: impl FnOnce(&Context<'_>) -> T) -> T {
    let drawn = RefCell::new(seed.iter().cycle());
    let random = |bytes: &mut [u8]| -> Result<(), Fault> {
        let mut drawn = drawn.borrow_mut();
        bytes.fill_with(|| drawn.next().copied().unwrap_or_default());
        Ok(())
    };
    let deployment = deployment(secrets);
    let (schemas, origin) = (Schemas::built_in(), Origin::none());
    run(&Context {
        sql: &NoStorage,
        now,
        random: &random,
        deployment: &deployment,
        schemas,
        origin,
    })
}

fn deployment(secrets: &str) -> Deployment {
    let token = "operator-token-of-the-fuzz-targets-0001";
    Deployment::read("http://localhost:8787", secrets, token)
        .unwrap_or_else(|fault| panic!("{fault}"))
}

/// Changes bytes as pairs of position and new value say.
fn edit(bytes: &mut [u8], edits: &[u8]) {
    for pair in edits.chunks_exact(2) {
        let [position, new] = pair else { continue };
        let length = bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(usize::from(*position) % length) {
            *byte = *new;
        }
    }
}

/// A credential's text, and edits of a good one: only what was minted is read.
pub fn credential(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        only_minted_is_read(text);
        if let Some(team) = TeamId::parse(text) {
            let minted = mint(FIRST_SECRET, data, Kind::Admin, &team);
            assert!(only_minted_is_read(&minted.text));
        }
    }
    let team = TeamId::parse("eu.acme").unwrap_or_else(|| panic!("a team id"));
    for kind in [Kind::Scim, Kind::Admin] {
        let foreign = mint(FOREIGN_SECRET, data, kind, &team);
        assert!(!only_minted_is_read(&foreign.text), "another deployment's");
        for secret in [FIRST_SECRET, SECOND_SECRET] {
            let minted = mint(secret, data, kind, &team);
            assert!(only_minted_is_read(&minted.text));
            let mut text = minted.text.clone().into_bytes();
            edit(&mut text, data);
            if let Ok(text) = String::from_utf8(text) {
                assert_eq!(only_minted_is_read(&text), text == minted.text, "{text}");
            }
            // The bytes below the base64, so that edits get as far as the tag.
            let encoded = minted.text.strip_prefix(kind.prefix()).unwrap_or_default();
            let mut bytes = BASE64.decode(encoded).unwrap_or_default();
            edit(&mut bytes, data);
            let text = format!("{}{}", kind.prefix(), BASE64.encode(bytes));
            assert_eq!(only_minted_is_read(&text), text == minted.text, "{text}");
        }
    }
}

fn mint(secrets: &str, seed: &[u8], kind: Kind, team: &TeamId) -> Minted {
    let minted = within(secrets, NOW, seed, |context| credential::mint(context, kind, team));
    minted.unwrap_or_else(|fault| panic!("{fault}"))
}

/// Reads a text where both secrets are live. What is accepted is exactly what
/// minting its parts again gives.
fn only_minted_is_read(text: &str) -> bool {
    static OURS: LazyLock<Deployment> =
        LazyLock::new(|| deployment(&format!("{FIRST_SECRET},{SECOND_SECRET}")));
    let Some(read) = Credential::read(&OURS.signing, text) else { return false };
    let encoded = text.strip_prefix(read.kind.prefix()).unwrap_or_default();
    let bytes = BASE64.decode(encoded).unwrap_or_default();
    let (version, rest) = bytes.split_first().unwrap_or((&0, &[]));
    // The id and the secret, in the order in which minting draws them.
    let drawn = rest.first_chunk::<32>().unwrap_or_else(|| panic!("too short: {text}"));
    let secrets = if *version == 1 { FIRST_SECRET } else { SECOND_SECRET };
    let minted = mint(secrets, drawn, read.kind, &read.team);
    assert_eq!(minted.text, text);
    assert_eq!((&minted.id, minted.signing_version), (&read.id, *version));
    assert!(read.has_hash(&minted.hash) && bytes.len() > CREDENTIAL_BYTES);
    true
}

/// A cursor's text, cursors made of the data, and edits of those: only what
/// was sealed opens, and only for its query, team and time.
pub fn cursor(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        only_sealed_opens(text, TEAM, QUERY);
        only_sealed_opens(text, text, text);
    }
    let text = String::from_utf8_lossy(data);
    let made = Cursor { key: key(data), id: text.to_string(), backward: data.len() % 2 == 1 };
    let seal = |context: &Context<'_>| made.seal(context, TEAM, QUERY);
    let sealed = within(FIRST_SECRET, NOW, data, seal).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(only_sealed_opens(&sealed, TEAM, QUERY), Some(json!(made)));
    assert_eq!(only_sealed_opens(&sealed, "acme2", QUERY), None, "another team's");
    if text != QUERY {
        assert_eq!(only_sealed_opens(&sealed, TEAM, &text), None, "another query's");
    }
    let late = NOW.plus(cursor::TIMEOUT_SECONDS * 1_000);
    let late = open(FIRST_SECRET, late, &sealed, TEAM, QUERY);
    assert_eq!(late.err().and_then(|error| error.scim_type()), Some(ScimType::ExpiredCursor));
    assert!(open(SECOND_SECRET, NOW, &sealed, TEAM, QUERY).is_err(), "another secret's");
    let mut edited = sealed.clone().into_bytes();
    edit(&mut edited, data);
    if let Ok(edited) = String::from_utf8(edited) {
        assert_eq!(only_sealed_opens(&edited, TEAM, QUERY).is_some(), edited == sealed);
    }
}

/// The order key of a resource made of the data, of each type that there is.
fn key(data: &[u8]) -> Option<Key> {
    let by = ["userName", "active", "meta.created", "nickName", "externalId"];
    let index = data.len() % (by.len() + 1);
    let sort = Sort::parse(schema::user(), Some(by.get(index)?), None);
    let text = String::from_utf8_lossy(data);
    let millis = data.iter().take(6).fold(0, |sum: i64, byte| (sum << 8) | i64::from(*byte));
    let resource = json!({
        "userName": text, "externalId": text, "active": data.len() % 4 == 1,
        "meta": { "created": Timestamp(millis).to_string() },
    });
    sort.ok().flatten().map(|sort| sort.key(&object(resource)))
}

/// Opens a text at the instant at which cursors are sealed here. What opens is
/// exactly what sealing it again gives.
fn only_sealed_opens(text: &str, team: &str, query: &str) -> Option<Value> {
    let cursor = open(FIRST_SECRET, NOW, text, team, query).ok()?;
    let bytes = BASE64.decode(text).unwrap_or_default();
    let seal = |context: &Context<'_>| cursor.seal(context, team, query);
    let again = within(FIRST_SECRET, NOW, &bytes, seal).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(again, text);
    Some(json!(cursor))
}

fn open(
    secrets: &str,
    now: Timestamp,
    text: &str,
    team: &str,
    query: &str,
) -> Result<Cursor, Error> {
    let cursors = [ScimType::InvalidCursor, ScimType::ExpiredCursor];
    within(secrets, now, &[], |context| match Cursor::open(context, team, query, text) {
        Ok(cursor) => Ok(cursor),
        Err(Failure::Refused(error)) => {
            refused(&error);
            assert!(error.scim_type().is_some_and(|own| cursors.contains(&own)), "{error}");
            Err(error)
        }
        Err(Failure::Fault(fault)) => panic!("a fault: {fault}"),
    })
}
