//! People, roles and seats: what admins do in the team API, and what a provider
//! may not.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/acme.rs"]
mod acme;

use acme::{Acme, saml};
use http::StatusCode;
use serde_json::{Value, json};

/// SCIM calls of the team's provider.
struct Provider<'a> {
    acme: &'a Acme,
    key: String,
}

impl<'a> Provider<'a> {
    fn of(acme: &'a Acme) -> Self {
        Self { acme, key: acme.key("provider").1 }
    }

    fn call(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.acme.world.call(&self.key, method, &format!("/scim/v2{path}"), body)
    }

    #[track_caller]
    fn person(&self, name: &str) -> String {
        let names = json!({ "givenName": "Zoë", "familyName": name });
        let body = json!({ "userName": format!("{name}@example.com"), "name": names });
        let (status, made) = self.call("POST", "/Users", body);
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    fn set_active(&self, id: &str, active: bool) -> (StatusCode, Value) {
        let operation = json!({ "op": "replace", "path": "active", "value": active });
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                           "Operations": [operation] });
        self.call("PATCH", &format!("/Users/{id}"), body)
    }
}

fn names(page: &Value) -> Vec<&str> {
    page["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["userName"].as_str().unwrap())
        .collect()
}

#[test]
fn the_list_shows_active_members_and_the_suspended_under_a_filter_of_their_own() {
    let acme = Acme::enabled();
    let provider = Provider::of(&acme);
    let ids: Vec<String> = ["ada", "bob", "cleo"].map(|name| provider.person(name)).into();
    provider.set_active(&ids[1], false);
    provider.call("DELETE", &format!("/Users/{}", ids[2]), Value::Null);

    let page = acme.ok("GET", "/members", Value::Null);
    assert_eq!(names(&page), ["admin@kafkaman.example", "ada@example.com"]);
    assert_eq!(page["next"], Value::Null);
    let ada = &page["members"][1];
    assert_eq!(
        (&ada["role"], &ada["source"], &ada["state"]),
        (&json!("developer"), &json!("scim"), &json!("active"))
    );
    assert_eq!(
        names(&acme.ok("GET", "/members?state=suspended", Value::Null)),
        ["bob@example.com"]
    );
    acme.refused(
        ("GET", "/members?state=gone", Value::Null),
        400,
        "invalid",
        "active or suspended",
    );

    for (search, found) in [
        ("ADA@", vec!["ada@example.com"]),
        ("ZO%C3%8B", vec!["ada@example.com"]),
        ("Admin", vec!["admin@kafkaman.example"]),
        ("nobody", vec![]),
        ("%25", vec![]),
    ] {
        let page = acme.ok("GET", &format!("/members?search={search}"), Value::Null);
        assert_eq!(names(&page), found, "{search}");
    }
    let one = acme.ok("GET", &format!("/members/{}", ids[0]), Value::Null);
    assert_eq!(one["user"]["name"]["familyName"], "ada");
    acme.refused(
        ("GET", "/members/nobody", Value::Null),
        404,
        "member_not_found",
        "no such member",
    );
}

#[test]
fn the_list_shows_names_as_sent_and_the_primary_address() {
    let acme = Acme::enabled();
    let provider = Provider::of(&acme);
    let body = json!({ "userName": "Ada.Byron", "displayName": "Ada Byron", "emails": [
        { "value": "Home@Example.com", "type": "home" },
        { "value": "Ada@Example.com", "type": "work", "primary": true },
    ]});
    let id = provider.call("POST", "/Users", body).1["id"].as_str().unwrap().to_owned();
    let one = acme.ok("GET", "/members?search=byron", Value::Null)["members"][0].clone();
    let shown = |one: &Value| (one["userName"].clone(), one["email"].clone());
    assert_eq!(shown(&one), (json!("Ada.Byron"), json!("Ada@Example.com")));
    let one = acme.ok("GET", &format!("/members/{id}"), Value::Null);
    assert_eq!(shown(&one), (json!("Ada.Byron"), json!("Ada@Example.com")));
    for (emails, expected) in [
        (json!([{ "value": "a@b.example" }, { "value": "c@d.example" }]), json!("a@b.example")),
        (json!([]), Value::Null),
    ] {
        provider.call("PUT", &format!("/Users/{id}"), json!({ "userName": "X", "emails": emails }));
        let one = acme.ok("GET", &format!("/members/{id}"), Value::Null);
        assert_eq!(shown(&one), (json!("X"), expected));
    }
}

#[test]
fn the_list_comes_in_pages() {
    let acme = Acme::enabled();
    let provider = Provider::of(&acme);
    for n in 0..6 {
        provider.person(&format!("u{n}"));
    }
    let mut found: Vec<String> = Vec::new();
    let mut after = String::new();
    loop {
        let page = acme.ok("GET", &format!("/members?count=3&after={after}"), Value::Null);
        found.extend(names(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(found.len(), 7);
    assert_eq!(found[6], "u5@example.com");
}

#[test]
fn roles_are_the_admins_and_a_provider_grants_none() {
    let acme = Acme::enabled();
    let provider = Provider::of(&acme);
    let body = json!({ "userName": "eve@example.com", "role": "admin",
                       "roles": [{ "value": "admin", "primary": true }],
                       "entitlements": [{ "value": "admin" }] });
    let (_, made) = provider.call("POST", "/Users", body);
    let eve = format!("/members/{}", made["id"].as_str().unwrap());
    assert_eq!(acme.ok("GET", &eve, Value::Null)["role"], "developer");

    let page = acme.ok("GET", "/members", Value::Null);
    let admin = format!("/members/{}", page["members"][0]["id"].as_str().unwrap());
    acme.refused(
        ("PATCH", &admin, json!({ "role": "developer" })),
        409,
        "last_admin",
        "someone else",
    );
    acme.ok("POST", "/scim/disable", Value::Null);
    acme.refused(("DELETE", &admin, Value::Null), 403, "last_admin", "someone else");
    acme.ok("POST", "/scim/enable", Value::Null);
    acme.refused(("PATCH", &eve, json!({ "role": "owner" })), 400, "invalid", "unknown variant");
    acme.refused(("PATCH", &eve, json!({})), 400, "invalid", "role");
    assert_eq!(acme.ok("PATCH", &eve, json!({ "role": "admin" }))["role"], "admin");
    // Demoted, the first admin's token opens nothing any more.
    acme.ok("PATCH", &admin, json!({ "role": "billing" }));
    assert_eq!(acme.call("GET", "", Value::Null).0, StatusCode::UNAUTHORIZED);

    let acme = Acme::enabled();
    acme.ok("PATCH", "/settings", json!({ "defaultRole": "billing" }));
    let provider = Provider::of(&acme);
    let bill = format!("/members/{}", provider.person("bill"));
    assert_eq!(acme.ok("GET", &bill, Value::Null)["role"], "billing");
    let wish = ("PATCH", "/settings", json!({ "defaultRole": "admin" }));
    acme.refused(wish, 400, "invalid", "makes nobody admin");
}

#[test]
fn removed_by_an_admin_a_member_is_gone_and_the_trail_stays() {
    let acme = Acme::enabled();
    let provider = Provider::of(&acme);
    let ada = provider.person("ada");
    let group = json!({ "displayName": "Crew", "members": [{ "value": ada }] });
    let (_, crew) = provider.call("POST", "/Groups", group);
    acme.ok("DELETE", &format!("/members/{ada}"), Value::Null);
    assert_eq!(
        provider.call("GET", &format!("/Users/{ada}"), Value::Null).0,
        StatusCode::NOT_FOUND
    );
    let crew = format!("/Groups/{}", crew["id"].as_str().unwrap());
    assert_eq!(provider.call("GET", &crew, Value::Null).1["members"], Value::Null);
    assert_eq!(acme.actions()[0], "member.removed");
    assert_ne!(provider.person("ada"), ada, "the name is free, the id is another");
}

#[test]
fn an_admin_removes_others_and_leaves_as_others_do() {
    let acme = Acme::enabled();
    let provider = Provider::of(&acme);
    let ada = provider.person("ada");
    acme.ok("PATCH", &format!("/members/{ada}"), json!({ "role": "admin" }));
    let me = acme.ok("GET", "/me", Value::Null)["id"].as_str().unwrap().to_owned();
    let own = format!("/members/{me}");
    let code = "managed_by_identity_provider";
    acme.refused(("DELETE", &own, Value::Null), 403, code, "leave on your own");
    acme.refused(("POST", "/me/leave", Value::Null), 403, code, "leave on your own");
    acme.ok("POST", "/scim/disable", Value::Null);
    acme.ok("DELETE", &own, Value::Null);
    let record = acme.world.in_team("acme", |context| {
        let newest = "SELECT action FROM audit ORDER BY seq DESC LIMIT 1";
        context.sql.first(newest, &[], |mut row| row.text()).unwrap().unwrap()
    });
    assert_eq!(record, "member.left");
}

#[test]
fn who_is_suspended_comes_back_by_hand_while_scim_is_off_alone() {
    let acme = Acme::enabled();
    let provider = Provider::of(&acme);
    let ada = provider.person("ada");
    provider.set_active(&ada, false);
    let reactivate = format!("/members/{ada}/reactivate");
    let on = ("POST", reactivate.as_str(), Value::Null);
    acme.refused(on, 409, "managed_by_identity_provider", "turn SCIM off");
    let add = json!({ "name": "Bo", "email": "bo@example.com" });
    acme.refused(
        ("POST", "/members", add.clone()),
        409,
        "managed_by_identity_provider",
        "add the person there",
    );
    acme.ok("POST", "/scim/disable", Value::Null);
    assert_eq!(acme.ok("POST", &reactivate, Value::Null)["state"], "active");
    let (status, made) = acme.call("POST", "/members", add.clone());
    assert_eq!((status, &made["source"]), (StatusCode::CREATED, &json!("team")));
    acme.refused(("POST", "/members", add), 409, "name_taken", "exists in this team already");
    for email in ["", "bo", "bo@", "a b@example.com"] {
        let bad = json!({ "name": "Bo", "email": email });
        acme.refused(("POST", "/members", bad), 400, "invalid", "`email` must be an address");
    }
}

#[test]
fn each_active_member_takes_a_seat_and_no_more_come_than_there_are() {
    let acme = Acme::enabled();
    let provider = Provider::of(&acme);
    let seats = |seats: i64| {
        acme.world.in_team("acme", |context| {
            context.sql.execute("UPDATE team SET seats = ?", &[seats.into()]).unwrap();
        });
    };
    let taken = || acme.ok("GET", "", Value::Null)["seatsTaken"].as_i64().unwrap();
    seats(3);
    let (ada, bob) = (provider.person("ada"), provider.person("bob"));
    assert_eq!(taken(), 3);
    let cleo = || json!({ "userName": "cleo@example.com" });
    let no_seat = |(status, body): (StatusCode, Value)| {
        assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
        assert!(
            body["detail"].as_str().unwrap().contains("all 3 seats of this team are taken"),
            "{body}"
        );
        assert_eq!(taken(), 3, "nothing half done");
    };
    no_seat(provider.call("POST", "/Users", cleo()));
    let suspended = json!({ "userName": "dot@example.com", "active": false });
    let (status, dot) = provider.call("POST", "/Users", suspended);
    assert_eq!(status, StatusCode::CREATED, "who is suspended takes none");
    no_seat(provider.set_active(dot["id"].as_str().unwrap(), true));
    provider.set_active(&bob, false);
    assert_eq!(taken(), 2);
    provider.call("POST", "/Users", cleo());
    no_seat(provider.set_active(&bob, true));
    let page =
        provider.call("GET", "/Users?filter=userName%20eq%20%22bob@example.com%22", Value::Null).1;
    assert_eq!(page["Resources"][0]["active"], false);

    // Fewer seats than members: nothing stands in the way of a suspension.
    seats(1);
    assert_eq!(provider.set_active(&ada, false).0, StatusCode::OK);
    let rename = json!({ "userName": "cleo@example.com", "displayName": "Cleo" });
    assert_eq!(provider.call("POST", "/Users", rename).0, StatusCode::CONFLICT);
    provider.call("DELETE", &format!("/Users/{ada}"), Value::Null);
    assert_eq!(taken(), 2);
    acme.ok("POST", "/scim/disable", Value::Null);
    let reactivate = format!("/members/{bob}/reactivate");
    acme.refused(("POST", &reactivate, Value::Null), 403, "no_free_seat", "all 1 seats");
}

#[test]
fn a_member_changes_their_address_unless_the_provider_manages_it() {
    let acme = Acme::new();
    let me = |body: Value| acme.call("PATCH", "/me", body);
    let user = || {
        let id = acme.ok("GET", "/me", Value::Null)["id"].as_str().unwrap().to_owned();
        acme.ok("GET", &format!("/members/{id}"), Value::Null)["user"].clone()
    };
    acme.ok("POST", "/members", json!({ "name": "Ada", "email": "ada@kafkaman.example" }));
    let before = user();
    for (email, status, code) in [
        ("", 400, "invalid"),
        ("boss", 400, "invalid"),
        ("@kafkaman.example", 400, "invalid"),
        ("a@b@c", 400, "invalid"),
        ("a b@kafkaman.example", 400, "invalid"),
        ("ADA@kafkaman.example", 409, "name_taken"),
    ] {
        acme.refused(("PATCH", "/me", json!({ "email": email })), status, code, "");
    }
    let long = |local: usize| format!("{}@kafkaman.example", "a".repeat(local));
    assert_eq!(me(json!({ "email": long(238) })).0, 400, "255 bytes");
    assert_eq!(me(json!({ "email": "b@c", "role": "admin" })).0, 400);
    assert_eq!(user(), before, "what was refused changed nothing");

    assert_eq!(me(json!({ "email": long(237) })).0, 200, "254 bytes");
    let (status, member) = me(json!({ "email": " Boss@kafkaman.example " }));
    assert_eq!((status.as_u16(), &member["userName"]), (200, &json!("Boss@kafkaman.example")));
    let after = user();
    assert_eq!(after["userName"], "Boss@kafkaman.example");
    let emails = json!([{ "value": "Boss@kafkaman.example", "type": "work", "primary": true }]);
    assert_eq!(after["emails"], emails);
    let page = acme.ok("GET", "/audit?action=member.updated", Value::Null);
    let record = &page["records"][0];
    assert_eq!(record["detail"]["changed"]["userName"]["to"], "Boss@kafkaman.example");
    assert_eq!(record["actor"], format!("admin:{}", member["id"].as_str().unwrap()));

    acme.ok("PUT", "/sso/saml", saml());
    acme.ok("POST", "/scim/enable", Value::Null);
    let request = ("PATCH", "/me", json!({ "email": "new@kafkaman.example" }));
    acme.refused(request, 403, "managed_by_identity_provider", "identity provider");
    assert_eq!(user(), after);
}

#[test]
fn who_was_added_by_hand_is_the_providers_from_its_first_write_on() {
    let acme = Acme::new();
    let source = |id: &str| {
        let one = acme.ok("GET", &format!("/members/{id}"), Value::Null);
        one["source"].as_str().unwrap().to_owned()
    };
    let me = acme.ok("GET", "/me", Value::Null)["id"].as_str().unwrap().to_owned();
    acme.ok("PATCH", "/me", json!({ "email": "boss@kafkaman.example" }));
    assert_eq!(source(&me), "team", "an address of their own choice is no provider's");
    let add = json!({ "name": "Bo", "email": "bo@example.com", "role": "billing" });
    let bo = acme.ok("POST", "/members", add)["id"].as_str().unwrap().to_owned();
    acme.ok("PUT", "/sso/saml", saml());
    acme.ok("POST", "/scim/enable", Value::Null);
    let provider = Provider::of(&acme);
    let path = format!("/Users/{bo}");
    assert_eq!(provider.call("GET", &path, Value::Null).0, StatusCode::OK);
    assert_eq!(source(&bo), "team", "to be read is not to be adopted");
    provider.set_active(&bo, false);
    assert_eq!(source(&bo), "scim");
    let adopted = || acme.ok("GET", "/audit?action=member.adopted", Value::Null)["records"].clone();
    assert_eq!(adopted()[0]["subject"], json!(bo));
    assert!(adopted()[0]["actor"].as_str().unwrap().starts_with("key:"));
    provider.set_active(&bo, true);
    assert_eq!(adopted().as_array().unwrap().len(), 1, "once");
    let one = acme.ok("GET", &format!("/members/{bo}"), Value::Null);
    assert_eq!(one["role"], "billing", "the role stays");

    // By hand again, and whoever a provider manages stays the provider's.
    let ada = provider.person("ada");
    provider.set_active(&ada, false);
    acme.world
        .in_team("acme", |context| {
            let hand = "UPDATE resource SET source = 'team' WHERE id = ?";
            context.sql.execute(hand, &[bo.as_str().into()]).unwrap();
            context
                .sql
                .execute("UPDATE resource SET active = 0 WHERE id = ?", &[bo.as_str().into()])
        })
        .unwrap();
    acme.ok("POST", "/scim/disable", Value::Null);
    for (id, expected) in [(&ada, "scim"), (&bo, "team")] {
        acme.ok("POST", &format!("/members/{id}/reactivate"), Value::Null);
        assert_eq!(source(id), expected);
    }
}

#[test]
fn a_name_that_is_no_address_stays_when_the_address_changes() {
    let acme = Acme::enabled();
    let provider = Provider::of(&acme);
    let id = acme.ok("GET", "/me", Value::Null)["id"].as_str().unwrap().to_owned();
    let path = format!("/Users/{id}");
    for (emails, expected) in [
        (json!([]), json!([{ "value": "new@b.example", "type": "work", "primary": true }])),
        (
            json!([{ "value": "old@b.example" }, { "value": "x@b.example", "primary": true }]),
            json!([{ "value": "old@b.example" }, { "value": "new@b.example", "primary": true }]),
        ),
        (json!([{ "value": "old@b.example" }]), json!([{ "value": "new@b.example" }])),
    ] {
        provider.call("PUT", &path, json!({ "userName": "boss", "emails": emails }));
        acme.ok("POST", "/scim/disable", Value::Null);
        let member = acme.ok("PATCH", "/me", json!({ "email": "new@b.example" }));
        assert_eq!(member["userName"], "boss");
        acme.ok("POST", "/scim/enable", Value::Null);
        assert_eq!(provider.call("GET", &path, Value::Null).1["emails"], expected);
    }
}
