//! Members who go: kept for a while so that they can be restored, and counted,
//! so that a provider gone wrong is noticed.
//!
//! A suspension or deletion is always obeyed at once; nothing here refuses one.
//! When there are too many within an hour, an alarm stands on the team until an
//! admin answers it: they confirm, or restore people as they were. Then the
//! provider's next word about a person counts again.

use super::audit::{self, Action, Actor};
use super::members::{self, Member, Role, Source, unrefused};
use super::problem::{self, Problem};
use super::resource::{Document, Stored};
use super::sql::{self, Row, SqlError};
use super::{Context, Failure, Fault, Timestamp, membership, seats, settings};
use serde_json::{Value, json};
use std::collections::HashSet;

/// How long what happened is counted together.
const WINDOW_MS: i64 = 60 * 60 * 1000;
/// How long who was deleted can be restored.
pub const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// People that one request restores or shows.
pub const PAGE_MAX: i64 = 200;

/// Someone who was deleted and can be restored.
#[derive(Clone, Debug)]
pub struct Departed {
    /// The SCIM `id`, which a restored member has again.
    pub id: String,
    /// When they went.
    pub at: Timestamp,
    /// Who deleted them, as `kind:id`.
    pub actor: String,
    /// The `userName`, folded.
    pub user_name: String,
    /// The name as shown.
    pub name: String,
    /// When they had last been suspended.
    suspended: Option<Timestamp>,
}

const COLUMNS: &str = "id, at, actor, user_name, name, suspended";

impl Departed {
    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.text()?,
            at: Timestamp(row.integer()?),
            actor: row.text()?,
            user_name: row.text()?,
            name: row.text()?,
            suspended: row.optional_integer()?.map(Timestamp),
        })
    }
}

/// An alarm that an admin has to answer.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// When it was raised.
    pub raised: Timestamp,
    /// Since when the members that it is about went.
    pub from: Timestamp,
    /// Those who are suspended since; 200 at most.
    pub suspended: Vec<Member>,
    /// Those who were deleted since; 200 at most.
    pub deleted: Vec<Departed>,
}

/// Keeps a member who is about to be deleted as they are. To be called before
/// they leave their groups.
pub(super) fn keep(context: &Context<'_>, actor: &Actor, stored: &Stored) -> Result<(), Fault> {
    let Some(member) = members::by_seq(context, stored.seq)? else { return Ok(()) };
    let groups = membership::groups_of(context, &[stored.seq])?.remove(&stored.seq);
    let direct = groups.unwrap_or_default().into_iter().filter(|group| group.direct);
    let groups: Vec<Value> = direct.map(|group| group.id.into()).collect();
    Ok(context.sql.execute(
        "INSERT INTO departed (id, at, actor, user_name, name, role, source, active, version,
                               created, groups, document, suspended)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT suspended FROM resource WHERE seq = ?))",
        &[
            stored.id.as_str().into(),
            context.now.0.into(),
            actor.to_string().into(),
            member.user_name.into(),
            member.name.into(),
            member.role.as_str().into(),
            member.source.as_str().into(),
            stored.active.into(),
            stored.version.into(),
            stored.created.0.into(),
            Value::from(groups).to_string().into(),
            stored.document.as_str().into(),
            stored.seq.into(),
        ],
    )?)
}

/// Counts a suspension or deletion by a provider, and raises the alarm if they
/// are too many.
pub(super) fn count(context: &Context<'_>, actor: &Actor) -> Result<(), Fault> {
    if !matches!(actor, Actor::Key(_)) {
        return Ok(());
    }
    let start = context.now.plus(-WINDOW_MS).0;
    let counted = context.sql.first(
        "UPDATE team SET
             brake_count = CASE WHEN brake_since > ? THEN brake_count + 1 ELSE 1 END,
             brake_since = CASE WHEN brake_since > ? THEN brake_since ELSE ? END
         RETURNING brake_count, brake_raised",
        &[start.into(), start.into(), context.now.0.into()],
        |mut row| Ok((row.integer()?, row.optional_integer()?)),
    )?;
    let Some((count, None)) = counted else { return Ok(()) };
    let settings = settings::read(context)?;
    if count <= settings.brake_members {
        return Ok(());
    }
    let before = seats::taken(context)?.saturating_add(count);
    if count.saturating_mul(100) <= settings.brake_percent.saturating_mul(before) {
        return Ok(());
    }
    context.sql.execute(
        "UPDATE team SET brake_raised = ?, brake_from = brake_since",
        &[context.now.0.into()],
    )?;
    let detail = json!({ "members": count, "withinSeconds": WINDOW_MS / 1000 });
    audit::record(context, actor, Action::BrakeRaised, "", &detail)?;
    Ok(())
}

/// The alarm, if one stands on the team.
pub fn alarm(context: &Context<'_>) -> Result<Option<Alarm>, SqlError> {
    let found =
        context.sql.first("SELECT brake_raised, brake_from FROM team", &[], |mut row| {
            Ok(row.optional_integer()?.zip(row.optional_integer()?))
        })?;
    let Some((raised, from)) = found.flatten() else { return Ok(None) };
    let (raised, from) = (Timestamp(raised), Timestamp(from));
    let suspended = members::suspended_since(context, from, PAGE_MAX)?;
    let deleted = context.sql.all(
        &format!(
            "SELECT {COLUMNS} FROM departed WHERE at >= ? AND at > ?
             AND substr(actor, 1, 4) = 'key:' ORDER BY at, id LIMIT ?"
        ),
        &[from.0.into(), forgotten(context).into(), PAGE_MAX.into()],
        Departed::read,
    )?;
    Ok(Some(Alarm { raised, from, suspended, deleted }))
}

/// Whether an alarm stands on the team.
pub fn alarm_stands(context: &Context<'_>) -> Result<bool, SqlError> {
    let found = context.sql.first("SELECT brake_raised FROM team", &[], |mut row| {
        Ok(row.optional_integer()?.is_some())
    })?;
    Ok(found.unwrap_or(false))
}

/// Takes the alarm off: what happened was meant.
///
/// # Errors
/// `no_alarm`.
pub fn confirm(context: &Context<'_>, actor: &Actor) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        if alarm(context)?.is_none() {
            return Err(no_alarm().into());
        }
        take_off(context)?;
        Ok(audit::record(context, actor, Action::BrakeConfirmed, "", &json!({}))?)
    })
}

/// Restores people whom the alarm is about, or all of them, and takes it off
/// when none is left; returns how many were restored.
///
/// # Errors
/// `no_alarm`; `no_free_seat` and `name_taken`, and nobody is restored.
pub fn undo(
    context: &Context<'_>,
    actor: &Actor,
    wanted: Option<&HashSet<String>>,
) -> Result<usize, Failure<Problem>> {
    context.transaction(|| {
        let Some(alarm) = alarm(context)? else { return Err(no_alarm().into()) };
        let is_wanted = |id: &String| wanted.is_none_or(|wanted| wanted.contains(id));
        let mut restored: usize = 0;
        for member in alarm.suspended.iter().filter(|member| is_wanted(&member.id)) {
            members::activate(context, actor, member)?;
            restored = restored.saturating_add(1);
        }
        for departed in alarm.deleted.iter().filter(|departed| is_wanted(&departed.id)) {
            let member = restore(context, actor, &departed.id)?;
            // Suspended first and deleted then: as they were before either.
            if !member.is_active && departed.suspended >= Some(alarm.from) {
                members::activate(context, actor, &member)?;
            }
            restored = restored.saturating_add(1);
        }
        let is_done = self::alarm(context)?
            .is_none_or(|left| left.suspended.is_empty() && left.deleted.is_empty());
        if is_done {
            take_off(context)?;
        }
        let detail = json!({ "members": restored });
        audit::record(context, actor, Action::BrakeUndone, "", &detail)?;
        Ok(restored)
    })
}

fn take_off(context: &Context<'_>) -> Result<(), SqlError> {
    context.sql.execute(
        "UPDATE team SET brake_raised = NULL, brake_from = NULL, brake_since = NULL,
         brake_count = 0",
        &[],
    )
}

fn no_alarm() -> Problem {
    Problem::new(problem::Kind::Conflict, "no_alarm", "no alarm stands on this team")
}

/// When those went at the latest who can be restored no longer, whether the alarm
/// has forgotten them yet or not.
fn forgotten(context: &Context<'_>) -> i64 {
    context.now.plus(-KEPT_MS).0
}

/// Those who can be restored, in the order in which they went; `after` is an id
/// of the last page.
pub fn list(context: &Context<'_>, after: &str, count: i64) -> Result<Vec<Departed>, SqlError> {
    context.sql.all(
        &format!(
            "SELECT {COLUMNS} FROM departed WHERE at > ? AND (at, id) >
             (coalesce((SELECT at FROM departed WHERE id = ?), -1), ?) ORDER BY at, id LIMIT ?"
        ),
        &[forgotten(context).into(), after.into(), after.into(), count.clamp(0, PAGE_MAX).into()],
        Departed::read,
    )
}

/// Restores someone who was deleted: the same id, role, attributes and groups,
/// as far as those are still there.
///
/// # Errors
/// `member_not_found`, `no_free_seat`, `name_taken`.
pub fn restore(context: &Context<'_>, actor: &Actor, id: &str) -> Result<Member, Failure<Problem>> {
    context.transaction(|| {
        let found = context.sql.first(
            "DELETE FROM departed WHERE id = ? AND at > ?
             RETURNING role, source, version, created, suspended, groups, document",
            &[id.into(), forgotten(context).into()],
            |mut row| {
                let (role, source) = (row.text()?, row.text()?);
                let (version, created) = (row.integer()?, row.integer()?);
                let times = (created, row.optional_integer()?);
                Ok((role, source, version, times, row.text()?, row.text()?))
            },
        )?;
        let Some((role, source, version, (created, suspended), groups, document)) = found else {
            return Err(members::not_found().into());
        };
        let broken = |_| Fault::new("a departed member cannot be read");
        let document: Document = serde_json::from_str(&document).map_err(broken)?;
        let groups: Vec<String> = serde_json::from_str(&groups).map_err(broken)?;
        let (source, role) =
            (Source::named(&source), Role::named(&role).unwrap_or(Role::Developer));
        let stored = members::insert(context, &document, source, role).map_err(unrefused)?;
        // Never a version that the member had before.
        context.sql.execute(
            "UPDATE resource SET id = ?, version = ?, created = ?, suspended = ? WHERE seq = ?",
            &[
                id.into(),
                version.saturating_add(1).into(),
                created.into(),
                suspended.into(),
                stored.seq.into(),
            ],
        )?;
        membership::rejoin(context, stored.seq, &groups)?;
        audit::record(context, actor, Action::MemberRestored, id, &json!({}))?;
        members::fetch(context, id)
    })
}

/// Forgets those who can be restored no longer; returns whether there may be
/// more.
pub(super) fn prune(context: &Context<'_>, rows: i64) -> Result<bool, SqlError> {
    sql::prune(context.sql, "departed", "id", "at", forgotten(context), rows)
}
