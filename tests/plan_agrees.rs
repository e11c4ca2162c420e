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
use kafkaman_scim::scim::schema::{self, ResourceType};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use world::World;

const NAMES: [&str; 6] = ["ada", "Ada", "zoë", "ZOË", "straße", "İpek"];
const TITLES: [&str; 4] = ["Lead", "lead", "Engineer \"II\"", "%_\\"];
const TYPES: [&str; 3] = ["work", "home", "other"];

fn person() -> impl Strategy<Value = Value> {
    let email = (select(&NAMES[..]), select(&TYPES[..]));
    (
        proptest::option::of(select(&TITLES[..])),
        proptest::option::of(select(&NAMES[..])),
        proptest::option::of(select(&NAMES[..])),
        proptest::collection::vec(email, 0..3),
        any::<bool>(),
    )
        .prop_map(|(title, display, external, emails, active)| {
            let emails: Vec<Value> = emails
                .iter()
                .map(|(name, kind)| json!({ "value": format!("{name}@example.com"), "type": kind }))
                .collect();
            json!({ "title": title, "displayName": display, "externalId": external,
                    "emails": emails, "active": active })
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
        (0..5usize).prop_map(|n| format!("id eq \"${{{n}}}\"")),
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
fn agrees(world: &World, key: &str, path: &str, kind: &ResourceType, ids: &[String], text: &str) {
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
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn users(people in proptest::collection::vec(person(), 5), filters in proptest::collection::vec(expression(), 12)) {
        let world = World::new();
        let team = world.team("acme");
        let admin = listed(&world, &team.key, "/scim/v2/Users", "id pr", "").0;
        world.call(&team.key, "DELETE", &format!("/scim/v2/Users/{}", admin[0]), Value::Null);
        let ids: Vec<String> = people.into_iter().enumerate().map(|(n, mut person)| {
            person["userName"] = format!("aDa{n}").into();
            let made = world.ok(&team.key, "POST", "/scim/v2/Users", person);
            made["id"].as_str().unwrap().to_owned()
        }).collect();
        let members = json!([{ "value": ids[0] }, { "value": ids[3] }]);
        world.ok(&team.key, "POST", "/scim/v2/Groups", json!({ "displayName": "Friends", "members": members }));
        for filter in filters {
            let named = |text: String, n: usize| text.replace(&format!("${{{n}}}"), &ids[n]);
            let filter = (0..ids.len()).fold(filter, named);
            agrees(&world, &team.key, "/scim/v2/Users", schema::user(), &ids, &filter);
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
