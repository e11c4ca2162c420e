//! Bodies made canonical: what is kept, mended, dropped and refused.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may panic")]

use kafkaman_scim::scim::{Error, ingest, json, schema};
use serde_json::{Value, json};

fn ingest(body: &str) -> Result<Value, Error> {
    let body = json::parse_object(body.as_bytes())?;
    Ok(Value::Object(ingest::resource(schema::user(), body)?.document))
}

#[track_caller]
fn check(body: Value, expected: Value) {
    let found = ingest(&body.to_string()).unwrap_or_else(|error| panic!("{body}: {error}"));
    assert_eq!(found, expected, "{body}");
}

#[track_caller]
fn refuse(body: &str, scim_type: &str, detail: &str) {
    let error = ingest(body).expect_err(body);
    assert_eq!(error.scim_type().map(|kind| kind.keyword()), Some(scim_type), "{body}: {error}");
    assert!(error.detail().contains(detail), "{body}: {}", error.detail());
}

#[test]
fn names_are_folded_and_ours_are_dropped() {
    check(
        json!({"USERNAME": "a", "Id": "x", "meta": {}, "groups": [{"value": "g"}],
            "password": "secret", "foo": 1, "schemas": ["urn:x"]}),
        json!({"userName": "a"}),
    );
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    check(json!({core: {"userName": "a", "title": "b"}}), json!({"userName": "a", "title": "b"}));
}

#[test]
fn empty_is_absent() {
    check(
        json!({"userName": "a", "title": "", "nickName": null, "emails": [], "name": {},
            "phoneNumbers": [null, {"value": ""}]}),
        json!({"userName": "a"}),
    );
}

#[test]
fn what_real_clients_send() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    check(
        json!({"userName": "a", "emails": {"value": "a@b", "primary": "True"}}),
        json!({"userName": "a", "emails": [{"value": "a@b", "primary": true}]}),
    );
    check(json!({"userName": "a", "active": "false"}), json!({"userName": "a", "active": false}));
    check(
        json!({"userName": "a", "emails": ["a@b"]}),
        json!({"userName": "a", "emails": [{"value": "a@b"}]}),
    );
    check(
        json!({"userName": "a", "urn:scim:schemas:extension:enterprise:1.0":
            {"manager": {"managerId": "m", "displayName": "M"}}}),
        json!({"userName": "a", enterprise: {"manager": {"value": "m"}}}),
    );
    check(
        json!({"userName": "a", "emails": [{"value": "a@b", "type": "work"},
            {"value": "a@b", "type": "work", "display": "again"}]}),
        json!({"userName": "a", "emails": [{"value": "a@b", "type": "work"}]}),
    );
}

#[test]
fn wrong_types_are_named() {
    refuse(r#"{"userName": 5}"#, "invalidValue", "`userName` must be a string, not a number");
    refuse(r#"{"userName": "a", "name": "x"}"#, "invalidValue", "`name` must be an object");
    refuse(r#"{"userName": "a", "active": "maybe"}"#, "invalidValue", "`active` must be true");
    refuse(r#"{"userName": "a", "emails": [{"value": 5}]}"#, "invalidValue", "`emails[0].value`");
    refuse(r#"{"userName": "a", "title": ["x", "y"]}"#, "invalidValue", "`title` must be a string");
    refuse(r#"{"userName": "a", "x509Certificates": [{"value": "!"}]}"#, "invalidValue", "base64");
    refuse(
        r#"{"userName": "a", "emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}"#,
        "invalidValue",
        "more than one",
    );
    refuse("{\"userName\": \"a\\u0000b\"}", "invalidValue", "NUL");
    refuse(&format!(r#"{{"userName": "{}"}}"#, "x".repeat(1025)), "invalidValue", "at most 1024");
}

#[test]
fn required_has_a_value() {
    for body in ["{}", r#"{"userName": ""}"#, r#"{"userName": null}"#, r#"{"userName": "  "}"#] {
        refuse(body, "invalidValue", "`userName` is required");
    }
}

#[test]
fn json_is_read_strictly() {
    refuse(r#"{"userName": "a", "userName": "b"}"#, "invalidSyntax", "`userName` is given twice");
    refuse(r#"{"userName": "a", "USERNAME": "b"}"#, "invalidSyntax", "given twice");
    refuse(r#"{"userName": "a", "name": {"x": 1, "X": 2}}"#, "invalidSyntax", "given twice");
    for body in [
        "",
        " ",
        "{",
        "[]",
        "null",
        "5",
        "\"x\"",
        "{} x",
        "{\"a\": 01}",
        "{'a': 1}",
        "{\"a\": NaN}",
        "{\"a\": 1e400}",
        "{\"a\": \"\\ud800\"}",
        "{\"a\": 1,}",
    ] {
        refuse(body, "invalidSyntax", "the request body is");
    }
    refuse(&"[".repeat(100_000), "invalidSyntax", "nest deeper than 32");
    assert!(json::parse(b"{\"a\": \"\xff\"}").is_err());
    assert_eq!(json::parse(b"\xEF\xBB\xBF{}"), Ok(json!({})));
}
