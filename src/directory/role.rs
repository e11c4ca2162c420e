//! Two words about a member: what they may do, and where they came from.

use serde::{Deserialize, Serialize};

/// What a member may do in the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs the team: people, keys, sign-in, settings.
    Admin,
    /// Sees invoices and seats.
    Billing,
    /// Works here; the role of everyone a provider adds unless the team says
    /// otherwise.
    Developer,
}

impl Role {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Admin, "admin"), (Self::Billing, "billing"), (Self::Developer, "developer")];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(own, _)| *own == self).map_or("", |(_, name)| name)
    }

    /// The role of this name; whoever has none works here.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(own, _)| *own)
    }
}

/// Where a member came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A provider manages them, whoever added them.
    Scim,
    /// They joined by single sign-on.
    Sso,
    /// An admin or an operator added them by hand.
    Team,
}

impl Source {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Scim, "scim"), (Self::Sso, "sso"), (Self::Team, "team")];

    /// The word that is shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(own, _)| *own == self).map_or("", |(_, name)| name)
    }

    /// The one of this word.
    pub(super) fn named(name: &str) -> Self {
        Self::ALL.iter().find(|(_, own)| *own == name).map_or(Self::Team, |(own, _)| *own)
    }
}
