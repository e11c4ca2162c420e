//! What holds for any input at all: functions that panic where it does not.
//!
//! `fuzz_targets/` gives them inputs that a fuzzer makes, and
//! `tests/fuzz_corpus.rs` those that are kept in `corpus/`. Out of scope: what
//! a particular input means, which the service's other tests pin.

#![allow(dead_code, unreachable_pub, reason = "each includer uses its own part of it")]

#[path = "checks/sealed.rs"]
mod sealed;

use kafkaman_scim::scim::list::{PAGE_MAX, Paging, Parameters, Query};
use kafkaman_scim::scim::patch::{self as patches, Target};
use kafkaman_scim::scim::path::{self, Path, Target as Named};
use kafkaman_scim::scim::schema::{self, ResourceType};
use kafkaman_scim::scim::{Error, ScimType, filter as filters, ingest as bodies, json};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::sync::LazyLock;

pub use sealed::{credential, cursor};

/// A check, under the name of its target and of its folder in `corpus/`.
pub type Check = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: [Check; 6] = [
    ("credential", credential),
    ("cursor", cursor),
    ("filter", filter),
    ("ingest", ingest),
    ("list", list),
    ("patch_path", patch_path),
];

/// Bytes of an error's sentence. It echoes at most a few shortened names.
const DETAIL_BYTES_MAX: usize = 1_024;

/// A document with something under every kind of attribute there is.
static USER: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    object(json!({
        "externalId": "Ext-1",
        "userName": "Zoë.Meier@example.com",
        "name": { "formatted": "Zoë Meier", "familyName": "Meier", "givenName": "Zoë" },
        "displayName": "Zoë",
        "profileUrl": "https://example.com/zoe",
        "title": "Tour \"Guide\" \\ Lead",
        "active": true,
        "emails": [
            { "value": "zoe@example.com", "type": "work", "primary": true },
            { "value": "zoe@home.example.org", "type": "home" }
        ],
        "phoneNumbers": [{ "value": "+41 1 2", "display": "desk" }],
        "addresses": [{ "locality": "Bern", "type": "work" }],
        "roles": [{ "value": "guide", "primary": false }],
        "x509Certificates": [{ "value": "QUJD" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "701", "manager": { "value": "018f-B" }
        }
    }))
});

static GROUP: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    object(json!({
        "externalId": "Ext-2",
        "displayName": "Guides",
        "members": [{ "value": "018f-A", "type": "User", "display": "Zoë" }, { "value": "018f-C" }]
    }))
});

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The resource types, each with a document of it.
fn kinds() -> [(&'static ResourceType, &'static Map<String, Value>); 2] {
    [(schema::user(), &*USER), (schema::group(), &*GROUP)]
}

/// The document as an answer shows it, with what only the service writes.
fn shown(kind: &ResourceType, document: &Map<String, Value>) -> Map<String, Value> {
    let mut shown = document.clone();
    shown.insert("schemas".into(), json!([kind.core.id]));
    shown.insert("id".into(), "018f-A".into());
    shown.insert("groups".into(), json!([{ "value": "018f-G", "display": "Guides" }]));
    shown.insert(
        "meta".into(),
        json!({ "resourceType": kind.name, "created": "2026-11-23T21:05:17.000Z" }),
    );
    shown
}

/// An error is the caller's to mend, and does not echo a megabyte.
fn refused(error: &Error) {
    let sensitive = error.scim_type() == Some(ScimType::Sensitive);
    assert_eq!(error.status(), if sensitive { 403 } else { 400 }, "{error}");
    let bytes = error.detail().len();
    assert!(bytes <= DETAIL_BYTES_MAX, "echoes {bytes} bytes");
    assert!(error.to_json().is_object());
}

/// Whether a printed filter may be refused all the same. Printing adds
/// parentheses, writes dates and URNs out, and puts the comparison after a
/// value path into its brackets, so what was within the budgets of a filter
/// may be beyond them then.
fn is_over_budget(printed: &str, error: &Error) -> bool {
    let budgets = ["may nest 32 deep", "may hold 64 comparisons"];
    printed.len() > filters::TEXT_BYTES_MAX
        || budgets.iter().any(|budget| error.detail().contains(budget))
}

/// A filter's text: it is refused, or it prints as text that says the same.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for (kind, document) in kinds() {
        let parsed = match filters::parse(kind, text) {
            Ok(parsed) => parsed,
            Err(error) => {
                refused(&error);
                continue;
            }
        };
        for object in [&Map::new(), document, &shown(kind, document)] {
            let opposite = filters::Filter::Not(Box::new(parsed.clone()));
            assert_ne!(parsed.matches(object), opposite.matches(object));
        }
        let printed = parsed.to_string();
        match filters::parse(kind, &printed) {
            Ok(again) => assert_eq!(again, parsed, "prints as {printed}"),
            Err(error) => assert!(is_over_budget(&printed, &error), "{printed}: {error}"),
        }
    }
}

/// The parameters of a list, as a query string or as the JSON of a search.
pub fn list(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parameters = match json::parse_object(data) {
        Ok(body) => match Parameters::from_search(body) {
            Ok(parameters) => parameters,
            Err(error) => return refused(&error),
        },
        Err(_) => Parameters::parse(text),
    };
    let identity = parameters.identity();
    assert_eq!(Parameters::parse(&identity).identity(), identity);
    for (kind, document) in kinds() {
        let resource = shown(kind, document);
        let query = match Query::parse(kind, &parameters) {
            Ok(query) => query,
            Err(error) => {
                refused(&error);
                continue;
            }
        };
        assert!((0..=PAGE_MAX).contains(&query.count), "{}", query.count);
        assert!(!matches!(query.paging, Paging::Index(..1)));
        if let Some(sort) = query.sort {
            let key = sort.key(&resource);
            assert_eq!(sort.compare(&key, &key), Ordering::Equal);
        }
        let answer = query.projection.apply(kind, resource.clone());
        for name in ["schemas", "id"] {
            assert_eq!(answer.get(name), resource.get(name), "is always returned");
        }
        assert!(answer.keys().all(|name| resource.contains_key(name)));
    }
}

/// A body: it is refused, or made canonical once and for all.
pub fn ingest(data: &[u8]) {
    let body = match json::parse(data) {
        Ok(body) => body,
        Err(error) => return refused(&error),
    };
    let bare = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data);
    assert_eq!(serde_json::from_slice::<Value>(bare).ok().as_ref(), Some(&body), "as others read");
    let Value::Object(body) = body else { return };
    for (kind, _) in kinds() {
        let document = match bodies::resource(kind, body.clone()) {
            Ok(ingested) => ingested.document,
            Err(error) => {
                refused(&error);
                continue;
            }
        };
        // As text, which says in which order the attributes are: it is what is stored.
        let text = text_of(&document);
        let again = bodies::resource(kind, document.clone());
        let again = again.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(text_of(&again.document), text);
        assert!(again.ignored.is_empty(), "{:?}", again.ignored);
        assert_eq!(text_of(&bodies::in_schema_order(kind, document.clone())), text);
        assert_eq!(json::parse_object(text.as_bytes()), Ok(document));
    }
}

fn text_of(document: &Map<String, Value>) -> String {
    serde_json::to_string(document).unwrap_or_else(|error| panic!("{error}"))
}

/// A PATCH: a path, and after a line end a value, which is text if it is no
/// JSON; or, when it begins with `[`, all the operations.
pub fn patch_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.starts_with('[') {
        if let Ok(operations) = json::parse(data) {
            patch(&operations);
        }
        return;
    }
    let (path, value) = text.split_once('\n').unwrap_or((text, "null"));
    let value = json::parse(value.as_bytes()).unwrap_or_else(|_| value.into());
    let members = Map::from_iter([(path.to_owned(), value.clone())]);
    for op in ["add", "remove", "replace"] {
        patch(&json!([{ "op": op, "path": path, "value": value }]));
        patch(&json!([{ "op": op, "value": members }]));
    }
    patch(&json!([{ "op": "remove", "path": path }]));
    for (kind, _) in kinds() {
        if let Ok(Named::Attribute(path)) = path::resolve(kind, path) {
            resolves_again(kind, path);
        }
    }
}

/// Applies operations: they are refused, or they leave a document that a
/// client could have sent.
fn patch(operations: &Value) {
    for (kind, document) in kinds() {
        let parsed = match patches::parse(kind, patch_body(operations)) {
            Ok(parsed) => parsed,
            Err(error) => {
                refused(&error);
                continue;
            }
        };
        for operation in &parsed.operations {
            target_reads_back(kind, &operation.target);
        }
        let mut document = document.clone();
        let mut all = parsed.operations.iter();
        let applied = all.try_for_each(|operation| patches::apply(&mut document, operation));
        if let Err(error) = applied.and_then(|()| bodies::check(kind, &document)) {
            refused(&error);
            continue;
        }
        let again = bodies::resource(kind, document.clone());
        let again = again.unwrap_or_else(|error| panic!("{document:?}: {error}"));
        assert_eq!(again.document, without_bare(document));
        assert!(again.ignored.is_empty(), "{:?}", again.ignored);
    }
}

fn patch_body(operations: &Value) -> Map<String, Value> {
    let urn = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    object(json!({ "schemas": [urn], "Operations": operations }))
}

/// The document without elements that lack a value. A PATCH may leave one, as
/// its next operation may be what gives it its value; a body may not.
fn without_bare(mut document: Map<String, Value>) -> Map<String, Value> {
    document.retain(|_, value| match value {
        Value::Array(elements) => {
            elements.retain(|element| !bodies::is_bare(element));
            !elements.is_empty()
        }
        _ => true,
    });
    document
}

fn resolves_again(kind: &ResourceType, path: Path<'_>) {
    assert_eq!(path::resolve(kind, &path.to_string()), Ok(Named::Attribute(path)), "{path}");
}

/// A target, printed as the path of an operation, is the same target.
fn target_reads_back(kind: &ResourceType, target: &Target<'_>) {
    resolves_again(kind, target.path);
    let Some(filter) = &target.filter else { return };
    let whole = Path { sub: None, ..target.path };
    let sub = target.path.sub.map(|sub| format!(".{}", sub.name)).unwrap_or_default();
    let printed = format!("{whole}[{filter}]{sub}");
    let operations = json!([{ "op": "remove", "path": printed }]);
    match patches::parse(kind, patch_body(&operations)) {
        Ok(again) => {
            let again: Vec<_> = again.operations.iter().map(|again| &again.target).collect();
            assert_eq!(again, [target], "{printed}");
        }
        Err(error) => assert!(is_over_budget(&printed, &error), "{printed}: {error}"),
    }
}
