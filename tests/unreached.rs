//! Objects that cannot be reached: what is asked again, and what is answered, in
//! the shape of what was asked for.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use http::Method;
use kafkaman_scim::directory::Fault;
use kafkaman_scim::entry::unreached::{Failed, answer, is_repeated};
use serde_json::Value;

const OVERLOADED: Failed = Failed { is_overloaded: true, is_retryable: false };
const RETRYABLE: Failed = Failed { is_overloaded: false, is_retryable: true };
const BOTH: Failed = Failed { is_overloaded: true, is_retryable: true };
const NEITHER: Failed = Failed { is_overloaded: false, is_retryable: false };

#[test]
fn reads_alone_are_repeated_and_nothing_that_is_overloaded() {
    for (method, failed, expected) in [
        (Method::GET, RETRYABLE, true),
        (Method::HEAD, RETRYABLE, true),
        (Method::POST, RETRYABLE, false),
        (Method::PUT, RETRYABLE, false),
        (Method::PATCH, RETRYABLE, false),
        (Method::DELETE, RETRYABLE, false),
        (Method::OPTIONS, RETRYABLE, false),
        (Method::GET, OVERLOADED, false),
        (Method::GET, BOTH, false),
        (Method::GET, NEITHER, false),
    ] {
        assert_eq!(is_repeated(&method, failed), expected, "{method} {failed:?}");
    }
}

#[test]
fn what_may_pass_is_503_and_says_when_to_come_back() {
    for (path, failed, status, after, kind, code) in [
        ("/scim/v2/Users", OVERLOADED, 503, Some("10"), "scim", "503"),
        ("/scim/v2/Users", RETRYABLE, 503, Some("1"), "scim", "503"),
        ("/scim/v2/Users", BOTH, 503, Some("10"), "scim", "503"),
        ("/scim/v2/Users", NEITHER, 500, None, "scim", "500"),
        ("/teams/acme/v1/members", OVERLOADED, 503, Some("10"), "api", "unavailable"),
        ("/teams/acme/v1", RETRYABLE, 503, Some("1"), "api", "unavailable"),
        ("/teams/acme/v1", NEITHER, 500, None, "api", "internal"),
        ("/operator/v1/teams", OVERLOADED, 503, Some("10"), "api", "unavailable"),
        ("/operator/v1/teams", NEITHER, 500, None, "api", "internal"),
        ("/operator/v1/health", RETRYABLE, 503, Some("1"), "api", "unavailable"),
        ("/operator/v1/health", NEITHER, 503, None, "api", "unhealthy"),
        ("/teams/acme/members", OVERLOADED, 503, Some("10"), "page", "One moment"),
        ("/teams/acme/members", NEITHER, 500, None, "page", "That did not work"),
        ("/operator", RETRYABLE, 503, Some("1"), "page", "One moment"),
        ("/operator/teams/acme/seats", NEITHER, 500, None, "page", "That did not work"),
    ] {
        let what = format!("{path} {failed:?}");
        let answered = answer(path, failed, Fault::new("lost"));
        let (head, body) = answered.response.into_parts();
        assert_eq!(head.status, status, "{what}");
        let told = head.headers.get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(told, after, "{what}");
        assert_eq!(head.headers["cache-control"], "no-store", "{what}");
        assert_eq!(answered.fault.map(|fault| fault.to_string()).as_deref(), Some("lost"));
        let text = String::from_utf8(body).unwrap();
        assert!(!text.contains("lost:"), "{what}: {text}");
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        let (media_type, found) = match kind {
            "scim" => ("application/scim+json", json["status"].as_str()),
            "api" => ("application/json", json["error"]["code"].as_str()),
            _ => ("text/html; charset=utf-8", text.contains(code).then_some(code)),
        };
        assert_eq!(head.headers["content-type"], media_type, "{what}");
        assert_eq!(found, Some(code), "{what}: {text}");
        if let Some(seconds) = after.filter(|_| kind != "page") {
            assert!(text.contains(&format!("again in {seconds} s")), "{text}");
        }
    }
}
