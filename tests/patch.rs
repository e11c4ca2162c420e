//! PATCH on documents: what the operations do, and what they refuse.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use kafkaman_scim::scim::{ingest, json, patch, schema};
use serde_json::{Map, Value, json};

fn person() -> Value {
    json!({
        "userName": "ada@example.com",
        "name": { "givenName": "Ada", "familyName": "Byron" },
        "active": true,
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }]
    })
}

fn apply(operations: Value) -> Result<Value, kafkaman_scim::scim::Error> {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations
    });
    let body = json::parse_object(body.to_string().as_bytes())?;
    let patch = patch::parse(schema::user(), body)?;
    let Value::Object(mut document) = person() else { return Ok(Value::Null) };
    for operation in &patch.operations {
        patch::apply(&mut document, operation)?;
    }
    ingest::check(schema::user(), &document)?;
    Ok(Value::Object(document))
}

/// The operation changes exactly these members (null: removes them).
#[track_caller]
fn check(operation: Value, changes: Value) {
    let Value::Object(mut expected) = person() else { return };
    let changes: Map<String, Value> = serde_json::from_value(changes).unwrap();
    for (name, value) in changes {
        match value {
            Value::Null => expected.remove(&name),
            value => expected.insert(name, value),
        };
    }
    let operations = if operation.is_array() { operation } else { json!([operation]) };
    let found = apply(operations.clone()).unwrap_or_else(|error| panic!("{operations}: {error}"));
    assert_eq!(found, Value::Object(expected), "{operations}");
}

#[track_caller]
fn refuse(operation: Value, scim_type: &str, detail: &str) {
    let operations = if operation.is_array() { operation } else { json!([operation]) };
    let error = apply(operations.clone()).expect_err(&operations.to_string());
    assert_eq!(error.scim_type().map(|kind| kind.keyword()), Some(scim_type), "{operations}");
    assert!(error.detail().contains(detail), "{operations}: {}", error.detail());
}

const WORK: &str = "emails[type eq \"work\"]";

#[test]
fn add() {
    check(json!({"op": "add", "path": "title", "value": "Dr"}), json!({"title": "Dr"}));
    check(json!({"op": "Add", "path": "Title", "value": "Dr"}), json!({"title": "Dr"}));
    check(
        json!({"op": "add", "value": {"title": "Dr", "nickName": "A"}}),
        json!({"title": "Dr", "nickName": "A"}),
    );
    check(
        json!({"op": "add", "path": "name", "value": {"middleName": "K"}}),
        json!({"name": {"givenName": "Ada", "familyName": "Byron", "middleName": "K"}}),
    );
    check(
        json!({"op": "add", "path": "emails", "value": [{"value": "a@home.example", "type": "home"}]}),
        json!({"emails": [
            {"value": "ada@example.com", "type": "work", "primary": true},
            {"value": "a@home.example", "type": "home"}]}),
    );
    // Already there: nothing changes.
    check(
        json!({"op": "add", "path": "emails", "value": [{"value": "ada@example.com", "type": "work"}]}),
        json!({}),
    );
    check(json!({"op": "add", "path": "title", "value": null}), json!({}));
    check(
        json!({"op": "add", "path": WORK.to_owned() + ".display", "value": "Ada"}),
        json!({"emails": [
            {"value": "ada@example.com", "type": "work", "primary": true, "display": "Ada"}]}),
    );
}

#[test]
fn replace() {
    check(
        json!({"op": "replace", "path": "name.givenName", "value": "A"}),
        json!({"name": {"givenName": "A", "familyName": "Byron"}}),
    );
    check(
        json!({"op": "replace", "path": "emails", "value": [{"value": "b@example.com"}]}),
        json!({"emails": [{"value": "b@example.com"}]}),
    );
    check(
        json!({"op": "replace", "path": WORK.to_owned() + ".value", "value": "b@example.com"}),
        json!({"emails": [{"value": "b@example.com", "type": "work", "primary": true}]}),
    );
    check(
        json!({"op": "replace", "path": WORK, "value": {"value": "b@example.com"}}),
        json!({"emails": [{"value": "b@example.com"}]}),
    );
    check(json!({"op": "replace", "path": "title", "value": "Dr"}), json!({"title": "Dr"}));
    check(
        json!({"op": "replace", "path": "name.givenName", "value": ""}),
        json!({"name": {"familyName": "Byron"}}),
    );
    check(json!({"op": "replace", "path": "emails", "value": []}), json!({"emails": null}));
    check(json!({"op": "replace", "path": "active", "value": "False"}), json!({"active": false}));
    check(json!({"op": "replace", "value": {"active": false}}), json!({"active": false}));
}

#[test]
fn remove() {
    check(json!({"op": "remove", "path": "emails"}), json!({"emails": null}));
    check(json!({"op": "remove", "path": WORK}), json!({"emails": null}));
    check(json!({"op": "remove", "path": "emails[type eq \"home\"]"}), json!({}));
    check(
        json!({"op": "remove", "path": "name.givenName"}),
        json!({"name": {"familyName": "Byron"}}),
    );
    check(
        json!({"op": "remove", "path": WORK.to_owned() + ".primary"}),
        json!({"emails": [{"value": "ada@example.com", "type": "work"}]}),
    );
    // What the value lists, never all.
    check(
        json!({"op": "remove", "path": "emails", "value": [{"value": "x@example.com"}]}),
        json!({}),
    );
    check(
        json!({"op": "remove", "path": "emails", "value": [{"value": "ada@example.com"}]}),
        json!({"emails": null}),
    );
    check(json!({"op": "remove", "path": "title"}), json!({}));
}

#[test]
fn primary_moves() {
    check(
        json!({"op": "add", "path": "emails",
        "value": [{"value": "a@home.example", "type": "home", "primary": true}]}),
        json!({"emails": [
            {"value": "ada@example.com", "type": "work", "primary": false},
            {"value": "a@home.example", "type": "home", "primary": true}]}),
    );
    check(
        json!({"op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True"}),
        json!({"emails": [
            {"value": "ada@example.com", "type": "work", "primary": false},
            {"type": "home", "primary": true}]}),
    );
}

#[test]
fn a_filter_of_equalities_makes_what_it_describes() {
    check(
        json!({"op": "replace", "path": "phoneNumbers[type eq \"Mobile\"].value", "value": "+1"}),
        json!({"phoneNumbers": [{"type": "Mobile", "value": "+1"}]}),
    );
    check(
        json!({"op": "add", "path": "addresses[type eq \"work\" and primary eq true].locality",
        "value": "Bern"}),
        json!({"addresses": [{"type": "work", "primary": true, "locality": "Bern"}]}),
    );
    refuse(
        json!({"op": "replace", "path": "phoneNumbers[value sw \"+\"].value", "value": "+1"}),
        "noTarget",
        "Operations[0]: no value of `phoneNumbers`",
    );
}

#[test]
fn extensions_and_dotted_keys() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    check(
        json!({"op": "Add", "path": format!("{enterprise}:manager"), "value": "id-7"}),
        json!({enterprise: {"manager": {"value": "id-7"}}}),
    );
    check(
        json!({"op": "replace", "value": {
        "name.givenName": "A", (format!("{enterprise}:employeeNumber")): "7"}}),
        json!({"name": {"givenName": "A", "familyName": "Byron"},
            enterprise: {"employeeNumber": "7"}}),
    );
    check(
        json!({"op": "replace", "value": {enterprise: {"department": "R&D"}}}),
        json!({enterprise: {"department": "R&D"}}),
    );
    check(
        json!({"op": "add", "path": enterprise, "value": {"department": "R&D"}}),
        json!({enterprise: {"department": "R&D"}}),
    );
    check(
        json!([
        {"op": "add", "path": format!("{enterprise}:manager"), "value": {"value": "id-7"}},
        {"op": "add", "path": format!("{enterprise}:manager"), "value": {"value": ""}},
        {"op": "replace", "path": format!("{enterprise}:manager"), "value": {"value": ""}}]),
        json!({}),
    );
    check(
        json!({"op": "replace", "value": {"id": "x", "meta": {}, "schemas": [], "foo": 1,
        "groups": [], "password": "secret"}}),
        json!({}),
    );
    check(json!({"op": "replace", "path": "password", "value": "secret"}), json!({}));
}

#[test]
fn refusals() {
    refuse(json!({"op": "move", "path": "title"}), "invalidSyntax", "not `move`");
    refuse(json!({"path": "title"}), "invalidSyntax", "`op` must be");
    refuse(json!("x"), "invalidSyntax", "must be an object");
    refuse(json!({"op": "remove"}), "noTarget", "needs a `path`");
    refuse(json!({"op": "add", "path": "title"}), "invalidValue", "needs a `value`");
    refuse(json!({"op": "add", "value": "x"}), "invalidValue", "must be an object");
    refuse(json!({"op": "remove", "path": "userName"}), "mutability", "required");
    refuse(json!({"op": "replace", "path": "userName", "value": ""}), "mutability", "required");
    for path in ["id", "meta", "meta.created", "groups", "schemas"] {
        refuse(json!({"op": "replace", "path": path, "value": "x"}), "mutability", "read-only");
    }
    for path in [
        "emails[type eq",
        "..",
        "a.b.c",
        "emails[type eq \"w\"]x",
        "emails[type eq \"w\"].foo",
        "title[value eq \"x\"]",
        "",
    ] {
        refuse(
            json!({"op": "replace", "path": path, "value": "x"}),
            "invalidPath",
            "Operations[0]",
        );
    }
    refuse(
        json!({"op": "replace", "path": "active", "value": "maybe"}),
        "invalidValue",
        "`active`",
    );
    refuse(
        json!({"op": "add", "path": "emails", "value": [
        {"value": "a", "primary": true}, {"value": "b", "primary": true}]}),
        "invalidValue",
        "more than one",
    );
    refuse(json!([]), "invalidSyntax", "at least one");
    refuse(json!(vec![json!({"op": "remove", "path": "title"}); 1001]), "invalidSyntax", "1000");
}
