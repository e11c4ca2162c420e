//! How much a team's provider may ask: the bucket by table and by property, what
//! a refusal says and costs, and that the operator sets it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use acme::world::OPERATOR_TOKEN;
use http::{Request, Response};
use kafkaman_scim::directory::throttle::{Rate, Throttle};
use kafkaman_scim::scim::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

const ACME: &str = "/operator/v1/teams/acme";

fn rate(per_second: i64, burst: i64) -> Rate {
    Rate { per_second: Some(per_second), burst: Some(burst) }
}

#[test]
fn a_bucket_fills_as_time_passes_and_never_beyond_its_size() {
    // When a request comes, and the seconds that it is told to wait, if it is.
    for (rate, requests) in [
        (
            rate(1, 1),
            vec![(0, None), (0, Some(1)), (999, Some(1)), (1_000, None), (1_000, Some(1))],
        ),
        (
            rate(1, 3),
            vec![(0, None), (0, None), (0, None), (0, Some(1)), (2_500, None), (2_500, None)],
        ),
        (rate(2, 1), vec![(0, None), (499, Some(1)), (500, None)]),
        // Away for a day, it holds no more than its size.
        (
            rate(50, 2),
            vec![(0, None), (86_400_000, None), (86_400_000, None), (86_400_000, Some(1))],
        ),
        // The clock is set back: that fills nothing, and takes nothing either.
        (rate(1, 1), vec![(5_000, None), (4_000, Some(1)), (4_999, Some(1)), (5_000, None)]),
        (
            rate(1, 2),
            vec![(i64::MIN, None), (i64::MAX, None), (i64::MAX, None), (i64::MAX, Some(1))],
        ),
    ] {
        let throttle = Throttle::default();
        for (index, (now, wait)) in requests.into_iter().enumerate() {
            let taken = throttle.take(rate, Timestamp(now));
            assert_eq!(taken.err(), wait, "{rate:?}, request {index}");
        }
    }
}

#[test]
fn a_bucket_that_became_smaller_says_how_long_it_takes() {
    let throttle = Throttle::default();
    for _ in 0..100 {
        throttle.take(rate(10, 100), Timestamp(0)).unwrap();
    }
    // Ninety requests and one must run in, ten a second.
    assert_eq!(throttle.take(rate(10, 10), Timestamp(0)), Err(10));
    assert_eq!(throttle.take(rate(10, 10), Timestamp(9_099)), Err(1));
    assert_eq!(throttle.take(rate(10, 10), Timestamp(9_100)), Ok(()));
}

#[test]
fn by_default_a_sync_of_twenty_five_a_second_never_waits() {
    let throttle = Throttle::default();
    for request in 0..100_000 {
        assert_eq!(throttle.take(Rate::default(), Timestamp(request * 40)), Ok(()));
    }
    let throttle = Throttle::default();
    let at_once = (0..1_000).filter(|_| throttle.take(Rate::default(), Timestamp(0)).is_ok());
    assert_eq!(at_once.count(), 500);
}

proptest! {
    #[test]
    fn no_window_has_more_than_the_burst_and_what_its_time_allows(
        per_second in 1i64..100,
        burst in 1i64..50,
        gaps in prop::collection::vec(prop_oneof![3 => Just(0i64), 2 => 0i64..50, 1 => 0i64..5_000], 1..200),
    ) {
        let (throttle, rate) = (Throttle::default(), rate(per_second, burst));
        let mut now = 1_795_467_917_000;
        let mut taken = Vec::new();
        for gap in gaps {
            now += gap;
            match throttle.take(rate, Timestamp(now)) {
                Ok(()) => taken.push(now),
                Err(seconds) => {
                    // Whoever waits as told is let in, and was not told too much.
                    let later = |seconds: i64| {
                        let again = Throttle::default();
                        for at in &taken {
                            again.take(rate, Timestamp(*at)).unwrap();
                        }
                        again.take(rate, Timestamp(now + seconds * 1_000))
                    };
                    prop_assert_eq!(later(seconds), Ok(()));
                    prop_assert!(seconds >= 1 && later(seconds - 1).is_err());
                }
            }
        }
        for (index, first) in taken.iter().enumerate() {
            for (count, last) in taken[index..].iter().enumerate() {
                let allowed = burst * 1_000 + per_second * (last - first);
                prop_assert!((i64::try_from(count).unwrap() + 1) * 1_000 <= allowed);
            }
        }
    }
}

fn send(acme: &Acme, key: &str, method: &str, path: &str) -> Response<Vec<u8>> {
    let request = Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/scim+json");
    acme.world.send(request.body(br#"{"userName":"ada"}"#.to_vec()).unwrap())
}

fn limit(acme: &Acme, body: Value) -> Value {
    acme.world.ok(OPERATOR_TOKEN, "PATCH", ACME, body)
}

#[test]
fn beyond_the_burst_a_provider_is_told_to_wait_and_how_long() {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    limit(&acme, json!({ "requestsPerSecond": 1, "requestBurst": 3 }));
    for path in ["/Users", "/Schemas", "/nothing"] {
        assert_ne!(send(&acme, &key, "GET", path).status(), 429, "{path}");
    }
    let rows = || {
        acme.world.in_team("acme", |context| {
            let counts = "SELECT (SELECT count(*) FROM resource), (SELECT count(*) FROM audit),
                (SELECT max(last_used) FROM credential), (SELECT count(*) FROM activity)";
            let read = |mut row: kafkaman_scim::directory::sql::Row| {
                Ok([row.integer()?, row.integer()?, row.integer()?, row.integer()?])
            };
            context.sql.first(counts, &[], read).unwrap().unwrap()
        })
    };
    let before = rows();
    for (method, path) in [("POST", "/Users"), ("GET", "/Users"), ("DELETE", "/Users/x")] {
        let refused = send(&acme, &key, method, path);
        assert_eq!(refused.status(), 429, "{method} {path}");
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(refused.headers()["content-type"], "application/scim+json");
        let body: Value = serde_json::from_slice(refused.body()).unwrap();
        assert_eq!(body["status"], "429");
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        let detail = body["detail"].as_str().unwrap();
        assert!(detail.contains("1 a second, and 3 at once"), "{detail}");
    }
    assert_eq!(rows(), before);
    let seen = acme.ok("GET", "/scim/activity", Value::Null);
    assert_eq!(seen["failures"], 4, "the three, and what leads nowhere");
    assert_eq!(seen["requests"][0]["status"], 429);
    assert!(seen["requests"][0]["reason"].as_str().unwrap().contains("too many requests"));
    acme.world.pass(1_000);
    assert_eq!(send(&acme, &key, "POST", "/Users").status(), 201);
}

#[test]
fn what_is_refused_uses_no_key() {
    let acme = Acme::enabled();
    let (id, key) = acme.key("provider");
    limit(&acme, json!({ "requestsPerSecond": 1, "requestBurst": 1 }));
    let used = || {
        let keys = acme.ok("GET", "/scim/keys", Value::Null);
        let keys = keys["keys"].as_array().unwrap().clone();
        keys.iter().find(|key| key["id"] == id).unwrap()["lastUsedAt"].clone()
    };
    send(&acme, &key, "GET", "/Users");
    let first = used();
    acme.world.pass(3_600_000);
    // A second key, whose request empties the bucket that is one for the team.
    send(&acme, &acme.key("other").1, "GET", "/Users");
    assert_eq!(send(&acme, &key, "GET", "/Users").status(), 429);
    assert_eq!(used(), first);
}

#[test]
fn a_bucket_is_one_team_s_and_one_instance_s() {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    let other = acme.world.team("other").key;
    limit(&acme, json!({ "requestsPerSecond": 1, "requestBurst": 1 }));
    assert_eq!(send(&acme, &key, "GET", "/Users").status(), 200);
    assert_eq!(send(&acme, &key, "GET", "/Users").status(), 429);
    assert_eq!(send(&acme, &other, "GET", "/Users").status(), 200);
    // Who has no good key learns nothing of it, and admins are not counted.
    assert_eq!(send(&acme, "garbage", "GET", "/Users").status(), 401);
    acme.ok("GET", "/members", Value::Null);
    acme.world.restart("acme");
    assert_eq!(send(&acme, &key, "GET", "/Users").status(), 200);
}

#[test]
fn the_operator_sets_the_rate_of_a_team() {
    let acme = Acme::enabled();
    let read = || {
        let team = acme.world.ok(OPERATOR_TOKEN, "GET", ACME, Value::Null);
        (team["requestsPerSecond"].clone(), team["requestBurst"].clone(), team["seats"].clone())
    };
    let expect = |per_second: i64, burst: i64, seats: i64| {
        assert_eq!(read(), (json!(per_second), json!(burst), json!(seats)));
    };
    expect(1_000_000, 1_000_000, 100_000);
    limit(&acme, json!({ "requestsPerSecond": 7 }));
    expect(7, 1_000_000, 100_000);
    limit(&acme, json!({ "requestBurst": 9, "seats": 3, "requestsPerSecond": null }));
    expect(7, 9, 3);
    assert_eq!(acme.actions()[..3], ["team.rate.set", "team.seats.set", "team.rate.set"]);
    let page = acme.ok("GET", "/audit", Value::Null);
    let change = json!({
        "from": { "requestsPerSecond": 7, "requestBurst": 1_000_000 },
        "to": { "requestsPerSecond": 7, "requestBurst": 9 },
    });
    assert_eq!(page["records"][0]["detail"], change);
    // Said again, nothing is changed.
    limit(&acme, json!({ "requestBurst": 9, "seats": 3 }));
    assert_eq!(acme.actions().iter().filter(|action| *action == "team.rate.set").count(), 2);

    for (body, says) in [
        (json!({ "requestsPerSecond": 0 }), "`requestsPerSecond` must be from 1 to"),
        (json!({ "requestBurst": 1_000_001 }), "`requestBurst` must be from 1 to"),
        (json!({ "requestBurst": "5" }), "invalid type"),
        (json!({}), "name what to change"),
        (json!({ "seats": null }), "name what to change"),
    ] {
        let (status, answer) = acme.world.call(OPERATOR_TOKEN, "PATCH", ACME, body.clone());
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(says), "{answer}");
    }
    let made = json!({
        "id": "plain", "name": "Plain", "admin": { "name": "Ada", "email": "ada@kafkaman.example" },
    });
    let made = acme.world.ok(OPERATOR_TOKEN, "POST", "/operator/v1/teams", made);
    assert_eq!((&made["requestsPerSecond"], &made["requestBurst"]), (&json!(50), &json!(500)));
}
