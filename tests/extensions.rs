//! Extension schemas of a team's own: registered, used everywhere, removed.
//!
//! The wire is shown by `tests/exchanges/extensions` too; here are the flows
//! that need the alarm, many rows, or a look into storage.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use http::StatusCode;
use kafkaman_scim::directory::Context;
use kafkaman_scim::entry::object::{self, Memory};
use serde_json::{Value, json};
use world::{Team, World};

const URN: &str = "urn:example:acme:1.0:User";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn world() -> (World, Team) {
    let world = World::new();
    let team = world.team("acme");
    (world, team)
}

fn path(urn: &str) -> String {
    format!("/teams/acme/v1/scim/schemas/{urn}")
}

fn definition() -> Value {
    json!({
        "name": "Acme",
        "attributes": [
            { "name": "badge" },
            { "name": "level", "type": "integer" },
            { "name": "remote", "type": "boolean" },
            { "name": "since", "type": "dateTime" },
            { "name": "tags", "multiValued": true, "caseExact": true },
            { "name": "desk", "type": "complex", "subAttributes": [
                { "name": "floor", "type": "integer" }, { "name": "room" } ] },
            { "name": "origin", "mutability": "immutable", "returned": "always" },
            { "name": "notes", "returned": "request" }
        ]
    })
}

fn register(world: &World, team: &Team, indexed: &[&str]) -> Value {
    let body = json!({ "resourceTypes": ["User"], "schema": definition(), "indexed": indexed });
    world.ok(&team.admin, "PUT", &path(URN), body)
}

fn person(world: &World, team: &Team, name: &str, own: Value) -> String {
    let body = json!({ "schemas": [CORE, URN], "userName": name, URN: own });
    let made = world.ok(&team.key, "POST", "/scim/v2/Users", body);
    format!("/scim/v2/Users/{}", made["id"].as_str().unwrap())
}

fn get(world: &World, team: &Team, path: &str) -> Value {
    world.ok(&team.key, "GET", path, Value::Null)
}

fn patch(world: &World, team: &Team, path: &str, operation: Value) -> (StatusCode, Value) {
    let body = json!({ "schemas": [PATCH], "Operations": [operation] });
    world.call(&team.key, "PATCH", path, body)
}

fn found(world: &World, team: &Team, filter: &str) -> Vec<String> {
    let filter: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let page = get(world, team, &format!("/scim/v2/Users?filter={filter}"));
    let people = page["Resources"].as_array().unwrap().iter();
    people.map(|one| one["userName"].as_str().unwrap().to_owned()).collect()
}

fn rows(world: &World, statement: &str) -> i64 {
    let statement = format!("SELECT count(*) FROM {statement}");
    world
        .in_team("acme", |context| context.sql.first(&statement, &[], |mut row| row.integer()))
        .unwrap()
        .unwrap()
}

#[test]
fn it_works_everywhere_that_the_built_in_ones_do() {
    let (world, team) = world();
    let shown = register(&world, &team, &["badge", "desk.room"]);
    assert_eq!(shown["state"], "live");
    assert_eq!(shown["indexed"], json!({ "badge": "ready", "desk.room": "ready" }));
    let own = json!({ "badge": "B-7", "level": 3, "remote": "True", "tags": ["a", "a", "b"],
                      "desk": { "floor": 2, "room": "X" }, "notes": "secret", "origin": "lab" });
    let ada = person(&world, &team, "ada", own);
    person(&world, &team, "bob", json!({ "level": 5 }));

    let seen = get(&world, &team, &ada);
    assert_eq!(seen["schemas"], json!([CORE, URN]));
    let expected = json!({ "badge": "B-7", "level": 3, "remote": true, "tags": ["a", "b"],
                           "desk": { "floor": 2, "room": "X" }, "origin": "lab" });
    assert_eq!(seen[URN], expected);
    let named = get(&world, &team, &format!("{ada}?attributes={URN}:notes,{URN}:desk.room"));
    assert_eq!(named[URN], json!({ "desk": { "room": "X" }, "origin": "lab", "notes": "secret" }));
    assert_eq!(named["userName"], Value::Null);
    let without = get(&world, &team, &format!("{ada}?excludedAttributes={URN}"));
    assert_eq!(without[URN], json!({ "origin": "lab" }));

    for (filter, names) in [
        (format!("{URN}:badge eq \"b-7\""), vec!["ada"]),
        (format!("{URN}:desk.room eq \"x\""), vec!["ada"]),
        (format!("{URN}:level gt 3"), vec!["bob"]),
        (format!("{URN}:tags eq \"b\""), vec!["ada"]),
        (format!("{URN}:tags eq \"B\""), vec![]),
        (format!("not ({URN}:badge pr) and userName ne \"admin@kafkaman.example\""), vec!["bob"]),
        (format!("{URN}:desk[floor eq 2 and room eq \"X\"]"), vec!["ada"]),
        (format!("{URN}:badge sw \"B\" and {URN}:level lt 9"), vec!["ada"]),
    ] {
        assert_eq!(found(&world, &team, &filter), names, "{filter}");
    }
    let sorted = get(
        &world,
        &team,
        &format!("/scim/v2/Users?sortBy={URN}:level&sortOrder=descending&count=2&startIndex=2"),
    );
    assert_eq!(sorted["Resources"][0]["userName"], "bob");

    let path = format!("{URN}:level");
    let (_, seen) =
        patch(&world, &team, &ada, json!({ "op": "replace", "path": path, "value": 4 }));
    assert_eq!(seen[URN]["level"], 4);
    assert_eq!(found(&world, &team, &format!("{URN}:level eq 4")), ["ada"]);
    let op = json!({ "op": "add", "value": { URN: { "badge": "C-1" } } });
    assert_eq!(patch(&world, &team, &ada, op).1[URN]["badge"], "C-1");
    assert!(found(&world, &team, &format!("{URN}:badge eq \"B-7\"")).is_empty());
    assert_eq!(found(&world, &team, &format!("{URN}:badge eq \"C-1\"")), ["ada"]);
    let (status, error) =
        patch(&world, &team, &ada, json!({ "op": "replace", "path": path, "value": "four" }));
    assert_eq!((status, &error["scimType"]), (StatusCode::BAD_REQUEST, &json!("invalidValue")));
    let (_, seen) =
        patch(&world, &team, &ada, json!({ "op": "remove", "path": format!("{URN}:desk") }));
    assert_eq!(seen[URN]["desk"], Value::Null);
}

#[test]
fn what_is_immutable_stays() {
    let (world, team) = world();
    register(&world, &team, &[]);
    let ada = person(&world, &team, "ada", json!({ "badge": "1", "origin": "lab" }));
    let origin = format!("{URN}:origin");
    for operation in [
        json!({ "op": "replace", "path": origin, "value": "field" }),
        json!({ "op": "remove", "path": origin }),
    ] {
        let (status, error) = patch(&world, &team, &ada, operation);
        assert_eq!((status, &error["scimType"]), (StatusCode::BAD_REQUEST, &json!("mutability")));
    }
    let put = |own: Value| {
        let body = json!({ "schemas": [CORE, URN], "userName": "ada", URN: own });
        world.call(&team.key, "PUT", &ada, body)
    };
    assert_eq!(put(json!({ "origin": "field" })).1["scimType"], "mutability");
    let (status, kept) = put(json!({ "badge": "2" }));
    assert_eq!(status, StatusCode::OK);
    assert_eq!(kept[URN], json!({ "badge": "2", "origin": "lab" }));
    let (_, kept) =
        patch(&world, &team, &ada, json!({ "op": "add", "path": origin, "value": "lab" }));
    assert_eq!(kept[URN]["origin"], "lab");
}

#[test]
fn groups_have_theirs_and_other_teams_have_none() {
    let (world, team) = world();
    let other = world.team("other");
    let urn = "urn:example:acme:1.0:Crew";
    let body = json!({ "resourceTypes": ["Group", "User"],
                       "schema": { "attributes": [{ "name": "cost" }] }, "indexed": ["cost"] });
    world.ok(&team.admin, "PUT", &path(urn), body);
    let crew = json!({ "displayName": "Crew", urn: { "cost": "77" } });
    let made = world.ok(&team.key, "POST", "/scim/v2/Groups", crew.clone());
    assert_eq!(made[urn], json!({ "cost": "77" }));
    let filter = format!("/scim/v2/Groups?filter={urn}:cost%20eq%20%2277%22");
    assert_eq!(get(&world, &team, &filter)["totalResults"], 1);
    let types = get(&world, &team, "/scim/v2/ResourceTypes");
    let has = |n: usize| types["Resources"][n]["schemaExtensions"].to_string().contains(urn);
    assert!(has(0) && has(1));
    assert_eq!(get(&world, &team, &format!("/scim/v2/Schemas/{urn}"))["name"], "Crew");

    let foreign = world.ok(&other.key, "POST", "/scim/v2/Groups", crew);
    assert_eq!(foreign[urn], Value::Null);
    assert_eq!(world.call(&other.key, "GET", &filter, Value::Null).0, StatusCode::BAD_REQUEST);
    for token in ["", &other.key] {
        let schema = format!("/scim/v2/Schemas/{urn}");
        assert_eq!(world.call(token, "GET", &schema, Value::Null).0, StatusCode::NOT_FOUND);
    }
}

#[test]
fn removed_with_its_data_kept_it_comes_back_with_the_schema() {
    let (world, team) = world();
    register(&world, &team, &["badge"]);
    let ada = person(&world, &team, "ada", json!({ "badge": "1" }));
    let before = get(&world, &team, &ada);
    world.ok(&team.admin, "DELETE", &format!("{}?data=keep", path(URN)), Value::Null);
    world.upkeep("acme");
    assert_eq!(rows(&world, "lookup WHERE attribute LIKE 'x%'"), 0);

    let hidden = get(&world, &team, &ada);
    assert_eq!((&hidden[URN], &hidden["schemas"]), (&Value::Null, &json!([CORE])));
    assert_ne!(hidden["meta"]["version"], before["meta"]["version"], "no cache may hold it");
    // A change meanwhile does not touch what is kept, and does not bring it back.
    world.ok(&team.key, "PUT", &ada, json!({ "userName": "ada", URN: { "badge": "2" } }));
    assert_eq!(get(&world, &team, &ada)[URN], Value::Null);
    let gone = person(&world, &team, "bob", json!({}));
    world.call(&team.key, "DELETE", &gone, Value::Null);

    let shown = register(&world, &team, &["badge"]);
    assert_eq!(shown["indexed"]["badge"], "filling");
    assert_eq!(found(&world, &team, &format!("{URN}:badge eq \"1\"")), ["ada"]);
    world.upkeep("acme");
    assert_eq!(found(&world, &team, &format!("{URN}:badge eq \"1\"")), ["ada"]);
    assert_eq!(rows(&world, "lookup WHERE attribute LIKE 'x%'"), 1);
    assert_eq!(get(&world, &team, &ada)[URN], json!({ "badge": "1" }));
}

#[test]
fn removed_with_its_data_it_leaves_nothing() {
    let (world, team) = world();
    register(&world, &team, &["badge"]);
    let ada = person(&world, &team, "ada", json!({ "badge": "1" }));
    world.ok(&team.admin, "DELETE", &format!("{}?data=purge", path(URN)), Value::Null);
    assert_eq!(get(&world, &team, &ada)[URN], Value::Null);
    let again = json!({ "resourceTypes": ["User"], "schema": definition() });
    let (status, error) = world.call(&team.admin, "PUT", &path(URN), again);
    assert_eq!((status, &error["error"]["code"]), (StatusCode::CONFLICT, &json!("schema_busy")));
    world.upkeep("acme");
    for table in
        ["extension", "extension_index", "extension_value", "lookup WHERE attribute LIKE 'x%'"]
    {
        assert_eq!(rows(&world, table), 0, "{table}");
    }
    register(&world, &team, &["badge"]);
    assert_eq!(get(&world, &team, &ada)[URN], Value::Null);
}

#[test]
fn a_person_who_goes_takes_theirs_along() {
    let (world, team) = world();
    register(&world, &team, &["badge"]);
    let ada = person(&world, &team, "ada", json!({ "badge": "1" }));
    world.call(&team.key, "DELETE", &ada, Value::Null);
    assert_eq!(rows(&world, "extension_value"), 0);
    assert_eq!(rows(&world, "lookup WHERE attribute LIKE 'x%'"), 0);
}

#[test]
fn an_index_is_filled_in_steps() {
    let (world, team) = world();
    register(&world, &team, &[]);
    for n in 0..2_300 {
        person(&world, &team, &format!("u{n}"), json!({ "badge": format!("B{}", n % 1_150) }));
    }
    let both = ["u5", "u1155"];
    assert_eq!(found(&world, &team, &format!("{URN}:badge eq \"b5\"")), both);
    register(&world, &team, &["badge"]);
    // Whoever changes while it fills is not lost, nor there twice.
    let one = |context: &Context<'_>| {
        object::upkeep(context, &Memory::default()).unwrap() == Some(context.now)
    };
    assert!(world.in_team("acme", one), "there is more to do at once");
    person(&world, &team, "late", json!({ "badge": "B5" }));
    assert_eq!(world.upkeep("acme"), 4, "two more steps, one to see the end, one to see nothing");
    let listed = world.ok(&team.admin, "GET", "/teams/acme/v1/scim/schemas", Value::Null);
    assert_eq!(listed["schemas"][0]["indexed"]["badge"], "ready");
    assert_eq!(found(&world, &team, &format!("{URN}:badge eq \"b5\"")), ["u5", "u1155", "late"]);
    assert_eq!(rows(&world, "lookup WHERE attribute LIKE 'x%'"), 2_301);
    world.ok(&team.admin, "DELETE", &format!("{}?data=purge", path(URN)), Value::Null);
    assert!(world.upkeep("acme") >= 6);
    assert_eq!(rows(&world, "lookup WHERE attribute LIKE 'x%'"), 0);
}

#[test]
fn a_definition_may_grow_and_nothing_else() {
    let (world, team) = world();
    register(&world, &team, &[]);
    let put = |schema: Value, types: Value| {
        let body = json!({ "resourceTypes": types, "schema": schema });
        let (status, answer) = world.call(&team.admin, "PUT", &path(URN), body);
        (status.as_u16(), answer["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let mut grown = definition();
    grown["attributes"].as_array_mut().unwrap().push(json!({ "name": "extra" }));
    assert_eq!(put(grown.clone(), json!(["User", "Group"])), (200, String::new()));
    let differs = (409, "schema_differs".to_owned());
    assert_eq!(put(definition(), json!(["User", "Group"])), differs);
    assert_eq!(put(grown.clone(), json!(["User"])), differs);
    grown["attributes"][0]["type"] = "integer".into();
    assert_eq!(put(grown, json!(["User", "Group"])), differs);
}

#[test]
fn what_a_team_may_not_register() {
    let (world, team) = world();
    let attribute = |attribute: Value| json!({ "resourceTypes": ["User"], "schema": { "attributes": [attribute] } });
    let ok = attribute(json!({ "name": "fine" }));
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let many: Vec<Value> = (0..101).map(|n| json!({ "name": format!("a{n}") })).collect();
    let mut table = vec![
        (core.to_owned(), ok.clone(), "is taken"),
        ("urn:scim:schemas:core:1.0".into(), ok.clone(), "is taken"),
        ("urn:a".into(), ok.clone(), "is no URN"),
        ("https:a:b".into(), ok.clone(), "is no URN"),
        ("urn:a:b%20c".into(), ok.clone(), "letters, digits"),
        (format!("urn:a:{}", "b".repeat(200)), ok.clone(), "200 at most"),
        (URN.into(), json!({ "resourceTypes": [], "schema": ok["schema"] }), "must name User"),
        (
            URN.into(),
            json!({ "resourceTypes": ["Role"], "schema": ok["schema"] }),
            "unknown variant",
        ),
        (
            URN.into(),
            json!({ "resourceTypes": ["User"], "schema": { "attributes": [] } }),
            "1 to 100",
        ),
        (
            URN.into(),
            json!({ "resourceTypes": ["User"], "schema": { "attributes": many } }),
            "1 to 100",
        ),
        (
            URN.into(),
            json!({ "resourceTypes": ["User"], "schema": ok["schema"], "indexed": ["none"] }),
            "no attribute",
        ),
    ];
    for (own, wanted) in [
        (json!({ "name": "userName" }), "name of a core attribute"),
        (json!({ "name": "META" }), "name of a core attribute"),
        (json!({ "name": "1st" }), "begins with a letter"),
        (json!({ "name": "a.b" }), "begins with a letter"),
        (json!({ "name": "x", "type": "blob" }), "`type` must be"),
        (json!({ "name": "x", "type": "complex" }), "complex attributes have sub-attributes"),
        (json!({ "name": "x", "subAttributes": [{ "name": "y" }] }), "complex attributes have"),
        (json!({ "name": "x", "required": true }), "`required` must be false"),
        (json!({ "name": "x", "uniqueness": "server" }), "`uniqueness` must be"),
        (json!({ "name": "x", "mutability": "readOnly" }), "`mutability` must be"),
        (json!({ "name": "x", "returned": "never" }), "`returned` must be"),
        (json!({ "name": "x", "typ": "string" }), "unknown field"),
        (
            json!({ "name": "x", "type": "complex", "subAttributes": [
            { "name": "y", "type": "complex" }] }),
            "`x.y`: `type` must be",
        ),
        (
            json!({ "name": "x", "type": "complex", "subAttributes": [
            { "name": "y", "multiValued": true }] }),
            "has one value",
        ),
        (
            json!({ "name": "x", "type": "complex", "subAttributes": [
            { "name": "y" }, { "name": "Y" }] }),
            "there twice",
        ),
        (
            json!({ "name": "x", "type": "complex", "subAttributes": [
            { "name": "primary" }] }),
            "`primary` is a boolean",
        ),
    ] {
        table.push((URN.into(), attribute(own), wanted));
    }
    for (urn, body, wanted) in table {
        let (status, answer) = world.call(&team.admin, "PUT", &path(&urn), body);
        let message = answer["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (status, message.contains(wanted)),
            (StatusCode::BAD_REQUEST, true),
            "{wanted}: {message}"
        );
    }
    world.ok(&team.admin, "PUT", &path(URN), ok.clone());
    for overlapping in ["urn:example:acme:1.0:User:more", "URN:example:ACME:1.0"] {
        let (status, answer) = world.call(&team.admin, "PUT", &path(overlapping), ok.clone());
        assert_eq!(
            (status, &answer["error"]["code"]),
            (StatusCode::CONFLICT, &json!("schema_overlaps"))
        );
    }
    for n in 1..10 {
        world.ok(&team.admin, "PUT", &path(&format!("urn:example:n{n}:User")), ok.clone());
    }
    let (status, answer) =
        world.call(&team.admin, "PUT", &path("urn:example:n10:User"), ok.clone());
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::CONFLICT, &json!("too_many_schemas"))
    );
    let many: Vec<Value> = (0..11).map(|n| json!({ "name": format!("a{n}") })).collect();
    let names: Vec<String> = (0..11).map(|n| format!("a{n}")).collect();
    let mut body =
        json!({ "resourceTypes": ["User"], "schema": { "attributes": many }, "indexed": names });
    body["schema"]["attributes"].as_array_mut().unwrap().push(json!({ "name": "fine" }));
    let (status, answer) = world.call(&team.admin, "PUT", &path(URN), body);
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::CONFLICT, &json!("too_many_indexes"))
    );
    for data in ["", "?data=", "?data=all", "?data=keep&data=purge"] {
        let removal = format!("{}{data}", path(URN));
        assert_eq!(
            world.call(&team.admin, "DELETE", &removal, Value::Null).0,
            StatusCode::BAD_REQUEST
        );
    }
    let unknown = format!("{}?data=keep", path("urn:example:none:User"));
    assert_eq!(world.call(&team.admin, "DELETE", &unknown, Value::Null).0, StatusCode::NOT_FOUND);
}
