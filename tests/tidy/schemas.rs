//! The schema files are explicit: every attribute has every characteristic
//! that applies to its type, and no other.

use crate::{files, hold};
use kafkaman_scim::scim::schema::Schema;
use serde_json::Value;
use std::collections::HashSet;

/// The attributes that every resource has and no schema lists.
const COMMON: [&str; 4] = ["schemas", "id", "externalId", "meta"];
/// RFC 7643 section 2.3.
const TYPES: [&str; 8] =
    ["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"];

/// A schema file's attributes have all characteristics, and only what applies.
fn schema(path: &str, text: &str) -> Vec<String> {
    let Ok(schema) = serde_json::from_str::<Value>(text) else { return vec!["not JSON".into()] };
    let mut found = Vec::new();
    if let Err(error) = serde_json::from_value::<Schema>(schema.clone()) {
        found.push(error.to_string());
    }
    let is_common = path.ends_with("common.json");
    for name in ["id", "name", "description"] {
        if !is_common && schema[name].as_str().is_none_or(str::is_empty) {
            found.push(format!("the schema has no {name}"));
        }
    }
    let is_listed = |name| schema["attributes"].as_array().is_some_and(|all| is_named(all, name));
    found.extend(
        COMMON
            .iter()
            .filter(|name| is_listed(name) != is_common)
            .map(|name| format!("`{name}` belongs in common.json and nowhere else")),
    );
    // Only the schema of schemas may nest deeper (RFC 7643 section 7).
    let depth_max = if path.ends_with("/schema.json") { 3 } else { 2 };
    attributes(&schema["attributes"], "", depth_max, &mut found);
    found
}

fn attributes(list: &Value, place: &str, depth_max: usize, found: &mut Vec<String>) {
    let mut names = HashSet::new();
    let Some(list) = list.as_array().filter(|list| !list.is_empty() && depth_max > 0) else {
        found.push(format!("`{place}`: attributes missing, or too deep"));
        return;
    };
    for attribute in list {
        let name = attribute["name"].as_str().unwrap_or_default();
        let place = format!("{place}.{name}");
        if !names.insert(name.to_lowercase()) {
            found.push(format!("`{place}` is listed twice"));
        }
        let wrong = characteristics(attribute);
        found.extend(wrong.iter().map(|key| format!("`{place}`: {key} is missing or wrong")));
        if attribute["type"] == "complex" {
            attributes(&attribute["subAttributes"], &place, depth_max - 1, found);
        }
    }
}

/// The characteristics that are missing, misspelt, or out of place.
fn characteristics(attribute: &Value) -> Vec<String> {
    let kind = attribute["type"].as_str().unwrap_or_default();
    let is = |kinds: &[&str]| kinds.contains(&kind);
    let has = |key: &str| attribute.get(key).is_some();
    let one_of = |key: &str, words: &[&str]| words.iter().any(|word| attribute[key] == *word);
    let is_flag = |key: &str| attribute[key].is_boolean();
    let is_text = |key: &str| attribute[key].as_str().is_some_and(|text| !text.is_empty());
    let is_texts = |key: &str| {
        attribute[key]
            .as_array()
            .is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string))
    };
    let name = attribute["name"].as_str().unwrap_or_default().trim_start_matches('$');
    let can_be_unique = is(&["string", "reference", "integer", "decimal"]);
    // RFC 7643 section 2.3: a binary and a reference are case exact.
    let case_exact = match kind {
        "string" => is_flag("caseExact"),
        "reference" | "binary" => attribute["caseExact"] == true,
        _ => !has("caseExact"),
    };
    let checks = [
        ("name", name.starts_with(|c: char| c.is_ascii_alphabetic())),
        ("type", is(&TYPES)),
        ("multiValued", is_flag("multiValued")),
        ("description", is_text("description")),
        ("required", is_flag("required")),
        ("caseExact", case_exact),
        (
            "canonicalValues",
            !has("canonicalValues") || is(&["string"]) && is_texts("canonicalValues"),
        ),
        ("mutability", one_of("mutability", &["readOnly", "readWrite", "immutable", "writeOnly"])),
        ("returned", one_of("returned", &["always", "never", "default", "request"])),
        ("uniqueness", has("uniqueness") == can_be_unique),
        ("uniqueness", !can_be_unique || one_of("uniqueness", &["none", "server", "global"])),
        ("referenceTypes", has("referenceTypes") == is(&["reference"])),
        ("referenceTypes", !is(&["reference"]) || is_texts("referenceTypes")),
        ("subAttributes", has("subAttributes") == is(&["complex"])),
    ];
    let known = checks.map(|(key, _)| key);
    let unknown = attribute.as_object().into_iter().flat_map(|object| object.keys());
    let unknown = unknown.filter(|key| !known.contains(&key.as_str())).cloned();
    let wrong = checks.iter().filter(|(_, is_right)| !is_right).map(|(key, _)| (*key).to_owned());
    wrong.chain(unknown).collect()
}

fn is_named(attributes: &[Value], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute["name"] == name)
}

#[test]
fn schemas_are_explicit() {
    hold(&files("schemas", "json"), schema);
}

#[test]
fn vague_schemas_are_found() {
    let good = include_str!("../../schemas/group.json");
    assert_eq!(schema("schemas/group.json", good), Vec::<String>::new());
    for (old, new) in [
        ("{", "["),
        ("\"id\"", "\"ID\""),
        ("\"displayName\"", "\"externalId\""),
        ("\"displayName\"", "\"members\""),
        ("\"multiValued\": false,", ""),
        ("\"caseExact\": false,", ""),
        ("\"uniqueness\": \"server\"", "\"uniqueness\": \"team\""),
        ("\"referenceTypes\"", "\"referenceTypos\""),
        ("\"canonicalValues\": [\"User\", \"Group\"]", "\"canonicalValues\": []"),
        ("\"type\": \"complex\"", "\"type\": \"string\""),
        ("\"subAttributes\"", "\"subattributes\""),
        ("\"returned\": \"default\"", "\"returned\": \"sometimes\""),
    ] {
        let bad = good.replacen(old, new, 1);
        assert!(bad != good && !schema("schemas/group.json", &bad).is_empty(), "{old} → {new}");
    }
}
