//! Who gets in: every credential that is not exactly right is refused before
//! an object is woken, in one and the same way.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::{Request, Response, StatusCode};
use kafkaman_scim::directory::credential::{self, Kind};
use kafkaman_scim::directory::team_id::TeamId;
use kafkaman_scim::directory::{Context, Fault};
use serde_json::{Value, json};
use world::{OPERATOR_TOKEN, SIGNING_SECRETS, World};

/// A second signing secret, besides the world's first.
const NEXT_SECRET: &str = "2:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA";
const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;

/// Paths that a SCIM API key could open, plain and disguised.
const SCIM_PATHS: [&str; 14] = [
    "/scim/v2/Users",
    "/scim/v2/Users/1",
    "/scim/v2/Groups?filter=displayName%20eq%20%22a%22",
    "/scim/v2/Us%65rs",
    "/scim/v2/Users%2F1",
    "/scim/v2/%2e%2e/Users",
    "/scim/v2//Users",
    "/scim/v2/",
    "/scim",
    "/scim/v1/Users",
    "/scim/v9/Users",
    "/scim/v2/nothing",
    "/scim/-/command",
    "/scim/v2/Schemas",
];

/// Paths that an admin token or an operator's could open.
const CONTROL_PATHS: [&str; 8] = [
    "/teams/acme/v1",
    "/teams/acme/v1/scim/keys",
    "/teams/acm%65/v1/scim/keys",
    "/teams/acme/v1/%73cim",
    "/teams/acme/v1/nothing",
    "/operator/v1/teams",
    "/operator/v1/teams/acme",
    "/operator/v1/t%65ams",
];

/// Sends headers of this name as they stand.
fn send(world: &World, method: &str, path: &str, authorization: &[&str]) -> Response<Vec<u8>> {
    let mut request = Request::builder().method(method).uri(path);
    for value in authorization {
        request = request.header("authorization", value.as_bytes());
    }
    world.send(request.body(Vec::new()).unwrap())
}

/// Changes one character of a credential's bytes, counted from the end.
fn altered(text: &str, from_end: usize) -> String {
    let mut bytes: Vec<char> = text.chars().collect();
    let at = bytes.len() - 1 - from_end;
    bytes[at] = if bytes[at] == 'A' { 'B' } else { 'A' };
    bytes.into_iter().collect()
}

/// The credential with its bytes changed, its prefix left.
fn rewritten(text: &str, prefix: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = BASE64.decode(text.strip_prefix(prefix).unwrap()).unwrap();
    change(&mut bytes);
    format!("{prefix}{}", BASE64.encode(bytes))
}

/// The same bytes in other base64: the bits that no byte uses are not zero.
fn respelt(text: &str) -> Option<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = text.chars().last()?;
    let next = ALPHABET.chars().nth(ALPHABET.find(last)? + 1)?;
    let other = format!("{}{next}", text.strip_suffix(last)?);
    let lenient = base64::engine::GeneralPurpose::new(
        &base64::alphabet::URL_SAFE,
        base64::engine::general_purpose::NO_PAD.with_decode_allow_trailing_bits(true),
    );
    let bytes = |text: &str| lenient.decode(text.strip_prefix("kfm_scim_")?).ok();
    (bytes(text)? == bytes(&other)?).then_some(other)
}

/// `Authorization` headers that nobody may get in with, made of a good token.
fn malformed(good: &str, prefix: &str) -> Vec<(&'static str, Vec<String>)> {
    let bearer = |token: &str| vec![format!("Bearer {token}")];
    let bytes = |change: fn(&mut Vec<u8>)| bearer(&rewritten(good, prefix, change));
    let half = good.get(..good.len() / 2).unwrap();
    vec![
        ("no header", vec![]),
        ("empty", vec![String::new()]),
        ("scheme alone", vec!["Bearer".into()]),
        ("scheme and space", vec!["Bearer ".into()]),
        ("token alone", vec![good.into()]),
        ("another scheme", vec![format!("Basic {good}")]),
        ("an unknown scheme", vec![format!("Token {good}")]),
        ("scheme glued on", vec![format!("Bearer{good}")]),
        ("scheme with a colon", vec![format!("Bearer: {good}")]),
        ("two spaces", vec![format!("Bearer  {good}")]),
        ("a tab", vec![format!("Bearer\t{good}")]),
        ("scheme twice", vec![format!("Bearer Bearer {good}")]),
        ("two headers", vec![format!("Bearer {good}"), format!("Bearer {good}")]),
        ("a good header, a bad one", vec![format!("Bearer {good}"), "Basic a".into()]),
        ("joined by a comma", vec![format!("Bearer {good}, Bearer {good}")]),
        ("a comma at its end", vec![format!("Bearer {good},")]),
        ("a parameter after it", vec![format!("Bearer {good} realm=a")]),
        ("quoted", vec![format!("Bearer \"{good}\"")]),
        ("doubled", bearer(&format!("{good}{good}"))),
        ("truncated by one", bearer(good.get(..good.len() - 1).unwrap())),
        ("half of it", bearer(half)),
        ("the prefix alone", bearer(prefix)),
        ("without its prefix", bearer(good.strip_prefix(prefix).unwrap())),
        ("the prefix in capitals", bearer(&good.replacen(prefix, &prefix.to_uppercase(), 1))),
        ("padded", bearer(&format!("{good}="))),
        ("one more character", bearer(&format!("{good}A"))),
        ("a character of standard base64", bearer(&format!("{half}+/"))),
        ("percent-encoded", bearer(&good.replacen("kfm", "%6bfm", 1))),
        ("not ASCII", bearer(&format!("{half}é"))),
        ("very long", bearer(&format!("{prefix}{}", "A".repeat(100_000)))),
        ("zeroes", bearer(&format!("{prefix}{}", "A".repeat(66)))),
        ("another team's last letter", bearer(&altered(good, 1))),
        ("no version", bytes(|bytes| bytes[0] = 0)),
        ("an unknown version", bytes(|bytes| bytes[0] = 9)),
        ("another id", bytes(|bytes| bytes[1] ^= 1)),
        ("another secret", bytes(|bytes| bytes[9] ^= 1)),
        ("another tag", bytes(|bytes| bytes[33] ^= 1)),
        ("the tag's last bit", bytes(|bytes| bytes[44] ^= 1)),
        ("another team", bytes(|bytes| bytes[45] ^= 1)),
        ("a longer team", bytes(|bytes| bytes.push(b'a'))),
        ("no team", bytes(|bytes| bytes.truncate(45))),
    ]
}

/// Sends them all everywhere; returns the answers, which must be 401.
fn refused(
    world: &World,
    paths: &[&str],
    headers: &[(&'static str, Vec<String>)],
) -> Vec<Response<Vec<u8>>> {
    let before = world.woken();
    let mut answers = Vec::new();
    for (what, authorization) in headers {
        let authorization: Vec<&str> = authorization.iter().map(String::as_str).collect();
        for path in paths {
            // What RFC 7644 section 4 publishes is open to whoever sends no key.
            if authorization.is_empty() && path.ends_with("/Schemas") {
                continue;
            }
            for method in ["GET", "POST", "DELETE"] {
                let answer = send(world, method, path, &authorization);
                assert_eq!(answer.status(), 401, "{what}: {method} {path}");
                answers.push(answer);
            }
        }
    }
    assert_eq!(world.woken(), before, "an object was woken");
    answers
}

#[test]
fn a_malformed_key_is_401_and_wakes_nobody() {
    let world = World::new();
    let key = world.team("acme").key;
    let answers = refused(&world, &SCIM_PATHS, &malformed(&key, "kfm_scim_"));
    let first = answers.first().unwrap();
    for answer in &answers {
        assert_eq!(answer.body(), first.body());
        assert_eq!(answer.headers(), first.headers());
    }
    assert_eq!(first.headers()["www-authenticate"], "Bearer realm=\"kafkaman SCIM\"");
    assert_eq!(first.headers()["content-type"], "application/scim+json");
    assert_eq!(first.headers()["cache-control"], "no-store");
    let body: Value = serde_json::from_slice(first.body()).unwrap();
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(body["status"], "401");
}

#[test]
fn a_malformed_token_is_401_and_wakes_nobody() {
    let world = World::new();
    let admin = world.team("acme").admin;
    for answer in refused(&world, &CONTROL_PATHS, &malformed(&admin, "kfm_admin_")) {
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["error"]["code"], "unauthorized");
        assert!(answer.headers().contains_key("www-authenticate"));
    }
}

#[test]
fn a_credential_opens_what_it_is_for_and_nothing_else() {
    let world = World::new();
    let (acme, other) = (world.team("acme"), world.team("other"));
    let scim = ["/scim/v2/Users", "/scim/v2/Schemas", "/scim/v2/ServiceProviderConfig"];
    let team = ["/teams/acme/v1", "/teams/acme/v1/scim/keys", "/teams/acme/v1/audit"];
    let operator = ["/operator/v1/teams", "/operator/v1/audit"];
    for (holder, token, opens) in [
        ("the team's key", acme.key.as_str(), [true, false, false]),
        ("another team's key", &other.key, [true, false, false]),
        ("the team's admin", &acme.admin, [false, true, false]),
        ("another team's admin", &other.admin, [false, false, false]),
        ("the operator", OPERATOR_TOKEN, [false, false, true]),
    ] {
        for (paths, opens) in [&scim[..], &team, &operator].into_iter().zip(opens) {
            for path in paths {
                let before = world.woken();
                let (status, body) = world.call(token, "GET", path, Value::Null);
                let expected = if opens { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
                assert_eq!(status, expected, "{holder}: {path}: {body}");
                assert_eq!(world.woken() - before, usize::from(opens), "{holder}: {path}");
            }
        }
    }
}

#[test]
fn the_scheme_ignores_case() {
    let world = World::new();
    let key = world.team("acme").key;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = send(&world, "GET", "/scim/v2/Users", &[&format!("{scheme} {key}")]);
        assert_eq!(answer.status(), 200, "{scheme}");
    }
}

#[test]
fn one_key_has_one_spelling() {
    // Team ids of three lengths, so that the last character has unused bits.
    let world = World::new();
    let mut respellings = 0;
    for id in ["ab", "abc", "abcd"] {
        let key = world.team(id).key;
        let Some(other) = respelt(&key) else { continue };
        respellings += 1;
        assert_ne!(key, other);
        let before = world.woken();
        let (status, _) = world.call(&other, "GET", "/scim/v2/Users", Value::Null);
        assert_eq!(status, 401, "{other}");
        assert_eq!(world.woken(), before);
    }
    assert_eq!(respellings, 2, "47 and 49 bytes leave bits unused, 48 do not");
}

#[test]
fn another_deployment_s_key_is_a_forgery() {
    let (ours, theirs) = (World::new(), World::new());
    theirs.sign_with("1:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA");
    ours.team("acme");
    let foreign = theirs.team("acme").key;
    let before = ours.woken();
    assert_eq!(ours.call(&foreign, "GET", "/scim/v2/Users", Value::Null).0, 401);
    assert_eq!(ours.woken(), before);
}

#[test]
fn a_good_tag_opens_no_team_that_nobody_created() {
    let (world, elsewhere) = (World::new(), World::new());
    let ghost = elsewhere.team("ghost");
    assert_eq!(world.call(&ghost.key, "GET", "/scim/v2/Users", Value::Null).0, 401);
    let path = "/teams/ghost/v1";
    assert_eq!(world.call(&ghost.admin, "GET", path, Value::Null).0, 401);
    assert_eq!(world.woken(), 2, "the object is asked");
    let tables = world.in_team("ghost", |context| {
        context.sql.all("SELECT name FROM sqlite_master", &[], |mut row| row.text()).unwrap()
    });
    assert!(tables.is_empty(), "it wrote {tables:?}");
}

#[test]
fn a_good_tag_with_an_unknown_secret_is_refused_alike() {
    // The same team on another storage: good tags, credentials unknown to us.
    let (world, elsewhere) = (World::new(), World::new());
    world.team("acme");
    elsewhere.team("other");
    let stranger = elsewhere.team("acme").key;
    let bad = send(&world, "GET", "/scim/v2/Users", &["Bearer nonsense"]);
    let unknown = send(&world, "GET", "/scim/v2/Users", &[&format!("Bearer {stranger}")]);
    assert_eq!(unknown.status(), 401);
    assert_eq!(unknown.body(), bad.body());
    assert_eq!(unknown.headers(), bad.headers());
}

/// A credential of acme with this id and secret and a good tag, as whoever
/// stole the signing secret could make it.
fn forged(world: &World, kind: Kind, id: &[u8], secret: &[u8]) -> String {
    let chosen = |bytes: &mut [u8]| -> Result<(), Fault> {
        bytes.copy_from_slice(if bytes.len() == id.len() { id } else { secret });
        Ok(())
    };
    world.in_team("acme", |own| {
        let context = Context { random: &chosen, ..*own };
        credential::mint(&context, kind, &TeamId::parse("acme").unwrap()).unwrap().text
    })
}

#[test]
fn a_stolen_signing_secret_wakes_objects_and_opens_nothing() {
    let world = World::new();
    let acme = world.team("acme");
    let parts = |text: &str, prefix: &str| {
        let bytes = BASE64.decode(text.strip_prefix(prefix).unwrap()).unwrap();
        (bytes[1..9].to_vec(), bytes[9..33].to_vec())
    };
    let (key_id, key_secret) = parts(&acme.key, "kfm_scim_");
    let (admin_id, admin_secret) = parts(&acme.admin, "kfm_admin_");
    assert_eq!(forged(&world, Kind::Scim, &key_id, &key_secret), acme.key, "all of it is known");
    let (scim, team) = ("/scim/v2/Users", "/teams/acme/v1");
    for (what, path, forged) in [
        ("another secret", scim, forged(&world, Kind::Scim, &key_id, &[7; 24])),
        ("another id", scim, forged(&world, Kind::Scim, &[7; 8], &key_secret)),
        ("an admin's, as a key", scim, forged(&world, Kind::Scim, &admin_id, &admin_secret)),
        ("another secret", team, forged(&world, Kind::Admin, &admin_id, &[7; 24])),
        ("a key's, as an admin's", team, forged(&world, Kind::Admin, &key_id, &key_secret)),
    ] {
        let before = world.woken();
        assert_eq!(world.call(&forged, "GET", path, Value::Null).0, 401, "{path}: {what}");
        assert_eq!(world.woken(), before + 1, "{path}: {what}");
    }
}

#[test]
fn signing_secrets_are_rotated_without_a_break() {
    let world = World::new();
    let old = world.team("acme");
    let get = |key: &str| world.call(key, "GET", "/scim/v2/Users", Value::Null).0;
    let new_key = |name: &str| {
        let path = "/teams/acme/v1/scim/keys";
        let made = world.ok(&old.admin, "POST", path, json!({ "name": name }));
        made["key"].as_str().unwrap().to_owned()
    };
    world.sign_with(&format!("{SIGNING_SECRETS},{NEXT_SECRET}"));
    assert_eq!(get(&old.key), 200, "the old version still counts");
    let new = new_key("next");
    let version = |key: &str| BASE64.decode(key.strip_prefix("kfm_scim_").unwrap()).unwrap()[0];
    assert_eq!((version(&old.key), version(&new)), (1, 2), "the highest version signs");
    world.sign_with(NEXT_SECRET);
    let before = world.woken();
    assert_eq!(get(&old.key), 401, "its secret is retired");
    assert_eq!(world.woken(), before);
    assert_eq!(get(&new), 200);
    world.sign_with(SIGNING_SECRETS);
    assert_eq!((get(&old.key), get(&new)), (StatusCode::OK, StatusCode::UNAUTHORIZED));
}

#[test]
fn an_admin_token_ends_with_its_time_and_with_the_role() {
    let world = World::new();
    let acme = world.team("acme");
    let admin = |token: &str| world.call(token, "GET", "/teams/acme/v1", Value::Null).0;
    world.pass(90 * DAY - HOUR);
    assert_eq!(admin(&acme.admin), 200);
    world.pass(2 * HOUR);
    assert_eq!(admin(&acme.admin), 401, "after 90 days");

    let again = world.ok(OPERATOR_TOKEN, "POST", "/operator/v1/teams/acme/admin-token", json!({}));
    let again = again["adminToken"].as_str().unwrap();
    assert_eq!(admin(again), 200);
    let path = "/scim/v2/Users?filter=userName%20eq%20%22admin@kafkaman.example%22";
    let found = world.ok(&acme.key, "GET", path, Value::Null);
    let user = format!("/scim/v2/Users/{}", found["Resources"][0]["id"].as_str().unwrap());
    let set = |active: bool| {
        let patch = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "active", "value": active }],
        });
        world.ok(&acme.key, "PATCH", &user, patch);
    };
    set(false);
    assert_eq!(admin(again), 401, "suspended");
    set(true);
    assert_eq!(admin(again), 200, "back with the role");
    assert!(
        send(&world, "DELETE", &user, &[&format!("Bearer {}", acme.key)]).status().is_success()
    );
    assert_eq!(admin(again), 401, "deleted");
}

#[test]
fn a_refused_key_writes_nothing() {
    let world = World::new();
    let acme = world.team("acme");
    let keys = world.ok(&acme.admin, "GET", "/teams/acme/v1/scim/keys", Value::Null);
    let path = format!("/teams/acme/v1/scim/keys/{}", keys["keys"][0]["id"].as_str().unwrap());
    world.call(&acme.admin, "DELETE", &path, Value::Null);
    let writes = || {
        let count = |context: &Context<'_>| {
            let sql = "SELECT total_changes()";
            context.sql.first(sql, &[], |mut row| row.integer()).unwrap()
        };
        world.in_team("acme", count)
    };
    let before = writes();
    world.pass(HOUR);
    assert_eq!(world.call(&acme.key, "GET", "/scim/v2/Users", Value::Null).0, 401);
    assert_eq!(writes(), before);
}
