//! Filters: what they match, how they print, what they refuse.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may panic")]

use kafkaman_scim::scim::filter::parse;
use kafkaman_scim::scim::schema;
use serde_json::{Map, Value, json};

fn person() -> Map<String, Value> {
    let person = json!({
        "id": "018f-A",
        "externalId": "Ext-1",
        "userName": "Zoë.Meier@example.com",
        "name": { "givenName": "Zoë", "familyName": "Meier" },
        "title": "Tour \"Guide\" \\ Lead",
        "active": true,
        "emails": [
            { "value": "zoe@example.com", "type": "work", "primary": true },
            { "value": "zoe@home.example.org", "type": "home" }
        ],
        "x509Certificates": [{ "value": "QUJD" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "701", "manager": { "value": "018f-B" }
        },
        "meta": { "resourceType": "User", "created": "2026-11-23T21:05:17.000Z" }
    });
    match person {
        Value::Object(person) => person,
        _ => Map::new(),
    }
}

#[track_caller]
fn check(filter: &str, matches: bool) {
    let parsed = parse(schema::user(), filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    assert_eq!(parsed.matches(&person()), matches, "{filter}");
    let printed = parsed.to_string();
    let again = parse(schema::user(), &printed);
    assert_eq!(again.as_ref(), Ok(&parsed), "{filter} prints as {printed}");
}

#[track_caller]
fn refuse(filter: &str, detail: &str) {
    let error = parse(schema::user(), filter).expect_err(filter);
    assert_eq!(error.scim_type().map(|kind| kind.keyword()), Some("invalidFilter"), "{filter}");
    assert!(error.detail().contains(detail), "{filter}: {}", error.detail());
}

#[test]
fn operators() {
    check("userName eq \"zoë.meier@example.com\"", true);
    check("userName eq \"ZOË.MEIER@EXAMPLE.COM\"", true);
    check("userName ne \"zoë.meier@example.com\"", false);
    check("userName co \"MEIER\"", true);
    check("userName sw \"zoë\"", true);
    check("userName ew \"example.com\"", true);
    check("userName sw \"meier\"", false);
    check("title pr", true);
    check("nickName pr", false);
    check("userName gt \"a\"", true);
    check("userName lt \"a\"", false);
    check("userName ge \"zoë.meier@example.com\"", true);
    check("userName le \"zoë.meier@example.com\"", true);
}

#[test]
fn case_follows_the_schema() {
    check("externalId eq \"Ext-1\"", true);
    check("externalId eq \"ext-1\"", false);
    check("id eq \"018f-a\"", false);
    check("USERNAME EQ \"zoë.meier@example.com\" AND Active Eq TRUE", true);
}

#[test]
fn absence() {
    check("nickName eq null", true);
    check("title eq null", false);
    check("title ne null", true);
    check("nickName ne \"Babs\"", true);
    check("nickName eq \"Babs\"", false);
}

#[test]
fn logic_and_precedence() {
    check("userName sw \"q\" and active eq true or title pr", true);
    check("userName sw \"q\" and (active eq true or title pr)", false);
    check("not (userName sw \"q\")", true);
    check("not(active eq false)and title pr", true);
    check("active eq false or not (title pr and name.familyName eq \"meier\")", false);
    check("(((active eq true)))", true);
}

#[test]
fn multi_valued_and_value_paths() {
    check("emails eq \"zoe@example.com\"", true);
    check("emails.value eq \"ZOE@home.example.org\"", true);
    check("emails[type eq \"work\" and value co \"@example.com\"]", true);
    check("emails[type eq \"home\" and value co \"@example.com\"]", false);
    check("emails.type eq \"home\" and emails.value co \"@example.com\"", true);
    check("emails[type eq \"work\"].value eq \"zoe@example.com\"", true);
    check("emails[type eq \"work\"].value eq \"zoe@home.example.org\"", false);
    check("emails[primary eq true] and emails[not (primary eq true)]", true);
    check("emails.primary eq \"True\"", true);
    check("phoneNumbers pr", false);
    check("emails pr", true);
}

#[test]
fn urns_and_sub_attributes() {
    check("urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"zo\"", true);
    check("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq \"Meier\"", true);
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    check(&format!("{enterprise}:employeeNumber eq \"701\""), true);
    check(&format!("{}:employeeNumber eq \"701\"", enterprise.to_uppercase()), true);
    check(&format!("{enterprise}:manager.value eq \"018f-B\""), true);
    check(&format!("{enterprise}:manager eq \"018f-B\""), true);
}

#[test]
fn dates_and_strings() {
    check("meta.created gt \"2026-11-23T21:05:16Z\"", true);
    check("meta.created eq \"2026-11-23T22:05:17+01:00\"", true);
    check("meta.created lt \"2026-11-23T21:05:17.000Z\"", false);
    check("title eq \"tour \\\"guide\\\" \\\\ lead\"", true);
    check("title co \"(\" or title co \"\\\"Guide\\\"\"", true);
    check("name.givenName eq \"Zo\\u00eb\"", true);
    check("userName eq \"%_\\\\\"", false);
    check("x509Certificates.value eq \"QUJD\"", true);
}

#[test]
fn refusals_say_where() {
    refuse("userName eq", "position 12: expected a value");
    refuse("userName", "position 9: expected one of eq");
    refuse("userName regex \"x\"", "position 10: expected one of eq ne");
    refuse("(userName pr", "expected `and`, `or` or `)`");
    refuse("userName pr)", "position 12: expected `and`, `or` or the end");
    refuse("eq eq \"x\"", "`eq` is not an attribute of User");
    refuse("userName eq \"x", "no closing double quote");
    refuse("userName eq x", "put text in double quotes");
    refuse("%", "`%` is not an attribute");
    refuse("foo eq \"x\"", "`foo` is not an attribute of User");
    refuse("name.foo eq \"x\"", "`foo` is not a sub-attribute of `name`");
    refuse("emails[foo eq \"x\"]", "`foo` is not a sub-attribute of `emails`");
    refuse("userName[value eq \"x\"]", "only a complex attribute");
    refuse("name eq \"x\"", "is complex");
    refuse("userName eq 5", "put its value in double quotes");
    refuse("active gt true", "`gt` cannot compare the boolean");
    refuse("active eq \"maybe\"", "is a boolean");
    refuse("x509Certificates.value lt \"QUJD\"", "`lt` cannot compare the binary");
    refuse("meta.created gt \"yesterday\"", "is a dateTime");
    refuse("userName gt null", "put its value in double quotes");
    refuse("userName eq \"a\" userName eq \"b\"", "expected `and`, `or` or the end");
}

#[test]
fn budgets_hold() {
    refuse(&"(".repeat(2000), "nest 32 deep");
    refuse(&"not(".repeat(500), "nest 32 deep");
    refuse(&["title pr"; 65].join(" or "), "64 comparisons");
    refuse(&format!("title eq \"{}\"", "x".repeat(5000)), "at most 4096");
    check(&["title pr"; 64].join(" and "), true);
}
