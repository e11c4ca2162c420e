//! What a team decides about itself.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::world::OPERATOR_TOKEN;
use acme::{Acme, saml};
use serde_json::{Value, json};

#[test]
fn settings_are_what_they_are_set_to_or_their_default() {
    let acme = Acme::new();
    let defaults = json!({ "strictMode": false, "defaultRole": "developer", "justInTime": false, "auditDays": 180,
                           "sessionIdleSeconds": 1800, "sessionLifetimeSeconds": 28800,
                           "brakePercent": 20, "brakeMembers": 10 });
    assert_eq!(acme.ok("GET", "/settings", Value::Null), defaults);
    let set = json!({ "sessionIdleSeconds": 600, "strictMode": true });
    let shown = acme.ok("PATCH", "/settings", set);
    assert_eq!((&shown["sessionIdleSeconds"], &shown["strictMode"]), (&json!(600), &json!(true)));
    let record = acme.ok("GET", "/audit", Value::Null)["records"][0].clone();
    assert_eq!(record["action"], "settings.changed");
    assert_eq!(
        record["detail"]["changed"]["sessionIdleSeconds"],
        json!({ "from": 1800, "to": 600 })
    );
    acme.ok("PATCH", "/settings", json!({ "sessionIdleSeconds": null, "strictMode": null }));
    assert_eq!(acme.ok("GET", "/settings", Value::Null), defaults);
    let actions = acme.actions().len();
    acme.ok("PATCH", "/settings", json!({ "auditDays": 180 }));
    assert_eq!(acme.actions().len(), actions, "no change, no record");
    for (wish, says) in [
        (json!({ "sessionIdleSeconds": 59 }), "from 60 to"),
        (json!({ "sessionLifetimeSeconds": "long" }), "invalid type"),
        (json!({ "auditDays": 1 }), "from 30 to"),
        (json!({ "colour": "blue" }), "unknown field `colour`"),
        (json!({ "strictMode": "yes" }), "true or false"),
    ] {
        acme.refused(("PATCH", "/settings", wish), 400, "invalid", says);
    }
}

#[test]
fn a_suspended_teams_settings_can_be_read() {
    let acme = Acme::new();
    acme.ok("PUT", "/sso/saml", saml());
    acme.world.ok(OPERATOR_TOKEN, "POST", "/operator/v1/teams/acme/suspend", Value::Null);
    acme.ok("GET", "/settings", Value::Null);
    acme.refused(("PATCH", "/settings", json!({})), 403, "team_suspended", "read, not changed");
}
