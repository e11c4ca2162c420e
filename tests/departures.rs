//! Members who go: restored as they were, and an alarm when too many go at once
//! that stands in nobody's way.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use http::StatusCode;
use serde_json::{Value, json};

const DAY: i64 = 24 * 60 * 60 * 1000;

struct Team {
    acme: Acme,
    key: String,
    people: Vec<String>,
}

impl Team {
    /// A team of the admin and this many more.
    fn of(count: usize) -> Self {
        let acme = Acme::enabled();
        let key = acme.key("provider").1;
        let mut team = Self { acme, key, people: Vec::new() };
        for n in 0..count {
            let body = json!({ "userName": format!("u{n}"), "title": "Lead" });
            let made = team.scim("POST", "/Users", body).1;
            team.people.push(made["id"].as_str().unwrap().to_owned());
        }
        team
    }

    fn scim(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.acme.world.call(&self.key, method, &format!("/scim/v2{path}"), body)
    }

    fn suspend(&self, id: &str) {
        let operation = json!({ "op": "replace", "path": "active", "value": false });
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                           "Operations": [operation] });
        assert_eq!(self.scim("PATCH", &format!("/Users/{id}"), body).0, StatusCode::OK);
    }

    fn delete(&self, id: &str) {
        assert_eq!(
            self.scim("DELETE", &format!("/Users/{id}"), Value::Null).0,
            StatusCode::NO_CONTENT
        );
    }

    fn alarm(&self) -> Value {
        self.acme.ok("GET", "/brake", Value::Null)["alarm"].clone()
    }

    fn get(&self, id: &str) -> Value {
        self.scim("GET", &format!("/Users/{id}"), Value::Null).1
    }
}

#[test]
fn who_was_deleted_is_restored_as_they_were() {
    let team = Team::of(2);
    let ada = &team.people[0];
    team.acme.ok("PATCH", &format!("/members/{ada}"), json!({ "role": "billing" }));
    let group = |name: &str| {
        let body = json!({ "displayName": name, "members": [{ "value": ada }] });
        team.scim("POST", "/Groups", body).1["id"].as_str().unwrap().to_owned()
    };
    let (crew, gone) = (group("Crew"), group("Gone"));
    let before = team.get(ada);
    team.delete(ada);
    team.scim("DELETE", &format!("/Groups/{gone}"), Value::Null);
    let listed = team.acme.ok("GET", "/departed", Value::Null);
    assert_eq!((&listed["departed"][0]["id"], &listed["next"]), (&json!(ada), &Value::Null));

    let restored = team.acme.ok("POST", &format!("/departed/{ada}/restore"), Value::Null);
    assert_eq!((&restored["role"], &restored["state"]), (&json!("billing"), &json!("active")));
    let after = team.get(ada);
    assert_eq!((&after["title"], &after["userName"]), (&before["title"], &before["userName"]));
    assert_eq!(after["meta"]["created"], before["meta"]["created"]);
    assert_ne!(after["meta"]["version"], before["meta"]["version"]);
    assert_eq!(after["groups"].as_array().unwrap().len(), 1);
    assert_eq!(after["groups"][0]["value"], json!(crew));
    assert_eq!(team.acme.ok("GET", "/departed", Value::Null)["departed"], json!([]));
    // The provider's next word counts again.
    team.delete(ada);
    let path = format!("/departed/{ada}/restore");
    team.scim("POST", "/Users", json!({ "userName": "U0" }));
    team.acme.refused(
        ("POST", &path, Value::Null),
        409,
        "name_taken",
        "exists in this team already",
    );
    team.acme.refused(
        ("POST", "/departed/x/restore", Value::Null),
        404,
        "member_not_found",
        "no such",
    );
}

#[test]
fn after_thirty_days_nobody_is_restored() {
    let team = Team::of(2);
    team.delete(&team.people[0]);
    team.acme.world.pass(29 * DAY);
    team.acme.world.upkeep("acme");
    assert_eq!(
        team.acme.ok("GET", "/departed", Value::Null)["departed"].as_array().unwrap().len(),
        1
    );
    team.delete(&team.people[1]);
    team.acme.world.pass(2 * DAY);
    team.acme.world.upkeep("acme");
    let left = team.acme.ok("GET", "/departed", Value::Null);
    assert_eq!(left["departed"].as_array().unwrap().len(), 1);
    assert_eq!(left["departed"][0]["id"], json!(team.people[1]));
}

#[test]
fn the_alarm_is_raised_when_many_go_within_an_hour_and_all_of_them_go() {
    let team = Team::of(39);
    for id in &team.people[..10] {
        team.suspend(id);
    }
    assert_eq!(team.alarm(), Value::Null, "ten of forty, and not more than ten");
    team.delete(&team.people[10]);
    let alarm = team.alarm();
    assert_eq!(alarm["suspended"].as_array().unwrap().len(), 10);
    assert_eq!(alarm["deleted"].as_array().unwrap().len(), 1);
    team.suspend(&team.people[11]);
    assert_eq!(team.alarm()["suspended"].as_array().unwrap().len(), 11, "and they go on going");
    let raised = team.acme.ok("GET", "/audit?action=brake", Value::Null);
    assert_eq!(raised["records"].as_array().unwrap().len(), 1, "once");
    assert_eq!(raised["records"][0]["detail"]["members"], 11);

    team.acme.ok("POST", "/brake/confirm", Value::Null);
    assert_eq!(team.alarm(), Value::Null);
    team.acme.refused(("POST", "/brake/confirm", Value::Null), 409, "no_alarm", "no alarm");
    assert_eq!(team.get(&team.people[0])["active"], false, "what was meant stays");
    team.suspend(&team.people[12]);
    assert_eq!(team.alarm(), Value::Null, "counting begins anew");
}

#[test]
fn slowly_or_by_an_admin_they_raise_none() {
    let team = Team::of(39);
    for id in &team.people[..20] {
        team.suspend(id);
        team.acme.world.pass(7 * 60 * 1000);
    }
    assert_eq!(team.alarm(), Value::Null, "eight an hour");
    team.acme.world.pass(DAY);
    for id in &team.people[20..35] {
        team.acme.ok("DELETE", &format!("/members/{id}"), Value::Null);
    }
    assert_eq!(team.alarm(), Value::Null, "an admin knows");
    let team = Team::of(80);
    for id in &team.people[..15] {
        team.suspend(id);
    }
    assert_eq!(team.alarm(), Value::Null, "fifteen of eighty-one are not a fifth");
    team.acme.ok("PATCH", "/settings", json!({ "brakePercent": 10 }));
    team.suspend(&team.people[15]);
    assert_ne!(team.alarm(), Value::Null, "but a tenth");
}

#[test]
fn whoever_went_within_the_last_hour_counts_once() {
    let minute = 60 * 1000;
    let team = Team::of(39);
    team.suspend(&team.people[0]);
    team.acme.world.pass(55 * minute);
    for id in &team.people[1..6] {
        team.suspend(id);
    }
    team.acme.world.pass(6 * minute);
    for id in &team.people[6..11] {
        team.delete(id);
    }
    assert_eq!(team.alarm(), Value::Null, "ten: the first went more than an hour ago");
    team.suspend(&team.people[11]);
    let alarm = team.alarm();
    assert_eq!((&alarm["suspendedCount"], &alarm["deletedCount"]), (&json!(6), &json!(5)));
    assert_eq!(alarm["suspended"].as_array().unwrap().len(), 6);

    let team = Team::of(39);
    let again = |id: &str| {
        let operation = json!({ "op": "replace", "path": "active", "value": true });
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                           "Operations": [operation] });
        assert_eq!(team.scim("PATCH", &format!("/Users/{id}"), body).0, StatusCode::OK);
    };
    for _ in 0..15 {
        team.suspend(&team.people[0]);
        again(&team.people[0]);
    }
    for id in &team.people[..10] {
        team.suspend(id);
        team.delete(id);
    }
    assert_eq!(team.alarm(), Value::Null, "ten people, however often");
    team.delete(&team.people[10]);
    assert_eq!(team.alarm()["deletedCount"], 11);
}

#[test]
fn of_more_than_a_page_everyone_is_shown_and_everyone_restored() {
    let team = Team::of(240);
    for id in &team.people[..215] {
        team.suspend(id);
    }
    for id in &team.people[215..230] {
        team.delete(id);
    }
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let alarm =
            team.acme.ok("GET", &format!("/brake?after={after}"), Value::Null)["alarm"].clone();
        assert_eq!((&alarm["suspendedCount"], &alarm["deletedCount"]), (&json!(215), &json!(15)));
        for list in ["suspended", "deleted"] {
            let own = alarm[list].as_array().unwrap().iter();
            found.extend(own.map(|one| one["id"].as_str().unwrap().to_owned()));
        }
        match alarm["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(found, team.people[..230]);
    team.acme.refused(("POST", "/brake/undo", json!({ "members": [] })), 400, "invalid", "whom");
    let last = json!({ "members": [team.people[214], team.people[229]] });
    let undo = |body: Value| team.acme.ok("POST", "/brake/undo", body);
    assert_eq!(undo(last), json!({ "restored": 2, "left": 228 }));
    assert_eq!(team.get(&team.people[229])["active"], true);
    assert_eq!(undo(json!({})), json!({ "restored": 200, "left": 28 }));
    assert_eq!(team.alarm()["suspendedCount"], 14);
    assert_eq!(undo(json!({})), json!({ "restored": 28, "left": 0 }));
    assert_eq!(team.alarm(), Value::Null);
}

#[test]
fn people_are_restored_some_or_all() {
    let team = Team::of(20);
    let crew = json!({ "displayName": "Crew", "members": [{ "value": team.people[0] }, { "value": team.people[7] }] });
    let crew = team.scim("POST", "/Groups", crew).1["id"].as_str().unwrap().to_owned();
    for id in &team.people[..6] {
        team.suspend(id);
    }
    for id in &team.people[6..12] {
        team.delete(id);
    }
    let some = json!({ "members": [team.people[0], team.people[6], "nobody"] });
    assert_eq!(team.acme.ok("POST", "/brake/undo", some)["restored"], 2);
    assert_eq!(team.get(&team.people[0])["active"], true);
    assert_eq!(team.get(&team.people[6])["active"], true);
    assert_eq!(team.alarm()["suspended"].as_array().unwrap().len(), 5);
    assert_eq!(team.acme.ok("POST", "/brake/undo", json!({}))["restored"], 10);
    assert_eq!(team.alarm(), Value::Null);
    for id in &team.people {
        assert_eq!(team.get(id)["active"], true);
    }
    let members = team.scim("GET", &format!("/Groups/{crew}"), Value::Null).1;
    assert_eq!(members["members"].as_array().unwrap().len(), 2, "groups as they were");
    assert_eq!(team.acme.ok("GET", "", Value::Null)["seatsTaken"], 21);
    team.acme.refused(("POST", "/brake/undo", json!({})), 409, "no_alarm", "no alarm");
}

#[test]
fn who_was_suspended_and_then_deleted_is_as_before_both() {
    let team = Team::of(20);
    let (old, gone) = (&team.people[19], &team.people[18]);
    team.suspend(old);
    team.acme.world.pass(DAY);
    for id in &team.people[..11] {
        team.suspend(id);
    }
    for id in team.people[..11].iter().chain([old, gone]) {
        team.delete(id);
    }
    assert_eq!(team.alarm()["deleted"].as_array().unwrap().len(), 13);
    // One by hand: suspended again, and the alarm is about them still.
    let path = format!("/departed/{}/restore", team.people[0]);
    assert_eq!(team.acme.ok("POST", &path, Value::Null)["state"], "suspended");
    assert_eq!(team.alarm()["suspended"][0]["id"], json!(team.people[0]));
    assert_eq!(team.acme.ok("POST", "/brake/undo", json!({}))["restored"], 13);
    assert_eq!(team.alarm(), Value::Null);
    for id in team.people[..11].iter().chain([gone]) {
        assert_eq!(team.get(id)["active"], true);
    }
    assert_eq!(team.get(old)["active"], false, "who was out before stays out");
}

#[test]
fn nobody_is_half_restored_when_seats_are_short() {
    let team = Team::of(20);
    for id in &team.people[..12] {
        team.suspend(id);
    }
    let seats = json!({ "seats": 12 });
    team.acme.world.ok(acme::world::OPERATOR_TOKEN, "PATCH", "/operator/v1/teams/acme", seats);
    team.acme.refused(("POST", "/brake/undo", json!({})), 403, "no_free_seat", "all 12 seats");
    assert_eq!(team.alarm()["suspended"].as_array().unwrap().len(), 12);
    assert_eq!(team.acme.ok("GET", "", Value::Null)["seatsTaken"], 9);
}
