//! Random PATCH bodies: right ones, wrong ones, and right ones with something
//! wrong in them. `${u0}` and `${g0}` stand for ids of people and of groups.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const TEXTS: [&str; 10] = [
    "userName",
    "externalId",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "locale",
    "password",
    "timezone",
];
const NAME_PARTS: [&str; 3] = ["givenName", "familyName", "formatted"];
const SEVERAL: [&str; 6] = ["emails", "emails", "emails", "phoneNumbers", "photos", "roles"];
const ADDRESS_PARTS: [&str; 3] = ["locality", "country", "type"];
const DEPARTMENTS: [&str; 3] = ["department", "division", "employeeNumber"];
/// What only we write.
const OURS: [&str; 8] = [
    "id",
    "meta",
    "meta.created",
    "groups",
    "groups[display eq \"Inner\"]",
    "schemas",
    "meta.version",
    "groups.value",
];
const WRONG: [&str; 12] = [
    "",
    "..",
    "a.b.c",
    "foo",
    "name.foo",
    "emails[",
    "emails[type eq",
    "emails[foo eq \"x\"]",
    "emails[type eq \"work\"]x",
    "emails[type eq \"work\"].foo",
    "title[value eq \"x\"]",
    "urn:example:unknown:2.0:User:title",
];
const FILTERS: [&str; 12] = [
    "type eq \"work\"",
    "type eq \"home\"",
    "TYPE EQ \"Work\"",
    "primary eq true",
    "primary eq \"True\"",
    "value co \"a\"",
    "value eq \"b@example.com\"",
    "value pr",
    "not (type eq \"work\")",
    "type eq \"home\" and primary eq true",
    "type eq \"work\" or value sw \"c\"",
    "value ne \"a@example.com\" and (display pr or type ne \"home\")",
];

/// Where an operation works, and with what.
#[derive(Clone, Debug)]
struct Aim {
    path: String,
    value: Value,
    /// Whether the value may be taken away.
    may_go: bool,
}

fn aims<P, V>(path: P, value: V) -> BoxedStrategy<Aim>
where
    P: Strategy<Value = String> + 'static,
    V: Strategy<Value = Value> + 'static,
{
    (path, value).prop_map(|(path, value)| Aim { path, value, may_go: true }).boxed()
}

/// As [`aims`], at a sub-attribute that is set and never taken away.
///
/// Where two elements differ in that alone, its removal leaves what RFC 7643
/// section 2.4 calls one, twice, and it stays twice.
fn lasting<P, V>(path: P, value: V) -> BoxedStrategy<Aim>
where
    P: Strategy<Value = String> + 'static,
    V: Strategy<Value = Value> + 'static,
{
    (path, value).prop_map(|(path, value)| Aim { path, value, may_go: false }).boxed()
}

fn one_of(all: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(all).prop_map(str::to_owned)
}

fn word() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 8] = ["Ada", "ada", "Zoë", " x ", "u1", "Outer", "${u1}", "\"\\%"];
    select(&WORDS[..]).prop_map(Value::from)
}

fn flag() -> impl Strategy<Value = Value> {
    select(vec![json!(true), json!(false), json!("True")])
}

fn kind() -> impl Strategy<Value = Value> {
    select(&["work", "home", "other"][..]).prop_map(Value::from)
}

fn address_of_mail() -> impl Strategy<Value = Value> {
    let address = |name: &str| Value::from(format!("{name}@example.com"));
    select(&["a", "b", "c"][..]).prop_map(address)
}

/// An element of a multi-valued attribute.
fn element() -> impl Strategy<Value = Value> {
    let value = weighted(0.9, address_of_mail());
    (value, weighted(0.8, kind()), weighted(0.4, flag()), weighted(0.2, word())).prop_map(
        |(value, kind, primary, display)| {
            with([("value", value), ("type", kind), ("primary", primary), ("display", display)])
        },
    )
}

fn address() -> impl Strategy<Value = Value> {
    let part = || weighted(0.6, word());
    (part(), part(), weighted(0.6, kind()), weighted(0.3, flag())).prop_map(
        |(locality, country, kind, primary)| {
            with([
                ("locality", locality),
                ("country", country),
                ("type", kind),
                ("primary", primary),
            ])
        },
    )
}

fn with<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(Map::from_iter(given))
}

/// Several elements as a list; one of them alone, now and then.
fn list(element: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    let element = element.boxed();
    prop_oneof![6 => vec(element.clone(), 0..4).prop_map(Value::from), 1 => element].boxed()
}

fn junk() -> impl Strategy<Value = Value> {
    let all = [
        json!(null),
        json!(""),
        json!(" "),
        json!([]),
        json!({}),
        json!(5),
        json!(1.5),
        json!(true),
        json!("text"),
        json!("a\0b"),
        json!([null]),
        json!(["text"]),
        json!([{}]),
        json!([[1]]),
        json!({ "value": "x" }),
        json!({ "value": { "value": "x" } }),
        json!({ "type": "work" }),
        json!({ "value": "", "givenName": null }),
        json!([{ "value": "p", "primary": true }, { "value": "q", "primary": true }]),
    ];
    select(all.to_vec())
}

fn manager() -> impl Strategy<Value = Value> {
    select(vec![
        json!("${u1}"),
        json!({ "value": "${u0}" }),
        json!({ "value": "elsewhere", "displayName": "X" }),
    ])
}

fn enterprise() -> impl Strategy<Value = Value> {
    (weighted(0.7, word()), weighted(0.4, word()), weighted(0.4, manager())).prop_map(
        |(department, division, manager)| {
            with([("department", department), ("division", division), ("manager", manager)])
        },
    )
}

fn user_aim() -> BoxedStrategy<Aim> {
    let dotted = |name: &'static str, parts: &'static [&'static str]| {
        one_of(parts).prop_map(move |part| format!("{name}.{part}"))
    };
    let several = || one_of(&SEVERAL);
    let chosen = || (several(), one_of(&FILTERS)).prop_map(|(name, by)| format!("{name}[{by}]"));
    let sub = |of: BoxedStrategy<String>, sub: &'static str| of.prop_map(move |p| p + "." + sub);
    let name = (word(), word())
        .prop_map(|(given, family)| json!({ "givenName": given, "familyName": family }));
    let certificate =
        select(&["QUJD", "QUI=", "no base64"][..]).prop_map(|value| json!({ "value": value }));
    let home = Just("addresses[type eq \"home\" and primary eq true]".to_owned());
    let extension = || Just(ENTERPRISE.to_owned());
    prop_oneof![
        5 => aims(one_of(&TEXTS), word()),
        1 => aims(Just(format!("{CORE}:title")), word()),
        1 => aims(Just("active".to_owned()), flag()),
        1 => aims(Just("name".to_owned()), name),
        2 => aims(dotted("name", &NAME_PARTS), word()),
        5 => aims(several(), list(element())),
        4 => aims(chosen(), element()),
        3 => aims(sub(chosen().boxed(), "value"), address_of_mail()),
        2 => aims(sub(chosen().boxed(), "primary"), flag()),
        1 => aims(sub(chosen().boxed(), "display"), word()),
        1 => lasting(sub(chosen().boxed(), "type"), kind()),
        1 => aims(sub(several().boxed(), "value"), address_of_mail()),
        1 => aims(sub(several().boxed(), "primary"), flag()),
        1 => lasting(sub(several().boxed(), "type"), kind()),
        2 => aims(Just("addresses".to_owned()), list(address())),
        1 => aims(home.clone(), address()),
        1 => lasting(sub(home.boxed(), "locality"), word()),
        1 => lasting(dotted("addresses", &ADDRESS_PARTS), word()),
        1 => aims(Just("x509Certificates".to_owned()), list(certificate)),
        2 => aims(extension(), enterprise()),
        2 => aims((extension(), one_of(&DEPARTMENTS)).prop_map(|(e, name)| e + ":" + &name), word()),
        1 => aims(extension().prop_map(|urn| urn + ":manager"), manager()),
        1 => aims(extension().prop_map(|urn| urn + ":manager.value"), word()),
        1 => aims(extension().prop_map(|urn| urn + ":manager.displayName"), word()),
        1 => aims(one_of(&OURS), junk()),
        1 => aims(one_of(&WRONG), junk()),
    ]
    .boxed()
}

fn member() -> impl Strategy<Value = Value> {
    let ids = ["${u0}", "${u1}", "${u2}", "${g0}", "${g1}", "nobody"];
    let named = (select(ids.to_vec()), weighted(0.2, word()), weighted(0.3, Just("User".into())))
        .prop_map(|(id, display, kind)| {
            with([("value", Some(id.into())), ("display", display), ("type", kind)])
        });
    (named, any::<u8>()).prop_map(|(mut named, noise)| match noise {
        0..36 => named["value"].take(),
        _ => named,
    })
}

fn group_aim() -> BoxedStrategy<Aim> {
    let chosen = select(vec![
        "members[value eq \"${u0}\"]".to_owned(),
        "members[value eq \"${u1}\" or value eq \"${g1}\"]".to_owned(),
        "members[type eq \"User\"]".to_owned(),
        "members[not (display co \"a\")]".to_owned(),
        "members[value eq \"nobody\"]".to_owned(),
    ]);
    let sub = chosen.clone().prop_map(|path| path + ".display");
    prop_oneof![
        6 => aims(one_of(&["displayName", "externalId"]), word()),
        16 => aims(Just("members".to_owned()), list(member())),
        8 => aims(chosen, member()),
        1 => aims(sub, word()),
        1 => aims(Just("members.display".to_owned()), word()),
        1 => aims(one_of(&OURS), junk()),
        1 => aims(one_of(&WRONG), junk()),
    ]
    .boxed()
}

/// The path as a client might spell it.
fn spelled(path: &str, noise: u8) -> String {
    match noise {
        0..8 => path.to_uppercase().replace("${U", "${u").replace("${G", "${g"),
        8..12 => format!(" {path} "),
        _ => path.to_owned(),
    }
}

fn with_path(aim: BoxedStrategy<Aim>) -> impl Strategy<Value = Value> {
    let op = prop_oneof![
        15 => select(&["add", "replace", "remove"][..]),
        1 => select(&["Add", "Replace", "Remove", "move"][..]),
    ];
    (aim, op, junk(), any::<[u8; 3]>()).prop_map(|(aim, op, junk, noise)| {
        let path = spelled(&aim.path, noise[0]);
        if !aim.may_go {
            let op = if op == "add" { "add" } else { "replace" };
            return json!({ "op": op, "path": path, "value": aim.value });
        }
        // Most removals carry no value, most others do, and most fit.
        let value = match (op, noise[1]) {
            ("remove", 0..180) | (_, 0..4) => return json!({ "op": op, "path": path }),
            (_, 240..) => junk,
            _ => aim.value,
        };
        json!({ "op": op, "path": path, "value": value })
    })
}

fn pathless(aim: BoxedStrategy<Aim>) -> impl Strategy<Value = Value> {
    let op = prop_oneof![15 => select(&["add", "replace"][..]), 1 => Just("remove")];
    let value = vec((aim, any::<u8>()), 1..4).prop_map(|aims| {
        let members = aims.into_iter().map(|(aim, noise)| (spelled(&aim.path, noise), aim.value));
        Value::Object(members.collect())
    });
    let value = prop_oneof![12 => value, 1 => junk()];
    (op, value).prop_map(|(op, value)| json!({ "op": op, "value": value }))
}

fn body(aim: BoxedStrategy<Aim>) -> impl Strategy<Value = Value> {
    let operation = prop_oneof![
        45 => with_path(aim.clone()),
        14 => pathless(aim),
        1 => junk(),
    ];
    (vec(operation, 1..5), any::<u8>()).prop_map(|(operations, noise)| match noise {
        0..4 => json!({ "Operations": operations }),
        _ => patch(operations.into()),
    })
}

/// A PATCH body with these operations.
pub(crate) fn patch(operations: Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

/// What somebody might send to a user's address.
pub(crate) fn for_user() -> impl Strategy<Value = Value> {
    body(user_aim())
}

/// What somebody might send to a group's address.
pub(crate) fn for_group() -> impl Strategy<Value = Value> {
    body(group_aim())
}
