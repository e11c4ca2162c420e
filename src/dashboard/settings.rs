//! What the team decides about itself, its own schemas, its service tokens.

use super::Outcome;
use super::page::{self, Frame};
use super::text;
use super::visit::Visit;
use crate::directory::extensions::{self, Extension, Registration, State};
use crate::directory::problem::Problem;
use crate::directory::seats;
use crate::directory::service_tokens::{self, ServiceToken};
use crate::directory::settings::{self, Settings};
use crate::scim::extension::Description;
use crate::scim::json;
use crate::web::answered::After;
use askama::Template;
use serde_json::{Map, Value};

/// The settings that are a number, by their names in the API, and how many of
/// the API's units the form's unit has.
const NUMBERS: [(&str, i64); 5] = [
    ("sessionIdleSeconds", 60),
    ("sessionLifetimeSeconds", 60),
    ("auditDays", 1),
    ("brakePercent", 1),
    ("brakeMembers", 1),
];

#[derive(Template)]
#[template(path = "dashboard/settings.html")]
struct Page<'a> {
    frame: Frame,
    settings: Settings,
    seats: i64,
    taken: i64,
    schemas: Vec<Extension>,
    tokens: Vec<ServiceToken>,
    secret: Option<String>,
    typed_urn: &'a str,
    typed_schema: &'a str,
}

pub(super) fn show(visit: &Visit<'_>) -> Outcome {
    shown(visit, None)
}

/// The page, with the secret of a new service token, which it shows once.
pub(super) fn shown(visit: &Visit<'_>, secret: Option<String>) -> Outcome {
    let context = visit.context();
    page::shown(&Page {
        frame: Frame::of(visit, "settings", "Settings")?,
        settings: settings::read(&context)?,
        seats: visit.team.seats,
        taken: seats::taken(&context)?,
        schemas: extensions::list(&context)?,
        tokens: service_tokens::list(&context)?,
        secret,
        typed_urn: visit.form.get("urn"),
        typed_schema: visit.form.get("schema"),
    })
}

pub(super) fn change(visit: &Visit<'_>) -> Outcome {
    let mut changes = Map::new();
    changes.insert("strictMode".into(), visit.form.has("strictMode").into());
    changes.insert("justInTime".into(), visit.form.has("justInTime").into());
    changes.insert("defaultRole".into(), visit.form.get("defaultRole").into());
    for (name, unit) in NUMBERS {
        let number = visit.form.get(name).parse::<i64>();
        let number = number.map_err(|_| Problem::invalid("every limit must be a whole number"))?;
        changes.insert(name.into(), number.saturating_mul(unit).into());
    }
    settings::change(&visit.context(), &visit.actor(), changes)?;
    visit.done("/settings", "settings")
}

/// Registers a schema whose attributes were pasted as JSON.
pub(super) fn register_schema(visit: &Visit<'_>) -> Outcome {
    let text = visit.form.get("schema").as_bytes();
    let object = json::parse_object(text).map_err(|error| Problem::invalid(error.detail()))?;
    let description: Description = serde_json::from_value(Value::Object(object))
        .map_err(|error| Problem::invalid(format!("the schema is not valid: {error}")))?;
    let registration = Registration {
        of_users: visit.form.has("ofUsers"),
        of_groups: visit.form.has("ofGroups"),
        description,
        indexed: visit.form.get("indexed").split_whitespace().map(str::to_owned).collect(),
    };
    if !registration.of_users && !registration.of_groups {
        return Err(Problem::invalid("choose users, groups or both").into());
    }
    extensions::put(&visit.context(), &visit.actor(), visit.form.get("urn"), &registration)?;
    visit.after.set(After::Upkeep);
    visit.done("/settings", "schema")
}

pub(super) fn remove_schema(visit: &Visit<'_>) -> Outcome {
    let purges = visit.form.get("data") == "purge";
    extensions::remove(&visit.context(), &visit.actor(), visit.form.get("urn"), purges)?;
    visit.after.set(After::Upkeep);
    visit.done("/settings", "schema-removed")
}
