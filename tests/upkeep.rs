//! What a team's alarm does by the clock: warnings of keys that end, sessions
//! and records whose time is over. Done twice, it does nothing more.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use kafkaman_scim::scim::Timestamp;
use serde_json::{Value, json};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn days_from_now(acme: &Acme, days: i64) -> String {
    let now = acme.world.in_team("acme", |context| context.now);
    Timestamp(now.0 + days * DAY).to_string()
}

fn count(acme: &Acme, table: &str) -> i64 {
    let statement = format!("SELECT count(*) FROM {table}");
    let count = |context: &kafkaman_scim::directory::Context<'_>| {
        context.sql.first(&statement, &[], |mut row| row.integer())
    };
    acme.world.in_team("acme", count).unwrap().unwrap()
}

#[test]
fn a_key_that_is_about_to_end_is_warned_of_at_14_7_and_1_days() {
    let acme = Acme::enabled();
    let expires = days_from_now(&acme, 20);
    acme.ok("POST", "/scim/keys", json!({ "name": "short", "expiresAt": expires }));
    acme.key("for ever");
    let warned = || {
        let page = acme.ok("GET", "/audit?action=scim.key.expiring", Value::Null);
        let records = page["records"].as_array().unwrap().clone();
        records.iter().map(|one| one["detail"]["days"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    for (passed, expected) in [
        (5, vec![]),
        (2, vec![14]),
        (1, vec![14]),
        (6, vec![7, 14]),
        (5, vec![1, 7, 14]),
        (3, vec![1, 7, 14]),
    ] {
        acme.world.pass(passed * DAY);
        assert_eq!(acme.world.upkeep("acme"), 1);
        acme.world.upkeep("acme");
        assert_eq!(warned(), expected, "after {passed} more days");
    }
    let page = acme.ok("GET", "/audit?action=scim.key.expiring", Value::Null);
    assert_eq!(page["records"][0]["actor"], "system");
}

#[test]
fn a_warning_missed_by_a_long_sleep_is_given_once_for_the_nearest() {
    let acme = Acme::enabled();
    let expires = days_from_now(&acme, 20);
    acme.ok("POST", "/scim/keys", json!({ "name": "short", "expiresAt": expires }));
    acme.world.pass(19 * DAY + DAY / 2);
    acme.world.upkeep("acme");
    let page = acme.ok("GET", "/audit?action=scim.key.expiring", Value::Null);
    assert_eq!(page["records"].as_array().unwrap().len(), 1);
    assert_eq!(page["records"][0]["detail"]["days"], 1);
}

#[test]
fn records_go_when_the_team_keeps_them_no_longer() {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    for n in 0..1_500 {
        let body = json!({ "userName": format!("u{n}") });
        acme.world.ok(&key, "POST", "/scim/v2/Users", body);
    }
    let all = count(&acme, "audit");
    acme.world.pass(179 * DAY);
    acme.world.upkeep("acme");
    assert_eq!(count(&acme, "audit"), all);
    acme.world.ok(&key, "POST", "/scim/v2/Users", json!({ "userName": "late" }));
    acme.world.pass(2 * DAY);
    assert!(acme.world.upkeep("acme") > 1, "in steps");
    assert_eq!(count(&acme, "audit"), 1, "the latest is not two days old");
    acme.world.upkeep("acme");
    assert_eq!(count(&acme, "audit"), 1);
}

#[test]
fn sessions_whose_time_is_over_leave_no_row() {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    acme.world.ok(&key, "POST", "/scim/v2/Users", json!({ "userName": "ada" }));
    let made =
        acme.ok("POST", "/service-tokens", json!({ "name": "login", "scopes": ["sessions"] }));
    let body = json!({ "member": { "userName": "ada" }, "method": "saml" });
    let open = || {
        let token = made["token"].as_str().unwrap();
        acme.world.ok(token, "POST", "/teams/acme/v1/sessions", body.clone());
    };
    open();
    acme.world.pass(DAY / 2);
    open();
    acme.world.upkeep("acme");
    assert_eq!(count(&acme, "session"), 1);
}
