//! Credentials in use: who is it, and does it still open anything? And the
//! tokens that admins use the team API with.

use super::audit::{self, Action, Actor};
use super::credential::{self, Credential, Kind, Minted};
use super::members::Role;
use super::problem::{self, Problem};
use super::sql::SqlError;
use super::team_id::TeamId;
use super::throttle::Rate;
use super::{Context, Failure, Fault, schemas};
use serde_json::json;

/// Credentials that a signing secret is said to be needed by, at most.
const LISTED_MAX: i64 = 100;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How long an admin token lives.
const ADMIN_TOKEN_MS: i64 = 90 * DAY_MS;
/// How far `last used` may lag behind, so that reading writes almost nothing.
const LAST_USED_MS: i64 = 5 * 60 * 1000;

/// Someone whose credential was found good.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The credential's id.
    pub id: String,
    /// The admin it belongs to, for an admin token.
    pub member: Option<String>,
    /// What it is good for, for a service token; separated by spaces.
    pub scopes: String,
    /// Whether an operator suspended the team.
    pub team_is_suspended: bool,
    /// Whether the team has SCIM switched on.
    pub scim_enabled: bool,
    /// Whether a provider has come before.
    pub is_probed: bool,
    /// What the team's schemas are.
    pub schemas: schemas::Setting,
    /// How much the team's provider may ask.
    pub rate: Rate,
    /// When it was last noted that the credential is used, in milliseconds.
    last_used: Option<i64>,
}

/// Finds out whether a credential with a good tag still opens this team.
/// `None` if not, for whatever reason: the caller learns no more than that.
/// Nothing is written; see [`note_use`].
pub fn authenticate(
    context: &Context<'_>,
    credential: &Credential,
) -> Result<Option<Holder>, Fault> {
    let found = context.sql.first(
        "SELECT c.kind, c.hash, c.expires, c.revoked, c.last_used, c.member, c.scopes,
                t.id, t.state, t.scim_enabled, t.probed, t.strict, t.schemas_version,
                t.requests_per_second, t.request_burst
         FROM credential AS c CROSS JOIN team AS t WHERE c.id = (SELECT ?)",
        &[credential.id.as_str().into()],
        |mut row| {
            let kind = row.text()?;
            let hash = row.blob()?;
            let expires = row.optional_integer()?;
            let revoked = row.optional_integer()?;
            let last_used = row.optional_integer()?;
            let holder = Holder {
                id: credential.id.clone(),
                member: row.optional_text()?,
                scopes: row.text()?,
                team_is_suspended: {
                    let team = row.text()?;
                    let matches = team == credential.team.as_str();
                    let state = row.text()?;
                    if !matches {
                        return Ok(None);
                    }
                    state == "suspended"
                },
                scim_enabled: row.boolean()?,
                is_probed: row.optional_integer()?.is_some(),
                schemas: schemas::Setting::read(&mut row)?,
                rate: Rate::read(&mut row)?,
                last_used,
            };
            let is_live = credential.has_hash(&hash)
                && kind == credential.kind.name()
                && revoked.is_none()
                && expires.is_none_or(|expires| expires > context.now.0);
            Ok(is_live.then_some(holder))
        },
    );
    let found = match found {
        Err(error) if error.is_missing_table() => return Ok(None),
        found => found?.flatten(),
    };
    let Some(holder) = found else { return Ok(None) };
    if let Some(member) = &holder.member
        && !is_admin(context, member)?
    {
        return Ok(None);
    }
    Ok(Some(holder))
}

/// Notes that a credential opened something, now and then.
pub fn note_use(context: &Context<'_>, holder: &Holder) -> Result<(), SqlError> {
    let fresh = context.now.plus(-LAST_USED_MS).0;
    if holder.last_used.is_none_or(|last_used| last_used < fresh) {
        context.sql.execute(
            "UPDATE credential SET last_used = ?, last_client = ?, last_country = ? WHERE id = ?",
            &[
                context.now.0.into(),
                context.origin.client.as_str().into(),
                context.origin.country.as_str().into(),
                holder.id.as_str().into(),
            ],
        )?;
    }
    Ok(())
}

/// Makes a token for an admin of the team, good for 90 days or until they are
/// no longer an active admin.
pub fn issue(
    context: &Context<'_>,
    actor: &Actor,
    team: &TeamId,
    member: &str,
) -> Result<Minted, Fault> {
    let minted = credential::mint(context, Kind::Admin, team)?;
    let new = NewToken {
        kind: Kind::Admin,
        name: "admin token",
        member: Some(member),
        expires: Some(context.now.plus(ADMIN_TOKEN_MS).0),
        scopes: "",
    };
    store(context, &minted, actor, &new)?;
    let detail = json!({ "token": minted.id });
    audit::record(context, actor, Action::AdminTokenIssued, member, &detail)?;
    Ok(minted)
}

/// Makes a token for the team's first active admin and revokes those that
/// operators had made for them before.
///
/// # Errors
/// `no_admin` if the team has no active admin.
pub fn issue_to_first_admin(
    context: &Context<'_>,
    actor: &Actor,
    team: &TeamId,
) -> Result<Minted, Failure<Problem>> {
    let admin = context.sql.first(
        "SELECT id FROM resource WHERE type = 'User' AND role = ? AND active = 1
         ORDER BY id LIMIT 1",
        &[Role::Admin.as_str().into()],
        |mut row| row.text(),
    )?;
    let Some(admin) = admin else {
        let message = "the team has no active admin to make a token for";
        return Err(Problem::new(problem::Kind::Conflict, "no_admin", message).into());
    };
    context.sql.execute(
        "UPDATE credential SET revoked = ? WHERE kind = 'admin' AND member = ?
         AND revoked IS NULL AND created_by LIKE 'operator:%'",
        &[context.now.0.into(), admin.as_str().into()],
    )?;
    Ok(issue(context, actor, team, &admin)?)
}

/// The credentials that still work and carry a tag of this version, as
/// `kind:id`, sessions and sealed client secrets among them. None where there is
/// no team.
pub fn live_under(context: &Context<'_>, signing_version: u8) -> Result<Vec<String>, SqlError> {
    let found = context.sql.all(
        "SELECT kind, id FROM credential WHERE signing_version = ?1 AND revoked IS NULL
         AND (expires IS NULL OR expires > ?2)
         UNION ALL SELECT 'session', id FROM session WHERE signing_version = ?1 AND expires > ?2
         UNION ALL SELECT 'sso', kind FROM sso_method WHERE secret_version = ?1
         LIMIT ?3",
        &[i64::from(signing_version).into(), context.now.0.into(), LISTED_MAX.into()],
        |mut row| Ok(format!("{}:{}", row.text()?, row.text()?)),
    );
    match found {
        Err(error) if error.is_missing_table() => Ok(Vec::new()),
        found => found,
    }
}

/// What is kept of a new credential besides its hash.
pub(super) struct NewToken<'a> {
    /// What it is for.
    pub(super) kind: Kind,
    /// What its maker calls it.
    pub(super) name: &'a str,
    /// The admin it belongs to.
    pub(super) member: Option<&'a str>,
    /// When it stops working, in milliseconds.
    pub(super) expires: Option<i64>,
    /// What it is good for, separated by spaces.
    pub(super) scopes: &'a str,
}

/// Keeps a new credential, of any kind but a session.
pub(super) fn store(
    context: &Context<'_>,
    minted: &Minted,
    actor: &Actor,
    new: &NewToken<'_>,
) -> Result<(), Fault> {
    Ok(context.sql.execute(
        "INSERT INTO credential
         (id, kind, name, hash, signing_version, member, created, created_by, expires, scopes)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            minted.id.as_str().into(),
            new.kind.name().into(),
            new.name.into(),
            minted.hash.as_slice().into(),
            i64::from(minted.signing_version).into(),
            new.member.into(),
            context.now.0.into(),
            actor.to_string().into(),
            new.expires.into(),
            new.scopes.into(),
        ],
    )?)
}

/// Whether a member is an active admin now.
fn is_admin(context: &Context<'_>, member: &str) -> Result<bool, SqlError> {
    let found = context.sql.first(
        "SELECT 1 FROM resource WHERE type = 'User' AND id = ? AND role = ? AND active = 1",
        &[member.into(), Role::Admin.as_str().into()],
        |mut row| row.integer(),
    )?;
    Ok(found.is_some())
}
