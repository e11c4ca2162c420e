//! SCIM API keys: generated, regenerated with a grace period, revoked.
//!
//! A key belongs to the team, not to the admin who made it: it goes on working
//! when they leave.

use super::audit::{self, Action, Actor};
use super::credential::{self, Kind, Minted};
use super::problem::{self, Problem};
use super::sql::SqlError;
use super::team_id::TeamId;
use super::tokens::{self, NewToken};
use super::{Context, Failure, Timestamp};
use serde_json::json;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Keys that work at once: a provider, its successor, and their overlaps.
const LIVE_MAX: usize = 10;
/// Characters in a key's name.
const NAME_CHARS_MAX: usize = 100;
/// How long a replaced key may go on working, in seconds: not at all, an
/// hour, a day, a week.
pub const GRACE_SECONDS: [i64; 4] = [0, 3_600, 86_400, 604_800];

/// What has become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It works.
    Active,
    /// It was replaced and works until its grace period ends.
    InGrace,
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
}

impl State {
    /// The word that is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::InGrace => "in_grace",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

/// A key, without its secret.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What has become of it.
    pub state: State,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it, as `kind:id`.
    pub created_by: String,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// When it was last used, to five minutes.
    pub last_used: Option<Timestamp>,
    /// What used it last called itself.
    pub last_client: String,
    /// The country that came from, by Cloudflare.
    pub last_country: String,
}

/// Makes a key.
///
/// # Errors
/// `invalid` for a name or expiry that cannot be, `too_many_keys`.
pub fn generate(
    context: &Context<'_>,
    actor: &Actor,
    team: &TeamId,
    name: &str,
    expires: Option<Timestamp>,
) -> Result<(Key, Minted), Failure<Problem>> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let message = format!("`name` must have 1 to {NAME_CHARS_MAX} characters");
        return Err(Problem::invalid(message).into());
    }
    if expires.is_some_and(|expires| expires <= context.now) {
        return Err(Problem::invalid("`expiresAt` must lie in the future").into());
    }
    context.transaction(|| {
        let (key, minted) = add(context, actor, team, name, expires)?;
        audit::record(context, actor, Action::KeyGenerated, &key.id, &json!({ "name": name }))?;
        Ok((key, minted))
    })
}

/// Replaces a key by a new one of the same name. The old one goes on working
/// for `grace_seconds`, one of [`GRACE_SECONDS`].
///
/// # Errors
/// `invalid` for another grace period, `key_not_found`, `key_not_active`,
/// `too_many_keys`.
pub fn regenerate(
    context: &Context<'_>,
    actor: &Actor,
    team: &TeamId,
    id: &str,
    grace_seconds: i64,
) -> Result<(Key, Minted), Failure<Problem>> {
    if !GRACE_SECONDS.contains(&grace_seconds) {
        let message = format!("`graceSeconds` must be one of {GRACE_SECONDS:?}");
        return Err(Problem::invalid(message).into());
    }
    context.transaction(|| {
        let old = find(context, id)?;
        if old.state != State::Active {
            let message = format!("the key is {}; generate a new one instead", old.state.name());
            return Err(Problem::new(problem::Kind::Conflict, "key_not_active", message).into());
        }
        let now = context.now;
        let grace_end = now.plus(grace_seconds.saturating_mul(1000));
        let expires = old.expires.map_or(grace_end, |expires| expires.min(grace_end));
        context.sql.execute(
            "UPDATE credential SET replaced = ?, expires = ? WHERE id = ?",
            &[now.0.into(), expires.0.into(), id.into()],
        )?;
        let (key, minted) = add(context, actor, team, &old.name, old.expires)?;
        let detail = json!({ "by": key.id, "graceSeconds": grace_seconds });
        audit::record(context, actor, Action::KeyRegenerated, id, &detail)?;
        Ok((key, minted))
    })
}

/// Revokes a key: it fails from the next request on. Once is enough.
///
/// # Errors
/// `key_not_found`.
pub fn revoke(context: &Context<'_>, actor: &Actor, id: &str) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        if find(context, id)?.state == State::Revoked {
            return Ok(());
        }
        context.sql.execute(
            "UPDATE credential SET revoked = ? WHERE id = ?",
            &[context.now.0.into(), id.into()],
        )?;
        Ok(audit::record(context, actor, Action::KeyRevoked, id, &json!({}))?)
    })
}

/// All keys, the newest first.
pub fn list(context: &Context<'_>) -> Result<Vec<Key>, SqlError> {
    context.sql.all(
        "SELECT id, name, created, created_by, expires, replaced, revoked, last_used,
                last_client, last_country
         FROM credential WHERE kind = 'scim' ORDER BY created DESC, id",
        &[],
        |mut row| {
            let (id, name) = (row.text()?, row.text()?);
            let created = Timestamp(row.integer()?);
            let created_by = row.text()?;
            let expires = row.optional_integer()?.map(Timestamp);
            let replaced = row.optional_integer()?;
            let revoked = row.optional_integer()?;
            let last_used = row.optional_integer()?.map(Timestamp);
            let state = if revoked.is_some() {
                State::Revoked
            } else if expires.is_some_and(|expires| expires <= context.now) {
                State::Expired
            } else if replaced.is_some() {
                State::InGrace
            } else {
                State::Active
            };
            let (last_client, last_country) = (row.text()?, row.text()?);
            Ok(Key {
                id,
                name,
                state,
                created,
                created_by,
                expires,
                last_used,
                last_client,
                last_country,
            })
        },
    )
}

fn find(context: &Context<'_>, id: &str) -> Result<Key, Failure<Problem>> {
    let key = list(context)?.into_iter().find(|key| key.id == id);
    key.ok_or_else(|| {
        let message = "the team has no SCIM API key with this id";
        Problem::new(problem::Kind::NotFound, "key_not_found", message).into()
    })
}

fn add(
    context: &Context<'_>,
    actor: &Actor,
    team: &TeamId,
    name: &str,
    expires: Option<Timestamp>,
) -> Result<(Key, Minted), Failure<Problem>> {
    let live = |key: &Key| matches!(key.state, State::Active | State::InGrace);
    if list(context)?.iter().filter(|key| live(key)).count() >= LIVE_MAX {
        let message = format!("a team has at most {LIVE_MAX} keys that work; revoke one first");
        return Err(Problem::new(problem::Kind::Conflict, "too_many_keys", message).into());
    }
    let minted = credential::mint(context, Kind::Scim, team)?;
    let expires_ms = expires.map(|expires| expires.0);
    let new = NewToken { kind: Kind::Scim, name, member: None, expires: expires_ms, scopes: "" };
    tokens::store(context, &minted, actor, &new)?;
    let key = Key {
        id: minted.id.clone(),
        name: name.to_owned(),
        state: State::Active,
        created: context.now,
        created_by: actor.to_string(),
        expires,
        last_used: None,
        last_client: String::new(),
        last_country: String::new(),
    };
    Ok((key, minted))
}

/// Days before a key ends at which the audit log warns of it.
const WARNED_DAYS: [i64; 3] = [14, 7, 1];

/// Warns in the audit log of keys that are about to end, once at each of
/// [`WARNED_DAYS`].
pub(super) fn warn(context: &Context<'_>) -> Result<(), SqlError> {
    for key in list(context)?.iter().filter(|key| key.state == State::Active) {
        let Some(expires) = key.expires else { continue };
        let left = expires.0.saturating_sub(context.now.0);
        let due = WARNED_DAYS.iter().rev().find(|days| left <= days.saturating_mul(DAY_MS));
        let Some(days) = due else { continue };
        let noted = context.sql.all(
            "UPDATE credential SET warned = ? WHERE id = ? AND (warned IS NULL OR warned > ?)
             RETURNING id",
            &[(*days).into(), key.id.as_str().into(), (*days).into()],
            |mut row| row.text(),
        )?;
        if !noted.is_empty() {
            let detail =
                json!({ "name": key.name, "expiresAt": expires.to_string(), "days": days });
            audit::record(context, &Actor::System, Action::KeyExpiring, &key.id, &detail)?;
        }
    }
    Ok(())
}
