//! The OpenAPI document says what the program does: its routes, who may call
//! them, what they take, and what they answer.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use acme::world::OPERATOR_TOKEN;
use kafkaman_scim::api::team::Access;
use kafkaman_scim::api::{openapi, operator, team};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn document() -> Value {
    serde_json::from_str(openapi::DOCUMENT).unwrap()
}

/// Every operation, by method and path.
fn operations(document: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            found.insert(format!("{} {path}", method.to_uppercase()), operation.clone());
        }
    }
    found
}

/// What an operation's reference or schema leads to.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        None => schema,
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
        }
    }
}

#[test]
fn each_route_is_described_and_opened_by_what_the_program_says() {
    let document = document();
    let mut routes = BTreeMap::new();
    for route in team::ROUTES {
        let security = match route.handler.access {
            Access::Admin | Access::Recent | Access::Member => {
                json!([{ "adminToken": [] }, { "session": [] }])
            }
            Access::Service(scope) => json!([{ "serviceToken": [scope.name()] }]),
        };
        routes.insert(format!("{} {}", route.method, route.pattern), security);
    }
    for route in operator::ROUTES {
        let security = json!([{ "operatorToken": [] }]);
        routes.insert(format!("{} {}", route.method, route.pattern), security);
    }
    let described: BTreeMap<String, Value> = operations(&document)
        .into_iter()
        .map(|(route, operation)| (route, operation["security"].clone()))
        .collect();
    assert_eq!(described, routes);
}

#[test]
fn operations_have_names_and_errors_one_shape() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (route, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id), "{route}: its operationId is another's");
        assert!(operation["summary"].is_string(), "{route}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("401") && responses.contains_key("500"), "{route}");
        for (status, response) in responses {
            if status.as_str() >= "400" {
                let response = resolved(&document, response);
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Error", "{route} {status}");
            }
        }
        let path = route.split(' ').nth(1).unwrap();
        let variables: Vec<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let named: Vec<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(named, variables, "{route}");
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let reference = json!({ "$ref": reference.split('"').next().unwrap() });
        resolved(&document, &reference);
    }
}

#[test]
fn what_a_body_may_not_hold_is_refused() {
    let document = document();
    let mut checked = 0;
    for (route, operation) in operations(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let schema = resolved(&document, schema);
        if schema.is_null() {
            continue;
        }
        assert_eq!(schema["additionalProperties"], false, "{route}");
        let acme = Acme::enabled();
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{team}", "acme").replace("{method}", "saml");
        let token = token(&acme, &operation);
        for body in [json!({ "nothing": 1 }), json!([]), json!("x")] {
            let (status, answer) = acme.world.call(&token, method, &path, body.clone());
            let code = &answer["error"]["code"];
            assert_eq!((status.as_u16(), code), (400, &json!("invalid")), "{route} {body}");
        }
        checked += 1;
    }
    assert!(checked > 15);
}

/// A credential that opens an operation.
fn token(acme: &Acme, operation: &Value) -> String {
    let security = operation["security"][0].as_object().unwrap();
    let (scheme, scopes) = security.iter().next().unwrap();
    match scheme.as_str() {
        "adminToken" => acme.admin.clone(),
        "operatorToken" => OPERATOR_TOKEN.to_owned(),
        _ => {
            let made = acme.ok("POST", "/service-tokens", json!({ "name": "x", "scopes": scopes }));
            made["token"].as_str().unwrap().to_owned()
        }
    }
}

/// A team with something to see in every list.
fn furnished() -> Acme {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    acme.key("second");
    for name in ["login", "policy"] {
        acme.ok("POST", "/service-tokens", json!({ "name": name, "scopes": ["sessions"] }));
    }
    for name in ["One", "Two"] {
        let schema =
            json!({ "resourceTypes": ["User"], "schema": { "attributes": [{ "name": "x" }] } });
        acme.ok("PUT", &format!("/scim/schemas/urn:example:acme:1.0:{name}"), schema);
    }
    for name in ["ada", "bob", "cleo", "dora"] {
        let body = json!({ "userName": name });
        let made = acme.world.ok(&key, "POST", "/scim/v2/Users", body);
        if name > "b" {
            let path = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
            acme.world.ok(&key, "DELETE", &path, Value::Null);
        }
    }
    acme.world.new_team("other");
    acme
}

/// The documented schema of an operation's answer in JSON.
fn answered(operation: &Value, status: u16) -> &Value {
    let response = &operation["responses"][status.to_string()];
    &response["content"]["application/json"]["schema"]
}

#[test]
fn lists_come_in_pages_of_one_kind() {
    let document = document();
    let acme = furnished();
    let mut walked = 0;
    for (route, operation) in operations(&document) {
        let parameters = operation["parameters"].to_string();
        let pages = ["count", "after"]
            .iter()
            .filter(|name| parameters.contains(&format!("#/components/parameters/{name}")))
            .count();
        let schema = resolved(&document, answered(&operation, 200));
        let has_next = schema["properties"]["next"].is_object();
        let is_export = operation["operationId"] == "exportAudit";
        assert_eq!(pages == 2, has_next || is_export, "{route}");
        if !has_next {
            continue;
        }
        let path = route.split_once(' ').unwrap().1.replace("{team}", "acme");
        let token = token(&acme, &operation);
        let page =
            |query: &str| acme.world.ok(&token, "GET", &format!("{path}{query}"), Value::Null);
        let items = |page: &Value| {
            let lists = page.as_object().unwrap().iter().filter(|(name, _)| *name != "hours");
            lists.filter_map(|(_, list)| list.as_array()).next().unwrap().clone()
        };
        let all = items(&page(""));
        assert!(all.len() > 1, "{route} has nothing to page");
        let mut found = Vec::new();
        let mut query = "?count=1".to_owned();
        loop {
            let one = page(&query);
            found.extend(items(&one));
            let next = match &one["next"] {
                Value::Null => break,
                Value::String(next) => next.clone(),
                next => next.to_string(),
            };
            query = format!("?count=1&after={next}");
        }
        assert_eq!(found, all, "{route}");
        let (status, _) = acme.world.call(&token, "GET", &format!("{path}?count=x"), Value::Null);
        assert_eq!(status, 400, "{route}");
        walked += 1;
    }
    assert_eq!(walked, 9);
}

#[test]
fn reads_answer_what_is_described_and_nothing_else() {
    let document = document();
    let acme = furnished();
    let member = acme.ok("GET", "/me", Value::Null)["id"].as_str().unwrap().to_owned();
    let mut checked = 0;
    for (route, operation) in operations(&document) {
        let Some(path) = route.strip_prefix("GET ") else { continue };
        let schema = answered(&operation, 200);
        if schema.is_null() {
            continue;
        }
        let path = path.replace("{team}", "acme").replace("{member}", &member);
        let token = token(&acme, &operation);
        let answer = acme.world.ok(&token, "GET", &path, Value::Null);
        conforms(&document, schema, &answer, &route);
        checked += 1;
    }
    assert!(checked > 14);
}

/// Whether a value has the type that a schema names, all properties that it
/// requires, and none that it does not know.
fn conforms(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolved(document, schema);
    if let Some(parts) = schema["allOf"].as_array() {
        let mut whole = json!({ "type": "object", "properties": {}, "required": [] });
        for part in parts {
            let part = resolved(document, part);
            for (name, property) in part["properties"].as_object().unwrap() {
                whole["properties"][name] = property.clone();
            }
        }
        return conforms(document, &whole, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|one| (one["type"] == "null") == value.is_null());
        return conforms(document, choice.unwrap(), value, at);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
        _ => return,
    };
    let own = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&own), "{at}: {value} is none of {types:?}");
    if let (Some(choices), false) = (schema["enum"].as_array(), value.is_null()) {
        assert!(choices.contains(value), "{at}: {value}");
    }
    if schema["format"] == "date-time" && !value.is_null() {
        assert!(kafkaman_scim::scim::Timestamp::parse(value.as_str().unwrap()).is_some(), "{at}");
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        conforms(document, &schema["items"], item, &format!("{at}[{index}]"));
    }
    let Some(object) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(object.contains_key(name.as_str().unwrap()), "{at} lacks {name}");
    }
    for (name, property) in object {
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Object(_)) => {
                conforms(document, &schema["additionalProperties"], property, at);
            }
            (Value::Null, _) => {
                assert!(schema["properties"].is_null(), "{at}: {name} is not described");
            }
            (own, _) => conforms(document, own, property, &format!("{at}.{name}")),
        }
    }
}

#[test]
fn the_document_is_open_to_everyone() {
    let acme = Acme::new();
    let before = acme.world.woken();
    for token in ["", "garbage", &acme.admin] {
        let (status, body) = acme.world.call(token, "GET", "/openapi.json", Value::Null);
        assert_eq!((status.as_u16(), &body["openapi"]), (200, &json!("3.1.0")));
    }
    assert_eq!(acme.world.call("", "POST", "/openapi.json", Value::Null).0, 404);
    assert_eq!(acme.world.woken(), before);
}
