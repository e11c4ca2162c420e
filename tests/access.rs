//! Every route × every kind of credential: the team API, the operator API, and
//! SCIM's endpoints. Which routes there are comes from the program, who may call
//! each from here: a route that is not in the table fails.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::Acme;
use acme::world::{OPERATOR_TOKEN, SIGNING_SECRETS};
use kafkaman_scim::api::{operator, team::ROUTES};
use kafkaman_scim::directory::audit::Actor;
use kafkaman_scim::directory::team_id::TeamId;
use kafkaman_scim::directory::tokens;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The routes below `/teams/{team}/v1`, by who may call them.
const ADMINS: &str = "
    GET /
    GET /settings
    PATCH /settings
    GET /sso
    GET /scim
    GET /scim/activity
    GET /scim/keys
    GET /scim/schemas
    PUT /scim/schemas/{urn}
    DELETE /scim/schemas/{urn}
    GET /members
    POST /members
    GET /members/{member}
    PATCH /members/{member}
    DELETE /members/{member}
    POST /members/{member}/reactivate
    POST /members/{member}/sign-out
    GET /departed
    POST /departed/{member}/restore
    GET /brake
    POST /brake/confirm
    POST /brake/undo
    GET /service-tokens
    GET /audit
    GET /audit/export
";
/// For admins, too; by session if they proved themselves within the hour.
const RECENT: &str = "
    PUT /sso/{method}
    DELETE /sso/{method}
    POST /scim/enable
    POST /scim/disable
    POST /scim/keys
    POST /scim/keys/{key}/regenerate
    DELETE /scim/keys/{key}
    POST /service-tokens
    DELETE /service-tokens/{token}
";
const MEMBERS: &str = "
    GET /me
    PATCH /me
    POST /me/leave
    POST /me/sign-out
";
const SESSIONS: &str = "
    POST /sessions
    POST /sessions/introspect
    POST /sessions/end
";
const POLICY: &str = "
    POST /policy/decide
";

fn table() -> BTreeMap<String, &'static str> {
    let lists = [
        (ADMINS, "admins"),
        (RECENT, "recent"),
        (MEMBERS, "members"),
        (SESSIONS, "sessions"),
        (POLICY, "policy"),
    ];
    let rows = lists.into_iter().flat_map(|(list, who)| {
        let rows = list.lines().map(str::trim).filter(|row| !row.is_empty());
        rows.map(move |row| (row.to_owned(), who))
    });
    rows.collect()
}

#[test]
fn every_route_has_a_row() {
    let rows: Vec<String> = table().into_keys().collect();
    let mut routes: Vec<String> = ROUTES
        .iter()
        .map(|route| {
            let path = route.pattern.strip_prefix("/teams/{team}/v1").unwrap();
            format!("{} {}", route.method, if path.is_empty() { "/" } else { path })
        })
        .collect();
    routes.sort();
    assert_eq!(routes, rows);
}

/// A team with one of each kind of credential, and what each may call.
struct Credentials {
    acme: Acme,
    /// The credential's text, and what it is called here.
    all: Vec<(&'static str, String)>,
}

impl Credentials {
    fn new() -> Self {
        let mut acme = Acme::enabled();
        let world = &acme.world;
        let key = acme.key("provider").1;
        let (revoked_id, revoked) = acme.key("revoked");
        let expired = acme.ok(
            "POST",
            "/scim/keys",
            json!({ "name": "expired", "expiresAt": "2026-11-23T22:00:00Z" }),
        );
        let service = |scope: &str| {
            let made =
                acme.ok("POST", "/service-tokens", json!({ "name": scope, "scopes": [scope] }));
            (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
        };
        let (sessions, policy, gone) =
            (service("sessions"), service("policy"), service("sessions"));
        acme.ok("DELETE", &format!("/service-tokens/{}", gone.0), Value::Null);
        let member = |name: &str| {
            let made = world.ok(&key, "POST", "/scim/v2/Users", json!({ "userName": name }));
            made["id"].as_str().unwrap().to_owned()
        };
        let session_of = |name: &str, proven_hours_ago: i64| {
            let at =
                world.in_team("acme", |context| context.now.plus(-3_600_000 * proven_hours_ago));
            let member = json!({ "userName": name });
            let body = json!({ "member": member, "method": "saml", "provenAt": at.to_string() });
            let opened = world.ok(&sessions.1, "POST", "/teams/acme/v1/sessions", body);
            opened["token"].as_str().unwrap().to_owned()
        };
        let session = |name: &str| session_of(name, 0);
        member("developer");
        let boss = member("boss");
        acme.ok("PATCH", &format!("/members/{boss}"), json!({ "role": "admin" }));
        let bill = member("bill");
        acme.ok("PATCH", &format!("/members/{bill}"), json!({ "role": "billing" }));
        let ended = session("developer");
        world.ok(&sessions.1, "POST", "/teams/acme/v1/sessions/end", json!({ "token": ended }));
        // Nobody uses it for the two hours that pass below.
        let idle = session("developer");
        let lapsed = world.in_team("acme", |context| {
            let team = TeamId::parse("acme").unwrap();
            let minted = tokens::issue(context, &Actor::System, &team, &boss).unwrap();
            let expire = "UPDATE credential SET expires = ? WHERE id = ?";
            let parameters = [context.now.0.into(), minted.id.as_str().into()];
            context.sql.execute(expire, &parameters).unwrap();
            minted.text
        });
        let other = world.team("other");
        let by_operator = |what: &str, body: Value| {
            world.ok(OPERATOR_TOKEN, "POST", &format!("/operator/v1/teams/acme/{what}"), body)
        };
        let text = |made: &Value, name: &str| made[name].as_str().unwrap().to_owned();
        world.sign_with("9:OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk");
        let forged =
            by_operator("service-tokens", json!({ "name": "forged", "scopes": ["sessions"] }));
        world.sign_with(SIGNING_SECRETS);
        // A token that an operator makes revokes those that operators made.
        let admin = text(&by_operator("admin-token", Value::Null), "adminToken");
        let revoked_admin = std::mem::replace(&mut acme.admin, admin);
        world.pass(2 * 3_600_000);
        let link =
            by_operator("break-glass", json!({ "name": "Eve", "email": "eve@kafkaman.example" }));
        acme.ok("DELETE", &format!("/scim/keys/{revoked_id}"), Value::Null);
        let all = vec![
            ("none", String::new()),
            ("garbage", "kfm_admin_AAAA".into()),
            ("SCIM key", key.clone()),
            ("SCIM key, revoked", revoked),
            ("SCIM key, expired", expired["key"].as_str().unwrap().into()),
            ("SCIM key of another team", other.key),
            ("admin of another team", other.admin),
            ("admin token, revoked", revoked_admin),
            ("service token under another secret", text(&forged, "token")),
            ("break-glass link", text(&link, "url").rsplit('/').next().unwrap().into()),
            ("operator", OPERATOR_TOKEN.into()),
            ("service token, revoked", gone.1),
            ("admin token, expired", lapsed),
            ("session, ended", ended),
            ("session, expired", idle),
            ("admin token", acme.admin.clone()),
            ("admin's session", session("boss")),
            ("admin's session, proven long ago", session_of("boss", 5)),
            ("developer's session", session("developer")),
            ("billing's session", session("bill")),
            ("service token for sessions", sessions.1),
            ("service token for policy", policy.1),
        ];
        Self { acme, all }
    }
}

/// What opens nothing here is 401, what opens something else 403; who may gets
/// whatever the endpoint says of an empty request.
fn expected(who: &str, credential: &str) -> &'static str {
    match (who, credential) {
        ("admins" | "recent" | "members", "admin token" | "admin's session") => "in",
        ("admins" | "members", "admin's session, proven long ago") => "in",
        ("members", "developer's session" | "billing's session") => "in",
        ("sessions", "service token for sessions") | ("policy", "service token for policy") => "in",
        (
            _,
            "admin token"
            | "admin's session"
            | "admin's session, proven long ago"
            | "developer's session"
            | "billing's session"
            | "service token for sessions"
            | "service token for policy",
        ) => "403",
        _ => "401",
    }
}

#[test]
fn every_route_and_every_credential() {
    let names: Vec<&str> = Credentials::new().all.iter().map(|(name, _)| *name).collect();
    for (index, name) in names.iter().enumerate() {
        let mut credentials = Credentials::new();
        for (row, who) in table() {
            let (method, path) = row.split_once(' ').unwrap();
            let path = path.replace("{method}", "nothing").replace("{urn}", "urn:example:none");
            let path = path.replace(['{', '}'], "");
            let token = credentials.all[index].1.clone();
            let path = format!("/teams/acme/v1{}", path.trim_end_matches('/'));
            let body = if method == "GET" { Value::Null } else { json!({}) };
            let (status, answer) = credentials.acme.world.call(&token, method, &path, body);
            let got = match (status.as_u16(), answer["error"]["code"].as_str()) {
                (401, Some("unauthorized")) => "401",
                (
                    403,
                    Some(
                        "admin_required"
                        | "scope_required"
                        | "service_required"
                        | "member_required"
                        | "recent_sign_in_required",
                    ),
                ) => "403",
                (401 | 403, code)
                    if code != Some("managed_by_identity_provider")
                        && code != Some("last_admin") =>
                {
                    panic!("{row} by {name}: {status} {answer}")
                }
                _ => "in",
            };
            assert_eq!(got, expected(who, name), "{row} by {name}: {status} {answer}");
            if got == "in" && method != "GET" {
                // What it changed must not be in the next one's way.
                credentials = Credentials::new();
            }
        }
    }
}

#[test]
fn operators_alone_call_the_operator_api() {
    let names: Vec<&str> = Credentials::new().all.iter().map(|(name, _)| *name).collect();
    for (index, name) in names.iter().enumerate() {
        let mut credentials = Credentials::new();
        for route in operator::ROUTES {
            let path = route.pattern.replace("{team}", "acme").replace("{version}", "200");
            let path = path.replace("{token}", "none");
            let token = credentials.all[index].1.clone();
            let body = if route.method == "GET" { Value::Null } else { json!({}) };
            let method = route.method.as_str();
            let (status, answer) = credentials.acme.world.call(&token, method, &path, body);
            assert_eq!(status == 401, *name != "operator", "{method} {path} by {name}: {answer}");
            assert_ne!(status, 403, "{method} {path} by {name}: {answer}");
            if status != 401 && method != "GET" {
                credentials = Credentials::new();
            }
        }
    }
}

/// SCIM's endpoints; what is open to everyone is marked.
const SCIM: &str = "
    /
    /Users
    /Users/x
    /Users/.search
    /Groups
    /Groups/x
    /Groups/.search
    /.search
    /Bulk
    /Me
    /ServiceProviderConfig open
    /ResourceTypes open
    /ResourceTypes/User open
    /Schemas open
    /Schemas/urn:ietf:params:scim:schemas:core:2.0:User open
    /Nothing
";

#[test]
fn a_key_of_the_team_alone_opens_scim() {
    let credentials = Credentials::new();
    for (name, token) in &credentials.all {
        for row in SCIM.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (path, is_open) =
                row.split_once(' ').map_or((row, false), |(path, _)| (path, true));
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let path = format!("/scim/v2{}", path.trim_end_matches('/'));
                let body = if method == "GET" { Value::Null } else { json!({}) };
                let (status, answer) = credentials.acme.world.call(token, method, &path, body);
                let opens = match *name {
                    "SCIM key" | "SCIM key of another team" => true,
                    "none" => is_open,
                    _ => false,
                };
                let what = format!("{method} {path} by {name}: {status} {answer}");
                assert_eq!(status != 401, opens, "{what}");
                assert_ne!(status, 403, "{what}");
            }
        }
    }
}
