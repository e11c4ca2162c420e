//! What SQLite does with the conditions that filters become: which index leads,
//! and that none of the others is asked. A plan that walks a team where an index
//! would do shows here, not in a bill.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use kafkaman_scim::directory::plan::{self, Reach};
use kafkaman_scim::directory::resource::Kind;
use kafkaman_scim::directory::schemas::Schemas;
use kafkaman_scim::scim::filter;
use world::World;

/// The steps of SQLite's plan for a condition, and what the plan says of itself.
fn explained(world: &World, kind: Kind, text: &str) -> (String, Reach, bool) {
    let schemas = Schemas::built_in();
    let filter = filter::parse(schemas.resource_type(kind), text).unwrap();
    let condition = plan::condition(schemas, kind, &filter).unwrap_or_else(|| panic!("{text}"));
    let statement =
        format!("EXPLAIN QUERY PLAN SELECT seq FROM resource WHERE {}", condition.text(kind));
    let steps = world.in_team("acme", |context| {
        context.sql.all(&statement, &condition.parameters(), |mut row| {
            // Its id, its parent and a number that means nothing come first.
            for _ in 0..3 {
                row.integer()?;
            }
            row.text()
        })
    });
    (steps.unwrap().join("; "), condition.reach, condition.is_exact)
}

#[test]
fn the_index_that_leads_to_the_fewest_rows_leads() {
    let world = World::new();
    world.team("acme");
    let by = |index: &str, columns: &str| {
        format!("SEARCH resource USING COVERING INDEX resource_by_{index} ({columns})")
    };
    let one = "type=? AND key=?";
    let lookup = "SEARCH lookup USING PRIMARY KEY (attribute=? AND key=?)";
    let lookup_range = "SEARCH lookup USING PRIMARY KEY (attribute=? AND key>? AND key<?)";
    let rows = "SEARCH resource USING INTEGER PRIMARY KEY (rowid=?)";
    let user = [
        ("id eq \"x\"", vec![by("id", "type=? AND id=?")], Reach::One, true),
        ("userName eq \"x\"", vec![by("key", one)], Reach::One, true),
        ("userName sw \"x\"", vec![by("key", "type=? AND key>? AND key<?")], Reach::Range, true),
        ("userName gt \"x\"", vec![by("key", "type=? AND key>?")], Reach::Range, true),
        ("emails.value eq \"x\"", vec![rows.into(), lookup.into()], Reach::Few, true),
        ("emails eq \"x\"", vec![rows.into(), lookup.into()], Reach::Few, true),
        ("emails[type eq \"work\" and value eq \"x\"]", vec![lookup.into()], Reach::Few, false),
        ("emails[value eq \"x\"]", vec![lookup.into()], Reach::Few, true),
        ("displayName sw \"x\"", vec![rows.into(), lookup_range.into()], Reach::Range, true),
        ("externalId eq \"x\"", vec![rows.into(), lookup.into()], Reach::Few, true),
        ("active eq false", vec![by("active", "type=? AND active=?")], Reach::Many, true),
        (
            "meta.created ge \"2026-01-01T00:00:00Z\"",
            vec![by("id", "type=? AND id>?")],
            Reach::Range,
            true,
        ),
        (
            "meta.lastModified gt \"2026-01-01T00:00:00Z\"",
            vec![by("modified", "type=? AND modified>?")],
            Reach::Range,
            true,
        ),
        // The most selective of several leads, wherever it stands.
        (
            "active eq true and title co \"y\" and userName eq \"x\"",
            vec!["SEARCH resource USING INDEX resource_by_key (type=? AND key=?)".into()],
            Reach::One,
            false,
        ),
        (
            "meta.lastModified gt \"2026-01-01T00:00:00Z\" and emails.value eq \"x\"",
            vec![rows.into(), lookup.into()],
            Reach::Few,
            true,
        ),
        // Each of several alternatives has its own.
        (
            "userName eq \"x\" or emails.value eq \"y\"",
            vec!["MULTI-INDEX OR".into(), one.into(), lookup.into()],
            Reach::Few,
            true,
        ),
        ("not (userName ne \"x\")", vec![by("key", one)], Reach::One, true),
    ];
    for (text, wanted, reach, is_exact) in user {
        let (steps, found, exact) = explained(&world, Kind::User, text);
        for wanted in wanted {
            assert!(steps.contains(&wanted), "{text}\n{steps}\nlacks {wanted}");
        }
        assert!(!steps.contains("SCAN"), "{text}\n{steps}");
        assert_eq!((found, exact), (reach, is_exact), "{text}");
    }
    let members = "SEARCH membership USING COVERING INDEX membership_by_member (member_seq=?)";
    let (steps, reach, is_exact) = explained(&world, Kind::Group, "members.value eq \"x\"");
    assert!(steps.contains(members) && !steps.contains("SCAN"), "{steps}");
    assert_eq!((reach, is_exact), (Reach::Few, true));
}

#[test]
fn what_no_index_serves_says_so() {
    let world = World::new();
    world.team("acme");
    for (text, is_exact) in [
        ("userName co \"x\"", true),
        ("userName ew \"x\"", true),
        ("userName ne \"x\"", true),
        ("not (active eq true)", true),
        ("not (emails.value eq \"x\")", true),
        ("emails.value co \"x\"", false),
        ("userName co \"x\" and title eq \"y\"", false),
    ] {
        let (_, reach, exact) = explained(&world, Kind::User, text);
        assert_eq!((reach, exact), (Reach::All, is_exact), "{text}");
    }
    let user = Schemas::built_in().resource_type(Kind::User);
    for text in ["title eq \"x\"", "userName eq \"x\" or title eq \"y\"", "not (title eq \"x\")"] {
        let filter = filter::parse(user, text).unwrap();
        assert_eq!(plan::condition(Schemas::built_in(), Kind::User, &filter), None, "{text}");
    }
}

#[test]
fn a_filter_of_as_many_terms_as_are_read_is_one_statement_or_none() {
    let world = World::new();
    let key = world.team("acme").key;
    for (term, count) in [
        ("userName eq \"a#\"", 64),
        ("emails.value eq \"a#\"", 64),
        ("userName sw \"a#\"", 64),
        ("not (emails.value sw \"a#\")", 64),
        ("(active eq true and id ge \"a#\")", 32),
    ] {
        for word in [" or ", " and "] {
            let terms: Vec<String> =
                (0..count).map(|n| term.replace('#', &n.to_string())).collect();
            let text = terms.join(word);
            let text: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            for page in ["", "&sortBy=userName&cursor="] {
                let path = format!("/scim/v2/Users?filter={text}{page}");
                let (status, body) = world.call(&key, "GET", &path, serde_json::Value::Null);
                assert!(status.is_success(), "{term} {word}: {body}");
            }
        }
    }
}
