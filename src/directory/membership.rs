//! Who is in which group: one row a membership, never a list in a document.
//!
//! Adding or removing k members costs k rows whatever the size of the group,
//! and two providers that change one group at once lose nothing. Ids travel
//! to SQL as one JSON parameter, since a statement binds at most 100.

use super::resource::Kind;
use super::sql::{SqlError, Value as Sql};
use super::{Context, Fault};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Ids resolved by one statement: 10,000 in JSON stay far below the 2 MB that
/// a parameter may have.
const IDS_AT_ONCE: usize = 10_000;

/// A member as a client names it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// What the client calls it, if it says.
    pub display: Option<String>,
}

/// Members that a client named, looked up in the team.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The rows of those that exist, each once, with what they are called.
    pub members: Vec<(i64, Option<String>)>,
    /// How many ids name nobody here.
    pub unknown: usize,
}

impl Resolved {
    /// The rows alone.
    pub fn seqs(&self) -> Vec<i64> {
        self.members.iter().map(|(seq, _)| *seq).collect()
    }
}

/// Looks members up in this team: users and groups.
pub fn resolve(context: &Context<'_>, named: &[Named]) -> Result<Resolved, SqlError> {
    let mut resolved = Resolved::default();
    for chunk in named.chunks(IDS_AT_ONCE) {
        let list: Vec<Value> = chunk.iter().map(|one| json!([one.id, one.display])).collect();
        let list = Value::from(list).to_string();
        let before = resolved.members.len();
        for kind in [Kind::User, Kind::Group] {
            context.sql.each(
                "SELECT r.seq, wanted.value ->> 1 FROM json_each(?) AS wanted
                 CROSS JOIN resource AS r ON r.type = ? AND r.id = wanted.value ->> 0",
                &[list.as_str().into(), kind.name().into()],
                &mut |mut row| {
                    resolved.members.push((row.integer()?, row.optional_text()?));
                    Ok(())
                },
            )?;
        }
        let found = resolved.members.len().saturating_sub(before);
        resolved.unknown = resolved.unknown.saturating_add(chunk.len().saturating_sub(found));
    }
    resolved.members.sort_by_key(|(seq, _)| *seq);
    resolved.members.dedup_by_key(|(seq, _)| *seq);
    Ok(resolved)
}

/// As [`resolve`], for ids alone.
pub fn resolve_ids(context: &Context<'_>, ids: Vec<String>) -> Result<Vec<i64>, SqlError> {
    let named: Vec<Named> = ids.into_iter().map(|id| Named { id, display: None }).collect();
    Ok(resolve(context, &named)?.seqs())
}

/// Adds members; returns how many were not in the group before. Who was stays
/// as they were: what a member is called is immutable (RFC 7643 section 2.4).
pub fn add(
    context: &Context<'_>,
    group: i64,
    members: &[(i64, Option<String>)],
) -> Result<usize, SqlError> {
    if members.is_empty() {
        return Ok(0);
    }
    let list: Vec<Value> = members.iter().map(|(seq, display)| json!([seq, display])).collect();
    changed(
        context,
        "INSERT INTO membership (group_seq, member_seq, display)
         SELECT ?, value ->> 0, value ->> 1 FROM json_each(?) WHERE true
         ON CONFLICT DO NOTHING RETURNING member_seq",
        &[group.into(), Value::from(list).to_string().into()],
    )
}

/// Removes members; returns how many were in the group.
pub fn remove(context: &Context<'_>, group: i64, members: &[i64]) -> Result<usize, SqlError> {
    if members.is_empty() {
        return Ok(0);
    }
    changed(
        context,
        "DELETE FROM membership WHERE group_seq = ?
         AND member_seq IN (SELECT value FROM json_each(?)) RETURNING member_seq",
        &[group.into(), Value::from(members).to_string().into()],
    )
}

/// Makes exactly these the members; returns how many came or went.
pub fn set(
    context: &Context<'_>,
    group: i64,
    members: &[(i64, Option<String>)],
) -> Result<usize, SqlError> {
    let seqs: Vec<i64> = members.iter().map(|(seq, _)| *seq).collect();
    let gone = changed(
        context,
        "DELETE FROM membership WHERE group_seq = ?
         AND member_seq NOT IN (SELECT value FROM json_each(?)) RETURNING member_seq",
        &[group.into(), Value::from(seqs).to_string().into()],
    )?;
    Ok(add(context, group, members)?.saturating_add(gone))
}

fn changed(context: &Context<'_>, statement: &str, parameters: &[Sql]) -> Result<usize, SqlError> {
    let mut changed: usize = 0;
    context.sql.each(statement, parameters, &mut |_| {
        changed = changed.saturating_add(1);
        Ok(())
    })?;
    Ok(changed)
}

/// Takes a resource that is going away out of everything: its own members
/// leave it, it leaves its groups, and those count a change.
pub fn forget(context: &Context<'_>, seq: i64) -> Result<(), SqlError> {
    context.sql.execute(
        "UPDATE resource SET version = version + 1, modified = ? WHERE seq IN
         (SELECT group_seq FROM membership WHERE member_seq = ?)",
        &[context.now.0.into(), seq.into()],
    )?;
    context.sql.execute("DELETE FROM membership WHERE member_seq = ?", &[seq.into()])?;
    context.sql.execute("DELETE FROM membership WHERE group_seq = ?", &[seq.into()])
}

/// Whether a group has more than `limit` members, reading no more than that.
pub fn exceeds(context: &Context<'_>, group: i64, limit: i64) -> Result<bool, SqlError> {
    let counted = context.sql.first(
        "SELECT count(*) FROM (SELECT 1 FROM membership WHERE group_seq = ? LIMIT ?)",
        &[group.into(), limit.saturating_add(1).into()],
        |mut row| row.integer(),
    )?;
    Ok(counted.unwrap_or(0) > limit)
}

/// A member of a group, as the group shows it.
#[derive(Debug)]
pub struct Member {
    /// Its row.
    pub seq: i64,
    /// Its type.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its name.
    pub display: String,
}

/// Hands each member of a group to `member`, in the order in which the
/// members came to the team.
pub fn each_member(
    context: &Context<'_>,
    group: i64,
    member: &mut dyn FnMut(Member),
) -> Result<(), SqlError> {
    context.sql.each(
        "SELECT r.seq, r.type, r.id, coalesce(m.display, r.display) FROM membership AS m
         CROSS JOIN resource AS r ON r.seq = m.member_seq
         WHERE m.group_seq = ? ORDER BY m.member_seq",
        &[group.into()],
        &mut |mut row| {
            member(Member {
                seq: row.integer()?,
                kind: if row.text()? == "Group" { Kind::Group } else { Kind::User },
                id: row.text()?,
                display: row.text()?,
            });
            Ok(())
        },
    )
}

/// A group that someone is in.
#[derive(Debug)]
pub struct InGroup {
    /// The group's id.
    pub id: String,
    /// The group's name.
    pub display: String,
    /// Whether it lists the member itself; otherwise a group in it does.
    pub direct: bool,
}

/// The groups that each of these resources is in, directly and through other
/// groups. Groups that contain each other end the search, not the program.
pub fn groups_of(context: &Context<'_>, seqs: &[i64]) -> Result<HashMap<i64, Vec<InGroup>>, Fault> {
    let mut groups: HashMap<i64, Vec<InGroup>> = HashMap::new();
    context.sql.each(
        "WITH RECURSIVE above (member, group_seq, direct) AS (
             SELECT m.member_seq, m.group_seq, 1 FROM json_each(?) AS wanted
             CROSS JOIN membership AS m ON m.member_seq = wanted.value
             UNION
             SELECT above.member, m.group_seq, 0 FROM above
             CROSS JOIN membership AS m ON m.member_seq = above.group_seq
         )
         SELECT above.member, g.id, g.display, max(above.direct) FROM above
         CROSS JOIN resource AS g ON g.seq = above.group_seq
         GROUP BY above.member, g.seq ORDER BY above.member, g.id",
        &[Value::from(seqs).to_string().into()],
        &mut |mut row| {
            let member = row.integer()?;
            groups.entry(member).or_default().push(InGroup {
                id: row.text()?,
                display: row.text()?,
                direct: row.boolean()?,
            });
            Ok(())
        },
    )?;
    Ok(groups)
}

/// Those of these resources that are members of the group.
pub fn among(context: &Context<'_>, group: i64, seqs: &[i64]) -> Result<Vec<i64>, SqlError> {
    context.sql.all(
        "SELECT member_seq FROM membership WHERE group_seq = ?
         AND member_seq IN (SELECT value FROM json_each(?))",
        &[group.into(), Value::from(seqs).to_string().into()],
        |mut row| row.integer(),
    )
}
