//! Guessing tokens: told to wait, for a minute, by address, and no provider is.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use http::request::Parts;
use http::{Request, StatusCode};
use kafkaman_scim::entry::attempts::{self, Attempts, REFUSALS_MAX};
use kafkaman_scim::scim::Timestamp;

fn head(path: &str, address: &str) -> Parts {
    let request = Request::get(path).header("cf-connecting-ip", address);
    request.body(()).unwrap().into_parts().0
}

#[test]
fn an_address_that_guesses_waits_and_no_other_does() {
    let mut attempts = Attempts::default();
    let mut guess = |path: &str, address: &str, now: i64, status: u16| {
        let instead = attempts.instead_of(
            &head(path, address),
            Timestamp(now),
            StatusCode::from_u16(status).unwrap(),
        );
        instead.map(|response| {
            assert_eq!(response.headers()["retry-after"], "60");
            response.status().as_u16()
        })
    };
    let path = "/operator/v1/teams";
    for _ in 0..REFUSALS_MAX {
        assert_eq!(guess(path, "192.0.2.1", 0, 401), None);
    }
    assert_eq!(guess(path, "192.0.2.1", 59_999, 401), Some(429));
    assert_eq!(guess("/teams/acme/v1", "192.0.2.1", 59_999, 401), Some(429));
    assert_eq!(guess("/operator/sign-in", "192.0.2.1", 59_999, 401), Some(429));
    assert_eq!(guess(path, "192.0.2.1", 59_999, 200), None, "a good token goes on");
    assert_eq!(guess("/scim/v2/Users", "192.0.2.1", 59_999, 401), None, "a provider's key");
    assert_eq!(guess(path, "192.0.2.2", 59_999, 401), None, "another address");
    assert_eq!(guess(path, "192.0.2.1", 60_000, 401), None, "a minute later");
}

#[test]
fn whoever_is_told_to_wait_is_told_in_the_shape_of_what_was_asked() {
    for (path, media_type, member) in [
        ("/scim/v2/Users", "application/scim+json", "/detail"),
        ("/operator/v1/teams", "application/json", "/error/message"),
        ("/teams/acme/v1", "application/json", "/error/message"),
    ] {
        let answer = attempts::too_many(&head(path, "192.0.2.1"));
        assert_eq!(answer.status(), 429, "{path}");
        assert_eq!(answer.headers()["retry-after"], "60", "{path}");
        assert_eq!(answer.headers()["content-type"], media_type, "{path}");
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert!(body.pointer(member).unwrap().as_str().unwrap().contains("wait a minute"));
    }
}

#[test]
fn beyond_the_limit_nothing_is_asked_for_the_rest_of_the_minute() {
    let mut attempts = Attempts::default();
    let path = "/teams/acme/v1";
    let before = |attempts: &Attempts, path: &str, address: &str, now: i64| {
        attempts.before(&head(path, address), Timestamp(now)).map(|answer| answer.status().as_u16())
    };
    for count in 0..REFUSALS_MAX {
        // A network of IPv6 is one guesser, whichever of its addresses it uses.
        let address = format!("2001:db8:1:2:{:x}::1", count % 50);
        assert_eq!(before(&attempts, path, &address, 0), None);
        let refused = StatusCode::UNAUTHORIZED;
        assert!(attempts.instead_of(&head(path, &address), Timestamp(0), refused).is_none());
    }
    let guesser = "2001:db8:1:2:ffff::9";
    assert_eq!(before(&attempts, path, guesser, 59_999), Some(429));
    assert_eq!(before(&attempts, "/operator/v1/teams", guesser, 59_999), Some(429));
    assert_eq!(before(&attempts, "/scim/v2/Users", guesser, 59_999), None, "a provider's key");
    assert_eq!(before(&attempts, path, "2001:db8:1:3::1", 59_999), None, "another network");
    assert_eq!(before(&attempts, path, guesser, 60_000), None, "a minute later");
    let mapped = |attempts: &mut Attempts, address: &str| {
        attempts.instead_of(&head(path, address), Timestamp(60_000), StatusCode::UNAUTHORIZED)
    };
    for _ in 0..REFUSALS_MAX {
        mapped(&mut attempts, "::ffff:192.0.2.1");
    }
    assert_eq!(before(&attempts, path, "192.0.2.1", 60_000), Some(429));
}
