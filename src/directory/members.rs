//! What kafkaman adds to a SCIM User to make a member of a team.

use super::change::with_schemas;
use super::resource::{self, Kind};
use super::{Context, Failure, Fault};
use crate::scim::ingest;
use serde_json::{Value, json};

/// What a member may do in the team. Nothing in a SCIM body ever grants one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs the team: people, keys, sign-in, settings.
    Admin,
    /// Sees invoices and seats.
    Billing,
    /// Works here; the role of everyone a provider adds.
    Developer,
}

impl Role {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Billing => "billing",
            Self::Developer => "developer",
        }
    }
}

/// A person added by the operator or an admin, not by a provider.
#[derive(Debug)]
pub struct NewMember<'a> {
    /// The person's name as shown.
    pub name: &'a str,
    /// Their address, which is their `userName` too.
    pub email: &'a str,
    /// What they may do.
    pub role: Role,
}

/// Adds a member by hand; returns their SCIM `id`. Runs in the caller's
/// transaction. A provider finds the member by `userName` and manages them
/// from its first write on; the role stays.
///
/// # Errors
/// 400 for a name or address that no User may have, 409 if it is taken.
pub fn add(context: &Context<'_>, member: &NewMember<'_>) -> Result<String, Failure> {
    let user = context.resource_type(Kind::User);
    let body = json!({
        "schemas": [user.core.id],
        "userName": member.email,
        "displayName": member.name,
        "active": true,
        "emails": [{ "value": member.email, "type": "work", "primary": true }],
    });
    let Value::Object(body) = body else { return Err(Fault::new("a literal object").into()) };
    let document = with_schemas(user, ingest::resource(user, body)?.document);
    let role = Some(member.role.as_str());
    Ok(resource::insert(context, Kind::User, &document, "team", role)?.id)
}
