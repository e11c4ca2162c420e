//! The audit log: what happened, who did it, to whom.
//!
//! Append-only, and written in the transaction of the change it is about: no
//! change without its record, no record without its change. It says what
//! attributes were and are, never a secret: those are in no document. The
//! Registry keeps the operators' log in a table of the same shape.

use super::sql::{SqlError, Value as Sql};
use super::{Context, Timestamp};
use crate::scim::error::shorten;
use crate::scim::{Error, ScimType};
use serde_json::{Map, Value, json};
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
    /// A member, by their id.
    Member(String),
    /// One of kafkaman's services, by the id of its token.
    Service(String),
    /// Nobody: an alarm.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::Admin(id) => write!(f, "admin:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Member(id) => write!(f, "member:{id}"),
            Self::Service(id) => write!(f, "service:{id}"),
            Self::System => f.write_str("system"),
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
    /// An operator set a team's seats.
    SeatsSet,
    /// An operator set how much a team's provider may ask.
    RateSet,
    /// A team went, with all its data.
    TeamDeleted,
    /// An operator began to export a team.
    TeamExported,
    /// A team was imported, with all its data.
    TeamImported,
    /// An operator made a token for a team's admin.
    AdminTokenIssued,
    /// An operator made a link that makes someone admin.
    BreakGlassIssued,
    /// Such a link was used: the subject is an admin now.
    BreakGlassUsed,
    /// An SSO method was set.
    SsoConfigured,
    /// An SSO method was removed.
    SsoRemoved,
    /// A sign-in through the provider was refused.
    SignInRefused,
    /// A provider's name for a person was tied to a member.
    SignInPinned,
    /// Such ties were undone, by an admin.
    PinsReset,
    /// A provider ended a member's sessions.
    SignedOutByProvider,
    /// A member or a service ended a session; a change of how people sign in ended
    /// several.
    SessionEnded,
    /// SCIM was switched on.
    ScimEnabled,
    /// SCIM was switched off.
    ScimDisabled,
    /// Settings of the team were changed.
    SettingsChanged,
    /// A schema of the team's own was registered or changed.
    SchemaRegistered,
    /// A schema of the team's own was removed.
    SchemaRemoved,
    /// A SCIM API key was made.
    KeyGenerated,
    /// A SCIM API key was replaced by a new one.
    KeyRegenerated,
    /// A SCIM API key is about to end.
    KeyExpiring,
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
    /// An admin removed a member.
    MemberRemoved,
    /// An admin added a member by hand.
    MemberAdded,
    /// A member left on their own.
    MemberLeft,
    /// An admin changed a member's role.
    MemberRoleChanged,
    /// An admin ended all sessions of a member.
    MemberSignedOut,
    /// A member signed in.
    SignedIn,
    /// A token for one of kafkaman's services was made.
    ServiceTokenIssued,
    /// One was revoked.
    ServiceTokenRevoked,
    /// Someone who was deleted was restored.
    MemberRestored,
    /// A provider suspended or deleted many within an hour.
    BrakeRaised,
    /// An admin said that this was meant.
    BrakeConfirmed,
    /// An admin restored people.
    BrakeUndone,
    /// A group was added.
    GroupCreated,
    /// A group or its membership changed.
    GroupUpdated,
    /// A group was deleted.
    GroupDeleted,
    /// What a provider asked for was refused.
    ProvisioningProblem,
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
            Self::SeatsSet => "team.seats.set",
            Self::RateSet => "team.rate.set",
            Self::TeamDeleted => "team.deleted",
            Self::TeamExported => "team.exported",
            Self::TeamImported => "team.imported",
            Self::AdminTokenIssued => "admin_token.issued",
            Self::BreakGlassIssued => "break_glass.issued",
            Self::BreakGlassUsed => "break_glass.used",
            Self::SsoConfigured => "sso.configured",
            Self::SsoRemoved => "sso.removed",
            Self::SignInRefused => "sign_in.refused",
            Self::SignInPinned => "sign_in.pinned",
            Self::PinsReset => "sign_in.pins.reset",
            Self::SignedOutByProvider => "session.ended_by_provider",
            Self::SessionEnded => "session.ended",
            Self::ScimEnabled => "scim.enabled",
            Self::ScimDisabled => "scim.disabled",
            Self::SettingsChanged => "settings.changed",
            Self::SchemaRegistered => "scim.schema.registered",
            Self::SchemaRemoved => "scim.schema.removed",
            Self::KeyGenerated => "scim.key.generated",
            Self::KeyRegenerated => "scim.key.regenerated",
            Self::KeyExpiring => "scim.key.expiring",
            Self::KeyRevoked => "scim.key.revoked",
            Self::MemberProvisioned => "member.provisioned",
            Self::MemberUpdated => "member.updated",
            Self::MemberSuspended => "member.suspended",
            Self::MemberReactivated => "member.reactivated",
            Self::MemberDeleted => "member.deleted",
            Self::MemberAdopted => "member.adopted",
            Self::MemberRemoved => "member.removed",
            Self::MemberAdded => "member.added",
            Self::MemberLeft => "member.left",
            Self::MemberRoleChanged => "member.role.changed",
            Self::MemberSignedOut => "member.signed_out",
            Self::SignedIn => "session.opened",
            Self::ServiceTokenIssued => "service_token.issued",
            Self::ServiceTokenRevoked => "service_token.revoked",
            Self::MemberRestored => "member.restored",
            Self::BrakeRaised => "brake.raised",
            Self::BrakeConfirmed => "brake.confirmed",
            Self::BrakeUndone => "brake.undone",
            Self::GroupCreated => "group.created",
            Self::GroupUpdated => "group.updated",
            Self::GroupDeleted => "group.deleted",
            Self::ProvisioningProblem => "scim.problem",
            Self::AttributesIgnored => "scim.attributes.ignored",
            Self::MembersUnknown => "scim.members.unknown",
        }
    }
}

/// Characters of a refusal that the log shows.
const REASON_CHARS_MAX: usize = 500;
/// Characters of a value that the log shows.
const VALUE_CHARS_MAX: usize = 200;

/// What changed from one object to another: each attribute's value before and
/// after, cut to what a reader can take in.
pub(super) fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Value {
    let names = after.keys().chain(before.keys().filter(|name| !after.contains_key(*name)));
    let differ = names.filter(|name| before.get(*name) != after.get(*name));
    let shown = |value: Option<&Value>| match value {
        None => Value::Null,
        Some(value) => shortened(value),
    };
    let change = |name: &String| {
        let change = json!({ "from": shown(before.get(name)), "to": shown(after.get(name)) });
        (name.clone(), change)
    };
    Value::Object(differ.map(change).collect())
}

fn shortened(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
        short => return short.clone(),
    };
    if text.chars().count() <= VALUE_CHARS_MAX {
        return value.clone();
    }
    let mut cut: String = text.chars().take(VALUE_CHARS_MAX).collect();
    cut.push('…');
    cut.into()
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
        "INSERT INTO audit (at, actor, action, subject, detail, client, ip, request)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            context.now.0.into(),
            actor.to_string().into(),
            action.name().into(),
            subject.into(),
            detail.to_string().into(),
            context.origin.client.as_str().into(),
            context.origin.ip.as_str().into(),
            context.origin.request_id.as_str().into(),
        ],
    )
}

/// Records that a provider's change was refused, and why: what an admin looks
/// for who wonders where a person is. `asked` is the method and path.
pub fn problem(
    context: &Context<'_>,
    actor: &Actor,
    asked: &str,
    error: &Error,
) -> Result<(), SqlError> {
    let detail = json!({
        "asked": shorten(asked),
        "status": error.status(),
        "scimType": error.scim_type().map(ScimType::keyword),
        "reason": error.detail().chars().take(REASON_CHARS_MAX).collect::<String>(),
    });
    record(context, actor, Action::ProvisioningProblem, "", &detail)
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
    /// The client's name for itself.
    pub client: String,
    /// The client's address.
    pub ip: String,
    /// The request's id in the log.
    pub request_id: String,
}

/// Which records to read. What is empty excludes none.
#[derive(Clone, Debug, Default)]
pub struct Query<'q> {
    /// Records before the one of this number.
    pub before: Option<i64>,
    /// Of this action, or of those that begin with it and a dot.
    pub action: &'q str,
    /// By this actor, as `kind:id`.
    pub actor: &'q str,
    /// Of this subject.
    pub subject: &'q str,
    /// Not before this instant.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// How many at most.
    pub count: i64,
}

/// What a query asks, in SQL.
fn condition(query: &Query<'_>) -> (String, Vec<Sql>) {
    let mut conditions = vec!["seq < ?"];
    let mut parameters: Vec<Sql> = vec![query.before.unwrap_or(super::sql::INTEGER_MAX).into()];
    if !query.subject.is_empty() {
        conditions.push("subject = ?");
        parameters.push(query.subject.into());
    }
    if !query.action.is_empty() {
        conditions.push("(action = ? OR substr(action, 1, length(?)) = ?)");
        let group = format!("{}.", query.action);
        parameters.extend([query.action.into(), group.as_str().into(), group.as_str().into()]);
    }
    if !query.actor.is_empty() {
        conditions.push("actor = ?");
        parameters.push(query.actor.into());
    }
    for (condition, instant) in [("at >= ?", query.since), ("at < ?", query.until)] {
        if let Some(instant) = instant {
            conditions.push(condition);
            parameters.push(instant.0.into());
        }
    }
    (conditions.join(" AND "), parameters)
}

/// The number of the `n`th record of a query, the newest being the first, if there
/// are more than `n`. Reads nothing that is older.
pub fn nth(context: &Context<'_>, query: &Query<'_>, n: i64) -> Result<Option<i64>, SqlError> {
    let (condition, mut parameters) = condition(query);
    parameters.extend([2_i64.into(), n.saturating_sub(1).into()]);
    let statement =
        format!("SELECT seq FROM audit WHERE {condition} ORDER BY seq DESC LIMIT ? OFFSET ?");
    let found = context.sql.all(&statement, &parameters, |mut row| row.integer())?;
    Ok(found.first().copied().filter(|_| found.len() > 1))
}

/// Records, the newest first.
pub fn page(context: &Context<'_>, query: &Query<'_>) -> Result<Vec<Record>, SqlError> {
    let (condition, mut parameters) = condition(query);
    parameters.push(query.count.clamp(0, PAGE_MAX).into());
    let statement = format!(
        "SELECT seq, at, actor, action, subject, detail, client, ip, request FROM audit
         WHERE {condition} ORDER BY seq DESC LIMIT ?"
    );
    context.sql.all(&statement, &parameters, |mut row| {
        Ok(Record {
            seq: row.integer()?,
            at: Timestamp(row.integer()?),
            actor: row.text()?,
            action: row.text()?,
            subject: row.text()?,
            detail: serde_json::from_str(&row.text()?).unwrap_or(Value::Null),
            client: row.text()?,
            ip: row.text()?,
            request_id: row.text()?,
        })
    })
}

/// Removes records from before an instant; returns whether there may be more.
pub(super) fn prune(context: &Context<'_>, before: Timestamp, rows: i64) -> Result<bool, SqlError> {
    let removed = context.sql.all(
        "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit ORDER BY seq LIMIT ?)
         AND at < ? RETURNING seq",
        &[rows.into(), before.0.into()],
        |mut row| row.integer(),
    )?;
    Ok(i64::try_from(removed.len()).unwrap_or(rows) >= rows)
}
