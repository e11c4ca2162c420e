//! Whether a resource is what the published schemas say it is, and keeps the
//! rules for several values. Reads the schema files by itself, so that it does
//! not err together with the program.

use serde_json::{Map, Value};

const COMMON: &str = include_str!("../../schemas/common.json");
const USER: &str = include_str!("../../schemas/user.json");
const ENTERPRISE_USER: &str = include_str!("../../schemas/enterprise-user.json");
const GROUP: &str = include_str!("../../schemas/group.json");

/// The schemas of one resource type.
pub(crate) struct Shape {
    /// Common and core attributes.
    attributes: Vec<Value>,
    core: String,
    extensions: Vec<Value>,
}

impl Shape {
    pub(crate) fn of_users() -> Self {
        Self::read(USER, &[ENTERPRISE_USER])
    }

    pub(crate) fn of_groups() -> Self {
        Self::read(GROUP, &[])
    }

    fn read(core: &str, extensions: &[&str]) -> Self {
        let parse = |text: &&str| -> Value { serde_json::from_str(text).unwrap() };
        let (common, core) = (parse(&COMMON), parse(&core));
        Self {
            attributes: [attributes(&common), attributes(&core)].concat(),
            core: core["id"].as_str().unwrap().to_owned(),
            extensions: extensions.iter().map(parse).collect(),
        }
    }

    /// All that is wrong with a resource as a GET shows it.
    pub(crate) fn faults(&self, resource: &Map<String, Value>) -> Vec<String> {
        let mut faults = Vec::new();
        let mut urns = vec![Value::from(self.core.as_str())];
        let mut plain = resource.clone();
        for extension in &self.extensions {
            let id = extension["id"].as_str().unwrap();
            let Some(content) = plain.remove(id) else { continue };
            urns.push(id.into());
            object(&attributes(extension), &content, id, &mut faults);
        }
        object(&self.attributes, &Value::Object(plain), "", &mut faults);
        if resource["schemas"] != Value::from(urns) {
            faults.push(format!("schemas: {}", resource["schemas"]));
        }
        faults
    }
}

fn attributes(schema: &Value) -> Vec<Value> {
    schema["attributes"].as_array().unwrap().clone()
}

/// An object holds values of these attributes, all that are required, and
/// nothing else; and it holds something.
fn object(attributes: &[Value], value: &Value, place: &str, faults: &mut Vec<String>) {
    let Some(object) = value.as_object().filter(|object| !object.is_empty()) else {
        return faults.push(format!("{place}: {value} is no object with something in it"));
    };
    for (name, value) in object {
        let place = format!("{place}.{name}");
        match attributes.iter().find(|attribute| attribute["name"] == *name) {
            None => faults.push(format!("{place}: no schema has it")),
            Some(attribute) if attribute["returned"] == "never" => {
                faults.push(format!("{place}: nobody may read it"));
            }
            Some(attribute) => values(attribute, value, &place, faults),
        }
    }
    for attribute in attributes.iter().filter(|attribute| attribute["required"] == true) {
        let name = attribute["name"].as_str().unwrap();
        if !object.contains_key(name) {
            faults.push(format!("{place}.{name}: missing"));
        }
    }
}

fn values(attribute: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
    if attribute["multiValued"] == false {
        return single(attribute, value, place, faults);
    }
    let Some(elements) = value.as_array().filter(|elements| !elements.is_empty()) else {
        return faults.push(format!("{place}: {value} is no list with something in it"));
    };
    for element in elements {
        single(attribute, element, place, faults);
    }
    if elements.iter().filter(|element| element["primary"] == true).count() > 1 {
        faults.push(format!("{place}: several are primary in {value}"));
    }
    for (index, one) in elements.iter().enumerate() {
        if elements[..index].iter().any(|other| is_repeated(one, other)) {
            faults.push(format!("{place}: {one} is there twice"));
        }
    }
}

/// RFC 7643 section 2.4 allows a pair of value and type once.
fn is_repeated(one: &Value, other: &Value) -> bool {
    let pair =
        |element: &Value| Some((element.get("value")?.clone(), element.get("type").cloned()));
    one == other || pair(one).is_some_and(|own| pair(other) == Some(own))
}

fn single(attribute: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
    let text = value.as_str().filter(|text| !text.is_empty() && !text.contains('\0'));
    let fits = match attribute["type"].as_str().unwrap() {
        "complex" => {
            let parts = attribute["subAttributes"].as_array().unwrap();
            return object(parts, value, place, faults);
        }
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "decimal" => value.is_number(),
        "dateTime" => text.is_some_and(is_date),
        "binary" => text.is_some_and(is_base64),
        _ => text.is_some(),
    };
    if !fits {
        faults.push(format!("{place}: {value} is no {}", attribute["type"]));
    }
}

/// Our own dates: no others are in these schemas.
fn is_date(text: &str) -> bool {
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(digits).eq("0000-00-00T00:00:00.000Z".chars())
}

fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    bare.bytes().all(is_letter) && bare.len() % 4 != 1
}

#[test]
fn faults_are_found() {
    let good = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "ada",
        "active": true, "emails": [{ "value": "a", "type": "work", "primary": true }],
        "x509Certificates": [{ "value": "QUI=" }],
        "meta": { "created": "2026-11-23T21:05:17.000Z" },
    });
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let found = |name: &str, value: Value| {
        let mut resource = good.as_object().unwrap().clone();
        resource.insert(name.to_owned(), value);
        Shape::of_users().faults(&resource).len()
    };
    use serde_json::json;
    assert_eq!(found("title", json!("Lead")), 0);
    assert_eq!(found("schemas", json!([good["schemas"][0], enterprise])), 1);
    assert_eq!(found(enterprise, json!({ "division": "R&D" })), 1);
    assert_eq!(found(enterprise, json!({})), 2);
    for (name, value) in [
        ("Title", json!("Lead")),
        ("password", json!("secret")),
        ("title", json!("")),
        ("title", Value::Null),
        ("title", json!(["Lead"])),
        ("active", json!("true")),
        ("name", json!({})),
        ("name", json!({ "nickName": "A" })),
        ("emails", json!([])),
        ("emails", json!({ "value": "a" })),
        ("emails", json!([{ "value": 1 }])),
        ("emails", json!([{ "value": "a" }, { "value": "a", "primary": true }])),
        ("emails", json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }])),
        ("addresses", json!([{ "locality": "Bern" }, { "locality": "Bern" }])),
        ("x509Certificates", json!([{ "value": "~" }])),
        ("meta", json!({ "created": "yesterday" })),
    ] {
        assert_eq!(found(name, value.clone()), 1, "{name}: {value}");
    }
    let mut nameless = good.as_object().unwrap().clone();
    nameless.remove("userName");
    assert_eq!(Shape::of_users().faults(&nameless).len(), 1);
}
