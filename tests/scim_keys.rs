//! The life of a SCIM API key: generated, replaced, revoked, expired.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::{Acme, pair};
use serde_json::{Value, json};

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

#[test]
fn a_key_is_shown_once() {
    let acme = Acme::enabled();
    let made = acme.ok("POST", "/scim/keys", json!({ "name": " OneLogin " }));
    let (id, key) = pair(&made);
    assert!(key.starts_with("kfm_scim_"));
    assert_eq!((&made["name"], &made["state"]), (&json!("OneLogin"), &json!("active")));
    assert_eq!((&made["expiresAt"], &made["lastUsedAt"]), (&Value::Null, &Value::Null));
    assert!(made["createdBy"].as_str().unwrap().starts_with("admin:"));
    for path in ["", "/scim", "/scim/keys", "/audit", "/sso"] {
        let shown = acme.ok("GET", path, Value::Null).to_string();
        assert!(!shown.contains(&key), "{path} shows the key");
        assert!(!shown.contains(&acme.admin), "{path} shows the token");
    }
    assert_eq!(acme.ok("GET", "/scim/keys", Value::Null)["keys"][0]["id"], id.as_str());
    assert_eq!(acme.users(&key), 200);
}

#[test]
fn keys_are_checked() {
    let acme = Acme::enabled();
    let post = |body: Value| ("POST", "/scim/keys", body);
    for (body, says) in [
        (json!({}), "`name`"),
        (json!({ "name": "" }), "`name`"),
        (json!({ "name": "  " }), "`name`"),
        (json!({ "name": "a".repeat(101) }), "`name`"),
        (json!({ "name": null }), "null"),
        (json!({ "name": "a", "expiresAt": "tomorrow" }), "`expiresAt`"),
        (json!({ "name": "a", "expiresAt": "2020-01-01T00:00:00Z" }), "in the future"),
        (json!({ "name": "a", "expires": "2030-01-01T00:00:00Z" }), "`expires`"),
        (json!([]), "an array"),
        (Value::Null, "empty"),
    ] {
        acme.refused(post(body), 400, "invalid", says);
    }
    assert_eq!(acme.ok("GET", "/scim/keys", Value::Null), json!({ "keys": [], "next": null }));
}

#[test]
fn a_key_ends_when_it_expires() {
    let acme = Acme::enabled();
    let made =
        acme.ok("POST", "/scim/keys", json!({ "name": "a", "expiresAt": "2027-01-01T00:00:00Z" }));
    let (id, key) = pair(&made);
    assert_eq!(made["expiresAt"], "2027-01-01T00:00:00.000Z");
    assert_eq!((acme.users(&key), acme.state(&id).as_str()), (200, "active"));
    // The world's clock starts in November 2026.
    acme.world.pass(60 * DAY);
    assert_eq!((acme.users(&key), acme.state(&id).as_str()), (401, "expired"));
}

#[test]
fn a_revoked_key_fails_on_the_next_request() {
    let acme = Acme::enabled();
    let (id, key) = acme.key("first");
    let (_, other) = acme.key("second");
    assert_eq!(acme.users(&key), 200);
    let path = format!("/scim/keys/{id}");
    for _ in ["once", "and again"] {
        assert_eq!(acme.call("DELETE", &path, Value::Null).0, 204);
        assert_eq!((acme.users(&key), acme.state(&id).as_str()), (401, "revoked"));
    }
    assert_eq!(acme.users(&other), 200);
    let revoked = acme.actions().iter().filter(|action| *action == "scim.key.revoked").count();
    assert_eq!(revoked, 1);
    for unknown in ["/scim/keys/0", "/scim/keys/%30"] {
        acme.refused(("DELETE", unknown, Value::Null), 404, "key_not_found", "no SCIM API key");
    }
}

#[test]
fn a_replaced_key_works_through_its_grace_period() {
    for (seconds, last_good, first_bad) in [
        (3_600, HOUR - MINUTE, 2 * MINUTE),
        (86_400, DAY - MINUTE, 2 * MINUTE),
        (604_800, 7 * DAY - MINUTE, 2 * MINUTE),
    ] {
        let acme = Acme::enabled();
        let (old_id, old) = acme.key("provider");
        let path = format!("/scim/keys/{old_id}/regenerate");
        let made = acme.ok("POST", &path, json!({ "graceSeconds": seconds }));
        let (new_id, new) = pair(&made);
        assert_eq!(made["name"], "provider");
        assert_ne!((&old_id, &old), (&new_id, &new));
        assert_eq!(acme.state(&old_id), "in_grace");
        let again = ("POST", path.as_str(), json!({ "graceSeconds": 0 }));
        acme.refused(again, 409, "key_not_active", "in_grace");
        acme.world.pass(last_good);
        assert_eq!((acme.users(&old), acme.users(&new)), (200, 200), "{seconds}");
        acme.world.pass(first_bad);
        assert_eq!((acme.users(&old), acme.users(&new)), (401, 200), "{seconds}");
        assert_eq!(acme.state(&old_id), "expired");
    }
}

#[test]
fn a_grace_period_can_be_none_and_can_be_cut_short() {
    let acme = Acme::enabled();
    let (id, key) = acme.key("a");
    let made =
        acme.ok("POST", &format!("/scim/keys/{id}/regenerate"), json!({ "graceSeconds": 0 }));
    assert_eq!(acme.users(&key), 401);
    let (id, key) = pair(&made);
    acme.ok("POST", &format!("/scim/keys/{id}/regenerate"), json!({ "graceSeconds": 3_600 }));
    assert_eq!(acme.users(&key), 200);
    acme.ok("DELETE", &format!("/scim/keys/{id}"), Value::Null);
    assert_eq!(acme.users(&key), 401);

    let (id, _) = acme.key("b");
    let path = format!("/scim/keys/{id}/regenerate");
    for seconds in [json!(1), json!(-1), json!(604_801), json!(null), json!("3600"), json!(0.5)] {
        let body = json!({ "graceSeconds": seconds });
        let (status, answer) = acme.call("POST", &path, body);
        assert_eq!((status.as_u16(), &answer["error"]["code"]), (400, &json!("invalid")));
    }
    assert_eq!(acme.state(&id), "active");
    let unknown = ("POST", "/scim/keys/0/regenerate", json!({ "graceSeconds": 0 }));
    acme.refused(unknown, 404, "key_not_found", "no SCIM API key");
}

#[test]
fn a_replaced_key_does_not_outlive_its_own_end() {
    let acme = Acme::enabled();
    let body = json!({ "name": "a", "expiresAt": "2026-11-26T00:00:00Z" });
    let (id, old) = pair(&acme.ok("POST", "/scim/keys", body));
    let path = format!("/scim/keys/{id}/regenerate");
    let made = acme.ok("POST", &path, json!({ "graceSeconds": 604_800 }));
    assert_eq!(made["expiresAt"], "2026-11-26T00:00:00.000Z");
    acme.world.pass(4 * DAY);
    assert_eq!((acme.users(&old), acme.users(&pair(&made).1)), (401, 401));
}

#[test]
fn ten_keys_work_at_once() {
    let acme = Acme::enabled();
    let ids: Vec<String> = (0..10).map(|n| acme.key(&format!("key {n}")).0).collect();
    let one_more = || ("POST", "/scim/keys", json!({ "name": "one more" }));
    acme.refused(one_more(), 409, "too_many_keys", "revoke one first");
    let path = format!("/scim/keys/{}/regenerate", ids[0]);
    let overlap = ("POST", path.as_str(), json!({ "graceSeconds": 3_600 }));
    acme.refused(overlap, 409, "too_many_keys", "revoke one first");
    assert_eq!(acme.state(&ids[0]), "active", "what is refused changes nothing");
    acme.ok("POST", &path, json!({ "graceSeconds": 0 }));
    acme.ok("DELETE", &format!("/scim/keys/{}", ids[1]), Value::Null);
    acme.key("one more");
    acme.refused(one_more(), 409, "too_many_keys", "at most 10");
}

#[test]
fn last_used_is_kept_to_five_minutes() {
    let acme = Acme::enabled();
    let (_, key) = acme.key("a");
    let last_used = || acme.ok("GET", "/scim", Value::Null)["lastUsedAt"].clone();
    assert_eq!(last_used(), Value::Null);
    acme.users(&key);
    let first = last_used();
    assert!(first.is_string());
    acme.world.pass(4 * MINUTE);
    acme.users(&key);
    assert_eq!(last_used(), first, "a use soon after is not written");
    acme.world.pass(2 * MINUTE);
    acme.users(&key);
    assert_ne!(last_used(), first);
}

#[test]
fn with_scim_off_every_key_is_403_with_a_sentence() {
    let acme = Acme::enabled();
    let (_, key) = acme.key("a");
    acme.ok("POST", "/scim/disable", Value::Null);
    for path in ["/scim/v2/Users", "/scim/v2/Schemas", "/scim/v2/nothing"] {
        let (status, body) = acme.world.call(&key, "GET", path, Value::Null);
        assert_eq!((status.as_u16(), &body["status"]), (403, &json!("403")), "{path}");
        assert!(body["detail"].as_str().unwrap().contains("switched off"), "{body}");
    }
    let (status, _) = acme.world.call("kfm_scim_nonsense", "GET", "/scim/v2/Users", Value::Null);
    assert_eq!(status, 401, "a bad key does not learn that SCIM is off");
    let scim = acme.ok("GET", "/scim", Value::Null);
    assert_eq!(scim["lastUsedAt"], Value::Null, "what is refused is no use and writes nothing");
    acme.ok("POST", "/scim/enable", Value::Null);
    assert_eq!(acme.users(&key), 200, "the keys are as they were");
}
