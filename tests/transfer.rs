//! A team moves from one deployment to another: everything it is arrives, what
//! opens it does not, and both sides may be interrupted anywhere.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use acme::world::{OPERATOR_TOKEN, World};
use http::Request;
use kafkaman_scim::directory::Context;
use serde_json::{Value, json};

const URN: &str = "urn:example:acme:1.0:User";
const OTHER_SECRETS: &str = "3:OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk";

/// A team that has something in every table.
fn team(people: usize) -> (Acme, String) {
    let acme = Acme::enabled();
    let key = acme.key("provider").1;
    let scim = |method: &str, path: &str, body: Value| {
        acme.world.ok(&key, method, &format!("/scim/v2{path}"), body)
    };
    let schema = json!({
        "resourceTypes": ["User"], "indexed": ["badge"],
        "schema": { "attributes": [{ "name": "badge" }] },
    });
    acme.ok("PUT", &format!("/scim/schemas/{URN}"), schema);
    let ids: Vec<String> = (0..people)
        .map(|at| {
            let body = json!({
                "userName": format!("Person \"{at}\" ö\u{1F600}@example.com"),
                "externalId": format!("x{at}"), "active": at % 7 != 3,
                "emails": [{ "value": format!("p{at}@example.com"), "primary": true }],
                URN: { "badge": format!("b{}", at % 10) },
                "title": "é".repeat(8_000),
            });
            scim("POST", "/Users", body)["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let members: Vec<Value> =
        ids.iter().map(|id| json!({ "value": id, "display": "as sent" })).collect();
    let inner = scim("POST", "/Groups", json!({ "displayName": "In", "members": members }));
    let outer = json!({ "displayName": "Out", "members": [{ "value": inner["id"] }] });
    scim("POST", "/Groups", outer);
    let patch = |value: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "value": value }],
        })
    };
    acme.world.pass(5_000);
    scim("PATCH", &format!("/Users/{}", ids[1]), patch(json!({ "nickName": "Changed" })));
    scim("DELETE", &format!("/Users/{}", ids[2]), Value::Null);
    acme.ok("PATCH", &format!("/members/{}", ids[0]), json!({ "role": "billing" }));
    acme.ok("PATCH", "/settings", json!({ "auditDays": 90, "brakePercent": 7 }));
    acme.world.in_team("acme", |context| {
        let pin = "INSERT INTO pin VALUES ('https://idp.example', 'ol-1', 2, 5)";
        context.sql.execute(pin, &[]).unwrap();
    });
    let service = json!({ "name": "login", "scopes": ["sessions"] });
    let service = acme.ok("POST", "/service-tokens", service);
    let session = json!({ "member": { "id": ids[0] }, "method": "saml" });
    let service = service["token"].as_str().unwrap();
    acme.world.ok(service, "POST", "/teams/acme/v1/sessions", session);
    acme.world.upkeep("acme");
    (acme, key)
}

/// A chunk, and what the next is asked for with.
fn export(world: &World, after: Option<&str>) -> (String, Option<String>) {
    let query = after.map(|after| format!("?after={after}")).unwrap_or_default();
    let path = format!("/operator/v1/teams/acme/export{query}");
    let request = Request::get(path).header("authorization", format!("Bearer {OPERATOR_TOKEN}"));
    let answer = world.send(request.body(vec![]).unwrap());
    let text = String::from_utf8(answer.body().clone()).unwrap();
    assert_eq!(answer.status(), 200, "{text}");
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let foot: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    (text, foot["next"].as_str().map(str::to_owned))
}

fn export_all(world: &World) -> Vec<String> {
    let (first, mut next) = export(world, None);
    let mut chunks = vec![first];
    while let Some(after) = next {
        let (chunk, following) = export(world, Some(&after));
        assert_eq!(export(world, Some(&after)).0, chunk, "asked for again, it is the same");
        chunks.push(chunk);
        next = following;
    }
    chunks
}

fn import(world: &World, chunk: &str) -> (u16, Value) {
    let request = Request::post("/operator/v1/teams/moved/import")
        .header("authorization", format!("Bearer {OPERATOR_TOKEN}"));
    let answer = world.send(request.body(chunk.as_bytes().to_vec()).unwrap());
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

#[track_caller]
fn taken(world: &World, chunk: &str, at: usize, is_finished: bool) {
    let expected = json!({ "chunk": at, "finished": is_finished });
    assert_eq!(import(world, chunk), (200, expected));
}

#[track_caller]
fn refused(world: &World, chunk: &str, status: u16, code: &str) {
    let (got, answer) = import(world, chunk);
    assert_eq!((got, &answer["error"]["code"]), (status, &json!(code)), "{answer}");
}

fn elsewhere() -> World {
    let world = World::new();
    world.sign_with(OTHER_SECRETS);
    world.pass(86_400_000);
    world.new_team("moved");
    world
}

fn admin(world: &World, team: &str) -> String {
    let path = format!("/operator/v1/teams/{team}/admin-token");
    let made = world.ok(OPERATOR_TOKEN, "POST", &path, Value::Null);
    made["adminToken"].as_str().unwrap().to_owned()
}

/// What a provider and an admin see of a team.
fn seen(world: &World, team: &str, admin: &str, key: &str) -> Vec<Value> {
    let scim = [
        "/Users?count=200",
        "/Groups?count=200",
        "/Users?filter=externalId+eq+%22x4%22",
        "/Users?filter=emails.value+eq+%22p5@example.com%22",
        "/Users?filter=urn:example:acme:1.0:User:badge+eq+%22b5%22",
        "/Users?sortBy=meta.lastModified&sortOrder=descending&count=50",
        "/Schemas/urn:example:acme:1.0:User",
    ];
    let own = [
        "/settings",
        "/sso",
        "/members?search=person",
        "/members?state=suspended",
        "/departed",
        "/brake",
    ];
    let scim = scim.map(|path| world.ok(key, "GET", &format!("/scim/v2{path}"), Value::Null));
    let own =
        own.map(|path| world.ok(admin, "GET", &format!("/teams/{team}/v1{path}"), Value::Null));
    scim.into_iter().chain(own).collect()
}

#[test]
fn everything_arrives_and_nothing_that_opens_it() {
    let (acme, key) = team(150);
    let chunks = export_all(&acme.world);
    assert!(chunks.len() > 1, "one chunk shows little");
    let text = chunks.concat();
    let hashes = |context: &Context<'_>| {
        let hashes = "SELECT hex(hash) FROM credential UNION SELECT hex(hash) FROM session";
        context.sql.all(hashes, &[], |mut row| row.text()).unwrap()
    };
    for hash in acme.world.in_team("acme", hashes) {
        assert!(!text.to_uppercase().contains(&hash));
    }
    assert!(!text.contains("kfm_"));

    let world = elsewhere();
    for (at, chunk) in chunks.iter().enumerate() {
        taken(&world, chunk, at + 1, at + 1 == chunks.len());
    }
    let new_admin = admin(&world, "moved");
    let path = "/teams/moved/v1/scim/keys";
    let new_key = world.ok(&new_admin, "POST", path, json!({ "name": "new" }));
    let new_key = new_key["key"].as_str().unwrap().to_owned();
    let (old, new) =
        (seen(&acme.world, "acme", &acme.admin, &key), seen(&world, "moved", &new_admin, &new_key));
    for (old, new) in old.iter().zip(&new) {
        assert_eq!(old, new);
    }
    for token in [&key, &acme.admin] {
        assert_eq!(world.call(token, "GET", "/scim/v2/Users", Value::Null).0, 401);
    }
    world.sign_with(acme::world::SIGNING_SECRETS);
    assert_eq!(world.call(&key, "GET", "/scim/v2/Users", Value::Null).0, 401);
    world.sign_with(OTHER_SECRETS);

    let rows = |context: &Context<'_>| {
        let audit = "SELECT seq || at || actor || action || subject || detail FROM audit";
        context.sql.all(audit, &[], |mut row| row.text()).unwrap()
    };
    let (before, after) = (acme.world.in_team("acme", rows), world.in_team("moved", rows));
    assert!(after.starts_with(&before), "the audit is kept");
    assert!(after[before.len()].contains("team.imported"));
    assert!(before.last().unwrap().contains("team.exported"));

    let departed = old.iter().find_map(|page| page["departed"][0]["id"].as_str()).unwrap();
    let path = format!("/teams/moved/v1/departed/{departed}/restore");
    world.ok(&new_admin, "POST", &path, json!({}));
    let body = json!({ "userName": "new", "externalId": "new" });
    world.ok(&new_key, "POST", "/scim/v2/Users", body);
    world.upkeep("moved");
}

#[test]
fn chunks_come_in_order_whole_and_as_often_as_one_likes() {
    let (acme, _) = team(150);
    let chunks = export_all(&acme.world);
    let [first, second, ..] = &chunks[..] else { panic!("too few chunks") };
    let world = elsewhere();
    refused(&world, second, 409, "chunk_out_of_order");
    for (damaged, code) in [
        (first.replacen("Person", "person", 1), "chunk_damaged"),
        (first.lines().skip(1).collect::<Vec<_>>().join("\n"), "chunk_damaged"),
        (first.lines().take(9).collect::<Vec<_>>().join("\n"), "chunk_damaged"),
        (String::new(), "chunk_damaged"),
        ("{}\n{}\n".into(), "chunk_damaged"),
    ] {
        refused(&world, &damaged, 400, code);
    }
    taken(&world, first, 1, false);
    taken(&world, first, 1, false);
    let admin_path = "/operator/v1/teams/moved/admin-token";
    for (method, path) in [
        ("POST", admin_path),
        ("GET", "/operator/v1/teams/moved/export"),
        ("POST", "/operator/v1/teams/moved/suspend"),
    ] {
        let (status, answer) = world.call(OPERATOR_TOKEN, method, path, Value::Null);
        let code = &answer["error"]["code"];
        assert_eq!((status.as_u16(), code), (409, &json!("import_unfinished")), "{path}");
    }
    let begun_again = export_all(&acme.world);
    refused(&world, &begun_again[1], 409, "chunk_out_of_order");
    for (at, chunk) in begun_again.iter().enumerate() {
        taken(&world, chunk, at + 1, at + 1 == begun_again.len());
    }
    taken(&world, begun_again.last().unwrap(), begun_again.len(), true);
    world.ok(&admin(&world, "moved"), "GET", "/teams/moved/v1/members", Value::Null);
    refused(&world, first, 409, "team_in_use");
}

#[test]
fn a_team_that_changes_meanwhile_is_exported_anew() {
    let (acme, key) = team(150);
    let (_, next) = export(&acme.world, None);
    acme.world.ok(&key, "POST", "/scim/v2/Users", json!({ "userName": "late" }));
    let path = format!("/operator/v1/teams/acme/export?after={}", next.unwrap());
    let (status, answer) = acme.world.call(OPERATOR_TOKEN, "GET", &path, Value::Null);
    assert_eq!((status.as_u16(), &answer["error"]["code"]), (409, &json!("team_changed")));
    for after in ["x", "e30", "%00"] {
        let path = format!("/operator/v1/teams/acme/export?after={after}");
        assert_eq!(acme.world.call(OPERATOR_TOKEN, "GET", &path, Value::Null).0, 400, "{after}");
    }
    let path = "/operator/v1/teams/nowhere/export";
    assert_eq!(acme.world.call(OPERATOR_TOKEN, "GET", path, Value::Null).0, 404);
}

#[test]
fn an_export_of_other_tables_is_refused() {
    let (acme, _) = team(3);
    let world = elsewhere();
    let older = |context: &Context<'_>| {
        context.sql.execute("UPDATE migration SET version = version + 1", &[])
    };
    acme.world.in_team("acme", older).unwrap();
    refused(&world, &export(&acme.world, None).0, 409, "tables_differ");
}

/// Tables that stay where they are: what opens something, and what only this
/// deployment asks.
const STAYING: [&str; 12] = [
    "credential",
    "session",
    "break_glass",
    "import",
    "migration",
    "activity",
    "activity_hour",
    "sign_in",
    "provider",
    "provider_failure",
    "logout",
    // Counted anew as resources arrive.
    "milestone",
];

#[test]
fn every_column_of_a_team_goes_along_or_is_known_to_stay() {
    let (acme, _) = team(3);
    let text = export_all(&acme.world).concat();
    let columns = |context: &Context<'_>| {
        let columns = "SELECT m.name || '.' || c.name FROM sqlite_schema AS m
             JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'";
        context.sql.all(columns, &[], |mut row| row.text()).unwrap()
    };
    for name in acme.world.in_team("acme", columns) {
        let (table, column) = name.split_once('.').unwrap();
        let goes = text.lines().any(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["table"] == table && line["row"].get(column).is_some()
        });
        let operators = [
            "team.id",
            "team.name",
            "team.seats",
            "team.state",
            "team.requests_per_second",
            "team.request_burst",
            "sso_method.secret",
            "sso_method.secret_version",
        ];
        let stays = STAYING.contains(&table) || operators.contains(&name.as_str());
        assert!(goes != stays, "{name} goes along: {goes}");
    }
}

#[test]
fn a_team_of_more_people_than_seats_waits_for_seats() {
    let (acme, _) = team(9);
    let chunks = export_all(&acme.world);
    let world = World::new();
    world.new_team("moved");
    let seats = |seats: i64| {
        let path = "/operator/v1/teams/moved";
        world.ok(OPERATOR_TOKEN, "PATCH", path, json!({ "seats": seats }));
    };
    seats(7);
    let (last, before) = chunks.split_last().unwrap();
    for (at, chunk) in before.iter().enumerate() {
        taken(&world, chunk, at + 1, false);
    }
    refused(&world, last, 409, "too_few_seats");
    seats(8);
    taken(&world, last, chunks.len(), true);
}
