//! Whatever is sent by PATCH, in whatever order, a resource stays one.
//!
//! Random sequences of random bodies, right and wrong ones. After each, the
//! resource fits its schemas; what is read-only is as it was; a refusal left
//! everything, to the byte; an acceptance counted a change exactly where there
//! was one. For a part of PATCH a simple model also predicts the result. Out
//! of scope: what each operation does, which `tests/patch.rs` pins.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "patch_sequences/bodies.rs"]
mod bodies;
#[path = "patch_sequences/model.rs"]
mod model;
#[path = "patch_sequences/shape.rs"]
mod shape;
#[path = "support/world.rs"]
mod world;

use http::Request;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shape::Shape;
use world::World;

/// What is not a client's to change.
const READ_ONLY: [&str; 5] =
    ["/id", "/meta/created", "/meta/resourceType", "/meta/location", "/groups"];

/// A team with three people and two groups, one in the other.
struct Directory {
    world: World,
    key: String,
    people: Vec<String>,
    groups: Vec<String>,
}

/// A resource as a GET shows it.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    text: String,
    tag: String,
    resource: Map<String, Value>,
}

impl Shown {
    fn meta(&self, name: &str) -> &Value {
        &self.resource["meta"][name]
    }

    /// All that is not about the resource's own history.
    fn content(&self) -> Map<String, Value> {
        self.resource.clone().into_iter().filter(|(name, _)| name != "meta").collect()
    }
}

/// An `If-Match` header.
#[derive(Clone, Copy, Debug)]
enum Guard {
    None,
    Any,
    Current,
    Stale,
}

fn guard() -> impl Strategy<Value = Guard> {
    prop_oneof![
        9 => Just(Guard::None),
        1 => Just(Guard::Any),
        2 => Just(Guard::Current),
        1 => Just(Guard::Stale),
    ]
}

impl Directory {
    fn new() -> Self {
        let world = World::new();
        let key = world.team("acme").key;
        let make = |path: &str, body: Value| {
            let made = world.ok(&key, "POST", &format!("/scim/v2/{path}"), body);
            made["id"].as_str().unwrap().to_owned()
        };
        let people: Vec<String> = (0..3)
            .map(|n| {
                let work = json!({ "value": "a@example.com", "type": "work", "primary": true });
                let home = json!({ "value": "c@example.com", "type": "home" });
                let addresses = json!([{ "type": "home", "locality": "Bern", "primary": true }]);
                make(
                    "Users",
                    json!({ "userName": format!("u{n}"), "name": { "givenName": "Ada" },
                    "emails": [work, home], "addresses": addresses, "phoneNumbers": [work] }),
                )
            })
            .collect();
        let inner = json!({ "displayName": "Inner", "members": [{ "value": people[0] }] });
        let inner = make("Groups", inner);
        let members = json!([{ "value": inner }, { "value": people[1], "display": "Ada" }]);
        let outer = make("Groups", json!({ "displayName": "Outer", "members": members }));
        Self { world, key, people, groups: vec![inner, outer] }
    }

    /// The body with real ids where it has `${u0}` and `${g0}`.
    fn with_ids(&self, body: &Value) -> Value {
        let ids = [("u", &self.people), ("g", &self.groups)];
        let named = ids.iter().flat_map(|(letter, ids)| {
            ids.iter().enumerate().map(move |(n, id)| (format!("${{{letter}{n}}}"), id))
        });
        let text = named.fold(body.to_string(), |text, (name, id)| text.replace(&name, id));
        serde_json::from_str(&text).unwrap()
    }

    fn shown(&self, path: &str) -> Shown {
        let request = Request::builder().uri(path).header("authorization", self.bearer());
        let response = self.world.send(request.body(Vec::new()).unwrap());
        assert_eq!(response.status(), 200, "{path}");
        let tag = response.headers()["etag"].to_str().unwrap().to_owned();
        let text = String::from_utf8(response.into_body()).unwrap();
        let resource = serde_json::from_str(&text).unwrap();
        Shown { text, tag, resource }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    fn patch(&self, path: &str, tag: Option<&str>, body: &Value) -> (u16, String) {
        let mut request = Request::builder().method("PATCH").uri(path);
        request = request.header("authorization", self.bearer());
        request = request.header("content-type", "application/scim+json");
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        let response = self.world.send(request.body(body.to_string().into_bytes()).unwrap());
        let status = response.status().as_u16();
        (status, String::from_utf8(response.into_body()).unwrap())
    }

    /// Sends a body and holds everything that must be true afterwards.
    fn step(
        &self,
        shape: &Shape,
        path: &str,
        guard: Guard,
        body: &Value,
    ) -> Result<(), TestCaseError> {
        let before = self.shown(path);
        let tag = match guard {
            Guard::None => None,
            Guard::Any => Some("*"),
            Guard::Current => Some(before.tag.as_str()),
            Guard::Stale => Some("W/\"0\""),
        };
        let body = self.with_ids(body);
        let (status, answer) = self.patch(path, tag, &body);
        let after = self.shown(path);
        let is_stale = matches!(guard, Guard::Stale);
        prop_assert!([200, 204, 400, 409, 412].contains(&status), "{}: {}", status, answer);
        prop_assert_eq!(after.meta("version"), &Value::from(after.tag.as_str()));
        let faults = shape.faults(&after.resource);
        prop_assert!(faults.is_empty(), "{:#?}\nin {}\nafter {}", faults, after.text, body);
        let (old, new) =
            (Value::from(before.resource.clone()), Value::from(after.resource.clone()));
        for pointer in READ_ONLY {
            prop_assert_eq!(old.pointer(pointer), new.pointer(pointer), "{} {}", pointer, &body);
        }
        if status >= 400 {
            prop_assert_eq!(&before, &after, "refused: {}", body);
            prop_assert!(status != 412 || is_stale, "{:?}: {}", guard, answer);
            return Ok(());
        }
        prop_assert!(!is_stale, "accepted under a stale tag: {}", body);
        if status == 200 {
            prop_assert_eq!(&answer, &after.text, "the answer to {}", &body);
        }
        let is_changed = before.content() != after.content();
        let is_counted = before.tag != after.tag;
        let is_dated = before.meta("lastModified") != after.meta("lastModified");
        prop_assert_eq!(is_counted, is_dated, "{} and {}", before.text, after.text);
        // A member who goes and comes again within one request counts as changed.
        let text = body.to_string().to_lowercase();
        let may_return = text.contains("members[") || text.matches("members").count() > 1;
        if is_changed || !may_return {
            prop_assert_eq!(
                is_changed,
                is_counted,
                "{}\nto {}\nby {}",
                before.text,
                after.text,
                body
            );
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn users(steps in vec((0..3usize, guard(), bodies::for_user()), 12)) {
        let directory = Directory::new();
        let shape = Shape::of_users();
        for (n, guard, body) in steps {
            let path = format!("/scim/v2/Users/{}", directory.people[n]);
            directory.step(&shape, &path, guard, &body)?;
        }
    }

    #[test]
    fn groups(steps in vec((0..2usize, guard(), bodies::for_group()), 12)) {
        let directory = Directory::new();
        let shape = Shape::of_groups();
        for (n, guard, body) in steps {
            let path = format!("/scim/v2/Groups/{}", directory.groups[n]);
            directory.step(&shape, &path, guard, &body)?;
        }
    }

    #[test]
    fn the_model_agrees(steps in vec(model::operations(), 12)) {
        let directory = Directory::new();
        directory.world.ok(&directory.key, "POST", "/scim/v2/Users", json!({ "userName": model::TAKEN }));
        let path = format!("/scim/v2/Users/{}", directory.people[2]);
        for operations in steps {
            let before = Value::from(directory.shown(&path).content());
            let Ok((status, expected)) = model::predict(&before, &operations) else { continue };
            let (found, answer) = directory.patch(&path, None, &bodies::patch(operations.as_slice().into()));
            prop_assert_eq!(found, status, "{} to {:?}: {}", before, operations, answer);
            if status == 200 {
                let after = Value::from(directory.shown(&path).content());
                prop_assert_eq!(after, expected, "{} by {:?}", before, operations);
            }
        }
    }
}
