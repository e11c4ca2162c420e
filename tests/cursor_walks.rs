//! Walks by cursor (RFC 9865) while people and groups come, go and change.
//!
//! Whoever was there all along, with an unchanged order key and an unchanged
//! answer to the filter, is seen exactly once and in order: forwards to the
//! end, from there backwards to the beginning, and forwards again. What else a
//! page holds is not said here: it depends on the moment.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use world::World;

/// How names begin: folded and unfolded, one byte and several, in an order
/// that differs from that of their creation.
const BEGINNINGS: [&str; 7] = ["m", "B", "zoë", "ZOË", "b", "İ", "Ω"];
/// Pages that no walk here comes to.
const PAGES_MAX: usize = 200;
const TITLES: [&str; 3] = ["Lead", "lead", "Guide"];
/// Where lists are: of users, of groups, of both.
const PLACES: [&str; 3] = ["/Users", "/Groups", ""];
const SORTS: [&str; 4] = ["", "userName", "displayName", "meta.created"];
const FILTERS: [&str; 5] = [
    "",
    "displayName pr",
    "externalId eq \"shared\"",
    "not (externalId eq \"shared\")",
    "title eq \"lead\"",
];

/// A list, as a client asks for it.
#[derive(Clone, Debug)]
struct Query {
    place: &'static str,
    sort: &'static str,
    descending: bool,
    filter: &'static str,
    count: usize,
}

/// Which resource, what happens to it, and with which words.
#[derive(Clone, Debug)]
struct Change {
    at: usize,
    what: What,
    beginning: &'static str,
    title: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    AddPerson,
    AddGroup,
    Delete,
    Set(&'static str),
    Clear(&'static str),
}

/// A resource as the test knows it: the values that it orders and filters by.
#[derive(Clone, Debug)]
struct Known {
    endpoint: &'static str,
    values: BTreeMap<&'static str, String>,
    /// Whether it has stayed as and where it was since the walk began.
    stayed: bool,
}

impl Known {
    fn is_listed(&self, query: &Query) -> bool {
        let value = |name: &str| self.values.get(name).map(String::as_str);
        let in_place = query.place.is_empty() || query.place == self.endpoint;
        let matches = match query.filter {
            "" => true,
            "displayName pr" => value("displayName").is_some(),
            "externalId eq \"shared\"" => value("externalId") == Some("shared"),
            "not (externalId eq \"shared\")" => value("externalId") != Some("shared"),
            // Groups have no title.
            _ => value("title").is_some_and(|title| title.to_lowercase() == "lead"),
        };
        in_place && matches
    }

    fn key(&self, query: &Query) -> Option<String> {
        self.values.get(query.sort).map(|value| value.to_lowercase())
    }
}

/// A team, and what the test knows of it.
struct Directory {
    world: World,
    key: String,
    known: BTreeMap<String, Known>,
    made: usize,
}

impl Directory {
    fn new() -> Self {
        let world = World::new();
        let key = world.team("acme").key;
        let admin = world.ok(&key, "GET", "/scim/v2/Users", Value::Null);
        let admin = admin["Resources"][0]["id"].as_str().unwrap().to_owned();
        world.call(&key, "DELETE", &format!("/scim/v2/Users/{admin}"), Value::Null);
        Self { world, key, known: BTreeMap::new(), made: 0 }
    }

    fn add(&mut self, change: &Change) {
        let endpoint = if change.what == What::AddGroup { "/Groups" } else { "/Users" };
        self.made += 1;
        let name = format!("{}{}", change.beginning, self.made);
        let mut values = BTreeMap::new();
        if endpoint == "/Users" {
            values.insert("userName", name);
            if !change.at.is_multiple_of(3) {
                values.insert("displayName", change.beginning.to_owned());
                values.insert("title", change.title.to_owned());
            }
        } else {
            values.insert("displayName", name);
        }
        if !change.at.is_multiple_of(2) {
            values.insert("externalId", "shared".to_owned());
        }
        let made = self.world.ok(&self.key, "POST", &format!("/scim/v2{endpoint}"), json!(values));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        values.insert("meta.created", text(&made["meta"]["created"]));
        self.known.insert(text(&made["id"]), Known { endpoint, values, stayed: false });
    }

    fn change(&mut self, query: &Query, change: &Change) {
        let (attribute, is_set) = match change.what {
            What::AddPerson | What::AddGroup => return self.add(change),
            What::Delete => ("", false),
            What::Set(attribute) => (attribute, true),
            What::Clear(attribute) => (attribute, false),
        };
        if self.known.is_empty() {
            return;
        }
        let id = self.known.keys().nth(change.at % self.known.len()).unwrap().clone();
        let known = self.known.get_mut(&id).unwrap();
        let path = format!("/scim/v2{}/{id}", known.endpoint);
        if attribute.is_empty() {
            self.world.call(&self.key, "DELETE", &path, Value::Null);
            self.known.remove(&id);
            return;
        }
        let is_group = known.endpoint == "/Groups";
        // A group has but two of the attributes, and keeps its name.
        let attribute = match is_group && !(attribute == "displayName" && is_set) {
            true => "externalId",
            false => attribute,
        };
        self.made += 1;
        let value = match attribute {
            "title" => change.title.to_owned(),
            "externalId" => "shared".to_owned(),
            "displayName" if !is_group => change.beginning.to_owned(),
            _ => format!("{}{}", change.beginning, self.made),
        };
        let before = (known.is_listed(query), known.key(query));
        let operation = match is_set {
            true => json!({ "op": "replace", "path": attribute, "value": value }),
            false => json!({ "op": "remove", "path": attribute }),
        };
        let patch = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [operation],
        });
        self.world.ok(&self.key, "PATCH", &path, patch);
        match is_set {
            true => known.values.insert(attribute, value),
            false => known.values.remove(attribute),
        };
        known.stayed &= before == (known.is_listed(query), known.key(query));
    }

    fn page(&self, query: &Query, cursor: &str) -> Page {
        let mut serializer = form_urlencoded::Serializer::new(String::new());
        serializer.append_pair("cursor", cursor).append_pair("count", &query.count.to_string());
        if !query.filter.is_empty() {
            serializer.append_pair("filter", query.filter);
        }
        if !query.sort.is_empty() {
            let order = if query.descending { "descending" } else { "ascending" };
            serializer.append_pair("sortBy", query.sort).append_pair("sortOrder", order);
        }
        let path = format!("/scim/v2{}?{}", query.place, serializer.finish());
        let page = self.world.ok(&self.key, "GET", &path, Value::Null);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let resources = page["Resources"].as_array().unwrap();
        let ids: Vec<String> = resources.iter().map(|one| text(&one["id"]).unwrap()).collect();
        assert_eq!(page["itemsPerPage"], ids.len());
        assert!(ids.len() <= query.count, "{} on a page of {}", ids.len(), query.count);
        Page { ids, next: text(&page["nextCursor"]), previous: text(&page["previousCursor"]) }
    }

    /// Those that a walk must show, in their order.
    fn expected(&self, query: &Query) -> Vec<String> {
        let stayed = |(_, own): &(&String, &Known)| own.stayed && own.is_listed(query);
        let mut expected: Vec<_> = self.known.iter().filter(stayed).collect();
        expected.sort_by(|(id, one), (other_id, other)| {
            let keys = (one.key(query), other.key(query));
            let order = match &keys {
                // Without a value: last, and first in descending order.
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(_), None) => std::cmp::Ordering::Less,
                (one, other) => one.cmp(other),
            };
            let order = if query.descending { order.reverse() } else { order };
            order.then_with(|| id.cmp(other_id))
        });
        expected.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// Walks one way from a page, with changes before each next one. Returns
    /// all that was seen, and the last page that showed anything.
    fn walk(
        &mut self,
        query: &Query,
        from: Page,
        backward: bool,
        changes: &mut dyn Iterator<Item = Vec<Change>>,
    ) -> (Vec<String>, Page) {
        let (mut seen, mut last, mut page) = (from.ids.clone(), from.clone(), from);
        let mut pages = 0;
        while let Some(cursor) = if backward { &page.previous } else { &page.next } {
            pages += 1;
            assert!(pages < PAGES_MAX, "the walk has no end: {query:?}");
            for change in changes.next().unwrap_or_default() {
                self.change(query, &change);
            }
            page = self.page(query, cursor);
            let at = if backward { 0 } else { seen.len() };
            seen.splice(at..at, page.ids.iter().cloned());
            if !page.ids.is_empty() {
                last = page.clone();
            }
        }
        (seen, last)
    }
}

#[derive(Clone, Debug)]
struct Page {
    ids: Vec<String>,
    next: Option<String>,
    previous: Option<String>,
}

fn query() -> impl Strategy<Value = Query> {
    let of = |all: &'static [&'static str]| select(all);
    (of(&PLACES), of(&SORTS), any::<bool>(), of(&FILTERS), 1..6usize).prop_map(
        |(place, sort, descending, filter, count)| {
            // A list of groups alone knows no attribute of people.
            let sort = if (place, sort) == ("/Groups", "userName") { "displayName" } else { sort };
            let filter =
                if place == "/Groups" && filter.starts_with("title") { "" } else { filter };
            // Without an attribute there is no order to turn round.
            Query { place, sort, descending: descending && !sort.is_empty(), filter, count }
        },
    )
}

fn change(whats: &'static [What]) -> impl Strategy<Value = Change> {
    (any::<usize>(), select(whats), select(&BEGINNINGS[..]), select(&TITLES[..]))
        .prop_map(|(at, what, beginning, title)| Change { at, what, beginning, title })
}

const ADDITIONS: [What; 3] = [What::AddPerson, What::AddPerson, What::AddGroup];
const CHANGES: [What; 10] = [
    What::AddPerson,
    What::AddGroup,
    What::Delete,
    What::Delete,
    What::Set("userName"),
    What::Set("displayName"),
    What::Set("title"),
    What::Set("externalId"),
    What::Clear("displayName"),
    What::Clear("externalId"),
];

/// A query, and what happens before each page but the first.
fn walk() -> impl Strategy<Value = (Query, Vec<Vec<Change>>)> {
    let between = proptest::collection::vec(change(&CHANGES), 0..3);
    (query(), proptest::collection::vec(between, 0..12))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_stays_is_seen_once(
        additions in proptest::collection::vec(change(&ADDITIONS), 4..14),
        walks in proptest::collection::vec(walk(), 6),
    ) {
        let mut directory = Directory::new();
        for addition in &additions {
            directory.add(addition);
        }
        for (query, changes) in walks {
            for known in directory.known.values_mut() {
                known.stayed = true;
            }
            let mut changes = changes.into_iter();
            let first = directory.page(&query, "");
            prop_assert_eq!(&first.previous, &None, "the first page of {:?}", query);
            let mut page = first;
            for (way, backward) in [("forwards", false), ("back", true), ("again", false)] {
                let (seen, last) = directory.walk(&query, page, backward, &mut changes);
                let expected = directory.expected(&query);
                let seen: Vec<_> = seen.into_iter().filter(|id| expected.contains(id)).collect();
                prop_assert_eq!(seen, expected, "{} {:?}", way, query);
                page = last;
            }
        }
    }
}
