//! What an admin sees of a provider's requests: counts of reads, changes and
//! refusals one by one, at a cost that does not grow with the requests.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use serde_json::{Value, json};

fn rows(acme: &Acme, table: &str) -> i64 {
    let statement = format!("SELECT count(*) FROM {table}");
    let count = |context: &kafkaman_scim::directory::Context<'_>| {
        context.sql.first(&statement, &[], |mut row| row.integer())
    };
    acme.world.in_team("acme", count).unwrap().unwrap()
}

fn activity(acme: &Acme) -> Value {
    acme.ok("GET", "/scim/activity", Value::Null)
}

fn paths(page: &Value) -> Vec<String> {
    let shown = |one: &Value| {
        let word = |name: &str| one[name].as_str().unwrap().to_owned();
        format!("{} {} {}", word("method"), word("path"), one["status"])
    };
    page["requests"].as_array().unwrap().iter().map(shown).collect()
}

#[test]
fn reads_are_counted_and_the_rest_is_shown() {
    let acme = Acme::enabled();
    let (id, key) = acme.key("provider");
    let nobody = activity(&acme);
    assert_eq!((&nobody["since"], &nobody["requests"]), (&Value::Null, &json!([])));

    let filter = "/scim/v2/Users?filter=userName+eq+%22ada%22";
    acme.world.ok(&key, "GET", filter, Value::Null);
    acme.world.ok(&key, "GET", filter, Value::Null);
    let ada = acme.world.ok(&key, "POST", "/scim/v2/Users", json!({ "userName": "ada" }));
    let path = format!("/scim/v2/Users/{}", ada["id"].as_str().unwrap());
    acme.world.ok(&key, "GET", &path, Value::Null);
    acme.world.ok(&key, "GET", "/scim/v2/Groups", Value::Null);
    acme.world.ok(&key, "GET", "/scim/v2/Schemas", Value::Null);
    acme.world.call(&key, "GET", "/scim/v2/Users?filter=nonsense", Value::Null);
    acme.world.call(&key, "POST", "/scim/v2/Users", json!({ "userName": "ADA" }));
    acme.world.ok(&key, "DELETE", &path, Value::Null);
    acme.world.call("kfm_scim_AAAA", "GET", "/scim/v2/Users", Value::Null);

    let check = |page: &Value| {
        let reads = json!({
            "discovery": 1, "list of groups": 1, "list of users": 2, "one user": 1,
        });
        assert_eq!(page["reads"], reads);
        assert_eq!((&page["writes"], &page["failures"]), (&json!(2), &json!(2)));
        assert_eq!(
            paths(page),
            [
                format!("DELETE {path} 204"),
                "POST /scim/v2/Users 409".into(),
                "GET /scim/v2/Users 400".into(),
                "POST /scim/v2/Users 201".into(),
            ]
        );
        let refused = &page["requests"][1];
        assert!(refused["reason"].as_str().unwrap().contains("userName"), "{refused}");
        assert_eq!((&refused["key"], &page["requests"][0]["reason"]), (&json!(id), &Value::Null));
        let seqs: Vec<i64> = page["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["seq"].as_i64().unwrap())
            .collect();
        assert_eq!(seqs, [9, 8, 7, 3]);
    };
    let before = activity(&acme);
    check(&before);
    assert_eq!((rows(&acme, "activity"), &before["hours"]), (0, &json!([])));
    acme.world.upkeep("acme");
    let after = activity(&acme);
    check(&after);
    assert_eq!((rows(&acme, "activity"), rows(&acme, "activity_hour")), (1, 1));
    let hour = &after["hours"][0];
    assert_eq!((&hour["reads"], &hour["writes"]), (&json!(5), &json!(2)), "{hour}");
    acme.world.restart("acme");
    check(&activity(&acme));
    acme.world.upkeep("acme");
    assert_eq!(rows(&acme, "activity"), 1, "an alarm without requests stores nothing");
}

#[test]
fn what_came_is_stored_before_an_idle_object_leaves_memory() {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    for name in ["a", "b", "c"] {
        acme.world.call(&key, "DELETE", &format!("/scim/v2/Users/{name}"), Value::Null);
        acme.world.pass(1_000);
    }
    acme.world.rest("acme");
    assert_eq!(paths(&activity(&acme)).len(), 3);
    acme.world.call(&key, "DELETE", "/scim/v2/Users/d", Value::Null);
    acme.world.rest("acme");
    assert_eq!((paths(&activity(&acme)).len(), rows(&acme, "activity")), (4, 2));
}

#[test]
fn what_is_stored_at_once_stays_far_below_what_a_row_may_hold() {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    let client = "\"".repeat(200);
    let filter = format!("/scim/v2/Users?filter={}", "%F0%9F%98%80%01".repeat(300));
    for _ in 0..1_000 {
        acme.world.call(&key, "GET", &filter, Value::Null);
    }
    let path = format!("/scim/v2/Users/{}", "x".repeat(200));
    for _ in 0..1_000 {
        let request = http::Request::delete(&path)
            .header("authorization", format!("Bearer {key}"))
            .header("user-agent", &client)
            .header("x-request-id", &client);
        let answer = acme.world.send(request.body(Vec::new()).unwrap());
        assert_eq!(answer.status().as_u16(), 404);
    }
    let before = activity(&acme)["requests"].clone();
    acme.world.upkeep("acme");
    let longest = acme.world.in_team("acme", |context| {
        let longest = "SELECT max(length(CAST(document AS BLOB))) FROM activity";
        context.sql.first(longest, &[], |mut row| row.integer()).unwrap()
    });
    assert!(longest < Some(1_010_000), "{longest:?}");
    let after = activity(&acme);
    assert_eq!((&after["requests"], &after["failures"]), (&before, &json!(2_000)));
}

#[test]
fn entries_page_across_what_is_stored_and_what_waits() {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    let ask = |name: &str| {
        acme.world.call(&key, "DELETE", &format!("/scim/v2/Users/{name}"), Value::Null);
    };
    for name in ["a", "b"] {
        ask(name);
    }
    acme.world.upkeep("acme");
    ask("c");
    acme.world.upkeep("acme");
    ask("d");
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = acme.ok("GET", &format!("/scim/activity?count=3{after}"), Value::Null);
        assert_eq!(page["failures"], 4);
        seen.extend(paths(&page));
        let Some(next) = page["next"].as_i64() else { break };
        after = format!("&after={next}");
    }
    let expected = ["d", "c", "b", "a"].map(|name| format!("DELETE /scim/v2/Users/{name} 404"));
    assert_eq!(seen, expected);
    acme.refused(("GET", "/scim/activity?count=x", Value::Null), 400, "invalid", "count");
}

#[test]
fn the_last_thousand_requests_are_kept_in_memory_and_in_storage() {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    let ask = |count: usize| {
        for _ in 0..count {
            acme.world.call(&key, "DELETE", "/scim/v2/Users/nobody", Value::Null);
        }
    };
    ask(1_100);
    let first = activity(&acme);
    assert_eq!(first["failures"], 1_100, "what waits is counted whole");
    acme.world.upkeep("acme");
    ask(600);
    acme.world.upkeep("acme");
    assert_eq!(rows(&acme, "activity"), 2, "the older holds some of the last 1,000");
    ask(401);
    acme.world.upkeep("acme");
    assert_eq!(rows(&acme, "activity"), 2);
    assert_eq!(activity(&acme)["failures"], 1_001);
    for day in 0..32 {
        acme.world.pass(24 * 60 * 60 * 1000);
        ask(1);
        acme.world.upkeep("acme");
        assert!(rows(&acme, "activity_hour") <= 31, "day {day}");
    }
    assert_eq!(activity(&acme)["hours"].as_array().unwrap().len(), 30);
}

#[test]
fn requests_refused_because_scim_is_off_are_shown() {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    acme.ok("POST", "/scim/disable", Value::Null);
    acme.world.call(&key, "GET", "/scim/v2/Users", Value::Null);
    let page = activity(&acme);
    assert_eq!(paths(&page), ["GET /scim/v2/Users 403"]);
    assert!(page["requests"][0]["reason"].as_str().unwrap().contains("switched off"));
}
