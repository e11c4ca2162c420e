//! What is parsed and printed parses to the same again: filters and paths.
//!
//! Random filters over every attribute there is, each written twice: as the
//! printer should write it, and as a careless client might (other case, former
//! and redundant URNs, escapes, spaces and parentheses to spare or to be
//! missed). Both must be one tree. Out of scope: what a filter matches, which
//! `tests/filter.rs` pins and `tests/plan_agrees.rs` compares.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use kafkaman_scim::scim::filter;
use kafkaman_scim::scim::path::{self, Target};
use kafkaman_scim::scim::schema::{self, Attribute, ResourceType, Returned, Type};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// Bytes and comparisons that a filter may have.
const BYTES_MAX: usize = 4096;
const TERMS_MAX: usize = 64;

/// An attribute or sub-attribute, as a path names it.
#[derive(Clone, Debug)]
struct Named {
    /// As the printer writes it.
    canonical: String,
    /// Other ways to write it, in any case.
    spellings: Vec<String>,
    attribute: Attribute,
}

impl Named {
    fn spelled(&self, noise: u64) -> String {
        mixed_case(&self.spellings[noise as usize % self.spellings.len()], noise >> 8)
    }

    fn dot(&self, sub: &Attribute) -> Self {
        let dotted = |path: &String| format!("{path}.{}", sub.name);
        Self {
            canonical: dotted(&self.canonical),
            spellings: self.spellings.iter().map(dotted).collect(),
            attribute: sub.clone(),
        }
    }
}

/// Every attribute of the type, without their sub-attributes.
fn attributes(kind: &ResourceType) -> Vec<Named> {
    let named = |attribute: &Attribute, canonical: &str, prefixes: &[&str]| {
        let spelled = |prefix: &&str| format!("{prefix}{}", attribute.name);
        let canonical = format!("{canonical}{}", attribute.name);
        let spellings = prefixes.iter().map(spelled).collect();
        Named { canonical, spellings, attribute: attribute.clone() }
    };
    let core = format!("{}:", kind.core.id);
    let plain = kind
        .plain_attributes()
        .map(|attribute| named(attribute, "", &["", &core, "urn:scim:schemas:core:1.0:"]));
    let extended = kind.extensions.iter().flat_map(|schema| {
        let prefix = format!("{}:", schema.id);
        let prefixes = match schema.id.contains(":enterprise:") {
            true => vec![prefix.as_str(), "urn:scim:schemas:extension:enterprise:1.0:"],
            false => vec![prefix.as_str()],
        };
        schema.attributes.iter().map(|own| named(own, &prefix, &prefixes)).collect::<Vec<_>>()
    });
    plain.chain(extended).filter(|own| own.attribute.returned != Returned::Never).collect()
}

/// The attributes and all that is below them.
fn all_paths(kind: &ResourceType) -> Vec<Named> {
    let below = |own: &Named| own.attribute.sub_attributes.iter().map(|sub| own.dot(sub)).collect();
    let attributes = attributes(kind);
    let subs: Vec<Named> = attributes.iter().flat_map::<Vec<_>, _>(below).collect();
    [attributes, subs].concat()
}

/// Letters in upper or lower case, as the bits say.
fn mixed_case(text: &str, bits: u64) -> String {
    let one = |(index, c): (usize, char)| match bits >> (index % 56) & 1 {
        0 => c,
        _ if c.is_ascii_lowercase() => c.to_ascii_uppercase(),
        _ => c.to_ascii_lowercase(),
    };
    text.chars().enumerate().map(one).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    And,
    Or,
    Other,
}

/// A filter, written twice.
#[derive(Clone, Debug)]
struct Written {
    canonical: String,
    careless: String,
    shape: Shape,
    terms: usize,
}

impl Written {
    fn other(canonical: String, careless: String, terms: usize) -> Self {
        Self { canonical, careless, shape: Shape::Other, terms }
    }
}

fn spaces(noise: u64) -> &'static str {
    ["", " ", "  ", "\t", "\n "][noise as usize % 5]
}

fn characters() -> impl Strategy<Value = String> {
    let special = select(&['"', '\\', '/', '(', ']', ' ', '\0', '\n', 'ß', 'İ', '%', '.'][..]);
    let one = prop_oneof![any::<char>(), special, proptest::char::range('a', 'e')];
    proptest::collection::vec(one, 0..7).prop_map(String::from_iter)
}

/// A text as JSON has it, and the same with needless escapes.
fn quoted(text: &str, noise: u64) -> (String, String) {
    let mut careless = String::from("\"");
    for (index, c) in text.chars().enumerate() {
        let mut units = [0; 2];
        if c == '/' {
            careless.push_str("\\/");
        } else if noise >> (index % 64) & 1 == 1 || c.is_control() || c == '"' || c == '\\' {
            for unit in c.encode_utf16(&mut units) {
                careless.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            careless.push(c);
        }
    }
    careless.push('"');
    (Value::from(text).to_string(), careless)
}

/// A date in UTC to the millisecond, and the same instant otherwise. No offset
/// leads out of the years of four digits, which are all that a dateTime has.
fn date(noise: u64) -> (String, String) {
    let part = |shift: u32, values: u64| (noise >> shift) % values;
    let (month, day, hour) = (part(0, 12) + 1, part(8, 28) + 1, part(16, 16) + 4);
    let (minute, second) = (part(24, 60), part(32, 60));
    let day = format!("{:04}-{month:02}-{day:02}", 1 + part(6, 9999));
    let millis = if part(44, 2) == 0 { 0 } else { part(40, 1000) };
    let canonical = format!("\"{day}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z\"");
    let fraction = match millis {
        0 => String::new(),
        _ => format!(".{millis:03}{}", ["", "9", "99999"][part(50, 3) as usize]),
    };
    let (offset, zone) =
        [(0, "Z"), (0, ""), (0, "-00:00"), (4, "+04:00"), (-4, "-04:00")][part(52, 5) as usize];
    let hour = hour as i64 + offset;
    (canonical, format!("\"{day}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}\""))
}

/// `pr`, or a comparison that the attribute's type has.
fn comparison(named: &Named, text: &str, noise: [u64; 4]) -> Written {
    let (canonical, careless) = (&named.canonical, named.spelled(noise[0]));
    let word = |operator: &str| mixed_case(operator, noise[1] >> 16);
    let [first, second, third] = [1, 2, 3].map(|shift| spaces(noise[2] >> (8 * shift)));
    let leaf = match (named.attribute.kind, named.attribute.sub("value")) {
        (Type::Complex, Some(value)) => value,
        _ => &named.attribute,
    };
    let operators: &[&str] = match leaf.kind {
        Type::Complex => &["pr"],
        Type::Boolean => &["pr", "eq", "ne"],
        Type::Binary => &["pr", "eq", "ne", "co", "sw", "ew"],
        Type::Integer | Type::Decimal => &["pr", "eq", "ne", "gt", "ge", "lt", "le"],
        Type::String | Type::Reference | Type::DateTime => {
            &["pr", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
        }
    };
    let operator = operators[noise[1] as usize % operators.len()];
    let printed = word(operator);
    if operator == "pr" {
        let careless = format!("{first}{careless} {second}{printed}{third}");
        return Written::other(format!("{canonical} pr"), careless, 1);
    }
    let is_time = leaf.kind == Type::DateTime && !["co", "sw", "ew"].contains(&operator);
    let (literal, careless_literal) = match leaf.kind {
        _ if ["eq", "ne"].contains(&operator) && noise[3].is_multiple_of(8) => {
            ("null".to_owned(), format!(" {}", mixed_case("null", noise[3] >> 3)))
        }
        Type::Boolean => {
            let value = (noise[3] >> 3 & 1 == 1).to_string();
            let mixed = mixed_case(&value, noise[3] >> 5);
            let quoted = if noise[3] >> 4 & 1 == 1 { format!("\"{mixed}\"") } else { mixed };
            (value, format!(" {quoted}"))
        }
        Type::Integer | Type::Decimal => {
            let number = (noise[3] % 2001) as i64 - 1000;
            (number.to_string(), format!(" {number}"))
        }
        _ if is_time => date(noise[3]),
        _ => quoted(text, noise[3]),
    };
    let canonical = match named.attribute.kind {
        Type::Complex => format!("{canonical}.value {operator} {literal}"),
        _ => format!("{canonical} {operator} {literal}"),
    };
    let careless = format!("{first}{careless} {second}{printed}{third}{careless_literal}");
    Written::other(canonical, careless, 1)
}

fn comparisons(named: Vec<Named>) -> BoxedStrategy<Written> {
    (select(named), characters(), any::<[u64; 4]>())
        .prop_map(|(named, text, noise)| comparison(&named, &text, noise))
        .boxed()
}

fn joined(word: &str, shape: Shape, terms: &[Written], noise: u64) -> Written {
    let parenthesised = |term: &Written| match term.shape {
        Shape::Other => term.canonical.clone(),
        _ => format!("({})", term.canonical),
    };
    let careless = |(index, term): (usize, &Written)| {
        let may_go_without =
            term.shape == Shape::Other || (term.shape, shape) == (Shape::And, Shape::Or);
        let (inner, space) = (&term.careless, spaces(noise >> (8 * (index % 7))));
        match may_go_without && noise >> (index % 64) & 1 == 1 {
            true => format!(" {inner} "),
            false => format!("{space}({inner}{space})"),
        }
    };
    let canonical: Vec<_> = terms.iter().map(parenthesised).collect();
    let careless: Vec<_> = terms.iter().enumerate().map(careless).collect();
    Written {
        canonical: canonical.join(&format!(" {word} ")),
        // A parenthesis ends a word, so that no space is needed beside one.
        careless: careless.join(&mixed_case(word, noise >> 8)),
        shape,
        terms: terms.iter().map(|term| term.terms).sum(),
    }
}

fn expression(atoms: BoxedStrategy<Written>, depth: u32, size: u32) -> BoxedStrategy<Written> {
    let grown = atoms.prop_recursive(depth, size, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            (several.clone(), any::<u64>()).prop_map(|(t, n)| joined("and", Shape::And, &t, n)),
            (several, any::<u64>()).prop_map(|(t, n)| joined("or", Shape::Or, &t, n)),
            (inner, any::<u64>()).prop_map(|(term, noise)| Written::other(
                format!("not ({})", term.canonical),
                format!("{}{}({})", mixed_case("not", noise), spaces(noise >> 8), term.careless),
                term.terms,
            )),
        ]
    });
    grown.boxed()
}

/// `emails[type eq "work"]`, and `emails[type eq "work"].value eq "x"`, which
/// stands for one element that is both.
fn element(outer: Named) -> BoxedStrategy<Written> {
    let inner_name = |sub: &Attribute| Named {
        canonical: sub.name.clone(),
        spellings: vec![sub.name.clone()],
        attribute: sub.clone(),
    };
    let subs: Vec<Named> = outer.attribute.sub_attributes.iter().map(inner_name).collect();
    let further = proptest::option::of(comparisons(subs.clone()));
    (expression(comparisons(subs), 2, 4), further, any::<u64>())
        .prop_map(move |(inner, further, noise)| {
            let (name, space) = (outer.spelled(noise), spaces(noise >> 32));
            let begun = format!("{name}[{space}{}{space}]", inner.careless);
            let Some(further) = further else {
                let canonical = format!("{}[{}]", outer.canonical, inner.canonical);
                return Written::other(canonical, begun, inner.terms);
            };
            let both = joined("and", Shape::And, &[inner, further.clone()], 0);
            Written::other(
                format!("{}[{}]", outer.canonical, both.canonical),
                format!("{begun}.{}", further.careless.trim_start()),
                both.terms,
            )
        })
        .boxed()
}

fn any_filter(kind: &ResourceType) -> BoxedStrategy<Written> {
    let complex: Vec<Named> =
        attributes(kind).into_iter().filter(|own| own.attribute.kind == Type::Complex).collect();
    let atoms = prop_oneof![
        3 => comparisons(all_paths(kind)),
        1 => select(complex).prop_flat_map(element),
    ];
    expression(atoms.boxed(), 4, 10)
}

fn same_again(kind: &ResourceType, text: &str) -> Result<(), TestCaseError> {
    let Ok(parsed) = filter::parse(kind, text) else { return Ok(()) };
    let printed = parsed.to_string();
    let again = filter::parse(kind, &printed);
    prop_assert_eq!(again.as_ref(), Ok(&parsed), "{} prints as {}", text, printed);
    Ok(())
}

fn filter_holds(kind: &ResourceType, filter: &Written, at: usize) -> Result<(), TestCaseError> {
    let Written { canonical, careless, terms, .. } = filter;
    prop_assume!(canonical.len() <= BYTES_MAX && careless.len() <= BYTES_MAX);
    prop_assume!(*terms <= TERMS_MAX);
    let parsed = filter::parse(kind, careless)
        .map_err(|error| TestCaseError::fail(format!("{careless}: {error}")))?;
    prop_assert_eq!(&parsed.to_string(), canonical, "{} prints otherwise", careless);
    let again = filter::parse(kind, canonical);
    prop_assert_eq!(again.as_ref(), Ok(&parsed), "{} is another tree", canonical);
    // Whatever else parses by chance must come back too.
    let mut torn: Vec<char> = careless.chars().collect();
    torn.remove(at % torn.len());
    same_again(kind, &String::from_iter(torn))
}

/// A path, spelled by a client and torn by chance, against the printed one.
fn path_holds(
    kind: &ResourceType,
    named: &Named,
    noise: u64,
    at: usize,
) -> Result<(), TestCaseError> {
    let spelled = named.spelled(noise);
    let found = path::resolve(kind, &spelled);
    let Ok(Target::Attribute(path)) = found else {
        return Err(TestCaseError::fail(format!("{spelled} is {found:?}")));
    };
    prop_assert_eq!(&path.to_string(), &named.canonical, "{} prints otherwise", spelled);
    prop_assert_eq!(&path.leaf().name, &named.attribute.name);
    prop_assert_eq!(path::resolve(kind, &named.canonical), found, "{}", spelled);
    let mut torn: Vec<char> = spelled.chars().collect();
    torn.remove(at % torn.len());
    let torn = String::from_iter(torn);
    if let Ok(Target::Attribute(path)) = path::resolve(kind, &torn) {
        let again = path::resolve(kind, &path.to_string());
        prop_assert_eq!(again, Ok(Target::Attribute(path)), "{}", torn);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn filters_on_users(filter in any_filter(schema::user()), at in any::<usize>()) {
        filter_holds(schema::user(), &filter, at)?;
    }

    #[test]
    fn filters_on_groups(filter in any_filter(schema::group()), at in any::<usize>()) {
        filter_holds(schema::group(), &filter, at)?;
    }

    #[test]
    fn paths(
        user in select(all_paths(schema::user())),
        group in select(all_paths(schema::group())),
        noise in any::<u64>(),
        at in any::<usize>(),
    ) {
        path_holds(schema::user(), &user, noise, at)?;
        path_holds(schema::group(), &group, noise, at)?;
    }

    #[test]
    fn urns(noise in any::<u64>()) {
        let user = schema::user();
        let core = [user.core.id.as_str(), "urn:scim:schemas:core:1.0"];
        let core = mixed_case(core[noise as usize % 2], noise >> 8);
        prop_assert_eq!(path::resolve(user, &core), Ok(Target::Core));
        for schema in &user.extensions {
            let found = path::resolve(user, &mixed_case(&schema.id, noise));
            prop_assert_eq!(found, Ok(Target::Extension(schema)));
        }
    }
}
