//! Groups and who is in them, as admins see them: by the page.
//!
//! Out of scope: what providers do to groups (`groups`, `membership`).

use super::members::Member;
use super::membership::{self, InGroup};
use super::problem::{self, Problem};
use super::sql::{Row, SqlError};
use super::{Context, Failure, Fault, Timestamp};
use crate::scim::filter::fold;

/// Groups, or members of one, on a page at most.
pub const PAGE_MAX: i64 = 100;

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    seq: i64,
    /// The SCIM `id`.
    pub id: String,
    /// The name as shown.
    pub name: String,
    /// When it was added.
    pub created: Timestamp,
    /// When it or who is in it last changed.
    pub modified: Timestamp,
    /// The name of the key with which a provider added it; `None` where the log no
    /// longer reaches back so far, or the key is another deployment's.
    pub pushed_by: Option<String>,
}

const COLUMNS: &str = "seq, id, display, created, modified,
    (SELECT c.name FROM audit AS a CROSS JOIN credential AS c ON c.id = substr(a.actor, 5)
     WHERE a.subject = resource.id AND a.action = 'group.created' LIMIT 1)";

impl Group {
    fn read(mut row: Row<'_>) -> Result<Self, SqlError> {
        Ok(Self {
            seq: row.integer()?,
            id: row.text()?,
            name: row.text()?,
            created: Timestamp(row.integer()?),
            modified: Timestamp(row.integer()?),
            pushed_by: row.optional_text()?,
        })
    }
}

/// A page of groups by name: those whose name contains `search`, after the one of
/// this folded name.
pub fn groups(context: &Context<'_>, search: &str, after: &str) -> Result<Vec<Group>, SqlError> {
    context.sql.all(
        &format!(
            "SELECT {COLUMNS} FROM resource WHERE type = 'Group' AND key > ? AND instr(key, ?) > 0
             ORDER BY key LIMIT ?"
        ),
        &[fold(after).into(), fold(search).into(), PAGE_MAX.into()],
        Group::read,
    )
}

/// The group of this id.
///
/// # Errors
/// `group_not_found`.
pub fn fetch(context: &Context<'_>, id: &str) -> Result<Group, Failure<Problem>> {
    let statement = format!("SELECT {COLUMNS} FROM resource WHERE type = 'Group' AND id = ?");
    let found = context.sql.first(&statement, &[id.into()], Group::read)?;
    let message = "the team has no such group";
    let missing = || Problem::new(problem::Kind::NotFound, "group_not_found", message);
    Ok(found.ok_or_else(missing)?)
}

/// Someone or something in a group.
#[derive(Clone, Debug)]
pub struct Within {
    row: i64,
    /// Its id.
    pub id: String,
    /// The name as shown.
    pub name: String,
    /// Whether it is a person; otherwise a group.
    pub is_person: bool,
    /// Whether they may work here.
    pub is_active: bool,
}

impl Within {
    /// What the next page begins after.
    pub fn place(&self) -> i64 {
        self.row
    }
}

/// A page of a group's members in the order in which they came to the team.
pub fn members_of(
    context: &Context<'_>,
    group: &Group,
    after: i64,
) -> Result<Vec<Within>, SqlError> {
    context.sql.all(
        "SELECT r.seq, r.id, r.display, r.type, r.active FROM membership AS m
         CROSS JOIN resource AS r ON r.seq = m.member_seq
         WHERE m.group_seq = ? AND m.member_seq > ? ORDER BY m.member_seq LIMIT ?",
        &[group.seq.into(), after.into(), PAGE_MAX.into()],
        |mut row| {
            Ok(Within {
                row: row.integer()?,
                id: row.text()?,
                name: row.text()?,
                is_person: row.text()? == "User",
                is_active: row.boolean()?,
            })
        },
    )
}

/// The groups that a member is in, directly and through other groups.
pub fn groups_of(context: &Context<'_>, member: &Member) -> Result<Vec<InGroup>, Fault> {
    Ok(groups_of_all(context, std::slice::from_ref(member))?.pop().unwrap_or_default())
}

/// The same for each of several members, in their order.
pub fn groups_of_all(
    context: &Context<'_>,
    members: &[Member],
) -> Result<Vec<Vec<InGroup>>, Fault> {
    let rows: Vec<i64> = members.iter().map(|member| member.seq).collect();
    let mut groups = membership::groups_of(context, &rows)?;
    Ok(rows.iter().map(|row| groups.remove(row).unwrap_or_default()).collect())
}
