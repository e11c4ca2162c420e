//! PATCH, written down a second time and simply, for a part of it: attributes
//! of one value, `name`, and `emails` as a whole, by path and without filters.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// A name that somebody else has.
pub(crate) const TAKEN: &str = "Taken@example.com";
const SIMPLE: [&str; 6] = ["userName", "externalId", "displayName", "title", "active", "id"];

/// Why an operation has no result that the model tells.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// 400.
    Bad,
    /// The operation makes one address primary and names beside it, without a
    /// word on `primary`, the one that was. Here that mark should move, and the
    /// program leaves it.
    Disputed,
}

/// What a PATCH answers, and leaves.
pub(crate) fn predict(document: &Value, operations: &[Value]) -> Result<(u16, Value), Refusal> {
    let mut document = document.as_object().unwrap().clone();
    for operation in operations {
        match one(&mut document, operation) {
            Err(Refusal::Bad) => return Ok((400, Value::Null)),
            Err(disputed) => return Err(disputed),
            Ok(()) => {}
        }
    }
    let name = document["userName"].as_str().unwrap_or_default().to_lowercase();
    Ok(match name.trim() {
        "" => (400, Value::Null),
        _ if name == TAKEN.to_lowercase() => (409, Value::Null),
        _ => (200, Value::Object(document)),
    })
}

fn one(document: &mut Map<String, Value>, operation: &Value) -> Result<(), Refusal> {
    let (op, path) = (operation["op"].as_str().unwrap(), operation["path"].as_str().unwrap());
    let value = operation.get("value");
    if path == "id" || (op != "remove" && value.is_none()) {
        return Err(Refusal::Bad);
    }
    if path == "emails" {
        return emails(document, op, value);
    }
    if path == "name" && op != "remove" {
        let given = value.and_then(Value::as_object).ok_or(Refusal::Bad)?;
        let name = document.entry("name").or_insert_with(|| json!({}));
        name.as_object_mut().unwrap().extend(given.clone());
        return Ok(());
    }
    let nothing = json!("");
    let value = value.filter(|value| !value.is_null()).unwrap_or(&nothing);
    if op == "remove" || (op == "replace" && *value == "") {
        if path == "userName" {
            return Err(Refusal::Bad);
        }
        document.remove(path);
    } else if *value != "" {
        let fits = if path == "active" { value.is_boolean() } else { value.is_string() };
        if !fits {
            return Err(Refusal::Bad);
        }
        document.insert(path.to_owned(), value.clone());
    }
    Ok(())
}

fn emails(
    document: &mut Map<String, Value>,
    op: &str,
    value: Option<&Value>,
) -> Result<(), Refusal> {
    let given = value.and_then(Value::as_array).cloned().unwrap_or_default();
    let given = given.into_iter().fold(Vec::new(), |mut list: Vec<Value>, new| {
        if !list.iter().any(|old| is_same(old, &new)) {
            list.push(new);
        }
        list
    });
    let primary: Vec<&Value> = given.iter().filter(|own| own["primary"] == true).collect();
    if primary.len() > 1 {
        return Err(Refusal::Bad);
    }
    let present = document.remove("emails").unwrap_or_else(|| json!([]));
    let mut emails = present.as_array().unwrap().clone();
    match (op, value) {
        ("remove", None | Some(Value::Null)) => emails.clear(),
        ("remove", _) => emails.retain(|email| !given.iter().any(|own| says(email, own))),
        ("replace", _) => emails.clone_from(&given),
        _ => {
            let was = emails.iter().find(|email| email["primary"] == true);
            let mention = was.and_then(|was| given.iter().find(|own| is_same(own, was)));
            if !primary.is_empty() && mention.is_some_and(|own| own.get("primary").is_none()) {
                return Err(Refusal::Disputed);
            }
            for new in &given {
                match emails.iter_mut().find(|old| is_same(old, new)) {
                    Some(old) => {
                        let old = old.as_object_mut().unwrap();
                        old.extend(new.as_object().unwrap().clone());
                    }
                    None => emails.push(new.clone()),
                }
            }
            for email in &mut emails {
                let is_old = !primary.iter().any(|new| is_same(new, email));
                if !primary.is_empty() && is_old && email["primary"] == true {
                    email["primary"] = false.into();
                }
            }
        }
    }
    if !emails.is_empty() {
        document.insert("emails".to_owned(), emails.into());
    }
    Ok(())
}

/// RFC 7643 section 2.4: the same value and type are the same address.
fn is_same(one: &Value, other: &Value) -> bool {
    ["value", "type"].iter().all(|name| one.get(name) == other.get(name))
}

/// Whether an address has all that another names.
fn says(email: &Value, named: &Value) -> bool {
    named.as_object().unwrap().iter().all(|(name, value)| email.get(name) == Some(value))
}

fn email() -> impl Strategy<Value = Value> {
    let kind = weighted(0.7, select(&["work", "home"][..]));
    (select(&["a", "b", "c"][..]), kind, weighted(0.5, any::<bool>()), any::<bool>()).prop_map(
        |(value, kind, primary, is_named)| {
            let mut email = json!({ "value": format!("{value}@example.com") });
            if let Some(kind) = kind {
                email["type"] = kind.into();
            }
            if let Some(primary) = primary {
                email["primary"] = primary.into();
            }
            if is_named {
                email["display"] = kind.unwrap_or(value).into();
            }
            email
        },
    )
}

/// Operations that the model knows.
pub(crate) fn operations() -> impl Strategy<Value = Vec<Value>> {
    let texts = ["ada", "Ada", "Zoë", TAKEN].map(Value::from);
    let simple_value = prop_oneof![
        9 => select(texts.to_vec()),
        4 => any::<bool>().prop_map(Value::from),
        3 => select(vec![json!(null), json!(""), json!(" "), json!(7)]),
    ];
    let names = [
        json!({ "givenName": "Zoë" }),
        json!({ "familyName": "Meier", "middleName": "K" }),
        json!({ "givenName": "Ada", "familyName": "Byron" }),
        json!([]),
    ];
    let emails_value = prop_oneof![
        8 => vec(email(), 0..4).prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let simple = (select(&SIMPLE[..]), simple_value).boxed();
    let name = (Just("name"), select(names.to_vec())).boxed();
    let emails = (Just("emails"), emails_value).boxed();
    let op = select(&["add", "replace", "remove"][..]);
    let operation = (op, prop_oneof![3 => simple, 1 => name, 2 => emails], any::<u8>()).prop_map(
        |(op, (path, value), noise)| {
            // Only `emails` has elements that a removal could list.
            let is_bare = match op {
                "remove" => path != "emails" || noise < 100,
                _ => noise < 8,
            };
            match is_bare {
                true => json!({ "op": op, "path": path }),
                false => json!({ "op": op, "path": path, "value": value }),
            }
        },
    );
    vec(operation, 1..4)
}
