//! Lists agree with the filter's own evaluator, whatever plan serves them.
//!
//! Random directories, random filters: what a list returns is what
//! `Filter::matches` says of every resource as a GET shows it, in the order of
//! creation. And a walk by cursor sees the same, page by page. Out of scope:
//! what an operator means, which `tests/filter.rs` pins.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use kafkaman_scim::scim::filter;
use kafkaman_scim::scim::schema::{self, ResourceType, Schema};
use kafkaman_scim::scim::sort::Sort;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use world::World;

const NAMES: [&str; 6] = ["ada", "Ada", "zoë", "ZOË", "straße", "İpek"];
const TITLES: [&str; 4] = ["Lead", "lead", "Engineer \"II\"", "%_\\"];
const TYPES: [&str; 3] = ["work", "home", "other"];
/// A schema of the team's own, one attribute of each kind indexed.
const OWN: &str = "urn:example:acme:1.0:User";
/// How lists are sorted, by columns and by documents.
const SORTS: [&str; 8] = [
    "userName",
    "id",
    "meta.created",
    "meta.lastModified",
    "displayName",
    "emails",
    "active",
    "urn:example:acme:1.0:User:level",
];

fn person() -> impl Strategy<Value = Value> {
    let email = (select(&NAMES[..]), select(&TYPES[..]));
    (
        proptest::option::of(select(&TITLES[..])),
        proptest::option::of(select(&NAMES[..])),
        proptest::option::of(select(&NAMES[..])),
        proptest::collection::vec(email, 0..3),
        any::<bool>(),
        (proptest::option::of(0..3), proptest::option::of(any::<bool>())),
    )
        .prop_map(|(title, display, external, emails, active, (level, remote))| {
            let emails: Vec<Value> = emails
                .iter()
                .map(|(name, kind)| json!({ "value": format!("{name}@example.com"), "type": kind }))
                .collect();
            // Longer than an index's key, some different only beyond it.
            let display = display.map(|name| match level {
                Some(2) => format!("{}{name}", "y".repeat(255)),
                _ => name.to_owned(),
            });
            json!({ "title": title, "displayName": display, "externalId": external,
                    "emails": emails, "active": active,
                    OWN: { "level": level, "remote": remote, "code": external } })
        })
}

/// A comparison that some index might serve, or none.
fn term() -> impl Strategy<Value = String> {
    let name = || select(&NAMES[..]);
    let operator = || select(&["eq", "ne", "co", "sw", "ew", "gt", "le"][..]);
    prop_oneof![
        (0..5usize, operator()).prop_map(|(n, op)| format!("userName {op} \"Ada{n}\"")),
        (name(), operator()).prop_map(|(n, op)| format!("displayName {op} \"{n}\"")),
        (name(), operator()).prop_map(|(n, op)| format!("externalId {op} \"{n}\"")),
        (name(), operator()).prop_map(|(n, op)| format!("emails.value {op} \"{n}@example.com\"")),
        (name(), select(&TYPES[..]))
            .prop_map(|(n, t)| format!("emails[type eq \"{t}\" and value eq \"{n}@example.com\"]")),
        select(&TYPES[..]).prop_map(|t| format!("emails[not (type eq \"{t}\")]")),
        select(&TITLES[..]).prop_map(|t| format!("title eq {}", Value::from(t))),
        Just("title pr".to_owned()),
        Just("emails pr".to_owned()),
        any::<bool>().prop_map(|active| format!("active eq {active}")),
        Just("groups.display eq \"Friends\"".to_owned()),
        Just("meta.created gt \"2026-01-01T00:00:00Z\"".to_owned()),
        (0..5usize, operator()).prop_map(|(n, op)| format!("id {op} \"${{{n}}}\"")),
        (0..5usize, select(&["eq", "gt", "ge", "lt", "le", "ne"][..]))
            .prop_map(|(n, op)| format!("meta.created {op} \"@{n}created\"")),
        (0..5usize, select(&["eq", "gt", "ge", "lt", "le", "ne"][..]))
            .prop_map(|(n, op)| format!("meta.lastModified {op} \"@{n}lastModified\"")),
        (name(), operator(), 254..258usize).prop_map(|(n, op, length)| {
            format!("displayName {op} \"{}{n}\"", "Y".repeat(length))
        }),
        (254..258usize, operator())
            .prop_map(|(length, op)| format!("displayName {op} \"{}\"", "y".repeat(length))),
        (0..3, select(&["eq", "ne", "gt", "le"][..]))
            .prop_map(|(n, op)| format!("{OWN}:level {op} {n}")),
        any::<bool>().prop_map(|remote| format!("{OWN}:remote eq {remote}")),
        (name(), operator()).prop_map(|(n, op)| format!("{OWN}:code {op} \"{n}\"")),
        select(&["emails.value pr", "userName pr", "active ne true"][..]).prop_map(str::to_owned),
        (name(), operator()).prop_map(|(n, op)| format!("emails[value {op} \"{n}@example.com\"]")),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    term().prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or ({b})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

/// Ids of what a list returns, and its total.
fn listed(world: &World, key: &str, path: &str, filter: &str, more: &str) -> (Vec<String>, Value) {
    let filter: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let page = world.ok(key, "GET", &format!("{path}?filter={filter}{more}"), Value::Null);
    let ids = page["Resources"].as_array().unwrap().iter();
    (ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect(), page)
}

#[track_caller]
fn agrees(
    world: &World,
    key: &str,
    path: &str,
    kind: &ResourceType,
    ids: &[String],
    text: &str,
) -> Vec<String> {
    let parsed = filter::parse(kind, text).unwrap();
    let matches = |id: &&String| {
        let shown = world.ok(key, "GET", &format!("{path}/{id}"), Value::Null);
        parsed.matches(shown.as_object().unwrap())
    };
    let expected: Vec<String> = ids.iter().filter(matches).cloned().collect();
    let (found, page) = listed(world, key, path, text, "");
    assert_eq!(found, expected, "{text}");
    assert_eq!(page["totalResults"], expected.len(), "{text}");

    let mut walked = Vec::new();
    let mut cursor = String::new();
    loop {
        let (found, page) = listed(world, key, path, text, &format!("&count=2&cursor={cursor}"));
        walked.extend(found);
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(walked, expected, "by cursor: {text}");
    expected
}

/// The same matches in another order, by index and by cursor alike, each page
/// where the last one ended.
#[track_caller]
fn sorts(world: &World, key: &str, kind: &ResourceType, ids: &[String], text: &str, by: &str) {
    for order in ["ascending", "descending"] {
        let more = format!("&sortBy={by}&sortOrder={order}");
        let (all, page) = listed(world, key, "/scim/v2/Users", text, &more);
        let mut sorted = all.clone();
        sorted.sort();
        let mut expected = ids.to_vec();
        expected.sort();
        assert_eq!(sorted, expected, "{text} by {by}");
        let sort = Sort::parse(kind, Some(by), Some(order)).unwrap().unwrap();
        let keys: Vec<_> = page["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|shown| sort.key(shown.as_object().unwrap()))
            .collect();
        assert!(
            keys.is_sorted_by(|one, other| sort.compare(one, other).is_le()),
            "{text} by {by} {order}"
        );
        let (mut by_index, mut by_cursor, mut cursor) = (Vec::new(), Vec::new(), String::new());
        for start in (1..=all.len()).step_by(2) {
            by_index.extend(
                listed(
                    world,
                    key,
                    "/scim/v2/Users",
                    text,
                    &format!("{more}&count=2&startIndex={start}"),
                )
                .0,
            );
        }
        loop {
            let (found, page) = listed(
                world,
                key,
                "/scim/v2/Users",
                text,
                &format!("{more}&count=2&cursor={cursor}"),
            );
            by_cursor.extend(found);
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!((&by_index, &by_cursor), (&all, &all), "{text} by {by} {order}");
    }
}

/// Where a plan could be off by one: instants, and values about as long as an
/// index's key.
#[test]
fn borders() {
    let world = World::new();
    let team = world.team("acme");
    let lengths = [254, 255, 256, 257];
    for length in lengths {
        for end in ["a", "b"] {
            let display = format!("{}{end}", "y".repeat(length));
            let body = json!({ "userName": format!("u{length}{end}"), "displayName": display });
            world.ok(&team.key, "POST", "/scim/v2/Users", body);
        }
    }
    let page = world.ok(&team.key, "GET", "/scim/v2/Users", Value::Null);
    let people = page["Resources"].as_array().unwrap();
    let mut filters = Vec::new();
    for operator in ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
        for length in lengths {
            for end in ["", "a", "b", "c"] {
                let display = format!("{}{end}", "Y".repeat(length));
                filters.push(format!("displayName {operator} \"{display}\""));
                filters.push(format!("not (displayName {operator} \"{display}\")"));
            }
        }
        for person in people.iter().take(3).filter(|_| !["co", "sw", "ew"].contains(&operator)) {
            for name in ["created", "lastModified"] {
                let instant = &person["meta"][name];
                filters.push(format!("meta.{name} {operator} {instant}"));
            }
        }
        filters.push(format!("userName {operator} \"U255\""));
        filters.push(format!("id {operator} {}", people[2]["id"]));
    }
    for text in filters {
        let parsed = filter::parse(schema::user(), &text).unwrap();
        let matching = people.iter().filter(|shown| parsed.matches(shown.as_object().unwrap()));
        let expected: Vec<&str> = matching.map(|shown| shown["id"].as_str().unwrap()).collect();
        let (found, page) = listed(&world, &team.key, "/scim/v2/Users", &text, "");
        assert_eq!(found, expected, "{text}");
        assert_eq!(page["totalResults"], expected.len(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn users(
        people in proptest::collection::vec(person(), 5),
        filters in proptest::collection::vec(
            (prop_oneof![term(), expression()], select(&SORTS[..])), 12),
        changed in 0..5usize,
    ) {
        let world = World::new();
        let team = world.team("acme");
        let own = json!({ "resourceTypes": ["User"], "indexed": ["level", "remote", "code"],
            "schema": { "attributes": [{ "name": "level", "type": "integer" },
                { "name": "remote", "type": "boolean" }, { "name": "code", "caseExact": true }] } });
        world.ok(&team.admin, "PUT", &format!("/teams/acme/v1/scim/schemas/{OWN}"), own.clone());
        let admin = listed(&world, &team.key, "/scim/v2/Users", "id pr", "").0;
        world.call(&team.key, "DELETE", &format!("/scim/v2/Users/{}", admin[0]), Value::Null);
        let ids: Vec<String> = people.into_iter().enumerate().map(|(n, mut person)| {
            person["userName"] = format!("aDa{n}").into();
            let made = world.ok(&team.key, "POST", "/scim/v2/Users", person);
            made["id"].as_str().unwrap().to_owned()
        }).collect();
        let members = json!([{ "value": ids[0] }, { "value": ids[3] }]);
        world.ok(&team.key, "POST", "/scim/v2/Groups", json!({ "displayName": "Friends", "members": members }));
        let patch = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "nickName", "value": "changed" }] });
        world.ok(&team.key, "PATCH", &format!("/scim/v2/Users/{}", ids[changed]), patch);
        let metas: Vec<Value> = ids.iter()
            .map(|id| world.ok(&team.key, "GET", &format!("/scim/v2/Users/{id}"), Value::Null)["meta"].take())
            .collect();
        let mut kind = schema::user().clone();
        let definition = world.ok(&team.key, "GET", &format!("/scim/v2/Schemas/{OWN}"), Value::Null);
        kind.extensions.push(std::sync::Arc::new(Schema::read(&definition.to_string())));
        for (filter, by) in filters {
            let named = |text: String, n: usize| {
                let text = text.replace(&format!("${{{n}}}"), &ids[n]);
                ["created", "lastModified"].into_iter().fold(text, |text, name| {
                    text.replace(&format!("@{n}{name}"), metas[n][name].as_str().unwrap())
                })
            };
            let filter = (0..ids.len()).fold(filter, named);
            let matching = agrees(&world, &team.key, "/scim/v2/Users", &kind, &ids, &filter);
            sorts(&world, &team.key, &kind, &matching, &filter, by);
        }
    }

    #[test]
    fn groups(wanted in proptest::collection::vec((0..4usize, 0..4usize, any::<bool>()), 8)) {
        let world = World::new();
        let team = world.team("acme");
        let people: Vec<String> = (0..4).map(|n| {
            let made = world.ok(&team.key, "POST", "/scim/v2/Users", json!({ "userName": format!("u{n}") }));
            made["id"].as_str().unwrap().to_owned()
        }).collect();
        let ids: Vec<String> = (0..4).map(|n| {
            let members: Vec<Value> = people[..n].iter().map(|id| json!({ "value": id })).collect();
            let group = json!({ "displayName": format!("Gruppe {n}"), "members": members });
            world.ok(&team.key, "POST", "/scim/v2/Groups", group)["id"].as_str().unwrap().to_owned()
        }).collect();
        for (a, b, negated) in wanted {
            let (a, b) = (&people[a], &people[b]);
            let not = if negated { "not " } else { "" };
            for filter in [
                format!("members.value eq \"{a}\" and {not}(members[value eq \"{b}\"])"),
                format!("members eq \"{a}\" or {not}(displayName co \"PPE 1\")"),
                format!("{not}(members.value ne \"{a}\") and members.type eq \"User\""),
                format!("{not}(members pr) or displayName eq \"gruppe 2\""),
            ] {
                agrees(&world, &team.key, "/scim/v2/Groups", schema::group(), &ids, &filter);
            }
        }
    }
}
