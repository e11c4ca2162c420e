//! What a stored resource looks like to a client.
//!
//! A resource leaves as JSON text. By default that text is the stored
//! document with `id`, the derived attributes and `meta` around it, and is
//! never parsed; a projection, or a manager to resolve, takes the way over a
//! parsed object. Members are written row by row into the text, so that a
//! group of 100,000 needs no more memory than its answer.

use super::managers::managers_of;
use super::membership::{self, InGroup};
use super::resource::{Kind, Stored};
use super::{Context, Failure, Fault};
use crate::scim::project::Projection;
use crate::scim::schema::Attribute;
use crate::scim::urn;
use crate::scim::version::{Version, digest};
use serde_json::{Map, Value};

/// Bytes that there should be room for before a member is written.
const ROOM: usize = 4_096;

/// A resource as an answer shows it.
#[derive(Debug)]
pub struct Rendered {
    /// The JSON text.
    pub text: String,
    /// Its version, also in `meta.version`.
    pub version: Version,
    /// Its `meta.location`.
    pub location: String,
}

/// Renders one resource.
pub fn one(
    context: &Context<'_>,
    stored: &Stored,
    projection: &Projection<'_>,
) -> Result<Rendered, Failure> {
    let groups = match shows_groups(context, stored.kind, projection) {
        true => membership::groups_of_all(context, &[stored])?.remove(&stored.seq),
        false => None,
    };
    let manager = managers_of(context, &[stored])?.remove(&stored.seq);
    Ok(with_others(context, stored, projection, groups.unwrap_or_default(), manager)?)
}

/// The address and version of a resource whose body is not sent.
pub fn head(context: &Context<'_>, stored: &Stored) -> Rendered {
    Rendered {
        text: String::new(),
        version: Version { stored: stored.version, derived: None },
        location: location(context, stored.kind, &stored.id),
    }
}

/// Renders resources in order, each with its projection, until they come to
/// `bytes_max`; one at least, if there is one.
pub fn page(
    context: &Context<'_>,
    resources: &[(&Stored, &Projection<'_>)],
    bytes_max: usize,
) -> Result<Vec<String>, Failure> {
    let shows = |(stored, projection): &&(&Stored, &Projection<'_>)| {
        shows_groups(context, stored.kind, projection)
    };
    let shown: Vec<&Stored> = resources.iter().filter(shows).map(|(stored, _)| *stored).collect();
    let mut groups = membership::groups_of_all(context, &shown)?;
    let all: Vec<&Stored> = resources.iter().map(|(stored, _)| *stored).collect();
    let mut managers = managers_of(context, &all)?;
    let mut texts = Vec::with_capacity(resources.len());
    let mut bytes: usize = 0;
    for (stored, projection) in resources {
        let groups = groups.remove(&stored.seq).unwrap_or_default();
        let manager = managers.remove(&stored.seq);
        let text = with_others(context, stored, projection, groups, manager)?.text;
        bytes = bytes.saturating_add(text.len());
        texts.push(text);
        if bytes >= bytes_max {
            break;
        }
    }
    Ok(texts)
}

/// The address of a resource, built from our own settings and our own id.
pub fn location(context: &Context<'_>, kind: Kind, id: &str) -> String {
    [&context.deployment.base_url, "/scim/v2", kind.endpoint(), "/", id].concat()
}

/// `meta` as JSON text, RFC 7643 section 3.1. Nothing in it needs escaping.
pub fn meta(stored: &Stored, location: &str, version: Version) -> String {
    [
        "{\"resourceType\":\"",
        stored.kind.name(),
        "\",\"created\":\"",
        &stored.created.to_string(),
        "\",\"lastModified\":\"",
        &stored.modified.to_string(),
        "\",\"location\":\"",
        location,
        "\",\"version\":\"W/\\\"",
        &version.opaque(),
        "\\\"\"}",
    ]
    .concat()
}

/// The value of `groups` of a User as JSON text; `None` if it is in none.
pub fn groups(context: &Context<'_>, groups: &[InGroup]) -> Option<String> {
    if groups.is_empty() {
        return None;
    }
    let address = location(context, Kind::Group, "");
    let mut text = String::from("[");
    for group in groups {
        if text.len() > 1 {
            text.push(',');
        }
        let kind = if group.direct { "direct" } else { "indirect" };
        push_reference(&mut text, &address, (&group.id, kind, &group.display), [true; 4]);
    }
    text.push(']');
    Some(text)
}

/// JSON text of ours as a value, for the few who look into it.
///
/// # Errors
/// A fault if it is none.
pub fn value(text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::new(error.to_string()))
}

/// Writes what refers to another resource, as far as its sub-attributes are shown:
/// `value`, `$ref`, `type` and `display`. Only the last can need escaping.
fn push_reference(
    text: &mut String,
    address: &str,
    (id, kind, display): (&str, &str, &str),
    [shows_value, shows_ref, shows_type, shows_display]: [bool; 4],
) {
    let plain = [
        (shows_value, "\"value\":\"", ["", id]),
        (shows_ref, "\"$ref\":\"", [address, id]),
        (shows_type, "\"type\":\"", ["", kind]),
    ];
    let mut separator = "{";
    for (_, name, [before, after]) in plain.into_iter().filter(|(is_shown, ..)| *is_shown) {
        push_all(text, [separator, name, before, after, "\""]);
        separator = ",";
    }
    if shows_display {
        push_all(text, [separator, "\"display\":"]);
        push_string(text, display);
        separator = ",";
    }
    text.push_str(if separator == "{" { "{}" } else { "}" });
}

fn push_all<const N: usize>(text: &mut String, parts: [&str; N]) {
    for part in parts {
        text.push_str(part);
    }
}

fn push_string(text: &mut String, value: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if value.bytes().all(is_plain) {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        text.push_str(&Value::from(value).to_string());
    }
}

fn shows_groups(context: &Context<'_>, kind: Kind, projection: &Projection<'_>) -> bool {
    kind == Kind::User && projection.shows(context.resource_type(kind), "groups")
}

/// A resource with what others are to it: groups, members, a manager.
fn with_others(
    context: &Context<'_>,
    stored: &Stored,
    projection: &Projection<'_>,
    groups: Vec<InGroup>,
    manager: Option<Value>,
) -> Result<Rendered, Fault> {
    let groups = self::groups(context, &groups);
    let members = match stored.kind {
        Kind::Group => members_text(context, stored, projection)?,
        Kind::User => None,
    };
    // A schema that comes or goes changes what an unchanged resource shows.
    let schemas = context.schemas.version;
    let derived = [
        groups.as_deref().unwrap_or_default(),
        members.as_deref().unwrap_or_default(),
        &manager.as_ref().map(Value::to_string).unwrap_or_default(),
        &if schemas > 0 { format!("schemas {schemas}") } else { String::new() },
    ];
    let is_derived = derived.iter().any(|part| !part.is_empty());
    let version = Version { stored: stored.version, derived: is_derived.then(|| digest(&derived)) };
    let location = location(context, stored.kind, &stored.id);
    let meta = meta(stored, &location, version);
    let has_on_request = context.resource_type(stored.kind).has_on_request();
    let text = if projection.is_chosen() || manager.is_some() || has_on_request {
        projected(context, stored, projection, manager, groups, members, &meta)?
    } else {
        spliced(stored, groups, members, &meta)
    };
    Ok(Rendered { text, version, location })
}

/// The stored text with the rest around it: around the members of a group in their own
/// place, since there may be 16 MiB of them.
fn spliced(stored: &Stored, groups: Option<String>, members: Option<String>, meta: &str) -> String {
    let inner = stored.document.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let inner = inner.unwrap_or_default();
    let name = if members.is_some() { ",\"members\":" } else { ",\"groups\":" };
    let derived = members.or(groups);
    let mut head =
        String::with_capacity(inner.len().saturating_add(meta.len()).saturating_add(128));
    for part in ["{\"id\":\"", &stored.id, "\",", inner] {
        head.push_str(part);
    }
    let mut text = match derived {
        None => head,
        Some(mut derived) => {
            head.push_str(name);
            derived.insert_str(0, &head);
            derived
        }
    };
    for part in [",\"meta\":", meta, "}"] {
        text.push_str(part);
    }
    text
}

fn projected(
    context: &Context<'_>,
    stored: &Stored,
    projection: &Projection<'_>,
    manager: Option<Value>,
    groups: Option<String>,
    members: Option<String>,
    meta: &str,
) -> Result<String, Fault> {
    let mut resource = Map::new();
    resource.insert("id".into(), stored.id.as_str().into());
    resource.extend(stored.parse()?);
    if let (Some(manager), Some(Value::Object(enterprise))) =
        (manager, resource.get_mut(urn::ENTERPRISE_USER))
    {
        enterprise.insert("manager".into(), manager);
    }
    if let Some(groups) = groups {
        resource.insert("groups".into(), value(&groups)?);
    }
    resource.insert("meta".into(), value(meta)?);
    let resource = projection.apply(context.resource_type(stored.kind), resource);
    let mut text = Value::Object(resource).to_string();
    if let Some(members) = members {
        // `id` is always there, so that a comma is always right.
        text.pop();
        text.push_str(",\"members\":");
        text.push_str(&members);
        text.push('}');
    }
    Ok(text)
}

/// The members of a group as a JSON array, with the sub-attributes that the
/// projection shows. `None` if there is none (an empty attribute is absent,
/// RFC 7643 section 2.5), or if none is to be shown: then no row is read.
fn members_text(
    context: &Context<'_>,
    stored: &Stored,
    projection: &Projection<'_>,
) -> Result<Option<String>, Fault> {
    let group = context.resource_type(Kind::Group);
    let Some(attribute) = group.attribute("members") else { return Ok(None) };
    if !projection.shows(group, "members") {
        return Ok(None);
    }
    let shown = |sub: &str| shows_sub(projection, attribute, sub);
    let shown = [shown("value"), shown("$ref"), shown("type"), shown("display")];
    let (users, groups) = (location(context, Kind::User, ""), location(context, Kind::Group, ""));
    let mut text = String::from("[");
    membership::each_member(context, stored.seq, &mut |member| {
        if text.len() > 1 {
            text.push(',');
        }
        // By a quarter, not twice over: both the old and the new are in memory meanwhile.
        if text.capacity().saturating_sub(text.len()) < ROOM {
            text.reserve_exact((text.len() / 4).saturating_add(ROOM));
        }
        let address = match member.kind {
            Kind::User => &users,
            Kind::Group => &groups,
        };
        let parts = (member.id.as_str(), member.kind.name(), member.display.as_str());
        push_reference(&mut text, address, parts, shown);
    })?;
    text.push(']');
    Ok((text != "[]").then_some(text))
}

/// Whether the projection shows this sub-attribute of a shown attribute.
fn shows_sub(projection: &Projection<'_>, attribute: &Attribute, sub: &str) -> bool {
    use crate::scim::path::Target;
    let named = |targets: &[Target<'_>], sub: &str| {
        targets.iter().any(|target| match target {
            Target::Attribute(path) => path.is(&attribute.name, sub),
            _ => false,
        })
    };
    match projection {
        Projection::Default => true,
        Projection::Without(targets) => !named(targets, sub),
        Projection::Only(targets) => {
            let parts = attribute.sub_attributes.iter().any(|own| named(targets, &own.name));
            named(targets, "") || !parts || named(targets, sub)
        }
    }
}
