//! What is left of secrets in a team's storage: nothing that opens anything.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/world.rs"]
mod world;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use world::World;

/// Every text and blob in every table of the team, as bytes.
fn stored(world: &World) -> Vec<u8> {
    world.in_team("acme", |context| {
        let names = "SELECT name FROM sqlite_master WHERE type = 'table'";
        let tables = context.sql.all(names, &[], |mut row| row.text()).unwrap();
        let mut found = Vec::new();
        for table in tables {
            let names = format!("SELECT name FROM pragma_table_info('{table}')");
            for column in context.sql.all(&names, &[], |mut row| row.text()).unwrap() {
                let cells = format!(
                    "SELECT CAST({column} AS BLOB) FROM {table}
                     WHERE {column} IS NOT NULL"
                );
                let cells = context.sql.all(&cells, &[], |mut row| row.blob()).unwrap();
                found.extend(cells.into_iter().flatten());
            }
        }
        found
    })
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn of_a_key_only_a_digest_is_stored() {
    let world = World::new();
    let team = world.team("acme");
    let all = stored(&world);
    assert!(holds(&all, b"admin@kafkaman.example"), "this is what is stored");
    for (text, prefix) in [(&team.key, "kfm_scim_"), (&team.admin, "kfm_admin_")] {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.strip_prefix(prefix).unwrap()).unwrap();
        let secret = &bytes[9..33];
        assert!(!holds(&all, secret) && !holds(&all, &secret[..8]), "{prefix}");
        assert!(!holds(&all, text.as_bytes()), "{prefix}");
    }
}

#[test]
fn no_password_is_stored() {
    let world = World::new();
    let key = world.team("acme").key;
    let user = |password: &str| json!({ "userName": "a@example.com", "password": password });
    let made = world.ok(&key, "POST", "/scim/v2/Users", user("mark-of-a-create"));
    let path = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
    world.ok(&key, "PUT", &path, user("mark-of-a-replace"));
    let patch = |operation: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation],
        })
    };
    let named = json!({ "op": "replace", "path": "password", "value": "mark-of-a-path" });
    world.ok(&key, "PATCH", &path, patch(named));
    let nameless = json!({ "op": "add", "value": { "password": "mark-without-a-path" } });
    world.ok(&key, "PATCH", &path, patch(nameless));
    let all = stored(&world);
    assert!(holds(&all, b"a@example.com"), "this is what is stored");
    assert!(!holds(&all, b"mark-"));
}
