//! Does a JSON answer match the pattern an exchange expects?
//!
//! `tests/e2e/support/pattern.mjs` is the same in JavaScript; the rules are in
//! `tests/exchanges/README.md`.

use serde_json::Value;

/// What differs, one sentence a place; empty when `actual` matches.
pub(crate) fn differences(pattern: &Value, actual: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    compare(pattern, actual, "", &mut found);
    found
}

fn matches(pattern: &Value, actual: Option<&Value>) -> bool {
    differences(pattern, actual).is_empty()
}

fn compare(pattern: &Value, actual: Option<&Value>, place: &str, found: &mut Vec<String>) {
    let fits = match (pattern, actual) {
        (Value::String(word), _) if word.starts_with('<') && word.ends_with('>') => {
            fits_word(word, actual)
        }
        (Value::Object(fields), _) => {
            let only = fields.iter().next().filter(|_| fields.len() == 1);
            match (only, actual) {
                (Some((name, operand)), _) if name.starts_with('<') => {
                    fits_operator(name, operand, actual)
                }
                (_, Some(Value::Object(actual))) => {
                    for (name, expected) in fields {
                        let place = format!("{place}/{name}");
                        compare(expected, actual.get(name), &place, found);
                    }
                    return;
                }
                _ => false,
            }
        }
        (Value::Array(expected), Some(Value::Array(actual))) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(expected, Some(actual), &format!("{place}/{index}"), found);
            }
            return;
        }
        (Value::Number(expected), Some(Value::Number(actual))) => {
            expected.as_f64() == actual.as_f64()
        }
        (expected, Some(actual)) => expected == actual,
        (_, None) => false,
    };
    if !fits {
        let place = if place.is_empty() { "/" } else { place };
        let actual = actual.map_or_else(|| "nothing".to_owned(), Value::to_string);
        found.push(format!("{place}: expected {pattern}, got {actual}"));
    }
}

/// A special string. One that is not known never matches, so a slip shows.
fn fits_word(word: &str, actual: Option<&Value>) -> bool {
    let text = actual.and_then(Value::as_str);
    match word {
        "<any>" => actual.is_some(),
        "<absent>" => actual.is_none(),
        "<string>" => text.is_some(),
        // RFC 7643 section 3.1: "bulkId" is reserved and never part of an id.
        "<id>" => text.is_some_and(|text| !text.is_empty() && !text.contains("bulkId")),
        "<datetime>" => text.is_some_and(is_datetime),
        _ => false,
    }
}

/// An object with one key that begins with `<`.
fn fits_operator(name: &str, operand: &Value, actual: Option<&Value>) -> bool {
    match (name, operand, actual) {
        ("<not>", _, _) => !matches(operand, actual),
        ("<contains>", Value::String(part), Some(Value::String(text))) => text.contains(part),
        ("<length>", _, Some(Value::Array(items))) => operand.as_u64() == Some(items.len() as u64),
        ("<unordered>", Value::Array(patterns), Some(Value::Array(items))) => {
            patterns.len() == items.len() && assign(patterns, &mut items.iter().collect())
        }
        ("<includes>", Value::Array(patterns), Some(Value::Array(items))) => {
            assign(patterns, &mut items.iter().collect())
        }
        _ => false,
    }
}

/// Whether every pattern finds an item of its own.
fn assign(patterns: &[Value], items: &mut Vec<&Value>) -> bool {
    let Some((pattern, rest)) = patterns.split_first() else { return true };
    for index in 0..items.len() {
        let item = items.remove(index);
        if matches(pattern, Some(item)) && assign(rest, items) {
            return true;
        }
        items.insert(index, item);
    }
    false
}

/// `2026-11-23T21:05:17Z`, with an optional fraction, and an offset for `Z`.
fn is_datetime(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let Some(mut zone) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    if let Some(fraction) = zone.strip_prefix('.') {
        zone = fraction.trim_start_matches('0');
        if zone.len() == fraction.len() {
            return false;
        }
    }
    matches!(zone, "Z" | "+00:00" | "-00:00")
}

/// What every answer under `/scim` owes, whatever the story expects of it.
pub(crate) fn manners(
    status: u16,
    header: impl Fn(&str) -> Option<String>,
    body: Option<&Value>,
) -> Vec<String> {
    let mut found = Vec::new();
    let Some(body) = body else {
        if status >= 400 {
            found.push("an error has a body".to_owned());
        }
        return found;
    };
    let kind = header("content-type").unwrap_or_default();
    if !matches!(kind.as_str(), "application/scim+json" | "application/json") {
        found.push(format!("content-type: `{kind}` is not application/scim+json"));
    }
    if status >= 400 {
        let error = serde_json::json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": status.to_string(),
            "detail": "<string>",
        });
        found.extend(differences(&error, Some(body)));
        for name in body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()) {
            if !matches!(name, "schemas" | "status" | "scimType" | "detail") {
                found.push(format!("/{name}: not a member of an Error"));
            }
        }
        return found;
    }
    // RFC 7643 section 3.1: meta.location is Content-Location, meta.version is ETag.
    for (pointer, names) in [
        ("/meta/location", ["location", "content-location"].as_slice()),
        ("/meta/version", &["etag"]),
    ] {
        let Some(value) = body.get("id").and(body.pointer(pointer)).and_then(Value::as_str) else {
            continue;
        };
        for &name in names {
            let got = header(name);
            if got.as_deref() != Some(value) {
                found.push(format!("{name}: expected `{value}` (as {pointer}), got {got:?}"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{differences, manners, matches};
    use serde_json::{Value, json};

    #[test]
    fn what_fits_matches() {
        let actual = json!({
            "id": "3f2c", "n": 5, "gone": null, "on": true,
            "when": "2026-11-23T21:05:17.000Z",
            "list": [{"a": 1, "more": 2}, {"a": 3}],
        });
        for pattern in [
            json!({}),
            json!({"id": "<id>", "n": 5, "gone": null, "on": true, "other": "<absent>"}),
            json!({"when": "<datetime>", "id": "<string>", "gone": "<any>", "list": "<any>"}),
            json!({"id": {"<contains>": "f2"}, "n": {"<not>": 6}, "other": {"<not>": true}}),
            json!({"list": [{"a": 1}, {"a": 3}]}),
            json!({"list": {"<unordered>": [{"a": 3}, {"a": "<any>"}]}}),
            json!({"list": {"<includes>": [{"a": 3}]}}),
            json!({"list": {"<length>": 2}}),
        ] {
            assert_eq!(differences(&pattern, Some(&actual)), Vec::<String>::new(), "{pattern}");
        }
    }

    #[test]
    fn what_does_not_fit_fails() {
        let actual =
            json!({"id": "x-bulkId-1", "n": 5, "gone": null, "list": [{"a": 1}, {"a": 3}]});
        for pattern in [
            json!({"id": "<id>"}),
            json!({"id": "x"}),
            json!({"id": "<datetime>"}),
            json!({"id": "<nonsense>"}),
            json!({"n": "5"}),
            json!({"n": {"<not>": 5}}),
            json!({"gone": "<absent>"}),
            json!({"gone": "<string>"}),
            json!({"missing": "<any>"}),
            json!({"missing": null}),
            json!({"list": []}),
            json!({"list": [{"a": 3}, {"a": 1}]}),
            json!({"list": [{"a": 1}]}),
            json!({"list": {"<unordered>": [{"a": 1}, {"a": 1}]}}),
            json!({"list": {"<unordered>": [{"a": 1}]}}),
            json!({"list": {"<includes>": [{"a": 2}]}}),
            json!({"list": {"<length>": 1}}),
            json!({"id": {"<contains>": "y"}}),
            json!({"id": {"<nonsense>": "x"}}),
            json!([]),
            Value::Null,
        ] {
            assert!(!matches(&pattern, Some(&actual)), "{pattern} must not match");
        }
        assert!(!matches(&json!("<datetime>"), Some(&json!("2026-11-23 21:05:17"))));
    }

    #[test]
    fn a_difference_says_where() {
        let found = differences(&json!({"a": [{"b": 1}]}), Some(&json!({"a": [{"b": 2}]})));
        assert_eq!(found, ["/a/0/b: expected 1, got 2"]);
    }

    #[test]
    fn manners_are_minded() {
        let scim =
            |name: &str| (name == "content-type").then(|| "application/scim+json".to_owned());
        let error = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "404", "detail": "no such user",
        });
        assert_eq!(manners(404, scim, Some(&error)), Vec::<String>::new());
        assert_eq!(manners(204, |_| None, None), Vec::<String>::new());
        assert_eq!(manners(404, |_| None, None).len(), 1);
        assert_eq!(manners(400, scim, Some(&error)).len(), 1, "status differs");
        assert_eq!(manners(200, |_| None, Some(&json!({}))).len(), 1, "no content type");
        let user = json!({"id": "1", "meta": {"location": "u", "version": "v"}});
        assert_eq!(manners(200, scim, Some(&user)).len(), 3, "three headers are missing");
    }
}
