//! Members: what kafkaman adds to a SCIM User, and what a team's admins do.
//!
//! In scope: roles, the list that admins see, adding, removing, reactivating by
//! hand. Out of scope: what providers do (`users`), and whether someone may do
//! any of it (`policy`). Nothing in a SCIM body ever grants a role.

use super::audit::{self, Action, Actor};
use super::change::{named, with_schemas};
use super::policy::{self, Action as Wish, MemberState};
use super::problem::{self, Problem};
use super::resource::{self, Document, Kind, Stored};
pub use super::role::{Role, Source};
use super::sql::{Row, SqlError, Value as Sql};
use super::{Context, Failure, Fault, Timestamp, departures, membership, sessions, team};
use crate::scim::Error;
use crate::scim::filter::fold;
use crate::scim::ingest;
use serde_json::{Value, json};

/// Members on a page at most.
pub const PAGE_MAX: i64 = 200;
/// Bytes of an address (RFC 5321 section 4.5.3.1.3 leaves that many between its
/// brackets).
const EMAIL_BYTES_MAX: usize = 254;

/// A member as admins see them.
#[derive(Clone, Debug)]
pub struct Member {
    /// The row.
    pub(super) seq: i64,
    /// The SCIM `id`.
    pub id: String,
    /// The SCIM `userName`, folded.
    pub(super) key: String,
    /// The same as it was sent.
    pub user_name: String,
    /// The primary address, or the first, if there is one.
    pub email: Option<String>,
    /// The name as shown.
    pub name: String,
    /// Whether they may work here.
    pub is_active: bool,
    /// What they may do.
    pub role: Role,
    /// Where they came from.
    pub source: Source,
    /// When they were added.
    pub created: Timestamp,
    /// When they last signed in.
    pub signed_in: Option<Timestamp>,
}

const COLUMNS: &str = "seq, id, key, display, active, role,
    CASE WHEN source = 'team' AND joined THEN 'sso' ELSE source END, created, signed_in,
    document ->> 'userName',
    (SELECT e.value ->> 'value' FROM json_each(document, '$.emails') AS e
     ORDER BY coalesce(e.value ->> 'primary', 0) DESC, e.key LIMIT 1)";

impl Member {
    fn read(mut row: Row<'_>) -> Result<Self, SqlError> {
        Ok(Self {
            seq: row.integer()?,
            id: row.text()?,
            key: row.text()?,
            name: row.text()?,
            is_active: row.boolean()?,
            role: row
                .optional_text()?
                .and_then(|name| Role::named(&name))
                .unwrap_or(Role::Developer),
            source: Source::named(&row.text()?),
            created: Timestamp(row.integer()?),
            signed_in: row.optional_integer()?.map(Timestamp),
            user_name: row.text()?,
            email: row.optional_text()?,
        })
    }
}

/// Which members to list.
#[derive(Clone, Debug)]
pub struct Query<'q> {
    /// The active ones, or the suspended.
    pub active: bool,
    /// Text that name, userName or an address contains; empty for all.
    pub search: &'q str,
    /// The id after which the page begins; empty for the first.
    pub after: &'q str,
    /// How many to show at most.
    pub count: i64,
}

/// A page of members in the order in which they came.
pub fn list(context: &Context<'_>, query: &Query<'_>) -> Result<Vec<Member>, SqlError> {
    context.sql.all(
        &format!(
            "SELECT {COLUMNS} FROM resource WHERE type = 'User' AND active = ? AND id > ?
             AND instr(search, ?) > 0 ORDER BY id LIMIT ?"
        ),
        &[
            query.active.into(),
            query.after.into(),
            fold(query.search).into(),
            query.count.clamp(0, PAGE_MAX).into(),
        ],
        Member::read,
    )
}

/// The member of this id.
///
/// # Errors
/// `member_not_found`.
pub fn fetch(context: &Context<'_>, id: &str) -> Result<Member, Failure<Problem>> {
    first(context, "type = 'User' AND id = ?", id.into())?.ok_or_else(|| not_found().into())
}

/// The member of this `userName`, ignoring case.
///
/// # Errors
/// `member_not_found`.
pub fn fetch_by_name(context: &Context<'_>, name: &str) -> Result<Member, Failure<Problem>> {
    find_by_name(context, name)?.ok_or_else(|| not_found().into())
}

/// The member of this `userName`, ignoring case, if there is one.
pub(super) fn find_by_name(context: &Context<'_>, name: &str) -> Result<Option<Member>, SqlError> {
    first(context, "type = 'User' AND key = ?", fold(name).into())
}

/// The member of this row.
pub(super) fn by_seq(context: &Context<'_>, seq: i64) -> Result<Option<Member>, SqlError> {
    first(context, "seq = ?", seq.into())
}

fn first(context: &Context<'_>, which: &str, value: Sql) -> Result<Option<Member>, SqlError> {
    let statement = format!("SELECT {COLUMNS} FROM resource WHERE {which}");
    context.sql.first(&statement, &[value], Member::read)
}

/// Those who were suspended at an instant or since, by id: all of them, or those
/// in a JSON array of ids.
pub(super) fn suspended_since(
    context: &Context<'_>,
    from: Timestamp,
    after: &str,
    (all, ids): (bool, &str),
    count: i64,
) -> Result<Vec<Member>, SqlError> {
    context.sql.all(
        &format!(
            "SELECT {COLUMNS} FROM resource WHERE active = 0 AND suspended >= ? AND id > ?
             AND (? OR id IN (SELECT value FROM json_each(?))) ORDER BY id LIMIT ?"
        ),
        &[from.0.into(), after.into(), all.into(), ids.into(), count.into()],
        Member::read,
    )
}

pub(super) fn not_found() -> Problem {
    Problem::new(problem::Kind::NotFound, "member_not_found", "the team has no such member")
}

/// A member as `policy` looks at them.
pub fn state_of(context: &Context<'_>, member: &Member) -> Result<MemberState, SqlError> {
    let others = context.sql.first(
        "SELECT 1 FROM resource WHERE type = 'User' AND active = 1 AND role = 'admin'
         AND seq <> ? LIMIT 1",
        &[member.seq.into()],
        |mut row| row.integer(),
    )?;
    let is_last_admin = member.role == Role::Admin && others.is_none();
    Ok(MemberState { is_active: member.is_active, role: member.role, is_last_admin })
}

/// A person added by the operator or an admin, or who joins by themselves; not by a
/// provider.
#[derive(Debug)]
pub struct NewMember<'a> {
    /// The person's name as shown.
    pub name: &'a str,
    /// Their address, which is their `userName` too.
    pub email: &'a str,
    /// What they may do.
    pub role: Role,
    /// Where they come from.
    pub source: Source,
}

/// Adds a member; returns their SCIM `id`. Runs in the caller's
/// transaction. A provider finds the member by `userName` and manages them
/// from its first write on; the role stays.
///
/// # Errors
/// 400 for a name or address that no User may have, 409 if it is taken, 403 if
/// no seat is free.
pub fn add(context: &Context<'_>, member: &NewMember<'_>) -> Result<String, Failure> {
    check_email(member.email).map_err(|problem| Error::invalid_value(problem.message))?;
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
    Ok(insert(context, &document, member.source, member.role)?.id)
}

/// Stores a member, and where they came from.
pub(super) fn insert(
    context: &Context<'_>,
    document: &Document,
    source: Source,
    role: Role,
) -> Result<Stored, Failure> {
    let by = if source == Source::Scim { "scim" } else { "team" };
    let stored = resource::insert(context, Kind::User, document, by, Some(role.as_str()))?;
    if source == Source::Sso {
        let joined = "UPDATE resource SET joined = 1 WHERE seq = ?";
        context.sql.execute(joined, &[stored.seq.into()])?;
    }
    Ok(stored)
}

/// Refuses what the rules do not let a member do who acts for themselves. Operators
/// and alarms are not members, and are not asked.
fn permit(context: &Context<'_>, actor: &Actor, wish: Wish) -> Result<(), Failure<Problem>> {
    let (Actor::Admin(id) | Actor::Member(id)) = actor else { return Ok(()) };
    let Some(team) = team::read(context)? else { return Err(team::not_found().into()) };
    let state = state_of(context, &fetch(context, id)?)?;
    Ok(policy::decide(team.state(context, None)?, state, wish).map_err(sessions::refused)?)
}

/// Changes a member's role.
///
/// # Errors
/// `member_not_found`, `last_admin`; what `policy` refuses.
pub fn set_role(
    context: &Context<'_>,
    actor: &Actor,
    id: &str,
    role: Role,
) -> Result<Member, Failure<Problem>> {
    context.transaction(|| {
        let member = fetch(context, id)?;
        permit(context, actor, Wish::ChangeRole)?;
        if member.role == role {
            return Ok(member);
        }
        keep_an_admin(context, &member)?;
        context.sql.execute(
            "UPDATE resource SET role = ? WHERE seq = ?",
            &[role.as_str().into(), member.seq.into()],
        )?;
        let detail = json!({ "from": member.role.as_str(), "to": role.as_str() });
        audit::record(context, actor, Action::MemberRoleChanged, id, &detail)?;
        Ok(Member { role, ..member })
    })
}

/// Checks that this can be a member's address.
///
/// # Errors
/// `invalid`.
pub(super) fn check_email(email: &str) -> Result<(), Problem> {
    let has_both_sides = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    if !has_both_sides || email.len() > EMAIL_BYTES_MAX || email.contains(char::is_whitespace) {
        return Err(Problem::invalid("`email` must be an address such as ada@example.com"));
    }
    Ok(())
}

/// Changes the address that a member works with, and their `userName` where it
/// was that address.
///
/// # Errors
/// `invalid` for what is no address, `name_taken`.
pub fn set_email(
    context: &Context<'_>,
    actor: &Actor,
    member: &Member,
    email: &str,
) -> Result<Member, Failure<Problem>> {
    check_email(email)?;
    context.transaction(|| {
        let stored = stored(context, &member.id)?;
        let old = stored.parse()?;
        let mut new = old.clone();
        let before = replace_email(&mut new, email);
        if before.is_some_and(|before| fold(&before) == member.key) {
            new.insert("userName".into(), email.into());
        }
        if new != old {
            let user = context.resource_type(Kind::User);
            ingest::check(user, &new).map_err(Failure::from).map_err(unrefused)?;
            resource::update(context, &stored, &old, &new, stored.is_scim).map_err(unrefused)?;
            let detail = json!({ "changed": audit::changes(&old, &new) });
            audit::record(context, actor, Action::MemberUpdated, &member.id, &detail)?;
        }
        fetch(context, &member.id)
    })
}

/// Puts an address in the place of the primary one, or of the first; returns
/// which that was.
fn replace_email(document: &mut Document, email: &str) -> Option<String> {
    let emails = document.get_mut("emails").and_then(Value::as_array_mut);
    let Some(emails) = emails.filter(|emails| !emails.is_empty()) else {
        let first = json!([{ "value": email, "type": "work", "primary": true }]);
        document.insert("emails".into(), first);
        return None;
    };
    let is_primary = |one: &Value| one.get("primary") == Some(&Value::Bool(true));
    let at = emails.iter().position(is_primary).unwrap_or(0);
    let one = emails.get_mut(at).and_then(Value::as_object_mut)?;
    let before = one.insert("value".into(), email.into());
    before.and_then(|before| before.as_str().map(str::to_owned))
}

/// Removes a member from the team: out of SCIM and every group, signed out, the
/// name free again. The audit trail stays. Whoever removes themselves leaves.
///
/// # Errors
/// `member_not_found`, `last_admin`; what `policy` refuses.
pub fn remove(context: &Context<'_>, actor: &Actor, id: &str) -> Result<(), Failure<Problem>> {
    context.transaction(|| {
        let member = fetch(context, id)?;
        let leaves = matches!(actor, Actor::Admin(own) | Actor::Member(own) if own == id);
        permit(context, actor, if leaves { Wish::LeaveTeam } else { Wish::RemoveMember })?;
        keep_an_admin(context, &member)?;
        let stored = stored(context, id)?;
        departures::keep(context, actor, &stored)?;
        membership::forget(context, stored.seq)?;
        resource::delete(context, &stored).map_err(unrefused)?;
        let action = if leaves { Action::MemberLeft } else { Action::MemberRemoved };
        Ok(audit::record(context, actor, action, id, &named(&stored)?)?)
    })
}

/// Brings a suspended member back by hand, which a team whose provider manages
/// its members leaves to the provider.
///
/// # Errors
/// `member_not_found`, `managed_by_identity_provider` while SCIM is on,
/// `no_free_seat`.
pub fn reactivate(
    context: &Context<'_>,
    actor: &Actor,
    scim_enabled: bool,
    id: &str,
) -> Result<Member, Failure<Problem>> {
    if scim_enabled {
        let message = "the identity provider manages who is suspended; reactivate the person there, \
                       or turn SCIM off";
        let kind = problem::Kind::Conflict;
        return Err(Problem::new(kind, "managed_by_identity_provider", message).into());
    }
    context.transaction(|| {
        let member = fetch(context, id)?;
        if member.is_active {
            return Ok(member);
        }
        activate(context, actor, &member)?;
        Ok(Member { is_active: true, ..member })
    })
}

/// Makes a suspended member active again. Runs in the caller's transaction.
pub(super) fn activate(
    context: &Context<'_>,
    actor: &Actor,
    member: &Member,
) -> Result<(), Failure<Problem>> {
    let stored = stored(context, &member.id)?;
    let old = stored.parse()?;
    let mut new = old.clone();
    new.insert("active".into(), true.into());
    resource::update(context, &stored, &old, &new, stored.is_scim).map_err(unrefused)?;
    Ok(audit::record(context, actor, Action::MemberReactivated, &member.id, &json!({}))?)
}

/// Ends all sessions of a member; returns how many there were.
///
/// # Errors
/// `member_not_found`.
pub fn sign_out(context: &Context<'_>, actor: &Actor, id: &str) -> Result<usize, Failure<Problem>> {
    context.transaction(|| {
        let ended = sessions::end_of(context, fetch(context, id)?.seq)?;
        let detail = json!({ "sessions": ended });
        audit::record(context, actor, Action::MemberSignedOut, id, &detail)?;
        Ok(ended)
    })
}

fn stored(context: &Context<'_>, id: &str) -> Result<Stored, Failure<Problem>> {
    resource::fetch(context, Kind::User, id).map_err(unrefused)
}

fn keep_an_admin(context: &Context<'_>, member: &Member) -> Result<(), Failure<Problem>> {
    if member.is_active && state_of(context, member)?.is_last_admin {
        let message = "this is the team's last admin; make someone else admin first";
        return Err(Problem::new(problem::Kind::Conflict, "last_admin", message).into());
    }
    Ok(())
}

/// What SCIM refuses, as the team API says it.
pub fn unrefused(failure: Failure) -> Failure<Problem> {
    match failure {
        Failure::Fault(fault) => Failure::Fault(fault),
        Failure::Refused(error) => {
            let (kind, code) = match error.status() {
                403 => (problem::Kind::Forbidden, "no_free_seat"),
                404 => (problem::Kind::NotFound, "member_not_found"),
                409 => (problem::Kind::Conflict, "name_taken"),
                _ => (problem::Kind::Invalid, "invalid"),
            };
            Problem::new(kind, code, error.detail()).into()
        }
    }
}
