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
use super::settings::{self, Settings};
use super::sql::{self, Row, SqlError};
use super::{Context, Failure, Fault, Timestamp, membership};
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
    fn read(mut row: Row<'_>) -> Result<Self, SqlError> {
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
    /// Those who are suspended since, as far as they are on this page.
    pub suspended: Vec<Member>,
    /// Those who were deleted since, as far as they are on this page.
    pub deleted: Vec<Departed>,
    /// How many are suspended since.
    pub suspended_count: i64,
    /// How many were deleted since.
    pub deleted_count: i64,
    /// What the next page begins after; `None` on the last.
    pub next: Option<String>,
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
            member.key.into(),
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

/// Notes a suspension or deletion by a provider, and raises the alarm if too many
/// members went within the last hour, each counted once.
///
/// They are counted by an index, and up to one more than it takes at most. Even that
/// happens only when it could be so many: `brake_count` is what was last counted and
/// one more for each that went since, never less than there are.
pub(super) fn count(context: &Context<'_>, actor: &Actor) -> Result<(), Fault> {
    if !matches!(actor, Actor::Key(_)) {
        return Ok(());
    }
    let noted = context.sql.first(
        "UPDATE team SET brake_count = brake_count + 1
         RETURNING brake_raised, brake_count, brake_since, settings,
                   (SELECT total FROM tally WHERE type = 'Active')",
        &[],
        |mut row| {
            let raised = row.optional_integer()?;
            let counts = (row.integer()?, row.optional_integer()?);
            Ok((raised, counts, row.text()?, row.integer()?))
        },
    )?;
    let Some((None, (at_most, answered), settings, active)) = noted else { return Ok(()) };
    let Some(too_many) = too_many(&settings::parse(&settings)?, active) else { return Ok(()) };
    if at_most < too_many {
        return Ok(());
    }
    // Of an alarm that was answered nobody is counted again.
    let since = context.now.plus(-WINDOW_MS).0.max(answered.unwrap_or(0));
    let gone = gone_since(context, since, too_many)?;
    if gone < too_many {
        let counted = "UPDATE team SET brake_count = ?";
        return Ok(context.sql.execute(counted, &[gone.into()])?);
    }
    context.sql.execute(
        "UPDATE team SET brake_raised = ?, brake_from = ?",
        &[context.now.0.into(), since.saturating_add(1).into()],
    )?;
    let detail = json!({ "members": gone, "withinSeconds": WINDOW_MS / 1000 });
    audit::record(context, actor, Action::BrakeRaised, "", &detail)?;
    Ok(())
}

/// How many must have gone for an alarm, when so many are active still: more than
/// the members of the settings, and more than their percentage of those before.
fn too_many(settings: &Settings, active: i64) -> Option<i64> {
    // n of n + active are more than p percent if n * (100 - p) > p * active.
    let staying = 100_i64.saturating_sub(settings.brake_percent);
    let share = settings.brake_percent.saturating_mul(active).checked_div(staying)?;
    Some(share.max(settings.brake_members).saturating_add(1))
}

/// How many members a provider suspended or deleted after an instant, up to
/// `enough`.
fn gone_since(context: &Context<'_>, since: i64, enough: i64) -> Result<i64, SqlError> {
    let gone = context.sql.first(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM resource
                 WHERE active = 0 AND suspended > ?1 LIMIT ?2))
              + (SELECT count(*) FROM (SELECT 1 FROM departed WHERE at > ?1
                 AND substr(actor, 1, 4) = 'key:' AND (active = 1 OR suspended > ?1) LIMIT ?2))",
        &[since.into(), enough.into()],
        |mut row| row.integer(),
    )?;
    Ok(gone.unwrap_or(0))
}

/// Since when those went whom the alarm is about, and when it was raised, if one
/// stands.
fn standing(context: &Context<'_>) -> Result<Option<(i64, i64)>, SqlError> {
    let found =
        context.sql.first("SELECT brake_from, brake_raised FROM team", &[], |mut row| {
            Ok(row.optional_integer()?.zip(row.optional_integer()?))
        })?;
    Ok(found.flatten())
}

/// The alarm, if one stands on the team, with a page of those it is about; `after`
/// is what the page before called `next`.
pub fn alarm(context: &Context<'_>, after: &str) -> Result<Option<Alarm>, SqlError> {
    let Some((from, raised)) = standing(context)? else { return Ok(None) };
    let (from, raised) = (Timestamp(from), Timestamp(raised));
    let (mut suspended, mut deleted) = gone(context, from, after, None)?;
    let ids = suspended.iter().map(|own| &own.id).chain(deleted.iter().map(|own| &own.id));
    let mut ids: Vec<String> = ids.cloned().collect();
    ids.sort();
    let page = usize::try_from(PAGE_MAX).unwrap_or(0);
    let next = ids.get(page.saturating_sub(1)).filter(|_| ids.len() > page).cloned();
    if let Some(last) = &next {
        suspended.retain(|own| own.id <= *last);
        deleted.retain(|own| own.id <= *last);
    }
    let (suspended_count, deleted_count) = left(context, from)?;
    Ok(Some(Alarm { raised, from, suspended, deleted, suspended_count, deleted_count, next }))
}

/// Those who are suspended or were deleted since, by id, those after one of them or
/// those of these ids: one of each more than a page at most.
fn gone(
    context: &Context<'_>,
    from: Timestamp,
    after: &str,
    wanted: Option<&HashSet<String>>,
) -> Result<(Vec<Member>, Vec<Departed>), SqlError> {
    let ids = Value::from_iter(wanted.into_iter().flatten().map(String::as_str)).to_string();
    let most = PAGE_MAX.saturating_add(1);
    let suspended = members::suspended_since(context, from, after, (wanted.is_none(), &ids), most)?;
    let deleted = context.sql.all(
        &format!(
            "SELECT {COLUMNS} FROM departed WHERE at >= ? AND at > ?
             AND substr(actor, 1, 4) = 'key:' AND id > ?
             AND (? OR id IN (SELECT value FROM json_each(?))) ORDER BY id LIMIT ?"
        ),
        &[
            from.0.into(),
            forgotten(context).into(),
            after.into(),
            wanted.is_none().into(),
            ids.into(),
            most.into(),
        ],
        Departed::read,
    )?;
    Ok((suspended, deleted))
}

/// How many are suspended, and how many were deleted since.
fn left(context: &Context<'_>, from: Timestamp) -> Result<(i64, i64), SqlError> {
    let counted = context.sql.first(
        "SELECT (SELECT count(*) FROM resource WHERE active = 0 AND suspended >= ?1),
                (SELECT count(*) FROM departed WHERE at >= ?1 AND at > ?2
                 AND substr(actor, 1, 4) = 'key:')",
        &[from.0.into(), forgotten(context).into()],
        |mut row| Ok((row.integer()?, row.integer()?)),
    )?;
    Ok(counted.unwrap_or_default())
}

/// Whether an alarm stands on the team.
pub fn alarm_stands(context: &Context<'_>) -> Result<bool, SqlError> {
    Ok(standing(context)?.is_some())
}

/// Takes the alarm off: what happened was meant.
///
/// # Errors
/// `no_alarm`.
pub fn confirm(context: &Context<'_>, actor: &Actor) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        if standing(context)?.is_none() {
            return Err(no_alarm().into());
        }
        take_off(context)?;
        Ok(audit::record(context, actor, Action::BrakeConfirmed, "", &json!({}))?)
    })
}

/// How far an undoing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// How many were restored.
    pub restored: usize,
    /// How many there are that the alarm is about still.
    pub left: i64,
}

/// Restores people whom the alarm is about, those named or the first 200 of all,
/// and takes it off when none is left.
///
/// # Errors
/// `invalid` for nobody or more than 200 at once; `no_alarm`; `no_free_seat` and
/// `name_taken`, and nobody is restored.
pub fn undo(
    context: &Context<'_>,
    actor: &Actor,
    wanted: Option<&HashSet<String>>,
) -> Result<Undone, Failure<Problem>> {
    let page = usize::try_from(PAGE_MAX).unwrap_or(0);
    if wanted.is_some_and(|wanted| wanted.is_empty() || wanted.len() > page) {
        let message = format!("`members` must say whom to restore, {PAGE_MAX} people at most");
        return Err(Problem::invalid(message).into());
    }
    context.transaction(|| {
        let Some((from, _)) = standing(context)? else { return Err(no_alarm().into()) };
        let from = Timestamp(from);
        let (suspended, deleted) = gone(context, from, "", wanted)?;
        let mut restored: usize = 0;
        for member in suspended.iter().take(page) {
            members::activate(context, actor, member)?;
            restored = restored.saturating_add(1);
        }
        for departed in deleted.iter().take(page.saturating_sub(restored)) {
            let member = restore(context, actor, &departed.id)?;
            // Suspended first and deleted then: as they were before either.
            if !member.is_active && departed.suspended >= Some(from) {
                members::activate(context, actor, &member)?;
            }
            restored = restored.saturating_add(1);
        }
        let (suspended, deleted) = left(context, from)?;
        let left = suspended.saturating_add(deleted);
        if left == 0 {
            take_off(context)?;
        }
        let detail = json!({ "members": restored, "left": left });
        audit::record(context, actor, Action::BrakeUndone, "", &detail)?;
        Ok(Undone { restored, left })
    })
}

/// Takes the alarm off, and counts anew from here.
fn take_off(context: &Context<'_>) -> Result<(), SqlError> {
    context.sql.execute(
        "UPDATE team SET brake_raised = NULL, brake_from = NULL, brake_since = ?,
         brake_count = 0",
        &[context.now.0.into()],
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
