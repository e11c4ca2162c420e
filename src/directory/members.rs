//! What kafkaman adds to a SCIM User to make a member of a team.

use super::{Context, Failure};

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
/// transaction.
pub fn add(_context: &Context<'_>, _member: &NewMember<'_>) -> Result<String, Failure> {
    Err(super::Fault::new("the directory has no tables yet").into())
}
