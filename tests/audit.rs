//! The audit log as admins read it: filtered, by the page, exported.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use http::Request;
use serde_json::{Value, json};

/// A team whose provider calls itself by this name from this address.
struct Team {
    acme: Acme,
    key: String,
}

impl Team {
    fn new() -> Self {
        let acme = Acme::enabled();
        let key = acme.key("provider").1;
        Self { acme, key }
    }

    fn scim(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/scim+json")
            .header("user-agent", "OneLogin/SCIM 2.0")
            .header("cf-connecting-ip", "192.0.2.7")
            .header("cf-ipcountry", "CH")
            .header("x-request-id", "req-1");
        let answer = self.acme.world.send(request.body(body.to_string().into_bytes()).unwrap());
        assert!(answer.status().is_success(), "{}", String::from_utf8_lossy(answer.body()));
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    fn records(&self, query: &str) -> Vec<Value> {
        let page = self.acme.ok("GET", &format!("/audit{query}"), Value::Null);
        page["records"].as_array().unwrap().clone()
    }

    fn export(&self, query: &str) -> (String, String) {
        let request = Request::builder()
            .uri(format!("/teams/acme/v1/audit/export{query}"))
            .header("authorization", format!("Bearer {}", self.acme.admin));
        let answer = self.acme.world.send(request.body(Vec::new()).unwrap());
        assert_eq!(answer.status().as_u16(), 200);
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, String::from_utf8(answer.into_body()).unwrap())
    }
}

#[test]
fn a_record_says_who_from_where_and_what_changed() {
    let team = Team::new();
    let made = team.scim(
        "POST",
        "/Users",
        &json!({ "userName": "ada", "title": "Lead",
        "password": "hunter2hunter2" }),
    );
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    team.scim("PUT", &path, &json!({ "userName": "ada", "title": "Chief", "nickName": "A" }));
    let record = &team.records("?action=member.updated")[0];
    assert!(record["actor"].as_str().unwrap().starts_with("key:"));
    assert_eq!(record["subject"], made["id"]);
    assert_eq!(
        record["detail"]["changed"],
        json!({
        "title": { "from": "Lead", "to": "Chief" }, "nickName": { "from": null, "to": "A" } })
    );
    assert_eq!(
        (&record["client"], &record["ip"], &record["requestId"]),
        (&json!("OneLogin/SCIM 2.0"), &json!("192.0.2.7"), &json!("req-1"))
    );
    assert!(!team.export("").1.contains("hunter2"), "no password, ever");

    let scim = team.acme.ok("GET", "/scim", Value::Null);
    assert_eq!(scim["firstProbeBy"], "OneLogin/SCIM 2.0");
    assert!(scim["firstProbeAt"].is_string() && scim["firstUserAt"].is_string());
    let keys = team.acme.ok("GET", "/scim/keys", Value::Null);
    assert_eq!(
        (&keys["keys"][0]["lastUsedBy"], &keys["keys"][0]["lastUsedFrom"]),
        (&json!("OneLogin/SCIM 2.0"), &json!("CH"))
    );
}

#[test]
fn what_is_long_is_cut() {
    let team = Team::new();
    let made = team.scim("POST", "/Users", &json!({ "userName": "ada" }));
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    team.scim("PUT", &path, &json!({ "userName": "ada", "title": "é".repeat(30_000) }));
    let record = team.records("?action=member.updated")[0].clone();
    let title = record["detail"]["changed"]["title"]["to"].as_str().unwrap();
    assert_eq!(title.chars().count(), 201);
}

#[test]
fn it_is_filtered_and_paged() {
    let team = Team::new();
    let mut ids = Vec::new();
    for n in 0..4 {
        let made = team.scim("POST", "/Users", &json!({ "userName": format!("u{n}") }));
        ids.push(made["id"].as_str().unwrap().to_owned());
        team.acme.world.pass(60_000);
    }
    team.scim("DELETE", &format!("/Users/{}", ids[0]), &Value::Null);
    let actions = |query: &str| -> Vec<String> {
        let records = team.records(query).into_iter();
        records.map(|one| one["action"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(actions("?action=member").len(), 5);
    assert_eq!(actions("?action=member.deleted"), ["member.deleted"]);
    assert_eq!(actions("?action=memb"), [""; 0], "a whole word, or a group of them");
    assert_eq!(actions(&format!("?subject={}", ids[0])), ["member.deleted", "member.provisioned"]);
    let actor = team.records("?action=member")[0]["actor"].as_str().unwrap().to_owned();
    assert_eq!(actions(&format!("?actor={actor}")).len(), 5);
    let middle =
        team.records(&format!("?subject={}", ids[2]))[0]["at"].as_str().unwrap().to_owned();
    assert_eq!(actions(&format!("?action=member.provisioned&since={middle}")).len(), 2);
    assert_eq!(actions(&format!("?action=member.provisioned&until={middle}")).len(), 2);
    for query in ["?since=yesterday", "?count=x", "?after=-1", "?action=a&action=b"] {
        team.acme.refused(("GET", &format!("/audit{query}"), Value::Null), 400, "invalid", "`");
    }
    let (mut found, mut after) = (0, String::new());
    loop {
        let page = team.acme.ok("GET", &format!("/audit?count=3{after}"), Value::Null);
        found += page["records"].as_array().unwrap().len();
        match page["next"].as_i64() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(found, team.records("").len());
}

#[test]
fn an_export_harms_no_spreadsheet() {
    let team = Team::new();
    let made = team.scim("POST", "/Users", &json!({ "userName": "ada" }));
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    team.scim("PUT", &path, &json!({ "userName": "ada", "title": "=HYPERLINK(\"x\")" }));
    let (kind, lines) = team.export("?format=ndjson&action=member");
    assert_eq!(kind, "application/x-ndjson");
    let records: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records, team.records("?action=member"));
    let (kind, csv) = team.export("?format=csv");
    assert_eq!(kind, "text/csv; charset=utf-8");
    assert_eq!(csv.lines().count(), team.records("").len() + 1);
    for line in csv.lines().skip(1) {
        for cell in line.trim_end().split("\",\"") {
            let cell = cell.trim_start_matches('"');
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
    assert!(csv.contains("\"\"title\"\""), "quotes are doubled");
    team.acme.refused(
        ("GET", "/audit/export?format=xls", Value::Null),
        400,
        "invalid",
        "ndjson or csv",
    );
}

#[test]
fn a_client_that_calls_itself_a_formula_is_one_in_no_spreadsheet() {
    let team = Team::new();
    let request = Request::builder()
        .method("POST")
        .uri("/scim/v2/Users")
        .header("authorization", format!("Bearer {}", team.key))
        .header("content-type", "application/scim+json")
        .header("user-agent", "=cmd|' /C calc'!A0");
    let body = json!({ "userName": "ada" }).to_string().into_bytes();
    assert_eq!(team.acme.world.send(request.body(body).unwrap()).status().as_u16(), 201);
    let (_, csv) = team.export("?format=csv&action=member");
    assert!(csv.contains("\"'=cmd|' /C calc'!A0\""), "{csv}");
}

#[test]
fn what_a_provider_was_refused_is_there_with_the_reason() {
    let team = Team::new();
    team.scim("POST", "/Users", &json!({ "userName": "ada" }));
    let call = |method: &str, path: &str, body: Value| {
        team.acme.world.call(&team.key, method, &format!("/scim/v2{path}"), body).0.as_u16()
    };
    assert_eq!(call("POST", "/Users", json!({ "userName": "ADA" })), 409);
    assert_eq!(call("PATCH", "/Users/nobody", json!({})), 404);
    assert_eq!(call("GET", "/Users?filter=nonsense", Value::Null), 400);
    assert_eq!(call("POST", "/Users/.search", json!({})), 400);
    let operation = |name: &str| json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": { "userName": name } });
    let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [operation("ada"), operation("bob"), { "method": "FLY" }] });
    assert_eq!(call("POST", "/Bulk", bulk), 200);
    let found = team.records("?action=scim.problem");
    let shown: Vec<(&str, i64, &Value)> = found
        .iter()
        .rev()
        .map(|one| {
            let detail = &one["detail"];
            (
                detail["asked"].as_str().unwrap(),
                detail["status"].as_i64().unwrap(),
                &detail["scimType"],
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("POST /scim/v2/Users", 409, &json!("uniqueness")),
            ("PATCH /scim/v2/Users/nobody", 404, &Value::Null),
            ("POST /Users/ada in /Bulk", 409, &json!("uniqueness")),
            ("FLY in /Bulk", 400, &json!("invalidSyntax")),
        ]
    );
    assert!(found[3]["detail"]["reason"].as_str().unwrap().contains("`ADA` exists"));
}

#[test]
fn what_single_sign_on_and_schemas_were_and_are_is_there_and_no_secret() {
    let acme = Acme::new();
    let newest = || acme.ok("GET", "/audit?count=1", Value::Null)["records"][0].clone();
    let put = |client: &str, secret: &str| {
        let body =
            json!({ "issuer": "https://id.example", "clientId": client, "clientSecret": secret });
        acme.ok("PUT", "/sso/oidc", body);
        newest()["detail"]["changed"].clone()
    };
    let made = put("one", "hunter2hunter2");
    assert_eq!(made["clientId"], json!({ "from": null, "to": "one" }));
    assert_eq!(made["clientSecret"], "changed");
    let changed = put("two", "hunter3hunter3");
    let expected = json!({ "clientId": { "from": "one", "to": "two" }, "clientSecret": "changed" });
    assert_eq!(changed, expected);
    acme.ok("DELETE", "/sso/oidc", Value::Null);
    let removed = newest();
    assert_eq!(removed["action"], "sso.removed");
    assert_eq!(
        removed["detail"]["changed"]["issuer"],
        json!({ "from": "https://id.example", "to": null })
    );
    assert_eq!(removed["detail"]["changed"]["clientSecret"], "changed");

    let urn = "urn:example:acme:1.0:User";
    let path = format!("/scim/schemas/{urn}");
    let schema = |attributes: Value| {
        json!({ "resourceTypes": ["User"], "indexed": ["badge"],
                "schema": { "name": "Acme", "attributes": attributes } })
    };
    let named = |kind: &str| {
        let records = acme.ok("GET", &format!("/audit?action={kind}"), Value::Null);
        records["records"][0]["detail"]["changed"].clone()
    };
    acme.ok("PUT", &path, schema(json!([{ "name": "badge" }])));
    let made = named("scim.schema.registered");
    assert_eq!(made["attributes.badge"]["from"], Value::Null);
    assert!(made["attributes.badge"]["to"].to_string().contains("badge"));
    assert_eq!(made["indexed"], json!({ "from": null, "to": ["badge"] }));
    acme.ok("PUT", &path, schema(json!([{ "name": "badge" }, { "name": "level" }])));
    let grown = named("scim.schema.registered");
    assert_eq!(grown.as_object().unwrap().len(), 1, "{grown}");
    assert!(grown["attributes.level"]["to"].to_string().contains("level"), "{grown}");
    let whole = acme.ok("GET", "/audit", Value::Null).to_string();
    assert!(!whole.contains("hunter2") && !whole.contains("hunter3"));
}

#[test]
fn records_of_people_name_them_when_they_are_gone() {
    let team = Team::new();
    let ada = team.scim("POST", "/Users", &json!({ "userName": "Ada@acme.example" }));
    team.scim("DELETE", &format!("/Users/{}", ada["id"].as_str().unwrap()), &Value::Null);
    let bob = team.scim("POST", "/Users", &json!({ "userName": "bob@acme.example" }));
    let path = format!("/members/{}", bob["id"].as_str().unwrap());
    team.acme.ok("DELETE", &path, Value::Null);
    team.acme.ok("POST", "/scim/disable", Value::Null);
    team.acme.ok("POST", "/members", json!({ "name": "Cleo", "email": "cleo@acme.example" }));
    for (action, name) in [
        ("member.provisioned", "bob@acme.example"),
        ("member.deleted", "Ada@acme.example"),
        ("member.removed", "bob@acme.example"),
        ("member.added", "cleo@acme.example"),
    ] {
        let record = &team.records(&format!("?action={action}"))[0];
        assert_eq!(record["detail"]["userName"], name, "{record}");
    }
}
