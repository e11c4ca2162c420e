//! The audit log: what happened, who did it, to whom.
//!
//! Append-only, and written in the transaction of the change it is about: no
//! change without its record, no record without its change. It carries ids
//! and names of attributes, never a secret or a value. The Registry keeps the
//! operators' log in a table of the same shape.

use super::sql::SqlError;
use super::{Context, Timestamp};
use serde_json::Value;
use std::fmt;

/// Records on a page at most.
pub const PAGE_MAX: i64 = 200;

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An operator of the deployment, by name.
    Operator(String),
    /// A team admin, by member id.
    Admin(String),
    /// An identity provider, by the id of its SCIM API key.
    Key(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::Admin(id) => write!(f, "admin:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
        }
    }
}

/// What was done. The names are stored, so they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A team came to be.
    TeamCreated,
    /// An operator suspended a team.
    TeamSuspended,
    /// An operator let a team go on.
    TeamResumed,
    /// A team went, with all its data.
    TeamDeleted,
    /// An operator made a token for a team's admin.
    AdminTokenIssued,
    /// An SSO method was set.
    SsoConfigured,
    /// An SSO method was removed.
    SsoRemoved,
    /// SCIM was switched on.
    ScimEnabled,
    /// SCIM was switched off.
    ScimDisabled,
    /// SCIM is read strictly from now on.
    StrictModeEnabled,
    /// SCIM is read with its tolerances from now on.
    StrictModeDisabled,
    /// A schema of the team's own was registered or changed.
    SchemaRegistered,
    /// A schema of the team's own was removed.
    SchemaRemoved,
    /// A SCIM API key was made.
    KeyGenerated,
    /// A SCIM API key was replaced by a new one.
    KeyRegenerated,
    /// A SCIM API key was revoked.
    KeyRevoked,
    /// A provider added a member.
    MemberProvisioned,
    /// A provider changed a member.
    MemberUpdated,
    /// A member was suspended.
    MemberSuspended,
    /// A suspended member came back.
    MemberReactivated,
    /// A member was deleted.
    MemberDeleted,
    /// A provider took over a member who was added by hand.
    MemberAdopted,
    /// A group was added.
    GroupCreated,
    /// A group or its membership changed.
    GroupUpdated,
    /// A group was deleted.
    GroupDeleted,
    /// A request named attributes that no schema has; they were left out.
    AttributesIgnored,
    /// A request named members who are not in the team; they were left out.
    MembersUnknown,
}

impl Action {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::TeamCreated => "team.created",
            Self::TeamSuspended => "team.suspended",
            Self::TeamResumed => "team.resumed",
            Self::TeamDeleted => "team.deleted",
            Self::AdminTokenIssued => "admin_token.issued",
            Self::SsoConfigured => "sso.configured",
            Self::SsoRemoved => "sso.removed",
            Self::ScimEnabled => "scim.enabled",
            Self::ScimDisabled => "scim.disabled",
            Self::StrictModeEnabled => "scim.strict.enabled",
            Self::StrictModeDisabled => "scim.strict.disabled",
            Self::SchemaRegistered => "scim.schema.registered",
            Self::SchemaRemoved => "scim.schema.removed",
            Self::KeyGenerated => "scim.key.generated",
            Self::KeyRegenerated => "scim.key.regenerated",
            Self::KeyRevoked => "scim.key.revoked",
            Self::MemberProvisioned => "member.provisioned",
            Self::MemberUpdated => "member.updated",
            Self::MemberSuspended => "member.suspended",
            Self::MemberReactivated => "member.reactivated",
            Self::MemberDeleted => "member.deleted",
            Self::MemberAdopted => "member.adopted",
            Self::GroupCreated => "group.created",
            Self::GroupUpdated => "group.updated",
            Self::GroupDeleted => "group.deleted",
            Self::AttributesIgnored => "scim.attributes.ignored",
            Self::MembersUnknown => "scim.members.unknown",
        }
    }
}

/// Records an action in the caller's transaction. `subject` is the id of what
/// it was done to; `detail` an object of what else there is to say.
pub fn record(
    context: &Context<'_>,
    actor: &Actor,
    action: Action,
    subject: &str,
    detail: &Value,
) -> Result<(), SqlError> {
    context.sql.execute(
        "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)",
        &[
            context.now.0.into(),
            actor.to_string().into(),
            action.name().into(),
            subject.into(),
            detail.to_string().into(),
        ],
    )
}

/// One record.
#[derive(Debug)]
pub struct Record {
    /// Its number; later ones are higher.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it, as `kind:id`.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// The id of what it was done to.
    pub subject: String,
    /// What else there is to say.
    pub detail: Value,
}

/// The newest records before the one of this number, newest first.
pub fn page(
    context: &Context<'_>,
    before: Option<i64>,
    count: i64,
) -> Result<Vec<Record>, SqlError> {
    let before = before.unwrap_or(super::sql::INTEGER_MAX);
    context.sql.all(
        "SELECT seq, at, actor, action, subject, detail FROM audit
         WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        &[before.into(), count.clamp(0, PAGE_MAX).into()],
        |mut row| {
            Ok(Record {
                seq: row.integer()?,
                at: Timestamp(row.integer()?),
                actor: row.text()?,
                action: row.text()?,
                subject: row.text()?,
                detail: serde_json::from_str(&row.text()?).unwrap_or(Value::Null),
            })
        },
    )
}
