//! One member: what the provider sent, their groups, their history, and what an
//! admin may do.

use super::Outcome;
use super::page::{self, Frame};
use super::text;
use super::visit::Visit;
use crate::directory::audit::{self, Record};
use crate::directory::members::{self, Member, Role, Source, unrefused};
use crate::directory::membership::InGroup;
use crate::directory::problem::Problem;
use crate::directory::resource::{self, Kind};
use crate::directory::{render, rosters, sessions};
use crate::scim::project::Projection;
use askama::Template;
use serde_json::Value;

/// Records of a member's history that the page shows.
const HISTORY: i64 = 20;
/// Attributes that stand elsewhere on the page, or say nothing to a person.
const ELSEWHERE: [&str; 5] = ["schemas", "meta", "id", "groups", "active"];

#[derive(Template)]
#[template(path = "dashboard/member.html")]
struct Page {
    frame: Frame,
    member: Member,
    attributes: Vec<(String, String)>,
    groups: Vec<InGroup>,
    history: Vec<Record>,
    sessions: usize,
    scim_enabled: bool,
    is_self: bool,
}

pub(super) fn show(visit: &Visit<'_>) -> Outcome {
    let context = visit.context();
    let member = visit.member()?;
    let stored = resource::fetch(&context, Kind::User, &member.id).map_err(unrefused)?;
    let user = render::one(&context, &stored, &Projection::Default).map_err(unrefused)?;
    let mut attributes = Vec::new();
    flatten("", &serde_json::from_str(&user.text).unwrap_or_default(), &mut attributes);
    let query = audit::Query {
        before: None,
        action: "",
        actor: "",
        subject: &member.id,
        since: None,
        until: None,
        count: HISTORY,
    };
    page::shown(&Page {
        frame: Frame::of(visit, "members", &member.name)?,
        attributes,
        groups: rosters::groups_of(&context, &member)?,
        history: audit::page(&context, &query)?,
        sessions: sessions::list(&context, &member)?.len(),
        scim_enabled: visit.team.scim_enabled,
        is_self: member.id == visit.session.member.id,
        member,
    })
}

/// The attributes of a resource, one line each.
fn flatten(path: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if path.is_empty() && ELSEWHERE.contains(&name.as_str()) {
                    continue;
                }
                let separator = if path.contains(':') { ":" } else { "." };
                let inner =
                    if path.is_empty() { name.clone() } else { format!("{path}{separator}{name}") };
                flatten(&inner, value, lines);
            }
        }
        Value::Array(values) => {
            for value in values {
                let Value::Object(element) = value else {
                    flatten(path, value, lines);
                    continue;
                };
                let text = |name: &str| element.get(name).and_then(Value::as_str);
                match (text("value"), text("type")) {
                    (Some(value), Some(kind)) => {
                        lines.push((format!("{path} ({kind})"), value.into()))
                    }
                    (Some(value), None) => lines.push((path.to_owned(), value.to_owned())),
                    _ => flatten(path, value, lines),
                }
            }
        }
        Value::String(text) => lines.push((path.to_owned(), text.clone())),
        other => lines.push((path.to_owned(), other.to_string())),
    }
}

pub(super) fn set_role(visit: &Visit<'_>) -> Outcome {
    let role = Role::named(visit.form.get("role"));
    let role = role.ok_or_else(|| Problem::invalid("choose admin, billing or developer"))?;
    members::set_role(&visit.context(), &visit.actor(), visit.named(), role)?;
    visit.done(&format!("/members/{}", visit.named()), "role")
}

#[derive(Template)]
#[template(path = "dashboard/remove.html")]
struct Removal {
    frame: Frame,
    member: Member,
    groups: usize,
    scim_enabled: bool,
}

/// Asks before it happens, and says what will.
pub(super) fn ask_removal(visit: &Visit<'_>) -> Outcome {
    let member = visit.member()?;
    page::shown(&Removal {
        frame: Frame::of(visit, "members", "Remove member")?,
        groups: rosters::groups_of(&visit.context(), &member)?.len(),
        scim_enabled: visit.team.scim_enabled,
        member,
    })
}

pub(super) fn remove(visit: &Visit<'_>) -> Outcome {
    members::remove(&visit.context(), &visit.actor(), visit.named())?;
    visit.done("", "member-removed")
}

pub(super) fn sign_out(visit: &Visit<'_>) -> Outcome {
    members::sign_out(&visit.context(), &visit.actor(), visit.named())?;
    visit.done(&format!("/members/{}", visit.named()), "signed-out")
}

pub(super) fn reactivate(visit: &Visit<'_>) -> Outcome {
    let scim_enabled = visit.team.scim_enabled;
    members::reactivate(&visit.context(), &visit.actor(), scim_enabled, visit.named())?;
    visit.done(&format!("/members/{}", visit.named()), "reactivated")
}
