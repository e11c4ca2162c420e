//! One attribute of a schema that a team defines.

use crate::scim::error::shorten;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Characters in an attribute's name.
const NAME_CHARS_MAX: usize = 64;
/// Words that an attribute may give as canonical.
const CANONICAL_MAX: usize = 100;

/// An attribute as an admin describes it, RFC 7643 section 7.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Description {
    name: String,
    #[serde(rename = "type", default = "string")]
    kind: String,
    #[serde(default)]
    multi_valued: bool,
    #[serde(default)]
    description: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    canonical_values: Vec<String>,
    #[serde(default)]
    case_exact: bool,
    #[serde(default = "read_write")]
    mutability: String,
    #[serde(default = "by_default")]
    returned: String,
    #[serde(default = "none")]
    uniqueness: String,
    #[serde(default)]
    reference_types: Vec<String>,
    #[serde(default)]
    sub_attributes: Vec<Description>,
}

fn string() -> String {
    "string".into()
}

fn read_write() -> String {
    "readWrite".into()
}

fn by_default() -> String {
    "default".into()
}

fn none() -> String {
    "none".into()
}

impl Description {
    /// How many attributes it is, its sub-attributes among them.
    pub(super) fn count(&self) -> usize {
        self.sub_attributes.len().saturating_add(1)
    }

    fn check(&self, place: &str, is_sub: bool) -> Result<(), String> {
        let one_of = |what: &str, value: &str, words: &[&str], why: &str| {
            if words.contains(&value) {
                return Ok(());
            }
            let words = words.join(", ");
            Err(format!("`{place}`: `{what}` must be {words}, not `{}`{why}", shorten(value)))
        };
        check_name(&self.name, is_sub).map_err(|what| format!("`{place}`: {what}"))?;
        let kinds: &[&str] =
            &["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference"];
        let kinds = if is_sub { kinds.to_vec() } else { [kinds, &["complex"]].concat() };
        one_of("type", &self.kind, &kinds, "")?;
        let writes: &[&str] = if is_sub { &["readWrite"] } else { &["readWrite", "immutable"] };
        let why = "; nothing here would write or read it otherwise";
        one_of("mutability", &self.mutability, writes, why)?;
        let returns: &[&str] =
            if is_sub { &["default"] } else { &["always", "default", "request"] };
        one_of("returned", &self.returned, returns, "")?;
        let why = "; two people may have the same value";
        one_of("uniqueness", &self.uniqueness, &["none"], why)?;
        if self.required {
            let why = "members who are there already have no value";
            return Err(format!("`{place}`: `required` must be false: {why}"));
        }
        if is_sub && (self.multi_valued || !self.sub_attributes.is_empty()) {
            let message = "a sub-attribute has one value and no sub-attributes of its own";
            return Err(format!("`{place}`: {message}"));
        }
        if (self.kind == "complex") == self.sub_attributes.is_empty() {
            return Err(format!(
                "`{place}`: complex attributes have sub-attributes, others have none"
            ));
        }
        if is_sub && self.name == "primary" && self.kind != "boolean" {
            return Err(format!("`{place}`: `primary` is a boolean (RFC 7643 section 2.4)"));
        }
        let words = self.canonical_values.iter().chain(&self.reference_types);
        let is_long = |word: &String| word.chars().count() > NAME_CHARS_MAX;
        if self.canonical_values.len() > CANONICAL_MAX || words.clone().any(is_long) {
            return Err(format!("`{place}`: too many or too long canonical values or types"));
        }
        if self.description.chars().count() > super::TEXT_CHARS_MAX {
            let most = super::TEXT_CHARS_MAX;
            return Err(format!("`{place}`: `description` may have {most} characters"));
        }
        Ok(())
    }

    fn published(&self, sub_attributes: Vec<Value>) -> Value {
        let shown = json!({
            "name": self.name,
            "type": self.kind,
            "multiValued": self.multi_valued,
            "description": self.description,
            "required": false,
            "mutability": self.mutability,
            "returned": self.returned,
        });
        let mut shown = match shown {
            Value::Object(shown) => shown,
            _ => Map::new(),
        };
        if matches!(self.kind.as_str(), "string" | "reference" | "binary") {
            // RFC 7643 section 2.3.7: references are case-exact; so is base64.
            let case_exact = self.case_exact || self.kind != "string";
            shown.insert("caseExact".into(), case_exact.into());
        }
        if self.kind == "complex" {
            shown.insert("subAttributes".into(), sub_attributes.into());
        } else {
            shown.insert("uniqueness".into(), "none".into());
        }
        if !self.canonical_values.is_empty() {
            shown.insert("canonicalValues".into(), self.canonical_values.clone().into());
        }
        if self.kind == "reference" {
            let types = match self.reference_types.is_empty() {
                true => vec!["external".to_owned()],
                false => self.reference_types.clone(),
            };
            shown.insert("referenceTypes".into(), types.into());
        }
        Value::Object(shown)
    }
}

/// Checks a list of attributes and gives their published form. `prefix` is
/// what comes before their names in an error; sub-attributes have one.
pub(super) fn list(
    described: &[Description],
    taken: &BTreeSet<String>,
    prefix: &str,
) -> Result<Vec<Value>, String> {
    let is_sub = !prefix.is_empty();
    let mut names = BTreeSet::new();
    let mut shown = Vec::with_capacity(described.len());
    for own in described {
        let place = format!("{prefix}{}", shorten(&own.name));
        own.check(&place, is_sub)?;
        let lower = own.name.to_ascii_lowercase();
        if !is_sub && taken.contains(&lower) {
            return Err(format!("`{place}` is the name of a core attribute; choose another"));
        }
        if !names.insert(lower) {
            return Err(format!("`{place}` is there twice (attribute names ignore case)"));
        }
        let subs = list(&own.sub_attributes, taken, &format!("{place}."))?;
        shown.push(own.published(subs));
    }
    Ok(shown)
}

/// RFC 7643 section 2.1: a letter, then letters, digits, `-`, `_` and `$`;
/// `$ref` besides, which is a sub-attribute's.
fn check_name(name: &str, is_sub: bool) -> Result<(), String> {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte));
    let fits = name.len() <= NAME_CHARS_MAX;
    if (is_name || is_sub && name == "$ref") && fits {
        return Ok(());
    }
    Err(format!(
        "a name has up to {NAME_CHARS_MAX} letters, digits, `-`, `_` or `$` and begins with a letter"
    ))
}
